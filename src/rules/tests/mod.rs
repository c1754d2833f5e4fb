//! Each rule's loud case beside its silent one, on facts that are built here.

mod command_line;
mod contents;
mod firmware;
mod helpers;
mod limits;
mod mac;
mod native;
mod own;
mod policies;
mod remedies;
mod route;

use std::collections::BTreeMap;

use super::*;
use crate::domain::Document;
use crate::facts::FACTS_VERSION;
use crate::facts::HostFacts;
use crate::facts::apparmor::{AppArmor, Connecting, FileRule, Profile};
use crate::facts::cgroup::Cgroups;
use crate::facts::identity::Identity;
use crate::facts::image;
use crate::facts::kernel::Kernel;
use crate::facts::mounts::Mount;
use crate::facts::qemu_conf::QemuConf;
use crate::facts::selinux::{Mode, Selinux, System};
use crate::facts::{Acl, Ending, FileKind, Instance, Known, Step as HostStep, Walk};

/// A host without MAC on which QEMU runs as libvirt-qemu (64055:106).
#[derive(Clone)]
struct Host(HostFacts);

fn host() -> Host {
    let identity = |user: &str, uid, gid| {
        Known::Yes(Identity { user: user.into(), uid, gid, groups: vec![gid] })
    };
    let mut host = Host(HostFacts {
        version: FACTS_VERSION,
        source: "test".into(),
        instance: Instance::System,
        libvirt: Known::Yes("9.0.0".into()),
        daemon: Known::Yes("libvirtd".into()),
        daemon_conf: QemuConf::default(),
        qemu: Known::Yes("7.2.22".into()),
        emulator: Known::default(),
        emulators: BTreeMap::new(),
        answers: BTreeMap::new(),
        conf: QemuConf { path: "/etc/libvirt/qemu.conf".into(), ..QemuConf::default() },
        identities: BTreeMap::from([
            (String::new(), identity("libvirt-qemu", 64055, 106)),
            ("root:root".into(), identity("root", 0, 0)),
        ]),
        selinux: Selinux {
            mode: Known::Yes(Mode::Off),
            daemon: None,
            contexts: vec!["system_u:system_r:svirt_t:s0".into()],
            distribution: "debian".into(),
            system: Some(System { version: Some("12".into()), ..System::default() }),
            decisions: BTreeMap::new(),
            servers: BTreeMap::new(),
            known: BTreeMap::new(),
            booleans: BTreeMap::new(),
        },
        apparmor: AppArmor {
            active: Known::Yes(false),
            profiles: BTreeMap::new(),
            connecting: Known::Yes(Connecting::Free),
        },
        mounts: Known::Yes(vec![
            mount("/", "rw"),
            mount("/dev", "rw"),
            mount("/dev/shm", "rw"),
            mount("/ro", "ro"),
            mount("/nodev", "nodev"),
        ]),
        cgroups: Cgroups {
            version: Some(1),
            devices: Known::Yes(true),
            unified: Known::Yes(None),
            machined: Known::Yes(false),
            ..Cgroups::default()
        },
        protected_regular: Known::Yes(2),
        kernel: Kernel {
            protected_symlinks: Known::Yes(true),
            first_port: Known::Yes(1024),
            memlock: Known::Yes(Some(8 << 20)),
            huge_pages: Known::Yes(Vec::new()),
        },
        virtiofsd: Known::default(),
        taps: BTreeMap::new(),
        iommu_groups: BTreeMap::new(),
        bridges: crate::facts::bridge::Bridges::default(),
        users: BTreeMap::from([(0, "root".into())]),
        groups: BTreeMap::from([(0, "root".into())]),
        images: BTreeMap::new(),
        listening: Known::Yes(Vec::new()),
        tcp: Known::Yes(Vec::new()),
        udp: Known::Yes(Vec::new()),
        headers: BTreeMap::new(),
        faults: BTreeMap::new(),
        addresses: Known::Yes(vec!["127.0.0.1".parse().unwrap(), "192.0.2.7".parse().unwrap()]),
        disks_in_use: BTreeMap::new(),
        image_locks: Known::Yes(Vec::new()),
        paths: BTreeMap::new(),
    });
    for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)] {
        host = host.node(&format!("/dev/{name}"), 1, minor, 0o666);
    }
    host.node("/dev/kvm", 10, 232, 0o666).node("/dev/ptmx", 5, 2, 0o666)
}

