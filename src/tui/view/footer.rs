//! The last line: what just happened, or which keys do something now.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cut, width};
use crate::tui::action::Action;
use crate::tui::app::{App, Question};
use crate::tui::keymap::{Mode, of_mode};
use crate::tui::theme::Theme;
use crate::visible::visible;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let columns = usize::from(area.width);
    if let Some((error, sentence)) = &app.status {
        let style = if *error { theme.error() } else { theme.title() };
        return frame.render_widget(Paragraph::new(cut(&visible(sentence), columns)).style(style), area);
    }
    let mut spans = Vec::new();
    let mut used = 0;
    if app.mode == Mode::Search {
        let prompt = format!("search: {}▏  ", visible(&app.search.0));
        used += width(&prompt);
        spans.push(Span::raw(prompt));
    }
    let saving = app.question == Some(Question::Quit) && app.readonly.is_none();
    let rows = of_mode(app.mode).filter(|row| !row.label.is_empty() && app.available(row.action).is_ok());
    let rows: Vec<_> = rows.filter(|row| app.mode != Mode::Confirm || row.action != Action::Save || saving).collect();
    // Leaving and help are always shown; the others as far as there is room.
    let always =
        |action| matches!(action, Action::Quit | Action::Help | Action::Cancel | Action::No | Action::OtherPane);
    let length = |row: &&crate::tui::keymap::Binding| width(&row.keys[0].name()) + 1 + width(row.label) + 2;
    let reserved: usize = rows.iter().filter(|row| always(row.action)).map(length).sum();
    let mut free = columns.saturating_sub(used + reserved);
    for row in rows {
        let need = length(&row);
        if !always(row.action) {
            if need > free {
                continue;
            }
            free -= need;
        }
        spans.push(Span::styled(row.keys[0].name(), theme.key()));
        spans.push(Span::raw(format!(" {}  ", row.label)));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
