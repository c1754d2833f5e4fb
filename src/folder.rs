//! Folders of ours in the user's directories: ours alone, nothing in them followed, nothing waited for.
//!
//! Root may run in somebody else's home (`sudo -E`), and whoever owns a directory can put links and pipes into it. So a
//! folder is used by its descriptor, after its owner and mode were looked at, and every name in it is opened without
//! following links and without blocking.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

/// What is written first and then renamed begins with this; a killed process leaves it.
const UNFINISHED: &str = ".unfinished-";
/// What goes through another program while a process waits for it begins with this.
pub(crate) const SCRATCH: &str = "scratch-";

/// A folder that belongs to us and that nobody else may write.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    descriptor: Arc<OwnedFd>,
    path: PathBuf,
}

/// The path of our folder in the user's state directory.
///
/// # Errors
/// One sentence: there is no home directory.
pub(crate) fn state_path() -> Result<PathBuf, String> {
    let project =
        directories::ProjectDirs::from("", "", "qpt-tui").ok_or("there is no home directory")?;
    Ok(project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_owned())
}

/// Why a directory of the way to our folder is not trusted; `None` for one that is.
///
/// Whoever owns it could lead us elsewhere between a look and a write.
fn stranger(path: &Path) -> Option<String> {
    let own = rustix::process::geteuid().as_raw();
    let owners = [std::fs::symlink_metadata(path), std::fs::metadata(path)]
        .map(|found| found.map(|found| found.uid()));
    let other = owners.into_iter().flatten().find(|owner| *owner != own && *owner != 0)?;
    let hint = if own == 0 { " (start with: sudo -H)" } else { "" };
    Some(format!("the user {other} owns {}{hint}", path.display()))
}

/// Why somebody else could lead us elsewhere on the way to a directory, as far as it is there; `None` where only we and root could.
fn misled(path: &Path) -> Option<String> {
    let there = path.ancestors().find_map(|ancestor| std::fs::canonicalize(ancestor).ok())?;
    there.ancestors().find_map(|ancestor| stranger(ancestor).or_else(|| everybodys(ancestor)))
}

/// That everybody may give the names in a directory to something else.
fn everybodys(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.mode();
    let is_open = mode & 0o002 != 0 && mode & 0o1000 == 0;
    is_open.then(|| format!("everybody may write {} (mode {:04o})", path.display(), mode & 0o7777))
}

/// The directory for temporary files: the one that the environment names, unless somebody else could lead us elsewhere from there.
pub(crate) fn temporary() -> PathBuf {
    safe_or_tmp(std::env::temp_dir())
}

fn safe_or_tmp(named: PathBuf) -> PathBuf {
    if misled(&named).is_some() { PathBuf::from("/tmp") } else { named }
}

impl Folder {
    /// Our folder in the user's state directory, made where it is not there yet.
    ///
    /// # Errors
    /// One sentence: no home, somebody else's, not writable, a link or a file in its place.
    pub(crate) fn state() -> Result<Folder, String> {
        Folder::trusted(&state_path()?)
    }

    /// Our folder in the user's cache directory, made where it is not there yet.
    ///
    /// # Errors
    /// As [`Folder::state`].
    pub(crate) fn cache() -> Result<Folder, String> {
        let project = directories::ProjectDirs::from("", "", "qpt-tui");
        let project = project.ok_or("there is no home directory")?;
        Folder::trusted(project.cache_dir())
    }

    /// A folder to which nobody else can lead us elsewhere.
    fn trusted(path: &Path) -> Result<Folder, String> {
        let home = directories::BaseDirs::new().map(|base| base.home_dir().to_owned());
        // To a user, directories above the home, or above an XDG_STATE_HOME elsewhere, are the system's.
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        let own = above
            .iter()
            .position(|ancestor| home.as_deref() == Some(*ancestor))
            .map_or(1, |at| at + 1);
        for ancestor in above.iter().take(own).rev() {
            if let Some(why) = stranger(ancestor) {
                return Err(why);
            }
        }
        let parent = path.parent().unwrap_or_else(|| Path::new("/"));
        // Root has most to lose, and gets names from everybody's environment.
        if rustix::process::geteuid().is_root()
            && let Some(why) = misled(parent)
        {
            return Err(why);
        }
        if let Err(error) = std::fs::create_dir_all(parent) {
            return Err(format!("{}: {}", said(&error), parent.display()));
        }
        Folder::open(rustix::fs::CWD, path, path.to_owned())
    }

