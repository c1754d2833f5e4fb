//! Comparing what the passthrough needs with what the host says, and concluding.
//!
//! A rule is a name, a sentence, a page and a function from a [`Case`] to findings. It never prints, probes or edits; the
//! same facts give the same findings. To add one: a page under `assets/rules/`, a `static` in the file of its layer, a line
//! in [`RULES`].

mod command_line;
mod document;
mod finding;
mod layer;
mod layers;
mod meaning;
mod native;
mod remedy;
pub use document::schema_findings;
pub use meaning::{Meaning, meanings};
pub use remedy::quote;

use std::collections::{HashMap, HashSet};

use crate::domain::{Document, EntryId};
use crate::host::identity::Identity;
use crate::host::image;
use crate::host::selinux::{Confinement, Mode, type_of};
use crate::host::{HostFacts, Known, Walk, dac_label};
use crate::qemu::{Access, CommandLine, Resource, Use};

pub use finding::{Finding, Verdict};
pub use layer::{LAYERS, Layer};
pub use remedy::{Remedy, Scope, Step};

/// Everything a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its passthrough as QEMU reads it.
    pub line: &'a CommandLine,
    /// What the host says.
    pub host: &'a HostFacts,
}

impl<'a> Case<'a> {
    /// Every use that is a path, with the walk to it.
    fn walks(&self) -> impl Iterator<Item = (&'a Use, &'a str, Access, &'a Walk)> + use<'a> {
        let Case { line, host, .. } = *self;
        line.uses.iter().filter_map(move |usage| {
            let (path, access) = usage.resource.path()?;
            Some((usage, path, access, host.walk(path).ok()?))
        })
    }

    /// Who QEMU runs as.
    fn identity(&self) -> Result<&'a Identity, &'a str> {
        let Case { document, host, .. } = *self;
        match host.identities.get(&dac_label(document.facts())) {
            Some(identity) => identity.as_result(),
            None => Err("the domain's user was not looked up"),
        }
    }

    /// Whether a QEMU that runs as root is above owners and modes: not where SELinux confines it without `dac_override`.
    fn root_overrides(&self) -> bool {
        let selinux = &self.host.selinux;
        match selinux.confinement(self.document.facts(), &self.host.conf) {
            Confinement::Label { label, .. } if selinux.mode == Known::Yes(Mode::Enforcing) => {
                match selinux.allowed(&label, &label, "capability") {
                    Some(allowed) => allowed.iter().any(|permission| permission == "dac_override"),
                    // No shipped policy gives it to these two.
                    None => !["svirt_t", "svirt_tcg_t"].contains(&type_of(&label).unwrap_or_default()),
                }
            }
            Confinement::Label { .. } | Confinement::Daemon(_) | Confinement::None => true,
        }
    }
}

/// A rule.
pub struct Rule {
    /// The one name, in code, assets, reports and `explain`.
    pub id: &'static str,
    /// The layer it speaks for.
    pub layer: Layer,
    /// One sentence: what it finds.
    pub summary: &'static str,
    /// The page: what it looks at, why it blocks, what to do, references.
    pub explain: &'static str,
    /// The function.
    pub check: fn(&Case<'_>) -> Vec<Finding>,
}

/// All rules, in the order of the layers.
pub static RULES: &[&Rule] = &[
    &document::LOST_BLOCK,
    &document::TWO_BLOCKS,
    &document::BLANK_IN_VALUE,
    &document::OVERRIDE_ALIAS,
    &document::SCHEMA,
    &layers::settings::CONF_SYNTAX,
    &layers::settings::CONF_VALUE,
    &layers::settings::CONF_DRIVER,
    &layers::settings::CONF_NEWER,
    &layers::libvirt::SECLABEL_UNAVAILABLE,
    &layers::libvirt::SECLABEL_REFUSED,
    &command_line::JOINED_OPTION,
    &command_line::DANGLING_OPTION,
    &command_line::names::UNKNOWN_OPTION,
    &command_line::STRAY_ARGUMENT,
    &command_line::VALUE_SYNTAX,
    &command_line::COMMA,
    &command_line::SECRET,
    &command_line::DUPLICATE_ID,
    &command_line::INHERITED_DESCRIPTOR,
    &command_line::QEMU_EXITS,
    &command_line::NO_SESSION,
    &command_line::OPTION_CONFLICT,
    &command_line::SOCKET_WAITS,
    &command_line::drives::IMAGE_TWICE,
    &command_line::drives::DRIVE_UNIT,
    &command_line::references::MISSING_ID,
    &command_line::references::MISSING_BACKEND,
    &command_line::keys::MISSING_KEY,
    &command_line::keys::UNKNOWN_KEY,
    &command_line::keys::UNKNOWN_PROCESSOR,
    &command_line::keys::PROPERTY_VALUE,
    &command_line::keys::MISSING_MODULE,
    &command_line::emulator::UNKNOWN_DEVICE,
    &command_line::emulator::UNKNOWN_PROPERTY,
    &command_line::emulator::UNKNOWN_MACHINE,
    &command_line::placement::PCI_SLOT,
    &command_line::placement::BUS_MISSING,
    &command_line::placement::SET_TARGET,
    &command_line::placement::CAPABILITY,
    &layers::host::PATH_UNKNOWN,
    &layers::host::PATH_MISSING,
    &layers::host::PATH_KIND,
    &layers::host::IMAGE_FORMAT,
    &layers::host::NOBODY_LISTENS,
    &layers::host::READ_ONLY_MOUNT,
    &layers::host::IMMUTABLE,
    &layers::host::MEMORY_SIZE,
    &layers::host::NODEV_MOUNT,
    &layers::host::PORT_TAKEN,
    &layers::namespaces::NAMESPACE_HIDDEN,
    &layers::namespaces::MOUNT_PROPAGATION,
    &layers::dac::IDENTITY_UNKNOWN,
    &layers::dac::LABEL_USER,
    &layers::dac::CLOSED_DIRECTORY,
    &layers::dac::UNREADABLE,
    &layers::dac::UNWRITABLE,
    &layers::dac::CANNOT_CREATE,
    &layers::dac::sticky::STICKY_LINK,
    &layers::dac::privilege::PRIVILEGE,
    &layers::dac::privilege::TAP,
    &layers::dac::privilege::PORT,
    &layers::dac::privilege::LOCKED_MEMORY,
    &layers::cgroups::CGROUP_DEVICE,
    &layers::selinux::process::SELINUX_LABEL,
    &layers::selinux::process::SELINUX_ROOT,
    &layers::selinux::process::SELINUX_EXECMEM,
    &layers::selinux::process::SELINUX_NEXT_START,
    &layers::selinux::SELINUX_DENIED,
    &layers::selinux::SELINUX_CATEGORIES,
    &layers::apparmor::APPARMOR_LABEL,
    &layers::apparmor::APPARMOR_PROFILE,
    &layers::apparmor::APPARMOR_DENIED,
    &layers::seccomp::SPAWN,
    &layers::seccomp::PRIVILEGES,
    &native::devices::INPUT,
    &native::devices::HOSTDEV,
    &native::devices::RNG,
    &native::devices::SOUND,
    &native::devices::SHMEM,
    &native::firmware::FWCFG,
    &native::firmware::SYSINFO,
    &native::firmware::ACPI,
    &native::memory::MEMORY,
    &native::network::INTERFACE,
    &native::storage::FILESYSTEM,
];

/// The rule called `id`.
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

/// All findings of a case: arguments in order, then environment, then what belongs to no entry; the worst first for each.
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut line = case.line.clone();
    line.uses.extend(chained(case));
    let case = &Case { line: &line, ..*case };
    let mut findings: Vec<Finding> = Vec::new();
    for rule in RULES {
        for mut finding in (rule.check)(case) {
            finding.rule = rule.id;
            finding.layer = rule.layer;
            findings.push(finding);
        }
    }
    allowances(case, &mut findings);
    first_bite(&mut findings);
    native::offer(case, &mut findings);
    let place = |finding: &Finding| finding.entry.map_or((2, 0), |entry| (entry.list as usize, entry.index));
    findings.sort_by_key(|finding| (place(finding), finding.verdict, finding.layer));
    findings
}

/// The uses that images bring along by their headers: a backing file is read, a data file opened as the image is.
fn chained(case: &Case<'_>) -> Vec<Use> {
    let mut found: Vec<Use> = Vec::new();
    let images = case.line.uses.iter().filter(|usage| matches!(usage.resource, Resource::Path { chain: true, .. }));
    for usage in images {
        let mut todo = vec![usage.clone()];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(of) = todo.pop() {
            let Resource::Path { path, access, locks, .. } = &of.resource else { continue };
            let Some(image) = case.host.images.get(path).filter(|_| seen.insert(path.clone())) else { continue };
            for (name, access, what) in
                [(&image.backing, Access::Read, "a backing file"), (&image.data, *access, "a data file")]
            {
                let Some(next) = name.as_ref().and_then(|name| image::beside(path, name)) else { continue };
                let resource = Resource::Path { path: next, access, locks: *locks, chain: true };
                let next = Use { resource, what, at: 0..0, ..usage.clone() };
                found.push(next.clone());
                todo.push(next);
            }
        }
    }
    found
}

/// Layers are met in their order (path_openat: the path in its namespace, then mode, device group, security module): of
/// several that block the same use, only the first shows in QEMU's words.
fn first_bite(findings: &mut [Finding]) {
    let mut first: HashMap<(EntryId, String), Layer> = HashMap::new();
    let of = |finding: &Finding| {
        let entry = finding.entry.filter(|_| finding.verdict == Verdict::Blocks)?;
        Some((entry, finding.resource.as_ref()?.name().to_owned()))
    };
    for finding in &*findings {
        if let Some(key) = of(finding) {
            let layer = first.entry(key).or_insert(finding.layer);
            *layer = finding.layer.min(*layer);
        }
    }
    for finding in findings {
        let Some(layer) = of(finding).and_then(|key| first.get(&key).copied()) else { continue };
        finding.first = layer == finding.layer;
        if !finding.first {
            let message = format!("{} refuses it before: this shows once that is settled", layer.title());
            finding.evidence.push(message);
        }
    }
}

/// What a layer looked at and let through is said as well: silence could also mean that nobody looked.
fn allowances(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let key = |layer: Layer, entry: Option<EntryId>, resource: &Resource| (layer, entry, resource.name().to_owned());
    let mut spoken: HashSet<(Layer, Option<EntryId>, String)> = findings
        .iter()
        .filter_map(|finding| Some(key(finding.layer, finding.entry, finding.resource.as_ref()?)))
        .collect();
    for usage in &case.line.uses {
        for layer in layer::layers_of(case, usage) {
            if spoken.insert(key(layer, Some(usage.entry), &usage.resource)) {
                let message = format!("{} lets {} through", layer.title(), usage.resource.name());
                findings.push(Finding { layer, rule: "allowed", ..Finding::of(usage, Verdict::Allows, message) });
            }
        }
    }
}

#[cfg(test)]
mod tests;
