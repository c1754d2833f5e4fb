//! What lies ahead of a start: the way to one, and a trial.

use super::planned::Planned;
use super::{App, Question};
use crate::domain::EntryId;
use crate::report;
use crate::rules::Route;
use crate::trial::Trial;
use crate::tui::action::Effect;
use crate::xml::EditSet;

impl App {
    /// Has the way looked for: of the selected row where something blocks it, of the whole document otherwise. One that is
    /// known already is shown at once.
    pub(super) fn look_for_way(&mut self) -> Option<Effect> {
        if let Some(route) = self.route() {
            let planned = Planned::of(route);
            self.ask(Question::Plan(Box::new(planned)));
            return None;
        }
        Some(self.look_for_way_of(self.blocked_entries()))
    }

    /// Has a way looked for; until it is found there is a box, which takes the keys.
    pub(super) fn look_for_way_of(&mut self, entries: Option<Vec<EntryId>>) -> Effect {
        self.ask(Question::Looking);
        Effect::Plan(entries)
    }

    /// The way was found, for a text; nobody waits for it any more where the box was left.
    pub fn planned(&mut self, source: &str, route: &Route) {
        let is_awaited = self.questions.asked == Some(Question::Looking);
        if source == self.document.source() && is_awaited {
            self.ask(Question::Plan(Box::new(Planned::of(route))));
        }
    }

    /// What is waited for; nothing where nothing is.
    pub fn waiting_for(&self) -> Option<&'static str> {
        let waits = [
            (self.file.saving, "saving"),
            (self.questions.asked == Some(Question::Looking), "looking for the way"),
            (self.judging.trying, "libvirt is starting it"),
            (self.judging.host.is_none() || self.judging.probing, "looking at the host"),
            (!self.is_judged(), "judging"),
            (self.judging.asking, "asking libvirt and QEMU"),
        ];
        waits.into_iter().find(|(waits, _)| *waits).map(|(_, what)| what)
    }

    /// For how long it has been waited for, once that is worth a word.
    pub(super) fn waited(&self) -> String {
        match self.judging.waited {
            0 => String::new(),
            seconds => format!(" {seconds} s"),
        }
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
        self.judging.trying = false;
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
