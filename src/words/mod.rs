//! One writer for each language that advice is given in. A path gets into a line in no other way; what a language can't express
//! is no line.

pub mod apparmor;
pub mod qemu_conf;
mod shell;

pub use shell::{AND, quote};
