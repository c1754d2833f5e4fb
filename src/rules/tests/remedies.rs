//! Every remedy that can be carried out is carried out on the facts, and the finding must be gone.

use super::limits::{MEMORY, TAP, link_in_tmp};
use super::*;
use crate::facts::apparmor::FileRule;
use crate::facts::kernel::Tap;

/// The walk's steps that stand at a path, in every path that was asked for.
fn steps<'a>(host: &'a mut Host, path: &'a str) -> impl Iterator<Item = &'a mut HostStep> {
    let walks = host.0.paths.values_mut().filter_map(|walk| match walk {
        Known::Yes(walk) => Some(walk),
        Known::Unknown(_) => None,
    });
    walks.flat_map(|walk| walk.steps.iter_mut()).filter(move |step| step.path == path)
}

fn bits(text: &str) -> u8 {
    [('r', 4), ('w', 2), ('x', 1)]
        .into_iter()
        .filter(|(letter, _)| text.contains(*letter))
        .map(|(_, bit)| bit)
        .sum()
}

/// What a command that is offered does to the facts; one that is not known here fails the test.
fn run(host: &mut Host, command: &str) {
    let words = shlex::split(command).unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["setfacl", "-m", entry, path] => {
            let given = bits(entry.rsplit(':').next().unwrap());
            let uid = host.0.identities[""].yes().unwrap().uid;
            for step in steps(host, path) {
                let acl = step.acl.get_or_insert(Acl { mask: 7, ..Acl::default() });
                acl.users.retain(|(user, _)| *user != uid);
                acl.users.push((uid, given));
                acl.mask |= given;
            }
        }
        ["chown", "-h", _, path] => {
            let uid = host.0.identities[""].yes().unwrap().uid;
            steps(host, path).for_each(|step| step.uid = uid);
        }
        ["touch", path, "&&", "chcon", "-t", kind, same] if path == same => {
            let Some(Known::Yes(walk)) = host.0.paths.get_mut(*path) else { unreachable!() };
            let label = Some(format!("system_u:object_r:{kind}:s0"));
            walk.steps.push(HostStep { label, ..step(path, FileKind::File, 0o666, 0) });
            walk.ending = Ending::Present;
        }
        ["rm", path] => {
            let Some(Known::Yes(walk)) = host.0.paths.get_mut(*path) else { unreachable!() };
            walk.steps.pop();
            walk.ending = Ending::Missing((*path).to_owned());
        }
        ["chattr", "-i", path] => steps(host, path).for_each(|step| step.immutable = false),
        ["chattr", "-a", path] => steps(host, path).for_each(|step| step.append_only = false),
        ["truncate", "-s", size, path] => {
            steps(host, path).for_each(|step| step.size = size.parse().unwrap());
        }
        ["mount", "-o", "remount,dev", point] => {
            let Known::Yes(mounts) = &mut host.0.mounts else { unreachable!() };
            mounts
                .iter_mut()
                .filter(|mount| mount.point == *point)
                .for_each(|mount| mount.options = vec!["rw".into()]);
        }
        ["sysctl", "-w", setting] => {
            let first = setting.strip_prefix("net.ipv4.ip_unprivileged_port_start=").unwrap();
            host.0.kernel.first_port = Known::Yes(first.parse().unwrap());
        }
        ["ip", "tuntap", "add", "dev", name, "mode", "tap", "user", _]
        | [
            "ip",
            "tuntap",
            "del",
            ..,
            "&&",
            "ip",
            "tuntap",
            "add",
            "dev",
            name,
            "mode",
            "tap",
            "user",
            _,
        ] => {
            let owner = Some(host.0.identities[""].yes().unwrap().uid);
            host.0.taps.insert((*name).to_owned(), Tap { owner, group: None });
        }
        ["chmod", mode, path] => {
            let given = u32::from(bits(mode.strip_prefix("u+").unwrap())) << 6;
            steps(host, path).for_each(|step| step.mode |= given);
        }
        ["chown", _, path] => {
            let uid = host.0.identities[""].yes().unwrap().uid;
            steps(host, path).for_each(|step| step.uid = uid);
        }
        ["chcon", "-t", kind, path] => {
            steps(host, path)
                .for_each(|step| step.label = Some(format!("system_u:object_r:{kind}:s0")));
        }
        ["chcon", label, path] => {
            steps(host, path).for_each(|step| step.label = Some((*label).to_owned()));
        }
        ["semanage", "fcontext", "-a", "-t", kind, .., path, "&&", "restorecon", "-v", same]
            if path == same =>
        {
            steps(host, path)
                .for_each(|step| step.label = Some(format!("system_u:object_r:{kind}:s0")));
        }
        ["setsebool", "-P", name, "on"] => {
            host.0.selinux.booleans.insert((*name).to_owned(), true);
        }
        ["mount", "-o", "remount,rw", point] => {
            let Known::Yes(mounts) = &mut host.0.mounts else { unreachable!() };
            mounts
                .iter_mut()
                .filter(|mount| mount.point == *point)
                .for_each(|mount| mount.options = vec!["rw".into()]);
        }
        ["mount", "--make-rshared", "/"] => {
            let Known::Yes(mounts) = &mut host.0.mounts else { unreachable!() };
            for mount in mounts {
                mount.shared = true;
            }
        }
        ["systemctl", "restart", "libvirtd"] => host.0.conf.newer = false,
        other => panic!("nobody knows what this does: {other:?}"),
    }
}

