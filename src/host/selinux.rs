//! SELinux: its mode, the labels libvirt gives, and what the kernel's policy answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::Known;
use super::paths::{Ending, FileKind, Walk};
use super::process::daemon;
use super::qemu_conf::{QemuConf, Value};
use crate::domain::{DomainFacts, SecLabelType};

/// What SELinux does on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It is not there.
    Off,
    /// It logs what it would deny.
    Permissive,
    /// It denies.
    Enforcing,
}

/// The state of SELinux.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selinux {
    /// Its mode.
    pub mode: Known<Mode>,
    /// The label of libvirt's daemon; QEMU keeps it when it is not confined.
    pub daemon: Option<String>,
    /// The lines of `virtual_domain_context`: the label for KVM, then the one for TCG.
    pub contexts: Vec<String>,
    /// Whose policy it is, by `ID` of os-release.
    pub distribution: String,
    /// What the running kernel's policy allows: `SOURCE TARGET CLASS` to permissions.
    pub decisions: BTreeMap<String, Vec<String>>,
    /// The labels of processes that listen on sockets, by the socket's path.
    #[serde(default)]
    pub servers: BTreeMap<String, String>,
    /// Process labels that the running kernel's policy knows, or does not.
    #[serde(default)]
    pub known: BTreeMap<String, bool>,
    /// The policy's booleans whose name begins with `virt_`.
    #[serde(default)]
    pub booleans: BTreeMap<String, bool>,
}

/// How QEMU will be confined by SELinux.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confinement {
    /// Not at all: SELinux is off, or its driver is.
    None,
    /// By a label.
    Label {
        /// The whole label; categories of a dynamic one are placeholders.
        label: String,
        /// libvirt draws new categories at each start.
        dynamic: bool,
    },
    /// By the label of the daemon, which is not confined less than that.
    Daemon(String),
}

/// Categories that stand for the ones libvirt draws; no file is expected to carry both.
const DRAWN: &str = "c1021,c1022";

impl Selinux {
    /// Whether there is an SELinux, enforcing or not.
    pub fn is_there(&self) -> bool {
        matches!(self.mode, Known::Yes(Mode::Permissive | Mode::Enforcing))
    }

    /// Whether libvirt's SELinux driver is in use: it is found, and `security_driver` does not say otherwise
    /// (`[]` means the same as nothing, `qemuSecurityInit`).
    pub fn driver(&self, conf: &QemuConf) -> bool {
        self.is_there() && driver_allowed(conf, "selinux")
    }

    /// The label QEMU will run with (`virSecurityManagerGenLabel`, `virSecuritySELinuxGenLabel`).
    pub fn confinement(&self, domain: &DomainFacts, conf: &QemuConf) -> Confinement {
        if !self.is_there() {
            return Confinement::None;
        }
        let daemon =
            || Confinement::Daemon(self.daemon.clone().unwrap_or_else(|| "system_u:system_r:virtd_t:s0".to_owned()));
        if !self.driver(conf) {
            return daemon();
        }
        let base = match (domain.kind.as_deref(), self.contexts.as_slice()) {
            (Some("qemu"), [_, tcg, ..]) => tcg.clone(),
            (_, [first, ..]) => first.clone(),
            (_, []) => "system_u:system_r:svirt_t:s0".to_owned(),
        };
        match domain.seclabel("selinux", true) {
            None if conf.int("security_default_confined") == Some(0) => daemon(),
            None => Confinement::Label { label: format!("{base}:{DRAWN}"), dynamic: true },
            Some(label) => match (label.kind, &label.label) {
                (SecLabelType::None, _) => daemon(),
                (SecLabelType::Static, Some(text)) => Confinement::Label { label: text.clone(), dynamic: false },
                (SecLabelType::Static | SecLabelType::Dynamic, _) => {
                    let kind =
                        label.baselabel.as_deref().and_then(type_of).or(type_of(&base)).unwrap_or("svirt_t").to_owned();
                    let mut parts: Vec<&str> = base.splitn(4, ':').collect();
                    if let Some(part) = parts.get_mut(2) {
                        *part = &kind;
                    }
                    Confinement::Label { label: format!("{}:{DRAWN}", parts.join(":")), dynamic: true }
                }
            },
        }
    }

