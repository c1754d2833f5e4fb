//! Disk images: `-drive`, `-blockdev`, `-hda` and kin, and the protocols that a file name can begin with.

use std::collections::{BTreeSet, HashSet};

use super::{
    Access, Declared, Endpoint, Id, Note, NoteKind, Pairs, Place, QemuOption, Reader, Resource,
    Spot, absolute,
};
use crate::domain::EntryId;
use crate::qemu::{Pair, catalog};

/// Nodes in nodes, at most.
const DEEPEST: usize = 32;

/// Devices that only read their drive.
const READERS: [&str; 3] = ["ide-cd", "scsi-cd", "floppy"];

/// The drives that a device of the command line writes to (it then needs what `-drive` alone does without), and the shared
/// directories that one uses.
pub(super) fn attached(options: &[QemuOption]) -> HashSet<String> {
    let mut drives = HashSet::new();
    for device in options.iter().filter(|option| option.name() == "device") {
        let writes = !READERS.contains(&device.kind());
        if let Some(drive) = device.pairs.get("drive")
            && writes
        {
            drives.insert(drive.to_owned());
        }
        let others = ["fsdev", "iommufd"].into_iter().filter_map(|key| device.pairs.get(key));
        drives.extend(others.map(str::to_owned));
    }
    for machine in options.iter().filter(|option| ["machine", "M"].contains(&option.name())) {
        let guards = ["confidential-guest-support", "memory-encryption"];
        let ids = guards.iter().filter_map(|key| machine.pairs.get(key));
        drives.extend(ids.map(str::to_owned));
    }
    drives
}

/// Whether `-snapshot` is there.
pub(super) fn snapshot(options: &[QemuOption]) -> bool {
    options.iter().any(|option| option.name() == "snapshot")
}

