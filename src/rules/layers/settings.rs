//! `qemu.conf`: what keeps libvirt's daemon from starting, so that no VM starts.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::qemu_conf::{Value, daemon_kind_of, kind_of, words_of};
use crate::facts::selinux::Mode;
use crate::facts::{HostFacts, Known};
use crate::libvirt::confinement::apparmor_driver;
use crate::qemu::Version;

pub(crate) static CONF_SYNTAX: Rule = Rule {
    id: "conf-syntax",
    layer: Layer::Libvirt,
    summary: "qemu.conf can't be read, no VM starts",
    explain: include_str!("../../../assets/rules/conf-syntax.md"),
    check: conf_syntax,
};

fn conf_syntax(case: &Case<'_>) -> Vec<Finding> {
    let conf = &case.host.conf;
    if let Some(error) = &conf.error {
        let message = format!(
            "{}:{}: libvirt's daemon does not start: {}",
            conf.path, error.line, error.message
        );
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

/// What the daemon's journal has; clients see only that nobody answers.
fn dead(case: &Case<'_>, message: &str, journal: &str) -> Finding {
    Finding::general(Verdict::Blocks, format!("{}: {message}", case.host.conf.path))
        .because(format!("libvirt's daemon does not start: {journal}"))
        .because(format!(
            "clients say 'Failed to connect socket'; 'journalctl -u {}' has the reason",
            case.host.service()
        ))
}

pub(crate) static CONF_VALUE: Rule = Rule {
    id: "conf-value",
    layer: Layer::Libvirt,
    summary: "qemu.conf has a value that libvirt does not accept, no VM starts",
    explain: include_str!("../../../assets/rules/conf-value.md"),
    check: |case| {
        let conf = &case.host.conf;
        let version = case.host.libvirt.yes().and_then(|version| Version::read(version));
        let mut seen = std::collections::HashSet::new();
        let counting = conf.settings.iter().filter(|(key, _)| seen.insert(key.as_str()));
        let mut findings: Vec<Finding> = counting
            .filter_map(|(key, value)| {
                let expected = wrong_kind(kind_of(key, version)?, value)?;
                let journal = format!("expected {expected} for '{key}' parameter");
                Some(dead(
                    case,
                    &format!("{key} has the wrong kind of value, expected {expected}"),
                    &journal,
                ))
            })
            .collect();
        for (key, journal) in [
            ("cgroup_controllers", "Unknown cgroup controller"),
            ("namespaces", "Unknown namespace:"),
        ] {
            let known = words_of(key);
            let unknown =
                conf.list(key).unwrap_or_default().into_iter().find(|word| !known.contains(word));
            if let Some(word) = unknown {
                let message = format!("{key} names '{word}', expected only {}", known.join(" "));
                findings.push(dead(case, &message, &format!("{journal} '{word}'")));
            }
        }
        if case.host.is_system()
            && let (true, Some(Known::Unknown(why))) =
                (conf.text("user").or(conf.text("group")).is_some(), case.host.identities.get(""))
        {
            findings.push(dead(
                case,
                &format!("the user or the group is not to be had: {why}"),
                "Failed to parse user",
            ));
        }
        findings
    },
};

pub(crate) static DAEMON_CONF: Rule = Rule {
    id: "daemon-conf",
    layer: Layer::Libvirt,
    summary: "libvirt's daemon does not take its own configuration, no VM starts",
    explain: include_str!("../../../assets/rules/daemon-conf.md"),
    check: daemon_conf,
};

fn daemon_conf(case: &Case<'_>) -> Vec<Finding> {
    let conf = &case.host.daemon_conf;
    let finding = |message: String, journal: String| {
        Finding::general(Verdict::Blocks, message)
            .because(format!("{} does not start with it: {journal}", case.host.service()))
            .because("one that runs already has the settings that the file had when it started")
    };
    if let Some(error) = &conf.error {
        let journal = format!("configuration file syntax error: {}", error.message);
        return vec![finding(format!("{}:{}: {}", conf.path, error.line, error.message), journal)];
    }
    let mut seen = std::collections::HashSet::new();
    let counting = conf.settings.iter().filter(|(key, _)| seen.insert(key.as_str()));
    let wrong = counting.filter_map(|(key, value)| {
        let expected = wrong_kind(daemon_kind_of(key, case.host.service())?, value)?;
        let message =
            format!("{}: {key} has the wrong kind of value, expected {expected}", conf.path);
        Some(finding(message, format!("expected {expected} for '{key}' parameter")))
    });
    wrong.collect()
}

/// What libvirt expects where a value is of another kind.
fn wrong_kind(kind: &str, value: &Value) -> Option<&'static str> {
    let texts = |values: &[Value]| values.iter().all(|value| matches!(value, Value::Text(_)));
    let (fits, expected) = match (kind, value) {
        ("bool", value) => (matches!(value, Value::Int(0 | 1)), "a bool"),
        ("number", value) => (matches!(value, Value::Int(_)), "a signed integer"),
        ("unsigned", value) => (matches!(value, Value::Int(0..)), "an unsigned integer"),
        ("unsigned-or-text", value) => {
            (matches!(value, Value::Int(0..) | Value::Text(_)), "an unsigned integer")
        }
        ("text", value) => (matches!(value, Value::Text(_)), "a string"),
        ("text-or-list", Value::Text(_)) => (true, ""),
        ("text-or-list", Value::List(values)) => (texts(values), "a string or string list"),
        ("text-or-list", Value::Int(_)) => (false, "a string or string list"),
        ("list", Value::List(values)) => (texts(values), "a string list"),
        ("list", Value::Int(_) | Value::Text(_)) => (false, "a string list"),
        _ => (true, ""),
    };
    (!fits).then_some(expected)
}

pub(crate) static CONF_DRIVER: Rule = Rule {
    id: "conf-driver",
    layer: Layer::Libvirt,
    summary: "qemu.conf asks for a security driver that libvirt can't use here, no VM starts",
    explain: include_str!("../../../assets/rules/conf-driver.md"),
    check: |case| {
        let (conf, host) = (&case.host.conf, case.host);
        let wanted: Vec<&str> = match conf.get("security_driver") {
            Some(Value::Text(text)) => vec![text],
            Some(Value::List(_)) => conf.list("security_driver").unwrap_or_default(),
            Some(Value::Int(_)) | None => Vec::new(),
        };
        let mut findings = Vec::new();
        for (at, driver) in wanted.iter().enumerate() {
            let problem = if wanted[..at].contains(driver) {
                "which is there twice"
            } else if lacking(host, driver) {
                "which this host does not have"
            } else if !["selinux", "apparmor", "none"].contains(driver) {
                "expected selinux, apparmor or none"
            } else {
                continue;
            };
            let finding = dead(
                case,
                &format!("security_driver names '{driver}', {problem}"),
                "'Failed to initialize security drivers' or 'Duplicate security driver'",
            );
            findings.push(finding.remedy(Remedy::setting(
                "let libvirt choose",
                &conf.path,
                "security_driver = []",
            )));
        }
        let confined = case.start.selinux_driver || apparmor_driver(&host.apparmor, conf);
        let certain = host.selinux.mode.yes().is_some() && host.apparmor.active.yes().is_some();
        if conf.int("security_require_confined") == Some(1)
            && !confined
            && certain
            && host.is_system()
        {
            let finding = dead(
                case,
                "security_require_confined = 1, and nothing confines VMs on this host",
                "Failed to initialize security drivers",
            );
            findings.push(finding.remedy(Remedy::setting(
                "do not require it",
                &conf.path,
                "security_require_confined = 0",
            )));
        }
        findings
    },
};

fn lacking(host: &HostFacts, driver: &str) -> bool {
    match driver {
        "selinux" => host.selinux.mode == Known::Yes(Mode::Off),
        "apparmor" => host.apparmor.active == Known::Yes(false),
        _ => false,
    }
}

pub(crate) static CONF_NEWER: Rule = Rule {
    id: "conf-newer",
    layer: Layer::Libvirt,
    summary: "qemu.conf was changed after libvirt's daemon started",
    explain: include_str!("../../../assets/rules/conf-newer.md"),
    check: |case| {
        if !case.host.conf.newer {
            return Vec::new();
        }
        let message = format!(
            "{} was changed after libvirt's daemon started, which still has the older settings",
            case.host.conf.path
        );
        vec![
            Finding::general(Verdict::Note, message)
                .because("the verdicts are about the settings that the file has now")
                .remedy(Remedy::command(
                    Scope::DisableHost,
                    "let the daemon read it; running VMs go on",
                    &["systemctl", "restart", case.host.service()],
                )),
        ]
    },
};
