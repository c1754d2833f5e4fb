//! Replacing a file by another that is all that it was, with the new text.

use std::fs::{File, Metadata};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{AtFlags, FlockOperation, IFlags, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::protection::Protection;
use crate::folder::said;
use crate::store::file::{FileSource, Theirs, open_regular_at};
use crate::store::mutex::locked;

/// The extended attribute that holds a file's access control list.
pub(super) const ACL: &[u8] = b"system.posix_acl_access";

/// Why a file was not replaced.
pub(super) enum Hindrance {
    /// It can't be replaced by another, though perhaps written into.
    Irreplaceable(String),
    /// It can't be saved there now.
    Failed(String),
    /// Somebody wrote to it while the new file was being made.
    Changed(Theirs),
}

/// The temporary file of a save that is under way, by its directory and its name.
static UNFINISHED: Mutex<Option<(Arc<OwnedFd>, String)>> = Mutex::new(None);

/// Gives a save up that is still making its new file.
pub(super) fn give_up() {
    if let Some((directory, name)) = locked(&UNFINISHED).take() {
        // What it is about to become stays in the journal; a rename that comes after this finds nothing.
        remove(&directory, &name);
    }
}

/// Replaces the file; a remark where something after the replacing failed.
pub(super) fn replace(
    source: &FileSource,
    text: &str,
    keep: &dyn Fn() -> Result<PathBuf, String>,
) -> Result<Option<String>, Hindrance> {
    let real = source.real.as_path();
    let failed =
        |what: &str, error: &io::Error| Hindrance::Failed(format!("{what}: {}", said(error)));
    let unseen = |error: io::Error| failed("it can't be looked at", &error);
    let name = Path::new(real.file_name().unwrap_or_default());
    // From here on by the directory that is open: others may put another one in the place of its path.
    let parent = real.parent().unwrap_or_else(|| Path::new("/"));
    let directory = Arc::new(open_directory(parent).map_err(unseen)?);
    let old = open_regular_at(&directory, name).map_err(unseen)?;
    if let Some(theirs) = source.theirs_in(open_regular_at(&directory, name)) {
        return Err(Hindrance::Changed(theirs));
    }
    let metadata = old.metadata().map_err(|error| failed("it can't be looked at", &error))?;
    if metadata.nlink() > 1 {
        return Err(Hindrance::Irreplaceable(format!(
            "the file has {} names (hard links), and replacing would part them",
            metadata.nlink()
        )));
    }
    let attributes = attributes(&old).map_err(Hindrance::Irreplaceable)?;
    if matches!(Protection::of(parent), Some(Protection::AppendOnly)) {
        let why =
            "its directory may only be appended to (chattr +a), which lets nothing be replaced";
        return Err(Hindrance::Irreplaceable(why.to_owned()));
    }
    sweep_in(&directory);
    let (temporary, mut file) = match temporary(&directory) {
        Ok(made) => made,
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::ACCESS | Errno::PERM)) => {
            return Err(Hindrance::Irreplaceable(
                "no file can be made in its directory".to_owned(),
            ));
        }
        Err(error) => return Err(failed("no file can be made beside it", &error)),
    };
    *locked(&UNFINISHED) = Some((Arc::clone(&directory), temporary.clone()));
    let filled = fill(&mut file, text, &metadata, &attributes)
        .and_then(|()| flags(&old, &file))
        .and_then(|()| {
            // A backup that can't be kept does not stand in the way: the old text is there until the new one is whole.
            let _ = keep();
            // All of that may have taken its time; somebody may have written meanwhile.
            match source.theirs_in(open_regular_at(&directory, name)) {
                Some(theirs) => Err(Hindrance::Changed(theirs)),
                None if !is_at(&directory, Path::new(&temporary), &file) => {
                    Err(Hindrance::Failed("somebody took the new file away".to_owned()))
                }
                None => rename(&directory, &temporary, name),
            }
        });
    *locked(&UNFINISHED) = None;
    if let Err(hindrance) = filled {
        // What could be left is the temporary file; the real one is untouched.
        remove(&directory, &temporary);
        return Err(hindrance);
    }
    // From here on the new text is in its place, whatever fails.
    if !is_at(&directory, name, &file) {
        return Ok(Some("somebody put another file in its place at once".to_owned()));
    }
    let synced = rustix::fs::fsync(&*directory).map_err(io::Error::from);
    Ok(synced
        .err()
        .map(|error| format!("whether it outlives a power cut is not sure: {}", said(&error))))
}

