//! Text that is safe to show: nothing in a document, a path or an error reaches the terminal as a command.
//!
//! Control characters, bidirectional overrides and characters without width are written out, so that a value can't look
//! other than it is.

use std::borrow::Cow;

/// The text with everything invisible written out: `␛`, `→`, `⏎`, `⟨U+202E⟩`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
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

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_stays_hidden() {
        assert_eq!(visible("a\u{1b}[31m\n\t\u{202e}x\u{85}"), "a␛[31m⏎→⟨U+202E⟩x⟨U+0085⟩");
        assert!(matches!(visible("grün 漢字 👍"), Cow::Borrowed(_)));
    }
}
