//! What the firmware shows the guest: configuration entries and system tables.

use super::plan::{Options, Plan, found, only, quoted, rule};
use crate::qemu::{Pairs, Version};
use crate::rules::{Case, Finding, Layer, Rule};

rule!(FWCFG, "native-fwcfg", "libvirt has <sysinfo type='fwcfg'> for this", fwcfg);

/// `-fw_cfg name=opt/…`, one element for all of them.
pub(super) fn fwcfg(options: &Options<'_>) -> Vec<Plan> {
    let mut used = Vec::new();
    let mut lines = Vec::new();
    for (at, pairs) in options.named("fw_cfg") {
        let Some(name) = pairs.get("name").filter(|name| name.starts_with("opt/")) else {
            continue;
        };
        let line = match (pairs.get("file"), pairs.get("string")) {
            (Some(file), None) => {
                format!("  <entry name='{}' file='{}'/>", quoted(name), quoted(file))
            }
            (None, Some(text)) => {
                format!("  <entry name='{}'>{}</entry>", quoted(name), quoted(text))
            }
            _ => continue,
        };
        // libvirt 9.0 hands the text on as it is: commas are not doubled, escapes not undone.
        let plain = pairs.pairs.iter().all(|pair| !pair.value.contains([',', '&', '<', '>']));
        if plain && only(pairs, &["name", "file", "string"]) {
            used.push(at);
            lines.push(line);
        }
    }
    let tree = options.case.document.tree();
    let there = tree
        .children(0)
        .any(|(_, child)| child.name == "sysinfo" && child.attribute("type") == Some("fwcfg"));
    if used.is_empty() || there {
        return Vec::new();
    }
    let lines = ["<sysinfo type='fwcfg'>".to_owned()]
        .into_iter()
        .chain(lines)
        .chain(["</sysinfo>".to_owned()]);
    vec![Plan {
        options: used,
        parent: "",
        lines: lines.collect(),
        also: None,
        element: "<sysinfo type='fwcfg'>".to_owned(),
        since: Version::new(6, 5),
        satisfies: &[Layer::Dac, Layer::Selinux],
    }]
}

rule!(ACPI, "native-acpi", "libvirt has <acpi><table> for this", acpi);

/// The table of an `-acpitable`: its type and its file. QEMU puts the signature that is given in the place of the file's.
fn acpi_table(pairs: &Pairs) -> Option<(&'static str, &str)> {
    let kind = match pairs.get("sig") {
        None => "raw",
        Some("SLIC") => "slic",
        Some("MSDM") => "msdm",
        Some(_) => return None,
    };
    let file = pairs.get("file").filter(|file| !file.contains(':'))?;
    only(pairs, &["file", "sig"]).then_some((kind, file))
}

/// `-acpitable file=`, a whole table with its header; one plan for all of them, since one `<acpi>` holds them.
pub(super) fn acpi(options: &Options<'_>) -> Vec<Plan> {
    let tree = options.case.document.tree();
    let there = tree.child(0, "os").is_none_or(|(os, _)| tree.child(os, "acpi").is_some());
    let tables = options.named("acpitable").map(|(at, pairs)| Some((at, acpi_table(pairs)?)));
    let tables: Option<Vec<(usize, (&str, &str))>> = tables.collect();
    let Some(tables) = tables.filter(|tables| !tables.is_empty() && !there) else {
        return Vec::new();
    };
    let of = |wanted: &str| tables.iter().filter(|(_, (kind, _))| *kind == wanted).count();
    // Each licence may be there once (`virDomainDefOSValidate`).
    if of("slic") > 1 || of("msdm") > 1 {
        return Vec::new();
    }
    let is_old = of("slic") == tables.len();
    vec![Plan {
        options: tables.iter().map(|(at, _)| *at).collect(),
        parent: "os/acpi",
        lines: tables
            .iter()
            .map(|(_, (kind, file))| format!("<table type='{kind}'>{}</table>", quoted(file)))
            .collect(),
        also: None,
        element: format!("<acpi><table type='{}'>", tables[0].1.0),
        since: if is_old { Version::new(1, 3) } else { Version::new(11, 2) },
        satisfies: &[Layer::Dac, Layer::Selinux, Layer::AppArmor],
    }]
}

rule!(SYSINFO, "native-sysinfo", "libvirt has <sysinfo type='smbios'> for this", sysinfo);

const TABLES: &str = include_str!("../../../assets/libvirt/sysinfo.tsv");

/// The tables that libvirt writes: type, element, keys that both know, comma separated.
fn tables() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TABLES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

/// `-smbios type=0…3`, all or none, since `<smbios mode='sysinfo'/>` is about all of them.
pub(super) fn sysinfo(options: &Options<'_>) -> Vec<Plan> {
    let tree = options.case.document.tree();
    let there = tree
        .children(0)
        .any(|(_, child)| child.name == "sysinfo" && child.attribute("type") == Some("smbios"));
    let Some((os, _)) = tree.child(0, "os") else { return Vec::new() };
    if there || tree.child(os, "smbios").is_some() {
        return Vec::new();
    }
    let mut used = Vec::new();
    let mut said: Vec<(&str, Vec<String>)> = Vec::new();
    for (at, pairs) in options.named("smbios") {
        let kind = pairs.get("type").unwrap_or_default();
        let Some((_, element, keys)) = tables().find(|(known, _, _)| *known == kind) else {
            return Vec::new();
        };
        if said.iter().any(|(known, _)| *known == element) {
            return Vec::new();
        }
        let mut lines = Vec::new();
        for pair in pairs.pairs.iter().filter(|pair| pair.key != "type") {
            if !keys.split(',').any(|key| key == pair.key) {
                return Vec::new();
            }
            lines.push(format!("    <entry name='{}'>{}</entry>", pair.key, quoted(&pair.value)));
        }
        // A table without an entry would not be written at all.
        if lines.is_empty() {
            return Vec::new();
        }
        used.push(at);
        said.push((element, lines));
    }
    // bios comes first: the schema has an order here.
    said.sort_by_key(|(element, _)| tables().position(|(_, known, _)| known == *element));
    let inner =
        said.into_iter().filter(|(_, lines)| !lines.is_empty()).flat_map(|(element, lines)| {
            [format!("  <{element}>")].into_iter().chain(lines).chain([format!("  </{element}>")])
        });
    let lines: Vec<String> = ["<sysinfo type='smbios'>".to_owned()]
        .into_iter()
        .chain(inner)
        .chain(["</sysinfo>".to_owned()])
        .collect();
    if used.is_empty() {
        return Vec::new();
    }
    vec![Plan {
        options: used,
        parent: "",
        lines,
        also: Some(("os", vec!["<smbios mode='sysinfo'/>".to_owned()])),
        element: "<sysinfo type='smbios'> with <smbios mode='sysinfo'/>".to_owned(),
        since: Version::new(4, 1),
        satisfies: &[],
    }]
}
