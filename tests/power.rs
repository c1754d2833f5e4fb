//! The commands and the editor's threads gave up what they do not need: seen from outside, at the real program.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pty;

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pty::{PATIENCE, Terminal, VM};

fn is_there() -> bool {
    let held = qpt_tui::power::held();
    let found = held.starts_with("least power: landlock ") && held.contains(" takes away: ");
    if !found {
        eprintln!("skipped: {held}");
    }
    found
}

/// The program, waiting for its standard input.
fn waiting(arguments: &[&str], home: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
        .args(arguments)
        .env("HOME", home)
        .env_remove("XDG_CACHE_HOME")
        .env_remove("XDG_STATE_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Of the threads of a process, the main one first, which gain no privileges any more: what comes with a restriction.
fn bound(process: u32) -> Vec<bool> {
    let mut threads: Vec<_> =
        std::fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten().collect();
    threads.sort_by_key(|thread| thread.file_name().to_str().unwrap().parse::<u32>().unwrap());
    let status = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    threads
        .iter()
        .map(|thread| status(thread.path().join("status")).contains("NoNewPrivs:\t1"))
        .collect()
}

fn until_bound(process: u32) {
    let deadline = Instant::now() + PATIENCE;
    while !bound(process)[0] {
        assert!(Instant::now() < deadline, "it gave nothing up");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn end(mut process: Child, input: &str) -> String {
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let said = process.wait_with_output().unwrap();
    assert!(said.status.code() != Some(2), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8_lossy(&said.stdout).into_owned()
}

#[test]
fn commands_are_bound_before_they_read() {
    if !is_there() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["canonical", "-"][..],
        &["check", "-"],
        &["check", "--static", "-"],
        &["facts", "--static", "-"],
        &["try", "--print", "-"],
        &["explain", "--error", "-"],
    ] {
        let mut process = waiting(arguments, home.path());
        until_bound(process.id());
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

/// A folder that takes the place of ours while the program runs is not written into: it is not the one that was allowed.
#[test]
fn a_bound_command_writes_into_the_folder_that_was_there() {
    if !is_there() {
        return;
    }
    for is_swapped in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let cache = home.path().join(".cache");
        let process = waiting(&["check", "--static", "-"], home.path());
        until_bound(process.id());
        if is_swapped {
            std::fs::rename(&cache, home.path().join("other")).unwrap();
            std::fs::create_dir(&cache).unwrap();
        }
        let said = end(process, VM);
        assert!(said.contains("/nonexistent/a.img"), "{said}");
        let written = std::fs::read_dir(cache.join("qpt-tui")).map_or(0, Iterator::count);
        if !is_swapped && written == 0 {
            eprintln!("skipped: there is no QEMU here whose answers would be kept");
            return;
        }
        assert_eq!(written > 0, !is_swapped);
    }
}

#[test]
fn what_is_bound_saves_gives_back_and_keeps_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.xml");
    // Passthrough without its namespace is lost, which is repaired.
    let text = include_str!("fixtures/domains/lost.xml");
    std::fs::write(&path, text).unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
            .args(arguments)
            .env("HOME", home.path())
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_STATE_HOME")
            .output()
            .unwrap()
    };
    let shown = path.to_str().unwrap();
    let said = run(&["check", "--static", "--fix", "--fail-on", "never", shown]);
    let complaints = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{complaints}");
    let fixed = std::fs::read_to_string(&path).unwrap();
    assert!(fixed != text, "{complaints}");
    let listed = String::from_utf8_lossy(&run(&["recover"]).stdout).into_owned();
    let name = listed.split_whitespace().next().unwrap_or_default().to_owned();
    let new = directory.path().join("new.xml");
    assert!(run(&["recover", &name, "--output", new.to_str().unwrap()]).status.success());
    assert_eq!(std::fs::read_to_string(&new).unwrap(), text);
    assert!(run(&["recover", &name, "--restore"]).status.success(), "{listed}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn the_editor_binds_what_looks_and_judges_and_not_what_saves() {
    if !is_there() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.xml");
    std::fs::write(&path, VM).unwrap();
    let mut terminal = Terminal::start(&[path.to_str().unwrap()], 80, 24);
    terminal.shows("will not start");
    let threads = bound(terminal.child.id());
    assert!(!threads[0] && threads.iter().any(|is_bound| *is_bound), "{threads:?}");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn the_version_says_what_holds() {
    let said = |arguments: &[&str]| {
        let said =
            Command::new(env!("CARGO_BIN_EXE_qpt-tui")).args(arguments).output().unwrap().stdout;
        String::from_utf8(said).unwrap()
    };
    let plain = said(&["--version"]);
    assert_eq!(plain, format!("qpt-tui {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(said(&["--version", "-v"]), format!("{plain}{}\n", qpt_tui::power::held()));
}
