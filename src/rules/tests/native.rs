//! Native elements in place of arguments.

use super::*;

#[test]
fn native_elements_are_offered_where_they_say_the_same() {
    for (argv, rule) in [
        (&["-object", "input-linux,id=a,evdev=/dev/hw"][..], "native-input"),
        (&["-device", "vfio-pci,host=01:00.0,addr=0x1e"], "native-hostdev"),
        (&["-device", "usb-host,vendorid=0x46d,productid=0xc539"], "native-hostdev"),
        (
            &[
                "-object",
                "rng-random,id=r,filename=/x",
                "-device",
                "virtio-rng-pci,rng=r,addr=0x1e",
            ],
            "native-rng",
        ),
        (&["-fw_cfg", "name=opt/x,string=y"], "native-fwcfg"),
        (&["-smbios", "type=1,product=y"], "native-sysinfo"),
        (&["-netdev", "user,id=n", "-device", "e1000,netdev=n,addr=0x1e"], "native-interface"),
        (&["-device", "vhost-vsock-pci,guest-cid=3,id=v,addr=0x1e"], "native-element"),
        (&["-no-hpet"], "native-element"),
        (&["-vga", "none"], "native-element"),
        (
            &["-netdev", "socket,id=n,mcast=230.0.0.1:1234", "-device", "e1000,netdev=n"],
            "native-element",
        ),
        (&["-device", r#"{"driver":"i6300esb","id":"w"}"#], "native-element"),
    ] {
        assert!(said(argv).contains(&rule), "{argv:?}: {:?}", said(argv));
    }
    for argv in [
        // Keys that the element can't say, ids that something else uses, values that libvirt would change.
        &["-device", "vfio-pci,host=01:00.0,addr=0x1e,x-vga=on"][..],
        &["-object", "input-linux,id=a,evdev=/dev/hw,nosuch=on"],
        &[
            "-object",
            "memory-backend-file,id=m,mem-path=/dev/kvmfr0,size=32M,share=on",
            "-device",
            "ivshmem-plain,memdev=m,addr=0x1e",
        ],
        &[
            "-object",
            "memory-backend-file,id=m,mem-path=/dev/shm/x,size=33M,share=on",
            "-device",
            "ivshmem-plain,memdev=m,addr=0x1e",
        ],
        &["-fw_cfg", "name=opt/x,string=a,,b"],
        &["-fw_cfg", "name=etc/x,string=y"],
        &["-smbios", "type=4,manufacturer=y"],
        &["-netdev", "user,id=n,smb=/srv", "-device", "e1000,netdev=n,addr=0x1e"],
        &[
            "-netdev",
            "user,id=n",
            "-device",
            "e1000,netdev=n,addr=0x1e",
            "-object",
            "filter-dump,id=f,netdev=n,file=/x",
        ],
        &["-device", "usb-kbd,pcap=/x"],
        // One that another option sets something of, one that is said twice, one of another machine, one that is half there.
        &["-device", "i6300esb,id=w,addr=0x1e", "-set", "device.w.x-nosuch=1"],
        &["-device", "vhost-vsock-pci,guest-cid=3,guest-cid=4,addr=0x1e"],
        &["-device", "ib700"],
        &["-object", "rng-builtin,id=r", "-device", "virtio-rng-pci,rng=q,addr=0x1e"],
        &["-vga", "nosuch"],
        &["-bios", "bios.bin"],
        // What libvirt reads as a blank, and what XML can't hold.
        &["-object", "input-linux,id=a,evdev=/dev/h\tw"],
        &["-object", r#"{"qom-type":"input-linux","id":"a","evdev":"/dev/h\u0001w"}"#],
    ] {
        assert!(
            said(argv).iter().all(|rule| !rule.starts_with("native-")),
            "{argv:?}: {:?}",
            said(argv)
        );
    }
    let mut old = host();
    old.0.libvirt = Known::Yes("7.0.0".into());
    let findings = judged(&old, &domain("", &["-object", "input-linux,id=a,evdev=/dev/hw"]));
    assert!(
        findings.iter().all(|f| f.remedies.iter().all(|r| r.scope != Scope::Rewrite)),
        "{findings:?}"
    );
}

#[test]
fn the_native_element_is_the_first_remedy_of_what_it_lets_through() {
    let host = host().node("/dev/hw", 13, 64, 0o660);
    let document = domain("", &["-object", "input-linux,id=a,evdev=/dev/hw"]);
    let findings = judged(&host, &document);
    let blocking: Vec<_> =
        findings.iter().filter(|finding| finding.verdict == Verdict::Blocks).collect();
    assert_eq!(blocking.len(), 3);
    assert!(
        blocking.iter().all(|finding| finding.remedies[0]
            .title
            .starts_with("write it as <input type='evdev'>"))
    );
    // libvirt opens no directory on the way.
    let shut = host.with("/dev/hw", "/dev", |step| step.mode = 0o700);
    let findings = judged(&shut, &document);
    let closed = findings.iter().find(|finding| finding.rule == "closed-directory").unwrap();
    assert!(closed.remedies.iter().all(|remedy| remedy.scope != Scope::Rewrite));
}

#[test]
fn what_is_missing_may_be_missing_in_the_element_too() {
    let gone = host().absent("/dev/input/gone", 0o755);
    let document = domain("", &["-object", "input-linux,id=a,evdev=/dev/input/gone"]);
    let before = judged(&gone, &document);
    let note = before.iter().find(|finding| finding.rule == "native-input").unwrap();
    let Step::EditXml(edits) = &note.remedies[0].step else { panic!("{note:?}") };
    let after = judged(&gone, &document.apply(edits).unwrap());
    let blocks = |findings: &[Finding], rule| findings.iter().any(|f| f.rule == rule);
    assert!(blocks(&before, "path-missing") && blocks(&after, "native-missing"));
    assert!(crate::rules::improves(&before, &after, note), "{after:?}");
    // Where the argument lacked nothing, the element may not.
    let there = host().node("/dev/input/gone", 13, 64, 0o666);
    assert!(!crate::rules::improves(&judged(&there, &document), &after, note));
}
