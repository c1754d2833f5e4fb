//! Who edits a file at the moment: a lock that goes away with its process, whatever ends it.
//!
//! The lock is `flock(2)` on a file of the state directory, which holds the number of the process. Who takes over puts
//! another file in its place; the earlier owner sees that by the inode.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{FlockOperation, OFlags};

use crate::folder::Folder;

const NAME: &str = "lock";
/// Between two tries.
const MOMENT: std::time::Duration = std::time::Duration::from_millis(5);
/// How often it is asked for while it comes and goes.
const TRIES: usize = 40;

/// Our own lock.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// The process that has the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number; zero where it is not known: a full disk, or a process of another container.
    pub process: u32,
    /// For how long it has had the lock, in words.
    pub since: String,
}

impl Holder {
    /// What it is called in a sentence.
    pub fn who(&self) -> String {
        if self.process == 0 {
            "another process".to_owned()
        } else {
            format!("process {}", self.process)
        }
    }
}

/// What came of asking for the lock.
#[derive(Debug)]
pub(super) enum Asked {
    Ours(Lock),
    Held(Holder),
}

/// What became of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    Ours,
    /// Another session put its own in its place.
    TakenOver,
    /// Somebody removed its file.
    Gone,
}

impl Lock {
    /// Asks for the lock of a folder. A holder that has ended is no holder: a program that it was starting when it was killed
    /// may have the lock for a moment longer.
    ///
    /// # Errors
    /// When the file of the lock can't be made. A file system without locks gives one that holds nobody up.
    pub(super) fn ask(folder: &Folder) -> io::Result<Asked> {
        folder.clear_way(NAME);
        let mut dead = None;
        // Whoever leaves takes the file away, perhaps between our opening and our locking it: then it is tried again.
        for _ in 0..TRIES {
            let mut file = folder.file(NAME, OFlags::RDWR | OFlags::CREATE)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(())
                | Err(
                    rustix::io::Errno::NOLCK | rustix::io::Errno::NOTSUP | rustix::io::Errno::NOSYS,
                ) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let holder = holder(folder, &mut file);
                    if holder.process == 0 || is_alive(holder.process) {
                        return Ok(Asked::Held(holder));
                    }
                    dead = Some(holder);
                    std::thread::sleep(MOMENT);
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if folder.inode(NAME)? == Some(file.metadata()?.ino()) {
                // On a full disk nobody learns our number; the lock holds all the same.
                let _ = file
                    .set_len(0)
                    .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
                return Ok(Asked::Ours(Lock { file }));
            }
        }
        // Somebody has it whose number means nothing here.
        match dead {
            Some(holder) => Ok(Asked::Held(Holder { process: 0, ..holder })),
            None => Err(io::Error::other("the lock comes and goes")),
        }
    }

    /// Takes the lock from whoever has it; they see it by [`Lock::is_ours`].
    ///
    /// # Errors
    /// As [`Lock::ask`], or when somebody else was quicker.
    pub(super) fn take_over(folder: &Folder) -> io::Result<Lock> {
        folder.remove(NAME);
        match Lock::ask(folder)? {
            Asked::Ours(lock) => Ok(lock),
            Asked::Held(holder) => Err(io::Error::other(format!("{} was quicker", holder.who()))),
        }
    }

    /// Whether nobody took it over, as far as the file system tells.
    pub(super) fn is_ours(&self, folder: &Folder) -> bool {
        self.stands(folder) != Stands::TakenOver
    }

    /// What became of the lock since it was had.
    pub(super) fn stands(&self, folder: &Folder) -> Stands {
        match (self.file.metadata(), folder.inode(NAME)) {
            (Ok(own), Ok(Some(now))) if own.ino() != now => Stands::TakenOver,
            (_, Ok(None)) => Stands::Gone,
            // Who can't be asked has not said that somebody took over.
            _ => Stands::Ours,
        }
    }

    /// The process that took it over.
    pub(super) fn successor(folder: &Folder) -> u32 {
        folder.file(NAME, OFlags::RDONLY).map(|mut file| number(&mut file)).unwrap_or_default()
    }

    /// Gives it back.
    pub(super) fn release(self, folder: &Folder) {
        if self.is_ours(folder) {
            folder.remove(NAME);
        }
    }
}

/// Whether a process runs; one that ended and was not waited for does not (its `exe` is gone, proc(5)).
pub(super) fn is_alive(process: u32) -> bool {
    let exe = std::fs::read_link(format!("/proc/{process}/exe"));
    !exe.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn number(file: &mut File) -> u32 {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    read.ok().and_then(|_| text.trim().parse().ok()).unwrap_or_default()
}

fn holder(folder: &Folder, file: &mut File) -> Holder {
    let since = folder.age(NAME).map_or_else(|| "some time".to_owned(), super::words::duration);
    Holder { process: number(file), since }
}