    /// A folder that was made a moment ago, for us alone.
    ///
    /// # Errors
    /// One sentence: it is not ours any more.
    pub(crate) fn there(path: &Path) -> Result<Folder, String> {
        Folder::open(rustix::fs::CWD, path, path.to_owned())
    }

    /// A folder inside this one, made where it is not there yet.
    ///
    /// # Errors
    /// One sentence.
    pub(crate) fn inside(&self, name: &str) -> Result<Folder, String> {
        Folder::open(&*self.descriptor, Path::new(name), self.path.join(name))
    }

    /// A folder inside this one that is there already; or why it is not used.
    pub(crate) fn existing(&self, name: &str) -> Option<Result<Folder, String>> {
        let kind = rustix::fs::statat(&*self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        (FileType::from_raw_mode(kind.st_mode) == FileType::Directory).then(|| self.inside(name))
    }

    fn open(at: impl std::os::fd::AsFd, name: &Path, path: PathBuf) -> Result<Folder, String> {
        let shown = path.display();
        let failed = |error: rustix::io::Errno| format!("{}: {shown}", said(&error.into()));
        match rustix::fs::mkdirat(&at, name, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let descriptor = match rustix::fs::openat(&at, name, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                return Err(format!("a link or a file stands in the place of {shown}"));
            }
            Err(error) => return Err(failed(error)),
        };
        let stat = rustix::fs::fstat(&descriptor).map_err(failed)?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(format!("the user {} owns {shown}", stat.st_uid));
        }
        if stat.st_mode & 0o022 != 0 {
            return Err(format!("others may write {shown} (mode {:04o})", stat.st_mode & 0o7777));
        }
        Ok(Folder { descriptor: Arc::new(descriptor), path })
    }

