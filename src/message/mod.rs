//! What libvirt, QEMU and the kernel said: a sentence, some lines or a whole log, read as records.
//!
//! Reading always succeeds: a line that nobody knows is a record of words. What a record *means* is the business of `rules`.

mod clean;
mod kernel;
mod log;
mod qemu;

pub use kernel::{Avc, Denied, Killed};
pub use log::OfVm;
pub use qemu::Refusal;

use std::collections::HashSet;

/// More records than this are not read, of one text: the newest are.
const MOST: usize = 400;

/// What a log of libvirt's has at the head of each start (`qemuProcessLogSetup`, qemu_process.c).
const START: &str = "starting up libvirt version";

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// As it is shown: one line, without dates and names of programs before it.
    pub said: String,
    /// Who said it, and what it says.
    pub kind: Kind,
}

/// Who says a record, with what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A sentence of libvirt's, or of nobody who is named.
    Words,
    /// libvirt's sentence about any QEMU that ended; QEMU's own words are records behind it.
    Ended,
    /// A sentence of QEMU's.
    Qemu(Refusal),
    /// SELinux denied something.
    Selinux(Avc),
    /// AppArmor denied something.
    AppArmor(Denied),
    /// The filter of system calls ended a process.
    Seccomp(Killed),
}

impl Record {
    /// Its words as the table of words is written for: of a kernel's record what it says, in few words.
    pub fn words(&self) -> String {
        match &self.kind {
            Kind::Words | Kind::Ended => self.said.clone(),
            Kind::Qemu(refusal) => refusal.words(),
            Kind::Selinux(avc) => avc.words(),
            Kind::AppArmor(denied) => denied.words(),
            Kind::Seccomp(killed) => killed.words(),
        }
    }

    /// Who says it, as the table of words calls them; nothing for one who is not named.
    pub fn speaker(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Words => None,
            Kind::Ended => Some("ended"),
            Kind::Qemu(_) => Some("qemu"),
            Kind::Selinux(_) => Some("selinux"),
            Kind::AppArmor(_) => Some("apparmor"),
            Kind::Seccomp(_) => Some("seccomp"),
        }
    }

    /// The paths that it names; an audit record may name the last part only.
    pub fn paths(&self) -> Vec<String> {
        match &self.kind {
            Kind::Words => paths_in(&self.said),
            Kind::Ended => Vec::new(),
            Kind::Qemu(refusal) => paths_in(&refusal.sentence),
            Kind::Selinux(avc) => avc.path.iter().cloned().collect(),
            Kind::AppArmor(denied) => denied.path.iter().cloned().collect(),
            Kind::Seccomp(_) => Vec::new(),
        }
    }

    /// The words between quotes: ids, names of devices, values.
    pub fn names(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Words => quoted(&self.said),
            Kind::Qemu(refusal) => quoted(&refusal.sentence),
            Kind::Ended | Kind::Selinux(_) | Kind::AppArmor(_) | Kind::Seccomp(_) => Vec::new(),
        }
    }

    /// It fails nothing: a warning, or a denial that was only written down.
    pub fn is_remark(&self) -> bool {
        match &self.kind {
            Kind::Words => self.said.contains("warning: ") || self.said.contains("warning :"),
            Kind::Ended => false,
            Kind::Qemu(refusal) => refusal.is_remark(),
            Kind::Selinux(avc) => avc.permissive,
            Kind::AppArmor(denied) => denied.allowed,
            Kind::Seccomp(killed) => !killed.is_of_qemu(),
        }
    }

    /// The kernel speaks of a process that has nothing to do with VMs.
    pub fn is_of_a_stranger(&self) -> bool {
        match &self.kind {
            Kind::Words | Kind::Ended | Kind::Qemu(_) => false,
            Kind::Selinux(avc) => avc.is_of_a_stranger(),
            Kind::AppArmor(denied) => denied.is_of_a_stranger(),
            Kind::Seccomp(killed) => !killed.is_of_qemu(),
        }
    }

    /// The kernel says it.
    pub fn is_of_kernel(&self) -> bool {
        matches!(self.kind, Kind::Selinux(_) | Kind::AppArmor(_) | Kind::Seccomp(_))
    }
}

/// The records of a text in their order; of a log of libvirt's those of its last start.
pub fn read(text: &str) -> Vec<Record> {
    let last = text.rfind(START).map_or(0, |at| text[..at].rfind('\n').map_or(0, |end| end + 1));
    let lines = clean::lines(&text[last..]);
    let named = kernel::named(&lines);
    let mut seen = HashSet::new();
    let mut records: Vec<Record> = Vec::new();
    let behind = behind_the_end(&lines);
    for (line, is_behind) in lines.iter().zip(behind).rev() {
        let mut of_line = of_line(line, &named, is_behind);
        // Newest first, so that the bound keeps those.
        while let Some(record) = of_line.pop() {
            if seen.insert((record.speaker(), record.words())) {
                records.push(record);
            }
        }
        if records.len() >= MOST {
            break;
        }
    }
    records.reverse();
    in_the_log(&mut records, text[last..].contains(START));
    records
}

