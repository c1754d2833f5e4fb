//! Looking at this machine: the only module that reads its files, runs programs and asks libvirt and QEMU.
//!
//! [`probe`] looks and returns plain [`HostFacts`]; rules decide on those. Nothing here opens a device or a FIFO, follows
//! the document off this machine, or waits longer than the request allows: what does not answer is unknown, with the reason.

mod apparmor;
mod bridge;
mod cgroups;
mod daemon;
mod disks;
mod emulator;
mod held;
mod helpers;
mod identity;
mod image;
pub mod judges;
mod kernel;
mod locks;
pub mod logs;
mod mounts;
pub mod native;
mod paths;
mod pci;
mod sandbox;
pub mod schema;
mod selinux;
mod sock_diag;
mod sockets;
pub mod start;
mod walks;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::time::Duration;

use daemon::{daemon, started};
use held::Held;
pub use paths::names_in;
use walks::{Learned, Look};

use crate::domain::DomainFacts;
use crate::facts::bridge::LIST;
use crate::facts::contents::{self, Contents, Fault};
use crate::facts::emulator::Emulator;
use crate::facts::header::Header;
use crate::facts::identity::Identity;
use crate::facts::image::{Image, MAX_CHAIN, beside, data_file};
use crate::facts::pci as facts_pci;
use crate::facts::qemu_conf::QemuConf;
use crate::facts::selinux::Selinux;
use crate::facts::{FACTS_VERSION, FileKind, HostFacts, Instance, Known, Walk, firmware, pipes};
use crate::libvirt::confinement::{self, Confinement};
use crate::libvirt::devices::{STATE_DIRECTORY, default_devices};
use crate::libvirt::identity::dac_label;
use crate::process::ask;
use crate::qemu::{Access, CommandLine, Lookup, Protocol, Resource, catalog};

/// What to look at.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which libvirt.
    pub instance: Instance,
    /// Another `qemu.conf` than libvirt's own.
    pub conf: Option<String>,
    /// Another user than libvirt would choose.
    pub user: Option<String>,
    /// How long all paths together may take.
    pub patience: Duration,
    domains: Vec<DomainFacts>,
    paths: BTreeSet<String>,
    images: BTreeSet<String>,
    contents: BTreeMap<String, Contents>,
    types: Vec<String>,
    taps: BTreeSet<String>,
    programs: BTreeSet<String>,
    bridges: BTreeSet<String>,
    ports: BTreeSet<(Protocol, u16)>,
    lookups: Vec<Lookup>,
    searched: Vec<String>,
}

impl Request {
    /// A look at an instance, so far at nothing in particular.
    pub fn new(instance: Instance) -> Request {
        Request {
            instance,
            conf: None,
            user: None,
            patience: Duration::from_secs(3),
            domains: Vec::new(),
            paths: BTreeSet::new(),
            images: BTreeSet::new(),
            contents: BTreeMap::new(),
            types: Vec::new(),
            taps: BTreeSet::new(),
            programs: BTreeSet::new(),
            bridges: BTreeSet::new(),
            ports: BTreeSet::new(),
            lookups: Vec::new(),
            searched: Vec::new(),
        }
    }

    /// Asks for the properties of a type that no document names yet.
    pub fn learn(&mut self, name: &str) {
        self.types.push(catalog::unalias(name).to_owned());
    }

