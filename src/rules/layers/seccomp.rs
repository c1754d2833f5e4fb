//! The filter of system calls that libvirt asks QEMU to put on: no new processes, no other user.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::libvirt::own::SANDBOX;
use crate::qemu::resource::Moment;
use crate::qemu::{QemuOption, Resource};

/// Whether some filter is on: libvirt's, or one of the arguments' own.
pub(crate) fn enforced(case: &Case<'_>) -> bool {
    case.start.seccomp || own(case).next().is_some()
}

/// Every `-sandbox on,…` among the arguments.
fn own<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a QemuOption> {
    case.line.options("sandbox").filter(|option| option.pairs.on("enable") == Some(true))
}

/// Whether a flag is denied: by libvirt, or by a `-sandbox` of the arguments. Filters add up, none lifts another.
pub(super) fn denies(case: &Case<'_>, flag: &str) -> bool {
    case.start.seccomp || own(case).any(|option| option.pairs.get(flag) == Some("deny"))
}

/// A finding with what forbids it, how QEMU ends by that, and what can be done.
fn forbidden(case: &Case<'_>, finding: Finding, flag: &str, death: &str) -> Finding {
    if !case.start.seccomp {
        return finding
            .because(format!("seccomp_sandbox is 0, and a -sandbox among the arguments has {flag}"))
            .because(death.to_owned())
            .remedy(Remedy::none(Scope::Rewrite, format!("take {flag} out of that -sandbox")));
    }
    finding
        .because(format!("libvirt starts QEMU with -sandbox {SANDBOX}; {flag} forbids it"))
        .because(death.to_owned())
        .remedy(Remedy::none(
            Scope::Grant,
            "there is none: a -sandbox among the arguments only adds to libvirt's, it never lifts it",
        ))
        .remedy(Remedy::none(Scope::DisableVm, "there is none: the filter is a setting of the host"))
        .remedy(Remedy::setting("start every VM without the filter", &case.host.conf.path, "seccomp_sandbox = 0"))
}

/// The way for what libvirt's own way of starting QEMU leaves no room for, with its filter or without.
fn without(case: &Case<'_>, finding: Finding, option: &QemuOption) -> Finding {
    let entries: Vec<_> = option.entries().collect();
    let edits = case.document.remove(&entries);
    finding.remedy(Remedy::edit(Scope::Rewrite, "delete the option", edits))
}

fn death(case: &Case<'_>) -> &'static str {
    match case.start.qemu_at_least(10, 0) {
        Some(true) => "this QEMU gets 'Operation not permitted' from fork",
        Some(false) => {
            "this QEMU is killed (SIGSYS): libvirt's error ends after 'monitor', the audit log has type=1326 sig=31"
        }
        None => {
            "QEMU is killed without a word (SIGSYS), or gets 'Operation not permitted' from 10.0 on"
        }
    }
}

pub(crate) static SPAWN: Rule = Rule {
    id: "seccomp-spawn",
    layer: Layer::Seccomp,
    summary: "QEMU would start a program, which the filter forbids",
    explain: include_str!("../../../assets/rules/seccomp-spawn.md"),
    check: |case| {
        if !denies(case, "spawn") {
            return Vec::new();
        }
        let programs = case.line.uses.iter().filter_map(|usage| {
            let Resource::Program { command, moment } = &usage.resource else { return None };
            Some((usage, command, *moment))
        });
        programs
            .map(|(usage, command, moment)| match moment {
                Moment::Start => {
                    let message = format!("QEMU may not start '{command}' ({})", usage.what);
                    let finding = Finding::of(usage, Verdict::Blocks, message);
                    match case.line.option_at(usage.entry) {
                        Some(option) if option.name() == "daemonize" => {
                            without(case, finding.because(death(case)), option)
                        }
                        _ => forbidden(case, finding, "spawn=deny", death(case)),
                    }
                }
                Moment::Later => {
                    let message = format!(
                        "the VM starts, but QEMU may not start '{command}' ({}) when it is needed",
                        usage.what
                    );
                    let finding = Finding::of(usage, Verdict::Warns, message);
                    forbidden(case, finding, "spawn=deny", death(case))
                }
            })
            .collect()
    },
};

pub(crate) static PRIVILEGES: Rule = Rule {
    id: "seccomp-privileges",
    layer: Layer::Seccomp,
    summary: "QEMU would change its user, which the filter forbids",
    explain: include_str!("../../../assets/rules/seccomp-privileges.md"),
    check: |case| {
        if !denies(case, "elevateprivileges") {
            return Vec::new();
        }
        let changes = case
            .line
            .uses
            .iter()
            .filter(|usage| matches!(usage.resource, Resource::Privilege { user: true, .. }));
        changes
            .map(|usage| {
                let message = format!("QEMU may not {}", usage.resource.name());
                forbidden(
                    case,
                    Finding::of(usage, Verdict::Blocks, message),
                    "elevateprivileges=deny",
                    "QEMU is killed without a word (SIGSYS)",
                )
            })
            .collect()
    },
};
