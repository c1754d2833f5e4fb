//! The label that QEMU itself runs with: whether libvirt can give it, and what it takes from root.

use super::opening::{Opening, Process};
use super::policy::denied;
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict, judge};
use crate::domain::SecLabelType;
use crate::facts::Known;
use crate::facts::selinux::shipped::Shipped;
use crate::facts::selinux::{Mode, type_of};
use crate::libvirt::Confinement;
use crate::libvirt::confinement::image_label;
use crate::libvirt::devices::STATE_DIRECTORY;
use crate::qemu::Access;
use crate::words::AND;

pub(crate) static SELINUX_LABEL: Rule = Rule {
    id: "selinux-label",
    layer: Layer::Selinux,
    summary: "libvirt can't start QEMU with the static SELinux label",
    explain: include_str!("../../../../assets/rules/selinux-label.md"),
    check: |case| {
        let facts = case.document.facts();
        let own = facts.seclabel("selinux", true).filter(|own| own.kind != SecLabelType::None);
        let Confinement::Label { label, .. } = &case.start.selinux else { return Vec::new() };
        if own.is_none_or(|own| own.label.is_none() && own.baselabel.is_none()) {
            return Vec::new();
        }
        problem(case, label).into_iter().collect()
    },
};

/// What stands between libvirt and a QEMU with this label.
fn problem(case: &Case<'_>, label: &str) -> Option<Finding> {
    let selinux = &case.host.selinux;
    if !is_there(case, label) {
        let message = format!("the SELinux policy has no label {label}");
        return Some(
            finding(label, Verdict::Blocks, message)
                .because("libvirt says 'unable to set socket security context … Invalid argument'"),
        );
    }
    if selinux.mode != Known::Yes(Mode::Enforcing) {
        return None;
    }
    daemon_is_denied(case, label)
        .or_else(|| key_is_denied(case, label))
        .or_else(|| program_is_denied(case, label))
        .or_else(|| not_known(case, label))
}

/// Whether the policy has the label, as far as anybody knows.
fn is_there(case: &Case<'_>, label: &str) -> bool {
    let selinux = &case.host.selinux;
    if let Some(known) = selinux.known.get(label) {
        return *known;
    }
    let shipped = || Shipped::of(selinux).ok()?.has_process(type_of(label)?);
    shipped() != Some(false)
}

fn finding(label: &str, verdict: Verdict, message: String) -> Finding {
    Finding::general(verdict, message).because(format!("QEMU would run as {label}")).remedy(
        Remedy::none(
            Scope::Rewrite,
            "use a label of the type that libvirt gives by itself: system_u:system_r:svirt_t:s0:cA,cB",
        ),
    )
}

/// Whether the policy is known to deny a permission.
fn lacks(
    case: &Case<'_>,
    source: &str,
    target: &str,
    class: &str,
    permission: &'static str,
) -> bool {
    denied(case, source, target, class, &[permission]).is_ok_and(|missing| !missing.is_empty())
}

/// The label of libvirt's daemon.
fn daemon<'a>(case: &'a Case<'_>) -> &'a str {
    case.host.selinux.daemon.as_deref().unwrap_or("system_u:system_r:virtd_t:s0")
}

/// What libvirt's daemon does with the label before QEMU begins.
fn daemon_is_denied(case: &Case<'_>, label: &str) -> Option<Finding> {
    let daemon = daemon(case);
    if lacks(case, daemon, label, "unix_stream_socket", "create") {
        let message = format!("libvirt's daemon may not make a socket with the label {label}");
        return Some(
            finding(label, Verdict::Blocks, message)
                .because("libvirt says 'Unable to create UNIX socket: Permission denied'"),
        );
    }
    // A program that is begun with the label of who begins it changes none (selinux_bprm_creds_for_exec).
    if daemon != label && lacks(case, daemon, label, "process", "transition") {
        let message = format!("libvirt's daemon may not start a process with the label {label}");
        return Some(
            finding(label, Verdict::Blocks, message)
                .because("the audit log has an AVC { transition }"),
        );
    }
    None
}

/// The master key, which bears the label of the VM's images.
fn key_is_denied(case: &Case<'_>, label: &str) -> Option<Finding> {
    let key = image_label(label);
    let denied = |permission| lacks(case, label, &key, "file", permission);
    if !["open", "read"].into_iter().any(denied) {
        return None;
    }
    let message = "QEMU may not read the key that libvirt makes for it".to_owned();
    Some(finding(label, Verdict::Blocks, message).because(format!(
        "the key has the label {key}; QEMU says 'Unable to read …/master-key.aes'"
    )))
}

/// QEMU's own program, with which the process has to begin.
fn program_is_denied(case: &Case<'_>, label: &str) -> Option<Finding> {
    let emulator = case.document.facts().emulator.as_deref()?;
    let program = case.host.walk(emulator).ok()?.target()?.label.as_deref()?;
    if daemon(case) == label || !lacks(case, label, program, "file", "entrypoint") {
        return None;
    }
    let message = format!("a process with the label {label} may not begin with QEMU's program");
    Some(
        finding(label, Verdict::Blocks, message)
            .because(format!(
                "the program has the label {program}, and the policy no 'entrypoint' from it"
            ))
            .because("libvirt says 'Permission denied'"),
    )
}

/// What neither the running policy nor a shipped one says about a label.
fn not_known(case: &Case<'_>, label: &str) -> Option<Finding> {
    let key = image_label(label);
    if case.host.selinux.allowed(label, &key, "file").is_some() {
        return None; // the running policy was asked
    }
    let why = denied(case, daemon(case), label, "unix_stream_socket", &["create"])
        .and_then(|_| denied(case, label, &key, "file", &["open", "read"]))
        .err()?;
    let message = format!("whether libvirt can start QEMU as {label} is not known");
    Some(finding(label, Verdict::Unknown, message).because(format!(
        "the kernel's policy could not be asked (run as root on the host), and {why}"
    )))
}

