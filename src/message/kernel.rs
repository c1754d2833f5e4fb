//! Records of the kernel: what SELinux and AppArmor denied, and whom the filter of system calls ended.
//!
//! Formats: `avc_audit_post_callback` (security/selinux/avc.c), `audit_pre` (security/apparmor/audit.c), `audit_seccomp`
//! (kernel/auditsc.c); as the audit daemon, the journal and `dmesg` print them.

use std::collections::HashMap;

use super::{Kind, Record};

/// Names in records of type PATH, by the serial number of their event.
pub(super) type Named = HashMap<String, Vec<String>>;

/// SELinux denied something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Avc {
    /// The permissions.
    pub permissions: Vec<String>,
    /// The class of what it was denied on.
    pub class: String,
    /// The label of who asked.
    pub source: String,
    /// The label of what it was denied on.
    pub target: String,
    /// The path, or the last part of it.
    pub path: Option<String>,
    /// The name of the process.
    pub process: String,
    /// It was written down and let through.
    pub permissive: bool,
}

/// AppArmor denied something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denied {
    /// What was to be done: `open`, `file_lock`, `exec`, `capable`.
    pub operation: String,
    /// The profile.
    pub profile: String,
    /// The path.
    pub path: Option<String>,
    /// The name of the process.
    pub process: String,
    /// The letters that were denied.
    pub mask: String,
    /// The capability.
    pub capability: Option<String>,
    /// What the kernel says beside.
    pub info: Option<String>,
    /// It was written down and let through: the profile complains only.
    pub allowed: bool,
}

/// The filter of system calls ended a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Killed {
    /// The number of the call.
    pub number: u32,
    /// Its name and the flag of -sandbox that forbids it, where they are known.
    pub call: Option<(&'static str, &'static str)>,
    /// The program, or the name of the process.
    pub process: String,
}

impl Avc {
    /// The type of a label.
    fn kind(label: &str) -> &str {
        label.split(':').nth(2).unwrap_or_default()
    }

    /// The categories of a label's upper level.
    fn categories(label: &str) -> Vec<(u32, u32)> {
        let Some(levels) = label.splitn(4, ':').nth(3) else { return Vec::new() };
        let upper = levels.rsplit('-').next().unwrap_or(levels);
        let Some((_, list)) = upper.split_once(':') else { return Vec::new() };
        let number = |text: &str| text.strip_prefix('c')?.parse().ok();
        let range = |text: &str| match text.split_once('.') {
            Some((from, to)) => Some((number(from)?, number(to)?)),
            None => Some((number(text)?, number(text)?)),
        };
        list.split(',').filter_map(range).collect()
    }

    /// The target bears categories that who asked has not: `categories` must be a subset.
    pub fn lacks_categories(&self) -> bool {
        let own = Avc::categories(&self.source);
        let holds =
            |(from, to): &(u32, u32)| own.iter().any(|(low, high)| low <= from && to <= high);
        !Avc::categories(&self.target).iter().all(holds)
    }

    /// Who asked is QEMU: the types that VMs run as begin so.
    pub fn is_of_qemu(&self) -> bool {
        self.source.is_empty() || Avc::kind(&self.source).starts_with("svirt")
    }

    /// Neither QEMU, libvirt nor their helpers ask, and nothing of theirs is asked for.
    pub(super) fn is_of_a_stranger(&self) -> bool {
        let labels = [Avc::kind(&self.source), Avc::kind(&self.target)];
        !self.is_of_qemu() && !is_of_vms(&self.process) && !labels.into_iter().any(is_of_vms)
    }

    pub(super) fn words(&self) -> String {
        let categories = if self.lacks_categories() { "categories" } else { "" };
        let who = if self.is_of_qemu() { "svirt" } else { "another" };
        let (source, target) = (Avc::kind(&self.source), Avc::kind(&self.target));
        let path = self.path.as_deref().unwrap_or_default();
        format!(
            "{who} {source} {{ {} }} {} {target} {categories} {path}",
            self.permissions.join(" "),
            self.class
        )
    }
}

impl Denied {
    /// The profile is that of a VM (`libvirt-UUID`).
    pub fn is_of_vm(&self) -> bool {
        self.profile.starts_with("libvirt-")
    }

    /// Neither QEMU, libvirt nor their helpers ask, and nothing of theirs is asked for.
    pub(super) fn is_of_a_stranger(&self) -> bool {
        let path = self.path.as_deref().unwrap_or_default();
        ![self.profile.as_str(), &self.process, path].into_iter().any(is_of_vms)
    }

