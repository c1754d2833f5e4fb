//! Profiles in words: what apparmor_parser takes for one (parser_lex.l), across the files that are included.

use super::words::{is_mode, resolved};

/// A word of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name: a keyword, a profile's name without a slash.
    Name(String),
    /// A path, or what stands for one; escapes are resolved.
    Path(String),
    /// `@{NAME}` alone.
    Set(String),
    /// `$NAME`.
    Truth(String),
    /// Permissions.
    Mode(String),
    /// A sign.
    Sign(&'static str),
    /// Something that no rule begins or goes on with.
    Odd(String),
    /// There is nothing more.
    End,
}

/// A file that is being read.
#[derive(Debug)]
struct Source {
    origin: String,
    text: String,
    at: usize,
}

/// The files that are being read, each inside the one before it.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    sources: Vec<Source>,
    /// Where the last of them ended.
    end: String,
    /// Something was read that not every version reads so.
    pub(super) doubt: Option<&'static str>,
}

/// What is met between the words of rules.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A word.
    Token(Token),
    /// Another file, or a directory, is to be read here.
    Include {
        /// As it stands: `<name>`, `"name"`.
        name: String,
        /// It need not be there.
        may_lack: bool,
    },
}

const SIGNS: [&str; 20] = [
    "->", "+=", "?=", ":=", "<=", ">=", "==", "!=", "=", ",", "{", "}", "(", ")", "^", "+", "<",
    ">", ":", "!",
];

fn is_blank(letter: char) -> bool {
    letter == ' ' || letter == '\t'
}

/// Whether a letter can stand in a path that is not in quotes (`ID_CHARS`).
fn is_of_id(letter: char) -> bool {
    ![' ', '\t', '\r', '\n', '"', '!', ','].contains(&letter)
}

impl Lexer {
    /// Goes on with the text of a file, up to its end.
    pub(super) fn push(&mut self, origin: &str, text: String) {
        self.sources.push(Source { origin: origin.to_owned(), text, at: 0 });
    }

    /// The file that is being read.
    pub(super) fn origin(&self) -> &str {
        self.sources.last().map_or("", |source| &source.origin)
    }

    /// Where the reading is: `FILE:LINE`.
    pub(super) fn place(&self) -> String {
        let Some(source) = self.sources.last() else { return self.end.clone() };
        let before = &source.text[..source.at];
        format!("{}:{}", source.origin, 1 + before.trim_end().matches('\n').count())
    }

    /// The files that are being read: an include of one of them would never end.
    pub(super) fn depth(&self) -> usize {
        self.sources.len()
    }

    fn rest(&self) -> &str {
        self.sources.last().map_or("", |source| &source.text[source.at..])
    }

    fn skip(&mut self, bytes: usize) {
        if let Some(source) = self.sources.last_mut() {
            source.at += bytes;
        }
    }

