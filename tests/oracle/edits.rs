//! Every edit that a rule offers is one that libvirt takes, and says what it promised. Needs `virsh` and root, no daemon.

use std::path::Path;

use qpt_tui::cli::HostOptions;
use qpt_tui::domain::Document;
use qpt_tui::facts::HostFacts;
use qpt_tui::rules::{Finding, Scope, Step, judge};
use qpt_tui::session;

use crate::documents::{lines_of, oracle, virsh};

/// A domain with these arguments; `inside` are elements of `<devices>`.
fn document(machine: &str, inside: &str, args: &[&str]) -> String {
    let args = lines_of(args);
    format!(
        "<domain type='qemu' xmlns:qemu='{}'>\n  <name>edits</name>\n  <memory unit='KiB'>65536</memory>\n  <os>\n    <type arch='x86_64' machine='{machine}'>hvm</type>\n  </os>\n  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n{inside}  </devices>\n  <qemu:commandline>\n{args}  </qemu:commandline>\n</domain>\n",
        qpt_tui::domain::QEMU_NAMESPACE
    )
}

fn findings(document: &Document) -> (Vec<Finding>, HostFacts) {
    let options =
        HostOptions { qemu_conf: None, facts: None, session: false, user: None, only_static: true };
    let line = session::command_line(document);
    let host = session::facts(&options, &[(document, &line)]).unwrap();
    (judge(document, &line, &host), host)
}

/// What `virsh` says to a document: its complaint, or the arguments that QEMU would get.
fn native(root: &Path, text: &str) -> Result<String, String> {
    let file = root.join("edit.xml");
    std::fs::write(&file, text).unwrap();
    let file = file.display();
    let (_, error) = virsh(root, &format!("define --validate '{file}'; undefine edits"));
    if error.contains("error:") {
        return Err(error);
    }
    let (argv, error) = virsh(root, &format!("domxml-to-native qemu-argv '{file}'"));
    if error.contains("error:") { Err(error) } else { Ok(argv) }
}

const BALLOON: &str = "    <memballoon model='none'/>\n";

