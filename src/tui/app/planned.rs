//! A way to a start, as the editor has it.

use crate::report;
use crate::rules::{Remedy, Route, Step};

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
            if let Step::EditXml(edits) = &stage.remedy.step {
                planned.edited = Some(edits.apply(stage.document.source()));
            }
            planned.script.push_str(&for_a_shell(&stage.remedy));
        }
        planned
    }
}

/// What is for the host of a remedy, as lines for a shell: settings and what is done by hand are remarks there.
pub(super) fn for_a_shell(remedy: &Remedy) -> String {
    let mut lines: Vec<String> = match &remedy.step {
        Step::EditXml(_) => Vec::new(),
        Step::RunCommand(command) => vec![command.clone()],
        Step::SetOption { file, line } => {
            let setting = line.lines().map(|line| format!("#   {line}"));
            [format!("# in {file}:")].into_iter().chain(setting).collect()
        }
        Step::Nothing => vec![format!("# {}", remedy.title)],
    };
    lines.extend(remedy.then.clone());
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A script of such lines, with what it is for.
pub(super) fn script(what: &str, lines: &str) -> String {
    format!("#!/bin/sh\n# {what}\n{lines}")
}
