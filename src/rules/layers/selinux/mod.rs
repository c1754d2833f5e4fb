//! SELinux: the process's label against the labels of what it opens.
//!
//! The running kernel's policy was asked where that was possible; otherwise a table of the shipped policies answers, and
//! what neither knows is unknown.

pub(crate) mod process;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::selinux::{Mode, class_of, type_of};
use crate::facts::{FileKind, Known, Step, Walk};
use crate::libvirt::Confinement;
use crate::qemu::{Access, Use};

const TABLE: &str = include_str!("../../../../assets/selinux/svirt.tsv");

/// The process's label.
fn label(case: &Case<'_>) -> Option<(String, bool)> {
    match &case.start.selinux {
        Confinement::None => None,
        Confinement::Label { label, dynamic } => Some((label.clone(), *dynamic)),
        Confinement::Daemon(label) => Some((label.clone(), false)),
    }
}

/// The permissions that opening needs (selinux's `open_file_to_av`, `file_map_prot_check`).
fn permissions(access: Access, kind: &FileKind) -> Vec<&'static str> {
    match (access, kind) {
        (Access::Directory, _) => vec!["open", "read"],
        (Access::Memory, FileKind::Directory) => vec!["add_name", "search", "write"],
        (Access::Connect, _) => vec!["write"],
        (Access::Listen, _) => vec!["unlink"],
        (Access::Read, _) => vec!["open", "read"],
        (Access::ReadWriteOrRead, _) => vec!["open", "read"],
        (Access::ReadWrite, _) => vec!["open", "read", "write"],
        (Access::Create, _) => vec!["open", "write"],
        (Access::Memory, _) => vec!["map", "open", "read", "write"],
        (Access::MemoryRead | Access::Library, _) => vec!["map", "open", "read"],
    }
}

/// What the policy says to some permissions: the ones that it denies, or `None` when it is not known.
fn denied(
    case: &Case<'_>,
    source: &str,
    target: &str,
    class: &str,
    wanted: &[&'static str],
) -> Option<Vec<&'static str>> {
    if let Some(allowed) = case.host.selinux.allowed(source, target, class) {
        return Some(
            wanted
                .iter()
                .copied()
                .filter(|wanted| !allowed.iter().any(|allowed| allowed == wanted))
                .collect(),
        );
    }
    let word = shipped(case, source, type_of(target)?)?;
    let word = match word.strip_prefix("if:") {
        Some(boolean) if *case.host.selinux.booleans.get(boolean)? => "write",
        Some(_) => "none",
        None => word,
    };
    let given: &[&str] = match word {
        "none" => &[],
        "read" => &["open", "read", "search"],
        "read-map" => &["open", "read", "search", "map"],
        "write" => &["open", "read", "search", "write", "add_name", "unlink", "create"],
        "write-map" => &["open", "read", "search", "write", "add_name", "unlink", "create", "map"],
        _ => return None,
    };
    Some(wanted.iter().copied().filter(|wanted| !given.contains(wanted)).collect())
}

/// The word of the table for a process and a type of file.
fn shipped(case: &Case<'_>, source: &str, kind: &str) -> Option<&'static str> {
    let confined = ["svirt_t", "svirt_tcg_t"].contains(&type_of(source)?);
    let column = match (family(case)?, confined) {
        (Family::Debian, true) => 1,
        (Family::Fedora, true) => 2,
        (Family::Debian, false) if type_of(source)? == "virtd_t" => 3,
        (Family::Fedora, false) if ["virtd_t", "virtqemud_t"].contains(&type_of(source)?) => {
            return Some("write-map");
        }
        (Family::Debian | Family::Fedora, false) => return None,
    };
    column_of(kind, column)
}

fn column_of(kind: &str, column: usize) -> Option<&'static str> {
    let line = TABLE.lines().find(|line| line.split('\t').next() == Some(kind))?;
    line.split('\t').nth(column).filter(|word| *word != "-")
}

/// Whose policy the table has.
enum Family {
    Debian,
    Fedora,
}

fn family(case: &Case<'_>) -> Option<Family> {
    match case.host.selinux.distribution.as_str() {
        "debian" | "ubuntu" => Some(Family::Debian),
        "fedora" | "rhel" | "centos" | "rocky" | "almalinux" => Some(Family::Fedora),
        _ => None,
    }
}

