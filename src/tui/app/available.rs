//! What can be done now, and why not.

use super::{Action, App, Mode};

impl App {
    /// Why an action can't be done now.
    ///
    /// # Errors
    /// A sentence for the status line.
    #[allow(clippy::wildcard_enum_match_arm, reason = "what stands in no arm can always be done")]
    pub fn available(&self, action: Action) -> Result<(), &'static str> {
        if self.mode == Mode::Review {
            return self.available_to_import(action);
        }
        let entry = self.selection().is_some();
        let refused = match action {
            Action::Edit | Action::Toggle if self.is_on_folded() => return Ok(()),
            Action::Mark if self.is_on_folded() => "unfold it first: Enter",
            Action::Edit
            | Action::Outside
            | Action::MoveUp
            | Action::MoveDown
            | Action::Duplicate
            | Action::Copy
            | Action::CopyShell
            | Action::Cut
                if self.disabled_row().is_some() && self.lists.marked.is_empty() =>
            {
                "it is switched off; Space switches it on first"
            }
            Action::Delete if self.disabled_row().is_some() || self.broken_row().is_some() => {
                return Ok(());
            }
            Action::Edit | Action::Outside if self.broken_row().is_some() => return Ok(()),
            Action::Edit | Action::Outside | Action::Delete | Action::Toggle if self.is_lost() => {
                "libvirt does not see it; x brings it back"
            }
            Action::Edit | Action::Outside | Action::Delete | Action::Toggle
                if self.is_general() =>
            {
                "this is about the domain or the host, and no entry; x shows what can be done"
            }
            Action::Edit if !entry => "select an entry first",
            Action::Outside if !entry && self.form.is_none() => "select an entry first",
            Action::Copy if self.mode == Mode::Confirm => return Ok(()),
            Action::Delete | Action::Copy | Action::CopyShell | Action::Cut | Action::Duplicate
                if self.chosen().is_empty() =>
            {
                "select an entry first"
            }
            Action::Put if self.edits.clipboard.is_empty() => "copy or cut something first: y, X",
            Action::MoveUp | Action::MoveDown if !entry => "select an entry first",
            Action::Toggle if !entry && self.disabled_row().is_none() => "select an entry first",
            Action::Canonicalise if !self.document.disabled().is_empty() => {
                "switch the entries that are off on again, or delete them: libvirt's form has no room for them"
            }
            Action::Undo if !self.edits.history.can_undo() => "there is nothing to undo",
            Action::Redo if !self.edits.history.can_redo() => "there is nothing to redo",
            Action::Remedies | Action::UseRemedy if !self.is_judged() => {
                "it is being judged; a moment"
            }
            Action::Plan if self.judging.host.is_none() => "the host is being looked at; a moment",
            Action::Report if self.judging.host.is_none() || !self.is_judged() => {
                "it is being judged; a moment"
            }
            Action::Remedies if !self.has_ways() => self.no_way(),
            Action::NextMatch | Action::PreviousMatch if self.lists.search.words.is_empty() => {
                "search first: /"
            }

            Action::Save | Action::SaveAs if self.file.saving => "it is being saved",
            Action::Reload if self.file.saving => "it is being saved",
            Action::SaveAndQuit if self.file.saving || !self.is_modified() => return Ok(()),
            Action::SaveAndQuit => {
                return self.file.readonly.or(self.file.look_only).map_or(Ok(()), Err);
            }
            Action::SaveAs => return self.file.look_only.map_or(Ok(()), Err),
            Action::Save | Action::Merge | Action::Overwrite => {
                return self.file.readonly.or(self.file.look_only).map_or(Ok(()), Err);
            }
            Action::Others if self.file.theirs.is_none() => "nobody else changed it",
            _ => return Ok(()),
        };
        Err(refused)
    }
}
