//! A way to a start, as the editor has it.

use crate::report;
use crate::rules::{Route, Step};

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
    pub(super) fn of(route: &Route) -> Planned {
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
