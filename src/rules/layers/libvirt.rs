//! libvirt itself: labels that it refuses or cannot give.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{NativeResource, SecLabel, SecLabelType};
use crate::facts::{Ending, FileKind, HostFacts, Step};
use crate::libvirt::confinement::driver_allowed;
use crate::qemu::Version;

pub(crate) static SECLABEL_UNAVAILABLE: Rule = Rule {
    id: "seclabel-unavailable",
    layer: Layer::Libvirt,
    summary: "a seclabel names a security model that libvirt does not use here",
    explain: include_str!("../../../assets/rules/seclabel-unavailable.md"),
    check: seclabel_unavailable,
};

fn seclabel_unavailable(case: &Case<'_>) -> Vec<Finding> {
    let host = case.host;
    let selinux = case.start.selinux_driver;
    let mut findings = Vec::new();
    for label in &case.document.facts().seclabels {
        let available = match label.model.as_deref() {
            Some("selinux") => Some(selinux),
            Some("apparmor") => host
                .apparmor
                .active
                .yes()
                .map(|active| *active && !selinux && driver_allowed(&host.conf, "apparmor")),
            Some("dac") => Some(host.is_system()),
            Some("none") | None => Some(true),
            Some(_) => Some(false),
        };
        let verdict = of_an_absent_model(host, label);
        if available == Some(false) && verdict != Verdict::Allows {
            let model = label.model.as_deref().unwrap_or_default();
            findings.push(
                Finding::general(
                    verdict,
                    format!("the domain has a seclabel for '{model}', which libvirt does not use on this host"),
                )
                .because(if verdict == Verdict::Unknown {
                    "libvirt 12.8 leaves such a label aside, 11.3 refuses it; this one is between them or unknown".to_owned()
                } else {
                    format!("libvirt says \"Security driver model '{model}' is not available\"")
                })
                .remedy(Remedy::none(Scope::Rewrite, format!("take the <seclabel model='{model}'> out of the domain"))),
            );
        }
        if label.kind == SecLabelType::None
            && host.conf.int("security_require_confined") == Some(1)
            && label.model.as_deref() != Some("dac")
        {
            findings.push(
                Finding::general(Verdict::Blocks, "the domain asks not to be confined, and this host requires it")
                    .because(format!("{} has security_require_confined = 1; libvirt says 'Unconfined guests are not allowed on this host'", host.conf.path))
                    .remedy(Remedy::setting("allow unconfined VMs", &host.conf.path, "security_require_confined = 0")),
            );
        }
    }
    findings
}

/// What libvirt does about a label of a model that it does not use.
///
/// From 12.3 on it leaves `type='none'` aside (NEWS), and 12.8 every label that relabels nothing (started; 11.3 refuses it).
fn of_an_absent_model(host: &HostFacts, label: &SecLabel) -> Verdict {
    let relabels = match label.kind {
        SecLabelType::None => false,
        SecLabelType::Static => label.relabel == Some(true),
        SecLabelType::Dynamic => true,
    };
    if relabels {
        return Verdict::Blocks;
    }
    let is_none = label.kind == SecLabelType::None;
    let (newer, newest) =
        (host.libvirt_at_least(Version::new(12, 3)), host.libvirt_at_least(Version::new(12, 8)));
    match (newer, newest) {
        (Some(false), _) => Verdict::Blocks,
        (Some(true), _) if is_none => Verdict::Allows,
        (Some(true), Some(true)) => Verdict::Allows,
        _ => Verdict::Unknown,
    }
}

pub(crate) static SECLABEL_REFUSED: Rule = Rule {
    id: "seclabel-refused",
    layer: Layer::Libvirt,
    summary: "virsh define refuses a seclabel",
    explain: include_str!("../../../assets/rules/seclabel-refused.md"),
    check: |case| {
        let labels = &case.document.facts().seclabels;
        let mut said: Vec<String> =
            labels.iter().filter_map(|label| label.refused.clone()).collect();
        for (at, label) in labels.iter().enumerate() {
            if labels[..at].iter().any(|earlier| earlier.model == label.model) {
                let model = label.model.as_deref().unwrap_or("(null)");
                said.push(format!("seclabel for model {model} is already provided"));
            }
        }
        if said.is_empty() && labels.len() > 1 && labels.iter().any(|label| label.model.is_none()) {
            said.push("missing security model when using multiple labels".to_owned());
        }
        said.into_iter()
            .map(|said| {
                Finding::general(Verdict::Blocks, "libvirt refuses a <seclabel> of the domain")
                    .because(format!("virsh define says \"{said}\""))
            })
            .collect()
    },
};

