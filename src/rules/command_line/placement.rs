//! Where QEMU puts devices of the passthrough, and why that fails beside libvirt's own.
//!
//! Since libvirt writes its devices as JSON (7.9 with QEMU 6.2), QEMU makes those of the passthrough first
//! (`qemu_create_cli_devices`): they take the first free slot, which libvirt has given to another, and find no bus that
//! libvirt's controllers are still to bring.

use std::collections::BTreeSet;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{Chipset, EntryId, EntryKind, List};
use crate::libvirt::own::JSON_DEVICES;
use crate::qemu::{Pairs, QemuOption, catalog};
use crate::xml::{Edit, EditSet};

pub(in crate::rules) static CAPABILITY: Rule = Rule {
    id: "capability-without-effect",
    layer: Layer::Libvirt,
    summary: "a capability that is taken away is not the one that libvirt uses",
    explain: include_str!("../../../assets/rules/capability-without-effect.md"),
    check: |case| {
        if case.host.libvirt_at_least(8, 0) == Some(false) {
            return Vec::new();
        }
        let removed = case
            .document
            .facts()
            .capabilities_removed
            .iter()
            .filter(|(name, _)| name == "device.json");
        removed
            .map(|(name, span)| {
                let mut edits = EditSet::new();
                edits.push(Edit::replace(span.clone(), JSON_DEVICES)).expect("it is the first");
                let message = format!(
                    "taking away the capability '{name}' has no effect since libvirt 8.0, expected '{JSON_DEVICES}'"
                );
                let inside =
                    |entry: &&crate::domain::Entry| entry.span.start <= span.start && span.end <= entry.span.end;
                let entry = case.document.list(List::Extras).iter().find(inside).map(|entry| entry.id);
                let finding = Finding { entry, span: Some(span.clone()), ..Finding::general(Verdict::Warns, message) };
                finding
                    .because("libvirt goes on writing its devices as JSON, which -set does not reach")
                    .remedy(Remedy::edit(Scope::Rewrite, format!("name '{JSON_DEVICES}'"), edits))
            })
            .collect()
    },
};

/// What blocks when the versions say so, and is a warning when they are not known.
fn verdict(case: &Case<'_>) -> Option<Verdict> {
    match case.start.passthrough_first {
        Some(true) => Some(Verdict::Blocks),
        Some(false) => None,
        None => Some(Verdict::Warns),
    }
}

/// The root bus of the machine, and its first slot that is not QEMU's own.
fn root_bus(case: &Case<'_>) -> Option<(&'static str, u8)> {
    let facts = case.document.facts();
    if !facts.arch.as_deref().is_none_or(|arch| ["x86_64", "i686"].contains(&arch)) {
        return None;
    }
    match facts.chipset()? {
        Chipset::Q35 => Some(("pcie.0", 1)),
        Chipset::I440fx => Some(("pci.0", 2)),
    }
}

/// A device that is not written as JSON, which libvirt's own ordering does not reach.
fn is_early(option: &QemuOption) -> bool {
    option.name() == "device" && option.value.is_some() && !option.pairs.json
}

pub(in crate::rules) static PCI_SLOT: Rule = Rule {
    id: "pci-slot",
    layer: Layer::Qemu,
    summary: "a device takes a PCI slot that libvirt has given to another",
    explain: include_str!("../../../assets/rules/pci-slot.md"),
    check: pci_slot,
};

