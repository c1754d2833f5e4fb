//! Whether a QEMU has a name: an option, a type of one, a block driver.
//!
//! The QEMU that will run is asked first. Where it was not, the tables answer for the versions that they were checked
//! against; outside, the answer is unknown, and why.

use std::collections::HashSet;

use super::emulator::installed;
use super::{Case, Finding, Remedy, Rule, Scope, Verdict};
use crate::domain::EntryId;
use crate::qemu::{NoteKind, QemuOption, Range, Version, catalog};
use crate::rules::Layer;

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// QEMU has it.
    Has,
    /// It lacks it; who says so: `/usr/bin/qemu-system-x86_64 7.2.22`, `QEMU 7.2`.
    Lacks(String),
    /// Nobody could be asked; why.
    Unknown(String),
}

/// What is known of a name of a kind: `option`, or a type of `audiodev`, `blockdev`, `chardev`, `fsdev`, `netdev`.
///
/// A name that no version is known to lack is taken for there where nobody could be asked.
pub(crate) fn standing(case: &Case<'_>, kind: &str, name: &str) -> Standing {
    let range = match kind {
        "option" => catalog::option(name).map(|row| row.range),
        _ => catalog::names(kind).find(|(known, _)| *known == name).map(|(_, range)| range),
    };
    let standing = asked(case, kind, name, range);
    let never_lacked = range == Some(Range::default());
    if never_lacked && matches!(standing, Standing::Unknown(_)) {
        return Standing::Has;
    }
    standing
}

/// What the emulator, or the table for its version, says of a name; `range` is what the table has of it.
fn asked(case: &Case<'_>, kind: &str, name: &str, range: Option<Range>) -> Standing {
    let version = version(case);
    let by_table = || match version {
        Err(why) => Standing::Unknown(why),
        Ok(version) => {
            let Some((first, last)) =
                catalog::checked(if kind == "option" { "options" } else { "names" })
            else {
                return Standing::Unknown("the tables name no versions".to_owned());
            };
            if version < first || version > last {
                let why = format!(
                    "the names of QEMU {version} were not checked, those of {first} to {last} were"
                );
                return Standing::Unknown(why);
            }
            if range.is_some_and(|range| range.contains(version)) {
                Standing::Has
            } else {
                Standing::Lacks(format!("QEMU {version}"))
            }
        }
    };
    let Some((emulator, names)) =
        installed(case).and_then(|found| Some((found, found.names.get(kind)?)))
    else {
        return by_table();
    };
    // A second spelling stands in no list, nor does what a module brings that is not installed.
    let spelling = catalog::is_second_spelling(kind, name) && by_table() == Standing::Has;
    let module = kind != "option"
        && catalog::modules(catalog::type_key(kind), name)
            .any(|module| emulator.modules.iter().any(|known| known == module));
    if names.contains(name) || spelling || module {
        Standing::Has
    } else {
        Standing::Lacks(format!("{} {}", emulator.path, emulator.version))
    }
}

/// The version of the QEMU that will run, or why it is not known.
fn version(case: &Case<'_>) -> Result<Version, String> {
    case.start.qemu.ok_or_else(|| {
        let why = case.start.emulator.err().or(case.host.qemu.as_result().err());
        why.unwrap_or("the version of the domain's emulator is not known").to_owned()
    })
}

pub(crate) static UNKNOWN_OPTION: Rule = Rule {
    id: "unknown-option",
    layer: Layer::Qemu,
    summary: "QEMU has no such option",
    explain: include_str!("../../../assets/rules/unknown-option.md"),
    check: unknown_option,
};

fn unknown_option(case: &Case<'_>) -> Vec<Finding> {
    let in_no_table = in_no_table(case);
    let mut findings = Vec::new();
    for option in &case.line.options {
        let Some(name) = name_of(case, option, &in_no_table) else { continue };
        let entry = EntryId::arg(option.entry);
        match standing(case, "option", name) {
            Standing::Has => {}
            Standing::Lacks(who) => {
                let message = format!("{who} has no option -{name}");
                let why =
                    "QEMU says 'invalid option', or that it is not for this machine, and exits";
                let finding = Finding::at(entry, Verdict::Blocks, message).because(why);
                let finding = with_history(finding, option);
                findings.push(match catalog::successor(name) {
                    Some(successor) => finding
                        .remedy(Remedy::none(Scope::Rewrite, format!("in its place: {successor}"))),
                    None => finding,
                });
            }
            Standing::Unknown(why) => {
                let message = format!("whether QEMU has an option -{name} is not known");
                findings.push(with_history(
                    Finding::at(entry, Verdict::Unknown, message).because(why),
                    option,
                ));
            }
        }
    }
    findings
}

/// The entries that look like options and are in no table.
pub(super) fn in_no_table(case: &Case<'_>) -> HashSet<EntryId> {
    let unknown = case.line.notes.iter().filter(|note| note.kind == NoteKind::UnknownOption);
    unknown.map(|note| note.entry).collect()
}

/// The name of an argument that stands where an option does; nothing for one that is no option at all.
fn name_of<'a>(
    case: &Case<'a>,
    option: &QemuOption,
    in_no_table: &HashSet<EntryId>,
) -> Option<&'a str> {
    if option.row.is_none() && !in_no_table.contains(&EntryId::arg(option.entry)) {
        return None;
    }
    crate::qemu::argv::option_name(case.document.arg(option.entry))
}

/// The finding with the versions that the option came and went with.
fn with_history(finding: Finding, option: &QemuOption) -> Finding {
    let range = option.row.map(|row| row.range).unwrap_or_default();
    match (range.since, range.until) {
        (_, Some(until)) => finding.because(format!("QEMU {until} removed it")),
        (Some(since), None) => finding.because(format!("QEMU {since} brought it")),
        (None, None) => finding,
    }
}

/// Whether the argument before this one is an option that the tables do not know and QEMU has: this may be its value.
pub(super) fn may_be_a_value(
    case: &Case<'_>,
    entry: EntryId,
    in_no_table: &HashSet<EntryId>,
) -> bool {
    let before = entry
        .index
        .checked_sub(1)
        .and_then(|before| case.line.options.get(case.line.option_of(before)?));
    let Some(option) = before.filter(|option| option.row.is_none()) else { return false };
    let name = name_of(case, option, in_no_table);
    name.is_some_and(|name| !matches!(standing(case, "option", name), Standing::Lacks(_)))
}
