//! What is there, before anybody asks who may open it.

use super::dac::served::is_shut_out;
use super::namespaces::{missing, populated};
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::EntryKind;
use crate::facts::{Ending, FileKind, Step, Walk};
use crate::qemu::{Access, Declared, Resource, Use, size};

pub(crate) static PATH_UNKNOWN: Rule = Rule {
    id: "path-unknown",
    layer: Layer::Host,
    summary: "the host would not say what stands at a path",
    explain: include_str!("../../../assets/rules/path-unknown.md"),
    check: |case| {
        let present = populated(case);
        let paths =
            case.line.uses.iter().filter_map(|usage| Some((usage, usage.resource.path()?.0)));
        paths
            .filter_map(|(usage, path)| {
                let why = match case.host.walk(path) {
                    Err(why) => why,
                    Ok(walk) => match &walk.ending {
                        Ending::OfAProcess(_) if missing(case, &present, walk).is_some() => {
                            return None;
                        }
                        Ending::OfAProcess(of) => of_a_process(of),
                        Ending::Private(_) if is_shut_out(case, walk) => return None,
                        Ending::Private(_) => "only who mounted the file system may look into it",
                        Ending::Present
                        | Ending::Missing(_)
                        | Ending::NotADirectory(_)
                        | Ending::Unserved(_)
                        | Ending::Loop => return None,
                    },
                };
                Some(Finding::of(
                    usage,
                    Verdict::Unknown,
                    format!("whether QEMU may open {path} is not known: {why}"),
                ))
            })
            .collect()
    },
};

pub(crate) static PATH_MISSING: Rule = Rule {
    id: "path-missing",
    layer: Layer::Host,
    summary: "a path is not there",
    explain: include_str!("../../../assets/rules/path-missing.md"),
    check: path_missing,
};

fn path_missing(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (usage, path, access, walk) in case.walks() {
        let message = match &walk.ending {
            Ending::Present | Ending::OfAProcess(_) | Ending::Private(_) => continue,
            Ending::Missing(missing) if access == Access::Memory && of_a_driver(case, walk) => {
                // Only root may make a file there; it then stands where the node should be.
                let root = case.identity().is_ok_and(|who| who.uid == 0);
                let verdict = if root { Verdict::Warns } else { Verdict::Blocks };
                findings.push(
                    Finding::of(usage, verdict, format!("{missing} is not there: its driver has to be loaded before the VM starts"))
                        .because("QEMU would make a plain file of that name; as root it does, and the driver's node can't be made later")
                        .because("QEMU says 'can't open backing store … Permission denied'")
                        .remedy(load_driver(case, usage, missing)),
                );
                continue;
            }
            Ending::Missing(_) if access.creates() && walk.creatable() => continue,
            Ending::Missing(_)
                if access == Access::Connect && listens_itself(case, usage, path) =>
            {
                continue;
            }
            Ending::Missing(_) if access.reads() && is_made_before(case, usage, path) => continue,
            Ending::Missing(_) if access == Access::Connect => format!("nothing listens at {path}"),
            Ending::Missing(missing) if missing == path => format!("{path} is not there"),
            Ending::Missing(missing) => format!("{path} leads to {missing}, which is not there"),
            Ending::NotADirectory(step) => {
                format!("{path} goes through {step}, which is not a directory")
            }
            Ending::Loop => format!("{path} is a link that leads back to itself"),
            Ending::Unserved(_) => format!("{path} lies on a FUSE mount whose program has ended"),
        };
        let errno = match walk.ending {
            Ending::Missing(_) | Ending::Present | Ending::OfAProcess(_) | Ending::Private(_) => {
                "No such file or directory"
            }
            Ending::Unserved(_) => "Transport endpoint is not connected",
            Ending::NotADirectory(_) => "Not a directory",
            Ending::Loop => "Too many levels of symbolic links",
        };
        let parent = walk.steps.iter().rev().find(|step| step.kind == FileKind::Directory);
        let unserved = matches!(walk.ending, Ending::Unserved(_));
        let mut finding =
            Finding::of(usage, Verdict::Blocks, message).because(format!("QEMU says '{errno}'"));
        if let Some(parent) = parent {
            finding = finding.because(format!("{} is the last directory on the way", parent.path));
            if unserved {
                finding = finding.remedy(Remedy::command(
                    Scope::Grant,
                    "take the dead mount away, then mount it again",
                    &["umount", "-l", &parent.path],
                ));
            }
        }
        findings.push(finding);
    }
    findings
}

