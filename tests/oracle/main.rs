//! Real libvirt and QEMU have the last word.
//!
//! `documents`, `edits`, `elements` and `settings` ask libvirt's parser, wherever `virsh` is there and we are root. `starts` starts domains, on a machine that
//! `tests/oracle/run` prepared.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken;
mod connection;
mod documents;
mod edits;
mod elements;
mod plans;
mod said;
mod settings;
mod starts;
#[path = "../support/mod.rs"]
mod support;
