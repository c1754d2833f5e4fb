//! Addresses that are no paths and no ports of their own: abstract sockets, groups of multicast, families of addresses.

use core::net::IpAddr;

use super::{Case, Finding, Remedy, Scope, Verdict};
use crate::qemu::{QemuOption, retries};

/// A socket of Unix by an abstract name (unix(7)), as a chardev has it.
struct Abstract<'a> {
    option: &'a QemuOption,
    /// The name behind `@`, as the kernel shows it.
    name: String,
    listens: bool,
}

/// The abstract sockets of the arguments. With `tight=off` the name is filled up with zeros, which nobody compares here.
fn abstracts<'a>(case: &'a Case<'_>) -> impl Iterator<Item = Abstract<'a>> {
    case.line.options("chardev").filter_map(|option| {
        let pairs = &option.pairs;
        let is_meant = option.kind() == "socket"
            && pairs.on("abstract") == Some(true)
            && pairs.on("tight") != Some(false);
        let name = pairs.get("path").filter(|_| is_meant)?;
        let listens = pairs.on("server") == Some(true);
        Some(Abstract { option, name: format!("@{name}"), listens })
    })
}

/// Abstract sockets to connect to that nobody listens at, and to listen at that somebody has.
pub(super) fn nobody(case: &Case<'_>) -> Vec<Finding> {
    let Some(listening) = case.host.listening.yes() else { return Vec::new() };
    let mut findings = Vec::new();
    let mut own: Vec<String> = Vec::new();
    for socket in abstracts(case) {
        if socket.listens {
            if listening.contains(&socket.name) {
                let message =
                    format!("another process listens at the abstract socket {}", socket.name);
                findings.push(
                    Finding::at(socket.option.place(), Verdict::Unknown, message)
                        .because("/proc/net/unix shows it, and not whose it is; unless it is this VM's own, QEMU says 'Address already in use'")
                        .remedy(Remedy::none(Scope::Rewrite, "take another name")),
                );
            }
            own.push(socket.name);
            continue;
        }
        let is_heard = listening.contains(&socket.name) || own.contains(&socket.name);
        if is_heard || retries(&socket.option.pairs) {
            continue;
        }
        let message = format!("no process listens at the abstract socket {}", socket.name);
        findings.push(
            Finding::at(socket.option.place(), Verdict::Blocks, message)
                .because(
                    "/proc/net/unix shows no listener of that name; QEMU says 'Connection refused'",
                )
                .remedy(Remedy::none(Scope::Rewrite, "start the server before the VM")),
        );
    }
    findings
}

/// Groups of multicast that are joined by an address that this host does not have (`net_socket_mcast_create`, net/socket.c).
pub(super) fn groups(case: &Case<'_>) -> Vec<Finding> {
    let Some(own) = case.host.addresses.yes() else { return Vec::new() };
    let mut findings = Vec::new();
    for option in case.line.options("netdev").filter(|option| option.kind() == "socket") {
        let pairs = &option.pairs;
        let (Some(_), Some(local)) = (pairs.get("mcast"), pairs.get("localaddr")) else { continue };
        let Ok(address) = local.parse::<IpAddr>() else { continue };
        if own.contains(&address) || address.is_unspecified() || address.is_loopback() {
            continue;
        }
        let message = format!("this host does not have the address {address}");
        findings.push(
            Finding::at(option.place(), Verdict::Blocks, message)
                .because("QEMU says 'can't add socket to multicast group …: No such device'")
                .remedy(Remedy::none(Scope::Rewrite, "name one that it has (ip address)")),
        );
    }
    findings
}

/// Addresses of one family where only the other one is asked for (`inet_ai_family_from_address`, util/qemu-sockets.c); with
/// `ipv4=off` alone QEMU starts.
pub(super) fn families(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for option in case.line.options("chardev") {
        let pairs = &option.pairs;
        if !["socket", "udp"].contains(&option.kind()) {
            continue;
        }
        let Some(Ok(address)) = pairs.get("host").map(str::parse::<IpAddr>) else { continue };
        let (four, six) = (pairs.on("ipv4"), pairs.on("ipv6"));
        let is_excluded = match address {
            IpAddr::V4(_) => six == Some(true) && four != Some(true),
            IpAddr::V6(_) => four == Some(true) && six != Some(true),
        };
        if is_excluded {
            let message = format!("{address} is not of the family that is asked for");
            findings.push(
                Finding::at(option.place(), Verdict::Blocks, message)
                    .because("QEMU says 'Address family for hostname not supported'"),
            );
        }
    }
    findings
}
