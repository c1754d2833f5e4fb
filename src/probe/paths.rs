//! Walking a path as the kernel does: every directory, every link, and what stands at the end.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, StatxFlags};

use crate::facts::image::Image;
use crate::facts::{Acl, Ending, FileKind, Known, Step, Walk};

/// The kernel gives up after this many links (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// A path, the walk to it, and what its header names where it is an image.
pub(super) type Found = (String, Known<Walk>, Option<Image>);

/// Walks every path, all within `patience`; a path whose file system does not answer in time is unknown.
/// With each path stands whether it is an image whose header is to be read.
pub(super) fn walk_all(paths: Vec<(String, bool)>, patience: Duration) -> Vec<Found> {
    let deadline = Instant::now() + patience;
    let mut found = Vec::new();
    let mut rest: std::collections::VecDeque<(String, bool)> = paths.into();
    while !rest.is_empty() {
        let (sender, receiver) = mpsc::channel();
        let batch: Vec<(String, bool)> = rest.iter().cloned().collect();
        // A system call on a dead file system can't be called back: the thread is left to it, and a new one takes the rest.
        std::thread::spawn(move || {
            for (path, image) in batch {
                let walk = walk(&path);
                let regular = walk
                    .yes()
                    .and_then(Walk::target)
                    .is_some_and(|step| step.kind == FileKind::File);
                let image = if image && regular { super::image::read(&path) } else { None };
                if sender.send((walk, image)).is_err() {
                    return;
                }
            }
        });
        while let Some((path, _)) = rest.front() {
            let patience =
                deadline.saturating_duration_since(Instant::now()).min(Duration::from_secs(1));
            match receiver.recv_timeout(patience) {
                Ok((walk, image)) => {
                    found.push((path.clone(), walk, image));
                    rest.pop_front();
                }
                Err(_) => {
                    let (path, _) = rest.pop_front().expect("it was looked at just now");
                    found.push((
                        path,
                        Known::Unknown("the file system did not answer in time".to_owned()),
                        None,
                    ));
                    break;
                }
            }
        }
    }
    found
}

/// More names than this are not offered.
const MAX_NAMES: usize = 2000;

/// The names in a directory, sorted; those of directories end in a slash. Nothing is opened but the directory.
pub fn names_in(directory: &str) -> Vec<String> {
    let name = |entry: std::fs::DirEntry| {
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().into_string().ok()?;
        Some(if directory { name + "/" } else { name })
    };
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(name).take(MAX_NAMES).collect();
    names.sort();
    names
}

/// Walks one path.
pub(super) fn walk(path: &str) -> Known<Walk> {
    if path.contains('\0') {
        return Known::Unknown("the path holds a NUL byte".to_owned());
    }
    let mut walk = Walk { steps: Vec::new(), ending: Ending::Present };
    match look("/") {
        Ok(step) => walk.steps.push(step),
        Err(error) => return Known::Unknown(format!("/ cannot be looked at: {error}")),
    }
    let mut todo: Vec<String> = parts(path);
    let mut at = String::new();
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            at.truncate(at.rfind('/').unwrap_or(0));
            continue;
        }
        let here = format!("{at}/{part}");
        let step = match look(&here) {
            Ok(step) => step,
            Err(rustix::io::Errno::NOENT) => {
                todo.reverse();
                let rest: String = todo.iter().flat_map(|part| ["/", part]).collect();
                walk.ending = Ending::Missing(here + &rest);
                return Known::Yes(walk);
            }
            Err(rustix::io::Errno::NOTDIR) => {
                walk.ending = Ending::NotADirectory(at);
                return Known::Yes(walk);
            }
            Err(rustix::io::Errno::ACCESS) => {
                return Known::Unknown(format!(
                    "you may not look at {here}; run as root to see it"
                ));
            }
            Err(error) => return Known::Unknown(format!("{here} cannot be looked at: {error}")),
        };
        let kind = step.kind.clone();
        walk.steps.push(step);
        match kind {
            FileKind::Link(target) => {
                links += 1;
                if links > MAX_LINKS {
                    walk.ending = Ending::Loop;
                    return Known::Yes(walk);
                }
                if target.starts_with('/') {
                    at.clear();
                }
                todo.extend(parts(&target));
            }
            FileKind::Directory => at = here,
            FileKind::File
            | FileKind::Char(..)
            | FileKind::Block(..)
            | FileKind::Fifo
            | FileKind::Socket => {
                if !todo.is_empty() {
                    walk.ending = Ending::NotADirectory(here);
                    return Known::Yes(walk);
                }
            }
        }
    }
    if path.ends_with('/') && walk.steps.last().is_some_and(|step| step.kind != FileKind::Directory)
    {
        walk.ending = Ending::NotADirectory(walk.resolved().to_owned());
    }
    Known::Yes(walk)
}

