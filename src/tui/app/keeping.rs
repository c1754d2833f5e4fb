//! Nothing lost: what the journal keeps, edits of earlier sessions, what others wrote, and where saving leads.

use std::ops::Range;

use super::offers::{Conflict, Ending, Offer};
use super::questions::Question;
use super::{App, Effect, Form, Mode, Target};
use crate::domain::merge::{Merge, merge};
use crate::domain::{Document, EntryKind, List};
use crate::store::journal::{Draft, Kept, Typed};
use crate::store::{Holder, Origin, Theirs};
use crate::tui::action::Action;

/// All that the lists of a text hold; nothing for a text that is no domain.
fn lists(text: &str) -> Option<[Vec<EntryKind>; 3]> {
    let document = Document::parse(text).ok()?;
    Some([List::Args, List::Envs, List::Extras].map(|list| kinds(&document, list)))
}

/// Whether lists hold all that others do, in their order.
fn holds(lists: &[Vec<EntryKind>; 3], others: &[Vec<EntryKind>; 3]) -> bool {
    lists.iter().zip(others).all(|(list, wanted)| {
        let mut rest = list.iter();
        wanted.iter().all(|entry| rest.any(|found| found == entry))
    })
}

/// What a list holds.
fn kinds(document: &Document, list: List) -> Vec<EntryKind> {
    document.list(list).iter().map(|entry| entry.kind.clone()).collect()
}

impl App {
    /// The text that the edits started from.
    fn opened(&self) -> &str {
        self.file.of_libvirt.as_ref().unwrap_or(&self.file.saved)
    }

    /// Whether the journal has something to keep.
    pub fn is_to_be_kept(&self) -> bool {
        self.is_modified() || self.typed().is_some() || self.document.source() != self.opened()
    }

    /// What would be lost if the session ended now; nothing where all is saved and nothing is being typed.
    pub fn draft(&self) -> Option<Draft> {
        if !self.is_to_be_kept() {
            return None;
        }
        let is_saved = !self.is_modified() && self.file.saved != self.opened();
        let handed = is_saved && self.file.of_libvirt.is_some();
        let (opened, text) = (self.opened().into(), self.document.source().into());
        Some(Draft { opened, text, typed: self.typed(), handed })
    }

    /// What is kept when the user leaves: libvirt may refuse what virsh gives it then.
    pub fn handed(&self) -> Option<Draft> {
        let opened = self.file.of_libvirt.as_deref().filter(|opened| *opened != self.file.saved)?;
        Some(Draft {
            opened: opened.into(),
            text: self.file.saved.as_str().into(),
            typed: None,
            handed: true,
        })
    }

    /// Whether kept edits need no offer: what is edited has them already, or there are none.
    pub fn has(&self, kept: &Kept) -> bool {
        let draft = &kept.draft;
        if draft.typed.is_none() && draft.opened == draft.text {
            return true;
        }
        if draft.typed.is_some()
            || matches!(kept.of, Origin::File(_))
            || *draft.opened == *self.file.saved
        {
            return draft.typed.is_none() && *draft.text == *self.file.saved;
        }
        // libvirt writes a domain in its own way; the passthrough in it is as it was given.
        let text = lists(&draft.text);
        text.is_some()
            && text == lists(&self.file.saved)
            && (draft.handed || text != lists(&draft.opened))
    }

    /// The file of virsh holds edits of an earlier session, which libvirt did not take: virsh asked to try again.
    pub fn go_on_with(&mut self, kept: &Kept) {
        if self.file.of_libvirt.is_some() {
            self.file.of_libvirt = Some(kept.draft.opened.to_string());
        }
    }

    /// What is being typed and not yet taken over.
    pub fn typed(&self) -> Option<Typed> {
        // What is with the user's own editor may be another text by now.
        let is_typed = |form: &&Form| form.is_modified() || self.over.outside;
        if let Some(form) = self.form.as_ref().filter(is_typed) {
            let (start, end) = match &form.target {
                Target::Replace(_, range) => (range.start, range.end),
                Target::Insert(_, at) | Target::Repair(_, at) => (*at, *at),
            };
            let list = match form.target.list() {
                List::Args => "args",
                List::Envs => "envs",
                List::Extras => "extras",
            };
            return Some(Typed::Form {
                list: list.to_owned(),
                start,
                end,
                fields: form.texts(),
                focus: form.focus,
                untouched: !form.is_modified(),
            });
        }
        let is_open = matches!(self.mode_below(), Mode::Import | Mode::Review | Mode::Answer);
        let importing = is_open && !self.over.pasted.trim().is_empty();
        importing.then(|| Typed::Import(self.over.pasted.clone()))
    }

