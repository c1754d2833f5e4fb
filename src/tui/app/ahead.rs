//! What lies ahead of a start: the way to one, and a trial.

use super::planned::Planned;
use super::{App, Question, Row};
use crate::domain::EntryId;
use crate::report;
use crate::rules::{Route, Verdict};
use crate::trial::Trial;
use crate::tui::action::Effect;
use crate::xml::EditSet;

impl App {
    /// Has the way looked for: of the selected row where something blocks it, of the whole document otherwise.
    pub(super) fn look_for_way(&mut self) -> Effect {
        self.say("looking for the way…");
        let row = self.lists.rows.get(self.lists.selected);
        let entries = row.filter(|row| self.verdict_of(row) == Some(Verdict::Blocks));
        let entries = entries.and_then(Row::entries).map(|(list, range)| {
            range.map(|index| EntryId { list, index }).collect::<Vec<EntryId>>()
        });
        Effect::Plan(entries)
    }

    /// The way was found, for a text.
    pub fn planned(&mut self, source: &str, route: &Route) {
        if source != self.document.source() {
            self.say("the document is another one by now; ask again");
            return;
        }
        self.status = None;
        self.ask_when_free(Question::Plan(Box::new(Planned::of(route))));
    }

    /// Makes the edits of a plan, in one step that can be taken back.
    pub(super) fn make_planned(&mut self, planned: &Planned) {
        let Some(edited) = &planned.edited else { return };
        let edits = EditSet::between(self.document.source(), edited);
        self.edit(&edits, self.selected_entry());
    }

    /// A trial has ended.
    pub fn tried(&mut self, tried: &Result<Trial, String>, bundle: Option<Result<String, String>>) {
        self.status = None;
        let mut lines: Vec<String> = match tried {
            Ok(trial) => {
                let name = &self.document.facts().name;
                report::trial::write(trial, name).lines().map(str::to_owned).collect()
            }
            Err(why) => why.lines().map(str::to_owned).collect(),
        };
        match (tried, bundle) {
            (Ok(trial), Some(Ok(path))) => {
                let told = report::trial::bundle(&path, trial.agreement());
                lines.extend(told.lines().map(str::to_owned));
            }
            (_, Some(Err(why))) => lines.push(why),
            (_, Some(Ok(_)) | None) => {}
        }
        self.ask_when_free(Question::Tried(lines));
    }
}
