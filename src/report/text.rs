//! For people and for editors that follow `FILE:LINE:COLUMN:`.

use std::fmt::Write as _;

use super::{Checked, remedy_text};
use crate::rules::{Finding, Verdict};
use crate::visible::visible;

/// All findings of a file; what is let through only with `all`.
pub fn write(checked: &Checked<'_>, all: bool) -> String {
    let mut out = String::new();
    for finding in
        checked.findings.iter().filter(|finding| all || finding.verdict != Verdict::Allows)
    {
        one(&mut out, checked, finding);
    }
    let name = &checked.document.facts().name;
    let counts = counts(checked);
    let entries = checked.document.entries().count();
    line(&mut out, &format!("{}: domain '{name}', {entries} entries: {counts}", checked.path));
    if let Some(route) = checked.route {
        out.push_str(&super::route::write(checked.path, route));
    }
    out
}

/// How many findings there are of each verdict that is worse than nothing.
pub fn counts(checked: &Checked<'_>) -> String {
    let count =
        |verdict| checked.findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (blocked, warned) = (count(Verdict::Blocks), count(Verdict::Warns));
    format!("{blocked} blocked, {warned} warnings, {} unknown", count(Verdict::Unknown))
}

fn one(out: &mut String, checked: &Checked<'_>, finding: &Finding) {
    let place = checked.place(finding);
    let (sign, word) = finding.verdict.sign();
    line(
        out,
        &format!(
            "{}:{}:{}: {sign} {word} ({}): {} [{}]",
            checked.path,
            place.line,
            place.column,
            finding.layer.word(),
            finding.message,
            finding.rule
        ),
    );
    if finding.verdict == Verdict::Allows {
        return;
    }
    if let Some(text) = checked.entry_text(finding) {
        line(out, &format!("    {text}"));
    }
    for evidence in &finding.evidence {
        line(out, &format!("    · {evidence}"));
    }
    for remedy in &finding.remedies {
        line(out, &format!("    → {}: {}", remedy.heading(), remedy.title));
        if let Some(step) = remedy_text(checked.document, remedy) {
            line(out, &format!("        {step}"));
        }
    }
}

/// What changed, as `diff -u` writes it; nothing where nothing changed.
pub fn diff(path: &str, before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let text = diff.unified_diff().header(path, path).to_string();
    let mut out = String::new();
    for text in text.lines() {
        line(&mut out, text);
    }
    out
}

/// That something was repaired.
pub fn repaired(path: &str, what: &str) -> String {
    let mut out = String::new();
    line(&mut out, &format!("{path}: repaired: {what}"));
    out
}

pub(super) fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", visible(text));
}
