//! AppArmor: the file rules of the VM's profile, matched on the resolved path.

use std::collections::BTreeSet;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{SecLabel, SecLabelType};
use crate::facts::apparmor::{Connecting, FileRule, PROFILES, Profile};
use crate::facts::{FileKind, Known, Walk};
use crate::libvirt::confinement::driver_allowed;
use crate::qemu::{Access, Resource, Use, Version};
use crate::words::{self, apparmor};

pub(crate) static APPARMOR_LABEL: Rule = Rule {
    id: "apparmor-label",
    layer: Layer::AppArmor,
    summary: "libvirt can't start QEMU with the AppArmor label that the domain gives",
    explain: include_str!("../../../assets/rules/apparmor-label.md"),
    check: |case| {
        if !case.start.apparmor {
            return Vec::new();
        }
        let Some(own) = case.document.facts().seclabel("apparmor", true) else {
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

pub(crate) static APPARMOR_PROFILE: Rule = Rule {
    id: "apparmor-profile",
    layer: Layer::AppArmor,
    summary: "AppArmor refuses the profile that the VM is to have",
    explain: include_str!("../../../assets/rules/apparmor-profile.md"),
    check: |case| {
        if !case.start.apparmor {
            return Vec::new();
        }
        let Ok(profile) = case.host.apparmor.profile(case.document.facts()) else {
            return Vec::new();
        };
        let Some(broken) = &profile.broken else {
            return profile.unclear.as_deref().map(unclear).into_iter().collect();
        };
        let is_its_own =
            broken.starts_with(&profile.path) && !profile.path.ends_with("TEMPLATE.qemu");
        let whom = if is_its_own { "this VM" } else { "every VM of this host" };
        let finding = Finding::general(
            Verdict::Blocks,
            format!("AppArmor refuses the profile, and that stops {whom}: {broken}"),
        )
        .because("libvirt says 'cannot load AppArmor profile'")
        .remedy(Remedy::none(
            Scope::Rewrite,
            format!(
                "mend it there; {} checks it",
                words::quote(&["apparmor_parser", "-Q", &profile.path])
            ),
        ));
        vec![finding]
    },
};

/// Rules that are not understood here may allow or deny anything.
fn unclear(what: &str) -> Finding {
    let message = format!("what the VM's AppArmor profile allows is not known: {what}");
    Finding::general(Verdict::Unknown, message)
        .because("AppArmor takes it, and qpt-tui does not know what it means")
}

pub(crate) static APPARMOR_DENIED: Rule = Rule {
    id: "apparmor-denied",
    layer: Layer::AppArmor,
    summary: "the VM's AppArmor profile has no rule for the path",
    explain: include_str!("../../../assets/rules/apparmor-denied.md"),
    check: denied,
};

/// What a use needs: letters of a rule.
fn needs(case: &Case<'_>, access: Access, locks: bool, walk: &Walk) -> String {
    let device =
        walk.target().is_some_and(|t| matches!(t.kind, FileKind::Char(..) | FileKind::Block(..)));
    let mut letters = match access {
        Access::Read | Access::ReadWriteOrRead | Access::Directory | Access::MemoryRead => {
            "r".to_owned()
        }
        Access::ReadWrite | Access::Memory | Access::Pipe => "rw".to_owned(),
        Access::Create | Access::Listen => "w".to_owned(),
        Access::Connect if case.host.apparmor.connecting == Known::Yes(Connecting::Free) => {
            String::new()
        }
        Access::Connect => "rw".to_owned(),
        Access::Library => "rm".to_owned(),
    };
    if locks && !device {
        letters.push('k');
    }
    letters
}

fn denied(case: &Case<'_>) -> Vec<Finding> {
    if let Known::Unknown(why) = &case.host.apparmor.active {
        return unknown(case, why).into_iter().collect();
    }
    if !case.start.apparmor {
        return Vec::new();
    }
    let profile = match case.host.apparmor.profile(case.document.facts()) {
        Ok(profile) => profile,
        Err(why) => {
            let message = format!("what the VM's AppArmor profile allows is not known: {why}");
            return vec![Finding::general(Verdict::Unknown, message)];
        }
    };
    if profile.unconfined || profile.broken.is_some() || profile.unclear.is_some() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (usage, path, access, walk) in case.walks() {
        let locks = matches!(usage.resource, Resource::Path { locks: true, .. });
        let Some(wanted) = Wanted::of(case, path, (access, locks), walk) else { continue };
        let (granted, hits) = profile.permissions(&wanted.name, wanted.is_owned);
        let appends = granted.contains(&'a') && !granted.contains(&'w');
        let missing = wanted.missing(granted);
        if missing.is_empty() || profile.complain && !is_hidden(&missing, &hits) {
            continue;
        }
        if wanted.may_append && appends && missing == "w" {
            let message = format!("whether QEMU only appends to {} is not known", wanted.name);
            findings.push(
                Finding::of(usage, Verdict::Unknown, message)
                    .because("the VM's AppArmor profile allows 'a' there, and no 'w' for what is emptied or made"),
            );
            continue;
        }
        let certain = case.host.apparmor.connecting == Known::Yes(Connecting::Mediated);
        if access == Access::Connect && !certain {
            findings.push(may_not_connect(case, usage, &wanted.name));
            continue;
        }
        let finding = refused(usage, &wanted.name, &missing, (profile, &hits));
        findings.push(ways_out(
            case,
            finding,
            profile,
            rule(&wanted.name, access, locks).as_deref(),
        ));
    }
    findings
}

/// Connecting to a socket that no rule is about, where nobody can say whether AppArmor looks at that.
fn may_not_connect(case: &Case<'_>, usage: &Use, name: &str) -> Finding {
    let why = match &case.host.apparmor.connecting {
        Known::Unknown(why) => format!("whether this kernel's AppArmor looks at who connects: {why}"),
        Known::Yes(_) => "this kernel's AppArmor looks at who connects only where the profile was compiled for that".to_owned(),
    };
    let message =
        format!("whether the VM's AppArmor profile lets QEMU connect to {name} is not known");
    Finding::of(usage, Verdict::Unknown, message)
        .because(why)
        .because("the profile has no rule 'rw' for it")
}

/// Whether AppArmor is there is not known: that is said where it could matter.
fn unknown(case: &Case<'_>, why: &str) -> Option<Finding> {
    let is_off = |label: &SecLabel| {
        label.model.as_deref() == Some("apparmor") && label.kind == SecLabelType::None
    };
    let asks_for_none = case.document.facts().seclabels.iter().any(is_off);
    let is_unused = !driver_allowed(&case.host.conf, "apparmor");
    let names_nothing = case.walks().next().is_none();
    if asks_for_none || is_unused || names_nothing {
        return None;
    }
    let message = format!("whether AppArmor confines the VM is not known: {why}");
    Some(Finding::general(Verdict::Unknown, message))
}

/// What QEMU wants of a path, as a profile sees it.
struct Wanted {
    /// The path with links resolved; of a directory with a slash at its end.
    name: String,
    /// The letters that it needs.
    letters: String,
    /// Letters that libvirt adds for what native elements name.
    added: &'static str,
    /// A file that is there may be one that is only appended to.
    may_append: bool,
    /// QEMU's user owns it.
    is_owned: bool,
}

impl Wanted {
    /// Nothing where a profile has no say: nothing is needed, or nothing is there and nothing can be made.
    fn of(
        case: &Case<'_>,
        path: &str,
        (access, locks): (Access, bool),
        walk: &Walk,
    ) -> Option<Wanted> {
        let letters = needs(case, access, locks, walk);
        let is_reachable = walk.target().is_some() || walk.creatable();
        if letters.is_empty() || !is_reachable {
            return None;
        }
        let resolved = walk.resolved();
        let slash = if access == Access::Directory && !resolved.ends_with('/') { "/" } else { "" };
        let is_owned = match (walk.target(), case.identity().ok()) {
            (Some(step), Some(who)) => step.uid == who.uid,
            (None, _) => true,
            (Some(_), None) => false,
        };
        let facts = case.document.facts();
        // virt-aa-helper writes a rule for what native elements name.
        let added = match facts.brings(resolved).or_else(|| facts.brings(path)) {
            Some(native) if native.readonly => "rk",
            Some(_) => "rwk",
            None => "",
        };
        let may_append = access == Access::Create && walk.target().is_some();
        Some(Wanted { name: format!("{resolved}{slash}"), letters, added, may_append, is_owned })
    }

    /// The letters that a profile does not grant.
    fn missing(&self, mut granted: BTreeSet<char>) -> String {
        granted.extend(self.added.chars());
        self.letters.chars().filter(|letter| !granted.contains(letter)).collect()
    }
}

/// Whether all that is missing is denied by rules that do not write it to the log: these hold in complain mode as well, which only
/// lets through what it logs (security/apparmor/file.c, `aa_audit_file`).
fn is_hidden(missing: &str, hits: &[&FileRule]) -> bool {
    missing.chars().all(|letter| {
        let denies = |rule: &&&FileRule| rule.deny && rule.permissions.contains(letter);
        hits.iter().filter(denies).any(|rule| !rule.audit)
    })
}

fn refused(
    usage: &Use,
    name: &str,
    missing: &str,
    (profile, hits): (&Profile, &[&FileRule]),
) -> Finding {
    let message = format!("the VM's AppArmor profile does not allow '{missing}' on {name}");
    let rule = match hits {
        [] => format!("no rule of {} matches it", profile.path),
        [rule, ..] => {
            let deny = if rule.deny { "deny " } else { "" };
            format!("{} has '{deny}{} {}'", rule.origin, rule.pattern, rule.permissions)
        }
    };
    let words = if missing == "k" {
        "QEMU says 'Failed to lock byte 100'; the kernel log has apparmor=\"DENIED\" operation=\"file_lock\""
    } else {
        "QEMU says 'Permission denied'; the kernel log has apparmor=\"DENIED\""
    };
    Finding::of(usage, Verdict::Blocks, message).because(rule).because(words)
}

/// A rule for this VM, no profile for this VM, a rule for every VM, no profile for any.
fn ways_out(case: &Case<'_>, finding: Finding, profile: &Profile, rule: Option<&str>) -> Finding {
    let unwritable = || "no rule of AppArmor's can name this path";
    let grant = match (&case.document.facts().uuid, rule) {
        (_, None) => Remedy::none(Scope::Grant, unwritable()),
        (Some(uuid), Some(rule)) if profile.path.ends_with("TEMPLATE.qemu") => Remedy::none(
            Scope::Grant,
            format!(
                "start the VM once, so that libvirt writes {PROFILES}/libvirt-{uuid}; then add {rule} to it"
            ),
        ),
        (Some(_), Some(rule)) => Remedy {
            scope: Scope::Grant,
            ..Remedy::setting(
                "add a rule to the VM's own profile (libvirt keeps it)",
                &profile.path,
                rule,
            )
        },
        (None, Some(_)) => Remedy::none(
            Scope::Grant,
            "give the domain a <uuid> first: the profile is named after it",
        ),
    };
    let without = "<seclabel type='none' model='apparmor'/>";
    let disable = match case.document.set_seclabel("apparmor", without) {
        Ok(edits) => {
            Remedy::edit(Scope::DisableVm, "run this VM without an AppArmor profile", edits)
        }
        Err(error) => Remedy::none(Scope::DisableVm, error.to_string()),
    };
    let every_vm = match rule {
        Some(rule) => Remedy::setting(
            "allow the path for every VM (it counts at the VM's next start)",
            &local_file(case),
            rule,
        ),
        None => Remedy::none(Scope::DisableHost, unwritable()),
    };
    let finding = finding.remedy(grant).remedy(disable).remedy(every_vm);
    // A seclabel of a driver that is switched off would be refused.
    let names_it = |label: &SecLabel| label.model.as_deref() == Some("apparmor");
    if case.document.facts().seclabels.iter().any(names_it) {
        return finding;
    }
    let conf = &case.host.conf.path;
    finding.remedy(Remedy::setting("give no VM a profile", conf, "security_driver = \"none\""))
}

/// The file that a site's own rules go to: until libvirt 9.7 the local include, a directory since.
fn local_file(case: &Case<'_>) -> String {
    if case.host.libvirt_at_least(Version::new(9, 7)) == Some(true) {
        "/etc/apparmor.d/abstractions/libvirt-qemu.d/local".to_owned()
    } else {
        "/etc/apparmor.d/local/abstractions/libvirt-qemu".to_owned()
    }
}

/// The rule that lets a use through; `None` where no rule can name the path.
fn rule(name: &str, access: Access, locks: bool) -> Option<String> {
    if access == Access::Directory {
        let (own, below) = (apparmor::file_rule(name, "r")?, apparmor::below_rule(name, "rwk")?);
        return Some(format!("{own} {below}"));
    }
    let changes = access.writes() || access.creates();
    let letters = if changes || [Access::ReadWriteOrRead, Access::Connect].contains(&access) {
        "rw"
    } else {
        "r"
    };
    let map = if access == Access::Library { "m" } else { "" };
    let lock = if locks { "k" } else { "" };
    apparmor::file_rule(name, &format!("{letters}{lock}{map}"))
}
