//! The page of the rule behind the selection's worst finding.

use ratatui::style::Style;
use ratatui::text::Line;

use super::text::Text;
use crate::rules;
use crate::tui::app::App;
use crate::tui::theme::Theme;

pub(super) fn lines(app: &App, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let mut text = Text { lines: Vec::new(), columns };
    let row = app.lists.rows.get(app.lists.selected);
    let found =
        row.and_then(|row| app.findings_of(row).find_map(|finding| rules::rule(finding.rule)));
    let Some(rule) = found else {
        text.add(
            "No rule speaks about the selection. '!' goes to the next row with something wrong.",
            "",
            "",
            theme.dim(),
        );
        return text.lines;
    };
    for line in rule.explain.lines() {
        match line.strip_prefix("# ").or(line.strip_prefix("## ")) {
            Some(title) => text.add(title, "", "", theme.title()),
            None => text.add(line, "", "", Style::new()),
        }
    }
    text.lines
}
