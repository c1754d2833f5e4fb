//! Scripts of fish: `set` makes lists, `end` ends every block.

use std::collections::BTreeSet;

use super::{joined, named};
use crate::import::shell::quoted_words;

/// Whether a text is a script of fish.
pub(in crate::import) fn is_one(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.starts_with("#!") && first.contains("fish")
        || text.lines().any(|line| {
            assignment(line).is_some_and(|set| !set.flags.is_empty() && !set.values.is_empty())
        })
}

/// `set -a NAME value…`
struct Set<'a> {
    flags: String,
    name: &'a str,
    values: &'a str,
}

fn assignment(line: &str) -> Option<Set<'_>> {
    let mut rest = line.trim().strip_prefix("set ")?.trim_start();
    let mut flags = String::new();
    while rest.starts_with('-') {
        let (word, behind) = rest.split_once(' ')?;
        flags.push_str(match word {
            "--append" => "a",
            "--export" => "x",
            "--local" => "l",
            "--global" => "g",
            "--universal" => "U",
            word => &word[1..],
        });
        rest = behind.trim_start();
    }
    let (name, values) = named(rest)?;
    let is_one = flags.chars().all(|flag| "aglpxU".contains(flag))
        && (values.is_empty() || values.starts_with(' '));
    is_one.then(|| Set { flags, name, values: values.trim() })
}

/// The script as the shell of POSIX, with arrays, would have it.
pub(in crate::import) fn script(text: &str) -> String {
    let lines = joined(text, '\\');
    let lists: BTreeSet<&str> =
        lines.iter().filter_map(|line| assignment(line)).map(|set| set.name).collect();
    let (mut open, mut script): (Vec<&str>, String) = (Vec::new(), String::new());
    for line in &lines {
        let line = line.trim();
        let written = match assignment(line) {
            Some(set) => {
                let values = expanded(set.values, &lists);
                match (set.flags.contains('x'), set.flags.contains('a')) {
                    (true, _) => {
                        let words = quoted_words(&values).unwrap_or_default().join(" ");
                        format!("export {}=\"{}\"", set.name, words.replace('"', "\\\""))
                    }
                    (false, true) => format!("{}+=({values})", set.name),
                    (false, false) => format!("{}=({values})", set.name),
                }
            }
            None => block(&expanded(line, &lists), &mut open),
        };
        script.push_str(&written);
        script.push('\n');
    }
    script
}

/// A line that begins or ends a block; others stay.
fn block(line: &str, open: &mut Vec<&'static str>) -> String {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim_end_matches(';');
    let (written, closes) = match first {
        "if" => (format!("if {}; then", rest.replacen("not ", "! ", 1)), "fi"),
        "while" => (format!("while {rest}; do"), "done"),
        "for" => (format!("for {rest}; do"), "done"),
        "function" => {
            let name = rest.split_whitespace().next().unwrap_or_default();
            (format!("{name}() {{"), "}")
        }
        "begin" => ("{".to_owned(), "}"),
        "switch" => (format!("case {rest} in"), "esac"),
        "case" => return format!(";;\n{})", rest.replace(' ', "|")),
        "else" if rest.starts_with("if ") => return format!("elif {}; then", &rest[3..]),
        "and" => return format!("&& {rest}"),
        "or" => return format!("|| {rest}"),
        "end" => return open.pop().unwrap_or_default().to_owned(),
        _ => return line.to_owned(),
    };
    open.push(closes);
    written
}

/// `$NAME` of a list is all of it, and `(command)` is what a command says.
fn expanded(text: &str, lists: &BTreeSet<&str>) -> String {
    let (mut written, mut quote, mut rest) = (String::new(), None, text);
    while let Some(letter) = rest.chars().next() {
        let behind = &rest[letter.len_utf8()..];
        if letter == '$'
            && quote != Some('\'')
            && let Some((name, after)) = named(behind).filter(|(name, _)| lists.contains(name))
        {
            written.push_str(&match quote {
                Some(_) => format!("${{{name}[*]}}"),
                None => format!("\"${{{name}[@]}}\""),
            });
            rest = after;
            continue;
        }
        match letter {
            '\'' | '"' if quote.is_none() => quote = Some(letter),
            _ if quote == Some(letter) => quote = None,
            '(' if quote.is_none() && !written.ends_with('$') => written.push('$'),
            _ => {}
        }
        written.push(letter);
        rest = behind;
    }
    written
}
