//! What an entry makes QEMU touch on the host, and how.

use std::ops::Range;

use crate::domain::EntryId;

/// How QEMU opens a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// For reading.
    Read,
    /// For reading and writing.
    ReadWrite,
    /// For reading and writing, for reading alone when that is denied (`auto-read-only`, the default of an unattached `-drive`).
    ReadWriteOrRead,
    /// For writing; made when it is not there.
    Create,
    /// For reading and writing and mapped into memory; made when it is not there.
    Memory,
    /// For reading, and mapped into memory.
    MemoryRead,
    /// As a directory whose files are opened later.
    Directory,
    /// As a socket that QEMU makes and listens on.
    Listen,
    /// As a socket that another process listens on.
    Connect,
    /// As a library loaded into the process.
    Library,
    /// As two pipes, PATH.in and PATH.out, where both are there, otherwise as PATH itself (`qmp_chardev_open_pipe`); which of
    /// them is the host's to say (`facts::pipes`).
    Pipe,
}

impl Access {
    /// The word for it, as the JSON report has it.
    pub fn word(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::ReadWrite => "read-write",
            Access::ReadWriteOrRead => "read-write-or-read",
            Access::Create => "create",
            Access::Memory => "memory",
            Access::MemoryRead => "memory-read",
            Access::Directory => "directory",
            Access::Listen => "listen",
            Access::Connect => "connect",
            Access::Library => "library",
            Access::Pipe => "pipe",
        }
    }

    /// Whether the file must be readable.
    pub fn reads(self) -> bool {
        match self {
            Access::Read | Access::ReadWrite | Access::ReadWriteOrRead | Access::Memory => true,
            Access::MemoryRead | Access::Directory | Access::Library | Access::Pipe => true,
            Access::Create | Access::Listen | Access::Connect => false,
        }
    }

    /// Whether the file must be writable, if it is there.
    pub fn writes(self) -> bool {
        match self {
            Access::ReadWrite | Access::Create | Access::Memory | Access::Connect => true,
            Access::Pipe => true,
            Access::Read | Access::ReadWriteOrRead | Access::MemoryRead => false,
            Access::Directory | Access::Listen | Access::Library => false,
        }
    }

    /// Whether QEMU makes the file when it is not there.
    pub fn creates(self) -> bool {
        matches!(self, Access::Create | Access::Memory | Access::Listen)
    }

    /// Whether the file is mapped into memory.
    pub fn maps(self) -> bool {
        matches!(self, Access::Memory | Access::MemoryRead | Access::Library)
    }
}

/// When a program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// While QEMU starts.
    Start,
    /// While the guest runs, or when it stops.
    Later,
}

/// What a port is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP: one process at a time listens on an address.
    Tcp,
    /// UDP: processes that agree to it (`SO_REUSEADDR`, which QEMU sets) share an address.
    Udp,
}

/// A port and the address it is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Of what.
    pub protocol: Protocol,
    /// The host as written; empty for all addresses.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// Of TCP: `HOST:PORT`, `:PORT`, `[V6]:PORT`; ports that are 0 or are written as names say nothing in advance.
    pub fn read(text: &str) -> Option<Endpoint> {
        let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
        Endpoint::new(host, port)
    }

    /// The same of UDP.
    #[must_use]
    pub fn udp(self) -> Endpoint {
        Endpoint { protocol: Protocol::Udp, ..self }
    }

    /// A host and the digits of a port.
    pub fn new(host: &str, port: &str) -> Option<Endpoint> {
        let port = port.parse().ok().filter(|port| *port != 0)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        // inet_aton(3): a number is an address.
        let host = if host == "0" { "0.0.0.0" } else { host }.to_owned();
        Some(Endpoint { protocol: Protocol::Tcp, host, port })
    }

    /// Whether the host is this machine; who connects to no address in particular (0.0.0.0) gets there as well.
    pub fn is_local(&self) -> bool {
        let is_here =
            |address: core::net::IpAddr| address.is_loopback() || address.is_unspecified();
        self.host == "localhost" || self.host.parse().is_ok_and(is_here)
    }
}