    /// The next word, or what is to be included before it.
    pub(super) fn next(&mut self) -> Item {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            let blank = rest.len() - trimmed.len();
            if blank > 0 {
                self.skip(blank);
                continue;
            }
            if rest.is_empty() {
                self.end = self.place();
                self.sources.pop();
                if self.sources.is_empty() {
                    return Item::Token(Token::End);
                }
                continue;
            }
            if let Some((length, name, may_lack)) = include(rest) {
                self.skip(length);
                return Item::Include { name, may_lack };
            }
            if rest.starts_with('#') {
                // A remark ends with its line; without a line's end it is none.
                let Some(end) = rest.find('\n') else {
                    self.skip(rest.len());
                    return Item::Token(Token::Odd(
                        "a '#' on a last line that has no end".to_owned(),
                    ));
                };
                self.skip(end + 1);
                continue;
            }
            let (token, length) = token(rest);
            let is_variable = variable(rest, '@').is_some_and(|end| rest[end..].starts_with('?'));
            if is_variable && matches!(token, Token::Path(_)) {
                self.doubt = Some("a '?' behind a variable");
            }
            self.skip(length);
            return Item::Token(token);
        }
    }

    /// The values up to the end of the line.
    ///
    /// # Errors
    /// When a comma ends them.
    pub(super) fn values(&mut self) -> Result<Vec<String>, String> {
        let mut values = Vec::new();
        loop {
            let rest = self.rest();
            let Some(letter) = rest.chars().next() else { return Ok(values) };
            if is_blank(letter) || letter == '\r' {
                self.skip(1);
                continue;
            }
            if letter == '\n' {
                self.skip(1);
                return Ok(values);
            }
            if rest.starts_with("\\\n") {
                self.skip(2);
                continue;
            }
            if letter == '#' {
                self.skip(rest.find('\n').map_or(rest.len(), |end| end + 1));
                return Ok(values);
            }
            let length = if letter == '"' { quoted(rest) } else { id(rest) };
            match length {
                Some(length) if length > 0 => {
                    values.push(resolved(&rest[..length]));
                    self.skip(length);
                }
                _ => return Err(format!("'{letter}' in the values of a variable")),
            }
        }
    }

    /// The number that stands here.
    pub(super) fn number(&mut self) -> Option<i32> {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches([' ', '\t']);
        let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let length = trimmed.len() - digits.len() + end;
        let number = trimmed[..length].parse().ok()?;
        let blank = rest.len() - trimmed.len();
        self.skip(blank + length);
        Some(number)
    }

    /// Passes over a rule of another kind, to behind its comma; with `has_words` a comma may stand in a word, between letters of
    /// one. Whether a carriage return stands behind the last word's comma, which some versions take for such a letter.
    ///
    /// # Errors
    /// When it does not end before something that begins or ends a block, or the file.
    pub(super) fn skip_rule(&mut self, has_words: bool) -> Result<bool, String> {
        let mut depth = 0_u32;
        let mut before = ' ';
        loop {
            let rest = self.rest();
            let mut letters = rest.chars();
            let Some(letter) = letters.next() else {
                return Err("a rule without its comma".to_owned());
            };
            let behind = letters.next();
            let mut length = letter.len_utf8();
            match letter {
                '"' => match quoted(rest) {
                    Some(quoted) => length = quoted,
                    None => return Err("a quote that is not closed".to_owned()),
                },
                '\\' => length += behind.map_or(0, char::len_utf8),
                '#' if before.is_whitespace() => {
                    length = rest.find('\n').map_or(rest.len(), |end| end + 1);
                }
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    let is_in_word = has_words && is_of_id(before) && behind.is_some_and(is_of_id);
                    if !is_in_word {
                        self.skip(1);
                        return Ok(has_words && behind == Some('\r'));
                    }
                }
                '{' | '}' if before.is_whitespace() && behind.is_none_or(char::is_whitespace) => {
                    return Err("a rule without its comma".to_owned());
                }
                _ => {}
            }
            before = letter;
            self.skip(length);
        }
    }

    /// What stands behind a profile's keyword up to its brace.
    pub(super) fn header(&mut self) -> String {
        let rest = self.rest();
        let mut end = 0;
        let mut is_behind_blank = true;
        for (at, letter) in rest.char_indices() {
            if letter == '{' && is_behind_blank {
                break;
            }
            // `flags=(complain){`
            is_behind_blank = letter.is_whitespace() || letter == ')';
            end = at + letter.len_utf8();
        }
        let header = rest[..end].trim().to_owned();
        self.skip(end);
        header
    }
}

/// Whether an include stands here: how long it is, its name, and whether it may lack.
fn include(rest: &str) -> Option<(usize, String, bool)> {
    let (word, is_old) = match rest.strip_prefix('#') {
        Some(behind) => (behind.strip_prefix("include")?, true),
        None => (rest.strip_prefix("include")?, false),
    };
    let starts_blank = word.starts_with(is_blank);
    if !is_old && !starts_blank {
        return None;
    }
    let behind = word.trim_start_matches(is_blank);
    let optional = behind
        .strip_prefix("if")
        .filter(|_| starts_blank)
        .map(|rest| rest.trim_start_matches(is_blank))
        .and_then(|rest| rest.strip_prefix("exists"))
        .filter(|rest| rest.starts_with(is_blank))
        .map(|rest| rest.trim_start_matches(is_blank));
    let name = optional.unwrap_or(behind);
    let length = match name.chars().next() {
        Some('<') => name.find('>')? + 1,
        Some('"') => quoted(name)?,
        _ => name.find(|c: char| c.is_whitespace()).unwrap_or(name.len()),
    };
    let start = rest.len() - name.len();
    Some((start + length, name[..length].to_owned(), optional.is_some()))
}

