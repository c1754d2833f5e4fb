//! What the kernel and QEMU refuse whoever asks: attributes, ports, taps, limits, numbers, keys.

use super::*;
use crate::domain::List;
use crate::facts::emulator::{Emulator, Property};
use crate::facts::kernel::Tap;
use crate::facts::sockets::Listener;

pub(super) const TAP: [&str; 2] = ["-netdev", "tap,id=n,ifname=t,script=no,downscript=no"];
pub(super) const MEMORY: [&str; 2] =
    ["-object", "memory-backend-file,id=m,mem-path=/srv/a.img,size=1M,share=on"];

/// `/tmp/a`, somebody's link to a file that everybody may write.
pub(super) fn link_in_tmp(owner: u32) -> Host {
    let host = host().file("/srv/a.img", 0o666).link("/tmp/a", "/srv/a.img");
    let Some(Known::Yes(walk)) = host.0.paths.get("/tmp/a").cloned() else { unreachable!() };
    let mut walk = walk;
    walk.steps.insert(1, step("/tmp", FileKind::Directory, 0o1777, 0));
    with(host, |host| {
        let mut walk = walk.clone();
        walk.steps[2].uid = owner;
        host.paths.insert("/tmp/a".into(), Known::Yes(walk));
    })
}

fn listening(address: &str, process: &str) -> Host {
    let ear =
        Listener { address: address.parse().unwrap(), process: process.into(), six_only: false };
    with(host(), |host| host.tcp = Known::Yes(vec![ear.clone()]))
}

/// The rules that block, without those of the private /dev.
fn beside_dev(host: &Host, argv: &[&str]) -> Vec<&'static str> {
    let devices = ["namespace-hidden", "cgroup-device", "path-unknown"];
    found(host, argv)
        .into_iter()
        .map(|(rule, _)| rule)
        .filter(|rule| !devices.contains(rule))
        .collect()
}

#[test]
fn what_nobody_may_change_is_not_written() {
    let flagged = |change: fn(&mut HostStep)| {
        host().file("/srv/a.img", 0o666).with("/srv/a.img", "/srv/a.img", change)
    };
    assert_eq!(found(&flagged(|step| step.immutable = true), &BLOCKDEV), blocks("immutable-file"));
    assert_eq!(
        found(&flagged(|step| step.append_only = true), &BLOCKDEV),
        blocks("immutable-file")
    );
    assert_eq!(
        found(&flagged(|step| step.immutable = true).root(), &BLOCKDEV),
        blocks("immutable-file")
    );
    // Without a device that writes it is opened read-only.
    assert_eq!(found(&flagged(|step| step.immutable = true), &DRIVE), []);
    let log = ["-chardev", "file,id=c,path=/srv/d/out"];
    let shut = host()
        .absent("/srv/d/out", 0o777)
        .with("/srv/d/out", "/srv/d", |step| step.immutable = true);
    assert_eq!(found(&shut, &log), blocks("immutable-file"));
}

#[test]
fn no_device_is_opened_on_a_nodev_mount() {
    let argv = ["-object", "rng-random,id=r,filename=/nodev/null"];
    assert_eq!(found(&host().node("/nodev/null", 1, 3, 0o666), &argv), blocks("nodev-mount"));
    let argv = ["-object", "rng-random,id=r,filename=/srv/null"];
    assert_eq!(found(&host().node("/srv/null", 1, 3, 0o666), &argv), []);
}

#[test]
fn links_of_others_in_sticky_directories_are_not_followed() {
    let argv = ["-blockdev", "file,filename=/tmp/a,node-name=n"];
    assert_eq!(found(&link_in_tmp(1000), &argv), blocks("dac-sticky-link"));
    // QEMU's own, or the directory's owner's.
    assert_eq!(found(&link_in_tmp(64055), &argv), []);
    assert_eq!(found(&link_in_tmp(0), &argv), []);
    assert_eq!(
        found(
            &with(link_in_tmp(1000), |host| host.kernel.protected_symlinks = Known::Yes(false)),
            &argv
        ),
        []
    );
    let unknown = with(link_in_tmp(1000), |host| host.kernel.protected_symlinks = Known::default());
    assert_eq!(found(&unknown, &argv), [("dac-sticky-link", Verdict::Unknown)]);
}

#[test]
fn a_memory_file_must_be_large_enough() {
    let sized = |size: u64| {
        host().file("/srv/a.img", 0o666).with("/srv/a.img", "/srv/a.img", |step| step.size = size)
    };
    assert_eq!(found(&sized(1 << 19), &MEMORY), blocks("memory-size"));
    assert_eq!(found(&sized(1 << 20), &MEMORY), []);
    assert_eq!(found(&sized(0), &MEMORY), []);
}

#[test]
fn a_plain_file_among_the_device_nodes_is_not_the_device() {
    let argv = ["-object", "memory-backend-file,id=m,mem-path=/dev/kvmfr0,size=1M,share=on"];
    let rules =
        |host: &Host| found(host, &argv).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
    assert!(rules(&host().absent("/dev/kvmfr0", 0o755)).contains(&"path-missing"));
    assert!(rules(&host().file("/dev/kvmfr0", 0o666)).contains(&"path-kind"));
    let device = rules(&host().node("/dev/kvmfr0", 240, 0, 0o666));
    assert!(!device.contains(&"path-kind") && !device.contains(&"path-missing"), "{device:?}");
    let shared = ["-object", "memory-backend-file,id=m,mem-path=/dev/shm/lg,size=1M,share=on"];
    assert_eq!(found(&host().absent("/dev/shm/lg", 0o777), &shared), []);
}

