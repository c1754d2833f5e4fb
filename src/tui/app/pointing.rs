//! The mouse: a click selects, the wheel goes on, the divider can be dragged. Everything is reached by keys as well.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::{App, Mode, Pane, Row};
use crate::tui::view::geometry::{self, Spot};

/// Rows for one turn of the wheel.
const TURN: isize = 3;

impl App {
    /// The mouse did something on a screen of this size.
    pub fn mouse(&mut self, event: MouseEvent, screen: Rect) {
        let spot = geometry::spot(self, screen, event.column, event.row);
        match event.kind {
            MouseEventKind::ScrollUp => self.turn(spot, -TURN),
            MouseEventKind::ScrollDown => self.turn(spot, TURN),
            MouseEventKind::Down(MouseButton::Left) => self.click(spot),
            MouseEventKind::Drag(MouseButton::Left) if self.side.dragging => {
                self.side.split = Some(geometry::share(self, screen, event.column, event.row));
            }
            MouseEventKind::Up(MouseButton::Left) => self.side.dragging = false,
            MouseEventKind::Down(_)
            | MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => {}
        }
    }

    fn turn(&mut self, spot: Spot, by: isize) {
        match (self.mode, spot) {
            (Mode::List | Mode::Side, Spot::Side(_) | Spot::Tab(_)) => {
                self.side.scroll = self.side.scroll.saturating_add_signed(by).min(100_000);
            }
            (Mode::Side, _) => {
                // The wheel over the lists moves them, wherever the keys go.
                self.mode = Mode::List;
                self.step(by);
                self.mode = Mode::Side;
            }
            _ => self.step(by),
        }
    }

    fn click(&mut self, spot: Spot) {
        if !matches!(self.mode, Mode::List | Mode::Side) {
            return;
        }
        self.status = None;
        match spot {
            Spot::Row(row) if self.lists.rows.get(row).is_some_and(Row::is_selectable) => {
                self.select(row);
                self.mode = Mode::List;
            }
            Spot::Tab(pane) => self.show(pane),
            Spot::Divider => self.side.dragging = true,
            // The first line of the map is its head.
            Spot::Side(line) if self.side.pane == Pane::Layers && line > 0 => {
                self.mode = Mode::Side;
                self.choose_matrix_line(line - 1 + self.side.scroll);
            }
            Spot::Side(_) => self.mode = Mode::Side,
            Spot::Row(_) | Spot::List => self.mode = Mode::List,
            Spot::Nowhere => {}
        }
    }
}
