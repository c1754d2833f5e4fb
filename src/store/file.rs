//! A domain in a file: read whole, replaced whole.
//!
//! Saving writes a temporary file beside the real one (links followed), gives it the owner, mode and extended attributes
//! of the old one, syncs it, and renames it over. Whoever reads the file sees the old text or the new, never a part.

use std::fs::{File, Metadata};
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, XattrFlags};

use super::Saved;
use crate::error::Error;
use crate::xml::scan::MAX_BYTES;

/// A file as it was when it was read.
#[derive(Debug, Clone)]
pub struct FileSource {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// The text.
    pub text: String,
    /// The path with links followed.
    real: PathBuf,
    stamp: Stamp,
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Reads a domain's file.
///
/// # Errors
/// One sentence with the path: not there, not readable, not a regular file, too long, not UTF-8.
pub fn load(path: &Path) -> Result<FileSource, Error> {
    let shown = path.display();
    let refuse = |error: &std::io::Error| Error::user(format!("{shown}: {}", explain(error)));
    let metadata = std::fs::metadata(path).map_err(|error| refuse(&error))?;
    if metadata.is_dir() {
        return Err(Error::user(format!("{shown}: this is a directory, expected a domain's XML file")));
    }
    if !metadata.is_file() {
        return Err(Error::user(format!("{shown}: this is a device, pipe or socket, expected a regular file")));
    }
    let real = std::fs::canonicalize(path).map_err(|error| refuse(&error))?;
    let mut file = File::open(&real).map_err(|error| refuse(&error))?;
    let stamp = Stamp::of(&file.metadata().map_err(|error| refuse(&error))?);
    let text = read_text(&mut file, &shown.to_string())?;
    Ok(FileSource { path: path.to_owned(), text, real, stamp })
}

/// Reads standard input, for `-`.
///
/// # Errors
/// As [`load`].
pub fn read_input() -> Result<String, Error> {
    read_text(&mut std::io::stdin().lock(), "standard input")
}

fn read_text(source: &mut dyn std::io::Read, shown: &str) -> Result<String, Error> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    source
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::user(format!("{shown}: {}", explain(&error))))?;
    if bytes.len() > MAX_BYTES {
        return Err(Error::user(format!("{shown}: longer than {MAX_BYTES} bytes, which is all that virsh reads")));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::user(format!("{shown}:1:1: the text is UTF-16, expected UTF-8"))
            .hint(format!("convert it: iconv -f UTF-16 -t UTF-8 {shown}")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let start = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        let place = crate::xml::position(&start, at);
        Error::user(format!("{shown}:{}:{}: the text is not UTF-8, expected UTF-8", place.line, place.column))
    })
}

fn explain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        std::io::ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

/// Writes new text in the place of what was read. Writes nothing when the text is the same.
///
/// `force` writes although the file changed since it was read.
///
/// # Errors
/// When the file can't be replaced; it then is as it was.
pub fn save(source: &FileSource, text: &str, force: bool) -> Result<Saved<FileSource>, Error> {
    if text == source.text {
        return Ok(Saved::Unchanged);
    }
    let shown = source.path.display();
    let fail = |what: &str, error: &std::io::Error| Error::user(format!("{shown}: {what}: {}", explain(error)));
    let old = match File::open(&source.real) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(fail("the file cannot be looked at", &error)),
    };
    let now = old
        .as_ref()
        .map(std::fs::File::metadata)
        .transpose()
        .map_err(|error| fail("the file cannot be looked at", &error))?;
    if !force && now.as_ref().map(Stamp::of) != Some(source.stamp) {
        return Ok(Saved::ChangedOnDisk);
    }
    if let Some(now) = &now
        && rustix::fs::access(&source.real, rustix::fs::Access::WRITE_OK).is_err()
    {
        return Err(Error::user(format!("{shown}: you may not write it (mode {:04o})", now.mode() & 0o7777)));
    }
    let directory = source.real.parent().unwrap_or_else(|| Path::new("/"));
    let (temporary, mut file) =
        temporary(directory, &source.real).map_err(|error| fail("no file can be made beside it", &error))?;
    let result = fill(&mut file, text, old.as_ref().zip(now.as_ref()))
        .and_then(|()| std::fs::rename(&temporary, &source.real))
        .and_then(|()| File::open(directory)?.sync_all());
    if let Err(error) = result {
        // What could be left is the temporary file; the real one is untouched.
        let _ = std::fs::remove_file(&temporary);
        return Err(fail("it could not be saved", &error));
    }
    let stamp = Stamp::of(&file.metadata().map_err(|error| fail("the saved file cannot be looked at", &error))?);
    Ok(Saved::Written(FileSource { text: text.to_owned(), stamp, ..source.clone() }))
}

fn temporary(directory: &Path, real: &Path) -> std::io::Result<(PathBuf, File)> {
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut number = 0_u32;
    loop {
        let path = directory.join(format!(".{name}.{}-{number}.qpt-tui", std::process::id()));
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn fill(file: &mut File, text: &str, old: Option<(&File, &Metadata)>) -> std::io::Result<()> {
    file.write_all(text.as_bytes())?;
    if let Some((old, metadata)) = old {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
            std::os::unix::fs::fchown(&*file, Some(metadata.uid()), Some(metadata.gid()))?;
        }
        rustix::fs::fchmod(&*file, Mode::from_raw_mode(metadata.mode() & 0o7777))?;
        copy_attributes(old, file)?;
    }
    file.sync_all()
}

/// Copies extended attributes: the ACL, the SELinux label, what the user put there.
fn copy_attributes(from: &File, to: &File) -> std::io::Result<()> {
    let mut names = vec![0_u8; 64 << 10];
    let length = match rustix::fs::flistxattr(from.as_fd(), &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::NOTSUP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0_u8; 64 << 10];
        let Ok(size) = rustix::fs::fgetxattr(from.as_fd(), name, &mut value[..]) else { continue };
        match rustix::fs::fsetxattr(to.as_fd(), name, &value[..size], XattrFlags::empty()) {
            Ok(()) => {}
            // An ACL that can't be kept would change who may read the file; other attributes may be the kernel's own.
            Err(error) if name == b"system.posix_acl_access" => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn saving_follows_the_link_and_keeps_the_mode() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real.xml"), dir.path().join("link.xml"));
        std::fs::write(&real, "<domain/>").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("real.xml", &link).unwrap();
        let source = load(&link).unwrap();
        assert!(matches!(save(&source, "<domain/>", false).unwrap(), Saved::Unchanged));
        let Saved::Written(next) = save(&source, "<domain></domain>", false).unwrap() else { panic!("it was written") };
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "<domain></domain>");
        assert_eq!(std::fs::metadata(&real).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
        std::fs::write(&real, "<other/>").unwrap();
        assert!(matches!(save(&next, "<mine/>", false).unwrap(), Saved::ChangedOnDisk));
        assert!(matches!(save(&next, "<mine/>", true).unwrap(), Saved::Written(_)));
    }

    #[test]
    fn what_is_no_file_is_refused_in_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |path: &Path| load(path).unwrap_err().to_string();
        assert!(refused(dir.path()).contains("this is a directory"));
        assert!(refused(&dir.path().join("none")).contains("there is no such file"));
        let bad = dir.path().join("bad.xml");
        std::fs::write(&bad, b"<a>\n \xff</a>").unwrap();
        assert!(refused(&bad).contains(":2:2: the text is not UTF-8"));
    }
}
