//! Names that QEMU looks up among its own files (`qemu_find_file`, system/datadir.c).

use std::ops::Range;

use super::reads::absolute;
use crate::domain::EntryId;

/// A name that is tried as it stands, from the root directory, where libvirt starts QEMU; then in the directories of `-L`, in
/// their order; then in those that QEMU was built with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The entry that names it.
    pub entry: EntryId,
    /// Where in the entry's value the name stands.
    pub at: Range<usize>,
    /// What it is: "the firmware", "the option ROM".
    pub what: &'static str,
    /// The name.
    pub name: String,
    /// The folder below each directory, with a slash: `keymaps/`; empty for firmware.
    pub folder: &'static str,
    /// QEMU starts without it.
    pub optional: bool,
}

impl Lookup {
    /// The paths at which it may be, in the order in which they are tried.
    pub fn candidates<'a>(
        &'a self,
        directories: impl Iterator<Item = &'a str>,
    ) -> impl Iterator<Item = String> {
        let in_each = |directory| format!("{directory}/{}{}", self.folder, self.name);
        std::iter::once(absolute(&self.name)).chain(directories.map(in_each))
    }
}
