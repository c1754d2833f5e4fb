//! Owners, modes and access control lists, exactly as the kernel decides (`acl_permission_check`, `posix_acl_permission`).

pub(crate) mod privilege;
pub(crate) mod programs;
pub(crate) mod served;
pub(crate) mod sticky;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::SecLabelType;
use crate::facts::identity::Identity;
use crate::facts::{Ending, FileKind, Instance, Known, Step, Walk};
use crate::libvirt::devices::STATE_DIRECTORY;
use crate::qemu::{Access, Use};

const READ: u8 = 4;
const WRITE: u8 = 2;
const SEARCH: u8 = 1;

/// Whether a process may do all of `wanted` to what stands at a step.
fn permits(case: &Case<'_>, who: &Identity, step: &Step, wanted: u8) -> bool {
    let squashed = who.uid == 0 && served::squashes_root(case, step);
    let unmapped = served::is_unmapped(case, step);
    if who.uid == 0 && case.start.root_overrides && !squashed && !unmapped {
        // CAP_DAC_OVERRIDE: anything, except running a file that nobody may run, which is not asked for here.
        return true;
    }
    let bits = |shift: u32| u8::try_from(step.mode >> shift & 0o7).unwrap_or(0);
    let enough = |bits: u8| bits & wanted == wanted;
    if unmapped {
        return wanted & WRITE == 0 && enough(bits(0));
    }
    if squashed {
        return enough(bits(0));
    }
    if who.uid == step.uid {
        return enough(bits(6));
    }
    let Some(acl) = &step.acl else {
        return if who.in_group(step.gid) { enough(bits(3)) } else { enough(bits(0)) };
    };
    if let Some((_, named)) = acl.users.iter().find(|(uid, _)| *uid == who.uid) {
        return enough(named & acl.mask);
    }
    let owning = who.in_group(step.gid).then_some(acl.owning_group);
    let named = acl.groups.iter().filter(|(gid, _)| who.in_group(*gid)).map(|(_, bits)| *bits);
    let groups: Vec<u8> = owning.into_iter().chain(named).collect();
    if groups.is_empty() {
        enough(bits(0))
    } else {
        groups.into_iter().any(|bits| enough(bits) && enough(bits & acl.mask))
    }
}

/// The first directory on the way that may not be searched.
fn closed<'a>(case: &Case<'_>, who: &Identity, walk: &'a Walk) -> Option<&'a Step> {
    let target = walk.target().map(|step| &step.path);
    // /proc/self is another process for QEMU than for us, and each may pass its own.
    let own = |path: &str| {
        path.strip_prefix("/proc/")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    // The mount that nobody could look into has no modes that are known.
    let is_hidden = matches!(walk.ending, Ending::Private(_) | Ending::Unserved(_));
    let seen = &walk.steps[..walk.steps.len() - usize::from(is_hidden)];
    let on_the_way = seen.iter().filter(|step| {
        step.kind == FileKind::Directory && Some(&step.path) != target && !own(&step.path)
    });
    on_the_way.into_iter().find(|step| !permits(case, who, step, SEARCH))
}

/// The target as it will be when QEMU opens it: libvirt gives what native elements name to QEMU's user (`dynamic_ownership`).
fn owned(case: &Case<'_>, who: &Identity, path: &str, step: &Step) -> Step {
    let facts = case.document.facts();
    let native = facts.brings(path).is_some_and(|native| native.relabelled);
    let dynamic = case.host.is_system() && case.host.conf.int("dynamic_ownership") != Some(0);
    let label = facts.seclabels.iter().find(|label| label.model.as_deref() == Some("dac"));
    let relabels = label.is_none_or(|label| match label.kind {
        SecLabelType::Dynamic => true,
        SecLabelType::Static => label.relabel == Some(true),
        SecLabelType::None => false,
    });
    if native && dynamic && relabels {
        Step { uid: who.uid, gid: who.gid, ..step.clone() }
    } else {
        step.clone()
    }
}

/// A use of a path, who opens it, and the walk there, on which no directory is closed.
#[derive(Clone, Copy)]
struct Reached<'a> {
    usage: &'a Use,
    path: &'a str,
    access: Access,
    walk: &'a Walk,
    who: &'a Identity,
}

