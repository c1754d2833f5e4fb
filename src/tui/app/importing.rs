//! Taking over what was pasted.

use crossterm::event::KeyEvent;

use super::selection::type_at_end;
use super::{App, Mode, Status};
use crate::domain::{EntryKind, List};
use crate::tui::import::{self, Fate, Item};

impl App {
    /// What the pasted text becomes.
    ///
    /// # Errors
    /// What stands in the way, in one sentence.
    pub fn import(&self) -> Result<Vec<Item>, String> {
        let kinds = |list: List, range: std::ops::Range<usize>| -> Vec<EntryKind> {
            self.document.list(list)[range].iter().map(|entry| entry.kind.clone()).collect()
        };
        let options = self
            .line
            .options
            .iter()
            .map(|option| kinds(List::Args, option.entry..option.last() + 1));
        let variables =
            (0..self.document.list(List::Envs).len()).map(|at| kinds(List::Envs, at..at + 1));
        import::read(&self.over.pasted, &options.chain(variables).collect::<Vec<_>>())
    }

    pub(super) fn import_key(&mut self, event: KeyEvent) {
        type_at_end(&mut self.over.pasted, event);
    }

    /// Adds what is new: arguments after the last one, variables after the last one.
    pub(super) fn take_import(&mut self) {
        let items = match self.import() {
            Ok(items) => items,
            Err(error) => {
                self.status = Status::failed(error);
                return;
            }
        };
        let new: Vec<EntryKind> = items
            .iter()
            .filter(|item| item.fate == Fate::Added)
            .flat_map(|item| item.entries.clone())
            .collect();
        self.mode = Mode::List;
        if new.is_empty() {
            return self.say("there is nothing new in what was pasted");
        }
        let count = new.len();
        self.put(&new, None);
        if self.status.is_none() {
            self.say(&format!("{count} entries added; u takes them back"));
        }
    }

    pub(super) fn open_import(&mut self) {
        self.over.pasted.clear();
        self.side.scroll = 0;
        self.mode = Mode::Import;
    }
}
