//! Switching entries off and on again.

use super::VerbError;
use crate::domain::disabled::{self, Disabled, END, MARK};
use crate::domain::document::Document;
use crate::domain::entry::{EntryKind, List};
use crate::domain::style;
use crate::xml::{Edit, EditSet};

impl Document {
    /// Plans to switch neighbouring entries of a list off.
    ///
    /// # Errors
    /// When XML comments can't hold them, or something else stands between them.
    pub fn disable(&self, list: List, range: std::ops::Range<usize>) -> Result<EditSet, VerbError> {
        let entries = self.list(list).get(range).filter(|entries| !entries.is_empty());
        let entries = entries.ok_or_else(|| VerbError("there is no such entry".to_owned()))?;
        if list == List::Extras {
            return Err(VerbError(
                "only arguments and variables can be switched off; delete this one".to_owned(),
            ));
        }
        let (first, last) = (&entries[0], &entries[entries.len() - 1]);
        let text = &self.source()[first.span.start..last.span.end];
        if text.contains("--") || text.ends_with('-') {
            return Err(VerbError(
                "an XML comment cannot hold '--': delete the entry instead, u brings it back"
                    .to_owned(),
            ));
        }
        let alone = entries
            .windows(2)
            .all(|pair| self.source()[pair[0].span.end..pair[1].span.start].trim().is_empty());
        if !alone {
            return Err(VerbError(
                "something else stands between the option and its value".to_owned(),
            ));
        }
        // On one line, so that it reads as one thing.
        let words: Vec<&str> =
            entries.iter().map(|entry| &self.source()[entry.span.clone()]).collect();
        let comment = format!("{MARK}{}{END}", words.join(" "));
        let off = disabled::read_one(&comment, &(0..comment.len()), |_| true);
        let is_whole =
            off.is_some_and(|off| off.entries.iter().eq(entries.iter().map(|e| &e.kind)));
        if !is_whole {
            return Err(VerbError(
                "it uses an entity, which means nothing in a comment: delete the entry instead, u brings it back"
                    .to_owned(),
            ));
        }
        let mut edits = EditSet::new();
        edits.push(Edit::replace(first.span.start..last.span.end, comment))?;
        Ok(edits)
    }

    /// Plans to switch on again what stands in a comment.
    ///
    /// # Errors
    /// When libvirt would refuse it.
    pub fn enable(&self, disabled: &Disabled) -> Result<EditSet, VerbError> {
        disabled.entries.iter().try_for_each(EntryKind::check).map_err(VerbError)?;
        let inner =
            self.source()[disabled.span.clone()].trim_start_matches(MARK).trim_end_matches(END);
        let separator = style::own_line(self.source(), disabled.span.start).unwrap_or(" ");
        let mut edits = EditSet::new();
        edits.push(Edit::replace(
            disabled.span.clone(),
            inner.replace("/> <", &format!("/>{separator}<")),
        ))?;
        Ok(edits)
    }

    /// Plans to delete what is switched off.
    pub fn drop_disabled(&self, disabled: &Disabled) -> EditSet {
        let mut edits = EditSet::new();
        edits
            .push(Edit::delete(style::with_line(self.source(), &disabled.span)))
            .expect("it is the only one");
        edits
    }
}
