//! `qemu.conf` as libvirt reads it (`util/virconf.c`).

use crate::qemu::{Range, Version};
use serde::{Deserialize, Serialize};

/// A value of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A quoted text.
    Text(String),
    /// A list.
    List(Vec<Value>),
}

/// A place that libvirt would refuse; the daemon then does not start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfError {
    /// Line, from 1.
    pub line: usize,
    /// libvirt's words: `expecting a value` …
    pub message: String,
}

/// The settings of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QemuConf {
    /// The file.
    pub path: String,
    /// In the order of the file; the first of two equal keys counts.
    pub settings: Vec<(String, Value)>,
    /// The first place that can't be read.
    pub error: Option<ConfError>,
    /// Why the file could not be looked at, when it is there.
    pub unreadable: Option<String>,
    /// The daemon that runs was started before the file was changed: it still has the older settings.
    #[serde(default)]
    pub newer: bool,
}

impl QemuConf {
    /// Reads a file's text; a syntax error is kept beside what was read.
    pub fn parse(path: &str, text: &str) -> QemuConf {
        let mut reader = Reader { text, at: 0, depth: 0 };
        let mut conf = QemuConf { path: path.to_owned(), ..QemuConf::default() };
        let mut said = false;
        loop {
            reader.skip(" \t\r\n");
            match reader.peek() {
                None => {
                    // virConfParse expects a statement in a file that is not empty, if only a comment.
                    if !text.is_empty() && !said {
                        let line = text.matches('\n').count() + 1;
                        conf.error =
                            Some(ConfError { line, message: "expecting a name".to_owned() });
                    }
                    return conf;
                }
                Some('#') => {
                    said = true;
                    reader.skip_comment();
                }
                Some(_) => match reader.statement() {
                    Ok(setting) => {
                        said = true;
                        conf.settings.push(setting);
                    }
                    Err(message) => {
                        let line = text[..reader.at].matches('\n').count() + 1;
                        conf.error = Some(ConfError { line, message: message.to_owned() });
                        return conf;
                    }
                },
            }
        }
    }

    /// The value of a key: the first in the file.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// A text setting.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Value::Text(text) => Some(text),
            Value::Int(_) | Value::List(_) => None,
        }
    }

    /// A number setting.
    pub fn int(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::Int(number) => Some(*number),
            Value::Text(_) | Value::List(_) => None,
        }
    }

    /// A list setting; `None` when the key is absent or holds something else.
    pub fn list(&self, key: &str) -> Option<Vec<&str>> {
        let Value::List(values) = self.get(key)? else { return None };
        Some(
            values
                .iter()
                .filter_map(|value| match value {
                    Value::Text(text) => Some(text.as_str()),
                    Value::Int(_) | Value::List(_) => None,
                })
                .collect(),
        )
    }

    /// Whether a list setting is there and lacks a word.
    pub fn list_lacks(&self, key: &str, word: &str) -> bool {
        match self.get(key) {
            Some(Value::List(_)) => !self.list(key).is_some_and(|list| list.contains(&word)),
            Some(Value::Text(_) | Value::Int(_)) | None => false,
        }
    }
}

const KINDS: &str = include_str!("../../assets/libvirt/qemu_conf.tsv");

/// The kind of value that libvirt of a version expects of a setting; nothing for one that it ignores, and for one that only
/// some versions know where the version is not known.
pub fn kind_of(key: &str, version: Option<Version>) -> Option<&'static str> {
    let (_, kind, range) = settings().find(|(name, ..)| *name == key)?;
    let reads_it = version.map_or(range == Range::default(), |version| range.contains(version));
    reads_it.then_some(kind)
}

/// Every setting that libvirt knows, with its kind and the versions that read it.
pub fn settings() -> impl Iterator<Item = (&'static str, &'static str, Range)> {
    KINDS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        Some((fields.next()?, fields.next()?, Range::read(fields.next()?, fields.next()?)))
    })
}

const DAEMON_KINDS: &str = include_str!("../../assets/libvirt/daemon_conf.tsv");

/// The kind of value that a daemon expects of a setting of its own file; nothing for one that it ignores.
pub fn daemon_kind_of(key: &str, daemon: &str) -> Option<&'static str> {
    let mut rows = DAEMON_KINDS.lines().filter(|line| !line.starts_with('#'));
    let mut fields = rows.find_map(|line| line.strip_prefix(key)?.strip_prefix('\t'))?.split('\t');
    let (kind, only) = (fields.next()?, fields.next()?);
    ["-", daemon].contains(&only).then_some(kind)
}

const WORDS: &str = include_str!("../../assets/libvirt/words.tsv");

/// The words that a setting may name.
pub fn words_of(setting: &str) -> Vec<&'static str> {
    let rows = WORDS.lines().filter_map(|line| line.split_once('\t'));
    rows.filter(|(found, _)| *found == setting).map(|(_, word)| word).collect()
}

