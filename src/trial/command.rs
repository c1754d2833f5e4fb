//! A command line in options, each of which can be replaced or left out.

use std::ops::Range;

use crate::qemu::{CommandLine, Pairs, QemuOption, catalog, keyval};

/// What touches the host, and what stands in for it.
const TABLE: &str = include_str!("../../assets/qemu/stand-ins.tsv");
/// What a host in use would lose to a real start.
const TAKEN: &str = include_str!("../../assets/qemu/left-out.tsv");

/// An option of the command line, or an argument that stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name as it is written, dashes included.
    pub name: String,
    /// The value, as QEMU gets it now.
    pub value: Option<String>,
    /// Its place in the passthrough: the argument that a remark belongs to. Nothing for what libvirt passes.
    pub argument: Option<usize>,
    /// Ids that it defines.
    pub ids: Vec<String>,
    /// Ids and other names in its values.
    names: Vec<String>,
    /// The value as it is written, where it can be read by QEMU although it is not asked about as it stands.
    readable: Option<String>,
    /// The name without dashes, where it is an option that is known.
    option: &'static str,
    /// It is left out.
    pub left_out: bool,
    /// Why QEMU is not asked about all of it.
    pub unasked: Option<String>,
}

/// What is there where QEMU is asked.
#[derive(Debug, Clone, Copy)]
pub struct Around {
    /// KVM.
    pub kvm: bool,
    /// The bytes by which QEMU takes the kernel that it is to start, or refuses it.
    pub kernel: bool,
    /// The files that hold more options.
    pub options: Options,
}

/// What is known of files that hold more options (`-readconfig`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Options {
    /// Nobody read one of them.
    Unread,
    /// They may name other files, which nobody has looked at.
    NameFiles,
    /// All that they say is known, or there are none.
    Plain,
}

/// A command line that is given to QEMU to be looked at.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its options in order.
    pub parts: Vec<Part>,
    around: Around,
    /// The command line asks for KVM.
    accelerated: bool,
    /// Ids of things that are not there, beside those of parts that are left out.
    gone: Vec<String>,
}

impl Command {
    /// Takes libvirt's command line apart and makes it harmless; `own` is the passthrough in it. The program is left out.
    pub fn of(argv: &[String], own: &[&str], around: Around) -> Command {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let line = CommandLine::read(&words, &[]);
        let place = place(&words, own);
        let parts = line.options.iter().map(|option| part(&line, option, &words, place.as_ref()));
        let accelerated = asks_for_kvm(&line);
        let mut command = Command { parts: parts.collect(), around, accelerated, gone: Vec::new() };
        command.parts.retain(|part| part.argument.is_some() || !is_libvirts_channel(part));
        command.disconnect();
        for part in &mut command.parts {
            part.make_harmless(around, accelerated);
        }
        command.leave_out_what_hangs_on_it();
        command
    }

    /// Clients of sockets that the command line itself makes get nothing: as a server, which others become, one would be in
    /// the other's place.
    fn disconnect(&mut self) {
        let mut servers: Vec<String> = Vec::new();
        for part in self.parts.iter_mut().filter(|part| part.option == "chardev") {
            let (pairs, _, kind) = part.reading();
            let at = |key: &str| pairs.get(key).unwrap_or_default();
            let address = format!("{}:{}", at("path"), at("port"));
            if kind != "socket" || address == ":" {
                continue;
            }
            if pairs.on("server") == Some(true) {
                servers.push(address);
            } else if servers.contains(&address) {
                part.value = Some(format!("null,id={}", at("id")));
                part.unasked = Some("nothing is connected to".to_owned());
            }
        }
    }

    /// The passthrough alone, without what a running host would miss, without the arguments by which a file would be `emptied`,
    /// and without what refers to that or to one of the ids that are `gone`.
    pub fn sparing(own: &[&str], gone: Vec<String>, emptied: &[usize]) -> Command {
        let line = CommandLine::read(own, &[]);
        let parts =
            line.options.iter().map(|option| part(&line, option, own, Some(&(0..own.len()))));
        let around = Around { kvm: true, kernel: true, options: Options::Plain };
        let mut command = Command { parts: parts.collect(), around, accelerated: true, gone };
        for part in &mut command.parts {
            part.spare_the_host();
            if part.argument.is_some_and(|argument| emptied.contains(&argument)) {
                part.left_out = true;
                part.unasked = Some("the file that is there would be emptied".to_owned());
            }
        }
        command.leave_out_what_hangs_on_it();
        command
    }

