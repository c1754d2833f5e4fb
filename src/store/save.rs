//! Saving a file: replaced whole, or written into in place where it can't be replaced.
//!
//! Replacing writes a temporary file beside the real one (links followed), gives it the owner, mode, ACL and extended
//! attributes of the old one, syncs it, and renames it over. Whoever reads the file sees the old text or the new, never a
//! part. Where the new file could not be all that the old one was, nothing is replaced: the answer says why, and the text
//! can be written into the file as it is, after the old text was kept elsewhere.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use rustix::fs::{
    FallocateFlags, FlockOperation, IFlags, Mode, OFlags, StatxAttributes, StatxFlags, XattrFlags,
};
use rustix::io::Errno;

use super::file::{FileSource, Theirs, open_regular};
use super::folder::said;
use super::{Saved, Way};
use crate::error::Error;

const ACL: &[u8] = b"system.posix_acl_access";

/// Keeps the old text somewhere before it is written over; its path, or why it could not be kept.
pub type Keep<'a> = &'a dyn Fn(&str) -> Result<PathBuf, String>;

/// Why a file was not replaced.
enum Hindrance {
    /// It can't be replaced by another, though perhaps written into.
    Irreplaceable(String),
    /// It can't be saved there now.
    Failed(String),
    /// Somebody wrote to it while the new file was being made.
    Changed(Theirs),
}

/// Writes new text in the place of what was read. Writes nothing when the text is the same.
///
/// # Errors
/// When it can't be saved: one sentence that says what is in the file now, and what to do.
pub fn save(
    source: &FileSource,
    text: &str,
    way: Way,
    keep: Keep<'_>,
) -> Result<Saved<FileSource>, Error> {
    if let Some(theirs) = source.theirs() {
        return Ok(Saved::ChangedByOthers(theirs));
    }
    if text == source.text && !source.gone {
        return Ok(Saved::Unchanged);
    }
    let shown = source.path.display();
    let elsewhere = "save elsewhere: S in the editor";
    let next = FileSource { text: text.to_owned(), gone: false, ..source.clone() };
    let refused = |why: String| {
        Error::user(format!("{shown}: not saved, it is as it was: {why}")).hint(elsewhere)
    };
    if source.gone {
        // Somebody took it away, and that is known: it is made again as it was.
        let owned = create(&source.real, text, source.mode, Some(source.owner));
        let remark = owned.map_err(|error| refused(said(&error)))?.err();
        return Ok(Saved::Written(
            next,
            remark.map(|error| format!("its owner is another: {}", said(&error))),
        ));
    }
    if let Some(why) = not_writable(&source.real) {
        return Err(refused(why));
    }
    match way {
        Way::Replace => match replace(source, text, &|| keep(&source.text)) {
            Ok(remark) => Ok(Saved::Written(next, remark)),
            Err(Hindrance::Irreplaceable(why)) => Ok(Saved::Irreplaceable(why)),
            Err(Hindrance::Changed(theirs)) => Ok(Saved::ChangedByOthers(theirs)),
            Err(Hindrance::Failed(why)) => Err(refused(why)),
        },
        Way::InPlace => {
            let kept = keep(&source.text)
                .map_err(|why| refused(format!("the old text could not be kept first: {why}")))?;
            if let Some(theirs) = source.theirs() {
                return Ok(Saved::ChangedByOthers(theirs));
            }
            match write_in_place(&source.real, text, &source.text) {
                Ok(()) => Ok(Saved::Written(next, None)),
                Err(Broken { error, restored: true }) => Err(refused(said(&error))),
                Err(Broken { error, restored: false }) => Err(Error::user(format!(
                    "{shown}: writing broke off ({}); the file holds neither text, the old one is in {}",
                    said(&error),
                    kept.display()
                ))
                .hint(elsewhere)),
            }
        }
    }
}

/// What keeps a file from being written.
enum Protection {
    /// `chattr +i`.
    Immutable,
    /// `chattr +a`.
    AppendOnly,
    /// The kernel says no.
    Refused(Errno),
}

