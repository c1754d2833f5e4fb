//! The editor's state, and the one place where it changes.

mod asking;
mod editing;
mod importing;
mod judging;
mod keeping;
mod marks;
mod palette;
mod pointing;
mod questions;
mod selection;

pub use judging::Judgement;
pub use keeping::{Conflict, Ending, Offer};
pub use questions::Question;
pub use selection::Filter;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::action::{Action, Effect};
use super::completion::{Candidate, Listing};
use super::form::{Form, Target};
use super::keymap::{Keymap, Mode};
use super::pane::{Answer, Asked, Pane};
use super::rows::Row;
use crate::domain::{Document, EntryId, EntryKind, History, List, canonical};
use crate::facts::HostFacts;
use crate::qemu::CommandLine;
use crate::rules::{Finding, Remedy, Verdict};
use crate::session::command_line;
use crate::store::Theirs;

/// The editor.
pub struct App {
    /// The file, as it is shown.
    pub title: String,
    /// Nothing can be saved: the demo, or a file that can't be written.
    pub readonly: Option<&'static str>,
    /// Nothing can be saved anywhere: it was asked for.
    pub look_only: Option<&'static str>,
    /// The document as it stands.
    pub document: Arc<Document>,
    /// The text that the file holds.
    pub saved: String,
    /// The text that libvirt holds, where virsh reads the file only when the session ends.
    pub of_libvirt: Option<String>,
    /// It is being saved.
    pub saving: bool,
    /// Edits are not in the journal: it can't be used, or not now.
    pub unkept: bool,
    /// What somebody else wrote meanwhile.
    pub theirs: Option<Theirs>,
    /// The path to save to, as it is typed.
    pub elsewhere: String,
    /// Counts the states of the document and of the host.
    pub revision: u64,
    /// The passthrough as QEMU reads it.
    pub line: Arc<CommandLine>,
    /// What the host said; nothing while it is being asked the first time.
    pub host: Option<Arc<HostFacts>>,
    /// The host is being asked.
    pub probing: bool,
    /// What was found, the worst first for each entry.
    pub findings: Vec<Finding>,
    /// The rows of the lists.
    pub rows: Vec<Row>,
    /// The selected row.
    pub selected: usize,
    /// Rows that the next action is about.
    pub marked: BTreeSet<usize>,
    /// Which rows are shown.
    pub filter: Filter,
    /// Only rows that hold this text, or about which a layer or a verdict of this name speaks.
    pub wanted: String,
    /// How much of the screen the lists get, in percent, once the divider was moved.
    pub split: Option<u16>,
    /// The pane with the keys has the whole screen.
    pub zoomed: bool,
    /// What the keys mean.
    pub mode: Mode,
    /// The tab of the side pane.
    pub pane: Pane,
    /// The chosen line of the map of layers, among those of the selected row.
    pub cell: usize,
    /// How far the side pane is scrolled.
    pub scroll: usize,
    /// How far the help is scrolled.
    pub help_scroll: usize,
    /// The entry being typed.
    pub form: Option<Form>,
    /// What is to be imported, as it was pasted or typed.
    pub pasted: String,
    /// The question being asked.
    pub question: Option<Question>,
    /// The selected remedy.
    pub remedy: usize,
    /// What is searched for, and where the search began.
    pub search: (String, usize),
    /// What an action is looked for by, and which of the found ones is chosen.
    pub palette: (String, usize),
    /// The keys.
    pub keymap: Keymap,
    /// A sentence about the last action; an error is shown as one.
    pub status: Option<(bool, String)>,
    /// Rows that fit on the screen, for paging; the shell tells it.
    pub page: usize,
    history: History,
    /// The directory that was listed last, for completion.
    listing: Option<Listing>,
    /// The divider follows the mouse.
    dragging: bool,
    /// Entries that were copied or cut.
    clipboard: Vec<EntryKind>,
    /// What was asked for tabs, and what came back.
    asked: HashMap<Pane, Asked>,
    /// The state that the findings are about.
    judged: u64,
    /// Questions that wait until the lists have the keys.
    waiting: VecDeque<Question>,
    /// Leave once the text is saved.
    leaving: bool,
    /// Where help or remedies were opened from.
    before: Mode,
}

