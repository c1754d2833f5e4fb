//! Searching: in the entries, in what is said about them, and in the help.

use std::collections::HashSet;

use crossterm::event::KeyEvent;

use super::selection::type_at_end;
use super::{App, Finding, Mode, Row, Search};
use crate::domain::EntryId;

/// The rows that fit a search.
struct Matches {
    rows: Vec<usize>,
    /// They hold it themselves, and not only what is said about them.
    are_entries: bool,
}

impl App {
    /// What is searched for, while it is typed and as long as it is kept; for showing it in the rows.
    pub fn search_words(&self) -> Option<&str> {
        Some(self.lists.search.words.as_str()).filter(|words| !words.is_empty())
    }

    pub(super) fn open_search(&mut self) {
        self.lists.search = Search { words: String::new(), from: self.lists.selected };
        self.mode = Mode::Search;
    }

    pub(super) fn search_key(&mut self, event: KeyEvent) {
        if type_at_end(&mut self.lists.search.words, event) {
            self.show_match();
        }
    }

    /// Text was pasted where words are typed.
    pub(super) fn paste_words(&mut self, text: &str) {
        match self.mode {
            Mode::Search => {
                self.lists.search.words.push_str(text);
                self.show_match();
            }
            Mode::Filter => self.want(format!("{}{text}", self.lists.wanted)),
            Mode::Palette => {
                self.over.palette.words.push_str(text);
                self.over.palette.chosen = 0;
            }
            Mode::HelpSearch => {
                self.over.help_words.push_str(text);
                self.over.help_scroll = 0;
            }
            Mode::List
            | Mode::Side
            | Mode::Form
            | Mode::Import
            | Mode::Why
            | Mode::Review
            | Mode::Answer
            | Mode::Remedies
            | Mode::SaveAs
            | Mode::Confirm
            | Mode::Help
            | Mode::Tour
            | Mode::Choose => {}
        }
    }

    /// The rows that hold what is searched for, in their order; where none does, those about which a finding says it.
    fn matches(&self) -> Matches {
        let needle = self.lists.search.words.to_lowercase();
        let rows = || self.lists.rows.iter().enumerate().filter(|(_, row)| row.is_selectable());
        let held = |row: &Row| self.row_text(row).to_lowercase().contains(&needle);
        let entries: Vec<usize> = rows().filter(|(_, row)| held(row)).map(|(at, _)| at).collect();
        if !entries.is_empty() {
            return Matches { rows: entries, are_entries: true };
        }
        let says = |text: &String| text.to_lowercase().contains(&needle);
        let is_said =
            |finding: &&Finding| says(&finding.message) || finding.evidence.iter().any(says);
        // In one pass: there may be as many findings as rows.
        let found = self.judging.findings.iter().filter(is_said);
        let about: HashSet<EntryId> = found.filter_map(|finding| finding.entry).collect();
        let said = |row: &Row| match row.entries() {
            Some((list, mut range)) => range.any(|index| about.contains(&EntryId { list, index })),
            None => self.findings_of(row).any(|finding| is_said(&finding)),
        };
        let rows = rows().filter(|(_, row)| said(row)).map(|(at, _)| at).collect();
        Matches { rows, are_entries: false }
    }

    /// Goes to the first match from where the search began, while it is typed; whether there is one.
    fn show_match(&mut self) -> bool {
        self.status = None;
        let from = self.lists.search.from;
        if self.lists.search.words.is_empty() {
            self.select(from.min(self.lists.rows.len().saturating_sub(1)));
            return false;
        }
        let matches = self.matches();
        let at = matches.rows.iter().position(|row| *row >= from).unwrap_or(0);
        self.tell_match(at, &matches);
        !matches.rows.is_empty()
    }

    /// The search is typed: its match stays selected, and is told.
    pub(super) fn end_search(&mut self) {
        self.mode = Mode::List;
        if self.lists.search.words.is_empty() {
            return;
        }
        if !self.show_match() {
            self.lists.search.words.clear();
        }
    }

    /// Goes to the match after the selected row, or before it; from the last to the first.
    pub(super) fn go_to_match(&mut self, forward: bool) {
        let matches = self.matches();
        let (rows, here) = (&matches.rows, self.lists.selected);
        let at = if forward {
            rows.iter().position(|row| *row > here).unwrap_or(0)
        } else {
            let before = rows.iter().rposition(|row| *row < here);
            before.unwrap_or(rows.len().saturating_sub(1))
        };
        self.tell_match(at, &matches);
    }

    /// Selects a match by its place among all, and says which it is.
    fn tell_match(&mut self, at: usize, matches: &Matches) {
        let rows = &matches.rows;
        let words = self.lists.search.words.clone();
        let Some(row) = rows.get(at) else {
            let from = self.lists.search.from.min(self.lists.rows.len().saturating_sub(1));
            self.select(from);
            return self.fail(format!("'{words}' is in no entry, and in nothing said about one"));
        };
        self.select(*row);
        let (number, count) = (at + 1, rows.len());
        self.say(&if matches.are_entries {
            format!("match {number} of {count}")
        } else {
            format!("in no entry; match {number} of {count} in what is said about them: '{words}'")
        });
    }

    /// Opens the help; `words` are what it is about, where not all of it is wanted.
    pub(super) fn open_help(&mut self, words: &str) {
        self.over.help_scroll = 0;
        self.over.help_words = words.to_owned();
        self.over.help_from = Some(self.mode);
        self.mode = Mode::Help;
    }

    pub(super) fn open_help_search(&mut self) {
        self.clear_help_search();
        self.mode = Mode::HelpSearch;
    }

    pub(super) fn clear_help_search(&mut self) {
        self.over.help_words.clear();
        self.over.help_scroll = 0;
    }

    pub(super) fn help_key(&mut self, event: KeyEvent) {
        if type_at_end(&mut self.over.help_words, event) {
            self.over.help_scroll = 0;
        }
    }
}
