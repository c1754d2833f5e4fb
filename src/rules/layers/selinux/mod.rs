//! SELinux: the process's label against the labels of what it opens.
//!
//! The running kernel's policy was asked where that was possible; otherwise the policies that distributions ship answer, and
//! what neither knows is unknown.

pub(crate) mod categories;
mod opening;
mod policy;
pub(crate) mod process;
mod remedies;

use opening::{Opening, Process, label_of, process};
use policy::{denied, made, permissions};
use remedies::remedies;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::selinux::{Mode, class_of};
use crate::facts::{FileKind, Known, Step, Walk};
use crate::qemu::Access;

pub(crate) static SELINUX_DENIED: Rule = Rule {
    id: "selinux-denied",
    layer: Layer::Selinux,
    summary: "SELinux's policy does not let QEMU's domain open the label",
    explain: include_str!("../../../../assets/rules/selinux-denied.md"),
    check: |case| {
        let Some(process) = process(case) else { return Vec::new() };
        let mut findings = Vec::new();
        for (usage, path, access, walk) in case.walks() {
            let found = judge(Opening { case, usage, access, process }, path, walk);
            // What is not known does not matter where SELinux only logs.
            let matters = |finding: &Finding| {
                finding.verdict != Verdict::Unknown
                    || case.host.selinux.mode == Known::Yes(Mode::Enforcing)
            };
            findings.extend(found.filter(matters));
        }
        findings
    },
};

/// What SELinux says to a walk, if it is not that all of it is allowed: a denial anywhere before what is not known.
fn judge(opening: Opening<'_>, path: &str, walk: &Walk) -> Option<Finding> {
    let way = on_the_way(opening, walk);
    let is_unknown = |found: &Finding| found.verdict == Verdict::Unknown;
    if way.as_ref().is_some_and(|found| !is_unknown(found)) {
        return way;
    }
    let end = at_the_end(opening, path, walk);
    match way {
        Some(unknown) if end.as_ref().is_none_or(is_unknown) => Some(unknown),
        _ => end,
    }
}

