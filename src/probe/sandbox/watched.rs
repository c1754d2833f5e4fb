//! Watching a program in the sandbox: whether it answers, and whether it takes more than it may.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// How much memory it may take, in bytes.
const MOST_MEMORY: u64 = 1 << 30;
/// How much it may print, in bytes.
pub(super) const MOST_WORDS: u64 = 1 << 20;
/// Between two looks.
const MOMENT: Duration = Duration::from_millis(2);

/// How a QEMU that was asked ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::probe) enum Ended {
    /// It made everything, and waited for its guest to be started.
    Accepted,
    /// It ended by itself; what it printed on standard error.
    Refused(String),
    /// It was ended; why.
    Stopped(String),
}

/// A QEMU that is being asked.
pub(super) struct Watched<'a> {
    pub(super) child: Child,
    pub(super) words: &'a File,
    pub(super) stream: Option<UnixStream>,
    pub(super) heard: String,
}

impl Watched<'_> {
    /// Waits until it answers, ends, takes too much, or the patience ends.
    pub(super) fn until(&mut self, socket: &Path, patience: Duration) -> Ended {
        let deadline = Instant::now() + patience;
        let mut next_weighing = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(_)) => return Ended::Refused(String::new()),
                Ok(None) => {}
                Err(error) => return Ended::Stopped(error.to_string()),
            }
            if self.answered(socket) {
                return Ended::Accepted;
            }
            let now = Instant::now();
            if now > deadline {
                return Ended::Stopped(format!(
                    "QEMU did not answer within {} s",
                    patience.as_secs_f32()
                ));
            }
            if now >= next_weighing {
                next_weighing = now + Duration::from_millis(20);
                if let Some(why) = self.too_much() {
                    return Ended::Stopped(why);
                }
            }
            if self.stream.is_none() {
                std::thread::sleep(MOMENT);
            }
        }
    }

    /// Whether QEMU said how its guest is: it says so when all is made.
    fn answered(&mut self, socket: &Path) -> bool {
        if self.stream.is_none() {
            let Ok(mut stream) = UnixStream::connect(socket) else { return false };
            let script = "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"query-status\"}\n";
            let ready = stream
                .set_read_timeout(Some(MOMENT))
                .and_then(|()| stream.write_all(script.as_bytes()));
            if ready.is_err() {
                return false;
            }
            self.stream = Some(stream);
        }
        let Some(stream) = &mut self.stream else { return false };
        let mut bytes = [0_u8; 4096];
        match stream.read(&mut bytes) {
            Ok(0) => self.stream = None,
            Ok(length) => self.heard.push_str(&String::from_utf8_lossy(&bytes[..length])),
            // Nothing yet; or it is going away, which the process tells.
            Err(_) => {}
        }
        self.heard.contains("\"running\":")
    }

    /// Whether it takes more than it may; what.
    fn too_much(&self) -> Option<String> {
        if self.words.metadata().is_ok_and(|found| found.len() > MOST_WORDS) {
            return Some("QEMU prints without an end".to_owned());
        }
        let taken: u64 = descendants(self.child.id()).into_iter().map(memory).sum();
        (taken > MOST_MEMORY)
            .then(|| format!("QEMU takes more than {} MiB at once", MOST_MEMORY >> 20))
    }
}

/// A process and all that came of it.
fn descendants(process: u32) -> Vec<u32> {
    let mut found = vec![process];
    let mut at = 0;
    while let Some(process) = found.get(at).copied() {
        at += 1;
        let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
        found.extend(
            children
                .unwrap_or_default()
                .split_whitespace()
                .filter_map(|number| number.parse::<u32>().ok()),
        );
    }
    found
}

/// The memory that a process takes, in bytes (proc(5): statm, resident without what is shared with files).
fn memory(process: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let mut fields =
        statm.split_whitespace().skip(1).map(|field| field.parse::<u64>().unwrap_or_default());
    let pages = fields.next().unwrap_or_default();
    pages * u64::try_from(rustix::param::page_size()).unwrap_or(4096)
}
