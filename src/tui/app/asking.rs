//! What is asked outside: the host, libvirt for some tabs, directories for completion; and the map of layers.

use std::collections::hash_map::Entry;

use super::{Answer, App, Asked, Candidate, Pane};
use crate::domain::List;
use crate::facts::emulator::Emulator;
use crate::tui::{completion, matrix};

impl App {
    /// The tab that is shown, when its content has to be asked for.
    pub fn wants_answer(&self) -> Option<Pane> {
        let fresh =
            |asked: &Asked| asked.source == self.document.source() || asked.answer.is_none();
        Some(self.side.pane)
            .filter(|pane| pane.asks() && !self.judging.asked.get(pane).is_some_and(fresh))
    }

    /// The content of a tab is being asked for.
    pub fn asking(&mut self, pane: Pane) {
        let source = self.document.source().to_owned();
        self.judging.asked.insert(pane, Asked { source, answer: None });
    }

    /// The answer has come; one about an older text makes room for the next question.
    pub fn answered(&mut self, pane: Pane, source: String, answer: Answer) {
        if let Entry::Occupied(mut asked) = self.judging.asked.entry(pane) {
            asked.insert(Asked { source, answer: Some(answer) });
        }
    }

    /// What came back for a tab about the document as it stands.
    pub fn answer_of(&self, pane: Pane) -> Option<&Answer> {
        let asked =
            self.judging.asked.get(&pane).filter(|asked| asked.source == self.document.source())?;
        asked.answer.as_ref()
    }

    /// The line of the map of layers that is chosen.
    pub fn matrix_line(&self) -> Option<usize> {
        let (list, range) = self.selection()?;
        let lines = matrix::lines(&self.line, &self.judging.findings);
        let mut own = (0..lines.len()).filter(|&at| {
            let entry = lines[at].entry;
            entry.list == list && range.contains(&entry.index)
        });
        let last = own.clone().next_back();
        own.nth(self.side.cell).or(last)
    }

    /// Goes along the lines of the map; the selection follows.
    pub(super) fn walk_matrix(&mut self, by: isize) {
        self.choose_matrix_line(self.matrix_line().map_or(0, |at| at.saturating_add_signed(by)));
    }

    /// Chooses a line of the map, or the last; the selection follows.
    pub(super) fn choose_matrix_line(&mut self, at: usize) {
        let lines = matrix::lines(&self.line, &self.judging.findings);
        let Some(last) = lines.len().checked_sub(1) else { return };
        let at = at.min(last);
        let entry = lines[at].entry;
        self.select_entry(Some(entry));
        let (list, range) = self.selection().unwrap_or((entry.list, 0..0));
        let before =
            |line: &&matrix::Line| line.entry.list == list && range.contains(&line.entry.index);
        self.side.cell = lines[..at].iter().filter(before).count();
    }

    /// What the host's QEMU can do, as far as it is known.
    pub(super) fn emulator(&self) -> Option<&Emulator> {
        let named = self.document.facts().emulator.as_deref();
        self.judging.host.as_ref()?.emulator_of(named).ok()
    }

    /// What can come next in the form.
    pub fn candidates(&self) -> Vec<Candidate> {
        let Some(form) = &self.form else { return Vec::new() };
        let aliases = &self.document.facts().aliases;
        let devices: Vec<String> = aliases
            .iter()
            .filter(|(group, _)| *group == "device")
            .map(|(_, alias)| alias.clone())
            .collect();
        if form.target.list() == List::Args && (form.focus == 1 || form.parts.is_some()) {
            let (option, value) = form.completed();
            let ids = completion::ids(&option, &value, &self.line);
            if !ids.is_empty() {
                return ids;
            }
        }
        form.candidates(self.emulator(), &devices, self.over.listing.as_ref())
    }

    /// The directory whose names would complete what is typed, when it was not listed yet.
    pub fn wants_listing(&self) -> Option<String> {
        let form = self
            .form
            .as_ref()
            .filter(|form| form.target.list() == List::Args)
            .filter(|form| form.focus == 1 || form.parts.is_some())?;
        let (option, value) = form.completed();
        let (_, directory, _) = completion::path(&option, &value)?;
        let known = self.over.listing.as_ref().is_some_and(|(listed, _)| listed == directory);
        (!known).then(|| directory.to_owned())
    }

    /// What stands in a directory; nothing where it can't be listed.
    pub fn listed(&mut self, directory: String, names: Vec<String>) {
        self.over.listing = Some((directory, names));
    }

    /// The device or object in the form whose properties the host was not asked about.
    pub fn unknown_type(&self) -> Option<String> {
        let form = self.form.as_ref().filter(|form| form.target.list() == List::Args)?;
        let (option, value) = (form.text(0), form.text(1));
        let (group, name) = completion::driver(&option, &value)?;
        let emulator = self.emulator()?;
        let table = if group == "device" { &emulator.devices } else { &emulator.objects };
        let name = crate::qemu::catalog::unalias(name);
        table.get(name).filter(|properties| properties.is_empty()).map(|_| name.to_owned())
    }

    /// Whether the document names something that the host was not asked about; `learned` is the type asked about last.
    pub fn needs_probe(&self, learned: Option<&String>) -> bool {
        if self.judging.probing {
            return false;
        }
        let unknown = self.unknown_type();
        unknown.is_some() && unknown.as_ref() != learned
            || self.judging.host.as_ref().is_some_and(|host| {
                let unseen = self
                    .line
                    .uses
                    .iter()
                    .filter_map(|usage| usage.resource.path())
                    .any(|(path, _)| !host.paths.contains_key(path));
                unseen
                    || !host
                        .identities
                        .contains_key(&crate::libvirt::identity::dac_label(self.document.facts()))
            })
    }
}
