//! The rows of the chooser: what can be opened.

use std::path::PathBuf;

use super::Outlook;
use crate::store::{Listed, Runs};

/// Something that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A domain that libvirt keeps.
    Domain {
        /// The connection.
        uri: String,
        /// The domain.
        listed: Listed,
    },
    /// A file that holds a domain.
    File(PathBuf),
    /// The sample domain.
    Demo,
}

/// How things are judged: each kind by a thread of its own, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Files.
    Files,
    /// Domains, about which virsh has to be asked.
    Domains,
}

impl Item {
    /// The same thing, whatever was learned of it since.
    pub fn is(&self, other: &Item) -> bool {
        match (self, other) {
            (Item::Domain { uri, listed }, Item::Domain { uri: its, listed: other }) => {
                uri == its && listed.uuid == other.uuid
            }
            (Item::File(path), Item::File(other)) => path == other,
            (Item::Demo, Item::Demo) => true,
            (Item::Domain { .. } | Item::File(_) | Item::Demo, _) => false,
        }
    }

    /// Who judges it; nobody judges the sample.
    pub fn lane(&self) -> Option<Lane> {
        match self {
            Item::Domain { .. } => Some(Lane::Domains),
            Item::File(_) => Some(Lane::Files),
            Item::Demo => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> String {
        match self {
            Item::Domain { listed, .. } => listed.name.clone(),
            Item::File(path) => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            Item::Demo => "a sample (--demo)".to_owned(),
        }
    }

    /// Whether it is a domain that runs.
    pub fn is_running(&self) -> bool {
        matches!(self, Item::Domain { listed, .. } if listed.runs != Runs::No)
    }

    /// A word for what it is, or how it stands.
    pub fn state(&self) -> &'static str {
        match self {
            Item::Domain { listed, .. } => match (listed.runs, listed.transient) {
                (_, true) => "transient",
                (Runs::Yes, false) => "running",
                (Runs::Paused, false) => "paused",
                (Runs::No, false) => "defined",
            },
            Item::File(_) => "file",
            Item::Demo => "sample",
        }
    }

    /// Its place in the list: domains first, those that run before the others.
    fn order(&self) -> (u8, String, &str, PathBuf) {
        match self {
            Item::Domain { uri, listed } => {
                let first = if self.is_running() { 0 } else { 1 };
                (first, listed.name.to_lowercase(), uri, PathBuf::new())
            }
            Item::File(path) => (2, String::new(), "", path.clone()),
            Item::Demo => (3, String::new(), "", PathBuf::new()),
        }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What is opened.
    pub item: Item,
    /// What becomes of a start; nothing before it was judged.
    pub outlook: Option<Outlook>,
    /// The name of the domain in a file, once it was read.
    pub domain: String,
    /// Somebody judges it.
    pub(super) asked: bool,
    /// It is of a list from before; it goes where the new one does not have it.
    pub(super) old: bool,
}

impl Row {
    /// A row about which nothing is known.
    pub fn new(item: Item) -> Row {
        Row { item, outlook: None, domain: String::new(), asked: false, old: false }
    }

    /// Where it comes from: the connection, or the domain in the file.
    pub fn from(&self) -> String {
        match &self.item {
            Item::Domain { uri, .. } => uri.clone(),
            Item::File(_) if self.domain.is_empty() => String::new(),
            Item::File(_) => format!("domain {}", self.domain),
            Item::Demo => "an imaginary host".to_owned(),
        }
    }

    /// Whether it has all of some words, which are in small letters.
    pub fn has(&self, words: &[&str]) -> bool {
        let (uri, uuid) = match &self.item {
            Item::Domain { uri, listed } => (uri.as_str(), listed.uuid.as_str()),
            Item::File(_) | Item::Demo => ("", ""),
        };
        let names = [self.item.name().to_lowercase(), self.domain.to_lowercase()];
        // Two letters stand in most connections and UUIDs.
        let begins = |text: &str, word: &str, least| word.len() >= least && text.starts_with(word);
        words.iter().all(|word| {
            names.iter().any(|name| name.contains(word))
                || self.item.state() == *word
                || begins(uri, word, 4)
                || begins(uuid, word, 8)
        })
    }
}

/// Puts rows into their order.
pub(super) fn arrange(rows: &mut [Row]) {
    rows.sort_by(|one, other| one.item.order().cmp(&other.item.order()));
}
