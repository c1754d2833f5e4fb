//! Lists of strings that begin with an option or a QEMU, in any language: what a program starts; and strings that are command lines.

use std::collections::BTreeMap;

use super::keyed::Piece;
use super::shell::{self, is_known_option, is_program, quoted_words};
use super::{Found, Value};

/// Takes every such list; where there is none, every string that is a command line.
pub(super) fn read(pieces: &[Piece], found: &mut Found) {
    let mut at = 0;
    while at < pieces.len() {
        if let Some(text) = argument(&pieces[at..]) {
            found.args.push(Value { text: text.to_owned(), open: braces(text) });
            at += 3;
            continue;
        }
        let opens = matches!(pieces[at], Piece::Sign('[' | '(' | '{'));
        match if opens { list(pieces, at + 1) } else { None } {
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
    let named = |piece: &Piece| matches!(piece, Piece::Text(text, true) if is_program(text));
    found.whole |= !found.args.is_empty() && pieces.iter().any(named);
}

/// `.arg("…")`
fn argument(pieces: &[Piece]) -> Option<&str> {
    match pieces {
        [Piece::Text(call, false), Piece::Sign('('), Piece::Text(text, true), ..] => {
            call.ends_with(".arg").then_some(text)
        }
        _ => None,
    }
}

/// The values of a list that begins here, whether it names the program, and where it ends.
fn list(pieces: &[Piece], start: usize) -> Option<(Vec<Value>, bool, usize)> {
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
                let is_spread =
                    !quoted && (text.ends_with("...") || open.last() == Some(&'(')) || is_call;
                let is_nothing = !quoted
                    && ["None", "NULL", "nil", "f", "r", "+", "*", "&"].contains(&text.as_str());
                if is_spread || is_nothing {
                    continue;
                }
                let value = Value {
                    text: text.clone(),
                    open: if *quoted { braces(text) } else { vec![text.clone()] },
                };
                match values.last_mut() {
                    Some(last) if !is_next => last.append(&value),
                    _ => values.push(value),
                }
                is_next = false;
            }
        }
    }
    let is_whole = is_start && !values.is_empty();
    (!values.is_empty()).then_some((values, is_whole, at))
}

/// `{name}` in a string of Python or Rust.
fn braces(text: &str) -> Vec<String> {
    let mut open = Vec::new();
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
