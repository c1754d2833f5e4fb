//! Two people changed one document: making one of both, where their changes stand apart.
//!
//! The text is compared in pieces: a passthrough option with its value, a variable, and any other line. Pieces that only
//! one side touched are taken from that side, so that a merge never divides an option from its value. Everything that
//! neither side touched stays byte for byte.

use std::ops::Range;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::{Document, Entry, EntryKind, List};

/// A place that both sides changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// What one side made of it.
    pub mine: String,
    /// What the other side made of it.
    pub theirs: String,
}

/// What came of merging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// One text with the changes of both.
    Clean(String),
    /// The places that stand in the way; and the text with mine at these places, and the changes of both everywhere else.
    Clashes(Vec<Clash>, String),
}

/// A piece of a document.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    /// It is passthrough, whole.
    is_entry: bool,
}

/// A stretch of the common text, in pieces, and what one side has in its place.
#[derive(Debug, Clone)]
struct Change {
    base: Range<usize>,
    new: Range<usize>,
    is_mine: bool,
}

/// Merges two changes of `base`.
pub fn merge(base: &str, mine: &str, theirs: &str) -> Merge {
    if mine == theirs || theirs == base {
        return Merge::Clean(mine.to_owned());
    }
    if mine == base {
        return Merge::Clean(theirs.to_owned());
    }
    let (base, mine, theirs) = (pieces(base), pieces(mine), pieces(theirs));
    let mut changes = changes(&base, &mine, true);
    changes.extend(self::changes(&base, &theirs, false));
    changes.sort_by_key(|change| (change.base.start, change.base.end, change.is_mine));

    // Walk along the common text: copy what nobody changed, then settle each cluster of changes that touch each other.
    let (mut text, mut clashes, mut done) = (String::new(), Vec::new(), 0);
    let mut rest = changes.as_slice();
    while let Some((cluster, later)) = next_cluster(rest) {
        rest = later;
        let start = cluster[0].base.start;
        let end = cluster.iter().map(|change| change.base.end).max().unwrap_or(start);
        text.extend(base[done..start].iter().map(|piece| piece.text));
        done = end;
        let sides = [true, false].map(|is_mine| {
            let of_side: Vec<&Change> =
                cluster.iter().filter(|change| change.is_mine == is_mine).collect();
            let new = if is_mine { &mine } else { &theirs };
            (of_side.is_empty(), side(&base, new, start..end, &of_side))
        });
        let [(mine_still, mine), (theirs_still, theirs)] = sides;
        if mine_still || joined(&mine) == joined(&theirs) {
            text.push_str(&joined(&theirs));
        } else if theirs_still {
            text.push_str(&joined(&mine));
        } else if start == end && mine.iter().chain(&theirs).all(|piece| piece.is_entry) {
            // Both added entries at one place: theirs come first, and what both added comes once.
            text.push_str(&joined(&theirs));
            let known: Vec<&str> = theirs.iter().map(|piece| piece.text).collect();
            text.extend(mine.iter().map(|piece| piece.text).filter(|piece| !known.contains(piece)));
        } else {
            text.push_str(&joined(&mine));
            clashes.push(Clash { mine: joined(&mine), theirs: joined(&theirs) });
        }
    }
    text.extend(base[done..].iter().map(|piece| piece.text));
    if Document::parse(text.as_str()).is_err() {
        let all = Clash { mine: joined(&mine), theirs: joined(&theirs) };
        return Merge::Clashes(vec![all], joined(&mine));
    }
    if !clashes.is_empty() {
        return Merge::Clashes(clashes, text);
    }
    Merge::Clean(text)
}

