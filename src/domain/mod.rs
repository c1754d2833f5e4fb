//! A libvirt domain as a document: finding its QEMU passthrough, planning edits to it, printing it as libvirt would.
//!
//! What an argument *means* is the business of [`crate::qemu`]; here it is text.

pub mod canonical;
mod disabled;
mod document;
mod element;
mod entry;
pub mod extras;
mod facts;
mod history;
mod lost;
pub mod merge;
mod overrides;
mod repair;
mod seclabel;
mod size;
mod style;

pub use disabled::Disabled;
pub use document::{Document, VerbError};
pub use entry::{Entry, EntryId, EntryKind, List};
pub use facts::{Chipset, DomainFacts, NativeResource, SecLabel, SecLabelType};
pub use history::History;
pub use lost::{Lost, LostReason};
pub use size::Processors;

/// The namespace of the passthrough elements; libvirt compares it byte by byte.
pub const QEMU_NAMESPACE: &str = "http://libvirt.org/schemas/domain/qemu/1.0";

#[cfg(test)]
mod tests;
