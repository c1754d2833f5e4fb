//! What several tests need: the fixtures, and the documents that people published, where they are.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod session;

use std::path::{Path, PathBuf};

/// A file of this repository.
pub(crate) fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn documents(dir: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .filter_map(|path| {
            Some((
                path.file_name()?.to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).ok()?,
            ))
        })
        .collect();
    found.sort();
    found
}

/// The project's own documents, sorted by name.
pub(crate) fn fixtures() -> Vec<(String, String)> {
    documents(&here("tests/fixtures/domains"))
}

/// Documents that people published; they are not part of the repository. `None`, said aloud, where they are absent.
pub(crate) fn corpus() -> Option<Vec<(String, String)>> {
    let dir = here("../shared/corpus");
    if !dir.is_dir() {
        eprintln!("skipped: {} is not here", dir.display());
        return None;
    }
    Some(documents(&dir))
}