impl App {
    /// An editor for a document.
    pub fn new(title: String, document: Document) -> App {
        let line = Arc::new(command_line(&document));
        let mut app = App {
            title,
            readonly: None,
            look_only: None,
            saved: document.source().to_owned(),
            of_libvirt: None,
            document: Arc::new(document),
            saving: false,
            theirs: None,
            unkept: false,
            elsewhere: String::new(),
            revision: 0,
            judged: 0,
            waiting: VecDeque::new(),
            line,
            host: None,
            probing: true,
            findings: Vec::new(),
            rows: Vec::new(),
            selected: 0,
            marked: BTreeSet::new(),
            filter: Filter::All,
            wanted: String::new(),
            zoomed: false,
            split: None,
            dragging: false,
            listing: None,
            clipboard: Vec::new(),
            mode: Mode::List,
            pane: Pane::Security,
            cell: 0,
            asked: HashMap::new(),
            scroll: 0,
            help_scroll: 0,
            form: None,
            pasted: String::new(),
            question: None,
            remedy: 0,
            search: (String::new(), 0),
            palette: (String::new(), 0),
            keymap: Keymap::default(),
            status: None,
            page: 10,
            history: History::default(),
            leaving: false,
            before: Mode::List,
        };
        app.refresh();
        app.selected = app.rows.iter().position(Row::is_entry).unwrap_or(0);
        app
    }

    /// Whether the text differs from what the file holds, or the file is gone.
    pub fn is_modified(&self) -> bool {
        self.document.source() != self.saved || self.theirs == Some(Theirs::Gone)
    }

    /// The entries of the selected row.
    pub fn selection(&self) -> Option<(List, std::ops::Range<usize>)> {
        self.rows.get(self.selected)?.entries()
    }

    /// The first entry of the selected row.
    fn selected_entry(&self) -> Option<EntryId> {
        self.selection().map(|(list, range)| EntryId { list, index: range.start })
    }

    /// The findings of a row, the worst first.
    pub fn findings_of<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a Finding> {
        let entries = row.entries();
        self.findings.iter().enumerate().filter_map(move |(index, finding)| {
            let own = match (&entries, finding.entry, row) {
                (Some((list, range)), Some(entry), _) => {
                    entry.list == *list && range.contains(&entry.index)
                }
                (None, _, Row::General(general)) => *general == index,
                _ => false,
            };
            own.then_some(finding)
        })
    }

    /// The worst verdict of a row; nothing while the host has not answered.
    pub fn verdict_of(&self, row: &Row) -> Option<Verdict> {
        if matches!(row, Row::Disabled(_)) {
            return None;
        }
        let worst = self.findings_of(row).map(|finding| finding.verdict).min();
        worst.or_else(|| (self.host.is_some() && self.is_judged()).then_some(Verdict::Allows))
    }

    /// The remedies of the selected row, with the findings they belong to.
    pub fn remedies(&self) -> Vec<(&Finding, &Remedy)> {
        let Some(row) = self.rows.get(self.selected) else { return Vec::new() };
        let mut all: Vec<(&Finding, &Remedy)> = self
            .findings_of(row)
            .flat_map(|f| f.remedies.iter().map(move |remedy| (f, remedy)))
            .collect();
        all.sort_by_key(|(finding, remedy)| (finding.verdict, remedy.scope));
        // One remedy may settle several layers; it is offered once.
        let mut offered: Vec<&Remedy> = Vec::new();
        all.retain(|(_, remedy)| {
            let fresh = !offered.contains(remedy);
            offered.push(remedy);
            fresh
        });
        all
    }

