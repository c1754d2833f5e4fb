//! What kind of text was pasted: each kind has its mark and its reader, and the first one whose mark is there reads.

use std::collections::BTreeMap;

use super::dialects::{batch, fish, powershell};
use super::{Found, config, ini, keyed, log, make, markup, shell};

/// What a person answered about what the text leaves open.
type Answers = BTreeMap<String, String>;

/// A kind of text.
struct Kind {
    /// What it is called in a sentence.
    name: &'static str,
    /// Its mark.
    is_one: fn(&str) -> bool,
    /// Its reader.
    read: fn(&str, &Answers) -> Result<Found, String>,
}

/// Every kind, the surest mark first.
const KINDS: [Kind; 16] = [
    Kind { name: "options", is_one: begins_with_option, read: shell::read },
    Kind { name: "a batch file", is_one: batch::is_one, read: batch::read },
    Kind {
        name: "a script of PowerShell",
        is_one: powershell::is_one,
        read: |text, answers| shell::read(&powershell::script(text), answers),
    },
    Kind {
        name: "a script of fish",
        is_one: fish::is_one,
        read: |text, answers| shell::read(&fish::script(text), answers),
    },
    Kind { name: "a log of libvirt", is_one: |text| log::command(text).is_some(), read: logged },
    Kind {
        name: "a script",
        is_one: |text| text.contains("<<") && shell::writes_options(text),
        read: shell::read,
    },
    Kind { name: "XML", is_one: markup::is_there, read: |text, _| markup::read(text) },
    Kind {
        name: "sections of -readconfig",
        is_one: ini::is_one,
        read: |text, _| Ok(ini::read(text)),
    },
    Kind { name: "a unit of systemd", is_one: config::is_unit, read: config::unit },
    Kind {
        name: "a configuration of Proxmox VE",
        is_one: config::is_proxmox,
        read: |text, _| config::proxmox(text),
    },
    Kind {
        name: "a configuration of Incus or LXD",
        is_one: config::is_incus,
        read: |text, _| config::incus(text),
    },
    Kind {
        name: "a Makefile",
        is_one: |text| make::recipes(text).is_some(),
        read: |text, answers| shell::read(&make::recipes(text).unwrap_or_default(), answers),
    },
    Kind {
        name: "an expression of Nix",
        is_one: keyed::is_nix,
        read: |text, _| keyed::read(text).ok_or_else(|| "no option of QEMU is in it".to_owned()),
    },
    Kind { name: "a script", is_one: starts_qemu, read: shell::read },
    Kind {
        name: "a configuration",
        is_one: |text| keyed::read(text).is_some(),
        read: |text, _| keyed::read(text).ok_or_else(|| "no option of QEMU is in it".to_owned()),
    },
    Kind { name: "XML", is_one: |text| text.starts_with('<'), read: |text, _| markup::read(text) },
];

/// Reads a text by its kind; the kind's name.
///
/// # Errors
/// What stands in the way and what was expected, in one sentence.
pub(super) fn read(text: &str, answers: &Answers) -> Result<(Found, &'static str), String> {
    let kind = KINDS.iter().find(|kind| (kind.is_one)(text));
    match kind {
        Some(kind) => Ok(((kind.read)(text, answers)?, kind.name)),
        None => Ok((shell::read(text, answers)?, "a shell text")),
    }
}

/// What a text inside another one holds: a heredoc, what is echoed.
pub(super) fn inner(text: &str, answers: &Answers) -> Option<Found> {
    let kind = KINDS.iter().find(|kind| (kind.is_one)(text))?;
    (kind.read)(text, answers).ok().filter(|found| !found.is_empty())
}

fn logged(text: &str, answers: &Answers) -> Result<Found, String> {
    shell::read(&log::command(text).unwrap_or_default(), answers)
}

/// Whether the first word, variables aside, is an option: then nothing in its values can make it another kind.
fn begins_with_option(text: &str) -> bool {
    let Ok(words) = shell::quoted_words(text) else { return false };
    let is_variable =
        |word: &&String| word.split_once('=').is_some_and(|(name, _)| shell::is_name(name));
    let first = words.iter().find(|word| !is_variable(word));
    first.is_some_and(|first| shell::is_option(first) && !first.starts_with("---"))
}

/// Whether it is a shell text in which a command starts QEMU, or one that only sets variables.
fn starts_qemu(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let sets = |line: &str| {
        let name: String =
            line.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let rest = line[name.len()..].trim_start_matches('+');
        shell::is_name(&name) && rest.starts_with('=') && !rest.starts_with("= ")
    };
    if first.is_some_and(sets)
        || text.starts_with("#!/") && !text.lines().next().is_some_and(|l| l.contains("python"))
    {
        return true;
    }
    shell::starts_qemu(text)
}