/// The parts of a path, last first.
fn parts(path: &str) -> Vec<String> {
    path.split('/')
        .rev()
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}

fn look(path: &str) -> rustix::io::Result<Step> {
    // No automount is triggered, no network file system is asked anew, nothing is opened.
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    let stat = rustix::fs::statx(CWD, path, flags, StatxFlags::BASIC_STATS)?;
    let mode = u32::from(stat.stx_mode);
    let (major, minor) = (stat.stx_rdev_major, stat.stx_rdev_minor);
    let kind = match mode & 0o170_000 {
        0o040_000 => FileKind::Directory,
        0o120_000 => {
            FileKind::Link(rustix::fs::readlink(path, Vec::new())?.to_string_lossy().into_owned())
        }
        0o020_000 => FileKind::Char(major, minor),
        0o060_000 => FileKind::Block(major, minor),
        0o010_000 => FileKind::Fifo,
        0o140_000 => FileKind::Socket,
        _ => FileKind::File,
    };
    let acl = if matches!(kind, FileKind::Link(_)) {
        None
    } else {
        xattr(path, "system.posix_acl_access").and_then(|bytes| acl(&bytes))
    };
    let label = xattr(path, "security.selinux")
        .map(|bytes| String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned());
    Ok(Step {
        path: path.to_owned(),
        kind,
        mode: mode & 0o7777,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        acl,
        label,
        size: stat.stx_size,
        immutable: stat.stx_attributes.contains(rustix::fs::StatxAttributes::IMMUTABLE),
        append_only: stat.stx_attributes.contains(rustix::fs::StatxAttributes::APPEND),
    })
}

fn xattr(path: &str, name: &str) -> Option<Vec<u8>> {
    let mut buffer = vec![0_u8; 4096];
    let length = rustix::fs::lgetxattr(path, name, &mut buffer[..]).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

/// The extended attribute of an ACL (acl(5); `linux/posix_acl_xattr.h`): a version, then tag, permissions, number.
fn acl(bytes: &[u8]) -> Option<Acl> {
    let entries = bytes.get(4..)?;
    if bytes[..4] != 2_u32.to_le_bytes() {
        return None;
    }
    let mut acl = Acl { mask: 0o7, ..Acl::default() };
    for entry in entries.chunks_exact(8) {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        let bits = entry[2] & 0o7;
        let id = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
        match tag {
            0x02 => acl.users.push((id, bits)),
            0x04 => acl.owning_group = bits,
            0x08 => acl.groups.push((id, bits)),
            0x10 => acl.mask = bits,
            _ => {}
        }
    }
    Some(acl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let root = root.to_str().unwrap();
        std::fs::write(format!("{root}/file"), "x").unwrap();
        std::os::unix::fs::symlink("./file", format!("{root}/link")).unwrap();
        std::os::unix::fs::symlink("loop", format!("{root}/loop")).unwrap();
        let walked = |path: &str| walk(&format!("{root}/{path}")).yes().cloned().unwrap();
        let link = walked("link");
        assert_eq!(link.resolved(), format!("{root}/file"));
        assert!(
            link.steps
                .iter()
                .any(|step| matches!(&step.kind, FileKind::Link(target) if target == "./file"))
        );
        assert_eq!(link.parent().unwrap().path, root);
        assert_eq!(walked("loop").ending, Ending::Loop);
        assert!(walked("none").creatable());
        assert!(!walked("none/deeper").creatable());
        assert_eq!(walked("none/deeper").resolved(), format!("{root}/none/deeper"));
        assert!(matches!(walked("file/x").ending, Ending::NotADirectory(_)));
        assert!(matches!(walked("file/").ending, Ending::NotADirectory(_)));
        assert_eq!(walked("link/../file").resolved().rsplit('/').next(), Some("file"));
    }

    #[test]
    fn an_acl_is_read_from_its_attribute() {
        let mut bytes = 2_u32.to_le_bytes().to_vec();
        for (tag, bits, id) in [
            (1_u16, 6_u16, u32::MAX),
            (2, 6, 64055),
            (4, 4, u32::MAX),
            (0x10, 4, u32::MAX),
            (0x20, 0, u32::MAX),
        ] {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(bits.to_le_bytes());
            bytes.extend(id.to_le_bytes());
        }
        assert_eq!(
            acl(&bytes),
            Some(Acl { users: vec![(64055, 6)], groups: vec![], owning_group: 4, mask: 4 })
        );
    }
}
