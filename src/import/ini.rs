//! QEMU's own file of options (-readconfig), as LXD and Incus take it in raw.qemu.conf: a section is an option.

use super::{Found, Value};

/// A section, as far as it was read.
struct Section<'a> {
    kind: &'a str,
    id: Option<&'a str>,
    pairs: Vec<(&'a str, &'a str)>,
}

/// Whether a text consists of such sections.
pub(super) fn is_one(text: &str) -> bool {
    text.lines().any(|line| section(line).is_some_and(|(kind, _)| is_group(kind)))
        && text.lines().any(|line| pair(line).is_some())
        && text.lines().all(|line| {
            let line = line.trim();
            line.is_empty()
                || line.starts_with('#')
                || section(line).is_some()
                || pair(line).is_some()
        })
}

/// Groups of QEMU that are options of the command line (`qemu_read_config_group`, `qemu_config_parse`).
fn is_group(kind: &str) -> bool {
    const GROUPS: [&str; 20] = [
        "device",
        "drive",
        "chardev",
        "netdev",
        "object",
        "machine",
        "memory",
        "smp-opts",
        "boot-opts",
        "global",
        "mon",
        "fsdev",
        "spice",
        "audiodev",
        "iscsi",
        "rtc",
        "accel",
        "fw_cfg",
        "cpu",
        "smbios",
    ];
    GROUPS.contains(&kind)
}

/// `[device "id"]`: the group and the id.
fn section(line: &str) -> Option<(&str, Option<&str>)> {
    let inner = line.trim().strip_prefix('[')?;
    let (inner, index) = inner.split_once(']')?;
    let is_plain = index.trim().is_empty()
        || index.starts_with('[') && index.ends_with(']') && index.len() > 2;
    let (kind, id) = match inner.split_once('"') {
        Some((kind, id)) => (kind.trim(), Some(id.trim_end().trim_end_matches('"'))),
        None => (inner.trim(), None),
    };
    let is_word =
        !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    (is_plain && is_word).then_some((kind, id))
}

/// `key = "value"`.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once('=')?;
    let key = key.trim();
    let is_key =
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    is_key.then_some((key, value))
}

/// The options that the sections are.
pub(super) fn read(text: &str) -> Found {
    let mut found = Found { keyed: true, ..Found::default() };
    let mut current: Option<Section<'_>> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some((kind, id)) = section(line) {
            finish(&mut found, current.take());
            current = Some(Section { kind, id, pairs: Vec::new() });
        } else if let Some(pair) = pair(line) {
            match &mut current {
                Some(section) => section.pairs.push(pair),
                None => {
                    let why = "it stands in no [section]".to_owned();
                    found.others.push((line.to_owned(), why));
                }
            }
        }
    }
    finish(&mut found, current);
    found
}

fn finish(found: &mut Found, section: Option<Section<'_>>) {
    let Some(Section { kind, id, pairs }) = section else { return };
    let head = format!("[{kind}{}]", id.map(|id| format!(" \"{id}\"")).unwrap_or_default());
    // LXD and Incus give these ids; a section of one of them changes theirs.
    let changes = id.is_some_and(|id| id.starts_with("qemu_") || id.starts_with("dev-qemu"));
    if pairs.is_empty() || changes && !pairs.iter().any(|(key, _)| is_first(kind, key)) {
        let why = if pairs.is_empty() {
            "an empty section takes a device of LXD or Incus away; libvirt makes devices of its own"
        } else {
            "it changes a device that LXD or Incus makes; libvirt makes devices of its own"
        };
        let words: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        found
            .others
            .push((format!("{head} {}", words.join(" ")).trim_end().to_owned(), why.to_owned()));
        return;
    }
    let option = match kind {
        "memory" => "m",
        "smp-opts" => "smp",
        "boot-opts" => "boot",
        kind => kind,
    };
    let doubled = |text: &str| text.replace(',', ",,");
    let first = pairs.iter().find(|(key, _)| is_first(kind, key));
    let mut parts: Vec<String> = first.map(|(_, value)| doubled(value)).into_iter().collect();
    parts.extend(id.map(|id| format!("id={}", doubled(id))));
    let rest = pairs.iter().filter(|pair| Some(*pair) != first);
    parts.extend(rest.map(|(key, value)| format!("{key}={}", doubled(value))));
    found.args.push(Value::of(&format!("-{option}")));
    found.args.push(Value::of(&parts.join(",")));
}

/// The key whose value stands first on a command line, without its name.
fn is_first(kind: &str, key: &str) -> bool {
    let first = match kind {
        "device" | "audiodev" => "driver",
        "chardev" => "backend",
        "object" => "qom-type",
        "netdev" | "machine" => "type",
        "fsdev" => "fsdriver",
        "accel" => "accel",
        _ => return false,
    };
    key == first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_an_option() {
        let text = "[device \"rng9\"]\ndriver = \"virtio-rng-pci\"\nmax-bytes = \"1024\"\n\n[device \"qemu_gpu\"]\n\n[global]\ndriver=\"ICH9-LPC\"\nproperty=\"disable_s3\"\nvalue=\"1\"\n";
        assert!(is_one(text));
        let found = read(text);
        let words: Vec<&str> = found.args.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(
            words,
            [
                "-device",
                "virtio-rng-pci,id=rng9,max-bytes=1024",
                "-global",
                "driver=ICH9-LPC,property=disable_s3,value=1"
            ]
        );
        assert_eq!(found.others.len(), 1, "{:?}", found.others);
        assert!(!is_one("[Unit]\nDescription=x\n"));
    }
}
