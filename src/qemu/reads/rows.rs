//! Keys that the resource table names.

use super::{Access, Endpoint, Moment, Pairs, Place, Reader, Resource, Spot, retries};
use crate::qemu::Lookup;
use crate::qemu::catalog::{ResourceRow, matches};

impl Reader<'_> {
    /// Applies the table's rows for one type to the pairs of a value.
    pub(super) fn rows(
        &mut self,
        place: Place<'_>,
        rows: &'static [ResourceRow],
        kind: &str,
        pairs: &Pairs,
    ) {
        let mut done: Vec<&str> = Vec::new();
        for row in rows.iter().filter(|row| matches(row.types, kind)) {
            if row.key.is_some_and(|key| done.contains(&key)) || !conditions(row.when, pairs) {
                continue;
            }
            let pair = row.key.and_then(|key| pairs.pair(key));
            let value = match (pair, row.default) {
                (Some(pair), _) => pair.value.clone(),
                (None, Some(default)) => default.to_owned(),
                (None, None) if row.key.is_none() => String::new(),
                (None, None) => continue,
            };
            done.extend(row.key);
            let span = pair.map_or(0..0, |pair| pair.value_span.clone());
            let optional = row.when.split(',').any(|word| match word {
                "optional" => true,
                // A backend that no device uses is not opened.
                "optional=retries" => retries(pairs),
                "optional=unattached" => {
                    !pairs.get("id").is_some_and(|id| self.attached.contains(id))
                }
                _ => false,
            });
            if row.access == "usb-node" {
                let number = |key: &str| {
                    pairs.get(key).and_then(|value| value.parse::<u16>().ok()).unwrap_or(0)
                };
                let path =
                    format!("/dev/bus/usb/{:03}/{:03}", number("hostbus"), number("hostaddr"));
                self.path(
                    Spot::of(place.entry, span, row.what).optional(optional),
                    &path,
                    Access::ReadWrite,
                );
                continue;
            }
            if ["hostfwd", "guestfwd"].contains(&row.access) {
                // Each of them counts.
                let all = pairs.pairs.iter().filter(|pair| Some(pair.key.as_str()) == row.key);
                for pair in all {
                    let spot = Spot::of(place.entry, pair.value_span.clone(), row.what);
                    self.word(place, spot, row.access, &pair.value);
                }
                continue;
            }
            if let Some(listen) =
                row.access.strip_prefix("network-").or(row.access.strip_prefix("udp-"))
            {
                let key = row.key.unwrap_or_default();
                let endpoint = if optional { None } else { endpoint(key, &value, pairs) };
                let is_udp = row.access.starts_with("udp-");
                let endpoint = if is_udp { endpoint.map(Endpoint::udp) } else { endpoint };
                self.network(
                    Spot::of(place.entry, span, "a network address"),
                    &value,
                    listen == "listen",
                    endpoint,
                );
                continue;
            }
            self.word(
                place,
                Spot::of(place.entry, span, row.what).optional(optional),
                row.access,
                &value,
            );
        }
    }

    /// Records a use by the table's word for its access: a file that is opened in one way, a thing of another kind, or
    /// several files.
    pub(super) fn word(&mut self, place: Place<'_>, spot: Spot, word: &str, value: &str) {
        if let Some(access) = access(word) {
            return self.path(spot, value, access);
        }
        if let Some(resource) = resource(word, value) {
            let is_program = matches!(resource, Resource::Program { .. });
            let optional = spot.optional && !is_program;
            return self.add(spot.optional(optional), resource);
        }
        self.several(place, spot, word, value);
    }

    /// Words that name more than one thing, or a thing in several ways.
    fn several(&mut self, place: Place<'_>, spot: Spot, word: &str, value: &str) {
        match word {
            "inherit" => {
                let spot = Spot { what: "an inherited descriptor", ..spot };
                for name in value.split(':') {
                    self.descriptor(spot.clone(), name);
                }
            }
            "network-connect" => {
                let spot = Spot::of(spot.entry, spot.at, "a network address");
                self.network(spot, value, false, Endpoint::read(value));
            }
            "tls-x509-server" | "tls-x509-client" | "tls-psk" => {
                let directory = value.trim_end_matches('/');
                for name in credentials(word) {
                    self.path(spot.clone(), &format!("{directory}/{name}"), Access::Read);
                }
            }
            // NSS says before the directory what kind of database is in it (certutil(1), -d).
            "nss-database" => {
                let bare = ["sql:", "dbm:"].iter().find_map(|kind| value.strip_prefix(kind));
                self.path(spot, bare.unwrap_or(value), Access::Directory);
            }
            "rom" if value.starts_with('/') => self.path(spot, value, Access::Read),
            "rom" => self.lookup(spot, value, ""),
            "keymap" => self.lookup(spot, value, "keymaps/"),
            "search" => {
                self.line.searched.push(super::absolute(value));
                if value.starts_with('/') {
                    self.path(spot.optional(true), value, Access::Directory);
                }
            }
            // Without a kernel nobody looks at it.
            "device-tree" => self.path(spot.optional(!self.kernel), value, Access::Read),
            // A multiboot kernel has modules there, with words for each.
            "modules" => {
                let has_several = value.contains([',', ' ']);
                self.path(spot.optional(has_several), value, Access::Read);
            }
            "read-list" => {
                for path in value.split(':') {
                    self.path(spot.clone(), path, Access::Read);
                }
            }
            "server" => self.server(spot, value, ""),
            "dbus" => {
                let Some(path) = value.strip_prefix("unix:path=") else { return };
                let path = path.split(',').next().unwrap_or(path);
                self.path(spot, path, Access::Connect);
            }
            "guestfwd" => self.guest_forward(place, value, spot.at),
            "hostfwd" => self.host_forward(spot, value),
            other => debug_assert!(false, "the table has an access that nothing reads: {other}"),
        }
    }

    /// A file name without a directory is looked up among QEMU's own files.
    fn lookup(&mut self, spot: Spot, value: &str, folder: &'static str) {
        // Without a name there is none (`pci_add_option_rom`).
        if value.is_empty() {
            return;
        }
        let Spot { entry, at, what, optional } = spot;
        let name = value.to_owned();
        self.line.lookups.push(Lookup { entry, at, what, name, folder, optional });
    }

    /// `hostfwd=tcp:HOSTADDR:HOSTPORT-GUEST…`, or `unix:PATH-GUEST…`.
    fn host_forward(&mut self, spot: Spot, value: &str) {
        let (host, _) = value.rsplit_once('-').unwrap_or((value, ""));
        if let Some(path) = host.strip_prefix("unix:") {
            let spot = Spot::of(spot.entry, spot.at, "the forwarded socket");
            return self.path(spot, path, Access::Listen);
        }
        let udp = || host.strip_prefix("udp:").and_then(Endpoint::read).map(Endpoint::udp);
        let tcp = host.strip_prefix("tcp:").or(host.strip_prefix(':')).and_then(Endpoint::read);
        let mut endpoint = tcp.or_else(udp);
        // slirp knows all addresses of version 4 only.
        if let Some(endpoint) = endpoint.as_mut().filter(|endpoint| endpoint.host.is_empty()) {
            "0.0.0.0".clone_into(&mut endpoint.host);
        }
        let spot = Spot::of(spot.entry, spot.at, "a network address");
        self.network(spot, host, true, endpoint);
    }

    /// `guestfwd=tcp:ADDRESS:PORT-cmd:COMMAND` or `…-DEVICE`.
    fn guest_forward(&mut self, place: Place<'_>, value: &str, at: std::ops::Range<usize>) {
        let Some((_, target)) = value.split_once('-') else { return };
        match target.strip_prefix("cmd:") {
            Some(command) => {
                self.program(
                    Spot::of(place.entry, at, "the command behind guestfwd"),
                    command,
                    Moment::Later,
                );
            }
            None => self.character(Place { entry: place.entry, text: place.text }, target, false),
        }
    }
}