/// A directory, for what is done in it whatever its path leads to then.
pub(super) fn open_directory(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags | OFlags::RDONLY, Mode::empty()) {
        // One that may be passed and not listed.
        Err(Errno::ACCESS) => Ok(rustix::fs::open(path, flags | OFlags::PATH, Mode::empty())?),
        opened => Ok(opened?),
    }
}

/// Which directory it is, as [`FileSource`] remembers it.
pub(super) fn identity(directory: &OwnedFd) -> Option<(u64, u64)> {
    let found = File::from(directory.try_clone().ok()?).metadata().ok()?;
    Some((found.dev(), found.ino()))
}

/// Whether a name in a directory is that of an open file.
fn is_at(directory: &OwnedFd, name: &Path, file: &File) -> bool {
    let found = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
    let own = rustix::fs::fstat(file);
    let number = |stat: rustix::fs::Stat| (stat.st_dev, stat.st_ino);
    // Where the file system would not say it is taken for what it was a moment ago.
    found.map(number).ok().zip(own.map(number).ok()).is_none_or(|(found, own)| found == own)
}

/// Takes a file of ours away; one that is gone already is fine.
fn remove(directory: &OwnedFd, name: &str) {
    let _ = rustix::fs::unlinkat(directory, name, AtFlags::empty());
}

/// What `chattr` sets and a copy can have; the others are the file system's own.
const FLAGS: IFlags = IFlags::NOATIME
    .union(IFlags::NODUMP)
    .union(IFlags::SYNC)
    .union(IFlags::SECURE_REMOVAL)
    .union(IFlags::UNRM);

/// Gives the new file the flags of the old one.
fn flags(old: &File, new: &File) -> Result<(), Hindrance> {
    // A file system without flags has none to keep.
    let (Ok(wanted), Ok(present)) =
        (rustix::fs::ioctl_getflags(old), rustix::fs::ioctl_getflags(new))
    else {
        return Ok(());
    };
    let flags = present.difference(FLAGS).union(wanted.intersection(FLAGS));
    if flags == present {
        return Ok(());
    }
    rustix::fs::ioctl_setflags(new, flags).map_err(|error| {
        Hindrance::Irreplaceable(format!(
            "a new file could not be given its flags (lsattr; {})",
            said(&error.into())
        ))
    })
}

fn rename(directory: &OwnedFd, temporary: &str, name: &Path) -> Result<(), Hindrance> {
    let Err(error) = rustix::fs::renameat(directory, temporary, directory, name) else {
        return Ok(());
    };
    Err(match error {
        Errno::BUSY | Errno::XDEV => Hindrance::Irreplaceable(
            "something is mounted on it, so that it can't be replaced".to_owned(),
        ),
        Errno::ACCESS | Errno::PERM => {
            Hindrance::Irreplaceable("its directory does not let you replace it".to_owned())
        }
        _ => Hindrance::Failed(format!("it could not be replaced: {}", said(&error.into()))),
    })
}

/// The start of the names of temporary files; a kill may leave one, which a later start removes.
const TEMPORARY: &str = ".qpt-tui-";

