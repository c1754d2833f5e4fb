//! TCP ports that some process listens on.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A TCP port that a process listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Where.
    pub address: SocketAddr,
    /// The process's name, and of a QEMU the domain it runs (`guest=NAME`); empty where that can't be seen.
    pub process: String,
}