impl Protection {
    fn of(path: &Path) -> Option<Protection> {
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
fn not_writable(real: &Path) -> Option<String> {
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

/// Replaces the file; a remark where something after the replacing failed.
fn replace(
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

/// Writing in place broke off.
struct Broken {
    error: io::Error,
    /// The old text is in the file again, or still.
    restored: bool,
}

/// Held while a file is written into: then it holds neither text for a moment.
static IN_PLACE: Mutex<()> = Mutex::new(());

/// The temporary file of a save that is under way.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no file is being written into; the process may end then. A save that is still making its new file is given up.
pub fn await_writing(patience: Duration) {
    let deadline = Instant::now() + patience;
    while matches!(IN_PLACE.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < deadline
    {
        std::thread::sleep(Duration::from_millis(2));
    }
    if let Some(unfinished) = locked(&UNFINISHED).take() {
        // What it is about to become stays in the journal; a rename that comes after this finds nothing.
        let _ = std::fs::remove_file(unfinished);
    }
}

/// Writes into the file as it is; room is made first, and where writing breaks off the old text is put back.
fn write_in_place(real: &Path, text: &str, old: &str) -> Result<(), Broken> {
    let untouched = |error: io::Error| Broken { error, restored: true };
    let flags =
        OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = File::from(
        rustix::fs::open(real, flags, Mode::empty()).map_err(|error| untouched(error.into()))?,
    );
    if !file.metadata().map_err(untouched)?.is_file() {
        return Err(untouched(io::Error::other("it is no regular file")));
    }
    let _writing = locked(&IN_PLACE);
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    // A file system that knows no such call still has the writing below.
    let room = rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, length.max(1));
    if let Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) = room {
        return Err(untouched(error.into()));
    }
    let written = file
        .write_all_at(text.as_bytes(), 0)
        .and_then(|()| file.set_len(length))
        .and_then(|()| file.sync_all());
    let Err(error) = written else { return Ok(()) };
    let back = file.write_all_at(old.as_bytes(), 0);
    let back = back.and_then(|()| file.set_len(u64::try_from(old.len()).unwrap_or(u64::MAX)));
    let back = back.and_then(|()| file.sync_all());
    let mut now = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut now));
    Err(Broken { error, restored: back.is_ok() && read.is_ok() && now == old.as_bytes() })
}

/// Makes a file: a new one, which the umask and the directory's default ACL have a say in; or one that was taken away, with
/// the mode and the owner that it had. Whether it could be given to its owner.
fn create(
    path: &Path,
    text: &str,
    mode: u32,
    owner: Option<(u32, u32)>,
) -> io::Result<io::Result<()>> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let first = if owner.is_some() { 0o600 } else { mode };
    let mut file = File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(first))?);
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a document is no document.
        let _ = std::fs::remove_file(path);
    }
    written?;
    let Some((user, group)) = owner else { return Ok(Ok(())) };
    let owned = std::os::unix::fs::fchown(&file, Some(user), Some(group));
    // With an ACL of its directory, or another group, it stays readable for us alone.
    let plain = matches!(
        rustix::fs::fremovexattr(file.as_fd(), ACL),
        Ok(()) | Err(Errno::NODATA | Errno::NOTSUP)
    );
    if plain && owned.is_ok() {
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
    }
    Ok(owned)
}

/// Writes a new file that nobody else may read.
///
/// # Errors
/// When something is there already, or it can't be written.
pub fn create_private(path: &Path, text: &str) -> io::Result<()> {
    // Nobody is to get it: there is no owner to be refused.
    create(path, text, 0o600, None).map(|_| ())
}

/// What saving to another path came to.
#[derive(Debug)]
pub enum SavedAs {
    /// The text is there.
    Written(FileSource),
    /// There is something there already.
    Exists,
}

