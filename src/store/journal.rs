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

mod copies;
mod writer;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::folder::{Folder, SCRATCH, leading_number, said};
use super::lock::{Asked, Holder, Lock, Stands, is_alive};
use super::origin::Origin;
use super::watch;
use writer::Writer;

pub use copies::{Copies, Copy, CopyKind, copies, hint_before_link, hint_for, remove_copy};

/// Texts kept from before saves, for each file.
const BACKUPS: usize = 5;
/// Journals and backups older than this are removed.
const LIMIT: Duration = Duration::from_secs(30 * 86_400);
/// The longest journal that is read: a document of 10 MiB twice, escaped.
const MOST: u64 = 160 << 20;
/// How long who takes over may need between the removal of the lock's file and its own.
const REMADE: Duration = Duration::from_millis(50);
/// The form of the file; another one is kept aside.
const VERSION: u32 = 1;

/// What would be lost if the session ended now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The text that the edits started from: what the file, or libvirt, holds.
    pub opened: Arc<str>,
    /// The text as it stands.
    pub text: Arc<str>,
    /// What is being typed.
    pub typed: Option<Typed>,
    /// The text is in the file that virsh reads when the session ends; libvirt may have it or not.
    pub handed: bool,
}

/// Text that is typed and not yet taken over into the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Typed {
    /// In the form of an entry.
    Form {
        /// `args`, `envs` or `extras`.
        list: String,
        /// The first entry that it replaces, or the place where it goes in.
        start: usize,
        /// The place after the last entry that it replaces; `start` for a new one.
        end: usize,
        /// The two fields.
        fields: [String; 2],
        /// The field that takes the keys.
        focus: usize,
        /// It says what it was opened with: it is kept only for what the user's own editor may make of it.
        #[serde(default)]
        untouched: bool,
    },
    /// What is to be imported.
    Import(String),
}

/// A journal as it stands on the disk.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    version: u32,
    of: Origin,
    process: u32,
    /// The digest of the text as opened.
    opened_sha256: String,
    opened: String,
    text_sha256: String,
    text: String,
    typed: Option<Typed>,
    #[serde(default)]
    handed: bool,
}

/// Edits of an earlier session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name in the folder.
    pub name: String,
    /// What it is an edit of.
    pub of: Origin,
    /// The process that wrote it.
    pub process: u32,
    /// It still runs: its session was taken over.
    pub running: bool,
    /// How long ago, in words.
    pub age: String,
    /// The edits.
    pub draft: Draft,
}

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

/// A lock is taken also where a thread panicked with it: what it holds is plain values.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The digest of a text, as `sha256sum` prints it.
fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
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
    folder.sweep(LIMIT);
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

/// Takes a folder away that says only what it is about.
fn remove_if_empty(state: &Folder, name: &str, folder: &Folder) {
    if folder.names().iter().all(|name| name == "of.json") {
        folder.remove("of.json");
        state.remove_folder(name);
    }
}

/// Keeps a text that is about to be replaced, for who has no journal.
///
/// # Errors
/// Why it could not be kept, in one sentence.
pub fn backup(origin: &Origin, text: &str) -> Result<std::path::PathBuf, String> {
    let folder = Folder::state()?.inside(&origin.folder_name())?;
    back_up(&folder, origin, text)
}

fn back_up(folder: &Folder, origin: &Origin, text: &str) -> Result<std::path::PathBuf, String> {
    let backups = backups(folder);
    if let Some(last) = backups.last()
        && folder.read(last, MOST).is_ok_and(|bytes| bytes == text.as_bytes())
    {
        return Ok(folder.path(last));
    }
    let now =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    // Two saves in one second come one after the other.
    let newest = backups.last().and_then(|name| seconds(name)).unwrap_or(0);
    let name = format!("backup-{}.xml", now.max(newest + 1));
    let failed =
        |error: std::io::Error| format!("{}: {}", folder.path(&name).display(), said(&error));
    describe(folder, origin).and_then(|()| folder.put(&name, text.as_bytes())).map_err(failed)?;
    for old in backups.iter().rev().skip(BACKUPS - 1) {
        folder.remove(old);
    }
    Ok(folder.path(&name))
}

