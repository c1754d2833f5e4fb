//! A copy of a document that can be started on a host in use: without what the host, or a VM that runs there, would miss.

use std::collections::BTreeSet;

use super::Command;
use crate::domain::{Document, EntryId};
use crate::qemu::{Access, CommandLine, QemuOption};
use crate::xml::{Edit, EditSet, Element, Tree, XmlError, position};

/// What a host in use would lose to an element of the domain.
const TAKEN: &str = include_str!("../../assets/libvirt/left-out.tsv");

/// A document for a real start.
#[derive(Debug, Clone)]
pub struct Spared {
    /// The document.
    pub document: Document,
    /// What is not in it any more, and why; for people. About these a start proves nothing.
    pub left_out: Vec<String>,
}

/// Takes out of a document what a running host would miss; `running` are the domains that run there, `is_full` tells whether a
/// file holds something.
///
/// # Errors
/// When what is left can't be read.
pub fn spare(
    document: &Document,
    running: &[Document],
    is_full: &dyn Fn(&str) -> bool,
) -> Result<Spared, XmlError> {
    let in_use: BTreeSet<&str> = running.iter().flat_map(disks).collect();
    let tree = document.tree();
    let (mut edits, mut left_out) = (EditSet::new(), Vec::new());
    let devices = tree.child(0, "devices").map(|(index, _)| index);
    for (index, device) in devices.into_iter().flat_map(|devices| tree.children(devices)) {
        let Some(why) = taken(tree, index, device, &in_use) else { continue };
        let line = position(document.source(), device.open.start).line;
        left_out.push(format!("<{}> of line {line}: {why}", device.name));
        // Children of one element stand apart.
        edits.push(Edit::delete(device.span())).expect("devices stand apart in the text");
    }
    let native = document.apply(&edits)?;
    let argv = native.argv();
    let emptied = emptied(&argv, is_full);
    let command = Command::sparing(&argv, lost_aliases(document, &native), &emptied);
    let mut arguments = Vec::new();
    for part in command.parts.iter().filter(|part| part.left_out) {
        let (Some(last), Some(why)) = (part.argument, &part.unasked) else { continue };
        let first = if part.value.is_some() { last.saturating_sub(1) } else { last };
        arguments.extend((first..=last).map(EntryId::arg));
        let value = part.value.as_deref().unwrap_or_default();
        left_out.push(format!("{} {value}: {why}", part.name));
    }
    let document = native.apply(&native.remove(&arguments))?;
    Ok(Spared { document, left_out })
}

/// The memory that a domain takes as soon as it starts, in bytes; nothing for one that takes it as the guest uses it.
pub fn memory_at_once(document: &Document) -> Option<u64> {
    let tree = document.tree();
    let backing = tree.child(0, "memoryBacking").map(|(index, _)| index);
    let native = backing.is_some_and(|backing| {
        let allocation = tree.child(backing, "allocation").map(|(_, element)| element);
        tree.child(backing, "locked").is_some()
            || allocation.is_some_and(|element| element.attribute("mode") == Some("immediate"))
    });
    let argv = document.argv();
    let line = CommandLine::read(&argv, &[]);
    let is_eager = |option: &QemuOption| match option.name() {
        "mem-prealloc" => true,
        "object" => option.pairs.on("prealloc") == Some(true),
        "overcommit" => option.pairs.on("mem-lock") == Some(true),
        _ => false,
    };
    let is_eager = native || line.options.iter().any(is_eager);
    document.facts().memory.filter(|_| is_eager)
}

/// The arguments that make QEMU write a file anew which holds something already.
fn emptied(argv: &[&str], is_full: &dyn Fn(&str) -> bool) -> Vec<usize> {
    let line = CommandLine::read(argv, &[]);
    let writes = line.uses.iter().filter(|usage| {
        let path = usage.resource.path();
        path.is_some_and(|(path, access)| access == Access::Create && is_full(path))
    });
    writes.map(|usage| usage.entry.index).collect()
}

/// Why a host in use would miss what an element names.
fn taken(
    tree: &Tree,
    index: usize,
    device: &Element,
    in_use: &BTreeSet<&str>,
) -> Option<&'static str> {
    if disk_source(tree, index, device).is_some_and(|source| in_use.contains(source)) {
        return Some("a VM that runs has the disk");
    }
    rows().find_map(|row| {
        let of = match row.child {
            "-" => Some(device),
            child => tree.child(index, child).map(|(_, child)| child),
        };
        let value = of.and_then(|element| element.attribute(row.attribute));
        (device.name == row.element && value == Some(row.value)).then_some(row.why)
    })
}

