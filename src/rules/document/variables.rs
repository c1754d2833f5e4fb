//! Environment variables: which of them somebody reads.

use crate::domain::{EntryId, EntryKind};
use crate::qemu::catalog::{self, Reader};
use crate::rules::command_line::likeness;
use crate::rules::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};

pub(crate) static UNKNOWN_VARIABLE: Rule = Rule {
    id: "unknown-variable",
    layer: Layer::Qemu,
    summary: "nothing that is known reads the environment variable",
    explain: include_str!("../../../assets/rules/unknown-variable.md"),
    check: |case| {
        let environment = case.document.environment();
        let named = environment.iter().enumerate();
        named.filter_map(|(index, (name, value))| variable(case, index, name, *value)).collect()
    },
};

fn variable(case: &Case<'_>, index: usize, name: &str, value: Option<&str>) -> Option<Finding> {
    let entry = EntryId::env(index);
    let row = catalog::environment(name);
    match row.map(|row| row.reader) {
        Some(Reader::Named | Reader::Library | Reader::Sound) => return None,
        Some(Reader::UserMode) => {
            let message = format!("{name} {}", row.map_or("does nothing", |row| row.what));
            return Some(Finding::at(entry, Verdict::Warns, message));
        }
        None => {}
    }
    let message = format!("neither QEMU nor a library that is known here reads {name}");
    let hint = "the VM starts; a name that nobody reads does nothing, and nothing tells of it";
    let mut finding = Finding::at(entry, Verdict::Note, message).because(hint);
    for near in near(name, value.is_some_and(|value| value.contains('/'))) {
        let kind = EntryKind::env(near, value);
        if let Ok(edits) = case.document.replace(entry, &kind) {
            let title = format!("call it {near}");
            finding = finding.remedy(Remedy::edit(Scope::Rewrite, title, edits));
        }
    }
    Some(finding)
}

/// Names that somebody reads and that may have been meant: those that go on where it ends, and those that are much like it. One whose
/// value is a path comes first where the value is one.
fn near(name: &str, is_path: bool) -> Vec<&'static str> {
    const MOST: usize = 2;
    const ALIKE: f32 = 0.8;
    let upper = name.to_uppercase();
    let is_read =
        |row: &catalog::EnvironmentRow| row.reader == Reader::Named && !row.name.ends_with('*');
    let mut rows: Vec<_> = catalog::variables().filter(is_read).collect();
    rows.sort_by_key(|row| (row.access != "-") != is_path);
    let known: Vec<&'static str> = rows.into_iter().map(|row| row.name).collect();
    let goes_on = |other: &&&'static str| {
        other.strip_prefix(upper.as_str()).is_some_and(|rest| rest.starts_with('_'))
    };
    let mut near: Vec<&'static str> = known.iter().filter(goes_on).copied().collect();
    let mut alike: Vec<(f32, &'static str)> =
        known.iter().map(|other| (likeness(&upper, other), *other)).collect();
    alike.retain(|(ratio, _)| *ratio >= ALIKE);
    alike.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (_, other) in alike {
        if !near.contains(&other) {
            near.push(other);
        }
    }
    near.truncate(MOST);
    near
}
