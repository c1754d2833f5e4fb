//! Undo and redo: the texts we had before, with the place that was selected.

use super::entry::EntryId;

/// One earlier (or later) state of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The whole text.
    pub source: String,
    /// The entry that was selected.
    pub selected: Option<EntryId>,
}

/// The states before and after the present one.
#[derive(Debug, Clone, Default)]
pub struct History {
    past: Vec<Snapshot>,
    future: Vec<Snapshot>,
}

impl History {
    /// Remembers the state that an edit is about to leave; what could be redone is forgotten.
    pub fn record(&mut self, source: &str, selected: Option<EntryId>) {
        self.past.push(Snapshot { source: source.to_owned(), selected });
        self.future.clear();
    }

    /// Goes one state back, given the present one.
    pub fn undo(&mut self, source: &str, selected: Option<EntryId>) -> Option<Snapshot> {
        let snapshot = self.past.pop()?;
        self.future.push(Snapshot { source: source.to_owned(), selected });
        Some(snapshot)
    }

    /// Goes one state forward again.
    pub fn redo(&mut self, source: &str, selected: Option<EntryId>) -> Option<Snapshot> {
        let snapshot = self.future.pop()?;
        self.past.push(Snapshot { source: source.to_owned(), selected });
        Some(snapshot)
    }

    /// How many states there are to go back to, and forward.
    pub fn depth(&self) -> (usize, usize) {
        (self.past.len(), self.future.len())
    }

    /// Whether there is a state to go back to.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is a state to go forward to.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }
}
