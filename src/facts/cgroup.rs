//! What libvirt can make control groups of.

use serde::{Deserialize, Serialize};

use super::Known;
use super::mounts::Mount;

/// The state of the control groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroups {
    /// The version that holds the device controller: 1 or 2.
    pub version: Option<u8>,
    /// Whether devices are filtered.
    pub devices: Known<bool>,
    /// What `cgroup.controllers` of version 2 holds, which may be nothing; `None` where it is not mounted.
    #[serde(default)]
    pub unified: Known<Option<Vec<String>>>,
    /// The hierarchies of version 1: the controllers that are mounted together.
    #[serde(default)]
    pub legacy: Vec<Vec<String>>,
    /// systemd-machined is there, which libvirt then has make the group of each VM (`virSystemdHasMachined`).
    #[serde(default)]
    pub machined: Known<bool>,
}

/// Reads the state off the mounts: version 1 has a `devices` hierarchy, version 2 filters by BPF .
pub(crate) fn read(mounts: &Known<Vec<Mount>>) -> Cgroups {
    let mounts = match mounts {
        Known::Yes(mounts) => mounts,
        Known::Unknown(why) => {
            return Cgroups { devices: Known::Unknown(why.clone()), ..Cgroups::default() };
        }
    };
    let options = mounts.iter().filter_map(|mount| mount.fstype.strip_prefix("cgroup:"));
    let of = |options: &str| {
        options.split(',').filter(|word| !["rw", "ro"].contains(word)).map(str::to_owned).collect()
    };
    let legacy: Vec<Vec<String>> = options.map(of).collect();
    let has_devices = legacy.iter().flatten().any(|controller| controller == "devices");
    let has_version_2 = mounts.iter().any(|mount| mount.fstype == "cgroup2");
    let version = match (has_devices, has_version_2) {
        (true, _) => Some(1),
        (false, true) => Some(2),
        (false, false) => None,
    };
    let unified = if has_version_2 { Known::default() } else { Known::Yes(None) };
    let devices = Known::Yes(version.is_some());
    Cgroups { version, devices, unified, legacy, machined: Known::default() }
}
