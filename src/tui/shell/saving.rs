//! Saving, and whose turn it is to edit.

use std::path::PathBuf;

use super::{Editor, Keeping, Message, background, offer};
use crate::store::journal::{self, Journal};
use crate::store::{self, SavedAs, Source, Way};
use crate::tui::action::Effect;
use crate::tui::app::Ending;

impl Editor {
    /// Saves in the background: a slow disk or a virsh that hangs stops no key.
    pub(super) fn save(&mut self, way: Way) {
        let Some(source) = self.source.clone() else {
            self.app.failed("there is no file to save; S saves to one".to_owned());
            return;
        };
        let asked = self.app.document.source().to_owned();
        let journal = self.journal().cloned();
        if journal.as_ref().is_some_and(|journal| !journal.is_ours()) {
            self.app.failed("another session took it over; S saves elsewhere".to_owned());
            return;
        }
        let of_virsh = source.origin(&self.app.document.facts().name).is_of_virsh();
        self.app.saving_began();
        let work = move || {
            let keep = |old: &str| back_up(journal.as_ref(), old);
            let saved = source.save(&asked, way, &keep);
            let (ending, next) = Ending::of(saved, asked.clone(), of_virsh);
            Some(Message::Saved { asked, ending, next, elsewhere: false })
        };
        background::run(&self.session.sender(), "saving", work);
    }

    /// Saves to another path in the background.
    pub(super) fn save_as(&mut self, path: &str, over: bool) {
        let asked = self.app.document.source().to_owned();
        let target = at_home(path);
        let shown = path.to_owned();
        let like = match &self.source {
            Some(Source::File(file)) => Some(file.clone()),
            Some(Source::Libvirt(_)) | None => None,
        };
        self.app.saving_began();
        let work = move || {
            // What is written over there is kept as that file's text, not as the one that was edited.
            let keep = |old: &str| {
                let real = std::fs::canonicalize(&target).map_err(|error| error.to_string())?;
                journal::backup(&store::Origin::of_file(&real, ""), old)
            };
            let (ending, next) = match store::save_as(&target, &asked, like.as_ref(), over, &keep) {
                Ok(SavedAs::Written(file)) => Ending::of(
                    Ok(store::Saved::Written(Source::File(file), None)),
                    asked.clone(),
                    false,
                ),
                Ok(SavedAs::Exists) => (Ending::Exists(shown), None),
                Err(error) => Ending::of(Err(error), asked.clone(), false),
            };
            Some(Message::Saved { asked, ending, next, elsewhere: true })
        };
        background::run(&self.session.sender(), "saving", work);
    }

    /// Writes a text that is no document to a new file.
    pub(super) fn write_out(&self, path: String, text: String) {
        let target = at_home(&path);
        let work = move || {
            let written = store::create_private(&target, &text).map_err(|error| error.to_string());
            let whole = std::path::absolute(&target).map(|path| path.display().to_string());
            Some(Message::Wrote(whole.unwrap_or(path), written))
        };
        background::run(&self.session.sender(), "writing", work);
    }

    /// What is done after saving, however it ended.
    pub(super) fn saved(
        &mut self,
        asked: &str,
        ending: Ending,
        next: Option<Source>,
        elsewhere: bool,
    ) -> Option<Effect> {
        let ended_well = matches!(ending, Ending::Saved(..));
        // Copies of earlier sessions go only when the file that they are of was written.
        let written = ended_well && next.is_some() && !elsewhere;
        if let Some(next) = next {
            if elsewhere {
                self.app.moved_to(next.title());
            }
            self.source = Some(next);
        }
        let effect = self.app.saving_ended(asked, ending);
        if written && let Some(journal) = self.journal() {
            journal.discard_all();
        }
        if ended_well && elsewhere {
            self.move_journal();
        }
        effect
    }

    /// What is edited is another file from now on: so is its journal, and what is watched.
    fn move_journal(&mut self) {
        if let Keeping::Journal(journal) = &self.keeping {
            // The edits are saved; what could not be removed is removed by a later start.
            let _ = journal.close(true, super::LAST_WRITE);
        }
        let Some(source) = &self.source else { return };
        self.way = Way::Replace;
        let opened = journal::open(&source.origin(&self.app.document.facts().name));
        self.keep_in(opened.into());
        self.watch();
    }

    /// Takes the session of another process over, and offers its edits.
    pub(super) fn take_over(&mut self) {
        let Keeping::Elsewhere(busy) = std::mem::replace(&mut self.keeping, Keeping::Nothing)
        else {
            return;
        };
        match busy.take_over() {
            Ok(journal) => {
                offer(&mut self.app, &journal);
                self.keep_in(Keeping::Journal(journal));
            }
            Err(why) => self.app.unkept(&why),
        }
    }

    /// Keeps edits that can't be saved here, since another session is the one that saves.
    pub(super) fn keep_beside(&mut self) {
        if let Keeping::Elsewhere(busy) = std::mem::replace(&mut self.keeping, Keeping::Nothing) {
            self.keep_in(Keeping::Journal(busy.beside()));
        }
    }

    /// Throws kept edits away, once those on the screen are safe.
    pub(super) fn discard(&mut self, name: &str) {
        self.keep();
        if let Some(journal) = self.journal()
            && journal.flush(super::LAST_WRITE).is_ok()
        {
            journal.discard(name);
        }
    }

    fn journal(&self) -> Option<&Journal> {
        match &self.keeping {
            Keeping::Journal(journal) => Some(journal),
            Keeping::Elsewhere(_) | Keeping::Nothing => None,
        }
    }
}

fn back_up(journal: Option<&Journal>, old: &str) -> Result<PathBuf, String> {
    match journal {
        Some(journal) => journal.backup(old),
        None => Err("the state directory can't be used".to_owned()),
    }
}

/// A path with `~` for the home directory, as shells read it.
fn at_home(path: &str) -> PathBuf {
    let home = directories::BaseDirs::new().map(|base| base.home_dir().to_owned());
    match (path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')), home) {
        (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}
