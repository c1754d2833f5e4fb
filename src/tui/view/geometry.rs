//! Where things are on the screen: for drawing, for paging and for the mouse.

use ratatui::layout::{Constraint, Layout, Rect};

use super::text::width;
use super::{footer, help, import, message, palette, popup, side, window};
use crate::tui::action::Action;
use crate::tui::app::App;
use crate::tui::keymap::Mode;
use crate::tui::pane::Pane;

/// From this width on the panes stand side by side, and values are shown whole.
const SIDE_BY_SIDE: u16 = 120;
/// From this width on there are three of them.
const THREE: u16 = 200;
/// Below this height only one pane is drawn.
const ONE_PANE: u16 = 11;

/// The panes of a screen; one that is not shown has no area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// File, domain, counts.
    pub header: Rect,
    /// Everything between header and footer.
    pub body: Rect,
    /// The lists.
    pub list: Option<Rect>,
    /// The column between panes that stand side by side.
    pub divider: Option<Rect>,
    /// The side pane, its tabs in the first line.
    pub side: Option<Rect>,
    /// The third pane: what the side pane would hide.
    pub third: Option<Rect>,
    /// Values are shown whole.
    pub is_wide: bool,
    /// The last line.
    pub footer: Rect,
}

/// How much of the body the lists get, in percent, where nobody moved the divider.
const HALF: u16 = 48;
const THIRD: u16 = 38;
const STACKED: u16 = 45;

/// The areas of a screen.
pub fn areas(app: &App, screen: Rect) -> Areas {
    let [header, body, footer] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)])
            .areas(screen);
    let focused_side = matches!(app.mode, Mode::Side | Mode::Remedies);
    let mut divider = None;
    let mut third = None;
    let is_wide = body.width >= SIDE_BY_SIDE;
    let (list, side) = if app.side.zoomed || (body.width < SIDE_BY_SIDE && body.height < ONE_PANE) {
        if focused_side { (None, Some(body)) } else { (Some(body), None) }
    } else if body.width >= SIDE_BY_SIDE {
        let usual = if body.width >= THREE { THIRD } else { HALF };
        let share = app.side.split.unwrap_or(usual).clamp(20, 80);
        let parts = [Constraint::Percentage(share), Constraint::Length(1), Constraint::Fill(1)];
        let [left, between, mut right] = Layout::horizontal(parts).areas(body);
        divider = Some(between);
        if body.width >= THREE && right.width >= 2 * (THREE / 4) {
            let parts = [Constraint::Fill(1), Constraint::Length(1), Constraint::Fill(1)];
            let [middle, _, last] = Layout::horizontal(parts).areas(right);
            right = middle;
            third = Some(last);
        }
        (Some(left), Some(right))
    } else {
        let rows = u16::try_from(app.lists.rows.len()).unwrap_or(u16::MAX);
        let most = u32::from(body.height)
            * u32::from(app.side.split.unwrap_or(STACKED).clamp(20, 80))
            / 100;
        let most = u16::try_from(most).unwrap_or(body.height);
        let [top, bottom] =
            Layout::vertical([Constraint::Length(rows.min(most)), Constraint::Fill(1)]).areas(body);
        (Some(top), Some(bottom))
    };
    Areas { header, body, list, divider, side, third, is_wide, footer }
}

/// How many rows of the lists fit, for paging.
pub fn page(app: &App, screen: Rect) -> usize {
    let rows = areas(app, screen).list.map_or(1, |list| list.height);
    usize::from(rows.saturating_sub(1)).max(1)
}

/// The first row that is shown, for the lists to stay where they are while the cursor is in sight.
pub fn top(app: &App, screen: Rect) -> usize {
    let areas = areas(app, screen);
    areas.list.map_or(0, |list| window::of(app, list, areas.is_wide).top)
}

/// What stands at a place of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// A row of the lists.
    Row(usize),
    /// The lists, below their last row.
    List,
    /// A tab of the side pane.
    Tab(Pane),
    /// The line or column between the panes, which can be moved.
    Divider,
    /// The side pane, a line of it.
    Side(usize),
    /// The reasons, where they have a pane of their own.
    Reasons,
    /// A key of the last line.
    Key(Action),
    /// A line of the box that stands over the panes, by its place among what can be chosen there.
    Line(usize),
    /// The box, where nothing can be chosen.
    Box,
    /// Beside the box.
    Outside,
    /// Nothing of these.
    Nowhere,
}

