//! All paths of a document, walked by a thread that nobody has to wait for.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::held::{Held, Seen};
use super::mounts::Devices;
use super::paths::reach;
use crate::facts::contents::{Contents, Fault};
use crate::facts::header::Header;
use crate::facts::image::Image;
use crate::facts::own;
use crate::facts::{Known, Walk};
use crate::power::{self, Writes};

/// What of a path is looked at.
#[derive(Debug, Clone)]
pub(super) enum Look {
    /// What stands on the way, and at its end.
    Way,
    /// Also what it says as an image.
    Image,
    /// Also the bytes that QEMU decides by.
    Contents(Contents),
}

/// What was read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Learned {
    /// Nothing, or it can't be read.
    Nothing,
    /// What an image names, and what is wrong with its header.
    Image(Image, Option<Fault>),
    /// The bytes that QEMU decides by, and what is wrong with them.
    Contents(Option<Header>, Option<Fault>),
}

/// A path, the walk to it, and what was read of it.
pub(super) type Found = (String, Known<Walk>, Learned);

/// Walks every path, all within `patience`; a path whose file system does not answer in time is unknown.
/// `owner` is who libvirt's daemon runs as.
pub(super) fn walk_all(paths: Vec<(String, Look)>, patience: Duration, owner: u32) -> Vec<Found> {
    /// A file system that says nothing for as long is dead.
    const SILENCE: Duration = Duration::from_secs(1);
    let silent = || Known::Unknown("the file system did not answer in time".to_owned());
    let deadline = Instant::now() + patience;
    let devices = Arc::new(Devices::read());
    let mut found = Vec::new();
    let mut rest: VecDeque<(String, Look)> = paths.into();
    while !rest.is_empty() {
        // A system call on a dead file system can't be called back: the thread is left to it, and a new one takes the rest.
        let walks = Arc::new(Walks::default());
        walks.start(rest.iter().cloned().collect(), &devices, owner);
        loop {
            let patience = deadline.saturating_duration_since(Instant::now()).min(SILENCE);
            let walked = walks.wait(patience);
            let is_dead = walked.is_empty();
            let paths = rest.drain(..walked.len()).map(|(path, _)| path);
            found.extend(paths.zip(walked).map(|(path, (walk, learned))| (path, walk, learned)));
            if rest.is_empty() {
                break;
            }
            if is_dead {
                found.extend(rest.pop_front().map(|(path, _)| (path, silent(), Learned::Nothing)));
                break;
            }
        }
        if Instant::now() >= deadline {
            found.extend(rest.drain(..).map(|(path, _)| (path, silent(), Learned::Nothing)));
        }
    }
    found
}

/// What a thread has walked and nobody has taken yet. Who waits is woken at the end, and not for every path.
#[derive(Default)]
struct Walks {
    so_far: Mutex<SoFar>,
    ended: Condvar,
}

#[derive(Default)]
struct SoFar {
    walked: Vec<(Known<Walk>, Learned)>,
    is_over: bool,
}

impl Walks {
    /// Has a thread of its own walk the paths in their order.
    fn start(self: &Arc<Walks>, paths: Vec<(String, Look)>, devices: &Arc<Devices>, owner: u32) {
        let (walks, devices) = (Arc::clone(self), Arc::clone(devices));
        std::thread::spawn(move || {
            power::give_up(&Writes::nothing());
            let mut seen = Seen::default();
            for (path, look) in paths {
                let (walk, end) = reach(&path, &devices, &mut seen, owner);
                let learned = match end {
                    Some(end) if !is_secret(&path, &walk) => learn(&end, look, &devices),
                    _ => Learned::Nothing,
                };
                walks.lock().walked.push((walk, learned));
            }
            walks.lock().is_over = true;
            walks.ended.notify_one();
        });
    }

    /// Takes what was walked until all is, or until `patience` is over.
    fn wait(&self, patience: Duration) -> Vec<(Known<Walk>, Learned)> {
        let goes_on = |so_far: &mut SoFar| !so_far.is_over;
        let waited = self.ended.wait_timeout_while(self.lock(), patience, goes_on);
        let (mut so_far, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut so_far.walked)
    }

