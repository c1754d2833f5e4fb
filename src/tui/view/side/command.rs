//! The command line around the passthrough: libvirt's own answer, or a sketch that says so.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::Line;

use super::text::Text;
use crate::libvirt::own::SANDBOX;
use crate::tui::app::App;
use crate::tui::pane::{Answer, Pane};
use crate::tui::theme::Theme;
use crate::words::quote;

/// The lines, and those of the passthrough among them.
pub(super) fn lines(
    app: &App,
    theme: Theme,
    columns: usize,
) -> (Vec<Line<'static>>, Option<Range<usize>>) {
    let mut text = Text { lines: Vec::new(), columns };
    let mut own_lines = None;
    match app.answer_of(Pane::Command) {
        Some(Answer::Command(Ok(argv))) => {
            text.add(
                "As libvirt builds it (virsh domxml-to-native qemu-argv); the passthrough is marked:",
                "",
                "",
                theme.dim(),
            );
            let own = app.document.argv();
            let start = place(argv, &own);
            let mut at = 0;
            while at < argv.len() {
                let value = argv
                    .get(at + 1)
                    .filter(|next| argv[at].starts_with('-') && !next.starts_with('-'));
                let inside = start.is_some_and(|start| (start..start + own.len()).contains(&at));
                let line = match value {
                    Some(value) => format!("{} {}", argv[at], quote(&[value])),
                    None => quote(&[&argv[at]]),
                };
                let style =
                    if inside { theme.title().patch(theme.command()) } else { Style::new() };
                if inside && own_lines.is_none() {
                    own_lines = Some(text.lines.len());
                }
                text.add(&line, if inside { "▌ " } else { "  " }, "    ", style);
                at += if value.is_some() { 2 } else { 1 };
            }
        }
        Some(Answer::Command(Err(why))) => {
            text.add(&format!("A sketch, since libvirt made none: {why}."), "", "", theme.dim());
            sketch(&mut text, app, theme);
        }
        _ => text.add("libvirt is being asked …", "", "", theme.dim()),
    }
    let last = text.lines.len();
    (text.lines, own_lines.map(|first| first..last))
}

/// Where the passthrough stands in the whole; an empty one stands nowhere.
fn place(argv: &[String], own: &[&str]) -> Option<usize> {
    if own.is_empty() {
        return None;
    }
    argv.windows(own.len())
        .rposition(|window| window.iter().zip(own).all(|(one, other)| one == other))
}

/// The order in which libvirt builds the command line (`qemuBuildCommandLine`).
fn sketch(text: &mut Text, app: &App, theme: Theme) {
    let facts = app.document.facts();
    let program = facts.emulator.as_deref().unwrap_or("/usr/bin/qemu-system-x86_64");
    text.add(&quote(&[program]), "  ", "    ", Style::new());
    text.add(
        "-name -S -object -machine -accel -cpu -m -smp … -device … : what libvirt makes of the domain",
        "  ",
        "    ",
        theme.dim(),
    );
    let argv = app.document.argv();
    for option in &app.line.options {
        let words: Vec<&str> =
            (option.entry..=option.last()).filter_map(|at| argv.get(at).copied()).collect();
        text.add(&quote(&words), "▌ ", "    ", theme.title().patch(theme.command()));
    }
    text.add(&format!("-sandbox {SANDBOX}"), "  ", "    ", Style::new());
    text.add("-msg timestamp=on", "  ", "    ", Style::new());
}