/// Something of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A path, absolute.
    Path {
        /// The path, as QEMU passes it to the kernel.
        path: String,
        /// How it is opened.
        access: Access,
        /// QEMU locks the file: an image behind a `-drive`, or behind a `-blockdev` that a device uses.
        locks: bool,
        /// QEMU reads an image's header and opens what it names: unless the format is said to be raw.
        chain: bool,
    },
    /// A program that QEMU starts.
    Program {
        /// The program or command.
        command: String,
        /// When.
        moment: Moment,
    },
    /// A change of user, group or root directory.
    Privilege {
        /// What is asked for.
        what: String,
        /// The user changes, which the filter of system calls stops; a change of the root directory it lets through.
        user: bool,
    },
    /// A descriptor that QEMU would have to inherit; libvirt closes all but its own.
    Descriptor {
        /// Its number or name.
        name: String,
    },
    /// A network address.
    Network {
        /// The address as written.
        address: String,
        /// QEMU listens there.
        listen: bool,
        /// The port it comes to, where QEMU has no choice of several.
        endpoint: Option<Endpoint>,
    },
    /// A tap interface, made when it is not there.
    Tap {
        /// Its name, or the pattern of a new one.
        name: String,
    },
    /// A PCI device given to the guest.
    Pci {
        /// The address as written.
        address: String,
    },
    /// A USB device given to the guest.
    Usb {
        /// What it is looked up by.
        what: String,
    },
    /// A person's session: a desktop, a terminal, a message bus.
    Session {
        /// The variables of the environment that lead there, comma separated; none for a terminal, which libvirt never gives.
        variables: &'static str,
    },
}

/// The directory of all PCI devices, with the slash (Documentation/ABI/testing/sysfs-bus-pci).
pub const PCI_DEVICES: &str = "/sys/bus/pci/devices/";

/// `DDDD:BB:SS.F` or `BB:SS.F`, hexadecimal.
pub fn pci_address(host: &str) -> Option<(u32, u32, u32, u32)> {
    let (rest, function) = host.rsplit_once('.')?;
    let mut parts = rest.rsplit(':');
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    let (slot, bus) = (number(parts.next()?)?, number(parts.next()?)?);
    let domain = parts.next().map_or(Some(0), number)?;
    let function = number(function)?;
    let ends_here = parts.next().is_none();
    ends_here.then_some((domain, bus, slot, function))
}

impl Resource {
    /// The path, when the resource is one.
    pub fn path(&self) -> Option<(&str, Access)> {
        match self {
            Resource::Path { path, access, .. } => Some((path, *access)),
            Resource::Program { .. } | Resource::Privilege { .. } | Resource::Descriptor { .. } => {
                None
            }
            Resource::Network { .. }
            | Resource::Pci { .. }
            | Resource::Usb { .. }
            | Resource::Session { .. } => None,
            Resource::Tap { .. } => None,
        }
    }

    /// Where the kernel shows the PCI or mediated device, when the resource is one: `host=01:00.0` without a domain is in domain 0
    /// (`set_pci_host_devaddr`, hw/core/qdev-properties-system.c), `sysfsdev=` names the directory itself.
    pub fn sysfs(&self) -> Option<String> {
        let Resource::Pci { address } = self else { return None };
        if address.starts_with('/') {
            return Some(address.trim_end_matches('/').to_owned());
        }
        // An NVMe namespace follows a slash.
        let (domain, bus, slot, function) = pci_address(address.split('/').next()?)?;
        Some(format!("{PCI_DEVICES}{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"))
    }

    /// The path of a program that QEMU runs itself, and not a shell's line.
    pub fn program(&self) -> Option<&str> {
        let Resource::Program { command, .. } = self else { return None };
        (command.starts_with('/') && !command.contains(char::is_whitespace)).then_some(command)
    }

    /// The kind, as the JSON report has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Resource::Path { access: Access::Listen | Access::Connect, .. } => "socket",
            Resource::Path { access: Access::Directory, .. } => "directory",
            Resource::Path { path, .. }
                if path.starts_with("/dev/")
                    && !path.starts_with("/dev/shm/")
                    && !path.starts_with("/dev/hugepages/") =>
            {
                "device"
            }
            Resource::Path { .. } => "file",
            Resource::Program { .. } => "program",
            Resource::Privilege { .. } => "privilege",
            Resource::Descriptor { .. } => "descriptor",
            Resource::Network { .. } => "network",
            Resource::Tap { .. } => "interface",
            Resource::Pci { .. } => "pci",
            Resource::Usb { .. } => "usb",
            Resource::Session { .. } => "session",
        }
    }

    /// The name to show: the path, the address, the command.
    pub fn name(&self) -> &str {
        match self {
            Resource::Path { path, .. } => path,
            Resource::Program { command, .. } => command,
            Resource::Privilege { what, .. } | Resource::Usb { what } => what,
            Resource::Descriptor { name } | Resource::Tap { name } => name,
            Resource::Network { address, .. } | Resource::Pci { address } => address,
            Resource::Session { variables } => variables,
        }
    }
}

/// An entry touching a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// What is touched, and how.
    pub resource: Resource,
    /// The entry that says so.
    pub entry: EntryId,
    /// Where in the entry's value the name stands; empty for what is touched without being named.
    pub at: Range<usize>,
    /// What it is: "the image", "the source of random numbers".
    pub what: &'static str,
    /// QEMU starts without it.
    pub optional: bool,
}
