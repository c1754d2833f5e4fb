//! Drawing: reads the state, changes nothing.

pub mod choose;
mod difference;
mod footer;
pub mod geometry;
mod header;
mod help;
mod import;
mod list;
mod message;
mod palette;
mod popup;
mod side;
mod text;
mod window;

use ratatui::Frame;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::app::App;
use super::keymap::Mode;
use super::theme::Theme;

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, app: &App, theme: Theme) {
    let area = frame.area();
    if area.width < 20 || area.height < 6 {
        frame.render_widget(Paragraph::new("terminal too small: 20x6 at least"), area);
        return;
    }
    let areas = geometry::areas(app, area);
    let body = areas.body;
    header::draw(frame, areas.header, app, theme);
    if matches!(app.mode, Mode::Help | Mode::HelpSearch) {
        help::draw(frame, body, app, theme);
    } else {
        if let Some(area) = areas.list {
            list::draw(frame, area, app, theme, areas.is_wide);
        }
        if let Some(area) = areas.divider {
            let lines: Vec<Line<'_>> =
                (0..area.height).map(|_| Line::styled("│", theme.dim())).collect();
            frame.render_widget(Paragraph::new(lines), area);
        }
        if let Some(area) = areas.side {
            side::draw(frame, area, areas.third, app, theme);
        }
    }
    match app.mode {
        Mode::Form => popup::form(frame, body, app, theme),
        Mode::Import | Mode::Review | Mode::Answer => import::draw(frame, body, app, theme),
        Mode::Why => message::draw(frame, body, app, theme),
        Mode::Tour => popup::tour(frame, body, theme),
        Mode::Palette => palette::draw(frame, body, app, theme),
        Mode::Confirm => popup::question(frame, body, app, theme),
        Mode::List
        | Mode::Side
        | Mode::Remedies
        | Mode::Search
        | Mode::Filter
        | Mode::SaveAs
        | Mode::Help
        | Mode::HelpSearch
        | Mode::Choose => {}
    }
    footer::above(frame, body, app, theme);
    footer::draw(frame, areas.footer, app, theme);
    theme.finish(frame.buffer_mut());
}
