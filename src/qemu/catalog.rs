//! The tables of `assets/qemu/`, embedded: nothing is parsed before it is asked for.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::version::{Range, Version};

const OPTIONS: &str = include_str!("../../assets/qemu/options.tsv");
const RESOURCES: &str = include_str!("../../assets/qemu/resources.tsv");
const BLOCKDEV: &str = include_str!("../../assets/qemu/blockdev.tsv");
const ALIASES: &str = include_str!("../../assets/qemu/aliases.tsv");
const BUSES: &str = include_str!("../../assets/qemu/buses.tsv");
const NAMES: &str = include_str!("../../assets/qemu/names.tsv");
const VERSIONS: &str = include_str!("../../assets/VERSIONS.tsv");
const CONFLICTS: &str = include_str!("../../assets/qemu/conflicts.tsv");
const DEVICES: &str = include_str!("../../assets/qemu/devices.tsv");
const REQUIRED: &str = include_str!("../../assets/qemu/required.tsv");
const CLOSED_GROUPS: &str = include_str!("../../assets/qemu/closed-groups.tsv");
const LEFT_TO_LIBVIRT: &str = include_str!("../../assets/qemu/left-to-libvirt.tsv");
const MODULES: &str = include_str!("../../assets/qemu/modules.tsv");
const TYPES: &str = include_str!("../../assets/qemu/types.tsv");
const SUCCESSORS: &str = include_str!("../../assets/qemu/successors.tsv");
const ENVIRONMENT: &str = include_str!("../../assets/qemu/environment.tsv");
const REFERENCES: &str = include_str!("../../assets/qemu/references.tsv");
const BACKENDS: &str = include_str!("../../assets/qemu/backends.tsv");
const NODES: &str = include_str!("../../assets/qemu/nodes.tsv");
const BUILT_IN_BUSES: &str = include_str!("../../assets/qemu/built-in-buses.tsv");
const PROPERTIES: &str = include_str!("../../assets/qemu/properties.tsv");
const SPELLINGS: &str = include_str!("../../assets/qemu/spellings.tsv");

/// A QEMU option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionRow {
    /// The name, without a dash.
    pub name: &'static str,
    /// Whether it takes the next argument as its value.
    pub takes_value: bool,
    /// How the value is read: `text`, `keyval`, `drive`, `blockdev`, `character`, `path:ACCESS` …
    pub reader: &'static str,
    /// The key that a first part without `=` belongs to.
    pub implied: Option<&'static str>,
    /// The versions of QEMU that have it.
    pub range: Range,
    /// The place where libvirt's own command line may have it too, before the passthrough (`-sandbox` and `-msg` come after).
    pub of_libvirt: Option<u8>,
    /// What it is for.
    pub what: &'static str,
}

/// A key of an option that names a host resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceRow {
    /// The drivers or types it holds for, comma separated, `*` as a wildcard.
    pub types: &'static str,
    /// The key; `None` for a resource that is touched without being named.
    pub key: Option<&'static str>,
    /// How QEMU touches it.
    pub access: &'static str,
    /// Conditions on other keys.
    pub when: &'static str,
    /// The value when the key is absent.
    pub default: Option<&'static str>,
    /// What it is.
    pub what: &'static str,
}

/// Who reads an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// QEMU, or a library of it.
    Named,
    /// A library, which reads any name that begins so.
    Library,
    /// Nobody where libvirt says how the guest is heard, and no QEMU from 8.2 on.
    Sound,
    /// QEMU's user mode, which runs programs and no VM.
    UserMode,
}

/// An environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnvironmentRow {
    /// The name, or how it begins with `*`.
    pub name: &'static str,
    /// Who reads it.
    pub reader: Reader,
    /// How QEMU, or a library of it, touches what it names; `-` where it names nothing of the host.
    pub access: &'static str,
    /// What stands between the variable's value and the path, as `prefix…suffix`.
    pub suffix: &'static str,
    /// What it is.
    pub what: &'static str,
}

fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// The fields of a table that is looked through often, split once.
type Fields = OnceLock<Vec<Vec<&'static str>>>;

