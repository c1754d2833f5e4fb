//! Text that is safe to show: nothing in a document, a path or an error reaches the terminal as a command.
//!
//! Control characters, bidirectional overrides and characters without width are written out, so that a value can't look
//! other than it is.

use std::borrow::Cow;

/// The text with everything invisible written out: `␛`, `→`, `⏎`, `⟨U+202E⟩`.
pub fn visible(text: &str) -> Cow<'_, str> {
    // Nearly everything that is shown is plain ASCII.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => shown.push('⏎'),
            '\t' => shown.push('→'),
            '\u{0}'..='\u{1f}' => {
                shown.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => shown.push('␡'),
            c if is_hidden(c) => shown.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// JSON with everything invisible in its strings as an escape: the same value, for whoever looks at the text.
pub fn escaped(json: &str) -> Cow<'_, str> {
    let is_raw = |c: char| c != '\n' && is_hidden(c);
    if json.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) || !json.contains(is_raw) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        if is_raw(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control() || is_ignorable(c) || is_blank(c)
}

/// Default_Ignorable_Code_Point of Unicode 16 (DerivedCoreProperties.txt), and separators and anchors that print nothing. The
/// property is stable; a crate with it brings twenty others.
fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// What looks like a blank and is another one.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2800}' | '\u{3000}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_stays_hidden() {
        assert_eq!(visible("a\u{1b}[31m\n\t\u{202e}x\u{85}"), "a␛[31m⏎→⟨U+202E⟩x⟨U+0085⟩");
        assert!(matches!(visible("grün 漢字 👍"), Cow::Borrowed(_)));
        for hidden in
            "\u{3164}\u{ffa0}\u{115f}\u{17b4}\u{34f}\u{2800}\u{a0}\u{fe0f}\u{e0041}\u{1d173}"
                .chars()
        {
            assert_eq!(visible(&hidden.to_string()), format!("⟨U+{:04X}⟩", u32::from(hidden)));
        }
    }

    #[test]
    fn json_is_the_same_value_without_anything_hidden() {
        let value = "a\u{1b}\u{7f}\u{85}\u{202e}\u{e0041}\u{3164}ü\"\n";
        let json = serde_json::to_string_pretty(&[value]).unwrap();
        let escaped = escaped(&json);
        assert!(!escaped.chars().any(|c| c != '\n' && is_hidden(c)), "{escaped}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&escaped).unwrap(), [value]);
        assert!(matches!(super::escaped("{\n}"), Cow::Borrowed(_)));
    }
}
