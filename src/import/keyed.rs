//! Options in strings and lists of other languages: Ruby, Nix, HCL, JSON, YAML, Python, TOML. A key says where they begin.

use super::lists;
use super::shell::{is_known_option, quoted_words};
use super::{Found, Value};

/// What a text of such a language consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A string, and whether it was in quotes.
    Text(String, bool),
    /// A bracket, a comma, `=`, `:`.
    Sign(char),
}

/// Keys whose value is a list of arguments, or a text of them.
const LISTS: [&str; 22] = [
    "qemuargs",
    "qemu_args",
    "qemu-args",
    "extra_qemu_args",
    "extra-qemu-args",
    "qemuArgs",
    "extraQemuArgs",
    "qemu.options",
    "options",
    "extra_args",
    "extra-args",
    "extraArgs",
    "args",
    "kvm_arguments",
    "arguments",
    "qemu_arguments",
    "ARGUMENTS",
    "raw.qemu",
    "qemuExtraArgs",
    "AdditionalArguments",
    "qemu_options",
    "command",
];
/// Keys whose value is one argument each, in objects of a list.
const SINGLE: [&str; 3] = ["value", "arg", "flag"];

/// Whether a text is an expression of Nix that holds options of QEMU.
pub(super) fn is_nix(text: &str) -> bool {
    let is_head = |line: &str| line.trim_end().ends_with("}:") || line.contains("}: ");
    text.lines().take(40).any(is_head)
        && (text.contains("pkgs") || text.contains("lib."))
        && read(text).is_some()
}

/// What is left open in a string: `#{…}` of Ruby, `${…}` of Nix and HCL, `{{ … }}` of templates.
pub(super) fn interpolations(text: &str) -> Vec<String> {
    let mut open = Vec::new();
    for (begins, ends) in [("#{", "}"), ("${", "}"), ("{{", "}}")] {
        let mut rest = text;
        while let Some(at) = rest.find(begins) {
            let Some(end) = rest[at..].find(ends) else { break };
            open.push(rest[at..at + end + ends.len()].to_owned());
            rest = &rest[at + end + ends.len()..];
        }
    }
    open
}

/// A text of several words, or one.
///
/// # Errors
/// Where a quote is left open.
pub(super) fn carried(text: &str, open: &[String]) -> Result<Found, String> {
    let mut found = Found { keyed: true, ..Found::default() };
    // virt-install and virt-xml name what the rest is.
    if let Some(variable) = text.strip_prefix("env=") {
        match variable.split_once('=') {
            Some((name, value)) if super::shell::is_name(name) => {
                found.envs.push((name.to_owned(), Value::with(value.to_owned(), open)));
            }
            _ => {
                found.others.push((text.to_owned(), "no NAME=VALUE stands behind env=".to_owned()));
            }
        }
        return Ok(found);
    }
    if ["clearxml=", "confirm=", "xpath"].iter().any(|word| text.starts_with(word)) {
        return Ok(found);
    }
    let text = text.strip_prefix("args=").unwrap_or(text);
    found.args = quoted_words(text)?.into_iter().map(|word| Value::with(word, open)).collect();
    Ok(found)
}

fn pieces(text: &str) -> Vec<Piece> {
    let letters: Vec<char> = text.chars().collect();
    let (mut at, mut pieces) = (0, Vec::new());
    while at < letters.len() {
        let letter = letters[at];
        let next = letters.get(at + 1).copied();
        match letter {
            '#' => at = line_end(&letters, at),
            '/' if next == Some('/')
                && at.checked_sub(1).is_none_or(|b| letters[b].is_whitespace()) =>
            {
                at = line_end(&letters, at);
            }
            '\'' if next == Some('\'') && letters.get(at + 2).is_some_and(|c| *c != '\'') => {
                let (string, end) = indented(&letters, at + 2);
                pieces.push(Piece::Text(string, true));
                at = end;
            }
            '"' | '\'' => {
                let (string, end) = quoted(&letters, at);
                pieces.push(Piece::Text(string, true));
                at = end;
            }
            '%' if next.is_some_and(|c| ['w', 'W'].contains(&c)) => {
                at = words_of_ruby(&letters, at, &mut pieces);
            }
            '[' | ']' | '{' | '}' | '(' | ')' | ',' | ';' | '=' | ':' | '>' => {
                pieces.push(Piece::Sign(letter));
                at += 1;
            }
            '\n' => {
                pieces.push(Piece::Sign('\n'));
                at += 1;
            }
            letter if letter.is_whitespace() => at += 1,
            _ => {
                let start = at;
                let ends = |c: char| c.is_whitespace() || "[]{}(),;=:'\"".contains(c);
                while at < letters.len() && !ends(letters[at]) {
                    at += 1;
                }
                pieces.push(Piece::Text(letters[start..at].iter().collect(), false));
            }
        }
    }
    pieces
}

