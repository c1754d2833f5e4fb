//! Fitting text into columns: cutting and wrapping by what a character takes on the screen.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `columns`; an ellipsis tells that something is missing. What does not fit is not looked at.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let (mut taken, mut end, mut short) = (0, 0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        taken += width(grapheme);
        if taken > columns {
            let ellipsis = if columns > 0 { "…" } else { "" };
            return format!("{}{ellipsis}", &text[..short]);
        }
        end = at + grapheme.len();
        if taken < columns {
            short = end;
        }
    }
    text[..end].to_owned()
}

/// A text in pieces, so that what is looked for stands out; `words` are looked for as a whole, in letters of any size.
pub(super) fn marked(text: &str, words: &str, style: Style, found: Style) -> Vec<Span<'static>> {
    let words = words.trim().to_lowercase();
    let small = text.to_lowercase();
    // Where small letters take other bytes, places in them are none of the text.
    if words.is_empty() || small.len() != text.len() {
        return vec![Span::styled(text.to_owned(), style)];
    }
    let (mut spans, mut from) = (Vec::new(), 0);
    for (at, _) in small.match_indices(&words) {
        let end = at + words.len();
        let (Some(before), Some(hit)) = (text.get(from..at), text.get(at..end)) else { continue };
        if !before.is_empty() {
            spans.push(Span::styled(before.to_owned(), style));
        }
        spans.push(Span::styled(hit.to_owned(), style.patch(found)));
        from = end;
    }
    spans.push(Span::styled(text[from..].to_owned(), style));
    spans
}

/// More bytes of one text than anybody reads on a screen; wrapping more of them would hold up the keys.
const MOST: usize = 64 << 10;

/// The beginning of a text that is too long to be shown, and a word about the rest.
fn head(text: &str) -> Cow<'_, str> {
    if text.len() <= MOST {
        return Cow::Borrowed(text);
    }
    let end = (0..=MOST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Cow::Owned(format!("{} … ({} bytes more)", &text[..end], text.len() - end))
}

/// The text in lines of at most `columns`, broken at blanks where there are some; lines after the first begin with `indent`.
pub(super) fn wrap(text: &str, columns: usize, indent: &str) -> Vec<String> {
    let columns = columns.max(width(indent) + 4);
    if text.len() <= columns && text.is_ascii() {
        return vec![text.to_owned()];
    }
    let text = &*head(text);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut fresh = true;
    for word in words(text) {
        if width(&line) + width(word) > columns && !fresh {
            let full = std::mem::replace(&mut line, indent.to_owned());
            lines.push(full.trim_end().to_owned());
            fresh = true;
            if word.trim().is_empty() {
                continue;
            }
        }
        for grapheme in word.graphemes(true) {
            if width(&line) + width(grapheme) > columns {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
            }
            line.push_str(grapheme);
        }
        fresh = false;
    }
    if !fresh || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The words of a text and what stands between them; a closing sign stays with the word before it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut bounds: Vec<usize> = text.split_word_bound_indices().map(|(at, _)| at).collect();
    let closes = |at: usize| {
        at > 0
            && text[at..].starts_with([')', ']', ',', ';'])
            && !text[..at].ends_with([' ', ',', ')'])
    };
    bounds.retain(|at| !closes(*at));
    let ends: Vec<usize> = bounds.iter().skip(1).copied().chain([text.len()]).collect();
    bounds.into_iter().zip(ends).map(|(start, end)| &text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_text_that_nobody_reads_the_beginning_is_wrapped() {
        let lines = wrap(&"漢字".repeat(1 << 20), 80, "");
        assert_eq!(lines.len(), MOST / 3 / 40 + 1);
        assert!(lines.concat().ends_with(" bytes more)"));
    }

    #[test]
    fn text_is_cut_and_wrapped_by_columns() {
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!((&*cut("abc", 2), &*cut("abc", 0), &*cut("漢字漢字", 4)), ("a…", "", "漢…"));
        assert_eq!(wrap("one two three", 8, "  "), ["one two", "  three"]);
        assert_eq!(wrap("/a/very/long/path", 8, ""), ["/a/very/", "long/", "path"]);
        assert_eq!(wrap("aaaaaaaaaa", 4, ""), ["aaaa", "aaaa", "aa"]);
        assert_eq!(wrap("", 4, ""), [""]);
        assert_eq!(wrap("aa (bb cc) dd", 9, ""), ["aa (bb", "cc) dd"]);
    }
}
