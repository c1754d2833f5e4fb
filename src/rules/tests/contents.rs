//! What stands in files, and addresses that are no paths.

use super::*;
use crate::facts::contents::Fault;
use crate::facts::image::Image;

#[test]
fn a_file_with_a_fault_blocks() {
    let sound = host().file("/srv/k", 0o644);
    let argv = ["-kernel", "/srv/k"];
    assert_eq!(found(&sound, &argv), []);
    let fault = Fault { what: "is empty".into(), says: "could not load kernel".into() };
    let faulty = with(sound, |host| {
        host.faults.insert("/srv/k".into(), fault.clone());
    });
    assert_eq!(found(&faulty, &argv), blocks("file-contents"));
}

#[test]
fn a_part_of_an_image_has_to_be_there() {
    let image =
        Image { format: "vmdk".into(), extents: vec!["a-flat.vmdk".into()], ..Image::default() };
    let made = |host: Host| {
        with(host.file("/srv/a.vmdk", 0o666), |host| {
            host.images.insert("/srv/a.vmdk".into(), image.clone());
        })
    };
    let argv = ["-drive", "file=/srv/a.vmdk,format=vmdk,if=none"];
    assert_eq!(found(&made(host().file("/srv/a-flat.vmdk", 0o666)), &argv), []);
    let gone = made(host().absent("/srv/a-flat.vmdk", 0o755));
    assert_eq!(found(&gone, &argv), blocks("path-missing"));
    let node = ["-blockdev", "vmdk,node-name=n,file.driver=file,file.filename=/srv/a.vmdk"];
    assert_eq!(found(&gone, &node), blocks("path-missing"));
}

#[test]
fn an_image_that_is_not_encrypted_has_no_key() {
    let image = |encrypted| Image { format: "qcow2".into(), encrypted, ..Image::default() };
    let verdict = |encrypted: bool, value: &str| {
        let host = with(host().file("/srv/a.img", 0o666), |host| {
            host.images.insert("/srv/a.img".into(), image(encrypted));
        });
        let all = found(&host, &["-object", "secret,id=s,data=x", "-drive", value]);
        all.into_iter().find(|(rule, _)| *rule == "image-key").map(|(_, verdict)| verdict)
    };
    let plain = "file=/srv/a.img,if=none,format=qcow2";
    let keyed = format!("{plain},encrypt.format=luks,encrypt.key-secret=s");
    assert_eq!(verdict(false, &keyed), Some(Verdict::Blocks));
    assert_eq!(verdict(true, &keyed), Some(Verdict::Unknown));
    assert_eq!(verdict(false, plain), None);
}

#[test]
fn abstract_sockets_have_their_listeners() {
    let argv = |keys: &str| ["-chardev".to_owned(), format!("socket,id=c,path=q,{keys}")];
    let rules = |host: &Host, keys: &str| {
        let argv = argv(keys);
        found(host, &[argv[0].as_str(), argv[1].as_str()])
    };
    let heard = with(host(), |host| host.listening = Known::Yes(vec!["@q".into()]));
    assert_eq!(rules(&host(), "abstract=on"), blocks("nobody-listens"));
    assert_eq!(rules(&host(), "abstract=on,reconnect=1"), []);
    assert_eq!(rules(&host(), "abstract=on,tight=off"), []);
    assert_eq!(rules(&host(), "abstract=on,server=on,wait=off"), []);
    assert_eq!(rules(&heard, "abstract=on"), []);
    let both = [
        "-chardev",
        "socket,id=c,path=q,abstract=on,server=on,wait=off",
        "-chardev",
        "socket,id=d,path=q,abstract=on",
    ];
    assert_eq!(found(&host(), &both), []);
}

#[test]
fn a_group_is_joined_by_an_address_of_this_host() {
    for (local, expected) in [("192.0.2.7", vec![]), ("192.0.2.9", blocks("port-taken"))] {
        let value = format!("socket,id=n,mcast=230.0.0.1:4444,localaddr={local}");
        assert_eq!(found(&host(), &["-netdev", &value]), expected, "{local}");
    }
}

#[test]
fn an_address_is_of_a_family_that_is_asked_for() {
    for (keys, expected) in [
        ("host=::1,ipv4=on", blocks("port-taken")),
        ("host=::1,ipv4=on,ipv6=on", vec![]),
        ("host=127.0.0.1,ipv4=on", vec![]),
        ("host=127.0.0.1,ipv6=on", blocks("port-taken")),
        ("host=127.0.0.1,ipv4=off", vec![]),
        ("host=localhost,ipv6=on", vec![]),
    ] {
        let value = format!("udp,id=c,port=4444,{keys}");
        assert_eq!(found(&host(), &["-chardev", &value]), expected, "{keys}");
    }
}

