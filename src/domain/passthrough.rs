//! Reading the passthrough: the entries of the three lists, refused where libvirt's own parser refuses.

use super::entry::{Entry, EntryId, EntryKind, List};
use super::extras::{self, Change, Extra};
use super::namespace::is_ours;
use crate::xml::{Element, Tree, XmlError};

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
    /// Reads the passthrough of a domain (`qemuDomainDefNamespaceParse`).
    pub(super) fn read(tree: &Tree) -> Result<Passthrough, XmlError> {
        let blocks: Vec<usize> = tree
            .children(0)
            .filter(|(_, child)| is_ours(child, "commandline"))
            .map(|(index, _)| index)
            .collect();
        let (mut args, mut envs) = (Vec::new(), Vec::new());
        for &block in &blocks {
            for (index, child) in tree.children(block) {
                if is_ours(child, "arg") {
                    let id = EntryId::arg(args.len());
                    args.push(Entry {
                        id,
                        kind: read_arg(child)?,
                        span: child.span(),
                        element: index,
                    });
                } else if is_ours(child, "env") {
                    let id = EntryId::env(envs.len());
                    envs.push(Entry {
                        id,
                        kind: read_env(child)?,
                        span: child.span(),
                        element: index,
                    });
                }
            }
        }
        check_extras(tree)?;
        Ok(Passthrough { args, envs, extras: read_extras(tree), blocks })
    }
}

fn read_arg(element: &Element) -> Result<EntryKind, XmlError> {
    match element.property("value") {
        Some(value) => Ok(EntryKind::arg(value.value.clone())),
        None => Err(XmlError {
            offset: element.open.start,
            message: format!("<{0}> has no value, expected <{0} value='…'/>", element.name),
        }),
    }
}

fn read_env(element: &Element) -> Result<EntryKind, XmlError> {
    let Some(name) = element.property("name") else {
        let message =
            format!("<{0}> has no name, expected <{0} name='…' value='…'/>", element.name);
        return Err(XmlError { offset: element.open.start, message });
    };
    let kind = EntryKind::env(
        name.value.clone(),
        element.property("value").map(|value| value.value.as_str()),
    );
    kind.check().map_err(|message| XmlError { offset: name.value_span.start, message })?;
    Ok(kind)
}

/// The children of an element that libvirt sees by a name.
fn ours<'a>(
    tree: &'a Tree,
    parent: usize,
    name: &'static str,
) -> impl Iterator<Item = (usize, &'a Element)> {
    tree.children(parent).filter(move |(_, element)| is_ours(element, name))
}

/// What stands in the document, in libvirt's order; [`check_extras`] has refused what can't be read.
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
        let alias = text(element, "alias").unwrap_or_default();
        for (index, property) in ours(tree, device, "frontend")
            .flat_map(|(frontend, _)| ours(tree, frontend, "property"))
        {
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

/// Refuses what libvirt's parser refuses in capabilities and override.
fn check_extras(tree: &Tree) -> Result<(), XmlError> {
    for (index, block) in tree.children(0) {
        if is_ours(block, "capabilities") {
            check_capabilities(tree, index)?;
        } else if is_ours(block, "override") {
            check_override(tree, index)?;
        }
    }
    Ok(())
}

fn check_capabilities(tree: &Tree, block: usize) -> Result<(), XmlError> {
    for (_, child) in tree.children(block) {
        let changes_one = is_ours(child, "add") || is_ours(child, "del");
        if changes_one && child.property("capability").is_none() {
            let message =
                format!("<{0}> names no capability, expected <{0} capability='…'/>", child.name);
            return Err(XmlError { offset: child.open.start, message });
        }
    }
    Ok(())
}

fn check_override(tree: &Tree, block: usize) -> Result<(), XmlError> {
    for (index, device) in ours(tree, block, "device") {
        if device.property("alias").is_none() {
            let message = format!("<{0}> names no device, expected <{0} alias='…'>", device.name);
            return Err(XmlError { offset: device.open.start, message });
        }
        for (frontend, _) in ours(tree, index, "frontend") {
            for (_, property) in ours(tree, frontend, "property") {
                check_property(property)?;
            }
        }
    }
    Ok(())
}

/// `qemuDomainDefNamespaceParseDeviceOverride…`, property by property.
fn check_property(property: &Element) -> Result<(), XmlError> {
    let refuse = |offset: usize, what: String| Err(XmlError { offset, message: what });
    let at = property.open.start;
    let Some(name) = property.property("name") else {
        return refuse(at, format!("<{}> has no name, expected name='…'", property.name));
    };
    if name.value == "id" {
        return refuse(name.value_span.start, "the property 'id' cannot be overridden".to_owned());
    }
    let kind = property.property("type").map_or("", |kind| kind.value.as_str());
    let value = property.property("value");
    match extras::fits(kind, value.map(|value| value.value.as_str())) {
        Ok(()) => Ok(()),
        Err(what) => refuse(value.map_or(at, |value| value.value_span.start), what),
    }
}
