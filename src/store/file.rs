//! A domain in a file: reading it whole, and telling whether somebody else changed it.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags};

use super::bounded::{self, Bound, explain};
use crate::error::Error;
use crate::xml::scan::MAX_BYTES;

/// A file as it was when it was read.
#[derive(Debug, Clone)]
pub struct FileSource {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// The text that is known to be in it.
    pub text: String,
    /// The path with links followed.
    pub real: PathBuf,
    /// Its mode, and the numbers of its user and group: what it is made anew with when somebody took it away.
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    /// Which directory it was read from: whoever owns one above can put another in its place.
    pub(super) directory: Option<(u64, u64)>,
    /// It was taken away since, and that is known.
    pub(super) gone: bool,
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
        return Err(Error::user(format!(
            "{shown}: this is a directory, expected a domain's XML file"
        )));
    }
    if !metadata.is_file() {
        return Err(Error::user(format!(
            "{shown}: this is a device, pipe or socket, expected a regular file"
        )));
    }
    let real = std::fs::canonicalize(path).map_err(|error| refuse(&error))?;
    let mut file = open_regular(&real).map_err(|error| refuse(&error))?;
    let text = bounded::read(&mut file, Some(path), Bound::DOMAIN)?;
    let (mode, owner) = (metadata.mode() & 0o7777, (metadata.uid(), metadata.gid()));
    let directory = real.parent().and_then(|parent| std::fs::metadata(parent).ok());
    let directory = directory.map(|found| (found.dev(), found.ino()));
    Ok(FileSource { path: path.to_owned(), text, real, mode, owner, directory, gone: false })
}

/// A domain's file that is not there yet: saving makes it, readable by its owner alone, since a domain can hold passwords.
///
/// # Errors
/// One sentence with the path: there is no such directory to make it in, or something else stands there.
pub fn new(path: &Path, text: String) -> Result<FileSource, Error> {
    let refuse = |why: String| Error::user(format!("{}: {why}", path.display()));
    let name = path.file_name().ok_or_else(|| refuse("this names no file".to_owned()))?;
    if path.symlink_metadata().is_ok() {
        return Err(refuse("there is something already".to_owned()));
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or_else(|| Path::new("."));
    let parent = std::fs::canonicalize(above)
        .map_err(|error| refuse(format!("{}: {}", above.display(), explain(&error))))?;
    let found = std::fs::metadata(&parent).map_err(|error| refuse(explain(&error)))?;
    if !found.is_dir() {
        return Err(refuse(format!("{} is no directory", above.display())));
    }
    let owner = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    Ok(FileSource {
        path: path.to_owned(),
        text,
        real: parent.join(name),
        mode: 0o600,
        owner,
        directory: Some((found.dev(), found.ino())),
        gone: true,
    })
}

/// Opens a regular file for reading, without waiting for whoever put a pipe in its place.
pub(super) fn open_regular(real: &Path) -> std::io::Result<File> {
    open_regular_at(rustix::fs::CWD, real)
}

/// The same below a directory that is open.
pub(super) fn open_regular_at(directory: impl AsFd, name: &Path) -> std::io::Result<File> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(directory, name, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    Ok(file)
}

/// Opens what a name in a directory that is open leads to, links followed, where that is a regular file: what is something else
/// is not opened, and nobody at the other end of it notices (open(2), `O_PATH`).
pub(super) fn open_only_regular(directory: impl AsFd, name: &Path) -> std::io::Result<File> {
    let held = rustix::fs::openat(directory, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&held)?.st_mode);
    if kind != FileType::RegularFile {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let name = format!("/proc/self/fd/{}", held.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(name, flags, Mode::empty())?))
}

/// The bytes of a regular file, without waiting for whoever put a pipe in its place.
///
/// # Errors
/// When it can't be read, is no regular file, or is longer than a domain can be.
pub fn read_regular(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    open_regular(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(std::io::Error::other(format!("it is longer than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

/// What stands in the place of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Theirs {
    /// Another text.
    Text(String),
    /// Nothing: it was taken away.
    Gone,
    /// Something that can't be read as text; why.
    Unreadable(String),
}

impl FileSource {
    /// What somebody else wrote since the text was read; `None` where it is what we know.
    ///
    /// The content decides: a time stamp can be put back, and a copy of the same text is no change.
    pub fn theirs(&self) -> Option<Theirs> {
        self.theirs_in(open_regular(&self.real))
    }

    /// The same of what was opened in its place.
    pub(super) fn theirs_in(&self, opened: std::io::Result<File>) -> Option<Theirs> {
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return (!self.gone).then_some(Theirs::Gone);
            }
            Err(error) => return Some(Theirs::Unreadable(explain(&error))),
        };
        match bounded::read(&mut file, Some(&self.path), Bound::DOMAIN) {
            Ok(text) if text == self.text && !self.gone => None,
            Ok(text) => Some(Theirs::Text(text)),
            Err(error) => Some(Theirs::Unreadable(error.to_string())),
        }
    }

    /// What is in the place of the text now is known: the next save may replace it.
    pub fn know(&mut self, theirs: &Theirs) {
        match theirs {
            Theirs::Text(text) => {
                self.text.clone_from(text);
                self.gone = false;
            }
            Theirs::Gone => self.gone = true,
            Theirs::Unreadable(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_new_file_is_made_by_the_first_save_and_over_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.xml");
        let source = new(&path, "<domain/>".to_owned()).unwrap();
        assert_eq!((source.theirs(), path.exists()), (None, false));
        let keep = |_: &str| Err("there is nothing to keep".to_owned());
        let save = || crate::store::save(&source, "<domain/>", crate::store::Way::Replace, &keep);
        let saved = save().unwrap();
        assert!(matches!(saved, crate::store::Saved::Written(_, None)), "{saved:?}");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        // Somebody else was first.
        std::fs::write(&path, "<other/>").unwrap();
        assert!(matches!(save().unwrap(), crate::store::Saved::ChangedByOthers(_)));
        let refused = |path: &Path| new(path, String::new()).unwrap_err().to_string();
        assert!(refused(&path).contains("there is something already"));
        assert!(refused(&dir.path().join("none/new.xml")).contains("there is no such file"));
        assert!(refused(&path.join("new.xml")).contains("is no directory"));
    }

    #[test]
    fn the_content_tells_whether_somebody_else_wrote() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vm.xml");
        std::fs::write(&path, "<domain/>").unwrap();
        let mut source = load(&path).unwrap();
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, "<domain/>").unwrap();
        assert_eq!(source.theirs(), None);
        // The same length, and the time put back.
        std::fs::write(&path, "<domaiN/>").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let theirs = Theirs::Text("<domaiN/>".to_owned());
        assert_eq!(source.theirs(), Some(theirs.clone()));
        source.know(&theirs);
        assert_eq!(source.theirs(), None);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(source.theirs(), Some(Theirs::Gone));
        source.know(&Theirs::Gone);
        assert_eq!(source.theirs(), None);
        // A pipe in the place of the file holds nobody up.
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, Mode::RUSR, 0)
            .unwrap();
        assert!(
            matches!(source.theirs(), Some(Theirs::Unreadable(why)) if why.contains("no regular file"))
        );
    }
}
