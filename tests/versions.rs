//! What depends on a version of QEMU or libvirt is on one list, and looked at for the newest that we say to support.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use qpt_tui::qemu::Version;

const LIST: &str = include_str!("../assets/VERSIONS.tsv");

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    LIST.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn files(under: &str, ending: &str) -> Vec<(String, PathBuf)> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join(under), &mut found);
    let named = found
        .into_iter()
        .map(|path| (path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), path));
    named.filter(|(name, _)| name.ends_with(ending)).collect()
}

#[test]
fn every_table_is_on_the_list() {
    let tables: BTreeSet<String> = files("assets", ".tsv")
        .into_iter()
        .map(|(name, _)| name.trim_start_matches("assets/").to_owned())
        .filter(|name| name != "VERSIONS.tsv")
        .collect();
    let listed: BTreeSet<String> =
        rows().map(|row| row[0].to_owned()).filter(|name| name.ends_with(".tsv")).collect();
    assert_eq!(tables, listed);
}

#[test]
fn the_rows_of_a_table_have_the_columns_that_its_head_names() {
    for (name, path) in files("assets", ".tsv") {
        let text = std::fs::read_to_string(path).unwrap();
        let (heads, rows): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with('#'));
        // A remark may stand behind the names of the columns.
        let named = heads.last().unwrap().split('\t').count();
        let columns = rows[0].split('\t').count();
        assert!(columns == named || columns + 1 == named, "{name}: {}", rows[0]);
        for row in rows {
            assert_eq!(row.split('\t').count(), columns, "{name}: {row}");
        }
    }
}

#[test]
fn every_version_in_the_code_is_on_the_list() {
    let mut found = BTreeSet::new();
    for (name, path) in files("src", ".rs") {
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for start in ["qemu_at_least(", "Version::new("] {
            for (at, _) in text.match_indices(start) {
                let numbers: Vec<&str> =
                    text[at + start.len()..].split(')').next().unwrap().split(", ").collect();
                if let [major, minor] = numbers[..]
                    && [major, minor]
                        .iter()
                        .all(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
                {
                    found.insert(format!("{name} {major}.{minor}"));
                }
            }
        }
    }
    let listed: BTreeSet<String> =
        rows().map(|row| row[0].to_owned()).filter(|name| name.starts_with("src/")).collect();
    assert_eq!(found, listed);
}

#[test]
fn every_row_was_looked_at_for_the_newest_versions_or_says_why_not() {
    let target = |of: &str| {
        let row = rows().find(|row| row[0] == format!("target {of}")).unwrap();
        Version::read(row[2]).unwrap()
    };
    let mut left = Vec::new();
    for row in rows() {
        let [what, _, up_to, of, how] = row[..] else { panic!("{row:?} has not five columns") };
        let behind = match of {
            "qemu" | "libvirt" => Version::read(up_to).is_none_or(|version| version < target(of)),
            _ => true,
        };
        if behind && !how.starts_with("left at") {
            left.push(what);
        }
    }
    assert_eq!(left, Vec::<&str>::new(), "look at these rows of assets/VERSIONS.tsv");
}
