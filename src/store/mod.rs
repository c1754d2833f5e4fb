//! Where a domain comes from and goes to: a file, or libvirt through virsh; and what keeps edits that are not saved.

mod bounded;
mod file;
mod found;
pub mod journal;
mod libvirt;
mod lock;
mod mutex;
mod origin;
mod save;
pub mod watch;
mod words;

use std::path::Path;

pub use bounded::{Bound, read_file, read_input, read_newest, read_start};
pub use file::{FileSource, Theirs, load, new, read_regular};
pub use found::{Found, domains_in};
pub use libvirt::{LibvirtSource, Listed, Runs, Shelf, list, open, peek};
pub use lock::Holder;
pub use origin::{FilePath, Origin};
pub use save::{Keep, SavedAs, await_writing, create_private, protection, save, save_as, sweep};

use crate::error::Error;

/// How a file is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By another file in its place: whoever reads it sees the old text or the new.
    Replace,
    /// By writing into it, after the old text was kept.
    InPlace,
}

/// What saving did.
#[derive(Debug)]
pub enum Saved<S> {
    /// The text was the same; nothing was written.
    Unchanged,
    /// The new text is there; and what is to be said about that.
    Written(S, Option<String>),
    /// Somebody else changed it since it was read; nothing was written.
    ChangedByOthers(Theirs),
    /// The file can't be replaced by another one that is all that it is; why. Nothing was written.
    Irreplaceable(String),
}

impl<S> Saved<S> {
    fn map<T>(self, change: impl FnOnce(S) -> T) -> Saved<T> {
        match self {
            Saved::Unchanged => Saved::Unchanged,
            Saved::Written(source, remark) => Saved::Written(change(source), remark),
            Saved::ChangedByOthers(theirs) => Saved::ChangedByOthers(theirs),
            Saved::Irreplaceable(why) => Saved::Irreplaceable(why),
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

    /// What it is an edit of; `domain` is the domain's name in it.
    pub fn origin(&self, domain: &str) -> Origin {
        match self {
            Source::File(file) => Origin::of_file(&file.real, domain),
            Source::Libvirt(of) => {
                // By its id or UUID it is the same domain.
                let name = if domain.is_empty() { &of.domain } else { domain };
                Origin::Domain { connection: of.uri.clone(), domain: name.to_owned() }
            }
        }
    }

    /// The file whose changes can be watched.
    pub fn watched(&self) -> Option<&Path> {
        match self {
            Source::File(file) => Some(&file.real),
            Source::Libvirt(_) => None,
        }
    }

    /// What somebody else made of it since it was read; `None` where it is as it was.
    ///
    /// # Errors
    /// When libvirt can't be asked, in one sentence.
    pub fn theirs(&self) -> Result<Option<Theirs>, Error> {
        match self {
            Source::File(file) => Ok(file.theirs()),
            Source::Libvirt(domain) => domain.theirs(),
        }
    }

    /// What others made of it is known; the next save may replace it.
    pub fn know(&mut self, theirs: &Theirs) {
        match (self, theirs) {
            (Source::File(file), theirs) => file.know(theirs),
            (Source::Libvirt(domain), Theirs::Text(text)) => domain.text.clone_from(text),
            (Source::Libvirt(_), Theirs::Gone | Theirs::Unreadable(_)) => {}
        }
    }

    /// Saves; what is to be kept of the old text goes through `keep` first.
    ///
    /// # Errors
    /// One sentence that says what is there now.
    pub fn save(&self, text: &str, way: Way, keep: Keep<'_>) -> Result<Saved<Source>, Error> {
        match self {
            Source::File(file) => Ok(save::save(file, text, way, keep)?.map(Source::File)),
            Source::Libvirt(domain) => Ok(libvirt::save(domain, text, keep)?.map(Source::Libvirt)),
        }
    }
}
