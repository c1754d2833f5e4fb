//! Other processes: asking a program, with a deadline; finding libvirt's daemon.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// More than any answer we ask for.
const MAX_OUTPUT: u64 = 64 << 20;

/// The standard output of a program, or one sentence about why there is none.
///
/// The program gets no input and a plain locale; it is killed when `patience` is over.
pub(super) fn ask(program: &str, arguments: &[&str], patience: Duration) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::null());
    talk(&mut command, Vec::new(), patience)
}

/// The same for a prepared command; `input` goes to its standard input where that is piped.
pub(super) fn talk(command: &mut Command, input: Vec<u8>, patience: Duration) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let deadline = Instant::now() + patience;
    let spawned = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = spawned.map_err(|error| format!("{program} could not be run: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that reads slowly must not hold us up, one that stops reading is found by its answer.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let stdout = child.stdout.take().expect("the output is piped");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.take(MAX_OUTPUT).read_to_string(&mut text);
        // The receiver is gone when the deadline passed; nobody wants the answer then.
        let _ = sender.send(read.map(|_| text));
    });
    let answer = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    let Ok(Ok(text)) = answer else {
        // Errors mean that the program ended by itself meanwhile.
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("{program} did not answer within {} s", patience.as_secs_f32()));
    };
    match child.wait() {
        Ok(status) if status.success() => Ok(text),
        Ok(status) => Err(format!("{program} said no ({status})")),
        Err(error) => Err(format!("{program} could not be waited for: {error}")),
    }
}

/// What a checker says on both of its outputs, whatever its exit status.
pub(super) fn complaints(command: &mut Command, patience: Duration) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut output = nameless("")?;
    let copy = || output.try_clone().map_err(|error| format!("{program}: {error}"));
    let spawned = command.stdout(copy()?).stderr(copy()?).spawn();
    let mut child = spawned.map_err(|error| format!("{program} could not be run: {error}"))?;
    let deadline = Instant::now() + patience;
    while child.try_wait().map_err(|error| format!("{program}: {error}"))?.is_none() {
        if Instant::now() > deadline {
            // Errors mean that the program ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("{program} did not answer within {} s", patience.as_secs_f32()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut text = Vec::new();
    let read = output.rewind().and_then(|()| output.take(MAX_OUTPUT).read_to_end(&mut text));
    read.map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// A file in memory, without a name, that holds a text.
pub(super) fn nameless(text: &str) -> Result<std::fs::File, String> {
    let made = rustix::fs::memfd_create("qpt-tui", rustix::fs::MemfdFlags::CLOEXEC);
    let fail = |error: std::io::Error| format!("no file can be made in memory: {error}");
    let mut file = made.map(std::fs::File::from).map_err(|error| fail(error.into()))?;
    file.write_all(text.as_bytes()).and_then(|()| file.rewind()).map_err(fail)?;
    Ok(file)
}

/// The `/proc` directory of libvirt's daemon, when it runs.
pub(super) fn daemon() -> Option<PathBuf> {
    let named = |path: &PathBuf| {
        let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        ["libvirtd", "virtqemud"].contains(&name.trim())
    };
    std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path()).find(named)
}

/// When a process started, in seconds since the epoch (proc(5): `starttime` in ticks since `btime`).
pub(super) fn started(process: &std::path::Path) -> Option<u64> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name in brackets may hold blanks; the fields are counted behind it.
    let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let system = std::fs::read_to_string("/proc/stat").ok()?;
    let boot: u64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + ticks / rustix::param::clock_ticks_per_second())
}
