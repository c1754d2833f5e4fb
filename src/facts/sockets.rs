//! Ports that some process has.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A port that a process listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Where.
    pub address: SocketAddr,
    /// The process's name, and of a QEMU the domain it runs (`guest=NAME`); empty where that can't be seen.
    pub process: String,
    /// It is of IPv6 and leaves the port of IPv4 to others (`IPV6_V6ONLY`).
    #[serde(default)]
    pub six_only: bool,
}
