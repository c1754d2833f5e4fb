//! Bundles of `qpt-tui try`, replayed: what is said about a recorded start is what happened.
//!
//! A bundle that was written because it differed becomes a test by being put into tests/fixtures/trials.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use qpt_tui::domain::Document;
use qpt_tui::rules;
use qpt_tui::session;
use qpt_tui::trial::{Agreement, TRIAL_VERSION, Trial};
use support::here;

#[test]
fn what_is_said_about_a_recorded_start_is_what_happened() {
    let mut replayed = 0;
    for entry in std::fs::read_dir(here("tests/fixtures/trials")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let trial: Trial = serde_json::from_str(&text).unwrap();
        assert_eq!(trial.version, TRIAL_VERSION, "{}", path.display());
        let document = Document::parse(trial.document.clone()).unwrap();
        let line = session::command_line(&document);
        let foretold = session::foretell(&rules::judge(&document, &line, &trial.facts));
        let again = Trial { foretold, ..trial };
        assert_eq!(
            again.agreement(),
            Agreement::Agrees,
            "{}: {:?} was foretold, {:?} happened",
            path.display(),
            again.foretold,
            again.happened
        );
        replayed += 1;
    }
    assert!(replayed >= 2, "a start and a refusal at least");
}

#[test]
fn without_libvirt_nothing_is_started_and_that_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "<domain><name>x</name></domain>").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
        .args(["try", "--hooks"])
        .arg(file.path())
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("nothing was started: virsh could not be run"), "{said}");
    assert!(output.stdout.is_empty());
}
