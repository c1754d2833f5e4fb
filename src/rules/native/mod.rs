//! Arguments that a native element replaces: libvirt then grants the access itself.
//!
//! Each family has a file with a function from the options of a [`Case`] to [`Plan`]s, a rule, and a page. The plans of a
//! family are also the first remedy of what blocks the same options in a layer that the element satisfies.

pub(super) mod devices;
pub(super) mod firmware;
pub(super) mod memory;
pub(super) mod network;
pub(super) mod storage;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::EntryId;
use crate::qemu::Pairs;
use crate::xml::EditSet;

/// Options and the native element that says the same.
pub(super) struct Plan {
    /// Places in [`crate::qemu::CommandLine::options`] that the element replaces; findings point at the first.
    options: Vec<usize>,
    /// Where the element belongs, below the domain.
    parents: &'static [&'static str],
    /// The element, line by line.
    lines: Vec<String>,
    /// A second element that belongs to it: where, and its lines.
    also: Option<(&'static [&'static str], Vec<String>)>,
    /// What it is called in a sentence.
    element: &'static str,
    /// The libvirt that brought it.
    since: (u32, u32),
    /// Layers that let the element's resource through by themselves.
    satisfies: &'static [Layer],
}

/// Layers in which libvirt prepares what a device element names.
const PREPARED: &[Layer] =
    &[Layer::Namespaces, Layer::Dac, Layer::Cgroups, Layer::Selinux, Layer::AppArmor, Layer::Qemu];

/// Every plan of every family.
fn plans(case: &Case<'_>) -> Vec<Plan> {
    let families: [fn(&Options<'_>) -> Vec<Plan>; 11] = [
        devices::input,
        devices::hostdev,
        devices::rng,
        devices::sound,
        devices::shmem,
        firmware::fwcfg,
        firmware::sysinfo,
        firmware::acpi,
        memory::memory,
        network::interface,
        storage::filesystem,
    ];
    let options = Options::of(case);
    families.into_iter().flat_map(|family| family(&options)).collect()
}

impl Plan {
    fn edits(&self, case: &Case<'_>) -> Option<EditSet> {
        let document = case.document;
        let entries: Vec<EntryId> =
            self.options.iter().flat_map(|&at| case.line.options[at].entries()).collect();
        let mut edits = document.remove(&entries);
        let elements = [(self.parents, &self.lines)]
            .into_iter()
            .chain(self.also.as_ref().map(|(p, lines)| (*p, lines)));
        for (parents, lines) in elements {
            for edit in document.add_element(parents, lines).ok()?.edits() {
                edits.push(edit.clone()).ok()?;
            }
        }
        Some(edits)
    }

    /// The remedy, where this libvirt has the element.
    fn remedy(&self, case: &Case<'_>) -> Option<Remedy> {
        if case.host.libvirt_at_least(self.since.0, self.since.1) == Some(false) {
            return None;
        }
        let layers: Vec<&str> =
            self.satisfies.iter().filter(|l| **l != Layer::Qemu).map(|l| l.title()).collect();
        let why = if layers.is_empty() {
            "libvirt then knows of it".to_owned()
        } else {
            format!("libvirt then sees to {} itself", layers.join(", "))
        };
        Some(Remedy::edit(
            Scope::Rewrite,
            format!("write it as {}: {why}", self.element),
            self.edits(case)?,
        ))
    }

    fn entry(&self, case: &Case<'_>) -> EntryId {
        case.line.options[self.options[0]].place()
    }
}

/// The findings of one family.
fn found(case: &Case<'_>, family: fn(&Options<'_>) -> Vec<Plan>) -> Vec<Finding> {
    let note = |plan: Plan| {
        let (major, minor) = plan.since;
        let finding = Finding::at(
            plan.entry(case),
            Verdict::Note,
            format!("libvirt has an element for this: {}", plan.element),
        )
        .because(format!("since libvirt {major}.{minor}"));
        match plan.remedy(case) {
            Some(remedy) => finding.remedy(remedy),
            None => finding.because("the libvirt that is installed is older"),
        }
    };
    family(&Options::of(case)).into_iter().map(note).collect()
}

/// Puts the native element first among the remedies of what it lets through.
pub(super) fn offer(case: &Case<'_>, findings: &mut [Finding]) {
    if !findings
        .iter()
        .any(|finding| finding.verdict <= Verdict::Unknown && finding.entry.is_some())
    {
        return;
    }
    for plan in plans(case) {
        let entries: Vec<EntryId> =
            plan.options.iter().map(|&at| case.line.options[at].place()).collect();
        let Some(remedy) = plan.remedy(case) else { continue };
        // What it does not settle would only go out of sight with the arguments; libvirt opens no directory on the way.
        let left = |finding: &Finding| {
            let ours = finding.entry.is_some_and(|entry| entries.contains(&entry));
            let settled =
                plan.satisfies.contains(&finding.layer) && finding.rule != "closed-directory";
            ours && finding.verdict == Verdict::Blocks && !settled
        };
        if findings.iter().any(left) {
            continue;
        }
        for finding in findings.iter_mut() {
            let ours = finding.entry.is_some_and(|entry| entries.contains(&entry));
            let solved = plan.satisfies.contains(&finding.layer);
            if ours && solved && finding.verdict <= Verdict::Unknown {
                finding.remedies.insert(0, remedy.clone());
            }
        }
    }
}

/// The options of a command line with their pairs, read once.
pub(super) struct Options<'a> {
    case: &'a Case<'a>,
    list: Vec<(usize, &'static str, &'a Pairs)>,
}

impl<'a> Options<'a> {
    fn of(case: &'a Case<'a>) -> Options<'a> {
        let read = case.line.options.iter().enumerate().filter(|(_, option)| option.is_read());
        Options {
            case,
            list: read.map(|(at, option)| (at, option.name(), &option.pairs)).collect(),
        }
    }

    /// Every option of a name.
    fn named(&self, name: &str) -> impl Iterator<Item = (usize, &Pairs)> {
        self.list
            .iter()
            .filter(move |(_, found, _)| *found == name)
            .map(|(at, _, pairs)| (*at, *pairs))
    }

    /// The one option of a name whose `key` is `value`; nothing when several have it.
    fn with(&self, name: &str, key: &str, value: &str) -> Option<(usize, &Pairs)> {
        let mut found = self.named(name).filter(|(_, pairs)| pairs.get(key) == Some(value));
        found.next().filter(|_| found.next().is_none())
    }

    /// Whether an id is named by more options than `times`.
    fn named_elsewhere(&self, id: &str, times: usize) -> bool {
        self.list
            .iter()
            .filter(|(_, _, pairs)| pairs.pairs.iter().any(|pair| pair.value == id))
            .count()
            > times
    }
}

/// Whether all keys of an option are among those that the element can say.
fn only(pairs: &Pairs, keys: &[&str]) -> bool {
    pairs.pairs.iter().all(|pair| keys.contains(&pair.key.as_str()))
}

/// A text inside single quotes.
fn quoted(text: &str) -> String {
    crate::xml::escape::as_libvirt(text)
}
