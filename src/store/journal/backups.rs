//! Texts as they were before saves, and what a folder says that it is about.

use std::time::SystemTime;

use super::page::MOST;
use crate::folder::{Folder, said};
use crate::store::origin::Origin;

/// Texts kept from before saves, for each file.
const BACKUPS: usize = 5;

/// Keeps a text that is about to be replaced, for who has no journal.
///
/// # Errors
/// Why it could not be kept, in one sentence.
pub fn backup(origin: &Origin, text: &str) -> Result<std::path::PathBuf, String> {
    let folder = Folder::state()?.inside(&origin.folder_name())?;
    back_up(&folder, origin, text)
}

pub(super) fn back_up(
    folder: &Folder,
    origin: &Origin,
    text: &str,
) -> Result<std::path::PathBuf, String> {
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
pub(super) fn describe(folder: &Folder, origin: &Origin) -> std::io::Result<()> {
    if described(folder).is_some() {
        return Ok(());
    }
    folder.clear_way("of.json");
    folder.put("of.json", &serde_json::to_vec(origin)?)
}

/// What the folder says that it is about.
pub(super) fn described(folder: &Folder) -> Option<Origin> {
    let bytes = folder.read("of.json", MOST).ok()?;
    serde_json::from_slice(&bytes).ok()
}

pub(super) fn backups(folder: &Folder) -> Vec<String> {
    folder.names().into_iter().filter(|name| name.starts_with("backup-")).collect()
}

fn seconds(backup: &str) -> Option<u64> {
    backup.strip_prefix("backup-")?.strip_suffix(".xml")?.parse().ok()
}
