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
/// How long it may take where somebody waits to choose.
const MOMENT: Duration = Duration::from_secs(4);

/// What a connection has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The connection, as libvirt calls it.
    pub uri: String,
    /// Its domains.
    pub domains: Vec<Listed>,
}

/// A domain of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// Whether it runs.
    pub runs: Runs,
    /// It is gone once it does not run: libvirt keeps no definition of it.
    pub transient: bool,
}

/// Whether a domain runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// It does.
    Yes,
    /// It is paused.
    Paused,
    /// It is defined only.
    No,
}

impl Listed {
    /// The word that leads virsh to this domain and to no other: it takes a number for an id, and 36 letters for a UUID, before
    /// it looks for a name (virshLookupDomainInternal).
    pub fn handle(&self) -> &str {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_+".contains(c);
        let is_number = self.name.chars().all(|c| c.is_ascii_digit());
        let is_sure = self.name.chars().all(is_plain) && !is_number && self.name.len() != 36;
        if is_sure { &self.name } else { &self.uuid }
    }
}

/// The domains of a connection, or of virsh's own default; it is asked to look only, so that nobody is asked for a password.
///
/// # Errors
/// What virsh said, in one sentence, and how to have it answer.
pub fn list(uri: Option<&str>) -> Result<Shelf, Error> {
    // One connection for all; `echo` ends no line.
    let wanted = "uri; echo =all=; list --all --uuid --name; echo =running=; list --uuid; echo =paused=; \
                  list --uuid --state-paused; echo =transient=; list --all --transient --uuid; echo =end=";
    let mut arguments = vec!["-q", "-r"];
    arguments.extend(uri.map(|uri| ["-c", uri]).into_iter().flatten());
    arguments.push(wanted);
    virsh_within(&arguments, MOMENT).map(|said| shelf(&said)).map_err(|said| {
        let who = uri.unwrap_or("libvirt");
        match how_to_reach(&said) {
            Some((why, hint)) => Error::user(format!("{who}: {}", why.unwrap_or(&said))).hint(hint),
            None => Error::user(format!("{who}: {said}")),
        }
    })
}

/// A domain's persistent definition without its secrets, for a look at it.
///
/// # Errors
/// What virsh said, in one sentence.
pub fn peek(uri: &str, domain: &str) -> Result<String, String> {
    virsh_within(&["-q", "-r", "-c", uri, "dumpxml", "--inactive", "--", domain], MOMENT)
}

/// Reads what [`list`] asks for.
fn shelf(said: &str) -> Shelf {
    let marks = ["=all=", "=running=", "=paused=", "=transient=", "=end="];
    let mut parts: [Vec<&str>; 6] = Default::default();
    let mut at = 0;
    for mut line in said.lines() {
        while let Some((index, mark)) =
            marks.iter().enumerate().find(|(_, mark)| line.starts_with(**mark))
        {
            at = index + 1;
            line = &line[mark.len()..];
        }
        if !line.trim().is_empty() {
            parts[at].push(line.trim());
        }
    }
    let [uri, all, running, paused, transient, _] = parts;
    let domain = |line: &&str| {
        let (uuid, name) = line.split_once(' ')?;
        let runs = match (running.contains(&uuid), paused.contains(&uuid)) {
            (_, true) => Runs::Paused,
            (true, false) => Runs::Yes,
            (false, false) => Runs::No,
        };
        let (name, transient) = (name.trim().to_owned(), transient.contains(&uuid));
        Some(Listed { name, uuid: uuid.to_owned(), runs, transient })
    };
    let uri = uri.first().copied().unwrap_or_default().to_owned();
    Shelf { uri, domains: all.iter().filter_map(domain).collect() }
}

/// What to do so that libvirt answers, by virsh's words; and shorter words for some of them.
fn how_to_reach(said: &str) -> Option<(Option<&'static str>, &'static str)> {
    let has = |words: &str| said.contains(words);
    if has("could not be run") {
        let hint = "it comes with libvirt-clients (Debian) or libvirt-client (Fedora)";
        return Some((Some("there is no virsh to ask it with"), hint));
    }
    if has("ermission denied") || has("authentication") {
        return Some((None, "as root, or as a member of the group libvirt"));
    }
    let is_shut = has("No such file or directory") || has("Connection refused");
    let start = match is_shut && has("Failed to connect socket") {
        true if has("/virtqemud-sock") => "start it: systemctl start virtqemud.socket",
        true if has("/run/libvirt/") => "start it: systemctl start libvirtd",
        _ => return None,
    };
    Some((Some("libvirt does not run"), start))
}

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
    virsh_within(arguments, PATIENCE)
}

fn virsh_within(arguments: &[&str], patience: Duration) -> Result<String, String> {
    let mut virsh = Command::new("virsh");
    virsh.args(arguments);
    let said = process::run(virsh, None, patience)?;
    if said.status.success() {
        return Ok(said.output);
    }
    Err(said.last_complaint().trim_start_matches("error: ").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_virsh_lists_is_read_with_its_states() {
        // As virsh 9.0 prints it: what is echoed has no line end.
        let said = "qemu:///system\n=all=aa win 11\nbb 7\ncc gone\n=running=aa\ncc\n=paused=cc\n=transient=cc\n=end=";
        let shelf = shelf(said);
        let brief =
            |one: &Listed| (one.name.clone(), one.runs, one.transient, one.handle().to_owned());
        assert_eq!(shelf.uri, "qemu:///system");
        assert_eq!(
            shelf.domains.iter().map(brief).collect::<Vec<_>>(),
            [
                ("win 11".to_owned(), Runs::Yes, false, "aa".to_owned()),
                ("7".to_owned(), Runs::No, false, "bb".to_owned()),
                ("gone".to_owned(), Runs::Paused, true, "gone".to_owned()),
            ]
        );
        let empty = super::shelf("test:///default\n=all==running==paused==transient==end=");
        assert_eq!((empty.uri.as_str(), empty.domains.len()), ("test:///default", 0));
        // Later ones may end the line.
        let lines = super::shelf("a:///b\n=all=\naa x\n=running=\n=paused=\n=transient=\n=end=\n");
        assert_eq!(lines.domains.len(), 1);
    }

    #[test]
    fn how_to_reach_libvirt_is_said_where_it_is_known() {
        let socket = "Failed to connect socket to '/var/run/libvirt/libvirt-sock-ro': No such file or directory";
        let hint = |said: &str| how_to_reach(said).map(|(_, hint)| hint);
        assert_eq!(hint(socket), Some("start it: systemctl start libvirtd"));
        let modular = socket.replace("libvirt-sock", "virtqemud-sock");
        assert_eq!(hint(&modular), Some("start it: systemctl start virtqemud.socket"));
        let none = hint("virsh could not be run: No such file or directory").unwrap();
        assert!(none.contains("libvirt-clients"));
        assert_eq!(hint("virsh did not answer within 4 s"), None);
        assert_eq!(hint("cannot open directory: No such file or directory"), None);
    }
}
