//! Questions with yes and no.

use super::{App, Effect, Mode};

/// What the answer to a question does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Leave although something is not saved.
    Quit,
    /// Write over what somebody else wrote.
    Overwrite,
    /// Drop what was typed in the form.
    DropForm,
}

impl Question {
    /// The question as it is asked.
    pub fn text(self) -> &'static str {
        match self {
            Question::Quit => "There are changes that are not saved. Leave without them?",
            Question::Overwrite => "The file was changed by somebody else since it was opened. Write over it?",
            Question::DropForm => "Drop what you typed?",
        }
    }
}

impl App {
    pub(super) fn ask(&mut self, question: Question) {
        self.question = Some(question);
        self.mode = Mode::Confirm;
    }

    pub(super) fn close_question(&mut self) {
        self.question = None;
        if self.mode == Mode::Confirm {
            self.mode = if self.form.is_some() { Mode::Form } else { Mode::List };
        }
    }

    pub(super) fn answer(&mut self, yes: bool) -> Option<Effect> {
        let question = self.question;
        self.close_question();
        match (question, yes) {
            (Some(Question::Quit), true) => Some(Effect::Quit),
            (Some(Question::Overwrite), true) => Some(Effect::Save { force: true }),
            (Some(Question::DropForm), true) => {
                self.form = None;
                self.mode = Mode::List;
                None
            }
            _ => {
                self.leaving = false;
                None
            }
        }
    }
}
