//! The entry being typed: an option with its value, or a variable with its value.

mod fields;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use tui_textarea::{CursorMove, TextArea};

use super::completion::{self, Candidate, Listing};
use crate::domain::extras::Extra;
use crate::domain::{EntryKind, List};
use crate::facts::emulator::Emulator;
use crate::qemu::{argv, catalog};

pub use fields::{Field, Fields};

/// Where the result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// In the place of these entries of a list.
    Replace(List, std::ops::Range<usize>),
    /// Before the entry at this place of a list.
    Insert(List, usize),
    /// In the place of what is no entry, by its place among such.
    Repair(List, usize),
}

impl Target {
    /// The list that the form belongs to.
    pub fn list(&self) -> List {
        match self {
            Target::Replace(list, _) | Target::Insert(list, _) | Target::Repair(list, _) => *list,
        }
    }
}

/// A form with two fields.
#[derive(Debug)]
pub struct Form {
    /// Where the result goes.
    pub target: Target,
    /// The two fields: option or name, and value.
    pub fields: [TextArea<'static>; 2],
    /// The field that takes the keys.
    pub focus: usize,
    /// The value taken apart, while it is edited by its keys.
    pub parts: Option<Fields>,
    /// What was wrong at the last attempt to accept.
    pub error: Option<String>,
    initial: [String; 2],
    /// What was suggested last, and which of it was taken.
    taken: Option<(Vec<Candidate>, usize)>,
}

/// What may be written in the rest of the namespace.
fn extra_remark(first: &str) -> &'static str {
    match first.split(' ').next().unwrap_or_default() {
        "override" => {
            "A property of a device that libvirt makes; the value is TYPE VALUE: unsigned 1, bool true, string x, remove"
        }
        "capability" => {
            "A name of libvirt's list of QEMU capabilities that it is to assume (add) or to do without (del)"
        }
        "deprecation" => "What QEMU does about deprecated interfaces: none, omit, reject or crash",
        _ => "override ALIAS.PROPERTY, capability add, capability del, or deprecation",
    }
}

fn field(text: &str) -> TextArea<'static> {
    let mut area = TextArea::new(vec![text.to_owned()]);
    area.set_cursor_line_style(Style::default());
    area.move_cursor(CursorMove::End);
    area
}

impl Form {
    /// A form with its fields filled.
    pub fn new(target: Target, first: &str, second: &str) -> Form {
        let focus = usize::from(!first.is_empty() && !second.is_empty());
        Form {
            target,
            fields: [field(first), field(second)],
            focus,
            parts: None,
            error: None,
            initial: [first.to_owned(), second.to_owned()],
            taken: None,
        }
    }

    /// A form whose text was typed in an earlier session; leaving it asks.
    pub fn restored(target: Target, fields: &[String; 2], focus: usize) -> Form {
        let mut form = Form::new(target, "", "");
        form.fields = [field(&fields[0]), field(&fields[1])];
        form.focus = focus.min(1);
        form
    }

    /// The texts of both fields, a value that is taken apart put together.
    pub fn texts(&self) -> [String; 2] {
        let value = self.parts.as_ref().map_or_else(|| self.text(1), Fields::text);
        [self.text(0), value]
    }

    /// The text of a field.
    pub fn text(&self, field: usize) -> String {
        self.fields[field].lines().join("\n")
    }

    /// How many bytes are typed.
    pub fn length(&self) -> usize {
        self.texts().iter().map(String::len).sum()
    }

    /// Whether something was typed.
    pub fn is_modified(&self) -> bool {
        self.parts.as_ref().is_some_and(|parts| parts.text() != self.initial[1])
            || (0..2).any(|field| self.text(field) != self.initial[field])
    }

    /// The names of the fields.
    pub fn labels(&self) -> [&'static str; 2] {
        match self.target.list() {
            List::Args => ["Option", "Value"],
            List::Envs => ["Name", "Value"],
            List::Extras => ["What", "Value"],
        }
    }

