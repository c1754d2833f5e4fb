//! SELinux: the process's label against the labels of what it opens.
//!
//! The running kernel's policy was asked where that was possible; otherwise a table of the shipped policies answers, and
//! what neither knows is unknown.

pub(crate) mod categories;
mod opening;
mod policy;
pub(crate) mod process;
mod remedies;

use opening::{Opening, Process, label_of, process};
use policy::{Family, column_of, denied, family, permissions};
use remedies::remedies;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::selinux::{Mode, class_of, type_of};
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

/// What SELinux says to a walk, if it is not that all of it is allowed.
fn judge(opening: Opening<'_>, path: &str, walk: &Walk) -> Option<Finding> {
    let Opening { case, usage, access, process: Process { label: process, .. } } = opening;
    // Directories and links on the way.
    let target = walk.target();
    for step in
        walk.steps.iter().filter(|step| target.is_none_or(|target| target.path != step.path))
    {
        let wanted: &[&str] =
            if step.kind == FileKind::Directory { &["search"] } else { &["read"] };
        let Some(label) = &step.label else { continue };
        if let Some(missing) = case.host.selinux.allowed(process, label, class_of(&step.kind))
            && !missing.iter().any(|allowed| wanted.contains(&allowed.as_str()))
        {
            return Some(denial(opening, step, label, wanted));
        }
    }
    let step = match (target, access) {
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
        None => Some(
            Finding::of(usage, Verdict::Unknown, format!("whether SELinux lets QEMU open {} is not known", step.path))
                .because(format!("{} has the label {label}, QEMU runs as {process}", step.path))
                .because("the kernel's policy could not be asked (run as root on the host), and the shipped table does not know the type"),
        ),
        Some(missing) if missing.is_empty() => {
            if access == Access::Connect { connection(opening, step) } else { None }
        }
        Some(missing) => Some(denial(opening, step, &label, &missing)),
    }
}

/// Connecting needs 'connectto' on the process that listens as well.
fn connection(opening: Opening<'_>, step: &Step) -> Option<Finding> {
    let Opening { case, usage, process: Process { label: process, .. }, .. } = opening;
    let selinux = &case.host.selinux;
    let server = selinux.servers.get(&step.path);
    match server.and_then(|server| selinux.allowed(process, server, "unix_stream_socket")) {
        Some(allowed) if allowed.iter().any(|allowed| allowed == "connectto") => None,
        Some(_) => {
            let server = server.map_or("", String::as_str);
            let mut finding = denial(opening, step, server, &["connectto"]);
            finding.evidence[0] = format!("the process that listens on {} runs as {server}", step.path);
            // No label of the file changes who listens.
            finding.remedies.retain(|remedy| remedy.scope != Scope::Grant);
            Some(finding)
        }
        None => Some(
            Finding::of(
                usage,
                Verdict::Unknown,
                format!(
                    "SELinux lets QEMU write the socket {}; whether its server may be reached is not known",
                    step.path
                ),
            )
            .because("connecting needs 'connectto' on the process that listens as well, whose label is not known"),
        ),
    }
}

/// Making something that is not there: what its directory says, and then its own label.
fn creation(opening: Opening<'_>, parent: &Step) -> Option<Finding> {
    let Opening { case, usage, access, process: Process { label: process, .. } } = opening;
    let label = parent.label.as_ref()?;
    let asked = case.host.selinux.allowed(process, label, "dir").is_some();
    if !asked && matches!(family(case), Some(Family::Debian)) && type_of(process) == Some("svirt_t")
    {
        return creation_by_table(opening, parent, label);
    }
    let Some(missing) = denied(case, process, label, "dir", &["add_name", "search", "write"])
    else {
        let message =
            format!("whether SELinux lets QEMU make a file in {} is not known", parent.path);
        return Some(
            Finding::of(usage, Verdict::Unknown, message)
                .because(format!("{} has the label {label}, QEMU runs as {process}", parent.path)),
        );
    };
    if !missing.is_empty() {
        return Some(denial(opening, parent, label, &missing));
    }
    let class = if access == Access::Listen { "sock_file" } else { "file" };
    let decision = case.host.selinux.decisions.get(&format!("{process} {label} new-{class}"));
    let new = decision.and_then(|found| found.first())?;
    let wanted: &[&'static str] = if access == Access::Memory {
        &["create", "map", "open", "write"]
    } else if class == "file" {
        &["create", "open", "write"]
    } else {
        &["create"]
    };
    let missing = denied(case, process, new, class, wanted)?;
    if missing.is_empty() { None } else { Some(denial(opening, parent, new, &missing)) }
}

/// Type transitions decide what a new file becomes; the table has what was measured.
fn creation_by_table(opening: Opening<'_>, parent: &Step, label: &str) -> Option<Finding> {
    let makes = column_of(type_of(label)?, 4).unwrap_or("");
    let wanted = if opening.access == Access::Listen { "socket" } else { "file" };
    let is_made = makes.split(',').any(|word| word == wanted);
    let verbs: &[&str] = if !is_made {
        &["add_name", "write"]
    } else if opening.access == Access::Memory {
        // No label may be mapped there, new ones neither.
        &["map"]
    } else {
        return None;
    };
    Some(denial(opening, parent, label, verbs))
}

/// What SELinux refuses about a step that bears a label, and what can be done.
fn denial(opening: Opening<'_>, step: &Step, label: &str, missing: &[&str]) -> Finding {
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
    remedies(opening, finding, step)
}