    /// The arguments for QEMU.
    pub fn arguments(&self) -> Vec<String> {
        let kept = self.parts.iter().filter(|part| !part.left_out);
        kept.flat_map(|part| std::iter::once(part.name.clone()).chain(part.value.clone())).collect()
    }

    /// Leaves a part out, and what refers to it; QEMU is not asked about either.
    pub fn leave_out(&mut self, at: usize, why: &str) {
        let part = &mut self.parts[at];
        part.left_out = true;
        part.unasked.get_or_insert_with(|| why.to_owned());
        self.leave_out_what_hangs_on_it();
    }

    /// Leaves a part out that QEMU refuses, and what refers to it.
    pub fn refuse(&mut self, at: usize) {
        self.parts[at].left_out = true;
        self.leave_out_what_hangs_on_it();
    }

    fn leave_out_what_hangs_on_it(&mut self) {
        loop {
            let gone: Vec<String> = self
                .parts
                .iter()
                .filter(|part| part.left_out)
                .flat_map(|part| part.ids.clone())
                .chain(self.gone.clone())
                .collect();
            let defined: Vec<String> = self
                .parts
                .iter()
                .filter(|part| !part.left_out)
                .flat_map(|part| part.ids.clone())
                .collect();
            let hangs = |part: &Part| {
                let refers = |id: &&String| {
                    part.names.contains(id) && !part.ids.contains(id) && !defined.contains(id)
                };
                gone.iter().find(refers).cloned()
            };
            let next =
                self.parts.iter().enumerate().find_map(|(at, part)| {
                    if part.left_out { None } else { Some((at, hangs(part)?)) }
                });
            let Some((at, id)) = next else { return };
            let part = &mut self.parts[at];
            if ["machine", "M"].contains(&part.option) {
                // Nothing works without a machine: it only loses what refers to the thing.
                part.forget(&id);
                continue;
            }
            part.left_out = true;
            part.unasked.get_or_insert_with(|| format!("it goes with '{id}'"));
        }
    }

    /// The command line with one part as it is written, where QEMU reads such a part before it opens anything for it.
    pub fn as_written(&self, at: usize) -> Option<Command> {
        let written = self.parts[at].readable.clone()?;
        let mut command = self.clone();
        command.parts[at].value = Some(written);
        command.parts[at].left_out = false;
        Some(command)
    }

    /// The part that QEMU's own words begin with, `-device foo,id=a`: the longest that fits.
    pub fn named(&self, words: &str) -> Option<usize> {
        let fits = |part: &Part| {
            let text = match &part.value {
                Some(value) => format!("-{} {value}", part.name.trim_start_matches('-')),
                None => format!("-{}", part.name.trim_start_matches('-')),
            };
            words
                .strip_prefix(&text)
                .is_some_and(|rest| rest.starts_with(':'))
                .then_some(text.len())
        };
        let found = self.parts.iter().enumerate().filter(|(_, part)| !part.left_out);
        found.filter_map(|(at, part)| Some((fits(part)?, at))).max().map(|(_, at)| at)
    }

    /// Whether an option of this name is left out.
    pub fn lacks(&self, option: &str) -> bool {
        self.parts.iter().any(|part| part.option == option && part.left_out)
    }

    /// Whether KVM was replaced: what QEMU says about it then is not about this host.
    pub fn is_without_kvm(&self) -> bool {
        self.accelerated && !self.around.kvm
    }
}

/// Where the passthrough stands: as libvirt passes it, in one piece, the last time that these words stand there.
pub(super) fn place(words: &[&str], own: &[&str]) -> Option<Range<usize>> {
    if own.is_empty() {
        return None;
    }
    let at = words.windows(own.len()).rposition(|window| window == own)?;
    Some(at..at + own.len())
}

fn part(
    line: &CommandLine,
    option: &QemuOption,
    words: &[&str],
    own: Option<&Range<usize>>,
) -> Part {
    let argument = own
        .filter(|own| own.contains(&option.entry))
        .map(|own| option.last().min(own.end - 1) - own.start);
    let ids = line.ids.iter().filter(|id| option.entries().any(|entry| entry == id.entry));
    let value = option.value.map(|value| words[value].to_owned());
    let mut names: Vec<String> = option.pairs.pairs.iter().map(|pair| pair.value.clone()).collect();
    if let Some(id) = value.as_deref().and_then(|value| value.strip_prefix("chardev:")) {
        names.push(id.to_owned());
    }
    // GROUP.ID.KEY=VALUE
    if let ("set", Some(value)) = (option.name(), &value) {
        names.extend(value.split('.').nth(1).map(str::to_owned));
    }
    Part {
        name: words[option.entry].to_owned(),
        value,
        argument,
        ids: ids.map(|id| id.id.clone()).collect(),
        names,
        readable: None,
        option: option.name(),
        left_out: false,
        unasked: None,
    }
}