    /// Why an action can't be done now.
    ///
    /// # Errors
    /// A sentence for the status line.
    pub fn available(&self, action: Action) -> Result<(), &'static str> {
        let entry = self.selection().is_some();
        let refused = match action {
            Action::Edit | Action::Outside if self.disabled_row().is_some() => {
                "switch it on first: Space"
            }
            Action::Delete if self.disabled_row().is_some() => return Ok(()),
            Action::Edit if !entry => "select an entry first",
            Action::Outside if !entry && self.form.is_none() => "select an entry first",
            Action::Delete | Action::Copy | Action::CopyShell | Action::Cut | Action::Duplicate
                if self.chosen().is_empty() =>
            {
                "select an entry first"
            }
            Action::Put if self.clipboard.is_empty() => "copy or cut something first: y, X",
            Action::MoveUp | Action::MoveDown if !entry => "select an entry first",
            Action::Toggle if !entry && self.disabled_row().is_none() => "select an entry first",
            Action::Canonicalise if !self.document.disabled().is_empty() => {
                "switch the entries that are off on again, or delete them: libvirt's form has no room for them"
            }
            Action::Undo if !self.history.can_undo() => "there is nothing to undo",
            Action::Redo if !self.history.can_redo() => "there is nothing to redo",
            Action::Remedies | Action::UseRemedy if !self.is_judged() => {
                "it is being judged; a moment"
            }
            Action::Remedies if self.remedies().is_empty() => "nothing here needs a remedy",
            Action::NextMatch | Action::PreviousMatch if self.search.0.is_empty() => {
                "search first: /"
            }

            Action::Save | Action::SaveAs if self.saving => "it is being saved",
            Action::SaveAs => return self.look_only.map_or(Ok(()), Err),
            Action::Save | Action::Merge | Action::Overwrite => {
                return self.readonly.or(self.look_only).map_or(Ok(()), Err);
            }
            Action::Others if self.theirs.is_none() => "nobody else changed it",
            _ => return Ok(()),
        };
        Err(refused)
    }

    /// A key was pressed.
    pub fn key(&mut self, event: KeyEvent) -> Option<Effect> {
        let effect = self.pressed(event);
        self.ask_next();
        effect
    }

    fn pressed(&mut self, event: KeyEvent) -> Option<Effect> {
        match self.keymap.action(self.mode, &event) {
            Some(action) => self.update(action),
            None => {
                match self.mode {
                    Mode::Form => {
                        if let Some(form) = &mut self.form {
                            form.key(event);
                        }
                    }
                    Mode::Search => self.search_key(event),
                    Mode::Import => self.import_key(event),
                    Mode::Palette => self.palette_key(event),
                    Mode::Filter => self.filter_key(event),
                    Mode::SaveAs => drop(selection::type_at_end(&mut self.elsewhere, event)),
                    Mode::List
                    | Mode::Side
                    | Mode::Remedies
                    | Mode::Confirm
                    | Mode::Help
                    | Mode::Tour => {}
                }
                None
            }
        }
    }

    /// Text was pasted. Terminals send CR for a line end, files have CR LF or LF: all of them are line ends.
    pub fn paste(&mut self, text: &str) {
        let text = &text.replace("\r\n", "\n").replace('\r', "\n");
        match (self.mode, &mut self.form) {
            (Mode::Form, Some(form)) => form.paste(text),
            (Mode::Import, _) => self.pasted.push_str(text),
            (Mode::SaveAs, _) => self.elsewhere.push_str(text.trim_end_matches('\n')),
            (Mode::List | Mode::Side, _) => {
                // What is pasted at the lists can only be meant for them; it is shown before it is taken.
                self.pasted = text.to_owned();
                self.scroll = 0;
                self.mode = Mode::Import;
            }
            _ => {}
        }
    }

    /// The host has answered.
    pub fn probed(&mut self, facts: HostFacts) {
        self.host = Some(Arc::new(facts));
        self.probing = false;
        self.refresh();
    }

    /// The user's own editor has ended: its text is in the form, to be taken over or not.
    pub fn came_back(&mut self, text: &str) {
        if let Some(form) = &mut self.form {
            form.fill(text);
        }
    }

    /// Something went wrong outside.
    pub fn failed(&mut self, sentence: String) {
        self.leaving = false;
        self.fail(sentence);
    }

    /// Does what is asked; what needs the world outside comes back as an effect.
    pub fn update(&mut self, action: Action) -> Option<Effect> {
        // A key that is no answer changes nothing, not even the footer that names the answers.
        if !self.is_answer(action) {
            return None;
        }
        self.status = None;
        if let Err(why) = self.available(action) {
            self.status = Some((true, why.to_owned()));
            return None;
        }
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-(isize::try_from(self.page).unwrap_or(10))),
            Action::PageDown => self.step(isize::try_from(self.page).unwrap_or(10)),
            Action::First => self.step(isize::MIN / 2),
            Action::Last => self.step(isize::MAX / 2),
            Action::Edit => self.open_form(),
            Action::AddAfter => self.open_empty(List::Args, true),
            Action::AddBefore => self.open_empty(List::Args, false),
            Action::AddEnv => self.open_empty(List::Envs, true),
            Action::AddExtra => self.open_empty(List::Extras, true),
            Action::Import => {
                self.pasted.clear();
                self.scroll = 0;
                self.mode = Mode::Import;
            }
            Action::Clear => self.pasted.clear(),
            Action::Delete => self.delete(),
            Action::Toggle => self.toggle(),
            Action::MoveDown => self.shift(true),
            Action::MoveUp => self.shift(false),
            Action::Undo => self.travel(false),
            Action::Redo => self.travel(true),
            Action::Search => {
                self.search = (String::new(), self.selected);
                self.mode = Mode::Search;
            }
            Action::NextMatch => self.find(self.selected + 1, true),
            Action::PreviousMatch => self.find(self.selected, false),
            Action::NextFinding => self.next_finding(),
            Action::OtherPane => {
                self.mode = if self.mode == Mode::Side { Mode::List } else { Mode::Side }
            }
            Action::NextTab => self.show(self.pane.beside(true)),
            Action::PreviousTab => self.show(self.pane.beside(false)),
            Action::Tab(pane) => self.show(pane),
            Action::Remedies => {
                self.remedy = 0;
                self.enter(Mode::Remedies);
            }
            Action::UseRemedy => return self.use_remedy(),
            Action::Copy => return self.copy(false),
            Action::CopyShell => return self.copy(true),
            Action::Cut => return self.cut(),
            Action::Put => {
                let kinds = self.clipboard.clone();
                self.put(&kinds, self.selection().as_ref());
            }
            Action::Duplicate => self.duplicate(),
            Action::Mark => self.mark(),
            Action::Zoom => self.zoomed = !self.zoomed,
            Action::Filter => self.next_filter(),
            Action::FilterBy => self.mode = Mode::Filter,
            Action::Canonicalise => match canonical::plan(&self.document) {
                Ok(edits) if edits.is_empty() => {
                    self.say("the passthrough is written as libvirt writes it already")
                }
                Ok(edits) => self.edit(&edits, self.selected_entry()),
                Err(error) => self.status = Some((true, error.to_string())),
            },
            Action::Probe => {
                self.probing = true;
                return Some(Effect::Probe);
            }
            Action::Save => {
                self.leaving = self.question == Some(Question::Quit);
                self.close_question();
                return Some(Effect::Save);
            }
            Action::SaveAs => {
                self.leaving = self.question == Some(Question::Quit);
                self.close_question();
                self.elsewhere.clear();
                self.mode = Mode::SaveAs;
            }
            Action::Others => self.show_theirs(false),
            Action::Quit if self.saving => {
                self.leaving = true;
                self.say("it is being saved; leaves when that is done");
            }
            Action::Quit if self.is_modified() => self.ask(Question::Quit),
            Action::Quit => return Some(Effect::Quit),
            Action::Palette => {
                self.palette = (String::new(), 0);
                self.before = if self.mode == Mode::Help { Mode::List } else { self.mode };
                self.mode = Mode::Palette;
            }
            Action::Help => {
                self.help_scroll = 0;
                self.enter(Mode::Help);
            }
            Action::Repaint => return Some(Effect::Repaint),
            Action::Suspend => return Some(Effect::Suspend),
            Action::Accept => return self.accept(),
            Action::Cancel => self.cancel(),
            Action::NextField | Action::PreviousField => {
                if let Some(form) = &mut self.form {
                    form.next_field(action == Action::NextField);
                }
            }
            Action::Outside => {
                if self.form.is_none() {
                    self.open_form();
                }
                let form = self.form.as_mut()?;
                form.put_together();
                return Some(Effect::Outside(form.text(form.focus)));
            }
            Action::TakeApart => {
                let emulator = self.host.as_ref().and_then(|host| host.emulator.yes());
                if let Some(Err(why)) = self.form.as_mut().map(|form| form.take_apart(emulator)) {
                    self.status = Some((true, why));
                }
            }
            Action::Complete => {
                let first = self.candidates().into_iter().next();
                match (&mut self.form, first) {
                    (Some(form), Some(candidate)) => form.complete(&candidate),
                    _ => self.say("there is no suggestion here"),
                }
            }
            Action::Yes
            | Action::No
            | Action::Print
            | Action::Details
            | Action::Discard
            | Action::LookOnly
            | Action::Take
            | Action::Merge
            | Action::Overwrite => return self.answer(action),
        }
        None
    }

    fn say(&mut self, sentence: &str) {
        self.status = Some((false, sentence.to_owned()));
    }

    fn fail(&mut self, sentence: String) {
        self.status = Some((true, sentence));
    }

    fn enter(&mut self, mode: Mode) {
        self.before = self.mode;
        self.mode = mode;
    }

    fn cancel(&mut self) {
        match self.mode {
            Mode::Form if self.form.as_ref().is_some_and(Form::is_modified) => {
                self.ask(Question::DropForm)
            }
            Mode::Form => {
                self.form = None;
                self.mode = Mode::List;
            }
            Mode::Import if !self.pasted.trim().is_empty() => self.ask(Question::DropImport),
            Mode::Import | Mode::Tour => self.mode = Mode::List,
            Mode::SaveAs => {
                self.leaving = false;
                self.mode = Mode::List;
            }
            Mode::Filter => {
                self.mode = Mode::List;
                self.want(String::new());
            }
            Mode::Search => {
                self.selected = self.search.1.min(self.rows.len().saturating_sub(1));
                self.search.0.clear();
                self.mode = Mode::List;
            }
            _ => self.mode = self.before,
        }
    }
}
