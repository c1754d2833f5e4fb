//! QEMU's own reading of its command line, and where it puts devices.

use super::*;
use crate::domain::{EntryKind, List};

#[test]
fn qemus_own_reading_is_foreseen() {
    assert_eq!(found(&host(), &["-device usb-kbd"]), blocks("joined-option"));
    assert_eq!(found(&host(), &["-version"]), blocks("qemu-exits"));
    assert_eq!(found(&host(), &["-acpitable", "sig=X"]), blocks("value-syntax"));
    assert_eq!(found(&host(), &["-device"]), blocks("dangling-option"));
    assert_eq!(found(&host(), &["-nosuch"]), blocks("unknown-option"));
    assert_eq!(found(&host(), &[""]), blocks("stray-argument"));
    assert_eq!(found(&host(), &["-object", "{"]), blocks("value-syntax"));
    assert_eq!(
        found(&host(), &["-chardev", "null,id=a", "-chardev", "null,id=a"]),
        blocks("duplicate-id")
    );
    assert_eq!(found(&host(), &["-object", "iothread,id=masterKey0"]), blocks("duplicate-id"));
    // libvirt's monitor has an object's id where it is one.
    let monitor = ["-object", "iothread,id=monitor"];
    assert_eq!(found(&host(), &monitor), []);
    let mut newest = host();
    newest.0.libvirt = Known::Yes("12.8.0".into());
    newest.0.qemu = Known::Yes("11.1.3".into());
    assert_eq!(found(&newest, &monitor), blocks("duplicate-id"));
    let migration = ["-incoming", "fd:99"];
    assert_eq!(found(&host(), &migration), [("inherited-descriptor", Verdict::Warns)]);
    assert_eq!(found(&newest, &migration), blocks("inherited-descriptor"));
    assert_eq!(found(&host(), &["-chardev", "socket,id=a,fd=3"]), blocks("inherited-descriptor"));
    assert_eq!(
        found(&host(), &["-rtc", "base=utc", "-chardev", "null,id=a", "-object", "iothread,id=a"]),
        []
    );
}

#[test]
fn a_joined_option_is_split_by_its_remedy() {
    let document = domain("", &["-device usb-kbd", "-S"]);
    let findings = judged(&host(), &document);
    let Step::EditXml(edits) = &findings[0].remedies[0].step else { panic!("{findings:?}") };
    assert_eq!(document.apply(edits).unwrap().argv(), ["-device", "usb-kbd", "-S"]);
    // What a shell reads as no word at all.
    for (argument, wanted) in
        [("-drive ", &["-drive"][..]), ("-drive #x", &["-drive", "#x"]), ("-drive=", &["-drive"])]
    {
        let document = domain("", &[argument]);
        let findings = judged(&host(), &document);
        let joined = findings.iter().find(|finding| finding.rule == "joined-option").unwrap();
        let Step::EditXml(edits) = &joined.remedies[0].step else { panic!("{joined:?}") };
        assert_eq!(document.apply(edits).unwrap().argv(), wanted);
    }
}

#[test]
fn a_variable_that_nobody_reads_is_a_hint() {
    let of = |name: &str, value: &str| {
        let document = domain("", &[]);
        let kind = EntryKind::env(name, Some(value));
        let edits = document.insert(List::Envs, 0, &[kind]).unwrap();
        let document = document.apply(&edits).unwrap();
        let found = judged(&host(), &document);
        (document, found.into_iter().find(|finding| finding.rule == "unknown-variable"))
    };
    let (document, found) = of("PULSE", "unix:/run/user/1000/pulse/native");
    let found = found.unwrap();
    assert_eq!(found.verdict, Verdict::Note);
    let Step::EditXml(edits) = &found.remedies[0].step else { panic!("{found:?}") };
    let mended = document.apply(edits).unwrap();
    assert_eq!(mended.environment(), [("PULSE_SERVER", Some("unix:/run/user/1000/pulse/native"))]);
    let (_, misspelled) = of("PIPWIRE_RUNTIME_DIR", "/run/user/1000");
    assert_eq!(misspelled.unwrap().remedies[0].title, "call it PIPEWIRE_RUNTIME_DIR");
    assert_eq!(of("QEMU_LD_PREFIX", "/x").1.unwrap().verdict, Verdict::Warns);
    let (_, unlike) = of("COMPANY_SITE", "7");
    assert_eq!(
        (unlike.as_ref().unwrap().verdict, unlike.unwrap().remedies.len()),
        (Verdict::Note, 0)
    );
    // What libraries read by how it begins, and what another rule speaks about.
    for name in [
        "PULSE_SERVER",
        "LD_DEBUG_OUTPUT",
        "GTK_THEME",
        "SDL_AUDIODRIVER",
        "MESA_GL_VERSION_OVERRIDE",
        "G_DEBUG",
        "LIBGL_ALWAYS_SOFTWARE",
        "PIPEWIRE_ALSA",
        "QEMU_AUDIO_DRV",
        "LANG",
        "http_proxy",
    ] {
        assert!(of(name, "1").1.is_none(), "{name}");
    }
}

