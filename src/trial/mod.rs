//! How QEMU is asked without touching the host: a command line of libvirt's is made harmless, its files become stand-ins, and
//! what QEMU says is read. And what a real start leaves out. Pure; [`crate::probe`] runs it.

mod askable;
mod command;
mod outcome;
mod restored;
mod said;
mod sparing;
mod stand_ins;

pub use askable::askable;
pub use command::{Around, Command, Options, Part};
pub use outcome::{Agreement, Foretold, Happened, TRIAL_VERSION, Trial};
pub use restored::restored;
pub use said::{Sentence, of_outside, sentence};
pub use sparing::{Spared, memory_at_once, spare};
pub use stand_ins::{StandIn, StandInKind, stand_ins};
