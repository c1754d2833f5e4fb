//! The way to a start: its steps, their order, and what it does not do.

use super::*;
use crate::domain::EntryId;

/// The titles' rules, in order, and the rules of what is left.
fn way(host: &Host, document: &Document) -> (Vec<(&'static str, String)>, Vec<&'static str>) {
    let mut judge = |document: &Document, host: &HostFacts| judged(&Host(host.clone()), document);
    let route = route(document, &host.0, None, &mut judge);
    let step = |stage: Stage| {
        let text = match &stage.remedy.step {
            Step::RunCommand(command) => command.clone(),
            Step::SetOption { line, .. } => line.clone(),
            Step::EditXml(_) => "edit".to_owned(),
            Step::Nothing => stage.remedy.title.clone(),
        };
        (stage.finding.rule, text)
    };
    let left = route.left.iter().map(|finding| finding.rule).collect();
    (route.stages.into_iter().map(step).collect(), left)
}

const DRIVE: [&str; 2] = ["-blockdev", "file,filename=/srv/deep/a.img,node-name=n"];

#[test]
fn a_closed_directory_comes_before_the_file_in_it() {
    let host = host()
        .file("/srv/deep/a.img", 0o600)
        .with("/srv/deep/a.img", "/srv", |step| step.mode = 0o700)
        .with("/srv/deep/a.img", "/srv/deep", |step| step.mode = 0o700);
    let (steps, left) = way(&host, &domain("", &DRIVE));
    let commands: Vec<&str> = steps.iter().map(|(_, text)| text.as_str()).collect();
    // Three grants rather than one switch that gives everything away.
    assert_eq!(
        commands,
        [
            "setfacl -m u:libvirt-qemu:x /srv",
            "setfacl -m u:libvirt-qemu:x /srv/deep",
            "setfacl -m u:libvirt-qemu:rw /srv/deep/a.img"
        ]
    );
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_directory_that_two_things_need_is_opened_once() {
    let host = host()
        .file("/srv/d/a", 0o666)
        .with("/srv/d/a", "/srv/d", |step| step.mode = 0o700)
        .file("/srv/d/b", 0o666)
        .with("/srv/d/b", "/srv/d", |step| step.mode = 0o700);
    let argv = [
        "-blockdev",
        "file,filename=/srv/d/a,node-name=a",
        "-blockdev",
        "file,filename=/srv/d/b,node-name=b",
    ];
    let (steps, left) = way(&host, &domain("", &argv));
    assert_eq!((steps.len(), left.len()), (1, 0), "{steps:?}");
}

#[test]
fn an_element_of_libvirts_does_in_one_step_what_three_layers_ask_for() {
    let host = host().node("/dev/input/event3", 13, 67, 0o660);
    let argv = ["-object", "input-linux,id=k,evdev=/dev/input/event3,grab_all=on,repeat=on"];
    let (steps, left) = way(&host, &domain("", &argv));
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert_eq!((steps[0].1.as_str(), left.len()), ("edit", 0));
}

#[test]
fn what_a_node_will_meet_once_its_driver_is_loaded_is_part_of_the_way() {
    let argv = ["-object", "memory-backend-file,id=m,mem-path=/dev/kvmfr0,size=32M,share=on"];
    let (steps, left) = way(&host().absent("/dev/kvmfr0", 0o755), &domain("", &argv));
    let rules: Vec<&str> = steps.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules, ["path-missing", "namespace-hidden", "dac-unreadable"], "{steps:?}");
    assert_eq!(steps[0].1, "modprobe kvmfr 'static_size_mb=32'");
    assert!(steps[1].1.contains("\"/dev/kvmfr0\"") && left.is_empty(), "{steps:?} {left:?}");

    // Whoever has to bring it is told so, and the rest of the way is the same.
    let argv = [
        "-object",
        "rng-random,id=r,filename=/dev/hw9",
        "-device",
        "virtio-rng-pci,rng=r,addr=0x1e",
    ];
    let (steps, left) = way(&host().absent("/dev/hw9", 0o755), &domain("", &argv));
    assert!(steps[0].1.starts_with("bring /dev/hw9") && steps.len() > 1, "{steps:?}");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn two_settings_of_one_name_are_one_line() {
    let host = host().node("/dev/hw1", 10, 183, 0o666).node("/dev/hw2", 10, 184, 0o666);
    let argv = [
        "-object",
        "rng-random,id=a,filename=/dev/hw1",
        "-object",
        "rng-random,id=b,filename=/dev/hw2",
    ];
    let (steps, left) = way(&host, &domain("", &argv));
    assert_eq!((steps.len(), left.len()), (1, 0), "{steps:?}");
    assert!(steps[0].1.contains("/dev/hw1") && steps[0].1.contains("/dev/hw2"), "{steps:?}");
}

#[test]
fn what_blocks_one_entry_is_not_set_aside_for_another_that_says_the_same() {
    let argv = ["-device", "usb-kbd,id=a", "-device", "usb-mouse,id=b"];
    let (host, document) =
        (host(), machine("q35", "<controller type='usb' model='qemu-xhci'/>", &argv));
    let mut judge = |document: &Document, host: &HostFacts| judged(&Host(host.clone()), document);
    let of_first = route(&document, &host.0, Some(&[EntryId::arg(0), EntryId::arg(1)]), &mut judge);
    assert_eq!((of_first.stages.len(), of_first.left.len()), (1, 0), "{of_first:?}");
    let whole = route(&document, &host.0, None, &mut judge);
    assert_eq!((whole.stages.len(), whole.left.len()), (2, 0), "{whole:?}");
}

#[test]
fn where_no_step_is_known_that_is_said_and_the_rest_is_done() {
    let host = host().file("/srv/a.img", 0o600);
    let argv = [
        "-blockdev",
        "file,filename=/srv/a.img,node-name=n",
        "-blockdev",
        "file,filename=/srv/gone,node-name=m",
    ];
    let host = host.absent("/srv/gone", 0o755);
    let (steps, left) = way(&host, &domain("", &argv));
    assert_eq!((steps.len(), left.as_slice()), (1, &["path-missing"][..]), "{steps:?}");
}

#[test]
fn whom_a_remedy_lets_in_is_who_shares_what_it_opens() {
    let reaches = |host: &Host, document: &Document, command: &str| {
        let findings = judged(host, document);
        let remedies = findings.iter().flat_map(|finding| &finding.remedies);
        let text = |remedy: &Remedy| match &remedy.step {
            Step::RunCommand(command) => command.clone(),
            Step::SetOption { line, .. } => line.clone(),
            Step::EditXml(_) | Step::Nothing => String::new(),
        };
        let found = remedies.into_iter().find(|remedy| text(remedy).starts_with(command));
        found.unwrap_or_else(|| panic!("nothing with {command}")).lets_in
    };
    let argv = ["-blockdev", "file,filename=/srv/a.img,node-name=n"];
    let shut = host().file("/srv/a.img", 0o600);
    assert_eq!(reaches(&shut, &domain("", &argv), "setfacl"), Some(Reach::EveryVm));
    assert_eq!(reaches(&shut, &domain("", &argv), "user"), Some(Reach::EveryVm));
    // A domain with a user of its own.
    let own =
        "<seclabel type='static' model='dac' relabel='yes'><label>alice:alice</label></seclabel>";
    let alice = Identity { user: "alice".into(), uid: 1000, gid: 1000, groups: Vec::new() };
    let shut = with(shut, |host| {
        host.identities.insert("alice:alice".into(), Known::Yes(alice.clone()));
    });
    assert_eq!(reaches(&shut, &domain(own, &argv), "setfacl"), Some(Reach::ThisVm));
    let port = domain("", &["-gdb", "tcp::99"]);
    assert_eq!(reaches(&host(), &port, "sysctl"), Some(Reach::Everybody));
}
