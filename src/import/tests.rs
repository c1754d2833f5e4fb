//! Kinds of text, one by one; whole texts stand in `tests/fixtures/import`.

use std::collections::BTreeMap;

use super::*;

fn beside<'a>(there: &'a [Vec<EntryKind>], answers: &'a BTreeMap<String, String>) -> Beside<'a> {
    Beside { there, libvirt: None, answers }
}

fn signs(items: &[Item]) -> Vec<String> {
    let one = |item: &Item| {
        let sign = match &item.fate {
            Fate::Added => "+",
            Fate::There => "=",
            Fate::Elsewhere(_) => "~",
            Fate::Own => "o",
            Fate::Asked(_) => "?",
            Fate::NotUnderstood(_) => "-",
        };
        format!("{sign} {}", item.shown())
    };
    items.iter().map(one).collect()
}

fn shown(text: &str, there: &[Vec<EntryKind>]) -> Vec<String> {
    let answers = BTreeMap::new();
    signs(&read(text, &beside(there, &answers)).unwrap().items)
}

fn refused(text: &str) -> String {
    read(text, &beside(&[], &BTreeMap::new())).unwrap_err()
}

#[test]
fn a_shell_command_is_read_with_its_variables_quotes_and_comments() {
    let text = "# looking glass\nPULSE_LATENCY_MSEC=30 sudo qemu-system-x86_64 -m 4G \\\n  -device ivshmem-plain,memdev=m \\\n  -object 'memory-backend-file,id=m,mem-path=/dev/shm/a b' -S 2>&1 | tee log";
    for text in [text.to_owned(), text.replace('\n', "\r"), text.replace('\n', "\r\n")] {
        assert_eq!(
            shown(&text, &[]),
            [
                "~ -m 4G",
                "+ -device ivshmem-plain,memdev=m",
                "+ -object memory-backend-file,id=m,mem-path=/dev/shm/a b",
                "~ -S",
                "+ PULSE_LATENCY_MSEC=30",
            ]
        );
    }
}

#[test]
fn a_line_of_options_is_taken_as_it_is() {
    assert_eq!(shown("-S -device x", &[]), ["+ -S", "+ -device x"]);
    assert_eq!(shown("A=1 -device x", &[]), ["+ -device x", "+ A=1"]);
    assert!(refused("hello world").contains("'hello' is no option of QEMU"));
    assert!(refused("-device 'x").contains("left open"));
    assert_eq!(shown("  \n", &[]), Vec::<String>::new());
}

#[test]
fn what_is_quoted_ends_no_command_and_a_value_is_no_program() {
    assert_eq!(shown("-name '&&' -S && reboot", &[]), ["+ -name &&", "+ -S"]);
    assert_eq!(shown("-name a\\ \\; # it's > x\n-S", &[]), ["+ -name a ;", "+ -S"]);
    assert_eq!(shown("-name 'a\\\\\nb' \\\n -S", &[]), ["+ -name a\\\\\nb", "+ -S"]);
    assert_eq!(shown("-name \"a\\\\\nb\"", &[]), ["+ -name a\\\nb"]);
    assert_eq!(shown("-S -name qemu -device x", &[]), ["+ -S", "+ -name qemu", "+ -device x"]);
    assert_eq!(shown("cd /x && A=1 qemu-kvm -name a | tee b", &[]), ["~ -name a", "+ A=1"]);
    assert_eq!(shown("sudo -u root qemu-system-i386 -name kvm", &[]), ["~ -name kvm"]);
}

#[test]
fn what_the_domain_says_already_is_not_added_again() {
    let there = vec![
        vec![EntryKind::arg("-device"), EntryKind::arg("x")],
        vec![EntryKind::env("A", Some("1"))],
    ];
    assert_eq!(
        shown("A=1 -device x -device y -device y", &there),
        ["= -device x", "+ -device y", "= -device y", "= A=1"]
    );
}

#[test]
fn arrays_and_variables_of_the_same_text_take_their_values() {
    let text = "DIR=\"/srv/vm\"\nMEM=$((2*4))\nargs=(\n  -m \"${MEM}G\" # memory\n  -device usb-kbd\n  # -device never\n  -drive \"id=d,if=none,file=$DIR/a b.img\"\n)\nif [[ -n \"$DEBUG\" ]]; then\n  args+=(-s)\nelse\n  args+=( -device rng )\nfi\nexec qemu-system-x86_64 \"${args[@]}\" $UNSET_FLAGS \"$(pwd)/x\"\n";
    assert_eq!(
        shown(text, &[]),
        [
            "~ -m 8G",
            "+ -device usb-kbd",
            "+ -drive id=d,if=none,file=/srv/vm/a b.img",
            "+ -device rng",
            "? $UNSET_FLAGS",
            "? $(pwd)/x",
        ]
    );
}

