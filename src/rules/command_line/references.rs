//! Ids that an option needs and types that it knows, and backends that it refers to.

use std::collections::HashSet;

use super::names::{Standing, standing};
use super::{Case, Finding, Layer, Rule, Verdict};
use crate::domain::EntryId;
use crate::qemu::{Pairs, catalog};

/// Every option with a value of pairs: its row, its entry, its pairs.
pub(super) fn valued<'a>(case: &Case<'a>) -> impl Iterator<Item = (catalog::OptionRow, EntryId, Pairs)> + use<'a> {
    let argv = case.document.argv();
    case.line.options.iter().filter_map(move |option| {
        let (row, value) = (option.row?, option.value?);
        let pairs = Pairs::read(argv[value], row.implied);
        (pairs.error.is_none()).then_some((row, EntryId::arg(value), pairs))
    })
}

pub(in crate::rules) static MISSING_ID: Rule = Rule {
    id: "missing-id",
    layer: Layer::Qemu,
    summary: "an option lacks its id, or names a type that QEMU does not have",
    explain: include_str!("../../../assets/rules/missing-id.md"),
    check: missing_id,
};

fn missing_id(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (row, entry, pairs) in valued(case) {
        let Some(key) = catalog::needed_key(row.name) else { continue };
        let kind = row.implied.and_then(|key| pairs.get(key)).unwrap_or_default();
        if ["help", "?"].contains(&kind) {
            continue;
        }
        // Block drivers are judged with the formats of images, objects by unknown-device.
        let typed = row.name != "blockdev" && catalog::names(row.name).next().is_some();
        let known = if typed { standing(case, row.name, kind) } else { Standing::Has };
        if let Standing::Lacks(who) = known {
            let finding = Finding::at(entry, Verdict::Blocks, format!("-{} has no type '{kind}' in {who}", row.name));
            findings.push(finding.because(format!("QEMU says that '{kind}' is not accepted, or not a valid name")));
            continue;
        }
        if let Standing::Unknown(why) = known {
            let message = format!("whether -{} has a type '{kind}' is not known", row.name);
            findings.push(Finding::at(entry, Verdict::Unknown, message).because(why));
        }
        if pairs.get(key).is_none() {
            let finding = Finding::at(entry, Verdict::Blocks, format!("-{} lacks {key}=, expected one", row.name));
            findings.push(finding.because(format!("QEMU says \"Parameter '{key}' is missing\" or 'no id specified'")));
        }
    }
    findings
}

pub(in crate::rules) static MISSING_BACKEND: Rule = Rule {
    id: "missing-backend",
    layer: Layer::Qemu,
    summary: "a device or monitor refers to a backend that nothing defines",
    explain: include_str!("../../../assets/rules/missing-backend.md"),
    check: missing_backend,
};

/// Keys that refer to something, the groups it may be in, and how libvirt names its own there.
const REFERENCES: [(&str, &[&str], &[&str]); 5] = [
    ("chardev", &["chardev"], &["char", "mon"]),
    ("netdev", &["netdev"], &["hostnet", "net"]),
    ("drive", &["drive", "node"], &["libvirt-", "drive-"]),
    ("fsdev", &["fsdev"], &["fsdev-"]),
    ("memdev", &["object"], &["pc.ram", "ram", "mem", "shmmem", "mach-virt.ram"]),
];

fn missing_backend(case: &Case<'_>) -> Vec<Finding> {
    let defined: HashSet<(&str, &str)> = case.line.ids.iter().map(|found| (found.group, found.id.as_str())).collect();
    let mut findings = Vec::new();
    for (row, entry, pairs) in
        valued(case).filter(|(row, ..)| ["device", "mon", "netdev", "tpmdev"].contains(&row.name))
    {
        for (key, groups, own) in REFERENCES {
            let Some(id) = pairs.get(key).filter(|id| !id.is_empty()) else { continue };
            let defined = groups.iter().any(|group| defined.contains(&(*group, id)));
            // What libvirt defines for native elements has its own names.
            if !defined && !own.iter().any(|prefix| id.starts_with(prefix)) {
                let finding = Finding::at(
                    entry,
                    Verdict::Blocks,
                    format!("nothing defines the {key} '{id}' that -{} refers to", row.name),
                );
                findings.push(finding.because(format!(
                    "no -{} among the arguments has id={id}; QEMU says that it can't find it",
                    groups[0]
                )));
            }
        }
    }
    findings
}