fn mount(point: &str, option: &str) -> Mount {
    Mount { point: point.into(), fstype: "ext4".into(), options: vec![option.into()], shared: true }
}

impl Host {
    /// Something at a path, in directories that everybody may pass.
    fn at(mut self, path: &str, kind: FileKind, mode: u32, uid: u32) -> Host {
        let mut steps = vec![step("/", FileKind::Directory, 0o755, 0)];
        for (at, _) in path.match_indices('/').skip(1) {
            steps.push(step(&path[..at], FileKind::Directory, 0o755, 0));
        }
        steps.push(step(path, kind, mode, uid));
        self.0.paths.insert(path.into(), Known::Yes(Walk { steps, ending: Ending::Present }));
        self
    }

    fn file(self, path: &str, mode: u32) -> Host {
        self.at(path, FileKind::File, mode, 0)
    }

    fn node(self, path: &str, major: u32, minor: u32, mode: u32) -> Host {
        self.at(path, FileKind::Char(major, minor), mode, 0)
    }

    /// Changes the step of a walk that stands at `path`.
    fn with(mut self, target: &str, path: &str, change: impl Fn(&mut HostStep)) -> Host {
        let Some(Known::Yes(walk)) = self.0.paths.get_mut(target) else {
            panic!("{target} is not there")
        };
        change(walk.steps.iter_mut().find(|step| step.path == path).unwrap());
        self
    }

    /// A path whose directory is there and empty.
    fn absent(self, path: &str, directory_mode: u32) -> Host {
        let (parent, _) = path.rsplit_once('/').unwrap();
        let mut host = self
            .at(path, FileKind::File, 0, 0)
            .with(path, parent, |step| step.mode = directory_mode);
        let Some(Known::Yes(walk)) = host.0.paths.get_mut(path) else { unreachable!() };
        walk.steps.pop();
        walk.ending = Ending::Missing(path.into());
        host
    }

    /// A link to something that is there already.
    fn link(mut self, path: &str, target: &str) -> Host {
        let mut to = self.0.walk(target).unwrap().clone();
        to.steps.insert(1, step(path, FileKind::Link(target.into()), 0o777, 0));
        self.0.paths.insert(path.into(), Known::Yes(to));
        self
    }

    fn conf(mut self, text: &str) -> Host {
        self.0.conf = QemuConf::parse("/etc/libvirt/qemu.conf", text);
        self
    }

    fn selinux(mut self, mode: Mode) -> Host {
        self.0.selinux.mode = Known::Yes(mode);
        self.0.selinux.daemon = Some("system_u:system_r:virtd_t:s0".into());
        self
    }

    fn label(self, path: &str, label: &str) -> Host {
        self.with(path, path, |step| step.label = Some(format!("system_u:object_r:{label}")))
    }

    /// QEMU runs as root, by qemu.conf.
    fn root(mut self) -> Host {
        let root = self.0.identities["root:root"].clone();
        self.0.identities.insert(String::new(), root);
        self
    }

    fn apparmor(mut self, rules: &[(&str, &str)]) -> Host {
        let rule = |(pattern, permissions): &(&str, &str)| FileRule {
            pattern: (*pattern).into(),
            permissions: (*permissions).into(),
            origin: "local".into(),
            ..FileRule::default()
        };
        let profile = Profile {
            path: "TEMPLATE.qemu".into(),
            rules: rules.iter().map(rule).collect(),
            ..Profile::default()
        };
        self.0.apparmor = AppArmor {
            active: Known::Yes(true),
            profiles: BTreeMap::from([(String::new(), Known::Yes(profile))]),
            connecting: Known::Yes(Connecting::Free),
        };
        self
    }
}

fn step(path: &str, kind: FileKind, mode: u32, uid: u32) -> HostStep {
    HostStep {
        path: path.into(),
        kind,
        mode,
        uid,
        gid: 0,
        acl: None,
        label: None,
        size: 0,
        immutable: false,
        append_only: false,
        file: None,
    }
}