fn temporary(directory: &OwnedFd) -> io::Result<(String, File)> {
    let mut attempts = 0;
    loop {
        // Nobody can know the name beforehand, and none is followed. That of the real file is left out: it may be as long as
        // a name can be.
        let random = RandomState::new().build_hasher().finish();
        let name = format!("{TEMPORARY}{}-{random:016x}.tmp", std::process::id());
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(directory, &name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => {
                // Locked, it is one that somebody is still writing.
                let _ = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
                return Ok((name, File::from(file)));
            }
            Err(Errno::EXIST) if attempts < 100 => attempts += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a name is one that [`temporary`] gives, or gave: a process, and a number.
fn is_temporary(name: &str) -> bool {
    let middle = name.strip_prefix(TEMPORARY).and_then(|name| name.strip_suffix(".tmp"));
    let Some((process, number)) = middle.and_then(|middle| middle.split_once('-')) else {
        return false;
    };
    process.bytes().all(|byte| byte.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Removes the temporary files that killed saves left in a directory: ours, and locked by nobody.
pub fn sweep(directory: &Path) {
    if let Ok(directory) = open_directory(directory) {
        sweep_in(&directory);
    }
}

fn sweep_in(directory: &OwnedFd) {
    let Ok(entries) = rustix::fs::Dir::read_from(directory) else { return };
    let own = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        let Some(name) = entry.file_name().to_str().ok().filter(|name| is_temporary(name)) else {
            continue;
        };
        let Ok(file) = open_regular_at(directory, Path::new(name)) else { continue };
        let ours = file.metadata().is_ok_and(|found| found.uid() == own || own == 0);
        if ours && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // Somebody else may have been quicker.
            remove(directory, name);
        }
    }
}

/// An extended attribute: its name and its value.
type Attribute = (Vec<u8>, Vec<u8>);

/// The extended attributes of a file: the ACL, the SELinux label, what the user put there.
///
/// # Errors
/// Why they can't all be read: then a new file could not be what the old one is.
fn attributes(file: &File) -> Result<Vec<Attribute>, String> {
    let unreadable =
        |what: &str, error: Errno| format!("its {what} can't be read ({})", said(&error.into()));
    let mut names = vec![0_u8; 64 << 10];
    let length = match rustix::fs::flistxattr(file.as_fd(), &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable("extended attributes", error)),
    };
    let mut found = Vec::new();
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        // The kernel's own measures of the content: it makes them anew.
        if name == b"security.ima" || name == b"security.evm" {
            continue;
        }
        let mut value = vec![0_u8; 64 << 10];
        match rustix::fs::fgetxattr(file.as_fd(), name, &mut value[..]) {
            Ok(size) => value.truncate(size),
            Err(Errno::NODATA) => continue,
            Err(error) if name == ACL => return Err(unreadable("ACL", error)),
            Err(error) => {
                return Err(unreadable(
                    &format!("attribute {}", String::from_utf8_lossy(name)),
                    error,
                ));
            }
        }
        found.push((name.to_vec(), value));
    }
    Ok(found)
}

/// Makes the temporary file all that the old one is, with the new text.
fn fill(
    file: &mut File,
    text: &str,
    old: &Metadata,
    attributes: &[Attribute],
) -> Result<(), Hindrance> {
    let failed =
        |what: &str, error: &io::Error| Hindrance::Failed(format!("{what}: {}", said(error)));
    file.write_all(text.as_bytes())
        .map_err(|error| failed("the new text could not be written", &error))?;
    let own = file.metadata().map_err(|error| failed("the new file can't be looked at", &error))?;
    if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
        std::os::unix::fs::fchown(&*file, Some(old.uid()), Some(old.gid())).map_err(|error| {
            Hindrance::Irreplaceable(format!(
                "a new file could not be given to its owner {}:{} ({})",
                old.uid(),
                old.gid(),
                said(&error)
            ))
        })?;
    }
    // A default ACL of the directory must not widen who may read it.
    if !attributes.iter().any(|(name, _)| name == ACL) {
        match rustix::fs::fremovexattr(file.as_fd(), ACL) {
            Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => {}
            Err(error) => {
                let why = format!(
                    "an ACL of its directory could not be kept off a new file ({})",
                    said(&error.into())
                );
                return Err(Hindrance::Irreplaceable(why));
            }
        }
    }
    for (name, value) in attributes {
        let mut present = vec![0_u8; 64 << 10];
        let has = rustix::fs::fgetxattr(file.as_fd(), name.as_slice(), &mut present[..]);
        if has.is_ok_and(|size| present[..size] == value[..]) {
            continue;
        }
        rustix::fs::fsetxattr(file.as_fd(), name.as_slice(), value, XattrFlags::empty()).map_err(
            |error| {
                let name = String::from_utf8_lossy(name).into_owned();
                Hindrance::Irreplaceable(format!(
                    "a new file could not be given its {name} ({})",
                    said(&error.into())
                ))
            },
        )?;
    }
    rustix::fs::fchmod(&*file, Mode::from_raw_mode(old.mode() & 0o7777))
        .map_err(|error| failed("the new file could not be given its mode", &error.into()))?;
    file.sync_all().map_err(|error| failed("the new text could not be written", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_save_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let held = open_directory(dir.path()).unwrap();
        let lefts = [".qpt-tui-4711-0.tmp", ".qpt-tui-4711-00c0ffee00c0ffee.tmp"];
        for left in lefts {
            std::fs::write(dir.path().join(left), "half").unwrap();
        }
        let (busy, _file) = temporary(&held).unwrap();
        let others = [".qpt-tui-notes.tmp", ".qpt-tui-12-notes.tmp", ".qpt-tui-12.tmp"];
        for other in others {
            std::fs::write(dir.path().join(other), "mine").unwrap();
        }
        sweep(dir.path());
        assert!(lefts.iter().all(|left| !dir.path().join(left).exists()));
        assert!(others.iter().chain([&&*busy]).all(|name| dir.path().join(name).exists()));
        let (another, _file) = temporary(&held).unwrap();
        assert_ne!(busy, another);
    }

    /// Whoever owns a directory above puts a link in the place of the file's own, before saving or while it goes on.
    #[test]
    fn what_is_saved_stays_in_the_directory_that_was_opened() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["own", "victim"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        std::fs::write(at("own/vm.xml"), "<domain/>").unwrap();
        std::fs::write(at("victim/vm.xml"), "<precious/>").unwrap();
        let source = crate::store::load(&at("own/vm.xml")).unwrap();
        let swap = || {
            std::fs::rename(at("own"), at("moved")).unwrap();
            std::os::unix::fs::symlink("victim", at("own")).unwrap();
            Ok(PathBuf::new())
        };
        assert!(matches!(replace(&source, "<mine/>", &swap), Ok(None)));
        assert_eq!(std::fs::read_to_string(at("moved/vm.xml")).unwrap(), "<mine/>");
        let refused = replace(&source, "<mine/>", &|| Ok(PathBuf::new()));
        assert!(matches!(refused, Err(Hindrance::Changed(_))));
        assert_eq!(std::fs::read_to_string(at("victim/vm.xml")).unwrap(), "<precious/>");
        assert_eq!(std::fs::read_dir(at("victim")).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_that_was_taken_away_is_no_save() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vm.xml");
        std::fs::write(&path, "<domain/>").unwrap();
        let source = crate::store::load(&path).unwrap();
        let take = || {
            for entry in std::fs::read_dir(dir.path()).unwrap().flatten() {
                if entry.file_name().to_str().is_some_and(is_temporary) {
                    std::fs::remove_file(entry.path()).unwrap();
                    std::fs::write(entry.path(), "<theirs/>").unwrap();
                }
            }
            Ok(PathBuf::new())
        };
        let refused = replace(&source, "<mine/>", &take);
        assert!(
            matches!(refused, Err(Hindrance::Failed(why)) if why.contains("took the new file"))
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "<domain/>");
    }
}
