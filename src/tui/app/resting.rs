//! After a pause: what the next keys would do to the selected row.

use super::{Action, App, Mode, Row};

impl App {
    /// Whether the next keys are to be told once nothing happens for a while: at the start, and after something was told in
    /// the place of the keys.
    pub fn wants_rest(&self) -> bool {
        let is_due = !self.side.touched || self.status.is_some();
        self.mode == Mode::List && !self.side.resting && is_due
    }

    /// Nothing happened for a while.
    pub fn rest(&mut self) {
        self.side.resting = self.wants_rest();
    }

    /// The user does something.
    pub(super) fn wake_up(&mut self) {
        self.side.touched = true;
        self.side.resting = false;
    }

    /// What keys would do to the selected row, the most useful first; nothing while nobody rests.
    pub fn hints(&self) -> Vec<(Action, String)> {
        let Some(row) = self.lists.rows.get(self.lists.selected) else { return Vec::new() };
        if !self.side.resting || self.mode != Mode::List {
            return Vec::new();
        }
        let has_ways = self.has_ways();
        let mut hints = Vec::new();
        if has_ways {
            hints.push((Action::Remedies, "chooses what to do".to_owned()));
        }
        match row {
            Row::Option(_) | Row::Variable(_) | Row::Extra(_) => {
                hints.push((Action::Edit, "edits it".to_owned()));
                hints.push((Action::Toggle, "switches it off".to_owned()));
            }
            Row::Disabled(_) => hints.push((Action::Toggle, "switches it on again".to_owned())),
            Row::Broken(_) => hints.push((Action::Edit, "repairs it".to_owned())),
            Row::Title { .. } if row.is_folded() => {
                hints.push((Action::Edit, "unfolds it".to_owned()));
            }
            Row::Title { .. } | Row::Hint(_) => {
                hints.push((Action::AddAfter, "adds one".to_owned()));
            }
            Row::General(_) | Row::Lost(..) => {}
        }
        if has_ways {
            hints.push((Action::Plan, "shows the way until nothing blocks".to_owned()));
        }
        hints.push((Action::Palette, "finds the rest".to_owned()));
        hints.retain(|(action, _)| self.available(*action).is_ok());
        hints
    }
}