/// A domain with these arguments and these elements before the block.
fn domain(elements: &str, argv: &[&str]) -> Document {
    let args: String = argv
        .iter()
        .map(|arg| {
            format!(
                "<qemu:arg value='{}'/>",
                crate::xml::escape::attribute(arg, '\'', false).unwrap()
            )
        })
        .collect();
    Document::parse(format!(
        "<domain type='kvm' xmlns:qemu='{}'><name>t</name><devices/>{elements}<qemu:commandline>{args}</qemu:commandline></domain>",
        crate::domain::QEMU_NAMESPACE
    ))
    .unwrap()
}

fn judged(host: &Host, document: &Document) -> Vec<Finding> {
    let line = crate::session::command_line(document);
    judge(document, &line, &host.0)
}

/// The rules that block or warn, for arguments alone.
fn found(host: &Host, argv: &[&str]) -> Vec<(&'static str, Verdict)> {
    found_in(host, "", argv)
}

fn found_in(host: &Host, elements: &str, argv: &[&str]) -> Vec<(&'static str, Verdict)> {
    let findings = judged(host, &domain(elements, argv));
    findings
        .into_iter()
        .filter(|finding| finding.verdict <= Verdict::Unknown)
        .map(|finding| (finding.rule, finding.verdict))
        .collect()
}

/// Every rule that has something to say, notes included.
fn said(argv: &[&str]) -> Vec<&'static str> {
    judged(&host(), &machine("q35", "", argv))
        .into_iter()
        .filter(|f| f.verdict < Verdict::Allows)
        .map(|f| f.rule)
        .collect()
}

/// A host changed.
fn with(mut host: Host, change: impl Fn(&mut HostFacts)) -> Host {
    change(&mut host.0);
    host
}

fn blocks(rule: &'static str) -> Vec<(&'static str, Verdict)> {
    vec![(rule, Verdict::Blocks)]
}

const DRIVE: [&str; 2] = ["-drive", "file=/srv/a.img,if=none,id=d"];
const BLOCKDEV: [&str; 2] = ["-blockdev", "driver=file,filename=/srv/a.img,node-name=n"];

#[test]
fn every_rule_has_a_page_with_its_headings() {
    for rule in RULES {
        for heading in ["## Looks at", "## Why it blocks", "## What to do", "## References"] {
            assert!(rule.explain.contains(heading), "{}: {heading}", rule.id);
        }
        assert!(rule.explain.starts_with(&format!("# {}\n", rule.id)), "{}", rule.id);
        assert!(!rule.summary.ends_with('.'), "{}", rule.id);
    }
    let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
}

#[test]
fn dac_decides_as_the_kernel_does() {
    assert_eq!(found(&host().file("/srv/a.img", 0o600), &DRIVE), blocks("dac-unreadable"));
    assert_eq!(found(&host().file("/srv/a.img", 0o644), &DRIVE), []);
    assert_eq!(found(&host().file("/srv/a.img", 0o644), &BLOCKDEV), blocks("dac-unwritable"));
    assert_eq!(found(&host().file("/srv/a.img", 0o666), &BLOCKDEV), []);
    let group =
        host().file("/srv/a.img", 0o660).with("/srv/a.img", "/srv/a.img", |step| step.gid = 106);
    assert_eq!(found(&group, &BLOCKDEV), []);
    // The owner's own bits decide, whatever the others may.
    let own = host().at("/srv/a.img", FileKind::File, 0o066, 64055);
    assert_eq!(found(&own, &DRIVE), blocks("dac-unreadable"));
}

#[test]
fn an_acl_counts_with_its_mask() {
    let with = |mask| {
        let acl = Acl { users: vec![(64055, 6)], groups: vec![], owning_group: 0, mask };
        host()
            .file("/srv/a.img", 0o660)
            .with("/srv/a.img", "/srv/a.img", |step| step.acl = Some(acl.clone()))
    };
    assert_eq!(found(&with(6), &BLOCKDEV), []);
    assert_eq!(found(&with(4), &BLOCKDEV), blocks("dac-unwritable"));
    assert_eq!(found(&with(0), &BLOCKDEV), blocks("dac-unreadable"));
}

#[test]
fn a_closed_parent_directory_blocks_alone() {
    let closed =
        host().file("/srv/a.img", 0o666).with("/srv/a.img", "/srv", |step| step.mode = 0o700);
    assert_eq!(found(&closed, &DRIVE), blocks("closed-directory"));
    let findings = judged(&closed, &domain("", &DRIVE));
    let finding = findings.iter().find(|finding| finding.rule == "closed-directory").unwrap();
    assert!(
        finding.evidence.contains(&"/srv is root:root 0700".to_owned()),
        "{:?}",
        finding.evidence
    );
    assert!(
        finding
            .remedies
            .iter()
            .any(|r| r.step == Step::RunCommand("setfacl -m u:libvirt-qemu:x /srv".into()))
    );
}

