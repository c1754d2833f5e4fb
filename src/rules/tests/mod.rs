//! Each rule's loud case beside its silent one, on facts that are built here.

mod limits;
mod remedies;

use std::collections::BTreeMap;

use super::*;
use crate::host::apparmor::{AppArmor, FileRule, Profile};
use crate::host::cgroup::Cgroups;
use crate::host::facts::FACTS_VERSION;
use crate::host::kernel::Kernel;
use crate::host::mounts::Mount;
use crate::host::qemu_conf::QemuConf;
use crate::host::selinux::{Mode, Selinux};
use crate::host::{Acl, Ending, Instance, Known, Step as HostStep};

/// A host without MAC on which QEMU runs as libvirt-qemu (64055:106).
#[derive(Clone)]
struct Host(HostFacts);

fn host() -> Host {
    let identity = |user: &str, uid, gid| Known::Yes(Identity { user: user.into(), uid, gid, groups: vec![gid] });
    let mut host = Host(HostFacts {
        version: FACTS_VERSION,
        source: "test".into(),
        instance: Instance::System,
        libvirt: Known::Yes("9.0.0".into()),
        qemu: Known::Yes("7.2.22".into()),
        emulator: Known::default(),
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
            decisions: BTreeMap::new(),
            servers: BTreeMap::new(),
            known: BTreeMap::new(),
            booleans: BTreeMap::new(),
        },
        apparmor: AppArmor { active: Known::Yes(false), profiles: BTreeMap::new() },
        mounts: Known::Yes(vec![
            mount("/", "rw"),
            mount("/dev", "rw"),
            mount("/dev/shm", "rw"),
            mount("/ro", "ro"),
            mount("/nodev", "nodev"),
        ]),
        cgroups: Cgroups { version: Some(1), devices: Known::Yes(true) },
        protected_regular: 2,
        kernel: Kernel { protected_symlinks: true, memlock: Known::Yes(Some(8 << 20)), ..Kernel::default() },
        taps: BTreeMap::new(),
        users: BTreeMap::from([(0, "root".into())]),
        groups: BTreeMap::from([(0, "root".into())]),
        images: BTreeMap::new(),
        listening: Known::Yes(Vec::new()),
        tcp: Known::Yes(Vec::new()),
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
        let Some(Known::Yes(walk)) = self.0.paths.get_mut(target) else { panic!("{target} is not there") };
        change(walk.steps.iter_mut().find(|step| step.path == path).unwrap());
        self
    }

    /// A path whose directory is there and empty.
    fn absent(self, path: &str, directory_mode: u32) -> Host {
        let (parent, _) = path.rsplit_once('/').unwrap();
        let mut host = self.at(path, FileKind::File, 0, 0).with(path, parent, |step| step.mode = directory_mode);
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
            owner: false,
            deny: false,
            origin: "local".into(),
        };
        let profile = Profile {
            path: "TEMPLATE.qemu".into(),
            rules: rules.iter().map(rule).collect(),
            complain: false,
            broken: None,
        };
        self.0.apparmor =
            AppArmor { active: Known::Yes(true), profiles: BTreeMap::from([(String::new(), Known::Yes(profile))]) };
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
    }
}

/// A domain with these arguments and these elements before the block.
fn domain(elements: &str, argv: &[&str]) -> Document {
    let args: String = argv
        .iter()
        .map(|arg| format!("<qemu:arg value='{}'/>", crate::xml::escape::attribute(arg, '\'', false).unwrap()))
        .collect();
    Document::parse(format!(
        "<domain type='kvm' xmlns:qemu='{}'><name>t</name><devices/>{elements}<qemu:commandline>{args}</qemu:commandline></domain>",
        crate::domain::QEMU_NAMESPACE
    ))
    .unwrap()
}

fn judged(host: &Host, document: &Document) -> Vec<Finding> {
    let line = crate::check::command_line(document);
    judge(&Case { document, line: &line, host: &host.0 })
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
    let group = host().file("/srv/a.img", 0o660).with("/srv/a.img", "/srv/a.img", |step| step.gid = 106);
    assert_eq!(found(&group, &BLOCKDEV), []);
    // The owner's own bits decide, whatever the others may.
    let own = host().at("/srv/a.img", FileKind::File, 0o066, 64055);
    assert_eq!(found(&own, &DRIVE), blocks("dac-unreadable"));
}

