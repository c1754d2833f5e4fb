//! What libvirt adds to every QEMU by itself: arguments, ids, environment.

/// The filter of system calls that libvirt asks for (`qemuBuildSandboxCommandLine`, since 5.0).
pub const SANDBOX: &str = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// Ids that libvirt defines for every domain before the passthrough: the group, the id.
pub const IDS: [(&str, &str); 3] =
    [("chardev", "charmonitor"), ("object", "masterKey0"), ("object", "pc.ram")];

/// How libvirt names what it defines for native elements: the group, the beginnings of its ids.
const PREFIXES: [(&str, &[&str]); 5] = [
    ("chardev", &["char", "mon"]),
    ("netdev", &["hostnet", "net"]),
    ("drive", &["libvirt-", "drive-"]),
    ("fsdev", &["fsdev-"]),
    ("memdev", &["pc.ram", "ram", "mem", "shmmem", "mach-virt.ram"]),
];

/// Whether an id that a key refers to has a name of libvirt's own.
pub fn names(key: &str, id: &str) -> bool {
    let of_key = PREFIXES.iter().find(|(found, _)| *found == key);
    of_key.is_some_and(|(_, prefixes)| prefixes.iter().any(|prefix| id.starts_with(prefix)))
}

/// Variables that libvirt gives to every QEMU (`virCommandAddEnvPassCommon`).
pub const ENVIRONMENT: [&str; 9] = [
    "LC_ALL",
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
];

/// The flag by which libvirt 8.0 and later writes devices as JSON; `device.json` alone is an older one without effect.
pub const JSON_DEVICES: &str = "device.json+hotplug";
