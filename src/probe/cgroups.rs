//! Reading what libvirt can make control groups of.

use std::path::Path;

use crate::facts::Known;
use crate::facts::cgroup::{self, Cgroups};
use crate::facts::mounts::Mount;

/// Where D-Bus looks for the services that it may start (dbus-daemon(1), `standard_system_servicedirs`; NixOS has its own).
const SERVICES: [&str; 4] = [
    "/usr/share/dbus-1/system-services",
    "/usr/local/share/dbus-1/system-services",
    "/lib/dbus-1/system-services",
    "/run/current-system/sw/share/dbus-1/system-services",
];

/// The groups of this machine, by its mounts.
pub(super) fn read(mounts: &Known<Vec<Mount>>) -> Cgroups {
    let mut cgroups = cgroup::read(mounts);
    let unified = mounts.yes().and_then(|all| all.iter().find(|mount| mount.fstype == "cgroup2"));
    if let Some(mount) = unified {
        cgroups.unified = controllers(&mount.point);
    }
    cgroups.machined = Known::Yes(machined());
    cgroups
}

fn controllers(point: &str) -> Known<Option<Vec<String>>> {
    let file = format!("{point}/cgroup.controllers");
    match std::fs::read_to_string(&file) {
        Ok(text) => Known::Yes(Some(text.split_whitespace().map(str::to_owned).collect())),
        Err(error) => Known::Unknown(format!("{file} cannot be read ({error})")),
    }
}

/// Whether systemd runs, and D-Bus may start systemd-machined (sd_booted(3)).
fn machined() -> bool {
    let service =
        |directory: &&str| Path::new(directory).join("org.freedesktop.machine1.service").exists();
    Path::new("/run/systemd/system").is_dir() && SERVICES.iter().any(service)
}
