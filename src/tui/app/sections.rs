//! The sections of the lists: going from one to the next, folding them.

use super::{App, Row};
use crate::rules::{Finding, Verdict};
use crate::tui::rows::{Section, section_of};

impl App {
    /// Selects the first row of the next section that has one, or of the one before.
    pub(super) fn next_section(&mut self, forward: bool) {
        let rows = &self.lists.rows;
        let here = section_of(rows, self.lists.selected);
        let titles = rows.iter().enumerate();
        let titles = titles.filter_map(|(at, row)| row.title().map(|(section, _)| (at, section)));
        // Where a section has no row, there is its hint, on which nobody can stand.
        let first = |title: usize| {
            let inside = rows[title..].iter().take(2).position(Row::is_selectable);
            inside.map(|after| title + after)
        };
        let beside = |section| if forward { Some(section) > here } else { Some(section) < here };
        let mut targets =
            titles.filter(|(_, section)| beside(*section)).filter_map(|(at, _)| first(at));
        let target = if forward { targets.next() } else { targets.next_back() };
        match target {
            Some(row) => self.select(row),
            None => self.say(if forward {
                "no section with rows is below"
            } else {
                "no section with rows is above"
            }),
        }
    }

    /// The section of the cursor, and how many rows it is below its title.
    pub(super) fn place_in_section(&self) -> Option<(Section, usize)> {
        let at = self.lists.selected;
        let section = section_of(&self.lists.rows, at)?;
        Some((section, at - self.title_of(section)?))
    }

    /// Goes to such a place, where it is there: rows of other sections may have come and gone.
    pub(super) fn go_to_place(&mut self, place: Option<(Section, usize)>) {
        let Some((section, below)) = place else { return };
        if let Some(title) = self.title_of(section) {
            self.lists.selected = (title + below).min(self.lists.rows.len().saturating_sub(1));
        }
    }

    /// The worst of a section, where something is wrong in it.
    pub fn worst_of(&self, section: Section) -> Option<Verdict> {
        let findings = &self.judging.findings;
        let is_own = |finding: &&Finding| match finding.entry {
            Some(entry) => Section::of(entry.list) == section,
            None => section == Section::General && !finding.is_of_broken() && !finding.is_of_lost(),
        };
        let worst = findings.iter().filter(is_own).map(|finding| finding.verdict).min();
        let lost = self.document.lost().iter().flat_map(|lost| &lost.entries);
        let broken = self.document.broken().iter().map(|broken| broken.list);
        let mut odd = lost.map(|entry| entry.list).chain(broken);
        let odd = odd.any(|list| Section::of(list) == section).then_some(Verdict::Blocks);
        [worst, odd].into_iter().flatten().min().filter(|worst| *worst <= Verdict::Unknown)
    }

    fn title_of(&self, section: Section) -> Option<usize> {
        let is_title = |row: &Row| row.title().is_some_and(|(at, _)| at == section);
        self.lists.rows.iter().position(is_title)
    }

    /// Folds the section of the cursor, or unfolds it.
    pub(super) fn fold(&mut self) {
        let Some(section) = section_of(&self.lists.rows, self.lists.selected) else { return };
        let unfolds = self.lists.folded.remove(&section);
        if !unfolds {
            self.lists.folded.insert(section);
        }
        let marked = self.lists.marked.len();
        self.arrange();
        self.told_of_marks(marked);
        if let Some(title) = self.title_of(section) {
            let row = if unfolds { title + 1 } else { title };
            self.select(row.min(self.lists.rows.len() - 1));
        }
    }

    /// Whether the cursor is on the title of a folded section.
    pub fn is_on_folded(&self) -> bool {
        self.lists.rows.get(self.lists.selected).is_some_and(Row::is_folded)
    }
}
