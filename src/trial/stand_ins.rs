//! The files that a command line names, made of what the host said about them: nothing of the host itself is opened.

use std::collections::BTreeMap;

use crate::facts::{FileKind, HostFacts, Step, Walk};
use crate::qemu::{Access, CommandLine};

/// Something that stands where a command line names a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// The path.
    pub path: String,
    /// What it is.
    pub kind: StandInKind,
}

/// What stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandInKind {
    /// A file of zeros of this size; with a qcow2 header where that is asked for.
    File {
        /// In bytes.
        size: u64,
        /// It begins as an image of this format does.
        qcow2: bool,
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
/// Files below `/usr` are the distribution's own and are there for every program; they are not replaced.
pub fn stand_ins(argv: &[String], host: &HostFacts) -> Vec<StandIn> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let line = CommandLine::read(&words, &[]);
    let mut found: BTreeMap<String, StandInKind> = BTreeMap::new();
    for usage in &line.uses {
        let Some((path, access)) = usage.resource.path() else { continue };
        if !is_replaceable(path) {
            continue;
        }
        let size = line
            .option_at(usage.entry)
            .and_then(|option| crate::qemu::size(option.pairs.get("size")?, 0));
        let kind = kind(path, access, size, host);
        if let Some(kind) = kind {
            found.insert(path.to_owned(), kind);
        }
    }
    found.into_iter().map(|(path, kind)| StandIn { path, kind }).collect()
}

fn is_replaceable(path: &str) -> bool {
    let below =
        |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'));
    path.starts_with('/')
        && !["/usr", "/proc", "/sys", "/lib", "/lib64", "/bin", "/sbin"].iter().any(|d| below(d))
        && !path.contains("/../")
}

fn kind(path: &str, access: Access, size: Option<u64>, host: &HostFacts) -> Option<StandInKind> {
    let image = host.images.get(path);
    let qcow2 = image.is_some_and(|image| image.format == "qcow2");
    let walk = host.walk(path).ok();
    if let Some(step) = walk.and_then(Walk::target) {
        return of_step(step, qcow2);
    }
    let is_missing = walk.is_some();
    match access {
        Access::Create | Access::Listen | Access::Memory => Some(StandInKind::Parent),
        Access::Connect => None,
        // The host's own rule says that it is missing.
        _ if is_missing => None,
        Access::Directory => Some(StandInKind::Directory),
        Access::Read
        | Access::ReadWrite
        | Access::ReadWriteOrRead
        | Access::MemoryRead
        | Access::Library => Some(StandInKind::File { size: size.unwrap_or(UNKNOWN_SIZE), qcow2 }),
    }
}

fn of_step(step: &Step, qcow2: bool) -> Option<StandInKind> {
    Some(match step.kind {
        FileKind::File => StandInKind::File { size: step.size, qcow2 },
        FileKind::Directory => StandInKind::Directory,
        FileKind::Char(..) | FileKind::Block(..) => {
            StandInKind::File { size: DEVICE_SIZE, qcow2: false }
        }
        FileKind::Fifo => StandInKind::Fifo,
        FileKind::Link(_) | FileKind::Socket => return None,
    })
}
