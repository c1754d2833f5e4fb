//! Names that QEMU looks up among its own files.

use super::{Case, Finding, Layer, Rule, Verdict};
use crate::facts::firmware::{Found, look};

pub(crate) static FIRMWARE_MISSING: Rule = Rule {
    id: "firmware-missing",
    layer: Layer::Host,
    summary: "a file that QEMU looks up by its name is in none of its directories",
    explain: include_str!("../../../assets/rules/firmware-missing.md"),
    check: |case| case.line.lookups.iter().filter_map(|lookup| missing(case, lookup)).collect(),
};

/// What is said about a name that was not found.
fn missing(case: &Case<'_>, lookup: &crate::qemu::Lookup) -> Option<Finding> {
    let name = &lookup.name;
    let finding = |verdict, message| Finding::at(lookup.entry, verdict, message);
    match look(lookup, case.line, case.document.facts(), case.host) {
        Found::At(_) => None,
        Found::Nowhere(places) => {
            let verdict = if lookup.optional { Verdict::Warns } else { Verdict::Blocks };
            let message = format!("{}, '{name}', is not there", lookup.what);
            let places = format!("QEMU looks at {}", places.join(", "));
            Some(finding(verdict, message).because(places).because(says(lookup)))
        }
        Found::Unknown(_) if lookup.optional => None,
        Found::Unknown(why) => {
            let message = format!("whether QEMU finds {}, '{name}', is not known", lookup.what);
            Some(finding(Verdict::Unknown, message).because(why))
        }
    }
}

/// QEMU's words.
fn says(lookup: &crate::qemu::Lookup) -> String {
    match (lookup.what, lookup.optional) {
        ("the firmware", _) => format!("QEMU says \"could not load PC BIOS '{}'\"", lookup.name),
        (_, true) => {
            format!("QEMU says \"Could not open option rom '{}'\", and goes on", lookup.name)
        }
        _ if lookup.folder.is_empty() => {
            format!("QEMU says 'failed to find romfile \"{}\"'", lookup.name)
        }
        _ => format!("QEMU says \"could not read keymap file: '{}'\"", lookup.name),
    }
}
