//! What is kept, for who looks without a screen: edits that were not saved, texts from before saves.

use std::path::{Path, PathBuf};

use super::backups::{backups, described};
use super::page::{Draft, MOST, absorb, read_all};
use crate::folder::{self, Folder};
use crate::store::lock::{Asked, Holder, Lock};
use crate::store::origin::Origin;
use crate::store::words;

/// Something that `qpt-tui recover` can give back.
#[derive(Debug, Clone)]
pub struct Copy {
    /// What it is called on the command line.
    pub id: String,
    /// What it is a copy of; nothing where that can't be read any more.
    pub of: Option<Origin>,
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
    /// What it is a copy of, for people.
    pub fn title(&self) -> String {
        self.of.as_ref().map_or_else(|| "of what is not known any more".to_owned(), Origin::title)
    }

    /// The text, where there is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            CopyKind::Edits(draft, _) => Some(&draft.text),
            CopyKind::Backup(text) => Some(text),
            CopyKind::Damaged => None,
        }
    }

    /// Whether it is a copy of the file at this path: of the one that it leads to, or of one that was there before a link.
    pub fn is_of(&self, path: &Path) -> bool {
        let Some(Origin::File(of)) = &self.of else { return false };
        let of = of.path();
        of == real_path(path) || of == unfollowed(path)
    }
}

/// All copies that there are.
#[derive(Debug, Default)]
pub struct Copies {
    /// By what they are of, the newest first.
    pub copies: Vec<Copy>,
    /// Folders that are not looked into; why, each in one sentence.
    pub unusable: Vec<String>,
}

/// Looks for copies.
///
/// # Errors
/// When the state directory can't be used, in one sentence.
pub fn copies() -> Result<Copies, String> {
    let mut found = Copies::default();
    if folder::state_path()?.symlink_metadata().is_err() {
        return Ok(found);
    }
    let state = Folder::state()?;
    for name in state.names() {
        match state.existing(&name) {
            Some(Ok(folder)) => found.copies.extend(of_folder(&folder, &name)),
            Some(Err(why)) => found.unusable.push(why),
            None => {}
        }
    }
    Ok(found)
}

/// The copies in the folder of one file or domain.
fn of_folder(folder: &Folder, folder_name: &str) -> Vec<Copy> {
    let digest = folder_name.rsplit('-').next().unwrap_or_default();
    let short = digest.get(..8).unwrap_or(digest);
    let holder = match Lock::ask(folder) {
        Ok(Asked::Ours(lock)) => {
            lock.release(folder);
            None
        }
        Ok(Asked::Held(holder)) => Some(holder),
        Err(_) => None,
    };
    if holder.is_none() {
        absorb(folder);
    }
    let (kept, mut damaged) = read_all(folder);
    damaged.extend(folder.names().into_iter().filter(|name| name.starts_with("damaged-")));
    // Each journal says it too.
    let of = described(folder).or_else(|| kept.first().map(|one| one.of.clone()));
    let copy = |id: String, name: &str, kind: CopyKind| {
        let age = folder.age(name).map(words::duration).unwrap_or_default();
        Copy { id, of: of.clone(), age, kind, path: folder.path(name) }
    };
    let mut found = Vec::new();
    for (index, one) in kept.into_iter().enumerate() {
        let running = holder.clone().filter(|holder| holder.process == one.process);
        let id = if index == 0 { short.to_owned() } else { format!("{short}.e{index}") };
        found.push(copy(id, &one.name, CopyKind::Edits(one.draft, running)));
    }
    for (index, name) in backups(folder).iter().rev().enumerate() {
        let text = String::from_utf8(folder.read(name, MOST).unwrap_or_default());
        found.push(copy(
            format!("{short}.{}", index + 1),
            name,
            text.map_or(CopyKind::Damaged, CopyKind::Backup),
        ));
    }
    for (index, name) in damaged.iter().enumerate() {
        found.push(copy(format!("{short}.d{index}"), name, CopyKind::Damaged));
    }
    found
}

/// Takes a copy away.
///
/// # Errors
/// When it can't be removed.
pub fn remove_copy(copy: &Copy) -> std::io::Result<()> {
    std::fs::remove_file(&copy.path)
}

/// A path with links followed, also where the file itself is gone.
fn real_path(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| unfollowed(path))
}

/// A path with links followed but for the last part.
fn unfollowed(path: &Path) -> PathBuf {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    match (std::fs::canonicalize(parent), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// The hint for a file that can't be opened, or was another before it became a link, and of which something is kept.
pub fn hint_for(path: &Path) -> Option<String> {
    let found = copies().ok()?;
    let copy = found.copies.iter().find(|copy| copy.is_of(path))?;
    Some(format!("a copy of it is kept: qpt-tui recover {} --output FILE", copy.id))
}

/// The hint about edits of a file that stood here before a link did.
pub fn hint_before_link(path: &Path) -> Option<String> {
    let own = unfollowed(path);
    if std::fs::canonicalize(path).is_ok_and(|real| real == own) {
        return None;
    }
    let found = copies().ok()?;
    let is_edit = |copy: &&Copy| matches!(copy.kind, CopyKind::Edits(_, None));
    let before = |copy: &&Copy| matches!(&copy.of, Some(Origin::File(of)) if of.path() == own);
    let copy = found.copies.iter().find(|copy| is_edit(copy) && before(copy))?;
    Some(format!("edits of what was here before this link are kept: qpt-tui recover {}", copy.id))
}
