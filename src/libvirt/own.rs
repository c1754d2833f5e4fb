//! What libvirt adds to every QEMU by itself: arguments, ids, environment.

use crate::domain::aliases;

/// Ids, what ids for native elements begin with, variables.
const TABLE: &str = include_str!("../../assets/libvirt/own.tsv");

/// The filter of system calls that libvirt asks for (`qemuBuildSandboxCommandLine`, since 5.0).
pub const SANDBOX: &str = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// The flag by which libvirt 8.0 and later writes devices as JSON; `device.json` alone is an older one without effect.
pub const JSON_DEVICES: &str = "device.json+hotplug";

/// The rows of one kind: the group or key, and the word.
fn rows(kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE
        .lines()
        .filter_map(move |line| line.strip_prefix(kind)?.strip_prefix('\t')?.split_once('\t'))
}

/// Whether libvirt defines an id of a group for every domain, before the passthrough.
pub fn has_id(group: &str, id: &str) -> bool {
    rows("id").any(|row| row == (group, id))
}

/// Whether an id that a key refers to has a name of libvirt's own.
pub fn names(key: &str, id: &str) -> bool {
    rows("prefix").any(|(found, prefix)| found == key && id.starts_with(prefix))
}

/// Whether libvirt gives a variable to every QEMU.
pub fn has_variable(name: &str) -> bool {
    rows("variable").any(|(_, found)| found == name)
}

/// Whether an id of a device is one that libvirt gives: a kind, and numbers behind it (`qemu_alias.c`), or one that the document asks for.
pub fn is_alias(id: &str) -> bool {
    let kind = id.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    let has_number = kind.len() < id.len();
    let listed = |kind: &str| rows("alias").any(|(_, found)| found == kind);
    id.starts_with("ua-") || has_number && (aliases::is_kind(kind) || listed(kind)) || listed(id)
}

/// Whether libvirt gave a variable with this value to QEMU before 7.0 (`qemuBuildCommandLine`): old logs have it.
pub fn gave_once(name: &str, value: &str) -> bool {
    rows("once").any(|row| row == (name, value))
}
