//! ELF files (elf(5)), as far as QEMU looks at one that is to be a kernel, and multiboot kernels, which may be such files.

/// The first bytes of each.
pub(super) const MAGIC: &[u8] = b"\x7fELF";

/// Intel's processors: 32 bits, and 64.
const MACHINES: [u64; 2] = [3, 62];

/// Why a file that begins like this is no kernel for x86 in the eyes of `load_elfboot` (hw/i386/x86.c): another machine, cut
/// off, or of a program, which has no notes of a kernel. Nothing for what is no ELF file, or for multiboot, which comes first.
pub(super) fn no_kernel(start: &[u8]) -> Option<&'static str> {
    if !start.starts_with(MAGIC) || is_multiboot(start) {
        return None;
    }
    let is_little = start.get(5) == Some(&1);
    let machine = number(start, 18, 2);
    if !is_little || machine.is_none_or(|machine| !MACHINES.contains(&machine)) {
        return Some("is an ELF file of another machine, or broken");
    }
    // A program that is to be run names its interpreter.
    has_interpreter(start)?.then_some("is a program, and no kernel")
}

/// Whether a file that begins like this is a multiboot kernel (`load_multiboot`).
pub(super) fn is_multiboot(start: &[u8]) -> bool {
    const MARK: [u8; 4] = 0x1bad_b002_u32.to_le_bytes();
    start.chunks_exact(4).any(|word| word == MARK)
}

/// Whether one of its parts names a dynamic linker (`PT_INTERP`).
fn has_interpreter(start: &[u8]) -> Option<bool> {
    let is_long = start.get(4) == Some(&2);
    let (at, width, entry, count) = if is_long { (32, 8, 54, 56) } else { (28, 4, 42, 44) };
    let table = number(start, at, width)?;
    let (entry, count) = (number(start, entry, 2)?, number(start, count, 2)?);
    let kinds = (0..count).map_while(|part| {
        let at = table.checked_add(part * entry)?;
        number(start, usize::try_from(at).ok()?, 4)
    });
    Some(kinds.into_iter().any(|kind| kind == 3))
}

/// A number of so many bytes, the lowest first.
fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file of 64 bits for a machine, with one part of a kind.
    fn elf(machine: u8, kind: u8) -> Vec<u8> {
        let mut bytes = vec![0_u8; 120];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (bytes[18], bytes[32], bytes[54], bytes[56], bytes[64]) = (machine, 64, 56, 1, kind);
        bytes
    }

    #[test]
    fn programs_are_no_kernels() {
        assert_eq!(no_kernel(b"MZ"), None);
        assert_eq!(no_kernel(&elf(62, 1)), None);
        assert!(no_kernel(&elf(62, 3)).is_some());
        assert!(no_kernel(&elf(183, 1)).is_some());
        assert_eq!(no_kernel(&[&elf(62, 3)[..], b"\x02\xb0\xad\x1b"].concat()), None);
        // Cut off anywhere, it is read as far as it goes.
        for length in 0..120 {
            no_kernel(&elf(62, 3)[..length]);
        }
        assert_eq!(number(&[1, 2], 0, 2), Some(0x201));
        assert_eq!(number(&[1, 2], 1, 2), None);
    }
}
