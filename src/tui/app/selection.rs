//! Walking the rows: steps, searches, the next finding.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{App, Mode, Pane, Row};
use crate::domain::EntryId;
use crate::rules::Verdict;

/// Which rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Those with something wrong.
    Wrong,
    /// Those that block.
    Blocked,
}

impl Filter {
    /// What is shown, in words; nothing for all.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Filter::All => None,
            Filter::Wrong => Some("only what is wrong or unknown"),
            Filter::Blocked => Some("only what blocks"),
        }
    }

    /// The worst verdict that is still shown; nothing for all.
    pub fn limit(self) -> Option<Verdict> {
        match self {
            Filter::All => None,
            Filter::Wrong => Some(Verdict::Unknown),
            Filter::Blocked => Some(Verdict::Blocks),
        }
    }
}

/// Types at the end of a text that has no cursor; whether the key was for it.
#[allow(clippy::wildcard_enum_match_arm, reason = "a terminal has more keys than mean something")]
pub(in crate::tui) fn type_at_end(text: &mut String, event: KeyEvent) -> bool {
    match event.code {
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char('u') if event.modifiers == KeyModifiers::CONTROL => text.clear(),
        KeyCode::Char(c) if event.modifiers.difference(KeyModifiers::SHIFT).is_empty() => {
            text.push(c);
        }
        _ => return false,
    }
    true
}

impl App {
    pub(super) fn step(&mut self, by: isize) {
        let clamp = |at: usize, last: usize| at.saturating_add_signed(by).min(last);
        match self.mode {
            // The end of the text is known when it is drawn; the view stops there.
            Mode::Side if self.side.pane == Pane::Layers => self.walk_matrix(by),
            Mode::Side | Mode::Import | Mode::Confirm => {
                self.side.scroll = clamp(self.side.scroll, 100_000);
            }
            Mode::Help | Mode::HelpSearch => {
                self.over.help_scroll = clamp(self.over.help_scroll, 1000);
            }
            Mode::Remedies => {
                self.over.remedy = clamp(self.over.remedy, self.ways().len().saturating_sub(1));
            }
            Mode::Palette => {
                self.over.palette.chosen =
                    clamp(self.over.palette.chosen, self.found_actions().len().saturating_sub(1));
            }
            Mode::Why => self.choose_answer(by),
            Mode::Review => self.step_import(by),
            Mode::Tour | Mode::Filter | Mode::SaveAs | Mode::Answer | Mode::Choose => {}
            Mode::List | Mode::Form | Mode::Search => {
                let selectable: Vec<usize> = (0..self.lists.rows.len())
                    .filter(|&row| self.lists.rows[row].is_selectable())
                    .collect();
                let here = selectable.partition_point(|&row| row < self.lists.selected);
                if let Some(&row) = selectable.get(clamp(here, selectable.len().saturating_sub(1)))
                {
                    self.select(row);
                }
            }
        }
    }

    pub(super) fn select(&mut self, row: usize) {
        if self.lists.selected != row {
            self.side.scroll = 0;
            self.side.cell = 0;
        }
        self.lists.selected = row;
    }

    pub(super) fn select_entry(&mut self, entry: Option<EntryId>) {
        let found = entry.and_then(|entry| {
            self.lists.rows.iter().position(|row| {
                row.entries()
                    .is_some_and(|(list, range)| list == entry.list && range.contains(&entry.index))
            })
        });
        let row = found
            .unwrap_or_else(|| self.lists.selected.min(self.lists.rows.len().saturating_sub(1)));
        let row = if self.lists.rows.get(row).is_some_and(Row::is_selectable) {
            row
        } else {
            let up = (0..row).rev().find(|&row| self.lists.rows[row].is_selectable());
            up.or_else(|| self.lists.rows.iter().position(Row::is_selectable)).unwrap_or(0)
        };
        self.select(row);
    }

    pub(super) fn show(&mut self, pane: Pane) {
        self.side.pane = pane;
        self.side.scroll = 0;
    }

