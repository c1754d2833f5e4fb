//! Who QEMU runs as.

use serde::{Deserialize, Serialize};

/// The credentials of a QEMU process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user's name, or its number.
    pub user: String,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Supplementary groups (`virGetGroupList`).
    pub groups: Vec<u32>,
}

impl Identity {
    /// As evidence: `QEMU runs as libvirt-qemu (64055:106)`.
    pub fn sentence(&self) -> String {
        format!("QEMU runs as {} ({}:{})", self.user, self.uid, self.gid)
    }

    /// Whether the process belongs to a group.
    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}
