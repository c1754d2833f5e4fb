//! Reading the mounts of this machine.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Held;
use crate::facts::Known;
use crate::facts::mounts::{self, Mount};

pub(super) fn read() -> Known<Vec<Mount>> {
    match std::fs::read_to_string("/proc/self/mountinfo") {
        Ok(text) => Known::Yes(text.lines().filter_map(mounts::line).collect()),
        Err(error) => Known::Unknown(format!("/proc/self/mountinfo cannot be read: {error}")),
    }
}

/// File systems whose files are the kernel's own: reading one may do something, or take away what was read (/proc/kmsg).
const KERNELS: [&str; 17] = [
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "efivarfs",
    "functionfs",
    "fusectl",
    "mqueue",
    "proc",
    "pstore",
    "securityfs",
    "sysfs",
    "tracefs",
];

/// Where looking is more than looking, by the numbers of file systems.
#[derive(Debug, Default)]
pub(super) struct Devices {
    automounts: BTreeSet<(u32, u32)>,
    kernels: BTreeSet<(u32, u32)>,
    points: BTreeSet<String>,
    /// The FUSE mounts, with who mounted each.
    served: BTreeMap<String, (u32, u32)>,
}

impl Devices {
    /// Those of this machine.
    pub(super) fn read() -> Devices {
        Devices::parse(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
    }

    pub(super) fn parse(text: &str) -> Devices {
        let mut devices = Devices::default();
        for line in text.lines() {
            let (Some(mount), Some(number)) = (mounts::line(line), mounts::device(line)) else {
                continue;
            };
            if mount.fstype == "autofs" {
                devices.automounts.insert(number);
            } else if KERNELS.contains(&mount.fstype.split(':').next().unwrap_or_default()) {
                devices.kernels.insert(number);
            }
            let id = |key| mount.value(key).and_then(|id| id.parse().ok()).unwrap_or_default();
            if mount.is_fuse() {
                devices.served.insert(mount.point.clone(), (id("user_id"), id("group_id")));
            } else {
                devices.served.remove(&mount.point);
            }
            devices.points.insert(mount.point);
        }
        devices
    }

    /// Whether looking for `path` in a directory has something mounted: what is mounted there already is only passed.
    pub(super) fn is_automount(&self, directory: &Held, path: &str) -> bool {
        let is_automount =
            directory.is_automount() || self.automounts.contains(&directory.device());
        is_automount && !self.points.contains(path)
    }

    /// Who mounted the FUSE file system that stands at a path.
    pub(super) fn server(&self, path: &str) -> Option<(u32, u32)> {
        self.served.get(path).copied()
    }

    /// Whether a file is the kernel's own.
    pub(super) fn is_kernels(&self, file: &Held) -> bool {
        self.kernels.contains(&file.device())
    }
}
