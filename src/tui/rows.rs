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
    /// Entries that are switched off, by their place among those.
    Disabled(usize),
    /// What is no entry, by its place among such.
    Broken(usize),
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
            Row::Title(..) | Row::General(_) | Row::Hint(_) | Row::Disabled(_) | Row::Broken(_) => {
                None
            }
        }
    }

    /// Whether the row holds entries.
    pub fn is_entry(&self) -> bool {
        self.entries().is_some()
    }

    /// Whether the cursor can stand on the row.
    pub fn is_selectable(&self) -> bool {
        self.is_entry() || matches!(self, Row::General(_) | Row::Disabled(_) | Row::Broken(_))
    }
}

/// The rows of a document: what concerns all of it, the arguments, the environment.
pub fn rows(document: &Document, line: &CommandLine, findings: &[Finding]) -> Vec<Row> {
    let mut rows = Vec::new();
    let general = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.entry.is_none() && finding.verdict != Verdict::Allows)
        .filter(|(_, finding)| !finding.is_of_broken());
    rows.extend(general.map(|(index, _)| Row::General(index)));
    if !rows.is_empty() {
        rows.insert(0, Row::Title("Domain and host", rows.len()));
    }
    let disabled = document.disabled();
    // What is switched off stands where it stood.
    let list = |rows: &mut Vec<Row>, list: List, own: Vec<(usize, Row)>| {
        let off = disabled.iter().enumerate().filter(|(_, found)| found.list() == list);
        let mut all: Vec<(usize, Row)> = own;
        all.extend(off.map(|(index, found)| (found.span.start, Row::Disabled(index))));
        let broken = document.broken().iter().enumerate().filter(|(_, found)| found.list == list);
        all.extend(broken.map(|(index, found)| (found.span.start, Row::Broken(index))));
        all.sort_by_key(|(start, _)| *start);
        let empty = all.is_empty();
        rows.extend(all.into_iter().map(|(_, row)| row));
        empty
    };
    let start = |list: List, index: usize| document.list(list)[index].span.start;
    rows.push(Row::Title("Arguments", document.list(List::Args).len()));
    let options = line
        .options
        .iter()
        .map(|option| {
            (start(List::Args, option.entry), Row::Option(option.entry..option.last() + 1))
        })
        .collect();
    if list(&mut rows, List::Args, options) {
        rows.push(Row::Hint("none; a adds one, p imports"));
    }
    let variables = document.list(List::Envs).len();
    rows.push(Row::Title("Environment", variables));
    let own =
        (0..variables).map(|index| (start(List::Envs, index), Row::Variable(index))).collect();
    if list(&mut rows, List::Envs, own) {
        rows.push(Row::Hint("none; e adds one"));
    }
    let extras = document.list(List::Extras).len();
    let own: Vec<(usize, Row)> =
        (0..extras).map(|index| (start(List::Extras, index), Row::Extra(index))).collect();
    let at = rows.len();
    if !list(&mut rows, List::Extras, own) {
        rows.insert(at, Row::Title("Override, capabilities, deprecation", extras));
    }
    rows
}
