//! Device nodes that libvirt gives to a VM: those of every VM, and those of its native elements.

use crate::domain::DomainFacts;
use crate::facts::HostFacts;
use crate::qemu::{Range, Version};

const TABLE: &str = include_str!("../../assets/libvirt/devices.tsv");

/// Device nodes that every private `/dev` holds and every device filter lets through, with the versions of libvirt that have
/// it so (`defaultDeviceACL` in libvirt's qemu_cgroup.c).
pub fn default_devices() -> impl Iterator<Item = (&'static str, Range)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, Range::read(fields.next()?, fields.next()?)))
    })
}

/// Where libvirt keeps the secret key that it hands to each QEMU.
pub const STATE_DIRECTORY: &str = "/var/lib/libvirt/qemu";

/// The device nodes that `qemu.conf` lists, or libvirt's own list; where its version is not known, what every version has.
pub(super) fn listed(host: &HostFacts) -> Vec<String> {
    if let Some(nodes) = host.conf.list("cgroup_device_acl") {
        return nodes.into_iter().map(str::to_owned).collect();
    }
    let version = host.libvirt.yes().and_then(|version| Version::read(version));
    let has =
        |range: Range| version.map_or(range == Range::default(), |version| range.contains(version));
    let nodes = default_devices().filter(|(_, range)| has(*range));
    nodes.map(|(node, _)| node.to_owned()).collect()
}

/// Device paths that a domain's native elements bring.
pub(super) fn native(domain: &DomainFacts) -> Vec<String> {
    let mut paths: Vec<String> = domain.native.iter().map(|native| native.path.clone()).collect();
    if domain.vfio {
        paths.push("/dev/vfio/vfio".to_owned());
    }
    paths
}
