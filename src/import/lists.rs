//! Lists of strings that begin with an option or a QEMU, in any language: what a program starts; and strings that are command lines.

use std::collections::BTreeMap;

use super::keyed::Piece;
use super::shell::{self, is_known_option, is_program, quoted_words};
use super::{Found, Value};

/// Takes every such list; where there is none, every string that is a command line.
pub(super) fn read(pieces: &[Piece], constants: &[(String, String)], found: &mut Found) {
    environment(pieces, found);
    let mut at = 0;
    while at < pieces.len() {
        if let Some((value, taken)) = argument(&pieces[at..], constants) {
            found.args.push(value);
            at += taken;
            continue;
        }
        let opens = matches!(pieces[at], Piece::Sign('[' | '(' | '{'));
        let start = if opens { begins(pieces, at) } else { None };
        match start.and_then(|start| list(pieces, start, constants)) {
            Some((values, whole, end)) => {
                found.args.extend(values);
                found.whole |= whole;
                at = end;
            }
            None => at += 1,
        }
    }
    if found.args.is_empty() {
        lines(pieces, found);
    }
    // A list that names the program and one that has its options are one command line.
    let starts =
        |text: &str| text.split_whitespace().any(|w| is_program(w) && w.contains("qemu-s"));
    let named = |piece: &Piece| matches!(piece, Piece::Text(text, true) if is_program(text) || starts(text));
    found.whole |= !found.args.is_empty() && pieces.iter().any(named);
}

/// `.arg("…")`, `.arg(format!("…"))`, `.arg(name)`: the value, and how many pieces it is.
fn argument(pieces: &[Piece], constants: &[(String, String)]) -> Option<(Value, usize)> {
    let [Piece::Text(call, false), Piece::Sign('('), inner @ ..] = pieces else { return None };
    if !call.ends_with(".arg") {
        return None;
    }
    let mut depth = 1_usize;
    let end = inner.iter().position(|piece| {
        match piece {
            Piece::Sign('(') => depth += 1,
            Piece::Sign(')') => depth -= 1,
            Piece::Sign(_) | Piece::Text(..) => {}
        }
        depth == 0
    })?;
    let texts = |quoted: bool| {
        inner[..end].iter().find_map(|piece| match piece {
            Piece::Text(text, is_quoted) if *is_quoted == quoted => Some(text),
            Piece::Text(..) | Piece::Sign(_) => None,
        })
    };
    let value = match (texts(true), texts(false)) {
        (Some(text), _) => Value { text: text.clone(), open: braces(text) },
        (None, Some(name)) => match constants.iter().find(|(known, _)| known == name) {
            Some((_, text)) => Value::of(text),
            None => Value { text: name.clone(), open: vec![name.clone()] },
        },
        (None, None) => return None,
    };
    Some((value, end + 3))
}

/// Where the values begin behind a bracket: `append(args, "-device", …)` names a list first. What a program's own options are called is
/// no list of QEMU's.
fn begins(pieces: &[Piece], at: usize) -> Option<usize> {
    let own = ["add_argument", "add_option", "option", "add_flag"];
    if let Some(Piece::Text(call, false)) = at.checked_sub(1).and_then(|before| pieces.get(before))
        && own.iter().any(|own| call.ends_with(own))
    {
        return None;
    }
    match pieces.get(at..at + 3) {
        Some([Piece::Sign('('), Piece::Text(_, false), Piece::Sign(',')]) => Some(at + 3),
        _ => Some(at + 1),
    }
}

/// `str(…)`: the value stands in the brackets of a call.
fn makes_text(piece: &Piece) -> bool {
    const CALLS: [&str; 6] =
        ["str", "String", "String::from", "strconv.Itoa", "fmt.Sprint", "format"];
    matches!(piece, Piece::Text(call, false) if CALLS.contains(&call.as_str()))
}

/// Variables that a program gives to QEMU: `.env("A", "b")`, `os.environ["A"] = "b"`, `dict(os.environ, A="b")`,
/// `append(os.Environ(), "A=b")`.
fn environment(pieces: &[Piece], found: &mut Found) {
    let text = |at: usize, is_quoted: bool| match pieces.get(at) {
        Some(Piece::Text(text, quoted)) if !is_quoted || *quoted => Some(text.clone()),
        _ => None,
    };
    let sign = |at: usize| match pieces.get(at) {
        Some(Piece::Sign(sign)) => Some(*sign),
        _ => None,
    };
    for (at, piece) in pieces.iter().enumerate() {
        let Piece::Text(call, false) = piece else { continue };
        let signs = (sign(at + 1), sign(at + 3));
        let given = match (call.as_str(), signs) {
            (call, (Some('('), Some(','))) if call.ends_with(".env") => {
                text(at + 2, true).zip(text(at + 4, true)).into_iter().collect()
            }
            ("os.environ", (Some('['), Some(']'))) if sign(at + 4) == Some('=') => {
                text(at + 2, true).zip(text(at + 5, true)).into_iter().collect()
            }
            ("os.environ" | "**os.environ" | "os.environ.copy" | "os.Environ", _) => {
                behind(&pieces[at + 1..])
            }
            _ => Vec::new(),
        };
        let named = given.into_iter().filter(|(name, _): &(String, String)| shell::is_name(name));
        found
            .envs
            .extend(named.map(|(name, value)| (name, Value { open: braces(&value), text: value })));
    }
}

