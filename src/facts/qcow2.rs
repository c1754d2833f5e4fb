//! What QEMU finds wrong with the header of a qcow2 image (`qcow2_do_open`, block/qcow2.c of QEMU 7.2; docs/interop/qcow2.txt).

use super::contents::Fault;

/// The bytes of a header.
#[derive(Clone, Copy)]
struct Header<'a>(&'a [u8]);

impl Header<'_> {
    fn word(self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(self.0.get(at..at + 4)?.try_into().ok()?))
    }

    fn long(self, at: usize) -> Option<u64> {
        Some(u64::from_be_bytes(self.0.get(at..at + 8)?.try_into().ok()?))
    }
}

/// Tables are no larger than this (`QCOW_MAX_L1_SIZE`, `QCOW_MAX_REFTABLE_SIZE`).
const MOST_L1: u64 = 32 << 20;
const MOST_REFCOUNTS: u64 = 8 << 20;
/// `QCOW_MAX_SNAPSHOTS`.
const MOST_SNAPSHOTS: u32 = 65536;

/// The first thing that is wrong with an image that begins with these bytes, in the order in which QEMU looks.
pub(crate) fn fault(start: &[u8]) -> Option<Fault> {
    let (what, says) = wrong(Header(start))?;
    Some(Fault { what: format!("has a broken header: {what}"), says })
}

fn wrong(header: Header<'_>) -> Option<(&'static str, String)> {
    let said = |what, says: &str| Some((what, says.to_owned()));
    let version = header.word(4)?;
    let bits = header.word(20)?;
    if !(9..=21).contains(&bits) {
        return Some(("the size of its clusters", format!("Unsupported cluster size: 2^{bits}")));
    }
    let cluster = 1_u64 << bits;
    let is_aligned = |at: u64| at.is_multiple_of(cluster);
    if version >= 3 {
        match u64::from(header.word(100)?) {
            ..104 => return said("its own length", "qcow2 header too short"),
            length if length > cluster => {
                return said("its own length", "qcow2 header exceeds cluster size");
            }
            _ => {}
        }
    }
    if header.long(8)? > cluster {
        return said("where the name of the backing file stands", "Invalid backing file offset");
    }
    if version >= 3 && header.word(96)? > 6 {
        return said(
            "its reference counts",
            "Reference count entry width too large; may not exceed 64 bits",
        );
    }
    if header.word(32)? > 2 {
        let says = format!("Unsupported encryption method {}", header.word(32)?);
        return Some(("its encryption", says));
    }
    let clusters = header.word(56)?;
    if clusters == 0 {
        return said("its reference counts", "Image does not contain a reference count table");
    }
    if u64::from(clusters) * cluster > MOST_REFCOUNTS {
        return said("its reference counts", "Image too large: reference count table");
    }
    if !is_aligned(header.long(48)?) {
        return said("its reference counts", "Reference count table offset invalid");
    }
    if header.word(60)? > MOST_SNAPSHOTS {
        return said("its snapshots", "Snapshot table too large");
    }
    if header.word(60)? > 0 && !is_aligned(header.long(64)?) {
        return said("its snapshots", "Snapshot table offset invalid");
    }
    let entries = u64::from(header.word(36)?);
    if entries * 8 > MOST_L1 {
        return said("its L1 table", "Active L1 table too large");
    }
    if !is_aligned(header.long(40)?) {
        return said("its L1 table", "Active L1 table offset invalid");
    }
    // An entry stands for a cluster of entries of 8 bytes (16 with extended ones), each for a cluster.
    let is_extended = version >= 3 && header.long(72)? & (1 << 4) != 0;
    let covered = cluster.checked_mul(cluster / if is_extended { 16 } else { 8 })?;
    if entries < header.long(24)?.div_ceil(covered) {
        return said("its L1 table", "L1 table is too small");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of an empty image of 1 GiB.
    fn sound() -> Vec<u8> {
        let mut image = vec![0_u8; 104];
        for (at, word) in [
            (0, 0x5146_49fb_u32),
            (4, 3),
            (20, 16),
            (28, 1 << 30),
            (36, 2),
            (44, 3 << 16),
            (52, 1 << 16),
            (56, 1),
            (96, 4),
            (100, 104),
        ] {
            image[at..at + 4].copy_from_slice(&word.to_be_bytes());
        }
        image
    }

    /// Each was tried with QEMU 7.2, on an image of qemu-img's in which these bytes were changed.
    #[test]
    fn what_qemu_refuses_is_found() {
        assert_eq!(fault(&sound()), None);
        for (at, word, says) in [
            (20, 8_u32, "Unsupported cluster size: 2^8"),
            (20, 22, "Unsupported cluster size: 2^22"),
            (100, 96, "qcow2 header too short"),
            (100, 1 << 17, "qcow2 header exceeds cluster size"),
            (8, 1, "Invalid backing file offset"),
            (96, 7, "Reference count entry width too large; may not exceed 64 bits"),
            (32, 3, "Unsupported encryption method 3"),
            (56, 0, "Image does not contain a reference count table"),
            (52, (1 << 16) + 7, "Reference count table offset invalid"),
            (60, 65537, "Snapshot table too large"),
            (36, 1 << 23, "Active L1 table too large"),
            (44, (3 << 16) + 1, "Active L1 table offset invalid"),
            (36, 1, "L1 table is too small"),
        ] {
            let mut image = sound();
            image[at..at + 4].copy_from_slice(&word.to_be_bytes());
            assert_eq!(
                fault(&image).map(|fault| fault.says).as_deref(),
                Some(says),
                "{at}: {word}"
            );
        }
        for length in 0..sound().len() {
            assert_eq!(fault(&sound()[..length]), None);
        }
    }
}