#[test]
fn root_by_label_or_configuration_passes_dac() {
    let shut = || host().file("/srv/a.img", 0o600);
    let label =
        "<seclabel type='static' model='dac' relabel='no'><label>root:root</label></seclabel>";
    assert_eq!(found_in(&shut(), label, &DRIVE), []);
    assert_eq!(
        found_in(&shut(), "<seclabel type='none' model='dac'/>", &DRIVE),
        blocks("dac-unreadable")
    );
    assert_eq!(found(&shut().conf("security_driver = []"), &DRIVE), blocks("dac-unreadable"));
}

#[test]
fn the_remedy_of_a_dac_finding_lets_the_file_through() {
    let document = domain("", &DRIVE);
    let findings = judged(&host().file("/srv/a.img", 0o600), &document);
    let edit = findings.iter().flat_map(|finding| &finding.remedies).find_map(|remedy| {
        let Step::EditXml(edits) = &remedy.step else { return None };
        (remedy.scope == Scope::DisableVm).then(|| edits.clone())
    });
    let next = document.apply(&edit.unwrap()).unwrap();
    let after = judged(&host().file("/srv/a.img", 0o600), &next);
    assert!(after.iter().all(|finding| finding.verdict > Verdict::Unknown), "{after:?}");
}

#[test]
fn a_native_element_gets_its_file_for_the_argument_too() {
    let disk = "<devices><disk type='file'><source file='/srv/a.img'/></disk></devices>";
    let document =
        Document::parse(domain("", &BLOCKDEV).source().replace("<devices/>", disk)).unwrap();
    let worst = judged(&host().file("/srv/a.img", 0o600), &document)
        .into_iter()
        .map(|finding| finding.verdict)
        .min();
    assert_eq!(worst, Some(Verdict::Allows));
}

#[test]
fn what_qemu_makes_needs_its_directory() {
    const LOG: [&str; 2] = ["-chardev", "file,id=c,path=/srv/d/out"];
    const SOCKET: [&str; 2] = ["-chardev", "socket,id=c,path=/srv/d/s,server=on,wait=off"];
    assert_eq!(found(&host().absent("/srv/d/out", 0o777), &LOG), []);
    assert_eq!(found(&host().absent("/srv/d/out", 0o755), &LOG), blocks("dac-cannot-create"));
    assert_eq!(found(&host().absent("/srv/d/s", 0o755), &SOCKET), blocks("dac-cannot-create"));
    assert_eq!(found(&host().absent("/srv/d/s", 0o777), &SOCKET), []);
    let sticky =
        host()
            .at("/srv/d/out", FileKind::File, 0o666, 1000)
            .with("/srv/d/out", "/srv/d", |step| step.mode = 0o1777);
    assert_eq!(found(&sticky, &LOG), blocks("dac-cannot-create"));
    let mut open = sticky;
    open.0.protected_regular = Known::Yes(0);
    assert_eq!(found(&open, &LOG), []);
    open.0.protected_regular = Known::default();
    assert_eq!(found(&open, &LOG), [("dac-cannot-create", Verdict::Unknown)]);
}

#[test]
fn what_is_not_there_is_said_once() {
    assert_eq!(found(&host().absent("/srv/a.img", 0o755), &DRIVE), blocks("path-missing"));
    assert_eq!(
        found(&host().at("/srv/a.img", FileKind::Directory, 0o777, 0), &DRIVE),
        blocks("path-kind")
    );
    assert_eq!(
        found(
            &host().file("/ro/a.img", 0o666),
            &["-blockdev", "file,filename=/ro/a.img,node-name=n"]
        ),
        blocks("read-only-mount")
    );
    let mut unknown = host();
    unknown.0.paths.insert("/srv/a.img".into(), Known::Unknown("no".into()));
    assert_eq!(found(&unknown, &DRIVE), [("path-unknown", Verdict::Unknown)]);
}

const RNG: [&str; 2] = ["-object", "rng-random,id=r,filename=/dev/hw"];