fn pci_slot(case: &Case<'_>) -> Vec<Finding> {
    let (Some((bus, first)), Some(verdict)) = (root_bus(case), verdict(case)) else {
        return Vec::new();
    };
    let facts = case.document.facts();
    let taken = taken_by_us(case);
    let mut asked: BTreeSet<u8> = BTreeSet::new();
    let chipset: &[u8] = if bus == "pci.0" { &[0, 1] } else { &[0, 0x1f] };
    let mut free = (first..0x1f).filter(|slot| !taken.contains(slot));
    // Not the slots that q35 uses for its own USB and sound.
    let mut spare = (0x10..0x1f).rev().filter(|slot| {
        ![0x1b, 0x1d].contains(slot) && !facts.pci_slots.contains(slot) && !taken.contains(slot)
    });
    let mut findings = Vec::new();
    for option in &case.line.options {
        let refused = explicit(option, bus).and_then(|(entry, driver, slot)| {
            let whose = if !asked.insert(slot) {
                "another argument asks for too"
            } else if chipset.contains(&slot) {
                "the machine's own chipset has"
            } else if facts.pci_slots.contains(&slot) {
                "a device of the domain has by its <address>"
            } else {
                return None;
            };
            Some((entry, driver, slot, whose))
        });
        if let Some((entry, driver, slot, whose)) = refused {
            let text = case.document.arg(entry.index);
            let finding = Finding::at(
                entry,
                verdict,
                format!("{driver} asks for PCI slot {slot:#x} of {bus}, which {whose}"),
            )
            .because(format!(
                "QEMU says 'PCI: slot {slot} function 0 not available for …, in use by …'"
            ));
            let edited = spare.next().and_then(|spare| {
                let start = text.find("addr=")? + 5;
                let end = text[start..].find(',').map_or(text.len(), |at| start + at);
                let text = format!("{}{spare:#x}{}", &text[..start], &text[end..]);
                Some((spare, case.document.replace(entry, &EntryKind::arg(text)).ok()?))
            });
            findings.push(match edited {
                Some((spare, edits)) => finding.remedy(Remedy::edit(
                    Scope::Rewrite,
                    format!("give the device the slot {spare:#x}, which is free"),
                    edits,
                )),
                None => finding,
            });
        }
        if bus == "pci.0" && facts.usb_of_chipset && is_usb(option) {
            findings.push(
                Finding::at(
                    EntryId::arg(option.entry),
                    verdict,
                    "the chipset's USB controller is there already: libvirt adds it to every domain of this machine",
                )
                .because(
                    "QEMU says 'PCI: slot 1 function 2 not available for piix3-usb-uhci, in use by piix3-usb-uhci'",
                )
                .remedy(Remedy::edit(
                    Scope::Rewrite,
                    "delete the argument",
                    case.document.remove(&[EntryId::arg(option.entry)]),
                )),
            );
        }
        let Some((entry, what, pairs)) = automatic(case, option, bus) else { continue };
        let Some(slot) = free.next() else { break };
        let given = facts.pci_slots.contains(&slot);
        let lowest = facts.pci_unplaced && facts.pci_slots.range(first..slot).next().is_none();
        if !given && !lowest {
            continue;
        }
        let mut finding = Finding::at(
            entry,
            verdict,
            format!("QEMU puts {what} into PCI slot {slot} of {bus}, which libvirt gives to a device of its own"),
        )
        .because(format!(
            "QEMU says 'PCI: slot {slot} function 0 not available for …, in use by …', and names libvirt's device"
        ))
        .because("libvirt writes its devices as JSON, and QEMU makes those after the ones of the passthrough");
        finding = match (pairs, spare.next()) {
            (Some(_), Some(spare)) => {
                match case
                    .document
                    .replace(entry, &EntryKind::arg(format!("{},addr={spare:#x}", case.document.arg(entry.index))))
                {
                    Ok(edits) => finding.remedy(Remedy::edit(
                        Scope::Rewrite,
                        format!("give the device the slot {spare:#x}, which is free"),
                        edits,
                    )),
                    Err(error) => finding.remedy(Remedy::none(Scope::Rewrite, error.to_string())),
                }
            }
            _ => finding.remedy(Remedy::none(
                Scope::Rewrite,
                "use the native element (<interface>, <video>, <disk>, <filesystem>), or -device with addr=0x1e",
            )),
        };
        findings.push(finding);
    }
    findings
}

/// The slot in an `addr=`.
fn slot(pairs: &Pairs) -> Option<u8> {
    let addr = pairs.get("addr")?.split('.').next()?;
    u8::from_str_radix(addr.strip_prefix("0x").unwrap_or(addr), 16).ok()
}

/// The slots of the root bus that devices of the passthrough ask for themselves.
fn taken_by_us(case: &Case<'_>) -> BTreeSet<u8> {
    case.line
        .options
        .iter()
        .filter(|option| is_early(option))
        .filter_map(|device| slot(&device.pairs))
        .collect()
}

/// A device that asks for a slot of the root bus: the entry, the driver, the slot.
fn explicit(option: &QemuOption, bus: &str) -> Option<(EntryId, String, u8)> {
    if !is_early(option) {
        return None;
    }
    let pairs = &option.pairs;
    let driver = pairs.get("driver")?;
    let on_root =
        pairs.get("bus").is_none_or(|named| named == bus) && catalog::bus_of(driver) == Some("PCI");
    let other_function = pairs.get("addr")?.contains('.');
    if !on_root || other_function {
        return None;
    }
    Some((option.place(), driver.to_owned(), slot(pairs)?))
}

/// Options that bring a USB controller.
fn is_usb(option: &QemuOption) -> bool {
    ["usb", "usbdevice"].contains(&option.name())
}

