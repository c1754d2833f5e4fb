//! The private mount namespace: a `/dev` of its own, with few nodes in it (`qemu_namespace.c`).

use std::collections::BTreeSet;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::{Ending, FileKind, Walk};
use crate::qemu::Access;
use crate::words::qemu_conf;

/// The first path on a walk that lies in `/dev` itself, and not on a mount below it, which is kept.
pub(crate) fn below_dev<'a>(case: &Case<'_>, walk: &'a Walk) -> Option<&'a str> {
    named(case, walk).next()
}

/// The links and the target of a walk that lie in `/dev` itself.
fn named<'a>(case: &Case<'_>, walk: &'a Walk) -> impl Iterator<Item = &'a str> {
    let kept: Vec<String> = match case.host.mounts.yes() {
        Some(mounts) => mounts
            .iter()
            .filter(|mount| mount.point.starts_with("/dev/"))
            .map(|mount| mount.point.clone())
            .collect(),
        None => {
            ["/dev/shm", "/dev/pts", "/dev/mqueue", "/dev/hugepages"].map(str::to_owned).to_vec()
        }
    };
    let target = walk.target().map(|step| &step.path);
    let steps = walk
        .steps
        .iter()
        .filter(move |step| matches!(step.kind, FileKind::Link(_)) || Some(&step.path) == target);
    steps.map(|step| step.path.as_str()).filter(move |path| {
        let inside = |point: &String| {
            path.strip_prefix(point.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        path.starts_with("/dev/") && !kept.iter().any(inside)
    })
}

/// Every path that the private `/dev` will hold: the listed nodes and those of native elements, with the links that lead there.
pub(super) fn populated(case: &Case<'_>) -> BTreeSet<String> {
    let mut present = BTreeSet::new();
    for path in &case.start.granted_devices {
        if let Ok(walk) = case.host.walk(path)
            && walk.target().is_some()
        {
            present.extend(walk.steps.iter().map(|step| step.path.clone()));
        }
        present.insert(path.clone());
    }
    present
}

/// The first name on a walk that the private `/dev`, where the VM has one, does not hold.
pub(super) fn missing<'a>(
    case: &Case<'_>,
    present: &BTreeSet<String>,
    walk: &'a Walk,
) -> Option<&'a str> {
    // What the host lacks is said by the host's own rule.
    let leads_on = walk.target().is_some() || matches!(walk.ending, Ending::OfAProcess(_));
    if !case.start.private_dev || !leads_on {
        return None;
    }
    named(case, walk).find(|path| !present.contains(*path))
}

pub(crate) static NAMESPACE_HIDDEN: Rule = Rule {
    id: "namespace-hidden",
    layer: Layer::Namespaces,
    summary: "the private /dev does not hold the node",
    explain: include_str!("../../../assets/rules/namespace-hidden.md"),
    check: hidden,
};

fn hidden(case: &Case<'_>) -> Vec<Finding> {
    if !case.start.private_dev {
        return Vec::new();
    }
    let present = populated(case);
    let mut findings = Vec::new();
    for (usage, path, access, walk) in case.walks() {
        let Some(missing) = missing(case, &present, walk) else { continue };
        let is_node = path.strip_prefix("/dev/").is_some_and(|name| !name.contains('/'));
        let is_made = access == Access::Create && missing == path && is_node;
        if is_made && case.identity().is_ok_and(|who| who.uid == 0) {
            let message =
                format!("{path} becomes a plain file in the /dev that libvirt makes for this VM");
            findings.push(
                Finding::of(usage, Verdict::Warns, message)
                    .because("the private /dev holds no such node, and as root QEMU makes the file; nobody outside sees it"),
            );
            continue;
        }
        let errno = if is_made { "Permission denied" } else { "No such file or directory" };
        let conf = &case.host.conf.path;
        let through = if missing == path { String::new() } else { format!(" {path} leads there;") };
        findings.push(
            Finding::of(usage, Verdict::Blocks, format!("{missing} is not in the /dev that libvirt makes for this VM"))
                .because(format!("the private /dev holds {} and what native elements name;{through} QEMU says '{errno}'", case.start.listed_devices.join(" ")))
                .remedy(Remedy::none(Scope::Grant, "there is none for an argument; a native element (<hostdev>, <input>, <rng>, <interface> …) brings its node along"))
                .remedy(Remedy::none(Scope::DisableVm, "there is none: the namespace is a setting of the host"))
                .remedy(let_node_in(case, path, "put the node into the /dev of every VM, and allow it in cgroups too"))
                .remedy(Remedy::setting("give every VM the host's whole /dev (cgroups still filter)", conf, "namespaces = []")),
        );
    }
    findings
}

/// The line of `qemu.conf` that lets one more node in: it replaces the built-in list, so it repeats it.
pub(super) fn let_node_in(case: &Case<'_>, path: &str, title: &str) -> Remedy {
    let devices = case.start.listed_devices.iter().map(String::as_str).chain([path]);
    match qemu_conf::list(devices) {
        Some(devices) => {
            let line = format!("cgroup_device_acl = {devices}");
            Remedy::setting(title, &case.host.conf.path, line)
        }
        None => Remedy::none(
            Scope::DisableHost,
            format!("{title}: no string of qemu.conf can hold this path; name a link to it"),
        ),
    }
}

pub(crate) static MOUNT_PROPAGATION: Rule = Rule {
    id: "mount-propagation",
    layer: Layer::Namespaces,
    summary: "what is mounted after the start will not reach the VM",
    explain: include_str!("../../../assets/rules/mount-propagation.md"),
    check: |case| {
        if !case.start.private_dev {
            return Vec::new();
        }
        let Some(mounts) = case.host.mounts.yes() else { return Vec::new() };
        let root = mounts.iter().rfind(|mount| mount.point == "/");
        let outside = |usage: &crate::qemu::Use| {
            usage.resource.path().is_some_and(|(path, _)| !path.starts_with("/dev/"))
        };
        if root.is_none_or(|root| root.shared) || !case.line.uses.iter().any(outside) {
            return Vec::new();
        }
        vec![
            Finding::general(
                Verdict::Note,
                "what is mounted on the host after this VM starts stays invisible to it",
            )
            .because("the mount / is not shared, and the VM has a mount namespace of its own")
            .remedy(Remedy::command(
                Scope::DisableHost,
                "share the mounts, before the VM starts",
                &["mount", "--make-rshared", "/"],
            )),
        ]
    },
};
