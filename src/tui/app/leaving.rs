//! Leaving, as people know it from elsewhere: after a save, or without one; and going back to what is on the disk.

use super::{Action, App, Conflict, Effect, Theirs};
use crate::domain::Document;

impl App {
    /// Saves, and leaves once that is done; at once where nothing is to be saved.
    pub(super) fn save_and_quit(&mut self) -> Option<Effect> {
        if self.file.saving || !self.is_modified() {
            return self.quit();
        }
        let effect = self.save();
        // A question may come first; its answer decides.
        self.file.leaving = true;
        effect
    }

    /// Leaves without saving; a save that is under way comes to its end first.
    pub(super) fn quit_anyway(&mut self) -> Option<Effect> {
        if self.file.saving {
            return self.quit();
        }
        Some(Effect::Quit)
    }

    /// Goes back to the text that the file or libvirt has, as a step that can be taken back; the shell looks whether that is
    /// still what is there.
    pub(super) fn reload(&mut self) -> Option<Effect> {
        if let Some(theirs) = self.file.theirs.clone() {
            let conflict = Conflict { theirs, merge: None, at_save: false };
            if matches!(conflict.theirs, Theirs::Text(_)) {
                return self.settle_conflict(conflict, Action::Take);
            }
            self.fail("it is gone, or no domain any more; = shows what is there".to_owned());
            return None;
        }
        match Document::parse(self.file.saved.as_str()) {
            Ok(document) if document.source() != self.document.source() => {
                let selected = self.selected_entry();
                self.edits.history.record(self.document.source(), selected);
                self.replace(document, selected);
                self.say("as it was read; u brings your changes back");
            }
            Ok(_) => self.say("it is as it was read"),
            Err(error) => {
                self.fail(format!("it can't be read: {}", error.message));
                return None;
            }
        }
        Some(Effect::LookAtOthers)
    }
}
