//! What stands behind a message, for people and for scripts.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Checked;
use super::json::{finding_value, host_value};
use super::text::line;
use crate::rules::{Answer, Now};
use crate::visible::escaped;

/// A document that a message is about, with what of this host's logs was read.
pub struct Subject<'a> {
    /// The document, with what was found.
    pub checked: &'a Checked<'a>,
    /// Logs that were read.
    pub read: &'a [String],
    /// Logs that could not be read, each with why.
    pub unread: &'a [String],
}

/// The answers to a message.
pub struct Found<'a> {
    /// What it may mean, the surest first.
    pub answers: &'a [Answer],
    /// What it is about, where a document was given.
    pub subject: Option<&'a Subject<'a>>,
}

/// So many answers are told at length; the rest is named.
const TOLD: usize = 3;

/// Without a document: the rules, by what the words mean, and what shows whether it is so.
pub fn write(answers: &[Answer]) -> String {
    let mut out = String::new();
    let mut last = "";
    let mut looked = HashSet::new();
    for answer in answers {
        if answer.what != last {
            line(&mut out, answer.what);
            last = answer.what;
        }
        let rule = answer.rule;
        let page =
            format!("{:<11} {}: qpt-tui explain {}", rule.layer.word(), rule.summary, rule.id);
        line(&mut out, &format!("    {page}"));
        for command in answer.checks() {
            if looked.insert(command.clone()) {
                line(&mut out, &format!("                look: {command}"));
            }
        }
    }
    out
}

/// With a document: the entry, the layer, the rule, what of it is so now; then the way out.
pub fn text(answers: &[Answer], subject: &Subject<'_>) -> String {
    let mut out = String::new();
    for read in subject.read {
        line(&mut out, &format!("read: {read}"));
    }
    for unread in subject.unread {
        line(&mut out, &format!("not read: {unread}"));
    }
    let is_seen = |answer: &&Answer| answer.now.finding().is_some();
    let seen = answers.iter().filter(is_seen).count();
    // What is so now is told; where nothing is, what the words mean by themselves.
    let told = if seen == 0 { answers.len().min(TOLD) } else { seen.min(TOLD) };
    let (mut said, mut number) = ("", 0);
    let mut rest = Vec::new();
    for answer in answers {
        let is_told = number < told && (seen == 0 || is_seen(&answer));
        if !is_told {
            rest.push(answer.rule.id);
            continue;
        }
        number += 1;
        if answer.said != said {
            line(&mut out, &format!("said: {}", answer.said));
            line(&mut out, &format!("means: {}", answer.what));
            said = &answer.said;
        }
        one(&mut out, answer, subject.checked, number);
    }
    if !rest.is_empty() {
        let words = if seen == 0 { "such words are said as well for" } else { "not seen here now" };
        line(&mut out, &format!("{words}: {}", rest.join(", ")));
    }
    if let Some(route) = subject.checked.route {
        out.push_str(&super::route::write(subject.checked.path, route));
    }
    out
}

fn one(out: &mut String, answer: &Answer, checked: &Checked<'_>, number: usize) {
    let rule = answer.rule;
    line(out, &format!("{number:>3}. {}: {} [{}]", rule.layer.word(), rule.summary, rule.id));
    let finding = answer.now.finding().map(|at| &checked.findings[at]);
    if let Some(entry) = place(answer, checked) {
        line(out, &format!("       {entry}"));
    }
    match (answer.now, finding) {
        (Now::Still(_), Some(finding)) => {
            line(out, &format!("       it is still so: {}", finding.message));
        }
        (Now::Unknown(_), Some(finding)) => {
            line(out, &format!("       whether it is so is not known: {}", finding.message));
        }
        (Now::Gone, _) => {
            let now = match &answer.about {
                Some(path) if answer.entry.is_none() && !is_named(checked, path) => {
                    format!("nothing in the passthrough names {path}")
                }
                Some(_) | None => "this host does not show it now".to_owned(),
            };
            line(out, &format!("       {now}"));
            for command in answer.checks() {
                line(out, &format!("       look: {command}"));
            }
        }
        (Now::NotLooked | Now::Still(_) | Now::Unknown(_), _) => {}
    }
    for evidence in finding.iter().flat_map(|finding| &finding.evidence) {
        line(out, &format!("         · {evidence}"));
    }
}

/// Whether an entry touches a path.
fn is_named(checked: &Checked<'_>, path: &str) -> bool {
    let is_it = |found: &str| found == path;
    let mut paths = checked.line.uses.iter().filter_map(|usage| usage.resource.path());
    paths.any(|(found, _)| is_it(found))
}

/// The place of an answer's entry and its text.
fn place(answer: &Answer, checked: &Checked<'_>) -> Option<String> {
    let id = answer.entry?;
    let at = checked.lines.position(checked.document.value_span(id)?.start);
    let text = checked.text_of(id)?;
    Some(format!("{}:{}:{}: {text}", checked.path, at.line, at.column))
}

/// The answers for scripts: version 1, as the report of `check`.
pub fn json(found: &Found<'_>) -> String {
    let answers: Vec<Value> =
        found.answers.iter().map(|answer| answer_value(answer, found.subject)).collect();
    let mut report = json!({ "version": 1, "answers": answers });
    if let Some(subject) = found.subject {
        let checked = subject.checked;
        report["host"] = host_value(checked.host);
        report["path"] = json!(checked.path);
        report["domain"] = json!(checked.document.facts().name);
        report["read"] = json!(subject.read);
        report["unread"] = json!(subject.unread);
        report["plan"] = checked.route.map_or(Value::Null, super::route::value);
    }
    format!("{}\n", escaped(&format!("{report:#}")))
}

fn answer_value(answer: &Answer, subject: Option<&Subject<'_>>) -> Value {
    let checked = subject.map(|subject| subject.checked);
    let finding = answer.now.finding().zip(checked);
    let span = answer.entry.zip(checked).and_then(|(id, checked)| {
        Some(checked.lines.position(checked.document.value_span(id)?.start))
    });
    json!({
        "rule": answer.rule.id,
        "layer": answer.rule.layer.word(),
        "what": answer.what,
        "said": answer.said,
        "about": answer.about,
        "entry": answer.entry.map(|id| json!({ "kind": id.list.word(), "index": id.index })),
        "line": span.map(|at| at.line),
        "column": span.map(|at| at.column),
        "now": answer.now.word(),
        "finding": finding.map(|(at, checked)| finding_value(checked, &checked.findings[at])),
        "look": answer.checks(),
    })
}
