//! The device filter of the VM's control group: by device number, wherever the node stands (`qemu_cgroup.c`).

use std::collections::BTreeSet;

use super::namespaces::let_node_in;
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::FileKind;
use crate::libvirt::cgroups::{Group, LISTS, group_of};
use crate::words::qemu_conf;

/// Pseudo terminals are always allowed (`DEVICE_PTY_MAJOR`).
const PTY_MAJOR: u32 = 136;
/// Sound cards, when the domain has a sound device that may reach the host's.
const SOUND_MAJOR: u32 = 116;

/// The device numbers that the filter lets through.
fn allowed(case: &Case<'_>) -> BTreeSet<(bool, u32, u32)> {
    case.start
        .granted_devices
        .iter()
        .filter_map(|path| match case.host.walk(path).ok()?.target()?.kind {
            FileKind::Char(major, minor) => Some((false, major, minor)),
            FileKind::Block(major, minor) => Some((true, major, minor)),
            FileKind::File
            | FileKind::Directory
            | FileKind::Link(_)
            | FileKind::Fifo
            | FileKind::Socket => None,
        })
        .collect()
}

pub(crate) static CGROUP_DEVICE: Rule = Rule {
    id: "cgroup-device",
    layer: Layer::Cgroups,
    summary: "the VM's control group does not allow the device",
    explain: include_str!("../../../assets/rules/cgroup-device.md"),
    check: denied,
};

fn denied(case: &Case<'_>) -> Vec<Finding> {
    let unknown = match &case.start.group {
        Group::Open | Group::Fails(_) => return Vec::new(),
        Group::Filters => None,
        Group::Unknown(why) => Some(why),
    };
    let allowed = allowed(case);
    let facts = case.document.facts();
    let mut findings = Vec::new();
    for (usage, path, _, walk) in case.walks() {
        let Some(target) = walk.target() else { continue };
        let (block, major, minor) = match target.kind {
            FileKind::Char(major, minor) => (false, major, minor),
            FileKind::Block(major, minor) => (true, major, minor),
            FileKind::File
            | FileKind::Directory
            | FileKind::Link(_)
            | FileKind::Fifo
            | FileKind::Socket => continue,
        };
        let sound = major == SOUND_MAJOR
            && facts.sound
            && !facts.graphics
            && case.host.conf.int("nographics_allow_host_audio") == Some(1);
        if allowed.contains(&(block, major, minor)) || (!block && (major == PTY_MAJOR || sound)) {
            continue;
        }
        let kind = if block { "block" } else { "character" };
        let verdict = if unknown.is_some() { Verdict::Unknown } else { Verdict::Blocks };
        let finding = Finding::of(
            usage,
            verdict,
            format!(
                "the VM's control group does not allow {} ({kind} device {major}:{minor})",
                target.path
            ),
        )
        .because(format!(
            "allowed are {} and what native elements name; QEMU says 'Operation not permitted'",
            case.start.listed_devices.join(" ")
        ));
        let finding = match unknown {
            Some(why) => finding.because(why.clone()),
            None => finding,
        };
        findings.push(
            finding
                .remedy(Remedy::none(
                    Scope::Grant,
                    "there is none for an argument; a native element is allowed its device",
                ))
                .remedy(Remedy::none(
                    Scope::DisableVm,
                    "there is none: the filter is a setting of the host",
                ))
                .remedy(let_node_in(
                    case,
                    path,
                    "allow the device for every VM, and put it into the private /dev too",
                ))
                .remedy(without_filter(case)),
        );
    }
    findings
}

/// The list of controllers that leaves the VMs of this host without a filter, and still lets them start.
fn without_filter(case: &Case<'_>) -> Remedy {
    let opens = |list: &&&[&str]| group_of(&case.host.cgroups, Some(list)) == Group::Open;
    let list = LISTS.iter().find(opens).copied();
    let Some((list, line)) =
        list.and_then(|list| Some((list, qemu_conf::list(list.iter().copied())?)))
    else {
        return Remedy::none(
            Scope::DisableHost,
            "no list of cgroup_controllers is known to end the filter on this host",
        );
    };
    let title = if list.is_empty() {
        "give no VM a control group (then <cputune>, <memtune> and the like are refused)"
    } else {
        "give no VM a group that filters devices"
    };
    Remedy::setting(title, &case.host.conf.path, format!("cgroup_controllers = {line}"))
}

pub(crate) static CGROUP_FAILS: Rule = Rule {
    id: "cgroup-fails",
    layer: Layer::Libvirt,
    summary: "libvirt can't make the control group that qemu.conf asks for, no VM starts",
    explain: include_str!("../../../assets/rules/cgroup-fails.md"),
    check: |case| {
        let Group::Fails(said) = &case.start.group else { return Vec::new() };
        let conf = &case.host.conf.path;
        let message =
            format!("{conf}: cgroup_controllers leaves out what this host's control groups need");
        vec![
            Finding::general(Verdict::Blocks, message)
                .because(format!("libvirt says '{said}', for every VM"))
                .remedy(Remedy::setting(
                    "use every controller, as libvirt does by itself",
                    conf,
                    ALL,
                )),
        ]
    },
};

/// What the qemu.conf that libvirt ships shows as its own choice.
const ALL: &str =
    "cgroup_controllers = [ \"cpu\", \"devices\", \"memory\", \"blkio\", \"cpuset\", \"cpuacct\" ]";