/// The uses of which all that is known.
fn reached<'a>(case: &Case<'a>) -> impl Iterator<Item = Reached<'a>> + use<'a> {
    let case = *case;
    let who = case.identity().ok();
    case.walks().filter_map(move |(usage, path, access, walk)| {
        let who = who?;
        let is_open = closed(&case, who, walk).is_none() && !served::is_shut_out(&case, walk);
        is_open.then_some(Reached { usage, path, access, walk, who })
    })
}

pub(crate) static IDENTITY_UNKNOWN: Rule = Rule {
    id: "identity-unknown",
    layer: Layer::Dac,
    summary: "who QEMU will run as is not known",
    explain: include_str!("../../../../assets/rules/identity-unknown.md"),
    check: |case| {
        let own = !case.start.dac_label.is_empty();
        let needed = !own && case.line.uses.iter().any(|usage| usage.resource.path().is_some());
        match case.identity() {
            Err(why) if needed => {
                vec![Finding::general(
                    Verdict::Unknown,
                    format!("whether QEMU may open the files is not known: {why}"),
                )]
            }
            _ => Vec::new(),
        }
    },
};

pub(crate) static LABEL_USER: Rule = Rule {
    id: "dac-label",
    layer: Layer::Dac,
    summary: "the domain's DAC label names a user that libvirt can't run QEMU as",
    explain: include_str!("../../../../assets/rules/dac-label.md"),
    check: label_user,
};

fn label_user(case: &Case<'_>) -> Vec<Finding> {
    let label = &case.start.dac_label;
    if label.is_empty() || !case.host.is_system() {
        return Vec::new();
    }
    let who = match case.identity() {
        Ok(who) => who,
        Err(why) => {
            return vec![
                Finding::general(Verdict::Blocks, format!("the DAC label '{label}' cannot be used: {why}"))
                    .because("libvirt says 'Failed to parse user' or 'Failed to parse uid and gid'")
                    .remedy(Remedy::none(
                        Scope::Rewrite,
                        "write <label>USER:GROUP</label> with names that this host knows, or +0:+0 for root",
                    )),
            ];
        }
    };
    let default = case.host.identities.get("").and_then(Known::yes);
    if who.uid == 0 || default.is_none_or(|default| default.uid == who.uid) {
        return Vec::new();
    }
    let relabels = case
        .document
        .facts()
        .seclabels
        .iter()
        .any(|l| l.model.as_deref() == Some("dac") && l.relabel == Some(true));
    let shut = case.host.walk(STATE_DIRECTORY).ok().and_then(|walk| {
        let target = walk.target().filter(|step| !permits(case, who, step, SEARCH));
        closed(case, who, walk).or(target)
    });
    let finding = |message: String| {
        Finding::general(Verdict::Blocks, message)
            .because(who.sentence())
            .because("QEMU says 'Unable to read …/master-key.aes: … Permission denied'")
    };
    match shut {
        Some(step) => vec![
            finding(format!(
                "{} may not pass {}, where libvirt keeps the key that each QEMU reads",
                who.user, step.path
            ))
            .because(case.host.describe(step)),
        ],
        // Recorded starts disagree: with relabel='no' one host's QEMU could read its key, another's could not.
        None if !relabels => vec![Finding {
            verdict: Verdict::Unknown,
            ..finding(format!(
                "whether {} may read the key that libvirt makes for the VM is not known",
                who.user
            ))
            .remedy(Remedy::none(Scope::Rewrite, "say relabel='yes' in the seclabel, then it may"))
        }],
        None => Vec::new(),
    }
}

