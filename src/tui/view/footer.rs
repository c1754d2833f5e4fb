//! The last line: what just happened, or which keys do something now.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cut, width};
use crate::tui::action::Action;
use crate::tui::app::{App, Question, Status};
use crate::tui::keymap::Mode;
use crate::tui::theme::Theme;
use crate::visible::visible;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let columns = usize::from(area.width);
    // A prompt stays in sight, whatever is told meanwhile.
    if let (Some(Status { failed, text }), true) = (&app.status, app.mode != Mode::SaveAs) {
        let style = if *failed { theme.error() } else { theme.title() };
        return frame
            .render_widget(Paragraph::new(cut(&visible(text), columns)).style(style), area);
    }
    let mut spans = Vec::new();
    let mut used = 0;
    if let Some((word, typed)) = match app.mode {
        Mode::Search => Some(("search", &app.lists.search.words)),
        Mode::Palette => Some(("action", &app.over.palette.words)),
        Mode::Filter => Some(("only", &app.lists.wanted)),
        Mode::SaveAs if app.over.writing.is_some() => Some(("write to", &app.over.elsewhere)),
        Mode::SaveAs => Some(("save to", &app.over.elsewhere)),
        Mode::List
        | Mode::Side
        | Mode::Form
        | Mode::Import
        | Mode::Why
        | Mode::Review
        | Mode::Answer
        | Mode::Remedies
        | Mode::Confirm
        | Mode::Help
        | Mode::Tour => None,
    } {
        let prompt = format!("{word}: {}▏  ", visible(typed));
        used += width(&prompt);
        spans.push(Span::raw(prompt));
    }
    let rows = app.keymap.of_mode(app.mode);
    let answers = app.questions.asked.as_ref().map(Question::answers).unwrap_or_default();
    // A question has its own words for its answers.
    let label = |action: Action, label: &'static str| -> &'static str {
        answers.iter().find(|(answer, _)| *answer == action).map_or(label, |(_, word)| *word)
    };
    let now = |action| app.is_answer(action) && app.available(action).is_ok();
    let rows = rows.filter(|(row, _)| !row.label.is_empty() && now(row.action));
    let rows: Vec<(String, &str, Action)> = rows
        .map(|(row, keys)| (keys[0].name(), label(row.action, &row.label), row.action))
        .collect();
    // Leaving and help are always shown; the others as far as there is room.
    let always = |action| {
        matches!(
            action,
            Action::Quit | Action::Help | Action::Cancel | Action::No | Action::OtherPane
        )
    };
    let length = |(key, label, _): &(String, &str, Action)| width(key) + 1 + width(label) + 2;
    let reserved: usize = rows.iter().filter(|row| always(row.2)).map(length).sum();
    let mut free = columns.saturating_sub(used + reserved);
    for row in rows {
        let need = length(&row);
        if !always(row.2) {
            if need > free {
                continue;
            }
            free -= need;
        }
        let (key, label, _) = row;
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::raw(format!(" {label}  ")));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}
