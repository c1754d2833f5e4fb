//! What is kept, for who looks without a screen: edits that were not saved, texts from before saves.

use super::{Draft, MOST, backups, read_all};
use crate::store::folder::{self, Folder};
use crate::store::lock::{Asked, Holder, Lock};
use crate::store::origin::Origin;
use crate::store::words;

/// Something that `qpt-tui recover` can give back.
#[derive(Debug, Clone)]
pub struct Copy {
    /// What it is called on the command line.
    pub id: String,
    /// What it is a copy of.
    pub of: Origin,
    /// How long ago it was written, in words.
    pub age: String,
    /// What it is.
    pub kind: CopyKind,
    /// Its path, for people.
    pub path: std::path::PathBuf,
}

/// What a copy is.
#[derive(Debug, Clone)]
pub enum CopyKind {
    /// Edits that were not saved; and the session, where it still runs.
    Edits(Draft, Option<Holder>),
    /// The text as it was before a save.
    Backup(String),
    /// A journal that can't be read.
    Damaged,
}

impl Copy {
    /// The text, where there is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            CopyKind::Edits(draft, _) => Some(&draft.text),
            CopyKind::Backup(text) => Some(text),
            CopyKind::Damaged => None,
        }
    }
}

/// All copies that there are, by what they are of, the newest first.
///
/// # Errors
/// When the state directory can't be used, in one sentence.
pub fn copies() -> Result<Vec<Copy>, String> {
    let path = folder::state_path()?;
    if !path.exists() {
        return Ok(Vec::new());
    }
    let state = Folder::state()?;
    let mut found = Vec::new();
    for folder_name in state.names() {
        let Some(folder) = state.existing(&folder_name) else { continue };
        let digest = folder_name.rsplit('-').next().unwrap_or_default();
        let short = digest.get(..8).unwrap_or(digest);
        let holder = match Lock::ask(&folder) {
            Ok(Asked::Ours(lock)) => {
                lock.release(&folder);
                None
            }
            Ok(Asked::Held(holder)) => Some(holder),
            Err(_) => None,
        };
        let described =
            folder.read("of.json", MOST).ok().and_then(|bytes| serde_json::from_slice::<Origin>(&bytes).ok());
        let Some(of) = described else { continue };
        let age = |name: &str| folder.age(name).map(words::duration).unwrap_or_default();
        let mut add = |id: String, name: &str, kind: CopyKind| {
            found.push(Copy { id, of: of.clone(), age: age(name), kind, path: folder.path(name) });
        };
        let (kept, mut damaged) = read_all(&folder);
        damaged.extend(folder.names().into_iter().filter(|name| name.starts_with("damaged-")));
        for (index, one) in kept.into_iter().enumerate() {
            let running = holder.clone().filter(|holder| holder.process == one.process);
            let id = if index == 0 { short.to_owned() } else { format!("{short}.e{index}") };
            add(id, &one.name.clone(), CopyKind::Edits(one.draft, running));
        }
        for (index, name) in backups(&folder).iter().rev().enumerate() {
            let bytes = folder.read(name, MOST).unwrap_or_default();
            let id = format!("{short}.{}", index + 1);
            match String::from_utf8(bytes) {
                Ok(text) => add(id, name, CopyKind::Backup(text)),
                Err(_) => add(id, name, CopyKind::Damaged),
            }
        }
        for (index, name) in damaged.iter().enumerate() {
            add(format!("{short}.d{index}"), name, CopyKind::Damaged);
        }
    }
    Ok(found)
}

/// Takes a copy away.
///
/// # Errors
/// When it can't be removed.
pub fn remove_copy(copy: &Copy) -> std::io::Result<()> {
    std::fs::remove_file(&copy.path)
}
