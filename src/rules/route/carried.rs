//! What a remedy does to a host, foreseen: its own words are read, and the facts changed as the host would change.

use crate::facts::apparmor::{Found, Profile};
use crate::facts::identity::Identity;
use crate::facts::kernel::Tap;
use crate::facts::mounts::Mount;
use crate::facts::qemu_conf::QemuConf;
use crate::facts::{Acl, Ending, FileKind, HostFacts, Known, Step as Place, Walk};
use crate::qemu::PCI_DEVICES;
use crate::rules::{Finding, Remedy, Step};

/// Changes the facts as carrying out a remedy would change the host; `None` where what it does is not known here. Edits of the
/// document are not its business, the command after one is.
pub fn carry_out(host: &mut HostFacts, remedy: &Remedy) -> Option<()> {
    match &remedy.step {
        Step::EditXml(_) => {}
        Step::RunCommand(line) => run(host, line)?,
        Step::SetOption { file, line } if *file == host.conf.path => set(host, line)?,
        Step::SetOption { file, line } => allow(host, file, line)?,
        Step::Nothing => return None,
    }
    match &remedy.then {
        Some(line) => run(host, line),
        None => Some(()),
    }
}

/// Gives a PCI device to vfio-pci.
fn detach(host: &mut HostFacts, node: &str) {
    let is_it = |device: &str| node == format!("pci_{}", device.replace([':', '.'], "_"));
    let bound = Some("vfio-pci".to_owned());
    for (device, driver) in host.iommu_groups.values_mut().flatten() {
        if is_it(device) {
            driver.clone_from(&bound);
        }
    }
    for (path, walk) in &mut host.paths {
        let device = path.strip_prefix(PCI_DEVICES).and_then(|path| path.strip_suffix("/driver"));
        if let (Known::Yes(walk), true) = (walk, device.is_some_and(is_it)) {
            appear(walk, FileKind::Directory, 0o755);
            if let Some(step) = walk.steps.last_mut() {
                "/sys/bus/pci/drivers/vfio-pci".clone_into(&mut step.path);
            }
        }
    }
}

/// A line for the shell: commands with `&&` between them.
fn run(host: &mut HostFacts, line: &str) -> Option<()> {
    let words = shlex::split(line)?;
    for command in words.split(|word| word == "&&") {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        one(host, &command)?;
    }
    Some(())
}

