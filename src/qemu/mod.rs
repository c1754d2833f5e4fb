//! What the passthrough makes QEMU do and touch.
//!
//! Reading always succeeds: what is unknown is kept and noted. The names of options, drivers and keys stand in the tables
//! of `assets/qemu/`; the code here knows only how the kinds of value are spelled.

pub mod argv;
pub mod catalog;
pub mod keyval;
mod lookup;
mod reads;
pub mod resource;
pub mod version;

use crate::domain::EntryId;

pub use argv::{QemuOption, group};
pub use keyval::{Pair, Pairs, number, size};
pub use lookup::Lookup;
pub use reads::{is_format, retries};
pub use resource::{Access, Endpoint, PCI_DEVICES, Protocol, Resource, Use, pci_address};
pub use version::{Range, Version};

/// What is odd about the spelling of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteKind {
    /// Option and value stand in one argument; QEMU knows no such option.
    Joined {
        /// The option, with its dash.
        option: String,
        /// What belongs in the next argument.
        value: String,
    },
    /// No QEMU option has this name.
    UnknownOption,
    /// The option needs a value and is the last argument: it swallows libvirt's own `-sandbox`.
    Dangling,
    /// The argument belongs to no option; QEMU takes it for a disk image.
    Stray,
    /// The value is not spelled as QEMU reads it.
    Syntax(String),
    /// QEMU prints something and exits instead of running the guest.
    Exits,
    /// QEMU waits for a client of this socket before it goes on.
    Waits,
    /// QEMU waits for the program behind a vhost-user device to come to this socket.
    WaitsForBackend,
    /// A vhost-user device needs the program behind it, which can't have come to this socket yet.
    NobodyYet,
}

/// A remark on the reading, at a place in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The entry.
    pub entry: EntryId,
    /// Byte offset in the entry's value.
    pub at: usize,
    /// What is odd.
    pub kind: NoteKind,
}

/// An id that an option defines. Two of one group can't be the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// The group: `drive`, `chardev`, `object`, `netdev`, `device`, `fsdev`, `node`.
    pub group: &'static str,
    /// The id.
    pub id: String,
    /// The entry that defines it.
    pub entry: EntryId,
}

/// What an option says an image's format is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The entry.
    pub entry: EntryId,
    /// The image, absolute; `None` when it is named elsewhere.
    pub path: Option<String>,
    /// The block driver.
    pub driver: String,
}

/// The passthrough as QEMU reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// Arguments grouped into options, in order; every argument belongs to exactly one.
    pub options: Vec<QemuOption>,
    /// The host resources that the entries name.
    pub uses: Vec<Use>,
    /// Ids that are defined.
    pub ids: Vec<Id>,
    /// Devices and objects that are made: the group, the type, the entry.
    pub types: Vec<(&'static str, String, EntryId)>,
    /// The formats that images are said to have.
    pub formats: Vec<Declared>,
    /// Names that are looked up among QEMU's own files.
    pub lookups: Vec<Lookup>,
    /// The directories of `-L`, which come before QEMU's own.
    pub searched: Vec<String>,
    /// Remarks.
    pub notes: Vec<Note>,
}

impl CommandLine {
    /// Reads arguments and environment, each as libvirt hands it to QEMU.
    pub fn read(argv: &[&str], environment: &[(&str, Option<&str>)]) -> CommandLine {
        let mut line = CommandLine { options: argv::group(argv), ..CommandLine::default() };
        reads::read(&mut line, argv, environment);
        line
    }

    /// Adds what devices touch by overrides of their properties (`<qemu:override>`): the entry, the property, its value.
    #[must_use]
    pub fn overridden(mut self, properties: &[(EntryId, &str, &str)]) -> CommandLine {
        reads::overridden(&mut self, properties);
        self
    }

    /// The index in [`CommandLine::options`] of the option that an argument belongs to.
    pub fn option_of(&self, arg: usize) -> Option<usize> {
        let at = self.options.partition_point(|option| option.last() < arg);
        self.options.get(at).filter(|option| option.entry <= arg).map(|_| at)
    }

    /// The options of a name, in their order.
    pub fn options(&self, name: &'static str) -> impl DoubleEndedIterator<Item = &QemuOption> {
        self.options.iter().filter(move |option| option.name() == name)
    }

    /// The options whose value was read.
    pub fn read_options(&self) -> impl Iterator<Item = &QemuOption> {
        self.options.iter().filter(|option| option.is_read())
    }

    /// The option that an argument belongs to.
    pub fn option_at(&self, entry: EntryId) -> Option<&QemuOption> {
        self.options.get(self.option_of(entry.index)?)
    }

    /// The bridge that a helper is to take, where a use is QEMU's bridge helper (`br=`, net/tap.c).
    pub fn bridge(&self, usage: &Use) -> Option<&str> {
        let is_helper = usage.what.starts_with("the bridge helper");
        let option = self.option_at(usage.entry).filter(|_| is_helper)?;
        Some(option.pairs.get("br").unwrap_or("br0"))
    }

    /// The uses of one entry.
    pub fn uses_of(&self, entry: EntryId) -> impl Iterator<Item = &Use> {
        self.uses.iter().filter(move |usage| usage.entry == entry)
    }
}

#[cfg(test)]
mod tests;
