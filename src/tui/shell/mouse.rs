//! The mouse: the terminal tells single clicks; two of them on one place are a double click.

use std::time::{Duration, Instant};

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::Editor;
use crate::tui::action::Effect;

/// Two clicks on one place within this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);

/// Where and when the last click was.
#[derive(Default)]
pub(super) struct Clicked(Option<((u16, u16), Instant)>);

impl Clicked {
    /// Whether a click is the second of two; a third begins anew.
    pub(super) fn again(&mut self, event: &MouseEvent) -> bool {
        if event.kind != MouseEventKind::Down(MouseButton::Left) {
            return false;
        }
        let (place, now) = ((event.column, event.row), Instant::now());
        let again = self.0.is_some_and(|(before, then)| before == place && now - then < DOUBLE);
        self.0 = (!again).then_some((place, now));
        again
    }
}

impl Editor {
    pub(super) fn mouse(&mut self, event: MouseEvent) -> Option<Effect> {
        let size = self.session.screen.size().ok()?;
        let screen = Rect::from((Position::ORIGIN, size));
        if self.clicked.again(&event) {
            self.app.double_click(event, screen)
        } else {
            self.app.mouse(event, screen)
        }
    }
}
