//! Makefiles: variables are put into the recipes that start QEMU, which are then read as shell text.

use std::collections::BTreeMap;

use super::shell::{is_name, is_program};

/// The most that variables may make of a text.
const LONGEST: usize = 128 << 10;

/// The recipes of a Makefile with their variables put in, where one of them starts QEMU.
pub(super) fn recipes(text: &str) -> Option<String> {
    let joined = text.replace("\\\n", " ");
    let mut variables: BTreeMap<&str, String> = BTreeMap::new();
    let mut lines: Vec<&str> = Vec::new();
    let mut is_make = false;
    // Whether each condition around a line holds.
    let mut holds: Vec<bool> = Vec::new();
    for line in joined.lines() {
        if is_condition(line, &variables, &mut holds) {
            is_make = true;
            continue;
        }
        if holds.contains(&false) {
            continue;
        }
        let line =
            if holds.is_empty() || line.starts_with('\t') { line } else { line.trim_start() };
        if line.starts_with('\t') {
            lines.push(line.trim_start().trim_start_matches(['@', '-']));
        } else if let Some((name, sign, value)) = assignment(line) {
            is_make |= sign != "=";
            let known = variables.entry(name).or_default();
            match sign {
                "+=" if !known.is_empty() => *known = format!("{known} {value}"),
                "?=" if !known.is_empty() => {}
                _ => *known = value.to_owned(),
            }
        } else {
            is_make |= line.starts_with(".PHONY") || is_rule(line);
        }
    }
    if !is_make {
        return None;
    }
    let whole: Vec<String> = lines.iter().map(|line| settled(line, &variables)).collect();
    let starts = |line: &&String| line.split_whitespace().any(is_program);
    let found: Vec<&str> = whole.iter().filter(starts).map(String::as_str).collect();
    (!found.is_empty()).then(|| found.join("\n"))
}

/// Whether a line is `ifdef`, `ifeq`, `else`, `endif` and such; what holds from there on.
fn is_condition(line: &str, variables: &BTreeMap<&str, String>, holds: &mut Vec<bool>) -> bool {
    let (word, rest) = line.trim().split_once([' ', '(']).unwrap_or((line.trim(), ""));
    let is_set = |name: &str| variables.get(name.trim()).is_some_and(|value| !value.is_empty());
    let is_equal = || {
        let rest = rest.trim().trim_start_matches('(').trim_end_matches(')');
        let (one, other) = rest.split_once(',').or(rest.split_once(' ')).unwrap_or((rest, ""));
        let plain = |text: &str| {
            let text = settled(text.trim(), variables);
            // What nothing sets is empty.
            if text.starts_with("$(") {
                String::new()
            } else {
                text.trim_matches(['"', '\'']).to_owned()
            }
        };
        // The bracket of the last variable was taken with the others.
        let closed = |text: &str| {
            if text.contains("$(") && !text.contains(')') {
                format!("{text})")
            } else {
                text.to_owned()
            }
        };
        plain(&closed(one)) == plain(&closed(other))
    };
    match word {
        "ifdef" => holds.push(is_set(rest)),
        "ifndef" => holds.push(!is_set(rest)),
        "ifeq" => holds.push(is_equal()),
        "ifneq" => holds.push(!is_equal()),
        "else" => {
            if let Some(last) = holds.last_mut() {
                *last = !*last;
            }
        }
        "endif" => return holds.pop().is_some(),
        _ => return false,
    }
    true
}

/// `NAME := value`, with `=`, `?=`, `+=`, `::=`.
fn assignment(line: &str) -> Option<(&str, &'static str, &str)> {
    let at = line.find('=')?;
    let (before, value) = (&line[..at], &line[at + 1..]);
    let signs = [("::", ":="), (":", ":="), ("?", "?="), ("+", "+="), ("", "=")];
    let (name, sign) = signs.iter().find_map(|(end, sign)| {
        let name = before.strip_suffix(end)?.trim();
        is_name(&name.replace('-', "_")).then_some((name, *sign))
    })?;
    let value = value.split(" #").next().unwrap_or_default();
    Some((name, sign, value.trim()))
}

/// `target: what it needs`
fn is_rule(line: &str) -> bool {
    let Some((target, rest)) = line.split_once(':') else { return false };
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._-/$()%".contains(c);
    !target.is_empty()
        && target.chars().all(is_word)
        && (rest.is_empty() || rest.starts_with(' '))
        && !rest.contains(['"', '\''])
}

/// A line with its variables put in, and their variables; what is not set stays.
fn settled(line: &str, variables: &BTreeMap<&str, String>) -> String {
    let mut text = line.to_owned();
    for _ in 0..16 {
        let before = text.clone();
        for (name, value) in variables {
            for written in [format!("$({name})"), format!("${{{name}}}")] {
                if text.len() < LONGEST {
                    text = text.replace(&written, value);
                }
            }
        }
        if text == before {
            break;
        }
    }
    text.replace("$$", "$")
}
