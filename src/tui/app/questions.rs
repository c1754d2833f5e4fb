//! Questions: what is asked, which answers there are, and what each does.

use std::borrow::Cow;

use super::super::action::{Action, Effect};
use super::offers::{Conflict, Offer};
use super::planned::{Planned, script};
use super::{App, Mode, Reported};
use crate::domain::merge::Merge;
use crate::store::{Holder, Theirs};

/// What is asked. The keys of the answers stand in the table of keys, under `Confirm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Leave although something is not saved.
    Quit,
    /// Drop what was typed in the form.
    DropForm,
    /// Drop what was pasted to be imported.
    DropImport,
    /// Edits of an earlier session are kept.
    Restore(Box<Offer>),
    /// Another session edits the same.
    Elsewhere(Holder),
    /// Somebody else changed what is edited.
    Theirs(Box<Conflict>),
    /// The file can't be replaced; why.
    InPlace(String),
    /// There is a file already at the path to save to.
    Exists(String),
    /// Saving failed; how.
    Trouble(String),
    /// The way is being looked for; leaving it ends that.
    Looking,
    /// The way to a VM that starts.
    Plan(Box<Planned>),
    /// Whether the domain is to be started for real.
    TryOut,
    /// Save although so many switched-off entries are gone then.
    Forgets(usize),
    /// Where the report is to go.
    Report(Box<Reported>),
    /// What came of that.
    Tried(Vec<String>),
}

