//! Sockets of vhost-user: QEMU talks to the other end while it makes the device, whatever the socket says about later.

use std::collections::HashMap;

use super::super::{CommandLine, Note, NoteKind};
use super::retries;

/// What QEMU does at the socket of a device whose other end is not there yet (`vhost_user_backend_init`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Without {
    /// It waits (`net_vhost_user_init`, net/vhost-user.c; `vhost_user_blk_realize_connect`, hw/block/vhost-user-blk.c).
    Waits,
    /// It gives up.
    Refuses,
}

/// Notes the sockets at which somebody has to be before the VM starts.
pub(super) fn settle(line: &mut CommandLine) {
    let of_vhost_user = line.options.iter().filter_map(|option| {
        let without = match (option.name(), option.kind()) {
            ("netdev", "vhost-user") => Without::Waits,
            ("device", kind) if kind.starts_with("vhost-user-blk") => Without::Waits,
            ("device", kind) if kind.starts_with("vhost-user-") => Without::Refuses,
            _ => return None,
        };
        Some((option.pairs.get("chardev")?.to_owned(), without))
    });
    let of_vhost_user: HashMap<String, Without> = of_vhost_user.collect();
    if of_vhost_user.is_empty() {
        return;
    }
    let sockets = line
        .options
        .iter()
        .filter(|option| option.name() == "chardev" && option.kind() == "socket");
    for option in sockets {
        let (pairs, entry) = (&option.pairs, option.place());
        let Some(without) = pairs.get("id").and_then(|id| of_vhost_user.get(id)) else { continue };
        if pairs.on("server") == Some(true) {
            let waits_anyhow = pairs.on("wait") != Some(false);
            line.notes.retain(|note| note.entry != entry || note.kind != NoteKind::Waits);
            let kind = match without {
                Without::Refuses if !waits_anyhow => NoteKind::NobodyYet,
                Without::Refuses | Without::Waits => NoteKind::WaitsForBackend,
            };
            line.notes.push(Note { entry, at: 0, kind });
        } else if retries(pairs) {
            // It tries again later, and gives up now.
            line.uses
                .iter_mut()
                .filter(|usage| usage.entry == entry)
                .for_each(|usage| usage.optional = false);
        }
    }
}