/// How a file is opened, for the words that mean one way.
fn access(word: &str) -> Option<Access> {
    Some(match word {
        "read" => Access::Read,
        "read-write" => Access::ReadWrite,
        "create" => Access::Create,
        "memory" => Access::Memory,
        "memory-read" => Access::MemoryRead,
        "directory" => Access::Directory,
        "listen" => Access::Listen,
        "connect" => Access::Connect,
        "library" => Access::Library,
        "pipe" => Access::Pipe,
        _ => return None,
    })
}

/// A thing that is no file, for the words that mean one.
fn resource(word: &str, value: &str) -> Option<Resource> {
    let value = value.to_owned();
    let session = |variables| Resource::Session { variables };
    Some(match word {
        "execute" => Resource::Program { command: value, moment: Moment::Start },
        "execute-later" => Resource::Program { command: value, moment: Moment::Later },
        "tap" => Resource::Tap { name: value },
        "pci" => Resource::Pci { address: value },
        "usb" => Resource::Usb { what: value },
        "desktop" => session("DISPLAY,WAYLAND_DISPLAY"),
        "session-bus" => session("DBUS_SESSION_BUS_ADDRESS"),
        "terminal" => session(""),
        _ => return None,
    })
}

/// The files that a kind of credentials can't do without (`qcrypto_tls_creds_load`).
fn credentials(word: &str) -> &'static [&'static str] {
    match word {
        "tls-x509-server" => &["ca-cert.pem", "server-cert.pem", "server-key.pem"],
        "tls-x509-client" => &["ca-cert.pem"],
        _ => &["keys.psk"],
    }
}

