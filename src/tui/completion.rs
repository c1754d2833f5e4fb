//! What can come next in the form: options, then devices or objects, then their properties.
//!
//! Names come from the table of options and from the host's own QEMU; without one there are fewer suggestions, never wrong ones.

use crate::domain::extras::{BEHAVIORS, PROPERTY_TYPES};
use crate::facts::emulator::{Emulator, Property};
use crate::qemu::{CommandLine, Pairs, argv, catalog};

/// One suggestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The whole text of the field with the suggestion taken.
    pub text: String,
    /// The suggestion itself.
    pub name: String,
    /// What it is: the option's purpose, the property's type and default.
    pub what: String,
}

/// The options that passthrough is used for most.
const COMMON: [&str; 8] =
    ["device", "object", "drive", "chardev", "netdev", "fw_cfg", "global", "cpu"];

/// Suggestions for the option's field; without a dash it is meant with one.
pub fn options(typed: &str) -> Vec<Candidate> {
    let start = argv::option_name(typed).unwrap_or(typed);
    let dashes = match &typed[..typed.len() - start.len()] {
        "" => "-",
        dashes => dashes,
    };
    let is_whole = typed.len() > start.len();
    let mut rows: Vec<catalog::OptionRow> = catalog::options()
        .filter(|row| row.name.starts_with(start) && row.range.until.is_none())
        .filter(|row| row.name != start || !is_whole)
        .collect();
    rows.sort_by_key(|row| {
        COMMON.iter().position(|name| *name == row.name).unwrap_or(COMMON.len())
    });
    rows.into_iter()
        .map(|row| Candidate {
            text: format!("{dashes}{}", row.name),
            name: format!("{dashes}{}", row.name),
            what: row.what.to_owned(),
        })
        .collect()
}

/// Suggestions for the value's field, for its last part.
pub fn values(option: &str, typed: &str, emulator: Option<&Emulator>) -> Vec<Candidate> {
    let (Some((group, _)), Some(emulator)) = (driver(option, typed), emulator) else {
        return Vec::new();
    };
    let table = if group == "device" { &emulator.devices } else { &emulator.objects };
    match typed.rsplit_once(',') {
        None => {
            // Processors are no devices that anybody adds by hand.
            let is_meant = |name: &&String| name.starts_with(typed) && !name.ends_with("-cpu");
            let names = table.keys().filter(|name| *name != typed).filter(is_meant);
            names
                .map(|name| Candidate {
                    text: name.clone(),
                    name: name.clone(),
                    what: String::new(),
                })
                .collect()
        }
        Some((before, part)) if part.contains('=') => {
            let pairs = Pairs::read(before, Some("driver"));
            let driver = pairs.get("driver").unwrap_or_default();
            let properties = table.get(catalog::unalias(driver)).map_or(&[][..], Vec::as_slice);
            let key = part.split('=').next().unwrap_or_default();
            let is_switch =
                |p: &&Property| p.name == key && ["bool", "OnOffAuto"].contains(&&*p.kind);
            if !properties.iter().any(|property| is_switch(&property)) {
                return Vec::new();
            }
            let whole = |candidate: Candidate| Candidate {
                text: format!("{before},{}", candidate.text),
                ..candidate
            };
            switches(part).into_iter().map(whole).collect()
        }
        Some((before, part)) => {
            let pairs = Pairs::read(before, Some("driver"));
            let driver = pairs.get("driver").unwrap_or_default();
            let properties = table.get(catalog::unalias(driver)).map_or(&[][..], Vec::as_slice);
            let fresh = |property: &&Property| {
                property.name.starts_with(part) && pairs.get(&property.name).is_none()
            };
            // What QEMU calls experimental comes last.
            let (experimental, plain): (Vec<&Property>, Vec<&Property>) = properties
                .iter()
                .filter(fresh)
                .partition(|property| property.name.starts_with("x-"));
            plain
                .into_iter()
                .chain(experimental)
                .map(|property| Candidate {
                    text: format!("{before},{}=", property.name),
                    name: property.name.clone(),
                    what: about(property),
                })
                .collect()
        }
    }
}

/// What stands in a directory of this host: the directory, and its names; those of directories end in a slash.
pub type Listing = (String, Vec<String>);

