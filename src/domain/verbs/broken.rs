//! Repairing what is no entry: something else in its place, or nothing.

use super::VerbError;
use crate::domain::broken::{Broken, Place};
use crate::domain::document::Document;
use crate::domain::entry::{EntryKind, List};
use crate::domain::extras::Extra;
use crate::domain::namespace::is_ours;
use crate::domain::style::{self, Style};
use crate::xml::escape::attribute;
use crate::xml::{Edit, EditSet};

impl Document {
    /// Plans entries in the place of what is none.
    ///
    /// # Errors
    /// When they can't be written there, or libvirt would refuse them.
    pub fn repair(&self, broken: &Broken, kinds: &[EntryKind]) -> Result<EditSet, VerbError> {
        for kind in kinds {
            kind.check().map_err(VerbError)?;
        }
        let mut edits = EditSet::new();
        if let [EntryKind::Extra(extra)] = kinds {
            return self.repair_extra(broken, extra);
        }
        let at = match broken.place {
            Place::Element(index) => self.tree().elements[index].parent,
            Place::Text => self.block_around(broken.offset),
        };
        let is_block = |block: &usize| self.blocks().contains(block);
        let Some(block) = at.filter(is_block).filter(|_| broken.list != List::Extras) else {
            return Err(VerbError("no argument has its place there, delete it".to_owned()));
        };
        let element = match broken.place {
            Place::Element(index) => &self.tree().elements[index],
            Place::Text => &self.tree().elements[block],
        };
        let style = Style::of(self.tree(), self.source(), element, block);
        let separator = style::own_line(self.source(), broken.span.start).unwrap_or("");
        let lines: Vec<String> =
            kinds.iter().map(|kind| style.element(kind)).collect::<Result<_, _>>()?;
        edits.push(Edit::replace(broken.span.clone(), lines.join(separator)))?;
        Ok(edits)
    }

    /// The block that holds a place.
    fn block_around(&self, offset: usize) -> Option<usize> {
        let holds = |block: &&usize| self.tree().elements[**block].span().contains(&offset);
        self.blocks().iter().find(holds).copied()
    }

    fn repair_extra(&self, broken: &Broken, extra: &Extra) -> Result<EditSet, VerbError> {
        let mut edits = EditSet::new();
        let Place::Element(index) = broken.place else {
            return Err(VerbError("it is a text, expected it deleted".to_owned()));
        };
        let element = &self.tree().elements[index];
        if is_ours(element, "device")
            && let Extra::Property { alias, .. } = extra
        {
            // Its properties stay as they are.
            let quoted = attribute(alias, '\'', self.tree().foreign_encoding.is_some())?;
            let at = element.open.start + 1 + element.name.len();
            edits.push(Edit::insert(at, format!(" alias='{quoted}'")))?;
            return Ok(edits);
        }
        let device = element.parent.and_then(|frontend| self.tree().elements[frontend].parent);
        let alias = device.map(|at| &self.tree().elements[at]).and_then(|d| d.property("alias"));
        let stays = match extra {
            Extra::Property { alias: wanted, .. } => {
                is_ours(element, "property") && alias.is_some_and(|alias| alias.value == *wanted)
            }
            Extra::Capability { .. } => is_ours(element, "add") || is_ours(element, "del"),
            Extra::Deprecation { .. } => false,
        };
        if stays {
            edits.push(self.in_place(element, extra)?)?;
            return Ok(edits);
        }
        edits = self.drop_broken(broken);
        for edit in self.add_extra(extra)?.edits() {
            edits.push(edit.clone())?;
        }
        Ok(edits)
    }

    /// Plans to take away what is no entry, with its line where it has one.
    pub fn drop_broken(&self, broken: &Broken) -> EditSet {
        let mut edits = EditSet::new();
        edits
            .push(Edit::delete(style::with_line(self.source(), &broken.span)))
            .expect("it is the only edit");
        edits
    }
}
