//! What the kernel is set to where that decides a start, what QEMU inherits from libvirt's daemon, and tap interfaces.

use serde::{Deserialize, Serialize};

use super::{Known, plain_or_known};

/// Settings of the kernel (`sysctl -a`), and what QEMU inherits from libvirt's daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kernel {
    /// `fs.protected_symlinks`: links of other users in sticky directories are not followed.
    #[serde(deserialize_with = "plain_or_known")]
    pub protected_symlinks: Known<bool>,
    /// `net.ipv4.ip_unprivileged_port_start`: lower ports are for root.
    #[serde(deserialize_with = "plain_or_known")]
    pub first_port: Known<u16>,
    /// How much memory the daemon may lock, in bytes (`RLIMIT_MEMLOCK`); `None` is no limit. QEMU inherits it.
    pub memlock: Known<Option<u64>>,
    /// Huge pages, by size.
    pub huge_pages: Known<Vec<HugePages>>,
}

/// Huge pages of one size (`/sys/kernel/mm/hugepages`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HugePages {
    /// In bytes.
    pub size: u64,
    /// It is the size where nobody names one.
    pub is_default: bool,
    /// How many can be had: free, not reserved for others, and those that the kernel would make when they are asked for.
    pub free: u64,
}

/// A tap interface that is there already (`ip tuntap add`); `None` lets everybody use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tap {
    /// Its owner.
    pub owner: Option<u32>,
    /// Its group.
    pub group: Option<u32>,
}
