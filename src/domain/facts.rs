//! What the document says outside the passthrough that decides how QEMU will run.

use std::collections::BTreeSet;

use super::aliases::aliases;
use super::namespace::is_ours;
use super::size::{self, Processors};
use crate::xml::{Element, Span, Tree};

/// The type of a `<seclabel>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecLabelType {
    /// libvirt makes a label for each start.
    Dynamic,
    /// The label is given.
    Static,
    /// No confinement by that model (for DAC: only no change of ownership).
    None,
}

/// A `<seclabel>` directly under the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecLabel {
    /// The type; dynamic when the attribute is absent.
    pub kind: SecLabelType,
    /// `selinux`, `apparmor`, `dac`, or nothing: then it is the host's primary model.
    pub model: Option<String>,
    /// `relabel='yes'` or `'no'`, when it is there.
    pub relabel: Option<bool>,
    /// The text of `<label>`.
    pub label: Option<String>,
    /// The text of `<baselabel>`.
    pub baselabel: Option<String>,
    /// Why `virsh define` refuses it, in libvirt's words.
    pub refused: Option<String>,
}

/// A host resource that a native element of the same domain names, and which libvirt therefore makes reachable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeResource {
    /// The path.
    pub path: String,
    /// The element that names it.
    pub element: &'static str,
    /// libvirt labels it for reading only.
    pub readonly: bool,
    /// libvirt gives it to QEMU's user and labels it; kernels, firmware and directories are left as they are.
    pub relabelled: bool,
    /// A disk that writes and shares with nobody.
    pub exclusive: bool,
}

/// The two families of x86 machines, whose buses and ports have other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chipset {
    /// `pc`, `pc-i440fx-…`.
    I440fx,
    /// `q35`, `pc-q35-…`.
    Q35,
}

/// Where the kernel has its PCI devices.
const SYSFS: &str = "/sys/bus/pci/devices";

/// A name in a directory; nothing where it would lead out of it.
fn below(directory: &str, name: &str) -> String {
    let is_plain = !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    if is_plain { format!("{directory}{name}") } else { String::new() }
}

impl Chipset {
    /// The family of a machine type; `None` for other machines.
    pub fn of(machine: &str) -> Option<Chipset> {
        if machine == "q35" || machine.starts_with("pc-q35") {
            Some(Chipset::Q35)
        } else if machine == "pc" || machine.starts_with("pc-i440fx") {
            Some(Chipset::I440fx)
        } else {
            None
        }
    }
}

/// What matters of a domain beside its passthrough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainFacts {
    /// `<name>`.
    pub name: String,
    /// `<uuid>`.
    pub uuid: Option<String>,
    /// The `type` of the domain: `kvm`, `qemu`.
    pub kind: Option<String>,
    /// `<emulator>`.
    pub emulator: Option<String>,
    /// `arch` of `<os><type>`.
    pub arch: Option<String>,
    /// `machine` of `<os><type>`.
    pub machine: Option<String>,
    /// The security labels.
    pub seclabels: Vec<SecLabel>,
    /// What native elements bring.
    pub native: Vec<NativeResource>,
    /// A `<hostdev>` of a PCI device or an NVMe disk brings /dev/vfio/vfio.
    pub vfio: bool,
    /// `<memory>` in bytes.
    pub memory: Option<u64>,
    /// Sockets that native elements listen at, and ports behind a colon, which are made before the arguments are read.
    pub servers: Vec<String>,
    /// `<numa>` divides the memory, or `<maxMemory>` adds to it.
    pub divided_memory: bool,
    /// `<vcpu>` and `<topology>`.
    pub processors: Option<Processors>,
    /// Something of the domain makes libvirt raise the limit of locked memory (`qemuDomainGetMemLockLimitBytes`).
    pub raises_memlock: bool,
    /// Names in `<qemu:capabilities>` that libvirt is told to do without, each with where it stands.
    pub capabilities_removed: Vec<(String, Span)>,
    /// Ids that libvirt gives by itself to what native elements make, with the group they are in (`qemuAssignDeviceAliases`).
    pub aliases: Vec<(&'static str, String)>,
    /// Aliases that the document gives itself (`<alias name='ua-…'/>`).
    pub own_aliases: Vec<String>,
    /// A `<graphics>` element is there; without one libvirt passes `-display none`.
    pub graphics: bool,
    /// The types of its `<graphics>`.
    pub displays: BTreeSet<String>,
    /// The types of its `<audio>`.
    pub sounds: BTreeSet<String>,
    /// libvirt looks for a virtiofsd by itself, for a `<filesystem>` that names none.
    pub virtiofs: bool,
    /// libvirt gives the machine flash memory to start from: a `<loader type='pflash'>`, or `<os firmware='efi'>`.
    pub flash: bool,
    /// A `<sound>` element is there.
    pub sound: bool,
    /// PCI slots on the root bus that native devices have by their `<address>`.
    pub pci_slots: BTreeSet<u8>,
    /// A native device sits on a PCI bus and has no address yet; libvirt gives it the lowest that is free.
    pub pci_unplaced: bool,
    /// Disks on the machine's own IDE ports, by index.
    pub ide_units: BTreeSet<u8>,
    /// Disks on the machine's own SATA ports, by index.
    pub sata_units: BTreeSet<u8>,
    /// libvirt's first USB controller is the chipset's own (`piix3-uhci`), as it is when no model is named.
    pub usb_of_chipset: bool,
}