#[test]
fn an_acl_counts_with_its_mask() {
    let with = |mask| {
        let acl = Acl { users: vec![(64055, 6)], groups: vec![], owning_group: 0, mask };
        host().file("/srv/a.img", 0o660).with("/srv/a.img", "/srv/a.img", |step| step.acl = Some(acl.clone()))
    };
    assert_eq!(found(&with(6), &BLOCKDEV), []);
    assert_eq!(found(&with(4), &BLOCKDEV), blocks("dac-unwritable"));
    assert_eq!(found(&with(0), &BLOCKDEV), blocks("dac-unreadable"));
}

#[test]
fn a_closed_parent_directory_blocks_alone() {
    let closed = host().file("/srv/a.img", 0o666).with("/srv/a.img", "/srv", |step| step.mode = 0o700);
    assert_eq!(found(&closed, &DRIVE), blocks("closed-directory"));
    let findings = judged(&closed, &domain("", &DRIVE));
    let finding = findings.iter().find(|finding| finding.rule == "closed-directory").unwrap();
    assert!(finding.evidence.contains(&"/srv is root:root 0700".to_owned()), "{:?}", finding.evidence);
    assert!(finding.remedies.iter().any(|r| r.step == Step::RunCommand("setfacl -m u:libvirt-qemu:x /srv".into())));
}

#[test]
fn root_by_label_or_configuration_passes_dac() {
    let shut = || host().file("/srv/a.img", 0o600);
    let label = "<seclabel type='static' model='dac' relabel='no'><label>root:root</label></seclabel>";
    assert_eq!(found_in(&shut(), label, &DRIVE), []);
    assert_eq!(found_in(&shut(), "<seclabel type='none' model='dac'/>", &DRIVE), blocks("dac-unreadable"));
    assert_eq!(found(&shut().conf("security_driver = []"), &DRIVE), blocks("dac-unreadable"));
}

#[test]
fn the_remedy_of_a_dac_finding_lets_the_file_through() {
    let document = domain("", &DRIVE);
    let findings = judged(&host().file("/srv/a.img", 0o600), &document);
    let edit = findings.iter().flat_map(|finding| &finding.remedies).find_map(|remedy| match &remedy.step {
        Step::EditXml(edits) if remedy.scope == Scope::DisableVm => Some(edits.clone()),
        _ => None,
    });
    let next = document.apply(&edit.unwrap()).unwrap();
    let after = judged(&host().file("/srv/a.img", 0o600), &next);
    assert!(after.iter().all(|finding| finding.verdict > Verdict::Unknown), "{after:?}");
}

#[test]
fn a_native_element_gets_its_file_for_the_argument_too() {
    let disk = "<devices><disk type='file'><source file='/srv/a.img'/></disk></devices>";
    let document = Document::parse(domain("", &BLOCKDEV).source().replace("<devices/>", disk)).unwrap();
    let worst = judged(&host().file("/srv/a.img", 0o600), &document).into_iter().map(|finding| finding.verdict).min();
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
        host().at("/srv/d/out", FileKind::File, 0o666, 1000).with("/srv/d/out", "/srv/d", |step| step.mode = 0o1777);
    assert_eq!(found(&sticky, &LOG), blocks("dac-cannot-create"));
    let mut open = sticky;
    open.0.protected_regular = 0;
    assert_eq!(found(&open, &LOG), []);
}