/// Lists inside lists that are followed. libvirt follows any number, one call deeper for each, until its stack ends, and
/// takes none: no setting is a list of lists.
const DEPTH: usize = 64;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Lists that are open.
    depth: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip(&mut self, blanks: &str) {
        self.at = self.text.len() - self.rest().trim_start_matches(|c| blanks.contains(c)).len();
    }

    fn skip_comment(&mut self) {
        self.at += self.rest().find('\n').unwrap_or(self.rest().len());
    }

    fn statement(&mut self) -> Result<(String, Value), &'static str> {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err("expecting a name");
        }
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        self.skip(" \t");
        if self.peek() != Some('=') {
            return Err("expecting an assignment");
        }
        self.at += 1;
        self.skip(" \t");
        let value = self.value()?;
        self.skip(" \t");
        if self.peek() == Some('#') {
            self.skip_comment();
        }
        match self.peek() {
            None | Some('\n' | '\r') => Ok((name, value)),
            Some(';') => {
                self.at += 1;
                Ok((name, value))
            }
            Some(_) => Err("expecting a separator"),
        }
    }

    fn value(&mut self) -> Result<Value, &'static str> {
        match self.peek() {
            Some('"' | '\'') => self.string().map(Value::Text),
            Some('[') => self.list(),
            Some('0'..='9' | '-' | '+') => self.number(),
            _ => Err("expecting a value"),
        }
    }

    fn string(&mut self) -> Result<String, &'static str> {
        let rest = self.rest();
        let (quote, line_only) = if rest.starts_with("\"\"\"") && rest.len() > 6 {
            ("\"\"\"", false)
        } else {
            (&rest[..1], true)
        };
        let inside = &rest[quote.len()..];
        let end = inside.find(quote).ok_or("unterminated string")?;
        if line_only && inside[..end].contains(['\n', '\r']) {
            return Err("unterminated string");
        }
        self.at += end + 2 * quote.len();
        Ok(inside[..end].to_owned())
    }

    fn number(&mut self) -> Result<Value, &'static str> {
        let rest = self.rest();
        let digits = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if end == 0 {
            return Err("unterminated number");
        }
        // virConfParseLong does not look for overflow either.
        let digit =
            |number: i64, byte: u8| number.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
        let number = digits.bytes().take(end).fold(0, digit);
        self.at += rest.len() - digits.len() + end;
        Ok(Value::Int(if rest.starts_with('-') { number.wrapping_neg() } else { number }))
    }

    fn list(&mut self) -> Result<Value, &'static str> {
        if self.depth == DEPTH {
            return Err("lists are nested too deep");
        }
        self.at += 1;
        self.depth += 1;
        let mut values = Vec::new();
        loop {
            self.skip(" \t\r\n");
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(Value::List(values));
                }
                None => return Err("list is not closed with ]"),
                Some(_) => values.push(self.value()?),
            }
            self.skip(" \t\r\n");
            match self.peek() {
                Some(',') => self.at += 1,
                Some(']') | None => {}
                Some(_) => return Err("expecting a separator in list"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> QemuConf {
        QemuConf::parse("/etc/libvirt/qemu.conf", text)
    }

    #[test]
    fn the_first_of_two_equal_keys_counts() {
        let conf = parse(
            "# c\nuser = \"a\" # why\nuser='b'\ncgroup_device_acl = [ \"/dev/null\",\n '/dev/kvm', ]\nn = -1; m = 2\n",
        );
        assert_eq!(conf.text("user"), Some("a"));
        assert_eq!(conf.list("cgroup_device_acl"), Some(vec!["/dev/null", "/dev/kvm"]));
        assert_eq!((conf.int("n"), conf.int("m"), conf.error), (Some(-1), Some(2), None));
    }

    #[test]
    fn what_stops_the_daemon_is_found_with_its_line() {
        let error = |text: &str| parse(text).error.map(|error| (error.line, error.message));
        assert_eq!(error("\nuser = root\n"), Some((2, "expecting a value".into())));
        assert_eq!(error("a = [ \"x\" # no\n]"), Some((1, "expecting a separator in list".into())));
        assert_eq!(error("a = \"x\ny\""), Some((1, "unterminated string".into())));
        assert_eq!(error("= 1"), Some((1, "expecting a name".into())));
        assert_eq!(error("a 1"), Some((1, "expecting an assignment".into())));
        assert_eq!(error("a = 1 2"), Some((1, "expecting a separator".into())));
        assert_eq!(error("a = [ \"x\""), Some((1, "list is not closed with ]".into())));
        assert_eq!(parse("a = \"\"\"x\ny\"\"\"").text("a"), Some("x\ny"));
    }

    #[test]
    fn lists_in_lists_are_followed_to_a_depth() {
        let nested =
            |depth: usize| parse(&format!("a = {}{}", "[".repeat(depth), "]".repeat(depth)));
        assert_eq!(nested(DEPTH).error, None);
        let error = nested(100_000).error.map(|error| (error.line, error.message));
        assert_eq!(error, Some((1, "lists are nested too deep".into())));
        // Lists beside each other are none inside each other.
        assert_eq!(parse(&format!("a = [ {} ]", "[],".repeat(1000))).error, None);
    }
}
