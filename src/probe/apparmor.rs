//! Reading AppArmor's state and the profiles of domains.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::facts::Known;
use crate::facts::apparmor::{AppArmor, Connecting, Found, PROFILES, Profile};
use crate::process;

/// Looks at this host, for the domains of these UUIDs.
pub(super) fn read(uuids: &[String]) -> AppArmor {
    let active = active();
    let mut profiles = BTreeMap::new();
    if active != Known::Yes(false) {
        let load = |path: String| match Profile::parse(&path, &look) {
            Ok(mut profile) => {
                // Its own compiler outranks our reading.
                if let Ok(said) = compiled(&path) {
                    profile.broken = said;
                }
                Known::Yes(profile)
            }
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
    AppArmor { active, profiles, connecting: connecting() }
}

/// What stands at a path.
fn look(path: &str) -> Found {
    let unreadable = |error: std::io::Error| {
        let kind = error.kind();
        if kind == ErrorKind::NotFound {
            return Found::Missing;
        }
        let denied = kind == ErrorKind::PermissionDenied;
        let why = if denied { "; run as root to see it".to_owned() } else { format!(": {error}") };
        Found::Unreadable(format!("{path} cannot be read{why}"))
    };
    if !Path::new(path).is_dir() {
        return super::text(path).map_or_else(unreadable, Found::Text);
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => return unreadable(error),
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    Found::Names(names)
}

/// AppArmor's compiler, which libvirt's helper runs.
const COMPILERS: [&str; 2] = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"];
/// How long it may take; a profile of a VM takes a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why AppArmor's own compiler refuses a profile; nothing where it takes it. Nothing is loaded or kept (apparmor_parser(8)).
///
/// # Errors
/// Why it was not asked.
fn compiled(path: &str) -> Result<Option<String>, String> {
    let compiler = COMPILERS.into_iter().find(|path| Path::new(path).exists());
    let compiler = compiler.ok_or("apparmor_parser is not installed")?;
    super::is_roots(compiler)?;
    // What libvirt writes anew at each start may not be there yet.
    if !Path::new(&format!("{path}.files")).exists() && !path.ends_with("TEMPLATE.qemu") {
        return Err("the VM was not started yet".to_owned());
    }
    let mut command = Command::new(compiler);
    command.args(["--skip-kernel-load", "--skip-cache", "--skip-read-cache", "--", path]);
    let said = process::run(command, None, PATIENCE)?;
    if said.status.success() {
        return Ok(None);
    }
    let words = said.complaints.lines().find(|line| line.contains("rror"));
    Ok(Some(words.unwrap_or("apparmor_parser says no, and not why").to_owned()))
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

/// What the kernel says that it looks at.
fn connecting() -> Known<Connecting> {
    let features = Path::new("/sys/kernel/security/apparmor/features");
    let has = |name: &str| features.join(name).join("af_unix").exists();
    match features.read_dir() {
        Ok(_) if has("network") => Known::Yes(Connecting::Mediated),
        Ok(_) if has("network_v9") => Known::Yes(Connecting::IfCompiled),
        Ok(_) => Known::Yes(Connecting::Free),
        Err(error) if error.kind() == ErrorKind::NotFound => Known::Yes(Connecting::Free),
        Err(error) => Known::Unknown(format!("{} cannot be read ({error})", features.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_says_where_a_profile_is_broken() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("TEMPLATE.qemu");
        let path = path.to_str().unwrap();
        let said = |text: &str| {
            std::fs::write(path, text).unwrap();
            compiled(path)
        };
        if let Err(why) = said("profile a {\n}\n") {
            eprintln!("skipped: {why}");
            return;
        }
        assert_eq!(said("profile a {\n  /a rw,\n}\n"), Ok(None));
        let refusal = said("profile a {\n  /a rw\n}\n").unwrap().unwrap();
        assert!(refusal.contains("line 3"), "{refusal}");
    }
}