/// Whether another option makes the file first: character devices and the file of the process's number come before everything
/// that reads one (`qemu_create_early_backends`, `qemu_maybe_daemonize`).
fn is_made_before(case: &Case<'_>, usage: &Use, path: &str) -> bool {
    let makes = |other: &&Use| {
        let made = [Some((path, Access::Create)), Some((path, Access::Memory))];
        other.entry != usage.entry && made.contains(&other.resource.path())
    };
    let mut makers = case.line.uses.iter().filter(makes);
    let early = ["chardev", "serial", "parallel", "monitor", "qmp", "pidfile", "D", "object"];
    makers.any(|other| {
        case.line.option_at(other.entry).is_some_and(|option| early.contains(&option.name()))
    })
}

/// Whether an argument before this one makes QEMU listen there.
fn listens_itself(case: &Case<'_>, usage: &Use, path: &str) -> bool {
    let native = &case.document.facts().servers;
    native.iter().any(|server| server == path)
        || case.line.uses.iter().any(|other| {
            let is_before = (other.entry.list as usize, other.entry.index)
                < (usage.entry.list as usize, usage.entry.index);
            is_before && other.resource.path() == Some((path, Access::Listen))
        })
}

/// How the node of a shared memory comes to be: kvmfr makes one as large as it is told.
fn load_driver(case: &Case<'_>, usage: &Use, path: &str) -> Remedy {
    let option = case.line.option_at(usage.entry);
    let bytes = option.and_then(|option| size(option.pairs.get("size")?, 0));
    match bytes.filter(|_| path == "/dev/kvmfr0") {
        Some(bytes) => Remedy::command(
            Scope::Rewrite,
            "load Looking Glass's driver with a device of that size, until the next boot",
            &["modprobe", "kvmfr", &format!("static_size_mb={}", bytes.div_ceil(1 << 20))],
        ),
        None => Remedy::none(Scope::Rewrite, "load the driver that makes it first"),
    }
}

/// `file` opens regular files and `host_device` nodes, neither the other (`raw_open_common`, block/file-posix.c).
fn node_driver(case: &Case<'_>, declared: &Declared) -> Option<Finding> {
    let path = declared.path.as_deref()?;
    let target = case.host.walk(path).ok()?.target()?;
    let is_node = matches!(target.kind, FileKind::Block(..) | FileKind::Char(..));
    let (wanted, expected) = match (declared.driver.as_str(), is_node) {
        ("file", true) => ("host_device", "a regular file"),
        ("host_device", false) => ("file", "a block or character device"),
        _ => return None,
    };
    let driver = &declared.driver;
    let message = format!("the driver '{driver}' opens {expected} only, and {path} is none");
    let finding = Finding::at(declared.entry, Verdict::Blocks, message)
        .because(format!("QEMU says ''{driver}' driver requires '{path}' to be {expected}'"));
    let text = case.document.arg(declared.entry.index);
    let said = format!("driver={driver}");
    let title = format!("say driver={wanted}");
    // In its short form the driver comes first, without its key.
    let changed = match text.strip_prefix(&format!("{driver},")) {
        Some(rest) => Some(format!("{wanted},{rest}")),
        None if text.matches(&said).count() == 1 => {
            Some(text.replacen(&said, &format!("driver={wanted}"), 1))
        }
        None => None,
    };
    let edits =
        changed.and_then(|text| case.document.replace(declared.entry, &EntryKind::arg(text)).ok());
    Some(finding.remedy(match edits {
        Some(edits) => Remedy::edit(Scope::Rewrite, title, edits),
        None => Remedy::none(Scope::Rewrite, title),
    }))
}

/// Why nobody can say what a path of a process leads to.
fn of_a_process(path: &str) -> &'static str {
    if path.starts_with("/proc/self") || path.starts_with("/proc/thread-self") {
        "it is QEMU's own, and QEMU does not run yet"
    } else {
        "it is of a process, which nobody but itself may have to be there then"
    }
}

/// Whether an image is a file of /proc, whose end can't be sought: "Could not refresh total sector count: Invalid argument".
fn is_without_size(case: &Case<'_>, usage: &Use, target: &Step) -> bool {
    let is_image = matches!(
        usage.resource,
        Resource::Path { chain: true, .. } | Resource::Path { locks: true, .. }
    );
    is_image && case.host.mount_of(&target.path).is_some_and(|mount| mount.fstype == "proc")
}

