//! From options to uses: each kind of value has its reader.

mod character;
mod image;
mod rows;
mod sound;
mod vhost_user;

pub use character::retries;
pub use image::is_format;

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
        temporary: temporary(environment),
        sessions: sound::Sessions::of(environment),
        kernel: options.iter().any(|option| option.name() == "kernel"),
        line,
    };
    for option in &options {
        reader.option(option, argv);
    }
    for (index, (name, value)) in environment.iter().enumerate() {
        reader.variable(EntryId::env(index), name, value.unwrap_or_default());
    }
    line.options = options;
    vhost_user::settle(line);
}

/// Reads the properties that overrides give to devices, whose types are libvirt's business.
pub(super) fn overridden(line: &mut CommandLine, properties: &[(EntryId, &str, &str)]) {
    let attached = std::collections::HashSet::new();
    let temporary = temporary(&[]);
    let mut reader = Reader {
        line,
        attached,
        locks: true,
        chain: true,
        snapshot: false,
        temporary,
        sessions: sound::Sessions::default(),
        kernel: false,
    };
    for (entry, name, value) in properties {
        let place = Place { entry: *entry, text: value };
        reader.assigned(place, "device", "", (*name, *value));
    }
}

/// Variables by which the dynamic linker prints something in the place of the program (ld.so(8)); the value that does so, or none
/// where each does.
const LINKER_PRINTS: [(&str, &str); 2] = [("LD_DEBUG", "help"), ("LD_TRACE_LOADED_OBJECTS", "")];

struct Reader<'a> {
    line: &'a mut CommandLine,
    /// Drives that a device of the same command line uses for writing, shared directories and IOMMUs that one uses.
    attached: std::collections::HashSet<String>,
    /// The images being read are locked.
    locks: bool,
    /// The images being read may name others in their headers.
    chain: bool,
    /// `-snapshot` is there: images are only read.
    snapshot: bool,
    /// Where temporary files are made.
    temporary: String,
    /// Where the document's variables say that a session's sockets are.
    sessions: sound::Sessions,
    /// A kernel is started (`-kernel`).
    kernel: bool,
}

/// Where QEMU makes temporary files (`create_tmp_file`, block.c).
fn temporary(environment: &[(&str, Option<&str>)]) -> String {
    let named = environment.iter().find(|(name, _)| *name == "TMPDIR");
    named.and_then(|(_, value)| *value).unwrap_or("/var/tmp").to_owned()
}

/// A value under its option: where uses found in it belong.
#[derive(Clone, Copy)]
struct Place<'a> {
    entry: EntryId,
    /// The whole value.
    text: &'a str,
}

/// Where a use stands, and what it is for.
#[derive(Debug, Clone)]
struct Spot {
    entry: EntryId,
    /// Where in the entry's value.
    at: std::ops::Range<usize>,
    what: &'static str,
    /// QEMU starts without it.
    optional: bool,
}

impl Spot {
    fn of(entry: EntryId, at: std::ops::Range<usize>, what: &'static str) -> Spot {
        Spot { entry, at, what, optional: false }
    }