/// What a setting does to the facts.
fn set(host: &mut Host, file: &str, line: &str) {
    if file != host.0.conf.path {
        let rule = line.trim_end_matches(',');
        let Some(Known::Yes(profile)) = host.0.apparmor.profiles.get_mut("") else {
            unreachable!()
        };
        for rule in rule.split(", ") {
            let (pattern, permissions) = rule.rsplit_once(' ').unwrap();
            profile.rules.push(FileRule {
                pattern: pattern.trim_matches('"').into(),
                permissions: permissions.into(),
                owner: false,
                deny: false,
                origin: file.into(),
            });
        }
        return;
    }
    // The first of two equal keys counts.
    let new = QemuConf::parse(file, line);
    assert_eq!(new.error, None, "{line}");
    let settings = std::mem::take(&mut host.0.conf.settings);
    host.0.conf.settings = new.settings.into_iter().chain(settings).collect();
    if host.0.conf.text("user") == Some("root") {
        let root = host.0.identities["root:root"].clone();
        host.0.identities.insert(String::new(), root);
    }
}

const RNG_HW: [&str; 2] = ["-object", "rng-random,id=r,filename=/dev/hw"];
const RNG_NODEV: [&str; 2] = ["-object", "rng-random,id=r,filename=/nodev/null"];
const LOG: [&str; 2] = ["-chardev", "file,id=c,path=/srv/d/out"];