/// The TCP port that a key and its neighbours name; none where QEMU may take another (`to`).
fn endpoint(key: &str, value: &str, pairs: &Pairs) -> Option<Endpoint> {
    if pairs.get("to").is_some() || pairs.get("addr.to").is_some() {
        return None;
    }
    let host = |names: &[&str]| names.iter().find_map(|name| pairs.get(name)).unwrap_or_default();
    match key {
        "port" | "tls-port" => {
            let host = host(&["host", "addr"]);
            // SPICE takes all addresses of version 4 first, and does without those of version 6.
            Endpoint::new(if host.is_empty() { "0.0.0.0" } else { host }, value)
        }
        "server" => Endpoint::new(value, pairs.get("port").unwrap_or("24800")),
        "server.host" => Endpoint::new(value, pairs.get("server.port")?),
        "host" => Endpoint::new(value, pairs.get("port").unwrap_or("10809")),
        "addr.port" => Endpoint::new(host(&["addr.host"]), value),
        "local.port" => Endpoint::new(host(&["local.host"]), value),
        "localport" => Endpoint::new(host(&["localaddr"]), value),
        "srcport" => Endpoint::new(host(&["src"]), value),
        "listen" | "connect" | "localaddr" => {
            // `parse_host_port` knows version 4 only.
            let mut endpoint = Endpoint::read(value)?;
            if endpoint.host.is_empty() {
                "0.0.0.0".clone_into(&mut endpoint.host);
            }
            Some(endpoint)
        }
        _ => None,
    }
}

/// Whether all conditions of a row hold: `key`, `!key`, `key=value`, `!key=value`, `key!=value`.
fn conditions(when: &str, pairs: &Pairs) -> bool {
    when.split(',').filter(|word| !word.is_empty() && !word.starts_with("optional")).all(|word| {
        if let Some((key, unwanted)) = word.split_once("!=") {
            return pairs.get(key).is_none_or(|value| value != unwanted);
        }
        let (negated, word) = word.strip_prefix('!').map_or((false, word), |word| (true, word));
        let holds = match word.split_once('=') {
            Some((key, "on")) => pairs.on(key) == Some(true),
            Some((key, wanted)) => pairs.get(key) == Some(wanted),
            None => pairs.get(word).is_some(),
        };
        holds != negated
    })
}
