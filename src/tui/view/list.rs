//! The lists, with the worst verdict of each row in the gutter.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cut, width};
use crate::domain::List;
use crate::rules::Verdict;
use crate::tui::app::App;
use crate::tui::keymap::Mode;
use crate::tui::rows::Row;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// Columns of the gutter: sign, word, a blank on each side.
const GUTTER: usize = 11;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let height = usize::from(area.height);
    let first = first(app, height);
    let lines: Vec<Line<'_>> = app
        .lists
        .rows
        .iter()
        .enumerate()
        .skip(first)
        .take(height)
        .map(|(index, row)| line(app, theme, index, row, area))
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// The first row that is shown. The cursor stays a row away from the edges where it can, so that titles come into sight.
pub(super) fn first(app: &App, height: usize) -> usize {
    (app.lists.selected + 2).saturating_sub(height).min(app.lists.rows.len().saturating_sub(height))
}

fn line<'a>(app: &App, theme: Theme, index: usize, row: &Row, area: Rect) -> Line<'a> {
    let columns = usize::from(area.width);
    match row {
        Row::Title(title, count) => {
            return Line::styled(cut(&format!("{title} ({count})"), columns), theme.title());
        }
        Row::Hint(hint) => return Line::styled(format!("   {hint}"), theme.dim()),
        Row::Option(_)
        | Row::Variable(_)
        | Row::Extra(_)
        | Row::Disabled(_)
        | Row::General(_)
        | Row::Broken(_) => {}
    }
    let short = columns < 50;
    let (sign, word, style) = match app.verdict_of(row) {
        Some(verdict) => {
            let (sign, word) = verdict.sign();
            (sign, word, theme.verdict(verdict))
        }
        None if matches!(row, Row::Disabled(_)) => ("–", "off", theme.dim()),
        None => ("…", "looking", theme.dim()),
    };
    let word = if short { word.get(..word.len().min(5)).unwrap_or(word) } else { word };
    let gutter = if short { GUTTER - 2 } else { GUTTER };
    let mark = if app.lists.marked.contains(&index) { "▸" } else { " " };
    let mut spans =
        vec![Span::styled(format!("{:<gutter$}", format!("{mark}{sign} {word}")), style)];
    let room = columns.saturating_sub(gutter);
    match row.entries() {
        Some((List::Args, range)) => {
            let text = |index: usize| app.document.list(List::Args)[index].kind.text();
            let option = shown(&text(range.start));
            let option = cut(&option, room);
            let left = room.saturating_sub(width(&option) + 1);
            spans.push(Span::styled(option, theme.title()));
            if range.len() == 2 {
                spans.push(Span::raw(format!(" {}", cut(&shown(&text(range.start + 1)), left))));
            }
        }
        _ => {
            let style = if matches!(row, Row::Disabled(_)) { theme.dim() } else { Style::new() };
            spans.push(Span::styled(cut(&visible(&app.row_text(row)), room), style));
        }
    }
    let mut line = Line::from(spans);
    if index == app.lists.selected {
        let used = line.width();
        line.push_span(Span::raw(" ".repeat(columns.saturating_sub(used))));
        line = line.patch_style(theme.selected(app.mode != Mode::Side));
    }
    line
}

/// A text as it can be shown; an empty one is said to be empty.
fn shown(text: &str) -> String {
    if text.is_empty() { "(empty)".to_owned() } else { visible(text).into_owned() }
}

/// The sign of a verdict with its word, for other views.
pub(super) fn badge(theme: Theme, verdict: Verdict) -> Span<'static> {
    let (sign, word) = verdict.sign();
    Span::styled(format!("{sign} {word}"), theme.verdict(verdict))
}