fn fields(table: &'static str, read: &'static Fields) -> &'static [Vec<&'static str>] {
    read.get_or_init(|| rows(table).map(|line| line.split('\t').collect()).collect())
}

fn given(field: &'static str) -> Option<&'static str> {
    (field != "-").then_some(field)
}

fn option_row(line: &'static str) -> OptionRow {
    let mut fields = line.split('\t');
    let mut next = || fields.next().unwrap_or("-");
    OptionRow {
        name: next(),
        takes_value: next() == "1",
        reader: next(),
        implied: given(next()),
        range: Range::read(next(), next()),
        of_libvirt: given(next()).and_then(|place| place.parse().ok()),
        what: next(),
    }
}

/// All options, sorted by name.
pub fn options() -> impl Iterator<Item = OptionRow> {
    rows(OPTIONS).map(option_row)
}

/// The option called `name` (without its dash).
pub fn option(name: &str) -> Option<OptionRow> {
    line(OPTIONS, name).map(option_row)
}

/// The bus that a device sits on, for devices that QEMU has and that sit on one.
pub fn bus_of(device: &str) -> Option<&'static str> {
    line(DEVICES, device)?.split('\t').nth(1)
}

/// The device that a name stands for; most stand for themselves.
pub fn unalias(device: &str) -> &str {
    line(ALIASES, device).and_then(|row| row.split('\t').nth(1)).unwrap_or(device)
}

/// The devices that bring a bus, as patterns; `None` for a bus that every machine has.
pub fn providers(bus: &str) -> Option<&'static str> {
    line(BUSES, bus)?.split('\t').nth(1)
}

/// Whether a bus is one that machines bring themselves.
pub fn is_built_in_bus(bus: &str) -> bool {
    rows(BUILT_IN_BUSES).any(|known| known == bus)
}

/// The keys of an option that refer to something by its id, each with the groups of which one defines it.
pub fn references(option: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    static READ: Fields = OnceLock::new();
    fields(REFERENCES, &READ)
        .iter()
        .filter(move |row| matches(row[2], option))
        .map(|row| (row[0], row[1]))
}

/// A backend of which an option takes some types only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendRow {
    /// The key that names it.
    pub key: &'static str,
    /// The group that it is defined in.
    pub group: &'static str,
    /// The types that are taken, with commas between them.
    pub kinds: &'static str,
    /// What QEMU says to others.
    pub words: &'static str,
}

/// The backends of an option of one type of which not every type is taken.
pub fn backends(option: &str, kind: &str) -> impl Iterator<Item = BackendRow> {
    rows(BACKENDS).filter_map(move |line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        let is_meant = next()? == option && matches(next()?, kind);
        let row = BackendRow { key: next()?, group: next()?, kinds: next()?, words: next()? };
        is_meant.then_some(row)
    })
}

/// A key that names a node of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeRow {
    /// The key.
    pub key: &'static str,
    /// Kinds of nodes, as the table has them.
    pub kinds: &'static str,
    /// What QEMU says to others.
    pub words: &'static str,
}

/// The keys of an option of one type that name a node of one kind.
pub fn nodes(option: &str, kind: &str) -> impl Iterator<Item = NodeRow> {
    rows(NODES).filter_map(move |line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        let is_meant = next()? == option && matches(next()?, kind);
        let row = NodeRow { key: next()?, kinds: next()?, words: next()? };
        is_meant.then_some(row)
    })
}

/// What the value of a device's property is, where that is the same for every device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyKind {
    /// A text.
    Text,
    /// On, off or auto.
    ThreeValued,
}

/// What the value of a property is; nothing where it is not the same for every device.
pub fn property_kind(name: &str) -> Option<PropertyKind> {
    let found = rows(PROPERTIES).find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
    match found? {
        "text" => Some(PropertyKind::Text),
        "three" => Some(PropertyKind::ThreeValued),
        _ => None,
    }
}

/// Whether a type of an option is a second spelling, which QEMU takes and lists nowhere.
pub fn is_second_spelling(option: &str, kind: &str) -> bool {
    rows(SPELLINGS).any(|line| line.split_once('\t') == Some((option, kind)))
}

