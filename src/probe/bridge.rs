//! Reading what QEMU's bridge helper goes by.

use std::collections::BTreeSet;
use std::path::Path;

use super::text;
use crate::facts::bridge::{Bridges, LIST};
use crate::facts::{Known, Walk};

/// How deep a list may include others.
const MAX_DEPTH: usize = 8;

/// The list, which of `names` are bridges, and which of the programs that walks lead to have capabilities.
pub(super) fn read<'a>(
    names: &BTreeSet<String>,
    programs: impl Iterator<Item = &'a Walk>,
) -> Bridges {
    if names.is_empty() {
        return Bridges::default();
    }
    let plain = |name: &&String| !name.contains('/') && !name.starts_with('.');
    let is_bridge = |name: &&String| Path::new("/sys/class/net").join(name).join("bridge").is_dir();
    let there = names.iter().filter(plain).filter(is_bridge).cloned().collect();
    let targets = programs.filter_map(|walk| Some(walk.target()?.path.clone()));
    let capable = targets.filter(|path| has_capabilities(path)).collect();
    let mut rules = Vec::new();
    let rules = match include(LIST, MAX_DEPTH, &mut rules) {
        Ok(()) => Known::Yes(rules),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Known::Yes(Vec::new()),
        Err(error) => Known::Unknown(format!("{LIST} cannot be read ({error})")),
    };
    Bridges { rules, there, capable }
}

/// Adds the rules of a list and of those that it includes (`parse_acl_file`).
fn include(path: &str, depth: usize, rules: &mut Vec<String>) -> std::io::Result<()> {
    for line in text(path)?.lines().map(str::trim) {
        match line.strip_prefix("include").map(str::trim) {
            Some(other) if depth > 0 => include(other, depth - 1, rules)?,
            Some(_) => {}
            None if line.is_empty() || line.starts_with('#') => {}
            None => rules.push(line.to_owned()),
        }
    }
    Ok(())
}

fn has_capabilities(path: &str) -> bool {
    rustix::fs::getxattr(path, "security.capability", &mut [0_u8; 64][..]).is_ok()
}
