//! Every system call of a save fails once, with every error that a disk has.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::pty::Terminal;
use crate::several;
use crate::work::{VM, Work};

const ERRORS: [&str; 5] = ["ENOSPC", "EIO", "EACCES", "EROFS", "EDQUOT"];

/// System calls of a save, and how many of each are made at least.
const CALLS: [(&str, usize); 13] = [
    ("openat", 9),
    ("write", 3),
    ("fsync", 5),
    ("newfstatat", 4),
    ("renameat", 3),
    ("fchown", 1),
    ("fchmod", 1),
    ("flistxattr", 1),
    ("fgetxattr", 4),
    ("fsetxattr", 2),
    ("fremovexattr", 1),
    ("statx", 3),
    ("faccessat", 1),
];

/// Every case for the long run, a few for the short one.
fn cases() -> Vec<(&'static str, usize, &'static str)> {
    let all = CALLS.iter().flat_map(|(call, count)| {
        (1..=*count).flat_map(move |number| ERRORS.iter().map(move |error| (*call, number, *error)))
    });
    let all: Vec<_> = all.collect();
    if std::env::var_os("QPT_LOST_RUNS").is_some() {
        all
    } else {
        all.into_iter().step_by(17).collect()
    }
}

/// Attaches strace to all threads of a process; it is ready when it says so.
fn inject(
    process: u32,
    (call, number, error): (&str, usize, &str),
    log: &std::path::Path,
) -> Child {
    let file = std::fs::File::create(log).unwrap();
    let fault = format!("inject={call}:error={error}:when={number}");
    let strace = Command::new("strace")
        .args(["-f", "-p", &process.to_string(), "-e", &format!("trace={call}"), "-e", &fault])
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !std::fs::read_to_string(log).unwrap().contains("attached") {
        assert!(Instant::now() < deadline, "strace does not attach");
        std::thread::sleep(Duration::from_millis(5));
    }
    strace
}

/// Ends strace, which lets its threads go; one that does not end by itself is killed, which lets them go as well.
fn detach(strace: &mut Child) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(strace.id()).unwrap()).unwrap();
    let asked = Instant::now();
    while strace.try_wait().unwrap().is_none() {
        if asked.elapsed() > Duration::from_secs(2) {
            strace.kill().unwrap();
            strace.wait().unwrap();
            return;
        }
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_for_end_of_save(terminal: &mut Terminal, strace: &mut Child) -> String {
    let ends =
        ["saved; for libvirt", "Not saved", "It can't be replaced", "Changed by somebody else"];
    let begun = Instant::now();
    let deadline = begun + crate::pty::PATIENCE;
    let mut woken = false;
    loop {
        terminal.settle();
        let text = terminal.text();
        // What fails may be a write to the terminal: that ends the session.
        let over = terminal.child.try_wait().unwrap().is_some();
        if over || ends.iter().any(|end| text.contains(end)) {
            return text;
        }
        // The fault may have hit the byte that wakes the main thread; the next key does that too. And strace may leave a thread
        // stopped that was made while it attached: without it the thread goes on.
        if !woken && begun.elapsed() > Duration::from_secs(4) {
            woken = true;
            strace.kill().unwrap();
            terminal.send("\u{c}");
        }
        assert!(Instant::now() < deadline, "waited for the end of the save; the screen is\n{text}");
    }
}

#[test]
fn a_system_call_of_a_save_fails() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no strace here");
        return;
    }
    let cases = cases();
    let (kept, saved) =
        (std::sync::atomic::AtomicUsize::new(0), std::sync::atomic::AtomicUsize::new(0));
    let right = several(cases.len(), |number| {
        let case = cases[number];
        let work = Work { typed: None, ..Work::new(number) };
        // Attributes of its own, so that every call has something to do.
        let name = std::ffi::CString::new(work.file().to_str().unwrap()).unwrap();
        let marked =
            rustix::fs::setxattr(&*name, "user.qpt", b"mine", rustix::fs::XattrFlags::empty());
        let mut terminal = work.open();
        work.make(&mut terminal);
        let mut strace = inject(terminal.child.id(), case, &work.dir.path().join("strace"));
        terminal.send("\u{13}");
        let screen = wait_for_end_of_save(&mut terminal, &mut strace);
        detach(&mut strace);
        // What is said is what is there.
        let text = work.text();
        if screen.contains("saved; for libvirt") {
            assert_eq!(text, work.wanted(), "{case:?}: it says saved\n{screen}");
            saved.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut value = [0_u8; 16];
            let mark = rustix::fs::getxattr(&*name, "user.qpt", &mut value[..]);
            assert!(
                marked.is_err() || mark.is_ok_and(|size| &value[..size] == b"mine"),
                "{case:?}: an attribute is lost"
            );
            terminal.send("q");
            assert!(terminal.end().success(), "{case:?}");
        } else {
            let over = terminal.child.try_wait().unwrap().is_some();
            if over && text == work.wanted() {
                // The terminal was gone before it could be said.
                saved.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                return;
            }
            assert_eq!(text, VM, "{case:?}: it says not saved\n{screen}");
            kept.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            if terminal.child.try_wait().unwrap().is_none() {
                terminal.signal("KILL");
            }
            terminal.child.wait().unwrap();
            drop(terminal);
            work.restore();
        }
    });
    eprintln!(
        "| a system call of a save fails ({} told as not saved, {} saved all the same) | {} | {} |",
        kept.into_inner(),
        saved.into_inner(),
        cases.len(),
        cases.len() - right
    );
    assert_eq!(right, cases.len());
}
