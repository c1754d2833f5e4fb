//! Capabilities, override and deprecation: something new, something else, and what goes with the last of a block.

use super::{ALONE, VerbError};
use crate::domain::document::Document;
use crate::domain::entry::{Entry, EntryId, EntryKind, List};
use crate::domain::extras::{Extra, written};
use crate::domain::namespace::{QEMU_NAMESPACE, is_ours};
use crate::domain::style;
use crate::xml::{Attribute, Edit, EditSet, Element, Span};

impl Document {
    /// Plans something new of the rest of the namespace, in its block where there is one.
    ///
    /// # Errors
    /// When libvirt would refuse it, or the document has no place for it.
    pub(super) fn add_extra(&self, extra: &Extra) -> Result<EditSet, VerbError> {
        if self.is_fragment() {
            return Err(VerbError(ALONE.to_owned()));
        }
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
                edits.push(self.in_place(element, extra)?)?;
                Ok(edits)
            }
            (Extra::Deprecation { .. }, None) => {
                self.append_block(&[self.line(extra, Some("qemu"))?])
            }
            (_, Some((index, element))) => {
                edits.push(self.last_child(index, &[self.line(extra, element.prefix())?])?)?;
                Ok(edits)
            }
            (_, None) => self.append_block(&[
                format!("<qemu:{block}>"),
                format!("  {}", self.line(extra, Some("qemu"))?),
                format!("</qemu:{block}>"),
            ]),
        }
    }

    fn line(&self, extra: &Extra, prefix: Option<&str>) -> Result<String, VerbError> {
        Ok(written(extra, prefix, self.tree().foreign_encoding.is_some())?)
    }

    /// The edit that puts something in the place of an element, whose own namespaces stay.
    pub(super) fn in_place(&self, element: &Element, extra: &Extra) -> Result<Edit, VerbError> {
        let mut text = self.line(extra, element.prefix())?;
        let name = text.find(' ').unwrap_or(text.len());
        let is_binding = |attribute: &&Attribute| {
            attribute.name == "xmlns" || attribute.name.starts_with("xmlns:")
        };
        let bindings: String = element
            .attributes
            .iter()
            .filter(is_binding)
            .map(|found| {
                format!(" {}", &self.source()[found.name_span.start..found.value_span.end + 1])
            })
            .collect();
        text.insert_str(name, &bindings);
        Ok(Edit::replace(element.span(), text))
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
        edits.push(self.in_place(&self.tree().elements[entry.element], extra)?)?;
        Ok(edits)
    }

    /// Where `<qemu:deprecation>` stands: of several libvirt looks at the first, and would look at the next when that is gone
    /// (`qemuDomainDefNamespaceParse`).
    pub(super) fn deprecations(&self) -> impl Iterator<Item = Span> + '_ {
        let all = self.tree().children(0).filter(|(_, child)| is_ours(child, "deprecation"));
        all.filter(|(_, e)| e.attribute("behavior").is_some()).map(|(_, element)| element.span())
    }

    /// The span of an entry of the rest of the namespace with all that holds nothing else: its frontend, device, block.
    pub(super) fn extra_span(&self, entry: &Entry, gone: &[EntryId]) -> Span {
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
        if self.is_fragment() {
            return Err(VerbError(ALONE.to_owned()));
        }
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
