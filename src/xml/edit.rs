//! Edits as data: which bytes go, which text comes.

use std::ops::Range;

/// A byte range of the source text.
pub type Span = Range<usize>;

/// One replacement; an empty span inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub span: Span,
    /// The text that comes in their place.
    pub text: String,
}

impl Edit {
    /// Puts `text` before the byte at `offset`.
    pub fn insert(offset: usize, text: impl Into<String>) -> Edit {
        Edit { span: offset..offset, text: text.into() }
    }

    /// Takes the bytes of `span` away.
    pub fn delete(span: Span) -> Edit {
        Edit { span, text: String::new() }
    }

    /// Puts `text` in the place of `span`.
    pub fn replace(span: Span, text: impl Into<String>) -> Edit {
        Edit { span, text: text.into() }
    }
}

/// Two edits of one set want the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap(pub Span);

/// Edits of one text, sorted and disjoint.
///
/// Two insertions at one place are kept in the order in which they were pushed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditSet(Vec<Edit>);

impl EditSet {
    /// The set with no edit.
    pub fn new() -> EditSet {
        EditSet::default()
    }

    /// Adds an edit.
    ///
    /// # Errors
    /// [`Overlap`] when another edit of the set already takes some of the same bytes.
    pub fn push(&mut self, edit: Edit) -> Result<(), Overlap> {
        let key = |edit: &Edit| (edit.span.start, edit.span.end);
        let at = self.0.partition_point(|other| key(other) <= key(&edit));
        let clear_before = at == 0 || self.0[at - 1].span.end <= edit.span.start;
        let clear_after = self.0.get(at).is_none_or(|next| edit.span.end <= next.span.start);
        if !clear_before || !clear_after {
            return Err(Overlap(edit.span));
        }
        self.0.insert(at, edit);
        Ok(())
    }

    /// The one edit that makes `new` of `old`: what stands between what they begin and end with alike.
    pub fn between(old: &str, new: &str) -> EditSet {
        if old == new {
            return EditSet::new();
        }
        let same = |pair: &(u8, u8)| pair.0 == pair.1;
        let mut start = old.bytes().zip(new.bytes()).take_while(same).count();
        while !old.is_char_boundary(start) || !new.is_char_boundary(start) {
            start -= 1;
        }
        let rest = old.len().min(new.len()) - start;
        let mut end = old.bytes().rev().zip(new.bytes().rev()).take(rest).take_while(same).count();
        while !old.is_char_boundary(old.len() - end) || !new.is_char_boundary(new.len() - end) {
            end -= 1;
        }
        EditSet(vec![Edit::replace(start..old.len() - end, &new[start..new.len() - end])])
    }

    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The edits, in the order of the text.
    pub fn edits(&self) -> &[Edit] {
        &self.0
    }

    /// The text with every edit made; bytes outside the spans are copied as they were.
    pub fn apply(&self, source: &str) -> String {
        let mut text = String::with_capacity(
            source.len() + self.0.iter().map(|edit| edit.text.len()).sum::<usize>(),
        );
        let mut done = 0;
        for edit in &self.0 {
            text.push_str(&source[done..edit.span.start]);
            text.push_str(&edit.text);
            done = edit.span.end;
        }
        text.push_str(&source[done..]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_in_text_order() {
        let mut set = EditSet::new();
        set.push(Edit::replace(4..5, "X")).unwrap();
        set.push(Edit::delete(0..1)).unwrap();
        set.push(Edit::insert(2, "<1>")).unwrap();
        set.push(Edit::insert(2, "<2>")).unwrap();
        assert_eq!(set.apply("abcdef"), "b<1><2>cdXf");
    }

    #[test]
    fn overlapping_edits_are_refused() {
        let mut set = EditSet::new();
        set.push(Edit::delete(2..5)).unwrap();
        assert!(set.push(Edit::delete(4..6)).is_err());
        assert!(set.push(Edit::insert(3, "x")).is_err());
        assert!(set.push(Edit::delete(0..3)).is_err());
        assert!(set.push(Edit::insert(5, "x")).is_ok());
        assert!(set.push(Edit::insert(2, "y")).is_ok());
        assert_eq!(set.apply("abcdefg"), "abyxfg");
    }

    #[test]
    fn the_edit_between_two_texts_makes_one_of_the_other() {
        for (old, new) in
            [("", "a"), ("abc", "abc"), ("aé", "aè"), ("aaaa", "aa"), ("xay", "xby"), ("ab", "")]
        {
            assert_eq!(EditSet::between(old, new).apply(old), new);
        }
    }
}