#[test]
fn a_block_node_names_the_driver_of_what_stands_there() {
    let rules = |host: &Host, argv: &[&str]| {
        let all = beside_dev(host, argv);
        all.into_iter().filter(|rule| *rule == "path-kind").count()
    };
    let disk = host().at("/srv/disk", FileKind::Block(8, 16), 0o666, 0).file("/srv/a", 0o666);
    for (value, expected) in [
        ("driver=file,filename=/srv/disk,node-name=n", 1),
        ("file,filename=/srv/disk,node-name=n", 1),
        ("host_device,filename=/srv/disk,node-name=n", 0),
        ("host_device,filename=/srv/a,node-name=n", 1),
        ("driver=raw,file.driver=file,file.filename=/srv/disk,node-name=n", 1),
        ("file,filename=/srv/a,node-name=n", 0),
    ] {
        let argv = ["-blockdev", value];
        assert_eq!(rules(&disk, &argv), expected, "{value}");
        let findings = judged(&disk, &domain("", &argv));
        for finding in findings.iter().filter(|finding| finding.rule == "path-kind") {
            let Step::EditXml(edits) = &finding.remedies[0].step else { panic!("{finding:?}") };
            let repaired = domain("", &argv).apply(edits).unwrap();
            assert_eq!(rules(&disk, &repaired.argv()), 0, "{value}");
        }
    }
    // A name without a driver opens either.
    assert_eq!(rules(&disk, &["-drive", "file=/srv/disk,format=raw,if=none,id=d"]), 0);
}

#[test]
fn an_override_names_files_too() {
    let text = domain("", &[]).source().replace(
        "</domain>",
        "<q:override xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:device alias='net0'><q:frontend><q:property name='romfile' type='string' value='/srv/gone.rom'/></q:frontend></q:device></q:override></domain>",
    );
    let document = Document::parse(text).unwrap();
    let findings = judged(&host().absent("/srv/gone.rom", 0o755), &document);
    let missing = findings.iter().find(|finding| finding.rule == "path-missing");
    assert_eq!(missing.unwrap().entry, Some(document.list(List::Extras)[0].id));
    // libvirt hands name and value over as JSON: a name with '=' is that name, which no device has.
    let other = document.source().replace("'romfile'", "'romfile=/srv/gone.rom'");
    let findings = judged(&host().absent("/srv/gone.rom", 0o755), &Document::parse(other).unwrap());
    assert!(findings.iter().all(|finding| finding.rule != "path-missing"), "{findings:?}");
}

#[test]
fn a_pci_device_is_there_and_bound() {
    let argv = ["-device", "vfio-pci,host=3:0.1,iommufd=i", "-object", "iommufd,id=i,fd=3"];
    let rules = |host: &Host| {
        let found = found(host, &argv).into_iter().filter(|(rule, _)| *rule == "pci-device");
        found.map(|(_, verdict)| verdict).collect::<Vec<_>>()
    };
    let device = "/sys/bus/pci/devices/0000:03:00.1";
    let driver = format!("{device}/driver");
    let group = format!("{device}/iommu_group");
    let bare = host().at(device, FileKind::Directory, 0o755, 0);
    assert_eq!(rules(&bare.clone().absent(&group, 0o755)), [Verdict::Blocks], "no IOMMU");
    let there = bare.at(&group, FileKind::Directory, 0o755, 0);
    let bound = |name: &str| {
        let target = format!("/sys/bus/pci/drivers/{name}");
        let host = there.clone().at(&driver, FileKind::Directory, 0o755, 0);
        host.with(&driver, &driver, |step| step.path.clone_from(&target))
    };
    assert_eq!(rules(&host()), [Verdict::Unknown], "nobody looked");
    assert_eq!(rules(&host().absent(device, 0o755)), [Verdict::Blocks]);
    assert_eq!(rules(&there.clone().absent(&driver, 0o755)), [Verdict::Blocks]);
    assert_eq!(rules(&bound("nvme")), [Verdict::Blocks]);
    assert_eq!(rules(&bound("vfio-pci")), []);
    let hook = "/etc/libvirt/hooks/qemu";
    assert_eq!(rules(&bound("nvme").file(hook, 0o755)), [Verdict::Unknown]);
    // The whole group has to be VFIO's.
    let shared = |driver: Option<&str>| {
        let link = bound("vfio-pci").with(&group, &group, |step| {
            "/sys/kernel/iommu_groups/4".clone_into(&mut step.path);
        });
        let driver = driver.map(str::to_owned);
        let of = |name: &str| (name.to_owned(), Some("vfio-pci".to_owned()));
        let devices = BTreeMap::from([of("0000:03:00.1"), ("0000:03:00.0".to_owned(), driver)]);
        with(link, |host| host.iommu_groups = BTreeMap::from([("4".to_owned(), devices.clone())]))
    };
    for driver in [None, Some("vfio-pci"), Some("pcieport")] {
        assert_eq!(rules(&shared(driver)), [], "{driver:?}");
    }
    assert_eq!(rules(&shared(Some("snd_hda_intel"))), [Verdict::Blocks]);
    assert_eq!(rules(&shared(Some("nvme")).file(hook, 0o755)), [Verdict::Unknown]);
}

#[test]
fn the_node_of_a_vfio_group_is_opened_too() {
    let device = "/sys/bus/pci/devices/0000:03:00.1";
    let (group, driver) = (format!("{device}/iommu_group"), format!("{device}/driver"));
    let host = host().at(device, FileKind::Directory, 0o755, 0);
    let host = host.at(&group, FileKind::Directory, 0o755, 0).with(&group, &group, |step| {
        "/sys/kernel/iommu_groups/4".clone_into(&mut step.path);
    });
    let host = host.at(&driver, FileKind::Directory, 0o755, 0).with(&driver, &driver, |step| {
        "/sys/bus/pci/drivers/vfio-pci".clone_into(&mut step.path);
    });
    let host = host.node("/dev/vfio/vfio", 10, 196, 0o666).node("/dev/vfio/4", 241, 0, 0o600);
    let document = domain("", &["-device", "vfio-pci,host=03:00.1"]);
    let findings = judged(&host.conf("namespaces = []\ncgroup_controllers = []"), &document);
    let blocking = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Blocks && finding.layer == Layer::Dac);
    let blocking: Vec<(&str, &str)> = blocking
        .map(|finding| {
            (finding.rule, finding.resource.as_ref().map_or("", |resource| resource.name()))
        })
        .collect();
    assert_eq!(blocking, [("dac-unreadable", "/dev/vfio/4")]);
}

