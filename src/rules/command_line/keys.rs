//! Keys of options: those that must be there, those that QEMU does not know, values of the wrong kind.

use super::emulator::{installed, suggest, table};
use super::{Case, Finding, Layer, Rule, Verdict};
use crate::domain::EntryId;
use crate::qemu::{QemuOption, catalog};

pub(crate) static MISSING_KEY: Rule = Rule {
    id: "missing-key",
    layer: Layer::Qemu,
    summary: "an option lacks a key that its type can't do without",
    explain: include_str!("../../../assets/rules/missing-key.md"),
    check: missing_key,
};

fn missing_key(case: &Case<'_>) -> Vec<Finding> {
    // A key may also come from -set, -global or -readconfig.
    let elsewhere = |key: &str| {
        let says =
            |option: &QemuOption| case.document.arg(option.last()).contains(&format!(".{key}="));
        let mut assigned = case.line.options("set").chain(case.line.options("global"));
        case.line.options("readconfig").next().is_some() || assigned.any(says)
    };
    let mut findings = Vec::new();
    for option in case.line.read_options() {
        let name = option.name();
        let kind = if name == "device" { catalog::unalias(option.kind()) } else { option.kind() };
        for (keys, words) in catalog::required(name, kind) {
            if keys.split('|').any(|key| option.pairs.get(key).is_some() || elsewhere(key)) {
                continue;
            }
            let named = if kind.is_empty() || name == "fw_cfg" {
                format!("-{name}")
            } else {
                format!("-{name} {kind}")
            };
            findings.push(
                Finding::at(
                    option.place(),
                    Verdict::Blocks,
                    format!("{named} lacks {}", keys.replace('|', " or ")),
                )
                .because(format!("QEMU says \"{words}\"")),
            );
        }
    }
    findings
}

pub(crate) static UNKNOWN_KEY: Rule = Rule {
    id: "unknown-key",
    layer: Layer::Qemu,
    summary: "the installed QEMU's option has no such key",
    explain: include_str!("../../../assets/rules/unknown-key.md"),
    check: unknown_key,
};

fn unknown_key(case: &Case<'_>) -> Vec<Finding> {
    let Some(emulator) = installed(case) else { return Vec::new() };
    let mut findings = Vec::new();
    for option in case.line.read_options() {
        let name = option.name();
        let Some(known) = catalog::closed_group(name).and_then(|group| emulator.keys.get(group))
        else {
            continue;
        };
        for pair in option.pairs.pairs.iter().filter(|pair| pair.key != "id") {
            let key = pair.key.as_str();
            // `nowait` is read as wait=off.
            let negated =
                |known: &String| pair.short && key.strip_prefix("no") == Some(known.as_str());
            if known.iter().any(|known| known == key || negated(known)) {
                continue;
            }
            let finding = Finding::at(
                option.place(),
                Verdict::Blocks,
                format!("-{name} has no key '{key}' in QEMU {}", emulator.version),
            )
            .because(format!("QEMU says \"Invalid parameter '{key}'\""));
            findings.push(suggest(case, finding, key, known.iter()));
        }
    }
    findings
}

pub(crate) static UNKNOWN_PROCESSOR: Rule = Rule {
    id: "unknown-processor",
    layer: Layer::Qemu,
    summary: "the installed QEMU has no such processor model",
    explain: include_str!("../../../assets/rules/unknown-processor.md"),
    check: |case| {
        let Some(emulator) = installed(case).filter(|emulator| !emulator.processors.is_empty())
        else {
            return Vec::new();
        };
        let named = case.line.options("cpu").filter_map(|option| {
            let value = option.value?;
            Some((EntryId::arg(value), case.document.arg(value).split(',').next()?))
        });
        // `host` is there with KVM only, which QEMU can't say without.
        named
            .filter(|(_, name)| !["host", "help", "?"].contains(name))
            .filter(|(_, name)| !emulator.processors.iter().any(|known| known == name))
            .map(|(entry, name)| {
                let message =
                    format!("{} {} has no processor '{name}'", emulator.path, emulator.version);
                let finding = Finding::at(entry, Verdict::Blocks, message)
                    .because(format!("QEMU says \"unable to find CPU model '{name}'\""));
                suggest(case, finding, name, emulator.processors.iter())
            })
            .collect()
    },
};

pub(crate) static PROPERTY_VALUE: Rule = Rule {
    id: "property-value",
    layer: Layer::Qemu,
    summary: "a property's value is not of its kind",
    explain: include_str!("../../../assets/rules/property-value.md"),
    check: property_value,
};

fn property_value(case: &Case<'_>) -> Vec<Finding> {
    let Some(emulator) = installed(case) else { return Vec::new() };
    let mut findings = Vec::new();
    for (group, name, entry) in &case.line.types {
        let Some(known) = table(emulator, group).get(catalog::unalias(name)) else { continue };
        let Some(pairs) = case.line.option_at(*entry).map(|option| &option.pairs) else { continue };
        // JSON has kinds of its own, which QEMU's reader compares.
        for pair in pairs.pairs.iter().filter(|pair| !pairs.json && !pair.short) {
            // A place on PCI, `SLOT.FUNCTION`, calls itself a number (`qdev_prop_pci_devfn`).
            let Some(property) =
                known.iter().find(|property| property.name == pair.key && pair.key != "addr")
            else {
                continue;
            };
            let Some(expected) = expected(&property.kind, &pair.value) else { continue };
            findings.push(
                Finding::at(
                    *entry,
                    Verdict::Blocks,
                    format!("{}={} is not {expected}", pair.key, pair.value),
                )
                .because(format!(
                    "the {group} '{name}' has {} of type {} in QEMU {}",
                    pair.key, property.kind, emulator.version
                ))
                .because(format!("QEMU says \"Parameter '{}' expects …\"", pair.key)),
            );
        }
    }
    findings
}

/// What a kind of property wants, when the value is none (`qapi_bool_parse`, `qemu_strtoi64`).
fn expected(kind: &str, value: &str) -> Option<&'static str> {
    let digits = |text: &str| match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
    };
    let number = |text: &str| digits(text.strip_prefix(['-', '+']).unwrap_or(text));
    match kind {
        "bool" if !["on", "yes", "true", "y", "off", "no", "false", "n"].contains(&value) => {
            Some("'on' or 'off'")
        }
        "OnOffAuto"
            if !["on", "yes", "true", "y", "off", "no", "false", "n", "auto"].contains(&value) =>
        {
            Some("'on', 'off' or 'auto'")
        }
        "uint8" | "uint16" | "uint32" | "uint64" | "int8" | "int16" | "int32" | "int64"
            if !number(value) =>
        {
            Some("a number")
        }
        _ => None,
    }
}