impl Question {
    /// The title of its box.
    pub fn title(&self) -> &'static str {
        match self {
            Question::Quit | Question::DropForm | Question::DropImport => "Question",
            Question::Restore(_) => "Edits that were not saved",
            Question::Elsewhere(_) => "Edited elsewhere",
            Question::Theirs(_) => "Changed by somebody else",
            Question::InPlace(_) => "It can't be replaced",
            Question::Exists(_) => "It is there already",
            Question::Trouble(_) => "Not saved",
            Question::Looking | Question::Plan(_) => "The way to a start",
            Question::TryOut => "A real start",
            Question::Forgets(_) => "libvirt keeps no comments",
            Question::Report(_) => "For a ticket, as Markdown",
            Question::Tried(_) => "What a real start did",
        }
    }

    /// The question as it is asked.
    pub fn text(&self) -> Cow<'static, str> {
        match self {
            Question::Quit => "There are changes that are not saved. Leave without them?".into(),
            Question::DropForm => "Drop what you typed?".into(),
            Question::DropImport => "Drop what you pasted?".into(),
            Question::Restore(offer) => offer.sentence().into(),
            Question::Elsewhere(holder) => format!(
                "It is being edited by {} for {}. Look only, or take over? That session then can't save any \
                 more, and its edits are offered to you.",
                holder.who(),
                holder.since
            )
            .into(),
            Question::Theirs(conflict) => conflict.sentence().into(),
            Question::InPlace(why) => format!(
                "It can't be replaced by a new file: {why}. Write into it as it is? The old text is kept first; then the \
                 new one is written over it and synced. If that breaks off in the middle, the old text is put back, and \
                 both stay within reach of 'qpt-tui recover'."
            )
            .into(),
            Question::Exists(path) => format!("{path} is there already. Write over it?").into(),
            Question::Trouble(why) => why.clone().into(),
            Question::Looking => {
                "Looking for the steps, in their order: the rules, libvirt and QEMU are asked about each…".into()
            }
            Question::Plan(planned) => planned.head.clone().into(),
            Question::TryOut => "Have libvirt start the domain as it stands here, paused, and end it at once? What a host in use \
                 would miss is left out: passed-through devices, disks of VMs that run."
                .into(),
            Question::Forgets(off) => {
                let what = if *off == 1 { "1 entry is" } else { &format!("{off} entries are") };
                format!("{what} switched off, which is a comment in the text. libvirt forgets it when it defines the domain; save a copy elsewhere to keep it. Save?").into()
            }
            Question::Report(_) => "This is the report of the selected row; 'copy all' and 'all to a file' are about every row.".into(),
            Question::Tried(lines) => lines.first().cloned().unwrap_or_default().into(),
        }
    }

    /// The answers that there are, each with its word for the footer.
    pub fn answers(&self) -> Vec<(Action, &'static str)> {
        match self {
            Question::Quit => vec![
                (Action::Yes, "leave"),
                (Action::Save, "save first"),
                (Action::SaveAs, "save elsewhere"),
                (Action::Print, "print it, leave"),
                (Action::No, "go on editing"),
            ],
            Question::DropForm | Question::DropImport => {
                vec![(Action::Yes, "drop"), (Action::No, "go on")]
            }
            Question::Restore(offer) => {
                let mut answers = vec![
                    (Action::Yes, "restore"),
                    (Action::No, "start from the file"),
                    (Action::Details, "difference"),
                    (Action::Quit, "leave"),
                ];
                // Somebody may be looking at them just now.
                if !offer.kept.running {
                    answers.push((Action::Discard, "discard"));
                }
                answers
            }
            Question::Elsewhere(_) => {
                vec![
                    (Action::LookOnly, "look only"),
                    (Action::Take, "take over"),
                    (Action::Quit, "leave"),
                ]
            }
            Question::Theirs(conflict) => {
                let mut answers = Vec::new();
                if matches!(conflict.merge, Some(Merge::Clean(_))) {
                    answers.push((
                        Action::Merge,
                        if conflict.at_save { "save the merge" } else { "merge" },
                    ));
                }
                let mine = match (&conflict.theirs, conflict.at_save) {
                    (Theirs::Gone, true) => "write it anew",
                    _ if !conflict.clashes().is_empty() => "mine, where both changed",
                    (_, true) => "save mine over it",
                    (_, false) => "keep mine",
                };
                // What can't be read can't be kept first.
                if !matches!(conflict.theirs, Theirs::Unreadable(_)) {
                    answers.push((Action::Overwrite, mine));
                }
                if matches!(conflict.theirs, Theirs::Text(_)) {
                    answers.push((Action::Take, "take theirs"));
                }
                answers.push((Action::SaveAs, "save elsewhere"));
                answers.push((Action::No, "go on editing"));
                answers
            }
            Question::InPlace(_) => {
                vec![
                    (Action::Yes, "write into it"),
                    (Action::SaveAs, "save elsewhere"),
                    (Action::No, "go on editing"),
                ]
            }
            Question::Exists(_) => {
                vec![
                    (Action::Yes, "write over it"),
                    (Action::SaveAs, "another path"),
                    (Action::No, "back"),
                ]
            }
            Question::Plan(planned) => {
                let mut answers = Vec::new();
                if planned.edited.is_some() {
                    answers.push((Action::Yes, "make the edits"));
                }
                if !planned.script.is_empty() {
                    answers.push((Action::Copy, "copy what is for the host"));
                    answers.push((Action::WriteOut, "to a file"));
                }
                if planned.partial {
                    answers.push((Action::Details, "of the whole document"));
                }
                answers.push((Action::No, "back"));
                answers
            }
            Question::Looking => vec![(Action::No, "leave it")],
            Question::TryOut => vec![(Action::Yes, "start it"), (Action::No, "back")],
            Question::Forgets(_) => vec![
                (Action::Yes, "save"),
                (Action::SaveAs, "a copy elsewhere"),
                (Action::No, "go on editing"),
            ],
            Question::Report(_) => vec![
                (Action::Copy, "copy this row"),
                (Action::CopyAll, "copy all"),
                (Action::WriteOut, "all to a file"),
                (Action::No, "back"),
            ],
            Question::Tried(_) => vec![(Action::No, "back")],
            Question::Trouble(_) => {
                vec![
                    (Action::Save, "try again"),
                    (Action::SaveAs, "save elsewhere"),
                    (Action::No, "go on editing"),
                ]
            }
        }
    }

    /// Whether an action is an answer to it.
    pub(super) fn takes(&self, action: Action) -> bool {
        let scrolls = matches!(
            action,
            Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Repaint
        );
        scrolls || self.answers().iter().any(|(answer, _)| *answer == action)
    }
}

impl App {
    /// Whether an action has a meaning while a question is asked; all have where none is.
    pub fn is_answer(&self, action: Action) -> bool {
        self.mode != Mode::Confirm
            || self.questions.asked.as_ref().is_some_and(|question| question.takes(action))
    }

