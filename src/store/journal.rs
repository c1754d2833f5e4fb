//! The journal: unsaved edits, on disk within a moment of being made, so that whatever ends the session leaves them whole.
//!
//! ```text
//! ~/.local/state/qpt-tui/NAME-DIGEST/      one folder for each file or domain that is edited
//!     of.json                              which one
//!     lock                                 who edits it now
//!     journal-PROCESS-TIME.json            the edits of one session that are not saved
//!     damaged-…                            one that could not be read
//!     backup-SECONDS.xml                   a text as it was before a save, the last five
//! ```
//! A thread of its own writes, so that a slow disk never holds a key up. Each session writes its own file and replaces it
//! whole: neither a kill nor a second session damages what is there.

mod backups;
mod copies;
mod page;
mod writer;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::lock::{Asked, Holder, Lock, Stands, is_alive};
use super::mutex::locked;
use super::origin::Origin;
use super::watch;
use crate::folder::{Folder, SCRATCH, said};
use backups::back_up;
use page::{LIMIT, absorb, read_all, writer_of};
use writer::Writer;

pub use backups::backup;
pub use copies::{Copies, Copy, CopyKind, copies, hint_before_link, hint_for, remove_copy};
pub use page::{Draft, Kept, Typed};

/// How long who takes over may need between the removal of the lock's file and its own.
const REMADE: Duration = Duration::from_millis(50);
/// What came of opening a journal.
#[derive(Debug)]
pub enum Opened {
    /// It is ours.
    Ready(Journal),
    /// Another session edits the same; the journal is had by [`Busy::take_over`].
    Busy(Busy),
    /// Edits can't be kept; why, in one sentence.
    Unkept(String),
}

/// A journal that another session has.
#[derive(Debug)]
pub struct Busy {
    /// That session.
    pub holder: Holder,
    folder: Folder,
    origin: Origin,
}

impl Busy {
    /// Takes it over; the other session is told, and can't save any more.
    ///
    /// # Errors
    /// One sentence.
    pub fn take_over(self) -> Result<Journal, String> {
        let lock = Lock::take_over(&self.folder).map_err(|error| said(&error))?;
        Ok(Journal::start(self.folder, Some(lock), self.origin))
    }

    /// A journal beside that of the other session: edits are kept, though they can't be saved there.
    pub fn beside(self) -> Journal {
        Journal::start(self.folder, None, self.origin)
    }
}

/// What the journal tells the editor unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Edits are not kept since a moment ago; why.
    Failed(String),
    /// They are again.
    Works,
    /// Another session took over: its process. Edits are still kept; they can't be saved.
    TakenOver(u32),
}

/// What the writing thread is to do next.
#[derive(Debug)]
enum Order {
    Keep(Draft),
    Forget,
}

#[derive(Default)]
struct Desk {
    order: Option<Order>,
    given: u64,
    done: u64,
    failed: Option<String>,
}

/// The journal of this session; a clone is another handle of the same.
#[derive(Clone)]
pub struct Journal {
    folder: Folder,
    origin: Origin,
    lock: Arc<Mutex<Option<Lock>>>,
    name: String,
    desk: Arc<(Mutex<Desk>, Condvar)>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Opens the journal of what is to be edited.
pub fn open(origin: &Origin) -> Opened {
    let folder = match Folder::state().and_then(|state| state.inside(&origin.folder_name())) {
        Ok(folder) => folder,
        Err(why) => return Opened::Unkept(why),
    };
    let lock = match Lock::ask(&folder) {
        Ok(Asked::Ours(lock)) => lock,
        Ok(Asked::Held(holder)) => {
            return Opened::Busy(Busy { holder, folder, origin: origin.clone() });
        }
        Err(error) => {
            return Opened::Unkept(format!("{}: {}", said(&error), folder.path("lock").display()));
        }
    };
    absorb(&folder);
    folder.sweep(LIMIT, &is_alive);
    Opened::Ready(Journal::start(folder, Some(lock), origin.clone()))
}

impl Journal {
    fn start(folder: Folder, lock: Option<Lock>, origin: Origin) -> Journal {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let name = format!("journal-{}-{}.json", std::process::id(), now.as_micros());
        Journal { folder, origin, lock: Arc::new(Mutex::new(lock)), name, desk: Arc::default() }
    }

    /// Starts the threads that write, and that see whether another session takes over; `tell` gets the news.
    pub fn run(&self, tell: impl Fn(News) + Clone + Send + 'static) {
        if locked(&self.lock).is_some() {
            let (journal, tell) = (self.clone(), tell.clone());
            watch::watch(&self.folder.path("lock"), watch::Of::Presence, move || {
                journal.look_at_lock(&tell)
            });
        }
        let (watch, told) = (Writer(self.clone()), tell.clone());
        std::thread::spawn(move || watch.watch(&told));
        let writer = Writer(self.clone());
        std::thread::spawn(move || writer.work(&tell));
    }

    /// The file of the lock was touched; whether it is to be watched any longer.
    fn look_at_lock(&self, tell: &dyn Fn(News)) -> bool {
        let mut lock = locked(&self.lock);
        let Some(own) = lock.as_ref() else { return false };
        match own.stands(&self.folder) {
            Stands::Ours => true,
            Stands::TakenOver => {
                drop(lock);
                tell(News::TakenOver(Lock::successor(&self.folder)));
                false
            }
            // Somebody removed its file; whoever takes over makes another one at once, and is seen then.
            Stands::Gone => {
                std::thread::sleep(REMADE);
                if own.stands(&self.folder) == Stands::Gone
                    && let Ok(Asked::Ours(new)) = Lock::ask(&self.folder)
                {
                    *lock = Some(new);
                }
                true
            }
        }
    }