    fn optional(self, optional: bool) -> Spot {
        Spot { optional, ..self }
    }
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
                self.path(Spot::of(entry, 0..0, row.what).optional(true), path, Access::Create);
            }
            if row.reader == "fork" {
                self.program(
                    Spot::of(entry, 0..0, "a second process"),
                    "QEMU itself, in the background",
                    Moment::Start,
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
            "path" => self.word(
                place,
                Spot::of(place.entry, 0..place.text.len(), row.what),
                detail,
                place.text,
            ),
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
            "mon" => Some("mon"),
            "tpmdev" => Some("tpmdev"),
            _ => None,
        };
        if let (Some(group), Some(id)) = (group, pairs.get("id")) {
            self.line.ids.push(Id { group, id: id.to_owned(), entry: place.entry });
        }
        if row.name == "display" && pairs.get("vnc").is_some() {
            self.vnc(place, pairs);
        }
        if row.name == "chardev" && pairs.get("backend") == Some("socket") {
            self.waits(place, pairs);
        }
        if row.name == "audiodev" {
            self.sound(place, pairs);
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
                Spot::of(place.entry, span, "the command the migration is read from"),
                rest,
                Moment::Start,
            ),
            "unix" => {
                self.path(
                    Spot::of(place.entry, span, "the migration's socket"),
                    rest,
                    Access::Listen,
                );
            }
            "file" => {
                let path = rest.split_once(",offset=").map_or(rest, |(path, _)| path);
                self.path(Spot::of(place.entry, span, "the migration's file"), path, Access::Read);
            }
            // One that is not there fails the migration, not the start.
            "fd" => {
                let spot = Spot::of(place.entry, span, "an inherited descriptor").optional(true);
                self.descriptor(spot, rest);
            }
            "defer" => {}
            "tcp" | "rdma" => {
                if scheme == "rdma" {
                    let spot = Spot::of(place.entry, span.clone(), "the RDMA connection manager");
                    self.path(spot, "/dev/infiniband/rdma_cm", Access::ReadWrite);
                }
                self.network(
                    Spot::of(place.entry, span, "a network address"),
                    rest,
                    true,
                    if scheme == "tcp" { Endpoint::read(rest) } else { None },
                );
            }
            _ if text.starts_with('{') => {
                let pairs = Pairs::read(text, None);
                if pairs.get("addr.type") == Some("fd") {
                    let spot = Spot::of(place.entry, 0..text.len(), "an inherited descriptor");
                    self.descriptor(spot.optional(true), pairs.get("addr.str").unwrap_or_default());
                }
                if let Some(path) = pairs.get("addr.path") {
                    let access = if pairs.get("addr.transport") == Some("file") {
                        Access::Read
                    } else {
                        Access::Listen
                    };
                    self.path(
                        Spot::of(place.entry, 0..text.len(), "the migration's socket"),
                        path,
                        access,
                    );
                }
            }
            "vsock" => {}
            _ => {
                let what = format!("'{scheme}' is no way for a migration to come in");
                self.note(place.entry, 0, NoteKind::Syntax(what));
            }
        }
    }

    /// `-set GROUP.ID.KEY=VALUE`: a key of an item whose driver is not known here.
    fn set(&mut self, place: Place<'_>) {
        let mut parts = place.text.splitn(3, '.');
        if let (Some(group), Some(_), Some(pair)) = (parts.next(), parts.next(), parts.next())
            && let Some(pair) = pair.split_once('=')
        {
            self.assigned(place, group, "", pair);
        }
    }

    /// `-global DRIVER.KEY=VALUE`: a key of every device of a driver.
    fn global(&mut self, place: Place<'_>) {
        if let Some((driver, pair)) = place.text.split_once('.')
            && let Some(pair) = pair.split_once('=')
        {
            self.assigned(place, "device", driver, pair);
        }
    }

    /// A key and its value, the end of the text at `place`, which is taken as it stands, commas included.
    fn assigned(&mut self, place: Place<'_>, table: &str, kind: &str, (key, value): (&str, &str)) {
        let start = place.text.len() - value.len();
        // Only what the key names: what the item touches otherwise is said where it is defined.
        let named = catalog::resources(table)
            .iter()
            .filter(|row| row.key == Some(key) && catalog::matches(row.types, kind));
        for row in named.take(1) {
            self.word(
                place,
                Spot::of(place.entry, start..place.text.len(), row.what),
                row.access,
                value,
            );
        }
    }

    /// `websocket=` of `-vnc`: a port of its own, which counts from 5700 on where only `on` is said.
    fn websocket(&mut self, place: Place<'_>, pairs: &Pairs, address: &str) {
        let Some(pair) = pairs.pair("websocket") else { return };
        let (host, display) = address.rsplit_once(':').unwrap_or(("", address));
        let port = match (pair.value.parse::<u16>(), pairs.on("websocket")) {
            (Ok(port), _) => Some(port),
            (Err(_), Some(true)) => display.parse().ok().and_then(|at: u16| at.checked_add(5700)),
            (Err(_), _) => None,
        };
        let Some(port) = port else { return };
        let spot = Spot::of(place.entry, pair.value_span.clone(), "a network address");
        let endpoint = Endpoint::new(host, &port.to_string());
        self.network(spot, &format!("{host}:{port}"), true, endpoint);
    }

    /// `-vnc DISPLAY,…`: a socket or a port.
    fn vnc(&mut self, place: Place<'_>, pairs: &Pairs) {
        let address = pairs.get("vnc").unwrap_or_default();
        match address.strip_prefix("unix:") {
            Some(path) => self.path(
                Spot::of(place.entry, place.span(path), "the VNC socket"),
                path,
                Access::Listen,
            ),
            None if address.is_empty() || address == "none" => {}
            None => {
                self.websocket(place, pairs, address);
                let listen = pairs.on("reverse") != Some(true);
                // A display's number stands for a port from 5900 on; with `to` QEMU takes the first that is free.
                let (host, display) = address.rsplit_once(':').unwrap_or(("", address));
                let port =
                    display.parse::<u16>().ok().and_then(|display| display.checked_add(5900));
                let is_range = pairs.get("to").is_some();
                if let (Some(last), Ok(first)) = (pairs.get("to"), display.parse::<u16>())
                    && let Ok(last) = last.parse::<u16>()
                    && last < first
                {
                    let what = format!("to={last} comes before the display {first}");
                    self.note(place.entry, 0, NoteKind::Syntax(what));
                }
                let endpoint = match port {
                    // A viewer that waits is named by its port.
                    _ if !listen => Endpoint::read(address),
                    Some(port) if !is_range => Endpoint::new(host, &port.to_string()),
                    Some(_) | None => None,
                };
                self.network(
                    Spot::of(place.entry, place.span(address), "a network address"),
                    address,
                    listen,
                    endpoint,
                );
            }
        }
    }

    fn variable(&mut self, entry: EntryId, name: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        if LINKER_PRINTS.iter().any(|(of, wanted)| *of == name && ["", value].contains(wanted)) {
            self.note(entry, 0, NoteKind::Exits);
        }
        let Some(row) = catalog::environment(name) else { return };
        let whole = 0..value.len();
        match row.access {
            "-" => {}
            "library" => {
                for path in value.split([':', ' ']).filter(|path| path.starts_with('/')) {
                    self.path(
                        Spot::of(entry, whole.clone(), row.what).optional(true),
                        path,
                        Access::Library,
                    );
                }
            }
            "socket" => {
                self.server(Spot::of(entry, whole, row.what).optional(true), value, row.suffix);
            }
            "search" => {
                for path in value.split(':').filter(|path| path.starts_with('/')) {
                    self.path(
                        Spot::of(entry, whole.clone(), row.what).optional(true),
                        path,
                        Access::Directory,
                    );
                }
            }
            "create" => {
                self.path(Spot::of(entry, whole, row.what).optional(true), value, Access::Create);
            }
            "optional-device" => {
                self.path(
                    Spot::of(entry, whole, row.what).optional(true),
                    value,
                    Access::ReadWrite,
                );
            }
            _ => self.path(Spot::of(entry, whole, row.what).optional(true), value, Access::Read),
        }
    }

    /// A listening socket waits for its first client unless it is told not to (`wait`, on by default).
    fn waits(&mut self, place: Place<'_>, pairs: &Pairs) {
        if pairs.on("server") == Some(true) && pairs.on("wait") != Some(false) {
            self.note(place.entry, 0, NoteKind::Waits);
        }
    }

    fn note(&mut self, entry: EntryId, at: usize, kind: NoteKind) {
        self.line.notes.push(Note { entry, at, kind });
    }

    fn add(&mut self, spot: Spot, resource: Resource) {
        let Spot { entry, at, what, optional } = spot;
        self.line.uses.push(Use { resource, entry, at, what, optional });
    }

    fn path(&mut self, spot: Spot, path: &str, access: Access) {
        if !path.is_empty() {
            let path = absolute(path);
            self.add(spot, Resource::Path { path, access, locks: false, chain: false });
        }
    }

    fn program(&mut self, spot: Spot, command: &str, moment: Moment) {
        self.add(spot, Resource::Program { command: command.to_owned(), moment });
    }

    fn descriptor(&mut self, spot: Spot, name: &str) {
        self.add(spot, Resource::Descriptor { name: name.to_owned() });
    }

    fn network(&mut self, spot: Spot, address: &str, listen: bool, endpoint: Option<Endpoint>) {
        self.add(spot, Resource::Network { address: address.to_owned(), listen, endpoint });
    }

    fn chroot(&mut self, place: Place<'_>, root: &str) {
        self.path(
            Spot::of(place.entry, place.span(root), "the root directory"),
            root,
            Access::Directory,
        );
        self.privilege(place, root, false);
    }

    fn privilege(&mut self, place: Place<'_>, name: &str, user: bool) {
        let (what, why) = if user {
            (format!("run as {name}"), "another user")
        } else {
            (format!("make {name} its root directory"), "another root directory")
        };
        self.add(Spot::of(place.entry, place.span(name), why), Resource::Privilege { what, user });
    }
}

/// Whether a value asks for help (`is_help_option`).
fn asks_help(value: &str) -> bool {
    let first = value.split(',').next().unwrap_or(value);
    ["help", "?"].contains(&first)
}

/// A path as QEMU passes it to the kernel under libvirt, whose QEMU runs in `/`.
pub(in crate::qemu) fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{}", path.strip_prefix("./").unwrap_or(path))
    }
}
