//! Drawing: reads the state, changes nothing.

mod difference;
mod footer;
pub mod geometry;
mod help;
mod import;
mod list;
mod message;
mod palette;
mod popup;
mod side;
mod text;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::app::App;
use super::keymap::Mode;
use super::theme::Theme;
use crate::rules::Verdict;
use crate::visible::visible;
use text::{cut, width};

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, app: &App, theme: Theme) {
    let area = frame.area();
    if area.width < 20 || area.height < 6 {
        frame.render_widget(Paragraph::new("terminal too small: 20×6 at least"), area);
        return;
    }
    let areas = geometry::areas(app, area);
    let body = areas.body;
    header(frame, areas.header, app, theme);
    if matches!(app.mode, Mode::Help | Mode::HelpSearch) {
        help::draw(frame, body, app, theme);
    } else {
        if let Some(area) = areas.list {
            list::draw(frame, area, app, theme);
        }
        if let Some(area) = areas.divider {
            let lines: Vec<Line<'_>> =
                (0..area.height).map(|_| Line::styled("│", theme.dim())).collect();
            frame.render_widget(Paragraph::new(lines), area);
        }
        if let Some(area) = areas.side {
            side::draw(frame, area, app, theme);
        }
    }
    match app.mode {
        Mode::Form => popup::form(frame, body, app, theme),
        Mode::Import | Mode::Review | Mode::Answer => import::draw(frame, body, app, theme),
        Mode::Why => message::draw(frame, body, app, theme),
        Mode::Tour => popup::tour(frame, body, theme),
        Mode::Palette => palette::draw(frame, body, app, theme),
        Mode::Remedies => popup::remedies(frame, body, app, theme),
        Mode::Confirm => popup::question(frame, body, app, theme),
        Mode::List
        | Mode::Side
        | Mode::Search
        | Mode::Filter
        | Mode::SaveAs
        | Mode::Help
        | Mode::HelpSearch => {}
    }
    footer::above(frame, body, app, theme);
    footer::draw(frame, areas.footer, app, theme);
    for cell in &mut frame.buffer_mut().content {
        if let Some(plain) = theme.sign(cell.symbol()) {
            cell.set_symbol(plain);
        }
    }
}

/// File, domain, whether it is modified, and how many entries have which verdict.
fn header(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let mut right = Vec::new();
    if app.judging.host.is_none() {
        right.push(Span::raw(" looking at the host… "));
    } else {
        if app.judging.probing {
            right.push(Span::raw(" looking… "));
        }
        if !app.is_judged() {
            right.push(Span::raw(" judging… "));
        } else if app.judging.asking {
            right.push(Span::raw(" asking QEMU… "));
        }
        let counts = app.counts();
        for verdict in [Verdict::Blocks, Verdict::Warns, Verdict::Unknown] {
            let count = counts.get(&verdict).copied().unwrap_or_default();
            let (sign, word) = verdict.sign();
            let short = area.width < 60;
            right.push(Span::raw(if short {
                format!(" {sign}{count}")
            } else {
                format!(" {sign} {count} {word}")
            }));
        }
        right.push(Span::raw(" "));
    }
    let taken: usize = right.iter().map(|span| width(&span.content)).sum();
    let state = match (
        app.is_modified(),
        app.file.readonly.or(app.file.protected).or(app.file.look_only).is_some(),
    ) {
        _ if app.file.saving => "[saving…] ",
        (true, _) if app.file.unkept => "[modified, not kept] ",
        (true, false) if app.file.theirs.is_some() => "[modified, by others too] ",
        (false, _) if app.file.theirs.is_some() => "[changed by others] ",
        (true, false) => "[modified] ",
        (true, true) => "[modified, cannot be saved] ",
        (false, true) => "[read-only] ",
        (false, false) => "",
    };
    let only = match (app.lists.filter.limit(), app.lists.wanted.is_empty()) {
        (None, true) => String::new(),
        (Some(limit), true) => format!("[only {}] ", limit.sign().1),
        (_, false) => format!("[only {}] ", visible(&app.lists.wanted)),
    };
    let name = &app.document.facts().name;
    let left = format!(
        " {state}{only}{} · {}",
        visible(&app.file.title),
        if name.is_empty() { "no name".into() } else { visible(name) }
    );
    let left = cut(&left, usize::from(area.width).saturating_sub(taken));
    let gap = usize::from(area.width).saturating_sub(taken + width(&left));
    let mut spans = vec![Span::raw(left), Span::raw(" ".repeat(gap))];
    spans.extend(right);
    frame.render_widget(Paragraph::new(Line::from(spans)).style(theme.bar()), area);
}
