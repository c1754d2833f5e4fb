//! Changing the document: the form, deleting, moving, undoing, remedies.

use std::sync::Arc;

use super::{App, Effect, Form, Mode, Row, Status, Target};
use crate::domain::{
    Broken, Disabled, Document, Entry, EntryId, EntryKind, List, VerbError, canonical,
};
use crate::session::command_line;
use crate::xml::EditSet;

impl App {
    pub(super) fn open_form(&mut self) {
        if let Some((at, broken)) = self.broken_row() {
            let (list, (first, second)) = (broken.list, broken.halves.clone());
            self.form = Some(Form::new(Target::Repair(list, at), &first, &second));
            self.mode = Mode::Form;
            return;
        }
        let Some((list, range)) = self.selection() else { return };
        let text =
            |index: usize| self.document.list(list).get(index).map(|entry| entry.kind.clone());
        let (first, second) = match text(range.start) {
            Some(EntryKind::Env { name, value }) => (name, value.unwrap_or_default()),
            Some(EntryKind::Extra(extra)) => extra.halves(),
            Some(option @ EntryKind::Arg { .. }) => {
                let value = if range.len() == 2 { text(range.start + 1) } else { None };
                (option.text(), value.map(|value| value.text()).unwrap_or_default())
            }
            None => return,
        };
        if first.len() + second.len() > super::MOST_PASTED {
            return self.fail(format!(
                "it has {} bytes, more than an argument of a program can have ({}): delete it, or shorten it in the file",
                first.len() + second.len(),
                super::MOST_PASTED
            ));
        }
        self.form = Some(Form::new(Target::Replace(list, range), &first, &second));
        self.mode = Mode::Form;
    }

    pub(super) fn open_empty(&mut self, list: List, after: bool) {
        let at = match self.selection() {
            Some((selected, range)) if selected == list => {
                if after {
                    range.end
                } else {
                    range.start
                }
            }
            _ if after => self.document.list(list).len(),
            _ => 0,
        };
        self.form = Some(Form::new(Target::Insert(list, at), "", ""));
        self.mode = Mode::Form;
    }

