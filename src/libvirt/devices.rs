//! Device nodes that libvirt gives to a VM: those of every VM, and those of its native elements.

use crate::domain::DomainFacts;
use crate::facts::HostFacts;
use crate::qemu::{Range, Version};

const TABLE: &str = include_str!("../../assets/libvirt/devices.tsv");

/// A node that every private `/dev` holds and every device filter lets through.
pub struct DefaultDevice {
    /// Its path.
    pub node: &'static str,
    /// The versions of libvirt that have it so.
    pub range: Range,
    /// The type of the domains that have it, whatever qemu.conf lists; nothing for every type.
    pub of_type: Option<&'static str>,
}

/// The nodes of every VM (`defaultDeviceACL` in libvirt's qemu_cgroup.c) and those of its accelerator.
pub fn default_devices() -> impl Iterator<Item = DefaultDevice> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let (node, range) = (fields.next()?, Range::read(fields.next()?, fields.next()?));
        Some(DefaultDevice {
            node,
            range,
            of_type: fields.next().filter(|of_type| *of_type != "-"),
        })
    })
}

/// Where libvirt keeps the secret key that it hands to each QEMU.
pub const STATE_DIRECTORY: &str = "/var/lib/libvirt/qemu";

/// The device nodes that `qemu.conf` lists, or libvirt's own list, and those of the domain's type; where libvirt's version is
/// not known, what every version has.
pub(super) fn listed(host: &HostFacts, domain: &DomainFacts) -> Vec<String> {
    let version = host.libvirt.yes().and_then(|version| Version::read(version));
    let has = |device: &DefaultDevice| match version {
        Some(version) => device.range.contains(version),
        None => {
            device.range.until.is_none() && device.of_type.is_some()
                || device.range == Range::default()
        }
    };
    let own = default_devices().filter(has);
    let (typed, of_all): (Vec<_>, Vec<_>) = own.partition(|device| device.of_type.is_some());
    let typed = typed.into_iter().filter(|device| device.of_type == domain.kind.as_deref());
    let nodes: Vec<&str> = match host.conf.list("cgroup_device_acl") {
        Some(nodes) => nodes,
        None => of_all.into_iter().map(|device| device.node).collect(),
    };
    let all = nodes.into_iter().chain(typed.map(|device| device.node));
    all.map(str::to_owned).collect()
}

/// Device paths that a domain's native elements bring.
pub(super) fn native(domain: &DomainFacts) -> Vec<String> {
    let mut paths: Vec<String> = domain.native.iter().map(|native| native.path.clone()).collect();
    if domain.vfio {
        paths.push("/dev/vfio/vfio".to_owned());
    }
    paths
}
