//! The rest of the namespace as a list: capabilities, override and deprecation, one entry for each thing they say.

use super::QEMU_NAMESPACE;
use super::document::{Document, VerbError, is_ours};
use super::entry::{Entry, EntryId, EntryKind, List};
use super::style;
use crate::xml::{Edit, EditSet, Element, Tree, escape::as_libvirt};

/// Where a name of `<qemu:capabilities>` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `<qemu:add>`: libvirt is to believe that QEMU has it.
    Add,
    /// `<qemu:del>`: libvirt is to do without it.
    Delete,
}

/// One thing said in `<qemu:capabilities>`, `<qemu:override>` or `<qemu:deprecation>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extra {
    /// A capability that libvirt is to assume or to do without.
    Capability {
        /// Which of the two.
        change: Change,
        /// Its name, as libvirt's source has it.
        name: String,
    },
    /// A property of a device that libvirt makes.
    Property {
        /// The device's alias.
        alias: String,
        /// The property.
        name: String,
        /// `string`, `signed`, `unsigned`, `bool` or `remove`.
        kind: String,
        /// Its value; `remove` has none.
        value: Option<String>,
    },
    /// What QEMU does about deprecated interfaces.
    Deprecation {
        /// `none`, `omit`, `reject` or `crash`.
        behavior: String,
    },
}

/// The types of a property (`qemuDomainDefNamespaceParseDeviceOverride…`).
pub const PROPERTY_TYPES: [&str; 5] = ["string", "signed", "unsigned", "bool", "remove"];
/// What `<qemu:deprecation>` may say (`qemuDeprecationBehavior`).
pub const BEHAVIORS: [&str; 4] = ["none", "omit", "reject", "crash"];

impl Extra {
    /// The two halves in which it is shown and typed.
    pub fn halves(&self) -> (String, String) {
        match self {
            Extra::Capability { change: Change::Add, name } => {
                ("capability add".to_owned(), name.clone())
            }
            Extra::Capability { change: Change::Delete, name } => {
                ("capability del".to_owned(), name.clone())
            }
            Extra::Property { alias, name, kind, value } => {
                let value = value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
                (format!("override {alias}.{name}"), format!("{kind}{value}"))
            }
            Extra::Deprecation { behavior } => ("deprecation".to_owned(), behavior.clone()),
        }
    }

    /// The reverse of [`Extra::halves`].
    ///
    /// # Errors
    /// What was expected, in one sentence.
    pub fn read(first: &str, second: &str) -> Result<Extra, String> {
        let (word, rest) = first.trim().split_once(' ').unwrap_or((first.trim(), ""));
        let second = second.trim();
        let extra = match (word, rest.trim()) {
            ("capability", "add") => {
                Extra::Capability { change: Change::Add, name: second.to_owned() }
            }
            ("capability", "del") => {
                Extra::Capability { change: Change::Delete, name: second.to_owned() }
            }
            ("deprecation", "") => Extra::Deprecation { behavior: second.to_owned() },
            ("override", rest) => {
                let (alias, name) = rest.split_once('.').ok_or_else(|| {
                    format!("'{rest}' names no property, expected ALIAS.PROPERTY")
                })?;
                let (kind, value) = match second.split_once(' ') {
                    Some((kind, value)) => (kind, Some(value)),
                    None if second == "string" => (second, Some("")),
                    None => (second, None),
                };
                let value = value.map(str::to_owned);
                Extra::Property {
                    alias: alias.to_owned(),
                    name: name.to_owned(),
                    kind: kind.to_owned(),
                    value,
                }
            }
            _ => {
                return Err(format!(
                    "'{first}' is none of these, expected 'capability add', 'capability del', 'override ALIAS.PROPERTY' or 'deprecation'"
                ));
            }
        };
        extra.check()?;
        Ok(extra)
    }

    /// Whether libvirt would take it.
    ///
    /// # Errors
    /// What is wrong with it and what was expected, in one sentence.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Extra::Capability { name, .. } if name.is_empty() => {
                Err("the capability has no name".to_owned())
            }
            Extra::Capability { .. } => Ok(()),
            Extra::Deprecation { behavior } if BEHAVIORS.contains(&behavior.as_str()) => Ok(()),
            Extra::Deprecation { behavior } => Err(format!(
                "the behavior '{behavior}' is unknown, expected none, omit, reject or crash"
            )),
            Extra::Property { alias, name, .. } if alias.is_empty() || name.is_empty() => {
                Err("the override lacks its alias or its property, expected ALIAS.PROPERTY"
                    .to_owned())
            }
            Extra::Property { name, .. } if name == "id" => {
                Err("the property 'id' cannot be overridden".to_owned())
            }
            Extra::Property { kind, value, .. } => fits(kind, value.as_deref()),
        }
    }
}

