//! Judging, which takes as long as it takes: the shell does it beside the keys, and the findings come when they come.

use std::sync::Arc;

use super::{App, Findings, Mode, Tally};
use crate::domain::Document;
use crate::facts::answers::{Answers, digest};
use crate::facts::{HostFacts, Known};
use crate::qemu::CommandLine;
use crate::rules::{self, Finding, Remedy, Verdict};
use crate::tui::columns;
use crate::tui::rows::{Row, fold, rows};

/// Of more texts what libvirt and QEMU said is forgotten.
const MOST_ANSWERS: usize = 64;

/// A document on a host, to be judged.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The state of the editor that it is about.
    pub revision: u64,
    document: Arc<Document>,
    line: Arc<CommandLine>,
    host: Arc<HostFacts>,
}

impl Judgement {
    /// Judges.
    pub fn findings(&self) -> Vec<Finding> {
        rules::judge(&self.document, &self.line, &self.host)
    }
}

impl App {
    /// Whether the findings are about the document as it stands.
    pub fn is_judged(&self) -> bool {
        self.judging.judged == self.judging.revision || self.judging.host.is_none()
    }

    /// What is to be judged; nothing where the findings are up to date.
    pub fn unjudged(&self) -> Option<Judgement> {
        if self.is_judged() {
            return None;
        }
        let host = Arc::clone(self.judging.host.as_ref()?);
        let (document, line) = (Arc::clone(&self.document), Arc::clone(&self.line));
        Some(Judgement { revision: self.judging.revision, document, line, host })
    }

    /// The findings have come; those about an earlier state are dropped.
    pub fn judged(&mut self, revision: u64, mut findings: Vec<Finding>) {
        if revision != self.judging.revision {
            return;
        }
        self.judging.judged = revision;
        let host = self.judging.host.as_ref();
        let answers = host.and_then(|host| host.answers_to(self.document.source()));
        self.judging.qemu_asked =
            answers.is_some_and(|answers| matches!(answers.qemu, Known::Yes(_)));
        self.withhold(&mut findings);
        self.judging.findings = Findings::of(findings);
        self.read_message();
        self.arrange();
        self.keep_choice();
        if self.mode == Mode::Remedies && !self.has_ways() {
            // What was to be done is done.
            self.mode = Mode::List;
            self.say("nothing is left to be done here");
        }
        // Once somebody does something, the cursor is theirs.
        if !self.side.touched {
            self.go_to_worst();
        }
    }

    /// Selects the first row of those with the worst verdict, where something is wrong.
    fn go_to_worst(&mut self) {
        let wrong = self.lists.rows.iter().enumerate().filter(|(_, row)| row.is_selectable());
        let wrong = wrong.filter_map(|(at, row)| Some((self.verdict_of(row)?, at)));
        if let Some((_, at)) = wrong.min().filter(|(worst, _)| *worst <= Verdict::Unknown) {
            self.select(at);
        }
    }

    /// What libvirt and QEMU are to be asked about, and the host on which: the document as it stands, once the rules have
    /// spoken.
    pub fn wants_judges(&self) -> Option<(Arc<Document>, Arc<HostFacts>)> {
        let host = self.judging.host.as_ref()?;
        let is_new = self
            .judging
            .asked_about
            .as_ref()
            .is_none_or(|asked| !Arc::ptr_eq(asked, &self.document));
        let is_free = !self.judging.asking && !self.judging.probing && self.is_judged();
        (is_new && is_free).then(|| (Arc::clone(&self.document), Arc::clone(host)))
    }

    /// libvirt and QEMU are being asked about a document.
    pub fn asking_judges(&mut self, document: Arc<Document>) {
        self.judging.asking = true;
        self.judging.asked_about = Some(document);
    }

    /// libvirt and QEMU have answered about a text. What was found stays until it is judged anew.
    pub fn heard(&mut self, text: &str, answers: Answers) {
        self.judging.asking = false;
        let Some(host) = &mut self.judging.host else { return };
        // What was said to earlier texts counts again when they come back by undo.
        let answers_so_far = &mut Arc::make_mut(host).answers;
        if answers_so_far.len() >= MOST_ANSWERS {
            answers_so_far.clear();
        }
        answers_so_far.insert(digest(text), answers);
        self.judging.revision += 1;
        self.read_import_again();
    }

    /// What is offered for the document as it stands was proved; some of it does not do what it promises.
    pub fn proved(&mut self, withheld: Vec<String>) {
        self.judging.withheld = withheld.into_iter().collect();
        let mut findings = std::mem::take(&mut self.judging.findings).into_all();
        self.withhold(&mut findings);
        self.judging.findings = Findings::of(findings);
        self.keep_choice();
    }

    /// The choice among what can be done stays among what is there.
    fn keep_choice(&mut self) {
        if self.mode == Mode::Remedies {
            self.over.remedy = self.over.remedy.min(self.ways().len().saturating_sub(1));
        }
    }

    /// Takes out the remedies that are withheld.
    fn withhold(&self, findings: &mut [Finding]) {
        if self.judging.withheld.is_empty() {
            return;
        }
        let helps = |remedy: &Remedy| {
            remedy.key(&self.document).is_none_or(|key| !self.judging.withheld.contains(&key))
        };
        for finding in findings {
            finding.remedies.retain(helps);
        }
    }

    /// Judges here and now, for who has the time.
    pub fn settle(&mut self) {
        if let Some(judgement) = self.unjudged() {
            self.judged(judgement.revision, judgement.findings());
        }
    }

    /// The document, or what is known of the host, is another one.
    ///
    /// What was said about entries is dropped, since they may be others now; rows about the whole document stay until they
    /// are judged anew, so that the cursor does not jump.
    pub(super) fn refresh(&mut self) {
        self.judging.revision += 1;
        let mut findings = std::mem::take(&mut self.judging.findings).into_all();
        findings.retain(|finding| finding.entry.is_none());
        self.judging.findings = Findings::of(findings);
        self.arrange();
    }

    /// Makes the rows anew, with the filters that are on; the selected entry, or else the row, stays selected.
    pub(super) fn arrange(&mut self) {
        let selected = self.selected_entry();
        let place = self.place_in_section();
        let marked: Vec<Row> =
            self.lists.marked.iter().filter_map(|at| self.lists.rows.get(*at)).cloned().collect();
        let all = rows(&self.document, &self.line, &self.judging.findings);
        self.judging.tally = Tally::of(self, &all);
        self.lists.widths = columns::widths(&self.document, &self.line, &all);
        let passed = all.into_iter().filter(|row| !row.is_selectable() || self.passes(row));
        self.lists.rows = fold(passed.collect(), &self.lists.folded);
        // What is marked stays marked where it is shown.
        let rows = self.lists.rows.iter().enumerate();
        let is_marked = |(_, row): &(usize, &Row)| marked.contains(row);
        self.lists.marked = rows.filter(is_marked).map(|(at, _)| at).collect();
        if selected.is_none() {
            self.go_to_place(place);
        }
        self.select_entry(selected);
    }
}
