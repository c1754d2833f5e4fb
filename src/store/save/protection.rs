//! What keeps a file from being written, where that can be told beforehand.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{StatxAttributes, StatxFlags};
use rustix::io::Errno;

use crate::folder::said;

/// What keeps a file from being written.
pub(super) enum Protection {
    /// `chattr +i`.
    Immutable,
    /// `chattr +a`.
    AppendOnly,
    /// The kernel says no.
    Refused(Errno),
}

impl Protection {
    pub(super) fn of(path: &Path) -> Option<Protection> {
        let refused = rustix::fs::access(path, rustix::fs::Access::WRITE_OK).err();
        // What `lsattr` shows; nothing where the file system has none.
        let found = rustix::fs::statx(
            rustix::fs::CWD,
            path,
            rustix::fs::AtFlags::empty(),
            StatxFlags::empty(),
        );
        let attributes = found.map_or(StatxAttributes::empty(), |found| found.stx_attributes);
        if attributes.contains(StatxAttributes::IMMUTABLE) {
            return Some(Protection::Immutable);
        }
        if attributes.contains(StatxAttributes::APPEND) {
            return Some(Protection::AppendOnly);
        }
        refused.map(Protection::Refused)
    }
}

/// Why a file may not be written, in a few words for the status line; nothing where it may.
pub fn protection(path: &Path) -> Option<&'static str> {
    Some(match Protection::of(path)? {
        Protection::Immutable => "it is immutable, which chattr -i lifts; S saves elsewhere",
        Protection::AppendOnly => {
            "it may only be appended to, which chattr -a lifts; S saves elsewhere"
        }
        Protection::Refused(Errno::ROFS) => {
            "its file system is mounted read-only; S saves elsewhere"
        }
        Protection::Refused(_) => "you may not write this file; S saves elsewhere",
    })
}

/// Why a file may not be written, where that can be told beforehand.
pub(super) fn not_writable(real: &Path) -> Option<String> {
    let path =
        || shlex::try_quote(&real.to_string_lossy()).map_or_else(|_| "FILE".to_owned(), Into::into);
    Some(match Protection::of(real)? {
        Protection::Immutable => format!("it is immutable; lift that with: chattr -i {}", path()),
        Protection::AppendOnly => {
            format!("it may only be appended to; lift that with: chattr -a {}", path())
        }
        Protection::Refused(Errno::ROFS) => "its file system is mounted read-only".to_owned(),
        Protection::Refused(Errno::ACCESS | Errno::PERM) => {
            let mode = std::fs::metadata(real).map(|found| {
                format!(" (mode {:04o}, owner {})", found.mode() & 0o7777, found.uid())
            });
            format!("you may not write it{}", mode.unwrap_or_default())
        }
        Protection::Refused(other) => said(&other.into()),
    })
}
