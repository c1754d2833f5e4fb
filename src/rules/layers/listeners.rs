//! Who listens already, and who does not: ports and sockets.

use super::addresses;
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::FileKind;
use crate::facts::sockets::Listener;
use crate::qemu::{Access, Endpoint, Protocol, Resource, Use};

pub(crate) static PORT_TAKEN: Rule = Rule {
    id: "port-taken",
    layer: Layer::Host,
    summary: "another process listens on the port already",
    explain: include_str!("../../../assets/rules/port-taken.md"),
    check: |case| {
        let mut findings = named(case);
        findings.extend(foreign(case));
        findings.extend(addresses::groups(case));
        findings.extend(addresses::families(case));
        findings.extend(shared(case));
        let Some(listeners) = case.host.tcp.yes() else { return findings };
        let own = format!("guest={}", case.document.facts().name);
        let mut asked: Vec<&Endpoint> = Vec::new();
        for usage in &case.line.uses {
            let Some(endpoint) = taken(usage, Protocol::Tcp) else { continue };
            if asked.contains(&endpoint) {
                let message = format!("another argument listens on port {} as well", endpoint.port);
                findings.push(
                    Finding::of(usage, Verdict::Blocks, message)
                        .because("QEMU says 'Address already in use'"),
                );
            }
            asked.push(endpoint);
            // A domain that runs has its own port.
            let others = || listeners.iter().filter(|ear| ear.process != own);
            let Some(ear) = others().find(|ear| collides(endpoint, ear)) else { continue };
            if endpoint.host.is_empty() && !leaves_none(endpoint.port, others()) {
                continue;
            }
            let who = if ear.process.is_empty() { "another process" } else { &ear.process };
            findings.push(
                Finding::of(
                    usage,
                    Verdict::Blocks,
                    format!("{who} listens on port {} already", endpoint.port),
                )
                .because(format!(
                    "/proc/net/tcp shows a listener on {}; QEMU says 'Address already in use'",
                    ear.address
                ))
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "take another port, or end that process before the VM starts",
                )),
            );
        }
        findings
    },
};

/// The port that a use is to have for itself.
fn taken(usage: &Use, protocol: Protocol) -> Option<&Endpoint> {
    let Resource::Network { listen: true, endpoint: Some(endpoint), .. } = &usage.resource else {
        return None;
    };
    (endpoint.protocol == protocol).then_some(endpoint)
}

/// UDP ports that another process has: QEMU would share them, the other one may not (socket(7), `SO_REUSEADDR`).
fn shared(case: &Case<'_>) -> Vec<Finding> {
    let listeners = case.host.udp.yes().map(Vec::as_slice).unwrap_or_default();
    let mut findings = Vec::new();
    for usage in &case.line.uses {
        let Some(endpoint) = taken(usage, Protocol::Udp) else { continue };
        // Every QEMU shares.
        let others = listeners.iter().filter(|ear| !ear.process.starts_with("guest="));
        let Some(ear) = others.clone().find(|ear| collides(endpoint, ear)) else {
            continue;
        };
        let who = if ear.process.is_empty() { "another process" } else { &ear.process };
        let message = format!("whether {who} shares port {} is not known", endpoint.port);
        findings.push(Finding::of(usage, Verdict::Unknown, message).because(format!(
            "/proc/net/udp shows a socket on {}; unless both share it, QEMU says 'Address already in use'",
            ear.address
        )));
    }
    findings
}

/// Whether listeners leave neither of the two protocols: for all addresses QEMU takes the one that is left
/// (`inet_listen_saddr`).
fn leaves_none<'a>(port: u16, listeners: impl Iterator<Item = &'a Listener>) -> bool {
    let (mut old, mut new) = (false, false);
    for ear in listeners.filter(|ear| ear.address.port() == port) {
        old |= ear.address.is_ipv4() || has_both(ear);
        new |= ear.address.is_ipv6();
    }
    old && new
}

/// Whether a listener on all addresses of version 6 has those of version 4 as well.
fn has_both(ear: &Listener) -> bool {
    ear.address.is_ipv6() && ear.address.ip().is_unspecified() && !ear.six_only
}

/// Whether two listeners can't be there together: the same port, on one address or on all of them. QEMU's own socket of version 6
/// takes nothing of version 4 that is taken (`try_bind`, util/qemu-sockets.c).
fn collides(endpoint: &Endpoint, ear: &Listener) -> bool {
    let host = if endpoint.host == "localhost" { "127.0.0.1" } else { &endpoint.host };
    let there = ear.address.ip();
    let meets = match host.parse::<core::net::IpAddr>() {
        Ok(here) if here.is_ipv4() != there.is_ipv4() => here.is_ipv4() && has_both(ear),
        Ok(here) => here == there || here.is_unspecified() || there.is_unspecified(),
        Err(_) => host.is_empty(),
    };
    endpoint.port == ear.address.port() && meets
}

