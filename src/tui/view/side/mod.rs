//! The side pane: the row of tabs, and what the chosen one shows.

mod command;
mod layers;
mod rule;
mod schema;
mod text;
mod why;

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::difference;
use super::geometry::{apart_from, words_from};
use super::text::{width, wrap};
use crate::domain::canonical;
use crate::tui::app::App;
use crate::tui::keymap::Mode;
use crate::tui::pane::Pane;
use crate::tui::theme::Theme;
use crate::visible::visible;

pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    third: Option<Rect>,
    app: &App,
    theme: Theme,
) {
    let chosen = shown(app);
    let Some(third) = third else {
        return pane(frame, area, app, theme, chosen, true);
    };
    // Where there is room for three, the reasons stay and the others come beside them.
    pane(frame, area, app, theme, Pane::Why, false);
    let other = if chosen == Pane::Why { Pane::Xml } else { chosen };
    pane(frame, third, app, theme, other, true);
}

/// The tab that is shown: what is to be done is chosen where the reasons are.
pub(super) fn shown(app: &App) -> Pane {
    if app.mode == Mode::Remedies { Pane::Why } else { app.side.pane }
}

/// One pane below its line of tabs.
fn pane(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme, pane: Pane, has_tabs: bool) {
    let [title, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    if has_tabs {
        tabs(frame, title, app, theme, pane);
    } else {
        let columns = usize::from(area.width).saturating_sub(width(pane.title()) + 3);
        let spans = vec![
            Span::styled("─ ", theme.dim()),
            Span::styled(pane.title(), theme.title()),
            Span::styled(format!(" {}", "─".repeat(columns)), theme.dim()),
        ];
        frame.render_widget(Paragraph::new(Line::from(spans)), title);
    }
    let columns = usize::from(body.width);
    let (lines, follow) = match pane {
        Pane::Why => {
            let shown = why::lines(app, theme, columns, usize::from(body.height));
            (shown.lines, shown.follow)
        }
        Pane::Layers => one_line(layers::lines(app, theme, columns)),
        Pane::Xml => one_line(xml(app, theme, columns)),
        Pane::Diff => (diff(app, theme, columns), None),
        Pane::Command => command::lines(app, theme, columns),
        Pane::Rule => (rule::lines(app, theme, columns), None),
        Pane::Schema => (schema::lines(app, theme, columns), None),
    };
    let height = usize::from(body.height);
    // The pane follows the selection until it is scrolled by hand.
    let scroll = if pane == shown(app) { app.side.scroll } else { 0 };
    let first = first(lines.len(), follow, scroll, height);
    let more = lines.len() > first + height;
    frame.render_widget(
        Paragraph::new(lines.into_iter().skip(first).take(height).collect::<Vec<_>>()),
        body,
    );
    if more && area.width > 20 {
        let mark = Rect { x: title.x + title.width.saturating_sub(8), width: 8, ..title };
        frame.render_widget(Paragraph::new(" more ↓ ").style(theme.key()), mark);
    }
}

/// The first line that is shown.
fn first(lines: usize, follow: Option<Range<usize>>, scroll: usize, height: usize) -> usize {
    let end = lines.saturating_sub(height);
    match follow {
        Some(lines) if scroll == 0 && lines.end > height => {
            (lines.end + 1).saturating_sub(height).min(lines.start).min(end)
        }
        Some(_) | None => scroll.min(end),
    }
}

/// Which of the things that can be done stands on a line of the pane.
pub(super) fn way_at(app: &App, area: Rect, line: usize) -> Option<usize> {
    let height = usize::from(area.height.saturating_sub(1));
    let shown = why::lines(app, Theme::new(false), usize::from(area.width), height);
    let first = first(shown.lines.len(), shown.follow, app.side.scroll, height);
    shown.ways.iter().position(|way| way.contains(&(first + line)))
}

/// One line that is to be in sight.
fn one_line(
    (lines, at): (Vec<Line<'static>>, Option<usize>),
) -> (Vec<Line<'static>>, Option<Range<usize>>) {
    (lines, at.map(|at| at..at + 1))
}

/// The line of tabs.
fn tabs(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme, shown: Pane) {
    let mut spans = vec![Span::styled("──", theme.dim())];
    let (words, apart) = (area.width >= words_from(), area.width >= apart_from());
    for (index, pane) in Pane::all().enumerate() {
        let chosen = pane == shown;
        let style = if chosen {
            theme.selected(app.mode == Mode::Side).patch(theme.title())
        } else {
            Style::new()
        };
        spans.push(Span::styled(format!(" {}", index + 1), theme.key()));
        if chosen || words {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(pane.title(), style));
        }
        if apart {
            spans.push(Span::styled(" ─", theme.dim()));
        }
    }
    spans.push(Span::raw(" "));
    let used: usize = spans.iter().map(|span| width(&span.content)).sum();
    spans.push(Span::styled("─".repeat(usize::from(area.width).saturating_sub(used)), theme.dim()));
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The canonical lines, and which of them shows the selection.
fn xml(app: &App, theme: Theme, columns: usize) -> (Vec<Line<'static>>, Option<usize>) {
    let mut lines = Vec::new();
    let mut follow = None;
    let selection = app.selection();
    for line in canonical::lines(&app.document) {
        let selected = line.entry.is_some_and(|entry| {
            selection
                .as_ref()
                .is_some_and(|(list, range)| entry.list == *list && range.contains(&entry.index))
        });
        if selected && follow.is_none() {
            follow = Some(lines.len());
        }
        let style = if selected { theme.title().patch(theme.command()) } else { Style::new() };
        for part in wrap(&visible(&line.text), columns, "        ") {
            lines.push(Line::styled(part, style));
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled("libvirt would store no passthrough for this domain", theme.dim()));
    } else {
        let head =
            "As libvirt will print it, at the end of the domain, with xmlns:qemu on <domain>:";
        let intro: Vec<Line<'static>> = wrap(head, columns, "")
            .into_iter()
            .map(|line| Line::styled(line, theme.dim()))
            .collect();
        follow = follow.map(|line| line + intro.len());
        lines.splice(0..0, intro);
    }
    (lines, follow)
}

fn diff(app: &App, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    if !app.is_modified() {
        return vec![Line::styled("saving would change nothing", theme.dim())];
    }
    difference::lines(&app.file.saved, app.document.source(), theme, columns)
}
