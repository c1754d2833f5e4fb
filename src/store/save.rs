//! Saving a file: replaced whole, or written into in place where it can't be replaced.
//!
//! Replacing writes a temporary file beside the real one (links followed), gives it the owner, mode, ACL and extended
//! attributes of the old one, syncs it, and renames it over. Whoever reads the file sees the old text or the new, never a
//! part. Where the new file could not be all that the old one was, nothing is replaced: the answer says why, and the text
//! can be written into the file as it is, after the old text was kept elsewhere.

mod in_place;
mod protection;
mod replace;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use in_place::{Broken, write_in_place};
use replace::{ACL, Hindrance, replace};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::file::FileSource;
use super::{Saved, Way};
use crate::error::Error;
use crate::folder::said;

pub use protection::protection;
pub use replace::sweep;

/// Keeps the old text somewhere before it is written over; its path, or why it could not be kept.
pub type Keep<'a> = &'a dyn Fn(&str) -> Result<PathBuf, String>;

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
        let parent = source.real.parent().unwrap_or_else(|| Path::new("/"));
        let directory = replace::open_directory(parent).map_err(|error| refused(said(&error)))?;
        // What is made is given to the owner of what was there; whoever owns a directory above is not to say where.
        if source.directory != replace::identity(&directory) {
            return Err(refused("its directory has become another one".to_owned()));
        }
        let name = Path::new(source.real.file_name().unwrap_or_default());
        let owned = create(&directory, name, text, source.mode, Some(source.owner));
        let remark = owned.map_err(|error| refused(said(&error)))?.err();
        return Ok(Saved::Written(
            next,
            remark.map(|error| format!("its owner is another: {}", said(&error))),
        ));
    }
    if let Some(why) = protection::not_writable(&source.real) {
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

/// Waits until no file is being written into; the process may end then. A save that is still making its new file is given up.
pub fn await_writing(patience: Duration) {
    in_place::await_end(patience);
    replace::give_up();
}

/// Makes a file: a new one, which the umask and the directory's default ACL have a say in; or one that was taken away, with
/// the mode and the owner that it had. Whether it could be given to its owner.
fn create(
    directory: impl AsFd,
    path: &Path,
    text: &str,
    mode: u32,
    owner: Option<(u32, u32)>,
) -> io::Result<io::Result<()>> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let first = if owner.is_some() { 0o600 } else { mode };
    let mode_now = Mode::from_raw_mode(first);
    let mut file = File::from(rustix::fs::openat(&directory, path, flags, mode_now)?);
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a document is no document.
        let _ = rustix::fs::unlinkat(&directory, path, AtFlags::empty());
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
    create(CWD, path, text, 0o600, None).map(|_| ())
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
    match create(CWD, path, text, mode, None) {
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
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::*;

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
    fn what_was_taken_away_is_made_again_where_it_was_and_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["own", "victim"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        std::fs::write(at("own/vm.xml"), "<domain/>").unwrap();
        let mut source = super::super::load(&at("own/vm.xml")).unwrap();
        source.know(&super::super::Theirs::Gone);
        std::fs::remove_file(at("own/vm.xml")).unwrap();
        assert!(matches!(replaced(&source, "<mine/>"), Saved::Written(..)));
        std::fs::remove_file(at("own/vm.xml")).unwrap();
        std::fs::rename(at("own"), at("moved")).unwrap();
        std::os::unix::fs::symlink("victim", at("own")).unwrap();
        let refused = save(&source, "<mine/>", Way::Replace, &no_backup).unwrap_err().to_string();
        assert!(refused.contains("its directory has become another one"), "{refused}");
        assert_eq!(std::fs::read_dir(at("victim")).unwrap().count(), 0);
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
