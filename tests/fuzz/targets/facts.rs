//! A file of facts is read or refused; what was read is written and read as the same, and judged the same twice.

use qpt_tui::domain::Document;
use qpt_tui::facts::HostFacts;
use qpt_tui::report::{Checked, text};
use qpt_tui::rules;
use qpt_tui::session;
use qpt_tui::xml::Lines;

use super::assert_shown;

/// What facts are made of.
pub const WORDS: &[&str] = &[
    "\"version\": 1",
    "\"instance\": \"system\"",
    "\"unknown\": \"why\"",
    "{\"unknown\":\"\"}",
    "\"known\":",
    "null",
    "[]",
    "{}",
    "\"\"",
    "18446744073709551615",
    "-1",
    "\"/srv\"",
    "\"\\u202e\"",
    "\"qemu\": \"0.0.0\"",
    "\"libvirt\": \"99999999999.1\"",
];

fn demo() -> &'static Document {
    static DEMO: std::sync::LazyLock<Document> = std::sync::LazyLock::new(|| {
        Document::parse(include_str!("../../../assets/demo/domain.xml"))
            .expect("the demo is a domain")
    });
    &DEMO
}

/// The text is a file of facts.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(facts) = serde_json::from_str::<HostFacts>(text) else { return };
    let written = serde_json::to_string(&facts).expect("facts can be written");
    let again: HostFacts = serde_json::from_str(&written).expect("what was written is read");
    assert_eq!(facts, again);
    let document = demo();
    let line = session::command_line(document);
    let findings = rules::judge(document, &line, &facts);
    assert_eq!(findings, rules::judge(document, &line, &again));
    for finding in &findings {
        assert!(finding.entry.is_none_or(|entry| document.entry(entry).is_some()), "{finding:?}");
    }
    let checked = Checked {
        path: "vm.xml",
        document,
        line: &line,
        findings: &findings,
        host: &facts,
        route: None,
        lines: Lines::of(document.source()),
    };
    assert_shown(&text::write(&checked, true));
}
