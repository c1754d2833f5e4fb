//! Configurations of programs that start QEMU, line by line: Proxmox VE, LXD and Incus, units of systemd.

use std::collections::BTreeMap;

use super::shell::quoted_words;
use super::{Found, Value, ini, shell};

/// What lines of a Proxmox configuration say, and the element in which a domain says it.
const PROXMOX: &str = include_str!("../../assets/import/proxmox.tsv");

/// Whether a text is a configuration of Proxmox VE: a line `args:`, or several that only it has.
pub(super) fn is_proxmox(text: &str) -> bool {
    let has_args = text.lines().any(|line| {
        arguments(line).is_some_and(|rest| rest.trim_start_matches(['\'', '"']).starts_with('-'))
    });
    has_args || text.lines().filter(|line| of_proxmox(line).is_some()).count() >= 3
}

fn arguments(line: &str) -> Option<&str> {
    let line = line.trim();
    Some(line.strip_prefix("args:")?.trim())
}

/// The element for a line such as `hostpci0: 01:00,pcie=1`.
fn of_proxmox(line: &str) -> Option<&'static str> {
    let (key, _) = line.trim().split_once(": ")?;
    let key = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let rows = PROXMOX.lines().filter(|row| !row.starts_with('#'));
    rows.filter_map(|row| row.split_once('\t'))
        .find(|(name, _)| *name == key)
        .map(|(_, element)| element)
}

/// The arguments of a Proxmox configuration (`PVE::Tools::split_args`), and what its other lines say.
///
/// # Errors
/// Where a quote is left open.
pub(super) fn proxmox(text: &str) -> Result<Found, String> {
    let mut found = Found { keyed: true, ..Found::default() };
    for line in text.lines() {
        // A section is a snapshot; what stands before it is the VM as it is.
        if line.starts_with('[') && !found.is_empty() {
            break;
        }
        if let Some(rest) = arguments(line) {
            let words = quoted_words(rest)?;
            // A program that writes the file has its own quotes around.
            let words = match words.as_slice() {
                [one] if one.contains(' ') => quoted_words(one)?,
                _ => words,
            };
            found.args.extend(words.into_iter().map(Value::from));
        } else if let Some(element) = of_proxmox(line) {
            found.elsewhere.push((line.trim().to_owned(), element));
        }
    }
    Ok(found)
}

/// Whether a text is a configuration of LXD or Incus that has options of QEMU.
pub(super) fn is_incus(text: &str) -> bool {
    text.lines().any(|line| incus_key(line).is_some())
}

/// The key and what stands behind it: `raw.qemu: …`, `"raw.qemu.conf" = ''`.
fn incus_key(line: &str) -> Option<(&'static str, &str)> {
    let line = line.trim().trim_start_matches("- ");
    for key in ["raw.qemu.conf", "raw.qemu"] {
        let Some(rest) = line.trim_start_matches(['"', '\'']).strip_prefix(key) else { continue };
        let rest = rest.trim_start_matches(['"', '\'']).trim_start();
        if let Some(value) = rest.strip_prefix(':').or(rest.strip_prefix('=')) {
            return Some((key, value.trim()));
        }
    }
    None
}

/// The options in `raw.qemu` and the sections in `raw.qemu.conf`.
///
/// # Errors
/// Where a quote is left open.
pub(super) fn incus(text: &str) -> Result<Found, String> {
    let mut found = Found { keyed: true, ..Found::default() };
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((key, value)) = incus_key(line) else { continue };
        let is_block = value.is_empty() || value.starts_with(['|', '>']) || value == "''";
        let indent = line.len() - line.trim_start().len();
        let mut inner = if is_block { String::new() } else { unquoted(value) };
        while let Some(next) = lines.peek() {
            let deeper = next.len() - next.trim_start().len() > indent || next.trim().is_empty();
            // A flow scalar goes on where an option does.
            let goes_on =
                if is_block { deeper } else { deeper && next.trim_start().starts_with('-') };
            let closes = ["'';", "''"].contains(&next.trim());
            if !goes_on || closes {
                break;
            }
            inner.push('\n');
            inner.push_str(next.trim());
            lines.next();
        }
        if key == "raw.qemu.conf" {
            found.merge(ini::read(&inner));
        } else {
            let words = quoted_words(&inner)?;
            found.args.extend(words.into_iter().map(Value::from));
        }
    }
    Ok(found)
}

/// A scalar of YAML without its quotes.
fn unquoted(value: &str) -> String {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match (inner('"'), inner('\'')) {
        (Some(text), _) => text.replace("\\\"", "\"").replace("\\n", "\n"),
        (None, Some(text)) => text.replace("''", "'"),
        (None, None) => value.to_owned(),
    }
}

/// Whether a text is a unit that starts QEMU.
pub(super) fn is_unit(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().starts_with("ExecStart="))
}

/// The command and the environment of a unit, as the shell would say them.
///
/// # Errors
/// Where a quote is left open, or nothing starts QEMU.
pub(super) fn unit(text: &str, answers: &BTreeMap<String, String>) -> Result<Found, String> {
    let text = text.replace("\\\n", " ");
    let (mut variables, mut command) = (Vec::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("Environment=") {
            variables.extend(quoted_words(rest)?);
        } else if let Some(rest) = line.strip_prefix("ExecStart=")
            && (command.is_empty() || rest.split_whitespace().any(shell::is_program))
        {
            command = rest.trim_start_matches(['-', '@', ':', '+', '!']).to_owned();
        }
    }
    let variables: Vec<(&str, &str)> =
        variables.iter().filter_map(|variable| variable.split_once('=')).collect();
    let mut script = String::new();
    for (name, value) in variables.iter().filter(|(name, _)| shell::is_name(name)) {
        script.push_str(&format!("{name}='{}'\n", value.replace('\'', "'\\''")));
    }
    let mut found = shell::read(&format!("{script}{command}"), answers)?;
    for (name, value) in variables {
        // What the command line takes from a variable is no variable for QEMU.
        let is_put_in = command.contains(&format!("${{{name}}}"))
            || command.split_whitespace().any(|word| word == format!("${name}"));
        if !is_put_in {
            found.envs.push((name.to_owned(), Value::of(value)));
        }
    }
    // `%i` is what the instance of the unit is called.
    for value in found.args.iter_mut().chain(found.envs.iter_mut().map(|(_, value)| value)) {
        for specifier in ["%i", "%I", "%n", "%h", "%t", "%u"] {
            if value.text.contains(specifier) {
                value.open.push(specifier.to_owned());
            }
        }
    }
    Ok(found)
}
