//! What is any host's own, by its path: who may write it, or read some of it, has the host.

use std::cmp::Reverse;
use std::sync::LazyLock;

/// Paths, how they are opened, and what they are.
const TABLE: &str = include_str!("../../assets/host/own.tsv");

/// Something of the host's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    /// What it is.
    pub(crate) what: String,
    /// Who has it has the host.
    pub(crate) gives_host: bool,
}

struct Row {
    pattern: &'static str,
    /// What stands before its first `*`.
    start: &'static str,
    /// Only writing it gives something away.
    writing: bool,
    gives: &'static str,
    what: &'static str,
}

/// The rows, the longest pattern first.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        let pattern = next()?;
        let start = pattern.split('*').next()?;
        Some(Row { pattern, start, writing: next()? == "write", gives: next()?, what: next()? })
    };
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let mut rows: Vec<Row> = lines.filter_map(row).collect();
    // Of two that are as long the later one counts.
    rows.reverse();
    rows.sort_by_key(|row| Reverse(row.pattern.len()));
    rows
});

/// Whether a pattern of the table fits a path, part by part.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut parts, mut names) = (pattern.split('/'), path.split('/'));
    loop {
        match (parts.next(), names.next()) {
            (None, None) => return true,
            (Some("**"), Some(name)) => return !name.is_empty(),
            (Some(part), Some(name)) if is_like(part, name) => {}
            _ => return false,
        }
    }
}

/// Whether a part of a path is as a pattern says, in which one `*` may stand.
fn is_like(part: &str, name: &str) -> bool {
    match part.split_once('*') {
        None => part == name,
        Some((start, end)) => {
            // `*` is no hidden name, and `.*` is neither of the two that every directory has.
            let is_hidden = start.is_empty() && name.starts_with('.');
            let rest = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
            !is_hidden && rest.is_some_and(|rest| start != "." || !["", "."].contains(&rest))
        }
    }
}

/// What a path is called in the table, when it is opened for writing or only for reading; the longest pattern counts.
pub(crate) fn named(path: &str, writing: bool) -> Option<Owned> {
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let is_meant = |row: &&Row| {
        (writing || !row.writing) && path.starts_with(row.start) && fits(row.pattern, path)
    };
    let best = ROWS.iter().find(is_meant)?;
    let owned = Owned { what: best.what.to_owned(), gives_host: best.gives == "host" };
    (best.gives != "-").then_some(owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_part_by_part() {
        for (pattern, path, expected) in [
            ("/", "/", true),
            ("/etc", "/etc", true),
            ("/etc/**", "/etc", false),
            ("/etc/**", "/etc/a/b", true),
            ("/etc/**", "/etcetera/a", false),
            ("/etc/shadow*", "/etc/shadow-", true),
            ("/home/*/.*", "/home/me/.bashrc", true),
            ("/home/*/.*", "/home/me/vm.img", false),
            ("/home/*/.*", "/home/me/..", false),
            ("/home/*/.ssh/**", "/home/me/.ssh/id", true),
            ("/lib*/**", "/lib64/x", true),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn every_row_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(ROWS.len(), lines.clone().count());
        let names: Vec<&str> = lines.filter_map(|line| line.split('\t').next()).collect();
        assert!(names.is_sorted(), "sorted by path");
        for row in ROWS.iter() {
            assert!(["host", "system", "-"].contains(&row.gives), "{}", row.pattern);
        }
    }
}
