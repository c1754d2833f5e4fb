//! Two texts: what changed between them, and places that stand beside each other.

use ratatui::text::{Line, Span};
use similar::{ChangeTag, TextDiff};

use super::text::{cut, width, wrap};
use crate::domain::merge::Clash;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// What changed, with two lines around it.
pub(super) fn lines(before: &str, after: &str, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    within(before, after, theme, columns, 2)
}

/// What changed, and nothing around it.
pub(super) fn close(before: &str, after: &str, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    within(before, after, theme, columns, 0)
}

fn within(
    before: &str,
    after: &str,
    theme: Theme,
    columns: usize,
    around: usize,
) -> Vec<Line<'static>> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(around) {
        if !lines.is_empty() {
            lines.push(Line::styled("  ⋮", theme.dim()));
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ("- ", theme.removed()),
                ChangeTag::Insert => ("+ ", theme.added()),
                ChangeTag::Equal => ("  ", theme.dim()),
            };
            let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
            let wrapped = wrap(&format!("{sign}{}", visible(&text)), columns, "      ");
            lines.extend(wrapped.into_iter().map(|line| Line::styled(line, style)));
        }
    }
    lines
}

/// Two lines without the beginning that they share, where that would leave no room for what differs.
fn apart(left: &str, right: &str, columns: usize) -> (String, String) {
    let same = left.char_indices().zip(right.chars()).find(|((_, a), b)| a != b);
    let at = same.map_or(left.len().min(right.len()), |((at, _), _)| at);
    let before = left[..at].chars().rev().take(columns / 3).map(char::len_utf8).sum::<usize>();
    let skipped = at - before;
    if width(&left[..at]) + columns / 3 < columns || skipped < 2 || !right.is_char_boundary(skipped)
    {
        return (left.to_owned(), right.to_owned());
    }
    (format!("…{}", &left[skipped..]), format!("…{}", &right[skipped..]))
}

/// Places that both sides changed: theirs at the left, mine at the right.
pub(super) fn beside(clashes: &[Clash], theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let half = columns.saturating_sub(3) / 2;
    let row = |left: &str, right: &str| {
        let (left, right) = apart(left.trim(), right.trim(), half);
        let (left, right) = (left.as_str(), right.as_str());
        let left = cut(&visible(left.trim()), half);
        let gap = " ".repeat(half.saturating_sub(width(&left)));
        let right = cut(&visible(right.trim()), half);
        Line::from(vec![
            Span::styled(left, theme.removed()),
            Span::raw(gap),
            Span::styled(" │ ", theme.dim()),
            Span::styled(right, theme.added()),
        ])
    };
    let mut lines = Vec::new();
    for clash in clashes {
        lines.push(Line::styled(format!("{:half$} │ mine", "theirs"), theme.title()));
        let (mut theirs, mut mine) = (clash.theirs.lines(), clash.mine.lines());
        loop {
            match (theirs.next(), mine.next()) {
                (None, None) => break,
                (left, right) => {
                    lines.push(row(left.unwrap_or_default(), right.unwrap_or_default()));
                }
            }
        }
    }
    lines
}
