//! PCI devices of the host that an argument gives to the guest: libvirt binds and unbinds those of `<hostdev>` only.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::{Ending, pci};
use crate::qemu::{PCI_DEVICES, Use};
use crate::words::AND;

pub(crate) static PCI_DEVICE: Rule = Rule {
    id: "pci-device",
    layer: Layer::Host,
    summary: "a PCI device is not there, in no IOMMU group, or not bound to vfio-pci with all of its group",
    explain: include_str!("../../../assets/rules/pci-device.md"),
    check: |case| {
        let devices =
            case.line.uses.iter().filter_map(|usage| Some((usage, usage.resource.sysfs()?)));
        devices.filter_map(|(usage, directory)| device(case, usage, &directory)).collect()
    },
};

/// `vfio_realize` (hw/vfio/pci.c): the device's directory, then its group; the kernel gives out what a VFIO driver has.
fn device(case: &Case<'_>, usage: &Use, directory: &str) -> Option<Finding> {
    let name = directory.strip_prefix(PCI_DEVICES);
    let unknown = |why: &str| {
        let message = format!("whether QEMU gets {directory} is not known: {why}");
        Some(Finding::of(usage, Verdict::Unknown, message))
    };
    match case.host.walk(directory) {
        Err(why) => return unknown(why),
        Ok(walk) if walk.ending != Ending::Present => {
            let message = match name {
                Some(name) => format!("there is no PCI device {name} on this host"),
                None => format!("{directory} is not there"),
            };
            let blocks = Finding::of(usage, Verdict::Blocks, message)
                .because(format!("QEMU says 'vfio {directory}: no such host device'"))
                .remedy(Remedy::none(Scope::Rewrite, "name one that is there: lspci -D"));
            return Some(blocks);
        }
        Ok(_) => {}
    }
    match case.host.walk(&pci::group(directory)) {
        Err(why) => return unknown(why),
        Ok(walk) if walk.ending != Ending::Present => {
            let message = format!("{directory} is in no IOMMU group: the host's IOMMU is off");
            let finding = Finding::of(usage, Verdict::Blocks, message)
                .because("QEMU says 'no iommu_group found: No such file or directory'")
                .remedy(Remedy::none(
                    Scope::Grant,
                    "turn it on in the firmware (VT-d, AMD-Vi), on Intel also with intel_iommu=on for the kernel, and restart the host",
                ));
            return Some(finding);
        }
        Ok(_) => {}
    }
    // A mediated device has a driver of its vendor's.
    let name = name?;
    let driver = match case.host.walk(&pci::driver(directory)) {
        Err(why) => return unknown(why),
        Ok(walk) => walk.target().and_then(|step| step.path.rsplit('/').next()),
    };
    if driver.is_some_and(|driver| driver.contains("vfio")) {
        return rest_of_group(case, usage, directory, name);
    }
    let has = match driver {
        Some(driver) => format!("{driver} has it"),
        None => "no driver has it".to_owned(),
    };
    let (verdict, message) = match hook(case) {
        Some(hook) => {
            (Verdict::Unknown, format!("{name} is not bound to vfio-pci now, {hook} may do it"))
        }
        None => (Verdict::Blocks, format!("{name} is not bound to vfio-pci: {has}")),
    };
    let finding = Finding::of(usage, verdict, message)
        .because("libvirt binds the devices of its own <hostdev> only")
        .remedy(Remedy::command(
            Scope::Grant,
            "give it to vfio-pci, until the host restarts",
            &["virsh", "nodedev-detach", &node_device(name)],
        ));
    Some(finding)
}

/// A script of the host's that runs before each start.
fn hook(case: &Case<'_>) -> Option<&'static str> {
    let is_there =
        |hook: &&str| case.host.walk(hook).is_ok_and(|walk| walk.ending == Ending::Present);
    pci::HOOKS.into_iter().find(is_there)
}

/// What libvirt calls a device of the host.
fn node_device(name: &str) -> String {
    format!("pci_{}", name.replace([':', '.'], "_"))
}

/// The IOMMU can't tell the devices of a group apart: all of them are VFIO's, or none can be opened.
fn rest_of_group(case: &Case<'_>, usage: &Use, directory: &str, name: &str) -> Option<Finding> {
    let number = pci::number(case.host.walk(&pci::group(directory)).ok()?)?;
    let group = case.host.iommu_groups.get(number)?;
    let others = group.iter().filter_map(|(device, driver)| {
        let driver = driver.as_deref().filter(|driver| !pci::leaves_group(driver))?;
        Some((device.as_str(), driver))
    });
    let others: Vec<(&str, &str)> = others.collect();
    let (device, driver) = *others.first()?;
    let message = format!("{name} shares IOMMU group {number} with {device}, which {driver} has");
    let (verdict, message) = match hook(case) {
        Some(hook) => (Verdict::Unknown, format!("{message}; {hook} may change that")),
        None => (Verdict::Blocks, message),
    };
    let nodes: Vec<String> = others.iter().map(|(device, _)| node_device(device)).collect();
    let commands = nodes.iter().map(|node| ["virsh", "nodedev-detach", node]);
    let words: Vec<&str> = commands.collect::<Vec<_>>().join(&AND);
    let finding = Finding::of(usage, verdict, message)
        .because(format!("QEMU says 'group {number} is not viable': all of its devices have to be bound to vfio-pci, or to no driver"))
        .remedy(Remedy::command(
            Scope::Grant,
            "take the others from the host as well, until it restarts: only where it can do without them",
            &words,
        ))
        .remedy(Remedy::none(
            Scope::Rewrite,
            "or put the card into another slot: 'ls /sys/kernel/iommu_groups/*/devices' has the groups",
        ));
    Some(finding)
}
