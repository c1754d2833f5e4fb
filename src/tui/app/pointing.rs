//! The mouse: a click selects, a second one on the same place does what `Enter` does there, the wheel goes on, the divider
//! can be dragged, and a key of the last line is pressed by a click on it. Everything is reached by keys as well.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::{Action, App, Effect, Form, Mode, Pane, Row};
use crate::tui::view::geometry::{self, Spot};

/// Rows for one turn of the wheel.
const TURN: isize = 3;

impl App {
    /// The mouse did something on a screen of this size.
    pub fn mouse(&mut self, event: MouseEvent, screen: Rect) -> Option<Effect> {
        let spot = geometry::spot(self, screen, event.column, event.row);
        self.wake_up();
        let mut effect = None;
        match event.kind {
            MouseEventKind::ScrollUp => self.turn(spot, -TURN),
            MouseEventKind::ScrollDown => self.turn(spot, TURN),
            MouseEventKind::Down(MouseButton::Left) => {
                // What a click closed or opened makes no double click with the next one.
                let mode = self.mode;
                effect = self.click(spot);
                let is_as_before = self.mode == mode || matches!(spot, Spot::Row(_));
                self.side.clicked = is_as_before.then_some((self.mode, spot));
            }
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
        self.ask_next();
        effect
    }

    /// A second click came soon after the first, on the same place.
    pub fn double_click(&mut self, event: MouseEvent, screen: Rect) -> Option<Effect> {
        let spot = geometry::spot(self, screen, event.column, event.row);
        if self.side.clicked.take() != Some((self.mode, spot)) {
            return self.mouse(event, screen);
        }
        self.wake_up();
        let effect = match (self.mode, spot) {
            (Mode::List, Spot::Row(row)) if self.lists.selected == row => self.update(Action::Edit),
            (Mode::Palette | Mode::Why, Spot::Line(_)) => self.update(Action::Accept),
            (Mode::Review, Spot::Line(_)) => self.update(Action::Toggle),
            (Mode::Remedies, Spot::Line(_)) => self.update(Action::UseRemedy),
            _ => self.click(spot),
        };
        self.ask_next();
        effect
    }

    fn turn(&mut self, spot: Spot, by: isize) {
        match (self.mode, spot) {
            (Mode::List | Mode::Side, Spot::Side(_) | Spot::Tab(_) | Spot::Reasons) => {
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

    fn click(&mut self, spot: Spot) -> Option<Effect> {
        match (self.mode, spot) {
            (_, Spot::Key(action)) => return self.update(action),
            (Mode::List | Mode::Side, _) => self.click_panes(spot),
            (Mode::Palette, Spot::Line(at)) => self.over.palette.chosen = at,
            (Mode::Remedies, Spot::Line(at)) => self.over.remedy = at,
            (Mode::Review, Spot::Line(at)) => self.over.importing.at = at,
            (Mode::Why, Spot::Line(at)) => self.over.message.chosen = at,
            // What is typed already stays; so does a question.
            (Mode::Palette | Mode::Remedies | Mode::Tour | Mode::Help, Spot::Outside) => {
                return self.update(Action::Cancel);
            }
            (Mode::Form, Spot::Outside) if !self.form.as_ref().is_some_and(Form::is_modified) => {
                return self.update(Action::Cancel);
            }
            (Mode::Search | Mode::Filter, Spot::Row(_) | Spot::List) => {
                let effect = self.update(Action::Accept);
                self.click_panes(spot);
                return effect;
            }
            _ => {}
        }
        None
    }

    fn click_panes(&mut self, spot: Spot) {
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
            Spot::Side(_) | Spot::Reasons => self.mode = Mode::Side,
            Spot::Row(_) | Spot::List => self.mode = Mode::List,
            Spot::Key(_) | Spot::Line(_) | Spot::Box | Spot::Outside | Spot::Nowhere => {}
        }
    }
}
