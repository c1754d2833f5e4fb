//! The palette: the actions that the typed words find.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::popup::{self, open};
use super::text::{cut, marked, width, wrap};
use crate::tui::action::Action;
use crate::tui::app::{App, Offered, words_of};
use crate::tui::keymap::Mode;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// Columns for the key.
const KEYS: usize = 9;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let inner = open(frame, area, area.height, "Actions: type a word of what you want", theme);
    let columns = usize::from(inner.width);
    let height = usize::from(inner.height);
    let found = app.found_actions();
    if found.is_empty() {
        let help = app.keymap.key_of(Mode::List, Action::Help);
        let help = help.as_deref().unwrap_or("help");
        let typed = visible(app.over.palette.words.trim()).into_owned();
        let text = format!("nothing fits '{typed}'; Esc goes back, {help} lists all keys");
        let lines: Vec<Line<'_>> = wrap(&text, columns, "").into_iter().map(Line::raw).collect();
        return frame.render_widget(Paragraph::new(lines), inner);
    }
    let rows = found.iter().enumerate().skip(first(app, height)).take(height);
    let lines: Vec<Line<'_>> =
        rows.map(|(index, offered)| line(app, theme, columns, index, offered)).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// The first action that is shown.
fn first(app: &App, height: usize) -> usize {
    (app.over.palette.chosen + 1).saturating_sub(height)
}

/// The action at a place of the screen; nothing outside of the box or below the last.
pub(super) fn at(app: &App, area: Rect, column: u16, row: u16) -> Option<usize> {
    let inner = popup::inner(popup::outer(area, area.height));
    if !inner.contains((column, row).into()) {
        return None;
    }
    let index = first(app, usize::from(inner.height)) + usize::from(row - inner.y);
    (index < app.found_actions().len()).then_some(index)
}

fn line(
    app: &App,
    theme: Theme,
    columns: usize,
    index: usize,
    offered: &Offered<'_>,
) -> Line<'static> {
    let why = app.available(offered.action).err();
    let why = why.map(|why| format!("  ({why})")).unwrap_or_default();
    let word = || words_of(offered.action).first().filter(|_| offered.given.is_none());
    let key = match offered.keys.first() {
        Some(key) => key.name(),
        None => word().map(|word| format!(":{word}")).unwrap_or_default(),
    };
    let text = cut(&format!("{}{why}", visible(&offered.help)), columns.saturating_sub(KEYS));
    let (key_style, style) = match why.is_empty() {
        true => (theme.key(), Style::new()),
        false => (theme.dim(), theme.dim()),
    };
    let mut spans = vec![Span::styled(format!("{key:<KEYS$}"), key_style)];
    spans.extend(marked(&text, &app.over.palette.words, style, theme.found()));
    let mut line = Line::from(spans);
    if index == app.over.palette.chosen {
        let used: usize = line.spans.iter().map(|span| width(&span.content)).sum();
        line.push_span(Span::raw(" ".repeat(columns.saturating_sub(used))));
        line = line.patch_style(theme.selected(true));
    }
    line
}
