//! The way from a document that is blocked to a VM that starts: the shortest sequence of remedies, in the order in which they
//! are to be done. Each is carried out on a copy of the document or of the facts, and all rules look at that.

mod carried;
mod reach;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

pub use reach::Reach;
pub(super) use reach::reach;

use super::{Finding, Remedy, Scope, Step, Verdict};
use crate::domain::{Document, EntryId};
use crate::facts::HostFacts;

/// More remedies than this for one thing are no plan any more.
const MOST_STEPS: usize = 8;
/// So many states are looked at for one thing.
const MOST_STATES: usize = 48;

/// One step of the way.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What it settles.
    pub finding: Finding,
    /// What is done.
    pub remedy: Remedy,
    /// The document that it is done to, where it is an edit.
    pub document: Arc<Document>,
}

/// The way, as far as one is known.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// The steps in their order.
    pub stages: Vec<Stage>,
    /// What still blocks after them.
    pub left: Vec<Finding>,
    /// What is not known after them.
    pub unknown: Vec<Finding>,
    /// It is about some entries only; others may block as well.
    pub partial: bool,
}

/// Who does a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The editor, or `--fix`.
    Editor,
    /// Somebody who may change the host.
    Operator,
    /// The same, who then restarts libvirt's daemon.
    OperatorAndDaemon,
}

impl Actor {
    /// Who does what is to be done for a remedy.
    pub fn of(remedy: &Remedy) -> Actor {
        match &remedy.step {
            Step::EditXml(_) if remedy.then.is_none() => Actor::Editor,
            Step::SetOption { file, .. } if file.ends_with(".conf") => Actor::OperatorAndDaemon,
            Step::EditXml(_) | Step::RunCommand(_) | Step::SetOption { .. } | Step::Nothing => {
                Actor::Operator
            }
        }
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Actor::Editor => "editor",
            Actor::Operator => "operator",
            Actor::OperatorAndDaemon => "operator-and-daemon",
        }
    }

    /// The words in a list of steps.
    pub fn words(self) -> &'static str {
        match self {
            Actor::Editor => "an edit of the domain",
            Actor::Operator => "root on this host",
            Actor::OperatorAndDaemon => "root on this host, who then restarts libvirt's daemon",
        }
    }
}

/// Judges a document on a host, as thoroughly as the caller can.
pub type Judge<'a> = &'a mut dyn FnMut(&Document, &HostFacts) -> Vec<Finding>;

/// A document on a host, after some steps.
#[derive(Clone)]
struct State {
    document: Arc<Document>,
    host: Arc<HostFacts>,
    findings: Vec<Finding>,
    stages: Vec<Stage>,
    cost: Cost,
}

/// What a sequence of steps gives away, and how much there is to do: one switch that opens everything is dearer than many
/// grants.
type Cost = u32;

/// The way for everything that blocks, or, with `only`, for what blocks these entries.
pub fn route(
    document: &Document,
    host: &HostFacts,
    only: Option<&[EntryId]>,
    judge: Judge<'_>,
) -> Route {
    let findings = judge(document, host);
    let wanted = |finding: &Finding| {
        finding.verdict == Verdict::Blocks
            && only.is_none_or(|only| finding.entry.is_some_and(|entry| only.contains(&entry)))
    };
    let unwanted: Vec<Finding> =
        findings.iter().filter(|f| f.verdict == Verdict::Blocks && !wanted(f)).cloned().collect();
    let mut state = State {
        document: Arc::new(document.clone()),
        host: Arc::new(host.clone()),
        findings,
        stages: Vec::new(),
        cost: 0,
    };
    // What is not asked about is neither worked on nor counted.
    let mut aside: Vec<Key> = unwanted.iter().map(|finding| state.key(finding)).collect();
    let mut left = Vec::new();
    loop {
        let Some(next) = state.blocking(&aside).next().cloned() else { break };
        match settle(&state, &next, &aside, judge) {
            Some(better) if better.stages.len() > state.stages.len() => {
                state = State { cost: 0, ..better };
            }
            Some(_) | None => {
                aside.push(state.key(&next));
                left.push(next);
            }
        }
    }
    let mut unknown = state.findings;
    unknown.retain(|finding| finding.verdict == Verdict::Unknown);
    Route { stages: joined(state.stages), left, unknown, partial: only.is_some() }
}

