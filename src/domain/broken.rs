//! What stands in the passthrough and is no entry: libvirt refuses the whole document for it, or drops it without a word.
//!
//! Which of the two was asked of libvirt 9.0 (`virsh define`; tests/oracle/broken.rs asks again).

use super::entry::{EntryKind, List};
use super::extras::{self, Extra};
use super::namespace::{BLOCKS, QEMU_NAMESPACE, is_ours};
use crate::xml::{Element, Span, Tree};

/// What is there in the place of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// An element of the tree.
    Element(usize),
    /// Text between elements.
    Text,
}

/// Something that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The element, or the text.
    pub span: Span,
    /// The list that it would belong to.
    pub list: List,
    /// How it begins, for people: `<qemu:arg>`, or the text.
    pub name: String,
    /// What is wrong, and what was expected.
    pub what: String,
    /// libvirt's own words where it refuses the document for it; nothing where it drops it.
    pub refused: Option<&'static str>,
    /// Where the fault stands.
    pub offset: usize,
    /// The two halves in which it is edited, as far as they are there.
    pub halves: (String, String),
    pub(super) place: Place,
}

impl Broken {
    /// It on one line, with what is there of it.
    pub fn shown(&self) -> String {
        let there = format!("{} {}", self.halves.0, self.halves.1);
        match self.place {
            Place::Element(_) => format!("{} {}", self.name, there.trim()).trim_end().to_owned(),
            Place::Text => self.name.clone(),
        }
    }

    /// One sentence: what libvirt does, and why.
    pub fn message(&self) -> String {
        match self.refused {
            Some(_) => format!("libvirt refuses the document: {}", self.what),
            None => format!("{} is dropped without a word: {}", self.name, self.what),
        }
    }
}

/// Finds what is no entry, in the order of the text; what [`super::lost`] speaks about is left to it.
pub(super) fn find(source: &str, tree: &Tree, blocks: &[usize]) -> Vec<Broken> {
    let mut finder = Finder { source, tree, found: Vec::new() };
    for &block in blocks {
        finder.commandline(block);
    }
    // In a fragment there is nothing beside the one block.
    if !blocks.contains(&0) {
        for (index, child) in tree.children(0) {
            finder.block(index, child);
        }
    }
    finder.found.sort_by_key(|broken| broken.span.start);
    finder.found
}

/// Why libvirt refuses an argument or a variable: the sentence, libvirt's words, where.
pub(super) fn entry_fault(element: &Element) -> Option<(String, &'static str, usize)> {
    let at = element.open.start;
    if element.local_name() == "arg" {
        let what = format!("<{0}> has no value, expected <{0} value='…'/>", element.name);
        let is_there = element.property("value").is_some();
        return (!is_there).then_some((what, "No qemu command-line argument specified", at));
    }
    let Some(name) = element.property("name") else {
        let what = format!("<{0}> has no name, expected <{0} name='…' value='…'/>", element.name);
        return Some((what, "No qemu environment name specified", at));
    };
    let why = EntryKind::env(name.value.as_str(), None).check().err()?;
    let begins = name.value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let words = if begins {
        "Invalid environment name, it must contain only alphanumerics and underscore"
    } else {
        "Invalid environment name, it must begin with a letter or underscore"
    };
    Some((why, words, name.value_span.start))
}

