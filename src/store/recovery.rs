//! Unsaved work when the session is cut off: it is put where the user finds it.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes unsaved text into the user's state directory, readable by nobody else, and says where.
///
/// # Errors
/// When there is no such directory or it can't be written.
pub fn rescue(original: &Path, text: &str) -> std::io::Result<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "qpt-tui")
        .ok_or_else(|| std::io::Error::other("there is no home directory"))?;
    let dir = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).join("recovered");
    std::fs::create_dir_all(&dir)?;
    let name = original.file_name().map_or_else(|| "domain.xml".to_owned(), |name| name.to_string_lossy().into_owned());
    for attempt in 0..1000_u32 {
        let path = dir.join(format!("{}-{attempt}-{name}", std::process::id()));
        match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::other("too many recovered files"))
}