impl DomainFacts {
    /// The family of the domain's machine; libvirt takes `pc` where none is named.
    pub fn chipset(&self) -> Option<Chipset> {
        Chipset::of(self.machine.as_deref().unwrap_or("pc"))
    }

    /// Reads the facts from a document.
    pub fn read(tree: &Tree) -> DomainFacts {
        let text = |parent: usize, name: &str| {
            tree.child(parent, name)
                .map(|(_, e)| e.text.trim().to_owned())
                .filter(|t| !t.is_empty())
        };
        let root = tree.root();
        let os_type = tree
            .child(0, "os")
            .and_then(|(os, _)| tree.child(os, "type"))
            .map(|(_, element)| element);
        let mut facts = DomainFacts {
            name: text(0, "name").unwrap_or_default(),
            uuid: text(0, "uuid"),
            kind: root.attribute("type").map(str::to_owned),
            arch: os_type.and_then(|os| os.attribute("arch")).map(str::to_owned),
            machine: os_type.and_then(|os| os.attribute("machine")).map(str::to_owned),
            seclabels: tree
                .children(0)
                .filter(|(_, e)| e.name == "seclabel")
                .map(|(index, e)| seclabel(tree, index, e))
                .collect(),
            memory: size::memory(tree),
            divided_memory: tree.child(0, "maxMemory").is_some()
                || tree.child(0, "cpu").is_some_and(|(cpu, _)| tree.child(cpu, "numa").is_some()),
            processors: size::processors(tree),
            raises_memlock: [("memoryBacking", "locked"), ("memtune", "hard_limit")].iter().any(
                |(parent, child)| {
                    tree.child(0, parent).is_some_and(|(at, _)| tree.child(at, child).is_some())
                },
            ),
            ..DomainFacts::default()
        };
        facts.firmware(tree);
        facts.capabilities_removed = capabilities_removed(tree);
        match tree.child(0, "devices") {
            Some((devices, _)) => {
                facts.emulator = text(devices, "emulator");
                facts.devices(tree, devices);
            }
            None => (facts.usb_of_chipset, facts.pci_unplaced) = (true, true),
        }
        facts
    }

    /// What `<os>` names: the firmware, a kernel.
    fn firmware(&mut self, tree: &Tree) {
        let Some((os, _)) = tree.child(0, "os") else { return };
        self.flash = tree.elements[os].attribute("firmware") == Some("efi");
        for (index, element) in tree.children(os) {
            self.flash |= element.name == "loader" && element.attribute("type") == Some("pflash");
            let (name, path) = (element.name.as_str(), element.text.trim());
            let names_a_file = ["loader", "nvram", "kernel", "initrd", "dtb"].contains(&name);
            if names_a_file && path.starts_with('/') {
                self.bring("os", path, name != "nvram", name != "loader");
            }
            for (_, table) in tree.children(index).filter(|_| name == "acpi") {
                self.bring("os", table.text.trim(), true, true);
            }
        }
    }

