//! QEMU's command line, read: against the real QEMU's help, against what people wrote, against any text.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use qpt_tui::domain::{Document, List};
use qpt_tui::qemu::{CommandLine, Pairs, catalog};
use support::corpus;

/// The options that `-help` lists, with whether a value follows.
fn of_help(help: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for line in help.lines().filter(|line| line.starts_with('-')) {
        let (names, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let value =
            !rest.starts_with([' ', '\t']) && !rest.trim().is_empty() && !rest.starts_with("or ");
        for name in names.split('/') {
            found.push((name.trim_start_matches('-').to_owned(), value));
        }
    }
    found
}

#[test]
fn no_option_of_the_installed_qemu_is_missing() {
    let Ok(output) = std::process::Command::new("qemu-system-x86_64").arg("-help").output() else {
        eprintln!("skipped: no qemu-system-x86_64 here");
        return;
    };
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let options = of_help(&help);
    assert!(options.len() > 100, "{help}");
    for (name, value) in options {
        let Some(row) = catalog::option(&name) else { panic!("-{name} is not in the table") };
        // A name that fills the help's first column is followed by one blank whether it takes a value or not;
        // that the others of the table do take one is asked of QEMU itself below.
        if name.len() < 14 {
            assert!(row.takes_value || !value, "-{name}");
        }
    }
}

#[test]
fn whether_an_option_takes_a_value_is_what_qemu_says() {
    let asked = |argument: &str| {
        let output = std::process::Command::new("qemu-system-x86_64")
            .args(["-nodefaults", argument])
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stderr).into_owned())
    };
    if asked("-nosuch").is_none() {
        eprintln!("skipped: no qemu-system-x86_64 here");
        return;
    }
    for row in catalog::options().filter(|row| row.takes_value) {
        let said = asked(&format!("-{}", row.name)).unwrap();
        let unknown = said.contains("invalid option")
            || said.contains("only available")
            || said.contains("not supported")
            || said.contains("there is no option group")
            || said.contains("Option not supported for this target");
        assert!(unknown || said.contains("requires an argument"), "-{}: {said}", row.name);
    }
}

#[test]
fn every_path_that_people_wrote_is_found() {
    let Some(documents) = corpus() else { return };
    let mut paths = 0;
    for (name, text) in documents {
        let Ok(document) = Document::parse(text.as_str()) else { continue };
        let line = CommandLine::read(&document.argv(), &document.environment());
        for entry in document.list(List::Args) {
            let text = entry.kind.text();
            // What a person sees as a path: it begins a value, and ends at a comma or a quote.
            for start in text
                .match_indices('/')
                .map(|(at, _)| at)
                .filter(|at| *at == 0 || matches!(text.as_bytes()[at - 1], b'=' | b'"' | b'\''))
            {
                let path = text[start..].split([',', '"', '\'']).next().unwrap();
                let found = line.uses_of(entry.id).any(|usage| usage.resource.name() == path);
                assert!(found, "{name}: {path} of {text}");
                paths += 1;
            }
        }
    }
    assert!(paths > 100, "only {paths} paths were seen");
}

/// Texts with the words that readers look for more often than chance has them.
fn argument() -> impl Strategy<Value = String> {
    prop_oneof![
        "-(drive|blockdev|device|object|chardev|netdev|fsdev|serial|incoming|acpitable|vnc|nic|add-fd|foo)",
        "[a-z=,:./{}\"' -]{0,24}",
        "(unix|tcp|file|json|fat|nbd|exec|mon|pipe|host_device)[:,=/a-z]{0,16}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn any_arguments_are_read_and_none_is_lost(arguments in prop::collection::vec(argument(), 0..12), environment in any::<String>()) {
        let argv: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let line = CommandLine::read(&argv, &[("PULSE_SERVER", Some(&environment)), ("LD_PRELOAD", Some(&environment))]);
        // Every argument belongs to one option, in order.
        let places: Vec<usize> = line.options.iter().flat_map(|option| option.entry..=option.last()).collect();
        prop_assert_eq!(places, (0..argv.len()).collect::<Vec<_>>());
        for usage in &line.uses {
            let text = if usage.entry.list == List::Args { argv[usage.entry.index] } else { environment.as_str() };
            prop_assert!(text.get(usage.at.clone()).is_some(), "{:?} is not in {:?}", usage.at, text);
        }
        for note in &line.notes {
            prop_assert!(note.at <= argv[note.entry.index].len());
        }
    }

    #[test]
    fn the_spans_of_a_value_give_back_its_bytes(text in "[a-z,=./]{0,40}", implied in any::<bool>()) {
        let pairs = Pairs::read(&text, implied.then_some("first"));
        let mut end = 0;
        for pair in &pairs.pairs {
            prop_assert!(pair.key_span.start >= end && pair.value_span.start >= pair.key_span.end);
            let raw = &text[pair.value_span.clone()];
            if pair.short {
                prop_assert!(text[pair.key_span.clone()].ends_with(pair.key.as_str()));
            } else {
                prop_assert_eq!(raw.replace(",,", ","), pair.value.clone());
                let key = &text[pair.key_span.clone()];
                prop_assert!(key == pair.key || (key.is_empty() && (pair.key == "first" || pair.key.is_empty())));
            }
            // Between the pairs stand only separators.
            prop_assert!(text[end..pair.key_span.start].chars().all(|c| c == ','), "{:?}", &text[end..pair.key_span.start]);
            end = pair.value_span.end;
        }
        prop_assert!(text[end..].chars().all(|c| c == ','));
    }
}

