//! What a host said: plain data, and readers of the kernel's and libvirt's own texts. Nothing here looks at the host.
//!
//! [`crate::probe`] fills it in; `qpt-tui facts` writes it down, and `--facts` reads it again.

pub mod answers;
pub mod apparmor;
pub mod bridge;
mod certificate;
pub mod cgroup;
pub mod contents;
mod elf;
pub mod emulator;
pub mod firmware;
pub mod header;
pub mod identity;
pub mod image;
pub mod kernel;
mod known;
pub mod locks;
pub mod mounts;
pub(crate) mod own;
pub mod pci;
pub(crate) mod pipes;
pub(crate) mod qcow2;
pub mod qemu_conf;
pub mod selinux;
pub mod sockets;
pub mod walk;

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::qemu::Version;
use answers::Answers;
use apparmor::AppArmor;
use bridge::Bridges;
use cgroup::Cgroups;
use contents::Fault;
use emulator::Emulator;
use header::Header;
use identity::Identity;
use image::Image;
use kernel::{Kernel, Tap};
use locks::ImageLock;
use mounts::Mount;
use qemu_conf::QemuConf;
use selinux::Selinux;
use sockets::Listener;

pub use known::Known;
pub(crate) use known::plain_or_known;
pub use walk::{Acl, Ending, FileKind, Step, Walk};

/// Which libvirt will start the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instance {
    /// `qemu:///system`: QEMU runs as its own user, behind every layer.
    System,
    /// `qemu:///session`: QEMU runs as the user who asks, with no namespace, no cgroup and no other user.
    Session,
}

/// The format of recorded facts.
pub const FACTS_VERSION: u32 = 1;

/// What the host says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFacts {
    /// [`FACTS_VERSION`].
    pub version: u32,
    /// `live`, or the file that the facts were read from.
    #[serde(default)]
    pub source: String,
    /// Which libvirt.
    pub instance: Instance,
    /// libvirt's version, as `9.0.0`.
    pub libvirt: Known<String>,
    /// The daemon that starts QEMU: `libvirtd`, or `virtqemud` where libvirt is in parts.
    #[serde(default)]
    pub daemon: Known<String>,
    /// The version of the QEMU that is installed, as `7.2.22`.
    pub qemu: Known<String>,
    /// What that QEMU can do, as far as the domains use it.
    #[serde(default)]
    pub emulator: Known<Emulator>,
    /// The programs that the domains name, each by its path.
    #[serde(default)]
    pub emulators: BTreeMap<String, Known<Emulator>>,
    /// What libvirt and QEMU themselves said to documents, by the digest of their text.
    #[serde(default)]
    pub answers: BTreeMap<String, Answers>,
    /// The settings of `qemu.conf`.
    pub conf: QemuConf,
    /// The settings of the daemon's own file: `libvirtd.conf`, or `virtqemud.conf`.
    #[serde(default)]
    pub daemon_conf: QemuConf,
    /// Who QEMU runs as, by DAC label; the empty label is what libvirt chooses by itself.
    pub identities: BTreeMap<String, Known<Identity>>,
    /// SELinux.
    pub selinux: Selinux,
    /// AppArmor.
    pub apparmor: AppArmor,
    /// The mounts of this machine.
    pub mounts: Known<Vec<Mount>>,
    /// Control groups.
    pub cgroups: Cgroups,
    /// `fs.protected_regular`: who may open for creation a file of another user in a sticky directory.
    #[serde(deserialize_with = "plain_or_known")]
    pub protected_regular: Known<u8>,
    /// Other settings of the kernel, and limits.
    #[serde(default)]
    pub kernel: Kernel,
    /// The programs that libvirt may take for a virtiofsd.
    #[serde(default)]
    pub virtiofsd: Known<Vec<String>>,
    /// The tap interfaces that arguments name and that are there.
    #[serde(default)]
    pub taps: BTreeMap<String, Tap>,
    /// What QEMU's bridge helper goes by.
    #[serde(default)]
    pub bridges: Bridges,
    /// The IOMMU groups of the PCI devices that arguments name, by number.
    #[serde(default)]
    pub iommu_groups: BTreeMap<String, pci::Group>,
    /// Names of the users that own something on the way.
    #[serde(default)]
    pub users: BTreeMap<u32, String>,
    /// Names of the groups.
    #[serde(default)]
    pub groups: BTreeMap<u32, String>,
    /// What the headers of images name, by the image's path.
    #[serde(default)]
    pub images: BTreeMap<String, Image>,
    /// Bytes of files that QEMU looks at before it takes them, by path.
    #[serde(default)]
    pub headers: BTreeMap<String, Header>,
    /// What is wrong with the contents of files, by path.
    #[serde(default)]
    pub faults: BTreeMap<String, Fault>,
    /// Paths of sockets that some process listens on, and abstract names behind `@`.
    #[serde(default)]
    pub listening: Known<Vec<String>>,
    /// TCP ports that some process listens on.
    #[serde(default)]
    pub tcp: Known<Vec<Listener>>,
    /// UDP ports that some process has.
    #[serde(default)]
    pub udp: Known<Vec<Listener>>,
    /// The addresses that this host has; unknown where it lets sockets have others (`ip_nonlocal_bind`).
    #[serde(default)]
    pub addresses: Known<Vec<IpAddr>>,
    /// Disks that arguments name and that this host uses itself, with what it has on them.
    #[serde(default)]
    pub disks_in_use: BTreeMap<String, String>,
    /// Locks that processes have on images.
    #[serde(default)]
    pub image_locks: Known<Vec<ImageLock>>,
    /// Every path that was asked for.
    pub paths: BTreeMap<String, Known<Walk>>,
}