    fn devices(&mut self, tree: &Tree, devices: usize) {
        let usb: Vec<Option<&str>> = tree
            .children(devices)
            .filter(|(_, e)| e.name == "controller" && e.attribute("type") == Some("usb"))
            .map(|(_, e)| e.attribute("model"))
            .collect();
        self.usb_of_chipset =
            usb.is_empty() || usb.iter().any(|model| matches!(model, None | Some("piix3-uhci")));
        // Without a word libvirt adds a balloon, on PCI.
        self.pci_unplaced = tree.child(devices, "memballoon").is_none();
        for (index, device) in tree.children(devices) {
            self.device(tree, index, device);
        }
        self.aliases = aliases(tree, devices);
        let named = tree.children(devices).filter_map(|(index, _)| tree.child(index, "alias"));
        self.own_aliases =
            named.filter_map(|(_, alias)| alias.attribute("name")).map(str::to_owned).collect();
        self.raises_memlock |= self.vfio;
    }

    /// The label of a security model, as libvirt looks it up: by name, or one without a model when that is the primary.
    pub fn seclabel(&self, model: &str, primary: bool) -> Option<&SecLabel> {
        self.seclabels
            .iter()
            .find(|label| label.model.as_deref() == Some(model))
            .or_else(|| self.seclabels.iter().find(|label| label.model.is_none() && primary))
    }

    /// The native element that brings a path, if one does.
    pub fn brings(&self, path: &str) -> Option<&NativeResource> {
        self.native.iter().find(|native| native.path == path)
    }

    pub(super) fn bring(
        &mut self,
        element: &'static str,
        path: &str,
        readonly: bool,
        relabelled: bool,
    ) {
        if path.starts_with('/') {
            self.native.push(NativeResource {
                path: path.to_owned(),
                element,
                readonly,
                relabelled,
                exclusive: false,
            });
        }
    }

    /// Where a native device sits on PCI, if it does.
    fn place(&mut self, tree: &Tree, index: usize, device: &Element) {
        let number = |text: &str| u8::from_str_radix(text.trim_start_matches("0x"), 16).ok();
        if let Some((_, address)) = tree.child(index, "address") {
            let on_root = address.attribute("bus").and_then(number).unwrap_or(0) == 0;
            let on_pci = address.attribute("type") == Some("pci");
            if on_root
                && on_pci
                && let Some(slot) = address.attribute("slot").and_then(number)
            {
                self.pci_slots.insert(slot);
            }
            return;
        }
        let model = tree
            .child(index, "model")
            .map(|(_, model)| model)
            .and_then(|model| model.attribute("type"));
        let bus = tree
            .child(index, "target")
            .and_then(|(_, target)| target.attribute("bus"))
            .or(device.attribute("bus"));
        self.pci_unplaced |= match device.name.as_str() {
            "disk" | "input" => bus == Some("virtio"),
            "interface" | "sound" | "rng" | "vsock" | "shmem" | "filesystem" => true,
            "video" => model != Some("none"),
            "memballoon" => device.attribute("model") != Some("none"),
            "controller" => matches!(device.attribute("type"), Some("scsi" | "virtio-serial")),
            "hostdev" => device.attribute("type") == Some("pci"),
            _ => false,
        };
    }

