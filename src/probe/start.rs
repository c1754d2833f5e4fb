//! A real start: libvirt has QEMU come up paused, and ends it at once.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::domain::Document;
use crate::process::{self, nameless, path_of};
use crate::trial::Happened;

/// How long a start may take. libvirt itself gives QEMU half a minute to open its monitor.
const PATIENCE: Duration = Duration::from_secs(90);
/// What is said of a program that took longer ([`process::run`]).
const UNANSWERED: &str = "did not answer within";
/// How long virsh may take for any other answer.
const MOMENT: Duration = Duration::from_secs(20);
/// More of a log than one start writes.
const MAX_LOG: u64 = 256 << 10;
/// libvirt runs these at each start of a domain (libvirt.org/hooks.html).
const HOOKS: [&str; 2] = ["/etc/libvirt/hooks/qemu", "/etc/libvirt/hooks/qemu.d"];

/// A connection to libvirt's daemon.
#[derive(Debug, Clone)]
pub struct Libvirt {
    uri: &'static str,
}

impl Libvirt {
    /// The system's, or the user's own.
    pub fn of(session: bool) -> Libvirt {
        Libvirt { uri: if session { "qemu:///session" } else { "qemu:///system" } }
    }

    /// The connection's name.
    pub fn uri(&self) -> &'static str {
        self.uri
    }

    /// The domains that run.
    ///
    /// # Errors
    /// What virsh said, in one sentence.
    pub fn running(&self) -> Result<Vec<Document>, String> {
        let names = self.virsh(&["list", "--name"], MOMENT)?;
        let mut found = Vec::new();
        for name in names.lines().map(str::trim).filter(|name| !name.is_empty()) {
            // One that has ended meanwhile has nothing any more.
            let Ok(text) = self.virsh(&["dumpxml", "--", name], MOMENT) else { continue };
            let document = Document::parse(text)
                .map_err(|error| format!("libvirt's own text of {name}: {}", error.message))?;
            found.push(document);
        }
        Ok(found)
    }

    /// Starts a domain paused and ends it: what happened, and what QEMU wrote into its log.
    ///
    /// The domain is bound to virsh's connection, which ends with virsh, whatever ends that.
    ///
    /// # Errors
    /// When libvirt could not be asked to, in one sentence.
    pub fn start(&self, document: &Document) -> Result<(Happened, Vec<String>), String> {
        let name = &document.facts().name;
        let file = nameless(document.source())?;
        let log = self.log(name);
        let before = log.as_deref().and_then(|log| log.metadata().ok()).map_or(0, |log| log.len());
        let started = self
            .virsh(&["create", "--paused", "--autodestroy", "--file", &path_of(&file)], PATIENCE);
        let happened = match started {
            Ok(_) => Happened::Starts,
            Err(said) if is_about_the_way(&said) => return Err(said),
            Err(said) if said.contains(UNANSWERED) => Happened::Fails(format!(
                "it had not come up after {} s, and was ended",
                PATIENCE.as_secs()
            )),
            Err(said) => Happened::Fails(said),
        };
        self.end(name)?;
        let written = log.map(|log| remarks(&log, before)).unwrap_or_default();
        Ok((happened, written))
    }

    /// Makes sure that a domain does not run any more.
    fn end(&self, name: &str) -> Result<(), String> {
        let deadline = Instant::now() + MOMENT;
        let runs = || {
            let names = self.virsh(&["list", "--name"], MOMENT)?;
            Ok::<bool, String>(names.lines().any(|line| line.trim() == name))
        };
        while runs()? {
            if Instant::now() > deadline {
                return Err(format!(
                    "{name} still runs, paused; end it: virsh -c {} destroy {name}",
                    self.uri
                ));
            }
            // Where it was ended by itself just now, virsh complains; the loop looks again.
            let _ = self.virsh(&["destroy", "--", name], MOMENT);
        }
        Ok(())
    }

    /// Where QEMU's own words go; a name with a slash is none that libvirt takes.
    pub(super) fn log(&self, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return None;
        }
        let directory = match self.uri {
            "qemu:///system" => PathBuf::from("/var/log/libvirt/qemu"),
            _ => directories::BaseDirs::new()?.cache_dir().join("libvirt/qemu/log"),
        };
        Some(directory.join(format!("{name}.log")))
    }

    fn virsh(&self, arguments: &[&str], patience: Duration) -> Result<String, String> {
        let mut virsh = Command::new("virsh");
        virsh.args(["-q", "-c", self.uri]).args(arguments);
        let said = process::run(virsh, None, patience)?;
        if said.status.success() {
            return Ok(said.output);
        }
        // Of several lines the last are QEMU's.
        let errors = said.complaints.lines().map(|line| line.trim_start_matches("error: ").trim());
        let errors: Vec<&str> = errors.filter(|line| !line.is_empty()).collect();
        let told = errors.iter().position(|line| !line.starts_with("Failed to create domain"));
        Err(errors[told.unwrap_or(0).min(errors.len())..].join("; "))
    }
}

/// The scripts that libvirt would run at a start; each may do anything to the host.
pub fn hooks() -> Option<&'static str> {
    HOOKS.into_iter().find(|hook| {
        let hook = Path::new(hook);
        hook.is_file() || hook.read_dir().is_ok_and(|mut inside| inside.next().is_some())
    })
}

/// Whether a file holds something that writing it anew would lose.
pub fn is_full(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0)
}

/// The memory that can be had at once, in bytes (`MemAvailable` of /proc/meminfo).
pub fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}

/// Whether virsh speaks of the way to libvirt, or of another domain with this name or UUID, and not of the start.
fn is_about_the_way(said: &str) -> bool {
    // QEMU may fail to connect to something as well.
    const WORDS: [&str; 6] = [
        "failed to connect to the hypervisor",
        "Failed to connect socket to '/var/run/libvirt/",
        "virsh could not be run",
        "authentication unavailable",
        "is already defined with uuid",
        "already exists with uuid",
    ];
    WORDS.iter().any(|words| said.contains(words))
}

/// What QEMU wrote into a log behind a place, without what libvirt writes there and without QEMU's word about its end.
fn remarks(log: &Path, from: u64) -> Vec<String> {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        // A log that was turned over meanwhile is new.
        let from = if file.metadata()?.len() < from { 0 } else { from };
        file.seek(SeekFrom::Start(from))?;
        file.take(MAX_LOG).read_to_end(&mut text)
    });
    if read.is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&text);
    let of_qemu = |line: &&str| {
        line.contains("qemu-") && line.contains(": ") && !line.contains("terminating on signal")
    };
    let is_command = |line: &&str| line.ends_with('\\') || line.starts_with("LC_ALL=");
    text.lines().filter(of_qemu).filter(|line| !is_command(line)).map(str::to_owned).collect()
}
