//! Lossless XML text: find elements by span, change them by splicing.
//!
//! Knows XML, and nothing of libvirt. The source text is never rendered again from a tree; an edit names a span and
//! every byte outside it is copied as it was.

mod cook;
pub mod edit;
pub mod escape;
mod names;
pub mod scan;
mod start;
mod tree;

pub use edit::{Edit, EditSet, Span};
pub use scan::scan;
pub use start::root_name;
pub use tree::{Attribute, Element, Tree};

/// A place where a text stops being XML that libvirt would read, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlError {
    /// Byte offset in the source.
    pub offset: usize,
    /// One sentence: what is wrong, what was expected.
    pub message: String,
}

impl XmlError {
    pub(crate) fn at(offset: usize, message: impl Into<String>) -> XmlError {
        XmlError { offset, message: message.into() }
    }
}

/// A place as people count it: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1; a byte order mark is not counted.
    pub column: usize,
}

/// The line and column of a byte offset; an offset past the end is the end.
pub fn position(source: &str, offset: usize) -> Position {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &source[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    let column = before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1;
    Position { line, column }
}

/// Where the lines of a text begin, and how many characters stand before each block of it: many places of one text are found,
/// on a line of any length.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
    /// Characters before each block of [`BLOCK`] bytes.
    characters: Vec<usize>,
}

const BLOCK: usize = 1024;

impl<'a> Lines<'a> {
    /// Looks for the lines once.
    pub fn of(source: &'a str) -> Lines<'a> {
        let starts =
            std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut characters = vec![0];
        let mut before = 0;
        for block in source.as_bytes().chunks(BLOCK) {
            before += begun(block);
            characters.push(before);
        }
        Lines { source, starts, characters }
    }

    /// As [`position`].
    pub fn position(&self, offset: usize) -> Position {
        let mut offset = offset.min(self.source.len());
        while !self.source.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|&start| start <= offset);
        let mut start = self.starts[line - 1];
        while start < offset && self.source[start..].starts_with('\u{feff}') {
            start += '\u{feff}'.len_utf8();
        }
        let column = self.characters_before(offset) - self.characters_before(start) + 1;
        Position { line, column }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        self.characters[block] + begun(&self.source.as_bytes()[block * BLOCK..offset])
    }
}

/// How many characters begin in some bytes of a text.
fn begun(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        assert_eq!(position("ab\ncé<", 6), Position { line: 2, column: 3 });
        assert_eq!(position("\u{feff}<a", 3), Position { line: 1, column: 1 });
        assert_eq!(position("é", 1), Position { line: 1, column: 1 });
        assert_eq!(position("", 9), Position { line: 1, column: 1 });
        let long = "aé漢\n".repeat(3) + &"é漢a".repeat(BLOCK) + "\n\u{feff}\u{feff}x";
        for text in ["\u{feff}ab\ncé<\n\n", &long, ""] {
            let lines = Lines::of(text);
            for offset in 0..=text.len() + 1 {
                assert_eq!(lines.position(offset), position(text, offset), "{offset}");
            }
        }
    }
}
