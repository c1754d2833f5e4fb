//! What this machine wrote down about the last start of a VM: libvirt's log of it, the kernel's messages, the audit log.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};

use super::start::Libvirt;
use crate::message::OfVm;
use crate::process::ask;

/// As much of the end of a log is read: more than one start writes.
const MAX: u64 = 1 << 20;
/// How long the journal may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many of its newest lines are asked for.
const LINES: &str = "4000";
/// Where the audit daemon writes.
const AUDIT: &str = "/var/log/audit/audit.log";

/// What was found, and what could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logs {
    /// What is about the VM, libvirt's log first.
    pub text: String,
    /// What was read.
    pub read: Vec<String>,
    /// What could not be read, each with why.
    pub unread: Vec<String>,
}

impl Logs {
    fn take(&mut self, what: &str, found: Result<String, String>) -> String {
        match found {
            Ok(text) => {
                self.read.push(what.to_owned());
                text
            }
            Err(why) => {
                self.unread.push(format!("{what}: {why}"));
                String::new()
            }
        }
    }
}

/// The logs about the last start of a VM.
pub fn of_vm(name: &str, uuid: Option<&str>, session: bool) -> Logs {
    let mut logs = Logs::default();
    let path = Libvirt::of(session).log(name);
    let log = match &path {
        Some(path) => logs.take(&path.display().to_string(), newest(path)),
        None => logs.take("libvirt's log", Err(format!("no file can be called {name}.log"))),
    };
    let vm = OfVm::of(uuid, &log);
    let kernel = logs.take("the kernel's messages", kernel());
    let audit = logs.take("the audit log", audit());
    logs.text = format!("{log}\n{}{}", vm.lines(&kernel), vm.lines(&audit));
    logs
}

/// The end of a file, whole lines of it.
fn newest(path: &Path) -> Result<String, String> {
    let opened = open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    let mut file = File::from(opened.map_err(|error| std::io::Error::from(error).to_string())?);
    let mut bytes = Vec::new();
    let read = file.metadata().and_then(|metadata| {
        if !metadata.is_file() {
            return Err(std::io::Error::other("it is no file"));
        }
        let from = metadata.len().saturating_sub(MAX);
        file.seek(SeekFrom::Start(from))?;
        file.take(MAX).read_to_end(&mut bytes)?;
        Ok(from)
    });
    let from = read.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if from == 0 { 0 } else { text.find('\n').map_or(0, |end| end + 1) };
    Ok(text[whole..].to_owned())
}

/// The kernel's messages since it came up, from the journal or from its own buffer.
fn kernel() -> Result<String, String> {
    let journal = ask("journalctl", &["-k", "-b", "-q", "--no-pager", "-n", LINES], PATIENCE);
    match journal {
        Ok(text) if !text.trim().is_empty() => Ok(text),
        journal => {
            let why = journal.err().unwrap_or_else(|| "the journal shows none".to_owned());
            ask("dmesg", &[], PATIENCE).map_err(|buffer| format!("{why}; {buffer}"))
        }
    }
}

/// The audit log, from its daemon's file or from the journal.
fn audit() -> Result<String, String> {
    let why = match newest(Path::new(AUDIT)) {
        Ok(text) => return Ok(text),
        Err(why) => format!("{AUDIT}: {why}"),
    };
    let arguments = ["-b", "-q", "--no-pager", "-n", LINES, "_TRANSPORT=audit"];
    match ask("journalctl", &arguments, PATIENCE) {
        Ok(text) if !text.trim().is_empty() => Ok(text),
        Ok(_) => Err(format!("{why}; the journal has none")),
        Err(journal) => Err(format!("{why}; {journal}")),
    }
}