    /// Asks now where the lists have the keys, and otherwise when they have them again: nobody answers by what they type.
    pub(super) fn ask_when_free(&mut self, question: Question) {
        self.questions.waiting.push_back(question);
        self.ask_next();
    }

    /// Asks what waits to be asked.
    pub(super) fn ask_next(&mut self) {
        if !matches!(self.mode, Mode::List | Mode::Side) {
            return;
        }
        if let Some(question) = self.questions.waiting.pop_front() {
            self.ask(question);
        }
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.side.scroll = 0;
        // Its answers need the last line.
        self.status = None;
        self.questions.asked = Some(question);
        self.mode = Mode::Confirm;
    }

    pub(super) fn close_question(&mut self) {
        self.questions.asked = None;
        if self.mode == Mode::Confirm {
            self.side.scroll = 0;
            self.mode = if self.form.is_some() { Mode::Form } else { Mode::List };
        }
    }

    /// An answer to the question.
    pub(super) fn answer(&mut self, action: Action) -> Option<Effect> {
        let question = self.questions.asked.take()?;
        if let (Question::Restore(offer), Action::Details) = (&question, action) {
            let offer = Offer { shown: !offer.shown, ..(**offer).clone() };
            self.questions.asked = Some(Question::Restore(Box::new(offer)));
            return None;
        }
        self.close_question();
        match (question, action) {
            (Question::Quit, Action::Yes) => Some(Effect::Quit),
            (Question::Quit, Action::Print) => Some(Effect::QuitPrinting),
            (Question::DropForm, Action::Yes) => {
                self.form = None;
                self.mode = Mode::List;
                None
            }
            (Question::DropImport, Action::Yes) => {
                self.clear_import();
                None
            }
            (Question::DropImport, _) => {
                self.show_import();
                None
            }
            (Question::Restore(offer), Action::Yes) => self.restore(*offer),
            (Question::Restore(offer), Action::Discard) => {
                self.say("discarded");
                Some(Effect::Discard(offer.kept.name))
            }
            (Question::Restore(_), _) => {
                self.say("the edits stay until the next save; open it again, or: qpt-tui recover");
                None
            }
            (Question::Elsewhere(_), Action::Take) => Some(Effect::TakeOver),
            (Question::Elsewhere(_), Action::LookOnly) => {
                self.file.readonly = Some("another session edits it; S saves elsewhere");
                Some(Effect::KeepBeside)
            }
            (Question::Theirs(conflict), action) => self.settle_conflict(*conflict, action),
            (Question::Looking, _) => Some(Effect::StopPlan),
            (Question::Plan(planned), Action::Yes) => {
                self.make_planned(&planned);
                None
            }
            (Question::Plan(_), Action::Details) => Some(self.look_for_way_of(None)),
            (Question::Plan(planned), Action::Copy) => {
                self.say(
                    "copied, where the terminal allows it (OSC 52); 's f' writes it to a file",
                );
                Some(Effect::Copy(planned.script))
            }
            (Question::Plan(planned), Action::WriteOut) => {
                self.write_out(script(&planned.head, &planned.script), "steps.sh");
                None
            }
            (Question::Forgets(off), Action::Yes) => {
                self.file.forgetting = off;
                let is_leaving = self.file.leaving;
                let effect = self.save_now();
                self.file.leaving = is_leaving;
                Some(effect)
            }
            (Question::Report(reported), Action::Copy) => Some(self.copy_report(reported.row)),
            (Question::Report(reported), Action::CopyAll) => Some(self.copy_report(reported.all)),
            (Question::Report(reported), Action::WriteOut) => {
                self.write_out(reported.all, "report.md");
                None
            }
            (Question::TryOut, Action::Yes) => {
                self.judging.trying = true;
                Some(Effect::TryOut)
            }
            (Question::InPlace(_), Action::Yes) => Some(Effect::SaveInPlace),
            (Question::Exists(path), Action::Yes) => Some(Effect::SaveAs { path, over: true }),
            _ => {
                self.file.leaving = false;
                None
            }
        }
    }
}
