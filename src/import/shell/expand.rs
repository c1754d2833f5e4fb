//! What becomes of a word: variables and arrays of the same text take their values; what only running something could tell stays
//! as it is written, and is asked about.

use std::collections::BTreeMap;

use super::lexer::inside_quotes;
use super::words::{Part, Word, is_name};
use crate::import::Value;

/// Variables, arrays, and what a person answered about what is not in the text.
#[derive(Debug, Default)]
pub(super) struct Variables<'a> {
    pub(super) values: BTreeMap<String, Vec<Value>>,
    /// What follows the name of a function where it is called.
    pub(super) arguments: Option<Vec<Value>>,
    /// `$NAME` is all of an array, as zsh has it.
    pub(super) is_zsh: bool,
    answers: Option<&'a BTreeMap<String, String>>,
}

/// How often a value may lead to another one.
const DEEPEST: usize = 16;
/// The longest word, and the most words, that a word may become.
const LONGEST: usize = 128 << 10;

/// What `uname -m` says on a host that this program is built for.
const MACHINE: &str = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };

impl<'a> Variables<'a> {
    pub(super) fn answered(answers: &'a BTreeMap<String, String>) -> Variables<'a> {
        Variables { answers: Some(answers), ..Variables::default() }
    }

    pub(super) fn set(&mut self, name: &str, adds: bool, values: Vec<Value>, is_array: bool) {
        let known = self.values.entry(name.to_owned()).or_default();
        match (adds, is_array, known.last_mut(), values.first()) {
            (true, true, ..) => known.extend(values),
            (true, false, Some(last), Some(value)) => last.append(value),
            _ => *known = values,
        }
        known.truncate(LONGEST);
    }

    /// What `${NAME:=value}` in a word sets where nothing did before.
    pub(super) fn defaults(&self, word: &Word) -> Vec<(String, Value)> {
        let mut set = Vec::new();
        for part in &word.0 {
            let Part::Parameter(inner, ..) = part else { continue };
            let Some((name, value)) = inner.split_once(":=").or(inner.split_once('=')) else {
                continue;
            };
            if is_name(name) && !self.values.contains_key(name) {
                let value = inside_quotes(value.trim_matches(['"', '\'']));
                set.push((name.to_owned(), self.one(&value)));
            }
        }
        set
    }

    /// The fields that a word becomes, as many as a shell would make of it.
    pub(super) fn fields(&self, word: &Word) -> Vec<Value> {
        match braced(word) {
            Some(words) => words.iter().flat_map(|word| self.fields(word)).collect(),
            None => self.fields_at(word, 0),
        }
    }

    /// A word as one value.
    pub(super) fn one(&self, word: &Word) -> Value {
        let mut all = Value::default();
        for (at, field) in self.fields_at(word, 0).iter().enumerate() {
            if at > 0 {
                all.text.push(' ');
            }
            all.append(field);
        }
        all
    }

    fn fields_at(&self, word: &Word, depth: usize) -> Vec<Value> {
        let mut fields: Vec<Value> = Vec::new();
        let mut current: Option<Value> = None;
        for (at, part) in word.0.iter().enumerate() {
            match part {
                Part::Text(text, quoted) => {
                    let home = at == 0 && !quoted && (text == "~" || text.starts_with("~/"));
                    let value = current.get_or_insert_default();
                    if home {
                        self.unknown(value, "~");
                        value.text.push_str(&text[1..]);
                    } else {
                        value.text.push_str(text);
                    }
                }
                Part::Unknown(written) => self.unknown(current.get_or_insert_default(), written),
                Part::Arithmetic(sum, written) => {
                    let value = current.get_or_insert_default();
                    match self.sum(sum) {
                        Some(number) => value.text.push_str(&number.to_string()),
                        None => self.unknown(value, written),
                    }
                }
                Part::Parameter(inner, written, quoted) => {
                    let (values, apart) = self.parameter(inner, written, depth);
                    join(&mut fields, &mut current, &values, *quoted, apart);
                }
            }
            if fields.len() > LONGEST || current.as_ref().is_some_and(|v| v.text.len() > LONGEST) {
                break;
            }
        }
        fields.extend(current);
        // `"$@"` is no word where there are no arguments.
        let is_list = |part: &Part| matches!(part, Part::Parameter(inner, ..) if inner == "@" || inner.ends_with("[@]"));
        let is_nothing = fields.len() == 1 && fields[0] == Value::default();
        if is_nothing && word.0.iter().any(is_list) {
            fields.clear();
        }
        fields
    }

    /// What is left as it is written, where nobody answered.
    fn unknown(&self, value: &mut Value, written: &str) {
        match self.answers.and_then(|answers| answers.get(written)) {
            Some(answer) => value.text.push_str(answer),
            None if ["$(uname -m)", "`uname -m`", "$(arch)"].contains(&written) => {
                value.text.push_str(MACHINE);
            }
            None => {
                value.text.push_str(written);
                value.open.push(written.to_owned());
            }
        }
    }

    /// The values of `$…`, and whether each is a field of its own where it is quoted.
    fn parameter(&self, inner: &str, written: &str, depth: usize) -> (Vec<Value>, bool) {
        let mut open = Value::default();
        let name_end =
            inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let (name, rest) = match inner.chars().next() {
            Some('@' | '*') => inner.split_at(1),
            Some('#') if inner.len() == 1 => inner.split_at(1),
            // `${!NAME[@]}`: the keys.
            Some('!') if inner.ends_with("[@]") => inner.split_at(inner.len() - 3),
            _ => inner.split_at(name_end),
        };
        let all = ["[@]", "[*]"].iter().find_map(|all| rest.strip_prefix(all));
        let index = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (known, rest) = match (all, index) {
            (Some(rest), _) => (self.lookup(name), rest),
            (None, Some((index, rest))) => (self.element(name, index), rest),
            (None, None) if self.is_zsh || ["@", "*"].contains(&name) => (self.lookup(name), rest),
            (None, None) => {
                (self.lookup(name).map(|mut all| all.drain(..).take(1).collect()), rest)
            }
        };
        let is_array = self.is_zsh && self.values.get(name).is_some_and(|all| all.len() > 1);
        let apart = all.is_some() || name == "@" || is_array;
        let usable = !name.is_empty() && depth < DEEPEST;
        let values = if usable { self.operated(known, rest, depth) } else { None };
        let values = values.or_else(|| self.answer(name, rest)).unwrap_or_else(|| {
            self.unknown(&mut open, written);
            vec![open]
        });
        (values, apart)
    }

    /// An answer to `$NAME`, however it is written.
    fn answer(&self, name: &str, rest: &str) -> Option<Vec<Value>> {
        let answer = self.answers?.get(&format!("${name}")).filter(|_| rest.is_empty())?;
        Some(vec![Value::of(answer)])
    }

    /// One element of an array: by its number, or by its key.
    fn element(&self, name: &str, index: &str) -> Option<Vec<Value>> {
        let index = self.one(&inside_quotes(index.trim_matches(['"', '\''])));
        if let Some(found) = self.values.get(&format!("{name}[{}]", index.text)) {
            return Some(found.clone());
        }
        let at = usize::try_from(self.sum(&index.text)?).ok()?;
        Some(vec![self.lookup(name)?.get(at)?.clone()])
    }

    /// An array whose elements have keys; each is found by its own as well.
    pub(super) fn set_keyed(&mut self, name: &str, adds: bool, pairs: Vec<(String, Value)>) {
        let (keys, values): (Vec<Value>, Vec<Value>) =
            pairs.iter().map(|(key, value)| (Value::of(key), value.clone())).unzip();
        for (key, value) in pairs {
            self.values.insert(format!("{name}[{key}]"), vec![value]);
        }
        self.set(&format!("!{name}"), adds, keys, true);
        self.set(name, adds, values, true);
    }

    fn lookup(&self, name: &str) -> Option<Vec<Value>> {
        let arguments = || self.arguments.clone().unwrap_or_default();
        match name {
            "#" => Some(vec![Value::of(&arguments().len().to_string())]),
            "@" | "*" => Some(arguments()),
            _ if name.chars().all(|c| c.is_ascii_digit()) && !name.is_empty() => {
                let at: usize = name.parse().ok()?;
                Some(vec![arguments().get(at.checked_sub(1)?)?.clone()])
            }
            _ => self.values.get(name).cloned(),
        }
    }

    /// What stands behind the name: a default, another value, a piece that is taken away.
    fn operated(&self, known: Option<Vec<Value>>, rest: &str, depth: usize) -> Option<Vec<Value>> {
        let is_empty = |values: &Vec<Value>| values.iter().all(|v| v.text.is_empty());
        let other = |text: &str| self.fields_at(&inside_quotes(text.trim_matches('"')), depth + 1);
        let (colon, operator) = match rest.strip_prefix(':') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let set = known.as_ref().is_some_and(|values| !colon || !is_empty(values));
        match operator.chars().next() {
            None if !colon => known,
            Some('-' | '=') => {
                if set {
                    known
                } else {
                    Some(other(&operator[1..]))
                }
            }
            Some('+') => Some(if set { other(&operator[1..]) } else { Vec::new() }),
            Some('?') => known,
            Some('%' | '#') if !colon => {
                let values = known?;
                values.iter().map(|value| cut(value, operator)).collect()
            }
            _ => None,
        }
    }

    /// A sum of whole numbers, left to right, products first.
    pub(super) fn sum(&self, text: &str) -> Option<i64> {
        let mut total = 0_i64;
        for term in split_signed(text)? {
            let (negative, term) = term;
            let mut product: Option<i64> = None;
            for (sign, factor) in split_factors(term) {
                let factor = self.number(factor)?;
                product = match (product, sign) {
                    (None, _) => Some(factor),
                    (Some(product), '*') => product.checked_mul(factor),
                    (Some(product), '%') => product.checked_rem(factor),
                    (Some(product), _) => product.checked_div(factor),
                };
                product?;
            }
            let product = product?;
            total = total.checked_add(if negative { product.checked_neg()? } else { product })?;
        }
        Some(total)
    }

    fn number(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        if let Ok(number) = text.parse() {
            return Some(number);
        }
        let name = text.trim_start_matches('$').trim_matches(['{', '}']);
        // `${#NAME[@]}`: how many there are.
        if let Some(array) = name.strip_prefix('#').and_then(|name| name.strip_suffix("[@]")) {
            return i64::try_from(self.values.get(array).map_or(0, Vec::len)).ok();
        }
        if !is_name(name) {
            return None;
        }
        self.values.get(name)?.first()?.text.trim().parse().ok()
    }
}

/// Terms with their signs.
fn split_signed(text: &str) -> Option<Vec<(bool, &str)>> {
    if text.contains(['(', ')', '?', '<', '>', '&', '|', '=']) {
        return None;
    }
    let mut terms = Vec::new();
    let (mut start, mut negative) = (0, false);
    for (at, sign) in text.match_indices(['+', '-']) {
        if !text[start..at].trim().is_empty() {
            terms.push((negative, &text[start..at]));
            negative = false;
        }
        negative ^= sign == "-";
        start = at + 1;
    }
    terms.push((negative, &text[start..]));
    Some(terms)
}

/// Factors with the sign before each.
fn split_factors(text: &str) -> Vec<(char, &str)> {
    let mut factors = Vec::new();
    let (mut start, mut before) = (0, '*');
    for (at, sign) in text.match_indices(['*', '/', '%']) {
        factors.push((before, &text[start..at]));
        before = sign.chars().next().unwrap_or('*');
        start = at + 1;
    }
    factors.push((before, &text[start..]));
    factors
}

/// A value without what a pattern of letters and `*` matches at its end (`%`) or its beginning (`#`).
fn cut(value: &Value, operator: &str) -> Option<Value> {
    if !value.open.is_empty() {
        return None;
    }
    let text = value.text.as_str();
    let at_end = operator.starts_with('%');
    let sign = &operator[..1];
    let longest = operator[1..].starts_with(sign);
    let pattern = operator[if longest { 2 } else { 1 }..].trim_matches('"');
    let (kept, stars) = match (at_end, pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (true, Some(inner), _) => (inner, true),
        (false, _, Some(inner)) => (inner, true),
        _ => (pattern, false),
    };
    if kept.is_empty() || kept.contains(['*', '?', '[', '$']) {
        return None;
    }
    let rest = match (at_end, stars, longest) {
        (true, false, _) => text.strip_suffix(kept),
        (false, false, _) => text.strip_prefix(kept),
        (true, true, true) => text.find(kept).map(|at| &text[..at]),
        (true, true, false) => text.rfind(kept).map(|at| &text[..at]),
        (false, true, true) => text.rfind(kept).map(|at| &text[at + kept.len()..]),
        (false, true, false) => text.find(kept).map(|at| &text[at + kept.len()..]),
    };
    Some(Value::of(rest.unwrap_or(text)))
}

/// Puts the values of a variable behind what a word has so far.
fn join(
    fields: &mut Vec<Value>,
    current: &mut Option<Value>,
    values: &[Value],
    quoted: bool,
    apart: bool,
) {
    if quoted && !apart {
        let value = current.get_or_insert_default();
        for (at, one) in values.iter().enumerate() {
            if at > 0 {
                value.text.push(' ');
            }
            value.append(one);
        }
        return;
    }
    for (at, one) in values.iter().enumerate() {
        if at > 0 {
            fields.extend(current.take());
        }
        if quoted {
            current.get_or_insert_default().append(one);
            continue;
        }
        if one.text.starts_with(char::is_whitespace) {
            fields.extend(current.take());
        }
        for (piece_at, piece) in divided(one).iter().enumerate() {
            if piece_at > 0 {
                fields.extend(current.take());
            }
            current.get_or_insert_default().append(piece);
        }
        if one.text.ends_with(char::is_whitespace) {
            fields.extend(current.take());
        }
    }
}

/// The words that `{a,b}` or `{1..3}` in a word stands for.
fn braced(word: &Word) -> Option<Vec<Word>> {
    let (at, text) = word.0.iter().enumerate().find_map(|(at, part)| match part {
        Part::Text(text, false) if text.contains('{') => Some((at, text)),
        Part::Text(..) | Part::Parameter(..) | Part::Arithmetic(..) | Part::Unknown(_) => None,
    })?;
    let (before, rest) = text.split_once('{')?;
    let (inner, behind) = rest.split_once('}')?;
    let range = inner.split_once("..").and_then(|(one, other)| {
        let (one, other): (i64, i64) = (one.parse().ok()?, other.parse().ok()?);
        (one <= other && other - one < 256).then(|| (one..=other).map(|n| n.to_string()).collect())
    });
    let list = || inner.split(',').map(str::to_owned).collect::<Vec<String>>();
    let is_list = inner.contains(',') && !inner.contains(['{', '"', ':', '=']);
    let values: Vec<String> = range.or_else(|| is_list.then(list))?;
    let one = |value: String| {
        let mut parts = word.0.clone();
        parts[at] = Part::Text(format!("{before}{value}{behind}"), false);
        Word(parts)
    };
    Some(values.into_iter().map(one).collect())
}

/// A value divided at its blanks; what is open stays in one piece, blanks and all.
fn divided(value: &Value) -> Vec<Value> {
    let (mut pieces, mut piece, mut at) = (Vec::new(), String::new(), 0);
    while let Some(letter) = value.text[at..].chars().next() {
        let rest = &value.text[at..];
        let open = value.open.iter().find(|open| !open.is_empty() && rest.starts_with(*open));
        let taken = open.map_or(letter.len_utf8(), String::len);
        if open.is_none() && letter.is_whitespace() {
            if !piece.is_empty() {
                pieces.push(Value::with(std::mem::take(&mut piece), &value.open));
            }
        } else {
            piece.push_str(&rest[..taken]);
        }
        at += taken;
    }
    if !piece.is_empty() {
        pieces.push(Value::with(piece, &value.open));
    }
    pieces
}
