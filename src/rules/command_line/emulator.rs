//! What the host's own QEMU knows: devices, objects, properties.

use super::{Case, Finding, Layer, Remedy, Rule, Verdict};
use crate::domain::{EntryId, EntryKind};
use crate::facts::emulator::{Emulator, Property};
use crate::qemu::catalog;
use crate::xml::EditSet;

/// The domain's QEMU, where it was asked.
pub(super) fn installed<'a>(case: &Case<'a>) -> Option<&'a Emulator> {
    case.start.emulator.ok()
}

pub(crate) static UNKNOWN_DEVICE: Rule = Rule {
    id: "unknown-device",
    layer: Layer::Qemu,
    summary: "the installed QEMU has no such device or object",
    explain: include_str!("../../../assets/rules/unknown-device.md"),
    check: unknown_device,
};

fn unknown_device(case: &Case<'_>) -> Vec<Finding> {
    let Some(emulator) = installed(case) else { return Vec::new() };
    let mut findings = Vec::new();
    for (group, name, entry) in &case.line.types {
        let known = table(emulator, group);
        if known.contains_key(catalog::unalias(name)) || ["help", "?"].contains(&name.as_str()) {
            continue;
        }
        // A module brings it: missing-module says which package.
        if *group == "device" && super::modules::is_packaged_apart(emulator, name) {
            continue;
        }
        let mut finding = Finding::at(
            *entry,
            Verdict::Blocks,
            format!("{} {} has no {group} '{name}'", emulator.path, emulator.version),
        );
        finding = finding.because(match *group {
            "device" => format!("QEMU says \"'{name}' is not a valid device model name\""),
            _ => format!("QEMU says \"Parameter 'qom-type' does not accept value '{name}'\""),
        });
        findings.push(suggest(case, finding, name, known.keys()));
    }
    findings
}

pub(crate) static UNKNOWN_MACHINE: Rule = Rule {
    id: "unknown-machine",
    layer: Layer::Qemu,
    summary: "the installed QEMU has no such machine type",
    explain: include_str!("../../../assets/rules/unknown-machine.md"),
    check: |case| {
        let Some(emulator) = installed(case).filter(|emulator| !emulator.machines.is_empty())
        else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for option in case.line.options("machine").chain(case.line.options("M")) {
            let name = option.kind();
            let known = emulator.machines.iter().any(|known| known == name);
            if known || name.is_empty() || name == "help" {
                continue;
            }
            let message = format!("{} {} has no machine '{name}'", emulator.path, emulator.version);
            let finding = Finding::at(option.place(), Verdict::Blocks, message);
            let finding = finding.because("QEMU says 'unsupported machine type'");
            findings.push(suggest(case, finding, name, emulator.machines.iter()));
        }
        findings
    },
};

pub(super) fn table<'a>(
    emulator: &'a Emulator,
    group: &str,
) -> &'a std::collections::BTreeMap<String, Vec<Property>> {
    if group == "device" { &emulator.devices } else { &emulator.objects }
}

pub(crate) static UNKNOWN_PROPERTY: Rule = Rule {
    id: "unknown-property",
    layer: Layer::Qemu,
    summary: "the installed QEMU's device or object has no such property",
    explain: include_str!("../../../assets/rules/unknown-property.md"),
    check: unknown_property,
};

/// Keys that belong to the option, not to the type.
const OF_THE_OPTION: [&str; 5] = ["driver", "qom-type", "id", "bus", "help"];

fn unknown_property(case: &Case<'_>) -> Vec<Finding> {
    let Some(emulator) = installed(case) else { return Vec::new() };
    let mut findings = Vec::new();
    for (group, name, entry) in &case.line.types {
        let Some(known) =
            table(emulator, group).get(catalog::unalias(name)).filter(|known| !known.is_empty())
        else {
            continue;
        };
        let Some(pairs) = case.line.option_at(*entry).map(|option| &option.pairs) else { continue };
        for pair in &pairs.pairs {
            // Lists and nested values are named by their first part.
            let key = pair.key.split(['.', '[']).next().unwrap_or(&pair.key);
            let written = pair.short
                && pair.value == "off"
                && known.iter().any(|found| found.name == format!("no{key}"));
            if OF_THE_OPTION.contains(&key)
                || written
                || key.starts_with("len-")
                || known.iter().any(|found| found.name.split('[').next() == Some(key))
            {
                continue;
            }
            let finding = Finding::at(
                *entry,
                Verdict::Blocks,
                format!(
                    "the {group} '{name}' has no property '{key}' in QEMU {}",
                    emulator.version
                ),
            )
            .because(format!("QEMU says \"Property '{name}.{key}' not found\""));
            findings.push(suggest(case, finding, key, known.iter().map(|property| &property.name)));
        }
    }
    findings
}

/// Adds the name that was probably meant, and an edit that writes it.
pub(super) fn suggest<'a>(
    case: &Case<'_>,
    finding: Finding,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> Finding {
    let close =
        known.map(|other| (likeness(name, other), other)).max_by(|a, b| a.0.total_cmp(&b.0));
    match close.filter(|(ratio, _)| *ratio >= 0.7) {
        Some((_, meant)) => {
            let edits = finding.entry.and_then(|entry| written_so(case, entry, name, meant));
            let finding = finding.because(format!("did you mean '{meant}'?"));
            match edits {
                Some(edits) => {
                    finding.remedy(Remedy::guess(format!("write '{meant}' in its place"), edits))
                }
                None => finding,
            }
        }
        None => finding,
    }
}

/// The edit that writes another name in the place of one, where that stands once in an argument.
fn written_so(case: &Case<'_>, entry: EntryId, name: &str, meant: &str) -> Option<EditSet> {
    let EntryKind::Arg { value: text } = &case.document.entry(entry)?.kind else { return None };
    let is_of_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let stands_alone = |at: &usize| {
        !text[..*at].ends_with(is_of_name) && !text[at + name.len()..].starts_with(is_of_name)
    };
    let mut places = text.match_indices(name).map(|(at, _)| at).filter(stands_alone);
    let (at, None) = (places.next()?, places.next()) else { return None };
    let written = format!("{}{meant}{}", &text[..at], &text[at + name.len()..]);
    case.document.replace(entry, &EntryKind::arg(written)).ok()
}

/// How alike two names are, from 0 to 1.
pub(crate) fn likeness(one: &str, other: &str) -> f32 {
    similar::TextDiff::from_chars(one, other).ratio()
}