/// Whether a command line asks for KVM: TCG is what QEMU takes otherwise.
fn asks_for_kvm(line: &CommandLine) -> bool {
    line.read_options().any(|option| match option.name() {
        "enable-kvm" => true,
        "accel" => option.kind() == "kvm",
        "machine" | "M" => {
            option.pairs.get("accel").is_some_and(|all| all.split(':').any(|one| one == "kvm"))
        }
        _ => false,
    })
}

/// libvirt's monitor, its master key and its own filter: what connects QEMU to the daemon.
///
/// The monitor is a `-mon`, from QEMU 11.1 and libvirt 12.8 on an `-object monitor-qmp`.
fn is_libvirts_channel(part: &Part) -> bool {
    let has = |id: &str| part.ids.iter().any(|own| own == id);
    let is_monitor = has("charmonitor") || part.names.iter().any(|name| name == "charmonitor");
    is_monitor || has("masterKey0") || ["sandbox", "msg", "S"].contains(&part.option)
}

impl Part {
    /// Replaces what touches the host, as the table says.
    fn make_harmless(&mut self, around: Around, accelerated: bool) {
        let option = self.option;
        for row in rows().filter(|row| row.option == option) {
            let (pairs, implied, kind) = self.reading();
            if catalog::matches(row.types, &kind)
                && holds(row.when, &pairs, (around, accelerated, self.argument.is_some()))
            {
                if row.is_readable && self.argument.is_some() {
                    self.readable.clone_from(&self.value);
                }
                self.apply(row.what, row.why, &pairs, implied);
            }
            if self.left_out {
                return;
            }
        }
        // Whatever QEMU says to them.
        if option == "readconfig" && around.options == Options::NameFiles {
            self.unasked = Some("the files that it names are not looked at".to_owned());
        }
    }

    /// Whether it is about networks, of which there are none where QEMU is asked.
    pub fn is_of_the_network(&self) -> bool {
        ["netdev", "net", "nic"].contains(&self.option)
    }

    /// Its pairs, the key that goes without saying, and its type.
    fn reading(&self) -> (Pairs, Option<&'static str>, String) {
        let text = self.value.as_deref().unwrap_or_default();
        let implied = catalog::option(self.option).and_then(|option| option.implied);
        let pairs = Pairs::read(text, implied);
        let kind = match implied {
            Some(key) => pairs.get(key).unwrap_or_default(),
            None => text.split(',').next().unwrap_or_default(),
        };
        let kind = kind.to_owned();
        (pairs, implied, kind)
    }

    /// Leaves out what a running host would miss, as its table says.
    fn spare_the_host(&mut self) {
        let (pairs, _, kind) = self.reading();
        let file = pairs.get("file").unwrap_or_default();
        let protocol = file.split_once("://").map(|(protocol, _)| protocol);
        let is_meant = |types: &str| {
            catalog::matches(types, &kind)
                || protocol.is_some_and(|protocol| catalog::matches(types, protocol))
        };
        let option = self.option;
        let missed = taken().find(|(of, types, _)| *of == option && is_meant(types));
        if let Some((.., why)) = missed {
            self.left_out = true;
            self.unasked = Some(why.to_owned());
        }
    }

    /// Drops the keys whose value is an id that is gone.
    fn forget(&mut self, id: &str) {
        let text = self.value.clone().unwrap_or_default();
        let implied = catalog::option(self.option).and_then(|option| option.implied);
        let pairs = Pairs::read(&text, implied);
        let gone = pairs.pairs.iter().filter(|pair| pair.value == id).map(|pair| pair.key.as_str());
        self.value = Some(without(&text, &pairs, implied, &gone.collect::<Vec<_>>()));
        self.names.retain(|name| name != id);
    }

