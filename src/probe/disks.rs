//! Which disks this host uses itself: mounted file systems and swap, on them, on their parts, or on what is made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::facts::{FileKind, Walk};

/// A block device by its numbers.
type Number = (u32, u32);

/// The disks among the ends of walks that are in use, by path, with what is on them.
pub(super) fn in_use<'a>(walks: impl Iterator<Item = &'a Walk>) -> BTreeMap<String, String> {
    let nodes = walks.filter_map(|walk| {
        let target = walk.target()?;
        let FileKind::Block(major, minor) = target.kind else { return None };
        Some((target.path.clone(), (major, minor)))
    });
    let nodes: BTreeMap<String, Number> = nodes.collect();
    if nodes.is_empty() {
        return BTreeMap::new();
    }
    let used = used();
    let on = |number: Number| family(number).iter().find_map(|number| used.get(number)).cloned();
    nodes.into_iter().filter_map(|(path, number)| Some((path, on(number)?))).collect()
}

/// What each device holds: from the mounts and from /proc/swaps.
fn used() -> BTreeMap<Number, String> {
    let mut used = BTreeMap::new();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    for line in read("/proc/self/mountinfo").lines() {
        // The device of some file systems is none that can be opened: then its source counts.
        let fields: Vec<&str> = line.split(' ').collect();
        let source = line.split_once(" - ").and_then(|(_, rest)| rest.split(' ').nth(1));
        let number = fields.get(2).and_then(|field| {
            let (major, minor) = field.split_once(':')?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        });
        let point = fields.get(4).copied().unwrap_or("/");
        let named = source.filter(|source| source.starts_with('/')).and_then(node);
        for number in [number, named].into_iter().flatten() {
            used.entry(number).or_insert_with(|| format!("the disk of the file system on {point}"));
        }
    }
    for line in read("/proc/swaps").lines().skip(1) {
        if let Some(number) = line.split_whitespace().next().and_then(node) {
            used.entry(number).or_insert_with(|| "the disk that this host swaps to".to_owned());
        }
    }
    used
}

/// The numbers of a block device.
fn node(path: &str) -> Option<Number> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let metadata = std::fs::metadata(path).ok().filter(|found| found.file_type().is_block_device());
    let number = metadata?.rdev();
    Some((rustix::fs::major(number), rustix::fs::minor(number)))
}

/// A disk, its parts, and what is made of any of them (sysfs: partitions are directories below it, `holders` names the rest).
fn family(number: Number) -> BTreeSet<Number> {
    let mut all = BTreeSet::new();
    let mut todo = vec![number];
    while let Some(next) = todo.pop() {
        if !all.insert(next) {
            continue;
        }
        let directory = format!("/sys/dev/block/{}:{}", next.0, next.1);
        for below in [directory.clone(), format!("{directory}/holders")] {
            let entries = std::fs::read_dir(below).into_iter().flatten().flatten();
            todo.extend(entries.filter_map(|entry| number_in(&entry.path())));
        }
    }
    all
}

/// The numbers that a directory of sysfs is about.
fn number_in(directory: &Path) -> Option<Number> {
    let text = std::fs::read_to_string(directory.join("dev")).ok()?;
    let (major, minor) = text.trim().split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