/// The path that is being typed at the end of a value: what stands before it, its directory with a slash, the rest.
///
/// A path is what a key of the resource table, or the option itself, names.
pub fn path<'a>(option: &str, typed: &'a str) -> Option<(&'a str, &'a str, &'a str)> {
    let row = catalog::option(argv::option_name(option)?)?;
    let start = match row.reader.split(':').next().unwrap_or_default() {
        "path" | "image" => 0,
        "keyval" | "drive" | "blockdev" => {
            let part = typed.rfind(',').map_or(0, |comma| comma + 1);
            let (key, _) = typed[part..].split_once('=')?;
            let names =
                |row: &catalog::ResourceRow| row.key == Some(key) && PATHS.contains(&row.access);
            let image = ["drive", "blockdev"].contains(&row.reader)
                && (key == "file" || key.ends_with("filename"));
            if !image && !catalog::resources(row.name).iter().any(names) {
                return None;
            }
            part + key.len() + 1
        }
        _ => return None,
    };
    let path = &typed[start..];
    if !path.starts_with('/') {
        return None;
    }
    let slash = path.rfind('/')? + 1;
    Some((&typed[..start], &path[..slash], &path[slash..]))
}

/// Words of the resource table for what is a path.
const PATHS: [&str; 14] = [
    "read",
    "read-write",
    "create",
    "memory",
    "memory-read",
    "directory",
    "listen",
    "connect",
    "library",
    "rom",
    "search",
    "read-list",
    "tls-x509-server",
    "tls-x509-client",
];

/// Suggestions for a path, from the listing of its directory.
pub fn paths(option: &str, typed: &str, listing: Option<&Listing>) -> Vec<Candidate> {
    // Where a path is to stand and nothing does, it begins at the root.
    if typed.ends_with('=') && path(option, &format!("{typed}/")).is_some() {
        let text = format!("{typed}/");
        return vec![Candidate { text, name: "/".into(), what: "a path of this host".into() }];
    }
    let (Some((before, directory, part)), Some((listed, names))) = (path(option, typed), listing)
    else {
        return Vec::new();
    };
    if listed != directory {
        return Vec::new();
    }
    let names = names.iter().filter(|name| {
        name.starts_with(part) && *name != part && (!name.starts_with('.') || part.starts_with('.'))
    });
    names
        .map(|name| Candidate {
            text: format!("{before}{directory}{}", name.replace(',', ",,")),
            name: name.clone(),
            what: String::new(),
        })
        .collect()
}

/// Suggestions for a pair that refers to something by its id: what defines such a thing among the arguments.
pub fn ids(option: &str, typed: &str, line: &CommandLine) -> Vec<Candidate> {
    let (before, part) = match typed.rfind(',') {
        Some(comma) => typed.split_at(comma + 1),
        None => ("", typed),
    };
    let Some((key, begun)) = part.split_once('=') else { return Vec::new() };
    let name = argv::option_name(option).unwrap_or_default();
    let groups = catalog::references(name).find(|(of, _)| *of == key).map(|(_, groups)| groups);
    let Some(groups) = groups else { return Vec::new() };
    let of_group = line.ids.iter().filter(|id| groups.split(',').any(|group| group == id.group));
    let fitting = of_group.filter(|id| id.id.starts_with(begun) && id.id != begun);
    fitting
        .map(|id| Candidate {
            text: format!("{before}{key}={}", id.id),
            name: id.id.clone(),
            what: format!("-{}", id.group),
        })
        .collect()
}

/// Suggestions for a pair whose value is on or off.
pub fn switches(pair: &str) -> Vec<Candidate> {
    let Some((key, typed)) = pair.split_once('=') else { return Vec::new() };
    let fitting =
        ["on", "off"].into_iter().filter(|word| word.starts_with(typed) && *word != typed);
    fitting
        .map(|word| Candidate {
            text: format!("{key}={word}"),
            name: word.to_owned(),
            what: String::new(),
        })
        .collect()
}

