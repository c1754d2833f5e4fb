//! Reading AppArmor's state and the profiles of domains.

use std::collections::BTreeMap;
use std::path::Path;

use crate::facts::Known;
use crate::facts::apparmor::{AppArmor, PROFILES, Profile};

/// Looks at this host, for the domains of these UUIDs.
pub(super) fn read(uuids: &[String]) -> AppArmor {
    let active = active();
    let mut profiles = BTreeMap::new();
    if active != Known::Yes(false) {
        let files = |path: &str| super::text(path).ok();
        let list = |path: &str| {
            let mut found: Vec<String> = std::fs::read_dir(path)
                .map(|entries| {
                    entries
                        .flatten()
                        .map(|entry| entry.path().to_string_lossy().into_owned())
                        .collect()
                })
                .unwrap_or_default();
            found.sort();
            found
        };
        let load = |path: String| match Profile::parse(&path, &files, &list) {
            Ok(profile) => Known::Yes(profile),
            Err(why) => Known::Unknown(why),
        };
        profiles.insert(String::new(), load(format!("{PROFILES}/TEMPLATE.qemu")));
        for uuid in uuids {
            let uuid = uuid.to_ascii_lowercase();
            let path = format!("{PROFILES}/libvirt-{uuid}");
            let plain = uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            if plain && Path::new(&path).exists() {
                profiles.insert(uuid, load(path));
            }
        }
    }
    AppArmor { active, profiles }
}

/// libvirt uses AppArmor when it is enabled and the daemon has a profile (`AppArmorSecurityManagerProbe`).
fn active() -> Known<bool> {
    let enabled =
        std::fs::read_to_string("/sys/module/apparmor/parameters/enabled").unwrap_or_default();
    if !enabled.starts_with('Y') {
        return Known::Yes(false);
    }
    match std::fs::read_to_string("/sys/kernel/security/apparmor/profiles") {
        Ok(text) => Known::Yes(text.lines().any(|line| {
            ["libvirtd", "/usr/sbin/libvirtd", "virtqemud", "/usr/sbin/virtqemud"]
                .contains(&line.split(" (").next().unwrap_or_default())
        })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Known::Yes(false),
        Err(error) => Known::Unknown(format!(
            "/sys/kernel/security/apparmor/profiles cannot be read ({error}); run as root to see it"
        )),
    }
}
