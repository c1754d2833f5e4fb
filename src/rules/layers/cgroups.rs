//! The device filter of the VM's control group: by device number, wherever the node stands (`qemu_cgroup.c`).

use std::collections::BTreeSet;

use super::namespaces::let_node_in;
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::FileKind;

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
    if !case.start.device_filter {
        return Vec::new();
    }
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
        let verdict = if case.host.cgroups.devices.yes().is_some() {
            Verdict::Blocks
        } else {
            Verdict::Unknown
        };
        let conf = &case.host.conf.path;
        findings.push(
            Finding::of(
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
            ))
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
            .remedy(Remedy::setting(
                "give no VM a control group (then <cputune>, <memtune> and the like are refused)",
                conf,
                "cgroup_controllers = []",
            )),
        );
    }
    findings
}