/// Directories and links on the way: a denial, else the first of which it is not known.
fn on_the_way(opening: Opening<'_>, walk: &Walk) -> Option<Finding> {
    let Opening { case, process: Process { label: process, .. }, .. } = opening;
    let target = walk.target();
    let mut unknown = None;
    for step in &walk.steps {
        if target.is_some_and(|target| target.path == step.path) {
            continue;
        }
        let wanted: &[&'static str] =
            if step.kind == FileKind::Directory { &["search"] } else { &["read"] };
        let Some(label) = &step.label else { continue };
        match denied(case, process, label, class_of(&step.kind), wanted) {
            Ok(missing) if missing.is_empty() => {}
            Ok(missing) => return Some(denial(opening, step, label, &missing)),
            Err(why) => {
                unknown = unknown.or_else(|| Some(not_known(opening, "pass", step, label, &why)));
            }
        }
    }
    unknown
}

/// What stands at the end of the walk, or is made there.
fn at_the_end(opening: Opening<'_>, path: &str, walk: &Walk) -> Option<Finding> {
    let Opening { case, usage, access, process: Process { label: process, .. } } = opening;
    let step = match (walk.target(), access) {
        (Some(target), Access::Memory) if target.kind == FileKind::Directory => {
            return creation(opening, target);
        }
        (Some(target), _) => target,
        (None, Access::Create | Access::Memory | Access::Listen) if walk.creatable() => {
            return creation(opening, walk.parent()?);
        }
        (None, _) => return None,
    };
    let Some(label) = label_of(case, path, step, process) else {
        return Some(Finding::of(
            usage,
            Verdict::Unknown,
            format!("the SELinux label of {} is not known", step.path),
        ));
    };
    let wanted = permissions(access, &step.kind);
    match denied(case, process, &label, class_of(&step.kind), &wanted) {
        Err(why) => Some(not_known(opening, "open", step, &label, &why)),
        Ok(missing) if missing.is_empty() => {
            if access == Access::Connect {
                connection(opening, step)
            } else {
                None
            }
        }
        Ok(missing) => Some(denial(opening, step, &label, &missing)),
    }
}

/// Neither the kernel nor a shipped policy says it; `why` has the reason of the latter.
fn not_known(opening: Opening<'_>, verb: &str, step: &Step, label: &str, why: &str) -> Finding {
    let Opening { usage, process, .. } = opening;
    let message = format!("whether SELinux lets QEMU {verb} {} is not known", step.path);
    Finding::of(usage, Verdict::Unknown, message)
        .because(format!("{} has the label {label}, QEMU runs as {}", step.path, process.shown()))
        .because(format!(
            "the kernel's policy could not be asked (run as root on the host), and {why}"
        ))
}

/// Connecting needs 'connectto' on the process that listens as well.
fn connection(opening: Opening<'_>, step: &Step) -> Option<Finding> {
    let Opening { case, usage, process: Process { label: process, .. }, .. } = opening;
    let server = case.host.selinux.servers.get(&step.path).map(String::as_str);
    let answer = server
        .ok_or_else(|| "its label is not known".to_owned())
        .and_then(|server| denied(case, process, server, "unix_stream_socket", &["connectto"]));
    match answer {
        Ok(missing) if missing.is_empty() => None,
        Ok(_) => {
            let server = server.unwrap_or_default();
            let mut finding = denial(opening, step, server, &["connectto"]);
            finding.evidence[0] =
                format!("the process that listens on {} runs as {server}", step.path);
            // No label of the file changes who listens.
            finding.remedies.retain(|remedy| remedy.scope != Scope::Grant);
            Some(finding)
        }
        Err(why) => {
            let message = format!(
                "SELinux lets QEMU write the socket {}; whether its server may be reached is not known",
                step.path
            );
            let finding = Finding::of(usage, Verdict::Unknown, message);
            Some(finding.because(format!(
                "connecting needs 'connectto' on the process that listens as well, and {why}"
            )))
        }
    }
}

/// Making something that is not there: what its directory says, and then what it becomes.
fn creation(opening: Opening<'_>, parent: &Step) -> Option<Finding> {
    let Opening { case, access, process: Process { label: process, .. }, .. } = opening;
    let label = parent.label.as_ref()?;
    let not_known = |why: &str| Some(not_known(opening, "make something in", parent, label, why));
    match denied(case, process, label, "dir", &["add_name", "search", "write"]) {
        Err(why) => return not_known(&why),
        Ok(missing) if !missing.is_empty() => {
            return Some(denial(opening, parent, label, &missing));
        }
        Ok(_) => {}
    }
    let class = if access == Access::Listen { "sock_file" } else { "file" };
    let wanted: &[&'static str] = if access == Access::Listen {
        &["create"]
    } else if access == Access::Memory {
        &["create", "map", "open", "read", "write"]
    } else {
        &["create", "open", "write"]
    };
    let answer = made(case, process, label, class)
        .and_then(|new| Ok((denied(case, process, &new, class, wanted)?, new)));
    match answer {
        Err(why) => not_known(&why),
        Ok((missing, _)) if missing.is_empty() => None,
        Ok((missing, new)) => Some(creation_denial(opening, parent, &new, &missing)),
    }
}

/// What is new may not be as it is to be; `new` is the label that it would get.
fn creation_denial(
    opening: Opening<'_>,
    parent: &Step,
    new: &str,
    missing: &[&'static str],
) -> Finding {
    let mut finding = denial(opening, parent, new, missing);
    if let Some(label) = parent.label.as_deref().filter(|label| *label != new) {
        finding.evidence[0] =
            format!("{} has the label {label}, what is made in it gets {new}", parent.path);
    }
    finding
}

/// What SELinux refuses about a step that bears a label, and what can be done.
fn denial(opening: Opening<'_>, step: &Step, label: &str, missing: &[&'static str]) -> Finding {
    let Opening { case, usage, process, .. } = opening;
    let permissive = case.host.selinux.mode == Known::Yes(Mode::Permissive);
    let verdict = if permissive { Verdict::Note } else { Verdict::Blocks };
    let would =
        if permissive { "would not let (it is permissive, and only logs)" } else { "does not let" };
    let verbs = missing.join(" ");
    let shown = process.shown();
    let finding =
        Finding::of(usage, verdict, format!("SELinux {would} QEMU {verbs} {}", step.path))
            .because(format!("{} has the label {label}", step.path))
            .because(format!(
                "QEMU runs as {shown}{}",
                if process.dynamic { " with categories drawn at each start" } else { "" }
            ))
            .because(
                "QEMU says 'Permission denied'; the audit log may have an AVC with the same words",
            );
    remedies(opening, finding, step, missing)
}