#[test]
fn a_key_is_made_before_what_it_opens() {
    let (key, secret) = ("secret,id=k,data=x", "secret,id=s,data=y,keyid=k,iv=z");
    let rules = |argv: &[&str]| -> Vec<&str> {
        let all = found(&host(), argv).into_iter();
        all.map(|(rule, _)| rule).filter(|rule| *rule == "missing-backend").collect()
    };
    assert_eq!(rules(&["-object", key, "-object", secret]), [""; 0]);
    assert_eq!(rules(&["-object", secret, "-object", key]), ["missing-backend"]);
    assert_eq!(rules(&["-object", secret]), ["missing-backend"]);
    // The one that libvirt makes for each domain.
    assert_eq!(rules(&["-object", "secret,id=s,data=y,keyid=masterKey0,iv=z"]), [""; 0]);
}

#[test]
fn what_the_domain_itself_names_is_there() {
    let absent = |path: &str| host().absent(path, 0o755);
    let rules = |host: &Host, devices: &str| {
        let devices = format!("<devices>{devices}</devices>");
        let text = domain("", &[]).source().replace("<devices/>", &devices);
        let findings = judged(host, &Document::parse(text).unwrap()).into_iter();
        let told = findings.filter(|finding| finding.verdict <= Verdict::Unknown);
        told.map(|finding| (finding.rule, finding.verdict)).collect::<Vec<_>>()
    };
    let bridge = "<interface type='bridge'><source bridge='br9'/></interface>";
    assert_eq!(rules(&absent("/sys/class/net/br9"), bridge), blocks("native-missing"));
    let there = host().at("/sys/class/net/br9", FileKind::Directory, 0o755, 0);
    assert_eq!(rules(&there, bridge), []);
    let network = "<interface type='network'><source network='lan'/></interface>";
    let state = "/run/libvirt/network/lan.xml";
    assert_eq!(rules(&absent(state), network), blocks("native-missing"));
    assert_eq!(rules(&host().file(state, 0o600), network), []);
    // The network driver did not run yet: it starts networks by itself.
    let before = with(absent(state), |host| {
        let Some(Known::Yes(walk)) = host.paths.get_mut(state) else { unreachable!() };
        walk.ending = Ending::Missing("/run/libvirt/network".into());
    });
    assert_eq!(rules(&before, network), []);
    let device = "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x99' slot='0x1f' function='0x1'/></source></hostdev>";
    let path = "/sys/bus/pci/devices/0000:99:1f.1";
    assert_eq!(rules(&absent(path), device), blocks("native-missing"));
    assert_eq!(rules(&host().at(path, FileKind::Directory, 0o755, 0), device), []);
}

#[test]
fn the_dynamic_linker_prints_in_the_place_of_qemu() {
    for (name, value, expected) in [
        ("LD_DEBUG", "help", blocks("qemu-exits")),
        ("LD_DEBUG", "libs", vec![]),
        ("LD_TRACE_LOADED_OBJECTS", "1", blocks("qemu-exits")),
        ("LD_BIND_NOW", "1", vec![]),
    ] {
        let text = format!(
            "<domain xmlns:qemu='{}'><qemu:commandline><qemu:env name='{name}' value='{value}'/></qemu:commandline></domain>",
            crate::domain::QEMU_NAMESPACE
        );
        let findings = judged(&host(), &Document::parse(text).unwrap());
        let found: Vec<_> = findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Blocks)
            .map(|finding| (finding.rule, finding.verdict))
            .collect();
        assert_eq!(found, expected, "{name}={value}");
    }
}