    /// Has a draft written; returns at once. One that was not yet begun is left out for this one.
    pub fn keep(&self, draft: Draft) {
        self.give(Order::Keep(draft));
    }

    /// There is nothing to keep any more.
    pub fn forget(&self) {
        self.give(Order::Forget);
    }

    fn give(&self, order: Order) {
        let (desk, bell) = &*self.desk;
        let mut desk = locked(desk);
        desk.order = Some(order);
        desk.given += 1;
        bell.notify_all();
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Why it is not, in one sentence.
    pub fn flush(&self, patience: Duration) -> Result<(), String> {
        let (desk, bell) = &*self.desk;
        let deadline = Instant::now() + patience;
        let mut desk = locked(desk);
        // Whoever waits before trying again tries now.
        bell.notify_all();
        loop {
            if desk.done == desk.given {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let why = desk.failed.clone();
                return Err(why.unwrap_or_else(|| "the disk did not answer in time".to_owned()));
            }
            desk = bell.wait_timeout(desk, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Edits of other sessions, the newest first; and the paths of damaged ones, which are kept aside.
    pub fn left_over(&self) -> (Vec<Kept>, Vec<std::path::PathBuf>) {
        let (mut kept, damaged) = read_all(&self.folder);
        kept.retain(|one| one.name != self.name);
        let aside = damaged.iter().map(|name| {
            let new = name.replacen("journal", "damaged", 1);
            match self.folder.rename(name, &new) {
                Ok(()) => self.folder.path(&new),
                Err(_) => self.folder.path(name),
            }
        });
        (kept, aside.collect())
    }

    /// Goes on with the edits of an earlier session: its file is this one's from now on.
    pub fn adopt(&self, name: &str) {
        // Where that fails both stay, and the next start sees both.
        let _ = self.folder.rename(name, &self.name);
    }

    /// Takes edits of an earlier session away for good.
    pub fn discard(&self, name: &str) {
        self.folder.remove(name);
    }

    /// Takes the edits of all earlier sessions away: what the user wanted of them is saved. A session that still runs, though
    /// it was taken over, keeps its own.
    pub fn discard_all(&self) {
        for name in self.folder.names() {
            if name.starts_with("journal-") && name != self.name && !is_alive(writer_of(&name)) {
                self.folder.remove(&name);
            }
        }
    }

    /// Keeps the text that a save is about to replace.
    ///
    /// # Errors
    /// Why it could not be kept, in one sentence.
    pub fn backup(&self, text: &str) -> Result<std::path::PathBuf, String> {
        back_up(&self.folder, &self.origin, text)
    }

    /// Whether what was given last is on the disk still: who took over may have taken the edits too.
    pub fn is_there(&self) -> bool {
        self.folder.inode(&self.name).is_ok_and(|found| found.is_some())
    }

    /// Whether this session is the one that may save.
    pub fn is_ours(&self) -> bool {
        locked(&self.lock).as_ref().is_some_and(|lock| lock.is_ours(&self.folder))
    }

    /// A file for a text that goes through the user's editor, in a folder that is ours alone.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn scratch(&self) -> std::io::Result<(std::path::PathBuf, std::fs::File)> {
        use rustix::fs::OFlags;
        let name = format!("{SCRATCH}{}.txt", std::process::id());
        self.folder.remove(&name);
        let file = self.folder.file(&name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
        Ok((self.folder.path(&name), file))
    }

    /// Ends the journal; `clean` where nothing is to be offered. What is empty then is removed.
    ///
    /// # Errors
    /// Why the last draft is not written, in one sentence.
    pub fn close(&self, clean: bool, patience: Duration) -> Result<(), String> {
        if clean {
            self.forget();
        }
        let flushed = self.flush(patience);
        let lock = locked(&self.lock).take();
        if let Some(lock) = lock {
            lock.release(&self.folder);
        }
        if let Ok(state) = Folder::state() {
            remove_if_empty(&state, &self.origin.folder_name(), &self.folder);
        }
        flushed
    }
}

/// A file for a text that goes through the user's editor, where no journal is kept: of a name that nobody can foretell.
///
/// # Errors
/// When it can't be made.
pub fn scratch_elsewhere() -> std::io::Result<(std::path::PathBuf, std::fs::File)> {
    let made = tempfile::Builder::new()
        .prefix("qpt-tui-")
        .suffix(".txt")
        .tempfile_in(crate::folder::temporary())?;
    let (file, path) = made.keep()?;
    Ok((path, file))
}

/// Takes a folder away that says only what it is about.
fn remove_if_empty(state: &Folder, name: &str, folder: &Folder) {
    if folder.names().iter().all(|name| name == "of.json") {
        folder.remove("of.json");
        state.remove_folder(name);
    }
}

/// Removes what is older than thirty days, and what killed processes left unfinished, from folders that nobody uses.
pub fn sweep() {
    let Ok(state) = Folder::state() else { return };
    for name in state.names() {
        let Some(Ok(folder)) = state.existing(&name) else { continue };
        // Whoever has the lock sweeps for themselves.
        let Ok(Asked::Ours(lock)) = Lock::ask(&folder) else { continue };
        absorb(&folder);
        folder.sweep(LIMIT, &is_alive);
        lock.release(&folder);
        remove_if_empty(&state, &name, &folder);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_text_for_the_editor_has_a_name_that_nobody_foretells_and_is_ours_alone() {
        let [one, two] = [super::scratch_elsewhere().unwrap(), super::scratch_elsewhere().unwrap()];
        let process = std::process::id().to_string();
        for (path, file) in [&one, &two] {
            let name = path.file_name().unwrap().to_str().unwrap();
            assert_ne!(name, format!("qpt-tui-{process}.txt"));
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
            std::fs::remove_file(path).unwrap();
        }
        assert_ne!(one.0, two.0);
    }
}