pub(crate) static CLOSED_DIRECTORY: Rule = Rule {
    id: "closed-directory",
    layer: Layer::Dac,
    summary: "QEMU's user may not pass a directory on the way",
    explain: include_str!("../../../../assets/rules/closed-directory.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        let mut findings = Vec::new();
        for (usage, path, _, walk) in case.walks() {
            if served::is_shut_out(case, walk) {
                continue;
            }
            let Some(step) = closed(case, who, walk) else { continue };
            let finding = Finding::of(
                usage,
                Verdict::Blocks,
                format!("{} may not pass {}", who.user, step.path),
            );
            let finding = finding
                .because(case.host.describe(step))
                .because(who.sentence())
                .because("QEMU says 'Permission denied'");
            let let_pass = quote_acl(who, "x");
            let finding = finding
                .remedy(Remedy::command(
                    Scope::Grant,
                    format!("let {} pass the directory (not list it)", who.user),
                    &["setfacl", "-m", &let_pass, &step.path],
                ))
                .remedy(Remedy::none(
                    Scope::Grant,
                    format!("or move {path} to a directory that everybody may pass, such as /var/lib/libvirt/images"),
                ));
            findings.push(served::doubted(case, who, step, disable(case, finding)));
        }
        findings
    },
};

pub(crate) static UNREADABLE: Rule = Rule {
    id: "dac-unreadable",
    layer: Layer::Dac,
    summary: "QEMU's user may not read the file",
    explain: include_str!("../../../../assets/rules/dac-unreadable.md"),
    check: |case| {
        let mut findings = Vec::new();
        for reached in reached(case) {
            let Reached { path, access, walk, who, .. } = reached;
            if !access.reads() {
                continue;
            }
            let Some(step) = walk.target() else { continue };
            let step = owned(case, who, path, step);
            // What is in a shared directory is reached through it.
            let (wanted, bits) = match (access, &step.kind) {
                (Access::Directory, FileKind::Directory) => (READ | SEARCH, "rwx"),
                (Access::ReadWriteOrRead, _) => (READ, "rw"),
                _ if access.writes() => (READ, "rw"),
                _ => (READ, "r"),
            };
            if !permits(case, who, &step, wanted) {
                findings.push(refused(case, reached, &step, bits, "read"));
            }
        }
        findings
    },
};

pub(crate) static UNWRITABLE: Rule = Rule {
    id: "dac-unwritable",
    layer: Layer::Dac,
    summary: "QEMU's user may not write the file",
    explain: include_str!("../../../../assets/rules/dac-unwritable.md"),
    check: |case| {
        let mut findings = Vec::new();
        for reached in reached(case) {
            let Reached { usage, path, access, walk, who } = reached;
            let Some(step) = walk.target().map(|step| owned(case, who, path, step)) else {
                continue;
            };
            if matches!((access, &step.kind), (Access::Memory, FileKind::Directory)) {
                continue; // a file is made inside it
            }
            let readable = permits(case, who, &step, READ);
            if access.writes() && (readable || !access.reads()) && !permits(case, who, &step, WRITE)
            {
                findings.push(refused(case, reached, &step, "rw", "write"));
            } else if access == Access::ReadWriteOrRead
                && readable
                && !permits(case, who, &step, WRITE)
            {
                findings.push(
                    Finding::of(
                        usage,
                        Verdict::Note,
                        format!(
                            "{} may only read {}; QEMU opens it read-only",
                            who.user, step.path
                        ),
                    )
                    .because(case.host.describe(&step))
                    .because(who.sentence()),
                );
            }
        }
        findings
    },
};

pub(crate) static CANNOT_CREATE: Rule = Rule {
    id: "dac-cannot-create",
    layer: Layer::Dac,
    summary: "QEMU's user may not make the file in its directory",
    explain: include_str!("../../../../assets/rules/dac-cannot-create.md"),
    check: |case| {
        let mut findings = Vec::new();
        for reached in reached(case) {
            let Reached { usage, access, walk, who, .. } = reached;
            // A node that its driver has not made yet is said to be missing.
            let awaited = access == Access::Memory
                && walk.target().is_none()
                && super::host::of_a_driver(case, walk);
            if !access.creates() || awaited {
                continue;
            }
            let inside = walk
                .target()
                .filter(|step| access == Access::Memory && step.kind == FileKind::Directory);
            let Some(parent) = inside.or(walk.parent()) else { continue };
            let makes = inside.is_some() || walk.target().is_none() || access == Access::Listen;
            // The private /dev is a new directory of root's, whatever the host's own allows.
            let own = case.start.private_dev && parent.path == "/dev";
            if makes && (!permits(case, who, parent, WRITE | SEARCH) || own && who.uid != 0) {
                let act =
                    if access == Access::Listen { "make a socket in" } else { "make a file in" };
                let finding = Finding::of(
                    usage,
                    Verdict::Blocks,
                    format!("{} may not {act} {}", who.user, parent.path),
                )
                .because(case.host.describe(parent))
                .because(who.sentence())
                .because("QEMU says 'Permission denied'");
                let finding = finding.remedy(if own {
                    let why = "choose another directory: the VM's /dev is made anew by libvirt at each start";
                    Remedy::none(Scope::Rewrite, why)
                } else {
                    Remedy::command(
                        Scope::Grant,
                        format!("let {} write the directory", who.user),
                        &["setfacl", "-m", &quote_acl(who, "rwx"), &parent.path],
                    )
                });
                findings.push(served::doubted(case, who, parent, disable(case, finding)));
            } else if let Some(unknown) =
                makes.then(|| served::unknown_id(case, who, usage, parent)).flatten()
            {
                findings.push(unknown);
            } else if let Some(target) = walk.target() {
                findings.extend(sticky::sticky(case, reached, parent, target));
            }
        }
        findings
    },
};