/// Writes down what the folder is about, where that is not said already.
fn describe(folder: &Folder, origin: &Origin) -> std::io::Result<()> {
    if described(folder).is_some() {
        return Ok(());
    }
    folder.clear_way("of.json");
    folder.put("of.json", &serde_json::to_vec(origin)?)
}

/// What the folder says that it is about.
fn described(folder: &Folder) -> Option<Origin> {
    let bytes = folder.read("of.json", MOST).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The process that writes a journal of this name; zero for another name.
fn writer_of(journal: &str) -> u32 {
    let middle = journal.strip_prefix("journal-").and_then(|rest| rest.split('-').next());
    middle.and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn backups(folder: &Folder) -> Vec<String> {
    folder.names().into_iter().filter(|name| name.starts_with("backup-")).collect()
}

fn seconds(backup: &str) -> Option<u64> {
    backup.strip_prefix("backup-")?.strip_suffix(".xml")?.parse().ok()
}

/// All journals of a folder that can be read, the newest first; and the names of the others.
fn read_all(folder: &Folder) -> (Vec<Kept>, Vec<String>) {
    let (mut kept, mut damaged) = (Vec::new(), Vec::new());
    for name in folder.names().into_iter().filter(|name| name.starts_with("journal-")) {
        match read(folder, &name) {
            Some(one) => kept.push(one),
            None => damaged.push(name),
        }
    }
    let young = |one: &Kept| folder.age(&one.name).unwrap_or(LIMIT);
    kept.sort_by_key(|one| (young(one), std::cmp::Reverse(one.name.clone())));
    (kept, damaged)
}

/// Takes over what the user's own editor wrote for sessions that were killed meanwhile: it belongs into their forms.
fn absorb(folder: &Folder) {
    let scratches = folder.names().into_iter().filter(|name| name.starts_with(SCRATCH));
    for scratch in scratches.collect::<Vec<String>>() {
        let process = leading_number(&scratch[SCRATCH.len()..]);
        if is_alive(process) {
            continue;
        }
        let journal =
            folder.names().into_iter().find(|name| writer_of(name) == process && process != 0);
        let text =
            folder.read(&scratch, MOST).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if let (Some(journal), Ok(text)) = (journal, text)
            && let Some(mut page) = page(folder, &journal)
            && let Some(Typed::Form { fields, focus, untouched, .. }) = &mut page.typed
            && let Some(field) = fields.get_mut(*focus)
        {
            let text = text.trim_end_matches('\n');
            *untouched &= field == text;
            text.clone_into(field);
            // Where it can't be written the scratch file goes all the same, as everything here after its time.
            let written = serde_json::to_vec(&page).map_err(std::io::Error::other);
            if written.and_then(|bytes| folder.put(&journal, &bytes)).is_err() {
                continue;
            }
        }
        folder.remove(&scratch);
    }
}

fn page(folder: &Folder, name: &str) -> Option<Page> {
    let bytes = folder.read(name, MOST).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn read(folder: &Folder, name: &str) -> Option<Kept> {
    let page = page(folder, name)?;
    let whole = page.version == VERSION
        && page.opened_sha256 == sha256(&page.opened)
        && page.text_sha256 == sha256(&page.text);
    if !whole {
        return None;
    }
    let age = folder.age(name).map(super::words::duration)?;
    let is_typed = |typed: &Typed| !matches!(typed, Typed::Form { untouched: true, .. });
    let typed = page.typed.filter(is_typed);
    let draft =
        Draft { opened: page.opened.into(), text: page.text.into(), typed, handed: page.handed };
    let running = is_alive(page.process);
    Some(Kept { name: name.to_owned(), of: page.of, process: page.process, running, age, draft })
}

/// Removes what is older than thirty days, and what killed processes left unfinished, from folders that nobody uses.
pub fn sweep() {
    let Ok(state) = Folder::state() else { return };
    for name in state.names() {
        let Some(Ok(folder)) = state.existing(&name) else { continue };
        // Whoever has the lock sweeps for themselves.
        let Ok(Asked::Ours(lock)) = Lock::ask(&folder) else { continue };
        absorb(&folder);
        folder.sweep(LIMIT);
        lock.release(&folder);
        remove_if_empty(&state, &name, &folder);
    }
}