    pub(super) fn accept(&mut self) -> Option<Effect> {
        match self.mode {
            Mode::Search => {
                self.end_search();
                return None;
            }
            Mode::Filter => {
                self.mode = Mode::List;
                return None;
            }
            Mode::HelpSearch => {
                self.mode = Mode::Help;
                return None;
            }
            Mode::Palette => return self.use_palette(),
            Mode::SaveAs => return self.save_elsewhere(),
            Mode::Import => {
                self.review();
                return None;
            }
            Mode::Review => {
                self.take_import();
                return None;
            }
            Mode::Why => {
                self.go_to_answer();
                return None;
            }
            Mode::Answer => {
                self.take_answer();
                return None;
            }
            Mode::List
            | Mode::Side
            | Mode::Form
            | Mode::Remedies
            | Mode::Confirm
            | Mode::Help
            | Mode::Tour
            | Mode::Choose => {}
        }
        let form = self.form.as_mut()?;
        form.put_together();
        let entries = form.entries();
        if form.text(0).is_empty() {
            form.error = Some("the first field is empty".to_owned());
            form.focus = 0;
            return None;
        }
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                form.error = Some(error);
                form.focus = 0;
                return None;
            }
        };
        let target = form.target.clone();
        match self.plan(&target, &entries) {
            Ok((edits, at)) => {
                self.form = None;
                self.mode = Mode::List;
                if edits.is_empty() {
                    self.say("nothing changed");
                } else {
                    self.edit(&edits, Some(EntryId { list: target.list(), index: at }));
                }
            }
            Err(error) => {
                if let Some(form) = &mut self.form {
                    form.error = Some(error);
                }
            }
        }
        None
    }

    /// The edits that put a form's entries where they belong, and the place of the first.
    pub(super) fn plan(
        &self,
        target: &Target,
        entries: &[EntryKind],
    ) -> Result<(EditSet, usize), String> {
        let document = &self.document;
        let said = |error: VerbError| error.to_string();
        match target {
            Target::Repair(list, at) => {
                let broken = document.broken().get(*at).ok_or("it is gone")?;
                let before = |entry: &&Entry| entry.span.start < broken.span.start;
                let place = document.list(*list).iter().filter(before).count();
                Ok((document.repair(broken, entries).map_err(said)?, place))
            }
            Target::Insert(list, at) => {
                Ok((document.insert(*list, *at, entries).map_err(said)?, *at))
            }
            Target::Replace(list, range) => {
                let mut edits = EditSet::new();
                let mut merge = |more: EditSet| {
                    more.edits()
                        .iter()
                        .try_for_each(|edit| edits.push(edit.clone()))
                        .map_err(|overlap| said(overlap.into()))
                };
                for (index, entry) in range.clone().zip(entries) {
                    merge(document.replace(EntryId { list: *list, index }, entry).map_err(said)?)?;
                }
                if entries.len() > range.len() {
                    merge(
                        document.insert(*list, range.end, &entries[range.len()..]).map_err(said)?,
                    )?;
                }
                let gone: Vec<EntryId> = range
                    .clone()
                    .skip(entries.len())
                    .map(|index| EntryId { list: *list, index })
                    .collect();
                merge(document.remove(&gone))?;
                Ok((edits, range.start))
            }
        }
    }

    /// The entries of the selected row when they are switched off.
    pub(super) fn disabled_row(&self) -> Option<Disabled> {
        let Row::Disabled(index) = self.lists.rows.get(self.lists.selected)? else { return None };
        self.document.disabled().get(*index).cloned()
    }

    /// Whether the selected row is something that libvirt does not see.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self.lists.rows.get(self.lists.selected), Some(Row::Lost(..)))
    }

    /// Whether the selected row is about the domain or the host.
    pub(super) fn is_general(&self) -> bool {
        matches!(self.lists.rows.get(self.lists.selected), Some(Row::General(_)))
            && self.lists.marked.is_empty()
    }

    /// What is no entry, on the selected row.
    pub(super) fn broken_row(&self) -> Option<(usize, &Broken)> {
        let Row::Broken(index) = self.lists.rows.get(self.lists.selected)? else { return None };
        Some((*index, self.document.broken().get(*index)?))
    }

    pub(super) fn delete(&mut self) {
        if let Some((_, broken)) = self.broken_row() {
            let edits = self.document.drop_broken(broken);
            return self.edit(&edits, None);
        }
        if let Some(off) = self.disabled_row() {
            let edits = self.document.drop_disabled(&off);
            return self.edit(&edits, None);
        }
        let ids = self.chosen();
        let edits = self.document.remove(&ids);
        let row = self.lists.selected;
        let what = match self.chosen_rows().as_slice() {
            [one] => self.lists.rows.get(*one).map(|row| self.row_text(row)).unwrap_or_default(),
            many => format!("{} rows", many.len()),
        };
        self.edit(&edits, None);
        if self.status.is_none() {
            let what: String = what.chars().take(60).collect();
            self.say(&format!("deleted: {what}; u takes it back"));
        }
        // The cursor stays on its row, which holds the next entry now.
        self.lists.selected = row.min(self.lists.rows.len().saturating_sub(1));
        self.select_entry(None);
    }

    pub(super) fn shift(&mut self, down: bool) {
        let Some((list, range)) = self.selection() else { return };
        let neighbour =
            self.lists.rows.iter().filter_map(Row::entries).find(|(other, other_range)| {
                *other == list
                    && if down {
                        other_range.start == range.end
                    } else {
                        other_range.end == range.start
                    }
            });
        let Some((_, other)) = neighbour else {
            return self.say(if down {
                "no entry that is on stands below"
            } else {
                "no entry that is on stands above"
            });
        };
        let mut order: Vec<usize> = (0..self.document.list(list).len()).collect();
        let start = range.start.min(other.start);
        if down {
            order[start..start + range.len() + other.len()].rotate_left(range.len());
        } else {
            order[start..start + range.len() + other.len()].rotate_left(other.len());
        }
        let at = if down { start + other.len() } else { start };
        match self.document.reorder(list, &order) {
            Ok(edits) => self.edit(&edits, Some(EntryId { list, index: at })),
            Err(error) => self.status = Status::failed(error.to_string()),
        }
    }

    /// Makes an edit; what was there can be had back.
    pub(super) fn edit(&mut self, edits: &EditSet, select: Option<EntryId>) {
        match self.document.apply(edits) {
            Ok(next) => {
                self.edits.history.record(self.document.source(), self.selected_entry());
                self.replace(next, select);
            }
            Err(error) => {
                self.status = Status::failed(format!("the change was not made: {}", error.message));
            }
        }
    }

    pub(super) fn travel(&mut self, forward: bool) {
        let (source, selected) = (self.document.source().to_owned(), self.selected_entry());
        let snapshot = if forward {
            self.edits.history.redo(&source, selected)
        } else {
            self.edits.history.undo(&source, selected)
        };
        let Some(snapshot) = snapshot else { return };
        let edits = EditSet::between(&source, &snapshot.source);
        let what = changed(&source, &edits);
        if let Ok(document) = Document::parse(snapshot.source) {
            // The cursor goes to what changed, where that is an entry now.
            let at = edits.edits().first().map(|edit| edit.span.start);
            let is_there = |entry: &&Entry| at.is_some_and(|at| entry.span.contains(&at));
            let there = document.entries().find(is_there).map(|entry| entry.id);
            self.replace(document, there.or(snapshot.selected));
        }
        let (back, ahead) = self.edits.history.depth();
        self.say(&match (forward, self.is_modified()) {
            (_, false) => "this is the text as it was saved".to_owned(),
            (false, true) => format!("taken back{what}; {back} more, Ctrl-r makes it again"),
            (true, true) => format!("made again{what}; {ahead} more"),
        });
    }

    pub(super) fn replace(&mut self, document: Document, select: Option<EntryId>) {
        self.lists.marked.clear();
        self.line = Arc::new(command_line(&document));
        self.document = Arc::new(document);
        self.refresh();
        self.select_entry(select);
    }

    /// Writes the passthrough as libvirt does.
    pub(super) fn canonicalise(&mut self) {
        match canonical::plan(&self.document) {
            Ok(edits) if edits.is_empty() => {
                self.say("the passthrough is written as libvirt writes it already");
            }
            Ok(edits) => {
                self.edit(&edits, self.selected_entry());
                if self.status.is_none() {
                    self.say("written as libvirt writes it; 4 shows what changed, u takes it back");
                }
            }
            Err(error) => self.status = Status::failed(error.to_string()),
        }
    }

    /// Gives what is typed, or the selected entry, to the editor of the user's choice.
    pub(super) fn hand_to_own_editor(&mut self) -> Option<Effect> {
        if self.form.is_none() {
            self.open_form();
        }
        let form = self.form.as_mut()?;
        form.put_together();
        Some(Effect::Outside(form.text(form.focus)))
    }

    /// Shows the pairs of what is typed one by one.
    pub(super) fn take_apart(&mut self) {
        let named = self.document.facts().emulator.as_deref();
        let host = self.judging.host.as_ref();
        let emulator = host.and_then(|host| host.emulator_of(named).ok());
        let taken = self.form.as_mut().map(|form| form.take_apart(emulator));
        if let Some(Err(why)) = taken {
            self.status = Status::failed(why);
        }
    }

    /// Takes the first suggestion over into what is typed.
    pub(super) fn complete(&mut self) {
        let candidates = self.candidates();
        let is_taken = self.form.as_mut().is_some_and(|form| form.complete(candidates));
        if !is_taken {
            self.say("there is no suggestion here");
        }
    }
}

/// What an edit brings or takes away, in a few letters.
fn changed(before: &str, edits: &EditSet) -> String {
    let Some(edit) = edits.edits().first() else { return String::new() };
    let (sign, text) = match edit.text.trim() {
        "" => ('-', before[edit.span.clone()].trim()),
        text => ('+', text),
    };
    let line: String = text.lines().next().unwrap_or_default().chars().take(32).collect();
    format!(" ({sign} {line})")
}
