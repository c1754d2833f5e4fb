//! From what libvirt and QEMU really say back to the rule that foretold it.
//!
//! Runs on a machine that `tests/oracle/run` prepared (it sets `QPT_ORACLE`); says so elsewhere. With `QPT_ORACLE_SAID=FILE` what was
//! said is written down as `tests/fixtures/said.jsonl` has it.

use std::io::Write as _;
use std::process::Command;

use qpt_tui::domain::Document;
use qpt_tui::rules::{Answer, Finding, Judged, Verdict, why};
use qpt_tui::session;
use serde_json::{Value, json};

use crate::starts::{Machine, document, findings, last, ready, scenarios, sh};

/// What a message means, beside what was found.
fn answers(document: &Document, findings: &[Finding], said: &str) -> Vec<Answer> {
    let line = session::command_line(document);
    why(said, Some(&Judged { document, line: &line, findings, host: None }))
}

/// A start as it is written down: the document, what was foretold, what was said.
fn record(name: &str, document: &Document, findings: &[Finding], said: &str) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "rule": finding.rule,
            "entry": finding.entry.map(|id| (id.list.word(), id.index)),
            "path": finding.resource.as_ref().and_then(|resource| resource.path()).map(|(path, _)| path),
            "first": finding.first,
            "message": finding.message,
            "evidence": finding.evidence,
        })
    };
    let blocks = findings.iter().filter(|finding| finding.verdict == Verdict::Blocks);
    json!({ "name": name, "document": document.source(), "said": said, "findings": blocks.map(finding).collect::<Vec<_>>() })
}

#[test]
fn messages_lead_back_to_what_was_foretold() {
    if !ready() {
        return;
    }
    let mut machine = Machine::new();
    let mut scenarios = scenarios();
    scenarios.sort_by(|a, b| a.conf.cmp(&b.conf));
    let mut file =
        std::env::var_os("QPT_ORACLE_SAID").map(|path| std::fs::File::create(path).unwrap());
    let (mut asked, mut wrong) = (0, Vec::new());
    for scenario in &scenarios {
        machine.configure(&scenario.conf);
        if !machine.is_alive() {
            continue; // what the daemon itself says is in its own log
        }
        let document = document(&scenario.elements, &scenario.args);
        let [_, found] = findings(&document);
        let Some(said) = machine.start(&document) else { continue };
        let blocks = |rule: &str| {
            found.iter().any(|f| f.rule == rule && f.verdict == Verdict::Blocks && f.first)
        };
        if !found.iter().any(|finding| finding.verdict == Verdict::Blocks) {
            continue; // that it fails was not foretold: what_is_said_is_what_happens is about that
        }
        asked += 1;
        let answers = answers(&document, &found, &said);
        if let Some(file) = &mut file {
            writeln!(file, "{}", record(&scenario.name, &document, &found, &said)).unwrap();
        }
        let first = answers.first().map(|answer| answer.rule.id);
        if !first.is_some_and(blocks) {
            let foretold: Vec<&str> =
                found.iter().filter(|f| f.verdict == Verdict::Blocks).map(|f| f.rule).collect();
            wrong.push(format!("{}: {first:?}, not {foretold:?}: {}", scenario.name, last(&said)));
        }
    }
    eprintln!("{asked} messages led back, {} elsewhere", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn why_a_domain_does_not_start_is_read_from_its_logs() {
    if !ready() {
        return;
    }
    let cases = [
        ("-drive file=/srv/qpt-oracle/r600.img,format=raw,if=none,id=d0", "dac-unreadable", 1),
        ("-msg guest-name=on -object rng-random,id=r0,filename=/dev/qpt-hw", "namespace-hidden", 3),
        (
            "-device virtio-rng-pci,id=x0,addr=0x1d -device virtio-rng-pci,id=x0,addr=0x1e",
            "duplicate-id",
            3,
        ),
        ("-incoming 'exec:cat /dev/null'", "seccomp-spawn", 1),
    ];
    let mut machine = Machine::new();
    machine.configure("");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("domain.xml");
    for (arguments, rule, entry) in cases {
        let document = document("", &shlex::split(arguments).unwrap());
        let name = &document.facts().name;
        std::fs::write(&file, document.source()).unwrap();
        let virsh = "virsh -q -c qemu:///system";
        let (defined, error) = sh(&format!("{virsh} define {}", file.display()));
        assert!(defined, "{error}");
        let (started, _) = sh(&format!("{virsh} start {name}"));
        let output = Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
            .args(["why", "--domain", name, "--format", "json"])
            .output()
            .unwrap();
        sh(&format!("{virsh} undefine {name}; rm -f /var/log/libvirt/qemu/{name}.log"));
        assert!(!started, "{arguments}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let first = &report["answers"][0];
        assert_eq!(first["rule"], rule, "{arguments}: {report:#}");
        assert_eq!(first["entry"], json!({ "kind": "arg", "index": entry }), "{arguments}");
        assert_eq!(first["now"], "still", "{arguments}");
        eprintln!(
            "{arguments}: {} [{rule}]; read {}, not read {}",
            first["said"], report["read"], report["unread"]
        );
    }
}