impl Reader<'_> {
    /// `-hda FILE` and kin, and arguments that stand alone: the whole value is a file name, commas are no separators.
    pub(super) fn image_option(&mut self, place: Place<'_>, access: &str) {
        let access =
            if access == "read" || self.snapshot { Access::Read } else { Access::ReadWrite };
        self.file_name(place, place.text, place.text, access);
    }

    /// `-drive`.
    pub(super) fn drive(&mut self, place: Place<'_>, pairs: &Pairs) {
        if let Some((at, what)) = &pairs.error {
            self.line.notes.push(Note {
                entry: place.entry,
                at: *at,
                kind: NoteKind::Syntax(what.clone()),
            });
        }
        let id = pairs.get("id");
        if let Some(id) = id {
            self.line.ids.push(Id { group: "drive", id: id.to_owned(), entry: place.entry });
        }
        if pairs.on("snapshot") == Some(true)
            || (self.snapshot && pairs.on("snapshot") != Some(false))
        {
            let file = format!("{}/vl.XXXXXX", self.temporary);
            self.path(
                Spot::of(place.entry, 0..0, "the temporary file of a snapshot"),
                &file,
                Access::Create,
            );
        }
        let unattached =
            pairs.get("if") == Some("none") && !id.is_some_and(|id| self.attached.contains(id));
        let access = if pairs.on("readonly").or(pairs.on("read-only")) == Some(true)
            || pairs.get("media") == Some("cdrom")
            || pairs.on("snapshot") == Some(true)
            || self.snapshot
        {
            Access::Read
        } else if pairs.on("auto-read-only") == Some(false) {
            Access::ReadWrite
        } else if unattached && !pairs.get("format").or(pairs.get("driver")).is_some_and(is_format)
        {
            Access::ReadWriteOrRead
        } else {
            Access::ReadWrite
        };
        self.chain =
            pairs.get("format").or(pairs.get("driver")) != Some("raw") && !names_chain(pairs);
        if let Some(driver) =
            pairs.get("format").or(pairs.get("driver")).filter(|driver| *driver != "help")
        {
            let path = pairs.get("file").filter(|file| !file.contains(':')).map(absolute);
            self.line.formats.push(Declared {
                entry: place.entry,
                path,
                driver: driver.to_owned(),
            });
        }
        if let Some(pair) = pairs.pair("file") {
            let raw = place.text.get(pair.value_span.clone()).unwrap_or_default().to_owned();
            self.file_name(place, &raw, &pair.value, access);
        }
        let driver = pairs.get("driver").or(pairs.get("format"));
        self.node(place, &Node::outer(pairs, driver), access);
        self.chain = true;
    }

    /// `-blockdev`.
    pub(super) fn blockdev(&mut self, place: Place<'_>, pairs: &Pairs) {
        if let Some((at, what)) = &pairs.error {
            self.line.notes.push(Note {
                entry: place.entry,
                at: *at,
                kind: NoteKind::Syntax(what.clone()),
            });
        }
        if let Some(name) = pairs.get("node-name") {
            self.line.ids.push(Id { group: "node", id: name.to_owned(), entry: place.entry });
        }
        self.locks = pairs.get("node-name").is_some_and(|name| self.attached.contains(name));
        // A node that names no backing file opens the one of its header; below a format only that format's header counts.
        let driver = pairs.get("driver").unwrap_or_default();
        self.chain = ["qcow2", "qcow", "qed", "vmdk"].contains(&driver) && !names_chain(pairs);
        self.node(place, &Node::outer(pairs, pairs.get("driver")), Access::ReadWrite);
        (self.locks, self.chain) = (true, true);
    }

    /// One node of the block layer and the nodes inside it.
    ///
    /// A node inherits `read-only` and `auto-read-only` from the one around it (`bdrv_inherited_options`).
    fn node(&mut self, place: Place<'_>, node: &Node<'_>, inherited: Access) {
        let access = match (node.on("read-only"), node.on("auto-read-only")) {
            (Some(true), _) => Access::Read,
            // A format's driver writes into its file all the same.
            (_, Some(true)) if !node.in_format => {
                let is_written = self.locks && inherited == Access::ReadWrite;
                if is_written { Access::ReadWrite } else { Access::ReadWriteOrRead }
            }
            (Some(false), _) => Access::ReadWrite,
            _ => inherited,
        };
        if let Some(driver) = node.driver {
            self.declare(place, node, driver);
            for (key, word, what) in catalog::block_driver(driver) {
                let Some(pair) = node.pair(key) else { continue };
                let spot = Spot::of(place.entry, pair.value_span.clone(), what);
                match word {
                    "image" => self.image(spot, &pair.value, access),
                    "network-connect" => {
                        let port =
                            node.pair(&key.replace("host", "port")).map(|pair| pair.value.as_str());
                        let endpoint = Endpoint::new(&pair.value, port.unwrap_or_default());
                        let spot = Spot { what: "a network address", ..spot };
                        self.network(spot, &pair.value, false, endpoint);
                    }
                    "vvfat" => self.path(spot, &pair.value, Access::Directory),
                    word => self.word(place, spot, word, &pair.value),
                }
            }
        } else if let Some(pair) = node.pair("filename") {
            // Without a driver the name alone decides (`file.filename=`).
            self.file_name(place, &pair.value, &pair.value, access);
        }
        for child in node.inner() {
            let deeper = format!("{}{child}.", node.prefix);
            let driver = node.pairs.get(&format!("{deeper}driver"));
            let in_format = node.in_format || driver.is_some_and(is_format);
            let inner = Node { prefix: &deeper, driver, in_format, ..*node };
            // A backing file is only read.
            let access = if child == "backing" { Access::Read } else { access };
            // Between a list and its nodes stand numbers (`children.0.driver`).
            let is_near = deeper.matches('.').count() <= DEEPEST;
            if is_near {
                self.node(place, &inner, access);
            }
        }
    }

    /// Notes the driver that a node says its file has.
    fn declare(&mut self, place: Place<'_>, node: &Node<'_>, driver: &str) {
        let file = node.pair("file.filename").or(node.pair("filename"));
        let file = file.map(|pair| pair.value.as_str()).filter(|file| !file.contains(':'));
        let path = file.map(absolute);
        let last = self.line.formats.last();
        let said = last.is_some_and(|last| last.entry == place.entry && last.driver == driver);
        if path.is_some() || !said {
            self.line.formats.push(Declared {
                entry: place.entry,
                path,
                driver: driver.to_owned(),
            });
        }
    }

    /// A file name with an optional protocol in front (`bdrv_parse_filename`, `path_has_protocol`).
    fn file_name(&mut self, place: Place<'_>, raw: &str, name: &str, access: Access) {
        let at = place.span(raw);
        let protocol_end = name.find([':', '/']).filter(|&at| name[at..].starts_with(':'));
        let Some(end) = protocol_end else {
            return self.image(Spot::of(place.entry, at, "the image"), name, access);
        };
        let (protocol, rest) = (&name[..end], &name[end + 1..]);
        match protocol {
            "file" | "host_device" | "host_cdrom" => {
                let rest =
                    if protocol == "file" { rest.strip_prefix("//").unwrap_or(rest) } else { rest };
                self.image(Spot::of(place.entry, at, "the image"), rest, access);
            }
            "json" => {
                let pairs = Pairs::read(rest, None);
                self.node(place, &Node::outer(&pairs, pairs.get("driver")), access);
            }
            "fat" => {
                // block/vvfat.c (vvfat_parse_filename): the flags may stand in any order, the directory after the last colon.
                let dir = rest.rsplit(':').next().unwrap_or(rest);
                self.path(
                    Spot::of(place.entry, at, "the directory shown as a FAT disk"),
                    dir,
                    Access::Directory,
                );
            }
            "nbd" if rest.starts_with("//") => {
                let server =
                    rest.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
                let has_port =
                    server.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
                let server = if has_port { server.to_owned() } else { format!("{server}:10809") };
                let spot = Spot::of(place.entry, at, "a network address");
                self.network(spot, name, false, Endpoint::read(&server));
            }
            "nbd" => self.nbd(place.entry, at, rest),
            "nbd+unix" | "gluster+unix" => {
                if let Some((_, path)) = rest.split_once("socket=") {
                    let path = path.split('&').next().unwrap_or(path);
                    self.path(
                        Spot::of(place.entry, at, "the server's socket"),
                        path,
                        Access::Connect,
                    );
                }
            }
            "nvme" => self.add(
                Spot::of(place.entry, at, "the NVMe controller"),
                Resource::Pci { address: rest.trim_start_matches('/').to_owned() },
            ),
            "blkdebug" => {
                let (config, inner) = rest.split_once(':').unwrap_or((rest, ""));
                self.path(
                    Spot::of(place.entry, at, "the fault injection rules"),
                    config,
                    Access::Read,
                );
                self.file_name(place, inner, inner, access);
            }
            "blkverify" => {
                let (raw, other) = rest.split_once(':').unwrap_or((rest, ""));
                self.image(Spot::of(place.entry, at, "the image"), raw, access);
                self.file_name(place, other, other, access);
            }
            "rbd" => {
                if let Some((_, conf)) = rest.split_once(":conf=") {
                    let conf = conf.split(':').next().unwrap_or(conf);
                    self.path(
                        Spot::of(place.entry, at, "the Ceph configuration"),
                        conf,
                        Access::Read,
                    );
                }
            }
            "null-co" | "null-aio" => {}
            _ => self.network(Spot::of(place.entry, at, "a network address"), name, false, None),
        }
    }

    /// What stands behind `nbd:`, a socket or an address, either with the name of an export.
    fn nbd<'b>(&mut self, entry: EntryId, at: std::ops::Range<usize>, rest: &'b str) {
        let unnamed =
            |text: &'b str| text.split_once(":exportname=").map_or(text, |(server, _)| server);
        match rest.strip_prefix("unix:") {
            Some(path) => {
                let spot = Spot::of(entry, at, "the NBD server's socket");
                self.path(spot, unnamed(path), Access::Connect);
            }
            None => {
                let spot = Spot::of(entry, at, "a network address");
                self.network(spot, rest, false, Endpoint::read(unnamed(rest)));
            }
        }
    }

    fn image(&mut self, spot: Spot, path: &str, access: Access) {
        if !path.is_empty() {
            let (path, locks, chain) = (absolute(path), self.locks, self.chain);
            self.add(spot, Resource::Path { path, access, locks, chain });
        }
    }
}