    /// Edits of earlier sessions, the newest first: each is asked about until one is taken.
    pub fn offer(&mut self, kept: Vec<Kept>) {
        for one in kept {
            let offer = Offer::of(one, &self.file.saved);
            self.ask_when_free(Question::Restore(Box::new(offer)));
        }
    }

    /// Another session edits the same.
    pub fn elsewhere(&mut self, holder: Holder) {
        self.ask_when_free(Question::Elsewhere(holder));
    }

    /// Another session took over what is edited here.
    pub fn taken_over(&mut self, process: u32) {
        self.file.readonly = Some("another session took it over; S saves elsewhere");
        let who = Holder { process, since: String::new() }.who();
        self.fail(format!("{who} took over; your edits are offered there, S saves elsewhere"));
    }

    /// Edits are not kept; why.
    pub fn unkept(&mut self, why: &str) {
        self.file.unkept = true;
        self.fail(format!("edits are not kept: {why}"));
    }

    /// Edits are kept again.
    pub fn kept_again(&mut self) {
        self.file.unkept = false;
        self.say("edits are kept again");
    }

    /// Takes the edits of an earlier session over; undo leads back to the file's text.
    pub(super) fn restore(&mut self, offer: Offer) -> Option<Effect> {
        // Earlier ones stay where they are; they are not asked about on top of this.
        self.questions.waiting.retain(|question| !matches!(question, Question::Restore(_)));
        let name = offer.kept.name.clone();
        let same = offer.text() == self.document.source();
        match Document::parse(offer.text()) {
            Ok(document) if !same => {
                self.edits.history.record(self.document.source(), self.selected_entry());
                self.replace(document, None);
            }
            Ok(_) => {}
            Err(error) => {
                self.fail(format!(
                    "they can't be read: {}; look with: qpt-tui recover",
                    error.message
                ));
                return None;
            }
        }
        let clashes = matches!(offer.merge, Some(Merge::Clashes(..)));
        let base = clashes.then(|| offer.kept.draft.opened.to_string());
        if let Some(base) = &base {
            // As if the file had been opened then, and changed by others since: nothing of theirs is undone unasked.
            self.file.theirs =
                Some(Theirs::Text(std::mem::replace(&mut self.file.saved, base.clone())));
            if let Some(of_libvirt) = &mut self.file.of_libvirt {
                of_libvirt.clone_from(base);
            }
        }
        match offer.kept.draft.typed {
            Some(Typed::Form { list, start, end, fields, focus, .. }) => {
                self.restore_form(&offer.kept.draft.text, &list, start..end, (&fields, focus));
            }
            Some(Typed::Import(text)) => {
                self.clear_import();
                self.over.pasted = text;
                self.show_import();
            }
            None => {}
        }
        // What is being typed needs the footer for its keys.
        if matches!(self.mode, Mode::List | Mode::Side) {
            self.say(if clashes {
                "restored; = shows what others changed in the same places"
            } else {
                "restored; u leads back to the file's text, 4 shows the difference"
            });
        }
        Some(Effect::Restored { name, base })
    }

    /// Opens the form as it was. Where the lists are others now, it is about the same entries, or adds new ones: nothing that
    /// somebody else wrote is replaced by it unseen.
    fn restore_form(
        &mut self,
        then: &str,
        list: &str,
        range: Range<usize>,
        typed: (&[String; 2], usize),
    ) {
        let list = match list {
            "envs" => List::Envs,
            "extras" => List::Extras,
            _ => List::Args,
        };
        let then = Document::parse(then).map(|document| kinds(&document, list)).unwrap_or_default();
        let target = self.found_again(&then, list, range);
        self.form = Some(Form::restored(target, typed.0, typed.1));
        self.mode = Mode::Form;
    }

