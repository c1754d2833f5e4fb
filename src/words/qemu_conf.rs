//! The language of `qemu.conf` (virconf.c): strings have no escapes, but three kinds of quotes.

/// A string; `None` for a text that none of the quotes can hold.
///
/// A string between `"` or `'` ends at its quote and holds no line end, one between `"""` ends at the next of them
/// (`virConfParseString`).
pub fn string(text: &str) -> Option<String> {
    let on_one_line = !text.contains(['\n', '\r']);
    if text.contains('\0') {
        return None;
    }
    for quote in ["\"", "'"] {
        if on_one_line && !text.contains(quote) {
            return Some(format!("{quote}{text}{quote}"));
        }
    }
    let is_apart = !text.contains("\"\"\"") && !text.ends_with('"') && !text.starts_with('"');
    is_apart.then(|| format!("\"\"\"{text}\"\"\""))
}

/// A list of strings; `None` where one of them can't be written.
pub fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let strings = texts.into_iter().map(string).collect::<Option<Vec<String>>>()?;
    Some(if strings.is_empty() { "[]".to_owned() } else { format!("[ {} ]", strings.join(", ")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::qemu_conf::{QemuConf, Value};

    #[test]
    fn a_string_is_read_back_as_it_was() {
        for text in [
            "", "/a", "/a b", "/a\"b", "/a'b", "/a\"'b", "/a\nb", "/a\rb", "/a\\b", "/é#;", "x = 1",
        ] {
            let line = format!("key = {}\nnext = 1\n", string(text).unwrap());
            let conf = QemuConf::parse("", &line);
            assert_eq!(conf.text("key"), Some(text), "{line}");
            assert_eq!((conf.int("next"), conf.error), (Some(1), None), "{line}");
        }
        assert_eq!(string("a\"\"\"'\n"), None);
        assert_eq!(string("a'\""), None);
        let text = list(["/a", "/b\"c"]).unwrap();
        let conf = QemuConf::parse("", &format!("key = {text}"));
        let strings = ["/a", "/b\"c"].map(|text| Value::Text(text.to_owned()));
        assert_eq!(conf.get("key"), Some(&Value::List(strings.to_vec())));
    }
}