    /// The permissions that the kernel's policy gives; `None` when it was not asked.
    pub fn allowed(&self, source: &str, target: &str, class: &str) -> Option<&[String]> {
        self.decisions.get(&format!("{source} {target} {class}")).map(Vec::as_slice)
    }
}

/// Whether `security_driver` leaves a driver in use.
pub(super) fn driver_allowed(conf: &QemuConf, driver: &str) -> bool {
    match conf.get("security_driver") {
        None => true,
        Some(Value::Text(text)) => text == driver,
        Some(Value::List(list)) if list.is_empty() => true,
        Some(Value::List(_)) => conf.list("security_driver").is_some_and(|list| list.contains(&driver)),
        Some(Value::Int(_)) => true,
    }
}

/// The label that libvirt gives to images, and to its own key file, of a process with this label.
pub fn image_label(process: &str) -> String {
    format!("system_u:object_r:svirt_image_t:{}", process.splitn(4, ':').nth(3).unwrap_or("s0"))
}

/// The type in a label `user:role:type:range`.
pub fn type_of(label: &str) -> Option<&str> {
    label.split(':').nth(2)
}

/// The object class of a kind of file.
pub fn class_of(kind: &FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "dir",
        FileKind::Link(_) => "lnk_file",
        FileKind::Char(..) => "chr_file",
        FileKind::Block(..) => "blk_file",
        FileKind::Fifo => "fifo_file",
        FileKind::Socket => "sock_file",
    }
}

/// Looks at this host.
pub(super) fn read() -> Selinux {
    let mode = match std::fs::read_to_string("/sys/fs/selinux/enforce") {
        Ok(text) if text.trim() == "1" => Known::Yes(Mode::Enforcing),
        Ok(_) => Known::Yes(Mode::Permissive),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Known::Yes(Mode::Off),
        Err(error) => Known::Unknown(format!("/sys/fs/selinux/enforce cannot be read: {error}")),
    };
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let id = release.lines().find_map(|line| line.strip_prefix("ID=")).unwrap_or_default();
    let mut selinux = Selinux {
        mode,
        daemon: None,
        contexts: Vec::new(),
        distribution: id.trim_matches('"').to_owned(),
        decisions: BTreeMap::new(),
        servers: BTreeMap::new(),
        known: BTreeMap::new(),
        booleans: BTreeMap::new(),
    };
    if selinux.mode != Known::Yes(Mode::Off) {
        let config = std::fs::read_to_string("/etc/selinux/config").unwrap_or_default();
        let policy =
            config.lines().find_map(|line| line.trim().strip_prefix("SELINUXTYPE=")).unwrap_or("targeted").trim();
        let contexts = std::fs::read_to_string(format!("/etc/selinux/{policy}/contexts/virtual_domain_context"))
            .unwrap_or_default();
        selinux.contexts = contexts.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        selinux.daemon = daemon_label();
        selinux.booleans = booleans();
    }
    selinux
}

/// The label of the running daemon.
fn daemon_label() -> Option<String> {
    let label = std::fs::read_to_string(daemon()?.join("attr/current")).ok()?;
    Some(label.trim_end_matches(['\0', '\n']).to_owned())
}

