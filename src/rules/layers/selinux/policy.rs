//! What the policy says: the running kernel's answer, or the policies that distributions ship.

use crate::facts::FileKind;
use crate::facts::selinux::shipped::{Question, Shipped, Unknown};
use crate::facts::selinux::type_of;
use crate::qemu::Access;
use crate::rules::Case;

/// The permissions that opening needs (selinux's `open_file_to_av`, `file_map_prot_check`).
pub(super) fn permissions(access: Access, kind: &FileKind) -> Vec<&'static str> {
    match (access, kind) {
        (Access::Directory, _) => vec!["open", "read"],
        (Access::Memory, FileKind::Directory) => vec!["add_name", "search", "write"],
        (Access::Connect, _) => vec!["write"],
        (Access::Listen, _) => vec!["unlink"],
        (Access::Read, _) => vec!["open", "read"],
        (Access::ReadWriteOrRead, _) => vec!["open", "read"],
        (Access::ReadWrite | Access::Pipe, _) => vec!["open", "read", "write"],
        (Access::Create, _) => vec!["open", "write"],
        (Access::Memory, _) => vec!["map", "open", "read", "write"],
        (Access::MemoryRead, _) => vec!["map", "open", "read"],
        (Access::Library, _) => vec!["execute", "map", "open", "read"],
    }
}

/// What the policy says to some permissions of one label on another: the ones that it denies.
pub(super) fn denied(
    case: &Case<'_>,
    source: &str,
    target: &str,
    class: &str,
    wanted: &[&'static str],
) -> Result<Vec<&'static str>, Unknown> {
    let selinux = &case.host.selinux;
    if let Some(allowed) = selinux.allowed(source, target, class) {
        let lacks = |wanted: &&str| !allowed.iter().any(|allowed| allowed == wanted);
        return Ok(wanted.iter().copied().filter(lacks).collect());
    }
    Shipped::of(selinux)?.denied(question(source, target, class)?, wanted)
}

/// What a new file or socket becomes in a directory with a label, by the class.
pub(super) fn made(
    case: &Case<'_>,
    source: &str,
    directory: &str,
    class: &str,
) -> Result<String, Unknown> {
    let selinux = &case.host.selinux;
    let answer = selinux.decisions.get(&format!("{source} {directory} new-{class}"));
    if let Some(label) = answer.and_then(|labels| labels.first()) {
        return Ok(label.clone());
    }
    let question = question(source, directory, class)?;
    let kind = Shipped::of(selinux)?.made(question)?.unwrap_or(question.target);
    Ok(format!("system_u:object_r:{kind}:{}", super::opening::range(source)))
}

/// The question to a shipped policy, which knows types only.
fn question<'a>(source: &'a str, target: &'a str, class: &'a str) -> Result<Question<'a>, Unknown> {
    let kind = |label: &'a str| type_of(label).ok_or_else(|| format!("{label} is no label"));
    Ok(Question { source: kind(source)?, target: kind(target)?, class })
}

/// The boolean that gives QEMU what is denied: file systems from elsewhere can't be relabelled.
pub(super) fn boolean(
    case: &Case<'_>,
    source: &str,
    target: &str,
    class: &str,
    wanted: &[&'static str],
) -> Option<&'static str> {
    let shipped = Shipped::of(&case.host.selinux).ok()?;
    let openers = shipped.openers(question(source, target, class).ok()?, wanted);
    openers.into_iter().find(|name| case.host.selinux.booleans.get(*name) != Some(&true))
}
