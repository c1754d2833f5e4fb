//! Entries that are switched off: kept in their place as a comment that is read back.
//!
//! libvirt forgets comments when a domain is defined; in the file they stay.

use super::document::{Document, VerbError};
use super::entry::{EntryKind, List};
use crate::xml::{self, Edit, EditSet, Span, Tree};

/// What such a comment begins with.
const MARK: &str = "<!-- qpt-tui off: ";
const END: &str = " -->";

/// Entries that are switched off together: an option with its value, or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// The whole comment.
    pub span: Span,
    /// What it holds.
    pub entries: Vec<EntryKind>,
}

impl Disabled {
    /// The list that the entries belong to.
    pub fn list(&self) -> List {
        self.entries.first().map_or(List::Args, EntryKind::list)
    }

    /// The entries on one line.
    pub fn text(&self) -> String {
        self.entries.iter().map(EntryKind::text).collect::<Vec<_>>().join(" ")
    }
}

/// What is switched off inside some elements, in the order of the text.
pub(super) fn read(source: &str, tree: &Tree, blocks: &[usize]) -> Vec<Disabled> {
    let inside = |span: &&Span| {
        blocks
            .iter()
            .map(|block| tree.elements[*block].span())
            .any(|block| block.start < span.start && span.end < block.end)
    };
    let marked = tree.comments.iter().filter(|span| source[(*span).clone()].starts_with(MARK));
    marked.filter(inside).filter_map(|span| read_one(source, span)).collect()
}

fn read_one(source: &str, span: &Span) -> Option<Disabled> {
    let inner = source[span.clone()].strip_prefix(MARK)?.strip_suffix(END)?;
    let tree = xml::scan(&format!("<off>{inner}</off>")).ok()?;
    let value = |element: &xml::Element, name: &str| {
        element.property(name).map(|found| found.value.clone())
    };
    let entry = |element: &xml::Element| match element.local_name() {
        "arg" => Some(EntryKind::arg(value(element, "value")?)),
        "env" => Some(EntryKind::env(value(element, "name")?, value(element, "value").as_deref())),
        _ => None,
    };
    let entries: Vec<EntryKind> =
        tree.children(0).map(|(_, element)| entry(element)).collect::<Option<_>>()?;
    let one_kind = entries.iter().all(|entry| entry.list() == entries[0].list());
    (!entries.is_empty() && one_kind).then(|| Disabled { span: span.clone(), entries })
}

impl Document {
    /// Plans to switch neighbouring entries of a list off.
    ///
    /// # Errors
    /// When XML comments can't hold them, or something else stands between them.
    pub fn disable(&self, list: List, range: std::ops::Range<usize>) -> Result<EditSet, VerbError> {
        let entries = self.list(list).get(range).filter(|entries| !entries.is_empty());
        let entries = entries.ok_or_else(|| VerbError("there is no such entry".to_owned()))?;
        if list == List::Extras {
            return Err(VerbError(
                "only arguments and variables can be switched off; delete this one".to_owned(),
            ));
        }
        let (first, last) = (&entries[0], &entries[entries.len() - 1]);
        let text = &self.source()[first.span.start..last.span.end];
        if text.contains("--") || text.ends_with('-') {
            return Err(VerbError(
                "an XML comment cannot hold '--': delete the entry instead, u brings it back"
                    .to_owned(),
            ));
        }
        let alone = entries
            .windows(2)
            .all(|pair| self.source()[pair[0].span.end..pair[1].span.start].trim().is_empty());
        if !alone {
            return Err(VerbError(
                "something else stands between the option and its value".to_owned(),
            ));
        }
        // On one line, so that it reads as one thing.
        let words: Vec<&str> =
            entries.iter().map(|entry| &self.source()[entry.span.clone()]).collect();
        let mut edits = EditSet::new();
        edits.push(Edit::replace(
            first.span.start..last.span.end,
            format!("{MARK}{}{END}", words.join(" ")),
        ))?;
        Ok(edits)
    }

    /// Plans to switch on again what stands in a comment.
    ///
    /// # Errors
    /// When libvirt would refuse it.
    pub fn enable(&self, disabled: &Disabled) -> Result<EditSet, VerbError> {
        disabled.entries.iter().try_for_each(EntryKind::check).map_err(VerbError)?;
        let inner =
            self.source()[disabled.span.clone()].trim_start_matches(MARK).trim_end_matches(END);
        let separator = super::style::own_line(self.source(), disabled.span.start).unwrap_or(" ");
        let mut edits = EditSet::new();
        edits.push(Edit::replace(
            disabled.span.clone(),
            inner.replace("/> <", &format!("/>{separator}<")),
        ))?;
        Ok(edits)
    }

    /// Plans to delete what is switched off.
    pub fn drop_disabled(&self, disabled: &Disabled) -> EditSet {
        let mut edits = EditSet::new();
        edits.push(Edit::delete(self.with_line(&disabled.span))).expect("it is the only one");
        edits
    }
}