/// Whether the arguments themselves name the backing or the data file: those of the header are not opened then.
fn names_chain(pairs: &Pairs) -> bool {
    pairs.pairs.iter().any(|pair| {
        let outer = pair.key.split('.').next().unwrap_or_default();
        ["backing", "data-file"].contains(&outer)
    })
}

/// Whether a format's driver writes into its file as soon as the image is opened for writing (`qcow2_do_open`).
pub fn is_format(driver: &str) -> bool {
    const FORMATS: [&str; 8] = ["parallels", "qcow", "qcow2", "qed", "vdi", "vhdx", "vmdk", "vpc"];
    FORMATS.contains(&driver)
}

/// A node of the block layer among the pairs of an option.
struct Node<'a> {
    /// What its keys begin with: nothing, or words that end in a dot.
    prefix: &'a str,
    pairs: &'a Pairs,
    driver: Option<&'a str>,
    /// It is of a format that writes into its own file, or is inside one.
    in_format: bool,
}

impl<'a> Node<'a> {
    /// The outermost node of an option.
    fn outer(pairs: &'a Pairs, driver: Option<&'a str>) -> Node<'a> {
        Node { prefix: "", pairs, driver, in_format: driver.is_some_and(is_format) }
    }

    fn pair(&self, key: &str) -> Option<&'a Pair> {
        self.pairs.pair(&format!("{}{key}", self.prefix))
    }

    fn on(&self, key: &str) -> Option<bool> {
        self.pairs.on(&format!("{}{key}", self.prefix))
    }

    /// The keys that may hold other nodes.
    fn inner(&self) -> BTreeSet<&'a str> {
        const NO_NODES: [&str; 5] = ["server", "throttling", "cache", "encrypt", "key-secret"];
        let keys = self.pairs.pairs.iter().filter_map(|pair| pair.key.strip_prefix(self.prefix));
        let outer = keys.filter_map(|key| key.split_once('.')).map(|(child, _)| child);
        outer.filter(|child| !NO_NODES.contains(child)).collect()
    }
}