fn joined(pieces: &[Piece<'_>]) -> String {
    pieces.iter().map(|piece| piece.text).collect()
}

/// The first changes that touch each other, and the rest.
fn next_cluster(changes: &[Change]) -> Option<(&[Change], &[Change])> {
    let first = changes.first()?;
    let mut end = first.base.end;
    let mut count = 1;
    for change in &changes[1..] {
        let both_insert = change.base == first.base && change.base.is_empty();
        let overlaps = change.base.start < end || both_insert;
        if !overlaps {
            break;
        }
        end = end.max(change.base.end);
        count += 1;
    }
    Some(changes.split_at(count))
}

/// What one side has in the place of a stretch of the common text.
fn side<'a>(
    base: &[Piece<'a>],
    new: &[Piece<'a>],
    stretch: Range<usize>,
    changes: &[&Change],
) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut done = stretch.start;
    for change in changes {
        pieces.extend_from_slice(&base[done..change.base.start]);
        pieces.extend_from_slice(&new[change.new.clone()]);
        done = change.base.end;
    }
    pieces.extend_from_slice(&base[done..stretch.end]);
    pieces
}

fn changes(base: &[Piece<'_>], new: &[Piece<'_>], is_mine: bool) -> Vec<Change> {
    let [old_texts, new_texts] =
        [base, new].map(|pieces| pieces.iter().map(|piece| piece.text).collect::<Vec<_>>());
    let operations = capture_diff_slices(Algorithm::Myers, &old_texts, &new_texts);
    let mut changes = Vec::new();
    for operation in &operations {
        let (base, new) = (operation.old_range(), operation.new_range());
        match operation.tag() {
            DiffTag::Equal => {}
            // Piece by piece: who took two away took away the one that the other side took away.
            DiffTag::Delete => {
                changes.extend(base.map(|at| Change {
                    base: at..at + 1,
                    new: new.start..new.start,
                    is_mine,
                }));
            }
            DiffTag::Insert | DiffTag::Replace => changes.push(Change { base, new, is_mine }),
        }
    }
    changes
}

/// The pieces of a text. A text that is no domain is taken line by line.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let groups = Document::parse(text).map(|document| groups(&document)).unwrap_or_default();
    let blank = |range: Range<usize>| {
        text[range].bytes().all(|byte| byte == b' ' || byte == b'\t' || byte == b'\r')
    };
    let mut cuts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    cuts.retain(|&cut| !groups.iter().any(|group| group.start < cut && cut < group.end));
    let mut entries = Vec::new();
    for group in &groups {
        // A group that has its lines to itself takes them whole, with indent and line end.
        let line = text[..group.start].rfind('\n').map_or(0, |at| at + 1);
        let start = if blank(line..group.start) { line } else { group.start };
        let line_end = text[group.end..].find('\n').map_or(text.len(), |at| group.end + at);
        let end =
            if blank(group.end..line_end) { (line_end + 1).min(text.len()) } else { group.end };
        cuts.extend([start, end]);
        entries.push(start);
    }
    cuts.extend([0, text.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let spans = cuts.windows(2).map(|pair| pair[0]..pair[1]);
    spans.map(|span| Piece { is_entry: entries.contains(&span.start), text: &text[span] }).collect()
}

/// The spans of options with their values, and of the other entries.
fn groups(document: &Document) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let is_option =
        |entry: &Entry| matches!(&entry.kind, EntryKind::Arg { value } if value.starts_with('-'));
    for (at, entry) in document.list(List::Args).iter().enumerate() {
        let follows_option =
            at > 0 && !is_option(entry) && is_option(&document.list(List::Args)[at - 1]);
        match groups.last_mut() {
            // In between there are only blanks, or both have lines of their own.
            Some(group)
                if follows_option
                    && document.source()[group.end..entry.span.start].trim().is_empty() =>
            {
                group.end = entry.span.end;
            }
            _ => groups.push(entry.span.clone()),
        }
    }
    groups.extend(document.list(List::Envs).iter().map(|entry| entry.span.clone()));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(entries: &str) -> String {
        let namespace = super::super::QEMU_NAMESPACE;
        format!(
            "<domain xmlns:q='{namespace}'>\n  <name>a</name>\n  <q:commandline>\n{entries}  </q:commandline>\n</domain>\n"
        )
    }

    fn option(option: &str, value: &str) -> String {
        format!("    <q:arg value='{option}'/>\n    <q:arg value='{value}'/>\n")
    }

    fn merged(base: &[&str], mine: &[&str], theirs: &[&str]) -> Option<String> {
        let text = |values: &[&str]| {
            domain(&values.iter().map(|value| option("-device", value)).collect::<String>())
        };
        match merge(&text(base), &text(mine), &text(theirs)) {
            Merge::Clean(merged) => {
                let document = Document::parse(merged.as_str()).unwrap();
                Some(
                    document
                        .argv()
                        .iter()
                        .filter(|arg| **arg != "-device")
                        .copied()
                        .collect::<Vec<_>>()
                        .join(" "),
                )
            }
            Merge::Clashes(..) => None,
        }
    }

    #[test]
    fn changes_that_stand_apart_are_both_made() {
        assert_eq!(
            merged(&["a", "b", "c"], &["a", "b", "c", "d"], &["x", "a", "b", "c"]).unwrap(),
            "x a b c d"
        );
        assert_eq!(merged(&["a", "b", "c"], &["a", "c"], &["a", "b", "z"]).unwrap(), "a z");
        assert_eq!(merged(&["a", "b"], &["a2", "b"], &["a", "b2"]).unwrap(), "a2 b2");
        assert_eq!(merged(&["a"], &["a", "m"], &["a", "t"]).unwrap(), "a t m");
        assert_eq!(merged(&["a"], &["a", "n"], &["a", "n"]).unwrap(), "a n");
        assert_eq!(merged(&["a"], &["a", "n", "m"], &["a", "n"]).unwrap(), "a n m");
    }

    #[test]
    fn who_took_more_away_took_the_same_away() {
        assert_eq!(merged(&["a", "b", "c"], &["c"], &["b", "c"]).unwrap(), "c");
        assert_eq!(merged(&["a", "b", "c"], &["a"], &["a", "c"]).unwrap(), "a");
        assert_eq!(merged(&["a", "b", "c"], &["c"], &["a", "b2", "c"]), None);
    }

    #[test]
    fn changes_of_one_option_clash() {
        assert_eq!(merged(&["a", "b"], &["a2", "b"], &["a3", "b"]), None);
        assert_eq!(merged(&["a", "b"], &["b"], &["a3", "b"]), None);
        let both = merge(
            &domain(&option("-rtc", "x")),
            &domain(&option("-rtc", "y")),
            &domain(&option("-rtc", "z")),
        );
        let Merge::Clashes(clashes, _) = both else { panic!("{both:?}") };
        // The option stays with its value.
        assert_eq!(clashes, [Clash { mine: option("-rtc", "y"), theirs: option("-rtc", "z") }]);
    }

    #[test]
    fn mine_wins_only_where_both_changed() {
        let text =
            |values: [&str; 3]| domain(&values.map(|value| option("-device", value)).concat());
        let both = merge(&text(["a", "b", "c"]), &text(["a1", "b", "c"]), &text(["a2", "b", "c2"]));
        let Merge::Clashes(clashes, mine_wins) = both else { panic!("{both:?}") };
        assert_eq!((clashes.len(), mine_wins), (1, text(["a1", "b", "c2"])));
    }

    #[test]
    fn what_somebody_changed_elsewhere_in_the_document_is_kept() {
        let base = domain(&option("-device", "a"));
        let theirs = base.replace("<name>a</name>", "<name>a</name>\n  <memory>1</memory>");
        let mine = domain(&(option("-device", "a") + &option("-device", "b")));
        let wanted = mine.replace("<name>a</name>", "<name>a</name>\n  <memory>1</memory>");
        assert_eq!(merge(&base, &mine, &theirs), Merge::Clean(wanted));
    }

    #[test]
    fn a_document_on_one_line_is_merged_by_entry() {
        let one = |text: String| text.replace("\n", "").replace("  ", "");
        let base = one(domain(&(option("-device", "a") + &option("-device", "b"))));
        let mine = one(domain(&(option("-device", "a1") + &option("-device", "b"))));
        let theirs = one(domain(&(option("-device", "a") + &option("-device", "b1"))));
        let wanted = one(domain(&(option("-device", "a1") + &option("-device", "b1"))));
        assert_eq!(merge(&base, &mine, &theirs), Merge::Clean(wanted));
    }
}