    fn apply(&mut self, what: &str, why: &str, pairs: &Pairs, implied: Option<&str>) {
        let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
        let text = self.value.clone().unwrap_or_default();
        let before = self.value.clone();
        match verb {
            "leave" => self.left_out = true,
            "value" => {
                let id = pairs.get("id").or(pairs.get("node-name")).unwrap_or_default();
                self.value = Some(rest.replace("{id}", id));
                self.names.clear();
            }
            // Its place is the qom-type's there, which no word of the text comes before.
            "first" if pairs.json => self.left_out = true,
            "first" => {
                let tail =
                    text.split_once(',').map(|(_, tail)| format!(",{tail}")).unwrap_or_default();
                self.value = Some(format!("{rest}{tail}"));
            }
            "drop" => {
                let keys: Vec<&str> = rest.split(',').collect();
                if pairs.pairs.iter().any(|pair| keys.contains(&pair.key.as_str())) {
                    self.value = Some(without(&text, pairs, implied, &keys));
                }
            }
            "key" => {
                let Some((key, value)) = rest.split_once('=') else { return };
                if pairs.get(key) != Some(value) {
                    self.value = Some(with(&text, pairs, implied, (key, value)));
                }
            }
            other => debug_assert!(
                false,
                "the table of stand-ins has a verb that nothing reads: {other}"
            ),
        }
        if self.left_out || self.value != before {
            self.unasked.get_or_insert_with(|| why.to_owned());
        }
    }
}

/// A value without some of its keys.
fn without(text: &str, pairs: &Pairs, implied: Option<&str>, keys: &[&str]) -> String {
    if pairs.json
        && let Ok(serde_json::Value::Object(mut map)) = serde_json::from_str(text)
    {
        let is_meant = |key: &str| keys.iter().any(|meant| meant.split('.').next() == Some(key));
        map.retain(|key, _| !is_meant(key));
        return serde_json::Value::Object(map).to_string();
    }
    let kept = pairs.pairs.iter().filter(|pair| !keys.contains(&pair.key.as_str()));
    keyval::written(kept.map(|pair| (pair.key.as_str(), pair.value.as_str())), implied)
}

/// A value with a key set to another value, where it stands or else at the end.
pub(super) fn with(
    text: &str,
    pairs: &Pairs,
    implied: Option<&str>,
    (key, value): (&str, &str),
) -> String {
    if pairs.json
        && let Ok(serde_json::Value::Object(mut map)) = serde_json::from_str(text)
    {
        let value = match value {
            "on" => serde_json::Value::Bool(true),
            "off" => serde_json::Value::Bool(false),
            other => other.into(),
        };
        map.insert(key.to_owned(), value);
        return serde_json::Value::Object(map).to_string();
    }
    let mut words: Vec<(&str, &str)> =
        pairs.pairs.iter().map(|pair| (pair.key.as_str(), pair.value.as_str())).collect();
    let at = words.iter().position(|(found, _)| *found == key).unwrap_or(words.len());
    words.retain(|(found, _)| *found != key);
    words.insert(at, (key, value));
    keyval::written(words.into_iter(), implied)
}

/// Option, types and reason of each row of what is left out of a real start.
fn taken() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TAKEN.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?, fields.next()?))
    })
}

/// A row of the table of stand-ins.
struct Row {
    option: &'static str,
    types: &'static str,
    when: &'static str,
    what: &'static str,
    why: &'static str,
    is_readable: bool,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Row {
            option: next()?,
            types: next()?,
            when: next()?,
            what: next()?,
            why: next()?,
            is_readable: next()? == "read",
        })
    })
}