/// A host whose `/srv` is a FUSE mount with these options.
fn fuse(options: &str) -> Host {
    let options = options.split(',').map(str::to_owned).collect();
    with(host(), |host| {
        let Known::Yes(mounts) = &mut host.mounts else { unreachable!() };
        let options = Vec::clone(&options);
        mounts.push(Mount { fstype: "fuse.sshfs".into(), options, ..mount("/srv", "rw") });
    })
}

#[test]
fn a_fuse_mount_without_allow_other_lets_in_who_mounted_it() {
    let file = |options: &str| fuse(options).file("/srv/a.img", 0o666);
    assert_eq!(found(&file("user_id=0,group_id=0"), &BLOCKDEV), blocks("fuse-private"));
    assert_eq!(found(&file("user_id=0,group_id=0").root(), &BLOCKDEV), []);
    // Root is no exception, and the group counts.
    assert_eq!(
        found(&file("user_id=1000,group_id=1000").root(), &BLOCKDEV),
        blocks("fuse-private")
    );
    assert_eq!(found(&file("user_id=0,group_id=5").root(), &BLOCKDEV), blocks("fuse-private"));
    assert_eq!(found(&file("user_id=64055,group_id=106"), &BLOCKDEV), []);
    assert_eq!(found(&file("user_id=0,group_id=0,allow_other"), &BLOCKDEV), []);
    // What nobody could look into.
    let ended = |ending: Ending| {
        with(file("user_id=1000,group_id=1000"), |host| {
            let Some(Known::Yes(walk)) = host.paths.get_mut("/srv/a.img") else { unreachable!() };
            walk.steps.pop();
            walk.steps.last_mut().unwrap().mode = 0;
            walk.ending = ending.clone();
        })
    };
    let path = || "/srv/a.img".to_owned();
    assert_eq!(found(&ended(Ending::Private(path())), &BLOCKDEV), blocks("fuse-private"));
    let own = with(ended(Ending::Private(path())), |host| {
        let who = Identity { user: "me".into(), uid: 1000, gid: 1000, groups: vec![] };
        host.identities.insert(String::new(), Known::Yes(who));
    });
    assert_eq!(found(&own, &BLOCKDEV), [("path-unknown", Verdict::Unknown)]);
    let dead = with(ended(Ending::Unserved(path())), |host| {
        let Known::Yes(mounts) = &mut host.mounts else { unreachable!() };
        mounts.last_mut().unwrap().options.push("allow_other".into());
    });
    assert_eq!(found(&dead, &BLOCKDEV), blocks("path-missing"));
}

#[test]
fn a_mount_with_other_ids_lets_nobody_write_what_it_has_no_owner_for() {
    let idmapped = |uid: u32| {
        with(host().at("/srv/a.img", FileKind::File, 0o666, uid), |host| {
            let Known::Yes(mounts) = &mut host.mounts else { unreachable!() };
            mounts.push(mount("/srv", "idmapped"));
        })
    };
    assert_eq!(found(&idmapped(65534), &BLOCKDEV), blocks("dac-unwritable"));
    assert_eq!(found(&idmapped(65534).root(), &BLOCKDEV), blocks("dac-unwritable"));
    assert_eq!(found(&idmapped(0), &BLOCKDEV), []);
    let new = |uid: u32| {
        let host = with(host().absent("/srv/log", 0o777), |host| {
            let Known::Yes(mounts) = &mut host.mounts else { unreachable!() };
            mounts.push(mount("/srv", "idmapped"));
        });
        host.with("/srv/log", "/srv", |step| step.uid = uid)
    };
    let argv = ["-chardev", "file,id=c,path=/srv/log"];
    assert_eq!(found(&new(0), &argv), [("dac-cannot-create", Verdict::Unknown)]);
    assert_eq!(found(&new(64055), &argv), []);
    assert_eq!(found(&new(0).root(), &argv), []);
}

#[test]
fn where_a_server_decides_the_modes_only_let_through() {
    let file = |options: &str, mode| fuse(options).file("/srv/a.img", mode);
    assert_eq!(found(&file("allow_other", 0o666), &BLOCKDEV), []);
    let unreadable = |verdict| vec![("dac-unreadable", verdict)];
    assert_eq!(found(&file("allow_other", 0o600), &BLOCKDEV), unreadable(Verdict::Unknown));
    let default = file("allow_other,default_permissions", 0o600);
    assert_eq!(found(&default, &BLOCKDEV), unreadable(Verdict::Blocks));
    let nfs = |options: &str, mode| {
        with(file(options, mode), |host| {
            let Known::Yes(mounts) = &mut host.mounts else { unreachable!() };
            mounts.last_mut().unwrap().fstype = "nfs4".into();
        })
    };
    // Root is nobody there unless the export says otherwise; any other user is who he is.
    assert_eq!(found(&nfs("rw", 0o600).root(), &BLOCKDEV), unreadable(Verdict::Unknown));
    assert_eq!(found(&nfs("rw", 0o666).root(), &BLOCKDEV), []);
    assert_eq!(found(&nfs("rw", 0o600), &BLOCKDEV), unreadable(Verdict::Blocks));
    assert_eq!(found(&nfs("rw,sec=krb5p", 0o600), &BLOCKDEV), unreadable(Verdict::Unknown));
}

#[test]
fn a_tap_is_for_root_or_its_owner() {
    assert_eq!(beside_dev(&host(), &TAP), ["dac-tap"]);
    assert_eq!(beside_dev(&host().root(), &TAP), [""; 0]);
    let there = |owner, group| {
        with(host(), |host| host.taps = BTreeMap::from([("t".into(), Tap { owner, group })]))
    };
    assert_eq!(beside_dev(&there(Some(64055), None), &TAP), [""; 0]);
    assert_eq!(beside_dev(&there(None, None), &TAP), [""; 0]);
    assert_eq!(beside_dev(&there(None, Some(106)), &TAP), [""; 0]);
    assert_eq!(beside_dev(&there(Some(1000), None), &TAP), ["dac-tap"]);
    assert_eq!(beside_dev(&host(), &["-netdev", "tap,id=n,script=no,downscript=no"]), ["dac-tap"]);
    assert_eq!(beside_dev(&host(), &["-netdev", "user,id=n"]), [""; 0]);
}