    /// Adds a domain: its paths, labels and profile are looked at as well.
    pub fn add(&mut self, domain: &DomainFacts, line: &CommandLine) {
        self.paths.extend(
            line.uses
                .iter()
                .filter_map(|usage| usage.resource.path())
                .map(|(path, _)| path.to_owned()),
        );
        self.images.extend(line.uses.iter().filter_map(|usage| {
            let Resource::Path { path, chain: true, .. } = &usage.resource else { return None };
            Some(path.clone())
        }));
        let contents = contents::wanted(line).map(|(path, contents)| (path.to_owned(), contents));
        self.contents.extend(contents);
        for usage in &line.uses {
            match &usage.resource {
                Resource::Path { path, access: Access::Pipe, .. } => {
                    self.paths.extend(pipes::pair(path));
                }
                Resource::Program { .. } => {
                    let Some(program) = usage.resource.program() else { continue };
                    self.paths.insert(program.to_owned());
                    self.programs.insert(program.to_owned());
                    self.bridges.extend(line.bridge(usage).map(str::to_owned));
                    self.paths.extend(line.bridge(usage).map(|_| LIST.to_owned()));
                }
                Resource::Tap { name } => {
                    self.taps.insert(name.clone());
                }
                Resource::Pci { .. } => {
                    let Some(directory) = usage.resource.sysfs() else { continue };
                    self.paths.insert(facts_pci::driver(&directory));
                    self.paths.insert(facts_pci::group(&directory));
                    self.paths.insert(directory);
                    self.paths.extend(facts_pci::HOOKS.map(str::to_owned));
                }
                Resource::Network { endpoint: Some(endpoint), .. } => {
                    self.ports.insert((endpoint.protocol, endpoint.port));
                }
                Resource::Path { .. }
                | Resource::Privilege { .. }
                | Resource::Descriptor { .. }
                | Resource::Network { endpoint: None, .. }
                | Resource::Usb { .. }
                | Resource::Session { .. } => {}
            }
        }
        self.lookups.extend(line.lookups.iter().cloned());
        self.searched.extend(line.searched.iter().cloned());
        self.images.extend(line.formats.iter().filter_map(|declared| declared.path.clone()));
        self.paths.extend(domain.native.iter().map(|native| native.path.clone()));
        let disks = domain.native.iter().filter(|native| native.element == "disk");
        self.images.extend(disks.map(|native| native.path.clone()));
        self.paths.extend(domain.emulator.clone());
        self.types.extend(line.types.iter().map(|(_, name, _)| catalog::unalias(name).to_owned()));
        self.domains.push(domain.clone());
    }
}

/// Looks at the machine.
pub fn probe(request: &Request) -> HostFacts {
    let conf = read_conf(request);
    let mounts = mounts::read();
    let identities = identities(request, &conf);
    let daemon = daemon::name();
    let (emulator, emulators) = emulators(request);
    let mut asked = wanted(request, &conf);
    let asked_emulators = emulators.values().chain([&emulator]);
    asked.extend(firmware::candidates(request.lookups.iter(), &request.searched, asked_emulators));
    let Walked { paths, images, headers, faults } = walk(request, asked);
    let selinux = selinux(request, &conf, &paths);
    let steps = || paths.values().filter_map(Known::yes).flat_map(|walk| &walk.steps);
    let (mut users, mut groups) = (identity::names("/etc/passwd"), identity::names("/etc/group"));
    users.retain(|id, _| steps().any(|step| step.uid == *id));
    groups.retain(|id, _| steps().any(|step| step.gid == *id));
    let uuids: Vec<String> =
        request.domains.iter().filter_map(|domain| domain.uuid.clone()).collect();
    let version = match &emulator {
        Known::Yes(emulator) => Known::Yes(emulator.version.clone()),
        Known::Unknown(why) => Known::Unknown(why.clone()),
    };
    HostFacts {
        version: FACTS_VERSION,
        source: "live".to_owned(),
        instance: request.instance,
        libvirt: libvirt_version(),
        daemon_conf: daemon::conf(request.instance, &daemon),
        daemon,
        qemu: version,
        emulator,
        emulators,
        answers: BTreeMap::new(),
        cgroups: cgroups::read(&mounts),
        mounts,
        conf,
        identities,
        selinux,
        apparmor: apparmor::read(&uuids),
        protected_regular: kernel::setting("/proc/sys/fs/protected_regular"),
        kernel: kernel::read(),
        bridges: bridge::read(
            &request.bridges,
            request.programs.iter().filter_map(|path| paths.get(path)?.yes()),
        ),
        iommu_groups: pci::groups(paths.values().filter_map(Known::yes)),
        virtiofsd: helpers::virtiofsd(),
        taps: kernel::taps(request.taps.iter().map(String::as_str)),
        users,
        groups,
        images,
        headers,
        faults,
        listening: sockets::listening(),
        tcp: sockets::ports(Protocol::Tcp, &request.ports),
        udp: sockets::ports(Protocol::Udp, &request.ports),
        addresses: sockets::addresses(),
        image_locks: locks::on(paths.values().filter_map(Known::yes)),
        disks_in_use: disks::in_use(paths.values().filter_map(Known::yes)),
        paths,
    }
}

/// Who QEMU would run as: by default, and by the labels that domains give.
fn identities(request: &Request, conf: &QemuConf) -> BTreeMap<String, Known<Identity>> {
    let default = match (&request.user, request.instance) {
        (Some(user), _) if user.contains(':') => identity::resolve(user, conf),
        (Some(user), _) => identity::resolve(&format!("{user}:{user}"), conf),
        (None, Instance::Session) => identity::own(),
        (None, Instance::System) => identity::resolve("", conf),
    };
    let mut identities = BTreeMap::from([(String::new(), default)]);
    for label in request.domains.iter().map(dac_label).filter(|label| !label.is_empty()) {
        identities.entry(label.clone()).or_insert_with(|| identity::resolve(&label, conf));
    }
    identities
}

