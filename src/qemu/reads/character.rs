//! The old form of character devices: `-serial unix:/path,server=on`, `-monitor pty`, `-gdb tcp::1234`.

use super::{Access, Endpoint, Pairs, Place, Reader, Spot};
use crate::qemu::catalog;

impl Reader<'_> {
    /// `qemu_chr_parse_compat`: what comes before the first colon is the kind.
    pub(super) fn character(&mut self, place: Place<'_>, text: &str, server: bool) {
        let text = text.strip_prefix("mon:").unwrap_or(text);
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let (first, options) = rest.split_once(',').unwrap_or((rest, ""));
        let span = place.span(first);
        match kind {
            "file" => self.path(Spot::of(place.entry, span, "the output"), first, Access::Create),
            "pipe" => self.path(Spot::of(place.entry, span, "the pipe"), first, Access::Pipe),
            "unix" => {
                let pairs = Pairs::read(options, None);
                let listens = pairs.on("server") == Some(true);
                self.waits(place, &pairs);
                let access = if listens { Access::Listen } else { Access::Connect };
                self.path(
                    Spot::of(place.entry, span, "the socket").optional(!listens && retries(&pairs)),
                    first,
                    access,
                );
            }
            "tcp" | "telnet" | "tn3270" | "websocket" => {
                let pairs = Pairs::read(options, None);
                let listens = pairs.on("server") == Some(true) || kind == "websocket" || server;
                self.waits(place, &pairs);
                let endpoint = if retries(&pairs) { None } else { Endpoint::read(first) };
                self.network(
                    Spot::of(place.entry, span, "a network address"),
                    first,
                    listens,
                    endpoint,
                );
            }
            "udp" => {
                // `udp:[HOST]:PORT[@[LOCAL]:PORT]`
                let (remote, local) = first.split_once('@').unwrap_or((first, ""));
                let spot = Spot::of(place.entry, span, "a network address");
                self.network(spot.clone(), remote, false, None);
                if let Some(local_port) = Endpoint::read(local) {
                    self.network(spot, local, true, Some(local_port.udp()));
                }
            }
            "chardev" => {}
            _ if text.starts_with("/dev/") => {
                let path = text.split(',').next().unwrap_or(text);
                self.path(
                    Spot::of(place.entry, place.span(path), "the port"),
                    path,
                    Access::ReadWrite,
                );
            }
            _ if text.contains('=') => {
                let pairs = Pairs::read(text, Some("backend"));
                let kind = pairs.get("backend").unwrap_or_default().to_owned();
                self.rows(place, catalog::resources("chardev"), &kind, &pairs);
            }
            _ => {}
        }
    }
}

/// Whether a client that finds nobody tries again later (`reconnect`, seconds; `reconnect-ms` since QEMU 9.2).
pub fn retries(pairs: &Pairs) -> bool {
    ["reconnect", "reconnect-ms"].iter().any(|key| pairs.get(key).is_some_and(|value| value != "0"))
}
