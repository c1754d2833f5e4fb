//! Which options of libvirt's command line are libvirt's own, and which are the passthrough of its domain.
//!
//! libvirt appends the passthrough to what it makes of the domain, in one piece, and closes with its filter of system calls and the
//! form of messages (`qemuBuildCommandLine`). So all before the last option that is certainly libvirt's own is libvirt's own too.

use crate::libvirt::own;
use crate::qemu::{CommandLine, QemuOption};

/// How libvirt's own options were told from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// By the command line that libvirt makes of this domain.
    Asked,
    /// By the names that libvirt gives.
    Names,
}

/// Options that close the command line, behind the passthrough.
const CLOSES: [&str; 2] = ["sandbox", "msg"];

/// Whether a command line was made by libvirt: its monitor and its key are there, or its form of messages.
pub(super) fn is_libvirts(words: &[&str]) -> bool {
    let has = |word: &str| words.iter().any(|found| found.contains(word));
    has("charmonitor") || has("masterKey0") || has("guest=") && words.contains(&"-msg")
}

/// How many arguments at the beginning and at the end of libvirt's command line are libvirt's own, and how that was told.
pub(super) fn divide(words: &[&str], libvirt: Option<&[String]>) -> (usize, usize, Told) {
    let line = CommandLine::read(words, &[]);
    let mut end = line.options.len();
    while let Some(option) = end.checked_sub(1).map(|at| &line.options[at]) {
        if !CLOSES.contains(&option.name()) {
            break;
        }
        end -= 1;
    }
    let same_name = |libvirt: &&[String]| {
        name(&line, words).is_some() && {
            let other: Vec<&str> = libvirt.iter().map(String::as_str).collect();
            name(&CommandLine::read(&other, &[]), &other) == name(&line, words)
        }
    };
    let asked = libvirt.filter(same_name);
    let is_own = |option: &QemuOption| match asked {
        Some(libvirt) => is_among(option, words, libvirt),
        None => has_libvirts_name(option),
    };
    let begin = line.options[..end].iter().rposition(is_own).map_or(0, |at| at + 1);
    let place = |at: usize| line.options.get(at).map_or(words.len(), |option| option.entry);
    let told = if asked.is_some() { Told::Asked } else { Told::Names };
    (place(begin), words.len() - place(end.max(begin)), told)
}

/// The name of the guest.
fn name(line: &CommandLine, words: &[&str]) -> Option<String> {
    let option = line.options.iter().find(|option| option.name() == "name")?;
    let value = words.get(option.value?)?;
    let first = value.split(',').next().unwrap_or_default();
    Some(first.trim_start_matches("guest=").to_owned())
}

/// Whether libvirt's own command line has an option: as it is, or one of the same name with the same id.
fn is_among(option: &QemuOption, words: &[&str], libvirt: &[String]) -> bool {
    let other: Vec<&str> = libvirt.iter().map(String::as_str).collect();
    let line = CommandLine::read(&other, &[]);
    let value = option.value.map(|at| words[at]);
    line.options.iter().any(|found| {
        let same_text = found.value.map(|at| other[at]) == value;
        let id = id(option);
        found.name() == option.name() && (same_text || id.is_some() && id == self::id(found))
    })
}

fn id(option: &QemuOption) -> Option<&str> {
    option.pairs.get("id").or(option.pairs.get("node-name"))
}

/// Whether an option's id is one of those that libvirt gives, and what it refers to as well.
fn has_libvirts_name(option: &QemuOption) -> bool {
    let Some(id) = id(option) else {
        return matches!(
            option.name(),
            "mon" | "vnc" | "spice" | "nodefaults" | "no-user-config" | "uuid"
        );
    };
    match option.name() {
        "device" => own::is_alias(id) && refers_to_libvirts(option),
        "object" => {
            own::has_id("object", id)
                || own::names("memdev", id)
                || id.starts_with("objrng")
                || is_numbered(id, "iothread")
                || id.starts_with("objcrypto")
                || id.starts_with("libvirt-")
        }
        "audiodev" => is_numbered(id, "audio"),
        "blockdev" => id.starts_with("libvirt-"),
        group @ ("chardev" | "netdev" | "drive" | "fsdev") => {
            let is_net = group == "netdev" && !id.starts_with("hostnet");
            !is_net && own::names(group, id)
        }
        _ => false,
    }
}

/// Whether all that a device is connected with has a name of libvirt's.
fn refers_to_libvirts(option: &QemuOption) -> bool {
    option.pairs.pairs.iter().all(|pair| match pair.key.as_str() {
        key @ ("netdev" | "chardev" | "drive" | "memdev") => own::names(key, &pair.value),
        "audiodev" => is_numbered(&pair.value, "audio"),
        "rng" => pair.value.starts_with("objrng"),
        _ => true,
    })
}

fn is_numbered(id: &str, beginning: &str) -> bool {
    id.strip_prefix(beginning)
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}
