//! Programs that libvirt starts beside QEMU, which their packages describe in files of JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::facts::Known;

/// Where packages and administrators describe back ends of vhost-user, the first of one name counts (`qemuInteropFetchConfigs`,
/// libvirt's src/qemu/qemu_interop_config.c).
const FOLDERS: [&str; 2] = ["/etc/qemu/vhost-user", "/usr/share/qemu/vhost-user"];

/// The programs of type `fs`, in the order in which libvirt tries them; an empty file takes away the one of its name.
pub(super) fn virtiofsd() -> Known<Vec<String>> {
    let mut described: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Known::Unknown(format!("{folder} cannot be read: {error}")),
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".json") {
                described.entry(name).or_insert_with(|| entry.path());
            }
        }
    }
    let programs = described.values().filter_map(|path| {
        let said: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        (said["type"] == "fs").then(|| said["binary"].as_str().map(str::to_owned))?
    });
    Known::Yes(programs.collect())
}