/// What stands at a column and a row of the screen.
pub fn spot(app: &App, screen: Rect, column: u16, row: u16) -> Spot {
    let areas = areas(app, screen);
    let inside = |area: Rect| area.contains((column, row).into());
    if inside(areas.footer) {
        return footer::at(app, areas.footer.width, column - areas.footer.x)
            .map_or(Spot::Nowhere, Spot::Key);
    }
    if app.mode == Mode::Remedies {
        let pane = areas.side.filter(|area| inside(*area));
        return pane.map_or(Spot::Outside, |area| {
            let line = row.checked_sub(area.y + 1).map(usize::from);
            let way = line.and_then(|line| side::way_at(app, area, line));
            way.map_or(Spot::Box, Spot::Line)
        });
    }
    if let Some(found) = in_box(app, areas.body, column, row) {
        return found;
    }
    // Where there is room for three, the tabs are at the last.
    if areas.third.is_some() && areas.side.is_some_and(inside) {
        return Spot::Reasons;
    }
    if let Some(area) = areas.third.or(areas.side).filter(|area| inside(*area)) {
        if row != area.y {
            return Spot::Side(usize::from(row - area.y - 1));
        }
        return tab_at(area, app, column).map_or(Spot::Divider, Spot::Tab);
    }
    if areas.divider.is_some_and(inside) {
        return Spot::Divider;
    }
    match areas.list.filter(|area| inside(*area)) {
        Some(area) => {
            let slots = window::of(app, area, areas.is_wide).slots;
            slots.get(usize::from(row - area.y)).map_or(Spot::List, |slot| Spot::Row(slot.row()))
        }
        None => Spot::Nowhere,
    }
}

/// What of a box that stands over the panes is at a place; nothing where there is no box.
fn in_box(app: &App, body: Rect, column: u16, row: u16) -> Option<Spot> {
    let inside = |area: Rect| area.contains((column, row).into());
    let beside = |outer: Rect| if inside(outer) { Spot::Box } else { Spot::Outside };
    let all = popup::outer(body, body.height);
    match app.mode {
        Mode::List
        | Mode::Side
        | Mode::Remedies
        | Mode::Search
        | Mode::Filter
        | Mode::SaveAs
        | Mode::Choose => None,
        Mode::Palette => {
            let found = palette::at(app, body, column, row);
            Some(found.map_or_else(|| beside(all), Spot::Line))
        }
        Mode::Form => Some(beside(popup::form_box(app, body))),
        Mode::Help | Mode::HelpSearch => Some(Spot::Box),
        Mode::Tour => Some(Spot::Outside),
        Mode::Review => {
            let found = import::at(app, body, column, row);
            Some(found.map_or_else(|| beside(all), Spot::Line))
        }
        Mode::Why => {
            let found = message::at(app, body, column, row);
            Some(found.map_or_else(|| beside(all), Spot::Line))
        }
        Mode::Import | Mode::Answer | Mode::Confirm => Some(beside(all)),
    }
}

/// How far the help can be scrolled at most, where it is scrolled further.
pub fn help_scroll(app: &App, screen: Rect) -> usize {
    let is_open = matches!(app.mode, Mode::Help | Mode::HelpSearch);
    if is_open { help::scroll(app, areas(app, screen).body) } else { app.over.help_scroll }
}

/// The share of the body, in percent, that ends at a place: where the divider was dragged to.
pub fn share(app: &App, screen: Rect, column: u16, row: u16) -> u16 {
    let body = areas(app, screen).body;
    let (at, all) = if body.width >= SIDE_BY_SIDE {
        (column.saturating_sub(body.x), body.width)
    } else {
        (row.saturating_sub(body.y), body.height)
    };
    // Rounded up, so that the same rows come out of it again.
    u16::try_from((u32::from(at) * 100).div_ceil(u32::from(all.max(1)))).unwrap_or(HALF)
}

/// From this width on every tab has its word.
pub(super) fn words_from() -> u16 {
    // Two columns of line, then a blank, a digit, a blank and the word of each tab.
    let tabs: usize = Pane::all().map(|pane| 3 + width(pane.title())).sum();
    u16::try_from(2 + tabs).unwrap_or(u16::MAX)
}

/// From this width on the tabs stand apart, and a piece of line ends the row.
pub(super) fn apart_from() -> u16 {
    let gaps = 2 * Pane::all().count();
    words_from().saturating_add(u16::try_from(gaps + 3).unwrap_or(u16::MAX))
}

/// The columns that the words of the tabs take, each with its tab.
fn tabs(columns: u16, chosen: Pane) -> Vec<(Pane, std::ops::Range<usize>)> {
    let mut at = 2;
    let (words, apart) = (words_from(), apart_from());
    let place = |(index, pane): (usize, Pane)| {
        let number = format!(" {}", index + 1);
        let word = if pane == chosen || columns >= words { 1 + width(pane.title()) } else { 0 };
        let start = at;
        at += width(&number) + word;
        let range = start..at;
        at += if columns >= apart { 2 } else { 0 };
        (pane, range)
    };
    Pane::all().enumerate().map(place).collect()
}

/// The tab whose word stands at a column of the title line.
fn tab_at(area: Rect, app: &App, column: u16) -> Option<Pane> {
    let at = usize::from(column.saturating_sub(area.x));
    let tabs = tabs(area.width, app.side.pane);
    tabs.into_iter().find(|(_, range)| range.contains(&at)).map(|(pane, _)| pane)
}
