//! A message that was pasted, and what it may mean.

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::popup::{self, open};
use super::text::wrap;
use crate::rules::{Answer, Now};
use crate::tui::app::App;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// So many lines of what was pasted are shown.
const PASTED: usize = 3;

/// The box as it is shown: the end of the message, and below it the answers from a line on; which lines each answer has.
struct Shown<'a> {
    above: Rect,
    below: Rect,
    pasted: Vec<Line<'a>>,
    lines: Vec<Line<'a>>,
    first: usize,
    places: Vec<Range<usize>>,
}

fn shown(app: &App, inner: Rect, theme: Theme) -> Shown<'_> {
    let columns = usize::from(inner.width);
    let message = &app.over.message;
    let text = message.text.replace(['\n', '\r'], " ");
    let pasted = wrap(&format!("{}▏", visible(&text)), columns, "");
    let kept = pasted.len().min(PASTED);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut places = Vec::new();
    if message.text.trim().is_empty() {
        let how = "Paste with your terminal (Shift-Insert, Ctrl-Shift-v) what virsh start printed, /var/log/libvirt/qemu/NAME.log, or lines of journalctl -k and the audit log.";
        lines.extend(dim(how, columns, theme));
    } else if message.answers.is_empty() {
        lines.extend(dim("no rule knows these words", columns, theme));
    }
    for (index, answer) in message.answers.iter().enumerate() {
        let from = lines.len();
        one(&mut lines, answer, app, columns, theme);
        places.push(from..lines.len());
        if index == message.chosen {
            lines[from].style = lines[from].style.add_modifier(Modifier::REVERSED);
        }
    }
    let above = Constraint::Length(u16::try_from(kept + 1).unwrap_or(4));
    let [above, below] = Layout::vertical([above, Constraint::Fill(1)]).areas(inner);
    let tail = pasted.len() - kept;
    let pasted: Vec<Line<'_>> = pasted.into_iter().skip(tail).map(Line::from).collect();
    let chosen = places.get(message.chosen).cloned().unwrap_or(0..0);
    let first = chosen.end.saturating_sub(usize::from(below.height)).min(chosen.start);
    Shown { above, below, pasted, lines, first, places }
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let inner = open(frame, area, area.height, "Why: paste a message or a log", theme);
    let Shown { above, below, pasted, lines, first, .. } = shown(app, inner, theme);
    frame.render_widget(Paragraph::new(pasted), above);
    let height = usize::from(below.height);
    let lines: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
    frame.render_widget(Paragraph::new(lines), below);
}

/// The answer at a place of the screen.
pub(super) fn at(app: &App, area: Rect, column: u16, row: u16) -> Option<usize> {
    let inner = popup::inner(popup::outer(area, area.height));
    let Shown { below, first, places, .. } = shown(app, inner, Theme::new(false));
    popup::thing_at(below, first, &places, (column, row))
}

/// The layer and the rule, the entry, and what of it is so now.
fn one(lines: &mut Vec<Line<'_>>, answer: &Answer, app: &App, columns: usize, theme: Theme) {
    let rule = answer.rule;
    let head = format!("{}: {} [{}]", rule.layer.title(), rule.summary, rule.id);
    let head = wrap(&head, columns, "    ");
    lines.extend(head.into_iter().map(|line| Line::styled(line, theme.title())));
    let entry = answer.entry.and_then(|id| app.document.entry(id));
    if let Some(entry) = entry {
        let text = format!("  {}", visible(&entry.kind.text()));
        lines.push(Line::from(super::text::cut(&text, columns)));
    }
    let finding = answer.now.finding().and_then(|at| app.judging.findings.get(at));
    let (words, style) = match (answer.now, finding) {
        (Now::Still(_), Some(finding)) => {
            (format!("  it is still so: {}", finding.message), theme.error())
        }
        (Now::Unknown(_), Some(finding)) => {
            (format!("  not known: {}", finding.message), theme.dim())
        }
        (Now::NotLooked | Now::Still(_) | Now::Unknown(_) | Now::Gone, _) => {
            ("  this host does not show it now".to_owned(), theme.dim())
        }
    };
    lines.extend(wrapped(&words, columns, style));
}

fn dim(words: &'static str, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let lines = wrap(words, columns, "");
    lines.into_iter().map(|line| Line::styled(line, theme.dim())).collect()
}

fn wrapped(words: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    let lines = wrap(&visible(words), columns, "    ");
    lines.into_iter().map(|line| Line::styled(line, style)).collect()
}
