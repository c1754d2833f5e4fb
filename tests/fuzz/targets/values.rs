//! Arguments and variables are read as QEMU reads them: every argument belongs somewhere, every place is one, and what is
//! written again is read as it was.

use qpt_tui::domain::{Document, EntryId, EntryKind, List};
use qpt_tui::facts::HostFacts;
use qpt_tui::qemu::{CommandLine, Endpoint, Pairs, QemuOption, Version, keyval, pci_address, size};
use qpt_tui::report::{Checked, json, sarif, text};
use qpt_tui::trial::{Around, Command, Options, sentence, stand_ins};
use qpt_tui::xml::Lines;
use qpt_tui::{rules, session};

use super::assert_shown;

/// What values are made of.
pub const WORDS: &[&str] = &[
    "-drive\nfile=/srv/a.img,format=qcow2,if=none,id=d0",
    "-blockdev\n{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"/srv/a\"},\"node-name\":\"n\"}",
    "-device\nvfio-pci,host=01:00.0,romfile=/srv/rom",
    "-object\nmemory-backend-file,id=m,mem-path=/dev/shm/m,size=1M,share=on",
    "-chardev\nsocket,id=c,path=/run/s,server=on,wait=off",
    "-netdev\nuser,id=n,hostfwd=tcp::2222-:22,guestfwd=tcp:10.0.2.1:80-cmd:/bin/cat",
    "-fsdev\nlocal,id=f,path=/srv,security_model=none",
    "-fw_cfg\nname=opt/org.x/a,file=/srv/k",
    "-acpitable\nfile=/srv/t:/srv/u",
    "-incoming\nexec:cat /dev/null",
    "-smbios\ntype=0,file=/srv/b",
    "-smp\nsockets=1,cores=4294967295,threads=2",
    "-spice\nunix=on,addr=/run/s,rendernode=/dev/dri/renderD128",
    "-vnc\nunix:/run/v,password=on",
    "-monitor\ntelnet:127.0.0.1:55555,server,nowait",
    "-qmp\nunix:/run/q,server",
    "-cpu\nhost,+x,-y,hv-vendor-id=abc",
    "-readconfig\n/srv/c",
    "-global\nx.y=z",
    "-set\ndevice.a.b=c",
    "-set\ndrive.d0.file=/srv/b",
    "-rtc\nbase=2020-01-01T00:00:00",
    "json:{\"driver\":\"nbd\",\"host\":\"x\"}",
    "fat:rw:/srv",
    "nbd:unix:/run/n:exportname=x",
    "ssh://u@h/p",
    ",,",
    "no",
    "\nLD_PRELOAD=/srv/l.so",
    "\0",
];

/// The lines are arguments; behind a NUL, `NAME=value` of the environment.
pub fn run(data: &[u8]) {
    let Ok(data) = std::str::from_utf8(data) else { return };
    let (arguments, variables) = data.split_once('\0').unwrap_or((data, ""));
    if data.len() > 4096 {
        return;
    }
    let argv: Vec<&str> = arguments.split('\n').collect();
    let environment: Vec<(&str, Option<&str>)> = variables
        .split('\n')
        .map(|line| line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value))))
        .collect();
    let line = CommandLine::read(&argv, &environment);
    assert_eq!(line, CommandLine::read(&argv, &environment));
    places(&line, &argv, &environment);
    for text in argv.iter().copied().chain(environment.iter().filter_map(|(_, value)| *value)) {
        for implied in [None, Some("driver")] {
            written_again(text, implied);
        }
        if let Some(bytes) = size(text, 20) {
            assert!(text.contains(|c: char| c.is_ascii_digit()), "{text:?} is no size of {bytes}");
        }
        let _ = (Endpoint::read(text), Version::read(text), pci_address(text));
    }
    asked(&argv);
    // Judging takes fifty times as long as all before: one of so many lengths is.
    if data.len() % 16 == 0 {
        judged(&argv, &environment);
    }
}

