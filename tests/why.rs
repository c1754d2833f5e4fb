//! From a message to the row, through the program: what is printed, the exit status, bad input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use support::here;

const DEMO: [&str; 4] = ["why", "--facts", "assets/demo/host.json", "assets/demo/domain.xml"];
const OWN: &str = "libvirt-8f2d6f3e-5f0c-4c0a-9a2b-2f6f3a1d7c10";
const CLOSED: &str = "qemu-system-x86_64: -drive file=/home/me/vm/data.qcow2,format=qcow2,if=none,id=data: Could not open '/home/me/vm/data.qcow2': Permission denied";

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
        .args(arguments)
        .current_dir(here(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // One that reads nothing closes it.
    std::thread::spawn(move || stdin.write_all(&input));
    child.wait_with_output().unwrap()
}

fn why(words: &[&str]) -> (Option<i32>, String) {
    let output = run(&[&["why"], words].concat(), b"");
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
    )
}

/// Asks about the demo's domain, on its host: the report for scripts.
fn of_demo(message: &str) -> serde_json::Value {
    let (options, file) = DEMO.split_at(3);
    let output = run(&[options, &["--format", "json"], file, &["-"]].concat(), message.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{message}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_sentence_leads_to_the_row_and_the_plan() {
    let output = run(&[&DEMO[..], &[CLOSED]].concat(), b"");
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}

#[test]
fn the_report_for_scripts_names_the_entry() {
    let report = of_demo(CLOSED);
    assert_eq!(report["version"], 1);
    let answer = &report["answers"][0];
    assert_eq!(answer["rule"], "closed-directory");
    assert_eq!(answer["layer"], "dac");
    assert_eq!(answer["now"], "still");
    assert_eq!(answer["entry"], serde_json::json!({ "kind": "arg", "index": 7 }));
    assert_eq!(answer["finding"]["rule"], "closed-directory");
    assert!(!report["plan"]["steps"].as_array().unwrap().is_empty());
}

/// A record of AppArmor's.
fn denied(profile: &str, path: &str) -> String {
    format!(
        "[ 83.5] audit: type=1400 audit(1795857514.000:1): apparmor=\"DENIED\" operation=\"open\" profile=\"{profile}\" name=\"{path}\" pid=9 comm=\"qemu-system-x86\" requested_mask=\"r\" denied_mask=\"r\" fsuid=64055 ouid=0"
    )
}

#[test]
fn what_the_kernel_denied_comes_before_what_qemu_makes_of_it() {
    let path = "/home/me/vm/data.qcow2";
    for message in [denied(OWN, path), format!("{CLOSED}\n{}", denied(OWN, path))] {
        let answer = &of_demo(&message)["answers"][0];
        assert_eq!(answer["rule"], "apparmor-denied", "{message}");
        assert_eq!(answer["entry"]["index"], 7);
    }
    // What it denied of something else is not what QEMU complains about.
    let other = of_demo(&format!("{CLOSED}\n{}", denied(OWN, "/etc/gss/mech.d/")));
    assert_eq!(other["answers"][0]["rule"], "closed-directory");
}

#[test]
fn what_the_document_does_not_name_is_not_said_to_be_so() {
    for message in
        [denied(OWN, "/srv/other.img"), denied("libvirt-another", "/home/me/vm/data.qcow2")]
    {
        let answer = &of_demo(&message)["answers"][0];
        assert_eq!((&answer["rule"], &answer["now"]), (&"apparmor-denied".into(), &"gone".into()));
        assert!(answer["entry"].is_null(), "{answer}");
    }
    let sentence = "qemu-system-x86_64: -object rng-random,id=r,filename=/dev/hwrng: Could not open '/dev/hwrng': No such file or directory";
    let answer = &of_demo(sentence)["answers"][0];
    assert_eq!((&answer["rule"], &answer["now"]), (&"namespace-hidden".into(), &"gone".into()));
}

#[test]
fn of_a_log_the_last_start_counts() {
    let start = |sentence: &str| {
        format!(
            "2026-11-28 09:18:34.553+0000: starting up libvirt version: 9.0.0, package: 4 (Debian), qemu version: 7.2.22, kernel: 6.1\nLC_ALL=C \\\n/usr/bin/qemu-system-x86_64 \\\n-name guest=x \\\n-drive file=/a,if=none \\\n-msg timestamp=on\n2026-11-28T09:18:35.000000Z qemu-system-x86_64: {sentence}\n2026-11-28 09:18:35.100+0000: shutting down, reason=failed\n"
        )
    };
    let log = start("-device x: 'x' is not a valid device model name")
        + &start("-device e1000,id=a: Duplicate ID 'a' for device");
    let output = run(&["why", "-"], log.as_bytes());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("duplicate-id") && !text.contains("unknown-device"), "{text}");
}

#[test]
fn text_that_begins_with_a_dash_is_text() {
    for words in [
        &["-redir: invalid option"][..],
        &["-redir:", "invalid", "option"],
        &["--", "-redir: invalid option"],
    ] {
        let (status, text) = why(words);
        assert_eq!(status, Some(0), "{text}");
        assert!(text.contains("unknown-option"), "{text}");
    }
    let output = run(&["explain", "--error", "-hda on: invalid option"], b"");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_exit_status_says_whether_it_is_known() {
    assert_eq!(why(&["all is well"]).0, Some(1));
    assert_eq!(why(&["Duplicate ID 'a' for device"]).0, Some(0));
    assert_eq!(why(&[]).0, Some(2));
    assert_eq!(why(&["nowhere.xml", "Duplicate ID"]).0, Some(2));
    assert_eq!(why(&["--format", "sarif", "Duplicate ID"]).0, Some(2));
}

#[test]
fn of_a_long_log_the_newest_part_is_read() {
    let mut log = b"qemu-system-x86_64: gtk initialization failed\n".to_vec();
    log.resize(8 << 20, b'x');
    log.extend_from_slice(
        b"\nqemu-system-x86_64: -device e1000,id=a: Duplicate ID 'a' for device\n",
    );
    let output = run(&["why", "-"], &log);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("duplicate-id") && !text.contains("no-session"), "{text}");
}

#[test]
fn what_is_pasted_is_made_visible() {
    let output = run(&DEMO, b"");
    assert!(output.status.code().is_some());
    let hostile = "qemu-system-x86_64: -device \u{202e}x\u{1b}]0;t\u{7},id=a: Duplicate ID '\u{202e}a' for device";
    let output = run(&[&DEMO[..], &[hostile]].concat(), b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("duplicate-id"), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{1b}', '\u{7}']), "{text:?}");
}