/// Every path that is to be walked: those of the domains, and those that libvirt itself opens for them.
fn wanted(request: &Request, conf: &QemuConf) -> BTreeSet<String> {
    let mut wanted: BTreeSet<String> = request.paths.clone();
    wanted.extend(default_devices().map(|device| device.node.to_owned()));
    let named = conf.list("cgroup_device_acl").unwrap_or_default();
    wanted.extend(named.into_iter().map(str::to_owned));
    if request.domains.iter().any(|domain| !dac_label(domain).is_empty()) {
        wanted.insert(STATE_DIRECTORY.to_owned());
    }
    if request.domains.iter().any(|domain| domain.vfio) {
        wanted.insert("/dev/vfio/vfio".to_owned());
    }
    wanted
}

/// SELinux, asked about every label that a domain would run with.
fn selinux(request: &Request, conf: &QemuConf, paths: &BTreeMap<String, Known<Walk>>) -> Selinux {
    let mut selinux = selinux::read();
    let walks: Vec<&Walk> = paths.values().filter_map(Known::yes).collect();
    if selinux.is_there() {
        let targets = walks.iter().filter_map(|walk| walk.target());
        let sockets = targets.filter(|step| step.kind == FileKind::Socket);
        let ears: Vec<&str> = sockets.map(|step| step.path.as_str()).collect();
        selinux.servers = sockets::labels(&ears);
    }
    for domain in &request.domains {
        let source = match confinement::selinux(&selinux, domain, conf) {
            Confinement::None => continue,
            Confinement::Label { label, .. } | Confinement::Daemon(label) => label,
        };
        selinux::decide(&mut selinux, &source, &walks);
        // An unconfined VM would run as the daemon does.
        if let Some(daemon) = selinux.daemon.clone() {
            selinux::decide(&mut selinux, &daemon, &walks);
        }
    }
    selinux
}

/// What was found at paths.
#[derive(Default)]
struct Walked {
    paths: BTreeMap<String, Known<Walk>>,
    images: BTreeMap<String, Image>,
    headers: BTreeMap<String, Header>,
    faults: BTreeMap<String, Fault>,
}

/// Walks all paths, and those that images bring along, as far as the chain goes.
fn walk(request: &Request, asked: BTreeSet<String>) -> Walked {
    let mut walked = Walked::default();
    let look = |path: &String| {
        if request.images.contains(path) {
            return Look::Image;
        }
        request.contents.get(path).cloned().map_or(Look::Way, Look::Contents)
    };
    let mut todo: Vec<(String, Look)> = asked
        .into_iter()
        .map(|path| (look(&path), path))
        .map(|(look, path)| (path, look))
        .collect();
    let daemon = match request.instance {
        Instance::System => 0,
        Instance::Session => rustix::process::geteuid().as_raw(),
    };
    for _ in 0..MAX_CHAIN {
        let mut next = Vec::new();
        let found = walks::walk_all(std::mem::take(&mut todo), request.patience, daemon);
        for (path, walk, learned) in found {
            match learned {
                Learned::Nothing => {}
                Learned::Contents(header, fault) => {
                    walked.headers.extend(header.map(|header| (path.clone(), header)));
                    walked.faults.extend(fault.map(|fault| (path.clone(), fault)));
                }
                Learned::Image(image, fault) => {
                    walked.faults.extend(fault.map(|fault| (path.clone(), fault)));
                    let backing = image.backing.as_ref().and_then(|name| beside(&path, name));
                    let data = image.data.as_deref().map(data_file);
                    let extents = image.extents.iter().filter_map(|name| beside(&path, name));
                    let below = backing.into_iter().chain(data).chain(extents);
                    next.extend(below.map(|path| (path, Look::Image)));
                    walked.images.insert(path.clone(), image);
                }
            }
            let group = walk.yes().and_then(facts_pci::number).map(facts_pci::node);
            next.extend(group.map(|node| (node, Look::Way)));
            walked.paths.insert(path, walk);
        }
        let is_new =
            |path: &String| !walked.paths.contains_key(path) || !walked.images.contains_key(path);
        todo = next.into_iter().filter(|(path, _)| is_new(path)).collect();
        if todo.is_empty() {
            break;
        }
    }
    walked
}

/// Whether a file was changed after libvirt's daemon started.
fn newer(path: &str) -> bool {
    let changed = std::fs::metadata(path).ok().and_then(|data| data.modified().ok());
    let changed = changed.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let started = daemon().and_then(|process| started(&process));
    // Both are known to the second at best.
    changed.zip(started).is_some_and(|(changed, started)| changed.as_secs() > started + 1)
}

