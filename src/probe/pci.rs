//! Reading which devices an IOMMU group has, and who has them.

use std::collections::BTreeMap;

use crate::facts::Walk;
use crate::facts::pci::{Group, number};

/// The groups that walks lead to, by number.
pub(super) fn groups<'a>(walks: impl Iterator<Item = &'a Walk>) -> BTreeMap<String, Group> {
    let numbers = walks.filter_map(number);
    numbers.map(|number| (number.to_owned(), group(number))).collect()
}

/// `/sys/kernel/iommu_groups/NUMBER/devices` holds a link to each device, and each device one to its driver.
fn group(number: &str) -> Group {
    let directory = format!("/sys/kernel/iommu_groups/{number}/devices");
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let device = |entry: std::fs::DirEntry| {
        let driver = std::fs::read_link(entry.path().join("driver")).ok();
        let driver = driver.and_then(|link| Some(link.file_name()?.to_str()?.to_owned()));
        Some((entry.file_name().into_string().ok()?, driver))
    };
    entries.filter_map(device).collect()
}
