//! Images and the places where QEMU puts them: one image opened twice, two drives at one place.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{Chipset, EntryId};
use crate::qemu::{Access, QemuOption, Resource};

pub(crate) static IMAGE_TWICE: Rule = Rule {
    id: "image-twice",
    layer: Layer::Qemu,
    summary: "two devices write to one image",
    explain: include_str!("../../../assets/rules/image-twice.md"),
    check: image_twice,
};

fn image_twice(case: &Case<'_>) -> Vec<Finding> {
    // These say that several may write.
    let shared = |text: &&str| text.contains("share-rw=on") || text.contains("locking=off");
    if case.document.argv().iter().any(shared) {
        return Vec::new();
    }
    let resolved = |path: &str| {
        case.host.walk(path).map_or(path.to_owned(), |walk| walk.resolved().to_owned())
    };
    let mut writers: BTreeMap<String, String> = BTreeMap::new();
    for native in case.document.facts().native.iter().filter(|native| native.exclusive) {
        writers.insert(resolved(&native.path), format!("the domain's own <{}>", native.element));
    }
    let mut findings = Vec::new();
    for usage in &case.line.uses {
        let Resource::Path { path, access: Access::ReadWrite, locks: true, .. } = &usage.resource
        else {
            continue;
        };
        let image = resolved(path);
        match writers.get(&image) {
            Some(other) => findings.push(
                Finding::of(usage, Verdict::Blocks, format!("{other} writes to {path} as well"))
                    .because("QEMU locks an image that a device writes to; it says 'Failed to get \"write\" lock'")
                    .remedy(Remedy::none(
                        Scope::Rewrite,
                        "let one of the two go; where the guest's file system is made for it: <shareable/> and share-rw=on",
                    )),
            ),
            None => drop(writers.insert(image, format!("argument {}", usage.entry.index + 1))),
        }
    }
    findings
}

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
