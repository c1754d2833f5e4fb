//! What stands in the place of what touches the host.

use std::fs::{File, Permissions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use crate::trial::{StandIn, StandInKind};

/// A directory that everybody inside may write.
pub(super) fn make_directory(path: &Path) -> std::io::Result<()> {
    match std::fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => {
            return Ok(());
        }
        Err(error) => return Err(error),
    }
    std::fs::set_permissions(path, Permissions::from_mode(0o777))
}

/// What is to be seen in /dev/shm, beside the root.
pub(super) const SHARED: &str = "shm";

/// What is to be seen in /usr/local, beside the root.
pub(super) const OWN: &str = "local";
/// The directory of programs in which the administrator puts his own things.
pub(super) const LOCAL: &str = "/usr/local";

/// Puts one stand-in in its place below the root.
pub(super) fn put(root: &Path, stand_in: &StandIn) -> std::io::Result<()> {
    let mut parts: Vec<&str> =
        stand_in.path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let Some(last) = parts.pop() else { return Ok(()) };
    if parts.first() == Some(&"dev") && parts.len() == 1 || parts.contains(&"..") || last == ".." {
        // /dev is bubblewrap's; what is in it is left to the host's rules.
        return Ok(());
    }
    let (mut directory, above) = match parts.get(..2) {
        Some(["dev", "shm"]) => (root.with_file_name(SHARED), 2),
        Some(["usr", "local"]) if Path::new(LOCAL).is_dir() => (root.with_file_name(OWN), 2),
        _ => (root.to_owned(), 0),
    };
    if above > 0 {
        make_directory(&directory)?;
    }
    for part in parts.into_iter().skip(above) {
        directory.push(part);
        if directory.is_symlink() || directory.is_file() {
            return Ok(());
        }
        make_directory(&directory)?;
    }
    let path = directory.join(last);
    match &stand_in.kind {
        StandInKind::Parent => Ok(()),
        StandInKind::Directory => make_directory(&path),
        StandInKind::Fifo => {
            use rustix::fs::{CWD, FileType, Mode, mknodat};
            mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o666), 0)?;
            // The mask of our own is taken off what was asked for.
            std::fs::set_permissions(&path, Permissions::from_mode(0o666))
        }
        StandInKind::File { size, qcow2, header } => {
            // Never through a link, and never over what is there.
            let file = File::options().write(true).create_new(true).open(&path)?;
            file.set_permissions(Permissions::from_mode(0o666))?;
            if *qcow2 {
                file.write_all_at(&qcow2_header(), 0)?;
            }
            file.write_all_at(&header.bytes, header.at as u64)?;
            if *qcow2 {
                return file.set_len(*size.max(&(4 * CLUSTER)));
            }
            // A file that is longer than the file system can hold is one that QEMU can't be shown.
            file.set_len(*size)
        }
    }
}

/// The size of a cluster of the images that we make.
const CLUSTER: u64 = 64 << 10;

/// The first clusters of an empty qcow2 image of 1 GiB (docs/interop/qcow2.txt): header, refcount table and block, L1 table.
fn qcow2_header() -> Vec<u8> {
    let mut image = vec![0_u8; usize::try_from(4 * CLUSTER).unwrap_or(1 << 18)];
    let mut word = |at: usize, value: u32| image[at..at + 4].copy_from_slice(&value.to_be_bytes());
    word(0, 0x5146_49fb);
    word(4, 3);
    word(20, 16); // cluster bits
    word(28, 1 << 30); // size, low word
    word(36, 2); // L1 entries
    word(44, u32::try_from(3 * CLUSTER).unwrap_or_default()); // L1 table
    word(52, u32::try_from(CLUSTER).unwrap_or_default()); // refcount table
    word(56, 1); // its clusters
    word(96, 4); // refcount order: 16 bits
    word(100, 104); // header length
    let table = usize::try_from(CLUSTER).unwrap_or_default();
    word(table + 4, u32::try_from(2 * CLUSTER).unwrap_or_default());
    for cluster in 0..4 {
        let at = usize::try_from(2 * CLUSTER).unwrap_or_default() + cluster * 2;
        image[at..at + 2].copy_from_slice(&1_u16.to_be_bytes());
    }
    image
}