    /// A thread that panicked leaves what it has walked.
    fn lock(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether who reads a file has the host: then nothing is to be learned of it, whatever a document calls it.
fn is_secret(path: &str, walk: &Known<Walk>) -> bool {
    let resolved = walk.yes().map(Walk::resolved);
    let mut names = [Some(path), resolved.filter(|real| *real != path)].into_iter().flatten();
    names.any(|name| own::named(name, false).is_some_and(|owned| owned.gives_host))
}

/// What the file at the end of a walk says.
fn learn(end: &Held, look: Look, devices: &Devices) -> Learned {
    // Some files of the kernel's own do something when they are read, or lose what was read.
    if matches!(look, Look::Way) || devices.is_kernels(end) {
        return Learned::Nothing;
    }
    let Ok(mut file) = end.open() else { return Learned::Nothing };
    match look {
        Look::Way => Learned::Nothing,
        Look::Image => {
            let read = super::image::read(&mut file);
            read.map_or(Learned::Nothing, |(image, fault)| Learned::Image(image, fault))
        }
        Look::Contents(contents) => read(file, &contents).unwrap_or(Learned::Nothing),
    }
}

/// The bytes that QEMU decides by, and what is wrong with them.
fn read(mut file: std::fs::File, contents: &Contents) -> Option<Learned> {
    let mut start = Vec::new();
    file.by_ref().take(contents.seen()).read_to_end(&mut start).ok()?;
    let whole = file.read(&mut [0]).ok()? == 0;
    Some(Learned::Contents(Header::of(contents, &start), contents.fault(&start, whole)))
}

#[cfg(test)]
mod tests {
    use super::super::paths::tests::place;
    use super::super::paths::walk;
    use super::*;
    use crate::facts::FileKind;

    #[test]
    fn a_name_that_changes_after_the_look_is_not_opened() {
        let (_keep, root) = place();
        let path = format!("{root}/image");
        std::fs::write(&path, b"QFI\xfb\0\0\0\x01").unwrap();
        let devices = Devices::read();
        let (_, end) = reach(&path, &devices, &mut Seen::default(), 0);
        std::fs::rename(&path, format!("{root}/elsewhere")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let learned = learn(&end.unwrap(), Look::Image, &devices);
        assert!(matches!(learned, Learned::Image(image, _) if image.format == "qcow"));
        let (walk, end) = reach(&path, &devices, &mut Seen::default(), 0);
        assert!(matches!(walk.yes().unwrap().target().unwrap().kind, FileKind::Char(1, 5)));
        assert_eq!(learn(&end.unwrap(), Look::Image, &devices), Learned::Nothing);
    }

    #[test]
    fn a_file_of_the_kernels_own_is_not_read() {
        for path in ["/proc/version", "/sys/kernel/uevent_seqnum"] {
            let found = walk_all(vec![(path.to_owned(), Look::Image)], Duration::from_secs(3), 0);
            let (_, walk, learned) = &found[0];
            assert_eq!(walk.yes().unwrap().target().unwrap().kind, FileKind::File);
            assert_eq!(*learned, Learned::Nothing, "{path}");
        }
    }

    #[test]
    fn what_gives_the_host_away_is_not_read_by_any_name() {
        let (_keep, root) = place();
        let link = format!("{root}/vm.img");
        std::os::unix::fs::symlink("/etc/shadow", &link).unwrap();
        for (path, expected) in
            [("/etc/shadow", true), (&link, true), ("/etc/passwd", false), ("/etc/./shadow", true)]
        {
            assert_eq!(is_secret(path, &walk(path)), expected, "{path}");
        }
        let found = walk_all(vec![(link, Look::Image)], Duration::from_secs(3), 0);
        assert_eq!(found[0].2, Learned::Nothing);
    }

    #[test]
    fn paths_below_one_directory_are_walked_as_each_alone() {
        let (_keep, root) = place();
        std::fs::create_dir_all(format!("{root}/a/b")).unwrap();
        std::fs::write(format!("{root}/a/b/c"), "x").unwrap();
        std::os::unix::fs::symlink("a/b/..", format!("{root}/up")).unwrap();
        let names =
            ["a/b/c", "a/b", "a/b/c/", "up", "up/b/c", "none", "a/none/x", "up/../a/b/../b/c"];
        let paths: Vec<String> = names.iter().map(|name| format!("{root}/{name}")).collect();
        let asked = paths.iter().map(|path| (path.clone(), Look::Way)).collect();
        let found = walk_all(asked, Duration::from_secs(3), 0);
        let alone: Vec<Found> =
            paths.iter().map(|path| (path.clone(), walk(path), Learned::Nothing)).collect();
        assert_eq!(found, alone);
    }
}