/// What an option does beside libvirt's own: the word for it (`blocks`, `warns`, `unknown`), what lifts that, and a sentence.
pub fn conflict(option: &str) -> Option<(&'static str, Option<&'static str>, &'static str)> {
    let mut fields = line(CONFLICTS, option)?.split('\t').skip(1);
    Some((fields.next()?, fields.next().and_then(given), fields.next()?))
}

/// What says the same as an option that QEMU removed.
pub fn successor(option: &str) -> Option<&'static str> {
    line(SUCCESSORS, option)?.split('\t').nth(1)
}

/// The key that an option can't do without.
pub fn needed_key(option: &str) -> Option<&'static str> {
    line(TYPES, option)?.split('\t').nth(1)
}

/// The types of an option, or the block drivers for `blockdev`, with the versions that have them.
pub fn names(option: &str) -> impl Iterator<Item = (&'static str, Range)> {
    static READ: Fields = OnceLock::new();
    let rows = fields(NAMES, &READ).iter().filter(move |row| row[0] == option);
    rows.map(|row| (row[1], Range::read(row[2], row[3])))
}

/// The versions of QEMU, from and to, that a table of names was checked against: inside, what it lacks is not there.
pub fn checked(table: &str) -> Option<(Version, Version)> {
    let path = format!("qemu/{table}.tsv");
    let mut fields = rows(VERSIONS)
        .find_map(|line| line.strip_prefix(path.as_str())?.strip_prefix('\t'))?
        .split('\t');
    Some((Version::read(fields.next()?)?, Version::read(fields.next()?)?))
}

/// Keys that an option can't do without for one of its types, `|` between those of which one is enough, with QEMU's words.
pub fn required(option: &str, kind: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows(REQUIRED).filter_map(move |line| {
        let mut fields = line.split('\t');
        (fields.next()? == option && matches(fields.next()?, kind)).then_some(())?;
        Some((fields.next()?, fields.next()?))
    })
}

/// QEMU's name of the group of an option that refuses keys it does not list.
pub fn closed_group(option: &str) -> Option<&'static str> {
    line(CLOSED_GROUPS, option)?.split('\t').nth(1)
}

/// Where a libvirt domain says what an option of a whole command line says.
pub fn left_to_libvirt(option: &str) -> Option<&'static str> {
    line(LEFT_TO_LIBVIRT, option)?.split('\t').nth(1)
}

/// Whether QEMU may have a part as a module of this name.
pub fn is_module(name: &str) -> bool {
    line(MODULES, name).is_some()
}

/// The key of an option that its type stands in, where a module may bring the type; a block driver has none.
pub fn type_key(option: &str) -> Option<(&str, &'static str)> {
    let mut fields = rows(MODULES).map(|line| line.split('\t').skip(1));
    fields
        .find_map(|mut fields| (fields.next()? == option).then(|| fields.next())?)
        .map(|key| (option, key))
}

/// The modules without any of which a value of an option's key is gone, or a block driver where there is no key.
pub fn modules<'a>(
    key: Option<(&'a str, &'a str)>,
    value: &'a str,
) -> impl Iterator<Item = &'static str> + 'a {
    static READ: Fields = OnceLock::new();
    let (option, name) = key.unwrap_or(("-", "-"));
    let is_meant = move |row: &&Vec<&str>| {
        let is_value = |known: &str| known == value || known == "*";
        row[1] == option && row[2] == name && row[3].split(',').any(is_value)
    };
    fields(MODULES, &READ).iter().filter(is_meant).map(|row| row[0])
}

/// Debian's package of a module: of release 12, and of what came after it. `None` for a release that does not have it.
pub fn debian_package(module: &str, is_12: bool) -> Option<&'static str> {
    given(line(MODULES, module)?.split('\t').nth(if is_12 { 4 } else { 5 })?)
}