fn line_end(letters: &[char], at: usize) -> usize {
    letters[at..].iter().position(|c| *c == '\n').map_or(letters.len(), |end| at + end)
}

/// A string in quotes, and where it ends.
fn quoted(letters: &[char], start: usize) -> (String, usize) {
    let quote = letters[start];
    let (mut text, mut at) = (String::new(), start + 1);
    while at < letters.len() && letters[at] != quote {
        if letters[at] == '\\'
            && at + 1 < letters.len()
            && (quote == '"' || letters[at + 1] == quote)
        {
            at += 1;
            text.push(match letters[at] {
                'n' => '\n',
                't' => '\t',
                other => other,
            });
        } else {
            text.push(letters[at]);
        }
        at += 1;
    }
    (text, at + 1)
}

/// A string of Nix between two pairs of quotes.
fn indented(letters: &[char], start: usize) -> (String, usize) {
    let mut at = start;
    while at + 1 < letters.len() && !(letters[at] == '\'' && letters[at + 1] == '\'') {
        at += 1;
    }
    let end = at.min(letters.len());
    (letters[start..end].iter().collect::<String>(), end + 2)
}

/// `%w(a b)`, and where it ends.
fn words_of_ruby(letters: &[char], at: usize, pieces: &mut Vec<Piece>) -> usize {
    let closes = match letters.get(at + 2) {
        Some('(') => ')',
        Some('[') => ']',
        Some('{') => '}',
        Some(other) => *other,
        None => return letters.len(),
    };
    let start = (at + 3).min(letters.len());
    let end =
        letters[start..].iter().position(|c| *c == closes).map_or(letters.len(), |e| start + e);
    let inner: String = letters[start..end].iter().collect();
    pieces.push(Piece::Sign('['));
    for word in inner.split_whitespace() {
        pieces.push(Piece::Text(word.to_owned(), true));
    }
    pieces.push(Piece::Sign(']'));
    end + 1
}

/// Reads the values of the keys that hold options of QEMU; nothing where there is none.
pub(super) fn read(text: &str) -> Option<Found> {
    let pieces = pieces(text);
    let constants = constants(&pieces);
    let mut found = Found { keyed: true, ..Found::default() };
    let mut at = 0;
    while at < pieces.len() {
        let Piece::Text(key, _) = &pieces[at] else {
            at += 1;
            continue;
        };
        let value = behind(&pieces, at + 1);
        if let Some(next) = variables(&pieces, at, key, &mut found) {
            at = next;
            continue;
        }
        let last = key.rsplit('.').next().unwrap_or(key);
        let is_list =
            LISTS.contains(&last) || LISTS.iter().any(|list| key.ends_with(&format!(".{list}")));
        match value {
            Some(start) if is_list || SINGLE.contains(&last) => {
                let (strings, end) = strings(&pieces, start);
                take(&mut found, &strings, SINGLE.contains(&last));
                at = end;
            }
            // `libvirt.qemuargs :value => "…"`: the key is the next word.
            _ => at += 1,
        }
    }
    if found.args.is_empty() {
        lists::read(&pieces, &constants, &mut found);
    }
    for value in found.args.iter_mut().chain(found.envs.iter_mut().map(|(_, value)| value)) {
        settle(value, &constants);
    }
    let is_qemu =
        found.args.iter().any(|word| is_known_option(&word.text)) || !found.envs.is_empty();
    is_qemu.then_some(found)
}

/// Where a value begins behind a key: `=`, `:`, `=>`, `+=`; or at once where a list follows.
fn behind(pieces: &[Piece], mut at: usize) -> Option<usize> {
    let mut signs = 0;
    while let Some(Piece::Sign('=' | ':' | '>')) = pieces.get(at) {
        at += 1;
        signs += 1;
    }
    if let Some(Piece::Text(word, false)) = pieces.get(at) {
        // `lib.mkForce [ … ]`, `list(string)`, `|`, `>-`
        let is_wrapper =
            word.starts_with("lib.") || word.starts_with("mk") || word.starts_with('|');
        at += usize::from(is_wrapper && signs > 0);
    }
    (signs > 0).then_some(at)
}

/// The strings of a value: one, or those of a list with its lists.
fn strings(pieces: &[Piece], start: usize) -> (Vec<String>, usize) {
    let mut found = Vec::new();
    let mut at = start;
    while pieces.get(at) == Some(&Piece::Sign('\n')) {
        at += 1;
    }
    match pieces.get(at) {
        Some(Piece::Sign('[' | '(')) => {}
        // `- a` on lines of their own.
        Some(Piece::Text(dash, false)) if dash == "-" => return dashed(pieces, at),
        Some(Piece::Text(text, true)) if at == start || text.starts_with('-') => {
            return (vec![text.clone()], at + 1);
        }
        _ => return (found, start),
    }
    let mut depth = 0_usize;
    while let Some(piece) = pieces.get(at) {
        match piece {
            Piece::Sign('[' | '(' | '{') => depth += 1,
            Piece::Sign(']' | ')' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return (found, at + 1);
                }
            }
            // A key of an object is no string of the list.
            Piece::Text(text, quoted) => {
                let is_key = matches!(pieces.get(at + 1), Some(Piece::Sign('=' | ':')));
                if *quoted && !is_key {
                    found.push(text.clone());
                } else if !quoted && text.contains('.') && !is_key {
                    // `var.memory`: known to its own language only.
                    found.push(format!("${{{text}}}"));
                }
            }
            Piece::Sign(_) => {}
        }
        at += 1;
    }
    (found, at)
}