#[test]
fn ports_are_free_or_taken_low_or_open() {
    let server = ["-chardev", "socket,id=c,host=127.0.0.1,port=5555,server=on,wait=off"];
    assert_eq!(found(&listening("127.0.0.1:5555", "sshd"), &server), blocks("port-taken"));
    assert_eq!(found(&listening("0.0.0.0:5555", ""), &server), blocks("port-taken"));
    assert_eq!(found(&listening("127.0.0.2:5555", "sshd"), &server), []);
    assert_eq!(found(&listening("127.0.0.1:5556", "sshd"), &server), []);
    // The domain itself, while it runs.
    assert_eq!(found(&listening("127.0.0.1:5555", "guest=t"), &server), []);
    assert_eq!(found(&listening("127.0.0.1:5555", "guest=other"), &server), blocks("port-taken"));
    // For all addresses QEMU takes those of version 6 where only those of version 4 are taken (tried with all four).
    assert_eq!(found(&listening("[::]:5901", "Xvnc"), &["-vnc", ":1"]), blocks("port-taken"));
    assert_eq!(found(&listening("0.0.0.0:5901", "Xvnc"), &["-vnc", ":1"]), []);
    assert_eq!(found(&listening("[::1]:5901", "Xvnc"), &["-vnc", ":1"]), []);
    // Started: IPv4 and IPv6 are apart but for a socket of all addresses that does not say so.
    let six = |host: &str| {
        ["-chardev".to_owned(), format!("socket,id=c,host={host},port=5555,server=on,wait=off")]
    };
    let on = |ear: &Host, host: &str| {
        let argv = six(host);
        found(ear, &[&argv[0], &argv[1]])
    };
    let alone = with(listening("[::]:5555", "x"), |host| {
        let Known::Yes(ears) = &mut host.tcp else { panic!("they are known") };
        ears[0].six_only = true;
    });
    assert_eq!(on(&alone, "127.0.0.1"), []);
    assert_eq!(on(&alone, "::1"), blocks("port-taken"));
    assert_eq!(found(&alone, &["-gdb", "tcp::5555"]), []);
    assert_eq!(on(&listening("[::]:5555", "x"), "127.0.0.1"), blocks("port-taken"));
    assert_eq!(on(&listening("[::1]:5555", "x"), "127.0.0.1"), []);
    assert_eq!(on(&listening("[::1]:5555", "x"), "0.0.0.0"), []);
    assert_eq!(on(&listening("0.0.0.0:5555", "x"), "::1"), []);
    assert_eq!(on(&listening("127.0.0.1:5555", "x"), "::"), []);
    assert_eq!(on(&listening("[::1]:5555", "x"), "::"), blocks("port-taken"));
    let websocket = ["-vnc", "127.0.0.1:1,websocket=5555"];
    assert_eq!(found(&listening("127.0.0.1:5555", "x"), &websocket), blocks("port-taken"));
    let name = ["-vnc", "somewhere:1"];
    assert_eq!(found(&host(), &name), [("port-taken", Verdict::Unknown)]);
    // Without a host there is no listener.
    let nowhere = ["-chardev", "socket,id=c,port=5555,server=on,wait=off"];
    assert_eq!(found(&listening("[::]:5555", "x"), &nowhere), []);
    assert_eq!(found(&listening("0.0.0.0:5901", "Xvnc"), &["-vnc", ":1,to=9"]), []);
    let twice = [server, ["-gdb", "tcp:127.0.0.1:5555"]].concat();
    assert_eq!(found(&host(), &twice), blocks("port-taken"));
    let forward = ["-netdev", "user,id=n,hostfwd=tcp::2222-:22"];
    assert_eq!(found(&listening("[::]:2222", "sshd"), &forward), blocks("port-taken"));
    assert_eq!(found(&listening("0.0.0.0:2222", "sshd"), &forward), blocks("port-taken"));

    // Of UDP ports every QEMU shares its own; of others nobody can tell.
    let udp = |process: &str| {
        let ear = Listener {
            address: "127.0.0.1:5555".parse().unwrap(),
            process: process.into(),
            six_only: false,
        };
        with(host(), |host| host.udp = Known::Yes(vec![ear.clone()]))
    };
    for argument in [
        ["-chardev", "udp,id=c,host=127.0.0.1,port=1,localaddr=127.0.0.1,localport=5555"],
        ["-serial", "udp:h:1@127.0.0.1:5555"],
        ["-netdev", "socket,id=n,udp=h:1,localaddr=127.0.0.1:5555"],
        ["-netdev", "user,id=n,hostfwd=udp::5555-:53"],
    ] {
        assert_eq!(found(&udp("dnsmasq"), &argument), [("port-taken", Verdict::Unknown)]);
        assert_eq!(found(&udp("guest=other"), &argument), []);
        assert_eq!(found(&listening("127.0.0.1:5555", "x"), &argument), []);
    }

    assert_eq!(found(&host(), &["-gdb", "tcp::99"]), blocks("dac-low-port"));
    assert_eq!(found(&host().root(), &["-gdb", "tcp::99"]), []);
    assert_eq!(
        found(&with(host(), |host| host.kernel.first_port = Known::Yes(80)), &["-gdb", "tcp::99"]),
        []
    );
    let unknown = with(host(), |host| host.kernel.first_port = Known::default());
    assert_eq!(found(&unknown, &["-gdb", "tcp::99"]), [("dac-low-port", Verdict::Unknown)]);

    for client in [
        ["-chardev", "socket,id=c,host=127.0.0.1,port=5555"],
        ["-chardev", "socket,id=c,host=0.0.0.0,port=5555"],
        ["-serial", "tcp:localhost:5555"],
        ["-vnc", "127.0.0.1:5555,reverse=on"],
    ] {
        assert_eq!(found(&host(), &client), blocks("nobody-listens"));
        assert_eq!(found(&listening("127.0.0.1:5555", "x"), &client), []);
    }
    // Whoever connects has to say to whom; another host is not asked.
    let ear = listening("127.0.0.1:5555", "x");
    for client in [["-serial", "tcp::5555"], ["-vnc", ":5555,reverse=on"]] {
        assert_eq!(found(&ear, &client), blocks("nobody-listens"));
    }
    for client in
        [["-chardev", "socket,id=c,host=192.0.2.1,port=5555"], ["-serial", "tcp:somewhere:5555"]]
    {
        assert_eq!(found(&ear, &client), [("nobody-listens", Verdict::Unknown)]);
    }
    let somewhere = ["-chardev", "udp,id=c,host=somewhere,port=1"];
    assert_eq!(found(&host(), &somewhere), [("nobody-listens", Verdict::Unknown)]);
    // Only an address of this host can be listened on.
    let vnc = |address: &str| found(&host(), &["-vnc", &format!("{address}:1")]);
    assert_eq!(vnc("192.0.2.7"), []);
    assert_eq!(vnc("192.0.2.8"), blocks("port-taken"));
    let retrying = ["-chardev", "socket,id=c,host=192.0.2.1,port=5555,reconnect=1"];
    assert_eq!(found(&ear, &retrying), []);
    assert_eq!(
        found(&host(), &["-chardev", "socket,id=c,host=127.0.0.1,port=5555,reconnect=1"]),
        []
    );
}

