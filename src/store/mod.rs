//! Where a domain comes from and goes to: a file, or libvirt through virsh.

mod file;
mod libvirt;
mod recovery;

use std::path::{Path, PathBuf};

pub use file::{FileSource, load, read_input, save};
pub use libvirt::{LibvirtSource, open};
pub use recovery::rescue;

use crate::error::Error;

/// What saving did.
#[derive(Debug)]
pub enum Saved<S> {
    /// The text was the same; nothing was written.
    Unchanged,
    /// The new text is there.
    Written(S),
    /// It is not the one that was read; nothing was written.
    ChangedOnDisk,
}

impl<S> Saved<S> {
    fn map<T>(self, change: impl FnOnce(S) -> T) -> Saved<T> {
        match self {
            Saved::Unchanged => Saved::Unchanged,
            Saved::Written(source) => Saved::Written(change(source)),
            Saved::ChangedOnDisk => Saved::ChangedOnDisk,
        }
    }
}

/// Where the editor's domain comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file.
    File(FileSource),
    /// A domain that libvirt keeps.
    Libvirt(LibvirtSource),
}

impl Source {
    /// The text as it was read.
    pub fn text(&self) -> &str {
        match self {
            Source::File(file) => &file.text,
            Source::Libvirt(domain) => &domain.text,
        }
    }

    /// What it is called on the screen.
    pub fn title(&self) -> String {
        match self {
            Source::File(file) => file.path.display().to_string(),
            Source::Libvirt(domain) => format!("{} {}", domain.uri, domain.domain),
        }
    }

    /// A file name for its text.
    pub fn file_name(&self) -> PathBuf {
        match self {
            Source::File(file) => file.path.clone(),
            Source::Libvirt(domain) => {
                Path::new(&domain.domain).file_name().map_or("domain".into(), PathBuf::from).with_extension("xml")
            }
        }
    }

    /// Saves; `force` even if somebody else changed it meanwhile.
    ///
    /// # Errors
    /// One sentence; what was there is as it was.
    pub fn save(&self, text: &str, force: bool) -> Result<Saved<Source>, Error> {
        match self {
            Source::File(file) => Ok(file::save(file, text, force)?.map(Source::File)),
            Source::Libvirt(domain) => Ok(libvirt::save(domain, text, force)?.map(Source::Libvirt)),
        }
    }
}