fn one(host: &mut HostFacts, command: &[&str]) -> Option<()> {
    match command {
        ["setfacl", "-m", entry, path] => {
            let mut fields = entry.strip_prefix("u:")?.splitn(2, ':');
            let uid = uid_of(host, fields.next()?)?;
            let given = bits(fields.next()?);
            each(host, path, |place| grant(place, uid, given))
        }
        ["chmod", mode, path] => {
            let given = u32::from(bits(mode.strip_prefix("u+")?)) << 6;
            each(host, path, |place| place.mode |= given)
        }
        ["chown", "-h", user, path] | ["chown", user, path] => {
            let uid = uid_of(host, user)?;
            each(host, path, |place| place.uid = uid)
        }
        ["chcon", "-t", kind, path] => label(host, path, kind),
        ["semanage", "fcontext", "-a", "-t", kind, .., path] => label(host, path, kind),
        // It gives the label that semanage has noted.
        ["restorecon", "-v", _] => Some(()),
        ["chcon", label, path] => each(host, path, |place| place.label = Some((*label).to_owned())),
        ["setsebool", "-P", name, "on"] => {
            host.selinux.booleans.insert((*name).to_owned(), true);
            Some(())
        }
        ["chattr", "-i", path] => each(host, path, |place| place.immutable = false),
        ["chattr", "-a", path] => each(host, path, |place| place.append_only = false),
        ["truncate", "-s", size, path] => {
            let size = size.parse().ok()?;
            each(host, path, |place| place.size = size)
        }
        ["rm", path] => {
            let ending = Ending::Missing((*path).to_owned());
            each_walk(host, path, |walk| {
                walk.steps.pop();
                walk.ending = ending.clone();
            })
        }
        ["touch", path] => each_walk(host, path, |walk| appear(walk, FileKind::File, 0o644)),
        ["modprobe", "kvmfr", ..] => {
            // The driver's own default (kvmfr.c): a miscellaneous device, which udev leaves to root.
            let node = FileKind::Char(FREE_MAJOR, 0);
            each_walk(host, "/dev/kvmfr0", |walk| appear(walk, node.clone(), 0o600))
        }
        ["mount", "-o", "remount,rw", point] => mounts(host, point, |mount| {
            mount.options.retain(|option| option != "ro");
            mount.options.push("rw".to_owned());
        }),
        ["mount", "-o", "remount,dev", point] => {
            mounts(host, point, |mount| mount.options.retain(|option| option != "nodev"))
        }
        ["mount", "--make-rshared", "/"] => match &mut host.mounts {
            Known::Yes(all) => {
                for mount in all {
                    mount.shared = true;
                }
                Some(())
            }
            Known::Unknown(_) => None,
        },
        ["virsh", "nodedev-detach", node] => {
            detach(host, node);
            Some(())
        }
        ["sysctl", "-w", setting] => {
            let first = setting.strip_prefix("net.ipv4.ip_unprivileged_port_start=")?;
            host.kernel.first_port = Known::Yes(first.parse().ok()?);
            Some(())
        }
        ["ip", "tuntap", "del", "dev", name, "mode", "tap"] => {
            host.taps.remove(*name);
            Some(())
        }
        ["ip", "tuntap", "add", "dev", name, "mode", "tap", "user", user] => {
            let owner = Some(uid_of(host, user)?);
            host.taps.insert((*name).to_owned(), Tap { owner, group: None });
            Some(())
        }
        ["systemctl", "restart", _] => {
            host.conf.newer = false;
            Some(())
        }
        _ => None,
    }
}

/// The node of a device that a finding misses.
pub(super) fn awaited(finding: &Finding) -> Option<&str> {
    let (path, _) = finding.resource.as_ref()?.path()?;
    (finding.rule == crate::rules::layers::host::PATH_MISSING.id && path.starts_with("/dev/"))
        .then_some(path)
}

/// A node of root's appears, as devtmpfs makes it where no rule of udev says otherwise.
pub(super) fn bring(host: &mut HostFacts, path: &str) -> Option<()> {
    each_walk(host, path, |walk| appear(walk, FileKind::Char(FREE_MAJOR, 0), 0o600))
}

/// The first of the numbers that a driver without one of its own is given (Documentation/admin-guide/devices.txt).
const FREE_MAJOR: u32 = 234;

/// The user of a name, among those that the facts know.
fn uid_of(host: &HostFacts, name: &str) -> Option<u32> {
    let identities = host.identities.values().filter_map(Known::yes);
    let named = identities.into_iter().find(|who| who.user == name).map(|who| who.uid);
    let owner = || host.users.iter().find(|(_, user)| *user == name).map(|(uid, _)| *uid);
    let number = || name.trim_start_matches('+').parse().ok();
    named.or_else(owner).or_else(number)
}

/// The permission bits of letters.
fn bits(letters: &str) -> u8 {
    let bit = |letter| match letter {
        'r' => 4,
        'w' => 2,
        'x' => 1,
        _ => 0,
    };
    letters.chars().map(bit).fold(0, |all, bit| all | bit)
}

/// An entry for a user, as `setfacl -m` makes it: the mask becomes what all entries of the group class have (acl(5)).
fn grant(place: &mut Place, uid: u32, given: u8) {
    let of_group = u8::try_from(place.mode >> 3 & 0o7).unwrap_or(0);
    let acl = place.acl.get_or_insert_with(|| Acl { owning_group: of_group, ..Acl::default() });
    acl.users.retain(|(user, _)| *user != uid);
    acl.users.push((uid, given));
    let named = acl.users.iter().chain(&acl.groups).map(|(_, bits)| *bits);
    acl.mask = named.fold(acl.owning_group, |all, bits| all | bits);
    place.mode = place.mode & !0o070 | u32::from(acl.mask) << 3;
}

