//! From options to uses: each kind of value has its reader.

mod character;
mod image;
mod rows;

use super::argv::QemuOption;
use super::keyval::Pairs;
use super::resource::{Access, Endpoint, Moment, Resource, Use};
use super::{CommandLine, Declared, Id, Note, NoteKind, argv, catalog};
use crate::domain::EntryId;

/// Reads every option and variable of a command line whose options are grouped.
pub(super) fn read(line: &mut CommandLine, argv: &[&str], environment: &[(&str, Option<&str>)]) {
    let options = std::mem::take(&mut line.options);
    let mut reader = Reader {
        attached: image::attached(&options),
        locks: true,
        chain: true,
        snapshot: image::snapshot(&options),
        line,
    };
    for option in &options {
        reader.option(option, argv);
    }
    for (index, (name, value)) in environment.iter().enumerate() {
        reader.variable(EntryId::env(index), name, value.unwrap_or_default());
    }
    line.options = options;
}

struct Reader<'a> {
    line: &'a mut CommandLine,
    /// Drives that a device of the same command line uses for writing, and shared directories that one uses.
    attached: std::collections::HashSet<String>,
    /// The images being read are locked.
    locks: bool,
    /// The images being read may name others in their headers.
    chain: bool,
    /// `-snapshot` is there: images are only read.
    snapshot: bool,
}

/// A value under its option: where uses found in it belong.
#[derive(Clone, Copy)]
struct Place<'a> {
    entry: EntryId,
    /// The whole value.
    text: &'a str,
}

impl Place<'_> {
    /// Where `part`, a piece of the value, stands in it.
    fn span(&self, part: &str) -> std::ops::Range<usize> {
        self.text.find(part).map_or(0..self.text.len(), |at| at..at + part.len())
    }
}

