//! Reading the mounts of this machine.

use crate::facts::Known;
use crate::facts::mounts::{self, Mount};

pub(super) fn read() -> Known<Vec<Mount>> {
    match std::fs::read_to_string("/proc/self/mountinfo") {
        Ok(text) => Known::Yes(text.lines().filter_map(mounts::line).collect()),
        Err(error) => Known::Unknown(format!("/proc/self/mountinfo cannot be read: {error}")),
    }
}
