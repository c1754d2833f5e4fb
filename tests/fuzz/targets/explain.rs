//! Any words of QEMU and libvirt may be asked about: the answer is the same twice, fit to be shown, and not lost in more words.

use qpt_tui::report;
use qpt_tui::rules::{rule, why};
use qpt_tui::trial::sentence;

use super::assert_shown;

/// What errors are made of.
pub const WORDS: &[&str] = &[
    "error: Failed to start domain 'x'\n",
    "error: internal error: process exited while connecting to monitor: ",
    "qemu unexpectedly closed the monitor",
    "qemu-system-x86_64: -drive file=/a: Could not open '/a': ",
    "qemu-system-x86_64: warning: x\n",
    "Permission denied",
    "No such file or directory",
    "Operation not permitted",
    "is not a valid device model name",
    "Duplicate ID",
    "Failed to lock byte 100",
    ": ",
];

/// The text is an error.
pub fn run(data: &[u8]) {
    let Ok(error) = std::str::from_utf8(data) else { return };
    let found = why(error, None);
    let what =
        |error: &str| why(error, None).iter().map(|answer| answer.rule.id).collect::<Vec<_>>();
    assert_eq!(what(error), what(error));
    for answer in &found {
        assert!(rule(answer.rule.id).is_some());
    }
    let report = report::why::write(&found);
    assert_shown(&report);
    assert_eq!(report.is_empty(), found.is_empty());
    let longer = what(&format!("2026-11-28 12:00:00.000+0000: {error}\n"));
    assert_eq!(longer, what(error), "a date and a line end change what it means");
    if let Some(said) = sentence(error, "/usr/bin/qemu-system-x86_64") {
        assert!(error.contains(said.whole.as_str()), "{said:?} was not said");
    }
}
