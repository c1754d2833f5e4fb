//! What a name led to, held by a descriptor: whatever the name leads to afterwards, this stays the same thing.
//!
//! Holding opens nothing (open(2), `O_PATH`): no driver of a device is called, nobody at the other end of a pipe notices, no
//! automount is triggered. Only a regular file can be opened from here, and it is the very one that was looked at.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Statx, StatxAttributes, StatxFlags};
use rustix::io::Errno;

use crate::facts::walk::FileId;
use crate::facts::{Acl, FileKind, Step};

/// Something that stands in the file system.
#[derive(Debug)]
pub(super) struct Held {
    descriptor: OwnedFd,
    stat: Statx,
}

/// What tells one file from every other one.
pub(super) type Identity = ((u32, u32), u64);

/// A file with the time of its last change.
pub(super) type State = (Identity, (i64, u32));

/// What the walks of one thread have looked at already: most paths share their directories.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Access control lists and labels.
    attributes: BTreeMap<State, (Option<Acl>, Option<String>)>,
    root: Option<Rc<Held>>,
    /// Directories by the one above and their name.
    directories: BTreeMap<Identity, BTreeMap<String, Rc<Held>>>,
    /// How many of them are held.
    held: usize,
}

impl Seen {
    /// No more directories are held at a time: a process may have 1,024 descriptors.
    const MOST: usize = 200;

    /// The root directory.
    pub(super) fn root(&mut self) -> rustix::io::Result<Rc<Held>> {
        if let Some(root) = &self.root {
            return Ok(Rc::clone(root));
        }
        let root = Rc::new(Held::at(CWD, Path::new("/"))?);
        self.root = Some(Rc::clone(&root));
        Ok(root)
    }

    /// What a directory has under one name; a link is held itself, not followed.
    pub(super) fn below(&mut self, above: &Held, name: &str) -> rustix::io::Result<Rc<Held>> {
        let known = self.directories.get(&above.identity()).and_then(|names| names.get(name));
        if let Some(held) = known {
            return Ok(Rc::clone(held));
        }
        let held = Rc::new(above.below(name)?);
        if held.kind() == FileType::Directory && self.held < Seen::MOST {
            let names = self.directories.entry(above.identity()).or_default();
            names.insert(name.to_owned(), Rc::clone(&held));
            self.held += 1;
        }
        Ok(held)
    }
}

impl Held {
    /// What stands at a path now, links on the way followed.
    pub(super) fn of(path: &str) -> std::io::Result<Held> {
        let real = std::fs::canonicalize(path)?;
        Ok(Held::at(CWD, &real)?)
    }

    /// What a directory has under one name; a link is held itself, not followed.
    pub(super) fn below(&self, name: &str) -> rustix::io::Result<Held> {
        Held::at(self.descriptor.as_fd(), Path::new(name))
    }

    fn at(directory: BorrowedFd<'_>, name: &Path) -> rustix::io::Result<Held> {
        // With `O_DIRECTORY` an automount would be triggered.
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(directory, name, flags, Mode::empty())?;
        // As for stat: without asking anew a FUSE file system has mode 0 for what nobody asked about yet.
        let flags = AtFlags::EMPTY_PATH | AtFlags::NO_AUTOMOUNT;
        let stat = rustix::fs::statx(&descriptor, "", flags, StatxFlags::BASIC_STATS)?;
        Ok(Held { descriptor, stat })
    }

    fn kind(&self) -> FileType {
        FileType::from_raw_mode(u32::from(self.stat.stx_mode))
    }

    /// Which file it is.
    pub(super) fn identity(&self) -> Identity {
        (self.device(), self.stat.stx_ino)
    }

    /// The numbers of the file system that it is on.
    pub(super) fn device(&self) -> (u32, u32) {
        (self.stat.stx_dev_major, self.stat.stx_dev_minor)
    }

