//! AppArmor: the file rules of the VM's profile, matched on the resolved path.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::SecLabelType;
use crate::facts::apparmor::PROFILES;
use crate::facts::{FileKind, Known, Walk};
use crate::qemu::{Access, Resource};

pub(in crate::rules) static APPARMOR_LABEL: Rule = Rule {
    id: "apparmor-label",
    layer: Layer::AppArmor,
    summary: "libvirt can't start QEMU with the AppArmor label that the domain gives",
    explain: include_str!("../../../assets/rules/apparmor-label.md"),
    check: |case| {
        let facts = case.document.facts();
        let Some(own) = facts.seclabel("apparmor", true).filter(|_| case.start.apparmor) else {
            return Vec::new();
        };
        let message = match (own.kind, &own.label) {
            (SecLabelType::Static, Some(label)) => {
                format!(
                    "the domain gives the AppArmor label '{label}', and libvirt makes a profile only for dynamic ones"
                )
            }
            (SecLabelType::Dynamic, _) if own.baselabel.is_some() => {
                "the domain gives AppArmor a base label, which it does not have".to_owned()
            }
            _ => return Vec::new(),
        };
        let finding = Finding::general(Verdict::Blocks, message)
            .because("libvirt says \"unable to set AppArmor profile 'libvirt-…'\", or 'Cannot set a base label'");
        let off =
            case.document.set_seclabel("apparmor", "<seclabel type='none' model='apparmor'/>");
        vec![match off {
            Ok(edits) => finding.remedy(Remedy::edit(
                Scope::DisableVm,
                "run this VM without an AppArmor profile",
                edits,
            )),
            Err(error) => finding.remedy(Remedy::none(Scope::DisableVm, error.to_string())),
        }]
    },
};

pub(in crate::rules) static APPARMOR_PROFILE: Rule = Rule {
    id: "apparmor-profile",
    layer: Layer::AppArmor,
    summary: "a rule that was added does not parse, no VM's profile can be loaded",
    explain: include_str!("../../../assets/rules/apparmor-profile.md"),
    check: |case| {
        let broken = case
            .host
            .apparmor
            .profile(case.document.facts())
            .ok()
            .and_then(|profile| profile.broken.clone());
        let finding = |broken: String| {
            Finding::general(Verdict::Blocks, format!("an AppArmor rule lacks its comma: {broken}"))
                .because("libvirt says 'cannot load AppArmor profile'; it is so for every VM that includes the file")
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "end every rule with a comma; apparmor_parser -Q FILE checks a profile",
                ))
        };
        broken.filter(|_| case.start.apparmor).map(finding).into_iter().collect()
    },
};

pub(in crate::rules) static APPARMOR_DENIED: Rule = Rule {
    id: "apparmor-denied",
    layer: Layer::AppArmor,
    summary: "the VM's AppArmor profile has no rule for the path",
    explain: include_str!("../../../assets/rules/apparmor-denied.md"),
    check: denied,
};

/// What a use needs: letters of a rule.
fn needs(access: Access, locks: bool, walk: &Walk) -> String {
    let device =
        walk.target().is_some_and(|t| matches!(t.kind, FileKind::Char(..) | FileKind::Block(..)));
    let mut letters = match access {
        Access::Read | Access::ReadWriteOrRead | Access::Directory | Access::MemoryRead => {
            "r".to_owned()
        }
        Access::ReadWrite | Access::Memory => "rw".to_owned(),
        Access::Create | Access::Listen => "w".to_owned(),
        // Connecting is not mediated by upstream kernels before 6.17.
        Access::Connect => String::new(),
        Access::Library => "rm".to_owned(),
    };
    if locks && !device {
        letters.push('k');
    }
    letters
}