#[test]
fn the_private_dev_hides_a_node_and_the_cgroup_its_number() {
    let hw = || host().node("/dev/hw", 10, 183, 0o666);
    assert_eq!(
        found(&hw(), &RNG),
        [("namespace-hidden", Verdict::Blocks), ("cgroup-device", Verdict::Blocks)]
    );
    assert_eq!(found(&hw().conf("namespaces = []"), &RNG), blocks("cgroup-device"));
    assert_eq!(found(&hw().conf("cgroup_device_acl = [ \"/dev/null\", \"/dev/hw\" ]"), &RNG), []);
    assert_eq!(found(&hw().conf("cgroup_controllers = []"), &RNG), blocks("namespace-hidden"));
    // A list without "devices" ends the filter where version 1 is alone; beside version 2 it has to leave that something.
    let listed =
        |list: &str| hw().conf(&format!("namespaces = []\ncgroup_controllers = [ {list} ]"));
    assert_eq!(found(&listed("\"cpu\", \"memory\""), &RNG), []);
    let hybrid = |list: &str| {
        with(listed(list), |host| {
            host.cgroups.unified = Known::Yes(Some(vec!["hugetlb".into()]));
        })
    };
    assert_eq!(found(&hybrid("\"cpu\", \"cpuacct\""), &RNG), blocks("cgroup-device"));
    assert_eq!(found(&hybrid("\"cpu\", \"memory\""), &RNG), blocks("cgroup-fails"));
    // Another node of an allowed number: hidden in /dev, free elsewhere.
    assert_eq!(found(&host().node("/dev/hw", 1, 3, 0o666), &RNG), blocks("namespace-hidden"));
    let outside = host().node("/srv/n", 1, 3, 0o666);
    assert_eq!(found(&outside, &["-object", "rng-random,id=r,filename=/srv/n"]), []);
    let link = hw().link("/l", "/dev/hw").conf("cgroup_controllers = []");
    assert_eq!(
        found(&link, &["-object", "rng-random,id=r,filename=/l"]),
        blocks("namespace-hidden")
    );
    assert_eq!(
        found(
            &host().file("/dev/shm/m", 0o666),
            &["-object", "memory-backend-file,id=m,mem-path=/dev/shm/m,size=1M"]
        ),
        []
    );
    let mut session = hw();
    session.0.instance = Instance::Session;
    assert_eq!(found(&session, &RNG), []);
    let native =
        "<devices><rng model='virtio'><backend model='random'>/dev/hw</backend></rng></devices>";
    let document =
        Document::parse(domain("", &RNG).source().replace("<devices/>", native)).unwrap();
    assert!(judged(&hw(), &document).iter().all(|finding| finding.verdict == Verdict::Allows));
}

#[test]
fn the_setting_that_is_offered_lets_the_node_through() {
    let hw = host().node("/dev/hw", 10, 183, 0o666);
    let findings = judged(&hw, &domain("", &RNG));
    let line = findings.iter().flat_map(|finding| &finding.remedies).find_map(|remedy| {
        let Step::SetOption { line, .. } = &remedy.step else { return None };
        line.starts_with("cgroup_device_acl").then(|| line.clone())
    });
    assert_eq!(found(&hw.conf(&line.unwrap()), &RNG), []);
}

#[test]
fn seccomp_stops_programs_and_changes_of_user() {
    let exec: [&str; 2] = ["-incoming", "exec:cat /x"];
    assert_eq!(found(&host(), &exec), blocks("seccomp-spawn"));
    assert_eq!(found(&host().conf("seccomp_sandbox = 0"), &exec), []);
    assert_eq!(
        found(&host().conf("user = \"root\"").root(), &["-runas", "nobody"]),
        blocks("seccomp-privileges")
    );
    assert_eq!(
        found(&host().conf("seccomp_sandbox = 0"), &["-runas", "nobody"]),
        blocks("dac-privilege")
    );
    let chroot: [&str; 2] = ["-chroot", "/srv/d"];
    let with = || host().at("/srv/d", FileKind::Directory, 0o755, 0);
    assert_eq!(found(&with(), &chroot), blocks("dac-privilege"));
    assert_eq!(found(&with().root(), &chroot), []);
    assert_eq!(
        found(&host(), &["-netdev", "user,id=n,guestfwd=tcp:1.2.3.4:5-cmd:/bin/cat"]),
        [("seccomp-spawn", Verdict::Warns)]
    );
    assert_eq!(found(&host(), &["-sandbox", "off"]), []);
}