#[test]
fn a_backend_is_of_a_type_that_is_taken() {
    for user in [
        ["-device", "vhost-user-fs-pci,chardev=c,tag=t,addr=0x1e"],
        ["-netdev", "vhost-user,id=n,chardev=c"],
        ["-tpmdev", "emulator,id=t,chardev=c"],
    ] {
        let with = |backend: &str| {
            let backend = format!("{backend},id=c");
            beside_dev(
                &host().file("/s", 0o666),
                &[&["-chardev", backend.as_str()], &user[..]].concat(),
            )
        };
        assert_eq!(with("null"), ["missing-backend"]);
        assert!(!with("socket,path=/s,server=on,wait=off").contains(&"missing-backend"));
    }
}

#[test]
fn a_node_is_of_the_kind_that_is_needed() {
    let host = host()
        .node("/dev/null", 1, 3, 0o666)
        .node("/dev/tpm0", 10, 224, 0o666)
        .node("/dev/input/e", 13, 64, 0o666)
        .file("/f", 0o666);
    let found = |argv: [&str; 2]| beside_dev(&host, &argv);
    let input = |path: &str| found(["-object", &format!("input-linux,id=i,evdev={path}")]);
    assert_eq!(input("/dev/input/e"), [] as [&str; 0]);
    for path in ["/dev/null", "/f"] {
        assert_eq!(input(path), ["node-kind"]);
        assert_eq!(found(["-tpmdev", &format!("passthrough,id=t,path={path}")]), ["node-kind"]);
        assert_eq!(found(["-chardev", &format!("parallel,id=c,path={path}")]), ["node-kind"]);
    }
    assert_eq!(found(["-tpmdev", "passthrough,id=t,path=/dev/tpm0"]), [] as [&str; 0]);
    let pipe = super::host().at("/p", FileKind::Fifo, 0o666, 0);
    let output = ["-chardev", "file,id=c,path=/p"];
    assert_eq!(super::found(&pipe, &output), [("node-kind", Verdict::Warns)]);
}

#[test]
fn scsi_commands_need_a_scsi_device() {
    let host = host().file("/a.img", 0o666);
    let host = with(host, |host| {
        let disk = step("/dev/sda", FileKind::Block(8, 0), 0o666, 0);
        let walk = Walk { steps: vec![disk], ending: Ending::Present };
        host.paths.insert("/dev/sda".into(), Known::Yes(walk));
    });
    for kind in ["scsi-block", "scsi-generic"] {
        let argv = |path: &str| {
            let drive = format!("if=none,id=d,format=raw,file={path}");
            let device = format!("{kind},drive=d");
            beside_dev(
                &host,
                &["-drive", &drive, "-device", "virtio-scsi-pci,addr=0x1e", "-device", &device],
            )
        };
        assert_eq!(argv("/a.img"), ["scsi-device"]);
        assert_eq!(argv("/dev/sda"), [] as [&str; 0]);
    }
}

#[test]
fn two_pipes_come_before_one() {
    let argv = ["-chardev", "pipe,id=c,path=/p"];
    let there = |names: &[&str]| {
        let start = with(host(), |host| {
            for name in ["/p", "/p.in", "/p.out"] {
                let walk = Walk { steps: Vec::new(), ending: Ending::Missing(name.into()) };
                host.paths.insert(name.into(), Known::Yes(walk));
            }
        });
        names.iter().fold(start, |host, name| host.file(name, 0o666))
    };
    assert_eq!(found(&there(&[]), &argv), blocks("path-missing"));
    assert_eq!(found(&there(&["/p.in"]), &argv), blocks("path-missing"));
    assert_eq!(found(&there(&["/p.in", "/p.out"]), &argv), []);
    assert_eq!(found(&there(&["/p"]), &argv), []);
    let closed = there(&["/p.in"]).file("/p.out", 0o600);
    assert_eq!(found(&closed, &argv), blocks("dac-unreadable"));
}

#[test]
fn locked_memory_needs_its_limit() {
    let argv = ["-overcommit", "mem-lock=on"];
    let memory = "<memory unit='MiB'>64</memory>";
    assert_eq!(found_in(&host(), memory, &argv), blocks("locked-memory"));
    let pinned = |argument: &str| {
        let findings = judged(&host(), &domain(memory, &["-device", argument]));
        findings.iter().any(|finding| finding.rule == "locked-memory")
    };
    assert!(pinned("vfio-pci,host=3:0.1"));
    assert!(!pinned(
        "vfio-pci,sysfsdev=/sys/bus/mdev/devices/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"
    ));
    assert_eq!(found_in(&host().root(), memory, &argv), []);
    let backed = format!("{memory}<memoryBacking><locked/></memoryBacking>");
    assert_eq!(found_in(&host(), &backed, &argv), []);
    let unlimited = with(host(), |host| host.kernel.memlock = Known::Yes(None));
    assert_eq!(found_in(&unlimited, memory, &argv), []);
    let silent = with(host(), |host| host.kernel.memlock = Known::default());
    assert_eq!(found_in(&silent, memory, &argv), [("locked-memory", Verdict::Unknown)]);
    assert_eq!(found_in(&host(), memory, &["-overcommit", "mem-lock=off"]), []);
}

