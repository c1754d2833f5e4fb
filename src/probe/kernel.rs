//! Reading what the kernel is set to, the limits of libvirt's daemon, and the tap interfaces.

use std::collections::BTreeMap;

use super::daemon::daemon;
use crate::facts::Known;
use crate::facts::kernel::{HugePages, Kernel, Tap};

pub(super) fn read() -> Kernel {
    let links = setting::<u8>("/proc/sys/fs/protected_symlinks");
    let protected_symlinks = match links {
        Known::Yes(number) => Known::Yes(number != 0),
        Known::Unknown(why) => Known::Unknown(why),
    };
    let first_port = setting("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    Kernel { protected_symlinks, first_port, memlock: memlock(), huge_pages: huge_pages() }
}

/// Huge pages of each size that this kernel has.
fn huge_pages() -> Known<Vec<HugePages>> {
    const DIRECTORY: &str = "/sys/kernel/mm/hugepages";
    let entries = match std::fs::read_dir(DIRECTORY) {
        Ok(entries) => entries,
        // A kernel without them.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Known::Yes(Vec::new()),
        Err(error) => return Known::Unknown(format!("{DIRECTORY} cannot be read ({error})")),
    };
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let default = memory.lines().find_map(|line| line.strip_prefix("Hugepagesize:"));
    let default = default.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let kind = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let kilobytes: u64 = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
        let number = |file: &str| -> Option<u64> {
            std::fs::read_to_string(entry.path().join(file)).ok()?.trim().parse().ok()
        };
        let made_when_asked =
            number("nr_overcommit_hugepages")?.saturating_sub(number("surplus_hugepages")?);
        let free = number("free_hugepages")?.saturating_sub(number("resv_hugepages")?);
        let is_default = default == Some(kilobytes);
        Some(HugePages { size: kilobytes << 10, is_default, free: free + made_when_asked })
    };
    Known::Yes(entries.flatten().filter_map(kind).collect())
}

/// A number that the kernel is set to.
pub(super) fn setting<T: std::str::FromStr>(file: &str) -> Known<T> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return Known::Unknown(format!("{file} cannot be read ({error})")),
    };
    match text.trim().parse() {
        Ok(number) => Known::Yes(number),
        Err(_) => Known::Unknown(format!(
            "{file} holds '{}', which is no number that is known",
            text.trim()
        )),
    }
}

fn memlock() -> Known<Option<u64>> {
    let Some(daemon) = daemon() else {
        return Known::Unknown(
            "libvirt's daemon does not run, whose limits QEMU inherits".to_owned(),
        );
    };
    match std::fs::read_to_string(daemon.join("limits")).map(|text| limit(&text)) {
        Ok(Some(limit)) => Known::Yes(limit),
        Ok(None) => {
            Known::Unknown("the limits of libvirt's daemon do not name locked memory".to_owned())
        }
        Err(error) => {
            Known::Unknown(format!("the limits of libvirt's daemon cannot be read ({error})"))
        }
    }
}

/// The soft limit in `/proc/PID/limits` (proc(5)).
fn limit(text: &str) -> Option<Option<u64>> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

/// The tap interfaces among `names` that are there: files of `/sys/class/net/NAME` (`tun_attr_group`, drivers/net/tun.c).
pub(super) fn taps<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, Tap> {
    let plain =
        |name: &&str| !name.is_empty() && !name.contains(['/', '%']) && !name.starts_with('.');
    let tap = |name: &str| {
        let number = |file: &str| {
            let text = std::fs::read_to_string(format!("/sys/class/net/{name}/{file}")).ok()?;
            text.trim().parse::<i64>().ok()
        };
        let whose = |number: i64| u32::try_from(number).ok();
        Some((
            name.to_owned(),
            Tap { owner: whose(number("owner")?), group: whose(number("group")?) },
        ))
    };
    names.filter(plain).filter_map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_locked_memory_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \nMax locked memory         8388608              8388608              bytes     \n";
        assert_eq!(limit(text), Some(Some(8 << 20)));
        assert_eq!(
            limit("Max locked memory         unlimited            unlimited            bytes"),
            Some(None)
        );
        assert_eq!(limit(""), None);
    }

    #[test]
    fn no_name_leads_elsewhere() {
        assert!(taps(["../../etc", "", "lo"].into_iter()).is_empty());
    }
}
