//! Bytes of files that QEMU looks at before it takes them: of a kernel, of a table for SMBIOS.

use serde::{Deserialize, Serialize};

use crate::qemu::CommandLine;

/// What a file is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contents {
    /// A kernel (`-kernel`).
    Kernel,
    /// A structure of SMBIOS (`-smbios file=`).
    Smbios,
}

/// A few bytes of a file, as many as QEMU decides by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Where they stand.
    pub at: usize,
    /// What they are; none where the file ends before.
    pub bytes: Vec<u8>,
}

/// Where a kernel for x86 says how long its first part is, and, behind its mark, what it can do (Documentation/arch/x86/boot.rst).
const SETUP: std::ops::Range<usize> = 0x1f1..0x268;
const MARK: (usize, &[u8]) = (0x202, b"HdrS");

/// Bytes at the start of a file that [`Header::of`] has to see: as many as QEMU reads (`x86_load_linux`).
pub(crate) const SEEN: usize = 8192;

impl Header {
    /// The bytes that count of the start of a file; nothing where it is loaded by other means, which look at all of it.
    pub(crate) fn of(contents: Contents, start: &[u8]) -> Option<Header> {
        let range = match contents {
            Contents::Smbios => 0..4,
            Contents::Kernel if is_at(start, MARK) => SETUP,
            Contents::Kernel if is_other(start) => return None,
            // To QEMU it is a kernel of before 1995.
            Contents::Kernel => SETUP.start..SETUP.start + 1,
        };
        let end = range.end.min(start.len());
        let bytes = start.get(range.start..end).unwrap_or_default().to_vec();
        Some(Header { at: range.start, bytes })
    }
}

fn is_at(start: &[u8], (at, mark): (usize, &[u8])) -> bool {
    start.get(at..at + mark.len()) == Some(mark)
}

/// Whether it is an ELF file or a multiboot kernel.
fn is_other(start: &[u8]) -> bool {
    const MULTIBOOT: [u8; 4] = 0x1bad_b002_u32.to_le_bytes();
    is_at(start, (0, b"\x7fELF")) || start.chunks_exact(4).any(|word| word == MULTIBOOT)
}

/// The files of a command line whose bytes count, by path.
pub fn wanted(line: &CommandLine) -> impl Iterator<Item = (&str, Contents)> {
    line.read_options().filter_map(|option| {
        let contents = match option.name() {
            "kernel" => Contents::Kernel,
            "smbios" => Contents::Smbios,
            _ => return None,
        };
        let mut uses = line.uses.iter().filter(|usage| usage.entry == option.place());
        let (path, _) = uses.find_map(|usage| usage.resource.path())?;
        Some((path, contents))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_told_from_what_is_none() {
        let mut linux = vec![0_u8; 4096];
        linux[0x1f1] = 30;
        linux[0x202..0x206].copy_from_slice(b"HdrS");
        let header = Header::of(Contents::Kernel, &linux).unwrap();
        assert_eq!((header.at, header.bytes.len(), header.bytes[0]), (0x1f1, 0x77, 30));
        let text = Header::of(Contents::Kernel, &b"x".repeat(600)).unwrap();
        assert_eq!(text, Header { at: 0x1f1, bytes: b"x".to_vec() });
        assert!(Header::of(Contents::Kernel, b"short").unwrap().bytes.is_empty());
        assert_eq!(Header::of(Contents::Kernel, b"\x7fELF\x02"), None);
        assert_eq!(Header::of(Contents::Kernel, b"....\x02\xb0\xad\x1b"), None);
        assert_eq!(
            Header::of(Contents::Smbios, b"\x01\x1b\0\x01abc").unwrap().bytes,
            b"\x01\x1b\0\x01"
        );
    }

    #[test]
    fn files_are_named_by_their_options() {
        let words = ["-kernel", "/k", "-smbios", "file=/s", "-smbios", "type=1", "-initrd", "/i"];
        let line = CommandLine::read(&words, &[]);
        let found: Vec<_> = wanted(&line).collect();
        assert_eq!(found, [("/k", Contents::Kernel), ("/s", Contents::Smbios)]);
    }
}
