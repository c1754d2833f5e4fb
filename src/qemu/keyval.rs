//! Option values: `key=value,…` with `,,` for a comma, an implied first key, short booleans, and JSON.

use std::ops::Range;

use serde_json::Value;

/// One key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key; dotted for nested JSON.
    pub key: String,
    /// The value, with doubled commas halved.
    pub value: String,
    /// Where the key stands in the argument; empty when it is implied. In JSON, the whole argument.
    pub key_span: Range<usize>,
    /// Where the value stands in the argument.
    pub value_span: Range<usize>,
    /// The pair was written as a short boolean (`server`, `nowait`).
    pub short: bool,
}

/// The pairs of one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    /// In the order of the text.
    pub pairs: Vec<Pair>,
    /// The value was JSON.
    pub json: bool,
    /// Why it isn't spelled as QEMU reads it, and where (byte offset).
    pub error: Option<(usize, String)>,
}

impl Pairs {
    /// Reads an option's value; `implied` is the key of a first part without `=`.
    pub fn read(text: &str, implied: Option<&str>) -> Pairs {
        if text.starts_with('{') { Pairs::json(text) } else { Pairs::plain(text, implied) }
    }

    /// The last value of a key, as QemuOpts finds it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pair(key).map(|pair| pair.value.as_str())
    }

    /// The last pair of a key.
    pub fn pair(&self, key: &str) -> Option<&Pair> {
        self.pairs.iter().rev().find(|pair| pair.key == key)
    }

    /// Whether a boolean key is on; `None` when it is absent.
    pub fn on(&self, key: &str) -> Option<bool> {
        self.get(key).map(is_on)
    }

    /// `get_opt_name_value` of QEMU's `util/qemu-option.c`.
    fn plain(text: &str, implied: Option<&str>) -> Pairs {
        let mut pairs = Pairs::default();
        let mut at = 0;
        while at < text.len() {
            let name_end = text[at..].find(['=', ',']).map_or(text.len(), |end| at + end);
            let first = at == 0;
            if text[name_end..].starts_with('=') {
                let (value, end) = value(text, name_end + 1);
                pairs.pairs.push(Pair {
                    key: text[at..name_end].to_owned(),
                    value,
                    key_span: at..name_end,
                    value_span: name_end + 1..end,
                    short: false,
                });
                at = end + 1;
            } else if first && let Some(key) = implied {
                let (value, end) = value(text, at);
                pairs.pairs.push(Pair {
                    key: key.to_owned(),
                    value,
                    key_span: at..at,
                    value_span: at..end,
                    short: false,
                });
                at = end + 1;
            } else {
                let flag = &text[at..name_end];
                let (key, on) = match flag.strip_prefix("no") {
                    Some(key) if !key.is_empty() && flag != "node-name" => (key, "off"),
                    _ => (flag, "on"),
                };
                if flag.is_empty() {
                    pairs.error.get_or_insert((
                        at,
                        "a key is missing between two commas, expected key=value".to_owned(),
                    ));
                } else {
                    pairs.pairs.push(Pair {
                        key: key.to_owned(),
                        value: on.to_owned(),
                        key_span: at..name_end,
                        value_span: name_end..name_end,
                        short: true,
                    });
                }
                at = name_end + 1;
            }
        }
        pairs
    }

    fn json(text: &str) -> Pairs {
        let mut pairs = Pairs { json: true, ..Pairs::default() };
        match serde_json::from_str::<Value>(&double_quoted(text)) {
            Ok(value) => pairs.flatten("", &value, text.len()),
            Err(error) => {
                let line_start: usize = text
                    .split_inclusive('\n')
                    .take(error.line().saturating_sub(1))
                    .map(str::len)
                    .sum();
                // The column counts bytes, and a quote that was doubled moves it: the letter around it is the place.
                let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                let what = error.to_string();
                let what = what.split(" at line").next().unwrap_or("not JSON").to_owned();
                pairs.error = Some((at, format!("not JSON: {what}")));
            }
        }
        pairs
    }

    /// The values of JSON under their dotted keys; each has the whole text for its place.
    fn flatten(&mut self, prefix: &str, value: &Value, length: usize) {
        let join =
            |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
        let value = match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.flatten(&join(key), value, length);
                }
                return;
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.flatten(&join(&index.to_string()), value, length);
                }
                return;
            }
            Value::String(text) => text.clone(),
            Value::Bool(true) => "on".to_owned(),
            Value::Bool(false) => "off".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Null => String::new(),
        };
        self.pairs.push(Pair {
            key: prefix.to_owned(),
            value,
            key_span: 0..length,
            value_span: 0..length,
            short: false,
        });
    }
}

