//! The document: its source text, its passthrough entries, and the verbs that plan edits.

use super::disabled::{self, Disabled};
use super::entry::{Entry, EntryId, EntryKind, List};
use super::extras::{self, Extra};
use super::facts::DomainFacts;
use super::lost::{self, Lost};
use super::style::{self, Style};
use super::{QEMU_NAMESPACE, canonical};
use crate::xml::{self, Edit, EditSet, Element, Span, Tree, XmlError, escape};

/// Why a verb can't be planned, in one sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerbError(pub String);

impl std::fmt::Display for VerbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<xml::edit::Overlap> for VerbError {
    fn from(_: xml::edit::Overlap) -> VerbError {
        VerbError("two changes touch the same text".to_owned())
    }
}

/// A domain document. Verbs plan an [`EditSet`]; [`Document::apply`] gives the next document.
#[derive(Debug, Clone)]
pub struct Document {
    source: String,
    tree: Tree,
    args: Vec<Entry>,
    envs: Vec<Entry>,
    extras: Vec<Entry>,
    disabled: Vec<Disabled>,
    /// Indices of the `commandline` elements that libvirt reads.
    blocks: Vec<usize>,
    lost: Vec<Lost>,
    facts: DomainFacts,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The place where it is not well-formed, not a domain, or refused by libvirt's own reading of the passthrough
    /// (`qemuDomainDefNamespaceParse`): an argument without `value`, a variable without `name` or with a bad one.
    pub fn parse(source: impl Into<String>) -> Result<Document, XmlError> {
        let source = source.into();
        let tree = xml::scan(&source)?;
        let root = tree.root();
        if root.local_name() != "domain" {
            let at = root.open.start;
            return Err(XmlError {
                offset: at,
                message: format!(
                    "not a libvirt domain, expected <domain> at the top, got <{}>",
                    root.name
                ),
            });
        }
        if let Some(uri) = &root.namespace {
            let message = format!(
                "<{}> is in the namespace '{uri}', libvirt expects <domain> in none",
                root.name
            );
            return Err(XmlError { offset: root.open.start, message });
        }
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
        canonical::check_extras(&tree)?;
        let extras = extras::read(&tree);
        let disabled = disabled::read(&source, &tree, &blocks);
        let lost = lost::find(&tree);
        let facts = DomainFacts::read(&tree);
        Ok(Document { source, tree, args, envs, extras, disabled, blocks, lost, facts })
    }

    /// The text, byte for byte.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The elements of the text.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The entries of one list, in order.
    pub fn list(&self, list: List) -> &[Entry] {
        match list {
            List::Args => &self.args,
            List::Envs => &self.envs,
            List::Extras => &self.extras,
        }
    }

