//! map
pub mod check;
pub mod cli;
pub mod domain;
pub mod error;
pub mod host;
pub mod qemu;
pub mod report;
pub mod rules;
pub mod store;
pub mod tui;
pub mod visible;
pub mod xml;
