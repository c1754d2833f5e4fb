//! File systems that decide themselves, or with others, who may do what: FUSE, NFS, idmapped mounts.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict, disable};
use crate::facts::identity::Identity;
use crate::facts::mounts::Mount;
use crate::facts::{Step, Walk};
use crate::qemu::Use;

/// What the kernel shows in place of an owner that a mount does not map (`overflowuid`).
const NOBODY: u32 = 65534;

/// The FUSE mount on the way into which the kernel does not let QEMU look.
fn private<'a>(case: &'a Case<'_>, who: &Identity, walk: &Walk) -> Option<&'a Mount> {
    let mounts = walk.steps.iter().filter_map(|step| case.host.mount_of(&step.path));
    mounts.into_iter().find(|mount| !mount.lets_in(who))
}

/// Whether a walk goes through a FUSE mount that is not for QEMU's user.
pub(crate) fn is_shut_out(case: &Case<'_>, walk: &Walk) -> bool {
    case.identity().is_ok_and(|who| private(case, who, walk).is_some())
}

/// Whether root is a user like any other there: a server takes it for nobody unless it is told not to (exports(5), `root_squash`).
pub(super) fn squashes_root(case: &Case<'_>, step: &Step) -> bool {
    case.host.mount_of(&step.path).is_some_and(Mount::is_nfs)
}

/// Why the modes of a step do not tell whether QEMU may do what they refuse; nothing where the kernel goes by them.
pub(super) fn doubt(case: &Case<'_>, who: &Identity, step: &Step) -> Option<String> {
    let mount = case.host.mount_of(&step.path)?;
    let point = &mount.point;
    if mount.is_fuse() && !mount.has("default_permissions") {
        return Some(format!(
            "{point} is a FUSE mount ({}) without default_permissions: its program decides, and not the modes",
            mount.fstype
        ));
    }
    if mount.is_nfs() && who.uid == 0 {
        return Some(format!(
            "{point} is on another machine (NFS), which takes root for nobody unless it exports with no_root_squash"
        ));
    }
    let secured = mount.value("sec").is_some_and(|flavour| flavour.starts_with("krb5"));
    if mount.is_nfs() && secured {
        return Some(format!(
            "{point} wants a Kerberos ticket of each user (NFS with sec=krb5), and the modes do not tell who has one"
        ));
    }
    None
}

/// Whether a mount with other ids (idmapped) has none for who owns what stands at a step: nobody may write that then, and root may
/// no more than others (`inode_permission`, `HAS_UNMAPPED_ID`; `capable_wrt_inode_uidgid`).
pub(super) fn is_unmapped(case: &Case<'_>, step: &Step) -> bool {
    let is_of_nobody = step.uid == NOBODY || step.gid == NOBODY;
    is_of_nobody && case.host.mount_of(&step.path).is_some_and(|mount| mount.has("idmapped"))
}

/// That nobody can say whether a mount with other ids has one for QEMU's user, where it is to make something in a directory of
/// another user's: without one the kernel refuses it (`may_o_create`, `fsuidgid_has_mapping`).
pub(super) fn unknown_id(
    case: &Case<'_>,
    who: &Identity,
    usage: &Use,
    parent: &Step,
) -> Option<Finding> {
    let mount = case.host.mount_of(&parent.path).filter(|mount| mount.has("idmapped"))?;
    if parent.uid == who.uid {
        return None;
    }
    let message = format!("whether {} may make a file in {} is not known", who.user, parent.path);
    let finding = Finding::of(usage, Verdict::Unknown, message)
        .because(format!(
            "{} is mounted with other ids (idmapped), and the kernel does not show which",
            mount.point
        ))
        .because(
            "QEMU says 'Value too large for defined data type' where there is none for its user",
        );
    Some(finding)
}

/// A finding that the modes lead to, where they do not decide (then nobody can say), or are not all.
pub(super) fn doubted(case: &Case<'_>, who: &Identity, step: &Step, finding: Finding) -> Finding {
    if is_unmapped(case, step) {
        let why = "its mount has other ids (idmapped) and none for its owner: nobody may write it, and root may no more than others";
        let remedy = Remedy::none(
            Scope::Grant,
            format!(
                "give {} an owner that the mount has an id for, where it is mounted from",
                step.path
            ),
        );
        return Finding { remedies: vec![remedy], ..finding }.because(why);
    }
    let Some(why) = doubt(case, who, step) else { return finding };
    let verdict =
        if finding.verdict == Verdict::Blocks { Verdict::Unknown } else { finding.verdict };
    let message = format!("by the modes {}, but they do not decide", finding.message);
    Finding { verdict, message, first: false, remedies: Vec::new(), ..finding }.because(why)
}

pub(crate) static FUSE_PRIVATE: Rule = Rule {
    id: "fuse-private",
    layer: Layer::Dac,
    summary: "a FUSE mount lets nobody in but who mounted it",
    explain: include_str!("../../../../assets/rules/fuse-private.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        let shut = case
            .walks()
            .filter_map(|(usage, path, _, walk)| Some((usage, path, private(case, who, walk)?)));
        shut.map(|(usage, path, mount)| {
            let point = &mount.point;
            let owner = mount.value("user_id").unwrap_or("0");
            let finding = Finding::of(
                usage,
                Verdict::Blocks,
                format!("{point} is a FUSE mount that lets nobody in but the user {owner}, who mounted it"),
            )
            .because(format!("{point} ({}) is mounted without allow_other", mount.fstype))
            .because(who.sentence())
            .because("modes and lists do not help, and root is let in no more than others; QEMU says 'Permission denied'")
            .remedy(Remedy::none(
                Scope::Grant,
                format!("mount {point} again with -o allow_other (a user may once /etc/fuse.conf says user_allow_other)"),
            ))
            .remedy(Remedy::none(
                Scope::Rewrite,
                format!("or copy {path} to a disk of this machine, such as /var/lib/libvirt/images"),
            ));
            let root = Identity { user: "root".to_owned(), uid: 0, gid: 0, groups: Vec::new() };
            if mount.lets_in(&root) { disable(case, finding) } else { finding }
        })
        .collect()
    },
};