    /// Where entries that stood at `range` among `then` stand now; the place to add new ones where they are gone.
    fn found_again(&self, then: &[EntryKind], list: List, range: Range<usize>) -> Target {
        let now = kinds(&self.document, list);
        let same = then.get(range.clone()).filter(|entries| !entries.is_empty());
        let place = same.and_then(|entries| {
            let places = (0..now.len()).filter(|at| now[*at..].starts_with(entries));
            places.min_by_key(|at| at.abs_diff(range.start))
        });
        match place {
            Some(at) => Target::Replace(list, at..at + range.len()),
            None => Target::Insert(list, range.start.min(now.len())),
        }
    }

    /// Puts another document in the place of this one; what is being typed stays about the entries that it was about.
    fn replace_under_form(&mut self, document: Document) {
        let then = self.form.as_ref().map(|form| kinds(&self.document, form.target.list()));
        let selected = self.selected_entry();
        self.replace(document, selected);
        let Some((mut form, then)) = self.form.take().zip(then) else { return };
        let (list, range) = match &form.target {
            Target::Replace(list, range) => (*list, range.clone()),
            Target::Insert(list, at) | Target::Repair(list, at) => (*list, *at..*at),
        };
        form.target = self.found_again(&then, list, range);
        self.form = Some(form);
    }

    /// Somebody else may have changed what is edited. `true` where their text was taken over, since nothing stands against it.
    pub fn others_wrote(&mut self, theirs: Option<Theirs>) -> bool {
        let Some(theirs) = theirs else {
            self.file.theirs = None;
            return false;
        };
        let idle = self.typed().is_none()
            && !self.is_modified()
            && matches!(self.mode, Mode::List | Mode::Side);
        if let Theirs::Text(text) = &theirs
            && idle
            && let Ok(document) = Document::parse(text.as_str())
        {
            let selected = self.selected_entry();
            self.edits.history.record(self.document.source(), selected);
            self.file.saved.clone_from(text);
            self.file.theirs = None;
            self.replace(document, selected);
            self.say("read again: somebody else changed it; u shows how it was");
            return true;
        }
        if self.file.theirs.as_ref() != Some(&theirs) {
            self.fail("somebody else changed it meanwhile; = shows what, and merges".to_owned());
        }
        self.file.theirs = Some(theirs);
        false
    }

    /// Shows what somebody else wrote, beside what stands here.
    pub(super) fn show_theirs(&mut self, at_save: bool) {
        let Some(theirs) = self.file.theirs.clone() else { return };
        let merge = match &theirs {
            Theirs::Text(text) if Document::parse(text.as_str()).is_ok() => {
                Some(merge(&self.file.saved, self.document.source(), text))
            }
            Theirs::Text(_) | Theirs::Gone | Theirs::Unreadable(_) => None,
        };
        self.ask_when_free(Question::Theirs(Box::new(Conflict { theirs, merge, at_save })));
    }

    /// What becomes of two changes of one document.
    pub(super) fn settle_conflict(&mut self, conflict: Conflict, action: Action) -> Option<Effect> {
        let Conflict { theirs, merge, at_save } = conflict;
        let text = match (action, &merge, &theirs) {
            (Action::Merge, Some(Merge::Clean(text)), _) => Some(text.clone()),
            (Action::Take, _, Theirs::Text(text)) => Some(text.clone()),
            (Action::Overwrite, Some(Merge::Clashes(_, mine_wins)), _) => Some(mine_wins.clone()),
            (Action::Overwrite, _, _) => None,
            _ => {
                self.file.leaving = false;
                return None;
            }
        };
        if let Some(text) = text {
            match Document::parse(text) {
                Ok(document) => {
                    let selected = self.selected_entry();
                    self.edits.history.record(self.document.source(), selected);
                    self.replace(document, selected);
                }
                Err(error) => {
                    self.fail(format!("their text can't be read: {}", error.message));
                    return None;
                }
            }
        }
        if let Theirs::Text(text) = &theirs {
            self.file.saved.clone_from(text);
            if let Some(of_libvirt) = &mut self.file.of_libvirt {
                of_libvirt.clone_from(text);
            }
        }
        self.file.theirs = None;
        let save = at_save && action != Action::Take;
        if !save {
            self.say(if action == Action::Take {
                "their text is taken; u brings yours back"
            } else if action == Action::Merge {
                "merged; 4 shows what saving changes, u takes it back"
            } else {
                "yours stays; 4 shows what saving changes in theirs, which 'qpt-tui recover' keeps"
            });
        }
        Some(Effect::Know { theirs, save })
    }

