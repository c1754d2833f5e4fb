//! The places where QEMU puts drives: two at one.

use std::collections::BTreeSet;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{Chipset, EntryId};
use crate::qemu::QemuOption;

pub(crate) static DRIVE_UNIT: Rule = Rule {
    id: "drive-unit",
    layer: Layer::Qemu,
    summary: "a drive stands where a disk of the domain stands",
    explain: include_str!("../../../assets/rules/drive-unit.md"),
    check: drive_unit,
};

fn drive_unit(case: &Case<'_>) -> Vec<Finding> {
    let facts = case.document.facts();
    // The machine's own disks (`pci_ide_create_devs`, `ide_create_drives`) are made before every -device.
    let native = match facts.chipset() {
        Some(Chipset::Q35) => &facts.sata_units,
        Some(Chipset::I440fx) => &facts.ide_units,
        None => return Vec::new(),
    };
    let drives: Vec<(EntryId, Option<u8>)> = case.line.options.iter().filter_map(ide).collect();
    let mut taken: BTreeSet<u8> = drives.iter().filter_map(|(_, index)| *index).collect();
    let mut findings = Vec::new();
    for (entry, index) in drives {
        // Without an index QEMU takes the first free one; it does not know of libvirt's disks yet.
        let index = index.or_else(|| (0..8).find(|index| taken.insert(*index)));
        if let Some(index) = index.filter(|index| native.contains(index)) {
            findings.push(
                Finding::at(
                    entry,
                    Verdict::Blocks,
                    format!(
                        "QEMU puts this drive at index {index}, where a <disk> of the domain stands"
                    ),
                )
                .because("QEMU says 'IDE unit … is in use', and names libvirt's disk")
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "write it as a <disk>, or say if=none and give it a -device",
                )),
            );
        }
    }
    findings
}

/// A drive that QEMU puts on the machine's own IDE or SATA ports, with its index where it is said.
fn ide(option: &QemuOption) -> Option<(EntryId, Option<u8>)> {
    let entry = EntryId::arg(option.value?);
    let index = match option.name() {
        "hda" => 0,
        "hdb" => 1,
        "hdc" | "cdrom" => 2,
        "hdd" => 3,
        "drive" => {
            let pairs = &option.pairs;
            let on_ide = pairs.get("if").is_none_or(|kind| kind == "ide");
            let number = |key: &str| pairs.get(key).and_then(|text| text.parse::<u8>().ok());
            let place = number("bus").zip(number("unit")).map(|(bus, unit)| bus * 2 + unit);
            return on_ide.then_some((entry, number("index").or(place)));
        }
        _ => return None,
    };
    Some((entry, Some(index)))
}
