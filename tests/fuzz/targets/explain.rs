//! Any words of QEMU and libvirt may be asked about: the answer is the same twice, fit to be shown, and not lost in more words.

use qpt_tui::report;
use qpt_tui::rules::{Judged, Now, rule, why};
use qpt_tui::session::{command_line, parse};
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
    "audit: type=1400 audit(1795857514.000:1): apparmor=\"DENIED\" operation=\"open\" profile=\"libvirt-x\" name=\"/a\" requested_mask=\"r\" denied_mask=\"r\"\n",
    "type=AVC msg=audit(1795857514.000:1): avc:  denied  { read } for  pid=1 comm=\"qemu-kvm\" name=\"a\" scontext=u:r:svirt_t:s0:c1,c2 tcontext=u:object_r:svirt_image_t:s0:c3 tclass=file permissive=0\n",
    "type=1326 audit(1.1:1): comm=\"qemu-system-x86\" sig=31 arch=c000003e syscall=56 compat=0\n",
    "starting up libvirt version: 9.0.0, qemu version: 7.2.22\n",
    "\u{1b}[31m",
    "&quot;",
    "\\\n",
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
    with_document(error);
    if let Some(said) = sentence(error, "/usr/bin/qemu-system-x86_64") {
        assert!(error.contains(said.whole.as_str()), "{said:?} was not said");
    }
}

/// Beside a document the same words lead to the same rules, in another order perhaps, and to entries that are there.
fn with_document(error: &str) {
    const DEMO: &str = include_str!("../../../assets/demo/domain.xml");
    let document = parse("demo.xml", DEMO).expect("it is a domain");
    let line = command_line(&document);
    let judged = Judged { document: &document, line: &line, findings: &[], host: None };
    let mut beside: Vec<_> =
        why(error, Some(&judged)).iter().map(|answer| answer.rule.id).collect();
    let mut alone: Vec<_> = why(error, None).iter().map(|answer| answer.rule.id).collect();
    for answer in why(error, Some(&judged)) {
        assert!(answer.entry.is_none_or(|entry| document.entry(entry).is_some()), "{error}");
        assert_eq!(answer.now, Now::Gone, "{error}");
    }
    beside.sort_unstable();
    alone.sort_unstable();
    assert_eq!(beside, alone, "{error}");
}
