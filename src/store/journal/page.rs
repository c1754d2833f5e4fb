//! A journal as it stands on the disk, and what is read from it: the edits of a session that are not saved.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::folder::{Folder, SCRATCH, leading_number};
use crate::store::lock::is_alive;
use crate::store::origin::Origin;
use crate::store::words;

/// Journals and backups older than this are removed.
pub(super) const LIMIT: Duration = Duration::from_secs(30 * 86_400);
/// The longest journal that is read: a document of 10 MiB twice, escaped.
pub(super) const MOST: u64 = 160 << 20;
/// The form of the file; another one is kept aside.
pub(super) const VERSION: u32 = 1;

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
pub(super) struct Page {
    pub(super) version: u32,
    pub(super) of: Origin,
    pub(super) process: u32,
    /// The digest of the text as opened.
    pub(super) opened_sha256: String,
    pub(super) opened: String,
    pub(super) text_sha256: String,
    pub(super) text: String,
    pub(super) typed: Option<Typed>,
    #[serde(default)]
    pub(super) handed: bool,
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

/// The digest of a text, as `sha256sum` prints it.
pub(super) fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// All journals of a folder that can be read, the newest first; and the names of the others.
pub(super) fn read_all(folder: &Folder) -> (Vec<Kept>, Vec<String>) {
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
pub(super) fn absorb(folder: &Folder) {
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
    let age = folder.age(name).map(words::duration)?;
    let is_typed = |typed: &Typed| !matches!(typed, Typed::Form { untouched: true, .. });
    let typed = page.typed.filter(is_typed);
    let draft =
        Draft { opened: page.opened.into(), text: page.text.into(), typed, handed: page.handed };
    let running = is_alive(page.process);
    Some(Kept { name: name.to_owned(), of: page.of, process: page.process, running, age, draft })
}

/// The process that writes a journal of this name; zero for another name.
pub(super) fn writer_of(journal: &str) -> u32 {
    let middle = journal.strip_prefix("journal-").and_then(|rest| rest.split('-').next());
    middle.and_then(|number| number.parse().ok()).unwrap_or_default()
}
