//! One file per layer of protection.

pub(super) mod apparmor;
pub(super) mod cgroups;
pub(super) mod dac;
pub(super) mod host;
pub(super) mod libvirt;
pub(super) mod namespaces;
pub(super) mod seccomp;
pub(super) mod selinux;
pub(super) mod settings;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::host::{default_devices, qemu_conf::Value};

/// The device nodes that `qemu.conf` lists, or libvirt's own list.
fn listed_devices(case: &Case<'_>) -> Vec<String> {
    match case.host.conf.list("cgroup_device_acl") {
        Some(list) => list.into_iter().map(str::to_owned).collect(),
        None => {
            default_devices(case.host.libvirt_at_least(10, 1).unwrap_or(false)).into_iter().map(str::to_owned).collect()
        }
    }
}

/// Every device path that libvirt lets this VM reach: the listed ones, and what native elements bring.
fn granted_devices(case: &Case<'_>) -> Vec<String> {
    let facts = case.document.facts();
    let mut paths = listed_devices(case);
    paths.extend(facts.native.iter().map(|native| native.path.clone()));
    if facts.vfio {
        paths.push("/dev/vfio/vfio".to_owned());
    }
    paths
}

/// The line of `qemu.conf` that lets one more node in: it replaces the built-in list, so it repeats it.
fn device_setting(case: &Case<'_>, path: &str) -> String {
    let mut devices = listed_devices(case);
    devices.push(path.to_owned());
    let quoted: Vec<String> = devices.iter().map(|device| format!("\"{device}\"")).collect();
    format!("cgroup_device_acl = [ {} ]", quoted.join(", "))
}

/// Whether a list setting is there and empty, or lacks a word.
fn list_lacks(case: &Case<'_>, key: &str, word: &str) -> bool {
    match case.host.conf.get(key) {
        Some(Value::List(_)) => !case.host.conf.list(key).is_some_and(|list| list.contains(&word)),
        Some(Value::Text(_) | Value::Int(_)) | None => false,
    }
}
