//! Tabs whose content libvirt is asked for, and the map of layers.

use std::collections::hash_map::Entry;

use super::{Answer, App, Asked, Pane};
use crate::tui::matrix;

impl App {
    /// The tab that is shown, when its content has to be asked for.
    pub fn wants_answer(&self) -> Option<Pane> {
        let fresh = |asked: &Asked| asked.source == self.document.source() || asked.answer.is_none();
        Some(self.pane).filter(|pane| pane.asks() && !self.asked.get(pane).is_some_and(fresh))
    }

    /// The content of a tab is being asked for.
    pub fn asking(&mut self, pane: Pane) {
        let source = self.document.source().to_owned();
        self.asked.insert(pane, Asked { source, answer: None });
    }

    /// The answer has come; one about an older text makes room for the next question.
    pub fn answered(&mut self, pane: Pane, source: String, answer: Answer) {
        if let Entry::Occupied(mut asked) = self.asked.entry(pane) {
            asked.insert(Asked { source, answer: Some(answer) });
        }
    }

    /// What came back for a tab about the document as it stands.
    pub fn answer_of(&self, pane: Pane) -> Option<&Answer> {
        let asked = self.asked.get(&pane).filter(|asked| asked.source == self.document.source())?;
        asked.answer.as_ref()
    }

    /// The line of the map of layers that is chosen.
    pub fn matrix_line(&self) -> Option<usize> {
        let (list, range) = self.selection()?;
        let lines = matrix::lines(&self.line, &self.findings);
        let mut own = (0..lines.len()).filter(|&at| {
            let entry = lines[at].entry;
            entry.list == list && range.contains(&entry.index)
        });
        let last = own.clone().next_back();
        own.nth(self.cell).or(last)
    }

    /// Goes along the lines of the map; the selection follows.
    pub(super) fn walk_matrix(&mut self, by: isize) {
        self.choose_matrix_line(self.matrix_line().map_or(0, |at| at.saturating_add_signed(by)));
    }

    /// Chooses a line of the map, or the last; the selection follows.
    pub(super) fn choose_matrix_line(&mut self, at: usize) {
        let lines = matrix::lines(&self.line, &self.findings);
        let Some(last) = lines.len().checked_sub(1) else { return };
        let at = at.min(last);
        let entry = lines[at].entry;
        self.select_entry(Some(entry));
        let (list, range) = self.selection().unwrap_or((entry.list, 0..0));
        let before = |line: &&matrix::Line| line.entry.list == list && range.contains(&line.entry.index);
        self.cell = lines[..at].iter().filter(before).count();
    }
}
