//! The help: the table of keys, as it stands.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::wrap;
use crate::rules::Verdict;
use crate::tui::app::App;
use crate::tui::keymap::{Key, Mode};
use crate::tui::theme::Theme;

const KEYS: usize = 16;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let columns = usize::from(area.width);
    let mut lines = Vec::new();
    for (mode, _, title) in Mode::ALL {
        lines.push(Line::styled(title, theme.title()));
        for (row, keys) in app.keymap.of_mode(mode) {
            let keys: Vec<String> = keys.iter().map(Key::name).collect();
            let keys = format!(" {:<width$}", keys.join(" "), width = KEYS - 1);
            let wrapped = wrap(&row.help, columns.saturating_sub(KEYS), "");
            for (index, part) in wrapped.into_iter().enumerate() {
                let left = if index == 0 { keys.clone() } else { " ".repeat(KEYS) };
                lines.push(Line::from(vec![Span::styled(left, theme.key()), Span::raw(part)]));
            }
        }
        lines.push(Line::default());
    }
    lines.push(Line::styled("The signs", theme.title()));
    for (verdict, sense) in [
        (Verdict::Blocks, "the VM does not start, or the entry has no effect"),
        (Verdict::Warns, "the VM starts, something does not work"),
        (Verdict::Unknown, "the host would not say; the reason is given"),
        (Verdict::Note, "worth knowing"),
        (Verdict::Allows, "every layer that was looked at lets it through"),
    ] {
        let (sign, word) = verdict.sign();
        lines.push(Line::from(vec![
            Span::styled(
                format!(" {:<width$}", format!("{sign} {word}"), width = KEYS - 1),
                theme.verdict(verdict),
            ),
            Span::styled(sense, Style::new()),
        ]));
    }
    let height = usize::from(area.height);
    let first = app.over.help_scroll.min(lines.len().saturating_sub(height));
    frame.render_widget(
        Paragraph::new(lines.into_iter().skip(first).take(height).collect::<Vec<_>>()),
        area,
    );
}
