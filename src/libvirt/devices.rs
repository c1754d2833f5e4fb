//! Device nodes that libvirt gives to a VM: those of every VM, and those of its native elements.

use crate::domain::DomainFacts;
use crate::facts::HostFacts;

/// Device nodes that every private `/dev` holds and every device filter lets through (`defaultDeviceACL` in libvirt's qemu_cgroup.c).
pub fn default_devices(libvirt_10_1: bool) -> Vec<&'static str> {
    let mut nodes = vec![
        "/dev/null",
        "/dev/full",
        "/dev/zero",
        "/dev/random",
        "/dev/urandom",
        "/dev/ptmx",
        "/dev/kvm",
    ];
    if libvirt_10_1 {
        nodes.push("/dev/userfaultfd");
    }
    nodes
}

/// Where libvirt keeps the secret key that it hands to each QEMU.
pub const STATE_DIRECTORY: &str = "/var/lib/libvirt/qemu";

/// The device nodes that `qemu.conf` lists, or libvirt's own list.
pub(super) fn listed(host: &HostFacts) -> Vec<String> {
    let nodes = host.conf.list("cgroup_device_acl");
    let nodes =
        nodes.unwrap_or_else(|| default_devices(host.libvirt_at_least(10, 1).unwrap_or(false)));
    nodes.into_iter().map(str::to_owned).collect()
}

/// Device paths that a domain's native elements bring.
pub(super) fn native(domain: &DomainFacts) -> Vec<String> {
    let mut paths: Vec<String> = domain.native.iter().map(|native| native.path.clone()).collect();
    if domain.vfio {
        paths.push("/dev/vfio/vfio".to_owned());
    }
    paths
}