impl HostFacts {
    /// The walk to a path.
    ///
    /// # Errors
    /// Why the host would not say, or that it was not asked.
    pub fn walk(&self, path: &str) -> Result<&Walk, &str> {
        self.paths.get(path).map_or(Err("this path was not looked at"), Known::as_result)
    }

    /// A step as evidence: `/srv/a.img is root:kvm 0660`.
    pub fn describe(&self, step: &Step) -> String {
        let name = |names: &BTreeMap<u32, String>, id: u32| {
            names.get(&id).cloned().unwrap_or_else(|| id.to_string())
        };
        let acl = if step.acl.is_some() { " with an ACL" } else { "" };
        format!(
            "{} is {}:{} {:04o}{acl}",
            step.path,
            name(&self.users, step.uid),
            name(&self.groups, step.gid),
            step.mode
        )
    }

    /// Whether QEMU runs under the system instance.
    pub fn is_system(&self) -> bool {
        self.instance == Instance::System
    }

    /// libvirt's version as numbers; `None` when it is not known.
    pub fn libvirt_at_least(&self, version: Version) -> Option<bool> {
        let found = Version::read(self.libvirt.yes()?)?;
        Some(found >= version)
    }

    /// The service to restart and whose journal to read; libvirtd's where it is not known which one runs.
    pub fn service(&self) -> &str {
        self.daemon.yes().map_or("libvirtd", String::as_str)
    }

    /// What libvirt and QEMU said to a document with this text.
    pub fn answers_to(&self, text: &str) -> Option<&Answers> {
        if self.answers.is_empty() { None } else { self.answers.get(&answers::digest(text)) }
    }

    /// The QEMU that a domain names, or the one that is installed.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn emulator_of(&self, named: Option<&str>) -> Result<&Emulator, &str> {
        let Some(named) = named else { return self.emulator.as_result() };
        match (self.emulators.get(named), self.emulator.as_result()) {
            (Some(asked), _) => asked.as_result(),
            (None, Ok(installed)) if installed.path == named => Ok(installed),
            (None, Ok(_)) => Err("the domain's emulator was not asked"),
            (None, Err(why)) => Err(why),
        }
    }

    /// QEMU's version as numbers; `None` when it is not known.
    pub fn qemu_at_least(&self, major: u32, minor: u32) -> Option<bool> {
        let found = Version::read(self.qemu.yes()?)?;
        Some(found >= Version::new(major, minor))
    }

    /// The mount that a path lies on.
    pub fn mount_of(&self, path: &str) -> Option<&Mount> {
        let mounts = self.mounts.yes()?;
        // A later mount on the same point covers an earlier one.
        mounts.iter().rev().filter(|mount| mount.holds(path)).max_by_key(|mount| mount.point.len())
    }
}