#[test]
fn merged_numbers_must_fit() {
    let sized = "<memory unit='MiB'>64</memory><vcpu>2</vcpu>";
    assert_eq!(found_in(&host(), sized, &["-m", "64"]), []);
    assert_eq!(found_in(&host(), sized, &["-m", "65536k"]), []);
    assert_eq!(found_in(&host(), sized, &["-m", "128"]), blocks("option-conflict"));
    assert_eq!(found_in(&host(), sized, &["-smp", "2"]), []);
    assert_eq!(found_in(&host(), sized, &["-smp", "4"]), blocks("option-conflict"));
    assert_eq!(found_in(&host(), sized, &["-smp", "4,sockets=1,cores=4"]), []);
    assert_eq!(found_in(&host(), sized, &["-smp", "cores=2"]), blocks("option-conflict"));
    assert_eq!(found_in(&host(), sized, &["-machine", "q35"]), blocks("option-conflict"));
    assert_eq!(found_in(&host(), sized, &["-machine", "pc,vmport=off"]), []);
    let q35 = machine("q35", "", &["-machine", "pc-q35-7.2"]);
    assert!(judged(&host(), &q35).iter().all(|finding| finding.rule != "option-conflict"));
}

#[test]
fn one_image_has_one_writer_and_one_place_one_drive() {
    let host = host().file("/srv/a.img", 0o666);
    let used =
        ["-drive", "file=/srv/a.img,if=none,id=d", "-device", "virtio-blk-pci,drive=d,addr=0x1e"];
    let other =
        ["-drive", "file=/srv/a.img,if=none,id=e", "-device", "virtio-blk-pci,drive=e,addr=0x1d"];
    assert_eq!(found(&host, &used), []);
    assert_eq!(found(&host, &[used, other].concat()), blocks("image-twice"));
    // Tried with QEMU 7.2: both have to share.
    let shared = [&used[..3], &["virtio-blk-pci,drive=d,addr=0x1e,share-rw=on"], &other].concat();
    assert_eq!(found(&host, &shared), blocks("image-twice"));
    let both = [&shared[..7], &["virtio-blk-pci,drive=e,addr=0x1d,share-rw=on"]].concat();
    assert_eq!(found(&host, &both), []);
    let unlocked =
        [&used[..], &["-drive", "file=/srv/a.img,if=none,id=e,file.locking=off"], &other[2..]];
    assert_eq!(found(&host, &unlocked.concat()), []);
    let disk = |more: &str| {
        format!(
            "<disk type='file'><source file='/srv/a.img'/><target dev='hda' bus='ide'/>{more}</disk>"
        )
    };
    let on = |elements: &str, argv: &[&str]| -> Vec<&'static str> {
        let rules = ["image-twice", "drive-unit"];
        let findings = judged(&host, &machine("pc", elements, argv));
        findings
            .into_iter()
            .map(|finding| finding.rule)
            .filter(|rule| rules.contains(rule))
            .collect()
    };
    assert_eq!(on(&disk(""), &used), ["image-twice"]);
    assert_eq!(on(&disk("<shareable/>"), &used), ["image-twice"]);
    assert_eq!(on(&disk("<shareable/>"), &shared[..4]), [""; 0]);
    assert_eq!(on(&disk("<readonly/>"), &used), ["image-twice"]);
    assert_eq!(
        on(&disk("<readonly/>"), &["-drive", "file=/srv/a.img,if=none,id=d,readonly=on"]),
        [""; 0]
    );

    let second = ["-drive", "file=/srv/a.img,index=1,readonly=on"];
    assert_eq!(on(&disk(""), &["-hda", "/srv/b.img"]), ["drive-unit"]);
    assert_eq!(on(&disk(""), &["-drive", "file=/srv/b.img"]), ["drive-unit"]);
    assert_eq!(on(&disk(""), &second), ["image-twice"]);
    assert_eq!(
        on(&disk("<address type='drive' controller='0' bus='1' unit='0'/>"), &["-cdrom", "/b"]),
        ["drive-unit"]
    );
    assert_eq!(on(&disk(""), &["-drive", "file=/srv/b.img,if=none,id=x"]), [""; 0]);
}

/// A QEMU that knows a little.
fn installed() -> Host {
    let property =
        |name: &str, kind: &str| Property { name: name.into(), kind: kind.into(), default: None };
    let emulator = Emulator {
        path: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".into(),
        devices: BTreeMap::from([(
            "virtio-rng-pci".into(),
            vec![
                property("max-bytes", "uint64"),
                property("ats", "bool"),
                property("addr", "int32"),
            ],
        )]),
        objects: BTreeMap::from([("rng-builtin".into(), Vec::new())]),
        keys: BTreeMap::from([
            ("rtc".into(), vec!["base".into(), "clock".into()]),
            ("chardev".into(), ["backend", "path", "server", "wait"].map(String::from).to_vec()),
        ]),
        processors: vec!["qemu64".into(), "EPYC".into()],
        lacking: vec!["audio-pa".into(), "block-curl".into()],
        ..Emulator::default()
    };
    with(host().absent("/srv/d/s", 0o777), |host| host.emulator = Known::Yes(emulator.clone()))
}