/// Hosts and domains on which something is to be done, with a rule that must be among what is found.
fn scenarios() -> Vec<(Host, Document, &'static str)> {
    let labelled = |label: &str| {
        host().selinux(Mode::Enforcing).file("/srv/a.img", 0o666).label("/srv/a.img", label)
    };
    let fixed = "<seclabel type='static' model='selinux'><label>system_u:system_r:svirt_t:s0:c5,c6</label></seclabel>";
    let mut nfs = labelled("nfs_t:s0");
    nfs.0.selinux.booleans.insert("virt_use_nfs".into(), false);
    let mut tcg = host().selinux(Mode::Enforcing);
    tcg.0.selinux.booleans.insert("virt_use_execmem".into(), false);
    let translated =
        Document::parse(domain("", &[]).source().replace("type='kvm'", "type='qemu'")).unwrap();
    let sticky =
        host()
            .at("/srv/d/out", FileKind::File, 0o666, 1000)
            .with("/srv/d/out", "/srv/d", |s| s.mode = 0o1777);
    let mut stale = host();
    stale.0.conf.newer = true;
    let flagged = |change: fn(&mut HostStep)| {
        host().file("/srv/a.img", 0o666).with("/srv/a.img", "/srv/a.img", change)
    };
    let mut private = host().file("/srv/a.img", 0o666);
    private.0.mounts = Known::Yes(vec![Mount { shared: false, ..mount("/", "rw") }]);
    vec![
        (host().file("/srv/a.img", 0o600), domain("", &DRIVE), "dac-unreadable"),
        (
            host().at("/srv/a.img", FileKind::File, 0o066, 64055),
            domain("", &DRIVE),
            "dac-unreadable",
        ),
        (host().file("/srv/a.img", 0o644), domain("", &BLOCKDEV), "dac-unwritable"),
        (
            host().file("/srv/a.img", 0o666).with("/srv/a.img", "/srv", |step| step.mode = 0o700),
            domain("", &DRIVE),
            "closed-directory",
        ),
        (host().absent("/srv/d/out", 0o755), domain("", &LOG), "dac-cannot-create"),
        (sticky, domain("", &LOG), "dac-cannot-create"),
        (host().node("/dev/hw", 1, 3, 0o666), domain("", &RNG_HW), "namespace-hidden"),
        (
            host().node("/srv/n", 10, 183, 0o666),
            domain("", &["-object", "rng-random,id=r,filename=/srv/n"]),
            "cgroup-device",
        ),
        (host(), domain("", &["-incoming", "exec:cat /x"]), "seccomp-spawn"),
        (host().root(), domain("", &["-runas", "nobody"]), "seccomp-privileges"),
        (
            labelled("default_t:s0"),
            domain("", &["-fw_cfg", "name=opt/x,file=/srv/a.img"]),
            "selinux-denied",
        ),
        (labelled("virt_image_t:s0"), domain("", &BLOCKDEV), "selinux-denied"),
        (labelled("virt_image_t:s0"), domain(fixed, &BLOCKDEV), "selinux-denied"),
        (labelled("svirt_image_t:s0:c1,c2"), domain("", &BLOCKDEV), "selinux-categories"),
        (nfs, domain("", &BLOCKDEV), "selinux-denied"),
        (
            host().selinux(Mode::Enforcing).absent("/srv/d/out", 0o777).with(
                "/srv/d/out",
                "/srv/d",
                |step| {
                    step.label = Some("system_u:object_r:svirt_image_t:s0".into());
                },
            ),
            domain("", &LOG),
            "selinux-next-start",
        ),
        (tcg, translated, "selinux-execmem"),
        (
            host().selinux(Mode::Enforcing),
            domain("<seclabel type='static' model='dac'><label>root:root</label></seclabel>", &[]),
            "selinux-root",
        ),
        (host().apparmor(&[]).file("/srv/a.img", 0o666), domain("", &BLOCKDEV), "apparmor-denied"),
        (
            host().apparmor(&[]).file("/srv/a b.img", 0o666),
            domain("", &["-hda", "/srv/a b.img"]),
            "apparmor-denied",
        ),
        (
            host().apparmor(&[]).at("/srv/d", FileKind::Directory, 0o755, 0),
            domain(
                "",
                &[
                    "-fsdev",
                    "local,id=f,path=/srv/d,security_model=none",
                    "-device",
                    "virtio-9p-pci,fsdev=f,addr=0x1e",
                ],
            ),
            "apparmor-denied",
        ),
        (
            host().apparmor(&[]),
            domain("<seclabel type='static' model='apparmor'><label>x</label></seclabel>", &[]),
            "apparmor-label",
        ),
        (
            host().file("/ro/a.img", 0o666),
            domain("", &["-blockdev", "file,filename=/ro/a.img,node-name=n"]),
            "read-only-mount",
        ),
        (flagged(|step| step.immutable = true), domain("", &BLOCKDEV), "immutable-file"),
        (flagged(|step| step.append_only = true), domain("", &BLOCKDEV), "immutable-file"),
        (host().node("/nodev/null", 1, 3, 0o666), domain("", &RNG_NODEV), "nodev-mount"),
        (flagged(|step| step.size = 1), domain("", &MEMORY), "memory-size"),
        (
            link_in_tmp(1000),
            domain("", &["-blockdev", "file,filename=/tmp/a,node-name=n"]),
            "dac-sticky-link",
        ),
        (host(), domain("", &TAP), "dac-tap"),
        (
            with(host(), |host| {
                host.taps = BTreeMap::from([("t".into(), Tap { owner: Some(1000), group: None })]);
            }),
            domain("", &TAP),
            "dac-tap",
        ),
        (host(), domain("", &["-gdb", "tcp::99"]), "dac-low-port"),
        (
            host().file("/dev/kvmfr0", 0o666),
            domain(
                "",
                &["-object", "memory-backend-file,id=m,mem-path=/dev/kvmfr0,size=1M,share=on"],
            ),
            "path-kind",
        ),
        (host().conf("security_driver = \"selinux\""), domain("", &[]), "conf-driver"),
        (host().conf("security_require_confined = 1"), domain("", &[]), "conf-driver"),
        (
            host().selinux(Mode::Enforcing).conf("security_require_confined = 1"),
            domain("<seclabel type='none' model='selinux'/>", &[]),
            "seclabel-unavailable",
        ),
        (stale, domain("", &[]), "conf-newer"),
        (private, domain("", &DRIVE), "mount-propagation"),
        (host(), domain("", &["-device usb-kbd", "-S"]), "joined-option"),
        (host(), domain("", &["-device"]), "dangling-option"),
        (host(), domain("", &[""]), "stray-argument"),
        (
            host().absent("/srv/d/s", 0o777),
            domain("", &["-chardev", "socket,id=c,path=/srv/d/s,server=on"]),
            "socket-waits",
        ),
        (host(), machine("q35", "", &["-device", "virtio-rng-pci"]), "pci-slot"),
        (host(), machine("q35", "", &["-device", "usb-kbd,bus=usb.0"]), "bus-missing"),
    ]
}

#[test]
fn carrying_out_a_remedy_turns_the_verdict() {
    let mut carried = BTreeMap::<&str, u32>::new();
    for (host, document, wanted) in scenarios() {
        let findings = judged(&host, &document);
        let finding = findings.iter().find(|finding| finding.rule == wanted);
        let finding = finding.unwrap_or_else(|| panic!("{wanted} is not among {findings:#?}"));
        for remedy in &finding.remedies {
            let (mut host, mut document) = (host.clone(), document.clone());
            match &remedy.step {
                Step::EditXml(edits) => document = document.apply(edits).unwrap(),
                Step::RunCommand(command) => run(&mut host, command),
                Step::SetOption { file, line } => set(&mut host, file, line),
                Step::Nothing => continue,
            }
            if let Some(command) = &remedy.then {
                run(&mut host, command);
            }
            let after = judged(&host, &document);
            let same =
                |other: &&Finding| other.rule == finding.rule && other.verdict == finding.verdict;
            assert!(
                after.iter().find(same).is_none(),
                "{wanted}: '{}' leaves {after:#?}",
                remedy.title
            );
            *carried.entry(finding.rule).or_default() += 1;
        }
    }
    assert!(carried.values().sum::<u32>() > 60, "{carried:?}");
}