/// Why libvirt refuses a property (`qemuDomainDefNamespaceParseDeviceOverride`).
pub(super) fn property_fault(property: &Element) -> Option<(String, &'static str, usize)> {
    let at = property.open.start;
    let Some(name) = property.property("name") else {
        let what = format!("<{}> has no name, expected name='…'", property.name);
        return Some((what, "missing 'name' attribute for qemu:property", at));
    };
    if name.value == "id" {
        let what = "the property 'id' cannot be overridden".to_owned();
        return Some((what, "property with name 'id' can't be overridden", name.value_span.start));
    }
    let Some(kind) = property.property("type").filter(|kind| !kind.value.is_empty()) else {
        let what = "the property has no type, expected string, signed, unsigned, bool or remove";
        return Some((
            what.to_owned(),
            "Missing required attribute 'type' in element 'property'",
            at,
        ));
    };
    let value = property.property("value");
    let why = extras::fits(&kind.value, value.map(|value| value.value.as_str())).err()?;
    let words = match (kind.value.as_str(), value) {
        ("remove", _) => {
            "setting 'value' attribute of 'qemu:property' doesn't make sense with 'remove' type"
        }
        (kind, _) if !extras::PROPERTY_TYPES.contains(&kind) => {
            "Invalid value for attribute 'type' in element 'property'"
        }
        (_, None) => "missing 'value' attribute for 'qemu:property'",
        (_, Some(_)) => "invalid value of 'value' attribute of 'qemu:property'",
    };
    Some((why, words, value.map_or(at, |value| value.value_span.start)))
}

struct Finder<'a> {
    source: &'a str,
    tree: &'a Tree,
    found: Vec<Broken>,
}

