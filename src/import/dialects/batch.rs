//! Batch files of Windows: variables are put in as text, a caret continues a line, a backslash is a letter.

use std::collections::BTreeMap;

use super::{joined, named};
use crate::import::shell::{self, is_program};
use crate::import::{Found, Value};
use crate::qemu::catalog;

/// The most that variables may make of a line.
const LONGEST: usize = 128 << 10;

/// Whether a text is a batch file that starts QEMU.
pub(in crate::import) fn is_one(text: &str) -> bool {
    let begins = |line: &str| {
        let line = line.trim_start().trim_start_matches('@').to_ascii_lowercase();
        ["echo off", "rem ", "setlocal", "set \""].iter().any(|word| line.starts_with(word))
            || line.strip_prefix("set ").and_then(named).is_some_and(|(_, r)| r.starts_with('='))
    };
    let continues = |line: &str| line.trim_end().ends_with(" ^");
    text.contains("qemu-system-") && text.lines().any(|line| begins(line) || continues(line))
}

/// The command line that starts QEMU, and the variables that QEMU knows.
///
/// # Errors
/// Where nothing starts QEMU.
pub(in crate::import) fn read(
    text: &str,
    answers: &BTreeMap<String, String>,
) -> Result<Found, String> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut script = String::new();
    for line in joined(text, '^') {
        let line = line.trim().trim_start_matches('@');
        if let Some((name, value)) = assignment(line) {
            let value = settled(value, &variables);
            if catalog::variables().any(|row| row.name == name) {
                script.push_str(&format!("export {name}={}\n", quoted(&value)));
            }
            variables.insert(name.to_ascii_lowercase(), value);
            continue;
        }
        let words = words(&settled(line, &variables));
        let start = words.iter().position(|word| is_program(word));
        let is_start = |at: &usize| words.get(at + 1).is_some_and(|word| word.starts_with('-'));
        if let Some(at) = start.filter(is_start) {
            let command: Vec<String> = words[at..].iter().map(|word| quoted(word)).collect();
            script.push_str(&command.join(" "));
            script.push('\n');
        }
    }
    let mut found = shell::read(&script, answers)?;
    let values = found.args.iter_mut().chain(found.envs.iter_mut().map(|(_, value)| value));
    for value in values {
        let open = unset(&value.text);
        *value = Value { text: value.text.clone(), open };
    }
    Ok(found)
}

/// `set NAME=value`, `set "NAME=value"`.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let rest =
        line.get(..4).filter(|word| word.eq_ignore_ascii_case("set ")).map(|_| &line[4..])?;
    let rest = rest.trim();
    let rest = match rest.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner),
        None => rest,
    };
    let (name, rest) = named(rest)?;
    Some((name, rest.strip_prefix('=')?))
}

/// A line with what `%NAME%` and `!NAME!` stand for.
fn settled(line: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['%', '!']) {
        let sign = &rest[at..=at];
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let known = rest
            .find(sign)
            .and_then(|end| Some((end, variables.get(&rest[..end].to_ascii_lowercase())?)));
        match known {
            Some((end, value)) if text.len() < LONGEST => {
                text.push_str(value);
                rest = &rest[end + 1..];
            }
            _ => text.push_str(sign),
        }
    }
    text.push_str(rest);
    text
}

/// `%NAME%` and `%~dp0` that nothing sets.
fn unset(text: &str) -> Vec<String> {
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let behind = &rest[at + 1..];
        let one = match (behind.strip_prefix("~dp0"), named(behind)) {
            (Some(_), _) => Some(5),
            (None, Some((name, after))) if after.starts_with('%') => Some(name.len() + 2),
            (None, _) => None,
        };
        if let Some(length) = one {
            open.push(rest[at..at + length].to_owned());
        }
        rest = &rest[at + one.unwrap_or(1)..];
    }
    open
}

/// The words of a line up to what leads its output elsewhere; only double quotes keep blanks.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted, mut is_word) =
        (Vec::new(), String::new(), false, false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&'"') && is_quoted && word.contains('{') => {
                word.extend(letters.next());
            }
            '"' => {
                is_quoted = !is_quoted;
                is_word = true;
            }
            '>' | '|' | '&' if !is_quoted => break,
            letter if letter.is_whitespace() && !is_quoted => {
                if std::mem::take(&mut is_word) {
                    words.push(std::mem::take(&mut word));
                }
            }
            letter => {
                word.push(letter);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
