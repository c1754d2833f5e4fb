//! Where QEMU puts devices of the passthrough, and why that fails beside libvirt's own.
//!
//! Since libvirt writes its devices as JSON (7.9 with QEMU 6.2), QEMU makes those of the passthrough first
//! (`qemu_create_cli_devices`): they take the first free slot, which libvirt has given to another, and find no bus that
//! libvirt's controllers are still to bring.

use std::collections::BTreeSet;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict, two_options};
use crate::domain::{Chipset, EntryId, EntryKind, List};
use crate::libvirt::own::JSON_DEVICES;
use crate::qemu::catalog::PropertyKind;
use crate::qemu::{Pair, Pairs, QemuOption, Version, catalog};
use crate::xml::{Edit, EditSet};

pub(crate) static CAPABILITY: Rule = Rule {
    id: "capability-without-effect",
    layer: Layer::Libvirt,
    summary: "a capability that is taken away is not the one that libvirt uses",
    explain: include_str!("../../../assets/rules/capability-without-effect.md"),
    check: |case| {
        if case.host.libvirt_at_least(Version::new(8, 0)) == Some(false) {
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

pub(crate) static PCI_SLOT: Rule = Rule {
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
    let mut slots = Slots::of(case, bus, first);
    let mut findings = Vec::new();
    for option in &case.line.options {
        if let Some((device, whose)) = explicit(option, bus).and_then(|device| slots.refuse(device))
        {
            findings.push(slots.taken(case, verdict, &device, whose));
        }
        if bus == "pci.0" && case.document.facts().usb_of_chipset && is_usb(option) {
            findings.push(usb_twice(case, verdict, option));
        }
        let Some(device) = automatic(case, option, bus) else { continue };
        // The bus is full: QEMU says so itself.
        let Some(slot) = slots.free.pop() else { break };
        if slots.is_given(case, slot) {
            findings.push(slots.handed_over(case, verdict, &device, slot));
        }
    }
    findings
}

/// The slots of the root bus.
struct Slots {
    bus: &'static str,
    first: u8,
    /// Slots that QEMU gives to devices without an address, the next one last.
    free: Vec<u8>,
    /// Slots that can be proposed, the next one last.
    spare: Vec<u8>,
    /// Slots that arguments so far have asked for.
    asked: BTreeSet<u8>,
    /// Slots of devices with an <address>.
    given: BTreeSet<u8>,
}

/// A device that asks for a slot: its entry, its driver, the slot.
type Asking = (EntryId, String, u8);

impl Slots {
    fn of(case: &Case<'_>, bus: &'static str, first: u8) -> Slots {
        let given = case.document.facts().pci_slots.clone();
        let taken = taken_by_us(case);
        let is_free = |slot: &u8| !taken.contains(slot);
        // Not the slots that q35 uses for its own USB and sound.
        let is_spare =
            |slot: &u8| is_free(slot) && !given.contains(slot) && ![0x1b, 0x1d].contains(slot);
        let free = (first..0x1f).filter(is_free).rev().collect();
        let spare = (0x10..0x1f).filter(is_spare).collect();
        Slots { bus, first, free, spare, asked: BTreeSet::new(), given }
    }

    /// Why a device can't have the slot that it asks for.
    fn refuse(&mut self, device: Asking) -> Option<(Asking, &'static str)> {
        let slot = device.2;
        let chipset: [u8; 2] = if self.bus == "pci.0" { [0, 1] } else { [0, 0x1f] };
        let is_second = !self.asked.insert(slot);
        let whose = if is_second {
            "another argument asks for too"
        } else if chipset.contains(&slot) {
            "the machine's own chipset has"
        } else if self.given.contains(&slot) {
            "a device of the domain has by its <address>"
        } else {
            return None;
        };
        Some((device, whose))
    }

    /// Whether libvirt gives a slot to a device of its own: by an address, or as the lowest that is left.
    fn is_given(&self, case: &Case<'_>, slot: u8) -> bool {
        let is_lowest = self.given.range(self.first..slot).next().is_none();
        self.given.contains(&slot) || case.document.facts().pci_unplaced && is_lowest
    }

    fn taken(
        &mut self,
        case: &Case<'_>,
        verdict: Verdict,
        device: &Asking,
        whose: &str,
    ) -> Finding {
        let (entry, driver, slot) = device;
        let message =
            format!("{driver} asks for PCI slot {slot:#x} of {}, which {whose}", self.bus);
        let finding = Finding::at(*entry, verdict, message).because(format!(
            "QEMU says 'PCI: slot {slot} function 0 not available for …, in use by …'"
        ));
        let text = case.document.arg(entry.index);
        let Some(start) = text.find("addr=").map(|at| at + 5) else { return finding };
        let end = text[start..].find(',').map_or(text.len(), |at| start + at);
        let moved = |spare: u8| format!("{}{spare:#x}{}", &text[..start], &text[end..]);
        match self.spare.pop().and_then(|spare| place_at(case, *entry, spare, moved(spare))) {
            Some(remedy) => finding.remedy(remedy),
            None => finding,
        }
    }

    fn handed_over(
        &mut self,
        case: &Case<'_>,
        verdict: Verdict,
        (entry, what, can_be_placed): &(EntryId, String, bool),
        slot: u8,
    ) -> Finding {
        let option = case.line.option_at(*entry);
        let bus = self.bus;
        let message = format!(
            "QEMU puts {what} into PCI slot {slot} of {bus}, which libvirt gives to a device of its own"
        );
        let finding = Finding::at(*entry, verdict, message)
            .because(format!("QEMU says 'PCI: slot {slot} function 0 not available for …, in use by …', and names libvirt's device"))
            .because("libvirt writes its devices as JSON, and QEMU makes those after the ones of the passthrough");
        let placed = |spare: u8| format!("{},addr={spare:#x}", case.document.arg(entry.index));
        let remedy = if *can_be_placed {
            self.spare.pop().and_then(|spare| place_at(case, *entry, spare, placed(spare)))
        } else {
            let spare = self.spare.last().copied();
            let remedy = spare
                .zip(option)
                .and_then(|(spare, option)| two_options::with_slot(case, option, spare));
            if remedy.is_some() {
                self.spare.pop();
            }
            remedy
        };
        finding.remedy(remedy.unwrap_or_else(|| {
            let native = "use the native element (<interface>, <video>, <disk>, <filesystem>), or -device with addr=0x1e";
            Remedy::none(Scope::Rewrite, native)
        }))
    }
}

/// The edit that gives a device another slot.
fn place_at(case: &Case<'_>, entry: EntryId, slot: u8, text: String) -> Option<Remedy> {
    let edits = case.document.replace(entry, &EntryKind::arg(text)).ok()?;
    let title = format!("give the device the slot {slot:#x}, which is free");
    Some(Remedy::edit(Scope::Rewrite, title, edits))
}

fn usb_twice(case: &Case<'_>, verdict: Verdict, option: &QemuOption) -> Finding {
    let entry = EntryId::arg(option.entry);
    let message = "the chipset's USB controller is there already: libvirt adds it to every domain of this machine";
    Finding::at(entry, verdict, message)
        .because("QEMU says 'PCI: slot 1 function 2 not available for piix3-usb-uhci, in use by piix3-usb-uhci'")
        .remedy(Remedy::edit(Scope::Rewrite, "delete the argument", case.document.remove(&[entry])))
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

/// An option that makes QEMU choose a PCI slot: the entry, what it puts there, and whether an address can be added.
fn automatic(case: &Case<'_>, option: &QemuOption, bus: &str) -> Option<(EntryId, String, bool)> {
    let pairs = &option.pairs;
    if is_early(option) {
        let driver = pairs.get("driver")?;
        let is_on_root = pairs.get("bus").is_none_or(|named| named == bus);
        let is_placed = pairs.get("addr").is_some() || pairs.get("help").is_some();
        let is_pci = catalog::bus_of(driver) == Some("PCI");
        return (is_pci && is_on_root && !is_placed)
            .then(|| (option.place(), driver.to_owned(), true));
    }
    let text = case.document.arg(option.value?);
    let kind = pairs.get("type");
    let is_free = pairs.get("addr").is_none();
    let what = match option.name() {
        "nic" if kind != Some("none") && is_free => "the network card",
        "net" if kind == Some("nic") && is_free => "the network card",
        "vga" if text != "none" => "the video card",
        "virtfs" => "virtio-9p-pci",
        "drive" if pairs.get("if") == Some("virtio") => "virtio-blk-pci",
        _ => return None,
    };
    Some((option.place(), what.to_owned(), false))
}

pub(crate) static BUS_MISSING: Rule = Rule {
    id: "bus-missing",
    layer: Layer::Qemu,
    summary: "a device asks for a bus that is not there yet",
    explain: include_str!("../../../assets/rules/bus-missing.md"),
    check: bus_missing,
};

fn bus_missing(case: &Case<'_>) -> Vec<Finding> {
    let (Some((root, _)), Some(verdict)) = (root_bus(case), verdict(case)) else {
        return Vec::new();
    };
    // A file that nobody read may make it; that this is not known is said beside that file.
    if case.line.options("readconfig").next().is_some() {
        return Vec::new();
    }
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
                    || (catalog::is_built_in_bus(bus) && !other_root)
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

/// Writing a device as JSON, which QEMU makes in the order of the command line, after libvirt's own.
fn as_json(case: &Case<'_>, entry: EntryId, pairs: &Pairs) -> Remedy {
    let by_hand = "write the device as JSON ('{\"driver\":…}'), which is made after libvirt's, or use the native element";
    let is_text = |pair: &Pair| catalog::property_kind(&pair.key) == Some(PropertyKind::Text);
    // Texts can be carried by JSON as they are.
    if !pairs.pairs.iter().all(is_text) {
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

pub(crate) static SET_TARGET: Rule = Rule {
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
    if case.host.libvirt_at_least(Version::new(8, 2)) == Some(false) {
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

/// The type and the value of a property as `<qemu:override>` writes it.
fn json_type(name: &str, value: &str) -> (&'static str, String) {
    let hex = value.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let is_boolean = catalog::property_kind(name) != Some(PropertyKind::ThreeValued);
    match value {
        "on" | "off" | "yes" | "no" | "true" | "false" if is_boolean => {
            ("bool", ["on", "yes", "true"].contains(&value).to_string())
        }
        _ if hex.is_some() => ("unsigned", hex.unwrap_or_default().to_string()),
        _ if value.parse::<u64>().is_ok() => ("unsigned", value.to_owned()),
        _ if value.parse::<i64>().is_ok() => ("signed", value.to_owned()),
        _ => ("string", value.to_owned()),
    }
}
