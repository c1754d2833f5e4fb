//! Keys that the resource table names.

use super::character::retries;
use super::{Access, Endpoint, Moment, Pairs, Place, Reader, Resource};
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
                self.path(place.entry, span, &path, Access::ReadWrite, row.what, optional);
                continue;
            }
            if let Some(listen) = row.access.strip_prefix("network-") {
                let endpoint =
                    endpoint(row.key.unwrap_or_default(), &value, pairs).filter(|_| !optional);
                self.network(place.entry, span, &value, listen == "listen", endpoint);
                continue;
            }
            self.word(place, row.access, &value, span, row.what, optional);
        }
    }

    /// Records a use by the table's word for its access.
    pub(super) fn word(
        &mut self,
        place: Place<'_>,
        access: &str,
        value: &str,
        at: std::ops::Range<usize>,
        what: &'static str,
        optional: bool,
    ) {
        let entry = place.entry;
        let access = match access {
            "read" => Access::Read,
            "read-write" => Access::ReadWrite,
            "create" => Access::Create,
            "memory" => Access::Memory,
            "memory-read" => Access::MemoryRead,
            "directory" => Access::Directory,
            "listen" => Access::Listen,
            "connect" => Access::Connect,
            "library" => Access::Library,
            "inherit" => {
                return value.split(':').for_each(|name| self.descriptor(entry, at.clone(), name));
            }
            "execute" => return self.program(entry, at, value, Moment::Start, what),
            "execute-later" => return self.program(entry, at, value, Moment::Later, what),
            "network-connect" => {
                return self.network(entry, at, value, false, Endpoint::read(value));
            }
            "tap" => {
                return self.add(
                    entry,
                    at,
                    Resource::Tap { name: value.to_owned() },
                    what,
                    optional,
                );
            }
            "pci" => {
                return self.add(
                    entry,
                    at,
                    Resource::Pci { address: value.to_owned() },
                    what,
                    optional,
                );
            }
            "usb" => {
                return self.add(
                    entry,
                    at,
                    Resource::Usb { what: value.to_owned() },
                    what,
                    optional,
                );
            }
            "desktop" => {
                return self.add(
                    entry,
                    at,
                    Resource::Session { variables: "DISPLAY,WAYLAND_DISPLAY" },
                    what,
                    optional,
                );
            }
            "session-bus" => {
                return self.add(
                    entry,
                    at,
                    Resource::Session { variables: "DBUS_SESSION_BUS_ADDRESS" },
                    what,
                    optional,
                );
            }
            "terminal" => {
                return self.add(entry, at, Resource::Session { variables: "" }, what, optional);
            }
            // A file name without a directory is looked up among QEMU's own firmware.
            // The files that the kind of credentials can't do without (`qcrypto_tls_creds_load`).
            "tls-x509-server" | "tls-x509-client" | "tls-psk" => {
                let dir = value.trim_end_matches('/');
                let files: &[&str] = match access {
                    "tls-x509-server" => &["ca-cert.pem", "server-cert.pem", "server-key.pem"],
                    "tls-x509-client" => &["ca-cert.pem"],
                    _ => &["keys.psk"],
                };
                for name in files {
                    self.path(
                        entry,
                        at.clone(),
                        &format!("{dir}/{name}"),
                        Access::Read,
                        what,
                        optional,
                    );
                }
                return;
            }
            "rom" if !value.starts_with('/') => return,
            "rom" => Access::Read,
            "search" if !value.starts_with('/') => return,
            "search" => return self.path(entry, at, value, Access::Directory, what, true),
            "read-list" => {
                for path in value.split(':') {
                    self.path(entry, at.clone(), path, Access::Read, what, optional);
                }
                return;
            }
            "server" => return self.server(entry, at, value, "", what),
            "dbus" => {
                if let Some(path) = value.strip_prefix("unix:path=") {
                    let path = path.split(',').next().unwrap_or(path);
                    self.path(entry, at, path, Access::Connect, what, optional);
                }
                return;
            }
            "guestfwd" => return self.guest_forward(place, value, at),
            "hostfwd" => {
                // tcp:HOSTADDR:HOSTPORT-GUEST…, or unix:PATH-GUEST…
                let (host, _) = value.rsplit_once('-').unwrap_or((value, ""));
                return match host.strip_prefix("unix:") {
                    Some(path) => {
                        self.path(entry, at, path, Access::Listen, "the forwarded socket", false);
                    }
                    None => {
                        let endpoint = host.strip_prefix("tcp:").and_then(Endpoint::read);
                        self.network(entry, at, host, true, endpoint);
                    }
                };
            }
            other => {
                debug_assert!(false, "the table has an access that nothing reads: {other}");
                return;
            }
        };
        self.path(entry, at, value, access, what, optional);
    }

    /// `guestfwd=tcp:ADDRESS:PORT-cmd:COMMAND` or `…-DEVICE`.
    fn guest_forward(&mut self, place: Place<'_>, value: &str, at: std::ops::Range<usize>) {
        let Some((_, target)) = value.split_once('-') else { return };
        match target.strip_prefix("cmd:") {
            Some(command) => {
                self.program(
                    place.entry,
                    at,
                    command,
                    Moment::Later,
                    "the command behind guestfwd",
                );
            }
            None => self.character(Place { entry: place.entry, text: place.text }, target, false),
        }
    }
}

/// The TCP port that a key and its neighbours name; none where QEMU may take another (`to`).
fn endpoint(key: &str, value: &str, pairs: &Pairs) -> Option<Endpoint> {
    if pairs.get("to").is_some() || pairs.get("addr.to").is_some() {
        return None;
    }
    let host = |names: &[&str]| names.iter().find_map(|name| pairs.get(name)).unwrap_or_default();
    match key {
        "port" | "tls-port" => Endpoint::new(host(&["host", "addr"]), value),
        "addr.port" => Endpoint::new(host(&["addr.host"]), value),
        "listen" | "connect" => Endpoint::read(value),
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
