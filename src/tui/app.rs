//! The editor's state, and the one place where it changes.

mod ahead;
mod asking;
mod available;
mod back;
mod editing;
mod found;
mod importing;
mod judging;
mod keeping;
mod leaving;
mod marks;
mod message;
mod offers;
mod outlook;
mod palette;
mod planned;
mod pointing;
mod questions;
mod reporting;
mod resting;
mod searching;
mod sections;
mod selection;
mod state;
mod ways;

pub use found::Findings;
pub use importing::{Group, ImportRow};
pub use judging::Judgement;
pub use offers::{Conflict, Ending, Offer};
pub use outlook::{Outlook, Tally};
pub use palette::{Offered, words_of};
pub use planned::Planned;
pub use questions::Question;
pub use reporting::Reported;
pub use selection::Filter;
pub(in crate::tui) use selection::type_at_end;
pub use state::{
    Edited, Edits, Importing, Judging, Lists, Over, Palette, Questions, Search, Side, Status,
};
pub use ways::{Found, Way};

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::action::{Action, Effect};
use super::completion::Candidate;
use super::form::{Form, Target};
use super::keymap::{Keymap, Mode};
use super::pane::{Answer, Asked, Pane};
use super::rows::Row;
use crate::domain::{Document, EntryId, List};
use crate::facts::HostFacts;
use crate::qemu::CommandLine;
use crate::rules::{Finding, Remedy, Verdict};
use crate::session::command_line;
use crate::store::Theirs;

/// The editor.
pub struct App {
    /// The document as it stands.
    pub document: Arc<Document>,
    /// The passthrough as QEMU reads it.
    pub line: Arc<CommandLine>,
    /// What is edited: where it comes from, and what is known of that.
    pub file: Edited,
    /// What the host said, and what was found.
    pub judging: Judging,
    /// The lists, and what of them is shown.
    pub lists: Lists,
    /// The side pane.
    pub side: Side,
    /// The entry being typed.
    pub form: Option<Form>,
    /// What stands over the panes for a while, and what is typed there.
    pub over: Over,
    /// What is asked.
    pub questions: Questions,
    /// What can be taken back, and put in again.
    pub edits: Edits,
    /// What the keys mean.
    pub mode: Mode,
    /// Where the palette or remedies were opened from.
    before: Mode,
    /// The keys.
    pub keymap: Keymap,
    /// A sentence about the last action.
    pub status: Option<Status>,
}

/// The longest argument that the kernel passes to a program (execve(2), `MAX_ARG_STRLEN`): nothing longer is typed or read at
/// a key.
pub(super) const MOST_PASTED: usize = 128 << 10;

impl App {
    /// An editor for a document.
    pub fn new(title: String, document: Document) -> App {
        let line = Arc::new(command_line(&document));
        let saved = document.source().to_owned();
        let mut app = App {
            document: Arc::new(document),
            line,
            file: Edited { title, saved, ..Edited::default() },
            judging: Judging { probing: true, ..Judging::default() },
            lists: Lists { page: 10, ..Lists::default() },
            side: Side::default(),
            form: None,
            over: Over::default(),
            questions: Questions::default(),
            edits: Edits::default(),
            mode: Mode::List,
            before: Mode::List,
            keymap: Keymap::default(),
            status: None,
        };
        app.refresh();
        let rows = &app.lists.rows;
        let first = rows.iter().position(Row::is_entry);
        let first = first.or_else(|| rows.iter().position(Row::is_selectable));
        app.lists.selected = first.unwrap_or(0);
        app
    }

    /// Whether the text differs from what the file holds, or the file is gone.
    pub fn is_modified(&self) -> bool {
        self.document.source() != self.file.saved || self.file.theirs == Some(Theirs::Gone)
    }

    /// The entries of the selected row.
    pub fn selection(&self) -> Option<(List, std::ops::Range<usize>)> {
        self.lists.rows.get(self.lists.selected)?.entries()
    }