/// libvirt's words about a QEMU that ended.
const ENDED: [&str; 6] = [
    "unexpectedly closed the monitor",
    "rocess exited while connecting to monitor",
    "rocess exited prior to exec",
    "rocess exited while reading console log output",
    "early end of file from monitor, possible problem",
    "Unable to read from monitor: Connection reset by peer",
];

/// Of each line, whether it stands right behind libvirt's words about a QEMU that ended: it is QEMU's.
fn behind_the_end(lines: &[String]) -> Vec<bool> {
    let mut is_behind = false;
    let one = |line: &String| {
        let was_behind = is_behind;
        is_behind =
            !line.is_empty() && (is_behind || ENDED.iter().any(|words| line.contains(words)));
        was_behind && is_behind
    };
    lines.iter().map(one).collect()
}

/// The records of one line.
fn of_line(line: &str, named: &kernel::Named, is_behind: bool) -> Vec<Record> {
    let of_kernel = kernel::records(line, named);
    if !of_kernel.is_empty() {
        return of_kernel;
    }
    if kernel::belongs_to_a_record(line) || line.contains(START) {
        return Vec::new();
    }
    let (before, said) = qemu::split(line);
    let before = clean::sentence(before);
    let mut records: Vec<Record> = match before {
        Some(said) if is_behind && !ENDED.iter().any(|words| said.contains(words)) => {
            vec![qemu::unnamed(said)]
        }
        Some(said) => of_libvirt(&clean::in_english(said)),
        None => Vec::new(),
    };
    records.extend(said.into_iter().filter_map(qemu::record));
    records
}

/// libvirt's words about a QEMU that ended, and what follows them; or the sentence as it is.
fn of_libvirt(sentence: &str) -> Vec<Record> {
    let words = |text: &str| Record { said: text.to_owned(), kind: Kind::Words };
    let Some(end) = ENDED.iter().find_map(|words| Some(sentence.find(words)? + words.len())) else {
        return vec![words(sentence)];
    };
    // `… (vm='win10'): …` since libvirt 9.2.
    let behind = sentence[end..].split_once(": ").map_or("", |(_, behind)| behind.trim());
    let ended = Record { said: sentence[..end].to_owned(), kind: Kind::Ended };
    let behind = clean::sentence(behind).map(qemu::unnamed);
    std::iter::once(ended).chain(behind).collect()
}

/// In libvirt's log of a VM each sentence is QEMU's, or of the program that libvirt starts it with.
fn in_the_log(records: &mut [Record], is_log: bool) {
    for record in records.iter_mut().filter(|_| is_log) {
        if record.kind == Kind::Words && !record.said.starts_with("libvirt: ") {
            *record = qemu::unnamed(&record.said);
        }
    }
}

/// What stands between quotes of one kind; the words of `can't` and the like open none.
fn quoted(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let quote = if rest[at..].starts_with('"') { '"' } else { '\'' };
        let opens = !rest[..at].ends_with(char::is_alphanumeric);
        let inside = &rest[at + 1..];
        let close = inside.find(quote).filter(|_| opens);
        let Some(close) = close else {
            rest = inside;
            continue;
        };
        if close > 0 {
            found.push(&inside[..close]);
        }
        rest = &inside[close + 1..];
    }
    found
}

/// The absolute paths in a sentence: between quotes whole, otherwise as far as a blank or the colon of what is said of it.
fn paths_in(sentence: &str) -> Vec<String> {
    let mut paths: Vec<String> = quoted(sentence)
        .into_iter()
        .filter(|name| name.starts_with('/'))
        .map(str::to_owned)
        .collect();
    for word in sentence.split_whitespace() {
        let word = word.trim_start_matches(['\'', '"', '[', '(', '<']);
        let word = word.strip_prefix("path:").unwrap_or(word);
        let word = word.trim_end_matches(['\'', '"', ']', ')', '>', ':', ',', '.', ';', '?', '!']);
        let is_path = word.starts_with('/') && word.len() > 1 && !word.contains(['\'', '"']);
        if is_path && !paths.iter().any(|path| path.starts_with(word)) {
            paths.push(word.to_owned());
        }
    }
    paths
}

#[cfg(test)]
mod tests;