#[test]
fn daemonize_has_no_way_but_to_go() {
    assert_eq!(
        found(&host(), &["-daemonize"]),
        [("seccomp-spawn", Verdict::Blocks), ("option-conflict", Verdict::Unknown)]
    );
    let steps = judged(&host(), &domain("", &["-daemonize"]));
    let mut steps = steps.iter().flat_map(|finding| &finding.remedies);
    assert!(steps.all(|remedy| remedy.title == "delete the option"));
    assert_eq!(
        found(&host().conf("seccomp_sandbox = 0"), &["-daemonize"]),
        [("option-conflict", Verdict::Unknown)]
    );
}

#[test]
fn of_several_layers_the_first_is_named() {
    let findings = judged(&host().node("/dev/hw", 10, 183, 0o600), &domain("", &RNG));
    let blocking: Vec<_> = findings
        .iter()
        .filter(|f| f.verdict == Verdict::Blocks)
        .map(|f| (f.layer, f.first))
        .collect();
    assert_eq!(blocking, [(Layer::Namespaces, true), (Layer::Dac, false), (Layer::Cgroups, false)]);
}

#[test]
fn notes_about_the_host_do_not_block() {
    let mut host = host().file("/srv/a.img", 0o666);
    host.0.conf.newer = true;
    host.0.mounts = Known::Yes(vec![Mount { shared: false, ..mount("/", "rw") }]);
    let rules = |host: &Host, argv: &[&str]| {
        judged(host, &domain("", argv))
            .into_iter()
            .filter(|f| f.verdict == Verdict::Note)
            .map(|f| f.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(&host, &DRIVE), ["conf-newer", "mount-propagation"]);
    assert_eq!(rules(&host, &["-S"]), ["conf-newer"]);
    let mut modular = host;
    // The service is that of the daemon that runs.
    modular.0.daemon = Known::Yes("virtqemud".into());
    let findings = judged(&modular, &domain("", &["-S"]));
    let newer = findings.iter().find(|finding| finding.rule == "conf-newer").unwrap();
    let restart = Step::RunCommand("systemctl restart virtqemud".into());
    assert!(newer.remedies.iter().any(|remedy| remedy.step == restart), "{:?}", newer.remedies);
    modular.0.conf.newer = false;
    assert_eq!(rules(&modular.conf("namespaces = []"), &DRIVE), [""; 0]);
}

#[test]
fn settings_of_the_wrong_kind_stop_the_daemon() {
    for conf in [
        "dynamic_ownership = \"1\"",
        "dynamic_ownership = 2",
        "cgroup_device_acl = \"/dev/null\"",
        "namespaces = [ 1 ]",
        "namespaces = [ \"net\" ]",
        "cgroup_controllers = [ \"nosuch\" ]",
        "user = 0",
        "max_files = -1",
    ] {
        assert_eq!(found(&host().conf(conf), &[]), blocks("conf-value"), "{conf}");
    }
    for conf in [
        "nosuch = \"x\"",
        "seccomp_sandbox = -5",
        "max_core = \"unlimited\"",
        "user = \"a\"\nuser = 1",
    ] {
        assert_eq!(found(&host().conf(conf), &[]), [], "{conf}");
    }
    for conf in [
        "security_driver = \"dac\"",
        "security_driver = [ \"none\", \"none\" ]",
        "security_require_confined = 1",
    ] {
        assert_eq!(found(&host().conf(conf), &[]), blocks("conf-driver"), "{conf}");
    }
    assert_eq!(
        found(&host().selinux(Mode::Enforcing).conf("security_require_confined = 1"), &[]),
        []
    );
}

#[test]
fn an_image_is_what_it_is_said_to_be() {
    let with = |format: &str| {
        let mut host = host().file("/srv/a.img", 0o666);
        host.0.images.insert(
            "/srv/a.img".into(),
            image::Image { format: format.into(), ..image::Image::default() },
        );
        host
    };
    const QCOW2: [&str; 2] = ["-drive", "file=/srv/a.img,format=qcow2,if=none"];
    assert_eq!(found(&with("raw"), &QCOW2), blocks("image-format"));
    assert_eq!(found(&with("qcow2"), &QCOW2), []);
    let nodes = |driver: &str| {
        format!("driver={driver},node-name=n,file.driver=file,file.filename=/srv/a.img")
    };
    assert_eq!(found(&with("qcow2"), &["-blockdev", &nodes("vdi")]), blocks("image-format"));
    assert_eq!(found(&with("qcow2"), &["-blockdev", &nodes("qcow2")]), []);
    assert_eq!(found(&with("qcow2"), &["-blockdev", &nodes("nosuch")]), blocks("image-format"));
    assert_eq!(
        found(&with("raw"), &["-drive", "file=/srv/a.img,if=none,format=nosuch"]),
        blocks("image-format")
    );
}

#[test]
fn a_backing_file_has_the_format_that_is_said_and_a_secret_opens_what_is_encrypted() {
    let with = |image: image::Image, base: &str| {
        let mut host = host().file("/srv/a.img", 0o666).file("/srv/base", 0o666);
        host.0.images.insert("/srv/a.img".into(), image);
        let base = image::Image { format: base.into(), ..image::Image::default() };
        host.0.images.insert("/srv/base".into(), base);
        host
    };
    let over = |format: &str| image::Image {
        format: "qcow2".into(),
        backing: Some("base".into()),
        backing_format: Some(format.into()),
        ..image::Image::default()
    };
    assert_eq!(found(&with(over("qcow2"), "raw"), &DRIVE), blocks("image-chain"));
    assert_eq!(found(&with(over("qcow2"), "qcow2"), &DRIVE), []);
    assert_eq!(found(&with(over("raw"), "raw"), &DRIVE), []);
    // Arguments that name the backing file themselves.
    let own =
        "file=/srv/a.img,format=qcow2,if=none,backing.driver=raw,backing.file.filename=/srv/base";
    assert_eq!(found(&with(over("qcow2"), "raw"), &["-drive", own]), []);

    let locked = |format: &str| image::Image {
        format: format.into(),
        encrypted: format == "qcow2",
        ..image::Image::default()
    };
    let rules = |format: &str, value: &str| {
        let argv = ["-object", "secret,id=s,data=x", "-drive", value];
        let all = found(&with(locked(format), "raw"), &argv);
        all.into_iter().find(|(rule, _)| *rule == "image-key").map(|(_, verdict)| verdict)
    };
    let qcow2 = "file=/srv/a.img,if=none,format=qcow2";
    assert_eq!(rules("qcow2", qcow2), Some(Verdict::Blocks));
    assert_eq!(
        rules("qcow2", &format!("{qcow2},encrypt.format=luks,encrypt.key-secret=s")),
        Some(Verdict::Unknown)
    );
    let luks = "driver=luks,file.filename=/srv/a.img,if=none";
    assert_eq!(rules("luks", luks), Some(Verdict::Blocks));
    assert_eq!(rules("luks", &format!("{luks},key-secret=s")), Some(Verdict::Unknown));
    assert_eq!(rules("luks", "file=/srv/a.img,format=raw,if=none"), None);
}

#[test]
fn libvirt_refuses_labels_of_other_models() {
    let label = "<seclabel type='none' model='selinux'/>";
    assert_eq!(found_in(&host(), label, &[]), blocks("seclabel-unavailable"));
    assert_eq!(found_in(&host().selinux(Mode::Enforcing), label, &[]), []);
    let on = |version: &str, label: &str| {
        let mut host = host();
        host.0.libvirt = Known::Yes(version.into());
        found_in(&host, label, &[])
    };
    let fixed = "<seclabel type='static' model='selinux'><label>x</label></seclabel>";
    assert_eq!(on("12.3.0", label), []);
    assert_eq!(on("11.3.0", fixed), blocks("seclabel-unavailable"));
    assert_eq!(on("12.5.0", fixed), [("seclabel-unavailable", Verdict::Unknown)]);
    assert_eq!(on("12.8.0", fixed), []);
    let relabels = fixed.replace("model", "relabel='yes' model");
    assert_eq!(on("12.8.0", &relabels), blocks("seclabel-unavailable"));
    assert_eq!(on("12.8.0", "<seclabel model='selinux'/>"), blocks("seclabel-unavailable"));
    let strict = host().selinux(Mode::Enforcing).conf("security_require_confined = 1");
    assert_eq!(found_in(&strict, label, &[]), blocks("seclabel-unavailable"));
    assert_eq!(
        found_in(&host(), "<seclabel type='static' model='dac'/>", &[]),
        blocks("seclabel-refused")
    );
    assert_eq!(found(&host().conf("user = root"), &[]), blocks("conf-syntax"));
    assert_eq!(found(&host().conf("security_driver = \"selinux\""), &[]), blocks("conf-driver"));
    assert_eq!(found(&host().conf("security_driver = [ \"none\" ]"), &[]), []);
}

#[test]
fn lost_and_blank_values_are_found() {
    let document = Document::parse(
        "<domain><qemu:commandline><qemu:arg value='-S'/></qemu:commandline></domain>",
    )
    .unwrap();
    let findings = judged(&host(), &document);
    assert_eq!((findings[0].rule, findings[0].verdict), ("lost-block", Verdict::Blocks));
    let Step::EditXml(edits) = &findings[0].remedies[0].step else { panic!("{findings:?}") };
    assert_eq!(document.apply(edits).unwrap().argv(), ["-S"]);
    assert_eq!(
        found(&host(), &["-append", "a\nb"]),
        [("option-conflict", Verdict::Blocks), ("blank-in-value", Verdict::Warns)]
    );
}

#[test]
fn recorded_facts_are_read_back_as_they_were() {
    let facts =
        host().selinux(Mode::Enforcing).apparmor(&[("/a", "r")]).file("/srv/a.img", 0o600).0;
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<HostFacts>(&text).unwrap(), facts);
}

