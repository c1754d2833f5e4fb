//! Planning to bring back passthrough that libvirt does not see.

use super::VerbError;
use crate::domain::document::Document;
use crate::domain::entry::{EntryKind, List};
use crate::domain::lost::{Lost, LostReason};
use crate::domain::namespace::QEMU_NAMESPACE;
use crate::domain::namespace::is_ours;
use crate::domain::style;
use crate::xml::{Edit, EditSet, Element};

impl Document {
    /// Plans what makes libvirt see a lost element: a sentence, and the edits.
    ///
    /// # Errors
    /// When it can't be done without knowing what was meant, or libvirt would refuse what it then sees.
    pub fn recover(&self, lost: &Lost) -> Result<(String, EditSet), VerbError> {
        let element = self.tree().elements.iter().find(|element| element.span() == lost.span);
        let element = element.ok_or_else(|| VerbError("the element is gone".to_owned()))?;
        let mut edits = EditSet::new();
        let title = match &lost.reason {
            LostReason::UndeclaredPrefix(prefix) => {
                let at = self.tree().root().after_attributes();
                edits.push(Edit::insert(at, format!(" xmlns:{prefix}='{QEMU_NAMESPACE}'")))?;
                format!("declare the prefix '{prefix}' on <domain>")
            }
            LostReason::OtherNamespace(_) => {
                let binding = self
                    .binding_of(element)
                    .ok_or_else(|| VerbError("its namespace is not written here".into()))?;
                edits.push(Edit::replace(binding, QEMU_NAMESPACE))?;
                "correct the namespace".to_owned()
            }
            LostReason::NoNamespace if ["arg", "env"].contains(&element.local_name()) => {
                let parent = element.parent.map(|parent| &self.tree().elements[parent]);
                let prefix = parent.and_then(Element::prefix).unwrap_or("qemu");
                for tag in [Some(&element.open), element.close.as_ref()].into_iter().flatten() {
                    let name = tag.start + if Some(tag) == element.close.as_ref() { 2 } else { 1 };
                    edits.push(Edit::insert(name, format!("{prefix}:")))?;
                }
                format!("give it the prefix '{prefix}'")
            }
            LostReason::NoNamespace => {
                edits.push(Edit::insert(
                    element.after_attributes(),
                    format!(" xmlns='{QEMU_NAMESPACE}'"),
                ))?;
                "declare its namespace on it".to_owned()
            }
            LostReason::Inside(parent) => {
                self.self_contained(element)?;
                let text = self.source()[lost.span.clone()].to_owned();
                edits.push(Edit::delete(style::with_line(self.source(), &lost.span)))?;
                edits.push(self.at_end_of_root(&text)?)?;
                format!("move it out of <{parent}>, to the end of the domain")
            }
            LostReason::OutsideBlock => {
                let kind =
                    entry_of(element).ok_or_else(|| VerbError("it has no value".to_owned()))?;
                let list = kind.list();
                edits = self.insert(list, self.list(list).len(), &[kind])?;
                edits.push(Edit::delete(style::with_line(self.source(), &lost.span)))?;
                "put it into the <qemu:commandline>".to_owned()
            }
        };
        // What comes to life may be what libvirt refuses.
        match self.apply(&edits) {
            // A new fault is libvirt's reason to refuse the document.
            Ok(next) => match refused(&next).find(|what| !refused(self).any(|old| old == *what)) {
                Some(what) => {
                    Err(VerbError(format!("libvirt would see it, and refuse it: {what}")))
                }
                None => Ok((title, edits)),
            },
            Err(error) => {
                Err(VerbError(format!("libvirt would see it, and refuse it: {}", error.message)))
            }
        }
    }

    /// Plans one block where there are several: the entries of the later ones come behind those of the first.
    ///
    /// # Errors
    /// When a later block holds what libvirt does not see, or what is switched off: it would come to life, or be gone.
    pub fn merge_blocks(&self) -> Result<EditSet, VerbError> {
        let tree = self.tree();
        let mut blocks = tree.children(0).filter(|(_, child)| is_ours(child, "commandline"));
        let (first, _) = blocks.next().ok_or_else(|| VerbError("there is no block".to_owned()))?;
        let (mut kinds, mut edits) = (Vec::new(), EditSet::new());
        for (index, block) in blocks {
            if let Some((_, other)) = tree.children(index).find(|(_, child)| seen(child).is_none())
            {
                let why = "which libvirt does not see, expected it repaired or deleted first";
                return Err(VerbError(format!("a block holds <{}>, {why}", other.name)));
            }
            let span = block.span();
            if self.disabled().iter().any(|off| span.contains(&off.span.start)) {
                let why = "a block holds what is switched off, expected it on or deleted first";
                return Err(VerbError(why.to_owned()));
            }
            kinds.extend(tree.children(index).filter_map(|(_, child)| seen(child)));
            edits.push(Edit::delete(style::with_line(self.source(), &block.span())))?;
        }
        let own: Vec<List> =
            tree.children(first).filter_map(|(_, child)| Some(seen(child)?.list())).collect();
        let last = own.last().copied().unwrap_or(List::Args);
        let count = own.iter().filter(|list| **list == last).count();
        for edit in self.insert(last, count, &kinds)?.edits() {
            edits.push(edit.clone())?;
        }
        Ok(edits)
    }

    /// Where the namespace that is in force for an element is written.
    fn binding_of(&self, element: &Element) -> Option<crate::xml::Span> {
        let mut at = Some(element);
        while let Some(found) = at {
            if let Some(binding) = found.binding(element.prefix()) {
                return Some(binding.value_span.clone());
            }
            at = found.parent.map(|parent| &self.tree().elements[parent]);
        }
        None
    }

    /// Whether an element means the same at the end of the domain: its prefix is bound on itself or on the root.
    fn self_contained(&self, element: &Element) -> Result<(), VerbError> {
        let bound = |element: &Element, prefix| element.binding(prefix).is_some();
        if bound(element, element.prefix()) || bound(self.tree().root(), element.prefix()) {
            return Ok(());
        }
        Err(VerbError("its namespace is declared around it, move it by hand".to_owned()))
    }

    fn at_end_of_root(&self, text: &str) -> Result<Edit, VerbError> {
        let source = self.source();
        let close = self
            .tree()
            .root()
            .close
            .as_ref()
            .ok_or_else(|| VerbError("the domain is empty".to_owned()))?;
        Ok(match style::own_line(source, close.start) {
            Some(blanks) => Edit::insert(
                close.start - blanks.len(),
                format!("{}  {text}", style::line_end(source)),
            ),
            None => Edit::insert(close.start, text),
        })
    }
}

/// What libvirt refuses a document for.
fn refused(document: &Document) -> impl Iterator<Item = &str> {
    let all = document.broken().iter().filter(|broken| broken.refused.is_some());
    all.map(|broken| broken.what.as_str())
}

/// What an element says as an entry that libvirt sees.
fn seen(element: &Element) -> Option<EntryKind> {
    let is_entry = is_ours(element, "arg") || is_ours(element, "env");
    if is_entry { entry_of(element) } else { None }
}

/// What an element says as an entry, whatever its namespace.
fn entry_of(element: &Element) -> Option<EntryKind> {
    let value = element.property("value").map(|value| value.value.as_str());
    match element.local_name() {
        "arg" => Some(EntryKind::arg(value?)),
        "env" => Some(EntryKind::env(element.property("name")?.value.as_str(), value)),
        _ => None,
    }
}
