//! What QEMU's own reading of the command line refuses.

pub(super) mod drives;
pub(super) mod emulator;
pub(super) mod keys;
mod merged;
pub(super) mod modules;
pub(super) mod names;
pub(super) mod placement;
pub(super) mod references;
pub(super) mod sound;
mod two_options;
mod waiting;

pub(super) use waiting::SOCKET_WAITS;
pub use waiting::WAITS;

pub(super) use emulator::likeness;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{EntryId, EntryKind, List};
use crate::qemu::{Note, NoteKind, QemuOption, Resource, catalog};
use crate::xml::EditSet;

/// Findings for the notes that `pick` turns into one.
fn noted(case: &Case<'_>, pick: impl Fn(&Note) -> Option<Finding>) -> Vec<Finding> {
    case.line.notes.iter().filter_map(pick).collect()
}

pub(super) static JOINED_OPTION: Rule = Rule {
    id: "joined-option",
    layer: Layer::Qemu,
    summary: "option and value stand in one argument",
    explain: include_str!("../../../assets/rules/joined-option.md"),
    check: |case| {
        noted(case, |note| {
            let NoteKind::Joined { option, value } = &note.kind else { return None };
            let finding = Finding::at(
                note.entry,
                Verdict::Blocks,
                format!("'{option}' and its value stand in one argument, expected two"),
            )
            .because(format!(
                "each <qemu:arg> is one argument; QEMU says '{option} {value}: invalid option'"
            ));
            Some(match split(case, note.entry, option, value) {
                Some(edits) => finding.remedy(Remedy::edit(
                    Scope::Rewrite,
                    "write them as two arguments",
                    edits,
                )),
                None => finding,
            })
        })
    },
};

/// The argument as a shell would have split it: two arguments, or the whole line that was pasted.
fn split(case: &Case<'_>, entry: EntryId, option: &str, value: &str) -> Option<EditSet> {
    let rest = match shlex::split(value) {
        Some(words) if words.iter().skip(1).any(|word| is_option(word)) => words,
        // A blank behind the option is no value.
        _ if value.is_empty() => Vec::new(),
        _ => vec![value.to_owned()],
    };
    let kinds: Vec<EntryKind> = rest.into_iter().map(EntryKind::arg).collect();
    let mut edits = case.document.insert(List::Args, entry.index + 1, &kinds).ok()?;
    for edit in case.document.replace(entry, &EntryKind::arg(option)).ok()?.edits() {
        edits.push(edit.clone()).ok()?;
    }
    Some(edits)
}

fn is_option(word: &str) -> bool {
    crate::qemu::argv::option_name(word).and_then(catalog::option).is_some()
}

pub(super) static DANGLING_OPTION: Rule = Rule {
    id: "dangling-option",
    layer: Layer::Qemu,
    summary: "the last option lacks its value and swallows libvirt's -sandbox",
    explain: include_str!("../../../assets/rules/dangling-option.md"),
    check: |case| {
        noted(case, |note| {
            let text = case.document.arg(note.entry.index).to_owned();
            (note.kind == NoteKind::Dangling).then(|| {
                Finding::at(note.entry, Verdict::Blocks, format!("'{text}' needs a value and is the last argument"))
                    .because(
                        "libvirt puts '-sandbox on,…' after the passthrough, and QEMU takes '-sandbox' as the value",
                    )
                    .remedy(Remedy::edit(Scope::Rewrite, "delete the argument", case.document.remove(&[note.entry])))
            })
        })
    },
};