#[test]
fn keys_and_values_are_those_of_the_installed_qemu() {
    let host = installed();
    assert_eq!(found(&host, &["-rtc", "base=utc"]), []);
    assert_eq!(found(&host, &["-rtc", "bas=utc"]), blocks("unknown-key"));
    assert_eq!(found(&host, &["-chardev", "socket,id=c,path=/srv/d/s,server,nowait"]), []);
    assert_eq!(found(&host, &["-cpu", "EPYC,+x2apic"]), []);
    assert_eq!(found(&host, &["-cpu", "host,kvm=off"]), []);
    assert_eq!(found(&host, &["-cpu", "EPIC"]), blocks("unknown-processor"));
    let rng =
        |value: &str| found(&host, &["-device", &format!("virtio-rng-pci,addr=0x1e,{value}")]);
    assert_eq!(rng("max-bytes=0x400,ats=on"), []);
    assert_eq!(rng("max-bytes=1k"), blocks("property-value"));
    assert_eq!(rng("ats=maybe"), blocks("property-value"));
    assert_eq!(found(&host, &["-device", "virtio-rng-pci,addr=0x1d.0"]), []);
    assert_eq!(found(&host, &["-audiodev", "pa,id=a"])[0], blocks("missing-module")[0]);
    assert_eq!(found(&host, &["-audiodev", "none,id=a"]), []);
    assert_eq!(
        found(&host, &["-drive", "file=http://192.0.2.1/a.iso,if=none,id=d"]),
        blocks("missing-module")
    );
}

