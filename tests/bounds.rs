//! No text makes the program work without end: what a stranger may write is answered in time, however it is put together.
//!
//! The bounds are wide, so that a slow machine keeps them in a debug build; what they catch took minutes, or never ended.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use qpt_tui::domain::Document;
use qpt_tui::facts::HostFacts;
use qpt_tui::facts::apparmor::{Found, Profile};
use qpt_tui::facts::qemu_conf::QemuConf;
use qpt_tui::report::{Checked, text};
use qpt_tui::rules::{self, Step};
use qpt_tui::session::command_line;
use qpt_tui::xml::Lines;

const PATIENCE: Duration = Duration::from_secs(20);

/// Does something, and is content when that ended in time.
fn in_time<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < PATIENCE, "{what} took {:?}", start.elapsed());
    done
}

fn host() -> HostFacts {
    serde_json::from_str(include_str!("../assets/demo/host.json")).unwrap()
}

fn domain(arguments: &str) -> Document {
    Document::parse(format!(
        "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>x</name>\
         <qemu:commandline>{arguments}</qemu:commandline></domain>"
    ))
    .unwrap()
}

#[test]
fn a_long_line_with_a_finding_for_each_argument_is_reported() {
    let document = domain(&"<qemu:arg value='-nosuchoption'/>".repeat(60_000));
    let host = host();
    let line = command_line(&document);
    in_time("the report", || {
        let findings = rules::judge(&document, &line, &host);
        let lines = Lines::of(document.source());
        let route = None;
        let checked = Checked {
            path: "vm.xml",
            document: &document,
            line: &line,
            findings: &findings,
            host: &host,
            route,
            lines,
        };
        assert!(text::write(&checked, false).lines().count() > 60_000);
    });
}

#[test]
fn one_repair_among_thousands_of_findings_is_proved() {
    let joined: String =
        (0..10_000).map(|n| format!("<qemu:arg value='-drive if=none,id=d{n}'/>\n")).collect();
    let document = domain(&joined);
    let host = host();
    let before = rules::judge(&document, &command_line(&document), &host);
    let repaired = before.iter().find(|finding| finding.rule == "joined-option").unwrap();
    let Step::EditXml(edits) = &repaired.remedies[0].step else { panic!("{repaired:?}") };
    let after = document.apply(edits).unwrap();
    let after = rules::judge(&after, &command_line(&after), &host);
    in_time("the proof", || assert!(rules::improves(&before, &after, repaired)));
}

#[test]
fn thousands_of_lost_blocks_are_judged() {
    let lost = "<commandline xmlns='urn:other'><arg value='-S'/></commandline>".repeat(4000);
    let document = Document::parse(format!("<domain type='kvm'><name>x</name>{lost}</domain>"));
    let document = document.unwrap();
    in_time("the judgement", || {
        let findings = rules::judge(&document, &command_line(&document), &host());
        assert!(findings.len() >= 4000, "{}", findings.len());
    });
}

#[test]
fn a_pattern_of_a_profile_ends() {
    let path = format!("/{}", "a".repeat(4000));
    for pattern in
        ["**a".repeat(30), "{a,b,*}".repeat(60), "{{{a,*}b,}*,".repeat(20) + &"}".repeat(40)]
    {
        let text = format!("profile vm {{\n  /{pattern}z rw,\n}}\n");
        let profile = Profile::parse("/p", &|_| Found::Text(text.clone())).unwrap();
        in_time(&pattern, || assert!(profile.permissions(&path, true).0.is_empty()));
    }
}

#[test]
fn lists_inside_lists_of_qemu_conf_do_not_use_up_the_stack() {
    let conf = QemuConf::parse("qemu.conf", &format!("user = {}", "[".repeat(100_000)));
    assert_eq!(conf.error.unwrap().message, "lists are nested too deep");
}

#[test]
fn a_variable_that_every_rule_names_does_not_fill_the_memory() {
    let values: String = (0..20_000).map(|number| format!("/home/someone{number}/ ")).collect();
    let rules = "  @{X}@{X}@{X}/a rw,\n".repeat(1000);
    let text = format!("@{{X}}={values}\nprofile vm {{\n{rules}}}\n");
    let why = Profile::parse("/p", &|_| Found::Text(text.clone())).unwrap_err();
    assert!(why.contains("more than can be looked at"), "{why}");
}

#[test]
fn numbers_of_any_size_are_read() {
    let huge = "4294967295";
    for value in [
        format!("sockets={huge},dies={huge},clusters={huge},cores={huge},threads={huge}"),
        "9".repeat(1000),
    ] {
        let document = Document::parse(format!(
            "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\
             <memory unit='TiB'>{huge}{huge}</memory><vcpu>{huge}</vcpu>\
             <qemu:commandline><qemu:arg value='-smp'/><qemu:arg value='{value}'/>\
             <qemu:arg value='-m'/><qemu:arg value='{value}T'/></qemu:commandline></domain>"
        ));
        let document = document.unwrap();
        rules::judge(&document, &command_line(&document), &host());
    }
    let conf = QemuConf::parse("qemu.conf", &format!("max_files = {}", "9".repeat(1000)));
    assert_eq!(conf.error, None);
}

#[test]
fn facts_that_are_nested_without_end_are_refused() {
    let text = format!("{{\"version\": {}", "[".repeat(100_000));
    assert!(serde_json::from_str::<HostFacts>(&text).is_err());
}

#[test]
fn images_that_lead_to_each_other_without_end_are_followed_as_far_as_the_host_was_asked() {
    let mut host = host();
    for n in 0..5000 {
        let image = serde_json::json!({ "format": "qcow2", "backing": format!("{}", n + 1) });
        host.images.insert(format!("/srv/{n}"), serde_json::from_value(image).unwrap());
    }
    let document =
        domain("<qemu:arg value='-drive'/><qemu:arg value='file=/srv/0,format=qcow2,if=none'/>");
    let findings = rules::judge(&document, &command_line(&document), &host);
    assert!(findings.len() < 5000, "{}", findings.len());
}
