//! What was pasted, and what becomes of each thing in it.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::popup::{self, open};
use super::text::{cut, wrap};
use crate::import::{Choice, Fate, Import};
use crate::tui::app::{App, Group, ImportRow};
use crate::tui::keymap::Mode;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// The box as it is shown: what is above, what is below with its lines, the first of them, and which each thing has.
struct Shown {
    head: Rect,
    below: Rect,
    above: Vec<Line<'static>>,
    lines: Vec<Line<'static>>,
    first: usize,
    places: Vec<Range<usize>>,
}

fn shown(app: &App, inner: Rect, theme: Theme) -> Shown {
    let columns = usize::from(inner.width);
    let above = above(app, theme, columns);
    let [head, below] = Layout::vertical([
        Constraint::Length(u16::try_from(above.len()).unwrap_or(3)),
        Constraint::Fill(1),
    ])
    .areas(inner);
    let (lines, places, chosen) = lines(app, theme, columns);
    let height = usize::from(below.height);
    let last = lines.len().saturating_sub(height);
    let first = match chosen {
        // The cursor stays a line away from the edges, so that titles come into sight.
        Some(chosen) => (chosen.end + 1).saturating_sub(height).min(chosen.start).min(last),
        None => app.side.scroll.min(last),
    };
    Shown { head, below, above, lines, first, places }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let inner = open(frame, area, area.height, &title(app), theme);
    let Shown { head, below, above, lines, first, .. } = shown(app, inner, theme);
    frame.render_widget(Paragraph::new(above), head);
    popup::scrolled(frame, below, lines, first, theme);
}

/// The thing at a place of the screen, by its place among all.
pub(super) fn at(app: &App, area: Rect, column: u16, row: u16) -> Option<usize> {
    let inner = popup::inner(popup::outer(area, area.height));
    let Shown { below, first, places, .. } = shown(app, inner, Theme::new(false));
    popup::thing_at(below, first, &places, (column, row))
}

fn title(app: &App) -> String {
    let Some(import) = app.imported().filter(|import| !import.items.is_empty()) else {
        return "Import: paste a command line, a script, XML, a log or a configuration".to_owned();
    };
    let on = app.over.importing.choices.iter().filter(|choice| **choice != Choice::Off).count();
    format!("Import {}: adds {on} of {}", import.kind, import.items.len())
}

/// The end of the text while it is typed, the answer while something is answered.
fn above(app: &App, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let text = match (&app.over.importing.answering, app.mode) {
        (Some((open, typed)), Mode::Answer) => {
            format!("What is {}?  {}▏", visible(open), visible(typed))
        }
        (_, Mode::Import) => {
            format!("{}▏", visible(&app.over.pasted.replace(['\n', '\r'], " ")))
        }
        _ => return Vec::new(),
    };
    let wrapped = wrap(&text, columns, "");
    let skipped = wrapped.len().saturating_sub(3);
    let style = if app.mode == Mode::Answer { theme.title() } else { Style::new() };
    let mut lines: Vec<Line<'static>> =
        wrapped.into_iter().skip(skipped).map(|line| Line::styled(line, style)).collect();
    lines.push(Line::default());
    lines
}

/// The lines, which of them each thing has, and which the chosen one.
fn lines(
    app: &App,
    theme: Theme,
    columns: usize,
) -> (Vec<Line<'static>>, Vec<Range<usize>>, Option<Range<usize>>) {
    let styled = |text: &str, style: Style| -> Vec<Line<'static>> {
        wrap(text, columns, "").into_iter().map(|line| Line::styled(line, style)).collect()
    };
    let import = match &app.over.importing.read {
        Some(Ok(import)) if !import.items.is_empty() => import,
        Some(Err(error)) => return (styled(&visible(error), theme.error()), Vec::new(), None),
        Some(Ok(_)) | None => {
            let how = "Paste with your terminal (Shift-Insert, Ctrl-Shift-v), or type. For example: -device virtio-rng-pci,addr=0x1e";
            return (styled(how, theme.dim()), Vec::new(), None);
        }
    };
    let (mut lines, mut places, mut chosen) = (Vec::new(), Vec::new(), None);
    let cursor = if app.mode == Mode::Import { None } else { app.chosen_thing() };
    for row in app.import_rows() {
        match row {
            ImportRow::Title(group, count) => {
                let remark = if group == Group::Own { app.told() } else { "" };
                let title = format!("{} ({count})  {remark}", group.title());
                lines.push(Line::styled(cut(title.trim_end(), columns), theme.title()));
            }
            ImportRow::Thing(item) => {
                let start = lines.len();
                let is_chosen = cursor == Some(item);
                lines.extend(thing(app, import, item, (theme, columns, is_chosen)));
                places.push(start..lines.len());
                if is_chosen {
                    chosen = Some(start..lines.len());
                }
            }
        }
    }
    (lines, places, chosen)
}

/// One thing: its sign, its text, and a word about it; the chosen one is shown whole.
fn thing(
    app: &App,
    import: &Import,
    item: usize,
    (theme, columns, is_chosen): (Theme, usize, bool),
) -> Vec<Line<'static>> {
    let choice = app.over.importing.choices.get(item).copied().unwrap_or(Choice::Off);
    let found = &import.items[item];
    let (sign, style) = match choice {
        Choice::Entry => ("[+]", theme.added()),
        Choice::Element => ("[x]", theme.added()),
        Choice::Off if found.entries.is_empty() => ("   ", theme.dim()),
        Choice::Off => ("[ ]", theme.dim()),
    };
    let text = format!("{sign} {}", visible(&found.shown()));
    let remark = remark(app, &found.fate, item, choice);
    if !is_chosen {
        let room = columns.saturating_sub(super::text::width(&remark));
        // On a narrow screen the word about it is seen where it is chosen.
        let line =
            if room >= columns / 2 { cut(&text, room) + &remark } else { cut(&text, columns) };
        return vec![Line::styled(line, style)];
    }
    let selected = theme.selected(true);
    let pad = |line: String| {
        let missing = columns.saturating_sub(super::text::width(&line));
        Line::styled(line + &" ".repeat(missing), selected)
    };
    wrap(&format!("{text}{remark}"), columns, "    ").into_iter().map(pad).collect()
}

fn remark(app: &App, fate: &Fate, item: usize, choice: Choice) -> String {
    match (fate, app.element_for(item)) {
        (_, Some(element)) if choice == Choice::Element => format!("  as {element}"),
        (_, Some(element)) => format!("  x: as {element}"),
        (Fate::Elsewhere(place), None) => format!("  said by {place}"),
        (Fate::Asked(open), None) => format!("  a: what is {}?", visible(&open.join(", "))),
        (Fate::NotUnderstood(why), None) => format!("  ({})", visible(why)),
        (Fate::Added | Fate::There | Fate::Own, None) => String::new(),
    }
}
