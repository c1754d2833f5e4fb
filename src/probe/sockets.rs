//! Sockets that some process listens on: Unix ones with the SELinux label of the process, ports with its name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use super::sock_diag;
use crate::facts::Known;
use crate::facts::sockets::Listener;
use crate::power;
use crate::qemu::Protocol;

/// Who has ports of a protocol, by `/proc/net/tcp` and `tcp6`, or `udp` and `udp6`; whose process it is is looked up for
/// `wanted` ports only.
pub(super) fn ports(
    protocol: Protocol,
    wanted: &BTreeSet<(Protocol, u16)>,
) -> Known<Vec<Listener>> {
    let wanted: BTreeSet<u16> =
        wanted.iter().filter(|(of, _)| *of == protocol).map(|(_, port)| *port).collect();
    if wanted.is_empty() {
        return Known::Yes(Vec::new());
    }
    let path = match protocol {
        Protocol::Tcp => "/proc/net/tcp",
        Protocol::Udp => "/proc/net/udp",
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Known::Unknown(format!("{path} cannot be read: {error}")),
    };
    // A kernel without IPv6 has no second file.
    let six = std::fs::read_to_string(format!("{path}6")).unwrap_or_default();
    let lines = text.lines().chain(six.lines());
    let ears: Vec<(SocketAddr, String)> = lines.filter_map(|line| ear(protocol, line)).collect();
    let inodes: BTreeMap<String, &SocketAddr> = ears
        .iter()
        .filter(|(address, _)| wanted.contains(&address.port()))
        .map(|(address, inode)| (format!("socket:[{inode}]"), address))
        .collect();
    let mut owners: BTreeMap<&SocketAddr, String> = BTreeMap::new();
    for (process, socket) in descriptors(!inodes.is_empty()) {
        if let Some(address) = inodes.get(&socket) {
            owners.insert(address, name_of(&process));
        }
    }
    let alone = sock_diag::six_only(protocol);
    let listener = |(address, _): &(SocketAddr, String)| Listener {
        address: *address,
        process: owners.get(address).cloned().unwrap_or_default(),
        six_only: matches!(address, SocketAddr::V6(six) if alone.contains(&(*six.ip(), six.port()))),
    };
    Known::Yes(
        ears.iter().filter(|(address, _)| wanted.contains(&address.port())).map(listener).collect(),
    )
}

/// One line of `/proc/net/tcp` in state LISTEN (0A), or of `/proc/net/udp` in any: the address in the machine's byte order,
/// and the inode.
fn ear(protocol: Protocol, line: &str) -> Option<(SocketAddr, String)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if protocol == Protocol::Tcp && fields.get(3) != Some(&"0A") {
        return None;
    }
    let (address, port) = fields.get(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        Some(u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes())
    };
    let ip = if address.len() == 8 {
        IpAddr::V4(Ipv4Addr::from(word(0)?))
    } else {
        let words = [word(0)?, word(1)?, word(2)?, word(3)?].concat();
        IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(words).ok()?))
    };
    Some((SocketAddr::new(ip, port), (*fields.get(9)?).to_owned()))
}

/// The addresses of this host (`/proc/net/fib_trie`, `/proc/net/if_inet6`), where no others can be had.
pub(super) fn addresses() -> Known<Vec<IpAddr>> {
    let any = ["ipv4", "ipv6"].iter().any(|family| {
        let setting = format!("/proc/sys/net/{family}/ip_nonlocal_bind");
        std::fs::read_to_string(setting).is_ok_and(|text| text.trim() != "0")
    });
    if any {
        return Known::Unknown("sockets may have addresses that this host lacks".to_owned());
    }
    let trie = match std::fs::read_to_string("/proc/net/fib_trie") {
        Ok(text) => text,
        Err(error) => return Known::Unknown(format!("/proc/net/fib_trie cannot be read: {error}")),
    };
    let six = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    Known::Yes(local(&trie).chain(six.lines().filter_map(of_six)).collect())
}

/// The local addresses of version 4: each stands on the line before `/32 host LOCAL`.
fn local(trie: &str) -> impl Iterator<Item = IpAddr> {
    let lines: Vec<&str> = trie.lines().map(str::trim).collect();
    let found: std::collections::BTreeSet<IpAddr> = lines
        .windows(2)
        .filter(|pair| pair[1] == "/32 host LOCAL")
        .filter_map(|pair| pair[0].strip_prefix("|-- ")?.parse().ok())
        .collect();
    found.into_iter()
}

