//! A domain in libvirt: read with `virsh dumpxml`, saved with `virsh define`, as `virsh edit` does.

use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{Keep, Saved, Theirs};
use crate::error::Error;

/// A domain as libvirt had it when it was read.
#[derive(Debug, Clone)]
pub struct LibvirtSource {
    /// The connection, such as `qemu:///system`.
    pub uri: String,
    /// The domain's name, id or UUID.
    pub domain: String,
    /// The text.
    pub text: String,
}

/// How long virsh may take for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads a domain's persistent definition, with its secrets: without them defining would drop the passwords.
///
/// # Errors
/// What virsh said, in one sentence.
pub fn open(uri: &str, domain: &str) -> Result<LibvirtSource, Error> {
    let text = dump(uri, domain)?;
    Ok(LibvirtSource { uri: uri.to_owned(), domain: domain.to_owned(), text })
}

fn dump(uri: &str, domain: &str) -> Result<String, Error> {
    let arguments = ["-q", "-c", uri, "dumpxml", "--inactive", "--security-info", "--", domain];
    virsh(&arguments).map_err(|said| {
        Error::user(format!("virsh -c {uri} dumpxml {domain}: {said}")).hint("list the domains: virsh list --all")
    })
}

impl LibvirtSource {
    /// What libvirt's definition became since it was read; `None` where it is as it was.
    ///
    /// # Errors
    /// What virsh said, in one sentence.
    pub fn theirs(&self) -> Result<Option<Theirs>, Error> {
        let now = dump(&self.uri, &self.domain)?;
        Ok((now != self.text).then_some(Theirs::Text(now)))
    }
}

/// Defines the text; nothing is done when it is the same, or when libvirt's own changed meanwhile.
///
/// # Errors
/// What virsh said, in one sentence; the domain is as it was.
pub(super) fn save(source: &LibvirtSource, text: &str, keep: Keep<'_>) -> Result<Saved<LibvirtSource>, Error> {
    if text == source.text {
        return Ok(Saved::Unchanged);
    }
    let failed = |said: String| {
        let hint = "save it as a file meanwhile: S in the editor";
        Error::user(format!("not defined, the domain is as it was; virsh define: {said}")).hint(hint)
    };
    match source.theirs() {
        Ok(Some(theirs)) => return Ok(Saved::ChangedByOthers(theirs)),
        Ok(None) => {}
        Err(error) => return Err(failed(error.to_string())),
    }
    // A backup that can't be kept does not stand in the way: libvirt replaces its file whole.
    let _ = keep(&source.text);
    let file = rustix::fs::memfd_create("qpt-tui", rustix::fs::MemfdFlags::CLOEXEC);
    let mut file = std::fs::File::from(file.map_err(|error| failed(error.to_string()))?);
    file.write_all(text.as_bytes()).map_err(|error| failed(error.to_string()))?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    if let Err(said) = virsh(&["-q", "-c", &source.uri, "define", "--validate", "--file", &path]) {
        // A virsh that was killed may have defined it before.
        if matches!(source.theirs(), Ok(None)) {
            return Err(failed(said));
        }
        let look = format!("look with: virsh -c {} dumpxml --inactive {}", source.uri, source.domain);
        return Err(Error::user(format!("virsh define: {said}; whether it is defined is not sure")).hint(look));
    }
    // What libvirt made of it is what the next change starts from.
    match dump(&source.uri, &source.domain) {
        Ok(text) => Ok(Saved::Written(LibvirtSource { text, ..source.clone() }, None)),
        Err(error) => {
            let remark = format!("what libvirt made of it could not be read: {error}");
            Ok(Saved::Written(LibvirtSource { text: text.to_owned(), ..source.clone() }, Some(remark)))
        }
    }
}

/// Runs virsh: its output, or the sentence that it ended with.
fn virsh(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("virsh");
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("virsh could not be run: {error}"))?;
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    // The receiver may have given up; nobody wants the answer then.
    std::thread::spawn(move || drop(sender.send(child.wait_with_output())));
    match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(output)) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            Err(last.trim_start_matches("error: ").to_owned())
        }
        Ok(Err(error)) => Err(format!("virsh could not be waited for: {error}")),
        Err(_) => {
            let process = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw);
            if let Some(process) = process {
                // An error means that it ended by itself meanwhile.
                let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            }
            Err(format!("virsh did not answer within {} s", PATIENCE.as_secs()))
        }
    }
}
