//! Findings as Markdown, to be pasted into a ticket or a review: what stops which row, what was observed, and what to do.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Checked, remedy_text};
use crate::domain::EntryId;
use crate::facts::{HostFacts, Known};
use crate::libvirt::identity::dac_label;
use crate::rules::{Actor, Finding, Remedy, Route, Step, Verdict};
use crate::visible::visible;

/// The report of a document, or of some of its entries; `outlook` says in a sentence what will happen.
pub fn write(checked: &Checked<'_>, outlook: &str, only: Option<&[EntryId]>) -> String {
    let mut out = String::new();
    let name = &checked.document.facts().name;
    let title = if name.is_empty() { checked.path } else { name };
    line(&mut out, &format!("## {}: {outlook}", text(title)));
    line(&mut out, "");
    line(&mut out, &format!("{}; {}.", code(checked.path), about(checked)));
    let wanted = |finding: &&Finding| {
        // Of what was asked for, what is worth knowing is told as well.
        let least = if only.is_some() { Verdict::Note } else { Verdict::Unknown };
        let is_wrong = finding.verdict <= least;
        let is_asked = only.is_none_or(|only| finding.entry.is_some_and(|id| only.contains(&id)));
        is_wrong && is_asked
    };
    let rows = rows(checked);
    let told = rows.iter().filter(|(_, findings)| findings.iter().any(wanted));
    let told: Vec<&(String, Vec<&Finding>)> = told.collect();
    if told.is_empty() {
        line(&mut out, "");
        line(&mut out, "Nothing that was looked at stops it.");
    }
    for (head, findings) in told {
        let own: Vec<&Finding> = findings.iter().copied().filter(|found| wanted(found)).collect();
        row(&mut out, checked, head, &own, findings);
    }
    if let Some(route) = checked.route.filter(|route| !route.stages.is_empty()) {
        steps(&mut out, route);
    }
    out
}

/// The findings under what they are gathered under, in the order of the first of each.
fn rows<'a>(checked: &'a Checked<'_>) -> Vec<(String, Vec<&'a Finding>)> {
    let mut rows: Vec<(String, Vec<&Finding>)> = Vec::new();
    let mut at: HashMap<String, usize> = HashMap::new();
    for finding in checked.findings {
        let head = head(checked, finding);
        let row = *at.entry(head.clone()).or_insert_with(|| {
            rows.push((head, Vec::new()));
            rows.len() - 1
        });
        rows[row].1.push(finding);
    }
    rows
}

/// A row, with the layers in the order in which they speak: the `findings` that are told, and what `all` of it offer.
fn row(
    out: &mut String,
    checked: &Checked<'_>,
    head: &str,
    findings: &[&Finding],
    all: &[&Finding],
) {
    line(out, "");
    line(out, &format!("### {head}"));
    line(out, "");
    let mut remedies: Vec<&Remedy> = Vec::new();
    for finding in findings {
        let (sign, word) = finding.verdict.sign();
        let place = checked.place(finding).line;
        let layer = finding.layer.title();
        let message = text(&finding.message);
        // What is about the whole domain stands nowhere.
        let is_placed = finding.entry.is_some() || finding.span.is_some();
        let place = if is_placed { format!("line {place}, ") } else { String::new() };
        let rule = code(finding.rule);
        line(out, &format!("- {sign} {word} by **{layer}**: {message} ({place}{rule})"));
        for evidence in &finding.evidence {
            line(out, &format!("  - {}", text(evidence)));
        }
    }
    // An element that does the same is offered by a note.
    for remedy in all.iter().flat_map(|finding| &finding.remedies).filter(|r| r.is_a_step()) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    // The plan says it in its order.
    if checked.route.is_some_and(|route| !route.stages.is_empty()) || remedies.is_empty() {
        return;
    }
    line(out, "");
    line(out, "What can be done:");
    line(out, "");
    for remedy in remedies {
        line(out, &format!("- {}: {}", remedy.heading(), text(&remedy.title)));
        block(out, &remedy.step, remedy_text(checked.document, remedy));
    }
}

/// The way until nothing blocks, step by step.
fn steps(out: &mut String, route: &Route) {
    line(out, "");
    line(out, &format!("### {}", super::route::head(route)));
    line(out, "");
    for (stage, number) in route.stages.iter().zip(1..) {
        let reach = stage.remedy.lets_in.map(|reach| format!(", lets in {}", reach.words()));
        let who = Actor::of(&stage.remedy).words();
        let title = text(&stage.remedy.title);
        line(out, &format!("{number}. {title} ({who}{})", reach.unwrap_or_default()));
        block(out, &stage.remedy.step, remedy_text(&stage.document, &stage.remedy));
    }
    for finding in &route.left {
        line(out, &format!("- no step is known for: {}", text(&finding.message)));
    }
}

/// A step's own text, so that it can be copied out of the page.
fn block(out: &mut String, step: &Step, words: Option<String>) {
    let Some(words) = words else { return };
    let language = match step {
        Step::RunCommand(_) => "sh",
        Step::EditXml(_) | Step::SetOption { .. } | Step::Nothing => "",
    };
    // A fence that is longer than any in the text.
    let mut fence = "```".to_owned();
    while words.contains(&fence) {
        fence.push('`');
    }
    let _ = writeln!(out, "  {fence}{language}");
    for part in words.lines() {
        line(out, &format!("  {part}"));
    }
    let _ = writeln!(out, "  {fence}");
}

/// What the findings of one row are gathered under.
fn head(checked: &Checked<'_>, finding: &Finding) -> String {
    match checked.entry_text(finding) {
        Some(entry) => code(&entry),
        None => "the domain and the host".to_owned(),
    }
}

/// Which libvirt, which QEMU, and who QEMU runs as.
fn about(checked: &Checked<'_>) -> String {
    let host: &HostFacts = checked.host;
    let version = |name: &str, known: &Known<String>| match known.yes() {
        Some(version) => format!("{name} {version}"),
        None => format!("{name}: version not known"),
    };
    let mut words = vec![version("libvirt", &host.libvirt), version("QEMU", &host.qemu)];
    if let Some(Known::Yes(identity)) = host.identities.get(&dac_label(checked.document.facts())) {
        words.push(identity.sentence());
    }
    words.push(format!("said by qpt-tui {}", env!("CARGO_PKG_VERSION")));
    text(&words.join("; "))
}

/// Text of a document or a host, in which nothing means something to Markdown.
fn text(words: &str) -> String {
    let mut out = String::new();
    for c in visible(words).chars() {
        if "\\`*_[]<>#|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The same as a piece of code.
fn code(words: &str) -> String {
    let words = visible(words);
    if words.contains('`') { format!("`` {words} ``") } else { format!("`{words}`") }
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", visible(text));
}