/// Suggestions for the rest of the namespace: what there is, the domain's devices, the types of values.
pub fn extras(focus: usize, what: &str, typed: &str, aliases: &[String]) -> Vec<Candidate> {
    let whole = |name: &str| Candidate {
        text: name.to_owned(),
        name: name.to_owned(),
        what: String::new(),
    };
    let begin = |name: &&str| name.starts_with(typed) && *name != typed;
    if focus == 0 {
        if let Some(alias) = typed.strip_prefix("override ") {
            let names = aliases.iter().filter(|name| name.starts_with(alias) && *name != alias);
            return names
                .map(|name| Candidate { text: format!("override {name}."), ..whole(name) })
                .collect();
        }
        return ["override ", "capability add", "capability del", "deprecation"]
            .iter()
            .filter(|n| begin(n))
            .map(|n| whole(n))
            .collect();
    }
    let words: &[&str] = match what.split(' ').next().unwrap_or_default() {
        "override" => &PROPERTY_TYPES,
        "deprecation" => &BEHAVIORS,
        _ => &[],
    };
    words.iter().filter(|name| begin(name)).map(|name| whole(name)).collect()
}

/// Suggestions for the name of an environment variable: those that somebody reads, and those that did once, said so.
pub fn variables(typed: &str) -> Vec<Candidate> {
    let upper = typed.to_uppercase();
    let begins = |name: &str| name.starts_with(&upper) && name != typed;
    catalog::variables()
        .filter(|row| !row.name.ends_with('*') && begins(row.name))
        .map(|row| Candidate {
            text: row.name.to_owned(),
            name: row.name.to_owned(),
            what: row.what.to_owned(),
        })
        .collect()
}

/// The type of a property, and its default.
pub(super) fn about(property: &Property) -> String {
    match &property.default {
        Some(default) => format!("{}, default {default}", property.kind),
        None => property.kind.clone(),
    }
}

/// The group and the type that a value is about: of `-device` or `-object`, once the type is written whole.
pub fn driver<'a>(option: &str, value: &'a str) -> Option<(&'static str, &'a str)> {
    let group = match argv::option_name(option)? {
        "device" => "device",
        "object" => "object",
        _ => return None,
    };
    Some((group, value.split(',').next().unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn emulator() -> Emulator {
        let property = |name: &str, kind: &str, default: Option<&str>| Property {
            name: name.into(),
            kind: kind.into(),
            default: default.map(str::to_owned),
        };
        Emulator {
            devices: BTreeMap::from([
                (
                    "isa-debugcon".to_owned(),
                    vec![
                        property("chardev", "str", None),
                        property("iobase", "uint32", Some("233")),
                    ],
                ),
                ("isa-serial".to_owned(), Vec::new()),
            ]),
            ..Emulator::default()
        }
    }

    fn names(candidates: &[Candidate]) -> Vec<&str> {
        candidates.iter().map(|candidate| candidate.name.as_str()).collect()
    }

    #[test]
    fn variables_that_somebody_reads_or_did_once() {
        assert_eq!(
            names(&variables("PULSE_S")),
            ["PULSE_SERVER", "PULSE_SINK", "PULSE_SOURCE", "PULSE_STATE_PATH"]
        );
        assert_eq!(names(&variables("pulse_ser")), ["PULSE_SERVER"]);
        let dead = variables("QEMU_AUDIO_D");
        assert!(dead[0].what.starts_with("does nothing: read until QEMU 8.1"), "{dead:?}");
        assert!(variables("NOBODY_").is_empty());
    }

    #[test]
    fn what_is_on_or_off_is_suggested() {
        assert_eq!(names(&switches("grab_all=")), ["on", "off"]);
        assert_eq!(switches("grab_all=of")[0].text, "grab_all=off");
        assert!(switches("grab_all=on").is_empty());
    }

    #[test]
    fn options_then_types_then_properties() {
        assert_eq!(names(&options("-netd")), ["-netdev"]);
        assert_eq!(names(&options("netd")), ["-netdev"]);
        assert_eq!(names(&options(""))[..2], ["-device", "-object"]);
        let emulator = emulator();
        assert_eq!(
            names(&values("-device", "isa-", Some(&emulator))),
            ["isa-debugcon", "isa-serial"]
        );
        let properties = values("--device", "isa-debugcon,chardev=c,", Some(&emulator));
        assert_eq!(names(&properties), ["iobase"]);
        assert_eq!(properties[0].text, "isa-debugcon,chardev=c,iobase=");
        assert_eq!(properties[0].what, "uint32, default 233");
        assert_eq!(values("-device", "isa-", None), []);
        assert_eq!(values("-drive", "i", Some(&emulator)), []);
    }
}