/// A machine of this type; libvirt adds its balloon by itself.
fn machine(machine: &str, devices: &str, argv: &[&str]) -> Document {
    let os = format!(
        "<os><type arch='x86_64' machine='{machine}'>hvm</type></os><devices>{devices}</devices>"
    );
    Document::parse(domain("", argv).source().replace("<devices/>", &os)).unwrap()
}

#[test]
fn a_backing_file_is_judged_with_its_overlay() {
    let with = |mode| {
        let mut host = host().file("/srv/a.img", 0o666).file("/srv/base.img", mode);
        host.0.images.insert(
            "/srv/a.img".into(),
            image::Image {
                format: "qcow2".into(),
                backing: Some("base.img".into()),
                ..image::Image::default()
            },
        );
        host
    };
    assert_eq!(found(&with(0o600), &DRIVE), blocks("dac-unreadable"));
    assert_eq!(found(&with(0o644), &DRIVE), []);
    assert_eq!(
        found(&with(0o600), &["-drive", "file=/srv/a.img,format=raw,if=none"]),
        [("image-format", Verdict::Warns)]
    );
    // An image that leads back to itself ends.
    let mut ring = with(0o666);
    ring.0.images.insert(
        "/srv/base.img".into(),
        image::Image {
            format: "qcow2".into(),
            backing: Some("a.img".into()),
            ..image::Image::default()
        },
    );
    assert!(found(&ring, &DRIVE).iter().all(|found| *found == blocks("image-chain")[0]));
}