fn label(host: &mut HostFacts, path: &str, kind: &str) -> Option<()> {
    each(host, path, |place| place.label = Some(format!("system_u:object_r:{kind}:s0")))
}

fn walks(host: &mut HostFacts) -> impl Iterator<Item = (&String, &mut Walk)> {
    host.paths.iter_mut().filter_map(|(path, walk)| match walk {
        Known::Yes(walk) => Some((path, walk)),
        Known::Unknown(_) => None,
    })
}

/// Changes what stands at a path, on the way to every path that was asked for; nothing stands there: `None`.
fn each(host: &mut HostFacts, path: &str, change: impl Fn(&mut Place)) -> Option<()> {
    let mut found = None;
    let places = walks(host).flat_map(|(_, walk)| walk.steps.iter_mut());
    for place in places.filter(|place| place.path == path) {
        change(place);
        found = Some(());
    }
    found
}

/// Changes the walks that end at a path, or would end there.
fn each_walk(host: &mut HostFacts, path: &str, change: impl Fn(&mut Walk)) -> Option<()> {
    let mut found = None;
    for (_, walk) in walks(host).filter(|(asked, walk)| *asked == path || walk.resolved() == path) {
        change(walk);
        found = Some(());
    }
    found
}

/// Something of root's is there now, where only the last part of the path was missing.
fn appear(walk: &mut Walk, kind: FileKind, mode: u32) {
    if !walk.creatable() {
        return;
    }
    walk.steps.push(Place {
        path: walk.resolved().to_owned(),
        kind,
        mode,
        uid: 0,
        gid: 0,
        acl: None,
        label: None,
        size: 0,
        immutable: false,
        append_only: false,
        file: None,
    });
    walk.ending = Ending::Present;
}

fn mounts(host: &mut HostFacts, point: &str, change: impl Fn(&mut Mount)) -> Option<()> {
    let Known::Yes(all) = &mut host.mounts else { return None };
    let mut found = None;
    for mount in all.iter_mut().filter(|mount| mount.point == point) {
        change(mount);
        found = Some(());
    }
    found
}

/// Lines of qemu.conf, in the place of those with the same names; libvirt's daemon has read them.
fn set(host: &mut HostFacts, lines: &str) -> Option<()> {
    let new = QemuConf::parse(&host.conf.path, lines);
    if new.error.is_some() {
        return None;
    }
    // The first of two equal keys counts.
    host.conf.settings.splice(0..0, new.settings);
    host.conf.newer = false;
    if host.conf.text("user") == Some("root") {
        let root = Identity { user: "root".to_owned(), uid: 0, gid: 0, groups: Vec::new() };
        host.identities.insert(String::new(), Known::Yes(root));
    }
    Some(())
}

/// Rules in a file of AppArmor's: in the profile that it is, or in every one, since they all include it.
fn allow(host: &mut HostFacts, file: &str, rules: &str) -> Option<()> {
    let text = format!("profile new {{\n{rules}\n}}\n");
    let new = Profile::parse(file, &|_| Found::Text(text.clone())).ok()?;
    if new.broken.is_some() || new.unclear.is_some() {
        return None;
    }
    let profiles: Vec<&mut Profile> = host
        .apparmor
        .profiles
        .values_mut()
        .filter_map(|profile| match profile {
            Known::Yes(profile) => Some(profile),
            Known::Unknown(_) => None,
        })
        .collect();
    let is_its_own = profiles.iter().any(|profile| profile.path == file);
    let mut found = None;
    for profile in profiles {
        if !is_its_own || profile.path == file {
            profile.rules.extend(new.rules.iter().cloned());
            found = Some(());
        }
    }
    found
}
