//! Reading what the kernel is set to, the limits of libvirt's daemon, and the tap interfaces.

use std::collections::BTreeMap;

use super::daemon::daemon;
use crate::facts::Known;
use crate::facts::kernel::{Kernel, Tap};

pub(super) fn read() -> Kernel {
    let links = setting::<u8>("/proc/sys/fs/protected_symlinks");
    let protected_symlinks = match links {
        Known::Yes(number) => Known::Yes(number != 0),
        Known::Unknown(why) => Known::Unknown(why),
    };
    let first_port = setting("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    Kernel { protected_symlinks, first_port, memlock: memlock() }
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