/// Whether a value is one of a property's type.
pub(super) fn fits(kind: &str, value: Option<&str>) -> Result<(), String> {
    let right = match (kind, value) {
        ("remove", None) | ("string", Some(_)) => true,
        ("remove", Some(_)) => {
            return Err("a property of type 'remove' has a value, expected none".to_owned());
        }
        ("signed", Some(value)) => value.trim_start().parse::<i64>().is_ok(),
        ("unsigned", Some(value)) => value.trim_start().parse::<u64>().is_ok(),
        ("bool", Some(value)) => ["true", "false"].contains(&value),
        ("string" | "signed" | "unsigned" | "bool", None) => {
            return Err(format!("a property of type '{kind}' has no value, expected one"));
        }
        (other, _) => {
            return Err(format!(
                "the property type '{other}' is unknown, expected string, signed, unsigned, bool or remove"
            ));
        }
    };
    match value {
        Some(value) if !right => Err(format!("'{value}' is not a value of type {kind}")),
        _ => Ok(()),
    }
}

/// What stands in the document, in libvirt's order; [`super::canonical::check_extras`] has refused what can't be read.
pub(super) fn read(tree: &Tree) -> Vec<Entry> {
    let mut found: Vec<(usize, Extra)> = Vec::new();
    let ours = |parent: usize, name: &'static str| {
        tree.children(parent).filter(move |(_, element)| is_ours(element, name))
    };
    let text =
        |element: &Element, name: &str| element.property(name).map(|found| found.value.clone());
    for (change, local) in [(Change::Add, "add"), (Change::Delete, "del")] {
        for (index, element) in ours(0, "capabilities").flat_map(|(block, _)| ours(block, local)) {
            found.extend(
                text(element, "capability").map(|name| (index, Extra::Capability { change, name })),
            );
        }
    }
    for (device, element) in ours(0, "override").flat_map(|(block, _)| ours(block, "device")) {
        let alias = text(element, "alias").unwrap_or_default();
        for (index, property) in
            ours(device, "frontend").flat_map(|(frontend, _)| ours(frontend, "property"))
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
    let behavior = ours(0, "deprecation")
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

impl Document {
    /// Plans something new of the rest of the namespace, in its block where there is one.
    ///
    /// # Errors
    /// When libvirt would refuse it, or the document has no place for it.
    pub(super) fn add_extra(&self, extra: &Extra) -> Result<EditSet, VerbError> {
        extra.check().map_err(VerbError)?;
        let block = match extra {
            Extra::Capability { .. } => "capabilities",
            Extra::Property { alias, name, kind, value } => {
                return self.override_property(alias, name, kind, value.as_deref());
            }
            Extra::Deprecation { .. } => "deprecation",
        };
        let there = self.tree().children(0).find(|(_, child)| is_ours(child, block));
        let mut edits = EditSet::new();
        match (extra, there) {
            (Extra::Deprecation { .. }, Some((_, element))) => {
                edits.push(Edit::replace(element.span(), line(extra, element.prefix())))?;
                Ok(edits)
            }
            (Extra::Deprecation { .. }, None) => self.append_block(&[line(extra, Some("qemu"))]),
            (_, Some((index, element))) => {
                edits.push(self.last_child(index, &[line(extra, element.prefix())])?)?;
                Ok(edits)
            }
            (_, None) => self.append_block(&[
                format!("<qemu:{block}>"),
                format!("  {}", line(extra, Some("qemu"))),
                format!("</qemu:{block}>"),
            ]),
        }
    }

    /// Plans something else in the place of an entry of the rest of the namespace.
    ///
    /// # Errors
    /// As [`Document::add_extra`].
    pub(super) fn replace_extra(&self, entry: &Entry, extra: &Extra) -> Result<EditSet, VerbError> {
        extra.check().map_err(VerbError)?;
        let EntryKind::Extra(old) = &entry.kind else {
            return Err(VerbError(
                "an argument or a variable cannot become anything else".to_owned(),
            ));
        };
        let mut edits = EditSet::new();
        if old == extra {
            return Ok(edits);
        }
        let same_place = match (old, extra) {
            (Extra::Property { alias: one, .. }, Extra::Property { alias: other, .. }) => {
                one == other
            }
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        if !same_place {
            edits = self.remove(&[entry.id]);
            for edit in self.add_extra(extra)?.edits() {
                edits.push(edit.clone())?;
            }
            return Ok(edits);
        }
        let prefix = self.tree().elements[entry.element].prefix().map(str::to_owned);
        edits.push(Edit::replace(entry.span.clone(), line(extra, prefix.as_deref())))?;
        Ok(edits)
    }

    /// The span of an entry of the rest of the namespace with all that holds nothing else: its frontend, device, block.
    pub(super) fn extra_span(&self, entry: &Entry, gone: &[EntryId]) -> crate::xml::Span {
        let tree = self.tree();
        let going: Vec<usize> = self
            .list(List::Extras)
            .iter()
            .filter(|e| gone.contains(&e.id))
            .map(|e| e.element)
            .collect();
        let all_gone = |parent: usize| {
            let below = |index: usize| {
                let mut at = Some(index);
                while let Some(element) = at {
                    if going.contains(&element) {
                        return true;
                    }
                    at = tree.elements[element].parent.filter(|up| *up != parent);
                }
                false
            };
            let leaves = |index: usize| tree.children(index).next().is_none();
            let inside = |index: usize| {
                let mut at = tree.elements[index].parent;
                while let Some(element) = at {
                    if element == parent {
                        return true;
                    }
                    at = tree.elements[element].parent;
                }
                false
            };
            (0..tree.elements.len()).filter(|index| leaves(*index) && inside(*index)).all(below)
        };
        let mut at = entry.element;
        while let Some(parent) =
            tree.elements[at].parent.filter(|parent| *parent != 0 && all_gone(*parent))
        {
            at = parent;
        }
        tree.elements[at].span()
    }

    /// Lines as the last child of the domain, with the namespace declared for themselves where the root does not.
    pub(super) fn append_block(&self, lines: &[String]) -> Result<EditSet, VerbError> {
        let (source, tree) = (self.source(), self.tree());
        let mut lines = lines.to_vec();
        if tree.root().binding(Some("qemu")).is_none_or(|binding| binding.value != QEMU_NAMESPACE)
            && let Some(first) = lines.first_mut()
        {
            let name = first.find([' ', '>', '/']).unwrap_or(first.len());
            first.insert_str(name, &format!(" xmlns:qemu='{QEMU_NAMESPACE}'"));
        }
        let last =
            tree.children(0).last().ok_or_else(|| VerbError("the domain is empty".to_owned()))?.1;
        let end = style::line_end(source);
        let text: String = match style::own_line(source, last.open.start) {
            Some(_) => {
                let indent = style::indent(source, last.open.start);
                lines.iter().map(|line| format!("{end}{indent}{line}")).collect()
            }
            None => lines.iter().map(|line| line.trim_start()).collect(),
        };
        let mut edits = EditSet::new();
        edits.push(Edit::insert(last.span().end, text))?;
        Ok(edits)
    }
}

/// The element, as libvirt prints it with a prefix.
pub(super) fn line(extra: &Extra, prefix: Option<&str>) -> String {
    let name = |local: &str| match prefix {
        Some(prefix) if !prefix.is_empty() => format!("{prefix}:{local}"),
        _ => local.to_owned(),
    };
    match extra {
        Extra::Capability { change, name: capability } => {
            let local = if *change == Change::Add { "add" } else { "del" };
            format!("<{} capability='{}'/>", name(local), as_libvirt(capability))
        }
        Extra::Property { name: property, kind, value, .. } => {
            let value = value
                .as_ref()
                .map(|value| format!(" value='{}'", as_libvirt(value)))
                .unwrap_or_default();
            format!(
                "<{} name='{}' type='{}'{value}/>",
                name("property"),
                as_libvirt(property),
                as_libvirt(kind)
            )
        }
        Extra::Deprecation { behavior } => {
            format!("<{} behavior='{}'/>", name("deprecation"), as_libvirt(behavior))
        }
    }
}
