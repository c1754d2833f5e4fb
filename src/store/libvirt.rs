//! A domain in libvirt: read with `virsh dumpxml`, saved with `virsh define`, as `virsh edit` does.

use std::process::Command;
use std::time::Duration;

use super::{Keep, Saved, Theirs};
use crate::error::Error;
use crate::process;

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
        Error::user(format!("virsh -c {uri} dumpxml {domain}: {said}"))
            .hint("list the domains: virsh list --all")
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
pub(super) fn save(
    source: &LibvirtSource,
    text: &str,
    keep: Keep<'_>,
) -> Result<Saved<LibvirtSource>, Error> {
    if text == source.text {
        return Ok(Saved::Unchanged);
    }
    let failed = |said: String| {
        let hint = "save it as a file meanwhile: S in the editor";
        Error::user(format!("not defined, the domain is as it was; virsh define: {said}"))
            .hint(hint)
    };
    match source.theirs() {
        Ok(Some(theirs)) => return Ok(Saved::ChangedByOthers(theirs)),
        Ok(None) => {}
        Err(error) => return Err(failed(error.to_string())),
    }
    // A backup that can't be kept does not stand in the way: libvirt replaces its file whole.
    let _ = keep(&source.text);
    let file = process::nameless(text).map_err(failed)?;
    let path = process::path_of(&file);
    if let Err(said) = virsh(&["-q", "-c", &source.uri, "define", "--validate", "--file", &path]) {
        // A virsh that was killed may have defined it before.
        if matches!(source.theirs(), Ok(None)) {
            return Err(failed(said));
        }
        let look =
            format!("look with: virsh -c {} dumpxml --inactive {}", source.uri, source.domain);
        return Err(Error::user(format!(
            "virsh define: {said}; whether it is defined is not sure"
        ))
        .hint(look));
    }
    // What libvirt made of it is what the next change starts from.
    match dump(&source.uri, &source.domain) {
        Ok(text) => Ok(Saved::Written(LibvirtSource { text, ..source.clone() }, None)),
        Err(error) => {
            let remark = format!("what libvirt made of it could not be read: {error}");
            Ok(Saved::Written(
                LibvirtSource { text: text.to_owned(), ..source.clone() },
                Some(remark),
            ))
        }
    }
}

/// Runs virsh: its output, or the sentence that it ended with.
fn virsh(arguments: &[&str]) -> Result<String, String> {
    let mut virsh = Command::new("virsh");
    virsh.args(arguments);
    let said = process::run(virsh, None, PATIENCE)?;
    if said.status.success() {
        return Ok(said.output);
    }
    Err(said.last_complaint().trim_start_matches("error: ").to_owned())
}
