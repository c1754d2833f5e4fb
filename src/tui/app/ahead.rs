//! What lies ahead of a start: the way to one, and a trial.

use super::{App, Question, Row};
use crate::domain::EntryId;
use crate::report;
use crate::rules::{Route, Step, Verdict};
use crate::trial::Trial;
use crate::tui::action::Effect;
use crate::xml::EditSet;

/// A way to a start, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// How many steps, and what comes of them.
    pub head: String,
    /// The steps.
    pub lines: Vec<String>,
    /// The text after all edits of the domain; nothing where there are none.
    pub edited: Option<String>,
    /// It is about the selected entry only.
    pub partial: bool,
    /// What is to be done to the host, for a shell; settings are remarks there.
    pub script: String,
}

impl Planned {
    fn of(route: &Route) -> Planned {
        let text = report::route::write("", route);
        let lines = text.lines().skip(1).map(str::to_owned).collect();
        let mut planned = Planned {
            head: report::route::head(route),
            lines,
            edited: None,
            partial: route.partial,
            script: String::new(),
        };
        for stage in &route.stages {
            match &stage.remedy.step {
                Step::EditXml(edits) => {
                    planned.edited = Some(edits.apply(stage.document.source()));
                }
                Step::RunCommand(command) => planned.note(command),
                Step::SetOption { file, line } => {
                    planned.note(&format!("# in {file}:"));
                    line.lines().for_each(|line| planned.note(&format!("#   {line}")));
                }
                Step::Nothing => planned.note(&format!("# {}", stage.remedy.title)),
            }
            if let Some(command) = &stage.remedy.then {
                planned.note(command);
            }
        }
        planned
    }

    fn note(&mut self, line: &str) {
        self.script.push_str(line);
        self.script.push('\n');
    }
}

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