    /// Something is mounted here as soon as somebody passes.
    pub(super) fn is_automount(&self) -> bool {
        self.stat.stx_attributes.contains(StatxAttributes::AUTOMOUNT)
    }

    /// What it is, as the step at `path` of a walk.
    pub(super) fn step(&self, path: &str, seen: &mut Seen) -> rustix::io::Result<Step> {
        let stat = &self.stat;
        let (major, minor) = (stat.stx_rdev_major, stat.stx_rdev_minor);
        let kind = match self.kind() {
            FileType::Directory => FileKind::Directory,
            FileType::Symlink => FileKind::Link(self.target()?),
            FileType::CharacterDevice => FileKind::Char(major, minor),
            FileType::BlockDevice => FileKind::Block(major, minor),
            FileType::Fifo => FileKind::Fifo,
            FileType::Socket => FileKind::Socket,
            FileType::RegularFile | FileType::Unknown => FileKind::File,
        };
        let ((system, number), inode) = self.identity();
        let is_file = self.kind() == FileType::RegularFile;
        let file = is_file.then_some(FileId { major: system, minor: number, inode });
        let (acl, label) =
            seen.attributes.entry(self.state()).or_insert_with(|| self.attributes()).clone();
        Ok(Step {
            path: path.to_owned(),
            kind,
            mode: u32::from(stat.stx_mode) & 0o7777,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            acl,
            label,
            size: stat.stx_size,
            immutable: stat.stx_attributes.contains(StatxAttributes::IMMUTABLE),
            append_only: stat.stx_attributes.contains(StatxAttributes::APPEND),
            file,
        })
    }

    /// Opens it for reading, where it is a regular file.
    ///
    /// # Errors
    /// When it is something else, or may not be read.
    pub(super) fn open(&self) -> std::io::Result<File> {
        if self.kind() != FileType::RegularFile {
            return Err(std::io::Error::other("it is no regular file"));
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::open(self.name(), flags, Mode::empty())?;
        let found = rustix::fs::fstat(&file)?;
        let device = (rustix::fs::major(found.st_dev), rustix::fs::minor(found.st_dev));
        let is_same = (device, found.st_ino) == self.identity();
        if !is_same || FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(Errno::STALE.into());
        }
        Ok(File::from(file))
    }

    /// The name that the kernel gives to what is held: it leads there, also to a link, without a look at any other name.
    fn name(&self) -> String {
        format!("/proc/self/fd/{}", self.descriptor.as_raw_fd())
    }

    /// The text of a link; one that is no UTF-8 is not looked at, since a walk by another name leads elsewhere.
    fn target(&self) -> rustix::io::Result<String> {
        let text = rustix::fs::readlinkat(&self.descriptor, "", Vec::new())?;
        text.into_string().map_err(|_| Errno::ILSEQ)
    }

    /// Which file it is, as of its last change: an access control list and a label are changes too.
    fn state(&self) -> State {
        let changed = self.stat.stx_ctime;
        (self.identity(), (changed.tv_sec, changed.tv_nsec))
    }

    fn attributes(&self) -> (Option<Acl>, Option<String>) {
        let is_link = self.kind() == FileType::Symlink;
        let acl = if is_link { None } else { self.attribute("system.posix_acl_access") };
        let label = self
            .attribute("security.selinux")
            .map(|bytes| String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned());
        (acl.and_then(|bytes| self::acl(&bytes)), label)
    }

    fn attribute(&self, name: &str) -> Option<Vec<u8>> {
        let mut buffer = vec![0_u8; 4096];
        // fgetxattr(2) takes no descriptor that is only held.
        let length = rustix::fs::getxattr(self.name(), name, &mut buffer[..]).ok()?;
        buffer.truncate(length);
        Some(buffer)
    }
}

/// Whether what is held can be named ([`Held::name`]).
pub(super) fn is_nameable() -> bool {
    rustix::fs::access("/proc/self/fd", rustix::fs::Access::EXISTS).is_ok()
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