    pub(super) fn next_finding(&mut self) {
        let count = self.lists.rows.len();
        let bad = |row: &Row| {
            row.is_selectable()
                && self.verdict_of(row).is_some_and(|verdict| verdict <= Verdict::Unknown)
        };
        match (1..=count)
            .map(|ahead| (self.lists.selected + ahead) % count)
            .find(|&row| bad(&self.lists.rows[row]))
        {
            Some(row) => self.select(row),
            None => self.say("nothing is blocked, warned about or unknown"),
        }
    }

    pub(super) fn next_filter(&mut self) {
        self.lists.filter = match self.lists.filter {
            Filter::All => Filter::Wrong,
            Filter::Wrong => Filter::Blocked,
            Filter::Blocked => Filter::All,
        };
        let marked = self.lists.marked.len();
        self.arrange();
        self.select_entry(self.selected_entry());
        if self.told_of_marks(marked) {
            return;
        }
        self.say(match self.lists.filter {
            Filter::All => "all entries are shown",
            Filter::Wrong => {
                "only entries that are blocked, warned about or unknown are shown; f goes on"
            }
            Filter::Blocked => "only blocked entries are shown; f shows all again",
        });
    }

    /// Tells that some of so many marks are gone with their rows.
    pub(super) fn told_of_marks(&mut self, before: usize) -> bool {
        let gone = before.saturating_sub(self.lists.marked.len());
        if gone > 0 {
            let rows =
                if gone == 1 { "1 marked row is" } else { &format!("{gone} marked rows are") };
            self.say(&format!("{rows} not shown now, and not marked any more"));
        }
        gone > 0
    }

    /// Whether a row is shown with the filters that are on.
    pub(super) fn passes(&self, row: &Row) -> bool {
        // What was not judged yet is not hidden.
        if !self.is_judged() {
            return true;
        }
        let limit = self.lists.filter.limit();
        // What is switched off has no verdict, and is looked for when something is wrong.
        let limit = limit.filter(|_| !matches!(row, Row::Disabled(_)));
        if limit.is_some_and(|limit| self.verdict_of(row).is_none_or(|found| found > limit)) {
            return false;
        }
        let wanted = self.lists.wanted.to_lowercase();
        let speaks = |finding: &crate::rules::Finding| {
            finding.layer.word() == wanted
                || [finding.verdict.word(), finding.verdict.sign().1].contains(&wanted.as_str())
        };
        wanted.is_empty()
            || self.row_text(row).to_lowercase().contains(&wanted)
            || self.findings_of(row).any(speaks)
    }

    /// Shows only what holds a text; all with an empty one.
    pub(super) fn want(&mut self, text: String) {
        let selected = self.selected_entry();
        self.lists.wanted = text;
        self.arrange();
        self.select_entry(selected);
    }

    pub(super) fn filter_key(&mut self, event: KeyEvent) {
        let mut text = self.lists.wanted.clone();
        if type_at_end(&mut text, event) {
            self.want(text);
        }
    }

    /// A row on one line.
    pub fn row_text(&self, row: &Row) -> String {
        match (row, row.entries()) {
            (Row::General(index), _) => self
                .judging
                .findings
                .get(*index)
                .map(|finding| finding.message.clone())
                .unwrap_or_default(),
            (Row::Disabled(index), _) => self
                .document
                .disabled()
                .get(*index)
                .map(crate::domain::Disabled::text)
                .unwrap_or_default(),
            (Row::Broken(index), _) => self
                .document
                .broken()
                .get(*index)
                .map(crate::domain::Broken::shown)
                .unwrap_or_default(),
            (Row::Lost(at, range), _) => {
                let lost = self.document.lost().get(*at);
                let entries = lost.map_or(&[][..], |lost| &lost.entries[range.clone()]);
                entries.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>().join(" ")
            }
            (_, Some((list, range))) => {
                let entries = &self.document.list(list)[range];
                entries.iter().map(|entry| entry.kind.text()).collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        }
    }
}
