//! libvirt's daemon, when it runs.

use std::path::{Path, PathBuf};

use crate::facts::qemu_conf::QemuConf;
use crate::facts::{Instance, Known};

/// The daemons that start QEMU, each with the socket that it, or systemd in its place, listens on; libvirt's older socket is also
/// virtproxyd's, which passes on to virtqemud.
pub(super) const DAEMONS: [(&str, &str); 2] =
    [("virtqemud", "/run/libvirt/virtqemud-sock"), ("libvirtd", "/run/libvirt/libvirt-sock")];
/// Where their programs are.
const PLACES: [&str; 3] = ["/usr/sbin", "/usr/bin", "/run/current-system/sw/bin"];

/// The daemon that starts QEMU on this machine: the one that runs, else the one that is waited for, else the one that is installed.
pub(super) fn name() -> Known<String> {
    let runs = daemon().and_then(|process| std::fs::read_to_string(process.join("comm")).ok());
    if let Some(name) = runs {
        return Known::Yes(name.trim().to_owned());
    }
    let is_installed = |name: &str| PLACES.iter().any(|place| Path::new(place).join(name).exists());
    let awaited = DAEMONS.iter().find(|(_, socket)| Path::new(socket).exists());
    let installed: Vec<&str> =
        DAEMONS.iter().map(|(name, _)| *name).filter(|name| is_installed(name)).collect();
    match (awaited, installed.as_slice()) {
        (Some((name, _)), _) => Known::Yes((*name).to_owned()),
        (None, [name]) => Known::Yes((*name).to_owned()),
        (None, []) => Known::Unknown("no daemon of libvirt's is installed".to_owned()),
        (None, _) => {
            Known::Unknown("libvirtd and virtqemud are there, and neither runs".to_owned())
        }
    }
}

/// The settings of the system's daemon itself; none where its file is not there or may not be read.
pub(super) fn conf(instance: Instance, daemon: &Known<String>) -> QemuConf {
    let (Instance::System, Known::Yes(name)) = (instance, daemon) else {
        return QemuConf::default();
    };
    let path = format!("/etc/libvirt/{name}.conf");
    super::text(&path).map_or_else(|_| QemuConf::default(), |text| QemuConf::parse(&path, &text))
}

/// The `/proc` directory of libvirt's daemon, when it runs.
pub(super) fn daemon() -> Option<PathBuf> {
    let named = |path: &PathBuf| {
        let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        DAEMONS.iter().any(|(daemon, _)| *daemon == name.trim())
    };
    std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find(named)
}

/// When a process started, in seconds since the epoch (proc(5): `starttime` in ticks since `btime`).
pub(super) fn started(process: &Path) -> Option<u64> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name in brackets may hold blanks; the fields are counted behind it.
    let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let system = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 =
        system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / rustix::param::clock_ticks_per_second())
}
