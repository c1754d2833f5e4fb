//! Disks whose SCSI commands a guest gives to the device itself.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::FileKind;

pub(crate) static SCSI_DEVICE: Rule = Rule {
    id: "scsi-device",
    layer: Layer::Host,
    summary: "a SCSI device is to be given to the guest, and what is there is none",
    explain: include_str!("../../../assets/rules/scsi-device.md"),
    check: |case| {
        let devices = case.line.options("device");
        let passed =
            devices.filter(|device| ["scsi-block", "scsi-generic"].contains(&device.kind()));
        let named = passed.filter_map(|device| Some((device.kind(), device.pairs.get("drive")?)));
        named.filter_map(|(kind, drive)| image(case, kind, drive)).collect()
    },
};

/// `scsi_block_realize`, `scsi_generic_realize` (hw/scsi): the file below has to answer `SG_GET_VERSION_NUM`.
fn image(case: &Case<'_>, kind: &str, drive: &str) -> Option<Finding> {
    let mut options = case.line.options("drive").chain(case.line.options("blockdev"));
    let image = options.find(|option| {
        ["id", "node-name"].iter().any(|key| option.pairs.get(key) == Some(drive))
    })?;
    let entry = image.place();
    let (usage, path, _, walk) = case.walks().find(|(usage, ..)| usage.entry == entry)?;
    let expected = if kind == "scsi-block" { "a disk, /dev/sda" } else { "its node, /dev/sg0" };
    (walk.target()?.kind == FileKind::File).then(|| {
        Finding::of(usage, Verdict::Blocks, format!("{path} is no SCSI device, which {kind} takes"))
            .because("QEMU says 'cannot get SG_IO version number … Is this a SCSI device?'")
            .remedy(Remedy::none(
                Scope::Rewrite,
                format!("name {expected}; for an image take scsi-hd"),
            ))
    })
}