/// An option that makes QEMU choose a PCI slot: the entry, what it puts there, and its pairs where an address can be added.
fn automatic<'a>(
    case: &Case<'_>,
    option: &'a QemuOption,
    bus: &str,
) -> Option<(EntryId, String, Option<&'a Pairs>)> {
    let pairs = &option.pairs;
    if is_early(option) {
        let driver = pairs.get("driver")?.to_owned();
        let on_root = pairs.get("bus").is_none_or(|named| named == bus);
        let chosen =
            catalog::bus_of(&driver) == Some("PCI") && on_root && pairs.get("addr").is_none();
        return chosen.then_some((option.place(), driver, Some(pairs)));
    }
    let text = case.document.arg(option.value?);
    let what = match option.name() {
        "nic" if pairs.get("type") != Some("none") && pairs.get("addr").is_none() => {
            "the network card".to_owned()
        }
        "net" if pairs.get("type") == Some("nic") && pairs.get("addr").is_none() => {
            "the network card".to_owned()
        }
        "vga" if text != "none" => "the video card".to_owned(),
        "virtfs" => "virtio-9p-pci".to_owned(),
        "drive" if pairs.get("if") == Some("virtio") => "virtio-blk-pci".to_owned(),
        _ => return None,
    };
    Some((option.place(), what, None))
}

pub(in crate::rules) static BUS_MISSING: Rule = Rule {
    id: "bus-missing",
    layer: Layer::Qemu,
    summary: "a device asks for a bus that is not there yet",
    explain: include_str!("../../../assets/rules/bus-missing.md"),
    check: bus_missing,
};

/// Buses that the machines bring themselves.
const BUILT_IN: [&str; 12] = [
    "pci.0",
    "pcie.0",
    "isa.0",
    "ide.0",
    "ide.1",
    "ide.2",
    "ide.3",
    "ide.4",
    "ide.5",
    "i2c",
    "floppy-bus.0",
    "main-system-bus",
];

fn bus_missing(case: &Case<'_>) -> Vec<Finding> {
    let (Some((root, _)), Some(verdict)) = (root_bus(case), verdict(case)) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let mut made: Vec<String> = Vec::new();
    // The buses that the devices so far have brought.
    let mut drivers: Vec<String> = Vec::new();
    let usb = case.line.options.iter().any(is_usb);
    for option in case.line.options.iter().filter(|option| is_early(option)) {
        let (entry, pairs) = (option.place(), &option.pairs);
        let driver = pairs.get("driver").unwrap_or_default();
        let kind = catalog::bus_of(driver).unwrap_or_default();
        let brought = |kind: &str, patterns: &str| {
            (kind == "usb-bus" && usb)
                || drivers.iter().any(|driver| catalog::matches(patterns, driver))
        };
        let named = pairs.get("bus").map(|bus| bus.split('/').next_back().unwrap_or(bus));
        let problem = match named {
            Some(bus) => {
                let own = made.iter().any(|id| {
                    bus == id
                        || bus.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('.'))
                });
                let other_root = bus != root && ["pci.0", "pcie.0"].contains(&bus);
                let there = own
                    || (BUILT_IN.contains(&bus) && !other_root)
                    || (usb && bus.starts_with("usb-bus."));
                (!there)
                    .then(|| format!("the bus '{bus}' is not there when QEMU makes this device"))
            }
            None => {
                catalog::providers(kind).filter(|patterns| !brought(kind, patterns)).map(|_| {
                    format!("no bus of the kind '{kind}' is there yet when QEMU makes this device")
                })
            }
        };
        if let Some(problem) = problem {
            let mut finding = Finding::at(entry, verdict, problem).because(match named {
                Some(bus) => format!("QEMU says \"Bus '{bus}' not found\""),
                None => format!("QEMU says \"No '{kind}' bus found for device '{driver}'\""),
            });
            finding = match named {
                Some("pci.0" | "pcie.0") => finding.because(format!("the root bus of this machine is {root}")),
                _ => finding.because("libvirt's controllers are written as JSON, and QEMU makes those after the devices of the passthrough"),
            };
            findings.push(finding.remedy(as_json(case, entry, pairs)));
        }
        made.extend(pairs.get("id").map(str::to_owned));
        drivers.push(driver.to_owned());
    }
    findings
}

/// Keys whose values are texts for every device, so that JSON can carry them as they are.
const TEXTS: [&str; 10] =
    ["driver", "id", "bus", "addr", "chardev", "netdev", "drive", "memdev", "fsdev", "audiodev"];

/// Writing a device as JSON, which QEMU makes in the order of the command line, after libvirt's own.
fn as_json(case: &Case<'_>, entry: EntryId, pairs: &Pairs) -> Remedy {
    let by_hand = "write the device as JSON ('{\"driver\":…}'), which is made after libvirt's, or use the native element";
    if !pairs.pairs.iter().all(|pair| TEXTS.contains(&pair.key.as_str())) {
        return Remedy::none(Scope::Rewrite, by_hand);
    }
    let object: serde_json::Map<String, serde_json::Value> =
        pairs.pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone().into())).collect();
    let text = serde_json::Value::Object(object).to_string();
    match case.document.replace(entry, &EntryKind::arg(text)) {
        Ok(edits) => Remedy::edit(
            Scope::Rewrite,
            "write the device as JSON: QEMU then makes it after libvirt's controllers",
            edits,
        ),
        Err(error) => Remedy::none(Scope::Rewrite, error.to_string()),
    }
}

