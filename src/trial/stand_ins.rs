//! The files that a command line names, made of what the host said about them: nothing of the host itself is opened.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Around, Options};
use crate::facts::contents::{self, Contents};
use crate::facts::header::Header;
use crate::facts::image::Image;
use crate::facts::{FileKind, HostFacts, Step, Walk, pipes};
use crate::qemu::{Access, CommandLine};

/// Something that stands where a command line names a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StandIn {
    /// The path.
    pub path: String,
    /// What it is.
    pub kind: StandInKind,
}

/// What stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StandInKind {
    /// A file of zeros of this size; with a qcow2 header where that is asked for.
    File {
        /// In bytes.
        size: u64,
        /// It begins as an image of this format does.
        qcow2: bool,
        /// Bytes of the file itself, by which QEMU decides.
        header: Header,
    },
    /// An empty directory.
    Directory,
    /// A FIFO.
    Fifo,
    /// Nothing but the directory in which it may be made.
    Parent,
}

/// The size of a file about which the host was not asked: a variable store of OVMF has it, and as a disk it is none too small.
const UNKNOWN_SIZE: u64 = 528 << 10;
/// The size of a block device.
const DEVICE_SIZE: u64 = 1 << 30;

/// What has to stand in for a command line to be read, by path.
///
/// Files below `/usr` are the distribution's own and are there for every program; they are not replaced, but for those in
/// `/usr/local`, which are the administrator's.
pub fn stand_ins(argv: &[String], own: &[&str], host: &HostFacts) -> Vec<StandIn> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let mut line = CommandLine::read(&words, &[]);
    pipes::settle(&mut line.uses, host);
    let own = super::command::place(&words, own);
    let formatted = formatted(&line);
    let rules = contents::wanted(&line).filter(|(_, of)| *of == Contents::Rules);
    let rules: BTreeSet<&str> = rules.map(|(path, _)| path).collect();
    let mut found: BTreeMap<String, StandInKind> = BTreeMap::new();
    for usage in &line.uses {
        let Some((path, access)) = usage.resource.path() else { continue };
        if !is_replaceable(path) {
            continue;
        }
        let size = line
            .option_at(usage.entry)
            .and_then(|option| crate::qemu::size(option.pairs.get("size")?, 0));
        let is_own = own.as_ref().is_some_and(|own| own.contains(&usage.entry.index));
        let fallback = StandInKind::File {
            size: size.unwrap_or(UNKNOWN_SIZE),
            qcow2: formatted.contains(path),
            header: Header::default(),
        };
        // What a native element names and the host lacks is libvirt's to say; QEMU is asked as if it were there.
        let kind = kind(path, access, fallback.clone(), host)
            .or((!is_own && access != Access::Connect).then_some(fallback));
        // Of rules that nobody read there are none.
        let is_unread = rules.contains(path) && !host.headers.contains_key(path);
        let empty = StandInKind::File { size: 0, qcow2: false, header: Header::default() };
        if let Some(kind) = kind.map(|kind| if is_unread { empty } else { kind }) {
            found.insert(path.to_owned(), kind);
        }
    }
    found.into_iter().map(|(path, kind)| StandIn { path, kind }).collect()
}

impl Around {
    /// What a command line meets where `kvm` tells whether KVM is there.
    pub fn of(argv: &[String], host: &HostFacts, kvm: bool) -> Around {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let line = CommandLine::read(&words, &[]);
        let started = contents::wanted(&line).filter(|(_, of)| *of == Contents::Kernel).last();
        let kernel = started.is_none_or(|(path, _)| host.headers.contains_key(path));
        let files = line.options("readconfig").filter_map(|option| option.value);
        let read: Option<Vec<&Header>> =
            files.map(|value| host.headers.get(words[value])).collect();
        let options = match read {
            None => Options::Unread,
            Some(read) if read.iter().any(|header| header.bytes.contains(&b'/')) => {
                Options::NameFiles
            }
            Some(_) => Options::Plain,
        };
        Around { kvm, kernel, options }
    }
}

/// Files that a qcow2 node of the block layer lies on: by its own name for them, or through a node of theirs.
fn formatted(line: &CommandLine) -> BTreeSet<String> {
    let file_of = |node: &str| {
        let storage =
            line.options("blockdev").find(|option| option.pairs.get("node-name") == Some(node))?;
        storage.pairs.get("filename").map(str::to_owned)
    };
    let qcow2 = line.read_options().filter(|option| {
        let format = option.pairs.get("driver").or(option.pairs.get("format"));
        ["blockdev", "drive"].contains(&option.name()) && format == Some("qcow2")
    });
    let files = qcow2.filter_map(|option| {
        let pairs = &option.pairs;
        let file = pairs.get("file")?;
        Some(file_of(file).unwrap_or_else(|| file.to_owned()))
    });
    let nested = line.read_options().filter_map(|option| option.pairs.get("file.filename"));
    // libvirt starts QEMU in the root directory.
    let absolute = |path: String| if path.starts_with('/') { path } else { format!("/{path}") };
    files.chain(nested.map(str::to_owned)).map(absolute).collect()
}

fn is_replaceable(path: &str) -> bool {
    let below =
        |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    path.starts_with('/')
        && (below("/usr/local")
            || !["/usr", "/proc", "/sys", "/lib", "/lib64", "/bin", "/sbin"]
                .iter()
                .any(|d| below(d)))
        && !path.contains("/../")
}

fn kind(
    path: &str,
    access: Access,
    fallback: StandInKind,
    host: &HostFacts,
) -> Option<StandInKind> {
    let image = host.images.get(path);
    let qcow2 = image.is_some_and(|image| image.format == "qcow2");
    let walk = host.walk(path).ok();
    if let Some(step) = walk.and_then(Walk::target) {
        let header = host.headers.get(path).cloned().or(image.map(features)).unwrap_or_default();
        return of_step(step, qcow2, header);
    }
    let is_missing = walk.is_some();
    match access {
        Access::Create | Access::Listen | Access::Memory | Access::Connect => {
            Some(StandInKind::Parent)
        }
        // The host's own rule says that it is missing.
        _ if is_missing => None,
        Access::Directory => Some(StandInKind::Directory),
        Access::Read
        | Access::ReadWrite
        | Access::ReadWriteOrRead
        | Access::MemoryRead
        | Access::Pipe
        | Access::Library => Some(fallback),
    }
}

/// What the header of an image says that its reader has to know of; the stand-in is laid out without a data file, without other
/// compression, and without larger tables.
fn features(image: &Image) -> Header {
    const LAID_OUT: u64 = 0b1_1100;
    if image.old {
        return Header { at: 4, bytes: 2_u32.to_be_bytes().to_vec() };
    }
    let kept = image.incompatible & !LAID_OUT;
    Header { at: 72, bytes: if kept == 0 { Vec::new() } else { kept.to_be_bytes().to_vec() } }
}

fn of_step(step: &Step, qcow2: bool, header: Header) -> Option<StandInKind> {
    Some(match step.kind {
        FileKind::File => StandInKind::File { size: step.size, qcow2, header },
        FileKind::Directory => StandInKind::Directory,
        FileKind::Char(..) | FileKind::Block(..) => {
            StandInKind::File { size: DEVICE_SIZE, qcow2: false, header: Header::default() }
        }
        FileKind::Fifo => StandInKind::Fifo,
        FileKind::Socket => StandInKind::Parent,
        FileKind::Link(_) => return None,
    })
}
