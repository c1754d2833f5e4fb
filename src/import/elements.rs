//! What of a text an element of the domain says better, and the document with all that the user chose.

use super::{Import, Item};
use crate::domain::{Document, EntryId, EntryKind, List};
use crate::facts::HostFacts;
use crate::qemu::CommandLine;
use crate::rules::{self, Element};

/// Things that one element says, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Better {
    /// The things, by their places.
    pub items: Vec<usize>,
    /// The element.
    pub name: String,
    /// The arguments that it stands for.
    words: Vec<String>,
}

/// How a thing is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It is left out.
    Off,
    /// As arguments, or as a variable.
    Entry,
    /// As the element that says the same.
    Element,
}

fn line(document: &Document) -> CommandLine {
    CommandLine::read(&document.argv(), &document.environment()).overridden(&document.overrides())
}

fn words(document: &Document, element: &Element) -> Vec<String> {
    element.entries.iter().map(|entry| document.arg(entry.index).to_owned()).collect()
}

/// A document with some things behind its own.
fn with(document: &Document, items: &[&Item]) -> Result<Document, String> {
    let mut document = document.clone();
    for list in [List::Args, List::Envs] {
        let all = items.iter().flat_map(|item| &item.entries);
        let own: Vec<EntryKind> = all.filter(|entry| entry.list() == list).cloned().collect();
        if own.is_empty() {
            continue;
        }
        let edits = document.insert(list, document.list(list).len(), &own);
        let edits = edits.map_err(|error| error.to_string())?;
        document = document.apply(&edits).map_err(|error| error.message)?;
    }
    Ok(document)
}

/// The elements of this host's libvirt that say the same as some things of a text.
pub fn better(document: &Document, import: &Import, host: &HostFacts) -> Vec<Better> {
    let own = document.list(List::Args).len();
    // Which thing an argument belongs to.
    let mut places: Vec<usize> = Vec::new();
    let mut items: Vec<&Item> = Vec::new();
    for (at, item) in import.items.iter().enumerate().filter(|(_, item)| item.fate.is_on()) {
        places.extend(item.entries.iter().filter(|e| e.list() == List::Args).map(|_| at));
        items.push(item);
    }
    let Ok(whole) = with(document, &items) else { return Vec::new() };
    let mut found: Vec<Better> = Vec::new();
    for element in rules::elements(&whole, &line(&whole), host) {
        let place = |entry: &EntryId| places.get(entry.index.checked_sub(own)?).copied();
        let Some(mut of) = element.entries.iter().map(place).collect::<Option<Vec<usize>>>() else {
            continue;
        };
        of.dedup();
        // Each thing is offered one element, the one that says most.
        if !found.iter().any(|other| other.items.iter().any(|item| of.contains(item))) {
            found.push(Better { items: of, words: words(&whole, &element), name: element.name });
        }
    }
    found
}

/// The document with what was chosen.
///
/// # Errors
/// What can't be written, in one sentence.
pub fn taken(
    document: &Document,
    import: &Import,
    choices: &[Choice],
    (better, host): (&[Better], Option<&HostFacts>),
) -> Result<Document, String> {
    let chosen = import.items.iter().zip(choices).filter(|(_, choice)| **choice != Choice::Off);
    let items: Vec<&Item> = chosen.map(|(item, _)| item).collect();
    let mut whole = with(document, &items)?;
    let Some(host) = host else { return Ok(whole) };
    for one in better {
        let is_chosen = |item: &usize| choices.get(*item) == Some(&Choice::Element);
        if !one.items.iter().all(is_chosen) {
            continue;
        }
        let all = rules::elements(&whole, &line(&whole), host);
        let same =
            |element: &&Element| element.name == one.name && words(&whole, element) == one.words;
        let Some(element) = all.iter().rfind(same) else {
            return Err(format!("{} has no place beside what else is taken", one.name));
        };
        whole = whole.apply(&element.edits).map_err(|error| error.message)?;
    }
    Ok(whole)
}
