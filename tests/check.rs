//! The binary without a screen: output, exit status, bad input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::here;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
        .args(arguments)
        .current_dir(here(""))
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const DEMO: [&str; 4] = ["check", "--facts", "assets/demo/host.json", "assets/demo/domain.xml"];

#[test]
fn the_text_report_reads_like_this() {
    insta::assert_snapshot!(stdout(&run(&DEMO)));
}

#[test]
fn the_report_for_a_ticket_reads_like_this() {
    insta::assert_snapshot!(stdout(&run(&[&DEMO[..], &["--format", "markdown"]].concat())));
    // What means something to Markdown is text in it.
    let path = std::env::temp_dir().join(format!("qpt-tui-markdown-{}.xml", std::process::id()));
    let text = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>a*b_c</name><q:commandline><q:arg value='-nosuch`opt'/></q:commandline></domain>";
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let written = stdout(&run(&["check", "--static", "--format", "markdown", path]));
    assert!(written.starts_with("## a\\*b\\_c: "), "{written}");
    assert!(written.contains("### `` -nosuch`opt ``"), "{written}");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn in_the_demo_every_layer_has_something_to_say() {
    let output = run(&[&DEMO[..], &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let layers: std::collections::BTreeSet<&str> = report["files"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["layer"].as_str().unwrap())
        .collect();
    let all = ["libvirt", "qemu", "namespaces", "dac", "selinux", "apparmor", "cgroups", "seccomp"];
    assert!(all.iter().all(|layer| layers.contains(layer)), "{layers:?}");
}

#[test]
fn the_json_report_keeps_the_contract() {
    let output = run(&[&DEMO[..], &["--format", "json"]].concat());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!(report["host"]["qemu_user"], "libvirt-qemu");
    assert_eq!((&report["host"]["uid"], &report["host"]["gid"]), (&64055.into(), &106.into()));
    let findings = report["files"][0]["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == "closed-directory").unwrap();
    assert_eq!(finding["entry"], serde_json::json!({"kind": "arg", "index": 7}));
    assert_eq!((&finding["line"], &finding["column"]), (&21.into(), &22.into()));
    assert_eq!(
        finding["resource"],
        serde_json::json!({"kind": "file", "path": "/home/me/vm/data.qcow2", "access": "read-write"})
    );
    assert_eq!(
        finding["remedies"][0]["step"],
        serde_json::json!({"kind": "command", "command": "setfacl -m u:libvirt-qemu:x /home/me"})
    );
    for finding in findings {
        for key in [
            "rule", "layer", "verdict", "entry", "line", "column", "resource", "message",
            "evidence", "remedies",
        ] {
            assert!(finding.get(key).is_some(), "{key}: {finding}");
        }
        assert_ne!(finding["verdict"], "allows");
    }
}

#[test]
fn sarif_names_its_rules() {
    let report: serde_json::Value =
        serde_json::from_slice(&run(&[&DEMO[..], &["--format", "sarif"]].concat()).stdout).unwrap();
    assert_eq!(report["version"], "2.1.0");
    let run = &report["runs"][0];
    let known: Vec<&str> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert!(
        run["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|result| known.contains(&result["ruleId"].as_str().unwrap()))
    );
}

#[test]
fn the_exit_status_follows_the_threshold() {
    let status = |more: &[&str]| run(&[&DEMO[..], more].concat()).status.code();
    assert_eq!(status(&[]), Some(1));
    assert_eq!(status(&["--fail-on", "never"]), Some(0));
    assert_eq!(
        run(&["check", "--facts", "assets/demo/host.json", "tests/fixtures/domains/plain.xml"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(run(&["check"]).status.code(), Some(2));
}

#[test]
fn canonical_prints_the_whole_document() {
    insta::assert_snapshot!(stdout(&run(&["canonical", "tests/fixtures/domains/two-blocks.xml"])));
}

#[test]
fn every_rule_is_explained() {
    let list = stdout(&run(&["explain"]));
    assert!(list.lines().count() > 20);
    for id in list.lines().map(|line| line.split(' ').next().unwrap()) {
        assert!(stdout(&run(&["explain", id])).starts_with(&format!("# {id}\n")));
    }
    assert_eq!(run(&["explain", "nosuch"]).status.code(), Some(2));
}

#[test]
fn bad_input_gets_one_sentence_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let refused = |path: &Path, wanted: &str| {
        let path = path.to_str().unwrap();
        let before = std::fs::read(path).ok();
        for arguments in [vec!["check", path], vec!["canonical", path], vec![path]] {
            let output = run(&arguments);
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
            assert!(
                said.contains(wanted) && said.starts_with(&format!("qpt-tui: {path}:")),
                "{arguments:?}: {said}"
            );
        }
        assert_eq!(std::fs::read(path).ok(), before);
    };
    refused(
        &file("text", b"hello\n"),
        ":1:1: text stands outside the root element, expected <domain> first",
    );
    refused(
        &file("cut", b"<domain>\n  <name>a"),
        ":2:10: the document ends inside <name> of line 2, expected </name>",
    );
    refused(
        &file("net", b"<network/>"),
        ":1:1: not a libvirt domain, expected <domain> at the top, got <network>",
    );
    refused(
        &file("latin", b"<domain>\n<name>\xe9</name></domain>"),
        ":2:7: the text is not UTF-8, expected UTF-8",
    );
    refused(&file("empty", b""), ":1:1: the document holds no element, expected <domain>");
    refused(&file("nul", b"<domain>\0</domain>"), ":1:9: XML 1.0 cannot hold the character U+0000");
    refused(dir.path(), ": this is a directory, expected a domain's XML file");
    refused(&dir.path().join("none"), ": there is no such file");
}

#[test]
fn what_libvirt_refuses_inside_the_passthrough_is_found_at_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vm.xml");
    let shown = path.to_str().unwrap();
    let ns = "xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'";
    for (inner, expected) in [
        (
            "<q:arg/>",
            ":2:2: ✗ blocked (libvirt): libvirt refuses the document: <q:arg> has no value",
        ),
        (
            "<q:env name='1'/>",
            ":2:2: ✗ blocked (libvirt): libvirt refuses the document: the environment name '1' begins",
        ),
        ("text", ":2:2: ! warning (libvirt): the text 'text' is dropped without a word"),
    ] {
        std::fs::write(
            &path,
            format!("<domain {ns}><q:commandline>\n {inner}</q:commandline></domain>"),
        )
        .unwrap();
        let output = run(&["check", "--static", shown]);
        let text = stdout(&output);
        assert!(text.contains(expected), "{text}");
        assert!(text.contains("[broken-entry]"), "{text}");
    }
    std::fs::write(&path, "<qemu:commandline><qemu:arg value='-nosuch'/></qemu:commandline>")
        .unwrap();
    let output = run(&["check", shown]);
    let text = stdout(&output);
    assert!(text.contains("judged as in a bare one") || output.status.code() == Some(1), "{text}");
    assert!(text.contains("unknown-option"), "{text}");
}

#[test]
fn nothing_in_a_document_reaches_the_terminal_as_a_command() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vm.xml");
    let ns = "xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'";
    std::fs::write(&path, format!("<domain {ns}><name>a\u{202e}b\u{9b}c</name><q:commandline><q:arg value='-hda'/><q:arg value='/x\u{200b}\u{85}y'/></q:commandline></domain>")).unwrap();
    let output = run(&["check", "--all", path.to_str().unwrap()]);
    let text = stdout(&output) + &stderr(&output);
    assert!(text.contains("⟨U+202E⟩") && text.contains("⟨U+200B⟩"), "{text}");
    assert!(
        text.chars()
            .all(|c| c == '\n' || !(c.is_control() || matches!(c, '\u{200b}' | '\u{202e}'))),
        "{text:?}"
    );
}

#[test]
fn several_files_are_reported_although_one_is_broken() {
    let output = run(&[
        "check",
        "--facts",
        "assets/demo/host.json",
        "nosuch.xml",
        "tests/fixtures/domains/plain.xml",
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("domain 'plain'"));
}

#[test]
fn facts_that_are_none_are_refused() {
    let output = run(&["check", "--facts", "Cargo.toml", "assets/demo/domain.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("Cargo.toml:1:"), "{}", stderr(&output));
}
