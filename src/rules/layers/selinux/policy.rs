//! What the policy says: the running kernel's answer, or the table of the shipped policies.

use crate::facts::FileKind;
use crate::facts::selinux::type_of;
use crate::qemu::Access;
use crate::rules::Case;

const TABLE: &str = include_str!("../../../../assets/selinux/svirt.tsv");

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
        (Access::MemoryRead | Access::Library, _) => vec!["map", "open", "read"],
    }
}

/// What the policy says to some permissions: the ones that it denies, or `None` when it is not known.
pub(super) fn denied(
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

pub(super) fn column_of(kind: &str, column: usize) -> Option<&'static str> {
    let line = TABLE.lines().find(|line| line.split('\t').next() == Some(kind))?;
    line.split('\t').nth(column).filter(|word| *word != "-")
}

/// Whose policy the table has.
pub(super) enum Family {
    Debian,
    Fedora,
}

pub(super) fn family(case: &Case<'_>) -> Option<Family> {
    match case.host.selinux.distribution.as_str() {
        "debian" | "ubuntu" => Some(Family::Debian),
        "fedora" | "rhel" | "centos" | "rocky" | "almalinux" => Some(Family::Fedora),
        _ => None,
    }
}

/// The boolean that opens a type of file for VMs: network file systems can't be relabelled.
pub(super) fn boolean(kind: &str) -> Option<&'static str> {
    (1..=2).find_map(|column| column_of(kind, column)?.strip_prefix("if:"))
}
