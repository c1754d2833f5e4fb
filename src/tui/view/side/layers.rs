//! The map of layers: a sign in each cell, so that nothing depends on colour.

use ratatui::text::{Line, Span};

use super::super::text::{cut_front, width, wrap};
use super::text::Text;
use crate::rules::Verdict;
use crate::tui::app::App;
use crate::tui::keymap::Mode;
use crate::tui::matrix;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// Columns of a cell, its blank included; on a narrow screen.
const CELL: usize = 5;
const NARROW_CELL: usize = 3;
const NARROW: usize = 60;

/// The lines, and which of them is the selected one.
pub(super) fn lines(
    app: &App,
    theme: Theme,
    columns: usize,
) -> (Vec<Line<'static>>, Option<usize>) {
    let mut text = Text { lines: Vec::new(), columns };
    let found = matrix::lines(&app.line, &app.judging.findings);
    if found.is_empty() {
        text.add("The passthrough names nothing on the host.", "", "", theme.dim());
        return (text.lines, None);
    }
    if app.judging.host.is_none() {
        text.add("The host is being looked at …", "", "", theme.dim());
        return (text.lines, None);
    }
    let cell = if columns < NARROW { NARROW_CELL } else { CELL };
    let table = matrix::columns().count() * cell;
    let room = columns.saturating_sub(table + 1).max(8);
    let mut head = vec![Span::raw(" ".repeat(room))];
    head.extend(matrix::columns().map(|(_, title)| {
        Span::styled(
            format!(" {:<width$}", &title[..title.len().min(cell - 1)], width = cell - 1),
            theme.title(),
        )
    }));
    let mut lines = vec![Line::from(head)];
    let chosen = app.matrix_line();
    for (index, row) in found.iter().enumerate() {
        let name = cut_front(&visible(&row.name), room.saturating_sub(1));
        let gap = room.saturating_sub(width(&name));
        let mut spans = vec![Span::raw(format!("{name}{}", " ".repeat(gap)))];
        spans.extend(row.cells.iter().map(|verdict| cell_of(theme, *verdict, cell - 1)));
        let mut line = Line::from(spans);
        if Some(index) == chosen {
            line = line.patch_style(theme.selected(app.mode == Mode::Side));
        }
        lines.push(line);
    }
    lines.push(Line::default());
    let legend = "✗ blocked  ! warning  ? unknown  · note  ✓ let through  - no say";
    lines.extend(wrap(legend, columns, "").into_iter().map(|line| Line::styled(line, theme.dim())));
    (lines, chosen.map(|line| line + 1))
}

fn cell_of(theme: Theme, verdict: Option<Verdict>, columns: usize) -> Span<'static> {
    match verdict {
        Some(verdict) => {
            let sign = verdict.sign().0;
            Span::styled(format!(" {sign:<columns$}"), theme.verdict(verdict))
        }
        None => Span::styled(format!(" {:<columns$}", "-"), theme.dim()),
    }
}
