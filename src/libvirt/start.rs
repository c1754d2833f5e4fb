//! The start of a domain on a host, as far as libvirt decides it.

use super::cgroups::{self, Group};
use super::confinement::{self, Confinement};
use super::{devices, identity, own};
use crate::domain::{Document, DomainFacts};
use crate::facts::emulator::Emulator;
use crate::facts::identity::Identity;
use crate::facts::selinux::{Mode, type_of};
use crate::facts::{HostFacts, Known};
use crate::qemu::Version;

/// What libvirt makes of a domain before QEMU reads the passthrough. Drawn up once for each judgement.
#[derive(Debug, Clone)]
pub struct Start<'a> {
    /// Who QEMU runs as, or why that is not known.
    pub identity: Result<&'a Identity, &'a str>,
    /// The domain has a DAC label of its own.
    pub dac_label: String,
    /// How SELinux confines it.
    pub selinux: Confinement,
    /// libvirt's SELinux driver is in use: it labels what native elements name.
    pub selinux_driver: bool,
    /// libvirt gives it an AppArmor profile.
    pub apparmor: bool,
    /// QEMU gets a `/dev` of its own (`qemu_namespace.c`).
    pub private_dev: bool,
    /// The device nodes that `qemu.conf` lists, or libvirt's own list.
    pub listed_devices: Vec<String>,
    /// Every device path that libvirt lets this VM reach: the listed ones, and what native elements bring.
    pub granted_devices: Vec<String>,
    /// Its control group, and whether that filters devices (`qemu_cgroup.c`).
    pub group: Group,
    /// libvirt asks QEMU to filter its system calls.
    pub seccomp: bool,
    /// A QEMU that runs as root is above owners and modes.
    pub root_overrides: bool,
    /// What the domain's QEMU can do, or why that is not known.
    pub emulator: Result<&'a Emulator, &'a str>,
    /// The version of the domain's QEMU.
    pub qemu: Option<Version>,
    /// QEMU makes devices of the passthrough before libvirt's own; `None` where the versions are not known.
    pub passthrough_first: Option<bool>,
    /// libvirt's monitor is `-object monitor-qmp,id=monitor`: 12.8 with QEMU 11.1, which deprecates `-mon`.
    monitor_is_an_object: bool,
    document: &'a Document,
}

impl<'a> Start<'a> {
    /// Draws the conclusions.
    pub fn of(document: &'a Document, host: &'a HostFacts) -> Start<'a> {
        let (facts, conf) = (document.facts(), &host.conf);
        let dac_label = identity::dac_label(facts);
        let identity = match host.identities.get(&dac_label) {
            Some(identity) => identity.as_result(),
            None => Err("the domain's user was not looked up"),
        };
        let selinux = confinement::selinux(&host.selinux, facts, conf);
        let selinux_driver = confinement::selinux_driver(&host.selinux, conf);
        let listed_devices = devices::listed(host, facts);
        let (emulator, qemu) = emulator(facts, host);
        let mut granted_devices = listed_devices.clone();
        granted_devices.extend(devices::native(facts));
        Start {
            identity,
            dac_label,
            root_overrides: root_overrides(host, &selinux),
            selinux,
            selinux_driver,
            apparmor: confinement::apparmor(&host.apparmor, facts, conf, selinux_driver),
            private_dev: host.is_system() && !conf.list_lacks("namespaces", "mount"),
            listed_devices,
            granted_devices,
            group: cgroups::group(host),
            // Anything but 0.
            seccomp: conf.int("seccomp_sandbox") != Some(0),
            passthrough_first: passthrough_first(facts, host, qemu),
            monitor_is_an_object: host.libvirt_at_least(Version::new(12, 8)) == Some(true)
                && qemu.is_some_and(|qemu| qemu >= Version::new(11, 1)),
            emulator,
            qemu,
            document,
        }
    }

    /// Whether the domain's QEMU is of this version or newer; `None` where that is not known.
    pub fn qemu_at_least(&self, major: u32, minor: u32) -> Option<bool> {
        Some(self.qemu? >= Version::new(major, minor))
    }

    /// Whether libvirt defines an id itself.
    pub fn has_id(&self, group: &str, id: &str) -> bool {
        let aliases = &self.document.facts().aliases;
        own::has_id(group, id)
            || (self.monitor_is_an_object && (group, id) == ("object", "monitor"))
            || aliases.iter().any(|(found, alias)| (*found, alias.as_str()) == (group, id))
    }
}

/// Not where SELinux confines root without `dac_override`.
fn root_overrides(host: &HostFacts, confinement: &Confinement) -> bool {
    let selinux = &host.selinux;
    let Confinement::Label { label, .. } = confinement else { return true };
    if selinux.mode != Known::Yes(Mode::Enforcing) {
        return true;
    }
    match selinux.allowed(label, label, "capability") {
        Some(allowed) => allowed.iter().any(|permission| permission == "dac_override"),
        // No shipped policy gives it to these two.
        None => !["svirt_t", "svirt_tcg_t"].contains(&type_of(label).unwrap_or_default()),
    }
}

/// Since libvirt writes its devices as JSON (7.9 with QEMU 6.2), QEMU makes those of the passthrough first
/// (`qemu_create_cli_devices`).
fn passthrough_first(facts: &DomainFacts, host: &HostFacts, qemu: Option<Version>) -> Option<bool> {
    let filtered = host.conf.list("capability_filters").unwrap_or_default();
    let removed = facts.capabilities_removed.iter().map(|(name, _)| name.as_str());
    if removed.chain(filtered).any(|name| name == own::JSON_DEVICES) {
        return Some(false);
    }
    Some(host.libvirt_at_least(Version::new(7, 9))? && qemu? >= Version::new(6, 2))
}

/// The domain's QEMU, and its version. Facts that name another version than the QEMU that was asked are not about that one.
fn emulator<'a>(
    facts: &DomainFacts,
    host: &'a HostFacts,
) -> (Result<&'a Emulator, &'a str>, Option<Version>) {
    let named = facts.emulator.as_deref();
    let installed = host.qemu.yes().and_then(|version| Version::read(version));
    let asked = host.emulator_of(named);
    let version = asked.ok().and_then(|emulator| Version::read(&emulator.version));
    // Recordings of one host have one version for every program.
    if host.emulators.is_empty() {
        let is_another = version.is_some() && installed.is_some() && version != installed;
        let of_another =
            named.zip(host.emulator.yes()).is_some_and(|(named, asked)| asked.path != *named);
        let known = if is_another { Err("the facts name another version") } else { asked };
        return (known, if of_another { None } else { installed });
    }
    (asked, version.or(if named.is_none() { installed } else { None }))
}