fn found_on(kind: &str, argv: &[&str]) -> Vec<&'static str> {
    judged(&host(), &machine(kind, "", argv))
        .into_iter()
        .filter(|f| f.verdict <= Verdict::Unknown)
        .map(|f| f.rule)
        .collect()
}

// Each case was started for real under libvirt 9.0.0 and QEMU 7.2.22.
#[test]
fn devices_are_placed_before_libvirts_own() {
    for kind in ["pc", "pc-q35-7.2"] {
        for argv in [
            &["-device", "virtio-rng-pci"][..],
            &["-nic", "user"],
            &["-net", "nic"],
            &["-vga", "std"],
        ] {
            assert_eq!(found_on(kind, argv), ["pci-slot"], "{kind} {argv:?}");
        }
        for argv in [
            &["-device", "virtio-rng-pci,addr=0x1d"][..],
            &["-device", r#"{"driver":"virtio-rng-pci"}"#],
            &["-device", "isa-debugcon,iobase=0x402,chardev=x", "-chardev", "null,id=x"],
            &[
                "-device",
                "pci-bridge,id=br,chassis_nr=9,addr=0x1d",
                "-device",
                "virtio-rng-pci,bus=br,addr=1",
            ],
            &["-device", "qemu-xhci,id=x,addr=0x1c", "-device", "usb-kbd,bus=x.0"],
            &["-nic", "none", "-vga", "none"],
        ] {
            assert_eq!(found_on(kind, argv), [""; 0], "{kind} {argv:?}");
        }
        for argv in [
            &["-device", "usb-kbd"][..],
            &["-device", "usb-kbd,bus=usb.0"],
            &["-device", "hda-duplex"],
        ] {
            assert_eq!(found_on(kind, argv), ["bus-missing"], "{kind} {argv:?}");
        }
    }
    assert_eq!(found_on("q35", &["-device", "virtio-rng-pci,bus=pci.0"]), ["bus-missing"]);
    assert_eq!(found_on("pc", &["-usb"]), ["pci-slot"]);
    let twice = ["-fw_cfg", "name=opt/a,string=1", "-fw_cfg", "name=opt/a,string=2"];
    assert_eq!(found_on("pc", &twice), ["duplicate-id"]);
    assert_eq!(found_on("pc", &[twice[0], twice[1], twice[2], "name=opt/b,string=2"]), [""; 0]);
    assert_eq!(found_on("q35", &["-usb", "-device", "usb-kbd"]), [""; 0]);
    assert_eq!(found_on("virt", &["-device", "virtio-rng-pci"]), [""; 0]);
}

#[test]
fn the_slot_that_is_offered_is_free() {
    let document = machine(
        "q35",
        "<memballoon model='virtio'><address type='pci' bus='0x00' slot='0x1e'/></memballoon><video/>",
        &["-device", "virtio-rng-pci"],
    );
    let findings = judged(&host(), &document);
    let Step::EditXml(edits) = &findings[0].remedies[0].step else { panic!("{findings:?}") };
    let next = document.apply(edits).unwrap();
    assert_eq!(next.argv(), ["-device", "virtio-rng-pci,addr=0x1c"]);
    assert!(judged(&host(), &next).iter().all(|finding| finding.verdict > Verdict::Unknown));
}

#[test]
fn a_slot_that_a_native_device_has_is_not_free() {
    let inside = "<memballoon model='virtio'><address type='pci' bus='0x00' slot='0x05'/></memballoon><video><model type='none'/></video>";
    let document = machine("q35", inside, &["-device", "virtio-rng-pci,addr=0x5"]);
    let findings = judged(&host(), &document);
    assert_eq!((findings[0].rule, findings[0].verdict), ("pci-slot", Verdict::Blocks));
    let Step::EditXml(edits) = &findings[0].remedies[0].step else { panic!("{findings:?}") };
    let next = document.apply(edits).unwrap();
    assert!(judged(&host(), &next).iter().all(|finding| finding.verdict > Verdict::Unknown));
    assert!(
        judged(&host(), &machine("q35", inside, &["-device", "virtio-rng-pci,addr=0x6"]))
            .is_empty()
    );
}

#[test]
fn set_reaches_only_what_is_not_json() {
    assert_eq!(found_on("pc", &["-set", "device.hostdev0.x-vga=on"]), ["set-target"]);
    let own = [
        "-chardev",
        "null,id=c",
        "-device",
        "isa-debugcon,id=d,chardev=c",
        "-set",
        "device.d.iobase=1",
    ];
    assert_eq!(found_on("pc", &own), [""; 0]);
    assert_eq!(found_on("pc", &["-set", "chardev.charmonitor.logappend=on"]), [""; 0]);
    assert_eq!(found_on("pc", &["-set", "chardev.charserial0.logappend=on"]), ["set-target"]);
    let serial = "<serial type='pty'><target port='0'/></serial>";
    assert!(
        judged(&host(), &machine("pc", serial, &["-set", "chardev.charserial0.logappend=on"]))
            .is_empty()
    );
    let mut old = host();
    old.0.libvirt = Known::Yes("7.8.0".into());
    assert!(judged(&old, &machine("pc", "", &["-set", "device.hostdev0.x-vga=on"])).is_empty());
}

#[test]
fn a_socket_without_a_listener_or_a_client_is_said() {
    let socket = || host().at("/srv/s", FileKind::Socket, 0o777, 0);
    let connect: [&str; 2] = ["-chardev", "socket,id=c,path=/srv/s"];
    assert_eq!(found(&socket(), &connect), blocks("nobody-listens"));
    let mut heard = socket();
    heard.0.listening = Known::Yes(vec!["/srv/s".into()]);
    assert_eq!(found(&heard, &connect), []);
    let waits = found(
        &host().absent("/srv/d/s", 0o777),
        &["-chardev", "socket,id=c,path=/srv/d/s,server=on"],
    );
    assert_eq!(waits, [("socket-waits", Verdict::Blocks)]);
}

/// Tried with QEMU 7.2: 'QEMU waiting for connection', 'vhost_backend_init failed', 'Failed to connect to'.
#[test]
fn a_vhost_user_device_needs_its_program_at_once() {
    let absent = || host().absent("/srv/d/s", 0o777);
    let said = |host: &Host, socket: &str, device: [&str; 2]| {
        let socket = format!("socket,id=c,path=/srv/d/s,{socket}");
        let mut found = found(host, &["-chardev", &socket, device[0], device[1]]);
        found.retain(|(rule, _)| ["socket-waits", "path-missing"].contains(rule));
        found
    };
    let net = ["-netdev", "vhost-user,id=n,chardev=c"];
    let disk = ["-device", "vhost-user-blk-pci,chardev=c"];
    let share = ["-device", "vhost-user-fs-pci,chardev=c,tag=x"];
    let unknown = [("socket-waits", Verdict::Unknown)];
    for socket in ["server=on", "server=on,wait=off"] {
        assert_eq!(said(&absent(), socket, net), unknown);
        assert_eq!(said(&absent(), socket, disk), unknown);
    }
    assert_eq!(said(&absent(), "server=on", share), unknown);
    assert_eq!(said(&absent(), "server=on,wait=off", share), blocks("socket-waits"));
    for device in [net, disk, share] {
        assert_eq!(said(&absent(), "reconnect=1", device), blocks("path-missing"));
    }
    let later = said(&absent(), "reconnect=1", ["-mon", "chardev=c"]);
    assert_eq!(later, [("path-missing", Verdict::Warns)]);
}

#[test]
fn a_device_is_rewritten_as_json() {
    let document = machine("q35", "", &["-device", "usb-kbd,bus=usb.0"]);
    let findings = judged(&host(), &document);
    let Step::EditXml(edits) = &findings[0].remedies[1].step else { panic!("{findings:?}") };
    let next = document.apply(edits).unwrap();
    assert_eq!(next.argv(), ["-device", r#"{"driver":"usb-kbd","bus":"usb.0"}"#]);
    assert!(judged(&host(), &next).iter().all(|finding| finding.verdict == Verdict::Note));
}

#[test]
fn the_installed_qemu_knows_its_devices_and_their_properties() {
    use crate::facts::emulator::{Emulator, Property};
    let mut host = host();
    let types = |name: &str, properties: &[&str]| {
        (
            name.to_owned(),
            properties
                .iter()
                .map(|p| Property { name: (*p).to_owned(), ..Property::default() })
                .collect::<Vec<_>>(),
        )
    };
    host.0.emulator = Known::Yes(Emulator {
        path: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".into(),
        devices: BTreeMap::from([
            types("isa-debugcon", &["chardev", "iobase"]),
            types("ES1370", &["addr"]),
        ]),
        machines: vec!["pc".into(), "pc-i440fx-7.2".into()],
        objects: BTreeMap::from([types("iothread", &["poll-max-ns"])]),
        ..Emulator::default()
    });
    assert_eq!(found(&host, &["-device", "isa-debugcom"]), blocks("unknown-device"));
    assert_eq!(found(&host, &["-machine", "pcc,accel=kvm"]), blocks("unknown-machine"));
    assert_eq!(found(&host, &["-M", "pc", "-machine", "vmport=off"]), []);
    assert_eq!(found(&host, &["-object", "nosuch,id=a"]), blocks("unknown-device"));
    assert_eq!(
        found(&host, &["-chardev", "null,id=c", "-device", "isa-debugcon,chardev=c,iobas=1"]),
        blocks("unknown-property")
    );
    assert_eq!(
        found(
            &host,
            &[
                "-chardev",
                "null,id=c",
                "-device",
                "isa-debugcon,chardev=c,iobase=1,id=d",
                "-object",
                "iothread,id=i,poll-max-ns=1"
            ]
        ),
        []
    );
    assert_eq!(found(&host, &["-device", "es1370,addr=0x1e"]), []);
    let findings = judged(&host, &domain("", &["-device", "isa-debugcom"]));
    assert!(
        findings[0].evidence.iter().any(|evidence| evidence == "did you mean 'isa-debugcon'?"),
        "{findings:?}"
    );
    // Another QEMU than the domain's says nothing about it.
    let other = domain("", &["-device", "isa-debugcom"])
        .source()
        .replace("<devices/>", "<devices><emulator>/opt/q</emulator></devices>");
    assert!(judged(&host, &Document::parse(other).unwrap()).is_empty());
}

#[test]
fn a_display_needs_a_session() {
    for argv in [["-display", "gtk"], ["-display", "curses"], ["-display", "dbus"]] {
        assert_eq!(found(&host(), &argv), blocks("no-session"), "{argv:?}");
    }
    assert_eq!(found(&host(), &["-display", "gtk", "-display", "none"]), []);
    let sdl = ["-display", "sdl"];
    assert_eq!(found(&host(), &sdl), blocks("no-session"));
    let mut newer = host();
    newer.0.qemu = Known::Yes("10.0.13".into());
    assert_eq!(found(&newer, &sdl), [("no-session", Verdict::Unknown)]);
    assert_eq!(found(&newer, &["-display", "gtk"]), blocks("no-session"));
    let with = domain("", &["-display", "gtk"])
        .source()
        .replace("</qemu:commandline>", "<qemu:env name='DISPLAY' value=':0'/></qemu:commandline>");
    assert!(judged(&host(), &Document::parse(with).unwrap()).is_empty());
}

#[test]
fn ids_types_and_references_must_fit() {
    for argv in [
        &["-netdev", "user"][..],
        &["-chardev", "null"],
        &["-object", "iothread"],
        &["-blockdev", "file,filename=/dev/null"],
    ] {
        assert!(found(&host(), argv).contains(&("missing-id", Verdict::Blocks)), "{argv:?}");
    }
    assert_eq!(found(&host(), &["-netdev", "nosuch,id=n"]), blocks("missing-id"));
    assert_eq!(found(&host(), &["-chardev", "nosuch,id=c"]), blocks("missing-id"));
    for argv in [
        ["-device", "isa-debugcon,chardev=x"],
        ["-mon", "chardev=x"],
        ["-device", "ivshmem-plain,memdev=x,addr=0x1e"],
    ] {
        assert_eq!(found(&host(), &argv), blocks("missing-backend"), "{argv:?}");
    }
    for argv in [
        &["-device", "isa-debugcon,chardev=x", "-chardev", "null,id=x"][..],
        &["-mon", "chardev=charmonitor"],
        &[
            "-device",
            r#"{"driver":"ivshmem-plain","memdev":"m"}"#,
            "-object",
            r#"{"qom-type":"memory-backend-ram","id":"m","size":1}"#,
        ],
        &["-device", "ide-cd,drive=n,bus=ide.0", "-blockdev", "null-co,node-name=n"],
    ] {
        assert_eq!(found(&host(), argv), [], "{argv:?}");
    }
}

#[test]
fn options_that_libvirts_own_leave_no_room_for() {
    assert_eq!(found(&host(), &["-enable-kvm"]), blocks("option-conflict"));
    assert_eq!(found(&host(), &["-append", "x"]), blocks("option-conflict"));
    assert_eq!(found(&host(), &["-m", "128"]), [("option-conflict", Verdict::Warns)]);
    let kernel = domain("", &["-append", "x"])
        .source()
        .replace("<devices/>", "<os><kernel>/k</kernel></os><devices/>");
    assert!(judged(&host(), &Document::parse(kernel).unwrap()).is_empty());
}

#[test]
fn commas_secrets_and_libvirts_own_names() {
    assert!(said(&["-drive", "file=/srv/a,b.img,if=none"]).contains(&"comma-in-value"));
    assert!(!said(&["-drive", "file=/srv/a,,b.img,if=none"]).contains(&"comma-in-value"));
    assert!(!said(&["-chardev", "socket,id=c,path=/s,server,nowait"]).contains(&"comma-in-value"));
    for argv in [
        ["-object", "secret,id=s,data=x"],
        ["-device", "isa-applesmc,osk=x"],
        ["-spice", "port=1,password=x"],
    ] {
        assert!(said(&argv).contains(&"secret-in-plain-sight"), "{argv:?}");
    }
    for argv in [
        ["-object", "secret,id=s,file=/x"],
        ["-object", "secret,id=s,data=x,keyid=m,iv=y"],
        ["-spice", "port=1,password-secret=s"],
    ] {
        assert!(!said(&argv).contains(&"secret-in-plain-sight"), "{argv:?}");
    }
    let video = machine("q35", "<video/><video/>", &["-device", "VGA,id=video1,addr=0x1e"]);
    assert!(
        judged(&host(), &video)
            .iter()
            .any(|f| f.rule == "duplicate-id" && f.verdict == Verdict::Blocks)
    );
    let other = machine("q35", "<video/>", &["-device", "VGA,id=video1,addr=0x1e"]);
    assert!(judged(&host(), &other).iter().all(|f| f.rule != "duplicate-id"));
}

#[test]
fn a_capability_brings_set_back() {
    let with = |name: &str| {
        let capability =
            format!("<qemu:capabilities><qemu:del capability='{name}'/></qemu:capabilities>");
        let document = machine("pc", "<video/>", &["-set", "device.video0.vgamem_mb=32"]);
        let text = document.source().replace("</domain>", &format!("{capability}</domain>"));
        judged(&host(), &Document::parse(text).unwrap())
            .into_iter()
            .map(|f| f.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(with("device.json"), ["set-target", "capability-without-effect"]);
    assert_eq!(with("device.json+hotplug"), [""; 0]);
}

/// What is found on a host whose QEMU has this version and was not asked itself.
fn with_qemu(version: &str, argv: &[&str]) -> Vec<(&'static str, Verdict)> {
    let mut host = host();
    host.0.qemu = Known::Yes(version.into());
    found(&host, argv)
}

#[test]
fn names_have_versions() {
    let run_with = ["-run-with", "async-teardown=on"];
    assert_eq!(with_qemu("7.2.22", &run_with), blocks("unknown-option"));
    assert_eq!(with_qemu("9.0.0", &run_with), []);
    assert_eq!(with_qemu("7.2.22", &["-runas", "me"]), with_qemu("9.2.0", &["-runas", "me"]));
    assert!(with_qemu("10.0.2", &["-runas", "me"]).contains(&("unknown-option", Verdict::Blocks)));
    assert_eq!(with_qemu("8.0.0", &["-netdev", "passt,id=a"])[0], blocks("missing-id")[0]);
    assert_eq!(with_qemu("8.0.0", &["-chardev", "tty,id=a,path=/dev/null"]), blocks("missing-id"));
    assert_eq!(with_qemu("8.0.0", &["-audiodev", "pipewire,id=a"])[0], blocks("missing-id")[0]);
    // Newer than the tables: what they do not know may be there.
    let unknown = |rule| vec![(rule, Verdict::Unknown)];
    assert_eq!(with_qemu("12.0.0", &["-brandnew"]), unknown("unknown-option"));
    assert_eq!(with_qemu("12.0.0", &["-brandnew", "on"]), unknown("unknown-option"));
    assert_eq!(with_qemu("12.0.0", &["-netdev", "brandnew,id=a"]), unknown("missing-id"));
    assert_eq!(with_qemu("12.0.0", &["-rtc", "base=utc"]), []);
}

#[test]
fn the_emulators_own_names_come_first() {
    let names = |list: &[&str]| {
        list.iter().map(|name| (*name).to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    let mut host = host();
    host.0.emulator = Known::Yes(crate::facts::emulator::Emulator {
        path: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".into(),
        names: BTreeMap::from([
            ("option".to_owned(), names(&["rtc", "brandnew"])),
            ("netdev".to_owned(), names(&["passt"])),
        ]),
        ..Default::default()
    });
    assert_eq!(found(&host, &["-brandnew", "on"]), []);
    assert_eq!(found(&host, &["-netdev", "passt,id=a"])[0], blocks("unknown-option")[0]);
    host.0.qemu = Known::Yes("12.0.0".into());
    assert_eq!(found(&host, &["-snapshot"]), []);
}

#[test]
fn a_module_is_wanted_by_what_opens_an_image_and_by_nothing_else() {
    let mut host = host();
    host.0.emulator = Known::Yes(crate::facts::emulator::Emulator {
        path: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".into(),
        lacking: vec!["block-ssh".into(), "block-curl".into(), "ui-gtk".into()],
        ..Default::default()
    });
    let wanted =
        |argv: &[&str]| found(&host, argv).iter().any(|(rule, _)| *rule == "missing-module");
    assert!(wanted(&["-drive", "if=none,id=d,file=ssh://h/x"]));
    assert!(wanted(&["-blockdev", "driver=ssh,node-name=n,server.host=h,server.port=1,path=x"]));
    assert!(wanted(&["-hda", "http://h/x"]));
    assert!(wanted(&["-display", "gtk"]));
    assert!(!wanted(&["-drive", "if=none,file=/x,id=http:1"]));
    assert!(!wanted(&[
        "-blockdev",
        "driver=nbd,node-name=n,server.type=unix,server.path=/s,export=ssh:x"
    ]));
    assert!(!wanted(&["-blockdev", "file,node-name=n,filename=ssh:x"]));
    assert!(!wanted(&["-display", "gtk", "-display", "none"]));
}

/// What to install where modules are not there, on a host with this os-release.
fn advice(release: (&str, &[&str], Option<&str>), lacking: &[&str], argv: &[&str]) -> Vec<String> {
    let (id, like, version) = release;
    let mut host = host();
    host.0.selinux.distribution = id.to_owned();
    host.0.selinux.system = Some(crate::facts::selinux::System {
        like: like.iter().map(|word| (*word).to_owned()).collect(),
        version: version.map(str::to_owned),
        ..Default::default()
    });
    host.0.emulator = Known::Yes(crate::facts::emulator::Emulator {
        path: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".into(),
        lacking: lacking.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    });
    judged(&host, &domain("", argv))
        .iter()
        .filter(|finding| finding.rule == "missing-module")
        .flat_map(|finding| finding.remedies.iter())
        .filter(|remedy| remedy.title.starts_with("install"))
        .map(|remedy| remedy.title.clone())
        .collect()
}

#[test]
fn the_package_of_a_module_is_that_of_the_hosts_release() {
    let spice = &["ui-spice-core", "audio-spice", "chardev-spice", "hw-display-qxl"];
    let bookworm = ("debian", [].as_slice(), Some("12"));
    let trixie = ("debian", [].as_slice(), Some("13"));
    let qxl = &["-device", "qxl-vga,addr=0x1d"];
    assert_eq!(advice(bookworm, spice, qxl), ["install qemu-system-common"]);
    assert_eq!(advice(trixie, spice, qxl), ["install qemu-system-modules-spice"]);
    assert_eq!(advice(("debian", &[], None), spice, qxl), ["install qemu-system-modules-spice"]);
    let both = &["ui-spice-core", "ui-opengl"];
    let port = &["-spice", "port=5990,disable-ticketing=on"];
    assert_eq!(
        advice(trixie, both, port),
        ["install qemu-system-modules-opengl and qemu-system-modules-spice"]
    );
    let char = &["-chardev", "spicevmc,id=c,name=vdagent"];
    assert_eq!(
        advice(("fedora", &[], Some("42")), &["chardev-spice"], char),
        ["install qemu-char-spice"]
    );
    let alma = ("almalinux", ["rhel", "centos", "fedora"].as_slice(), Some("9.4"));
    assert_eq!(
        advice(alma, &["hw-usb-host"], &["-device", "usb-host"]),
        ["install qemu-kvm-device-usb-host"]
    );
    let leap = ("opensuse-leap", ["suse", "opensuse"].as_slice(), Some("15.6"));
    assert_eq!(advice(leap, &["hw-display-qxl"], qxl), ["install qemu-hw-display-qxl"]);
    let ubuntu = ("ubuntu", ["debian"].as_slice(), Some("24.04"));
    assert_eq!(
        advice(ubuntu, &["audio-pa"], &["-audiodev", "pa,id=a"]),
        ["install the package that has audio-pa.so: apt-file search /audio-pa.so"]
    );
    assert_eq!(advice(("debian", &[], Some("14")), spice, qxl).len(), 1);
    assert_eq!(advice(trixie, spice, &["-device", "VGA,addr=0x1d"]), Vec::<String>::new());
    assert_eq!(
        advice(trixie, &["hw-display-virtio-gpu"], &["-device", "virtio-vga,addr=0x1d"]),
        ["install qemu-system-common"]
    );
}

#[test]
fn an_id_is_missed_whether_or_not_the_type_is_known() {
    let missing = with_qemu("12.0.0", &["-netdev", "user"]);
    assert_eq!(missing, blocks("missing-id"));
}

#[test]
fn one_of_two_devices_in_taken_slots_can_be_moved_alone() {
    let argv = ["-device", "virtio-rng-pci", "-device", "e1000"];
    let document = machine("q35", "<video/><memballoon model='virtio'/>", &argv);
    let before = judged(&host(), &document);
    let slots: Vec<&Finding> = before.iter().filter(|f| f.rule == "pci-slot").collect();
    assert_eq!(slots.len(), 2, "{before:?}");
    for finding in slots {
        let Step::EditXml(edits) = &finding.remedies[0].step else { panic!("{finding:?}") };
        // The other one is put into another taken slot then; that was so before.
        let after = judged(&host(), &document.apply(edits).unwrap());
        assert!(crate::rules::improves(&before, &after, finding), "{after:?}");
    }
}