    /// All entries: arguments, then environment, then the rest of the namespace.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.args.iter().chain(&self.envs).chain(&self.extras)
    }

    /// The entry of an id, while the id is valid.
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.list(id.list).get(id.index)
    }

    /// The arguments as QEMU will get them.
    pub fn argv(&self) -> Vec<&str> {
        self.args
            .iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::Arg { value } => Some(value.as_str()),
                EntryKind::Env { .. } | EntryKind::Extra(_) => None,
            })
            .collect()
    }

    /// One argument; nothing past the last.
    pub fn arg(&self, index: usize) -> &str {
        match self.args.get(index).map(|entry| &entry.kind) {
            Some(EntryKind::Arg { value }) => value,
            Some(EntryKind::Env { .. } | EntryKind::Extra(_)) | None => "",
        }
    }

    /// The environment variables: name and value.
    pub fn environment(&self) -> Vec<(&str, Option<&str>)> {
        self.envs
            .iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::Env { name, value } => Some((name.as_str(), value.as_deref())),
                EntryKind::Arg { .. } | EntryKind::Extra(_) => None,
            })
            .collect()
    }

    /// The properties of devices that overrides set to a text: the entry, the property, its value.
    pub fn overrides(&self) -> Vec<(EntryId, &str, &str)> {
        let mut found = Vec::new();
        for entry in &self.extras {
            if let EntryKind::Extra(Extra::Property { name, value: Some(value), .. }) = &entry.kind
            {
                found.push((entry.id, name.as_str(), value.as_str()));
            }
        }
        found
    }

    /// What is switched off, in the order of the text.
    pub fn disabled(&self) -> &[Disabled] {
        &self.disabled
    }

    /// Passthrough that libvirt will not see.
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// What else the document says that matters here.
    pub fn facts(&self) -> &DomainFacts {
        &self.facts
    }

    /// Where the value of an entry stands, between its quotes; the name for a variable without a value.
    pub fn value_span(&self, id: EntryId) -> Option<Span> {
        let element = &self.tree.elements[self.entry(id)?.element];
        let names = ["value", "name", "capability", "behavior"];
        let attribute = names.iter().find_map(|name| element.property(name))?;
        Some(attribute.value_span.clone())
    }

    /// The next document.
    ///
    /// # Errors
    /// When the edited text can't be read any more; this document is as it was.
    pub fn apply(&self, edits: &EditSet) -> Result<Document, XmlError> {
        Document::parse(edits.apply(&self.source))
    }

    /// Plans new entries of one list, the first of them at `index` there (the list's length appends).
    ///
    /// They are written as their neighbours are. A document without a block gets one, as libvirt writes it, at the end.
    ///
    /// # Errors
    /// When an entry can't be written or libvirt would refuse it.
    pub fn insert(
        &self,
        list: List,
        index: usize,
        kinds: &[EntryKind],
    ) -> Result<EditSet, VerbError> {
        for kind in kinds {
            kind.check().map_err(VerbError)?;
        }
        let mut edits = EditSet::new();
        if kinds.is_empty() {
            return Ok(edits);
        }
        if list == List::Extras {
            for kind in kinds {
                let EntryKind::Extra(extra) = kind else {
                    return Err(VerbError(
                        "an argument or a variable has no place there".to_owned(),
                    ));
                };
                for edit in self.add_extra(extra)?.edits() {
                    edits.push(edit.clone())?;
                }
            }
            return Ok(edits);
        }
        let entries = self.list(list);
        let last_of_any = || {
            self.blocks.last().and_then(|&block| {
                self.tree
                    .children(block)
                    .filter(|(_, e)| is_ours(e, "arg") || is_ours(e, "env"))
                    .last()
            })
        };
        if let Some(before) =
            index.checked_sub(1).and_then(|at| entries.get(at.min(entries.len().saturating_sub(1))))
        {
            edits.push(self.beside(before.element, kinds, Side::After)?)?;
        } else if let Some(after) = entries.first() {
            edits.push(self.beside(after.element, kinds, Side::Before)?)?;
        } else if let Some((element, _)) = last_of_any() {
            edits.push(self.beside(element, kinds, Side::After)?)?;
        } else if let Some(&block) = self.blocks.last() {
            edits.push(self.fill_empty(block, kinds)?)?;
        } else {
            canonical::push_new_block(&self.source, &self.tree, kinds, &mut edits)?;
        }
        Ok(edits)
    }

    /// Plans another content for an entry; only the attributes that change are touched.
    ///
    /// # Errors
    /// When the new content can't be written, libvirt would refuse it, or it belongs to the other list.
    pub fn replace(&self, id: EntryId, kind: &EntryKind) -> Result<EditSet, VerbError> {
        kind.check().map_err(VerbError)?;
        let entry = self.entry(id).ok_or_else(|| VerbError("there is no such entry".to_owned()))?;
        let element = &self.tree.elements[entry.element];
        let mut edits = EditSet::new();
        match (&entry.kind, kind) {
            (EntryKind::Arg { value: old }, EntryKind::Arg { value }) => {
                self.set(element, "value", Some(old), Some(value), &mut edits)?;
            }
            (EntryKind::Env { name: old_name, value: old }, EntryKind::Env { name, value }) => {
                self.set(element, "name", Some(old_name), Some(name), &mut edits)?;
                self.set(element, "value", old.as_ref(), value.as_ref(), &mut edits)?;
            }
            (_, EntryKind::Extra(extra)) => return self.replace_extra(entry, extra),
            _ => {
                return Err(VerbError(
                    "an argument cannot become a variable, nor the reverse".to_owned(),
                ));
            }
        }
        Ok(edits)
    }

    /// Plans to take entries away, each with its own line where it has one.
    pub fn remove(&self, ids: &[EntryId]) -> EditSet {
        let mut edits = EditSet::new();
        let mut spans: Vec<Span> = self
            .entries()
            .filter(|entry| ids.contains(&entry.id))
            .map(|entry| match entry.id.list {
                List::Args | List::Envs => entry.span.clone(),
                List::Extras => self.extra_span(entry, ids),
            })
            .collect();
        // Two that empty one block are gone with it.
        spans.sort_by_key(|span| (span.start, span.end));
        spans.dedup();
        for span in spans {
            edits
                .push(Edit::delete(self.with_line(&span)))
                .expect("entries stand apart in the text");
        }
        edits
    }

    /// Plans another order of a list: place `i` gets the entry that is now at `order[i]`.
    ///
    /// Blanks and comments between the entries stay where they are.
    ///
    /// # Errors
    /// When `order` does not name every entry once.
    pub fn reorder(&self, list: List, order: &[usize]) -> Result<EditSet, VerbError> {
        if list == List::Extras {
            return Err(VerbError("their order has no meaning: libvirt has its own".to_owned()));
        }
        let entries = self.list(list);
        let mut seen = order.to_vec();
        seen.sort_unstable();
        if seen.iter().copied().ne(0..entries.len()) {
            return Err(VerbError("the new order must name every entry once".to_owned()));
        }
        let mut edits = EditSet::new();
        for (slot, &from) in entries.iter().zip(order) {
            let moved = &entries[from];
            if slot.id == moved.id {
                continue;
            }
            let (here, there) =
                (&self.tree.elements[slot.element], &self.tree.elements[moved.element]);
            let text = match here.parent {
                parent if parent == there.parent => self.source[moved.span.clone()].to_owned(),
                Some(block) => {
                    Style::of(&self.tree, &self.source, here, block).element(&moved.kind)?
                }
                None => return Err(VerbError("an entry stands outside its block".to_owned())),
            };
            edits.push(Edit::replace(slot.span.clone(), text))?;
        }
        Ok(edits)
    }

    fn beside(&self, neighbour: usize, kinds: &[EntryKind], side: Side) -> Result<Edit, VerbError> {
        let element = &self.tree.elements[neighbour];
        let block = element.parent.expect("an entry stands inside its block");
        let style = Style::of(&self.tree, &self.source, element, block);
        let separator = style::own_line(&self.source, element.open.start).unwrap_or("");
        let mut text = String::new();
        for kind in kinds {
            let new = style.element(kind)?;
            match side {
                Side::After => text.extend([separator, &new]),
                Side::Before => text.extend([&new, separator]),
            }
        }
        Ok(match side {
            Side::After => Edit::insert(self.end_with_remark(element.span().end), text),
            Side::Before => Edit::insert(element.open.start, text),
        })
    }

    /// The end of an element, or of the comment that follows it on its line.
    fn end_with_remark(&self, end: usize) -> usize {
        let remark = self.tree.comments.iter().find(|comment| {
            comment.start >= end
                && self.source[end..comment.start].bytes().all(|b| b == b' ' || b == b'\t')
        });
        match remark {
            Some(comment)
                if self.source[comment.end..]
                    .trim_start_matches([' ', '\t', '\r'])
                    .starts_with('\n') =>
            {
                comment.end
            }
            _ => end,
        }
    }

    fn fill_empty(&self, block: usize, kinds: &[EntryKind]) -> Result<Edit, VerbError> {
        let element = &self.tree.elements[block];
        let style = Style::of(&self.tree, &self.source, element, block);
        let line_end = style::line_end(&self.source);
        let indent = style::indent(&self.source, element.open.start);
        let inner = style::deeper(indent);
        let mut lines = String::new();
        for kind in kinds {
            lines.extend([line_end, &inner, &style.element(kind)?]);
        }
        Ok(match &element.close {
            None => {
                let tag = &self.source[element.open.clone()];
                let kept = tag.trim_end_matches("/>").trim_end().len();
                let text = format!(">{lines}{line_end}{indent}</{}>", element.name);
                Edit::replace(element.open.start + kept..element.open.end, text)
            }
            Some(close) => match style::own_line(&self.source, close.start) {
                Some(blanks) => Edit::insert(close.start - blanks.len(), lines),
                None => Edit::insert(close.start, format!("{lines}{line_end}{indent}")),
            },
        })
    }

    fn set(
        &self,
        element: &Element,
        local: &str,
        old: Option<&String>,
        new: Option<&String>,
        edits: &mut EditSet,
    ) -> Result<(), VerbError> {
        if old == new {
            return Ok(());
        }
        let ascii = self.tree.foreign_encoding.is_some();
        let write = |value: &str, quote| {
            escape::attribute(value, quote, ascii).map_err(|error| VerbError(error.to_string()))
        };
        match (element.property(local), new) {
            (Some(attribute), Some(new)) => {
                edits.push(Edit::replace(
                    attribute.value_span.clone(),
                    write(new, attribute.quote)?,
                ))?;
            }
            (Some(attribute), None) => {
                let before = &self.source[..attribute.name_span.start];
                edits.push(Edit::delete(before.trim_end().len()..attribute.value_span.end + 1))?;
            }
            (None, Some(new)) => {
                let last = element.attributes.last().expect("an entry has an attribute");
                let quote = last.quote;
                edits.push(Edit::insert(
                    last.value_span.end + 1,
                    format!(" {local}={quote}{}{quote}", write(new, quote)?),
                ))?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// The element's span with its whole line, when nothing else stands on it.
    pub(super) fn with_line(&self, span: &Span) -> Span {
        let Some(blanks) = style::own_line(&self.source, span.start) else { return span.clone() };
        let rest = &self.source[span.end..];
        let after = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if !(rest[after..].is_empty()
            || rest[after..].starts_with('\n')
            || rest[after..].starts_with("\r\n"))
        {
            return span.clone();
        }
        // The line end before goes with the line, the one after stays.
        span.start - blanks.len()..span.end + after
    }
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

pub(super) fn is_ours(element: &Element, local: &str) -> bool {
    element.local_name() == local && element.namespace.as_deref() == Some(QEMU_NAMESPACE)
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