/// The facts of this host for a document, asked without a cache of an earlier program.
fn host_of(document: &Document, line: &CommandLine) -> qpt_tui::facts::HostFacts {
    let options = qpt_tui::cli::HostOptions {
        qemu_conf: None,
        facts: None,
        session: false,
        user: None,
        only_static: true,
    };
    qpt_tui::session::facts(&options, &[(document, line)]).unwrap()
}

/// Whether a rule says that QEMU lacks the name in these arguments.
fn refused(host: &qpt_tui::facts::HostFacts, arguments: &[String]) -> bool {
    let entries: String =
        arguments.iter().map(|argument| format!("<q:arg value='{argument}'/>")).collect();
    let text = format!(
        "<domain type='qemu' xmlns:q='{}'><name>a</name><q:commandline>{entries}</q:commandline></domain>",
        qpt_tui::domain::QEMU_NAMESPACE
    );
    let document = Document::parse(text).unwrap();
    let line = CommandLine::read(&document.argv(), &document.environment());
    let findings = qpt_tui::rules::judge(&document, &line, host);
    findings.iter().any(|finding| {
        let about_names = ["unknown-option", "missing-id", "image-format"].contains(&finding.rule);
        about_names
            && finding.verdict == qpt_tui::rules::Verdict::Blocks
            && !finding.message.contains("lacks id")
    })
}

/// Whether QEMU itself refuses these arguments for want of such a name.
fn qemu_refuses(arguments: &[String]) -> Option<bool> {
    use std::io::Write as _;
    let mut child = std::process::Command::new("qemu-system-x86_64")
        .args(["-machine", "none", "-display", "none", "-nodefaults", "-S", "-qmp", "stdio"])
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .ok()?;
    let talk = b"{\"execute\":\"qmp_capabilities\"}{\"execute\":\"quit\"}";
    // One that ended already says why on its standard error.
    let _ = child.stdin.take().unwrap().write_all(talk);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let words = [
        "invalid option",
        "Option not supported for this target",
        "does not accept value",
        "is not a valid char driver name",
        "not compiled into this binary",
        "nknown driver",
        "Unknown audio driver",
        "fsdriver",
        "Invalid parameter",
    ];
    // What only a missing module explains is the business of another rule.
    Some(
        words.iter().any(|word| said.contains(word))
            && !said.contains("not found, do you want to install"),
    )
}

#[test]
fn names_are_refused_by_a_rule_where_qemu_refuses_them_and_only_there() {
    if qemu_refuses(&["-nosuch".to_owned()]) != Some(true) {
        eprintln!("skipped: no qemu-system-x86_64 here");
        return;
    }
    let document = Document::parse("<domain type='qemu'><name>a</name></domain>").unwrap();
    let host = host_of(&document, &CommandLine::read(&[], &[]));
    assert!(
        host.emulator.yes().is_some_and(|emulator| emulator.names.len() == 5),
        "QEMU was not asked"
    );
    let mut tried: Vec<Vec<String>> = Vec::new();
    for row in catalog::options() {
        // These run until they are ended, or take the terminal.
        if ["daemonize", "gdb", "s", "monitor", "nographic", "serial", "mon", "qmp", "qmp-pretty"]
            .contains(&row.name)
        {
            continue;
        }
        // Their types are tried below, each with an id.
        if catalog::names(row.name).next().is_some() {
            continue;
        }
        let mut arguments = vec![format!("-{}", row.name)];
        arguments.extend(row.takes_value.then(|| "zz".to_owned()));
        tried.push(arguments);
    }
    for kind in ["audiodev", "chardev", "netdev", "blockdev"] {
        let of_table = catalog::names(kind).map(|(name, _)| name.to_owned());
        let of_qemu = host.emulator.yes().unwrap().names[kind].iter().cloned();
        let names: std::collections::BTreeSet<String> =
            of_table.chain(of_qemu).chain(["nosuch".to_owned()]).collect();
        for name in names {
            let id = if kind == "blockdev" { "driver" } else { "id" };
            tried.push(match id {
                "driver" => vec!["-blockdev".to_owned(), format!("driver={name},node-name=z0")],
                _ => vec![format!("-{kind}"), format!("{name},id=z0")],
            });
        }
    }
    let mut wrong = Vec::new();
    for arguments in &tried {
        let option = arguments[0].trim_start_matches('-');
        let by_qemu = qemu_refuses(arguments).unwrap();
        let by_rule = refused(&host, arguments);
        // "Invalid parameter" about a value of an option that is there.
        let about_value =
            option != "blockdev" && catalog::names(option).next().is_none() && !by_rule;
        if by_qemu != by_rule
            && !(about_value && host.emulator.yes().unwrap().names["option"].contains(option))
        {
            wrong.push(format!("{arguments:?}: QEMU {by_qemu}, the rule {by_rule}"));
        }
    }
    assert!(tried.len() > 200);
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn with_a_newer_qemu_nothing_is_said_to_be_in_no_qemu() {
    let document = Document::parse("<domain type='qemu'><name>a</name></domain>").unwrap();
    let mut host = host_of(&document, &CommandLine::read(&[], &[]));
    host.qemu = qpt_tui::facts::Known::Yes("12.0.0".to_owned());
    host.libvirt = qpt_tui::facts::Known::Yes("13.0.0".to_owned());
    for arguments in [
        ["-brandnew", "on"],
        ["-chardev", "brandnew,id=a"],
        ["-netdev", "brandnew,id=a"],
        ["-audiodev", "brandnew,id=a"],
        ["-blockdev", "driver=brandnew,node-name=a"],
        ["-drive", "file=/x,format=brandnew"],
        ["-runas", "me"],
    ] {
        assert!(!refused(&host, &arguments.map(str::to_owned)), "{arguments:?}");
    }
}
