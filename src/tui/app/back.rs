//! One step back: what `Esc` takes away in each mode. It never leaves the program.

use super::{Action, App, Filter, Form, Mode, Question};

impl App {
    pub(super) fn enter(&mut self, mode: Mode) {
        self.before = self.mode;
        self.mode = mode;
    }

    /// The mode that help stands over; otherwise the mode itself.
    pub fn mode_below(&self) -> Mode {
        let is_help = matches!(self.mode, Mode::Help | Mode::HelpSearch);
        if is_help { self.over.help_from.unwrap_or(Mode::List) } else { self.mode }
    }

    /// What `Esc` means in a question that has no way to say no: looking only changes nothing for anybody.
    pub(super) fn back_from_question(&self, action: Action) -> Action {
        let has_no = self.is_answer(Action::No) || !self.is_answer(Action::LookOnly);
        if action == Action::No && !has_no { Action::LookOnly } else { action }
    }

    pub(super) fn cancel(&mut self) {
        match self.mode {
            Mode::List => self.step_back(),
            Mode::Side if self.side.zoomed => self.side.zoomed = false,
            Mode::Side => self.mode = Mode::List,
            Mode::Form if self.form.as_ref().is_some_and(|form| form.parts.is_some()) => {
                self.take_apart();
            }
            Mode::Form if self.form.as_ref().is_some_and(Form::is_modified) => {
                self.ask(Question::DropForm);
            }
            Mode::Form => {
                self.form = None;
                self.mode = Mode::List;
            }
            Mode::Import if !self.over.pasted.trim().is_empty() => self.ask(Question::DropImport),
            Mode::Review => self.ask(Question::DropImport),
            Mode::Answer => {
                self.over.importing.answering = None;
                self.mode = Mode::Review;
            }
            Mode::Import | Mode::Why | Mode::Tour => self.mode = Mode::List,
            Mode::SaveAs => {
                self.file.leaving = false;
                self.mode = Mode::List;
            }
            Mode::Filter => {
                self.mode = Mode::List;
                self.want(String::new());
            }
            Mode::Search => {
                let last = self.lists.rows.len().saturating_sub(1);
                self.lists.selected = self.lists.search.from.min(last);
                self.lists.search.words.clear();
                self.mode = Mode::List;
            }
            Mode::HelpSearch => {
                self.clear_help_search();
                self.mode = Mode::Help;
            }
            Mode::Help if !self.over.help_words.is_empty() => self.clear_help_search(),
            Mode::Help => self.mode = self.mode_below(),
            Mode::Remedies | Mode::Palette | Mode::Confirm | Mode::Choose => {
                self.mode = self.before;
            }
        }
    }

    /// Takes back one thing of how the lists are shown, what was done last most likely first.
    fn step_back(&mut self) {
        if !self.lists.marked.is_empty() {
            self.lists.marked.clear();
            self.say("no row is marked any more");
        } else if !self.lists.search.words.is_empty() {
            self.lists.search.words.clear();
            self.say("the search is over");
        } else if !self.lists.wanted.is_empty() || self.lists.filter != Filter::All {
            self.lists.filter = Filter::All;
            self.want(String::new());
            self.say("all entries are shown");
        } else if self.side.zoomed {
            self.side.zoomed = false;
        } else {
            let key = self.keymap.key_of(Mode::List, Action::Quit);
            self.say(&format!("{} leaves", key.as_deref().unwrap_or(":quit")));
        }
    }
}
