//! Lossless XML text: find elements by span, change them by splicing.
//!
//! Knows XML, and nothing of libvirt. The source text is never rendered again from a tree; an edit names a span and
//! every byte outside it is copied as it was.

mod cook;
pub mod edit;
pub mod escape;
mod names;
pub mod scan;
mod tree;

pub use edit::{Edit, EditSet, Span};
pub use scan::scan;
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

/// Where the lines of a text begin, for many places of one text.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Looks for the lines once.
    pub fn of(source: &'a str) -> Lines<'a> {
        let starts =
            std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { source, starts }
    }

    /// As [`position`].
    pub fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|&start| start <= offset.min(self.source.len()));
        let start = self.starts[line - 1];
        let column = position(&self.source[start..], offset.min(self.source.len()) - start).column;
        Position { line, column }
    }
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
        let text = "\u{feff}ab\ncé<\n\n";
        for offset in 0..=text.len() + 1 {
            assert_eq!(Lines::of(text).position(offset), position(text, offset), "{offset}");
        }
    }
}