/// What tells a finding from others, whatever edits do to the places of entries: its words, and those of its entry.
type Key = (&'static str, String, String);

/// The steps with one line for each setting of `qemu.conf`: the first of two equal names counts there, and a later line holds
/// what an earlier one does.
fn joined(stages: Vec<Stage>) -> Vec<Stage> {
    let mut joined: Vec<Stage> = Vec::new();
    for stage in stages {
        let setting = setting(&stage.remedy);
        let earlier = joined
            .iter_mut()
            .find(|other| setting.is_some() && self::setting(&other.remedy) == setting);
        match earlier {
            Some(earlier) => earlier.remedy = stage.remedy,
            None => joined.push(stage),
        }
    }
    joined
}

/// The file and the first name that a remedy sets in it; nothing for the rules of a profile, which add up.
fn setting(remedy: &Remedy) -> Option<(String, String)> {
    let Step::SetOption { file, line } = &remedy.step else { return None };
    let (name, _) = line.split_once('=').filter(|_| file.ends_with(".conf"))?;
    Some((file.clone(), name.trim().to_owned()))
}

/// The cheapest steps after which a thing and all that comes up behind it is settled, and nothing else is broken.
fn settle(from: &State, target: &Finding, aside: &[Key], judge: Judge<'_>) -> Option<State> {
    // What else blocks now waits for its turn.
    let waiting: Vec<Key> = from
        .blocking(aside)
        .filter(|finding| !from.is_about_the_same(finding, target))
        .map(|finding| from.key(finding))
        .chain(aside.iter().cloned())
        .collect();
    let mut states = vec![from.clone()];
    let mut queue = BinaryHeap::from([Reverse((from.cost, 0))]);
    while let Some(Reverse((_, at))) = queue.pop() {
        let state = states[at].clone();
        let Some(next) = state.blocking(&waiting).next().cloned() else {
            return Some(state);
        };
        if state.stages.len() - from.stages.len() >= MOST_STEPS {
            continue;
        }
        for remedy in &next.remedies {
            if states.len() >= MOST_STATES {
                break;
            }
            let Some(better) = state.after(&next, remedy, judge) else { continue };
            queue.push(Reverse((better.cost, states.len())));
            states.push(better);
        }
        // What a node that is not there yet will meet is part of the way.
        let offers_none = next.remedies.iter().all(|remedy| remedy.step == Step::Nothing);
        if let Some(path) = carried::awaited(&next).filter(|_| offers_none)
            && let Some(better) = state.once_there(&next, path, judge)
        {
            queue.push(Reverse((better.cost, states.len())));
            states.push(better);
        }
    }
    None
}

impl State {
    fn key(&self, finding: &Finding) -> Key {
        let entry = finding.entry.and_then(|entry| self.document.entry(entry));
        let text = entry.map(|entry| entry.kind.text()).unwrap_or_default();
        (finding.rule, finding.message.clone(), text)
    }

    /// What blocks, without what is set aside.
    fn blocking(&self, aside: &[Key]) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| {
            finding.verdict == Verdict::Blocks && !aside.contains(&self.key(finding))
        })
    }

    /// Whether two findings are about one entry, or say the same of two that are alike.
    fn is_about_the_same(&self, finding: &Finding, target: &Finding) -> bool {
        let is_of_entry = target.entry.is_some() && finding.entry == target.entry;
        is_of_entry || self.key(finding) == self.key(target)
    }

    /// The state after a remedy; nothing where it can't be carried out here or does not turn its verdict.
    fn after(&self, finding: &Finding, remedy: &Remedy, judge: Judge<'_>) -> Option<State> {
        let document = match &remedy.step {
            Step::EditXml(edits) => Arc::new(self.document.apply(edits).ok()?),
            Step::RunCommand(_) | Step::SetOption { .. } => Arc::clone(&self.document),
            Step::Nothing => return None,
        };
        let mut host = Arc::clone(&self.host);
        let changes_host = !matches!(remedy.step, Step::EditXml(_)) || remedy.then.is_some();
        if changes_host {
            carried::carry_out(Arc::make_mut(&mut host), remedy)?;
        }
        self.next(document, host, finding, remedy, judge)
    }

    /// The state once a node is there that somebody else has to bring.
    fn once_there(&self, finding: &Finding, path: &str, judge: Judge<'_>) -> Option<State> {
        let mut host = Arc::clone(&self.host);
        carried::bring(Arc::make_mut(&mut host), path)?;
        let what = format!("bring {path}: plug the device in, or load its driver");
        let remedy = Remedy::none(Scope::Rewrite, what);
        self.next(Arc::clone(&self.document), host, finding, &remedy, judge)
    }

    /// The next state; nothing where the finding stays.
    fn next(
        &self,
        document: Arc<Document>,
        host: Arc<HostFacts>,
        turned: &Finding,
        remedy: &Remedy,
        judge: Judge<'_>,
    ) -> Option<State> {
        let findings = judge(&document, &host);
        let same = |findings: &[Finding]| {
            let is_same = |other: &&Finding| {
                let words = (other.rule, other.message.as_str());
                other.verdict == Verdict::Blocks && words == (turned.rule, turned.message.as_str())
            };
            findings.iter().filter(is_same).count()
        };
        if same(&findings) >= same(&self.findings) {
            return None;
        }
        let stage = Stage {
            finding: turned.clone(),
            remedy: remedy.clone(),
            document: Arc::clone(&self.document),
        };
        let stages = self.stages.iter().cloned().chain([stage]).collect();
        Some(State { document, host, findings, stages, cost: self.dearer(remedy) })
    }

    /// What it has cost with this remedy as well.
    fn dearer(&self, remedy: &Remedy) -> Cost {
        let gives_away = match remedy.scope {
            Scope::Rewrite => 0,
            Scope::Grant if remedy.lets_in == Some(Reach::ThisVm) => 1,
            Scope::Grant => 3,
            Scope::DisableHost if opens_one_thing(remedy) => 100,
            Scope::DisableVm => 400,
            Scope::DisableHost => 2_000,
        };
        let second = if remedy.then.is_some() { 5 } else { 0 };
        self.cost + 10 + gives_away + second
    }
}

/// Whether a setting of the host opens one thing to every VM, and does not switch a layer off.
fn opens_one_thing(remedy: &Remedy) -> bool {
    match &remedy.step {
        Step::SetOption { file, line } => {
            !file.ends_with(".conf") || line.starts_with("cgroup_device_acl")
        }
        Step::EditXml(_) | Step::RunCommand(_) | Step::Nothing => false,
    }
}

pub use carried::carry_out;