    pub(super) fn words(&self) -> String {
        let who = if self.is_of_vm() { "vm" } else { "another" };
        let capability = self.capability.as_deref().unwrap_or_default();
        let (path, info) =
            (self.path.as_deref().unwrap_or_default(), self.info.as_deref().unwrap_or_default());
        format!(
            "{who} {} {} {} {capability} {info} {path}",
            self.operation, self.profile, self.mask
        )
    }
}

impl Killed {
    /// The process is QEMU; what has no name may be.
    pub fn is_of_qemu(&self) -> bool {
        self.process.is_empty() || self.process.contains("qemu") || self.process.contains("kvm")
    }

    pub(super) fn words(&self) -> String {
        let (name, flag) = self.call.unwrap_or_default();
        format!("{flag} {name} {}", self.number)
    }
}

/// Whether a name or a type is one of QEMU's, libvirt's or their helpers'.
fn is_of_vms(name: &str) -> bool {
    ["virt", "qemu", "swtpm", "passt"].iter().any(|part| name.contains(part)) || name == "kvm"
}

/// The names in the PATH records of some lines.
pub(super) fn named(lines: &[String]) -> Named {
    let mut named = Named::new();
    for line in lines.iter().filter(|line| line.contains("type=PATH")) {
        for part in line.split("type=PATH").skip(1) {
            let (Some(serial), Some(name)) = (serial(part), value(part, "name")) else { continue };
            named.entry(serial.to_owned()).or_default().push(name);
        }
    }
    named
}

/// The serial number of an event: what stands in `audit(…)`.
fn serial(text: &str) -> Option<&str> {
    Some(text.split_once("audit(")?.1.split_once(')')?.0)
}

/// Another record of an event, or one that denies nothing.
pub(super) fn belongs_to_a_record(line: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "type=PATH",
        "type=SYSCALL",
        "type=PROCTITLE",
        "type=CWD",
        "type=EXECVE",
        "type=SOCKADDR",
        "apparmor=\"STATUS\"",
        "type=VIRT_",
    ];
    OTHERS.iter().any(|other| line.contains(other))
}

/// The records of the kernel in a line; there are several where line ends were lost.
pub(super) fn records(line: &str, named: &Named) -> Vec<Record> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("avc:") {
        found.extend(avc(line, at, named));
    }
    for (at, _) in line.match_indices("apparmor=\"") {
        found.extend(apparmor(&line[at..]));
    }
    let is_seccomp = ["type=1326", "type=SECCOMP"].iter().any(|kind| line.contains(kind))
        || line.contains("sig=31") && line.contains("syscall=");
    if is_seccomp {
        found.extend(seccomp(line));
    }
    if found.is_empty() {
        found.extend(troubleshot(line));
    }
    found
}

/// A denial of SELinux at a place in a line.
fn avc(line: &str, at: usize, named: &Named) -> Option<Record> {
    let text = &line[at..];
    let text = text[4..].split("avc:").next()?;
    let text = text.split(" type=").next()?;
    let rest = text.trim_start().strip_prefix("denied")?;
    let (permissions, rest) = rest.split_once('{')?.1.split_once('}')?;
    let before = &line[..at];
    let serial = before.rfind("audit(").and_then(|from| serial(&before[from..]));
    let last = value(rest, "name");
    let of_event = serial.and_then(|serial| named.get(serial)).and_then(|names| {
        let fits =
            |name: &&String| last.as_ref().is_none_or(|last| name.rsplit('/').next() == Some(last));
        names.iter().find(fits).or(names.first())
    });
    let path = value(rest, "path").or_else(|| of_event.cloned()).or(last);
    let avc = Avc {
        permissions: permissions.split_whitespace().map(str::to_owned).collect(),
        class: value(rest, "tclass").unwrap_or_default(),
        source: value(rest, "scontext").unwrap_or_default(),
        target: value(rest, "tcontext").unwrap_or_default(),
        path,
        process: value(rest, "comm").unwrap_or_default(),
        permissive: value(rest, "permissive").as_deref() == Some("1"),
    };
    Some(Record { said: format!("avc:{}", text.trim_end()), kind: Kind::Selinux(avc) })
}

