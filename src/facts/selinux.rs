//! SELinux as the host described it: its mode, labels, and what the kernel's policy answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FileKind, Known};

pub mod shipped;

/// What SELinux does on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is not there.
    Off,
    /// It logs what it would deny.
    Permissive,
    /// It denies.
    Enforcing,
}

/// The state of SELinux.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selinux {
    /// Its mode.
    pub mode: Known<Mode>,
    /// The label of libvirt's daemon; QEMU keeps it when it is not confined.
    pub daemon: Option<String>,
    /// The lines of `virtual_domain_context`: the label for KVM, then the one for TCG.
    pub contexts: Vec<String>,
    /// Whose policy it is, by `ID` of os-release.
    pub distribution: String,
    /// What else tells that; facts of older versions of this program lack it.
    #[serde(default)]
    pub system: Option<System>,
    /// What the running kernel's policy allows: `SOURCE TARGET CLASS` to permissions.
    pub decisions: BTreeMap<String, Vec<String>>,
    /// The labels of processes that listen on sockets, by the socket's path.
    #[serde(default)]
    pub servers: BTreeMap<String, String>,
    /// Process labels that the running kernel's policy knows, or does not.
    #[serde(default)]
    pub known: BTreeMap<String, bool>,
    /// The policy's booleans of which the shipped tables make a difference, and those whose name begins with `virt_`.
    #[serde(default)]
    pub booleans: BTreeMap<String, bool>,
}

/// Of which system, and which release of it, the policy is: os-release(5) and /etc/selinux/config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// The words of `ID_LIKE`, the nearest relative first.
    pub like: Vec<String>,
    /// `VERSION_ID`.
    pub version: Option<String>,
    /// `PLATFORM_ID`.
    pub platform: Option<String>,
    /// `SELINUXTYPE`.
    pub policy: Option<String>,
}

impl Selinux {
    /// Whether there is an SELinux, enforcing or not.
    pub fn is_there(&self) -> bool {
        matches!(self.mode, Known::Yes(Mode::Permissive | Mode::Enforcing))
    }

    /// The permissions that the kernel's policy gives; `None` when it was not asked.
    pub fn allowed(&self, source: &str, target: &str, class: &str) -> Option<&[String]> {
        self.decisions.get(&format!("{source} {target} {class}")).map(Vec::as_slice)
    }
}

/// The type in a label `user:role:type:range`.
pub fn type_of(label: &str) -> Option<&str> {
    label.split(':').nth(2)
}

/// The object class of a kind of file.
pub fn class_of(kind: &FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "dir",
        FileKind::Link(_) => "lnk_file",
        FileKind::Char(..) => "chr_file",
        FileKind::Block(..) => "blk_file",
        FileKind::Fifo => "fifo_file",
        FileKind::Socket => "sock_file",
    }
}