/// The line of a sorted table that begins with `name`, found by bisecting the table's text.
fn line(table: &'static str, name: &str) -> Option<&'static str> {
    let first = table.find('\n')? + 1;
    let (mut low, mut high) = (first, table.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = table[low..middle].rfind('\n').map_or(low, |at| low + at + 1);
        let end = table[start..].find('\n').map_or(table.len(), |at| start + at);
        let line = &table[start..end];
        let found = line.split('\t').next().unwrap_or_default();
        match name.as_bytes().cmp(found.as_bytes()) {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => high = start,
            std::cmp::Ordering::Greater => low = end + 1,
        }
    }
    None
}

/// The resource rows of an option.
pub fn resources(option: &str) -> &'static [ResourceRow] {
    static TABLE: OnceLock<HashMap<&'static str, Vec<ResourceRow>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: HashMap<&'static str, Vec<ResourceRow>> = HashMap::new();
        for line in rows(RESOURCES) {
            let mut fields = line.split('\t');
            let mut next = || fields.next().unwrap_or("-");
            let option = next();
            let row = ResourceRow {
                types: next(),
                key: given(next()),
                access: next(),
                when: given(next()).unwrap_or(""),
                default: given(next()),
                what: next(),
            };
            table.entry(option).or_default().push(row);
        }
        table
    });
    table.get(option).map_or(&[], Vec::as_slice)
}

/// The keys of a block driver that name something: key, access, what it is.
pub fn block_driver(
    driver: &str,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    rows(BLOCKDEV).filter_map(move |line| {
        let mut fields = line.split('\t');
        if fields.next()? != driver {
            return None;
        }
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

/// All environment variables, those with names of their own first.
pub fn variables() -> impl Iterator<Item = EnvironmentRow> {
    rows(ENVIRONMENT).filter_map(|line| {
        let mut fields = line.split('\t');
        let (name, access, suffix) = (fields.next()?, fields.next()?, fields.next()?);
        let reader = match fields.next()? {
            "library" => Reader::Library,
            "sound" => Reader::Sound,
            "user" => Reader::UserMode,
            _ => Reader::Named,
        };
        let suffix = given(suffix).unwrap_or("");
        Some(EnvironmentRow { name, reader, access, suffix, what: fields.next()? })
    })
}

/// The row of an environment variable.
pub fn environment(name: &str) -> Option<EnvironmentRow> {
    variables().find(|row| match row.name.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => row.name == name,
    })
}

/// Whether one of the comma-separated patterns is `name`; `*` stands for any characters at an end.
pub fn matches(patterns: &str, name: &str) -> bool {
    patterns.split(',').any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_found_and_the_table_is_sorted() {
        let names: Vec<&str> = options().map(|row| row.name).collect();
        assert!(names.len() > 120);
        assert!(names.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        for name in names {
            assert_eq!(option(name).map(|row| row.name), Some(name));
        }
        assert_eq!(option("drives"), None);
        assert_eq!(option(""), None);
        assert_eq!(option("zzz"), None);
        let devices: Vec<&str> =
            rows(DEVICES).map(|line| line.split('\t').next().unwrap()).collect();
        assert!(devices.len() > 250 && devices.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        assert_eq!(
            (bus_of("usb-kbd"), bus_of("ivshmem-plain"), bus_of("nosuch")),
            (Some("usb-bus"), Some("PCI"), None)
        );
    }

    #[test]
    fn the_tables_use_only_words_that_are_read() {
        const READERS: [&str; 17] = [
            "chroot",
            "file",
            "fork",
            "user",
            "none",
            "exit",
            "set",
            "global",
            "text",
            "keyval",
            "drive",
            "blockdev",
            "character",
            "incoming",
            "vnc",
            "path",
            "image",
        ];
        for row in options() {
            let reader = row.reader.split(':').next().unwrap();
            assert!(READERS.contains(&reader), "{row:?}");
            assert!(
                row.takes_value || ["none", "exit", "fork", "file"].contains(&reader),
                "{row:?}"
            );
        }
        for name in rows(RESOURCES).map(|line| line.split('\t').next().unwrap()) {
            assert!(option(name).is_some_and(|row| row.takes_value), "{name}");
        }
        for line in rows(RESOURCES) {
            assert_eq!(line.split('\t').count(), 7, "{line}");
        }
        for name in rows(PROPERTIES).map(|line| line.split('\t').next().unwrap()) {
            assert!(property_kind(name).is_some(), "{name}");
        }
        for option in rows(REFERENCES).flat_map(|line| line.split('\t').nth(2).unwrap().split(','))
        {
            assert!(super::option(option).is_some(), "{option}");
        }
    }
}
