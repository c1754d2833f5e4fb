//! Entries that are switched off: kept in their place as a comment that is read back.
//!
//! libvirt forgets comments when a domain is defined; in the file they stay.

use super::entry::{EntryKind, List};
use super::namespace::QEMU_NAMESPACE;
use super::style;
use crate::xml::{self, Span, Tree};

/// What such a comment begins with.
pub(super) const MARK: &str = "<!-- qpt-tui off: ";
/// And what it ends with.
pub(super) const END: &str = " -->";

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
    let marked = tree.comments.iter().filter(|span| source[(*span).clone()].starts_with(MARK));
    let read = |span: &Span| {
        let block = blocks.iter().copied().find(|block| {
            let block = tree.elements[*block].span();
            block.start < span.start && span.end < block.end
        })?;
        // Under another prefix it would be switched on and lost.
        read_one(source, span, |prefix| style::in_scope(tree, block, prefix))
    };
    marked.filter_map(read).collect()
}

/// What a comment holds, if that can be read without the document around it; which prefixes mean the passthrough there.
pub(super) fn read_one(
    source: &str,
    span: &Span,
    is_ours: impl Fn(Option<&str>) -> bool,
) -> Option<Disabled> {
    let inner = source[span.clone()].strip_prefix(MARK)?.strip_suffix(END)?;
    let tree = xml::scan(&format!("<off>{inner}</off>")).ok()?;
    let means_ours = |element: &xml::Element| match element.binding(element.prefix()) {
        Some(binding) => binding.value == QEMU_NAMESPACE,
        None => is_ours(element.prefix()),
    };
    if !tree.children(0).all(|(_, element)| means_ours(element)) {
        return None;
    }
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