    /// A remark on what is typed, from QEMU's table of options.
    pub fn remark(&self) -> String {
        let first = self.text(0);
        match self.target.list() {
            List::Args => {}
            List::Envs => {
                return "An environment variable of QEMU; without a value it is set to nothing"
                    .to_owned();
            }
            List::Extras => return extra_remark(first.trim()).to_owned(),
        }
        let row = argv::option_name(&first).and_then(catalog::option);
        match row {
            Some(row) => {
                let value = if row.takes_value { "takes a value" } else { "takes no value" };
                let also = if row.of_libvirt.is_some() {
                    "; libvirt may pass its own as well"
                } else {
                    ""
                };
                format!("{first}: {}; {value}{also}", row.what)
            }
            None if first.is_empty() => {
                "An option of QEMU, such as -device, and its value in the field below".to_owned()
            }
            None if first.starts_with('-') => format!("QEMU has no option {first}"),
            None => format!(
                "This is no option: options begin with a dash (a device is -device {first})"
            ),
        }
    }

    /// The option, and what of its value is completed: the chosen pair of one that is taken apart.
    pub fn completed(&self) -> (String, String) {
        let value = self.parts.as_ref().map_or_else(|| self.text(1), Fields::chosen);
        (self.text(0), value)
    }

    /// What can come next in the field that takes the keys.
    pub fn candidates(
        &self,
        emulator: Option<&Emulator>,
        aliases: &[String],
        listing: Option<&Listing>,
    ) -> Vec<Candidate> {
        let (option, value) = self.completed();
        match (self.target.list(), self.focus) {
            // The keys are there; paths are completed, and what is on or off.
            (List::Args, _) if self.parts.is_some() => {
                let is_switch = self.parts.as_ref().is_some_and(Fields::is_switch);
                if is_switch {
                    completion::switches(&value)
                } else {
                    completion::paths(&option, &value, listing)
                }
            }
            (List::Args, 0) => completion::options(&self.text(0)),
            (List::Args, _) => {
                let paths = completion::paths(&option, &value, listing);
                if paths.is_empty() {
                    completion::values(&self.text(0), &self.text(1), emulator)
                } else {
                    paths
                }
            }
            (List::Envs, 0) => completion::variables(&self.text(0)),
            (List::Envs, _) => Vec::new(),
            (List::Extras, focus) => {
                completion::extras(focus, &self.text(0), &self.text(focus), aliases)
            }
        }
    }

    /// Takes the first of some suggestions over; where there is none, the next of those before. `false` where there is none.
    pub fn complete(&mut self, candidates: Vec<Candidate>) -> bool {
        self.error = None;
        let taken = match self.taken.take() {
            _ if !candidates.is_empty() => (candidates, 0),
            Some((before, at)) if before[at].text == self.now() => {
                let next = (at + 1) % before.len();
                (before, next)
            }
            Some(_) | None => return false,
        };
        let text = &taken.0[taken.1].text;
        match &mut self.parts {
            Some(parts) => parts.put(text),
            None => self.fields[self.focus] = field(text),
        }
        self.taken = Some(taken);
        true
    }

    /// The suggestion that comes after the one that was taken, while nothing else was typed.
    pub fn next_taken(&self) -> Option<&Candidate> {
        let (all, at) = self.taken.as_ref().filter(|(all, _)| all.len() > 1 && self.is_taken())?;
        all.get((at + 1) % all.len())
    }

    /// Whether the text was put there by a suggestion, and nothing was typed since.
    fn is_taken(&self) -> bool {
        let taken = self.taken.as_ref().map(|(all, at)| &all[*at].text);
        taken.is_some_and(|text| *text == self.now())
    }

    /// The text that a suggestion takes the place of.
    fn now(&self) -> String {
        self.parts.as_ref().map_or_else(|| self.text(self.focus), Fields::chosen)
    }

