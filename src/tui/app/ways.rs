//! What can be done about the selected row: the steps of the way that is known, then what else there is.

use std::sync::Arc;

use super::planned::{for_a_shell, script};
use super::{App, Effect, Mode, Row};
use crate::domain::{Document, EntryId, List};
use crate::rules::{Finding, Layer, Remedy, Route, Step, Verdict};
use crate::xml::EditSet;

/// Something that can be done.
#[derive(Debug, Clone)]
pub struct Way {
    /// What is done.
    pub remedy: Remedy,
    /// The document that it is done to.
    pub document: Arc<Document>,
    /// Whose word it answers.
    pub layer: Layer,
    /// It is a step of the way; others stand in the place of one.
    pub is_planned: bool,
}

impl Way {
    /// What Enter does with it.
    pub fn verb(&self) -> &'static str {
        match &self.remedy.step {
            Step::EditXml(_) => "edit",
            Step::RunCommand(_) => "copy",
            Step::SetOption { .. } => "setting",
            Step::Nothing => "by hand",
        }
    }

    /// The text that is handed to the operator; nothing where the editor does it.
    pub fn handed(&self) -> Option<String> {
        match &self.remedy.step {
            Step::EditXml(_) => self.remedy.then.clone(),
            Step::RunCommand(command) => Some(command.clone()),
            Step::SetOption { file, line } => Some(format!("# in {file}:\n{line}")),
            Step::Nothing => Some(format!("# {}", self.remedy.title)),
        }
    }

    /// The text of the document once it is done, with the edits of the steps before it.
    pub fn edited(&self) -> Option<String> {
        match &self.remedy.step {
            Step::EditXml(edits) => Some(edits.apply(self.document.source())),
            Step::RunCommand(_) | Step::SetOption { .. } | Step::Nothing => None,
        }
    }
}

/// The way of some entries, as it was looked for beside the keys.
#[derive(Default)]
pub struct Found {
    /// The document and the entries that it is about.
    pub of: Option<(Arc<Document>, Vec<EntryId>)>,
    /// The way; nothing while it is looked for.
    pub route: Option<Route>,
}

impl App {
    /// The entries whose way is to be looked for: those of the selected row, where something blocks it.
    pub fn wants_way(&self) -> Option<Vec<EntryId>> {
        let settled = self.judging.host.is_some()
            && self.is_judged()
            && !self.judging.asking
            && !self.judging.probing;
        if !settled || self.waiting_for().is_some() {
            return None;
        }
        let entries = self.blocked_entries()?;
        let is_known = |(document, of): &(Arc<Document>, Vec<EntryId>)| {
            *of == entries && Arc::ptr_eq(document, &self.document)
        };
        (!self.judging.way.of.as_ref().is_some_and(is_known)).then_some(entries)
    }

    /// A way is being looked for.
    pub fn looking_for_way_of(&mut self, entries: Vec<EntryId>) {
        self.judging.way = Found { of: Some((Arc::clone(&self.document), entries)), route: None };
    }

    /// The way was found, for a text and some of its entries; another one is of no use any more.
    pub fn found_way(&mut self, text: &str, entries: &[EntryId], route: Route) {
        let is_asked =
            |(of, about): &(Arc<Document>, Vec<EntryId>)| about == entries && of.source() == text;
        if self.judging.way.of.as_ref().is_some_and(is_asked) {
            let chosen = self.chosen_way().map(|way| way.remedy);
            self.judging.way.route = Some(route);
            // The steps come before what was there; what was chosen stays chosen.
            let at = self.ways().iter().position(|way| Some(&way.remedy) == chosen.as_ref());
            self.over.remedy = at.unwrap_or(0);
        }
    }

    /// The entries of the selected row, where something blocks it.
    pub(super) fn blocked_entries(&self) -> Option<Vec<EntryId>> {
        let row = self.lists.rows.get(self.lists.selected)?;
        if self.verdict_of(row) != Some(Verdict::Blocks) {
            return None;
        }
        let (list, range) = row.entries()?;
        Some(range.map(|index| EntryId { list, index }).collect())
    }

    /// The way of the selected row, where it is known and leads somewhere.
    pub(super) fn route(&self) -> Option<&Route> {
        let (document, of) = self.judging.way.of.as_ref()?;
        let is_here =
            Arc::ptr_eq(document, &self.document) && Some(of) == self.blocked_entries().as_ref();
        self.judging.way.route.as_ref().filter(|route| is_here && !route.stages.is_empty())
    }

    /// Whether the steps lead to the end: nothing that is known blocks the row after them.
    pub fn way_is_whole(&self) -> bool {
        self.route().is_some_and(|route| route.left.is_empty())
    }

