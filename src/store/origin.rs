//! What a domain's text is an edit of: a file, or a domain that libvirt keeps.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What is edited. Two directories' `vm.xml` are two, one file under two names is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A file, by its path with links followed.
    File(FilePath),
    /// A domain of a connection.
    Domain {
        /// Such as `qemu:///system`.
        connection: String,
        /// Its name, id or UUID, as it was given.
        domain: String,
    },
    /// The temporary file of `virsh edit`, whose name is another each time: the domain in it.
    VirshEdit {
        /// The domain's name.
        domain: String,
    },
}

/// A path in JSON: text where it is UTF-8, its bytes otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FilePath {
    /// As text.
    Text(String),
    /// As bytes.
    Bytes(Vec<u8>),
}

impl FilePath {
    /// The path for JSON.
    pub fn of(path: &Path) -> FilePath {
        match path.to_str() {
            Some(text) => FilePath::Text(text.to_owned()),
            None => FilePath::Bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }

    /// The path for the system.
    pub fn path(&self) -> PathBuf {
        match self {
            FilePath::Text(text) => PathBuf::from(text),
            FilePath::Bytes(bytes) => PathBuf::from(OsStr::from_bytes(bytes)),
        }
    }
}

impl Origin {
    /// What is edited when a file with this real path holds the domain `domain`.
    pub fn of_file(real: &Path, domain: &str) -> Origin {
        if is_virsh_edit(real) && !domain.is_empty() {
            return Origin::VirshEdit { domain: domain.to_owned() };
        }
        Origin::File(FilePath::of(real))
    }

    /// Whether virsh reads the file when we end, defines the domain and removes it.
    pub fn is_of_virsh(&self) -> bool {
        matches!(self, Origin::VirshEdit { .. })
    }

    /// What it is called.
    pub fn title(&self) -> String {
        match self {
            Origin::File(path) => path.path().display().to_string(),
            Origin::Domain { connection, domain } => format!("{connection} {domain}"),
            Origin::VirshEdit { domain } => format!("virsh edit {domain}"),
        }
    }

    /// A file name for it: what people recognise, and a digest that tells it from all others.
    pub(super) fn folder_name(&self) -> String {
        let (kind, parts) = match self {
            Origin::File(path) => ("file", vec![path.path().into_os_string()]),
            Origin::Domain { connection, domain } => {
                ("domain", vec![connection.into(), domain.into()])
            }
            Origin::VirshEdit { domain } => ("virsh-edit", vec![domain.into()]),
        };
        let mut digest = Sha256::new();
        digest.update(kind);
        for part in &parts {
            digest.update([0]);
            digest.update(part.as_bytes());
        }
        let last = parts.last().map(PathBuf::from).unwrap_or_default();
        let name = last.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let name: String = name.trim_start_matches('.').chars().filter(plain).take(40).collect();
        let digest: String =
            digest.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        format!("{name}-{digest}")
    }
}

/// Whether a file is one that `virsh edit` makes for its editor: `virshXXXXXX.xml` in the directory of temporary files
/// (vshEditWriteToTempFile, tools/vsh.c).
fn is_virsh_edit(real: &Path) -> bool {
    let temporary = std::env::temp_dir();
    let there = std::fs::canonicalize(&temporary).unwrap_or(temporary);
    let name = real.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let middle = name.strip_prefix("virsh").and_then(|rest| rest.strip_suffix(".xml"));
    let random = middle.is_some_and(|letters| {
        letters.len() == 6 && letters.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    random && real.parent() == Some(&there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_files_apart_and_stay_short() {
        let long = "x".repeat(255);
        let origins = [
            Origin::of_file(Path::new("/a/vm.xml"), "vm"),
            Origin::of_file(Path::new("/b/vm.xml"), "vm"),
            Origin::of_file(&Path::new("/b").join(long), "vm"),
            Origin::Domain { connection: "qemu:///system".to_owned(), domain: "vm".to_owned() },
            Origin::Domain { connection: "qemu:///session".to_owned(), domain: "vm".to_owned() },
            Origin::VirshEdit { domain: "vm".to_owned() },
            Origin::of_file(Path::new(OsStr::from_bytes(b"/b/\xff.xml")), "vm"),
        ];
        let names: std::collections::BTreeSet<String> =
            origins.iter().map(Origin::folder_name).collect();
        assert_eq!(names.len(), origins.len());
        assert!(names.iter().all(|name| name.len() <= 65), "{names:?}");
        for origin in &origins {
            let text = serde_json::to_string(origin).unwrap();
            assert_eq!(&serde_json::from_str::<Origin>(&text).unwrap(), origin, "{text}");
        }
    }

    #[test]
    fn the_file_of_virsh_edit_is_known() {
        let temporary = std::fs::canonicalize(std::env::temp_dir()).unwrap();
        let virsh = Origin::of_file(&temporary.join("virshA1b2C3.xml"), "win11");
        assert_eq!(virsh, Origin::VirshEdit { domain: "win11".to_owned() });
        assert!(!Origin::of_file(&temporary.join("virshA1b2.xml"), "win11").is_of_virsh());
        assert!(!Origin::of_file(Path::new("/srv/virshA1b2C3.xml"), "win11").is_of_virsh());
    }
}
