//! Taking over what was pasted.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{App, Mode};
use crate::domain::{EntryId, EntryKind, List};
use crate::tui::import::{self, Fate, Item};
use crate::xml::EditSet;

impl App {
    /// What the pasted text becomes.
    ///
    /// # Errors
    /// What stands in the way, in one sentence.
    pub fn import(&self) -> Result<Vec<Item>, String> {
        let kinds = |list: List, range: std::ops::Range<usize>| -> Vec<EntryKind> {
            self.document.list(list)[range].iter().map(|entry| entry.kind.clone()).collect()
        };
        let options = self.line.options.iter().map(|option| kinds(List::Args, option.entry..option.last() + 1));
        let variables = (0..self.document.list(List::Envs).len()).map(|at| kinds(List::Envs, at..at + 1));
        import::read(&self.pasted, &options.chain(variables).collect::<Vec<_>>())
    }

    pub(super) fn import_key(&mut self, event: KeyEvent) {
        match event.code {
            KeyCode::Backspace => drop(self.pasted.pop()),
            KeyCode::Char(c) if event.modifiers.difference(KeyModifiers::SHIFT).is_empty() => self.pasted.push(c),
            _ => {}
        }
    }

    /// Adds what is new: arguments after the last one, variables after the last one.
    pub(super) fn take_import(&mut self) {
        let items = match self.import() {
            Ok(items) => items,
            Err(error) => {
                self.status = Some((true, error));
                return;
            }
        };
        let new: Vec<EntryKind> =
            items.iter().filter(|item| item.fate == Fate::Added).flat_map(|item| item.entries.clone()).collect();
        self.mode = Mode::List;
        if new.is_empty() {
            return self.say("there is nothing new in what was pasted");
        }
        let count = new.len();
        let at = self.document.list(List::Args).len();
        match self.plan_new(&new) {
            Ok(edits) => {
                self.edit(&edits, Some(EntryId { list: List::Args, index: at }));
                if self.status.is_none() {
                    self.say(&format!("{count} entries added; u takes them back"));
                }
            }
            Err(error) => self.status = Some((true, error)),
        }
    }

    /// New entries after the last ones of their lists, as one step to undo.
    pub(super) fn plan_new(&self, new: &[EntryKind]) -> Result<EditSet, String> {
        let mut document = self.document.clone();
        for list in [List::Args, List::Envs, List::Extras] {
            let kinds: Vec<EntryKind> = new.iter().filter(|kind| kind.list() == list).cloned().collect();
            let edits = document.insert(list, document.list(list).len(), &kinds).map_err(|error| error.to_string())?;
            document = document.apply(&edits).map_err(|error| error.message)?;
        }
        Ok(EditSet::between(self.document.source(), document.source()))
    }
}
