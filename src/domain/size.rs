//! How much memory and how many processors a domain has, in numbers.

use crate::xml::Tree;

/// The processors as libvirt passes them (`-smp MAX,sockets=…,cores=…,threads=…`, `qemuBuildSmpCommandLine`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processors {
    /// All that there can be.
    pub max: u32,
    /// Those that are there at the start.
    pub current: u32,
    /// `<topology>`, or as many sockets as processors.
    pub sockets: u32,
    /// Dies in a socket.
    pub dies: u32,
    /// Cores in a die.
    pub cores: u32,
    /// Threads in a core.
    pub threads: u32,
}

/// `<memory>` in bytes.
pub(super) fn memory(tree: &Tree) -> Option<u64> {
    let (_, element) = tree.child(0, "memory")?;
    let unit = match element.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KB" => 1000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "TB" => 1_000_000_000_000,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    let number: u64 = element.text.trim().parse().ok()?;
    // libvirt rounds up to KiB (`virDomainParseScaledValue`).
    Some(number.checked_mul(unit)?.div_ceil(1024) * 1024)
}

/// `<vcpu>` and `<cpu><topology>`.
pub(super) fn processors(tree: &Tree) -> Option<Processors> {
    let vcpu = tree.child(0, "vcpu").map(|(_, element)| element);
    let max: u32 = vcpu.map_or(Ok(1), |element| element.text.trim().parse()).ok()?;
    let current =
        vcpu.and_then(|element| element.attribute("current")).map_or(Ok(max), str::parse).ok()?;
    let topology = tree
        .child(0, "cpu")
        .and_then(|(cpu, _)| tree.child(cpu, "topology"))
        .map(|(_, element)| element);
    let number =
        |name: &str| topology.and_then(|t| t.attribute(name)).and_then(|text| text.parse().ok());
    Some(Processors {
        max,
        current,
        sockets: number("sockets").unwrap_or(if topology.is_some() { 1 } else { max }),
        dies: number("dies").unwrap_or(1),
        cores: number("cores").unwrap_or(1),
        threads: number("threads").unwrap_or(1),
    })
}
