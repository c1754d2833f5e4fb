//! map
pub mod domain;
pub mod host;
pub mod qemu;
pub mod rules;
pub mod xml;