    /// The entries that the form stands for.
    ///
    /// # Errors
    /// What is wrong and what was expected, in one sentence.
    pub fn entries(&self) -> Result<Vec<EntryKind>, String> {
        let (first, second) = (self.text(0), self.text(1));
        let entries = match self.target.list() {
            List::Extras => vec![EntryKind::Extra(Extra::read(&first, &second)?)],
            List::Envs => {
                let keeps_none =
                    matches!(&self.target, Target::Replace(..)) && self.initial[1].is_empty();
                let value = (!second.is_empty() || !keeps_none)
                    .then_some(second.as_str())
                    .filter(|value| !value.is_empty());
                vec![EntryKind::env(first, value)]
            }
            List::Args if second.is_empty() => vec![EntryKind::arg(first)],
            List::Args => vec![EntryKind::arg(first), EntryKind::arg(second)],
        };
        entries.iter().try_for_each(EntryKind::check)?;
        Ok(entries)
    }

    /// Goes to the other field, or to the next key of a value that is taken apart.
    pub fn next_field(&mut self, forward: bool) {
        match &mut self.parts {
            Some(parts) => parts.step(forward),
            None => self.focus = 1 - self.focus,
        }
    }

    /// Takes the value apart, or puts it together again.
    ///
    /// # Errors
    /// Why it can't be taken apart, in one sentence.
    pub fn take_apart(&mut self, emulator: Option<&Emulator>) -> Result<(), String> {
        if self.parts.is_some() {
            self.put_together();
            return Ok(());
        }
        if self.target.list() != List::Args {
            return Err("only arguments have keys".to_owned());
        }
        self.parts = Some(Fields::read(&self.text(0), &self.text(1), emulator)?);
        self.focus = 1;
        Ok(())
    }

    /// Puts the value together from its keys, where it is taken apart.
    pub fn put_together(&mut self) {
        if let Some(parts) = self.parts.take() {
            self.fields[1] = field(&parts.text());
        }
    }

    /// Another text in the place of the field's; line ends become blanks.
    pub fn fill(&mut self, text: &str) {
        self.fields[self.focus] = field(&one_line(text));
    }

    /// Puts pasted text in; line ends become blanks, since a value is one line.
    pub fn paste(&mut self, text: &str) {
        self.error = None;
        let text = one_line(text);
        match &mut self.parts {
            Some(parts) => parts.paste(&text),
            None => drop(self.fields[self.focus].insert_str(text)),
        }
    }

    /// A key that the table gives no meaning: typing and moving.
    pub fn key(&mut self, event: KeyEvent) {
        self.error = None;
        // A suggestion has brought the '=' along already.
        let is_there = event.code == KeyCode::Char('=')
            && self.is_taken()
            && self.text(self.focus).ends_with('=');
        match &mut self.parts {
            Some(parts) => parts.key(event),
            None if is_there => {}
            None => type_into(&mut self.fields[self.focus], event),
        }
    }
}

fn one_line(text: &str) -> String {
    text.trim_end_matches(['\r', '\n']).replace("\r\n", " ").replace(['\r', '\n'], " ")
}

/// Typing and moving in one line of text. The widget's own shortcuts are not used: some delete.
#[allow(clippy::wildcard_enum_match_arm, reason = "a terminal has more keys than mean something")]
fn type_into(area: &mut TextArea<'static>, event: KeyEvent) {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    match event.code {
        KeyCode::Char('h') if control => drop(area.delete_char()),
        KeyCode::Char('w') if control => drop(area.delete_word()),
        KeyCode::Char('u') if control => drop(area.delete_line_by_head()),
        KeyCode::Char('k') if control => drop(area.delete_line_by_end()),
        KeyCode::Char('a') if control => area.move_cursor(CursorMove::Head),
        KeyCode::Char('e') if control => area.move_cursor(CursorMove::End),
        KeyCode::Left if control => area.move_cursor(CursorMove::WordBack),
        KeyCode::Right if control => area.move_cursor(CursorMove::WordForward),
        KeyCode::Left => area.move_cursor(CursorMove::Back),
        KeyCode::Right => area.move_cursor(CursorMove::Forward),
        KeyCode::Home => area.move_cursor(CursorMove::Head),
        KeyCode::End => area.move_cursor(CursorMove::End),
        KeyCode::Backspace => drop(area.delete_char()),
        KeyCode::Delete => drop(area.delete_next_char()),
        KeyCode::Char(c) if !control && !event.modifiers.contains(KeyModifiers::ALT) => {
            area.insert_char(c);
        }
        _ => {}
    }
}
