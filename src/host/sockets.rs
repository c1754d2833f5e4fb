//! Unix sockets that some process listens on, and with which SELinux label it runs.

use std::collections::BTreeMap;

use super::facts::Known;

/// The listening sockets of `/proc/net/unix` (proc(5)) that have a path: inode and path. The flag is `__SO_ACCEPTCON`.
fn bound() -> Known<Vec<(String, String)>> {
    let text = match std::fs::read_to_string("/proc/net/unix") {
        Ok(text) => text,
        Err(error) => return Known::Unknown(format!("/proc/net/unix cannot be read: {error}")),
    };
    let listens = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let path = fields.get(7).filter(|path| fields.get(3) == Some(&"00010000") && path.starts_with('/'))?;
        Some(((*fields.get(6)?).to_owned(), (*path).to_owned()))
    };
    Known::Yes(text.lines().skip(1).filter_map(listens).collect())
}

/// Paths of sockets that some process listens on.
pub(super) fn listening() -> Known<Vec<String>> {
    match bound() {
        Known::Yes(bound) => Known::Yes(bound.into_iter().map(|(_, path)| path).collect()),
        Known::Unknown(why) => Known::Unknown(why),
    }
}

/// The labels of the processes that listen on some sockets, by the path that was bound.
pub(super) fn labels(wanted: &[&str]) -> BTreeMap<String, String> {
    let bound: BTreeMap<String, String> = match bound() {
        Known::Yes(bound) => bound
            .into_iter()
            .filter(|(_, path)| wanted.contains(&path.as_str()))
            .map(|(inode, path)| (format!("socket:[{inode}]"), path))
            .collect(),
        Known::Unknown(_) => return BTreeMap::new(),
    };
    let mut labels = BTreeMap::new();
    if bound.is_empty() {
        return labels;
    }
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path()) {
        for descriptor in std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
            let target = std::fs::read_link(descriptor.path()).unwrap_or_default();
            let Some(path) = bound.get(target.to_string_lossy().as_ref()) else { continue };
            if let Ok(label) = std::fs::read_to_string(process.join("attr/current")) {
                labels.insert(path.clone(), label.trim_end_matches(['\0', '\n']).to_owned());
            }
        }
    }
    labels
}
