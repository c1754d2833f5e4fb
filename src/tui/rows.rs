//! The rows of the lists: an option stands on one row with its value, and what libvirt drops stands where it was meant.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::domain::{Document, List, Lost, LostEntry};
use crate::qemu::{CommandLine, group};
use crate::rules::{Finding, Verdict};

/// A part of the lists, under a title of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The arguments.
    Arguments,
    /// The environment.
    Environment,
    /// The rest of the namespace.
    Extras,
    /// What belongs to no entry.
    General,
}

impl Section {
    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Section::General => "Domain and host",
            Section::Arguments => "Arguments",
            Section::Environment => "Environment",
            Section::Extras => "Override, capabilities, deprecation",
        }
    }

    /// The section of the entries of a list.
    pub fn of(list: List) -> Section {
        match list {
            List::Args => Section::Arguments,
            List::Envs => Section::Environment,
            List::Extras => Section::Extras,
        }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// The title of a section.
    Title {
        /// Which.
        section: Section,
        /// How many rows it has, shown or not.
        rows: usize,
        /// They are not shown.
        folded: bool,
    },
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
    /// What libvirt does not see: which of the lost elements, and which of the entries in it.
    Lost(usize, Range<usize>),
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
            Row::Title { .. }
            | Row::General(_)
            | Row::Hint(_)
            | Row::Disabled(_)
            | Row::Broken(_)
            | Row::Lost(..) => None,
        }
    }

    /// Whether the row holds entries.
    pub fn is_entry(&self) -> bool {
        self.entries().is_some()
    }

    /// The section that the row is the title of, and how many rows that has.
    pub fn title(&self) -> Option<(Section, usize)> {
        match self {
            Row::Title { section, rows, .. } => Some((*section, *rows)),
            Row::Option(_)
            | Row::Variable(_)
            | Row::Extra(_)
            | Row::General(_)
            | Row::Hint(_)
            | Row::Disabled(_)
            | Row::Broken(_)
            | Row::Lost(..) => None,
        }
    }

    /// Whether the row is the title of a part that is folded.
    pub fn is_folded(&self) -> bool {
        matches!(self, Row::Title { folded: true, .. })
    }

    /// Whether the cursor can stand on the row.
    pub fn is_selectable(&self) -> bool {
        let is_more =
            matches!(self, Row::General(_) | Row::Disabled(_) | Row::Broken(_) | Row::Lost(..));
        self.is_entry() || is_more || self.is_folded()
    }
}

/// A row with the place in the text by which it is put in order.
type Placed = (usize, Row);

/// What rows are made of.
struct Maker<'a> {
    document: &'a Document,
    line: &'a CommandLine,
    rows: Vec<Row>,
}

/// The rows of a document: the arguments, the environment, the rest, and what concerns all of it.
pub fn rows(document: &Document, line: &CommandLine, findings: &[Finding]) -> Vec<Row> {
    let mut maker = Maker { document, line, rows: Vec::new() };
    let has_rows = |finding: &Finding| {
        // What is lost without an entry in it has no row of its own; one about an earlier text has none at all.
        let mut bare = document.lost().iter().filter(|lost| lost.entries.is_empty());
        let is_of = |lost: &Lost| finding.span.as_ref() == Some(&lost.span);
        finding.is_of_broken() || finding.is_of_lost() && !bare.any(is_of)
    };
    let general = findings
        .iter()
        .enumerate()
        .filter(|(_, finding)| finding.entry.is_none() && finding.verdict != Verdict::Allows)
        .filter(|(_, finding)| !has_rows(finding));
    let general: Vec<Row> = general.map(|(index, _)| Row::General(index)).collect();
    let arguments = maker.placed(List::Args);
    maker.section(Section::Arguments, arguments, "none; a adds one, p imports");
    let variables = maker.placed(List::Envs);
    maker.section(Section::Environment, variables, "none; e adds one");
    let extras = maker.placed(List::Extras);
    if !extras.is_empty() {
        maker.section(Section::Extras, extras, "");
    }
    if !general.is_empty() {
        maker.section(Section::General, general, "");
    }
    maker.rows
}

impl Maker<'_> {
    /// Adds a section; an empty one says what can be done.
    fn section(&mut self, section: Section, own: Vec<Row>, hint: &'static str) {
        self.rows.push(Row::Title { section, rows: own.len(), folded: false });
        if own.is_empty() {
            self.rows.push(Row::Hint(hint));
        }
        self.rows.extend(own);
    }

    /// The rows of a list in the order of the text: what is switched off, broken or lost stands where it is written.
    fn placed(&self, list: List) -> Vec<Row> {
        let document = self.document;
        let start = |index: usize| document.list(list)[index].span.start;
        let mut all: Vec<Placed> = match list {
            List::Args => {
                let options = self.line.options.iter();
                let row = |entry: usize, last: usize| (start(entry), Row::Option(entry..last + 1));
                options.map(|option| row(option.entry, option.last())).collect()
            }
            List::Envs => {
                (0..document.list(list).len()).map(|at| (start(at), Row::Variable(at))).collect()
            }
            List::Extras => {
                (0..document.list(list).len()).map(|at| (start(at), Row::Extra(at))).collect()
            }
        };
        let off = document.disabled().iter().enumerate().filter(|(_, found)| found.list() == list);
        all.extend(off.map(|(at, found)| (found.span.start, Row::Disabled(at))));
        let broken = document.broken().iter().enumerate().filter(|(_, found)| found.list == list);
        all.extend(broken.map(|(at, found)| (found.span.start, Row::Broken(at))));
        for (at, lost) in document.lost().iter().enumerate() {
            all.extend(lost_rows(at, &lost.entries, list));
        }
        all.sort_by_key(|(start, _)| *start);
        all.into_iter().map(|(_, row)| row).collect()
    }
}

/// The rows of what is lost with one element, an option with its value on one.
fn lost_rows(lost: usize, entries: &[LostEntry], list: List) -> Vec<Placed> {
    let own: Vec<usize> = (0..entries.len()).filter(|at| entries[*at].list == list).collect();
    let row = |first: usize, last: usize| {
        (entries[own[first]].at, Row::Lost(lost, own[first]..own[last] + 1))
    };
    if list != List::Args {
        return (0..own.len()).map(|at| row(at, at)).collect();
    }
    let argv: Vec<&str> = own.iter().map(|at| entries[*at].text.as_str()).collect();
    group(&argv).iter().map(|option| row(option.entry, option.last())).collect()
}

/// The rows without those of the sections that are folded.
pub fn fold(rows: Vec<Row>, folded: &BTreeSet<Section>) -> Vec<Row> {
    let mut is_hidden = false;
    let mut left = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some((section, rows)) = row.title() {
            is_hidden = folded.contains(&section) && rows > 0;
            left.push(Row::Title { section, rows, folded: is_hidden });
        } else if !is_hidden {
            left.push(row);
        }
    }
    left
}

/// The section that a row stands in.
pub fn section_of(rows: &[Row], at: usize) -> Option<Section> {
    let above = rows[..(at + 1).min(rows.len())].iter().rev();
    above.filter_map(Row::title).map(|(section, _)| section).next()
}
