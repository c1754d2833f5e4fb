//! Who has the images open that a domain wants for itself.

use std::collections::BTreeSet;

use super::sockets::name_of;
use crate::facts::locks::{self, ImageLock};
use crate::facts::walk::FileId;
use crate::facts::{Known, Walk};
use crate::power;

/// The locks on files at the ends of walks (`/proc/locks`), each with the process that has it.
pub(super) fn on<'a>(walks: impl Iterator<Item = &'a Walk>) -> Known<Vec<ImageLock>> {
    let wanted: BTreeSet<FileId> = walks.filter_map(|walk| walk.target()?.file).collect();
    if wanted.is_empty() {
        return Known::Yes(Vec::new());
    }
    let text = match std::fs::read_to_string("/proc/locks") {
        Ok(text) => text,
        Err(error) => return Known::Unknown(format!("/proc/locks cannot be read: {error}")),
    };
    let mut found = locks::read(&text);
    found.retain(|lock| wanted.contains(&lock.file));
    if found.is_empty() {
        return Known::Yes(found);
    }
    let held = held();
    // Several processes may have one image.
    let named = found.into_iter().flat_map(|lock| {
        let holders: Vec<&ImageLock> =
            held.iter().filter(|holder| holder.file == lock.file).collect();
        if holders.is_empty() { vec![lock] } else { holders.into_iter().cloned().collect() }
    });
    Known::Yes(named.collect())
}

/// The locks that processes have, as far as we are shown them.
fn held() -> Vec<ImageLock> {
    // A thread that gave anything up is not shown what other processes have open.
    power::outside(|| {
        let mut found = Vec::new();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in processes.map(|entry| entry.path()) {
            let open = std::fs::read_dir(process.join("fdinfo")).into_iter().flatten().flatten();
            for descriptor in open {
                let text = std::fs::read_to_string(descriptor.path()).unwrap_or_default();
                if text.contains("lock:") {
                    let of = |lock| ImageLock { process: name_of(&process), ..lock };
                    found.extend(locks::read(&text).into_iter().map(of));
                }
            }
        }
        found
    })
}
