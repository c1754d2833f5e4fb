//! How QEMU is asked without touching the host: a command line of libvirt's is made harmless, its files become stand-ins, and
//! what QEMU says is read. Pure; [`crate::probe`] runs it.

mod askable;
mod command;
mod said;
mod stand_ins;

pub use askable::askable;
pub use command::{Command, Part};
pub use said::{Sentence, of_outside, sentence};
pub use stand_ins::{StandIn, StandInKind, stand_ins};
