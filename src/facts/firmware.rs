//! Where QEMU finds the names that it looks up among its own files.

use super::{Ending, HostFacts, Known};
use crate::domain::DomainFacts;
use crate::qemu::{Access, CommandLine, Lookup, Resource, Use};

/// What the table of options calls the file of `-bios` and of `-machine firmware=`.
const FIRMWARE: &str = "the firmware";

/// Where a looked-up name is.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The path that QEMU takes.
    At(String),
    /// In none of these places.
    Nowhere(Vec<String>),
    /// It could not be told, and why.
    Unknown(String),
}

/// Looks a name up as QEMU does, on a host that was looked at.
pub fn look(lookup: &Lookup, line: &CommandLine, domain: &DomainFacts, host: &HostFacts) -> Found {
    let own = host.emulator_of(domain.emulator.as_deref()).map(|emulator| &emulator.data);
    let built_in = own.map_or(&[] as &[String], Vec::as_slice);
    let directories = line.searched.iter().chain(built_in).map(String::as_str);
    let candidates: Vec<String> = lookup.candidates(directories).collect();
    for path in &candidates {
        match host.walk(path).map(|walk| &walk.ending) {
            Ok(Ending::Present) => return Found::At(path.clone()),
            Ok(Ending::Missing(_) | Ending::NotADirectory(_) | Ending::Loop) => {}
            Ok(_) => return Found::Unknown(format!("what is at {path} can't be seen")),
            Err(why) => return Found::Unknown(format!("{path}: {why}")),
        }
    }
    match own {
        Ok(_) if built_in.is_empty() => {
            Found::Unknown("where QEMU has its own files was not recorded".to_owned())
        }
        Ok(_) => Found::Nowhere(candidates),
        Err(why) => Found::Unknown(format!("where QEMU has its own files is not known: {why}")),
    }
}

/// Puts what is opened in the place of names that are looked up, and leaves those that QEMU never looks at; what is not found
/// stays.
pub(crate) fn settle(line: &mut CommandLine, domain: &DomainFacts, host: &HostFacts) {
    let whole = line.clone();
    if has_flash(&whole, domain) {
        // Who starts from flash memory looks at no other firmware (`pc_system_firmware_init`).
        line.lookups.retain(|lookup| lookup.what != FIRMWARE);
        line.uses.retain(|usage| usage.what != FIRMWARE);
    }
    if !shows_vnc(&whole, domain) {
        // VNC's server alone reads the keyboard's layout (`vnc_display_open`).
        line.lookups.retain(|lookup| lookup.folder.is_empty());
    }
    keep_last(line);
    let mut found = Vec::new();
    line.lookups.retain(|lookup| match look(lookup, &whole, domain, host) {
        Found::At(path) => {
            let resource =
                Resource::Path { path, access: Access::Read, locks: false, chain: false };
            let Lookup { entry, at, what, optional, .. } = lookup.clone();
            found.push(Use { resource, entry, at, what, optional });
            false
        }
        Found::Nowhere(_) | Found::Unknown(_) => true,
    });
    line.uses.extend(found);
}

/// Of several `-bios`, and of several `-k`, the last one counts.
fn keep_last(line: &mut CommandLine) {
    let named = line.uses.iter().map(|usage| (usage.what, usage.entry));
    let looked_up = line.lookups.iter().map(|lookup| (lookup.what, lookup.entry));
    let firmware = named.chain(looked_up).filter(|(what, _)| *what == FIRMWARE);
    let firmware = firmware.map(|(_, entry)| entry.index).max();
    let layouts = line.lookups.iter().filter(|lookup| !lookup.folder.is_empty());
    let layout = layouts.map(|lookup| lookup.entry.index).max();
    line.uses.retain(|usage| usage.what != FIRMWARE || Some(usage.entry.index) == firmware);
    line.lookups.retain(|lookup| {
        let last = if lookup.folder.is_empty() { firmware } else { layout };
        let one_counts = lookup.what == FIRMWARE || !lookup.folder.is_empty();
        !one_counts || Some(lookup.entry.index) == last
    });
}

/// Whether the machine starts from flash memory.
fn has_flash(line: &CommandLine, domain: &DomainFacts) -> bool {
    let is_flash = |pair: &crate::qemu::Pair| {
        (pair.key == "if" && pair.value == "pflash") || pair.key == "pflash0"
    };
    let of_options = ["drive", "machine", "M"].into_iter().flat_map(|name| line.options(name));
    domain.flash
        || line.options("pflash").next().is_some()
        || of_options.flat_map(|option| &option.pairs.pairs).any(is_flash)
}

/// Whether a VNC server is made.
fn shows_vnc(line: &CommandLine, domain: &DomainFacts) -> bool {
    domain.displays.contains("vnc")
        || line.options("vnc").next().is_some()
        || line.options("display").any(|option| option.kind() == "vnc")
}

/// The paths at which names may be that a command line has QEMU look up, whatever was built in where.
pub(crate) fn candidates<'a>(
    names: impl Iterator<Item = &'a Lookup>,
    searched: &'a [String],
    built_in: impl Iterator<Item = &'a Known<super::emulator::Emulator>>,
) -> Vec<String> {
    let own: Vec<&str> = built_in
        .filter_map(Known::yes)
        .flat_map(|emulator| emulator.data.iter().map(String::as_str))
        .collect();
    let directories = || searched.iter().map(String::as_str).chain(own.iter().copied());
    names.flat_map(|lookup| lookup.candidates(directories()).collect::<Vec<_>>()).collect()
}