/// The label of a step as QEMU will find it: libvirt labels what native elements name.
fn label_of(case: &Case<'_>, path: &str, step: &Step, process: &str) -> Option<String> {
    let native = case
        .document
        .facts()
        .brings(path)
        .filter(|native| native.relabelled && case.start.selinux_driver);
    match native {
        Some(native) if native.readonly => Some("system_u:object_r:virt_content_t:s0".to_owned()),
        Some(_) => Some(format!("system_u:object_r:svirt_image_t:{}", range(process))),
        None => step.label.clone(),
    }
}

/// The sensitivity and categories of a label.
fn range(label: &str) -> &str {
    label.splitn(4, ':').nth(3).unwrap_or("s0")
}

pub(crate) static SELINUX_DENIED: Rule = Rule {
    id: "selinux-denied",
    layer: Layer::Selinux,
    summary: "SELinux's policy does not let QEMU's domain open the label",
    explain: include_str!("../../../../assets/rules/selinux-denied.md"),
    check: |case| {
        let Some((process, dynamic)) = label(case) else { return Vec::new() };
        let mut findings = Vec::new();
        for (usage, path, access, walk) in case.walks() {
            let found = judge(case, usage, path, access, walk, &process, dynamic);
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

fn judge(
    case: &Case<'_>,
    usage: &Use,
    path: &str,
    access: Access,
    walk: &Walk,
    process: &str,
    dynamic: bool,
) -> Option<Finding> {
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
            return Some(denial(case, usage, step, label, process, dynamic, wanted, access));
        }
    }
    let step = match (target, access) {
        (Some(target), _) => target,
        (None, Access::Create | Access::Memory | Access::Listen) if walk.creatable() => {
            return creation(case, usage, walk.parent()?, process, dynamic, access);
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
            (access == Access::Connect).then(|| connection(case, usage, step, process, dynamic)).flatten()
        }
        Some(missing) => Some(denial(case, usage, step, &label, process, dynamic, &missing, access)),
    }
}

/// Connecting needs 'connectto' on the process that listens as well.
fn connection(
    case: &Case<'_>,
    usage: &Use,
    step: &Step,
    process: &str,
    dynamic: bool,
) -> Option<Finding> {
    let selinux = &case.host.selinux;
    let server = selinux.servers.get(&step.path);
    match server.and_then(|server| selinux.allowed(process, server, "unix_stream_socket")) {
        Some(allowed) if allowed.iter().any(|allowed| allowed == "connectto") => None,
        Some(_) => {
            let server = server.map_or("", String::as_str);
            let mut finding = denial(case, usage, step, server, process, dynamic, &["connectto"], Access::Connect);
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

fn creation(
    case: &Case<'_>,
    usage: &Use,
    parent: &Step,
    process: &str,
    dynamic: bool,
    access: Access,
) -> Option<Finding> {
    let label = parent.label.as_ref()?;
    let asked = case.host.selinux.allowed(process, label, "dir").is_some();
    if !asked && matches!(family(case), Some(Family::Debian)) && type_of(process) == Some("svirt_t")
    {
        // Type transitions decide what a new file becomes; the table has what was measured.
        let makes = column_of(type_of(label)?, 4).unwrap_or("");
        let wanted = if access == Access::Listen { "socket" } else { "file" };
        let verbs: &[&str] = match (makes.split(',').any(|word| word == wanted), access) {
            // No label may be mapped there, new ones neither.
            (true, Access::Memory) => &["map"],
            (true, _) => return None,
            (false, _) => &["add_name", "write"],
        };
        return Some(denial(case, usage, parent, label, process, dynamic, verbs, access));
    }
    let missing = denied(case, process, label, "dir", &["add_name", "search", "write"]);
    let class = if access == Access::Listen { "sock_file" } else { "file" };
    let new = case
        .host
        .selinux
        .decisions
        .get(&format!("{process} {label} new-{class}"))
        .and_then(|found| found.first());
    match missing {
        Some(missing) if !missing.is_empty() => {
            Some(denial(case, usage, parent, label, process, dynamic, &missing, access))
        }
        Some(_) => {
            let wanted: &[&'static str] = if access == Access::Memory {
                &["create", "map", "open", "write"]
            } else if class == "file" {
                &["create", "open", "write"]
            } else {
                &["create"]
            };
            let missing = denied(case, process, new?, class, wanted)?;
            (!missing.is_empty()).then(|| {
                denial(
                    case,
                    usage,
                    parent,
                    new.unwrap_or(label),
                    process,
                    dynamic,
                    &missing,
                    access,
                )
            })
        }
        None => Some(
            Finding::of(
                usage,
                Verdict::Unknown,
                format!("whether SELinux lets QEMU make a file in {} is not known", parent.path),
            )
            .because(format!("{} has the label {label}, QEMU runs as {process}", parent.path)),
        ),
    }
}

#[expect(clippy::too_many_arguments, reason = "the sentence names all of them")]
fn denial(
    case: &Case<'_>,
    usage: &Use,
    step: &Step,
    label: &str,
    process: &str,
    dynamic: bool,
    missing: &[&str],
    access: Access,
) -> Finding {
    let permissive = case.host.selinux.mode == Known::Yes(Mode::Permissive);
    let verdict = if permissive { Verdict::Note } else { Verdict::Blocks };
    let would =
        if permissive { "would not let (it is permissive, and only logs)" } else { "does not let" };
    let verbs = missing.join(" ");
    let shown =
        if dynamic { process.rsplit_once(':').map_or(process, |(base, _)| base) } else { process };
    let finding =
        Finding::of(usage, verdict, format!("SELinux {would} QEMU {verbs} {}", step.path))
            .because(format!("{} has the label {label}", step.path))
            .because(format!(
                "QEMU runs as {shown}{}",
                if dynamic { " with categories drawn at each start" } else { "" }
            ))
            .because(
                "QEMU says 'Permission denied'; the audit log may have an AVC with the same words",
            );
    remedies(case, finding, step, access, process, dynamic)
}

/// Whether the daemon's own label, with which an unconfined VM runs, is known to be denied what is asked of a step.
fn daemon_denied(case: &Case<'_>, step: &Step, access: Access) -> bool {
    let selinux = &case.host.selinux;
    let (Some(daemon), Some(label)) = (&selinux.daemon, &step.label) else { return false };
    let makes_something = step.kind == FileKind::Directory && access != Access::Directory;
    let wanted: Vec<&'static str> =
        if makes_something { vec!["add_name", "write"] } else { permissions(access, &step.kind) };
    denied(case, daemon, label, class_of(&step.kind), &wanted)
        .is_some_and(|missing| !missing.is_empty())
}

/// The boolean that opens a type of file for VMs: network file systems can't be relabelled.
fn boolean(kind: &str) -> Option<&'static str> {
    (1..=2).find_map(|column| column_of(kind, column)?.strip_prefix("if:"))
}

fn remedies(
    case: &Case<'_>,
    finding: Finding,
    step: &Step,
    access: Access,
    process: &str,
    dynamic: bool,
) -> Finding {
    let path = step.path.as_str();
    let boolean = step.label.as_deref().and_then(type_of).and_then(boolean);
    let reading = !access.writes() && !access.creates() && access != Access::ReadWriteOrRead;
    // What the daemon's own label is denied no label of the VM can lift.
    let confined = !matches!(case.start.selinux, Confinement::Daemon(_));
    let mut finding = finding;
    if let Some(boolean) = boolean {
        finding = finding.remedy(Remedy::command(
            Scope::DisableHost,
            "let every VM use files of this kind (they cannot be labelled one by one)",
            &["setsebool", "-P", boolean, "on"],
        ));
    } else if reading {
        finding = finding
            .remedy(Remedy::command(
                Scope::Grant,
                "label it for reading by every VM",
                &["chcon", "-t", "virt_content_t", path],
            ))
            .remedy(Remedy::command(
                Scope::Grant,
                "the same, so that it outlives a relabelling",
                &[
                    "semanage",
                    "fcontext",
                    "-a",
                    "-t",
                    "virt_content_t",
                    path,
                    "&&",
                    "restorecon",
                    "-v",
                    path,
                ],
            ));
    } else {
        finding = finding
            .remedy(Remedy::command(
                Scope::Grant,
                "label it for writing by every VM",
                &["chcon", "system_u:object_r:svirt_image_t:s0", path],
            ))
            .remedy(Remedy::command(
                Scope::Grant,
                "the same, so that it outlives a relabelling",
                &[
                    "semanage",
                    "fcontext",
                    "-a",
                    "-t",
                    "svirt_image_t",
                    "-r",
                    "s0",
                    path,
                    "&&",
                    "restorecon",
                    "-v",
                    path,
                ],
            ));
        if dynamic {
            let base = process.rsplit_once(':').map_or(process, |(base, _)| base);
            let label = format!(
                "<seclabel type='static' model='selinux' relabel='yes'><label>{base}:c392,c662</label></seclabel>"
            );
            if let Ok(edits) = case.document.set_seclabel("selinux", &label) {
                let title = "for this VM alone: fix its categories (here c392,c662), then label the file with them";
                finding = finding.remedy(Remedy::edit(Scope::Grant, title, edits).then(&[
                    "chcon",
                    "system_u:object_r:svirt_image_t:s0:c392,c662",
                    path,
                ]));
            }
        } else if confined {
            let exclusive = format!("system_u:object_r:svirt_image_t:{}", range(process));
            finding = finding.remedy(Remedy::command(
                Scope::Grant,
                "label it for this VM alone",
                &["chcon", &exclusive, path],
            ));
        }
    }
    if !confined {
        return finding
            .remedy(Remedy::none(Scope::DisableVm, "there is none: QEMU already runs as libvirt's daemon does"))
            .remedy(Remedy::none(
                Scope::DisableHost,
                "there is none in libvirt; 'setenforce 0' would switch SELinux off for all of the host",
            ));
    }
    if daemon_denied(case, step, access) {
        let why = "there is none: an unconfined VM runs as libvirt's daemon, which SELinux denies this too";
        return finding
            .remedy(Remedy::none(Scope::DisableVm, why))
            .remedy(Remedy::none(Scope::DisableHost, why));
    }
    let off = "<seclabel type='none' model='selinux'/>";
    finding = match case.document.set_seclabel("selinux", off) {
        Ok(edits) => finding.remedy(Remedy::edit(
            Scope::DisableVm,
            "run this VM as little confined as libvirt's daemon (which may still be denied)",
            edits,
        )),
        Err(error) => finding.remedy(Remedy::none(Scope::DisableVm, error.to_string())),
    };
    if case.document.facts().seclabel("selinux", true).is_some() {
        let why = "there is none: the domain says itself how SELinux is to confine it";
        return finding.remedy(Remedy::none(Scope::DisableHost, why));
    }
    finding.remedy(Remedy::setting(
        "confine only VMs that ask for it",
        &case.host.conf.path,
        "security_default_confined = 0",
    ))
}

pub(crate) static SELINUX_CATEGORIES: Rule = Rule {
    id: "selinux-categories",
    layer: Layer::Selinux,
    summary: "the file carries categories that the VM lacks",
    explain: include_str!("../../../../assets/rules/selinux-categories.md"),
    check: |case| {
        let Some((process, dynamic)) = label(case) else { return Vec::new() };
        if !["svirt_t", "svirt_tcg_t"].contains(&type_of(&process).unwrap_or_default()) {
            return Vec::new(); // only these are constrained
        }
        let mut findings = Vec::new();
        for (usage, path, access, walk) in case.walks() {
            let Some(step) = walk.target() else { continue };
            let Some(label) = label_of(case, path, step, &process) else { continue };
            if case.host.selinux.allowed(&process, &label, class_of(&step.kind)).is_some()
                || dominates(range(&process), range(&label))
            {
                continue; // the kernel's answer counted them already
            }
            let permissive = case.host.selinux.mode == Known::Yes(Mode::Permissive);
            let finding = Finding::of(
                usage,
                if permissive { Verdict::Note } else { Verdict::Blocks },
                format!("{} belongs to another VM's SELinux categories", step.path),
            )
            .because(format!("{} has the label {label}", step.path))
            .because(if dynamic {
                "QEMU runs with categories drawn at each start".to_owned()
            } else {
                format!("QEMU runs as {process}")
            })
            .because("QEMU says 'Permission denied'; the AVC does not mention the categories");
            findings.push(remedies(case, finding, step, access, &process, dynamic));
        }
        findings
    },
};

/// Whether a process's range holds every category of a file.
fn dominates(process: &str, file: &str) -> bool {
    let high = process.rsplit_once('-').map_or(process, |(_, high)| high);
    let held = categories(high);
    categories(file).iter().all(|category| held.contains(category))
}

fn categories(range: &str) -> Vec<u32> {
    let Some((_, list)) = range.split_once(':') else { return Vec::new() };
    let number = |text: &str| text.trim_start_matches('c').parse::<u32>().ok();
    list.split(',')
        .flat_map(|part| match part.split_once('.') {
            Some((low, high)) => {
                (number(low).unwrap_or(1)..=number(high).unwrap_or(0)).collect::<Vec<_>>()
            }
            None => number(part).into_iter().collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_of_the_file_must_be_the_processs() {
        for (process, file, expected) in [
            ("s0:c1,c2", "s0", true),
            ("s0:c1,c2", "s0:c1", true),
            ("s0:c1,c2", "s0:c1,c2", true),
            ("s0:c1,c2", "s0:c1,c3", false),
            ("s0", "s0:c1,c2", false),
            ("s0-s0:c0.c1023", "s0:c1,c900", true),
        ] {
            assert_eq!(dominates(process, file), expected, "{process} {file}");
        }
    }
}
