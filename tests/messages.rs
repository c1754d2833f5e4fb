//! Messages as people met them, each with the rule that must come first.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use qpt_tui::domain::{Document, EntryId};
use qpt_tui::qemu::{Access, Resource};
use qpt_tui::rules::{Finding, Judged, Verdict, rule, why};
use qpt_tui::session::command_line;
use serde_json::Value;
use support::here;

/// The rows of the table: rule (`-` where none is about it), where from, message.
fn messages() -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(here("tests/fixtures/messages.tsv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields.len(), 3, "{line}");
        // A backslash of the message's own is doubled.
        let message =
            fields[2].replace("\\\\", "\u{0}").replace("\\n", "\n").replace('\u{0}', "\\");
        (fields[0].to_owned(), fields[1].to_owned(), message)
    };
    text.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

fn first(message: &str) -> Option<&'static str> {
    Some(why(message, None).first()?.rule.id)
}

#[test]
fn each_message_leads_to_its_rule_first() {
    let messages = messages();
    assert!(messages.len() >= 120);
    let mut wrong = Vec::new();
    for (wanted, from, message) in &messages {
        assert!(wanted == "-" || rule(wanted).is_some(), "{wanted}");
        let found = first(message);
        if found.unwrap_or("-") != wanted {
            wrong.push(format!("{wanted}, not {found:?}: {from}: {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn it_is_the_same_however_it_was_copied() {
    for (wanted, from, message) in messages() {
        let in_a_terminal = format!("\u{1b}[1;31m{}\u{1b}[0m\r\n", message.replace('\n', "\r\n"));
        let in_a_mail: String = message.lines().map(|line| format!("> {line}\n")).collect();
        let on_a_page = message.replace('&', "&amp;").replace('\'', "&#39;").replace('"', "&quot;");
        for copied in [in_a_terminal, in_a_mail, on_a_page] {
            assert_eq!(first(&copied).unwrap_or("-"), wanted, "{from}: {copied}");
        }
    }
}

/// A finding as the oracle wrote it down.
fn finding(written: &Value) -> Finding {
    let text = |key: &str| written[key].as_str().unwrap().to_owned();
    let rule = rule(&text("rule")).unwrap();
    let entry = written["entry"].as_array().map(|place| {
        let index = usize::try_from(place[1].as_u64().unwrap()).unwrap();
        if place[0] == "env" { EntryId::env(index) } else { EntryId::arg(index) }
    });
    let resource = written["path"].as_str().map(|path| Resource::Path {
        path: path.to_owned(),
        access: Access::Read,
        locks: false,
        chain: false,
    });
    let evidence = written["evidence"].as_array().unwrap();
    Finding {
        rule: rule.id,
        layer: rule.layer,
        entry,
        resource,
        evidence: evidence.iter().map(|line| line.as_str().unwrap().to_owned()).collect(),
        first: written["first"].as_bool().unwrap(),
        ..Finding::general(Verdict::Blocks, text("message"))
    }
}

/// What libvirt 9.0 and QEMU 7.2 said of the oracle's cases (`tests/oracle/said.rs` writes it down), beside what was foretold.
#[test]
fn each_recorded_start_leads_to_the_rule_that_foretold_it() {
    let text = std::fs::read_to_string(here("tests/fixtures/said.jsonl")).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let start: Value = serde_json::from_str(line).unwrap();
        let document = Document::parse(start["document"].as_str().unwrap()).unwrap();
        let findings: Vec<Finding> =
            start["findings"].as_array().unwrap().iter().map(finding).collect();
        let line = command_line(&document);
        let judged = Judged { document: &document, line: &line, findings: &findings, host: None };
        let said = start["said"].as_str().unwrap();
        let answers = why(said, Some(&judged));
        let first = answers.first().map(|answer| answer.rule.id);
        let is_foretold = |rule| findings.iter().any(|found| found.rule == rule && found.first);
        if !first.is_some_and(is_foretold) {
            wrong.push(format!("{}: {first:?}: {said}", start["name"]));
        }
    }
    assert!(text.lines().count() > 100);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
