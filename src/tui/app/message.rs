//! Asking about a message: what was pasted, what it may mean, and the row that it is about.

use crossterm::event::KeyEvent;

use super::selection::type_at_end;
use super::{App, Mode};
use crate::rules::{Judged, why};

/// As much of the end of what was pasted is read: more than one start says.
const MOST: usize = 64 << 10;

impl App {
    pub(super) fn open_message(&mut self) {
        self.mode = Mode::Why;
        self.read_message();
    }

    pub(super) fn message_key(&mut self, event: KeyEvent) {
        if type_at_end(&mut self.over.message.text, event) {
            self.message_changed();
        }
    }

    pub(super) fn paste_message(&mut self, text: &str) {
        let message = &mut self.over.message.text;
        message.push_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
        if message.len() > MOST {
            let newest = (message.len() - MOST..).find(|at| message.is_char_boundary(*at));
            message.drain(..newest.unwrap_or(0));
        }
        self.message_changed();
    }

    pub(super) fn clear_message(&mut self) {
        self.over.message.text.clear();
        self.message_changed();
    }

    fn message_changed(&mut self) {
        self.over.message.chosen = 0;
        self.read_message();
    }

    /// Asks anew what the message means: it, or what was found, is another one.
    pub(super) fn read_message(&mut self) {
        if self.mode != Mode::Why {
            return;
        }
        let judged = Judged {
            document: &self.document,
            line: &self.line,
            findings: &self.judging.findings,
            host: self.judging.host.as_deref(),
        };
        self.over.message.answers = why(&self.over.message.text, Some(&judged));
    }

    pub(super) fn choose_answer(&mut self, by: isize) {
        let message = &mut self.over.message;
        let last = message.answers.len().saturating_sub(1);
        message.chosen = message.chosen.saturating_add_signed(by).min(last);
    }

    /// Goes to the row of the chosen answer.
    pub(super) fn go_to_answer(&mut self) {
        let message = &self.over.message;
        let Some(answer) = message.answers.get(message.chosen) else {
            return self.say("no rule knows these words; paste what virsh or the log says");
        };
        let (entry, rule) = (answer.entry, answer.rule);
        self.mode = Mode::List;
        match entry {
            Some(entry) => {
                self.select_entry(Some(entry));
                self.say(&format!("{} [{}]", rule.summary, rule.id));
            }
            None => self.say(&format!("no row is named by it: {} [{}]", rule.summary, rule.id)),
        }
    }
}