    /// Where a disk stands among the machine's own IDE or SATA ports (`virDomainDiskDefAssignAddress`).
    fn unit(&mut self, tree: &Tree, index: usize) {
        let Some((_, target)) = tree.child(index, "target") else { return };
        let letter = target
            .attribute("dev")
            .and_then(|dev| dev.as_bytes().get(2).copied())
            .filter(u8::is_ascii_lowercase);
        let address = tree.child(index, "address").map(|(_, address)| address);
        let number = |name: &str| {
            address.and_then(|a| a.attribute(name)).and_then(|text| text.parse::<u8>().ok())
        };
        if number("controller").is_some_and(|controller| controller != 0) {
            return;
        }
        match target
            .attribute("bus")
            .or(target.attribute("dev").filter(|dev| dev.starts_with("hd")).map(|_| "ide"))
        {
            Some("ide") => {
                let placed = number("bus").zip(number("unit")).map(|(bus, unit)| bus * 2 + unit);
                self.ide_units.extend(placed.or(letter.map(|letter| letter - b'a')));
            }
            Some("sata") => {
                self.sata_units.extend(number("unit").or(letter.map(|letter| letter - b'a')));
            }
            _ => {}
        }
    }

    /// A PCI device of the host, by its directory.
    fn host_device(&mut self, tree: &Tree, index: usize) {
        let Some((source, _)) = tree.child(index, "source") else { return };
        let Some((_, address)) = tree.child(source, "address") else { return };
        let number = |name: &str| {
            let text = address.attribute(name)?;
            match text.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            }
        };
        let domain = number("domain").unwrap_or(0);
        if let Some(uuid) = address.attribute("uuid") {
            self.bring("mdev", &below("/sys/bus/mdev/devices/", uuid), true, false);
        }
        let place = number("bus").zip(number("slot")).zip(number("function"));
        if let Some(((bus, slot), function)) = place {
            let path = format!("{SYSFS}/{domain:04x}:{bus:02x}:{slot:02x}.{function:x}");
            self.bring("hostdev", &path, true, false);
        }
    }

    /// The TPM of the host, where a device passes it through.
    fn chip(&mut self, tree: &Tree, index: usize) {
        let Some((backend, element)) = tree.child(index, "backend") else { return };
        if element.attribute("type") == Some("passthrough") {
            let device = tree.child(backend, "device");
            let path = device.and_then(|(_, d)| d.attribute("path")).unwrap_or("/dev/tpm0");
            self.bring("tpm", path, false, true);
        }
    }

    fn device(&mut self, tree: &Tree, index: usize, device: &Element) {
        self.place(tree, index, device);
        let kind = device.attribute("type").unwrap_or_default();
        let source = tree.child(index, "source").map(|(_, source)| source);
        let named = |attribute: &str| {
            source.and_then(|source| source.attribute(attribute)).unwrap_or_default().to_owned()
        };
        match device.name.as_str() {
            "disk" => {
                let readonly = tree.child(index, "readonly").is_some()
                    || device.attribute("device") == Some("cdrom");
                let exclusive = !readonly && tree.child(index, "shareable").is_none();
                for path in [named("file"), named("dev")] {
                    self.bring("disk", &path, readonly, true);
                    if let Some(native) = self.native.last_mut()
                        && exclusive
                        && native.path == path
                    {
                        native.exclusive = true;
                    }
                }
                self.unit(tree, index);
                self.vfio |= kind == "nvme";
            }
            "hostdev" => {
                self.vfio |= kind == "pci" || kind == "mdev";
                self.host_device(tree, index);
            }
            "interface" if kind == "bridge" => {
                self.bring("interface", &below("/sys/class/net/", &named("bridge")), true, false);
            }
            // What libvirt keeps of a network while it is active.
            "interface" if kind == "network" => {
                let file = format!("{}.xml", named("network"));
                self.bring("network", &below("/run/libvirt/network/", &file), true, false);
            }
            "vsock" => self.bring("vsock", "/dev/vhost-vsock", false, false),
            "input" => {
                self.bring("input", &named("dev"), false, true);
                self.bring("input", &named("evdev"), false, true);
            }
            "rng" => {
                if let Some((_, backend)) = tree
                    .child(index, "backend")
                    .filter(|(_, b)| b.attribute("model") == Some("random"))
                {
                    let path = backend.text.trim();
                    self.bring(
                        "rng",
                        if path.is_empty() { "/dev/urandom" } else { path },
                        true,
                        true,
                    );
                }
            }
            "serial" | "parallel" | "console" | "channel"
                if ["dev", "file", "pipe"].contains(&kind) =>
            {
                self.bring("chardev", &named("path"), false, true);
                // A pipe is two (`virSecurityDACSetChardevLabel`).
                for end in [".in", ".out"].iter().filter(|_| kind == "pipe") {
                    self.bring("chardev", &format!("{}{end}", named("path")), false, true);
                }
            }
            "serial" | "parallel" | "console" | "channel"
                if kind == "tcp" && named("mode") == "bind" =>
            {
                self.servers.push(format!(":{}", named("service")));
            }
            "serial" | "parallel" | "console" | "channel"
                if kind == "unix" && named("mode") == "bind" =>
            {
                self.servers.push(named("path"));
            }
            "tpm" => self.chip(tree, index),
            "graphics" => {
                self.graphics = true;
                self.displays.insert(kind.to_owned());
                let rendernode = tree
                    .child(index, "gl")
                    .and_then(|(_, gl)| gl.attribute("rendernode"))
                    .unwrap_or_default();
                self.bring("graphics", rendernode, false, true);
            }
            "sound" => self.sound = true,
            "memory" => {
                if let Some(path) = tree
                    .child(index, "source")
                    .and_then(|(source, _)| tree.child(source, "path"))
                    .map(|(_, p)| p.text.trim())
                {
                    self.bring("memory", path, false, true);
                }
            }
            "audio" => {
                self.sounds.insert(kind.to_owned());
            }
            "filesystem" => self.share(tree, index),
            _ => {}
        }
    }
}