pub(in crate::rules) static SET_TARGET: Rule = Rule {
    id: "set-target",
    layer: Layer::Qemu,
    summary: "-set names an item that QEMU does not find",
    explain: include_str!("../../../assets/rules/set-target.md"),
    check: set_target,
};

/// `-set GROUP.ID.KEY=VALUE` finds only what was defined before it, and not as JSON.
fn set_target(case: &Case<'_>) -> Vec<Finding> {
    let Some(verdict) = verdict(case) else { return Vec::new() };
    let mut findings = Vec::new();
    for option in case.line.options("set") {
        let Some(value) = option.value else { continue };
        let mut parts = case.document.arg(value).splitn(3, '.');
        let (Some(group), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let defined = case.line.ids.iter().any(|found| {
            let json = case.document.arg(found.entry.index).starts_with('{');
            found.group == group && found.id == id && found.entry.index < value && !json
        });
        let native = group == "chardev" && case.start.has_id(group, id);
        if defined || native || !["device", "drive", "object", "netdev", "chardev"].contains(&group)
        {
            continue;
        }
        let (name, setting) = key.split_once('=').unwrap_or((key, ""));
        let entry = EntryId::arg(value);
        let mut finding = Finding::at(entry, verdict, format!("-set finds no {group} '{id}'"))
            .because(format!("QEMU says 'there is no {group} \"{id}\" defined'"))
            .because("-set reaches only what stands before it, and not libvirt's devices, which are written as JSON");
        if group == "device" {
            finding = finding.remedy(as_override(case, option, id, name, setting));
        }
        findings.push(finding);
    }
    findings
}

/// Writes a `-set device.…` as a property in `<qemu:override>`, with the type that QEMU's JSON wants.
fn as_override(
    case: &Case<'_>,
    option: &QemuOption,
    alias: &str,
    name: &str,
    value: &str,
) -> Remedy {
    if name == "id" {
        return Remedy::none(
            Scope::Rewrite,
            "the key 'id' can't be overridden, say it in the native element: <alias name='ua-…'/>",
        );
    }
    let facts = case.document.facts();
    let is_libvirts =
        case.start.has_id("device", alias) || facts.own_aliases.iter().any(|own| own == alias);
    if !is_libvirts {
        let defined_later = case.line.ids.iter().any(|id| id.group == "device" && id.id == alias);
        return Remedy::none(
            Scope::Rewrite,
            if defined_later {
                format!("move the -set behind the -device that defines '{alias}'")
            } else {
                format!(
                    "no device of the domain is called '{alias}': virsh domxml-to-native shows their ids"
                )
            },
        );
    }
    if case.host.libvirt_at_least(8, 2) == Some(false) {
        return Remedy::none(
            Scope::Rewrite,
            "libvirt 8.2 has <qemu:override> for it; before, <qemu:capabilities><qemu:del capability='device.json+hotplug'/></qemu:capabilities> brings -set back (libvirt 8.0 and later)",
        );
    }
    let (kind, value) = json_type(name, value);
    let entries: Vec<EntryId> =
        [Some(option.entry), option.value].into_iter().flatten().map(EntryId::arg).collect();
    let edits =
        case.document.override_property(alias, name, kind, Some(&value)).and_then(|added| {
            let mut edits = case.document.remove(&entries);
            for edit in added.edits() {
                edits.push(edit.clone())?;
            }
            Ok(edits)
        });
    match edits {
        Ok(edits) => {
            let title = format!("write it in <qemu:override> (type {kind}, device '{alias}')");
            Remedy::edit(Scope::Rewrite, title, edits)
        }
        Err(error) => Remedy::none(Scope::Rewrite, error.to_string()),
    }
}

/// Properties that are on or off and no booleans (`OnOffAuto`).
const THREE_VALUED: [&str; 7] =
    ["display", "page-per-vq", "iommu_platform", "ats", "disable-legacy", "x-no-mmap", "rombar"];

/// The type and the value of a property as `<qemu:override>` writes it.
fn json_type(name: &str, value: &str) -> (&'static str, String) {
    let hex = value.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match value {
        "on" | "off" | "yes" | "no" | "true" | "false" if !THREE_VALUED.contains(&name) => {
            ("bool", ["on", "yes", "true"].contains(&value).to_string())
        }
        _ if hex.is_some() => ("unsigned", hex.unwrap_or_default().to_string()),
        _ if value.parse::<u64>().is_ok() => ("unsigned", value.to_owned()),
        _ if value.parse::<i64>().is_ok() => ("signed", value.to_owned()),
        _ => ("string", value.to_owned()),
    }
}
