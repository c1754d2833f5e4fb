//! Writing attribute values.

use std::fmt::Write as _;

/// Why a text can't be an attribute value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwritable(pub char);

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "XML 1.0 cannot hold the character U+{:04X}", u32::from(self.0))
    }
}

/// Whether XML 1.0 can hold the character (XML 1.0, production 2).
pub fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// The first character that XML 1.0 can't hold, and where it stands.
pub(super) fn first_bad(text: &str) -> Option<(usize, char)> {
    // A block of plain bytes holds none: it is looked at as a whole, without a branch for each byte.
    const BLOCK: usize = 256;
    let is_plain = |block: &[u8]| {
        block
            .iter()
            .fold(true, |plain, &byte| plain & matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
    };
    let first = text.as_bytes().chunks(BLOCK).position(|block| !is_plain(block))?;
    let mut at = first * BLOCK;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let mut rest = text[at..].char_indices();
    rest.find(|&(_, c)| !is_xml_char(c)).map(|(offset, c)| (at + offset, c))
}

/// The value between `quote`s such that reading it back gives `value` again.
///
/// Tab, line feed and carriage return become character references, since a reader turns them into blanks.
/// `ascii` writes everything past ASCII as a reference, for documents that declare another encoding than UTF-8.
///
/// # Errors
/// [`Unwritable`] for a character that XML 1.0 has no way to hold.
pub fn attribute(value: &str, quote: char, ascii: bool) -> Result<String, Unwritable> {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' if quote == '"' => text.push_str("&quot;"),
            '\'' if quote == '\'' => text.push_str("&apos;"),
            '\t' | '\n' | '\r' => reference(&mut text, c),
            c if !is_xml_char(c) => return Err(Unwritable(c)),
            c if ascii && !c.is_ascii() => reference(&mut text, c),
            c => text.push(c),
        }
    }
    Ok(text)
}

fn reference(text: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = write!(text, "&#{};", u32::from(c));
}

/// The value as libvirt prints it (`virBufferEscapeString`): all five entities, control characters dropped,
/// line feeds, tabs and carriage returns raw.
pub fn as_libvirt(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&apos;"),
            '\u{1}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{19}' => {}
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_quote_in_use_is_escaped() {
        assert_eq!(attribute(r#"a'b"c"#, '\'', false).unwrap(), r#"a&apos;b"c"#);
        assert_eq!(attribute(r#"a'b"c"#, '"', false).unwrap(), "a'b&quot;c");
        assert_eq!(attribute("a\n\té", '"', true).unwrap(), "a&#10;&#9;&#233;");
        assert_eq!(attribute("a\u{1}", '"', false), Err(Unwritable('\u{1}')));
    }

    #[test]
    fn what_xml_cannot_hold_is_found_wherever_it_stands() {
        for before in [0, 1, 254, 255, 256, 257, 700] {
            for filling in ["a", "é", "漢"] {
                let text = filling.repeat(before) + "\t\u{b}";
                let at = filling.len() * before + 1;
                assert_eq!(first_bad(&text), Some((at, '\u{b}')), "{before} {filling}");
                assert_eq!(first_bad(&text[..at]), None);
            }
        }
        assert_eq!(first_bad("\u{fffe}"), Some((0, '\u{fffe}')));
    }

    #[test]
    fn libvirt_escapes_all_five_and_keeps_blanks_raw() {
        assert_eq!(as_libvirt("<&>'\"\n\t\u{1}"), "&lt;&amp;&gt;&apos;&quot;\n\t");
    }
}
