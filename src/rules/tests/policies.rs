//! SELinux by the policies that distributions ship, where the kernel was not asked.

use super::*;

/// A host with another system's policy, which the kernel was not asked about.
fn of_system(id: &str, like: &str, version: Option<&str>, platform: Option<&str>) -> Host {
    super::with(host().selinux(Mode::Enforcing), |host| {
        host.selinux.distribution = id.into();
        host.selinux.system = Some(System {
            like: like.split_whitespace().map(str::to_owned).collect(),
            version: version.map(str::to_owned),
            platform: platform.map(str::to_owned),
            policy: None,
        });
    })
}

fn fedora() -> Host {
    of_system("fedora", "", Some("41"), Some("platform:f41"))
}

#[test]
fn relatives_have_the_policy_of_their_family() {
    for (id, like, version, platform) in [
        ("fedora", "", Some("41"), Some("platform:f41")),
        ("fedora", "", Some("41"), None),
        ("fedora", "", Some("99"), None),
        ("nobara", "rhel centos fedora", Some("40"), Some("platform:f40")),
        ("bazzite", "fedora", Some("41"), Some("platform:f41")),
        ("ol", "fedora", Some("9.4"), Some("platform:el9")),
        ("rocky", "rhel centos fedora", Some("10.0"), Some("platform:el10")),
        ("opensuse-tumbleweed", "opensuse suse", Some("20261101"), None),
        ("ubuntu", "debian", Some("24.04"), None),
        ("linuxmint", "ubuntu debian", Some("22"), None),
        ("debian", "", None, None),
    ] {
        let labelled = |kind: &str| {
            let host = of_system(id, like, version, platform).file("/srv/a.img", 0o666);
            host.label("/srv/a.img", &format!("{kind}:s0"))
        };
        assert_eq!(found(&labelled("svirt_image_t"), &BLOCKDEV), [], "{id}");
        assert_eq!(found(&labelled("default_t"), &DRIVE), blocks("selinux-denied"), "{id}");
    }
    let foreign = of_system("arch", "", None, None).file("/srv/a.img", 0o666);
    let foreign = foreign.label("/srv/a.img", "svirt_image_t:s0");
    assert_eq!(found(&foreign, &BLOCKDEV), [("selinux-denied", Verdict::Unknown)]);
    let strict = super::with(fedora(), |host| {
        host.selinux.system.as_mut().unwrap().policy = Some("mls".into());
    });
    let strict = strict.file("/srv/a.img", 0o666).label("/srv/a.img", "svirt_image_t:s0");
    assert_eq!(found(&strict, &BLOCKDEV), [("selinux-denied", Verdict::Unknown)]);
}

#[test]
fn releases_that_differ_are_asked_apart() {
    const MEMORY: [&str; 2] =
        ["-object", "memory-backend-file,id=m,mem-path=/srv/a.img,size=1M,share=on"];
    let on = |version: Option<&str>, id: &str| {
        let host = of_system(id, "debian", version, None).file("/srv/a.img", 0o666);
        found(&host.label("/srv/a.img", "svirt_tmpfs_t:s0"), &MEMORY)
    };
    assert_eq!(on(Some("12"), "debian"), blocks("selinux-denied"));
    assert_eq!(on(Some("13"), "debian"), []);
    assert_eq!(on(None, "debian"), blocks("selinux-denied"));
    assert_eq!(on(Some("24.04"), "ubuntu"), [("selinux-denied", Verdict::Unknown)]);
}

#[test]
fn fedora_is_not_debian() {
    let labelled =
        |kind: &str| fedora().file("/srv/a.img", 0o666).label("/srv/a.img", &format!("{kind}:s0"));
    let memory =
        |more: &str| format!("memory-backend-file,id=m,mem-path=/srv/a.img,size=1M,share=on{more}");
    assert_eq!(found(&labelled("xen_image_t"), &BLOCKDEV), blocks("selinux-denied"));
    assert_eq!(found(&labelled("virt_image_t"), &DRIVE), []);
    assert_eq!(found(&labelled("svirt_image_t"), &["-object", &memory("")]), []);
    let usr = labelled("usr_t");
    assert_eq!(found(&usr, &["-object", &memory(",readonly=on")]), []);
    assert_eq!(found(&usr, &["-object", &memory("")]), blocks("selinux-denied"));
    // Files of hugetlbfs are none of QEMU's; what it makes there becomes its own.
    assert_eq!(found(&labelled("hugetlbfs_t"), &BLOCKDEV), blocks("selinux-denied"));
    let directory = |kind: &str| {
        let host = fedora().at("/srv/d", FileKind::Directory, 0o777, 0);
        host.label("/srv/d", &format!("{kind}:s0"))
    };
    const PAGES: [&str; 2] = ["-object", "memory-backend-file,id=m,mem-path=/srv/d,size=1M"];
    const SHARED: [&str; 4] = [
        "-fsdev",
        "local,id=f,path=/srv/d,security_model=none",
        "-device",
        "virtio-9p-pci,fsdev=f,mount_tag=t,addr=0x1e",
    ];
    assert_eq!(found(&directory("hugetlbfs_t"), &PAGES), []);
    assert_eq!(found(&directory("default_t"), &PAGES), blocks("selinux-denied"));
    assert_eq!(found(&directory("virt_image_t"), &SHARED), blocks("selinux-denied"));
    assert_eq!(found(&directory("svirt_image_t"), &SHARED), []);
}