fn denied(case: &Case<'_>) -> Vec<Finding> {
    let host = case.host;
    if let Known::Unknown(why) = &host.apparmor.active {
        let asks = case
            .document
            .facts()
            .seclabels
            .iter()
            .any(|l| l.model.as_deref() == Some("apparmor") && l.kind == SecLabelType::None);
        if asks
            || case.host.conf.list_lacks("security_driver", "apparmor")
            || case.walks().next().is_none()
        {
            return Vec::new();
        }
        return vec![Finding::general(
            Verdict::Unknown,
            format!("whether AppArmor confines the VM is not known: {why}"),
        )];
    }
    if !case.start.apparmor {
        return Vec::new();
    }
    let profile = match host.apparmor.profile(case.document.facts()) {
        Ok(profile) => profile,
        Err(why) => {
            return vec![Finding::general(
                Verdict::Unknown,
                format!("what the VM's AppArmor profile allows is not known: {why}"),
            )];
        }
    };
    let who = case.identity().ok();
    let mut findings = Vec::new();
    for (usage, path, access, walk) in case.walks() {
        let locks = matches!(usage.resource, Resource::Path { locks: true, .. });
        let needs = needs(access, locks, walk);
        if needs.is_empty() || walk.target().is_none() && !walk.creatable() {
            continue;
        }
        let resolved = walk.resolved();
        let mut name = resolved.to_owned();
        if access == Access::Directory && !name.ends_with('/') {
            name.push('/');
        }
        let owned = match (walk.target(), who) {
            (Some(step), Some(who)) => step.uid == who.uid,
            (None, _) => true,
            (Some(_), None) => false,
        };
        let (mut granted, hits) = profile.permissions(&name, owned);
        if let Some(native) =
            case.document.facts().brings(resolved).or_else(|| case.document.facts().brings(path))
        {
            // virt-aa-helper writes a rule for what native elements name.
            granted.extend(if native.readonly { "rk".chars() } else { "rwk".chars() });
        }
        let missing: String = needs
            .chars()
            .filter(|letter| {
                let appends = *letter == 'w' && access == Access::Create && granted.contains(&'a');
                !granted.contains(letter) && !appends
            })
            .collect();
        if missing.is_empty() || profile.complain {
            continue;
        }
        let mut finding = Finding::of(
            usage,
            Verdict::Blocks,
            format!("the VM's AppArmor profile does not allow '{missing}' on {name}"),
        )
        .because(match hits.as_slice() {
            [] => format!("no rule of {} matches it", profile.path),
            [rule, ..] => format!(
                "{} has '{}{} {}'",
                rule.origin,
                if rule.deny { "deny " } else { "" },
                rule.pattern,
                rule.permissions
            ),
        })
        .because(if missing == "k" {
            "QEMU says 'Failed to lock byte 100'; the kernel log has apparmor=\"DENIED\" operation=\"file_lock\""
        } else {
            "QEMU says 'Permission denied'; the kernel log has apparmor=\"DENIED\""
        });
        let rule = rule(&name, access, locks);
        let local = local_file(case);
        finding = match &case.document.facts().uuid {
            Some(uuid) if profile.path.ends_with("TEMPLATE.qemu") => finding.remedy(Remedy::none(
                Scope::Grant,
                format!("start the VM once, so that libvirt writes {PROFILES}/libvirt-{uuid}; then add {rule} to it"),
            )),
            Some(_) => finding.remedy(Remedy {
                scope: Scope::Grant,
                ..Remedy::setting("add a rule to the VM's own profile (libvirt keeps it)", &profile.path, rule.clone())
            }),
            None => finding
                .remedy(Remedy::none(Scope::Grant, "give the domain a <uuid> first: the profile is named after it")),
        };
        finding = match case
            .document
            .set_seclabel("apparmor", "<seclabel type='none' model='apparmor'/>")
        {
            Ok(edits) => finding.remedy(Remedy::edit(
                Scope::DisableVm,
                "run this VM without an AppArmor profile",
                edits,
            )),
            Err(error) => finding.remedy(Remedy::none(Scope::DisableVm, error.to_string())),
        };
        finding = finding.remedy(Remedy::setting(
            "allow the path for every VM (it counts at the VM's next start)",
            &local,
            rule,
        ));
        // A seclabel of a driver that is switched off would be refused.
        if !case
            .document
            .facts()
            .seclabels
            .iter()
            .any(|label| label.model.as_deref() == Some("apparmor"))
        {
            finding = finding.remedy(Remedy::setting(
                "give no VM a profile",
                &host.conf.path,
                "security_driver = \"none\"",
            ));
        }
        findings.push(finding);
    }
    findings
}

/// The file that a site's own rules go to: until libvirt 9.7 the local include, a directory since.
fn local_file(case: &Case<'_>) -> String {
    if case.host.libvirt_at_least(9, 7) == Some(true) {
        "/etc/apparmor.d/abstractions/libvirt-qemu.d/local".to_owned()
    } else {
        "/etc/apparmor.d/local/abstractions/libvirt-qemu".to_owned()
    }
}

/// The rule that lets a use through.
fn rule(name: &str, access: Access, locks: bool) -> String {
    let name = if name.contains([' ', '"', '#']) {
        format!("\"{}\"", name.replace('"', "\\\""))
    } else {
        name.to_owned()
    };
    if access == Access::Directory {
        return format!("{name} r, {name}** rw,");
    }
    let letters = if access.writes() || access.creates() || access == Access::ReadWriteOrRead {
        "rw"
    } else {
        "r"
    };
    let map = if access == Access::Library { "m" } else { "" };
    format!("{name} {letters}{}{map},", if locks { "k" } else { "" })
}
