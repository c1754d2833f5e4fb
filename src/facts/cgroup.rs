//! Whether libvirt can filter devices by control group.

use serde::{Deserialize, Serialize};

use super::Known;
use super::mounts::Mount;

/// The state of the control groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cgroups {
    /// The version that holds the device controller: 1 or 2.
    pub version: Option<u8>,
    /// Whether devices are filtered.
    pub devices: Known<bool>,
}

/// Reads the state off the mounts: version 1 has a `devices` hierarchy, version 2 filters by BPF (`virCgroupV2DevicesAvailable`).
pub(crate) fn read(mounts: &Known<Vec<Mount>>) -> Cgroups {
    let mounts = match mounts {
        Known::Yes(mounts) => mounts,
        Known::Unknown(why) => {
            return Cgroups { version: None, devices: Known::Unknown(why.clone()) };
        }
    };
    let v1 = mounts.iter().any(|m| {
        m.fstype
            .strip_prefix("cgroup:")
            .is_some_and(|options| options.split(',').any(|o| o == "devices"))
    });
    let v2 = mounts.iter().any(|mount| mount.fstype == "cgroup2");
    match (v1, v2) {
        (true, _) => Cgroups { version: Some(1), devices: Known::Yes(true) },
        (false, true) => Cgroups { version: Some(2), devices: Known::Yes(true) },
        (false, false) => Cgroups { version: None, devices: Known::Yes(false) },
    }
}
