//! Options that make a device by themselves, where QEMU likes, written as a back end and a `-device` that says where.

use super::{Case, Remedy, Scope};
use crate::domain::{EntryId, EntryKind, List};
use crate::qemu::{QemuOption, catalog, keyval};

/// An option that makes a device of its own accord, as one for the back end and a `-device` with a slot.
pub(super) fn with_slot(case: &Case<'_>, option: &QemuOption, slot: u8) -> Option<Remedy> {
    let pairs = &option.pairs;
    let id = pairs.get("id").map_or_else(|| format!("slot{slot:x}"), str::to_owned);
    let mut kept: Vec<(&str, &str)> = Vec::new();
    for pair in &pairs.pairs {
        let (key, value) = (pair.key.as_str(), pair.value.as_str());
        match (option.name(), key) {
            ("drive", "if") => kept.push(("if", "none")),
            ("virtfs", "mount_tag") | (_, "id") => {}
            _ => kept.push((key, value)),
        }
    }
    kept.push(("id", &id));
    let (back, device) = match option.name() {
        "drive" if pairs.get("if") == Some("virtio") => {
            ("-drive", format!("virtio-blk-pci,drive={id},addr={slot:#x}"))
        }
        "virtfs" => {
            let tag = keyval::double_commas(pairs.get("mount_tag")?);
            ("-fsdev", format!("virtio-9p-pci,fsdev={id},mount_tag={tag},addr={slot:#x}"))
        }
        _ => return None,
    };
    let implied = catalog::option(back.trim_start_matches('-')).and_then(|row| row.implied);
    let value = keyval::written(kept.into_iter(), implied);
    let document = case.document;
    let (name_at, value_at) = (option.entry, option.value?);
    let mut edits = document.replace(EntryId::arg(name_at), &EntryKind::arg(back)).ok()?;
    let entries = [EntryKind::arg("-device"), EntryKind::arg(device)];
    for more in [
        document.replace(EntryId::arg(value_at), &EntryKind::arg(value)).ok()?,
        document.insert(List::Args, value_at + 1, &entries).ok()?,
    ] {
        for edit in more.edits() {
            edits.push(edit.clone()).ok()?;
        }
    }
    let title = format!("write it as {back} and a -device in the slot {slot:#x}, which is free");
    Some(Remedy::edit(Scope::Rewrite, title, edits))
}