fn dashed(pieces: &[Piece], start: usize) -> (Vec<String>, usize) {
    let mut found = Vec::new();
    let mut at = start;
    while let Some(Piece::Text(dash, false)) = pieces.get(at) {
        if dash != "-" {
            break;
        }
        at += 1;
        let mut line = String::new();
        while let Some(piece) = pieces.get(at) {
            at += 1;
            match piece {
                Piece::Sign('\n') => break,
                Piece::Sign(sign) => line.push(*sign),
                Piece::Text(text, quoted) => {
                    let glued = line.ends_with(['=', ':', ',']) || line.is_empty();
                    if !glued && !quoted {
                        line.push(' ');
                    }
                    line.push_str(text);
                }
            }
        }
        found.push(line);
    }
    (found, at)
}

/// Variables: `qemuenv NAME: 'value'`, `{ name = "…", value = "…" }`.
fn variables(pieces: &[Piece], at: usize, key: &str, found: &mut Found) -> Option<usize> {
    let text = |at: usize| match pieces.get(at) {
        Some(Piece::Text(text, _)) => Some(text.as_str()),
        Some(Piece::Sign(_)) | None => None,
    };
    if key.ends_with("qemuenv") {
        let mut next = at + 1;
        while let Some(name) = text(next).map(|name| name.trim_start_matches(':')) {
            let value = behind(pieces, next + 1)?;
            found.envs.push((name.to_owned(), Value::of(text(value)?)));
            next = value + 1;
            if pieces.get(next) != Some(&Piece::Sign(',')) {
                break;
            }
            next += 1;
            while pieces.get(next) == Some(&Piece::Sign('\n')) {
                next += 1;
            }
        }
        return Some(next);
    }
    if key != "name" {
        return None;
    }
    let name_at = behind(pieces, at + 1)?;
    let name = text(name_at).filter(|name| super::shell::is_name(name))?;
    let mut next = name_at + 1;
    while let Some(Piece::Sign(',' | ';' | '\n')) = pieces.get(next) {
        next += 1;
    }
    if text(next) != Some("value") {
        return None;
    }
    let value = behind(pieces, next + 1)?;
    found.envs.push((name.to_owned(), Value::of(text(value)?)));
    Some(value + 1)
}

/// Takes strings over: one that holds several words is divided, where its first is an option.
fn take(found: &mut Found, strings: &[String], single: bool) {
    for text in strings {
        if text.is_empty() {
            continue;
        }
        let first = text.split_whitespace().next().unwrap_or_default();
        let is_line = !single && text.contains(char::is_whitespace) && is_known_option(first);
        let words = if is_line { quoted_words(text).ok() } else { None };
        found.args.extend(words.unwrap_or_else(|| vec![text.clone()]).into_iter().map(Value::from));
    }
}

/// Names that the same text gives one string.
fn constants(pieces: &[Piece]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Text(name, false) = piece else { continue };
        let Some(mut value) = behind(pieces, at + 1) else { continue };
        // `NAME: &str = "…"`
        let is_type = |piece: Option<&Piece>| matches!(piece, Some(Piece::Text(kind, false)) if kind.starts_with('&') || kind == "str");
        if is_type(pieces.get(value)) && pieces.get(value + 1) == Some(&Piece::Sign('=')) {
            value += 2;
        }
        if let Some(Piece::Text(text, quoted)) = pieces.get(value)
            && (*quoted || text.bytes().all(|byte| byte.is_ascii_digit()))
        {
            let last = name.rsplit('.').next().unwrap_or(name);
            found.push((last.to_owned(), text.clone()));
        }
    }
    found
}

/// Puts in what the same text says, and marks what it leaves open.
fn settle(value: &mut Value, constants: &[(String, String)]) {
    // `{name}` of Python and Rust is open already.
    let open = std::mem::take(&mut value.open).into_iter();
    let (braced, open): (Vec<String>, Vec<String>) = open.partition(|open| open.starts_with('{'));
    value.open = open;
    for written in interpolations(&value.text).into_iter().chain(braced) {
        let name =
            written.trim_matches(['#', '$', '{', '}', ' ']).rsplit('.').next().unwrap_or_default();
        match constants.iter().find(|(found, _)| found == name) {
            Some((_, text)) => value.text = value.text.replace(&written, text),
            None if !value.open.contains(&written) => value.open.push(written),
            None => {}
        }
    }
}