    /// What can be done about the selected row.
    pub fn ways(&self) -> Vec<Way> {
        let mut ways: Vec<Way> = Vec::new();
        for stage in self.route().into_iter().flat_map(|route| &route.stages) {
            ways.push(Way {
                remedy: stage.remedy.clone(),
                document: Arc::clone(&stage.document),
                layer: stage.finding.layer,
                is_planned: true,
            });
        }
        for (finding, remedy) in self.remedies() {
            let is_there = ways.iter().any(|way| way.remedy == *remedy);
            if remedy.is_a_step() && !is_there {
                ways.push(self.way(finding, remedy));
            }
        }
        ways
    }

    fn way(&self, finding: &Finding, remedy: &Remedy) -> Way {
        Way {
            remedy: remedy.clone(),
            document: Arc::clone(&self.document),
            layer: finding.layer,
            is_planned: false,
        }
    }

    /// The way that is chosen.
    pub fn chosen_way(&self) -> Option<Way> {
        self.ways().into_iter().nth(self.over.remedy)
    }

    /// Opens the choice of what can be done, beside the row.
    pub(super) fn open_ways(&mut self) {
        self.over.remedy = 0;
        self.side.scroll = 0;
        self.enter(Mode::Remedies);
    }

    /// Does what is chosen: edits the document, or copies what is for the operator.
    pub(super) fn use_remedy(&mut self) -> Option<Effect> {
        let way = self.chosen_way()?;
        let Some(edited) = way.edited() else {
            let text = way.handed()?;
            self.say(&format!(
                "copied (OSC 52, where the terminal takes it); o: to a file, {}: look again",
                self.key_of(super::Action::Probe)
            ));
            return Some(Effect::Copy(text));
        };
        self.mode = Mode::List;
        let selected = self.selected_entry();
        let lost = self.lost_text();
        let edits = EditSet::between(self.document.source(), &edited);
        self.edit(&edits, selected);
        // What was lost and is back is where one looks next.
        if let Some((list, text)) = lost {
            let same = |entry: &&crate::domain::Entry| entry.kind.text() == text;
            let back = self.document.list(list).iter().find(same).map(|entry| entry.id);
            self.select_entry(back);
        }
        let failed = self.status.is_some();
        if failed {
            return None;
        }
        match way.remedy.then {
            Some(command) => {
                self.say(&format!("done in the document; to run then, and copied: {command}"));
                Some(Effect::Copy(command))
            }
            None => {
                self.say("done in the document: 4 shows it, u takes it back");
                None
            }
        }
    }

    /// The first entry of the selected row, where libvirt does not see it.
    fn lost_text(&self) -> Option<(List, String)> {
        let Row::Lost(lost, range) = self.lists.rows.get(self.lists.selected)? else { return None };
        let entry = self.document.lost().get(*lost)?.entries.get(range.start)?;
        Some((entry.list, entry.text.clone()))
    }

    /// Everything that is for the operator, in its order: the steps of the way, or every way out where there is none.
    pub fn handed_out(&self) -> String {
        let ways = self.ways();
        let has_way = ways.iter().any(|way| way.is_planned);
        let wanted = ways.iter().filter(|way| way.is_planned || !has_way);
        wanted.map(|way| for_a_shell(&way.remedy)).collect()
    }

    /// Copies all of it.
    pub(super) fn copy_ways(&mut self) -> Option<Effect> {
        let text = self.handed_out();
        if text.is_empty() {
            self.say("nothing of it is for the host; Enter does it in the document");
            return None;
        }
        self.say("copied, where the terminal allows it (OSC 52); o writes it to a file");
        Some(Effect::Copy(text))
    }

    /// Asks where to write all of it.
    pub(super) fn write_ways(&mut self) {
        let text = self.handed_out();
        if text.is_empty() {
            self.say("nothing of it is for the host; Enter does it in the document");
            return;
        }
        self.write_out(script(&self.outlook().long, &text), "steps.sh");
    }

    /// The key of an action in the mode that is on.
    fn key_of(&self, action: super::Action) -> String {
        self.keymap.key_of(self.mode, action).unwrap_or_default()
    }

    /// Whether something can be done about a row that is no entry: it has findings with steps.
    pub(super) fn has_ways(&self) -> bool {
        self.remedies().iter().any(|(_, remedy)| remedy.is_a_step()) || self.route().is_some()
    }

    /// Why nothing can be done about the selected row.
    pub(super) fn no_way(&self) -> &'static str {
        let row = self.lists.rows.get(self.lists.selected);
        match row.and_then(|row| self.verdict_of(row)) {
            Some(Verdict::Blocks) => "no remedy is known for this; the pane below says why",
            Some(Verdict::Warns) => "no remedy is known for this warning; the pane below says why",
            Some(Verdict::Unknown) => {
                "it is not known whether it needs one; the pane below says why"
            }
            Some(Verdict::Note | Verdict::Allows) | None => {
                if matches!(row, Some(Row::Disabled(_))) {
                    "it is switched off"
                } else {
                    "nothing here needs a remedy"
                }
            }
        }
    }
}
