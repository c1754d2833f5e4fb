//! Who listens already, and who does not: ports and sockets.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::FileKind;
use crate::facts::sockets::Listener;
use crate::qemu::{Access, Endpoint, Resource};

pub(crate) static PORT_TAKEN: Rule = Rule {
    id: "port-taken",
    layer: Layer::Host,
    summary: "another process listens on the port already",
    explain: include_str!("../../../assets/rules/port-taken.md"),
    check: |case| {
        let Some(listeners) = case.host.tcp.yes() else { return Vec::new() };
        let own = format!("guest={}", case.document.facts().name);
        let mut findings = named(case);
        let mut asked: Vec<&Endpoint> = Vec::new();
        for usage in &case.line.uses {
            let Resource::Network { listen: true, endpoint: Some(endpoint), .. } = &usage.resource
            else {
                continue;
            };
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
            let Some(ear) = others().find(|ear| collides(endpoint, &ear.address)) else { continue };
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

/// Whether listeners leave neither of the two protocols: for all addresses QEMU takes the one that is left
/// (`inet_listen_saddr`). One on all addresses of version 6 has those of version 4 as well.
fn leaves_none<'a>(port: u16, mut listeners: impl Iterator<Item = &'a Listener>) -> bool {
    let (mut old, mut new) = (false, false);
    for address in listeners.by_ref().map(|ear| ear.address).filter(|ear| ear.port() == port) {
        old |= address.is_ipv4() || address.ip().is_unspecified();
        new |= address.is_ipv6();
    }
    old && new
}

/// Whether two listeners can't be there together: the same port, on one address or on all of them.
fn collides(endpoint: &Endpoint, ear: &core::net::SocketAddr) -> bool {
    let host = if endpoint.host == "localhost" { "127.0.0.1" } else { &endpoint.host };
    let address = host.parse::<core::net::IpAddr>().ok();
    let everywhere = host.is_empty() || address.is_some_and(|address| address.is_unspecified());
    let alike = address.is_some_and(|address| address == ear.ip() || ear.ip().is_unspecified());
    endpoint.port == ear.port() && (everywhere || alike)
}

/// Names of hosts that are to be listened on: nobody asks what they mean here.
fn named(case: &Case<'_>) -> Vec<Finding> {
    let is_name = |host: &str| {
        !host.is_empty() && host != "localhost" && host.parse::<core::net::IpAddr>().is_err()
    };
    let mut findings = Vec::new();
    for usage in &case.line.uses {
        let Resource::Network { listen: true, endpoint: Some(endpoint), .. } = &usage.resource
        else {
            continue;
        };
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

/// Connections to ports of this machine that nobody listens on.
fn refused(case: &Case<'_>) -> Vec<Finding> {
    let Some(listeners) = case.host.tcp.yes() else { return Vec::new() };
    let connections = case.line.uses.iter().filter_map(|usage| {
        let Resource::Network { listen: false, endpoint: Some(endpoint), .. } = &usage.resource
        else {
            return None;
        };
        endpoint.is_local().then_some((usage, endpoint))
    });
    connections
        .filter(|(_, endpoint)| !listeners.iter().any(|ear| ear.address.port() == endpoint.port))
        .map(|(usage, endpoint)| {
            Finding::of(
                usage,
                Verdict::Blocks,
                format!("no process listens on port {} of this host", endpoint.port),
            )
            .because("/proc/net/tcp shows no listener there; QEMU says 'Connection refused'")
            .remedy(Remedy::none(Scope::Rewrite, "start the server before the VM"))
        })
        .collect()
}