/// Whether a path stands in `/dev` itself, where drivers make the nodes, and not on a mount below it.
pub(super) fn of_a_driver(case: &Case<'_>, walk: &Walk) -> bool {
    let path = walk.resolved();
    let mount = case.host.mount_of(path).map_or("", |mount| mount.point.as_str());
    path.starts_with("/dev/") && !mount.starts_with("/dev/") && !path.starts_with("/dev/shm/")
}

pub(crate) static PATH_KIND: Rule = Rule {
    id: "path-kind",
    layer: Layer::Host,
    summary: "something else stands at a path than QEMU expects",
    explain: include_str!("../../../assets/rules/path-kind.md"),
    check: path_kind,
};

fn path_kind(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (usage, path, access, walk) in case.walks() {
        let Some(target) = walk.target() else { continue };
        let problem = match (access, &target.kind) {
            (Access::Directory, FileKind::Directory) => continue,
            (Access::Directory, _) => format!("{path} is not a directory, expected one"),
            (Access::Connect, FileKind::Socket) => continue,
            (Access::Connect, _) => {
                format!("{path} is not a socket, expected one that a server listens on")
            }
            // A directory makes QEMU put a file of its own into it.
            (Access::Memory, FileKind::Directory) => continue,
            (Access::Memory, FileKind::File) if of_a_driver(case, walk) => {
                findings.push(
                    Finding::of(usage, Verdict::Warns, format!("{path} is a plain file among the device nodes"))
                        .because("QEMU made it before the driver was loaded; the guest's memory goes there, and not to the device")
                        .remedy(Remedy::command(Scope::Grant, "remove it, then load the driver", &["rm", &target.path])),
                );
                continue;
            }
            // It is opened as it is, and read when the guest asks.
            (Access::Read, FileKind::Directory) if usage.what == "the source of random numbers" => {
                continue;
            }
            (_, FileKind::Directory) => format!("{path} is a directory, expected a file"),
            (_, FileKind::Fifo)
                if matches!(
                    usage.resource,
                    Resource::Path { chain: true, .. } | Resource::Path { locks: true, .. }
                ) =>
            {
                format!("{path} is a FIFO, expected an image")
            }
            (_, FileKind::File) if is_without_size(case, usage, target) => {
                format!("{path} is a file of the kernel's, which has no size, expected an image")
            }
            (Access::Listen, FileKind::Socket) => continue,
            (_, FileKind::Socket) => format!("{path} is a socket, expected a file"),
            _ => continue,
        };
        findings
            .push(Finding::of(usage, Verdict::Blocks, problem).because(case.host.describe(target)));
    }
    findings.extend(case.line.formats.iter().filter_map(|declared| node_driver(case, declared)));
    findings
}

pub(crate) static MEMORY_SIZE: Rule = Rule {
    id: "memory-size",
    layer: Layer::Host,
    summary: "a file for the guest's memory is there and smaller than size=",
    explain: include_str!("../../../assets/rules/memory-size.md"),
    check: |case| {
        let mut findings = Vec::new();
        for (usage, path, access, walk) in case.walks() {
            let Some(target) =
                walk.target().filter(|target| access.maps() && target.kind == FileKind::File)
            else {
                continue;
            };
            let memory = case.line.option_at(usage.entry);
            let Some(wanted) = memory.and_then(|memory| size(memory.pairs.get("size")?, 0)) else {
                continue;
            };
            if target.size == 0 || target.size >= wanted {
                continue;
            }
            findings.push(
                Finding::of(
                    usage,
                    Verdict::Blocks,
                    format!("{path} has {} bytes, and the memory {wanted}", target.size),
                )
                .because("QEMU says 'backing store size … does not match 'size' option'")
                .remedy(Remedy::command(
                    Scope::Grant,
                    "make the file as large as the memory",
                    &["truncate", "-s", &wanted.to_string(), &target.path],
                )),
            );
        }
        findings
    },
};