#[test]
fn what_is_not_there_is_said_once() {
    assert_eq!(found(&host().absent("/srv/a.img", 0o755), &DRIVE), blocks("path-missing"));
    assert_eq!(found(&host().at("/srv/a.img", FileKind::Directory, 0o777, 0), &DRIVE), blocks("path-kind"));
    assert_eq!(
        found(&host().file("/ro/a.img", 0o666), &["-blockdev", "file,filename=/ro/a.img,node-name=n"]),
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
    assert_eq!(found(&hw(), &RNG), [("namespace-hidden", Verdict::Blocks), ("cgroup-device", Verdict::Blocks)]);
    assert_eq!(found(&hw().conf("namespaces = []"), &RNG), blocks("cgroup-device"));
    assert_eq!(found(&hw().conf("cgroup_device_acl = [ \"/dev/null\", \"/dev/hw\" ]"), &RNG), []);
    assert_eq!(found(&hw().conf("cgroup_controllers = []"), &RNG), blocks("namespace-hidden"));
    // Another node of an allowed number: hidden in /dev, free elsewhere.
    assert_eq!(found(&host().node("/dev/hw", 1, 3, 0o666), &RNG), blocks("namespace-hidden"));
    let outside = host().node("/srv/n", 1, 3, 0o666);
    assert_eq!(found(&outside, &["-object", "rng-random,id=r,filename=/srv/n"]), []);
    let link = hw().link("/l", "/dev/hw").conf("cgroup_controllers = []");
    assert_eq!(found(&link, &["-object", "rng-random,id=r,filename=/l"]), blocks("namespace-hidden"));
    assert_eq!(
        found(&host().file("/dev/shm/m", 0o666), &["-object", "memory-backend-file,id=m,mem-path=/dev/shm/m,size=1M"]),
        []
    );
    let mut session = hw();
    session.0.instance = Instance::Session;
    assert_eq!(found(&session, &RNG), []);
    let native = "<devices><rng model='virtio'><backend model='random'>/dev/hw</backend></rng></devices>";
    let document = Document::parse(domain("", &RNG).source().replace("<devices/>", native)).unwrap();
    assert!(judged(&hw(), &document).iter().all(|finding| finding.verdict == Verdict::Allows));
}

#[test]
fn the_setting_that_is_offered_lets_the_node_through() {
    let hw = host().node("/dev/hw", 10, 183, 0o666);
    let findings = judged(&hw, &domain("", &RNG));
    let line = findings.iter().flat_map(|finding| &finding.remedies).find_map(|remedy| match &remedy.step {
        Step::SetOption { line, .. } if line.starts_with("cgroup_device_acl") => Some(line.clone()),
        _ => None,
    });
    assert_eq!(found(&hw.conf(&line.unwrap()), &RNG), []);
}

#[test]
fn seccomp_stops_programs_and_changes_of_user() {
    let exec: [&str; 2] = ["-incoming", "exec:cat /x"];
    assert_eq!(found(&host(), &exec), blocks("seccomp-spawn"));
    assert_eq!(found(&host().conf("seccomp_sandbox = 0"), &exec), []);
    assert_eq!(found(&host().conf("user = \"root\"").root(), &["-runas", "nobody"]), blocks("seccomp-privileges"));
    assert_eq!(found(&host().conf("seccomp_sandbox = 0"), &["-runas", "nobody"]), blocks("dac-privilege"));
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
fn selinux_is_judged_by_labels_and_categories() {
    let labelled = |label: &str| host().selinux(Mode::Enforcing).file("/srv/a.img", 0o666).label("/srv/a.img", label);
    assert_eq!(found(&labelled("svirt_image_t:s0"), &BLOCKDEV), []);
    assert_eq!(found(&labelled("default_t:s0"), &DRIVE), blocks("selinux-denied"));
    assert_eq!(found(&labelled("virt_content_t:s0"), &DRIVE), []);
    assert_eq!(found(&labelled("virt_content_t:s0"), &BLOCKDEV), blocks("selinux-denied"));
    assert_eq!(found(&labelled("svirt_image_t:s0:c1,c2"), &DRIVE), blocks("selinux-categories"));
    assert_eq!(found(&labelled("nobody_knows_t:s0"), &DRIVE), [("selinux-denied", Verdict::Unknown)]);
    let fixed = "<seclabel type='static' model='selinux'><label>system_u:system_r:svirt_t:s0:c1,c2</label></seclabel>";
    assert_eq!(found_in(&labelled("svirt_image_t:s0:c1,c2"), fixed, &DRIVE), []);
    for label in ["default_t:s0", "nobody_knows_t:s0"] {
        assert_eq!(found(&labelled(label).selinux(Mode::Permissive), &DRIVE), []);
    }
    // What is not confined runs as the daemon does.
    let free = "<seclabel type='none' model='selinux'/>";
    assert_eq!(found_in(&labelled("svirt_image_t:s0:c1,c2"), free, &BLOCKDEV), []);
    assert_eq!(found_in(&labelled("default_t:s0"), free, &DRIVE), blocks("selinux-denied"));
}

#[test]
fn selinux_lets_new_files_be_made_where_it_was_measured() {
    let made = |label: &str, argv: &[&str]| {
        let host = host().selinux(Mode::Enforcing).absent("/srv/d/x", 0o777);
        found(&host.with("/srv/d/x", "/srv/d", |step| step.label = Some(format!("system_u:object_r:{label}:s0"))), argv)
    };
    const FILE: [&str; 2] = ["-chardev", "file,id=c,path=/srv/d/x"];
    const SOCKET: [&str; 2] = ["-chardev", "socket,id=c,path=/srv/d/x,server=on,wait=off"];
    // It bears the categories of one start.
    assert_eq!(made("var_t", &FILE), [("selinux-next-start", Verdict::Warns)]);
    assert_eq!(made("var_t", &SOCKET), blocks("selinux-denied"));
    assert_eq!(made("svirt_image_t", &SOCKET), []);
    assert_eq!(made("default_t", &FILE), blocks("selinux-denied"));
    assert_eq!(
        made("tmpfs_t", &["-object", "memory-backend-file,id=m,mem-path=/srv/d/x,size=1M"]),
        blocks("selinux-denied")
    );
}

#[test]
fn the_kernels_own_answer_comes_before_the_table() {
    let mut asked = host().selinux(Mode::Enforcing).file("/srv/a.img", 0o666).label("/srv/a.img", "default_t:s0");
    let source = "system_u:system_r:svirt_t:s0:c1021,c1022";
    let key = format!("{source} system_u:object_r:default_t:s0 file");
    asked.0.selinux.decisions.insert(key, vec!["open".into(), "read".into()]);
    assert_eq!(found(&asked, &DRIVE), []);
    assert_eq!(found(&asked, &BLOCKDEV), blocks("selinux-denied"));
}

#[test]
fn under_selinux_root_is_a_user_like_any_other() {
    let enforcing = || host().selinux(Mode::Enforcing);
    let root = |relabel: &str| {
        format!("<seclabel type='static' model='dac' relabel='{relabel}'><label>root:root</label></seclabel>")
    };
    assert_eq!(found_in(&enforcing(), &root("no"), &[]), blocks("selinux-root"));
    assert_eq!(found_in(&enforcing(), &root("yes"), &[]), blocks("selinux-root"));
    let open = enforcing().at("/var/lib/libvirt/qemu", FileKind::Directory, 0o755, 64055);
    assert_eq!(found_in(&open, &root("yes"), &[]), []);
    assert_eq!(found_in(&host().selinux(Mode::Permissive), &root("no"), &[]), []);
    let free = format!("{}<seclabel type='none' model='selinux'/>", root("no"));
    assert_eq!(found_in(&enforcing(), &free, &[]), []);
    let other = |host: Host| host.at("/srv/a.img", FileKind::File, 0o600, 1000).label("/srv/a.img", "svirt_image_t:s0");
    assert_eq!(found(&other(enforcing()).root(), &DRIVE), blocks("dac-unreadable"));
    assert_eq!(found(&other(host().selinux(Mode::Permissive)).root(), &DRIVE), []);
    // The running kernel's policy has the last word.
    let mut asked = other(enforcing()).root();
    let process = "system_u:system_r:svirt_t:s0:c1021,c1022";
    asked.0.selinux.decisions.insert(format!("{process} {process} capability"), vec!["dac_override".into()]);
    assert_eq!(found(&asked, &DRIVE), []);
}

#[test]
fn a_static_selinux_label_must_be_one_that_libvirt_can_give() {
    let label = "system_u:system_r:other_t:s0:c1,c2";
    let own = format!("<seclabel type='static' model='selinux'><label>{label}</label></seclabel>");
    let daemon = "system_u:system_r:virtd_t:s0";
    let key = "system_u:object_r:svirt_image_t:s0:c1,c2";
    let with = |socket: &str, process: &str, file: &[&str]| {
        let mut host = host().selinux(Mode::Enforcing);
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let decisions = &mut host.0.selinux.decisions;
        decisions.insert(format!("{daemon} {label} unix_stream_socket"), texts(&[socket]));
        decisions.insert(format!("{daemon} {label} process"), texts(&[process]));
        decisions.insert(format!("{label} {key} file"), texts(file));
        host.0.selinux.known.insert(label.to_owned(), true);
        host
    };
    assert_eq!(found_in(&with("create", "transition", &["open", "read"]), &own, &[]), []);
    assert_eq!(found_in(&with("", "transition", &["open", "read"]), &own, &[]), blocks("selinux-label"));
    assert_eq!(found_in(&with("create", "", &["open", "read"]), &own, &[]), blocks("selinux-label"));
    assert_eq!(found_in(&with("create", "transition", &["open"]), &own, &[]), blocks("selinux-label"));
    let mut unknown = with("create", "transition", &["open", "read"]);
    unknown.0.selinux.known.insert(label.to_owned(), false);
    assert_eq!(found_in(&unknown, &own, &[]), blocks("selinux-label"));
    let unasked = host().selinux(Mode::Enforcing);
    assert_eq!(found_in(&unasked, &own, &[]), [("selinux-label", Verdict::Unknown)]);
    assert_eq!(found_in(&unasked, &own.replace("other_t", "svirt_t"), &[]), []);
}

#[test]
fn a_boolean_opens_network_file_systems() {
    let with = |on: Option<bool>| {
        let mut host = host().selinux(Mode::Enforcing).file("/srv/a.img", 0o666).label("/srv/a.img", "nfs_t:s0");
        host.0.selinux.booleans.extend(on.map(|on| ("virt_use_nfs".to_owned(), on)));
        host
    };
    assert_eq!(found(&with(Some(true)), &BLOCKDEV), []);
    assert_eq!(found(&with(Some(false)), &BLOCKDEV), blocks("selinux-denied"));
    assert_eq!(found(&with(None), &BLOCKDEV), [("selinux-denied", Verdict::Unknown)]);
    let findings = judged(&with(Some(false)), &domain("", &BLOCKDEV));
    assert!(findings[0].remedies.iter().any(|r| r.step == Step::RunCommand("setsebool -P virt_use_nfs on".into())));
}

#[test]
fn apparmor_labels_and_broken_rules_stop_the_start() {
    let with = || host().apparmor(&[("/srv/**", "rwk")]);
    let own = "<seclabel type='static' model='apparmor'><label>unconfined</label></seclabel>";
    assert_eq!(found_in(&with(), own, &[]), blocks("apparmor-label"));
    let base = "<seclabel type='dynamic' model='apparmor'><baselabel>x</baselabel></seclabel>";
    assert_eq!(found_in(&with(), base, &[]), blocks("apparmor-label"));
    assert_eq!(found_in(&with(), "<seclabel type='dynamic' model='apparmor'/>", &[]), []);
    let mut broken = with();
    let Some(Known::Yes(profile)) = broken.0.apparmor.profiles.get_mut("") else { unreachable!() };
    profile.broken = Some("local: '/srv/a r'".into());
    assert_eq!(found(&broken, &[]), blocks("apparmor-profile"));
    assert_eq!(found_in(&broken, "<seclabel type='none' model='apparmor'/>", &[]), []);
}

#[test]
fn of_several_layers_the_first_is_named() {
    let findings = judged(&host().node("/dev/hw", 10, 183, 0o600), &domain("", &RNG));
    let blocking: Vec<_> =
        findings.iter().filter(|f| f.verdict == Verdict::Blocks).map(|f| (f.layer, f.first)).collect();
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
    host.0.conf.newer = false;
    assert_eq!(rules(&host.conf("namespaces = []"), &DRIVE), [""; 0]);
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
    for conf in ["nosuch = \"x\"", "seccomp_sandbox = -5", "max_core = \"unlimited\"", "user = \"a\"\nuser = 1"] {
        assert_eq!(found(&host().conf(conf), &[]), [], "{conf}");
    }
    for conf in
        ["security_driver = \"dac\"", "security_driver = [ \"none\", \"none\" ]", "security_require_confined = 1"]
    {
        assert_eq!(found(&host().conf(conf), &[]), blocks("conf-driver"), "{conf}");
    }
    assert_eq!(found(&host().selinux(Mode::Enforcing).conf("security_require_confined = 1"), &[]), []);
}

#[test]
fn an_image_is_what_it_is_said_to_be() {
    let with = |format: &str| {
        let mut host = host().file("/srv/a.img", 0o666);
        host.0.images.insert("/srv/a.img".into(), image::Image { format: format.into(), ..image::Image::default() });
        host
    };
    const QCOW2: [&str; 2] = ["-drive", "file=/srv/a.img,format=qcow2,if=none"];
    assert_eq!(found(&with("raw"), &QCOW2), blocks("image-format"));
    assert_eq!(found(&with("qcow2"), &QCOW2), []);
    let nodes = |driver: &str| format!("driver={driver},node-name=n,file.driver=file,file.filename=/srv/a.img");
    assert_eq!(found(&with("qcow2"), &["-blockdev", &nodes("vdi")]), blocks("image-format"));
    assert_eq!(found(&with("qcow2"), &["-blockdev", &nodes("qcow2")]), []);
    assert_eq!(found(&with("qcow2"), &["-blockdev", &nodes("nosuch")]), blocks("image-format"));
    assert_eq!(found(&with("raw"), &["-drive", "file=/srv/a.img,if=none,format=nosuch"]), blocks("image-format"));
}

#[test]
fn apparmor_is_judged_by_the_profile() {
    let with = |rules: &[(&str, &str)]| host().apparmor(rules).file("/srv/a.img", 0o666);
    assert_eq!(found(&with(&[]), &DRIVE), blocks("apparmor-denied"));
    assert_eq!(found(&with(&[("/srv/**", "rwk")]), &DRIVE), []);
    assert_eq!(found(&with(&[("/srv/**", "r")]), &DRIVE), blocks("apparmor-denied"));
    assert_eq!(found(&with(&[("/srv/**", "rw")]), &BLOCKDEV), []);
    assert_eq!(found_in(&with(&[]), "<seclabel type='none' model='apparmor'/>", &DRIVE), []);
    assert_eq!(found(&with(&[]).conf("security_driver = \"none\""), &DRIVE), []);
    assert_eq!(found(&with(&[]).conf("security_driver = []"), &DRIVE), blocks("apparmor-denied"));
}

#[test]
fn libvirt_refuses_labels_of_other_models() {
    let label = "<seclabel type='none' model='selinux'/>";
    assert_eq!(found_in(&host(), label, &[]), blocks("seclabel-unavailable"));
    assert_eq!(found_in(&host().selinux(Mode::Enforcing), label, &[]), []);
    let strict = host().selinux(Mode::Enforcing).conf("security_require_confined = 1");
    assert_eq!(found_in(&strict, label, &[]), blocks("seclabel-unavailable"));
    assert_eq!(found_in(&host(), "<seclabel type='static' model='dac'/>", &[]), blocks("seclabel-refused"));
    assert_eq!(found(&host().conf("user = root"), &[]), blocks("conf-syntax"));
    assert_eq!(found(&host().conf("security_driver = \"selinux\""), &[]), blocks("conf-driver"));
    assert_eq!(found(&host().conf("security_driver = [ \"none\" ]"), &[]), []);
}

#[test]
fn qemus_own_reading_is_foreseen() {
    assert_eq!(found(&host(), &["-device usb-kbd"]), blocks("joined-option"));
    assert_eq!(found(&host(), &["-version"]), blocks("qemu-exits"));
    assert_eq!(found(&host(), &["-acpitable", "sig=X"]), blocks("value-syntax"));
    assert_eq!(found(&host(), &["-device"]), blocks("dangling-option"));
    assert_eq!(found(&host(), &["-nosuch"]), blocks("unknown-option"));
    assert_eq!(found(&host(), &[""]), blocks("stray-argument"));
    assert_eq!(found(&host(), &["-object", "{"]), blocks("value-syntax"));
    assert_eq!(found(&host(), &["-chardev", "null,id=a", "-chardev", "null,id=a"]), blocks("duplicate-id"));
    assert_eq!(found(&host(), &["-object", "iothread,id=masterKey0"]), blocks("duplicate-id"));
    assert_eq!(found(&host(), &["-chardev", "socket,id=a,fd=3"]), blocks("inherited-descriptor"));
    assert_eq!(found(&host(), &["-rtc", "base=utc", "-chardev", "null,id=a", "-object", "iothread,id=a"]), []);
}

#[test]
fn a_joined_option_is_split_by_its_remedy() {
    let document = domain("", &["-device usb-kbd", "-S"]);
    let findings = judged(&host(), &document);
    let Step::EditXml(edits) = &findings[0].remedies[0].step else { panic!("{findings:?}") };
    assert_eq!(document.apply(edits).unwrap().argv(), ["-device", "usb-kbd", "-S"]);
}

#[test]
fn lost_and_blank_values_are_found() {
    let document =
        Document::parse("<domain><qemu:commandline><qemu:arg value='-S'/></qemu:commandline></domain>").unwrap();
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
    let facts = host().selinux(Mode::Enforcing).apparmor(&[("/a", "r")]).file("/srv/a.img", 0o600).0;
    let text = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<HostFacts>(&text).unwrap(), facts);
}

/// A machine of this type; libvirt adds its balloon by itself.
fn machine(machine: &str, devices: &str, argv: &[&str]) -> Document {
    let os = format!("<os><type arch='x86_64' machine='{machine}'>hvm</type></os><devices>{devices}</devices>");
    Document::parse(domain("", argv).source().replace("<devices/>", &os)).unwrap()
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
        for argv in [&["-device", "virtio-rng-pci"][..], &["-nic", "user"], &["-net", "nic"], &["-vga", "std"]] {
            assert_eq!(found_on(kind, argv), ["pci-slot"], "{kind} {argv:?}");
        }
        for argv in [
            &["-device", "virtio-rng-pci,addr=0x1d"][..],
            &["-device", r#"{"driver":"virtio-rng-pci"}"#],
            &["-device", "isa-debugcon,iobase=0x402,chardev=x", "-chardev", "null,id=x"],
            &["-device", "pci-bridge,id=br,chassis_nr=9,addr=0x1d", "-device", "virtio-rng-pci,bus=br,addr=1"],
            &["-device", "qemu-xhci,id=x,addr=0x1c", "-device", "usb-kbd,bus=x.0"],
            &["-nic", "none", "-vga", "none"],
        ] {
            assert_eq!(found_on(kind, argv), [""; 0], "{kind} {argv:?}");
        }
        for argv in [&["-device", "usb-kbd"][..], &["-device", "usb-kbd,bus=usb.0"], &["-device", "hda-duplex"]] {
            assert_eq!(found_on(kind, argv), ["bus-missing"], "{kind} {argv:?}");
        }
    }
    assert_eq!(found_on("q35", &["-device", "virtio-rng-pci,bus=pci.0"]), ["bus-missing"]);
    assert_eq!(found_on("pc", &["-usb"]), ["pci-slot"]);
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
    assert!(judged(&host(), &machine("q35", inside, &["-device", "virtio-rng-pci,addr=0x6"])).is_empty());
}

#[test]
fn set_reaches_only_what_is_not_json() {
    assert_eq!(found_on("pc", &["-set", "device.hostdev0.x-vga=on"]), ["set-target"]);
    let own = ["-chardev", "null,id=c", "-device", "isa-debugcon,id=d,chardev=c", "-set", "device.d.iobase=1"];
    assert_eq!(found_on("pc", &own), [""; 0]);
    assert_eq!(found_on("pc", &["-set", "chardev.charmonitor.logappend=on"]), [""; 0]);
    assert_eq!(found_on("pc", &["-set", "chardev.charserial0.logappend=on"]), ["set-target"]);
    let serial = "<serial type='pty'><target port='0'/></serial>";
    assert!(judged(&host(), &machine("pc", serial, &["-set", "chardev.charserial0.logappend=on"])).is_empty());
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
    let waits = found(&host().absent("/srv/d/s", 0o777), &["-chardev", "socket,id=c,path=/srv/d/s,server=on"]);
    assert_eq!(waits, [("socket-waits", Verdict::Warns)]);
}

#[test]
fn a_backing_file_is_judged_with_its_overlay() {
    let with = |mode| {
        let mut host = host().file("/srv/a.img", 0o666).file("/srv/base.img", mode);
        host.0.images.insert(
            "/srv/a.img".into(),
            image::Image { format: "qcow2".into(), backing: Some("base.img".into()), data: None },
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
        image::Image { format: "qcow2".into(), backing: Some("a.img".into()), data: None },
    );
    assert_eq!(found(&ring, &DRIVE), []);
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
    use crate::host::emulator::{Emulator, Property};
    let mut host = host();
    let types = |name: &str, properties: &[&str]| {
        (
            name.to_owned(),
            properties.iter().map(|p| Property { name: (*p).to_owned(), ..Property::default() }).collect::<Vec<_>>(),
        )
    };
    host.0.emulator = Known::Yes(Emulator {
        path: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".into(),
        devices: BTreeMap::from([types("isa-debugcon", &["chardev", "iobase"]), types("ES1370", &["addr"])]),
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
    assert!(findings[0].evidence.iter().any(|evidence| evidence == "did you mean 'isa-debugcon'?"), "{findings:?}");
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
    let with = domain("", &["-display", "gtk"])
        .source()
        .replace("</qemu:commandline>", "<qemu:env name='DISPLAY' value=':0'/></qemu:commandline>");
    assert!(judged(&host(), &Document::parse(with).unwrap()).is_empty());
}

#[test]
fn the_dac_label_must_be_one_that_libvirt_can_use() {
    let label = |user: &str, relabel: &str| {
        format!("<seclabel type='static' model='dac' relabel='{relabel}'><label>{user}</label></seclabel>")
    };
    let mut host = host().at("/var/lib/libvirt/qemu", FileKind::Directory, 0o755, 64055);
    host.0.identities.insert("nosuch:nosuch".into(), Known::Unknown("there is no user 'nosuch' on this host".into()));
    let other = Identity { user: "other".into(), uid: 1000, gid: 1000, groups: vec![1000] };
    host.0.identities.insert("other:other".into(), Known::Yes(other));
    assert_eq!(found_in(&host, &label("nosuch:nosuch", "yes"), &[]), blocks("dac-label"));
    assert_eq!(found_in(&host, &label("other:other", "no"), &[]), [("dac-label", Verdict::Unknown)]);
    assert_eq!(found_in(&host, &label("other:other", "yes"), &[]), []);
    assert_eq!(found_in(&host, &label("root:root", "no"), &[]), []);
    let shut = host.with("/var/lib/libvirt/qemu", "/var/lib/libvirt/qemu", |step| step.mode = 0o750);
    assert_eq!(found_in(&shut, &label("other:other", "yes"), &[]), blocks("dac-label"));
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
    for argv in
        [["-device", "isa-debugcon,chardev=x"], ["-mon", "chardev=x"], ["-device", "ivshmem-plain,memdev=x,addr=0x1e"]]
    {
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
    let kernel = domain("", &["-append", "x"]).source().replace("<devices/>", "<os><kernel>/k</kernel></os><devices/>");
    assert!(judged(&host(), &Document::parse(kernel).unwrap()).is_empty());
}

/// Every rule that has something to say, notes included.
fn said(argv: &[&str]) -> Vec<&'static str> {
    judged(&host(), &machine("q35", "", argv))
        .into_iter()
        .filter(|f| f.verdict < Verdict::Allows)
        .map(|f| f.rule)
        .collect()
}

#[test]
fn native_elements_are_offered_where_they_say_the_same() {
    for (argv, rule) in [
        (&["-object", "input-linux,id=a,evdev=/dev/hw"][..], "native-input"),
        (&["-device", "vfio-pci,host=01:00.0,addr=0x1e"], "native-hostdev"),
        (&["-device", "usb-host,vendorid=0x46d,productid=0xc539"], "native-hostdev"),
        (&["-object", "rng-random,id=r,filename=/x", "-device", "virtio-rng-pci,rng=r,addr=0x1e"], "native-rng"),
        (&["-fw_cfg", "name=opt/x,string=y"], "native-fwcfg"),
        (&["-smbios", "type=1,product=y"], "native-sysinfo"),
        (&["-netdev", "user,id=n", "-device", "e1000,netdev=n,addr=0x1e"], "native-interface"),
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
    ] {
        assert!(said(argv).iter().all(|rule| !rule.starts_with("native-")), "{argv:?}: {:?}", said(argv));
    }
    let mut old = host();
    old.0.libvirt = Known::Yes("7.0.0".into());
    let findings = judged(&old, &domain("", &["-object", "input-linux,id=a,evdev=/dev/hw"]));
    assert!(findings.iter().all(|f| f.remedies.iter().all(|r| r.scope != Scope::Rewrite)), "{findings:?}");
}

#[test]
fn the_native_element_is_the_first_remedy_of_what_it_lets_through() {
    let host = host().node("/dev/hw", 13, 64, 0o660);
    let document = domain("", &["-object", "input-linux,id=a,evdev=/dev/hw"]);
    let findings = judged(&host, &document);
    let blocking: Vec<_> = findings.iter().filter(|finding| finding.verdict == Verdict::Blocks).collect();
    assert_eq!(blocking.len(), 3);
    assert!(blocking.iter().all(|finding| finding.remedies[0].title.starts_with("write it as <input type='evdev'>")));
    // libvirt opens no directory on the way.
    let shut = host.with("/dev/hw", "/dev", |step| step.mode = 0o700);
    let findings = judged(&shut, &document);
    let closed = findings.iter().find(|finding| finding.rule == "closed-directory").unwrap();
    assert!(closed.remedies.iter().all(|remedy| remedy.scope != Scope::Rewrite));
}

#[test]
fn commas_secrets_and_libvirts_own_names() {
    assert!(said(&["-drive", "file=/srv/a,b.img,if=none"]).contains(&"comma-in-value"));
    assert!(!said(&["-drive", "file=/srv/a,,b.img,if=none"]).contains(&"comma-in-value"));
    assert!(!said(&["-chardev", "socket,id=c,path=/s,server,nowait"]).contains(&"comma-in-value"));
    for argv in [["-object", "secret,id=s,data=x"], ["-device", "isa-applesmc,osk=x"], ["-spice", "port=1,password=x"]]
    {
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
    assert!(judged(&host(), &video).iter().any(|f| f.rule == "duplicate-id" && f.verdict == Verdict::Blocks));
    let other = machine("q35", "<video/>", &["-device", "VGA,id=video1,addr=0x1e"]);
    assert!(judged(&host(), &other).iter().all(|f| f.rule != "duplicate-id"));
}

#[test]
fn a_capability_brings_set_back() {
    let with = |name: &str| {
        let capability = format!("<qemu:capabilities><qemu:del capability='{name}'/></qemu:capabilities>");
        let document = machine("pc", "<video/>", &["-set", "device.video0.vgamem_mb=32"]);
        let text = document.source().replace("</domain>", &format!("{capability}</domain>"));
        judged(&host(), &Document::parse(text).unwrap()).into_iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    assert_eq!(with("device.json"), ["set-target", "capability-without-effect"]);
    assert_eq!(with("device.json+hotplug"), [""; 0]);
}
