//! Which rows of the lists are on the screen, and on which of its lines.

use ratatui::layout::Rect;

use super::list;
use crate::tui::app::App;

/// Below this height nothing is held in sight at the edges.
const LOW: usize = 5;

/// What stands on a line of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A line of a row.
    Row {
        /// The row.
        row: usize,
        /// Which of its lines.
        line: usize,
    },
    /// The title of the section that began above.
    Sticky(usize),
    /// That there are sections below, from this title on.
    Below(usize),
}

impl Slot {
    /// The row that a click on the line is about.
    pub(super) fn row(self) -> usize {
        match self {
            Slot::Row { row, .. } | Slot::Sticky(row) | Slot::Below(row) => row,
        }
    }
}

/// What of the lists is on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// Line by line.
    pub(super) slots: Vec<Slot>,
    /// There are rows beside those.
    pub(super) is_cut: bool,
    /// The first row, which a sticky title may cover.
    pub(super) top: usize,
}

/// How rows are laid out: how many lines each takes.
struct Layout<'a> {
    app: &'a App,
    /// The rows that are titles.
    titles: Vec<usize>,
    lines: usize,
    /// How many lines the selected row takes where values are shown whole.
    selected: usize,
    columns: usize,
    /// Every row is shown whole.
    all: bool,
}

/// The window that shows the selected row, as near to where it was as possible.
pub(super) fn of(app: &App, area: Rect, is_wide: bool) -> Window {
    let lines = usize::from(area.height);
    let columns = usize::from(area.width).saturating_sub(1);
    let rows = app.lists.rows.iter().enumerate();
    let titles = rows.filter(|(_, row)| row.title().is_some()).map(|(at, _)| at).collect();
    let mut layout = Layout { app, titles, lines, columns, selected: 1, all: is_wide };
    if is_wide {
        layout.selected = layout.whole(app.lists.selected);
    }
    let rows = app.lists.rows.len();
    let fits = |layout: &Layout<'_>| {
        let mut used = 0;
        (0..rows).all(|row| {
            used += layout.height(row);
            used <= lines
        })
    };
    layout.all = is_wide && fits(&layout);
    let is_cut = !fits(&layout);
    let top = if is_cut { layout.top() } else { 0 };
    Window { slots: layout.slots(top), is_cut, top }
}

impl Layout<'_> {
    fn height(&self, row: usize) -> usize {
        if row == self.app.lists.selected {
            self.selected
        } else if self.all {
            self.whole(row)
        } else {
            1
        }
    }

    /// How many lines a row takes that is shown whole; one that fills the pane would hide the rows around it.
    fn whole(&self, row: usize) -> usize {
        list::height(self.app, row, self.columns).min((self.lines / 2).max(1))
    }

    fn title_of(&self, row: usize) -> Option<usize> {
        self.titles.iter().rev().find(|at| **at <= row).copied()
    }

    /// What stands on each line from a row on.
    fn slots(&self, top: usize) -> Vec<Slot> {
        let rows = &self.app.lists.rows;
        let mut slots = Vec::with_capacity(self.lines);
        let mut row = top;
        if top > 0
            && self.lines >= LOW
            && let Some(title) = self.title_of(top).filter(|title| *title != top)
        {
            slots.push(Slot::Sticky(title));
            row += 1;
        }
        while row < rows.len() && slots.len() < self.lines {
            let own = (0..self.height(row)).map(|line| Slot::Row { row, line });
            slots.extend(own.take(self.lines - slots.len()));
            row += 1;
        }
        let hidden = self.titles.iter().find(|at| **at >= row).copied();
        if let Some(title) = hidden.filter(|_| self.lines >= LOW)
            && let Some(last) = slots.last_mut()
        {
            *last = Slot::Below(title);
        }
        slots
    }

    /// Whether all lines of a row are on the screen.
    fn shows(&self, slots: &[Slot], row: usize) -> bool {
        let own =
            slots.iter().filter(|slot| matches!(slot, Slot::Row { row: at, .. } if *at == row));
        own.count() >= self.height(row)
    }

    /// The first row, so that the selected one and the one after it are shown.
    fn top(&self) -> usize {
        let rows = self.app.lists.rows.len();
        let selected = self.app.lists.selected.min(rows.saturating_sub(1));
        let mut top = self.app.lists.top.min(selected.saturating_sub(1));
        // Far away: near the cursor at once.
        if selected > top + self.lines {
            top = selected - self.lines;
        }
        while top < selected {
            let slots = self.slots(top);
            let next = (selected + 1).min(rows - 1);
            if self.shows(&slots, selected) && (self.shows(&slots, next) || self.lines < LOW) {
                break;
            }
            top += 1;
        }
        // No line is left empty where there is something to show.
        while top > 0 && self.slots(top).len() < self.lines {
            top -= 1;
        }
        top
    }
}
