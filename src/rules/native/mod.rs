//! Arguments that a native element replaces: libvirt then grants the access itself.
//!
//! Each family has a file with a function from the options of a [`Case`] to [`Plan`]s, a rule, and a page. The plans of a
//! family are also the first remedy of what blocks the same options in a layer that the element satisfies.

pub(super) mod devices;
pub(super) mod firmware;
pub(super) mod memory;
pub(super) mod network;
mod plan;
pub(super) mod recipe;
pub(super) mod storage;

use super::{Case, Finding, Step, Verdict};
use crate::domain::{Document, EntryId};
use crate::facts::HostFacts;
use crate::libvirt::Start;
use crate::qemu::{CommandLine, QemuOption};
use crate::xml::EditSet;
use plan::{Options, Plan};

/// Every plan of every family.
fn plans(case: &Case<'_>) -> Vec<Plan> {
    let families: [fn(&Options<'_>) -> Vec<Plan>; 12] = [
        devices::hostdev,
        devices::sound,
        devices::shmem,
        firmware::fwcfg,
        firmware::sysinfo,
        firmware::acpi,
        memory::memory,
        network::interface,
        storage::filesystem,
        recipe::input,
        recipe::rng,
        recipe::element,
    ];
    let options = Options::of(case);
    let plans = families.into_iter().flat_map(|family| family(&options));
    plans.filter(|plan| plan.can_be_written(case)).collect()
}

/// Options, and the element of the installed libvirt that says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The options, each with the arguments that it is.
    pub entries: Vec<EntryId>,
    /// What the element is called in a sentence.
    pub name: String,
    /// What puts it in their place.
    pub edits: EditSet,
}

/// The elements that could stand for options of a document on a host.
pub fn elements(document: &Document, line: &CommandLine, host: &HostFacts) -> Vec<Element> {
    let start = Start::of(document, host);
    let case = Case { document, line, host, start: &start, answers: None };
    let element = |plan: Plan| {
        let options = plan.options.iter().map(|&at| &line.options[at]);
        let entries = options.flat_map(QemuOption::entries).collect();
        let Step::EditXml(edits) = plan.remedy(&case)?.step else { return None };
        Some(Element { entries, name: plan.element, edits })
    };
    plans(&case).into_iter().filter_map(element).collect()
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