pub(crate) static SELINUX_EXECMEM: Rule = Rule {
    id: "selinux-execmem",
    layer: Layer::Selinux,
    summary: "SELinux keeps a QEMU without KVM from translating code",
    explain: include_str!("../../../../assets/rules/selinux-execmem.md"),
    check: |case| {
        let facts = case.document.facts();
        let selinux = &case.host.selinux;
        let Confinement::Label { label, .. } = &case.start.selinux else { return Vec::new() };
        if facts.kind.as_deref() != Some("qemu") || selinux.mode != Known::Yes(Mode::Enforcing) {
            return Vec::new();
        }
        match denied(case, label, label, "process", &["execmem"]) {
            Ok(missing) if missing.is_empty() => Vec::new(),
            Ok(_) => vec![without_execmem(label)],
            Err(why) => vec![
                Finding::general(
                    Verdict::Unknown,
                    "the domain is of type 'qemu'; whether SELinux lets QEMU make memory that it wrote run is not known",
                )
                .because(format!("QEMU would run as {label}, and {why}")),
            ],
        }
    },
};

fn without_execmem(label: &str) -> Finding {
    Finding::general(
        Verdict::Blocks,
        "the domain is of type 'qemu', and SELinux does not let QEMU make memory that it wrote run",
    )
    .because(format!("QEMU would run as {label}, which lacks 'execmem'; {BOOLEAN} is off"))
    .because("QEMU says 'Permission denied'; the AVC names { execmem }")
    .remedy(Remedy::none(
        Scope::Rewrite,
        "make the domain one of type='kvm', where the host has KVM",
    ))
    .remedy(Remedy::command(
        Scope::DisableHost,
        "allow it to every VM",
        &["setsebool", "-P", BOOLEAN, "on"],
    ))
}

pub(crate) static SELINUX_NEXT_START: Rule = Rule {
    id: "selinux-next-start",
    layer: Layer::Selinux,
    summary: "a file that QEMU makes bears categories that the next start will not have",
    explain: include_str!("../../../../assets/rules/selinux-next-start.md"),
    check: |case| {
        let selinux = &case.host.selinux;
        let Confinement::Label { label, dynamic: true } = &case.start.selinux else {
            return Vec::new();
        };
        if selinux.mode != Known::Yes(Mode::Enforcing) {
            return Vec::new();
        }
        let process = Process { label, dynamic: true };
        let mut findings = Vec::new();
        for (usage, path, access, walk) in case.walks() {
            let makes = matches!(access, Access::Create | Access::Memory)
                && walk.target().is_none()
                && walk.creatable();
            let opening = Opening { case, usage, access, process };
            if !makes || judge(opening, path, walk).is_some() {
                continue;
            }
            findings.push(
                Finding::of(usage, Verdict::Warns, format!("{path} will bear the categories of this start: the next one may not open it"))
                    .because("libvirt draws new categories at each start, and a file that QEMU makes has those of its own")
                    .because("QEMU then says 'Permission denied' about a file that it made itself")
                    .remedy(Remedy::command(
                        Scope::Grant,
                        "make the file beforehand, for every VM",
                        &["touch", path, AND, "chcon", "-t", "svirt_image_t", path],
                    ))
                    .remedy(Remedy::none(
                        Scope::Grant,
                        "or give the VM fixed categories: <seclabel type='static' model='selinux' relabel='yes'><label>system_u:system_r:svirt_t:s0:c392,c662</label></seclabel>",
                    )),
            );
        }
        findings
    },
};

const BOOLEAN: &str = "virt_use_execmem";

pub(crate) static SELINUX_ROOT: Rule = Rule {
    id: "selinux-root",
    layer: Layer::Selinux,
    summary: "SELinux keeps a QEMU that runs as root from its own key",
    explain: include_str!("../../../../assets/rules/selinux-root.md"),
    check: |case| {
        let facts = case.document.facts();
        let root = case.identity().is_ok_and(|who| who.uid == 0);
        let by_label = !case.start.dac_label.is_empty();
        let default = case.host.identities.get("").and_then(Known::yes);
        // With relabel='yes' the key is root's, behind a directory that belongs to libvirt's user.
        let relabels = facts
            .seclabels
            .iter()
            .any(|l| l.model.as_deref() == Some("dac") && l.relabel == Some(true));
        let directory = case.host.walk(STATE_DIRECTORY).ok().and_then(|walk| walk.target());
        let reached =
            relabels && directory.is_some_and(|step| step.uid == 0 || step.mode & 0o001 != 0);
        if !root
            || !by_label
            || reached
            || default.is_none_or(|who| who.uid == 0)
            || case.start.root_overrides
        {
            return Vec::new();
        }
        let mut finding = Finding::general(
            Verdict::Blocks,
            "QEMU would run as root without dac_override, and may not read the key that libvirt makes for it",
        )
        .because(format!("the key belongs to {}, mode 0600", default.map_or("libvirt's user", |who| &who.user)))
        .because("QEMU says 'Unable to read …/master-key.aes: Permission denied'; the AVC names { dac_override }");
        if let Ok(edits) =
            case.document.set_seclabel("selinux", "<seclabel type='none' model='selinux'/>")
        {
            let title = "run this VM as little confined by SELinux as libvirt's daemon";
            finding = finding.remedy(Remedy::edit(Scope::DisableVm, title, edits));
        }
        vec![finding]
    },
};
