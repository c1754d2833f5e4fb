//! Which pipes a character device opens: two of them where both are there, otherwise one (`qmp_chardev_open_pipe`,
//! chardev/char-pipe.c).

use super::{Ending, HostFacts};
use crate::qemu::{Access, Resource, Use};

/// The two names that are tried first.
pub(crate) fn pair(path: &str) -> [String; 2] {
    ["in", "out"].map(|end| format!("{path}.{end}"))
}

/// Puts what is opened in the place of a pipe that may be two.
pub(crate) fn settle(uses: &mut Vec<Use>, host: &HostFacts) {
    let is_there = |path: &String| host.walk(path).is_ok_and(|walk| walk.ending == Ending::Present);
    let opened = |usage: Use| -> Vec<Use> {
        let Resource::Path { path, access: Access::Pipe, .. } = &usage.resource else {
            return vec![usage];
        };
        let pair = pair(path);
        let paths = if pair.iter().all(is_there) { pair.to_vec() } else { vec![path.clone()] };
        let open = |path| {
            let access = Access::ReadWrite;
            let resource = Resource::Path { path, access, locks: false, chain: false };
            Use { resource, ..usage.clone() }
        };
        paths.into_iter().map(open).collect()
    };
    *uses = std::mem::take(uses).into_iter().flat_map(opened).collect();
}
