//! What is the host's own ([`crate::facts::own`]): what asks for it is named, and grants to it are not offered.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Step, Verdict};
use crate::facts::own::{Owned, named};
use crate::facts::{HostFacts, Walk};
use crate::qemu::{Access, Resource};
use crate::xml::EditSet;

/// The way that remains.
const OF_ITS_OWN: &str = "give the VM a file of its own, in /var/lib/libvirt/images say";

/// What a path is of the host's own, when it is opened for writing or only for reading.
fn owned(host: &HostFacts, path: &str, writing: bool) -> Option<Owned> {
    let resolved = host.walk(path).ok().map(Walk::resolved);
    let names = [Some(path), resolved];
    if let Some(what) = names.into_iter().flatten().find_map(|name| host.disks_in_use.get(name)) {
        return Some(Owned { what: what.clone(), gives_host: true });
    }
    // Where a link leads counts, whatever it is called.
    named(resolved.unwrap_or(path), writing).or_else(|| named(path, writing))
}

/// Whether an access writes, or is given the right to.
fn writes(access: Access) -> bool {
    match access {
        Access::ReadWrite | Access::ReadWriteOrRead | Access::Create | Access::Memory => true,
        Access::Directory | Access::Listen | Access::Connect | Access::Pipe => true,
        Access::Read | Access::MemoryRead | Access::Library => false,
    }
}

pub(super) static HOST_OWNED: Rule = Rule {
    id: "host-owned",
    layer: Layer::Host,
    summary: "an argument asks for what would give the VM this host",
    explain: include_str!("../../assets/rules/host-owned.md"),
    check: |case| {
        let mut findings = Vec::new();
        for usage in &case.line.uses {
            let Some((path, access)) = usage.resource.path() else { continue };
            let Some(owned) = owned(case.host, path, writes(access)) else { continue };
            // What QEMU reads of such a file everybody may read.
            if !owned.gives_host {
                continue;
            }
            let verb = if writes(access) { "write" } else { "read" };
            let message =
                format!("it asks to {verb} {path}, {}: that would give it this host", owned.what);
            let way = format!("if you do not know why, take it out; else {OF_ITS_OWN}");
            let finding = Finding::of(usage, Verdict::Warns, message);
            findings.push(finding.remedy(Remedy::none(Scope::Rewrite, way)));
        }
        findings
    },
};

/// A path, and what it is of the host's own.
type Thing = (String, Owned);

/// Takes steps out of remedies that would give away what is the host's own; the reason stands in their place.
pub(super) fn withdraw(case: &Case<'_>, findings: &mut [Finding]) {
    for finding in findings {
        let of_entry = of_entry(case, finding);
        let path = finding.resource.as_ref().and_then(Resource::path).map(|(path, _)| path);
        let target = of_entry.iter().find(|(of, _)| Some(of.as_str()) == path).cloned();
        for remedy in &mut finding.remedies {
            let thing = given_away(case.host, remedy, target.as_ref(), &of_entry);
            if let Some((path, owned)) = thing {
                let why = format!("not offered, {path} is {}: {OF_ITS_OWN}", owned.what);
                *remedy = Remedy::none(remedy.scope, why);
            } else if let Some(path) = of_proc(remedy) {
                let why = format!("there is none, {path} is made by the kernel anew: {OF_ITS_OWN}");
                *remedy = Remedy::none(remedy.scope, why);
            }
        }
        let mut seen = Vec::new();
        finding.remedies.retain(|remedy| {
            let is_new = !seen.contains(&remedy.title);
            seen.push(remedy.title.clone());
            is_new || remedy.step != Step::Nothing
        });
    }
}

/// The path in /proc that a remedy would change: nothing there keeps what it is given, and of a process it is another's.
fn of_proc(remedy: &Remedy) -> Option<String> {
    let Step::RunCommand(line) = &remedy.step else { return None };
    let words = shlex::split(line)?;
    words.into_iter().find(|word| word == "/proc" || word.starts_with("/proc/"))
}

/// What the entry of a finding touches of the host's own.
fn of_entry(case: &Case<'_>, finding: &Finding) -> Vec<Thing> {
    let Some(entry) = finding.entry else { return Vec::new() };
    let thing = |(path, access): (&str, Access)| {
        Some((path.to_owned(), owned(case.host, path, writes(access))?))
    };
    case.line.uses_of(entry).filter_map(|usage| thing(usage.resource.path()?)).collect()
}

/// What a remedy would give away: the `target` of its finding, what its command changes, or what it hands to libvirt.
fn given_away(
    host: &HostFacts,
    remedy: &Remedy,
    target: Option<&Thing>,
    of_entry: &[Thing],
) -> Option<Thing> {
    match &remedy.step {
        Step::Nothing => None,
        Step::EditXml(edits) if remedy.scope == Scope::Rewrite => {
            let handed = |(path, of): &&Thing| of.gives_host && hands(edits, path);
            of_entry.iter().find(handed).cloned()
        }
        Step::EditXml(_) | Step::SetOption { .. } => target.cloned(),
        Step::RunCommand(line) => target.cloned().or_else(|| {
            let (path, writing) = object(line)?;
            let owned = owned(host, &path, writing)?;
            Some((path, owned))
        }),
    }
}

/// Whether an edit names a path in an element of libvirt's, which then opens it for QEMU.
fn hands(edits: &EditSet, path: &str) -> bool {
    let native = |text: &str| text.contains('<') && !text.contains(":arg ");
    edits.edits().iter().any(|edit| edit.text.contains(path) && native(&edit.text))
}

/// What a command changes, and whether that lets somebody write; letting a directory be passed gives nothing of it away.
fn object(line: &str) -> Option<(String, bool)> {
    let words = shlex::split(line)?;
    let path = words.iter().rev().find(|word| word.starts_with('/'))?.clone();
    let bits = match words.first()?.as_str() {
        "setfacl" => words.get(2)?.rsplit(':').next()?.to_owned(),
        "chmod" => words.get(1)?.clone(),
        "mount" | "sysctl" | "ip" | "setsebool" | "systemctl" | "modprobe" => return None,
        _ => "w".to_owned(),
    };
    (bits.contains(['r', 'w'])).then(|| (path, bits.contains('w')))
}