/// selinuxfs `booleans`: the value in force, and the one that is pending.
fn booleans() -> BTreeMap<String, bool> {
    let Ok(entries) = std::fs::read_dir("/sys/fs/selinux/booleans") else { return BTreeMap::new() };
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let value = std::fs::read_to_string(entry.path()).ok().filter(|_| name.starts_with("virt_"))?;
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
        if let (Ending::Missing(_), Some(parent)) = (&walk.ending, walk.parent().and_then(|step| step.label.clone())) {
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
    let index: u32 =
        std::fs::read_to_string(format!("/sys/fs/selinux/class/{class}/index")).ok()?.trim().parse().ok()?;
    let answer = transact("/sys/fs/selinux/access", &format!("{source} {target} {index}"))?;
    let mut words = answer.split_whitespace();
    let allowed = u32::from_str_radix(words.next()?, 16).ok()?;
    let permissive =
        words.nth(4).and_then(|flags| u32::from_str_radix(flags, 16).ok()).is_some_and(|flags| flags & 1 != 0);
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
    let index: u32 =
        std::fs::read_to_string(format!("/sys/fs/selinux/class/{class}/index")).ok()?.trim().parse().ok()?;
    transact("/sys/fs/selinux/create", &format!("{source} {parent} {index}"))
        .map(|label| label.trim_end_matches('\0').to_owned())
}

/// selinuxfs `context`: a label that the policy does not know is refused.
fn known(label: &str) -> Option<bool> {
    let mut file = std::fs::OpenOptions::new().write(true).open("/sys/fs/selinux/context").ok()?;
    match std::io::Write::write_all(&mut file, label.as_bytes()) {
        Ok(()) => Some(true),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) => Some(false),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Document;

    fn selinux() -> Selinux {
        Selinux {
            mode: Known::Yes(Mode::Enforcing),
            daemon: Some("system_u:system_r:virtd_t:s0".into()),
            contexts: vec!["system_u:system_r:svirt_t:s0".into(), "system_u:system_r:svirt_tcg_t:s0".into()],
            distribution: "debian".into(),
            decisions: BTreeMap::new(),
            servers: BTreeMap::new(),
            known: BTreeMap::new(),
            booleans: BTreeMap::new(),
        }
    }

    fn confined(domain: &str, conf: &str) -> Confinement {
        let document = Document::parse(domain).unwrap();
        selinux().confinement(document.facts(), &QemuConf::parse("", conf))
    }

    #[test]
    fn the_label_follows_the_domain_and_the_configuration() {
        let dynamic =
            |label: &str| Confinement::Label { label: format!("system_u:system_r:{label}:s0:{DRAWN}"), dynamic: true };
        let daemon = Confinement::Daemon("system_u:system_r:virtd_t:s0".into());
        assert_eq!(confined("<domain type='kvm'/>", ""), dynamic("svirt_t"));
        assert_eq!(confined("<domain type='qemu'/>", ""), dynamic("svirt_tcg_t"));
        assert_eq!(confined("<domain/>", "security_driver = []"), dynamic("svirt_t"));
        assert_eq!(confined("<domain/>", "security_driver = \"none\""), daemon);
        assert_eq!(confined("<domain/>", "security_default_confined = 0"), daemon);
        assert_eq!(confined("<domain><seclabel type='none' model='selinux'/></domain>", ""), daemon);
        assert_eq!(confined("<domain><seclabel type='none'/></domain>", ""), daemon);
        assert_eq!(confined("<domain><seclabel type='none' model='none'/></domain>", ""), dynamic("svirt_t"));
        assert_eq!(confined("<domain><seclabel type='none' model='dac'/></domain>", ""), dynamic("svirt_t"));
        assert_eq!(
            confined(
                "<domain><seclabel type='dynamic' model='selinux'><baselabel>system_u:system_r:x_t:s0</baselabel></seclabel></domain>",
                ""
            ),
            dynamic("x_t")
        );
        assert_eq!(
            confined(
                "<domain><seclabel type='static' model='selinux'><label>u:r:t:s0:c1,c2</label></seclabel></domain>",
                ""
            ),
            Confinement::Label { label: "u:r:t:s0:c1,c2".into(), dynamic: false }
        );
    }
}