/// QEMU's JSON lets strings stand in single quotes (`qobject/json-lexer.c`); in double quotes any reader takes them.
///
/// Bytes keep their places as long as no quote stands inside a string of the other kind.
fn double_quoted(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('\'') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                out.push('"');
            }
            (Some(open), c) if c == open => {
                quote = None;
                out.push('"');
            }
            (Some('\''), '"') => out.push_str("\\\""),
            (Some(_), '\\') => match chars.next() {
                Some('\'') => out.push('\''),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            (_, c) => out.push(c),
        }
    }
    out.into()
}

/// Whether a boolean value means on (`qapi_bool_parse`).
pub fn is_on(value: &str) -> bool {
    matches!(value, "on" | "yes" | "true" | "y")
}

/// The value from `start` to the next single comma, and where it ends.
fn value(text: &str, start: usize) -> (String, usize) {
    let mut value = String::new();
    let mut at = start;
    loop {
        let comma = text[at..].find(',').map_or(text.len(), |found| at + found);
        value.push_str(&text[at..comma]);
        if !text[comma..].starts_with(",,") {
            return (value, comma);
        }
        value.push(',');
        at = comma + 2;
    }
}

/// A text as it must be written inside `key=value`.
pub fn double_commas(text: &str) -> String {
    text.replace(',', ",,")
}

/// Pairs as QEMU reads them; the implied key is left out where it comes first and its value can stand alone.
pub fn written<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
    implied: Option<&str>,
) -> String {
    let mut words = Vec::new();
    for (key, value) in pairs {
        let value = double_commas(value);
        let can_be_alone = words.is_empty() && !value.is_empty() && !value.contains('=');
        words.push(if can_be_alone && implied == Some(key) {
            value
        } else {
            format!("{key}={value}")
        });
    }
    words.join(",")
}

/// A size as QEMU reads it (`do_strtosz`): a number with a letter for its unit; `shift` is the unit of a bare number, 0 for
/// bytes, 20 for MiB. Fractions are not read.
pub fn size(text: &str, shift: u32) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" => shift,
        "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// A number in tens, or in sixteens behind `0x`.
pub fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, implied: Option<&str>) -> Vec<(String, String)> {
        Pairs::read(text, implied).pairs.into_iter().map(|pair| (pair.key, pair.value)).collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn commas_double_and_the_first_key_is_implied() {
        assert_eq!(
            plain("socket,id=c,path=/a,,b,server,nowait", Some("backend")),
            owned(&[
                ("backend", "socket"),
                ("id", "c"),
                ("path", "/a,b"),
                ("server", "on"),
                ("wait", "off")
            ])
        );
        assert_eq!(plain("file=/a=b", None), owned(&[("file", "/a=b")]));
        assert_eq!(plain("x", None), owned(&[("x", "on")]));
        assert_eq!(plain("a,,b", Some("k")), owned(&[("k", "a,b")]));
        assert_eq!(plain("", Some("k")), owned(&[]));
        assert_eq!(plain("k=a,,,b=1", None), owned(&[("k", "a,"), ("b", "1")]));
    }

    #[test]
    fn json_is_flattened_with_dots() {
        assert_eq!(
            plain(
                r#"{"driver":"qcow2","read-only":true,"file":{"filename":"/a"},"l":[1,{"x":"y"}]}"#,
                None
            ),
            owned(&[
                ("driver", "qcow2"),
                ("read-only", "on"),
                ("file.filename", "/a"),
                ("l.0", "1"),
                ("l.1.x", "y")
            ])
        );
        assert_eq!(
            plain(r#"{'driver':'x"y','a':"it's",'b':'it\'s'}"#, None),
            owned(&[("driver", "x\"y"), ("a", "it's"), ("b", "it's")])
        );
        let broken = Pairs::read(r#"{"a":1,}"#, None);
        assert_eq!(broken.error.as_ref().map(|(at, _)| *at), Some(7));
        let open = Pairs::read("{\"a\":\"\u{788}", None);
        assert_eq!(open.error.map(|(at, _)| at), Some(6));
    }

    #[test]
    fn pairs_are_written_as_they_are_read() {
        for text in ["", ",", "a", "a,,b,x=1", "k=a=b", "k=", "k=a,b=,,", "x=1,k=a"] {
            let pairs = plain(text, Some("k"));
            let written = written(pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())), Some("k"));
            assert_eq!(plain(&written, Some("k")), pairs, "{text} {written}");
        }
    }
}