#[test]
fn the_dac_label_must_be_one_that_libvirt_can_use() {
    let label = |user: &str, relabel: &str| {
        format!(
            "<seclabel type='static' model='dac' relabel='{relabel}'><label>{user}</label></seclabel>"
        )
    };
    let mut host = host().at("/var/lib/libvirt/qemu", FileKind::Directory, 0o755, 64055);
    host.0.identities.insert(
        "nosuch:nosuch".into(),
        Known::Unknown("there is no user 'nosuch' on this host".into()),
    );
    let other = Identity { user: "other".into(), uid: 1000, gid: 1000, groups: vec![1000] };
    host.0.identities.insert("other:other".into(), Known::Yes(other));
    assert_eq!(found_in(&host, &label("nosuch:nosuch", "yes"), &[]), blocks("dac-label"));
    assert_eq!(
        found_in(&host, &label("other:other", "no"), &[]),
        [("dac-label", Verdict::Unknown)]
    );
    assert_eq!(found_in(&host, &label("other:other", "yes"), &[]), []);
    assert_eq!(found_in(&host, &label("root:root", "no"), &[]), []);
    let shut =
        host.with("/var/lib/libvirt/qemu", "/var/lib/libvirt/qemu", |step| step.mode = 0o750);
    assert_eq!(found_in(&shut, &label("other:other", "yes"), &[]), blocks("dac-label"));
}
