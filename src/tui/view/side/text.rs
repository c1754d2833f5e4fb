//! The lines of a tab.

use ratatui::style::Style;
use ratatui::text::Line;

use super::super::text::wrap;
use crate::visible::visible;

/// What a tab shows, line by line, as wide as it is.
pub(super) struct Text {
    pub(super) lines: Vec<Line<'static>>,
    pub(super) columns: usize,
}

impl Text {
    pub(super) fn add(&mut self, text: &str, first: &str, rest: &str, style: Style) {
        for line in wrap(&format!("{first}{}", visible(text)), self.columns, rest) {
            self.lines.push(Line::styled(line, style));
        }
    }

    pub(super) fn blank(&mut self) {
        self.lines.push(Line::default());
    }
}