#[test]
fn what_is_open_takes_an_answer() {
    let answers = BTreeMap::from([
        ("$DISK".to_owned(), "/srv/a.img".to_owned()),
        ("$(id -u)".to_owned(), "1000".to_owned()),
    ]);
    let text = "A=/run/user/$(id -u) qemu-kvm -drive file=${DISK},if=none -device <your-device>";
    let import = read(text, &beside(&[], &answers)).unwrap();
    assert_eq!(
        signs(&import.items),
        ["+ -drive file=/srv/a.img,if=none", "? -device <your-device>", "+ A=/run/user/1000"]
    );
    assert_eq!(import.items[1].fate, Fate::Asked(vec!["<your-device>".to_owned()]));
}

const LOG: &str = "2026-11-28 10:00:00.000+0000: starting up libvirt version: 9.0.0, package: 4 (Debian), qemu version: 7.2.22, kernel: 6.1.0, hostname: h\nLC_ALL=C \\\nPATH=/bin \\\nHOME=/var/lib/libvirt/qemu/domain-1-a \\\nMESA_DEBUG=1 \\\n/usr/bin/qemu-system-x86_64 \\\n-name guest=a,debug-threads=on \\\n-S \\\n-object '{\"qom-type\":\"secret\",\"id\":\"masterKey0\",\"format\":\"raw\",\"file\":\"/var/lib/libvirt/qemu/domain-1-a/master-key.aes\"}' \\\n-chardev socket,id=charmonitor,fd=22,server=on,wait=off \\\n-mon chardev=charmonitor,id=monitor,mode=control \\\n-device '{\"driver\":\"virtio-balloon-pci\",\"id\":\"balloon0\",\"bus\":\"pci.1\",\"addr\":\"0x0\"}' \\\n-device '{\"driver\":\"ivshmem-plain\",\"id\":\"shmem0\",\"memdev\":\"looking-glass\"}' \\\n-global ICH9-LPC.noreboot=off \\\n-sandbox on,obsolete=deny \\\n-msg timestamp=on\n2026-11-28T10:00:00.123Z qemu-system-x86_64: terminating on signal 15\n";

#[test]
fn a_log_of_libvirt_is_read_without_libvirts_own() {
    let expected = [
        "+ -device {\"driver\":\"ivshmem-plain\",\"id\":\"shmem0\",\"memdev\":\"looking-glass\"}",
        "+ -global ICH9-LPC.noreboot=off",
        "+ MESA_DEBUG=1",
    ];
    let all = shown(LOG, &[]);
    let others: Vec<&String> = all.iter().filter(|line| !line.starts_with('o')).collect();
    assert_eq!(others, expected.iter().collect::<Vec<_>>());
    assert_eq!(read(LOG, &beside(&[], &BTreeMap::new())).unwrap().told, Some(Told::Names));
}

#[test]
fn libvirts_own_answer_tells_its_options_from_others_of_such_names() {
    let own: Vec<String> = [
        "qemu",
        "-name",
        "guest=a,debug-threads=on",
        "-device",
        "{\"driver\":\"virtio-balloon-pci\",\"id\":\"balloon0\"}",
    ]
    .map(str::to_owned)
    .to_vec();
    let text = LOG.replace("-global ICH9-LPC.noreboot=off", "-device e1000,id=net0");
    let answers = BTreeMap::new();
    let import =
        read(&text, &Beside { there: &[], libvirt: Some(&own), answers: &answers }).unwrap();
    let all = signs(&import.items);
    let added: Vec<&String> = all.iter().filter(|line| line.starts_with('+')).collect();
    assert_eq!(
        added,
        [
            "+ -device {\"driver\":\"ivshmem-plain\",\"id\":\"shmem0\",\"memdev\":\"looking-glass\"}",
            "+ -device e1000,id=net0",
            "+ MESA_DEBUG=1",
        ]
    );
    assert_eq!(import.told, Some(Told::Asked));
}

#[test]
fn xml_from_a_forum_needs_no_namespace() {
    let text = "<qemu:commandline>\n <qemu:arg value='-device'/>\n <qemu:arg value=\"x\"/><qemu:env name='A' value='&lt;'/></qemu:commandline>";
    assert_eq!(shown(text, &[]), ["+ -device x", "+ A=<"]);
    assert!(refused("<a>\n<b").starts_with("line 2 of what was pasted"));
    assert!(refused("<a/>").contains("no <qemu:arg>"));
    let template = "xslt = <<EOF\n  <xsl:if test=\"$x\"><qemu:arg value=\"-s\"/>\n<qemu:env name='B' value='2'/>\nEOF";
    assert_eq!(shown(template, &[]), ["+ -s", "+ B=2"]);
}
