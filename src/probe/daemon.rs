//! libvirt's daemon, when it runs.

use std::path::{Path, PathBuf};

/// The `/proc` directory of libvirt's daemon, when it runs.
pub(super) fn daemon() -> Option<PathBuf> {
    let named = |path: &PathBuf| {
        let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        ["libvirtd", "virtqemud"].contains(&name.trim())
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
