//! Ids that an option needs and types that it knows, and backends that it refers to.

use std::collections::HashSet;

use super::names::{Standing, standing};
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::Known;
use crate::facts::answers::Answers;
use crate::libvirt::own;
use crate::qemu::{QemuOption, catalog};

pub(crate) static MISSING_ID: Rule = Rule {
    id: "missing-id",
    layer: Layer::Qemu,
    summary: "an option lacks its id, or names a type that QEMU does not have",
    explain: include_str!("../../../assets/rules/missing-id.md"),
    check: missing_id,
};

fn missing_id(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for option in case.line.read_options() {
        let (name, kind, entry) = (option.name(), option.kind(), option.place());
        let Some(key) = catalog::needed_key(name) else { continue };
        if ["help", "?"].contains(&kind) {
            continue;
        }
        // Block drivers are judged with the formats of images, objects by unknown-device.
        let typed = name != "blockdev" && catalog::names(name).next().is_some();
        let known = if typed { standing(case, name, kind) } else { Standing::Has };
        if let Standing::Lacks(who) = known {
            let finding = Finding::at(
                entry,
                Verdict::Blocks,
                format!("-{name} has no type '{kind}' in {who}"),
            );
            findings.push(
                finding.because(format!(
                    "QEMU says that '{kind}' is not accepted, or not a valid name"
                )),
            );
            continue;
        }
        if let Standing::Unknown(why) = known {
            let message = format!("whether -{name} has a type '{kind}' is not known");
            findings.push(Finding::at(entry, Verdict::Unknown, message).because(why));
        }
        if option.pairs.get(key).is_none() {
            let finding =
                Finding::at(entry, Verdict::Blocks, format!("-{name} lacks {key}=, expected one"));
            findings.push(finding.because(format!(
                "QEMU says \"Parameter '{key}' is missing\" or 'no id specified'"
            )));
        }
    }
    findings
}

pub(crate) static MISSING_BACKEND: Rule = Rule {
    id: "missing-backend",
    layer: Layer::Qemu,
    summary: "a device or monitor refers to a backend that nothing defines",
    explain: include_str!("../../../assets/rules/missing-backend.md"),
    check: missing_backend,
};

fn missing_backend(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = other_backend(case);
    findings.extend(later_key(case));
    let defined: HashSet<(&str, &str)> =
        case.line.ids.iter().map(|found| (found.group, found.id.as_str())).collect();
    for option in case.line.read_options() {
        for (key, groups) in catalog::references(option.name()) {
            let Some(id) = option.pairs.get(key).filter(|id| !id.is_empty()) else { continue };
            let defined = groups.split(',').any(|group| defined.contains(&(group, id)));
            if key.ends_with("key-secret") && is_open(case, option) {
                continue;
            }
            // What libvirt defines for native elements has its own names.
            if defined || own::names(key, id) && may_be_libvirts(case, id) {
                continue;
            }
            // A file that nobody read may define it; that this is not known is said beside that file.
            if case.line.options("readconfig").next().is_some() {
                continue;
            }
            let message =
                format!("nothing defines the {key} '{id}' that -{} refers to", option.name());
            let finding = Finding::at(option.place(), Verdict::Blocks, message);
            let group = groups.split(',').next().unwrap_or(groups);
            let finding = finding.because(format!(
                "no -{group} among the arguments has id={id}; QEMU says that it can't find it"
            ));
            let how = format!("define it: -{group} TYPE,id={id} (in the editor: a)");
            findings.push(finding.remedy(Remedy::none(Scope::Rewrite, how)));
        }
    }
    findings
}

/// Whether an option's image is not encrypted: QEMU then looks for no secret (`qcow2_open`, block/qcow2.c).
fn is_open(case: &Case<'_>, option: &QemuOption) -> bool {
    let entry = option.place();
    let mut paths = case.line.uses_of(entry).filter_map(|usage| usage.resource.path());
    option.pairs.get("encrypt.format").is_none()
        && paths.any(|(path, _)| {
            case.host
                .images
                .get(path)
                .is_some_and(|image| image.format == "qcow2" && !image.encrypted)
        })
}

/// Whether libvirt defines an id: by its own command line where that is known, else it may.
fn may_be_libvirts(case: &Case<'_>, id: &str) -> bool {
    let Some(Answers { libvirt: Known::Yes(Ok(argv)), .. }) = case.answers else { return true };
    let passthrough = case.document.argv();
    let own = argv.iter().filter(|word| !passthrough.contains(&word.as_str()));
    own.into_iter().any(|word| word.contains(id))
}

/// Secrets under a key that is made behind them: objects are made in their order (`qcrypto_secret_lookup`).
fn later_key(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for option in case.line.options("object").filter(|option| option.kind() == "secret") {
        let Some(key) = option.pairs.get("keyid") else { continue };
        let mut places =
            case.line.ids.iter().filter(|found| found.group == "object" && found.id == key);
        let Some(found) = places.next() else { continue };
        if found.entry.index < option.place().index {
            continue;
        }
        let message = format!("the key '{key}' is made behind the secret that needs it");
        findings.push(
            Finding::at(option.place(), Verdict::Blocks, message)
                .because(format!("QEMU says \"No secret with id '{key}'\"")),
        );
    }
    findings
}

/// Backends that are there, and of a type that is not taken.
fn other_backend(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for option in case.line.read_options() {
        for row in catalog::backends(option.name(), option.kind()) {
            let named = option.pairs.get(row.key);
            let backend = case.line.options(row.group).find(|of| of.pairs.get("id") == named);
            let Some(kind) = backend.filter(|_| named.is_some()).map(QemuOption::kind) else {
                continue;
            };
            if catalog::matches(row.kinds, kind) {
                continue;
            }
            let message = format!(
                "{} takes a {} of type {}, and '{}' is of type {kind}",
                option.kind(),
                row.group,
                row.kinds.replace(',', " or "),
                named.unwrap_or_default(),
            );
            let finding = Finding::at(option.place(), Verdict::Blocks, message);
            findings.push(finding.because(format!("QEMU says '{}'", row.words)));
        }
    }
    findings
}