/// The capabilities that `<qemu:capabilities>` takes away, each with the place of its name.
fn capabilities_removed(tree: &Tree) -> Vec<(String, Span)> {
    let blocks = tree.children(0).filter(|(_, element)| is_ours(element, "capabilities"));
    let removed = blocks
        .flat_map(|(block, _)| tree.children(block))
        .filter(|(_, element)| is_ours(element, "del"));
    let names = removed.filter_map(|(_, element)| element.property("capability"));
    names.map(|name| (name.value.clone(), name.value_span.clone())).collect()
}

fn seclabel(tree: &Tree, index: usize, element: &Element) -> SecLabel {
    let text = |name: &str| {
        tree.child(index, name).map(|(_, e)| e.text.trim().to_owned()).filter(|t| !t.is_empty())
    };
    let label = SecLabel {
        kind: match element.attribute("type") {
            Some("static") => SecLabelType::Static,
            Some("none") => SecLabelType::None,
            _ => SecLabelType::Dynamic,
        },
        model: element.attribute("model").map(str::to_owned),
        relabel: element.attribute("relabel").map(|relabel| relabel == "yes"),
        label: text("label"),
        baselabel: text("baselabel"),
        refused: None,
    };
    SecLabel { refused: refused(element, &label), ..label }
}

/// What `virSecurityLabelDefParseXML` refuses.
fn refused(element: &Element, label: &SecLabel) -> Option<String> {
    for (name, words) in [("type", &["dynamic", "static", "none"][..]), ("relabel", &["yes", "no"])]
    {
        if let Some(value) = element.attribute(name).filter(|value| !words.contains(value)) {
            return Some(format!(
                "Invalid value for attribute '{name}' in element 'seclabel': '{value}'"
            ));
        }
    }
    let said = match (label.kind, label.relabel) {
        (SecLabelType::Dynamic, Some(false)) if element.attribute("type").is_some() => {
            "dynamic label type must use resource relabeling"
        }
        (SecLabelType::None, Some(true)) => {
            "resource relabeling is not compatible with 'none' label type"
        }
        (SecLabelType::Static, _) if label.label.is_none() => "security label is missing",
        (kind, _)
            if label.model.is_none()
                && (kind == SecLabelType::Static || element.attribute("type").is_none()) =>
        {
            "missing security model in domain seclabel"
        }
        _ => return None,
    };
    Some(said.to_owned())
}