    /// The path of a name in the folder, for people.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The names in the folder, sorted; the unfinished ones are left out.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.all_names().into_iter().filter(|name| !name.starts_with(UNFINISHED)).collect();
        names.sort_unstable();
        names
    }

    fn all_names(&self) -> Vec<String> {
        let Ok(entries) = rustix::fs::Dir::read_from(&*self.descriptor) else { return Vec::new() };
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
        names.filter(|name| name != "." && name != "..").collect()
    }

    /// Opens a regular file of ours, made where the flags say so.
    pub(crate) fn file(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let careful = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(&*self.descriptor, name, flags | careful, Mode::RUSR | Mode::WUSR)?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is no regular file"));
        }
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other(format!("the user {} owns it", stat.st_uid)));
        }
        Ok(File::from(file))
    }

    /// Takes away what stands in the place of a regular file: the folder is ours, and nothing of it is followed.
    pub(crate) fn clear_way(&self, name: &str) {
        let Ok(stat) = rustix::fs::statat(&*self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)
        else {
            return;
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => self.remove_folder(name),
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => self.remove(name),
        }
    }

    /// The number that tells the file of this name from others; nothing where there is none.
    ///
    /// # Errors
    /// When the file system does not answer.
    pub(crate) fn inode(&self, name: &str) -> io::Result<Option<u64>> {
        match rustix::fs::statat(&*self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat.st_ino)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How long ago a file was written; zero where the clock went back.
    pub(crate) fn age(&self, name: &str) -> Option<Duration> {
        let stat = rustix::fs::statat(&*self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let written =
            SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(stat.st_mtime).ok()?);
        Some(SystemTime::now().duration_since(written).unwrap_or_default())
    }

    /// A file's bytes, at most `limit` of them.
    pub(crate) fn read(&self, name: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(name, OFlags::RDONLY)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Puts a file in whole: whoever reads the name sees what was there before, or all of the new, also after a power cut.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // Two threads may put the same name in at once.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!("{UNFINISHED}{}-{number}-{name}", std::process::id());
        self.remove(&unfinished);
        let mut file = self.file(&unfinished, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        let renamed = written.and_then(|()| {
            rustix::fs::renameat(&*self.descriptor, &*unfinished, &*self.descriptor, name)?;
            Ok(())
        });
        if renamed.is_err() {
            self.remove(&unfinished);
        }
        renamed?;
        rustix::fs::fsync(&*self.descriptor)?;
        Ok(())
    }

    /// Gives a file another name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        rustix::fs::renameat(&*self.descriptor, from, &*self.descriptor, to)?;
        Ok(())
    }

    /// Takes a file away; one that is gone already is fine.
    pub(crate) fn remove(&self, name: &str) {
        // What can't be removed is removed by a later start.
        let _ = self.take_away(name);
    }

    /// As [`Folder::remove`], for who has to know.
    ///
    /// # Errors
    /// When it is there still.
    pub(crate) fn take_away(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&*self.descriptor, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a folder inside this one away, where it is empty.
    pub(crate) fn remove_folder(&self, name: &str) {
        // A folder that holds something stays.
        let _ = rustix::fs::unlinkat(&*self.descriptor, name, AtFlags::REMOVEDIR);
    }

    /// Takes away what killed processes did not finish, and what is older than `limit`; nobody may be writing here. `is_alive`
    /// tells whether a process is there.
    pub(crate) fn sweep(&self, limit: Duration, is_alive: &dyn Fn(u32) -> bool) {
        for name in self.all_names() {
            let old = self.age(&name).is_some_and(|age| age > limit);
            let writer = [UNFINISHED, SCRATCH].iter().find_map(|start| name.strip_prefix(start));
            let is_left = writer.is_some_and(|rest| !is_alive(leading_number(rest)));
            if old || is_left {
                self.remove(&name);
            }
        }
    }
}

/// The number that a text begins with; zero where there is none.
pub(crate) fn leading_number(text: &str) -> u32 {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

/// An error of the system in plain words.
pub(crate) fn said(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    /// A directory of ours in which somebody else has one; nothing where that can't be made.
    fn place() -> Option<(tempfile::TempDir, PathBuf)> {
        let dir = tempfile::tempdir().unwrap();
        let theirs = dir.path().join("theirs");
        std::fs::create_dir(&theirs).unwrap();
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root gives directories away");
            return None;
        }
        chown(&theirs, Some(12345), None).unwrap();
        Some((dir, theirs))
    }

    #[test]
    fn root_makes_nothing_in_a_strangers_directory() {
        let Some((dir, theirs)) = place() else { return };
        let refused = |path: &Path| Folder::trusted(path).unwrap_err();
        assert!(refused(&theirs.join("new/qpt-tui")).starts_with("the user 12345 owns "));
        assert!(!theirs.join("new").exists());
        // What is root's own in there can be given away by whose directory it is in.
        std::fs::create_dir(theirs.join("ours")).unwrap();
        assert!(refused(&theirs.join("ours/qpt-tui")).starts_with("the user 12345 owns "));
        // A link does not hide it.
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(theirs.join("ours"), &link).unwrap();
        assert!(refused(&link.join("qpt-tui")).starts_with("the user 12345 owns "));
        let open = dir.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        assert!(refused(&open.join("new/qpt-tui")).starts_with("everybody may write "));
        std::fs::set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
        assert!(Folder::trusted(&open.join("new/qpt-tui")).is_ok());
    }

    #[test]
    fn temporary_files_are_made_where_nobody_else_leads() {
        let Some((dir, theirs)) = place() else { return };
        assert_eq!(safe_or_tmp(theirs), Path::new("/tmp"));
        assert_eq!(safe_or_tmp(dir.path().to_owned()), dir.path());
    }

    #[test]
    fn a_file_of_somebody_elses_is_not_believed() {
        let Some((dir, _)) = place() else { return };
        let folder = Folder::trusted(&dir.path().join("qpt-tui")).unwrap();
        folder.put("answers", b"true").unwrap();
        assert_eq!(folder.read("answers", 10).unwrap(), b"true");
        chown(folder.path("answers"), Some(12345), None).unwrap();
        assert_eq!(folder.read("answers", 10).unwrap_err().to_string(), "the user 12345 owns it");
    }
}
