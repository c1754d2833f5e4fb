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

/// Whether a text takes at most `columns`; what is beyond them is not looked at.
pub(super) fn fits(text: &str, columns: usize) -> bool {
    let mut taken = 0;
    text.graphemes(true).all(|grapheme| {
        taken += width(grapheme);
        taken <= columns
    })
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

/// The end of a text in at most `columns`: of a path it tells more than the beginning.
pub(super) fn cut_front(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut taken = 1;
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        taken += width(grapheme);
        if taken > columns {
            break;
        }
        start = at;
    }
    if columns == 0 { String::new() } else { format!("…{}", &text[start..]) }
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
    for word in words(text, columns.saturating_sub(width(indent))) {
        let mut word = word;
        if width(&line) + width(word) > columns && !fresh {
            // A long list begins on the line, as far as its commas allow.
            let room = columns.saturating_sub(width(&line));
            if let Some(at) = comma(word, room).filter(|_| room > columns / 3) {
                line.push_str(&word[..at]);
                word = &word[at..];
            }
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

/// The words of a text and the blanks between them; a word that is longer than a line comes in pieces, at its own joints where
/// it has some: a path and an entity are read as one.
fn words(text: &str, columns: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_blank = first.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != is_blank).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if width(word) <= columns {
            words.push(word);
        } else {
            pieces(word, columns, &mut words);
        }
        rest = after;
    }
    words
}

/// Behind the last comma of a word within so many columns.
fn comma(word: &str, columns: usize) -> Option<usize> {
    let mut taken = 0;
    let within = word.grapheme_indices(true).take_while(|(_, grapheme)| {
        taken += width(grapheme);
        taken <= columns
    });
    within.filter(|(_, grapheme)| *grapheme == ",").last().map(|(at, _)| at + 1)
}

/// The signs after which a long word is best broken.
const JOINTS: [char; 5] = [',', '/', ';', ':', '-'];

/// A word in pieces of at most `columns`, broken after a joint where there is one in the second half of the line.
fn pieces<'a>(word: &'a str, columns: usize, into: &mut Vec<&'a str>) {
    let mut rest = word;
    while width(rest) > columns {
        let (mut taken, mut end, mut joint) = (0, 0, None);
        for (at, grapheme) in rest.grapheme_indices(true) {
            taken += width(grapheme);
            if taken > columns {
                break;
            }
            end = at + grapheme.len();
            if taken > columns / 2 && grapheme.ends_with(JOINTS) {
                joint = Some(end);
            }
        }
        let (piece, after) = rest.split_at(joint.unwrap_or(end.max(1)));
        into.push(piece);
        rest = after;
    }
    into.push(rest);
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
        assert_eq!(wrap("see /a/very/long of it", 14, ""), ["see", "/a/very/long", "of it"]);
        assert_eq!(wrap("aaaaaaaaaa", 4, ""), ["aaaa", "aaaa", "aa"]);
        assert_eq!(wrap("", 4, ""), [""]);
        assert_eq!(wrap("aa (bb cc) dd", 9, ""), ["aa (bb", "cc) dd"]);
    }
}
