//! Running other programs for their answer: with a deadline, without a terminal, and with no more output than is wanted.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::power;

/// More than any answer that we ask for.
const MAX_OUTPUT: u64 = 64 << 20;
/// Between two looks where the kernel can't tell of the end.
const MOMENT: Duration = Duration::from_millis(5);

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Its standard output.
    pub(crate) output: String,
    /// Its standard error.
    pub(crate) complaints: String,
}

impl Said {
    /// Both of its outputs, the errors last.
    pub(crate) fn all(self) -> String {
        self.output + &self.complaints
    }

    /// The last line of its complaints that says something.
    pub(crate) fn last_complaint(&self) -> &str {
        self.complaints
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing")
    }
}

/// Runs a program in a plain locale, with `input` as its standard input; it is killed when `patience` is over.
///
/// Its output goes to files in memory: nobody has to read along, and a child of it that stays holds nobody up. A thread that
/// gave up starting programs has it started for it.
///
/// # Errors
/// In one sentence: it could not be run, or did not answer in time.
pub(crate) fn run(
    command: Command,
    input: Option<Vec<u8>>,
    patience: Duration,
) -> Result<Said, String> {
    power::outside(move || run_here(command, input, patience))
}

fn run_here(
    mut command: Command,
    input: Option<Vec<u8>>,
    patience: Duration,
) -> Result<Said, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let (mut output, mut complaints) = (nameless("")?, nameless("")?);
    let copy = |file: &File| file.try_clone().map_err(|error| format!("{program}: {error}"));
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.env("LC_ALL", "C").stdin(stdin).stdout(copy(&output)?).stderr(copy(&complaints)?);
    let mut child =
        command.spawn().map_err(|error| format!("{program} could not be run: {error}"))?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // A program that reads slowly must not hold us up, one that stops reading is found by its answer.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let status = match wait(&mut child, Instant::now() + patience) {
        Ok(Some(status)) => status,
        Ok(None) => {
            // Errors mean that it ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{program} did not answer within {} s", patience.as_secs_f32()));
        }
        Err(error) => return Err(format!("{program} could not be waited for: {error}")),
    };
    let read = |file: &mut File| {
        let mut bytes = Vec::new();
        let read = file.rewind().and_then(|()| file.take(MAX_OUTPUT).read_to_end(&mut bytes));
        read.map_err(|error| format!("{program}: {error}"))?;
        Ok::<String, String>(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Said { status, output: read(&mut output)?, complaints: read(&mut complaints)? })
}

/// The standard output of a program that takes no input.
///
/// # Errors
/// As [`run`], or that it failed.
pub(crate) fn ask(program: &str, arguments: &[&str], patience: Duration) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments);
    answer(program, run(command, None, patience)?)
}

/// The standard output of a prepared command that needs to write nothing and to reach nobody, and can't ([`power::apart`]).
///
/// # Errors
/// As [`ask`].
pub(crate) fn ask_apart(
    command: Command,
    input: Option<Vec<u8>>,
    patience: Duration,
) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    answer(&program, power::apart(move || run_here(command, input, patience))?)
}

fn answer(program: &str, said: Said) -> Result<String, String> {
    if said.status.success() {
        return Ok(said.output);
    }
    Err(format!("{program} said no ({})", said.status))
}

/// Waits for the end of a process; nothing where the deadline comes first.
fn wait(child: &mut Child, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let end = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        match &end {
            Some(end) => {
                let timeout = Timespec::try_from(left).ok();
                // An interruption is no end; the loop looks again.
                let _ = poll(&mut [PollFd::new(end, PollFlags::IN)], timeout.as_ref());
            }
            None => std::thread::sleep(MOMENT.min(left)),
        }
    }
}

/// A file in memory, without a name, that holds a text.
///
/// # Errors
/// When there is no memory, in one sentence.
pub(crate) fn nameless(text: &str) -> Result<File, String> {
    let made = rustix::fs::memfd_create("qpt-tui", rustix::fs::MemfdFlags::CLOEXEC);
    let fail = |error: std::io::Error| format!("no file can be made in memory: {error}");
    let mut file = made.map(File::from).map_err(|error| fail(error.into()))?;
    file.write_all(text.as_bytes()).and_then(|()| file.rewind()).map_err(fail)?;
    Ok(file)
}

/// A path by which a program that we start can open such a file.
pub(crate) fn path_of(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, patience: u64) -> Result<Said, String> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        run(shell, Some(b"in".to_vec()), Duration::from_millis(patience))
    }

    #[test]
    fn what_a_program_says_comes_back_apart() {
        let said = shell("cat; echo no >&2; exit 3", 5_000).unwrap();
        assert_eq!(
            (said.output.as_str(), said.last_complaint(), said.status.code()),
            ("in", "no", Some(3))
        );
        assert_eq!(said.all(), "inno\n");
    }

    #[test]
    fn nobody_is_waited_for_longer_than_is_said() {
        let start = Instant::now();
        // A child that keeps the outputs open holds nobody up either.
        assert!(shell("sleep 20 & exit 0", 5_000).is_ok());
        assert!(shell("sleep 20", 100).unwrap_err().contains("did not answer within 0.1 s"));
        assert!(
            run(Command::new("/nonexistent"), None, MOMENT)
                .unwrap_err()
                .contains("could not be run")
        );
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}