fn read_conf(request: &Request) -> QemuConf {
    let path = match (&request.conf, request.instance) {
        (Some(path), _) => path.clone(),
        (None, Instance::System) => "/etc/libvirt/qemu.conf".to_owned(),
        (None, Instance::Session) => {
            let base = directories::BaseDirs::new()
                .map(|dirs| dirs.config_dir().to_string_lossy().into_owned())
                .unwrap_or_default();
            format!("{base}/libvirt/qemu.conf")
        }
    };
    // One that was named to us may be a pipe; a user's own place for it is anybody's where root runs.
    let read = if request.conf.is_some() {
        std::fs::File::open(&path).and_then(|mut file| bounded(&mut file))
    } else {
        text(&path)
    };
    match read {
        Ok(text) => QemuConf {
            newer: request.conf.is_none() && newer(&path),
            ..QemuConf::parse(&path, &text)
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            QemuConf { path, ..QemuConf::default() }
        }
        Err(error) => QemuConf {
            unreadable: Some(format!("{path} cannot be read ({error}); run as root to see it")),
            path,
            ..QemuConf::default()
        },
    }
}

/// The text of a regular file of libvirt's or AppArmor's; nothing else is opened in its place.
fn text(path: &str) -> std::io::Result<String> {
    bounded(&mut Held::of(path)?.open()?)
}

/// A text as far as libvirt itself reads one (`MAX_CONFIG_FILE_SIZE`).
fn bounded(file: &mut std::fs::File) -> std::io::Result<String> {
    const MOST: u64 = 10 << 20;
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(std::io::Error::other(format!("it is longer than {MOST} bytes")));
    }
    Ok(text)
}

const PATIENCE: Duration = Duration::from_secs(2);

/// The installed libvirt: the library is the same for client and daemon.
fn libvirt_version() -> Known<String> {
    match ask("virsh", &["--version"], PATIENCE) {
        Ok(text) => Known::Yes(text.trim().to_owned()),
        Err(why) => Known::Unknown(why),
    }
}

/// Where distributions put the QEMU that libvirt takes by itself.
const DEFAULT_EMULATORS: [&str; 3] =
    ["/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-kvm", "/usr/libexec/qemu-kvm"];

/// What the installed QEMU can do, and the ones that domains name, each by its path.
///
/// A program that a document names is run only where distributions put QEMU, when root owns it and nobody else can write it.
fn emulators(request: &Request) -> (Known<Emulator>, BTreeMap<String, Known<Emulator>>) {
    let ask = |program: &str| match trusted(program)
        .and_then(|()| emulator::look(program, &request.types))
    {
        Ok(emulator) => Known::Yes(emulator.about(&request.types)),
        Err(why) => Known::Unknown(why),
    };
    let named: BTreeSet<&String> =
        request.domains.iter().filter_map(|domain| domain.emulator.as_ref()).collect();
    let emulators: BTreeMap<String, Known<Emulator>> =
        named.into_iter().map(|program| (program.clone(), ask(program))).collect();
    let default = DEFAULT_EMULATORS.into_iter().find(|path| std::path::Path::new(path).exists());
    let installed = match default {
        Some(program) => emulators.get(program).cloned().unwrap_or_else(|| ask(program)),
        None => Known::Unknown("no QEMU is installed here".to_owned()),
    };
    (installed, emulators)
}

/// Whether a program may be run: it is a QEMU of the distribution, and nobody but root can have changed it.
///
/// # Errors
/// Why not, in one sentence.
pub(crate) fn trusted(program: &str) -> Result<(), String> {
    let homes =
        ["/usr/bin/qemu-system-", "/usr/bin/qemu-kvm", "/usr/libexec/qemu-kvm", "/usr/bin/kvm"];
    if !homes.iter().any(|home| program.starts_with(home)) || program.contains("/../") {
        return Err(format!("{program} was not asked: it is not where distributions put QEMU"));
    }
    is_roots(program)
}

/// Whether a program is there and nobody but root can have changed it.
///
/// # Errors
/// Why not, in one sentence.
fn is_roots(program: &str) -> Result<(), String> {
    let walk = paths::walk(program);
    let walk = walk.as_result().map_err(str::to_owned)?;
    let safe = walk.target().is_some()
        && walk.steps.iter().all(|step| {
            let link = matches!(step.kind, FileKind::Link(_));
            step.uid == 0 && (link || step.mode & 0o022 == 0)
        });
    if safe {
        Ok(())
    } else {
        Err(format!("{program} was not asked: it is not there, or others than root can write it"))
    }
}
