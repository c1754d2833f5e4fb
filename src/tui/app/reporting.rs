//! Saying to somebody else what was found: the report, and writing such texts to a file.

use super::{App, Effect, Mode, Question};
use crate::domain::EntryId;
use crate::report::{Checked, markdown};
use crate::xml::Lines;

/// A report, as it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The selected row.
    pub row: String,
    /// Everything.
    pub all: String,
}

impl App {
    /// Offers the report of the selected row, and of all.
    pub(super) fn report(&mut self) {
        let entries = self.selection().map(|(list, range)| {
            range.map(|index| EntryId { list, index }).collect::<Vec<EntryId>>()
        });
        let all = self.written(None);
        let row = entries.map_or_else(|| all.clone(), |entries| self.written(Some(&entries)));
        self.ask(Question::Report(Box::new(Reported { row, all })));
    }

    /// The report of some entries, or of all.
    fn written(&self, only: Option<&[EntryId]>) -> String {
        let Some(host) = self.judging.host.as_deref() else { return String::new() };
        let checked = Checked {
            path: &self.file.title,
            document: &self.document,
            line: &self.line,
            findings: &self.judging.findings,
            host,
            route: only.and_then(|_| self.route()),
            lines: Lines::of(self.document.source()),
        };
        let unsaved = if self.is_modified() { ", with changes that are not saved" } else { "" };
        markdown::write(&checked, &format!("{}{unsaved}", self.outlook().long), only)
    }

    /// Asks for the path of a new file that is to hold a text.
    pub(super) fn write_out(&mut self, text: String, what: &str) {
        let name = &self.document.facts().name;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
        let name = if name.is_empty() { "domain" } else { &name };
        self.over.elsewhere = format!("{}-{what}", name.trim_start_matches(['-', '.']));
        self.over.writing = Some(text);
        self.mode = Mode::SaveAs;
    }

    /// A text was written to a file, or not.
    pub fn wrote(&mut self, path: &str, written: Result<(), String>) {
        match written {
            Ok(()) => self.say(&format!("written to {path}")),
            Err(why) => self.fail(format!("{path}: {why}; nothing was written")),
        }
    }

    /// Copies a report, and says so.
    pub(super) fn copy_report(&mut self, text: String) -> Effect {
        self.say("copied, where the terminal allows it (OSC 52); 'w f' writes it to a file");
        Effect::Copy(text)
    }
}
