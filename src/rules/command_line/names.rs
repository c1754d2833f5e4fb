//! Whether a QEMU has a name: an option, a type of one, a block driver.
//!
//! The QEMU that will run is asked first. Where it was not, the tables answer for the versions that they were checked
//! against; outside, the answer is unknown, and why.

use super::emulator::installed;
use super::{Case, Finding, Rule, Verdict};
use crate::domain::EntryId;
use crate::qemu::{NoteKind, QemuOption, Version, catalog};
use crate::rules::Layer;

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) enum Standing {
    /// QEMU has it.
    Has,
    /// It lacks it; who says so: `/usr/bin/qemu-system-x86_64 7.2.22`, `QEMU 7.2`.
    Lacks(String),
    /// Nobody could be asked; why.
    Unknown(String),
}

/// What is known of a name of a kind: `option`, or a type of `audiodev`, `blockdev`, `chardev`, `fsdev`, `netdev`.
pub(in crate::rules) fn standing(case: &Case<'_>, kind: &str, name: &str) -> Standing {
    let range = match kind {
        "option" => catalog::option(name).map(|row| row.range),
        _ => catalog::names(kind).find(|(known, _)| *known == name).map(|(_, range)| range),
    };
    let version = version(case);
    let by_table = || match version {
        Err(why) => Standing::Unknown(why),
        Ok(version) => {
            let Some((first, last)) = catalog::checked(if kind == "option" { "options" } else { "names" }) else {
                return Standing::Unknown("the tables name no versions".to_owned());
            };
            if version < first || version > last {
                let why = format!("the names of QEMU {version} were not checked, those of {first} to {last} were");
                return Standing::Unknown(why);
            }
            if range.is_some_and(|range| range.contains(version)) {
                Standing::Has
            } else {
                Standing::Lacks(format!("QEMU {version}"))
            }
        }
    };
    let Some((emulator, names)) = installed(case).and_then(|found| Some((found, found.names.get(kind)?))) else {
        return by_table();
    };
    // A second spelling stands in no list, nor does what a module brings that is not installed.
    let spelling = ALIASES.contains(&(kind, name)) && by_table() == Standing::Has;
    let module = match kind {
        "option" => None,
        _ => catalog::module(catalog::type_key(kind), name),
    };
    let module = module.is_some_and(|(module, _)| emulator.modules.iter().any(|known| known == module));
    if names.contains(name) || spelling || module {
        Standing::Has
    } else {
        Standing::Lacks(format!("{} {}", emulator.path, emulator.version))
    }
}

/// Second spellings that QEMU takes and lists nowhere (`chardev_alias_table`, chardev/char.c).
const ALIASES: [(&str, &str); 3] = [("chardev", "memory"), ("chardev", "parport"), ("chardev", "tty")];

/// The version of the QEMU that will run, or why it is not known.
fn version(case: &Case<'_>) -> Result<Version, String> {
    if let Some(named) = &case.document.facts().emulator
        && case.host.emulator.yes().is_some_and(|asked| asked.path != *named)
    {
        return Err(format!("{named} was not asked"));
    }
    let said = case.host.qemu.as_result().map_err(|why| format!("the version of QEMU is not known: {why}"))?;
    Version::read(said).ok_or_else(|| format!("'{said}' is no version of QEMU"))
}

pub(in crate::rules) static UNKNOWN_OPTION: Rule = Rule {
    id: "unknown-option",
    layer: Layer::Qemu,
    summary: "QEMU has no such option",
    explain: include_str!("../../../assets/rules/unknown-option.md"),
    check: unknown_option,
};

fn unknown_option(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for option in &case.line.options {
        let Some(name) = name_of(case, option) else { continue };
        let entry = EntryId::arg(option.entry);
        match standing(case, "option", name) {
            Standing::Has => {}
            Standing::Lacks(who) => {
                let finding = Finding::at(entry, Verdict::Blocks, format!("{who} has no option -{name}"));
                let finding =
                    finding.because("QEMU says 'invalid option', or that it is not for this machine, and exits");
                findings.push(match history(option) {
                    Some(history) => finding.because(history),
                    None => finding,
                });
            }
            Standing::Unknown(why) => {
                let known = option.row.is_some_and(|row| row.range.since.is_none() && row.range.until.is_none());
                if !known {
                    let finding = Finding::at(
                        entry,
                        Verdict::Unknown,
                        format!("whether QEMU has an option -{name} is not known"),
                    );
                    let finding = finding.because(why);
                    findings.push(match history(option) {
                        Some(history) => finding.because(history),
                        None => finding,
                    });
                }
            }
        }
    }
    findings
}

/// The name of an argument that stands where an option does; nothing for one that is no option at all.
fn name_of<'a>(case: &Case<'a>, option: &QemuOption) -> Option<&'a str> {
    let entry = EntryId::arg(option.entry);
    let noted = case.line.notes.iter().any(|note| note.entry == entry && note.kind == NoteKind::UnknownOption);
    if option.row.is_none() && !noted {
        return None;
    }
    crate::qemu::argv::option_name(case.document.arg(option.entry))
}

fn history(option: &QemuOption) -> Option<String> {
    let range = option.row?.range;
    match (range.since, range.until) {
        (_, Some(until)) => Some(format!("QEMU {until} removed it")),
        (Some(since), None) => Some(format!("QEMU {since} brought it")),
        (None, None) => None,
    }
}

/// Whether the argument before this one is an option that the tables do not know and QEMU has: this may be its value.
pub(super) fn may_be_a_value(case: &Case<'_>, entry: EntryId) -> bool {
    let before = entry.index.checked_sub(1).and_then(|before| case.line.options.get(case.line.option_of(before)?));
    let Some(option) = before.filter(|option| option.row.is_none()) else { return false };
    let name = name_of(case, option);
    name.is_some_and(|name| !matches!(standing(case, "option", name), Standing::Lacks(_)))
}
