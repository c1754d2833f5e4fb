//! libvirt itself: a configuration it can't read, labels it can't give.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::SecLabelType;
use crate::host::Known;
use crate::host::qemu_conf::Value;
use crate::host::selinux::Mode;

pub(in crate::rules) static CONF_SYNTAX: Rule = Rule {
    id: "conf-syntax",
    layer: Layer::Libvirt,
    summary: "qemu.conf can't be read, no VM starts",
    explain: include_str!("../../../assets/rules/conf-syntax.md"),
    check: conf_syntax,
};

fn conf_syntax(case: &Case<'_>) -> Vec<Finding> {
    let conf = &case.host.conf;
    if let Some(error) = &conf.error {
        let message = format!("{}:{}: libvirt's daemon does not start: {}", conf.path, error.line, error.message);
        return vec![
            Finding::general(Verdict::Blocks, message)
                .because("texts must stand in quotes, and lists hold no comments"),
        ];
    }
    if let Some(why) = &conf.unreadable {
        return vec![
            Finding::general(Verdict::Unknown, format!("libvirt's settings are not known: {why}"))
                .because("the defaults are assumed"),
        ];
    }
    Vec::new()
}

pub(in crate::rules) static SECLABEL_UNAVAILABLE: Rule = Rule {
    id: "seclabel-unavailable",
    layer: Layer::Libvirt,
    summary: "a seclabel names a security model that libvirt does not use here",
    explain: include_str!("../../../assets/rules/seclabel-unavailable.md"),
    check: seclabel_unavailable,
};

fn seclabel_unavailable(case: &Case<'_>) -> Vec<Finding> {
    let host = case.host;
    let selinux = host.selinux.driver(&host.conf);
    let mut findings = Vec::new();
    for label in &case.document.facts().seclabels {
        let available = match label.model.as_deref() {
            Some("selinux") => Some(selinux),
            Some("apparmor") => host
                .apparmor
                .active
                .yes()
                .map(|active| *active && !selinux && !super::list_lacks(case, "security_driver", "apparmor")),
            Some("dac") => Some(host.is_system()),
            Some("none") | None => Some(true),
            Some(_) => Some(false),
        };
        let tolerated = label.kind == SecLabelType::None && host.libvirt_at_least(12, 3) == Some(true);
        if available == Some(false) && !tolerated {
            let model = label.model.as_deref().unwrap_or_default();
            let verdict = if label.kind == SecLabelType::None && matches!(host.libvirt, Known::Unknown(_)) {
                Verdict::Unknown
            } else {
                Verdict::Blocks
            };
            findings.push(
                Finding::general(
                    verdict,
                    format!("the domain has a seclabel for '{model}', which libvirt does not use on this host"),
                )
                .because(format!("libvirt says \"Security driver model '{model}' is not available\""))
                .remedy(Remedy::none(Scope::Rewrite, format!("take the <seclabel model='{model}'> out of the domain"))),
            );
        }
        if label.kind == SecLabelType::None
            && host.conf.int("security_require_confined") == Some(1)
            && label.model.as_deref() != Some("dac")
        {
            findings.push(
                Finding::general(Verdict::Blocks, "the domain asks not to be confined, and this host requires it")
                    .because(format!("{} has security_require_confined = 1; libvirt says 'Unconfined guests are not allowed on this host'", host.conf.path))
                    .remedy(Remedy::setting("allow unconfined VMs", &host.conf.path, "security_require_confined = 0")),
            );
        }
    }
    findings
}

pub(in crate::rules) static SECLABEL_INCOMPLETE: Rule = Rule {
    id: "seclabel-incomplete",
    layer: Layer::Libvirt,
    summary: "a static seclabel has no label",
    explain: include_str!("../../../assets/rules/seclabel-incomplete.md"),
    check: |case| {
        let labels = case.document.facts().seclabels.iter();
        labels
            .filter(|label| label.kind == SecLabelType::Static && label.label.is_none())
            .map(|_| {
                Finding::general(Verdict::Blocks, "a static seclabel has no <label>, expected one")
                    .because("virsh define says 'security label is missing'")
            })
            .collect()
    },
};

pub(in crate::rules) static CONF_DRIVER: Rule = Rule {
    id: "conf-driver",
    layer: Layer::Libvirt,
    summary: "qemu.conf asks for a security driver that this host lacks, no VM starts",
    explain: include_str!("../../../assets/rules/conf-driver.md"),
    check: |case| {
        let (conf, host) = (&case.host.conf, case.host);
        let wanted: Vec<&str> = match conf.get("security_driver") {
            Some(Value::Text(text)) => vec![text],
            Some(Value::List(_)) => conf.list("security_driver").unwrap_or_default(),
            Some(Value::Int(_)) | None => Vec::new(),
        };
        let lacking = |driver: &str| match driver {
            "selinux" => host.selinux.mode == Known::Yes(Mode::Off),
            "apparmor" => host.apparmor.active == Known::Yes(false),
            _ => false,
        };
        let found = wanted.into_iter().filter(|driver| lacking(driver)).map(|driver| {
            Finding::general(
                Verdict::Blocks,
                format!("{} asks for the security driver '{driver}', which this host does not have", conf.path),
            )
            .because("libvirt's daemon does not start: 'Security driver … not enabled'")
            .remedy(Remedy::setting("let libvirt choose", &conf.path, "# security_driver = …"))
        });
        found.collect()
    },
};
