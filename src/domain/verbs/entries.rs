//! Entries: new ones, other contents, taking away, another order.

use super::VerbError;
use crate::domain::canonical;
use crate::domain::document::Document;
use crate::domain::entry::{EntryId, EntryKind, List};
use crate::domain::extras::Extra;
use crate::domain::namespace::is_ours;
use crate::domain::style::{self, Style};
use crate::xml::{Edit, EditSet, Element, Span, escape};

impl Document {
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
            self.blocks().last().and_then(|&block| {
                self.tree()
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
        } else if let Some(&block) = self.blocks().last() {
            edits.push(self.fill_empty(block, kinds)?)?;
        } else {
            canonical::push_new_block(self.source(), self.tree(), kinds, &mut edits)?;
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
        let element = &self.tree().elements[entry.element];
        let changes = match (&entry.kind, kind) {
            (EntryKind::Arg { value: old }, EntryKind::Arg { value }) => {
                vec![self.set(element, "value", Some(old), Some(value))?]
            }
            (EntryKind::Env { name: old_name, value: old }, EntryKind::Env { name, value }) => {
                vec![
                    self.set(element, "name", Some(old_name), Some(name))?,
                    self.set(element, "value", old.as_ref(), value.as_ref())?,
                ]
            }
            (_, EntryKind::Extra(extra)) => return self.replace_extra(entry, extra),
            (EntryKind::Arg { .. } | EntryKind::Extra(_), EntryKind::Env { .. })
            | (EntryKind::Env { .. } | EntryKind::Extra(_), EntryKind::Arg { .. }) => {
                return Err(VerbError(
                    "an argument cannot become a variable, nor the reverse".to_owned(),
                ));
            }
        };
        let mut edits = EditSet::new();
        for change in changes.into_iter().flatten() {
            edits.push(change)?;
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
        let mut gone = self.entries().filter(|entry| ids.contains(&entry.id));
        if gone.any(|e| matches!(e.kind, EntryKind::Extra(Extra::Deprecation { .. }))) {
            spans.extend(self.deprecations());
        }
        // Two that empty one block are gone with it.
        spans.sort_by_key(|span| (span.start, span.end));
        spans.dedup();
        for span in spans {
            edits
                .push(Edit::delete(style::with_line(self.source(), &span)))
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
                (&self.tree().elements[slot.element], &self.tree().elements[moved.element]);
            let text = match here.parent {
                parent if parent == there.parent => self.source()[moved.span.clone()].to_owned(),
                Some(block) => {
                    Style::of(self.tree(), self.source(), here, block).element(&moved.kind)?
                }
                None => return Err(VerbError("an entry stands outside its block".to_owned())),
            };
            edits.push(Edit::replace(slot.span.clone(), text))?;
        }
        Ok(edits)
    }

    fn beside(&self, neighbour: usize, kinds: &[EntryKind], side: Side) -> Result<Edit, VerbError> {
        let element = &self.tree().elements[neighbour];
        let block = element.parent.expect("an entry stands inside its block");
        let style = Style::of(self.tree(), self.source(), element, block);
        let end = self.end_with_remark(element.span().end);
        let behind = self.source()[end..].trim_start_matches([' ', '\t', '\r']);
        // Where something follows on its line the new one stands on that line too, so that taking it away leaves no line behind.
        let is_last = behind.is_empty() || behind.starts_with('\n');
        let own_line = style::own_line(self.source(), element.open.start);
        let separator = own_line.filter(|_| is_last || side == Side::Before).unwrap_or("");
        // Blanks at the end of its line stay there.
        let blanks =
            self.source()[end..].len() - self.source()[end..].trim_start_matches([' ', '\t']).len();
        let end = if separator.is_empty() { end } else { end + blanks };
        let mut text = String::new();
        for kind in kinds {
            let new = style.element(kind)?;
            match side {
                Side::After => text.extend([separator, &new]),
                Side::Before => text.extend([&new, separator]),
            }
        }
        Ok(match side {
            Side::After => Edit::insert(end, text),
            Side::Before => Edit::insert(element.open.start, text),
        })
    }

    /// The end of an element, or of the comment that follows it on its line.
    fn end_with_remark(&self, end: usize) -> usize {
        let remark = self.tree().comments.iter().find(|comment| {
            comment.start >= end
                && self.source()[end..comment.start].bytes().all(|b| b == b' ' || b == b'\t')
        });
        match remark {
            Some(comment)
                if self.source()[comment.end..]
                    .trim_start_matches([' ', '\t', '\r'])
                    .starts_with('\n') =>
            {
                comment.end
            }
            _ => end,
        }
    }

    fn fill_empty(&self, block: usize, kinds: &[EntryKind]) -> Result<Edit, VerbError> {
        let element = &self.tree().elements[block];
        let style = Style::of(self.tree(), self.source(), element, block);
        let line_end = style::line_end(self.source());
        let indent = style::indent(self.source(), element.open.start);
        let inner = style::deeper(indent);
        let mut lines = String::new();
        for kind in kinds {
            lines.extend([line_end, &inner, &style.element(kind)?]);
        }
        Ok(match &element.close {
            None => {
                let tag = &self.source()[element.open.clone()];
                let kept = tag.trim_end_matches("/>").trim_end().len();
                let text = format!(">{lines}{line_end}{indent}</{}>", element.name);
                Edit::replace(element.open.start + kept..element.open.end, text)
            }
            Some(close) => match style::own_line(self.source(), close.start) {
                Some(blanks) => Edit::insert(close.start - blanks.len(), lines),
                None => Edit::insert(close.start, format!("{lines}{line_end}{indent}")),
            },
        })
    }

    /// The edit that gives an attribute another value, or takes it away.
    fn set(
        &self,
        element: &Element,
        local: &str,
        old: Option<&String>,
        new: Option<&String>,
    ) -> Result<Option<Edit>, VerbError> {
        if old == new {
            return Ok(None);
        }
        let ascii = self.tree().foreign_encoding.is_some();
        let write = |value: &str, quote| escape::attribute(value, quote, ascii);
        Ok(match (element.property(local), new) {
            (Some(attribute), Some(new)) => {
                Some(Edit::replace(attribute.value_span.clone(), write(new, attribute.quote)?))
            }
            (Some(attribute), None) => {
                let before = &self.source()[..attribute.name_span.start];
                Some(Edit::delete(before.trim_end().len()..attribute.value_span.end + 1))
            }
            (None, Some(new)) => {
                let last = element.attributes.last().expect("an entry has an attribute");
                let quote = last.quote;
                let text = format!(" {local}={quote}{}{quote}", write(new, quote)?);
                Some(Edit::insert(last.value_span.end + 1, text))
            }
            (None, None) => None,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}
