//! Replacing a file by another that is all that it was, with the new text.

use std::fs::{File, Metadata};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::fs::{FlockOperation, IFlags, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::protection::Protection;
use crate::folder::said;
use crate::store::file::{FileSource, Theirs, open_regular};
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

/// The temporary file of a save that is under way.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Gives a save up that is still making its new file.
pub(super) fn give_up() {
    if let Some(unfinished) = locked(&UNFINISHED).take() {
        // What it is about to become stays in the journal; a rename that comes after this finds nothing.
        let _ = std::fs::remove_file(unfinished);
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
    let old = open_regular(real).map_err(|error| failed("it can't be looked at", &error))?;
    let metadata = old.metadata().map_err(|error| failed("it can't be looked at", &error))?;
    if metadata.nlink() > 1 {
        return Err(Hindrance::Irreplaceable(format!(
            "the file has {} names (hard links), and replacing would part them",
            metadata.nlink()
        )));
    }
    let attributes = attributes(&old).map_err(Hindrance::Irreplaceable)?;
    let directory = real.parent().unwrap_or_else(|| Path::new("/"));
    if matches!(Protection::of(directory), Some(Protection::AppendOnly)) {
        let why =
            "its directory may only be appended to (chattr +a), which lets nothing be replaced";
        return Err(Hindrance::Irreplaceable(why.to_owned()));
    }
    sweep(directory);
    let (temporary, mut file) = match temporary(directory) {
        Ok(made) => made,
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::ACCESS | Errno::PERM)) => {
            return Err(Hindrance::Irreplaceable(
                "no file can be made in its directory".to_owned(),
            ));
        }
        Err(error) => return Err(failed("no file can be made beside it", &error)),
    };
    *locked(&UNFINISHED) = Some(temporary.clone());
    let filled = fill(&mut file, text, &metadata, &attributes)
        .and_then(|()| flags(&old, &file))
        .and_then(|()| {
            // A backup that can't be kept does not stand in the way: the old text is there until the new one is whole.
            let _ = keep();
            // All of that may have taken its time; somebody may have written meanwhile.
            match source.theirs() {
                Some(theirs) => Err(Hindrance::Changed(theirs)),
                None => rename(&temporary, real),
            }
        });
    *locked(&UNFINISHED) = None;
    if let Err(hindrance) = filled {
        // What could be left is the temporary file; the real one is untouched.
        let _ = std::fs::remove_file(&temporary);
        return Err(hindrance);
    }
    // From here on the new text is in its place, whatever fails.
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(synced
        .err()
        .map(|error| format!("whether it outlives a power cut is not sure: {}", said(&error))))
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

fn rename(temporary: &Path, real: &Path) -> Result<(), Hindrance> {
    let Err(error) = std::fs::rename(temporary, real) else { return Ok(()) };
    Err(match Errno::from_io_error(&error) {
        Some(Errno::BUSY | Errno::XDEV) => Hindrance::Irreplaceable(
            "something is mounted on it, so that it can't be replaced".to_owned(),
        ),
        Some(Errno::ACCESS | Errno::PERM) => {
            Hindrance::Irreplaceable("its directory does not let you replace it".to_owned())
        }
        _ => Hindrance::Failed(format!("it could not be replaced: {}", said(&error))),
    })
}

/// The start of the names of temporary files; a kill may leave one, which a later start removes.
const TEMPORARY: &str = ".qpt-tui-";

fn temporary(directory: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        // The name of the real file is left out: it may be as long as a name can be.
        let path = directory.join(format!("{TEMPORARY}{}-{number}.tmp", std::process::id()));
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => {
                // Locked, it is one that somebody is still writing.
                let _ = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
                return Ok((path, File::from(file)));
            }
            Err(Errno::EXIST) if number < 100 => number += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Removes the temporary files that killed saves left in a directory: ours, and locked by nobody.
pub fn sweep(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let own = rustix::process::geteuid().as_raw();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let middle =
            name.to_str().and_then(|name| name.strip_prefix(TEMPORARY)?.strip_suffix(".tmp"));
        if !middle
            .is_some_and(|middle| middle.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        {
            continue;
        }
        let Ok(file) = open_regular(&entry.path()) else { continue };
        let ours = file.metadata().is_ok_and(|found| found.uid() == own || own == 0);
        if ours && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // Somebody else may have been quicker.
            let _ = std::fs::remove_file(entry.path());
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
        let left = dir.path().join(".qpt-tui-4711-0.tmp");
        std::fs::write(&left, "half").unwrap();
        let (busy, _file) = temporary(dir.path()).unwrap();
        std::fs::write(dir.path().join(".qpt-tui-notes.tmp"), "mine").unwrap();
        sweep(dir.path());
        assert!(!left.exists() && busy.exists() && dir.path().join(".qpt-tui-notes.tmp").exists());
    }
}