/// The finding about a step that may not be read or written; `bits` are what would have to be granted.
fn refused(case: &Case<'_>, reached: Reached<'_>, step: &Step, bits: &str, verb: &str) -> Finding {
    let Reached { usage, who, .. } = reached;
    let device = matches!(step.kind, FileKind::Char(..) | FileKind::Block(..));
    let mut finding =
        Finding::of(usage, Verdict::Blocks, format!("{} may not {verb} {}", who.user, step.path))
            .because(case.host.describe(step))
            .because(who.sentence());
    if who.uid == 0 {
        finding =
            finding.because("SELinux gives QEMU's domain no dac_override, so that root is a user like any other here");
    }
    let mut finding = finding.because("QEMU says 'Permission denied'");
    let acl = quote_acl(who, bits);
    if who.uid == step.uid {
        // The owner's own bits decide, an entry for the same user would not be looked at.
        let mode = format!("u+{bits}");
        finding = finding.remedy(Remedy::command(
            Scope::Grant,
            format!("let the owner {verb} it"),
            &["chmod", &mode, &step.path],
        ));
    } else {
        finding = finding.remedy(Remedy::command(
            Scope::Grant,
            format!("let {} {verb} it", who.user),
            &["setfacl", "-m", &acl, &step.path],
        ));
    }
    if device {
        finding = finding.remedy(Remedy::none(
            Scope::Grant,
            "a node in /dev is made anew at each boot: a udev rule makes the grant last",
        ));
    }
    served::doubted(case, who, step, disable(case, finding))
}

fn quote_acl(who: &Identity, bits: &str) -> String {
    format!("u:{}:{bits}", who.user)
}

/// The seed's other two strategies, the same for everything in this layer.
fn disable(case: &Case<'_>, finding: Finding) -> Finding {
    if case.host.instance == Instance::Session {
        return finding
            .remedy(Remedy::none(
                Scope::DisableVm,
                "there is none: in the session instance QEMU is you",
            ))
            .remedy(Remedy::none(
                Scope::DisableHost,
                "there is none: in the session instance QEMU is you",
            ));
    }
    if !case.start.root_overrides {
        let why = "there is none while SELinux confines QEMU: root without dac_override is a user like any other";
        return finding
            .remedy(Remedy::none(Scope::DisableVm, why))
            .remedy(Remedy::none(Scope::DisableHost, why));
    }
    let label =
        "<seclabel type='static' model='dac' relabel='no'><label>root:root</label></seclabel>";
    let finding = match case.document.set_seclabel("dac", label) {
        Ok(edits) => finding.remedy(Remedy::edit(
            Scope::DisableVm,
            "run this VM's QEMU as root (a broken QEMU then owns the host)",
            edits,
        )),
        Err(error) => finding.remedy(Remedy::none(Scope::DisableVm, error.to_string())),
    };
    let conf = &case.host.conf.path;
    finding.remedy(Remedy::setting(
        "run every VM's QEMU as root (a broken QEMU then owns the host)",
        conf,
        "user = \"root\"\ngroup = \"root\"",
    ))
}