/// Addresses that are to be listened on and that this host does not have.
fn foreign(case: &Case<'_>) -> Vec<Finding> {
    let Some(own) = case.host.addresses.yes() else { return Vec::new() };
    let is_own = |address: core::net::IpAddr| {
        own.contains(&address)
            || address.is_unspecified()
            || address.is_loopback()
            || address.is_multicast()
    };
    let mut findings = Vec::new();
    for usage in &case.line.uses {
        let ports = [Protocol::Tcp, Protocol::Udp];
        let Some(endpoint) = ports.into_iter().find_map(|of| taken(usage, of)) else { continue };
        let Ok(address) = endpoint.host.parse() else { continue };
        if is_own(address) {
            continue;
        }
        let message = format!("this host does not have the address {address}");
        findings.push(
            Finding::of(usage, Verdict::Blocks, message)
                .because("QEMU says 'Cannot assign requested address'")
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "name one that it has (ip address), or 127.0.0.1",
                )),
        );
    }
    findings
}

/// Names of hosts that are to be listened on: nobody asks what they mean here.
fn named(case: &Case<'_>) -> Vec<Finding> {
    let is_name = |host: &str| {
        !host.is_empty() && host != "localhost" && host.parse::<core::net::IpAddr>().is_err()
    };
    let mut findings = Vec::new();
    for usage in &case.line.uses {
        let ports = [Protocol::Tcp, Protocol::Udp];
        let Some(endpoint) = ports.into_iter().find_map(|of| taken(usage, of)) else { continue };
        if is_name(&endpoint.host) {
            let message =
                format!("whether '{}' is an address of this host is not known", endpoint.host);
            findings.push(
                Finding::of(usage, Verdict::Unknown, message)
                    .because("QEMU says 'address resolution failed' otherwise"),
            );
        }
    }
    findings
}

pub(crate) static NOBODY_LISTENS: Rule = Rule {
    id: "nobody-listens",
    layer: Layer::Host,
    summary: "a socket is there and no process listens on it",
    explain: include_str!("../../../assets/rules/nobody-listens.md"),
    check: |case| {
        let mut findings = refused(case);
        findings.extend(addresses::nobody(case));
        let Some(listening) = case.host.listening.yes() else { return findings };
        for (usage, path, access, walk) in case.walks() {
            let Some(target) = walk
                .target()
                .filter(|target| access == Access::Connect && target.kind == FileKind::Socket)
            else {
                continue;
            };
            // The kernel shows the name that was bound, which may have led through another link: the last part is compared.
            let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
            let heard = listening
                .iter()
                .any(|bound| *bound == target.path || name(bound) == name(&target.path));
            if !heard {
                findings.push(
                    Finding::of(usage, Verdict::Blocks, format!("{path} is a socket that no process listens on"))
                        .because("/proc/net/unix shows no listener of that name; QEMU says 'Connection refused'")
                        .remedy(Remedy::none(Scope::Rewrite, "start the server before the VM")),
                );
            }
        }
        findings
    },
};

/// Connections that QEMU makes before it starts, and gives up where nobody answers.
fn refused(case: &Case<'_>) -> Vec<Finding> {
    let connections = case.line.uses.iter().filter_map(|usage| {
        let Resource::Network { listen: false, endpoint: Some(endpoint), .. } = &usage.resource
        else {
            return None;
        };
        Some((usage, endpoint))
    });
    connections.filter_map(|(usage, endpoint)| connection(case, usage, endpoint)).collect()
}

/// What is said about one connection.
fn connection(case: &Case<'_>, usage: &Use, endpoint: &Endpoint) -> Option<Finding> {
    let Endpoint { host, port, .. } = endpoint;
    if endpoint.protocol == Protocol::Udp {
        // Nobody is connected to; a name has to be one.
        let is_address = host.parse::<core::net::IpAddr>().is_ok();
        let is_named = is_address || host.is_empty() || host == "localhost";
        let message = format!("whether '{host}' is the name of a host is not known");
        return (!is_named).then(|| {
            Finding::of(usage, Verdict::Unknown, message)
                .because("QEMU says 'address resolution failed' otherwise")
        });
    }
    if host.is_empty() {
        let message = format!("no host is named whose port {port} is to be connected to");
        return Some(
            Finding::of(usage, Verdict::Blocks, message)
                .because("QEMU says 'address resolution failed': only who listens may leave the host out")
                .remedy(Remedy::none(Scope::Rewrite, "name the host, 127.0.0.1 for this one")),
        );
    }
    if !endpoint.is_local() {
        let message = format!("whether {host} answers on port {port} is not asked");
        return Some(
            Finding::of(usage, Verdict::Unknown, message)
                .because("QEMU connects before it starts, and exits where nobody answers")
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "with reconnect= QEMU starts at once and tries again",
                )),
        );
    }
    let is_heard = case.host.tcp.yes()?.iter().any(|ear| ear.address.port() == *port);
    // A server that an argument before it makes.
    let is_own = case.line.uses.iter().any(|other| {
        let is_before =
            other.entry.list == usage.entry.list && other.entry.index < usage.entry.index;
        is_before && taken(other, Protocol::Tcp).is_some_and(|server| server.port == *port)
    });
    let native = &case.document.facts().servers;
    if is_heard || is_own || native.contains(&format!(":{port}")) {
        return None;
    }
    let message = format!("no process listens on port {port} of this host");
    Some(
        Finding::of(usage, Verdict::Blocks, message)
            .because("/proc/net/tcp shows no listener there; QEMU says 'Connection refused'")
            .remedy(Remedy::none(Scope::Rewrite, "start the server before the VM")),
    )
}