pub(crate) static NATIVE_MISSING: Rule = Rule {
    id: "native-missing",
    layer: Layer::Libvirt,
    summary: "a disk, a directory, a device, a bridge or a network of the domain itself is not there",
    explain: include_str!("../../../assets/rules/native-missing.md"),
    check: |case| {
        let natives = case.document.facts().native.iter();
        let mut findings: Vec<Finding> =
            natives.filter_map(|native| native_missing(case, native)).collect();
        findings.extend(virtiofsd_missing(case));
        findings
    },
};

/// Nobody who serves a directory over virtiofs (`qemuVhostUserFillDomainFS`).
fn virtiofsd_missing(case: &Case<'_>) -> Option<Finding> {
    let programs = case.host.virtiofsd.yes().filter(|_| case.document.facts().virtiofs)?;
    if !programs.is_empty() {
        return None;
    }
    let message = "a <filesystem> wants a virtiofsd, and none is installed";
    Some(
        Finding::general(Verdict::Blocks, message)
            .because("no file in /etc/qemu/vhost-user or /usr/share/qemu/vhost-user describes one")
            .because("libvirt says 'Unable to find a satisfying virtiofsd'")
            .remedy(Remedy::none(
                Scope::DisableHost,
                "install virtiofsd (Debian 12 has it in qemu-system-common), or name it: <binary path='…'/>",
            )),
    )
}

/// What libvirt looks for at a start (`qemuDomainDetermineDiskChain`, `virDomainFSDef`, `qemuDomainInputDef`).
fn native_missing(case: &Case<'_>, native: &NativeResource) -> Option<Finding> {
    let words = match native.element {
        // A disk may be left out of a start.
        "disk" if case.document.source().contains("startupPolicy") => return None,
        "disk" => "Cannot access storage file",
        "filesystem" => "failed to open",
        "input" => "is not accessible",
        "interface" => "Cannot get interface MTU",
        // A session has networks of its own.
        "network" if case.host.is_system() => return network_missing(case, native),
        // The store of variables is made from its template.
        "os" if native.readonly => "unable to stat",
        "vsock" => "unable to open vhost-vsock device",
        "virtiofsd" => "is not executable",
        "mdev" => "mediated device not found",
        "hostdev" => "host doesn't support passthrough of host PCI devices",
        _ => return None,
    };
    let walk = case.host.walk(&native.path).ok()?;
    // The major number of input devices (Documentation/admin-guide/devices.txt).
    let is_input = |step: &Step| matches!(step.kind, FileKind::Char(13, _));
    let message = match walk.target() {
        Some(step) if native.element == "input" && !is_input(step) => {
            format!("<input> names {}, which is no input device", native.path)
        }
        Some(step) if native.element == "virtiofsd" && step.mode & 0o111 == 0 => {
            format!("<filesystem> names {}, which nobody may run", native.path)
        }
        None if native.element == "virtiofsd" => {
            format!("<filesystem> names {}, which is not there", native.path)
        }
        None if native.element == "mdev" => {
            format!("<hostdev> names {}, which is not there", native.path)
        }
        _ if walk.ending == Ending::Present => return None,
        _ => format!("<{}> names {}, which is not there", native.element, native.path),
    };
    Some(
        Finding::general(Verdict::Blocks, message)
            .because(format!(
                "the start fails whatever the arguments are: libvirt or QEMU says '{words} …'"
            ))
            .remedy(Remedy::none(Scope::Rewrite, "name one that is there, or make it")),
    )
}

/// A network that is not active; nothing where the network driver did not run yet, which starts some by itself.
fn network_missing(case: &Case<'_>, native: &NativeResource) -> Option<Finding> {
    let Ending::Missing(missing) = &case.host.walk(&native.path).ok()?.ending else { return None };
    if *missing != native.path {
        return None;
    }
    let name = native.path.rsplit('/').next()?.strip_suffix(".xml")?;
    Some(
        Finding::general(
            Verdict::Blocks,
            format!("the network '{name}' is not there, or not active"),
        )
        .because(format!("{missing} is not there, which libvirt keeps of each active network"))
        .because("libvirt says 'no network with matching name', or 'network … is not active'")
        .remedy(Remedy::none(
            Scope::Rewrite,
            format!("start it, where it is defined: virsh -c qemu:///system net-start {name}"),
        )),
    )
}
