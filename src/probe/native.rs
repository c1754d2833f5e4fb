//! The command line that libvirt itself builds of a document.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::daemon::{DAEMONS, daemon};
use crate::folder::Folder;
use crate::process::{nameless, path_of, run};
use crate::trial::of_outside;

/// Why there is no command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// libvirt refuses the domain; its sentence.
    Refused(String),
    /// libvirt could not be asked; why.
    NotAsked(String),
}

impl Failure {
    /// One sentence.
    pub fn sentence(self) -> String {
        match self {
            Failure::Refused(sentence) => format!("libvirt refuses the domain: {sentence}"),
            Failure::NotAsked(why) => why,
        }
    }
}

/// Where libvirt's own driver writes when our cache can't be used: root in a stranger's home, say. It is made when it is first
/// needed and goes with this.
#[derive(Debug, Default)]
pub struct Scratch(Mutex<Option<tempfile::TempDir>>);

impl Scratch {
    /// The folder; `why` is what is wrong with the cache.
    fn folder(&self, why: &str) -> Result<Folder, String> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = match made.take() {
            Some(directory) => directory,
            None => super::sandbox::directory()
                .map_err(|error| format!("{why}; nor can a directory be made for it: {error}"))?,
        };
        Folder::there(made.insert(directory).path())
    }
}

/// How long libvirt may take; the first time it asks QEMU about everything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `virsh domxml-to-native qemu-argv` says, as arguments; the environment before the program is left out.
///
/// The daemon of the system is asked where one runs; otherwise libvirt's own driver inside virsh, with a directory of its own
/// for all that it writes, in our cache, or else in `scratch`.
///
/// # Errors
/// libvirt's refusal, or why it was not asked.
pub fn command(source: &str, session: bool, scratch: &Scratch) -> Result<Vec<String>, Failure> {
    let (uri, _turn) = connection(session, scratch)?;
    let document = nameless(source).map_err(Failure::NotAsked)?;
    let mut virsh = Command::new("virsh");
    virsh.args(["-q", "-c", &uri, "domxml-to-native", "qemu-argv", "--xml", &path_of(&document)]);
    let said = run(virsh, None, PATIENCE).map_err(Failure::NotAsked)?;
    if said.status.success() {
        let failure =
            || Failure::NotAsked("virsh answered something else than a command line".to_owned());
        return arguments(&said.output).ok_or_else(failure);
    }
    let sentence = said.last_complaint().trim_start_matches("error: ").to_owned();
    // A virsh that was killed, or that says something else than virsh does, has asked nobody.
    let speaks = said.complaints.lines().any(|line| line.starts_with("error: "));
    let is_virshs = speaks && said.status.code().is_some();
    if !is_virshs || is_about_asking(&sentence) {
        return Err(Failure::NotAsked(format!("virsh -c {uri} says: {sentence}")));
    }
    Err(Failure::Refused(sentence))
}

/// Whom to ask, and the lock that keeps others from asking there meanwhile.
fn connection(session: bool, scratch: &Scratch) -> Result<(String, Option<File>), Failure> {
    if session {
        return Ok(("qemu:///session".to_owned(), None));
    }
    // One that runs in another container has its socket there.
    let is_reachable = DAEMONS.iter().any(|(_, socket)| Path::new(socket).exists());
    if daemon().is_some() && is_reachable {
        return Ok(("qemu:///system".to_owned(), None));
    }
    let root = Folder::cache().and_then(|cache| cache.inside("libvirt"));
    let root = root.or_else(|why| scratch.folder(&why));
    let root = root.map_err(|why| {
        Failure::NotAsked(format!("there is no place for what libvirt writes: {why}"))
    })?;
    let shown = root.path("");
    let shown = shown.display();
    let lock = lock(&root).map_err(|error| Failure::NotAsked(format!("{shown}asking: {error}")))?;
    Ok((format!("qemu:///embed?root={}", shown.to_string().trim_end_matches('/')), Some(lock)))
}

/// libvirt's embedded driver takes one caller at a time; the others wait for their turn.
fn lock(root: &Folder) -> std::io::Result<File> {
    let file = root.file("asking", OFlags::RDWR | OFlags::CREATE)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(3));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a sentence is about the way to libvirt, or about what only a start has to open.
fn is_about_asking(sentence: &str) -> bool {
    of_outside("libvirt").any(|words| sentence.contains(words))
}

/// The words of a command line, lines joined, from the program on.
fn arguments(text: &str) -> Option<Vec<String>> {
    let words = shlex::split(&text.replace("\\\n", " "))?;
    let program = words.iter().position(|word| word.starts_with('/') && !word.contains('='))?;
    Some(words[program..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn the_environment_is_left_out_and_lines_are_joined() {
        let text =
            "LC_ALL=C \\\nPATH=/bin \\\n/usr/bin/qemu-system-x86_64 \\\n-name 'a b' \\\n-S\n";
        assert_eq!(arguments(text).unwrap(), ["/usr/bin/qemu-system-x86_64", "-name", "a b", "-S"]);
        assert_eq!(arguments("error: no"), None);
    }
}
