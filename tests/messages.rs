//! Messages as people met them, each with the rule that must come first.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use qpt_tui::rules::{rule, why};
use support::here;

/// The rows of the table: rule, where from, message.
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
        assert!(rule(wanted).is_some(), "{wanted}");
        let found = first(message);
        if found != Some(wanted) {
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
            assert_eq!(first(&copied), Some(wanted.as_str()), "{from}: {copied}");
        }
    }
}