/// Saves a text under another path: a new file, readable as `like` is, or for us alone; over one that is there only with
/// `over`.
///
/// # Errors
/// One sentence; what was there is as it was.
pub fn save_as(
    path: &Path,
    text: &str,
    like: Option<&FileSource>,
    over: bool,
    keep: Keep<'_>,
) -> Result<SavedAs, Error> {
    let shown = path.display();
    let mode = like.map_or(0o600, |source| source.mode & 0o666);
    match create(path, text, mode, None) {
        Ok(_) => Ok(SavedAs::Written(super::load(path)?)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !over => Ok(SavedAs::Exists),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let there = super::load(path)?;
            for way in [Way::Replace, Way::InPlace] {
                match save(&there, text, way, keep)? {
                    Saved::Unchanged => return Ok(SavedAs::Written(there)),
                    Saved::Written(next, _) => return Ok(SavedAs::Written(next)),
                    Saved::ChangedByOthers(_) => {
                        return Err(Error::user(format!(
                            "{shown}: somebody writes to it just now"
                        )));
                    }
                    Saved::Irreplaceable(_) => {}
                }
            }
            Err(Error::user(format!("{shown}: it can't be replaced")))
        }
        Err(error) => Err(Error::user(format!("{shown}: not saved: {}", said(&error)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn no_backup(_: &str) -> Result<PathBuf, String> {
        Err("a test keeps none".to_owned())
    }

    fn replaced(source: &FileSource, text: &str) -> Saved<FileSource> {
        save(source, text, Way::Replace, &no_backup).unwrap()
    }

    #[test]
    fn saving_follows_the_link_and_keeps_the_mode() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.xml"), dir.path().join("link.xml"));
        std::fs::write(&real, "<domain/>").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.xml", &link).unwrap();
        let source = super::super::load(&link).unwrap();
        assert!(matches!(replaced(&source, "<domain/>"), Saved::Unchanged));
        let Saved::Written(mut next, None) = replaced(&source, "<domain></domain>") else {
            panic!("it was written")
        };
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "<domain></domain>");
        assert_eq!(std::fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        std::fs::write(&real, "<other/>").unwrap();
        let Saved::ChangedByOthers(theirs) = replaced(&next, "<mine/>") else {
            panic!("it was changed")
        };
        next.know(&theirs);
        assert!(matches!(replaced(&next, "<mine/>"), Saved::Written(..)));
    }

    #[test]
    fn a_name_of_255_bytes_can_be_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x".repeat(255));
        std::fs::write(&path, "<domain/>").unwrap();
        let source = super::super::load(&path).unwrap();
        assert!(matches!(replaced(&source, "<mine/>"), Saved::Written(..)));
    }

    #[test]
    fn hard_links_are_written_into_after_the_old_text_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one.xml"), dir.path().join("two.xml"));
        std::fs::write(&one, "<domain/>").unwrap();
        std::fs::hard_link(&one, &two).unwrap();
        let source = super::super::load(&one).unwrap();
        assert!(
            matches!(replaced(&source, "<a/>"), Saved::Irreplaceable(why) if why.contains("2 names"))
        );
        let refused = save(&source, "<a/>", Way::InPlace, &no_backup).unwrap_err().to_string();
        assert!(refused.contains("the old text could not be kept first"), "{refused}");
        assert_eq!(std::fs::read_to_string(&two).unwrap(), "<domain/>");
        let kept = std::cell::RefCell::new(Vec::new());
        let keep = |text: &str| {
            kept.borrow_mut().push(text.to_owned());
            Ok(PathBuf::from("/kept"))
        };
        assert!(matches!(save(&source, "<a/>", Way::InPlace, &keep).unwrap(), Saved::Written(..)));
        assert_eq!(
            (std::fs::read_to_string(&two).unwrap().as_str(), kept.into_inner()),
            ("<a/>", vec!["<domain/>".to_owned()])
        );
    }

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

    #[test]
    fn saving_elsewhere_asks_before_it_writes_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.xml");
        let saved = |over| save_as(&path, "<domain/>", None, over, &no_backup).unwrap();
        assert!(matches!(saved(false), SavedAs::Written(_)));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        std::fs::write(&path, "<other/>").unwrap();
        assert!(matches!(saved(false), SavedAs::Exists));
        assert!(matches!(saved(true), SavedAs::Written(_)));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "<domain/>");
    }
}