/// `, A="b"`, `, "A": "b"` or `, "A=b"`, up to the bracket that closes.
fn behind(pieces: &[Piece]) -> Vec<(String, String)> {
    let mut rest: Vec<&Piece> =
        pieces.iter().take(40).filter(|piece| **piece != Piece::Sign('\n')).collect();
    if matches!(rest.as_slice(), [Piece::Sign('('), Piece::Sign(')'), ..]) {
        rest.drain(..2);
    }
    let (mut found, mut rest) = (Vec::new(), rest.as_slice());
    loop {
        rest = match rest {
            [
                Piece::Sign(','),
                Piece::Text(name, _),
                Piece::Sign('=' | ':'),
                Piece::Text(value, true),
                rest @ ..,
            ] => {
                found.push((name.clone(), value.clone()));
                rest
            }
            [Piece::Sign(','), Piece::Text(both, true), rest @ ..] => {
                let Some((name, value)) = both.split_once('=') else { return found };
                found.push((name.to_owned(), value.to_owned()));
                rest
            }
            _ => return found,
        };
    }
}

/// The values of a list that begins here, whether it names the program, and where it ends.
fn list(
    pieces: &[Piece],
    start: usize,
    constants: &[(String, String)],
) -> Option<(Vec<Value>, bool, usize)> {
    let first_at = pieces[start..].iter().position(|piece| *piece != Piece::Sign('\n'))? + start;
    let Piece::Text(first, true) = &pieces[first_at] else { return None };
    let is_start = is_program(first);
    let is_list = is_known_option(first) && pieces.get(first_at + 1) != Some(&Piece::Sign(':'));
    if !is_start && !is_list {
        return None;
    }
    let mut values: Vec<Value> = Vec::new();
    let mut open: Vec<char> = Vec::new();
    let (mut is_next, mut at) = (!is_start, if is_start { first_at + 1 } else { first_at });
    while let Some(piece) = pieces.get(at) {
        at += 1;
        match piece {
            Piece::Sign(sign @ ('[' | '(' | '{')) => open.push(*sign),
            Piece::Sign(']' | ')' | '}') => {
                if open.pop().is_none() {
                    break;
                }
            }
            // What a function is called with is one value.
            Piece::Sign(',') if open.last() == Some(&'(') => {}
            Piece::Sign(',') => is_next = true,
            Piece::Sign(_) => {}
            Piece::Text(text, quoted) => {
                let is_call = !quoted && pieces.get(at) == Some(&Piece::Sign('('));
                let is_text = at >= 3 && makes_text(&pieces[at - 3]);
                let is_spread = !quoted
                    && (text.ends_with("...") || open.last() == Some(&'(') && !is_text)
                    || is_call;
                let is_nothing = !quoted
                    && ["None", "NULL", "nil", "f", "r", "+", "*", "&"].contains(&text.as_str());
                if is_spread || is_nothing {
                    continue;
                }
                let known = constants.iter().find(|(name, _)| !quoted && name == text);
                let value = match known {
                    Some((_, known)) => Value::of(known),
                    None if *quoted => Value { text: text.clone(), open: braces(text) },
                    None => Value { text: text.clone(), open: vec![text.clone()] },
                };
                match values.last_mut() {
                    Some(last) if !is_next => last.append(&value),
                    _ => values.push(value),
                }
                is_next = false;
            }
        }
    }
    let values: Vec<Value> = values.into_iter().flat_map(divided).collect();
    let is_whole = is_start && !values.is_empty();
    (!values.is_empty()).then_some((values, is_whole, at))
}

/// `"-device x"` in one string is two arguments.
fn divided(value: Value) -> Vec<Value> {
    let first = value.text.split_whitespace().next().unwrap_or_default();
    let is_line = is_known_option(first) && first.len() < value.text.len();
    let words = if is_line { quoted_words(&value.text).ok() } else { None };
    match words {
        Some(words) => words.into_iter().map(|word| Value::with(word, &value.open)).collect(),
        None => vec![value],
    }
}

/// `{name}` in a string of Python or Rust, `%s` in one of Go or C.
fn braces(text: &str) -> Vec<String> {
    let signs = ["%s", "%d", "%v"].into_iter().filter(|sign| text.contains(sign));
    let mut open: Vec<String> = signs.map(str::to_owned).collect();
    for (at, _) in text.match_indices('{') {
        let Some(end) = text[at..].find('}') else { break };
        let inner = &text[at + 1..at + end];
        let is_one = inner.chars().all(|c| c.is_ascii_alphanumeric() || "_.[]".contains(c));
        if is_one && !text[..at].ends_with(['$', '#', '{']) {
            open.push(text[at..=at + end].to_owned());
        }
    }
    open
}

/// Strings that are whole command lines, or several options.
fn lines(pieces: &[Piece], found: &mut Found) {
    for piece in pieces {
        let Piece::Text(text, true) = piece else { continue };
        let first = text.split_whitespace().next().unwrap_or_default();
        if is_program(first) && text.contains(" -") {
            let read = shell::read(text, &BTreeMap::new());
            found.merge(read.unwrap_or_default());
        } else if is_known_option(first) && text.contains(char::is_whitespace) {
            let words = quoted_words(text).unwrap_or_default();
            found.args.extend(words.into_iter().map(Value::from));
        }
    }
}
