//! Asking SELinux: its mode, the daemon's label, and what the running kernel's policy says.

use std::collections::BTreeMap;

use super::daemon::daemon;
use super::identity::os_release;
use crate::facts::selinux::{Mode, Selinux, System, class_of, shipped};
use crate::facts::{Ending, FileKind, Known, Walk};
use crate::libvirt::confinement::image_label;

/// Looks at this host.
pub(super) fn read() -> Selinux {
    let mode = match std::fs::read_to_string("/sys/fs/selinux/enforce") {
        Ok(text) if text.trim() == "1" => Known::Yes(Mode::Enforcing),
        Ok(_) => Known::Yes(Mode::Permissive),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Known::Yes(Mode::Off),
        Err(error) => Known::Unknown(format!("/sys/fs/selinux/enforce cannot be read: {error}")),
    };
    let mut selinux = Selinux {
        mode,
        daemon: None,
        contexts: Vec::new(),
        distribution: super::identity::distribution(),
        system: Some(system()),
        decisions: BTreeMap::new(),
        servers: BTreeMap::new(),
        known: BTreeMap::new(),
        booleans: BTreeMap::new(),
    };
    if selinux.mode != Known::Yes(Mode::Off) {
        let policy = selinux.system.as_ref().and_then(|system| system.policy.as_deref());
        let policy = policy.unwrap_or("targeted");
        let contexts = std::fs::read_to_string(format!(
            "/etc/selinux/{policy}/contexts/virtual_domain_context"
        ))
        .unwrap_or_default();
        selinux.contexts = contexts
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        selinux.daemon = daemon_label();
        selinux.booleans = booleans();
    }
    selinux
}

/// Which release of which system it is, and which of its policies.
fn system() -> System {
    let config = std::fs::read_to_string("/etc/selinux/config").unwrap_or_default();
    let kind = config.lines().find_map(|line| line.trim().strip_prefix("SELINUXTYPE="));
    let like = os_release("ID_LIKE").unwrap_or_default();
    System {
        like: like.split_whitespace().map(str::to_owned).collect(),
        version: os_release("VERSION_ID"),
        platform: os_release("PLATFORM_ID"),
        policy: kind.map(|kind| kind.trim().to_owned()),
    }
}

/// The label of the running daemon.
fn daemon_label() -> Option<String> {
    let label = std::fs::read_to_string(daemon()?.join("attr/current")).ok()?;
    Some(label.trim_end_matches(['\0', '\n']).to_owned())
}

/// selinuxfs `booleans`: the value in force, and the one that is pending.
fn booleans() -> BTreeMap<String, bool> {
    let Ok(entries) = std::fs::read_dir("/sys/fs/selinux/booleans") else { return BTreeMap::new() };
    let decisive = shipped::booleans();
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with("virt_") && !decisive.contains(name.as_str()) {
            return None;
        }
        let value = std::fs::read_to_string(entry.path()).ok()?;
        Some((name, value.starts_with('1')))
    };
    entries.flatten().filter_map(read).collect()
}

/// Asks the kernel's policy about one process label: whether there is such a label, whether the daemon may start QEMU with
/// it, and what it may do to every step of the walks.
pub(super) fn decide(selinux: &mut Selinux, source: &str, walks: &[&Walk]) {
    if let Some(known) = known(source) {
        selinux.known.insert(source.to_owned(), known);
    }
    ask(selinux, source, source, "capability");
    ask(selinux, source, source, "process");
    for server in selinux.servers.values().cloned().collect::<Vec<_>>() {
        ask(selinux, source, &server, "unix_stream_socket");
    }
    ask(selinux, source, &image_label(source), "file");
    if let Some(daemon) = selinux.daemon.clone() {
        ask(selinux, &daemon, source, "process");
        ask(selinux, &daemon, source, "unix_stream_socket");
    }
    for walk in walks {
        for step in &walk.steps {
            if let Some(label) = &step.label {
                ask(selinux, source, label, class_of(&step.kind));
            }
        }
        // A directory may be one that guest memory is made in.
        let directory = match &walk.ending {
            Ending::Missing(_) => walk.parent(),
            Ending::Present
            | Ending::NotADirectory(_)
            | Ending::Loop
            | Ending::Private(_)
            | Ending::Unserved(_)
            | Ending::OfAProcess(_) => {
                walk.target().filter(|step| step.kind == FileKind::Directory)
            }
        };
        if let Some(parent) = directory.and_then(|step| step.label.clone()) {
            for class in ["file", "sock_file"] {
                if let Some(new) = created(source, &parent, class) {
                    ask(selinux, source, &new, class);
                    selinux.decisions.insert(format!("{source} {parent} new-{class}"), vec![new]);
                }
            }
        }
    }
}

fn ask(selinux: &mut Selinux, source: &str, target: &str, class: &str) {
    let key = format!("{source} {target} {class}");
    if !selinux.decisions.contains_key(&key)
        && let Some(permissions) = access(source, target, class)
    {
        selinux.decisions.insert(key, permissions);
    }
}

/// selinuxfs `access`: `SOURCE TARGET CLASSNUMBER` in, `allowed decided auditallow auditdeny seqno flags` out (hexadecimal).
fn access(source: &str, target: &str, class: &str) -> Option<Vec<String>> {
    let index: u32 = std::fs::read_to_string(format!("/sys/fs/selinux/class/{class}/index"))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let answer = transact("/sys/fs/selinux/access", &format!("{source} {target} {index}"))?;
    let mut words = answer.split_whitespace();
    let allowed = u32::from_str_radix(words.next()?, 16).ok()?;
    let permissive = words
        .nth(4)
        .and_then(|flags| u32::from_str_radix(flags, 16).ok())
        .is_some_and(|flags| flags & 1 != 0);
    let mut permissions = Vec::new();
    for entry in std::fs::read_dir(format!("/sys/fs/selinux/class/{class}/perms")).ok()?.flatten() {
        let bit: u32 = std::fs::read_to_string(entry.path()).ok()?.trim().parse().ok()?;
        if permissive || allowed & 1_u32.checked_shl(bit - 1)? != 0 {
            permissions.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    permissions.sort();
    Some(permissions)
}

/// selinuxfs `create`: the label of a new object.
fn created(source: &str, parent: &str, class: &str) -> Option<String> {
    let index: u32 = std::fs::read_to_string(format!("/sys/fs/selinux/class/{class}/index"))
        .ok()?
        .trim()
        .parse()
        .ok()?;
    transact("/sys/fs/selinux/create", &format!("{source} {parent} {index}"))
        .map(|label| label.trim_end_matches('\0').to_owned())
}

/// selinuxfs `context`: a label that the policy does not know is refused.
fn known(label: &str) -> Option<bool> {
    let mut file = std::fs::OpenOptions::new().write(true).open("/sys/fs/selinux/context").ok()?;
    match std::io::Write::write_all(&mut file, label.as_bytes()) {
        Ok(()) => Some(true),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) => {
            Some(false)
        }
        Err(_) => None,
    }
}

/// One question and its answer on the same open file, as selinuxfs wants it.
fn transact(path: &str, question: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path).ok()?;
    file.write_all(question.as_bytes()).ok()?;
    let mut answer = String::new();
    file.read_to_string(&mut answer).ok()?;
    Some(answer)
}
