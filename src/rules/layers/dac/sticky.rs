//! Sticky directories such as `/tmp`: what is another user's there is not replaced, not opened for creation, not followed.

use super::{Case, Finding, Layer, Reached, Remedy, Rule, Scope, Verdict};
use crate::facts::identity::Identity;
use crate::facts::{FileKind, Known, Step};
use crate::qemu::Access;

const STICKY: u32 = 0o1000;
const WORLD_WRITABLE: u32 = 0o002;

pub(crate) static STICKY_LINK: Rule = Rule {
    id: "dac-sticky-link",
    layer: Layer::Dac,
    summary: "a link of another user in a sticky directory is not followed",
    explain: include_str!("../../../../assets/rules/dac-sticky-link.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        let setting = &case.host.kernel.protected_symlinks;
        if *setting == Known::Yes(false) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for (usage, path, _, walk) in case.walks() {
            let Some((link, directory)) = refused(who, path, &walk.steps) else { continue };
            if let Known::Unknown(why) = setting {
                let message = format!(
                    "whether the kernel follows the link {} for {} is not known",
                    link.path, who.user
                );
                findings.push(
                    Finding::of(usage, Verdict::Unknown, message)
                        .because(format!("fs.protected_symlinks: {why}")),
                );
                continue;
            }
            findings.push(
                Finding::of(usage, Verdict::Blocks, format!("the kernel does not follow the link {} for {}", link.path, who.user))
                    .because(case.host.describe(link))
                    .because(case.host.describe(directory))
                    .because("fs.protected_symlinks is 1: a link in a sticky directory that everybody may write must be one's own or the directory's owner's; QEMU says 'Permission denied'")
                    .remedy(Remedy::command(
                        Scope::Grant,
                        format!("give the link to {}", who.user),
                        &["chown", "-h", &who.user, &link.path],
                    ))
                    .remedy(Remedy::none(Scope::Rewrite, "name what the link leads to")),
            );
        }
        findings
    },
};

/// The link that ends a path and may not be followed (`may_follow_link`, fs/namei.c): only the last part is looked at so.
fn refused<'a>(who: &Identity, path: &str, steps: &'a [Step]) -> Option<(&'a Step, &'a Step)> {
    let at = steps
        .iter()
        .position(|step| matches!(step.kind, FileKind::Link(_)) && ends(path, &step.path))?;
    let link = &steps[at];
    let directory = steps[..at].iter().rfind(|step| step.kind == FileKind::Directory)?;
    let open = directory.mode & STICKY != 0 && directory.mode & WORLD_WRITABLE != 0;
    (open && link.uid != who.uid && link.uid != directory.uid).then_some((link, directory))
}

/// Whether a step is the last part of the path as it is written.
fn ends(path: &str, step: &str) -> bool {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    last(path) == last(step)
}

/// Sticky directories: a socket of another user can't be replaced, and a file of another user can't be opened for creation
/// (`fs.protected_regular`, which stops root too).
pub(super) fn sticky(
    case: &Case<'_>,
    reached: Reached<'_>,
    parent: &Step,
    target: &Step,
) -> Option<Finding> {
    let Reached { usage, path, access, who, .. } = reached;
    if parent.mode & STICKY == 0 || target.uid == who.uid {
        return None;
    }
    let world = parent.mode & 0o002 != 0;
    let group = parent.mode & 0o020 != 0;
    let setting = &case.host.protected_regular;
    // What is not known may be the strictest.
    let protected = *setting.yes().unwrap_or(&2);
    let message = match access {
        Access::Listen if who.uid != 0 && parent.uid != who.uid => {
            format!("{} may not replace {path}, which is there already", who.user)
        }
        Access::Create
            if target.kind == FileKind::File
                && target.uid != parent.uid
                && ((protected >= 1 && world) || (protected >= 2 && group)) =>
        {
            format!(
                "{} may not open {path} for creation: it belongs to another user in a sticky directory",
                who.user
            )
        }
        Access::Read
        | Access::ReadWrite
        | Access::ReadWriteOrRead
        | Access::Create
        | Access::Memory
        | Access::MemoryRead
        | Access::Directory
        | Access::Listen
        | Access::Connect
        | Access::Library
        | Access::Pipe => return None,
    };
    if let (Access::Create, Known::Unknown(why)) = (access, setting) {
        let message = format!("whether {} may open {path} for creation is not known", who.user);
        return Some(
            Finding::of(usage, Verdict::Unknown, message)
                .because(format!("fs.protected_regular: {why}")),
        );
    }
    let mut finding = Finding::of(usage, Verdict::Blocks, message)
        .because(case.host.describe(target))
        .because(case.host.describe(parent))
        .because(who.sentence());
    if access == Access::Create {
        finding = finding
            .because(format!("fs.protected_regular is {protected}; QEMU says 'Permission denied'"));
    }
    Some(finding.remedy(Remedy::command(
        Scope::Grant,
        format!("give the file to {}", who.user),
        &["chown", &who.user, path],
    )))
}