/// How long a text in quotes is; a quote behind a backslash ends it only where no other one does.
fn quoted(rest: &str) -> Option<usize> {
    let mut last = None;
    let mut before = '"';
    for (at, letter) in rest.char_indices().skip(1) {
        if letter == '\0' {
            break;
        }
        if letter == '"' {
            if before != '\\' {
                return Some(at + 1);
            }
            last = Some(at + 1);
        }
        before = letter;
    }
    last
}

/// How long a word without quotes is: a comma that a letter follows belongs to it, and so does what a backslash protects.
fn id(rest: &str) -> Option<usize> {
    let mut letters = rest.char_indices().peekable();
    let mut end = 0;
    while let Some((at, letter)) = letters.next() {
        let behind = letters.peek().map(|(_, behind)| *behind);
        let is_protected =
            letter == '\\' && behind.is_some_and(|c| [' ', '\t', '"', '!', ','].contains(&c));
        let is_inside = letter == ',' && behind.is_some_and(is_of_id);
        if is_protected || is_inside {
            end = at + 1 + behind.map_or(0, char::len_utf8);
            letters.next();
        } else if is_of_id(letter) {
            end = at + letter.len_utf8();
        } else {
            break;
        }
    }
    Some(end)
}

/// The word that a text begins with, and its length.
fn token(rest: &str) -> (Token, usize) {
    let first = rest.chars().next().unwrap_or(' ');
    let name_length =
        rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    if first == '"' {
        return match quoted(rest) {
            Some(length) if rest[1..].starts_with(['/', '@', ':', '&']) => {
                (Token::Path(resolved(&rest[..length])), length)
            }
            Some(length) => (Token::Odd(rest[..length].to_owned()), length),
            None => (Token::Odd("a quote that is not closed".to_owned()), rest.len()),
        };
    }
    if let Some(length) = variable(rest, '@') {
        let mut letters = rest[length..].chars();
        let (behind, then) = (letters.next(), letters.next());
        let goes_on = match behind {
            Some('=' | '+') => false,
            Some('?') => then != Some('='),
            // A carriage return is a letter like any other here.
            Some(',') => then.is_some_and(|then| then == '\r' || is_of_id(then)),
            Some(letter) => is_of_id(letter),
            None => false,
        };
        if goes_on {
            let first = if behind == Some(',') { 1 + then.map_or(0, char::len_utf8) } else { 0 };
            let length = length + first;
            let length = length + id(&rest[length..]).unwrap_or_default();
            return (Token::Path(resolved(&rest[..length])), length);
        }
        return (Token::Set(inside(&rest[..length])), length);
    }
    if let Some(length) = variable(rest, '$') {
        return (Token::Truth(inside(&rest[..length])), length);
    }
    if first == '/' || first == '&' {
        let length = id(rest).unwrap_or(1);
        return (Token::Path(resolved(&rest[..length])), length);
    }
    if first.is_ascii_alphabetic() {
        let name = &rest[..name_length];
        let is_closed = rest[name_length..].starts_with([' ', '\t', '\r', '\n', ',']);
        if is_mode(name) && is_closed {
            return (Token::Mode(name.to_owned()), name_length);
        }
        return (Token::Name(name.to_owned()), name_length);
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return (Token::Sign(sign), sign.len());
    }
    (Token::Odd(first.to_string()), first.len_utf8())
}

/// How long `@{NAME}` or `@NAME` is, or the same with `$`.
fn variable(rest: &str, prefix: char) -> Option<usize> {
    let behind = rest.strip_prefix(prefix)?;
    let (name, braces) = behind.strip_prefix('{').map_or((behind, 0), |name| (name, 1));
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    if braces == 1 && !name[length..].starts_with('}') {
        return None;
    }
    Some(1 + length + 2 * braces)
}

/// The name of a variable.
fn inside(text: &str) -> String {
    text[1..].trim_start_matches('{').trim_end_matches('}').to_owned()
}
