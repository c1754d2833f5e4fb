//! Passthrough that a person wrote and libvirt will not see.

use super::entry::List;
use super::namespace::{BLOCKS, QEMU_NAMESPACE};
use crate::xml::{Element, Span, Tree};

/// Why libvirt does not see an element (it looks up `./qemu:commandline/qemu:arg` by namespace, from the root).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LostReason {
    /// The prefix is declared nowhere; libxml2 goes on and libvirt drops the element.
    UndeclaredPrefix(String),
    /// The namespace is another one.
    OtherNamespace(String),
    /// The element is in no namespace.
    NoNamespace,
    /// The block stands inside the named element and not directly under the domain.
    Inside(String),
    /// `arg` or `env` directly under the domain, without the `commandline` around it.
    OutsideBlock,
}

/// An element that libvirt drops without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The whole element.
    pub span: Span,
    /// Its name as written.
    pub name: String,
    /// Why it is not seen.
    pub reason: LostReason,
    /// The arguments and variables that are lost with it.
    pub entries: Vec<LostEntry>,
}

/// An argument or a variable that libvirt does not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEntry {
    /// The list that it is meant for.
    pub list: List,
    /// Its value; name and value of a variable.
    pub text: String,
    /// Where it begins.
    pub at: usize,
}

impl LostEntry {
    fn of(element: &Element) -> Option<LostEntry> {
        let property = |name| element.property(name).map(|property| property.value.clone());
        let value = property("value").unwrap_or_default();
        let (list, text) = match element.local_name() {
            "arg" => (List::Args, value),
            "env" => (List::Envs, format!("{}={value}", property("name").unwrap_or_default())),
            _ => return None,
        };
        Some(LostEntry { list, text, at: element.open.start })
    }
}

impl Lost {
    /// One sentence: what libvirt does not see, and what was expected.
    pub fn message(&self) -> String {
        let what = match self.entries.len() {
            0 => format!("<{}> is dropped without a word", self.name),
            1 => format!("<{}> is dropped without a word, 1 entry with it", self.name),
            n => format!("<{}> is dropped without a word, {n} entries with it", self.name),
        };
        let why = match &self.reason {
            LostReason::UndeclaredPrefix(prefix) => {
                format!(
                    "the prefix '{prefix}' is declared nowhere, expected xmlns:{prefix}='{QEMU_NAMESPACE}' on <domain>"
                )
            }
            LostReason::OtherNamespace(uri) => {
                format!("its namespace is '{uri}', expected '{QEMU_NAMESPACE}'")
            }
            LostReason::NoNamespace => {
                format!("it is in no namespace, expected '{QEMU_NAMESPACE}'")
            }
            LostReason::Inside(parent) => {
                format!("it stands inside <{parent}>, expected directly under <domain>")
            }
            LostReason::OutsideBlock => {
                "it stands directly under <domain>, expected inside <qemu:commandline>".to_owned()
            }
        };
        format!("{what}: {why}")
    }
}

/// Finds what looks like passthrough and is not.
pub(super) fn find(tree: &Tree) -> Vec<Lost> {
    let mut lost: Vec<Lost> = Vec::new();
    for (index, element) in tree.elements.iter().enumerate().skip(1) {
        if lost.last().is_some_and(|last| {
            last.span.end >= element.span().end && last.span.start <= element.open.start
        }) {
            continue; // inside one that is lost already
        }
        if let Some(reason) = reason(tree, element) {
            let span = element.span();
            let inside =
                tree.elements[index..].iter().take_while(|inner| inner.open.start < span.end);
            let entries = inside.filter_map(LostEntry::of).collect();
            lost.push(Lost { span, name: element.name.clone(), reason, entries });
        }
    }
    lost
}

fn reason(tree: &Tree, element: &Element) -> Option<LostReason> {
    let parent = &tree.elements[element.parent?];
    let under_root = parent.parent.is_none();
    let ours = element.namespace.as_deref() == Some(QEMU_NAMESPACE);
    match element.local_name() {
        "commandline" if ours => (!under_root).then(|| LostReason::Inside(parent.name.clone())),
        "arg" | "env" if ours => {
            if parent.local_name() == "commandline" {
                None
            } else if under_root {
                Some(LostReason::OutsideBlock)
            } else {
                Some(LostReason::Inside(parent.name.clone()))
            }
        }
        // Without our namespace only what could mean nothing else counts: a block under the root, a child of a real block.
        "commandline" if under_root || looks_ours(element) => Some(wrong_namespace(element)),
        name if BLOCKS.contains(&name) && !ours && looks_ours(element) => {
            Some(wrong_namespace(element))
        }
        "arg" | "env"
            if parent.namespace.as_deref() == Some(QEMU_NAMESPACE)
                && parent.local_name() == "commandline" =>
        {
            Some(wrong_namespace(element))
        }
        "arg" | "env" if under_root && looks_ours(element) => Some(wrong_namespace(element)),
        _ => None,
    }
}

fn looks_ours(element: &Element) -> bool {
    element.prefix() == Some("qemu")
        || element
            .namespace
            .as_deref()
            .is_some_and(|uri| uri.contains("libvirt.org/schemas/domain/qemu"))
}

fn wrong_namespace(element: &Element) -> LostReason {
    match (&element.namespace, element.prefix()) {
        (Some(uri), _) => LostReason::OtherNamespace(uri.clone()),
        (None, Some(prefix)) if element.undeclared_prefix => {
            LostReason::UndeclaredPrefix(prefix.to_owned())
        }
        _ => LostReason::NoNamespace,
    }
}
