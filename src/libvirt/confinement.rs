//! How libvirt confines QEMU: the label that it gives, the profile that it makes.

use crate::domain::{DomainFacts, SecLabelType};
use crate::facts::Known;
use crate::facts::apparmor::AppArmor;
use crate::facts::qemu_conf::{QemuConf, Value};
use crate::facts::selinux::{Selinux, type_of};

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

/// Whether `security_driver` lets a driver be used: a text is one, an empty list says nothing (`virSecurityManagerNew`).
pub fn driver_allowed(conf: &QemuConf, driver: &str) -> bool {
    match conf.get("security_driver") {
        None => true,
        Some(Value::Text(text)) => text == driver,
        Some(Value::List(list)) if list.is_empty() => true,
        Some(Value::List(_)) => {
            conf.list("security_driver").is_some_and(|list| list.contains(&driver))
        }
        Some(Value::Int(_)) => true,
    }
}

/// The label that libvirt gives to images, and to its own key file, of a process with this label.
pub fn image_label(process: &str) -> String {
    format!("system_u:object_r:svirt_image_t:{}", process.splitn(4, ':').nth(3).unwrap_or("s0"))
}

/// Whether libvirt's SELinux driver is in use: it is found, and `security_driver` does not say otherwise
/// (`[]` means the same as nothing, `qemuSecurityInit`).
pub fn selinux_driver(selinux: &Selinux, conf: &QemuConf) -> bool {
    selinux.is_there() && driver_allowed(conf, "selinux")
}

/// The label QEMU will run with (`virSecurityManagerGenLabel`, `virSecuritySELinuxGenLabel`).
pub fn selinux(selinux: &Selinux, domain: &DomainFacts, conf: &QemuConf) -> Confinement {
    if !selinux.is_there() {
        return Confinement::None;
    }
    let daemon = || {
        Confinement::Daemon(
            selinux.daemon.clone().unwrap_or_else(|| "system_u:system_r:virtd_t:s0".to_owned()),
        )
    };
    if !selinux_driver(selinux, conf) {
        return daemon();
    }
    let base = match (domain.kind.as_deref(), selinux.contexts.as_slice()) {
        (Some("qemu"), [_, tcg, ..]) => tcg.clone(),
        (_, [first, ..]) => first.clone(),
        (_, []) => "system_u:system_r:svirt_t:s0".to_owned(),
    };
    match domain.seclabel("selinux", true) {
        None if conf.int("security_default_confined") == Some(0) => daemon(),
        None => Confinement::Label { label: format!("{base}:{DRAWN}"), dynamic: true },
        Some(label) => match (label.kind, &label.label) {
            (SecLabelType::None, _) => daemon(),
            (SecLabelType::Static, Some(text)) => {
                Confinement::Label { label: text.clone(), dynamic: false }
            }
            (SecLabelType::Static | SecLabelType::Dynamic, _) => {
                let kind = label
                    .baselabel
                    .as_deref()
                    .and_then(type_of)
                    .or(type_of(&base))
                    .unwrap_or("svirt_t")
                    .to_owned();
                let mut parts: Vec<&str> = base.splitn(4, ':').collect();
                if let Some(part) = parts.get_mut(2) {
                    *part = &kind;
                }
                Confinement::Label { label: format!("{}:{DRAWN}", parts.join(":")), dynamic: true }
            }
        },
    }
}

/// Whether libvirt's driver works and `security_driver` lets it.
pub fn apparmor_driver(apparmor: &AppArmor, conf: &QemuConf) -> bool {
    apparmor.active == Known::Yes(true) && driver_allowed(conf, "apparmor")
}

/// Whether QEMU of this domain will be confined (SELinux, where it is there, comes first).
pub fn apparmor(apparmor: &AppArmor, domain: &DomainFacts, conf: &QemuConf, selinux: bool) -> bool {
    if selinux || !apparmor_driver(apparmor, conf) {
        return false;
    }
    match domain.seclabel("apparmor", true) {
        None => conf.int("security_default_confined") != Some(0),
        Some(label) => label.kind != SecLabelType::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::domain::Document;
    use crate::facts::Known;
    use crate::facts::selinux::Mode;

    fn host() -> Selinux {
        Selinux {
            mode: Known::Yes(Mode::Enforcing),
            daemon: Some("system_u:system_r:virtd_t:s0".into()),
            contexts: vec![
                "system_u:system_r:svirt_t:s0".into(),
                "system_u:system_r:svirt_tcg_t:s0".into(),
            ],
            distribution: "debian".into(),
            system: None,
            decisions: BTreeMap::new(),
            servers: BTreeMap::new(),
            known: BTreeMap::new(),
            booleans: BTreeMap::new(),
        }
    }

    fn confined(domain: &str, conf: &str) -> Confinement {
        let document = Document::parse(domain).unwrap();
        super::selinux(&host(), document.facts(), &QemuConf::parse("", conf))
    }

    #[test]
    fn the_label_follows_the_domain_and_the_configuration() {
        let dynamic = |label: &str| Confinement::Label {
            label: format!("system_u:system_r:{label}:s0:{DRAWN}"),
            dynamic: true,
        };
        let daemon = Confinement::Daemon("system_u:system_r:virtd_t:s0".into());
        assert_eq!(confined("<domain type='kvm'/>", ""), dynamic("svirt_t"));
        assert_eq!(confined("<domain type='qemu'/>", ""), dynamic("svirt_tcg_t"));
        assert_eq!(confined("<domain/>", "security_driver = []"), dynamic("svirt_t"));
        assert_eq!(confined("<domain/>", "security_driver = \"none\""), daemon);
        assert_eq!(confined("<domain/>", "security_default_confined = 0"), daemon);
        assert_eq!(
            confined("<domain><seclabel type='none' model='selinux'/></domain>", ""),
            daemon
        );
        assert_eq!(confined("<domain><seclabel type='none'/></domain>", ""), daemon);
        assert_eq!(
            confined("<domain><seclabel type='none' model='none'/></domain>", ""),
            dynamic("svirt_t")
        );
        assert_eq!(
            confined("<domain><seclabel type='none' model='dac'/></domain>", ""),
            dynamic("svirt_t")
        );
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