impl Reader<'_> {
    fn option(&mut self, option: &QemuOption, argv: &[&str]) {
        let entry = EntryId::arg(option.entry);
        let text = argv[option.entry];
        let Some(row) = option.row else {
            return self.odd(entry, text);
        };
        if row.reader == "exit" || option.value.is_some_and(|value| asks_help(argv[value])) {
            return self.note(entry, 0, NoteKind::Exits);
        }
        if !row.takes_value {
            if let Some(path) = row.reader.strip_prefix("file:") {
                self.path(entry, 0..0, path, Access::Create, row.what, true);
            }
            if row.reader == "fork" {
                self.program(
                    entry,
                    0..0,
                    "QEMU itself, in the background",
                    Moment::Start,
                    "a second process",
                );
            }
            return;
        }
        let Some(value_at) = option.value else {
            return self.note(entry, 0, NoteKind::Dangling);
        };
        let place = Place { entry: EntryId::arg(value_at), text: argv[value_at] };
        self.value(row, place, &option.pairs);
    }

    fn value(&mut self, row: catalog::OptionRow, place: Place<'_>, pairs: &Pairs) {
        let (reader, detail) = row.reader.split_once(':').unwrap_or((row.reader, ""));
        match reader {
            "path" => self.word(place, detail, place.text, 0..place.text.len(), row.what, false),
            "image" => self.image_option(place, detail),
            "drive" => self.drive(place, pairs),
            "blockdev" => self.blockdev(place, pairs),
            // The debugger's TCP port is a server's (`gdbserver_start`).
            "character" => self.character(place, place.text, row.name == "gdb"),
            "incoming" => self.incoming(place),
            "vnc" => self.vnc(place, pairs),
            "set" => self.set(place),
            "global" => self.global(place),
            "keyval" => self.keyval(row, place, pairs),
            "user" => self.privilege(place, place.text, true),
            "chroot" => self.chroot(place, place.text),
            _ => {}
        }
    }

    fn keyval(&mut self, row: catalog::OptionRow, place: Place<'_>, pairs: &Pairs) {
        if let Some((at, what)) = &pairs.error {
            self.note(place.entry, *at, NoteKind::Syntax(what.clone()));
        }
        if row.name == "acpitable" && pairs.get("file").is_none() && pairs.get("data").is_none() {
            self.note(
                place.entry,
                0,
                NoteKind::Syntax("neither file= nor data= is there, expected one".to_owned()),
            );
        }
        let group = match row.name {
            "chardev" => Some("chardev"),
            "object" => Some("object"),
            "netdev" => Some("netdev"),
            "device" => Some("device"),
            "fsdev" => Some("fsdev"),
            _ => None,
        };
        if let (Some(group), Some(id)) = (group, pairs.get("id")) {
            self.line.ids.push(Id { group, id: id.to_owned(), entry: place.entry });
        }
        if row.name == "chardev" && pairs.get("backend") == Some("socket") {
            self.waits(place, pairs);
        }
        if let (Some(user), "run-with") = (pairs.get("user"), row.name) {
            self.privilege(place, user, true);
        }
        if let (Some(root), "run-with") = (pairs.get("chroot"), row.name) {
            self.chroot(place, root);
        }
        if let (Some(group @ ("device" | "object")), Some(name)) =
            (group, row.implied.and_then(|key| pairs.get(key)))
        {
            self.line.types.push((group, name.to_owned(), place.entry));
        }
        // The old and the short network options name the same backends.
        let table = if row.name == "nic" || row.name == "net" { "netdev" } else { row.name };
        let kind = row.implied.and_then(|key| pairs.get(key)).unwrap_or_default();
        self.rows(place, catalog::resources(table), kind, pairs);
    }

    /// An argument that is no option: joined, unknown, or a stray image.
    fn odd(&mut self, entry: EntryId, text: &str) {
        let Some(name) = argv::option_name(text) else {
            // Behind an option that no table knows it may be that option's value; where QEMU lacks the option it exits there.
            let before = self.line.notes.last();
            let follows_unknown = before.is_some_and(|note| {
                note.kind == NoteKind::UnknownOption && note.entry.index + 1 == entry.index
            });
            self.note(entry, 0, NoteKind::Stray);
            if !text.is_empty() && !follows_unknown {
                self.image_option(Place { entry, text }, "read-write");
            }
            return;
        };
        let end = name.find([' ', '=', '\t', '\n']).unwrap_or(name.len());
        let known = catalog::option(&name[..end]);
        match known {
            Some(row) if end < name.len() && row.takes_value => {
                let dashes = text.len() - name.len();
                let value = name[end + 1..].trim_start();
                self.note(
                    entry,
                    0,
                    NoteKind::Joined {
                        option: text[..dashes + end].to_owned(),
                        value: value.to_owned(),
                    },
                );
                // What was meant is still worth judging once it is split; as it stands QEMU refuses it.
            }
            _ => self.note(entry, 0, NoteKind::UnknownOption),
        }
    }

    /// `-incoming` (QEMU's migration URIs).
    fn incoming(&mut self, place: Place<'_>) {
        let text = place.text;
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        let span = place.span(rest);
        match scheme {
            "exec" => self.program(
                place.entry,
                span,
                rest,
                Moment::Start,
                "the command the migration is read from",
            ),
            "unix" => {
                self.path(place.entry, span, rest, Access::Listen, "the migration's socket", false);
            }
            "file" => {
                let path = rest.split_once(",offset=").map_or(rest, |(path, _)| path);
                self.path(place.entry, span, path, Access::Read, "the migration's file", false);
            }
            "fd" => self.descriptor(place.entry, span, rest),
            "tcp" | "rdma" => {
                self.network(
                    place.entry,
                    span,
                    rest,
                    true,
                    Endpoint::read(rest).filter(|_| scheme == "tcp"),
                );
            }
            _ if text.starts_with('{') => {
                let pairs = Pairs::read(text, None);
                if let Some(path) = pairs.get("addr.path") {
                    let access = if pairs.get("addr.transport") == Some("file") {
                        Access::Read
                    } else {
                        Access::Listen
                    };
                    self.path(
                        place.entry,
                        0..text.len(),
                        path,
                        access,
                        "the migration's socket",
                        false,
                    );
                }
            }
            _ => {}
        }
    }

    /// `-set GROUP.ID.KEY=VALUE`: a key of an item whose driver is not known here.
    fn set(&mut self, place: Place<'_>) {
        let mut parts = place.text.splitn(3, '.');
        if let (Some(group), Some(_), Some(pair)) = (parts.next(), parts.next(), parts.next()) {
            self.assigned(place, group, "", pair);
        }
    }

    /// `-global DRIVER.KEY=VALUE`: a key of every device of a driver.
    fn global(&mut self, place: Place<'_>) {
        if let Some((driver, pair)) = place.text.split_once('.') {
            self.assigned(place, "device", driver, pair);
        }
    }

    /// One `KEY=VALUE` whose value is taken as it stands, commas included.
    fn assigned(&mut self, place: Place<'_>, table: &str, kind: &str, pair: &str) {
        let Some((key, value)) = pair.split_once('=') else { return };
        let start = place.text.len() - value.len();
        // Only what the key names: what the item touches otherwise is said where it is defined.
        let named = catalog::resources(table)
            .iter()
            .filter(|row| row.key == Some(key) && catalog::matches(row.types, kind));
        for row in named.take(1) {
            self.word(place, row.access, value, start..place.text.len(), row.what, false);
        }
    }

    /// `-vnc DISPLAY,…`: a socket or a port.
    fn vnc(&mut self, place: Place<'_>, pairs: &Pairs) {
        let address = pairs.get("vnc").unwrap_or_default();
        match address.strip_prefix("unix:") {
            Some(path) => self.path(
                place.entry,
                place.span(path),
                path,
                Access::Listen,
                "the VNC socket",
                false,
            ),
            None if address.is_empty() || address == "none" => {}
            None => {
                let listen = pairs.on("reverse") != Some(true);
                // A display's number stands for a port from 5900 on; with `to` QEMU takes the first that is free.
                let (host, display) = address.rsplit_once(':').unwrap_or(("", address));
                let port =
                    display.parse::<u16>().ok().and_then(|display| display.checked_add(5900));
                let endpoint = port.filter(|_| listen && pairs.get("to").is_none());
                let endpoint = endpoint.and_then(|port| Endpoint::new(host, &port.to_string()));
                self.network(place.entry, place.span(address), address, listen, endpoint);
            }
        }
    }

    fn variable(&mut self, entry: EntryId, name: &str, value: &str) {
        let Some(row) = catalog::environment(name).filter(|_| !value.is_empty()) else { return };
        let whole = 0..value.len();
        match row.access {
            "library" => {
                for path in value.split([':', ' ']).filter(|path| path.starts_with('/')) {
                    self.path(entry, whole.clone(), path, Access::Library, row.what, true);
                }
            }
            "socket" => self.server(entry, whole, value, row.suffix, row.what),
            "search" => {
                for path in value.split(':').filter(|path| path.starts_with('/')) {
                    self.path(entry, whole.clone(), path, Access::Directory, row.what, true);
                }
            }
            "create" => self.path(entry, whole, value, Access::Create, row.what, true),
            "optional-device" => self.path(entry, whole, value, Access::ReadWrite, row.what, true),
            _ => self.path(entry, whole, value, Access::Read, row.what, true),
        }
    }

    /// A listening socket waits for its first client unless it is told not to (`wait`, on by default).
    fn waits(&mut self, place: Place<'_>, pairs: &Pairs) {
        if pairs.on("server") == Some(true) && pairs.on("wait") != Some(false) {
            self.note(place.entry, 0, NoteKind::Waits);
        }
    }

    /// A sound server: `unix:/path`, a path, or a host; without it QEMU starts silent.
    fn server(
        &mut self,
        entry: EntryId,
        at: std::ops::Range<usize>,
        value: &str,
        suffix: &str,
        what: &'static str,
    ) {
        let path = value.strip_prefix("unix:").unwrap_or(value);
        if path.starts_with('/') {
            let path = format!("{}{suffix}", path.trim_end_matches('/'));
            self.path(entry, at, &path, Access::Connect, what, true);
        } else {
            self.network(entry, at, value, false, None);
        }
    }

    fn note(&mut self, entry: EntryId, at: usize, kind: NoteKind) {
        self.line.notes.push(Note { entry, at, kind });
    }

    fn add(
        &mut self,
        entry: EntryId,
        at: std::ops::Range<usize>,
        resource: Resource,
        what: &'static str,
        optional: bool,
    ) {
        self.line.uses.push(Use { resource, entry, at, what, optional });
    }

    fn path(
        &mut self,
        entry: EntryId,
        at: std::ops::Range<usize>,
        path: &str,
        access: Access,
        what: &'static str,
        optional: bool,
    ) {
        if !path.is_empty() {
            self.add(
                entry,
                at,
                Resource::Path { path: absolute(path), access, locks: false, chain: false },
                what,
                optional,
            );
        }
    }

    fn program(
        &mut self,
        entry: EntryId,
        at: std::ops::Range<usize>,
        command: &str,
        moment: Moment,
        what: &'static str,
    ) {
        self.add(entry, at, Resource::Program { command: command.to_owned(), moment }, what, false);
    }

    fn descriptor(&mut self, entry: EntryId, at: std::ops::Range<usize>, name: &str) {
        self.add(
            entry,
            at,
            Resource::Descriptor { name: name.to_owned() },
            "an inherited descriptor",
            false,
        );
    }

    fn network(
        &mut self,
        entry: EntryId,
        at: std::ops::Range<usize>,
        address: &str,
        listen: bool,
        endpoint: Option<Endpoint>,
    ) {
        let resource = Resource::Network { address: address.to_owned(), listen, endpoint };
        self.add(entry, at, resource, "a network address", false);
    }

    fn chroot(&mut self, place: Place<'_>, root: &str) {
        self.path(
            place.entry,
            place.span(root),
            root,
            Access::Directory,
            "the root directory",
            false,
        );
        self.privilege(place, root, false);
    }

    fn privilege(&mut self, place: Place<'_>, name: &str, user: bool) {
        let (what, why) = if user {
            (format!("run as {name}"), "another user")
        } else {
            (format!("make {name} its root directory"), "another root directory")
        };
        self.add(place.entry, place.span(name), Resource::Privilege { what, user }, why, false);
    }
}

/// Whether a value asks for help (`is_help_option`).
fn asks_help(value: &str) -> bool {
    let first = value.split(',').next().unwrap_or(value);
    ["help", "?"].contains(&first)
}

/// A path as QEMU passes it to the kernel under libvirt, whose QEMU runs in `/`.
pub(super) fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{}", path.strip_prefix("./").unwrap_or(path))
    }
}
