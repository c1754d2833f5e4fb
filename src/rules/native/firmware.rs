//! What the firmware shows the guest: configuration entries and system tables.

use super::plan::{Options, Plan, found, only, quoted, rule};
use crate::qemu::Version;
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

/// `-acpitable file=`, a whole table with its header; one plan for all of them, since one `<acpi>` holds them.
pub(super) fn acpi(options: &Options<'_>) -> Vec<Plan> {
    let tree = options.case.document.tree();
    let there = tree.child(0, "os").is_none_or(|(os, _)| tree.child(os, "acpi").is_some());
    let files: Option<Vec<(usize, &str)>> = options
        .named("acpitable")
        .map(|(at, pairs)| {
            Some((
                at,
                pairs.get("file").filter(|file| only(pairs, &["file"]) && !file.contains(':'))?,
            ))
        })
        .collect();
    let Some(files) = files.filter(|files| !files.is_empty() && !there) else { return Vec::new() };
    vec![Plan {
        options: files.iter().map(|(at, _)| *at).collect(),
        parent: "os/acpi",
        lines: files
            .iter()
            .map(|(_, file)| format!("<table type='raw'>{}</table>", quoted(file)))
            .collect(),
        also: None,
        element: "<acpi><table type='raw'>".to_owned(),
        since: Version::new(11, 2),
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