/// Whether all of a row's conditions hold, with commas between them: `-` always, `kvm`, `accelerated`, `kernel`, `own`, `key=value`, each with `!` for the opposite.
fn holds(when: &str, pairs: &Pairs, (around, accelerated, own): (Around, bool, bool)) -> bool {
    if let Some((first, rest)) = when.split_once(',') {
        let around = (around, accelerated, own);
        return holds(first, pairs, around) && holds(rest, pairs, around);
    }
    let (wanted, word) = when.strip_prefix('!').map_or((true, when), |word| (false, word));
    let is = match word.split_once('=') {
        _ if word == "-" => true,
        _ if word == "kvm" => around.kvm,
        _ if word == "kernel" => around.kernel,
        _ if word == "options" => around.options != Options::Unread,
        _ if word == "accelerated" => accelerated,
        _ if word == "own" => own,
        Some((key, "on")) => pairs.on(key) == Some(true),
        Some((key, value)) => pairs.get(key) == Some(value),
        None => pairs.get(word).is_some(),
    };
    is == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn harmless(words: &[&str], own: &[&str], kvm: bool) -> (Vec<String>, Vec<(usize, String)>) {
        let argv: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let command =
            Command::of(&argv, own, Around { kvm, kernel: false, options: Options::Unread });
        let unasked =
            command.parts.iter().filter_map(|part| Some((part.argument?, part.unasked.clone()?)));
        (command.arguments(), unasked.collect())
    }

    #[test]
    fn what_touches_the_host_is_replaced_or_left_out() {
        let own = [
            "-netdev",
            "tap,id=n",
            "-device",
            "virtio-net-pci,netdev=n",
            "-device",
            "vfio-pci,host=1:0.0",
        ];
        let words = [&["-S", "-accel", "kvm", "-cpu", "host,migratable=on"][..], &own].concat();
        let (arguments, unasked) = harmless(&words, &own, false);
        assert_eq!(
            arguments,
            [
                "-accel",
                "tcg",
                "-cpu",
                "max,migratable=on",
                "-netdev",
                "hubport,id=n,hubid=0",
                "-device",
                "virtio-net-pci,netdev=n"
            ]
        );
        let places: Vec<usize> = unasked.iter().map(|(at, _)| *at).collect();
        assert_eq!(places, [1, 5]);
        assert_eq!(
            harmless(&words, &own, true).0[..4],
            ["-accel", "kvm", "-cpu", "host,migratable=on"]
        );
        // Where nothing asks for KVM, QEMU says what it says on this host.
        let emulated = ["-accel", "tcg", "-cpu", "host"];
        assert_eq!(harmless(&emulated, &[], false).0, emulated);
    }

    #[test]
    fn what_refers_to_something_left_out_goes_with_it() {
        let own = [
            "-fsdev",
            "proxy,id=f,sock_fd=3",
            "-device",
            "virtio-9p-pci,fsdev=f,mount_tag=x",
            "-device",
            "e1000",
        ];
        let (arguments, unasked) = harmless(&own, &own, true);
        assert_eq!(arguments, ["-device", "e1000"]);
        assert_eq!(unasked.len(), 2);
    }

    #[test]
    fn keys_are_taken_out_of_text_and_json() {
        let own = ["-object", "memory-backend-ram,id=m,size=1G,prealloc=on"];
        assert_eq!(harmless(&own, &own, true).0[1], "memory-backend-ram,id=m,size=1G");
        let json = [
            "-object",
            r#"{"qom-type":"memory-backend-ram","id":"m","size":4096,"prealloc":true}"#,
        ];
        let (arguments, _) = harmless(&json, &[], true);
        assert!(!arguments[1].contains("prealloc") && arguments[1].contains("4096"));
        let socket = ["-chardev", "socket,id=c,path=/a,,b,server=on"];
        assert_eq!(
            harmless(&socket, &socket, true).0[1],
            "socket,id=c,path=/a,,b,server=on,wait=off"
        );
    }

    #[test]
    fn libvirts_own_channel_is_left_out_and_the_users_is_not() {
        let own = ["-chardev", "null,id=c", "-mon", "chardev=c"];
        let libvirt = [
            "-chardev",
            "socket,id=charmonitor,fd=3,server=on,wait=off",
            "-mon",
            "chardev=charmonitor,id=monitor,mode=control",
        ];
        let newer = [
            "-chardev",
            "socket,id=charmonitor,fd=3,server=on,wait=off",
            "-object",
            r#"{"qom-type":"monitor-qmp","id":"monitor","chardev":"charmonitor"}"#,
        ];
        for libvirt in [libvirt, newer] {
            let words = [&libvirt[..], &own, &["-sandbox", "on", "-msg", "timestamp=on"]].concat();
            assert_eq!(harmless(&words, &own, true).0, own);
        }
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(line.split('\t').count(), 6, "{line}");
        }
        for (option, types, why) in taken() {
            assert!(catalog::option(option).is_some(), "QEMU has no -{option}");
            assert!(!types.is_empty() && !why.is_empty(), "{option}");
        }
        for row in rows() {
            assert!(catalog::option(row.option).is_some(), "QEMU has no -{}", row.option);
            let verb = row.what.split(' ').next().unwrap();
            assert!(["leave", "value", "first", "drop", "key"].contains(&verb), "{verb}");
        }
    }
}
