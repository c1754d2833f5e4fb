//! map
pub mod domain;
pub mod qemu;
pub mod xml;
