//! What the kernel tells of sockets that no file of /proc shows (sock_diag(7)).

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink};

use crate::qemu::Protocol;

/// A message of netlink is this long before its contents (`struct nlmsghdr`).
const HEADER: usize = 16;
/// `struct inet_diag_msg`, behind which attributes stand.
const MESSAGE: usize = 72;
/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
/// `INET_DIAG_SKV6ONLY`.
const V6ONLY: u16 = 11;
/// `TCP_LISTEN`, as a bit.
const LISTENS: u32 = 1 << 10;

/// The sockets of IPv6 that leave IPv4 alone (`IPV6_V6ONLY`), by address and port; none where the kernel does not say.
pub(super) fn six_only(protocol: Protocol) -> BTreeSet<(Ipv6Addr, u16)> {
    ask(protocol).map(|answer| read(&answer)).unwrap_or_default()
}

/// All that the kernel answers.
fn ask(protocol: Protocol) -> rustix::io::Result<Vec<u8>> {
    /// More is not read.
    const MOST: usize = 8 << 20;
    let (number, states) = match protocol {
        Protocol::Tcp => (6, LISTENS),
        Protocol::Udp => (17, u32::MAX),
    };
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    )?;
    // Family and protocol stand behind the header, then the states; the rest of `struct inet_diag_req_v2` means any socket.
    let mut request = vec![0_u8; HEADER + 56];
    let length = u32::try_from(request.len()).unwrap_or_default();
    request[..4].copy_from_slice(&length.to_ne_bytes());
    request[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
    request[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    request[HEADER] = u8::try_from(AddressFamily::INET6.as_raw()).unwrap_or_default();
    request[HEADER + 1] = number;
    request[HEADER + 4..HEADER + 8].copy_from_slice(&states.to_ne_bytes());
    rustix::net::send(&socket, &request, SendFlags::empty())?;
    let mut answer = Vec::new();
    let mut part = vec![0_u8; 64 << 10];
    loop {
        let (length, _) = rustix::net::recv(&socket, &mut part[..], RecvFlags::empty())?;
        answer.extend_from_slice(&part[..length]);
        // The last message is NLMSG_DONE (3), or an error (2).
        let ends = messages(&part[..length]).any(|(kind, _)| kind == 3 || kind == 2);
        if ends || length == 0 || answer.len() > MOST {
            return Ok(answer);
        }
    }
}

/// The messages in an answer: the type, and what is behind the header.
fn messages(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(rest.get(..4)?.try_into().ok()?)).ok()?;
        let kind = u16::from_ne_bytes(rest.get(4..6)?.try_into().ok()?);
        let body = rest.get(HEADER..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

fn read(answer: &[u8]) -> BTreeSet<(Ipv6Addr, u16)> {
    let sockets = messages(answer).filter(|(kind, _)| *kind == BY_FAMILY);
    let found = sockets.filter_map(|(_, body)| {
        let port = u16::from_be_bytes(body.get(4..6)?.try_into().ok()?);
        let address = <[u8; 16]>::try_from(body.get(8..24)?).ok()?;
        let mut rest = body.get(MESSAGE..)?;
        loop {
            let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
            let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
            if kind == V6ONLY {
                return (rest.get(4)? != &0).then_some((Ipv6Addr::from(address), port));
            }
            rest = rest.get(length.max(4).next_multiple_of(4)..)?;
        }
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_which_sockets_leave_ipv4_alone() {
        let open = |only: bool| {
            let socket =
                rustix::net::socket(AddressFamily::INET6, SocketType::STREAM, None).ok()?;
            rustix::net::sockopt::set_ipv6_v6only(&socket, only).ok()?;
            let any = std::net::SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0);
            rustix::net::bind(&socket, &any).ok()?;
            rustix::net::listen(&socket, 1).ok()?;
            let bound = rustix::net::getsockname(&socket).ok()?;
            let bound: std::net::SocketAddr = bound.try_into().ok()?;
            Some((socket, bound.port()))
        };
        let (Some((_six, six)), Some((_both, both))) = (open(true), open(false)) else {
            eprintln!("skipped: this kernel has no IPv6");
            return;
        };
        let found = six_only(Protocol::Tcp);
        assert!(found.contains(&(Ipv6Addr::UNSPECIFIED, six)), "{found:?}");
        assert!(!found.contains(&(Ipv6Addr::UNSPECIFIED, both)), "{found:?}");
        for length in 0..100 {
            read(&vec![1; length]);
        }
    }
}