/// A denial of AppArmor, from its word on.
fn apparmor(text: &str) -> Option<Record> {
    let text = text["apparmor=\"".len()..].split("apparmor=\"").next()?;
    let (word, rest) = text.split_once('"')?;
    if !["DENIED", "ALLOWED", "AUDIT"].contains(&word) {
        return None;
    }
    let denied = Denied {
        operation: value(rest, "operation").unwrap_or_default(),
        profile: value(rest, "profile").unwrap_or_default(),
        path: value(rest, "name").filter(|name| name.starts_with('/')),
        process: value(rest, "comm").unwrap_or_default(),
        mask: value(rest, "denied_mask")
            .or_else(|| value(rest, "requested_mask"))
            .unwrap_or_default(),
        capability: value(rest, "capname"),
        info: value(rest, "info"),
        allowed: word != "DENIED",
    };
    Some(Record {
        said: format!("apparmor=\"{word}\"{}", rest.trim_end()),
        kind: Kind::AppArmor(denied),
    })
}

/// An end by the filter of system calls.
fn seccomp(line: &str) -> Option<Record> {
    // Numbers in records are decimal; `ausearch -i` writes the call's name.
    let call = value(line, "syscall")?;
    let number = call.parse().unwrap_or_default();
    let arch = value(line, "arch").unwrap_or_default();
    let call = match number {
        0 => known_call(|name, _, _| name == call),
        _ => {
            known_call(|_, x86, arm| if arch == "c00000b7" { arm == number } else { x86 == number })
        }
    };
    // A thread of QEMU's has a name of its own: `CPU 0/KVM`.
    let process = value(line, "exe").or_else(|| value(line, "comm")).unwrap_or_default();
    let from = line.find("audit").or_else(|| line.find("type=")).unwrap_or(0);
    Some(Record {
        said: line[from..].to_owned(),
        kind: Kind::Seccomp(Killed { number, call, process }),
    })
}

/// System calls that a flag of -sandbox forbids: the flag, the name, the number on x86-64 (0xc000003e) and on arm64.
const CALLS: &str = include_str!("../../assets/qemu/syscalls.tsv");

/// The name and the flag of a call.
fn known_call(is: impl Fn(&str, u32, u32) -> bool) -> Option<(&'static str, &'static str)> {
    let number = |text: &str| text.parse().unwrap_or(u32::MAX);
    CALLS.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = line.split('\t');
        let (flag, name) = (fields.next()?, fields.next()?);
        let (x86, arm) = (number(fields.next()?), number(fields.next()?));
        is(name, x86, arm).then_some((name, flag))
    })
}

/// What setroubleshoot makes of a denial: `SELinux is preventing PROGRAM from PERMISSION access on the CLASS NAME.`
fn troubleshot(line: &str) -> Option<Record> {
    let at = line.find("SELinux is preventing ")?;
    let said = &line[at..];
    let (_, rest) = said.split_once(" from ")?;
    let (permissions, rest) = rest.split_once(" access on the ")?;
    let rest = rest.trim_end().trim_end_matches('.');
    let (class, name) = rest.split_once(' ').unwrap_or((rest, ""));
    let name = name.split(". For complete").next().unwrap_or(name).trim_end_matches('.');
    let class = match class {
        "directory" => "dir",
        "Unknown" => "file",
        class => class,
    };
    let permissions = permissions.replace([',', '\''], " ").replace(" and ", " ");
    let avc = Avc {
        permissions: permissions.split_whitespace().map(str::to_owned).collect(),
        class: class.to_owned(),
        path: (!name.is_empty()).then(|| name.trim_matches('\'').to_owned()),
        ..Avc::default()
    };
    Some(Record { said: said.to_owned(), kind: Kind::Selinux(avc) })
}

/// The value of a key of a record: between quotes, or to the next blank; one in hexadecimal is read
/// (`audit_log_untrustedstring`).
fn value(text: &str, key: &str) -> Option<String> {
    let at = text.match_indices(key).find_map(|(at, _)| {
        let begins = at == 0 || text[..at].ends_with([' ', '(', '"']);
        let behind = at + key.len();
        (begins && text[behind..].starts_with('=')).then_some(behind + 1)
    })?;
    let rest = &text[at..];
    if let Some(inside) = rest.strip_prefix('"') {
        return Some(inside.split('"').next()?.to_owned());
    }
    let word = rest.split(' ').next()?.trim_end_matches('"');
    if word.is_empty() || word == "(null)" || word == "?" {
        return None;
    }
    let takes_hex = ["name", "path", "comm", "exe", "profile"].contains(&key);
    Some(unhex(word).filter(|_| takes_hex).unwrap_or_else(|| word.to_owned()))
}

/// A text that is written in hexadecimal, since it holds blanks or quotes.
fn unhex(word: &str) -> Option<String> {
    let is_hex = word.len() >= 4
        && word.len().is_multiple_of(2)
        && word.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b));
    if !is_hex {
        return None;
    }
    let bytes = (0..word.len()).step_by(2).map(|at| u8::from_str_radix(&word[at..at + 2], 16).ok());
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}
