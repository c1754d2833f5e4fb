//! What this machine says about the resources that a passthrough names; the only module that probes.
//!
//! [`probe`] looks and returns plain [`HostFacts`]; rules decide on those. Nothing here opens a device or a FIFO, follows
//! the document off this machine, or waits longer than the request allows: what does not answer is unknown, with the reason.

pub mod apparmor;
pub mod cgroup;
pub mod emulator;
pub mod facts;
pub mod identity;
pub mod image;
pub mod kernel;
pub mod mounts;
pub mod native;
mod paths;
mod probe;
mod process;
pub mod qemu_conf;
pub mod schema;
pub mod selinux;
pub mod sockets;

pub use facts::{HostFacts, Instance, Known};
pub use paths::{Acl, Ending, FileKind, Step, Walk, names_in};
pub use probe::{Request, STATE_DIRECTORY, dac_label, default_devices, probe};