#[test]
fn keys_that_a_type_cannot_do_without() {
    assert_eq!(found(&host(), &["-device", "ivshmem-plain,addr=0x1e"]), blocks("missing-key"));
    assert_eq!(found(&host(), &["-object", "secret,id=s"]), blocks("missing-key"));
    assert_eq!(found(&host(), &["-object", "secret,id=s,data=x"]), []);
    assert_eq!(found(&host(), &["-fw_cfg", "name=opt/x"]), blocks("missing-key"));
    assert_eq!(found(&host(), &["-fw_cfg", "opt/x,string=y"]), []);
    let given = ["-device", "ivshmem-plain,id=i,addr=0x1e", "-set", "device.i.memdev=m"];
    assert_eq!(found(&host(), &given), []);
    assert_eq!(
        found(&host(), &["-object", r#"{"qom-type":"input-linux","id":"i"}"#]),
        blocks("missing-key")
    );
}

#[test]
fn a_filter_of_the_arguments_own_counts_too() {
    let off = || host().conf("seccomp_sandbox = 0");
    let run = |own: &str| found(&off(), &["-sandbox", own, "-incoming", "exec:cat /x"]);
    assert_eq!(run("on,spawn=deny"), blocks("seccomp-spawn"));
    assert_eq!(run("on"), []);
    assert_eq!(run("off"), []);
    assert_eq!(
        found(&host(), &["-sandbox", "off", "-incoming", "exec:cat /x"]),
        blocks("seccomp-spawn")
    );
}

#[test]
fn acpi_tables_have_an_element_from_libvirt_11_2_on() {
    let q35 =
        || machine("q35", "", &["-acpitable", "file=/srv/a.img", "-acpitable", "file=/srv/a.img"]);
    let edits = |version: &str| {
        let new = with(host().file("/srv/a.img", 0o644), |host| {
            host.libvirt = Known::Yes(version.into());
        });
        let findings = judged(&new, &q35());
        let finding =
            findings.iter().find(|finding| finding.rule == "native-acpi").unwrap().clone();
        finding.remedies.into_iter().find_map(|remedy| {
            let Step::EditXml(edits) = remedy.step else { return None };
            Some(edits)
        })
    };
    assert_eq!(edits("9.0.0"), None);
    let next = q35().apply(&edits("11.3.0").unwrap()).unwrap();
    assert!(next.source().contains("<acpi>"), "{}", next.source());
    assert_eq!(next.source().matches("<table type='raw'>/srv/a.img</table>").count(), 2);
    assert!(!next.source().contains("acpitable"));
}

#[test]
fn licences_in_acpi_have_elements_of_their_own() {
    let element = |libvirt: &str, argv: &[&str]| {
        let host = with(host().file("/srv/a.img", 0o644), |host| {
            host.libvirt = Known::Yes(libvirt.into());
        });
        let document = machine("q35", "", argv);
        let mut edits = judged(&host, &document).into_iter().flat_map(|finding| finding.remedies);
        let edits = edits.find_map(|remedy| match remedy.step {
            Step::EditXml(edits) => Some(edits),
            Step::RunCommand(_) | Step::SetOption { .. } | Step::Nothing => None,
        });
        edits.map(|edits| document.apply(&edits).unwrap().source().to_owned())
    };
    let slic = ["-acpitable", "sig=SLIC,file=/srv/a.img"];
    let msdm = ["-acpitable", "sig=MSDM,file=/srv/a.img"];
    let old = element("9.0.0", &slic).unwrap();
    assert!(old.contains("<table type='slic'>/srv/a.img</table>"), "{old}");
    assert_eq!(element("11.0.0", &msdm), None);
    let new = element("11.3.0", &msdm).unwrap();
    assert!(new.contains("<table type='msdm'>/srv/a.img</table>"), "{new}");
    assert_eq!(element("11.3.0", &[&slic[..], &slic[..]].concat()), None);
    assert_eq!(element("11.3.0", &["-acpitable", "sig=SSDT,file=/srv/a.img"]), None);
}

#[test]
fn an_override_names_a_device_of_the_domain() {
    let with_override = |devices: &str, alias: &str| {
        let text = machine("q35", devices, &["-S"]).source().replace(
            "</domain>",
            &format!("<qemu:override><qemu:device alias='{alias}'><qemu:frontend><qemu:property name='x' type='bool' value='true'/></qemu:frontend></qemu:device></qemu:override></domain>"),
        );
        let document = Document::parse(text).unwrap();
        judged(&host(), &document).iter().any(|finding| finding.rule == "override-alias")
    };
    let sound = "<sound model='ich9'/>";
    assert!(with_override(sound, "sound1"));
    assert!(!with_override(sound, "sound0"));
    assert!(!with_override(sound, "balloon0"));
    assert!(with_override(sound, "ua-mine"));
    assert!(!with_override("<sound model='ich9'><alias name='ua-mine'/></sound>", "ua-mine"));
    // libvirt adds these by itself.
    assert!(!with_override(sound, "input0") && !with_override(sound, "scsi0-0-0-1"));
}

#[test]
fn variables_that_no_longer_choose_the_sound_are_said_to_be_dead() {
    let document = |variable: &str| {
        let text = format!(
            "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>a</name><qemu:commandline><qemu:env name='{variable}' value='pa'/></qemu:commandline></domain>"
        );
        crate::domain::Document::parse(text).unwrap()
    };
    let rules = |variable: &str| -> Vec<&str> {
        judged(&host(), &document(variable)).iter().map(|finding| finding.rule).collect()
    };
    assert_eq!(rules("QEMU_AUDIO_DRV"), ["audio-variable"]);
    assert_eq!(rules("QEMU_PA_SERVER"), ["audio-variable"]);
    assert!(!rules("PULSE_SERVER_NAME").contains(&"audio-variable"));
}

#[test]
fn kvm_is_there_for_domains_that_use_it() {
    let kvm = ["-object", "rng-random,id=r,filename=/dev/kvm"];
    let of_type = |host: &Host, kind: &str| {
        let text = domain("", &kvm).source().replace("type='kvm'", &format!("type='{kind}'"));
        let document = Document::parse(text).unwrap();
        let findings = judged(host, &document);
        findings.iter().any(|finding| finding.rule == "namespace-hidden")
    };
    let mut host = host().node("/dev/kvm", 10, 232, 0o666);
    for (version, without) in [("9.0.0", false), ("11.3.0", false), ("12.8.0", true)] {
        host.0.libvirt = Known::Yes(version.into());
        assert_eq!((of_type(&host, "kvm"), of_type(&host, "qemu")), (false, without), "{version}");
    }
}

#[test]
fn what_the_domain_itself_names_has_to_be_there() {
    let found_in = |host: &Host, devices: &str| -> Vec<(&str, Verdict)> {
        let text = domain("", &[]).source().replace("<devices/>", devices);
        let findings = judged(host, &Document::parse(text).unwrap());
        findings.into_iter().map(|finding| (finding.rule, finding.verdict)).collect()
    };
    let disk = "<devices><disk type='file'><source file='/srv/vm.img'/><target dev='vda'/></disk></devices>";
    let absent = host().absent("/srv/vm.img", 0o755);
    assert_eq!(found_in(&absent, disk), blocks("native-missing"));
    let kernel = "<os><type arch='x86_64'>hvm</type><kernel>/srv/vm.img</kernel></os><devices/>";
    assert_eq!(found_in(&absent, kernel), blocks("native-missing"));
    assert_eq!(found_in(&absent, &kernel.replace("kernel>", "nvram>")), []);
    assert_eq!(found_in(&host().file("/srv/vm.img", 0o600), disk), []);
    let optional =
        disk.replace("file='/srv/vm.img'", "file='/srv/vm.img' startupPolicy='optional'");
    assert_eq!(found_in(&absent, &optional), []);
    let input = "<devices><input type='evdev'><source dev='/dev/input/e'/></input></devices>";
    let with = |major| host().node("/dev/input/e", major, 3, 0o660);
    assert_eq!(found_in(&with(1), input), blocks("native-missing"));
    assert_eq!(found_in(&with(13), input), []);
}

#[test]
fn a_bridge_helper_goes_by_its_list_and_needs_the_right_to_make_a_tap() {
    let helper = "/usr/lib/qemu/qemu-bridge-helper";
    let argv = ["-netdev", "bridge,id=n,br=br0"];
    let bridged = |rules: &str, mode: u32| {
        let host = host().file(helper, mode).node("/dev/net/tun", 10, 200, 0o666);
        let host = host.file("/etc/qemu/bridge.conf", 0o644);
        let host = host.conf("seccomp_sandbox = 0\nnamespaces = []\ncgroup_controllers = []");
        with(host, |host| {
            host.bridges.rules = Known::Yes(vec![rules.to_owned()]);
            host.bridges.there.insert("br0".to_owned());
        })
    };
    assert_eq!(found(&bridged("allow br0", 0o4755), &argv), []);
    assert_eq!(found(&bridged("allow br1", 0o4755), &argv), blocks("dac-tap"));
    assert_eq!(found(&bridged("allow all", 0o755), &argv), blocks("dac-tap"));
    let capable = with(bridged("allow all", 0o755), |host| {
        host.bridges.capable.insert(helper.to_owned());
    });
    assert_eq!(found(&capable, &argv), []);
    let absent = with(capable.clone(), |host| host.bridges.there.clear());
    assert_eq!(found(&absent, &argv), blocks("dac-tap"));
    // The helper is QEMU's user when it reads the list.
    assert_eq!(found(&capable.file("/etc/qemu/bridge.conf", 0o600), &argv), blocks("dac-tap"));
    assert_eq!(found(&bridged("allow all", 0o4700), &argv), blocks("dac-program"));
    let gone = bridged("allow all", 0o4755).absent(helper, 0o755);
    assert_eq!(found(&gone, &argv), blocks("program-missing"));
    let unknown = with(bridged("", 0o4755), |host| host.bridges.rules = Known::default());
    assert_eq!(found(&unknown, &argv), [("dac-tap", Verdict::Unknown)]);
}

#[test]
fn qemu_s_user_runs_the_emulator() {
    let document = Document::parse(format!(
        "<domain type='kvm' xmlns:qemu='{}'><name>t</name><devices><emulator>/opt/q/emu</emulator></devices><qemu:commandline><qemu:arg value='-S'/></qemu:commandline></domain>",
        crate::domain::QEMU_NAMESPACE
    ))
    .unwrap();
    let rules = |host: &Host| {
        let findings = judged(host, &document).into_iter();
        findings.filter(|f| f.verdict == Verdict::Blocks).map(|f| f.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&host().file("/opt/q/emu", 0o755)), [""; 0]);
    assert_eq!(rules(&host().file("/opt/q/emu", 0o700)), ["dac-program"]);
    assert_eq!(rules(&host().file("/opt/q/emu", 0o700).root()), [""; 0]);
    let closed = host().file("/opt/q/emu", 0o755).with("/opt/q/emu", "/opt/q", |s| s.mode = 0o700);
    assert_eq!(rules(&closed), ["dac-program"]);
    let noexec = with(host().file("/opt/q/emu", 0o755), |host| {
        let Known::Yes(mounts) = &mut host.mounts else { unreachable!() };
        mounts.push(mount("/opt", "noexec"));
    });
    assert_eq!(rules(&noexec), ["emulator"]);
}