pub(crate) static READ_ONLY_MOUNT: Rule = Rule {
    id: "read-only-mount",
    layer: Layer::Host,
    summary: "a file must be written and its mount is read-only",
    explain: include_str!("../../../assets/rules/read-only-mount.md"),
    check: |case| {
        let mut findings = Vec::new();
        for (usage, _, access, walk) in case.walks() {
            let device = walk.target().is_some_and(|t| {
                matches!(
                    t.kind,
                    FileKind::Char(..) | FileKind::Block(..) | FileKind::Socket | FileKind::Fifo
                )
            });
            let writes = (access.writes() || access == Access::Listen) && !device;
            let Some(mount) =
                case.host.mount_of(walk.resolved()).filter(|mount| writes && mount.has("ro"))
            else {
                continue;
            };
            findings.push(
                Finding::of(
                    usage,
                    Verdict::Blocks,
                    format!("{} must be written and lies on a read-only mount", walk.resolved()),
                )
                .because(format!(
                    "{} ({}) is mounted ro; QEMU says 'Read-only file system'",
                    mount.point, mount.fstype
                ))
                .remedy(Remedy::command(
                    Scope::Grant,
                    "mount it for writing",
                    &["mount", "-o", "remount,rw", &mount.point],
                )),
            );
        }
        findings
    },
};

pub(crate) static IMMUTABLE: Rule = Rule {
    id: "immutable-file",
    layer: Layer::Host,
    summary: "a file must be written that nobody may change",
    explain: include_str!("../../../assets/rules/immutable-file.md"),
    check: |case| {
        let mut findings = Vec::new();
        for (usage, _, access, walk) in case.walks() {
            let makes = walk.target().is_none() && access.creates() || access == Access::Listen;
            let step = if makes {
                walk.parent()
            } else if access.writes() {
                walk.target()
            } else {
                None
            };
            let Some(step) = step.filter(|step| step.kind != FileKind::Socket) else { continue };
            let (flag, what) =
                match (step.immutable, step.append_only && !makes && !appends(case, usage)) {
                    (true, _) => ("i", "nobody may change it, root neither"),
                    (false, true) => ("a", "it may be appended to only"),
                    (false, false) => continue,
                };
            findings.push(
                Finding::of(
                    usage,
                    Verdict::Blocks,
                    format!("{} must be written, and {what}", step.path),
                )
                .because(format!(
                    "it has the attribute {flag} (lsattr {}); QEMU says 'Operation not permitted'",
                    step.path
                ))
                .remedy(Remedy::command(
                    Scope::Grant,
                    "take the attribute away",
                    &["chattr", &format!("-{flag}"), &step.path],
                )),
            );
        }
        findings
    },
};

/// Whether an output is opened for appending (`append=on`, `logappend=on` of a chardev): otherwise it is emptied, or written at
/// its start.
fn appends(case: &Case<'_>, usage: &Use) -> bool {
    let Some(option) = case.line.option_at(usage.entry) else { return false };
    let named = option.pairs.pairs.iter().find(|pair| pair.value_span == usage.at);
    let key = match named.map(|pair| pair.key.as_str()) {
        Some("logfile") => "logappend",
        _ => "append",
    };
    option.pairs.on(key) == Some(true)
}

pub(crate) static NODEV_MOUNT: Rule = Rule {
    id: "nodev-mount",
    layer: Layer::Host,
    summary: "a device node stands on a mount where none may be opened",
    explain: include_str!("../../../assets/rules/nodev-mount.md"),
    check: |case| {
        let mut findings = Vec::new();
        for (usage, _, _, walk) in case.walks() {
            let Some(target) = walk
                .target()
                .filter(|t| matches!(t.kind, FileKind::Char(..) | FileKind::Block(..)))
            else {
                continue;
            };
            // The private /dev is mounted by libvirt, without nodev.
            let made_anew =
                case.start.private_dev && super::namespaces::below_dev(case, walk).is_some();
            let Some(mount) =
                case.host.mount_of(&target.path).filter(|mount| !made_anew && mount.has("nodev"))
            else {
                continue;
            };
            findings.push(
                Finding::of(
                    usage,
                    Verdict::Blocks,
                    format!("no device may be opened on the mount of {}", target.path),
                )
                .because(format!(
                    "{} ({}) is mounted nodev; QEMU says 'Permission denied'",
                    mount.point, mount.fstype
                ))
                .remedy(Remedy::command(
                    Scope::Grant,
                    "let devices be opened there",
                    &["mount", "-o", "remount,dev", &mount.point],
                )),
            );
        }
        findings
    },
};
