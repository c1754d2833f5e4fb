//! What libvirt's schema says, as `virsh define --validate` would.

use ratatui::style::Style;
use ratatui::text::Line;

use super::text::Text;
use crate::facts::Known;
use crate::rules::{Verdict, schema_findings};
use crate::tui::app::App;
use crate::tui::pane::{Answer, Pane};
use crate::tui::theme::Theme;

pub(super) fn lines(app: &App, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let mut text = Text { lines: Vec::new(), columns };
    match app.answer_of(Pane::Schema) {
        Some(Answer::Schema(Ok(said))) if said.is_empty() => {
            text.add(
                "the document fits libvirt's schema (virt-xml-validate)",
                "✓ ",
                "  ",
                theme.verdict(Verdict::Allows),
            );
        }
        Some(Answer::Schema(Ok(said))) => {
            for (finding, (line, _)) in
                schema_findings(&app.document, &Known::Yes(said.clone())).iter().zip(said)
            {
                text.add(
                    &format!("line {line}: {}", finding.message),
                    "! ",
                    "  ",
                    theme.verdict(Verdict::Warns),
                );
                for evidence in &finding.evidence {
                    text.add(evidence, "  · ", "    ", Style::new());
                }
            }
        }
        Some(Answer::Schema(Err(why))) => {
            text.add(why, "? ", "  ", theme.verdict(Verdict::Unknown));
        }
        _ => text.add("the schema is being asked …", "", "", theme.dim()),
    }
    text.lines
}
