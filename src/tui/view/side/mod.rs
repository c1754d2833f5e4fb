//! The side pane: the row of tabs, and what the chosen one shows.

mod command;
mod layers;
mod rule;
mod schema;
mod text;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::difference;
use super::geometry::{apart_from, words_from};
use super::list::badge;
use super::text::{width, wrap};
use crate::domain::canonical;
use crate::report::remedy_text;
use crate::rules::{Finding, Verdict};
use crate::tui::app::App;
use crate::tui::keymap::Mode;
use crate::tui::pane::Pane;
use crate::tui::rows::Row;
use crate::tui::theme::Theme;
use crate::visible::visible;
use text::Text;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let [title, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let mut spans = vec![Span::styled("──", theme.dim())];
    let (words, apart) = (area.width >= words_from(), area.width >= apart_from());
    for (index, pane) in Pane::all().enumerate() {
        let chosen = pane == app.side.pane;
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
    if apart || !words {
        spans.push(Span::raw(" "));
    }
    let used: usize = spans.iter().map(|span| width(&span.content)).sum();
    spans.push(Span::styled("─".repeat(usize::from(area.width).saturating_sub(used)), theme.dim()));
    frame.render_widget(Paragraph::new(Line::from(spans)), title);
    let columns = usize::from(body.width);
    let (lines, follow) = match app.side.pane {
        Pane::Security => (security(app, theme, columns), None),
        Pane::Layers => layers::lines(app, theme, columns),
        Pane::Xml => xml(app, theme, columns),
        Pane::Diff => (diff(app, theme, columns), None),
        Pane::Command => (command::lines(app, theme, columns), None),
        Pane::Rule => (rule::lines(app, theme, columns), None),
        Pane::Schema => (schema::lines(app, theme, columns), None),
    };
    let height = usize::from(body.height);
    let end = lines.len().saturating_sub(height);
    // The XML follows the selection until the pane is scrolled by hand.
    let scrolled = app.side.scroll > 0;
    let first = match follow {
        Some(line) if !scrolled && line >= height => (line + 2).saturating_sub(height).min(end),
        Some(_) | None => app.side.scroll.min(end),
    };
    let more = end > first;
    frame.render_widget(
        Paragraph::new(lines.into_iter().skip(first).take(height).collect::<Vec<_>>()),
        body,
    );
    if more && area.width > 20 {
        let mark = Rect { x: title.x + title.width.saturating_sub(8), width: 8, ..title };
        frame.render_widget(Paragraph::new(" more ↓ ").style(theme.key()), mark);
    }
}

fn security(app: &App, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let mut text = Text { lines: Vec::new(), columns };
    let Some(row) = app.lists.rows.get(app.lists.selected).filter(|row| row.is_selectable()) else {
        text.add("Nothing is selected.", "", "", theme.dim());
        return text.lines;
    };
    if matches!(row, Row::Disabled(_)) {
        text.add(&app.row_text(row), "", "  ", theme.title());
        text.add(
            "This is switched off: neither libvirt nor QEMU sees it. Space switches it on again.",
            "",
            "",
            theme.dim(),
        );
        return text.lines;
    }
    if row.is_entry() || matches!(row, Row::Broken(_)) {
        text.add(&app.row_text(row), "", "  ", theme.title());
    }
    let Some(host) = &app.judging.host else {
        text.add("The host is being looked at …", "", "", theme.dim());
        return text.lines;
    };
    if !app.is_judged() {
        text.add("It is being judged …", "", "", theme.dim());
        return text.lines;
    }
    let findings: Vec<&Finding> = app.findings_of(row).collect();
    for finding in findings.iter().filter(|finding| finding.verdict != Verdict::Allows) {
        one(&mut text, app, theme, finding);
    }
    let mut allowed: Vec<&str> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.verdict == Verdict::Allows) {
        if !allowed.contains(&finding.layer.title()) {
            allowed.push(finding.layer.title());
        }
    }
    if !allowed.is_empty() {
        text.add(
            &format!("let through by {}", allowed.join(", ")),
            "✓ ",
            "  ",
            theme.verdict(Verdict::Allows),
        );
    } else if findings.is_empty() {
        text.add(
            "names nothing on the host that a layer would stop",
            "✓ ",
            "  ",
            theme.verdict(Verdict::Allows),
        );
    }
    let label = crate::libvirt::identity::dac_label(app.document.facts());
    if let Some(crate::facts::Known::Yes(identity)) = host.identities.get(&label) {
        text.blank();
        text.add(&format!("{}; {}", identity.sentence(), source(host)), "", "", theme.dim());
    }
    text.lines
}

fn source(host: &crate::facts::HostFacts) -> String {
    let version = |name: &str, known: &crate::facts::Known<String>| {
        known.yes().map(|version| format!("{name} {version}"))
    };
    let found: Vec<String> = [version("libvirt", &host.libvirt), version("QEMU", &host.qemu)]
        .into_iter()
        .flatten()
        .collect();
    let found = if found.is_empty() {
        "libvirt and QEMU are not installed".to_owned()
    } else {
        found.join(", ")
    };
    if host.source == "live" {
        format!("this host has {found}")
    } else {
        format!("{}: {found}", host.source)
    }
}

fn one(text: &mut Text, app: &App, theme: Theme, finding: &Finding) {
    let sign = badge(theme, finding.verdict);
    let head = format!("{} by {}: {}", sign.content, finding.layer.title(), finding.message);
    text.add(&head, "", "  ", theme.verdict(finding.verdict));
    for evidence in &finding.evidence {
        text.add(evidence, "  · ", "    ", Style::new());
    }
    for remedy in &finding.remedies {
        text.add(&remedy.title, &format!("  → {}: ", remedy.heading()), "    ", Style::new());
        if let Some(step) = remedy_text(&app.document, remedy) {
            text.add(&step, "      ", "      ", theme.command());
        }
    }
    let rule = format!("qpt-tui explain {}", finding.rule);
    text.add(&rule, "  why: ", "    ", theme.dim());
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
