//! Several rows at once: marks, and what is done to all of them; the editor's own clipboard.

use super::{App, Effect, Row, Status};
use crate::domain::{Document, EntryId, EntryKind, List, canonical};
use crate::words::quote;
use crate::xml::EditSet;

impl App {
    /// Marks the selected row, or takes its mark away, and goes on to the next.
    pub(super) fn mark(&mut self) {
        if !self.lists.marked.remove(&self.lists.selected) {
            self.lists.marked.insert(self.lists.selected);
        }
        self.step(1);
    }

    /// The rows that an action is about: the marked ones, or the selected one.
    pub(super) fn chosen_rows(&self) -> Vec<usize> {
        if self.lists.marked.is_empty() {
            vec![self.lists.selected]
        } else {
            self.lists.marked.iter().copied().collect()
        }
    }

    /// The entries of those rows.
    pub(super) fn chosen(&self) -> Vec<EntryId> {
        let entries = |row: usize| self.lists.rows.get(row).and_then(Row::entries);
        self.chosen_rows()
            .into_iter()
            .filter_map(entries)
            .flat_map(|(list, range)| range.map(move |index| EntryId { list, index }))
            .collect()
    }

    fn chosen_kinds(&self) -> Vec<EntryKind> {
        self.chosen()
            .into_iter()
            .filter_map(|id| Some(self.document.entry(id)?.kind.clone()))
            .collect()
    }

    /// Copies the entries as XML, or as words for a shell.
    pub(super) fn copy(&mut self, shell: bool) -> Option<Effect> {
        let kinds = self.chosen_kinds();
        let text = if shell {
            // Variables come before the command in a shell.
            let (variables, others): (Vec<&EntryKind>, Vec<&EntryKind>) =
                kinds.iter().partition(|kind| kind.list() == List::Envs);
            let words: Vec<String> =
                variables.into_iter().chain(others).map(EntryKind::text).collect();
            quote(&words.iter().map(String::as_str).collect::<Vec<_>>())
        } else {
            let entries = self.chosen().into_iter().filter_map(|id| self.document.entry(id));
            entries.map(|entry| format!("{}\n", canonical::element(entry))).collect()
        };
        self.edits.clipboard = kinds;
        let what = if shell { "a shell line" } else { "XML" };
        self.say(&format!(
            "copied as {what}, if your terminal allows it (OSC 52); P puts it in here"
        ));
        Some(Effect::Copy(text))
    }

    pub(super) fn cut(&mut self) -> Option<Effect> {
        let effect = self.copy(false);
        let kept = self.edits.clipboard.len();
        self.delete();
        self.say(&format!("{kept} entries cut; P puts them in after the selected one"));
        effect
    }

    /// Puts entries in after the row `here`, as one step to undo; those of another list after the last of theirs.
    pub(super) fn put(
        &mut self,
        kinds: &[EntryKind],
        here: Option<&(List, std::ops::Range<usize>)>,
    ) {
        let mut document = Document::clone(&self.document);
        let mut first = None;
        for list in [List::Args, List::Envs, List::Extras] {
            let own: Vec<EntryKind> =
                kinds.iter().filter(|kind| kind.list() == list).cloned().collect();
            if own.is_empty() {
                continue;
            }
            let at = match here {
                Some((selected, range)) if *selected == list => range.end,
                _ => document.list(list).len(),
            };
            let next = document
                .insert(list, at, &own)
                .map_err(|error| error.to_string())
                .and_then(|edits| document.apply(&edits).map_err(|error| error.message));
            match next {
                Ok(next) => document = next,
                Err(error) => {
                    self.status = Status::failed(error);
                    return;
                }
            }
            first = first.or(Some(EntryId { list, index: at }));
        }
        let edits = EditSet::between(self.document.source(), document.source());
        self.edit(&edits, first);
    }

    pub(super) fn duplicate(&mut self) {
        let kinds = self.chosen_kinds();
        self.put(&kinds, self.selection().as_ref());
        if self.status.is_none() {
            self.say("duplicated; what may be there once (an id, a name) must be changed in one");
        }
    }

    /// Switches every chosen row off, or on again where the first of them is off.
    pub(super) fn toggle(&mut self) {
        let rows = self.chosen_rows();
        let enabling = rows
            .first()
            .is_some_and(|row| matches!(self.lists.rows.get(*row), Some(Row::Disabled(_))));
        let plan = |document: &Document, row: &Row| {
            if !enabling {
                let (list, range) = row.entries()?;
                return Some(document.disable(list, range).map_err(|error| error.to_string()));
            }
            let Row::Disabled(index) = row else { return None };
            let off = document.disabled().get(*index)?;
            Some(document.enable(off).map_err(|error| error.to_string()))
        };
        let mut document = Document::clone(&self.document);
        // From the last to the first, so that the places of the others stay as they are.
        for row in rows.iter().rev().filter_map(|row| self.lists.rows.get(*row)) {
            let next = plan(&document, row).map(|planned| {
                planned.and_then(|edits| document.apply(&edits).map_err(|error| error.message))
            });
            match next {
                Some(Ok(next)) => document = next,
                Some(Err(error)) => {
                    self.status = Status::failed(error);
                    return;
                }
                None => {}
            }
        }
        let row = self.lists.selected;
        let edits = EditSet::between(self.document.source(), document.source());
        self.edit(&edits, None);
        self.lists.selected = row.min(self.lists.rows.len().saturating_sub(1));
        self.select_entry(None);
        if self.status.is_none() {
            self.say(match (enabling, self.file.forgets_comments) {
                (true, _) => "switched on",
                (false, false) => {
                    "switched off: a comment from the next save on; Space switches it on"
                }
                (false, true) => {
                    "switched off; libvirt keeps no comments: once defined, it is gone"
                }
            });
        }
    }
}