pub(super) static STRAY_ARGUMENT: Rule = Rule {
    id: "stray-argument",
    layer: Layer::Qemu,
    summary: "an argument belongs to no option, QEMU takes it for a disk image",
    explain: include_str!("../../../assets/rules/stray-argument.md"),
    check: |case| {
        let in_no_table = names::in_no_table(case);
        noted(case, |note| {
            if note.kind != NoteKind::Stray || names::may_be_a_value(case, note.entry, &in_no_table)
            {
                return None;
            }
            let text = case.document.arg(note.entry.index).to_owned();
            let finding = if text.is_empty() {
                Finding::at(
                    note.entry,
                    Verdict::Blocks,
                    "an empty argument is a disk without an image for QEMU",
                )
                .because("QEMU says 'Device needs media, but drive is empty'")
            } else {
                Finding::at(
                    note.entry,
                    Verdict::Warns,
                    format!("'{text}' belongs to no option; QEMU takes it for a disk image"),
                )
            };
            // An option whose dash was forgotten; with its value behind it where it takes one.
            if catalog::option(&text).is_some()
                && let Ok(edits) =
                    case.document.replace(note.entry, &EntryKind::arg(format!("-{text}")))
            {
                let title = format!("write the dash: -{text}");
                return Some(finding.remedy(Remedy::edit(Scope::Rewrite, title, edits)));
            }
            Some(finding.remedy(Remedy::edit(
                Scope::Rewrite,
                "delete the argument",
                case.document.remove(&[note.entry]),
            )))
        })
    },
};

pub(super) static COMMA: Rule = Rule {
    id: "comma-in-value",
    layer: Layer::Qemu,
    summary: "a comma in a name divides it, it must be doubled",
    explain: include_str!("../../../assets/rules/comma-in-value.md"),
    check: |case| {
        let mut findings = Vec::new();
        for option in &case.line.options {
            let (Some(row), Some(value)) = (option.row, option.value) else { continue };
            let text = case.document.arg(value);
            // Inside a pseudo-protocol of JSON commas are JSON's.
            let is_json = option.pairs.json || text.contains("json:{");
            if !["keyval", "drive", "blockdev"].contains(&row.reader) || is_json {
                continue;
            }
            // No key of QEMU has these characters in a word of its own.
            let odd = option
                .pairs
                .pairs
                .iter()
                .find(|pair| pair.short && pair.key.contains(['/', '.', ' ', '(', ')']));
            let Some(pair) = odd else { continue };
            let Some(comma) =
                pair.key_span.start.checked_sub(1).filter(|at| text.as_bytes()[*at] == b',')
            else {
                continue;
            };
            let entry = EntryId::arg(value);
            let finding = Finding::at(
                entry,
                Verdict::Blocks,
                format!(
                    "'{}' stands alone behind a comma: QEMU takes it for a key, not for a part of the name",
                    pair.key
                ),
            )
            .because("a comma that belongs to a value is written twice");
            let doubled = format!("{},{}", &text[..comma], &text[comma..]);
            findings.push(match case.document.replace(entry, &EntryKind::arg(doubled)) {
                Ok(edits) => {
                    finding.remedy(Remedy::edit(Scope::Rewrite, "double the comma", edits))
                }
                Err(error) => finding.remedy(Remedy::none(Scope::Rewrite, error.to_string())),
            });
        }
        findings
    },
};

pub(super) static SECRET: Rule = Rule {
    id: "secret-in-plain-sight",
    layer: Layer::Qemu,
    summary: "a secret stands on the command line",
    explain: include_str!("../../../assets/rules/secret-in-plain-sight.md"),
    check: |case| {
        let secret = |option: &QemuOption| {
            let pairs = &option.pairs;
            let data = pairs.get("qom-type") == Some("secret")
                && pairs.get("data").is_some()
                && pairs.get("keyid").is_none();
            let named = ["password", "proxy-password", "osk"]
                .into_iter()
                .find(|key| pairs.pair(key).is_some_and(|pair| !pair.short));
            let what = if data { "data" } else { named? };
            let finding = Finding::at(
                option.place(),
                Verdict::Note,
                format!("{what}= is readable by everybody on the host"),
            )
            .because("it stands in the process list (ps) and in /var/log/libvirt/qemu/NAME.log");
            Some(if what == "osk" {
                finding
            } else {
                finding.remedy(Remedy::none(
                    Scope::Rewrite,
                    "-object secret,id=…,file=PATH keeps it in a file; refer to it by its id (password-secret=…)",
                ))
            })
        };
        case.line.options.iter().filter_map(secret).collect()
    },
};

pub(super) static VALUE_SYNTAX: Rule = Rule {
    id: "value-syntax",
    layer: Layer::Qemu,
    summary: "a value is not spelled as QEMU reads it",
    explain: include_str!("../../../assets/rules/value-syntax.md"),
    check: |case| {
        noted(case, |note| {
            let NoteKind::Syntax(what) = &note.kind else { return None };
            Some(Finding::at(
                note.entry,
                Verdict::Blocks,
                format!("at byte {} of the value: {what}", note.at),
            ))
        })
    },
};

