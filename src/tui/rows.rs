//! The rows of the lists: an option stands on one row with its value.

use std::ops::Range;

use crate::domain::{Document, List};
use crate::qemu::CommandLine;
use crate::rules::{Finding, Verdict};

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The title of a list, with the number of its entries.
    Title(&'static str, usize),
    /// An option with its value, or an argument alone: a range of the arguments.
    Option(Range<usize>),
    /// A variable.
    Variable(usize),
    /// Something of the rest of the namespace.
    Extra(usize),
    /// A finding that belongs to no entry, by its place among the findings.
    General(usize),
    /// What to do in an empty list.
    Hint(&'static str),
}

impl Row {
    /// The entries of the row.
    pub fn entries(&self) -> Option<(List, Range<usize>)> {
        match self {
            Row::Option(range) => Some((List::Args, range.clone())),
            Row::Variable(index) => Some((List::Envs, *index..index + 1)),
            Row::Extra(index) => Some((List::Extras, *index..index + 1)),
            Row::Title(..) | Row::General(_) | Row::Hint(_) => None,
        }
    }

    /// Whether the row holds entries.
    pub fn is_entry(&self) -> bool {
        self.entries().is_some()
    }

    /// Whether the cursor can stand on the row.
    pub fn is_selectable(&self) -> bool {
        self.is_entry() || matches!(self, Row::General(_))
    }
}

/// The rows of a document: what concerns all of it, the arguments, the environment.
pub fn rows(document: &Document, line: &CommandLine, findings: &[Finding]) -> Vec<Row> {
    let mut rows = Vec::new();
    let general = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.entry.is_none() && finding.verdict != Verdict::Allows);
    rows.extend(general.map(|(index, _)| Row::General(index)));
    if !rows.is_empty() {
        rows.insert(0, Row::Title("Domain and host", rows.len()));
    }
    rows.push(Row::Title("Arguments", document.list(List::Args).len()));
    rows.extend(line.options.iter().map(|option| Row::Option(option.entry..option.last() + 1)));
    if line.options.is_empty() {
        rows.push(Row::Hint("none; a adds one"));
    }
    let variables = document.list(List::Envs).len();
    rows.push(Row::Title("Environment", variables));
    rows.extend((0..variables).map(Row::Variable));
    if variables == 0 {
        rows.push(Row::Hint("none; e adds one"));
    }
    let extras = document.list(List::Extras).len();
    if extras > 0 {
        rows.push(Row::Title("Override, capabilities, deprecation", extras));
        rows.extend((0..extras).map(Row::Extra));
    }
    rows
}
