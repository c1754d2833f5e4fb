//! Planning a `<seclabel>`.

use super::{ALONE, VerbError};
use crate::domain::document::Document;
use crate::domain::style;
use crate::xml::{Edit, EditSet};

impl Document {
    /// Plans the security label of one model: the one that is there is replaced, a new one comes after `<devices>`.
    ///
    /// `element` is the whole element on one line.
    ///
    /// # Errors
    /// When the document has no place for it.
    pub fn set_seclabel(&self, model: &str, element: &str) -> Result<EditSet, VerbError> {
        if self.is_fragment() {
            return Err(VerbError(ALONE.to_owned()));
        }
        let (source, tree) = (self.source(), self.tree());
        let mut edits = EditSet::new();
        let present = tree
            .children(0)
            .find(|(_, child)| child.name == "seclabel" && child.attribute("model") == Some(model));
        if let Some((_, present)) = present {
            edits.push(Edit::replace(present.span(), element))?;
            return Ok(edits);
        }
        let last = tree
            .children(0)
            .filter(|(_, child)| ["devices", "seclabel"].contains(&child.name.as_str()))
            .last();
        let after = last
            .or_else(|| tree.children(0).last())
            .ok_or_else(|| VerbError("the domain is empty, expected <devices>".to_owned()))?;
        let anchor = after.1.span();
        let blanks = style::own_line(source, anchor.start).unwrap_or("");
        edits.push(Edit::insert(anchor.end, format!("{blanks}{element}")))?;
        Ok(edits)
    }
}