pub(super) static DUPLICATE_ID: Rule = Rule {
    id: "duplicate-id",
    layer: Layer::Qemu,
    summary: "two options define the same id",
    explain: include_str!("../../../assets/rules/duplicate-id.md"),
    check: duplicate_id,
};

fn duplicate_id(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: std::collections::HashMap<(&str, &str), EntryId> =
        std::collections::HashMap::new();
    for id in &case.line.ids {
        let key = (id.group, id.id.as_str());
        if case.start.has_id(id.group, &id.id) {
            findings.push(
                Finding::at(
                    id.entry,
                    Verdict::Blocks,
                    format!("the id '{}' is libvirt's own", id.id),
                )
                .because(format!(
                    "QEMU says \"Duplicate ID '{}' for {}\", or 'duplicate property'",
                    id.id, id.group
                )),
            );
        } else if let Some(first) = seen.insert(key, id.entry) {
            findings.push(
                Finding::at(
                    id.entry,
                    Verdict::Blocks,
                    format!("the id '{}' is defined twice, expected another", id.id),
                )
                .because(format!(
                    "line {} defines it first; QEMU says \"Duplicate ID '{}' for {}\"",
                    line_of(case, first),
                    id.id,
                    id.group
                )),
            );
        }
    }
    findings.extend(same_firmware_files(case));
    findings
}

/// Firmware files of one name (`fw_cfg_add_file_callback`, hw/nvram/fw_cfg.c; tried with QEMU 7.2).
fn same_firmware_files(case: &Case<'_>) -> Vec<Finding> {
    let mut seen: std::collections::HashMap<&str, EntryId> = std::collections::HashMap::new();
    let mut findings = Vec::new();
    for option in case.line.options("fw_cfg") {
        let Some(name) = option.pairs.get("name") else { continue };
        if let Some(first) = seen.insert(name, option.place()) {
            let message = format!("the firmware file '{name}' is defined twice, expected another");
            let line = line_of(case, first);
            findings.push(Finding::at(option.place(), Verdict::Blocks, message).because(format!(
                "line {line} defines it first; QEMU says 'duplicate fw_cfg file name: {name}'"
            )));
        }
    }
    findings
}

/// The line of the document that an entry stands on.
fn line_of(case: &Case<'_>, entry: EntryId) -> usize {
    let at = case.document.value_span(entry).map_or(0, |span| span.start);
    crate::xml::position(case.document.source(), at).line
}

pub(super) static INHERITED_DESCRIPTOR: Rule = Rule {
    id: "inherited-descriptor",
    layer: Layer::Qemu,
    summary: "a descriptor is expected that libvirt closes",
    explain: include_str!("../../../assets/rules/inherited-descriptor.md"),
    check: |case| {
        let descriptors = case
            .line
            .uses
            .iter()
            .filter(|usage| matches!(usage.resource, Resource::Descriptor { .. }));
        descriptors
            .map(|usage| {
                let message =
                    format!("QEMU gets no descriptor '{}' from libvirt", usage.resource.name());
                let mut finding = Finding::of(usage, Verdict::Blocks, message);
                // One that a migration comes from is looked at when it starts, as 11.1 does, or later (10.0; both started).
                if case.start.qemu_at_least(11, 1) == Some(true) {
                    finding.verdict = Verdict::Blocks;
                }
                finding
                .because("libvirt closes every descriptor but its own before it starts QEMU (virCommandMassClose)")
            })
            .collect()
    },
};

pub(super) static QEMU_EXITS: Rule = Rule {
    id: "qemu-exits",
    layer: Layer::Qemu,
    summary: "QEMU prints something and exits instead of running the guest",
    explain: include_str!("../../../assets/rules/qemu-exits.md"),
    check: |case| {
        noted(case, |note| {
            (note.kind == NoteKind::Exits).then(|| {
                Finding::at(
                    note.entry,
                    Verdict::Blocks,
                    "QEMU does this and exits, it does not run the guest",
                )
                .because("libvirt says 'process exited while connecting to monitor'")
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "take the option out; run QEMU by hand for what it prints",
                ))
            })
        })
    },
};