#[test]
fn what_is_made_takes_the_type_that_the_policy_gives() {
    const FILE: [&str; 2] = ["-chardev", "file,id=c,path=/srv/d/x"];
    const SOCKET: [&str; 2] = ["-chardev", "socket,id=c,path=/srv/d/x,server=on,wait=off"];
    const MEMORY: [&str; 2] =
        ["-object", "memory-backend-file,id=m,mem-path=/srv/d/x,size=1M,share=on"];
    let made = |host: Host, label: &str, argv: &[&str]| {
        let label = format!("system_u:object_r:{label}:s0");
        let host = host.absent("/srv/d/x", 0o777);
        let host = host.with("/srv/d/x", "/srv/d", |step| step.label = Some(label.clone()));
        found(&host, argv)
    };
    let next = [("selinux-next-start", Verdict::Warns)];
    assert_eq!(made(fedora(), "tmp_t", &FILE), next);
    assert_eq!(made(fedora(), "tmp_t", &SOCKET), []);
    assert_eq!(made(fedora(), "tmpfs_t", &MEMORY), next);
    assert_eq!(made(fedora(), "virt_image_t", &FILE), blocks("selinux-denied"));
    let debian = || host().selinux(Mode::Enforcing);
    assert_eq!(made(debian(), "tmp_t", &FILE), next);
    assert_eq!(made(debian(), "tmp_t", &SOCKET), blocks("selinux-denied"));
    assert_eq!(made(debian(), "nobody_knows_t", &FILE), [("selinux-denied", Verdict::Unknown)]);
}

#[test]
fn links_and_directories_on_the_way_are_judged() {
    let way = |kind: &str, target: &str| {
        let mut host = host().selinux(Mode::Enforcing).file("/srv/a.img", 0o666);
        let Some(Known::Yes(walk)) = host.0.paths.get_mut("/srv/a.img") else { unreachable!() };
        let mut link = step("/srv/link", FileKind::Link("/srv/a.img".into()), 0o777, 0);
        link.label = Some(format!("system_u:object_r:{kind}:s0"));
        let last = walk.steps.len() - 1;
        walk.steps[last].label = Some(format!("system_u:object_r:{target}:s0"));
        walk.steps.insert(last, link);
        found(&host, &DRIVE)
    };
    assert_eq!(way("svirt_image_t", "svirt_image_t"), []);
    assert_eq!(way("var_t", "svirt_image_t"), blocks("selinux-denied"));
    assert_eq!(way("nobody_knows_t", "svirt_image_t"), [("selinux-denied", Verdict::Unknown)]);
    // What is denied at the end is denied whatever the way.
    assert_eq!(way("nobody_knows_t", "default_t"), blocks("selinux-denied"));
}

#[test]
fn labels_of_processes_are_those_of_the_policy() {
    let own = |label: &str| {
        format!("<seclabel type='static' model='selinux'><label>{label}</label></seclabel>")
    };
    let debian = || host().selinux(Mode::Enforcing);
    let tcg = own("system_u:system_r:svirt_tcg_t:s0:c1,c2");
    assert_eq!(found_in(&debian(), &tcg, &[]), blocks("selinux-label"));
    assert_eq!(found_in(&fedora(), &tcg, &[]), []);
    let unconfined = own("unconfined_u:unconfined_r:unconfined_t:s0");
    assert_eq!(found_in(&debian(), &unconfined, &[]), blocks("selinux-label"));
    // It may not read the key, which bears svirt_image_t.
    let base = "<seclabel type='dynamic' model='selinux'><baselabel>system_u:system_r:svirt_prot_exec_t:s0</baselabel></seclabel>";
    assert_eq!(found_in(&debian(), base, &[]), blocks("selinux-label"));
}

#[test]
fn a_daemon_whose_policy_only_logs_is_not_known() {
    let free = "<seclabel type='none' model='selinux'/>";
    let with = |kind: &str| {
        let host = super::with(fedora(), |host| {
            host.selinux.daemon = Some("system_u:system_r:virtqemud_t:s0".into());
        });
        found_in(
            &host.file("/srv/a.img", 0o666).label("/srv/a.img", &format!("{kind}:s0")),
            free,
            &BLOCKDEV,
        )
    };
    assert_eq!(with("svirt_image_t"), []);
    assert_eq!(with("shadow_t"), [("selinux-denied", Verdict::Unknown)]);
}

#[test]
fn other_booleans_and_devices_are_in_the_tables() {
    let node = |kind: &str, on: Option<bool>| {
        let host = super::with(host().selinux(Mode::Enforcing), |host| {
            host.conf = QemuConf::parse(
                "/etc/libvirt/qemu.conf",
                "namespaces = []\ncgroup_controllers = []\n",
            );
            host.selinux.booleans.extend(on.map(|on| ("virt_use_vfio".to_owned(), on)));
        });
        let host = host.node("/dev/qpt", 10, 196, 0o666).label("/dev/qpt", &format!("{kind}:s0"));
        found(&host, &["-object", "rng-random,id=r,filename=/dev/qpt"])
    };
    assert_eq!(node("random_device_t", None), []);
    assert_eq!(node("vfio_device_t", Some(true)), []);
    assert_eq!(node("vfio_device_t", Some(false)), blocks("selinux-denied"));
    assert_eq!(node("vfio_device_t", None), [("selinux-denied", Verdict::Unknown)]);
    assert_eq!(node("event_device_t", Some(true)), blocks("selinux-denied"));
}