impl Finder<'_> {
    fn text_of(&self, element: &Element, name: &str) -> String {
        element.property(name).map(|found| found.value.clone()).unwrap_or_default()
    }

    fn push(
        &mut self,
        index: usize,
        list: List,
        (what, refused, offset): (String, Option<&'static str>, usize),
        halves: (String, String),
    ) {
        let element = &self.tree.elements[index];
        self.found.push(Broken {
            span: element.span(),
            list,
            name: format!("<{}>", element.name),
            what,
            refused,
            offset,
            halves,
            place: Place::Element(index),
        });
    }

    /// An element that libvirt does not look for where it stands.
    fn unknown(&mut self, index: usize, list: List, expected: &str) {
        let element = &self.tree.elements[index];
        // What is in another namespace by mistake is lost, not unknown.
        let is_lost = ["arg", "env"].contains(&element.local_name());
        if is_lost {
            return;
        }
        let what = format!("libvirt looks for nothing of this name here, expected {expected}");
        let at = element.open.start;
        let value = self.text_of(element, "value");
        let halves = if list == List::Args { (value, String::new()) } else { Default::default() };
        self.push(index, list, (what, None, at), halves);
    }

    fn commandline(&mut self, block: usize) {
        self.stray(block, List::Args);
        for (index, child) in self.tree.children(block) {
            let list = if is_ours(child, "arg") {
                List::Args
            } else if is_ours(child, "env") {
                List::Envs
            } else {
                self.unknown(index, List::Args, "arg or env");
                continue;
            };
            if let Some((what, words, at)) = entry_fault(child) {
                let halves = match list {
                    // Somebody may have written the argument between the tags.
                    List::Args | List::Extras => (child.text.trim().to_owned(), String::new()),
                    List::Envs => (self.text_of(child, "name"), self.text_of(child, "value")),
                };
                self.push(index, list, (what, Some(words), at), halves);
            }
        }
    }

    /// A child of the domain that is in the namespace.
    fn block(&mut self, index: usize, child: &Element) {
        if child.namespace.as_deref() != Some(QEMU_NAMESPACE) {
            return;
        }
        match child.local_name() {
            "commandline" | "deprecation" => {}
            "capabilities" => self.capabilities(index),
            "override" => self.overrides(index),
            _ => self.unknown(index, List::Extras, &BLOCKS.join(", ")),
        }
    }

    fn capabilities(&mut self, block: usize) {
        self.stray(block, List::Extras);
        for (index, child) in self.tree.children(block) {
            let is_change = is_ours(child, "add") || is_ours(child, "del");
            if !is_change {
                self.unknown(index, List::Extras, "add or del");
            } else if child.property("capability").is_none() {
                let what = format!(
                    "<{0}> names no capability, expected <{0} capability='…'/>",
                    child.name
                );
                let fault = (what, Some("missing capability name"), child.open.start);
                let halves = (format!("capability {}", child.local_name()), String::new());
                self.push(index, List::Extras, fault, halves);
            }
        }
    }

    fn overrides(&mut self, block: usize) {
        self.stray(block, List::Extras);
        for (index, device) in self.tree.children(block) {
            if !is_ours(device, "device") {
                self.unknown(index, List::Extras, "device");
                continue;
            }
            if device.property("alias").is_none() {
                let what = format!("<{0}> names no device, expected <{0} alias='…'>", device.name);
                let fault =
                    (what, Some("missing 'alias' attribute for qemu:device"), device.open.start);
                let halves = self.first_property(index);
                self.push(index, List::Extras, fault, halves);
                continue;
            }
            self.device(index, &self.text_of(device, "alias"));
        }
    }

    /// The first property of a device that has no alias, to be completed.
    fn first_property(&self, device: usize) -> (String, String) {
        let frontends = self.tree.children(device).filter(|(_, child)| is_ours(child, "frontend"));
        let mut all = frontends.flat_map(|(index, _)| self.tree.children(index));
        let Some((_, property)) = all.next() else { return Default::default() };
        let extra = Extra::Property {
            alias: String::new(),
            name: self.text_of(property, "name"),
            kind: self.text_of(property, "type"),
            value: property.property("value").map(|value| value.value.clone()),
        };
        extra.halves()
    }

    fn device(&mut self, device: usize, alias: &str) {
        self.stray(device, List::Extras);
        for (index, frontend) in self.tree.children(device) {
            if !is_ours(frontend, "frontend") {
                self.unknown(index, List::Extras, "frontend");
                continue;
            }
            self.stray(index, List::Extras);
            for (index, property) in self.tree.children(index) {
                if !is_ours(property, "property") {
                    self.unknown(index, List::Extras, "property");
                } else if let Some((what, words, at)) = property_fault(property) {
                    let name = self.text_of(property, "name");
                    let extra = Extra::Property {
                        alias: alias.to_owned(),
                        name,
                        kind: self.text_of(property, "type"),
                        value: property.property("value").map(|value| value.value.clone()),
                    };
                    self.push(index, List::Extras, (what, Some(words), at), extra.halves());
                }
            }
        }
    }

    /// Text between the children of an element.
    fn stray(&mut self, parent: usize, list: List) {
        let element = &self.tree.elements[parent];
        let Some(close) = &element.close else { return };
        let inside = element.open.end..close.start;
        let mut skipped: Vec<Span> =
            self.tree.children(parent).map(|(_, child)| child.span()).collect();
        let comments = self.tree.comments.iter();
        skipped.extend(
            comments.filter(|one| inside.start <= one.start && one.end <= inside.end).cloned(),
        );
        skipped.sort_by_key(|span| span.start);
        let mut at = inside.start;
        for span in skipped.into_iter().chain(std::iter::once(close.start..close.start)) {
            if span.start >= at {
                self.text(at..span.start, list);
                at = span.end;
            }
        }
    }

    fn text(&mut self, gap: Span, list: List) {
        let text = &self.source[gap.clone()];
        let trimmed = text.trim();
        // Processing instructions say nothing to libvirt.
        if trimmed.is_empty() || trimmed.starts_with("<?") {
            return;
        }
        let start = gap.start + text.len() - text.trim_start().len();
        let shown: String = trimmed.chars().take(40).collect();
        let halves = match list {
            List::Args => {
                let (first, rest) =
                    trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
                (first.to_owned(), rest.trim().to_owned())
            }
            List::Envs | List::Extras => Default::default(),
        };
        self.found.push(Broken {
            span: start..start + trimmed.len(),
            list,
            name: format!("the text '{shown}'"),
            what: "it stands in no element, expected <qemu:arg value='…'/>".to_owned(),
            refused: None,
            offset: start,
            halves,
            place: Place::Text,
        });
    }
}