pub(super) static NO_SESSION: Rule = Rule {
    id: "no-session",
    layer: Layer::Qemu,
    summary: "QEMU needs a desktop, a terminal or a session bus that libvirt does not give it",
    explain: include_str!("../../../assets/rules/no-session.md"),
    check: |case| {
        let environment = case.document.environment();
        let led_there = |variables: &str| {
            variables.split(',').any(|name| {
                environment.iter().any(|(found, value)| *found == name && value.is_some())
            })
        };
        let last = case.line.options("display").next_back().and_then(|option| option.value);
        let sessions = case.line.uses.iter().filter_map(|usage| {
            let Resource::Session { variables } = usage.resource else { return None };
            // Of several -display the last one counts, and none beside a <graphics>.
            let is_sound = is_sound(case, usage.entry);
            let graphics = !variables.is_empty() && case.document.facts().graphics;
            let counts = is_sound || last == Some(usage.entry.index) && !graphics;
            (counts && !led_there(variables)).then_some((usage, variables, is_sound))
        });
        sessions
            .map(|(usage, variables, is_sound)| {
                let message = format!("QEMU finds no session: it needs {}", usage.what);
                let mut finding = Finding::of(usage, Verdict::Blocks, message);
                if is_sdl_of_its_own_mind(case, usage.entry) {
                    finding.verdict = Verdict::Unknown;
                    finding = finding.because("the SDL library decides: 2.32 starts without a window, 2.26 and the one that lies on SDL 3 refuse");
                }
                let finding = if variables.is_empty() {
                    finding.because("libvirt gives QEMU no terminal")
                } else {
                    finding.because(format!(
                        "libvirt hands QEMU an empty environment, and none of {variables} is among the variables"
                    ))
                };
                let instead = match is_sound {
                    true => "name the server: server=unix:/run/user/UID/pulse/native, or <audio type='pulseaudio' serverName='…'/>",
                    false => "use <graphics type='vnc'> or <graphics type='spice'> and a viewer",
                };
                finding.remedy(Remedy::none(Scope::Rewrite, instead))
            })
            .collect()
    },
};

/// Whether it is `-display sdl` of a QEMU whose SDL may do without a desktop: Debian 13's does, those of 12 and sid do not (started).
fn is_sdl_of_its_own_mind(case: &Case<'_>, entry: EntryId) -> bool {
    let option = case.line.option_at(entry);
    let is_sdl = |option: &QemuOption| option.name() == "display" && option.kind() == "sdl";
    option.is_some_and(is_sdl) && case.start.qemu_at_least(8, 0) == Some(true)
}

/// Whether an argument is the value of `-audiodev`.
fn is_sound(case: &Case<'_>, entry: EntryId) -> bool {
    case.line.option_at(entry).is_some_and(|option| option.name() == "audiodev")
}

pub(super) static OPTION_CONFLICT: Rule = Rule {
    id: "option-conflict",
    layer: Layer::Qemu,
    summary: "an option does not go together with libvirt's own",
    explain: include_str!("../../../assets/rules/option-conflict.md"),
    check: |case| {
        let tree = case.document.tree();
        let native =
            |name: &str| tree.child(0, "os").is_some_and(|(os, _)| tree.child(os, name).is_some());
        let given = |name: &'static str| case.line.options(name).next().is_some();
        let mut findings = merged::findings(case);
        for option in &case.line.options {
            let Some((word, lifted, why)) = catalog::conflict(option.name()) else { continue };
            if lifted.is_some_and(|other| native(other) || given(other)) {
                continue;
            }
            let verdict = match word {
                "blocks" => Verdict::Blocks,
                "warns" => Verdict::Warns,
                _ => Verdict::Unknown,
            };
            let ids: Vec<EntryId> = option.entries().collect();
            let name = option.name();
            findings.push(
                Finding::at(
                    EntryId::arg(option.entry),
                    verdict,
                    format!("-{name} beside libvirt's own command line: {why}"),
                )
                .remedy(Remedy::edit(
                    Scope::Rewrite,
                    "delete the option",
                    case.document.remove(&ids),
                )),
            );
        }
        findings
    },
};