    /// The first entry of the selected row.
    fn selected_entry(&self) -> Option<EntryId> {
        self.selection().map(|(list, range)| EntryId { list, index: range.start })
    }

    /// The findings of a row, the worst first.
    pub fn findings_of(&self, row: &Row) -> std::vec::IntoIter<&Finding> {
        let findings = &self.judging.findings;
        let own: Vec<&Finding> = match row {
            Row::Option(_) | Row::Variable(_) | Row::Extra(_) => {
                let (list, range) = row.entries().unwrap_or((List::Args, 0..0));
                findings.of_entries(list, range).collect()
            }
            Row::General(index) => findings.get(*index).into_iter().collect(),
            Row::Broken(broken) => {
                findings.general().filter(|finding| self.is_about(finding, *broken)).collect()
            }
            Row::Lost(lost, _) => {
                let span = self.document.lost().get(*lost).map(|lost| &lost.span);
                let is_own = |f: &&Finding| f.is_of_lost() && f.span.as_ref() == span;
                findings.general().filter(is_own).collect()
            }
            Row::Title { .. } | Row::Disabled(_) | Row::Hint(_) => Vec::new(),
        };
        own.into_iter()
    }

    /// Whether a finding is about something that is no entry.
    fn is_about(&self, finding: &Finding, broken: usize) -> bool {
        let span = self.document.broken().get(broken).map(|broken| &broken.span);
        finding.is_of_broken() && finding.span.as_ref() == span
    }

    /// The worst verdict of a row; nothing while the host has not answered.
    pub fn verdict_of(&self, row: &Row) -> Option<Verdict> {
        if let Some((section, _)) = row.title() {
            // What is folded away is still told of.
            return self.worst_of(section).filter(|_| row.is_folded());
        }
        if matches!(row, Row::Disabled(_) | Row::Hint(_)) {
            return None;
        }
        // No host is needed to say that.
        if let Row::Broken(index) = row {
            let broken = self.document.broken().get(*index)?;
            let is_refused = broken.refused.is_some();
            return Some(if is_refused { Verdict::Blocks } else { Verdict::Warns });
        }
        if matches!(row, Row::Lost(..)) {
            return Some(Verdict::Blocks);
        }
        let worst = self.findings_of(row).map(|finding| finding.verdict).min();
        worst.or_else(|| {
            (self.judging.host.is_some() && self.is_judged()).then_some(Verdict::Allows)
        })
    }

