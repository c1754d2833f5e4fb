//! A libvirt domain as a document: finding its QEMU passthrough, planning edits to it, printing it as libvirt would.
//!
//! What an argument *means* is the business of [`crate::qemu`]; here it is text.

pub mod aliases;
mod broken;
pub mod canonical;
mod disabled;
mod document;
mod entry;
pub mod extras;
mod facts;
mod history;
mod lost;
pub mod merge;
mod namespace;
mod passthrough;
mod shares;
mod size;
mod style;
mod verbs;

pub use broken::Broken;
pub use disabled::Disabled;
pub use document::Document;
pub use entry::{Entry, EntryId, EntryKind, List};
pub use facts::{Chipset, DomainFacts, NativeResource, SecLabel, SecLabelType};
pub use history::History;
pub use lost::{Lost, LostEntry, LostReason};
pub use namespace::QEMU_NAMESPACE;
pub use size::Processors;
pub use verbs::VerbError;

#[cfg(test)]
mod tests;