/// Tried with QEMU 7.2 and a second one, or qemu-storage-daemon, that had the image.
#[test]
fn an_image_that_somebody_else_has_is_said() {
    use crate::facts::locks::ImageLock;
    use crate::facts::walk::FileId;
    let id = |inode| FileId { major: 254, minor: 0, inode };
    let numbered = |mut host: Host, path: &str, inode| {
        let walk = host.0.paths.get_mut(path);
        if let Some(Known::Yes(walk)) = walk {
            walk.steps.last_mut().unwrap().file = Some(id(inode));
        }
        host
    };
    let host = || numbered(host().file("/srv/a.img", 0o666), "/srv/a.img", 7);
    let locked = |writes: bool, alone: bool, process: &str| {
        let mut host = host();
        let lock = ImageLock { file: id(7), writes, alone, process: process.into() };
        host.0.image_locks = Known::Yes(vec![lock]);
        host
    };
    let drive = |more: &str| format!("file=/srv/a.img,if=none,id=d,format=raw{more}");
    let said = |host: &Host, drive: &str, device: &str| {
        let device = format!("virtio-blk-pci,drive=d,addr=0x1e{device}");
        let mut found = found(host, &["-drive", drive, "-device", &device]);
        found.retain(|(rule, _)| rule.starts_with("image-"));
        found
    };
    let blocked = blocks("image-in-use");
    assert_eq!(said(&host(), &drive(""), ""), []);
    assert_eq!(said(&locked(true, true, "guest=other"), &drive(""), ""), blocked);
    assert_eq!(said(&locked(true, true, "guest=t"), &drive(""), ""), []);
    let unknown = [("image-in-use", Verdict::Unknown)];
    assert_eq!(said(&locked(true, true, ""), &drive(""), ""), unknown);
    // One who reads keeps writers away, and who shares is met only by those who do not.
    assert_eq!(said(&locked(false, true, "qemu-nbd"), &drive(""), ""), blocked);
    assert_eq!(said(&locked(false, true, "qemu-nbd"), &drive(",readonly=on"), ""), []);
    assert_eq!(said(&locked(true, false, "qemu-nbd"), &drive(",readonly=on"), ""), blocked);
    assert_eq!(said(&locked(true, false, "qemu-nbd"), &drive(""), ",share-rw=on"), []);
    assert_eq!(said(&locked(true, true, "qemu-nbd"), &drive(",file.locking=off"), ""), []);

    // One file by two names, and one below another image.
    let linked = numbered(host().file("/srv/b.img", 0o666), "/srv/b.img", 7);
    let second = ["-drive", "file=/srv/b.img,if=virtio,format=raw"];
    let plain = drive("");
    let both =
        [&["-drive", &plain, "-device", "virtio-blk-pci,drive=d,addr=0x1e"][..], &second].concat();
    let rules = |host: &Host, argv: &[&str]| -> Vec<&str> {
        let found = found(host, argv).into_iter().map(|(rule, _)| rule);
        found.filter(|rule| rule.starts_with("image-")).collect()
    };
    assert_eq!(rules(&linked, &both), ["image-in-use"]);
    let mut above = host().file("/srv/top.qcow2", 0o666);
    let image = Image {
        format: "qcow2".into(),
        backing: Some("/srv/a.img".into()),
        backing_format: Some("raw".into()),
        ..Image::default()
    };
    above.0.images.insert("/srv/top.qcow2".into(), image);
    let top = ["-drive", "file=/srv/top.qcow2,format=qcow2,if=virtio"];
    assert_eq!(rules(&above, &top), [""; 0]);
    let with_base = [&top[..], &["-drive", "file=/srv/a.img,format=raw,if=virtio"]].concat();
    assert_eq!(rules(&above, &with_base), ["image-in-use"]);
}

/// Started with libvirt 9.0 and QEMU 7.2 on a hugetlbfs without pages: 'Cannot allocate memory'; with reserve=off it starts.
#[test]
fn memory_in_huge_pages_needs_free_ones() {
    use crate::facts::kernel::HugePages;
    let with_free = |free| {
        let mut host = host().at("/srv/huge", FileKind::Directory, 0o777, 0);
        let mount = |option: &str| Mount {
            point: "/srv/huge".into(),
            fstype: "hugetlbfs".into(),
            options: vec![option.into()],
            shared: true,
        };
        let Known::Yes(mounts) = &mut host.0.mounts else { panic!("they are known") };
        mounts.push(mount("pagesize=2M"));
        let kind = |size, is_default, free| HugePages { size, is_default, free };
        host.0.kernel.huge_pages =
            Known::Yes(vec![kind(2 << 20, true, free), kind(1 << 30, false, 0)]);
        host
    };
    let file = ["-object", "memory-backend-file,id=m,mem-path=/srv/huge,size=4M,share=on"];
    let memory = ["-object", "memory-backend-memfd,id=n,hugetlb=on,size=4M"];
    let said = |free, argv: &[&str]| {
        let mut found = found(&with_free(free), argv);
        found.retain(|(rule, _)| *rule == "huge-pages");
        found
    };
    for argv in [&file, &memory] {
        assert_eq!(said(1, argv), blocks("huge-pages"));
        assert_eq!(said(2, argv), []);
    }
    assert_eq!(said(3, &[file, memory].concat()), blocks("huge-pages"));
    assert_eq!(said(4, &[file, memory].concat()), []);
    assert_eq!(
        said(0, &["-object", "memory-backend-memfd,id=n,hugetlb=on,reserve=off,size=4M"]),
        []
    );
    assert_eq!(said(0, &["-object", "memory-backend-memfd,id=n,size=4M"]), []);
    let large = ["-object", "memory-backend-memfd,id=n,hugetlb=on,hugetlbsize=1G,size=1G"];
    assert_eq!(said(9, &large), blocks("huge-pages"));
}

#[test]
fn what_may_only_grow_is_opened_for_appending() {
    let grows = || {
        let mut host = host().file("/srv/log", 0o666);
        let Some(Known::Yes(walk)) = host.0.paths.get_mut("/srv/log") else {
            panic!("it is there")
        };
        walk.steps.last_mut().unwrap().append_only = true;
        host
    };
    let blocked = blocks("immutable-file");
    assert_eq!(found(&grows(), &["-chardev", "file,id=c,path=/srv/log"]), blocked);
    assert_eq!(found(&grows(), &["-chardev", "file,id=c,path=/srv/log,append=on"]), []);
    assert_eq!(found(&grows(), &["-chardev", "null,id=c,logfile=/srv/log"]), blocked);
    assert_eq!(found(&grows(), &["-chardev", "null,id=c,logfile=/srv/log,logappend=on"]), []);
    assert_eq!(found(&grows(), &["-D", "/srv/log"]), blocked);
}
