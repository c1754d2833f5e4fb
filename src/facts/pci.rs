//! What the kernel shows beside a PCI device, and who may bind one before a start.

use std::collections::BTreeMap;

use super::{HostFacts, Walk};
use crate::qemu::{Access, CommandLine, Resource, Use};

/// The devices of an IOMMU group by their addresses, with the driver that has each.
pub type Group = BTreeMap<String, Option<String>>;

/// What libvirt runs before it starts QEMU (<https://libvirt.org/hooks.html>): such a script may bind devices.
pub const HOOKS: [&str; 2] = ["/etc/libvirt/hooks/qemu", "/etc/libvirt/hooks/qemu.d"];

/// The link to the group of devices that the IOMMU can't tell apart; not there where the IOMMU is off.
pub fn group(directory: &str) -> String {
    format!("{directory}/iommu_group")
}

/// The link to the driver that has a device; not there when none has.
pub fn driver(directory: &str) -> String {
    format!("{directory}/driver")
}

/// The number of an IOMMU group, at the end of a device's link to it.
pub(crate) fn number(link: &Walk) -> Option<&str> {
    link.target()?.path.strip_prefix("/sys/kernel/iommu_groups/")
}

/// The node through which QEMU opens a group.
pub(crate) fn node(number: &str) -> String {
    format!("/dev/vfio/{number}")
}

/// Whether a driver leaves the group of its device to VFIO: VFIO's own, and those that use no memory of the host's
/// (`vfio_driver_allowed` up to Linux 5.18, `driver_managed_dma` from then on).
pub fn leaves_group(driver: &str) -> bool {
    driver.contains("vfio") || ["pci-stub", "pcieport", "pciback"].contains(&driver)
}

/// The nodes of the groups of devices that arguments name (`vfio_get_group`, hw/vfio/common.c); an iommufd has other ones.
pub(crate) fn nodes(line: &CommandLine, host: &HostFacts) -> Vec<Use> {
    let of = |usage: &Use| {
        let directory = usage.resource.sysfs()?;
        let option = line.option_at(usage.entry);
        if option.is_some_and(|option| option.pairs.get("iommufd").is_some()) {
            return None;
        }
        let path = node(number(host.walk(&group(&directory)).ok()?)?);
        let access = Access::ReadWrite;
        let resource = Resource::Path { path, access, locks: false, chain: false };
        Some(Use { resource, what: "the device's VFIO group", at: 0..0, ..usage.clone() })
    };
    line.uses.iter().filter_map(of).collect()
}