/// An address of version 6: 32 digits at the beginning of a line.
fn of_six(line: &str) -> Option<IpAddr> {
    let digits = line.get(..32)?;
    Some(IpAddr::V6(Ipv6Addr::from(u128::from_str_radix(digits, 16).ok()?)))
}

/// A process for people: its name, and of a QEMU the domain it runs.
pub(super) fn name_of(process: &std::path::Path) -> String {
    let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default().trim().to_owned();
    let command = std::fs::read(process.join("cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).into_owned();
    match command.split('\0').find_map(|word| word.strip_prefix("guest=")) {
        Some(guest) => format!("guest={}", guest.split(',').next().unwrap_or(guest)),
        None => name,
    }
}

/// Every open socket of every process: the process's directory, and the socket's name.
fn descriptors(wanted: bool) -> Vec<(PathBuf, String)> {
    if !wanted {
        return Vec::new();
    }
    // A thread that gave anything up is not shown what other processes have open.
    power::outside(|| {
        let mut found = Vec::new();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes.map(|entry| entry.path()) {
            let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
            for descriptor in open {
                let target = std::fs::read_link(descriptor.path()).unwrap_or_default();
                if let Some(socket) = target.to_str().filter(|name| name.starts_with("socket:")) {
                    found.push((process.clone(), socket.to_owned()));
                }
            }
        }
        found
    })
}

/// The listening sockets of `/proc/net/unix` (proc(5)) that have a name: inode, and path or `@` with the abstract name. The flag
/// is `__SO_ACCEPTCON`.
fn bound() -> Known<Vec<(String, String)>> {
    let text = match std::fs::read_to_string("/proc/net/unix") {
        Ok(text) => text,
        Err(error) => return Known::Unknown(format!("/proc/net/unix cannot be read: {error}")),
    };
    let listens = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let path = fields
            .get(7)
            .filter(|path| fields.get(3) == Some(&"00010000") && path.starts_with(['/', '@']))?;
        Some(((*fields.get(6)?).to_owned(), (*path).to_owned()))
    };
    Known::Yes(text.lines().skip(1).filter_map(listens).collect())
}

/// Paths of sockets that some process listens on, and abstract names behind `@`.
pub(super) fn listening() -> Known<Vec<String>> {
    match bound() {
        Known::Yes(bound) => Known::Yes(bound.into_iter().map(|(_, path)| path).collect()),
        Known::Unknown(why) => Known::Unknown(why),
    }
}

/// The labels of the processes that listen on some sockets, by the path that was bound.
pub(super) fn labels(wanted: &[&str]) -> BTreeMap<String, String> {
    let bound: BTreeMap<String, String> = match bound() {
        Known::Yes(bound) => bound
            .into_iter()
            .filter(|(_, path)| wanted.contains(&path.as_str()))
            .map(|(inode, path)| (format!("socket:[{inode}]"), path))
            .collect(),
        Known::Unknown(_) => return BTreeMap::new(),
    };
    let mut labels = BTreeMap::new();
    for (process, socket) in descriptors(!bound.is_empty()) {
        let label = bound.get(&socket).and_then(|path| {
            Some((path, std::fs::read_to_string(process.join("attr/current")).ok()?))
        });
        if let Some((path, label)) = label {
            labels.insert(path.clone(), label.trim_end_matches(['\0', '\n']).to_owned());
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(line: &str) -> Option<(SocketAddr, String)> {
        ear(Protocol::Tcp, line)
    }

    #[test]
    fn addresses_are_read() {
        let trie = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n           |-- 127.0.0.1\n              /32 host LOCAL\n        |-- 192.0.2.7\n           /32 host LOCAL\n        |-- 192.0.2.255\n           /32 link BROADCAST\n";
        let found: Vec<String> = local(trie).map(|address| address.to_string()).collect();
        assert_eq!(found, ["127.0.0.1", "192.0.2.7"]);
        let line = "fe800000000000000000000000000001 02 40 20 80     eth0";
        assert_eq!(of_six(line), Some("fe80::1".parse().unwrap()));
        let Known::Yes(own) = addresses() else { return };
        assert!(own.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)), "{own:?}");
    }

    #[test]
    fn listening_ports_are_read() {
        let line = "   0: 0100007F:170D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0";
        assert_eq!(tcp(line), Some(("127.0.0.1:5901".parse().unwrap(), "12345".to_owned())));
        let six = line.replace("0100007F:", "00000000000000000000000001000000:");
        assert_eq!(tcp(&six), Some(("[::1]:5901".parse().unwrap(), "12345".to_owned())));
        assert_eq!(tcp(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(
            tcp(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
            ),
            None
        );
    }
}
