//! Parts of QEMU that distributions package apart, and which package has them.

use super::emulator::installed;
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::EntryId;
use crate::facts::emulator::Emulator;
use crate::facts::selinux::Selinux;
use crate::qemu::{QemuOption, catalog};

pub(crate) static MISSING_MODULE: Rule = Rule {
    id: "missing-module",
    layer: Layer::Qemu,
    summary: "a part of QEMU that is packaged apart is not installed",
    explain: include_str!("../../../assets/rules/missing-module.md"),
    check: missing_module,
};

fn missing_module(case: &Case<'_>) -> Vec<Finding> {
    let Some(emulator) = installed(case).filter(|emulator| !emulator.lacking.is_empty()) else {
        return Vec::new();
    };
    let last_display = case.line.options("display").next_back().map(QemuOption::place);
    // Of several displays the last one counts.
    let counts =
        |option: &&QemuOption| option.name() != "display" || last_display == Some(option.place());
    let options = case.line.read_options().filter(counts);
    options
        .filter_map(|option| {
            let mut lacking: Vec<&str> = wanted(case, option);
            lacking.retain(|module| lacks(emulator, module));
            lacking.dedup();
            (!lacking.is_empty()).then(|| missing(case, emulator, option.place(), &lacking))
        })
        .collect()
}

/// What stands before the colon of an image's name: the protocol that QEMU opens it with (block.c: `path_has_protocol`).
fn scheme(name: &str) -> &str {
    name.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// What is said of an image's name whose protocol is in a module that is not installed: the modules, and what to do.
pub(crate) fn lacking_for(case: &Case<'_>, name: &str) -> Option<(String, String)> {
    let emulator = installed(case)?;
    let modules = catalog::modules(None, scheme(name)).filter(|module| lacks(emulator, module));
    let lacking: Vec<&str> = modules.collect();
    (!lacking.is_empty()).then(|| (lacking.join(", "), advice(&case.host.selinux, &lacking)))
}

/// The modules that an option can't do without.
fn wanted(case: &Case<'_>, option: &QemuOption) -> Vec<&'static str> {
    let mut wanted: Vec<&str> = catalog::modules(Some((option.name(), "-")), "").collect();
    for pair in &option.pairs.pairs {
        match (option.name(), pair.key.as_str()) {
            ("drive" | "blockdev", "driver" | "format") => {
                wanted.extend(catalog::modules(None, &pair.value));
            }
            ("drive" | "blockdev", key) if key.ends_with(".driver") => {
                wanted.extend(catalog::modules(None, &pair.value));
            }
            ("drive", "file") => wanted.extend(catalog::modules(None, scheme(&pair.value))),
            // The whole value is the name of an image.
            ("hda" | "hdb" | "hdc" | "hdd" | "cdrom" | "fda" | "fdb", _) => {
                let name = case.document.arg(option.place().index);
                wanted.extend(catalog::modules(None, scheme(name)));
            }
            ("drive" | "blockdev", _) => {}
            ("device", "driver") => wanted.extend(of_device(&pair.value)),
            (option, key) => wanted.extend(catalog::modules(Some((option, key)), &pair.value)),
        }
    }
    wanted
}

fn of_device(name: &str) -> impl Iterator<Item = &'static str> {
    catalog::modules(Some(("device", "driver")), catalog::unalias(name))
}

fn lacks(emulator: &Emulator, module: &str) -> bool {
    emulator.lacking.iter().any(|name| name == module)
}

/// Whether a device is not there since a module is not.
pub(super) fn is_packaged_apart(emulator: &Emulator, device: &str) -> bool {
    of_device(device).any(|module| lacks(emulator, module))
}

fn missing(case: &Case<'_>, emulator: &Emulator, entry: EntryId, lacking: &[&str]) -> Finding {
    let is = if lacking.len() == 1 { "module" } else { "modules" };
    let are = if lacking.len() == 1 { "is" } else { "are" };
    let names = lacking.join(", ");
    Finding::at(entry, Verdict::Blocks, format!("QEMU's {is} {names} {are} not installed"))
        .because(format!(
            "{} was built with such modules, and no {}.so is in its directories",
            emulator.path,
            lacking.join(".so, ")
        ))
        .because("QEMU says 'Unknown audio driver', 'Unknown protocol', or that the type is not available or no valid name")
        .remedy(Remedy::none(Scope::DisableHost, advice(&case.host.selinux, lacking)))
}

/// Which package of the host's release to install, or how to look it up.
fn advice(host: &Selinux, lacking: &[&str]) -> String {
    let mut packages: Vec<String> = Vec::new();
    for module in lacking {
        match package(host, module) {
            Some(package) if packages.contains(&package) => {}
            Some(package) => packages.push(package),
            None => return lookup(host, lacking[0]),
        }
    }
    format!("install {}", packages.join(" and "))
}

/// The ID of the host's os-release and its ID_LIKE, the nearest first.
fn lineage(host: &Selinux) -> impl Iterator<Item = &str> {
    let like = host.system.iter().flat_map(|system| system.like.iter().map(String::as_str));
    std::iter::once(host.distribution.as_str()).chain(like)
}

/// The package of the host's release that has a module; `None` where that is not known.
fn package(host: &Selinux, module: &str) -> Option<String> {
    // Fedora and RHEL have their own words for two kinds (qemu.spec, qemu-kvm.spec).
    let own = match module.split_once('-') {
        Some(("chardev", name)) => format!("char-{name}"),
        Some(("hw", name)) => format!("device-{name}"),
        _ => module.to_owned(),
    };
    if host.distribution == "debian" {
        // Testing and unstable have no VERSION_ID.
        let is_12 = match host.system.as_ref()?.version.as_deref() {
            Some("12") => true,
            Some("13") | None => false,
            Some(_) => return None,
        };
        return catalog::debian_package(module, is_12).map(str::to_owned);
    }
    lineage(host).find_map(|id| match id {
        "rhel" | "centos" => Some(format!("qemu-kvm-{own}")),
        "fedora" => Some(format!("qemu-{own}")),
        "arch" | "opensuse" | "suse" => Some(format!("qemu-{module}")),
        _ => None,
    })
}

/// How to find the package of a release that is not known.
fn lookup(host: &Selinux, module: &str) -> String {
    let how = lineage(host).find_map(|id| match id {
        "debian" | "ubuntu" => Some(format!("apt-file search /{module}.so")),
        "fedora" | "rhel" => Some(format!("dnf provides '*/{module}.so'")),
        _ => None,
    });
    match how {
        Some(how) => format!("install the package that has {module}.so: {how}"),
        None => format!("install the package of your distribution that has {module}.so"),
    }
}