    /// The remedies of the selected row, with the findings they belong to.
    pub fn remedies(&self) -> Vec<(&Finding, &Remedy)> {
        let Some(row) = self.lists.rows.get(self.lists.selected) else { return Vec::new() };
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

    /// A key was pressed.
    pub fn key(&mut self, event: KeyEvent) -> Option<Effect> {
        self.wake_up();
        let effect = self.pressed(event);
        self.ask_next();
        effect
    }

    fn pressed(&mut self, event: KeyEvent) -> Option<Effect> {
        match self.keymap.action(self.mode, &event) {
            Some(action) => self.update(action),
            None => {
                // What is told lasts until the next key, whatever that is.
                if self.mode != Mode::Confirm {
                    self.status = None;
                }
                match self.mode {
                    Mode::Form => {
                        if let Some(form) = &mut self.form {
                            form.key(event);
                        }
                    }
                    Mode::Search => self.search_key(event),
                    Mode::Import => self.import_key(event),
                    Mode::Why => self.message_key(event),
                    Mode::Answer => self.answer_key(event),
                    Mode::Palette => self.palette_key(event),
                    Mode::Filter => self.filter_key(event),
                    Mode::HelpSearch => self.help_key(event),
                    Mode::SaveAs => drop(selection::type_at_end(&mut self.over.elsewhere, event)),
                    Mode::List
                    | Mode::Side
                    | Mode::Review
                    | Mode::Remedies
                    | Mode::Confirm
                    | Mode::Help
                    | Mode::Tour
                    | Mode::Choose => {}
                }
                None
            }
        }
    }

    /// Text was pasted. Terminals send CR for a line end, files have CR LF or LF: all of them are line ends.
    pub fn paste(&mut self, text: &str) {
        self.wake_up();
        self.status = None;
        if self.mode == Mode::Why {
            return self.paste_message(text);
        }
        let typed = match (self.mode, &self.form) {
            (Mode::Import | Mode::Review, _) => self.over.pasted.len(),
            (Mode::Form, Some(form)) => form.length(),
            _ => 0,
        };
        if typed + text.len() > MOST_PASTED {
            return self.fail(format!(
                "{} bytes were pasted; more than {MOST_PASTED} are no argument and no command line that a program can be started with",
                text.len()
            ));
        }
        let text = &text.replace("\r\n", "\n").replace('\r', "\n");
        match (self.mode, &mut self.form) {
            (Mode::Form, Some(form)) => form.paste(text),
            (Mode::Import | Mode::Review, _) => {
                self.over.pasted.push_str(text);
                self.show_import();
            }
            (Mode::Answer, _) => {
                if let Some((_, typed)) = &mut self.over.importing.answering {
                    typed.push_str(text.trim_end_matches('\n'));
                }
            }
            (Mode::SaveAs, _) => self.over.elsewhere.push_str(text.trim_end_matches('\n')),
            (Mode::Search | Mode::Filter | Mode::Palette | Mode::HelpSearch, _) => {
                self.paste_words(text.lines().next().unwrap_or_default());
            }
            (Mode::List | Mode::Side, _) => {
                // What is pasted at the lists can only be meant for them; it is shown before it is taken.
                self.clear_import();
                self.over.pasted = text.to_owned();
                self.side.scroll = 0;
                self.show_import();
            }
            _ => {}
        }
    }

    /// The host has answered.
    pub fn probed(&mut self, facts: HostFacts) {
        self.judging.host = Some(Arc::new(facts));
        self.judging.probing = false;
        // Another look at the host is another question to libvirt and QEMU.
        self.judging.asked_about = None;
        self.refresh();
        self.read_import_again();
    }

    /// The user's own editor has ended: its text is in the form, to be taken over or not.
    pub fn came_back(&mut self, text: &str) {
        if let Some(form) = &mut self.form {
            form.fill(text);
        }
    }

    /// Something went wrong outside.
    pub fn failed(&mut self, sentence: String) {
        self.file.leaving = false;
        self.fail(sentence);
    }

    /// Does what is asked; what needs the world outside comes back as an effect.
    pub fn update(&mut self, action: Action) -> Option<Effect> {
        let action = self.back_from_question(action);
        // A key that is no answer changes nothing, not even the footer that names the answers.
        if !self.is_answer(action) {
            return None;
        }
        self.status = None;
        if let Err(why) = self.available(action) {
            self.status = Status::failed(why.to_owned());
            return None;
        }
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-(isize::try_from(self.lists.page).unwrap_or(10))),
            Action::PageDown => self.step(isize::try_from(self.lists.page).unwrap_or(10)),
            Action::First => self.step(isize::MIN / 2),
            Action::Last => self.step(isize::MAX / 2),
            Action::Edit | Action::Toggle if self.is_on_folded() => self.fold(),
            Action::Edit => self.open_form(),
            Action::AddAfter => self.open_empty(List::Args, true),
            Action::AddBefore => self.open_empty(List::Args, false),
            Action::AddEnv => self.open_empty(List::Envs, true),
            Action::AddExtra => self.open_empty(List::Extras, true),
            Action::Import => self.open_import(),
            Action::Why => self.open_message(),
            Action::Clear if self.mode == Mode::Why => self.clear_message(),
            Action::Clear => self.clear_import(),
            Action::AsElement => self.toggle_element(),
            Action::Answer => self.ask_open(),
            Action::Toggle if self.mode == Mode::Review => self.toggle_import(),
            Action::Delete => self.delete(),
            Action::Toggle => self.toggle(),
            Action::MoveDown => self.shift(true),
            Action::MoveUp => self.shift(false),
            Action::Undo => self.travel(false),
            Action::Redo => self.travel(true),
            Action::Search if self.mode == Mode::Help => self.open_help_search(),
            Action::Search => self.open_search(),
            Action::NextMatch => self.go_to_match(true),
            Action::PreviousMatch => self.go_to_match(false),
            Action::NextSection => self.next_section(true),
            Action::PreviousSection => self.next_section(false),
            Action::Fold => self.fold(),
            Action::NextFinding => self.next_finding(),
            Action::OtherPane => {
                self.mode = if self.mode == Mode::Side { Mode::List } else { Mode::Side }
            }
            Action::NextTab => self.show(self.side.pane.beside(true)),
            Action::PreviousTab => self.show(self.side.pane.beside(false)),
            Action::Tab(pane) => self.show(pane),
            Action::Remedies => self.open_ways(),
            Action::UseRemedy => return self.use_remedy(),
            Action::Details if self.mode != Mode::Confirm => self.side.details = !self.side.details,
            Action::CopyAll if self.mode == Mode::Remedies => return self.copy_ways(),
            Action::WriteOut if self.mode == Mode::Remedies => self.write_ways(),
            Action::Report => self.report(),
            Action::Copy if self.mode == Mode::Confirm => return self.answer(action),
            Action::Copy => return self.copy(false),
            Action::CopyShell => return self.copy(true),
            Action::Cut => return self.cut(),
            Action::Put => {
                let kinds = self.edits.clipboard.clone();
                self.put(&kinds, self.selection().as_ref());
            }
            Action::Duplicate => self.duplicate(),
            Action::Mark => self.mark(),
            Action::Zoom => self.side.zoomed = !self.side.zoomed,
            Action::Filter => self.next_filter(),
            Action::FilterBy => self.mode = Mode::Filter,
            Action::Canonicalise => self.canonicalise(),
            Action::Probe => {
                self.judging.probing = true;
                return Some(Effect::Probe);
            }
            Action::Plan => return self.look_for_way(),
            Action::TryOut => self.ask(Question::TryOut),
            Action::Save if self.mode == Mode::Form => return self.accept_and_save(),
            Action::Save => return self.save(),
            Action::SaveAs => self.open_save_as(),
            Action::Others => self.show_theirs(false),
            Action::Quit => return self.quit(),
            Action::SaveAndQuit => return self.save_and_quit(),
            Action::QuitAnyway => return self.quit_anyway(),
            Action::Reload => return self.reload(),
            Action::Palette => self.open_palette(),
            Action::Help => self.open_help(""),
            Action::Settings => self.open_help("config.toml"),
            Action::Repaint => return Some(Effect::Repaint),
            Action::Suspend => return Some(Effect::Suspend),
            Action::Accept => return self.accept(),
            Action::Cancel => self.cancel(),
            Action::NextField | Action::PreviousField => {
                if let Some(form) = &mut self.form {
                    form.next_field(action == Action::NextField);
                }
            }
            Action::Outside => return self.hand_to_own_editor(),
            Action::TakeApart => self.take_apart(),
            Action::Complete if self.mode == Mode::Palette => self.complete_palette(),
            Action::Complete => self.complete(),
            Action::Yes
            | Action::No
            | Action::Print
            | Action::Details
            | Action::Discard
            | Action::LookOnly
            | Action::Take
            | Action::Merge
            | Action::CopyAll
            | Action::WriteOut
            | Action::Overwrite => return self.answer(action),
        }
        None
    }

    fn say(&mut self, sentence: &str) {
        self.status = Status::done(sentence.to_owned());
    }

    fn fail(&mut self, sentence: String) {
        self.status = Status::failed(sentence);
    }
}