    /// Saves to the path that was typed.
    pub(super) fn save_elsewhere(&mut self) -> Option<Effect> {
        let path = self.over.elsewhere.trim().to_owned();
        if path.is_empty() {
            self.fail("type a path".to_owned());
            return None;
        }
        self.mode = Mode::List;
        Some(match self.over.writing.take() {
            Some(text) => Effect::WriteOut { path, text },
            None => Effect::SaveAs { path, over: false },
        })
    }

    /// Saving began.
    pub fn saving_began(&mut self) {
        self.file.saving = true;
    }

    /// Saving ended: `asked` is the text that was to be saved.
    pub fn saving_ended(&mut self, asked: &str, ending: Ending) -> Option<Effect> {
        self.file.saving = false;
        match ending {
            Ending::Saved(text, sentence) => return self.saved(asked, text, &sentence),
            Ending::Changed(theirs) => {
                self.file.theirs = Some(theirs);
                self.show_theirs(true);
            }
            Ending::Irreplaceable(why) => self.ask_when_free(Question::InPlace(why)),
            Ending::Exists(path) => self.ask_when_free(Question::Exists(path)),
            Ending::Failed(why) => {
                self.file.leaving = false;
                let kept = if self.file.unkept {
                    "Your edits are on this screen only"
                } else {
                    "Your edits are kept"
                };
                let why = format!("{why}. {kept}.");
                if matches!(self.mode, Mode::List | Mode::Side) {
                    self.ask(Question::Trouble(why));
                } else {
                    self.fail(why);
                }
            }
        }
        None
    }

    /// What is edited is another file from now on.
    pub fn moved_to(&mut self, title: String) {
        self.file.title = title;
        self.file.readonly = None;
        self.file.theirs = None;
        self.file.forgets_comments = false;
    }

    fn saved(&mut self, asked: &str, text: String, sentence: &str) -> Option<Effect> {
        // libvirt writes a domain in its own way; what it keeps is what is shown from here on, where nobody typed meanwhile.
        let lists = lists(asked).zip(lists(&text));
        let is_as_before = text == self.file.saved;
        let took_all =
            text == asked || !is_as_before && lists.is_none_or(|(asked, has)| holds(&has, &asked));
        if text != asked
            && took_all
            && asked == self.document.source()
            && let Ok(document) = Document::parse(text.as_str())
        {
            self.replace_under_form(document);
        }
        self.file.saved = text;
        self.file.theirs = None;
        self.file.protected = None;
        if took_all {
            self.say(sentence);
        } else {
            self.file.leaving = false;
            self.fail(
                "defined, but libvirt has not taken all of it; 4 shows what it lacks".to_owned(),
            );
        }
        if self.file.leaving && self.typed().is_some() {
            self.file.leaving = false;
        }
        (self.file.leaving && !self.is_modified()).then_some(Effect::Quit)
    }

    /// Takes over what the form says, and saves; what is wrong in the form is said there.
    pub(super) fn accept_and_save(&mut self) -> Option<Effect> {
        let effect = self.accept();
        if self.form.is_some() { effect } else { self.save() }
    }

    pub(super) fn save(&mut self) -> Option<Effect> {
        let off = self.document.disabled().len();
        if self.file.forgets_comments && off > self.file.forgetting {
            self.file.leaving = self.questions.asked == Some(Question::Quit);
            self.ask(Question::Forgets(off));
            return None;
        }
        Some(self.save_now())
    }

    /// Saves, whatever is switched off.
    pub(super) fn save_now(&mut self) -> Effect {
        self.file.leaving = self.questions.asked == Some(Question::Quit);
        self.close_question();
        Effect::Save
    }

    pub(super) fn open_save_as(&mut self) {
        self.file.leaving = self.questions.asked == Some(Question::Quit);
        self.close_question();
        self.over.elsewhere.clear();
        self.over.writing = None;
        self.mode = Mode::SaveAs;
    }

    /// Leaves; at once where nothing would be lost.
    pub(super) fn quit(&mut self) -> Option<Effect> {
        if self.file.saving {
            self.file.leaving = true;
            self.say("it is being saved; leaves when that is done");
            return None;
        }
        if self.is_modified() {
            self.ask(Question::Quit);
            return None;
        }
        Some(Effect::Quit)
    }
}
