//! Reading the passthrough: the entries of the three lists. What libvirt refuses or drops is none of them: see [`super::broken`].

use super::broken;
use super::entry::{Entry, EntryId, EntryKind, List};
use super::extras::{Change, Extra};
use super::namespace::is_ours;
use crate::xml::{Element, Tree};

/// The entries of a document, and the blocks that hold them.
#[derive(Debug, Clone)]
pub(super) struct Passthrough {
    pub(super) args: Vec<Entry>,
    pub(super) envs: Vec<Entry>,
    pub(super) extras: Vec<Entry>,
    /// Indices of the `commandline` elements that libvirt reads.
    pub(super) blocks: Vec<usize>,
}

impl Passthrough {
    /// Reads the passthrough of a domain (`qemuDomainDefNamespaceParse`), or of a block that stands alone.
    pub(super) fn read(tree: &Tree) -> Passthrough {
        let mut blocks: Vec<usize> = ours(tree, 0, "commandline").map(|(index, _)| index).collect();
        if is_ours(tree.root(), "commandline") {
            blocks = vec![0];
        }
        let (mut args, mut envs) = (Vec::new(), Vec::new());
        for &block in &blocks {
            for (index, child) in tree.children(block) {
                let is_arg = is_ours(child, "arg");
                if !is_arg && !is_ours(child, "env") {
                    continue;
                }
                let Some(kind) = read_entry(child) else { continue };
                let list = if is_arg { &mut args } else { &mut envs };
                let id = EntryId { list: kind.list(), index: list.len() };
                list.push(Entry { id, kind, span: child.span(), element: index });
            }
        }
        Passthrough { args, envs, extras: read_extras(tree), blocks }
    }
}

/// The entry that an element is.
fn read_entry(element: &Element) -> Option<EntryKind> {
    if broken::entry_fault(element).is_some() {
        return None;
    }
    let value = element.property("value").map(|value| value.value.as_str());
    match element.local_name() {
        "arg" => Some(EntryKind::arg(value?)),
        _ => Some(EntryKind::env(element.property("name")?.value.as_str(), value)),
    }
}

/// The children of an element that libvirt sees by a name.
fn ours<'a>(
    tree: &'a Tree,
    parent: usize,
    name: &'static str,
) -> impl Iterator<Item = (usize, &'a Element)> {
    tree.children(parent).filter(move |(_, element)| is_ours(element, name))
}

/// What stands in the document, in libvirt's order.
fn read_extras(tree: &Tree) -> Vec<Entry> {
    let mut found: Vec<(usize, Extra)> = Vec::new();
    let text =
        |element: &Element, name: &str| element.property(name).map(|found| found.value.clone());
    for (change, local) in [(Change::Add, "add"), (Change::Delete, "del")] {
        for (index, element) in
            ours(tree, 0, "capabilities").flat_map(|(block, _)| ours(tree, block, local))
        {
            found.extend(
                text(element, "capability").map(|name| (index, Extra::Capability { change, name })),
            );
        }
    }
    for (device, element) in
        ours(tree, 0, "override").flat_map(|(block, _)| ours(tree, block, "device"))
    {
        let Some(alias) = text(element, "alias") else { continue };
        for (index, property) in ours(tree, device, "frontend")
            .flat_map(|(frontend, _)| ours(tree, frontend, "property"))
        {
            if broken::property_fault(property).is_some() {
                continue;
            }
            let extra = Extra::Property {
                alias: alias.clone(),
                name: text(property, "name").unwrap_or_default(),
                kind: text(property, "type").unwrap_or_default(),
                value: text(property, "value"),
            };
            found.push((index, extra));
        }
    }
    // libvirt takes the attribute without a prefix only, and of several elements the first.
    let behavior = ours(tree, 0, "deprecation")
        .find_map(|(index, e)| Some((index, e.attribute("behavior")?.to_owned())));
    found.extend(
        behavior
            .filter(|(_, b)| !b.is_empty())
            .map(|(index, behavior)| (index, Extra::Deprecation { behavior })),
    );
    let entry = |(at, (element, extra)): (usize, (usize, Extra))| Entry {
        id: EntryId { list: List::Extras, index: at },
        kind: EntryKind::Extra(extra),
        span: tree.elements[element].span(),
        element,
    };
    found.into_iter().enumerate().map(entry).collect()
}