/// The files and devices of a domain's disks.
fn disks(document: &Document) -> impl Iterator<Item = &str> {
    let tree = document.tree();
    let devices = tree.child(0, "devices").map(|(index, _)| index);
    let all = devices.into_iter().flat_map(|devices| tree.children(devices));
    all.filter_map(|(index, device)| disk_source(tree, index, device))
}

/// What a disk that is written and shared with nobody is kept in.
fn disk_source<'a>(tree: &'a Tree, index: usize, device: &Element) -> Option<&'a str> {
    let is_shared = ["readonly", "shareable"].iter().any(|of| tree.child(index, of).is_some());
    if device.name != "disk" || is_shared {
        return None;
    }
    let (_, source) = tree.child(index, "source")?;
    source.attribute("file").or(source.attribute("dev"))
}

/// Aliases that the domain had before elements were taken out.
fn lost_aliases(before: &Document, after: &Document) -> Vec<String> {
    let aliases = |document: &Document| -> BTreeSet<String> {
        let facts = document.facts();
        let numbered = facts.aliases.iter().map(|(_, alias)| alias.clone());
        numbered.chain(facts.own_aliases.iter().cloned()).collect()
    };
    aliases(before).difference(&aliases(after)).cloned().collect()
}

struct Row {
    element: &'static str,
    child: &'static str,
    attribute: &'static str,
    value: &'static str,
    why: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TAKEN.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Row {
            element: next()?,
            child: next()?,
            attribute: next()?,
            value: next()?,
            why: next()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::QEMU_NAMESPACE;

    fn domain(devices: &str, arguments: &[&str]) -> Document {
        let arguments: String =
            arguments.iter().map(|argument| format!("<q:arg value='{argument}'/>")).collect();
        Document::parse(format!(
            "<domain xmlns:q='{QEMU_NAMESPACE}'><devices>{devices}</devices><q:commandline>{arguments}</q:commandline></domain>"
        ))
        .unwrap()
    }

    #[test]
    fn what_the_host_would_miss_is_left_out_with_what_hangs_on_it() {
        let devices = "<hostdev mode='subsystem' type='pci'/><input type='evdev'/><disk><source file='/a'/></disk><disk><source file='/b'/></disk><tpm><backend type='passthrough'/></tpm>";
        let arguments = [
            "-device",
            "vfio-pci,host=01:00.0,id=card",
            "-set",
            "device.card.x-vga=on",
            "-set",
            "device.hostdev0.rombar=0",
            "-device",
            "virtio-rng-pci",
            "-drive",
            "file=nvme://0000:04:00.0/1,if=none,id=d",
            "-device",
            "nvme,drive=d,serial=1",
        ];
        let running = domain("<disk><source file='/a'/></disk>", &[]);
        let spared = spare(&domain(devices, &arguments), &[running], &|_| false).unwrap();
        assert_eq!(spared.document.argv(), ["-device", "virtio-rng-pci"]);
        let text = spared.document.source();
        assert!(text.contains("<devices><disk><source file='/b'/></disk></devices>"), "{text}");
        assert_eq!(spared.left_out.len(), 4 + 5, "{:?}", spared.left_out);
    }

    #[test]
    fn a_domain_that_takes_nothing_stays_as_it_is() {
        let devices = "<disk><source file='/a'/><readonly/></disk><input type='tablet'/>";
        let document = domain(devices, &["-device", "e1000"]);
        let spared = spare(&document, std::slice::from_ref(&document), &|_| true).unwrap();
        assert_eq!(spared.document.source(), document.source());
        assert!(spared.left_out.is_empty());
        // A file that would be written anew, with what is heard through it.
        let arguments = ["-chardev", "file,id=c,path=/log", "-serial", "chardev:c"];
        let spared = spare(&domain("", &arguments), &[], &|path| path == "/log").unwrap();
        assert_eq!(spared.document.argv(), [""; 0]);
        let spared = spare(&domain("", &arguments), &[], &|_| false).unwrap();
        assert_eq!(spared.document.argv(), arguments);
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let lines = TAKEN.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(rows().count(), lines);
    }
}
