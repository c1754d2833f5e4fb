//! What the kernel shows beside a PCI device, and who may bind one before a start.

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