/// Every argument belongs to one option, and every place is one in its entry.
fn places(line: &CommandLine, argv: &[&str], environment: &[(&str, Option<&str>)]) {
    let owned: Vec<EntryId> = line.options.iter().flat_map(QemuOption::entries).collect();
    assert_eq!(owned, (0..argv.len()).map(EntryId::arg).collect::<Vec<_>>());
    for option in &line.options {
        let value = option.value.map_or("", |at| argv[at]);
        for pair in &option.pairs.pairs {
            assert!(value.get(pair.key_span.clone()).is_some(), "{pair:?} of {value:?}");
            assert!(value.get(pair.value_span.clone()).is_some(), "{pair:?} of {value:?}");
        }
        assert!(option.pairs.error.iter().all(|(at, _)| value.is_char_boundary(*at)), "{value:?}");
    }
    let text = |entry: EntryId| match entry.list {
        List::Args => argv[entry.index],
        List::Envs => environment[entry.index].1.unwrap_or_default(),
        List::Extras => "",
    };
    for usage in &line.uses {
        let text = text(usage.entry);
        assert!(text.get(usage.at.clone()).is_some(), "{usage:?} of {text:?}");
    }
    for note in &line.notes {
        assert!(text(note.entry).is_char_boundary(note.at), "{note:?} of {:?}", text(note.entry));
    }
}

/// Pairs that are written down are read as they were.
fn written_again(text: &str, implied: Option<&str>) {
    let pairs = Pairs::read(text, implied);
    assert_eq!(pairs, Pairs::read(text, implied));
    if pairs.json || pairs.error.is_some() {
        return;
    }
    let plain = |pairs: &Pairs| {
        pairs.pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect::<Vec<_>>()
    };
    let before = plain(&pairs);
    let written =
        keyval::written(before.iter().map(|(key, value)| (key.as_str(), value.as_str())), implied);
    assert_eq!(
        before,
        plain(&Pairs::read(&written, implied)),
        "{text:?} was written as {written:?}"
    );
}

/// What QEMU would be asked: nothing is made of a path that the document does not name.
fn asked(argv: &[&str]) {
    let words: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let host = host();
    for stand_in in stand_ins(&words, argv, host) {
        assert!(
            stand_in.path.starts_with('/') && !stand_in.path.starts_with("/usr/"),
            "{stand_in:?}"
        );
    }
    let command =
        Command::of(&words, argv, Around { kvm: false, kernel: true, options: Options::Plain });
    for line in argv {
        let _ = sentence(line, "qemu-system-x86_64").map(|said| command.named(&said.whole));
    }
}

/// The host that the documents are judged on: the demo's.
pub(super) fn host() -> &'static HostFacts {
    static HOST: std::sync::LazyLock<HostFacts> = std::sync::LazyLock::new(|| {
        serde_json::from_str(include_str!("../../../assets/demo/host.json"))
            .expect("the demo has facts")
    });
    &HOST
}

/// Findings point into the document, and every report of them can be read.
fn judged(argv: &[&str], environment: &[(&str, Option<&str>)]) {
    let Ok(empty) = Document::parse("<domain type='kvm'><name>x</name><devices/></domain>") else {
        return;
    };
    let arguments: Vec<EntryKind> = argv.iter().map(|value| EntryKind::arg(*value)).collect();
    let variables: Vec<EntryKind> = environment
        .iter()
        .map(|(name, value)| EntryKind::env(*name, *value))
        .filter(|kind| kind.check().is_ok())
        .collect();
    // What XML can't hold is in no document.
    let Ok(edits) = empty.insert(List::Args, 0, &arguments) else { return };
    let Ok(with_arguments) = empty.apply(&edits) else { panic!("{argv:?} gave no document") };
    let Ok(edits) = with_arguments.insert(List::Envs, 0, &variables) else { return };
    let Ok(document) = with_arguments.apply(&edits) else {
        panic!("{environment:?} gave no document")
    };
    assert_eq!(document.argv(), argv);
    let line = session::command_line(&document);
    let findings = rules::judge(&document, &line, host());
    let checked = Checked {
        path: "vm.xml",
        document: &document,
        line: &line,
        findings: &findings,
        host: host(),
        route: None,
        lines: Lines::of(document.source()),
    };
    for finding in &findings {
        assert!(finding.entry.is_none_or(|entry| document.entry(entry).is_some()), "{finding:?}");
        checked.place(finding);
    }
    assert_shown(&text::write(&checked, true));
    for report in
        [json::write(std::slice::from_ref(&checked), host(), true), sarif::write(&[checked])]
    {
        assert_shown(&report);
        assert!(serde_json::from_str::<serde_json::Value>(&report).is_ok(), "{report}");
    }
}
