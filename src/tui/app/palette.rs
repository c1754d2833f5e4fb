//! Finding an action by its words.

use crossterm::event::KeyEvent;

use super::selection::type_at_end;
use super::{Action, App, Effect, Mode, Palette};
use crate::tui::keymap::{Binding, Key};

impl App {
    /// The actions of the lists whose help, or whose key, holds every word that was typed; each with its keys.
    pub fn found_actions(&self) -> Vec<(&'static Binding, &[Key])> {
        let words: Vec<String> =
            self.over.palette.words.split_whitespace().map(str::to_lowercase).collect();
        let fits = |binding: &Binding, keys: &[Key]| {
            let text = format!("{} {}", binding.label, binding.help).to_lowercase();
            words.iter().all(|word| {
                text.contains(word) || keys.iter().any(|key| key.name().to_lowercase() == *word)
            })
        };
        let rows = self
            .keymap
            .of_mode(Mode::List)
            .filter(|(binding, _)| binding.action != Action::Palette);
        rows.filter(|(binding, keys)| fits(binding, keys)).collect()
    }

    pub(super) fn palette_key(&mut self, event: KeyEvent) {
        if type_at_end(&mut self.over.palette.words, event) {
            self.over.palette.chosen = 0;
        }
    }

    /// Does what is chosen, as if its key had been pressed.
    pub(super) fn use_palette(&mut self) -> Option<Effect> {
        let action =
            self.found_actions().get(self.over.palette.chosen).map(|(binding, _)| binding.action);
        self.mode = Mode::List;
        match action {
            Some(action) => self.update(action),
            None => {
                self.say("no action has these words");
                None
            }
        }
    }

    pub(super) fn open_palette(&mut self) {
        self.over.palette = Palette::default();
        self.before = if self.mode == Mode::Help { Mode::List } else { self.mode };
        self.mode = Mode::Palette;
    }
}