#[test]
fn libvirt_takes_every_edit_that_is_offered() {
    let Some(dir) = oracle() else { return };
    let video = format!("{BALLOON}    <video>\n      <model type='vga'/>\n    </video>\n");
    // Devices, arguments, the rule, and what the arguments of the next document must hold.
    let cases: [(&str, &[&str], &str, &str); 34] = [
        (
            BALLOON,
            &["-object", "input-linux,id=k,evdev=/dev/input/event0,grab_all=on,repeat=off"],
            "native-input",
            "\"grab_all\":true",
        ),
        (
            BALLOON,
            &["-object", "input-linux,id=k,evdev=/dev/input/event0,grab-toggle=scrolllock"],
            "native-input",
            "scrolllock",
        ),
        (
            BALLOON,
            &["-device", "virtio-input-host-pci,evdev=/dev/input/event0"],
            "native-input",
            "virtio-input-host",
        ),
        (BALLOON, &["-device", "usb-kbd"], "native-input", "usb-kbd"),
        (BALLOON, &["-device", "usb-tablet,bus=usb.0"], "native-input", "usb-tablet"),
        (BALLOON, &["-device", "usb-mouse"], "native-input", "usb-mouse"),
        (
            BALLOON,
            &["-device", "vfio-pci,host=0000:01:00.1,romfile=/r.rom"],
            "native-hostdev",
            "0000:01:00.1",
        ),
        (
            BALLOON,
            &[
                "-device",
                "vfio-pci,sysfsdev=/sys/bus/mdev/devices/c2177883-f1bb-47f0-914d-32a22e3a8804",
            ],
            "native-hostdev",
            "c2177883-f1bb-47f0-914d-32a22e3a8804",
        ),
        (
            BALLOON,
            &["-object", "rng-random,id=r,filename=/dev/random", "-device", "virtio-rng-pci,rng=r"],
            "native-rng",
            "/dev/random",
        ),
        (
            BALLOON,
            &[
                "-audiodev",
                "pa,id=a,server=unix:/run/user/1000/pulse/native",
                "-device",
                "ich9-intel-hda",
                "-device",
                "hda-micro,audiodev=a",
            ],
            "native-sound",
            "hda-micro",
        ),
        (
            BALLOON,
            &[
                "-object",
                "memory-backend-file,id=m,mem-path=/dev/shm/looking-glass,size=32M,share=on",
                "-device",
                "ivshmem-plain,memdev=m",
            ],
            "native-shmem",
            "/dev/shm/looking-glass",
        ),
        (
            BALLOON,
            &[
                "-object",
                r#"{"qom-type":"memory-backend-file","id":"m","mem-path":"/dev/shm/lg","size":33554432,"share":true}"#,
                "-device",
                r#"{"driver":"ivshmem-plain","memdev":"m"}"#,
            ],
            "native-shmem",
            "/dev/shm/lg",
        ),
        (
            BALLOON,
            &["-fw_cfg", "name=opt/a,file=/srv/a", "-fw_cfg", "name=opt/b,string=x y"],
            "native-fwcfg",
            "name=opt/a,file=/srv/a",
        ),
        (
            BALLOON,
            &[
                "-smbios",
                "type=1,manufacturer=A,,B",
                "-smbios",
                "type=0,vendor=V",
                "-smbios",
                "type=2,product=P",
            ],
            "native-sysinfo",
            "manufacturer=A,,B",
        ),
        (
            BALLOON,
            &["-netdev", "user,id=n", "-device", "e1000e,netdev=n,mac=52:54:00:00:00:01"],
            "native-interface",
            "52:54:00:00:00:01",
        ),
        (
            BALLOON,
            &[
                "-fsdev",
                "local,id=f,path=/srv,security_model=mapped-xattr,readonly=on",
                "-device",
                "virtio-9p-pci,fsdev=f,mount_tag=t",
            ],
            "native-filesystem",
            "\"mount_tag\":\"t\"",
        ),
        (
            BALLOON,
            &["-virtfs", "local,path=/srv,mount_tag=t,security_model=none"],
            "native-filesystem",
            "\"mount_tag\":\"t\"",
        ),
        (
            BALLOON,
            &[
                "-chardev",
                "socket,id=v,path=/run/v.sock",
                "-device",
                "vhost-user-fs-pci,chardev=v,tag=t",
            ],
            "native-filesystem",
            "vhost-user-fs-pci",
        ),
        (
            BALLOON,
            &["-object", "memory-backend-memfd,id=m,size=64M,share=on", "-numa", "node,memdev=m"],
            "native-memory",
            "memory-backend-memfd",
        ),
        (
            BALLOON,
            &[
                "-object",
                "memory-backend-file,id=m,mem-path=/dev/shm/m,size=64M,share=on",
                "-numa",
                "node,memdev=m",
            ],
            "native-memory",
            "memory-backend-file",
        ),
        (BALLOON, &["-overcommit", "mem-lock=on"], "native-memory", "mem-lock=on"),
        (BALLOON, &["-msg", "guest-name=on", "-m", "128"], "option-conflict", "guest-name=on"),
        (BALLOON, &["-msg", "guest-name=on", "-smp", "8"], "option-conflict", "guest-name=on"),
        (BALLOON, &["-msg", "guest-name=on", "-enable-kvm"], "option-conflict", "guest-name=on"),
        (&video, &["-set", "device.video0.vgamem_mb=32"], "set-target", "\"vgamem_mb\":32"),
        (&video, &["-set", "device.video0.edid=off"], "set-target", "\"edid\":false"),
        (&video, &["-set", "device.video0.romfile=/x.rom"], "set-target", "/x.rom"),
        (
            BALLOON,
            &["-device virtio-rng-pci,addr=0x1e", "-S"],
            "joined-option",
            "virtio-rng-pci,addr=0x1e",
        ),
        (
            BALLOON,
            &["-device virtio-rng-pci,addr=0x1e -object 'iothread,id=a b'"],
            "joined-option",
            "'iothread,id=a b'",
        ),
        (BALLOON, &["-S", "-device"], "dangling-option", "-S"),
        (BALLOON, &["device", "virtio-rng-pci,addr=0x1e"], "stray-argument", "-device"),
        (BALLOON, &["-drive", "file=/srv/a,b.img,if=none"], "comma-in-value", "file=/srv/a,,b.img"),
        (BALLOON, &["-chardev", "socket,id=c,path=/srv/s,server=on"], "socket-waits", "wait=off"),
        ("", &["-device", "virtio-rng-pci"], "pci-slot", "virtio-rng-pci,addr="),
    ];
    let mut wrong = Vec::new();
    for machine in ["q35", "pc"] {
        for (inside, args, rule, wanted) in &cases {
            let document = Document::parse(document(machine, inside, args)).unwrap();
            let (found, _) = findings(&document);
            let finding = found.iter().find(|finding| finding.rule == *rule);
            let Some(finding) = finding else {
                wrong.push(format!(
                    "{machine} {args:?}: {rule} is not among {:?}",
                    found.iter().map(|f| f.rule).collect::<Vec<_>>()
                ));
                continue;
            };
            let edits = finding.remedies.iter().find_map(|remedy| {
                let Step::EditXml(edits) = &remedy.step else { return None };
                (remedy.scope == Scope::Rewrite).then_some(edits)
            });
            let Some(edits) = edits else {
                wrong.push(format!(
                    "{machine} {args:?}: {rule} offers no edit: {:?}",
                    finding.remedies
                ));
                continue;
            };
            let next = document.apply(edits).unwrap();
            match native(dir.path(), next.source()) {
                Ok(argv) if argv.contains(wanted) => {}
                Ok(argv) => wrong.push(format!("{machine} {args:?}: {wanted} is not in {argv}")),
                // Defined and valid; this host has no VFIO to convert it.
                Err(error)
                    if error.contains("invalid PCI passthrough type")
                        && next.source().contains("bus='0x01'") => {}
                Err(error) => wrong.push(format!("{machine} {args:?}: {error}{}", next.source())),
            }
            let after = findings(&next).0;
            if after.iter().any(|other| other.rule == *rule && other.entry == finding.entry) {
                wrong.push(format!("{machine} {args:?}: {rule} still says so"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_was_lost_is_there_after_its_repair() {
    let Some(dir) = oracle() else { return };
    let whole = document("q35", BALLOON, &["-S"]);
    let ns = format!(" xmlns:qemu='{}'", qpt_tui::domain::QEMU_NAMESPACE);
    let block =
        &whole[whole.find("  <qemu:commandline>").unwrap()..whole.find("</domain>").unwrap()];
    let without = whole.replace(block, "");
    let lost = [
        whole.replace(&ns, ""),
        whole.replace("domain/qemu/1.0", "domain/qemu/1.1"),
        whole.replace("libvirt.org/schemas", "libvirt.org/schema"),
        without.replace("  </devices>", &format!("  {}  </devices>", block.trim_start())),
        without.replace("  <devices>", &format!("  <metadata>\n{block}  </metadata>\n  <devices>")),
        whole.replace("qemu:commandline", "commandline").replace("qemu:arg", "arg"),
        whole.replace("qemu:arg", "arg"),
        whole.replace("  <qemu:commandline>\n", "").replace("  </qemu:commandline>\n", ""),
        whole.replace("</domain>", &format!("{}</domain>", block.replace("-S", "-no-acpi"))),
    ];
    for text in lost {
        assert_ne!(text, whole);
        let document = Document::parse(text.as_str()).unwrap();
        let found = findings(&document).0;
        let finding = found
            .iter()
            .find(|f| ["lost-block", "two-blocks"].contains(&f.rule))
            .unwrap_or_else(|| panic!("{text}"));
        let Step::EditXml(edits) = &finding.remedies[0].step else { panic!("{finding:?}") };
        let next = document.apply(edits).unwrap();
        let argv = native(dir.path(), next.source())
            .unwrap_or_else(|error| panic!("{error}{}", next.source()));
        assert!(argv.contains("-S"), "{argv}");
        assert!(
            findings(&next).0.iter().all(|f| !["lost-block", "two-blocks"].contains(&f.rule)),
            "{}",
            next.source()
        );
    }
}

#[test]
fn edits_of_the_rest_of_the_namespace_are_taken() {
    let Some(dir) = oracle() else { return };
    let rest = "  <qemu:capabilities>\n    <qemu:del capability='device.json'/>\n  </qemu:capabilities>\n  <qemu:override>\n    <qemu:device alias='sound7'>\n      <qemu:frontend>\n        <qemu:property name='x' type='bool' value='true'/>\n      </qemu:frontend>\n    </qemu:device>\n  </qemu:override>\n</domain>";
    let text = document("q35", BALLOON, &["-S"]).replace("</domain>", rest);
    for (rule, gone) in
        [("capability-without-effect", "'device.json'"), ("override-alias", "sound7")]
    {
        let document = Document::parse(text.as_str()).unwrap();
        let (found, _) = findings(&document);
        let finding = found
            .iter()
            .find(|finding| finding.rule == rule)
            .unwrap_or_else(|| panic!("{rule}: {found:?}"));
        assert!(finding.entry.is_some(), "{finding:?}");
        let Step::EditXml(edits) = &finding.remedies[0].step else { panic!("{finding:?}") };
        let next = document.apply(edits).unwrap();
        assert!(!next.source().contains(gone), "{}", next.source());
        native(dir.path(), next.source())
            .unwrap_or_else(|error| panic!("{error}{}", next.source()));
        assert!(findings(&next).0.iter().all(|other| other.rule != rule));
    }
}
