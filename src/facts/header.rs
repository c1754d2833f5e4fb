//! Bytes of files that QEMU looks at before it takes them: of a kernel, of a table for SMBIOS, of rules.

use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::elf;

/// A few bytes of a file, as many as QEMU decides by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Header {
    /// Where they stand.
    pub at: usize,
    /// What they are; none where the file ends before.
    pub bytes: Vec<u8>,
}

/// Where a kernel for x86 says how long its first part is, and, behind its mark, what it can do (Documentation/arch/x86/boot.rst).
const SETUP: std::ops::Range<usize> = 0x1f1..0x268;
const MARK: (usize, &[u8]) = (0x202, b"HdrS");

/// More bytes of a file of rules are not shown to QEMU.
const RULES: usize = 4096;

impl Header {
    /// The bytes that count of the start of a file; nothing where it is loaded by other means, which look at all of it.
    pub(crate) fn of(contents: &Contents, start: &[u8]) -> Option<Header> {
        let range = match contents {
            Contents::Smbios => 0..4,
            Contents::Rules if start.len() <= RULES => 0..start.len(),
            Contents::Rules
            | Contents::Text
            | Contents::Plugin
            | Contents::Armoured
            | Contents::Certificate(_)
            | Contents::Keys(_)
            | Contents::Base64 => return None,
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
    is_at(start, (0, elf::MAGIC)) || elf::is_multiboot(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_told_from_what_is_none() {
        let mut linux = vec![0_u8; 4096];
        linux[0x1f1] = 30;
        linux[0x202..0x206].copy_from_slice(b"HdrS");
        let header = Header::of(&Contents::Kernel, &linux).unwrap();
        assert_eq!((header.at, header.bytes.len(), header.bytes[0]), (0x1f1, 0x77, 30));
        let text = Header::of(&Contents::Kernel, &b"x".repeat(600)).unwrap();
        assert_eq!(text, Header { at: 0x1f1, bytes: b"x".to_vec() });
        assert!(Header::of(&Contents::Kernel, b"short").unwrap().bytes.is_empty());
        assert_eq!(Header::of(&Contents::Kernel, b"\x7fELF\x02"), None);
        assert_eq!(Header::of(&Contents::Kernel, b"....\x02\xb0\xad\x1b"), None);
        assert_eq!(
            Header::of(&Contents::Smbios, b"\x01\x1b\0\x01abc").unwrap().bytes,
            b"\x01\x1b\0\x01"
        );
        assert_eq!(Header::of(&Contents::Rules, b"[a]\n").unwrap().bytes, b"[a]\n");
        assert_eq!(Header::of(&Contents::Rules, &[b' '; 5000]), None);
        assert_eq!(Header::of(&Contents::Base64, b"c2Vj"), None);
    }
}
