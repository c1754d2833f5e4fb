//! Findings as text and as data; no deciding.

pub mod json;
pub mod markdown;
pub mod route;
pub mod sarif;
pub mod text;
pub mod trial;
pub mod why;

use crate::domain::{Document, EntryId, List};
use crate::facts::HostFacts;
use crate::qemu::CommandLine;
use crate::rules::{Finding, Remedy, Route, Step};
use crate::xml::{Lines, Position};

/// One file with what was found in it.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The path as the user gave it.
    pub path: &'a str,
    /// The document.
    pub document: &'a Document,
    /// Its passthrough as QEMU reads it.
    pub line: &'a CommandLine,
    /// What was found, in order.
    pub findings: &'a [Finding],
    /// What the host said.
    pub host: &'a HostFacts,
    /// The way to a VM that starts, where it was asked for.
    pub route: Option<&'a Route>,
    /// The lines of the document.
    pub lines: Lines<'a>,
}

impl Checked<'_> {
    /// Where a finding points: the entry's value, the lost element, or the root.
    pub fn place(&self, finding: &Finding) -> Position {
        let offset = match (finding.entry, &finding.span) {
            (Some(id), _) => self.document.value_span(id).map_or(0, |span| span.start),
            (None, Some(span)) => span.start,
            (None, None) => self.document.tree().root().open.start,
        };
        self.lines.position(offset)
    }

    /// The entry of a finding on one line, an argument with its option.
    pub fn entry_text(&self, finding: &Finding) -> Option<String> {
        self.text_of(finding.entry?)
    }

    /// An entry on one line, an argument with its option.
    pub fn text_of(&self, id: EntryId) -> Option<String> {
        let text = self.document.entry(id)?.kind.text();
        if id.list != List::Args {
            return Some(text);
        }
        let option = self.line.option_at(id)?;
        Some(match option.value {
            Some(value) => {
                format!("{} {}", self.document.arg(option.entry), self.document.arg(value))
            }
            None => text,
        })
    }
}

/// A remedy as text: its step, and the command that completes it.
pub fn remedy_text(document: &Document, remedy: &Remedy) -> Option<String> {
    let step = step_text(document, &remedy.step)?;
    Some(match &remedy.then {
        Some(command) => format!("{step}; then run: {command}"),
        None => step,
    })
}

/// A remedy's step as text: the command, the line and its file, the new text of an edit.
pub fn step_text(document: &Document, step: &Step) -> Option<String> {
    match step {
        Step::RunCommand(command) => Some(command.clone()),
        Step::SetOption { file, line } => Some(format!("{file}: {}", line.replace('\n', "; "))),
        Step::EditXml(edits) => {
            let inserted = edits
                .edits()
                .iter()
                .map(|edit| edit.text.trim())
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" … ");
            let deleted = edits.edits().iter().all(|edit| edit.text.is_empty());
            let gone = || {
                edits
                    .edits()
                    .iter()
                    .map(|edit| document.source()[edit.span.clone()].trim())
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            Some(if deleted {
                format!("in the document, delete: {}", gone())
            } else {
                format!("in the document: {inserted}")
            })
        }
        Step::Nothing => None,
    }
}
