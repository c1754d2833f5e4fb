//! Every way in which a session ends.

use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::pty::{PATIENCE, Terminal};
use crate::work::Work;
use crate::{runs, several};

/// From the signal to the end of the process.
const AT_MOST: Duration = Duration::from_secs(2);

fn ended_in_time(terminal: &mut Terminal, code: i32) {
    let start = Instant::now();
    let status = loop {
        if let Some(status) = terminal.child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < AT_MOST, "it did not end in time");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(status.code(), Some(code));
}

/// Does one thing to a session with edits, and then opens the file again.
fn tried(name: &str, few: usize, end: impl Fn(&Work, Terminal) + Sync) {
    let count = runs(few);
    let right = several(count, |number| {
        let work = Work::new(number);
        let mut terminal = work.open();
        work.make(&mut terminal);
        end(&work, terminal);
        work.restore();
    });
    told(name, count, right);
}

fn told(name: &str, count: usize, right: usize) {
    eprintln!("| {name} | {count} | {} |", count - right);
    assert_eq!(right, count, "{name}");
}

/// Waits for a process that is not our child.
fn gone(process: &str) {
    let deadline = Instant::now() + PATIENCE;
    while std::path::Path::new(&format!("/proc/{process}/exe")).exists() {
        assert!(Instant::now() < deadline, "process {process} lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The process that edits a file.
fn editor_of(work: &Work) -> String {
    let file = work.file().to_str().unwrap().to_owned();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<_> = words.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        if words[0].ends_with("qpt-tui") && words.iter().any(|word| *word == file) {
            return entry.file_name().to_string_lossy().into_owned();
        }
    }
    panic!("nobody edits {file}");
}

#[test]
fn the_terminal_is_closed() {
    tried("terminal closed", 4, |_, terminal| {
        let Terminal { pty, mut child, output, .. } = terminal;
        drop(output);
        // The reading thread holds the terminal until something arrives that nobody wants.
        let deadline = Instant::now() + PATIENCE;
        while std::sync::Arc::strong_count(&pty) > 1 {
            use std::io::Write as _;
            (&*pty).write_all(b"\x0c").unwrap();
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(pty);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(129));
    });
}

#[test]
fn sighup() {
    tried("SIGHUP", 2, |_, mut terminal| {
        terminal.signal("HUP");
        ended_in_time(&mut terminal, 129);
    });
}

#[test]
fn sigterm() {
    tried("SIGTERM", 2, |_, mut terminal| {
        terminal.signal("TERM");
        ended_in_time(&mut terminal, 143);
        terminal.settle();
        terminal.is_restored();
    });
}

#[test]
fn sigkill() {
    tried("SIGKILL", 4, |_, mut terminal| {
        terminal.signal("KILL");
        terminal.child.wait().unwrap();
    });
}

#[test]
fn an_abort() {
    tried("abort (SIGABRT)", 2, |_, mut terminal| {
        terminal.signal("ABRT");
        terminal.child.wait().unwrap();
    });
}

#[test]
fn a_panic() {
    let count = runs(2);
    let right = several(count, |number| {
        let work = Work::new(number);
        let script = format!(
            "QPT_TUI_PANIC=1 exec '{}' '{}'",
            env!("CARGO_BIN_EXE_qpt-tui"),
            work.file().display()
        );
        let mut terminal = Terminal::at_home(&work.home(), "/bin/sh", &["-c", &script], (80, 24));
        work.make(&mut terminal);
        terminal.send("\u{1b}[24~");
        assert_eq!(terminal.end().code(), Some(101));
        terminal.is_restored();
        assert!(terminal.text().contains("your changes are kept"), "{}", terminal.text());
        work.restore();
    });
    told("panic", count, right);
}

#[test]
fn the_users_editor_runs() {
    let count = runs(2);
    let right = several(count, |number| {
        let work = Work { typed: None, ..Work::new(number) };
        let script = format!(
            "EDITOR=\"sh -c 'exec sleep 60'\" exec '{}' '{}'",
            env!("CARGO_BIN_EXE_qpt-tui"),
            work.file().display()
        );
        let mut terminal = Terminal::at_home(&work.home(), "/bin/sh", &["-c", &script], (80, 24));
        work.make(&mut terminal);
        terminal.send("E");
        terminal.until("the editor's screen", |screen| !screen.alternate_screen());
        terminal.signal(if number % 2 == 0 { "TERM" } else { "KILL" });
        if number % 2 == 0 {
            ended_in_time(&mut terminal, 143);
        } else {
            terminal.child.wait().unwrap();
        }
        work.restore();
    });
    told("$EDITOR running, SIGTERM or SIGKILL", count, right);
}

#[test]
fn a_terminal_that_does_not_read() {
    tried("terminal that does not read, then SIGTERM", 2, |_, mut terminal| {
        terminal.deaf.store(true, Ordering::SeqCst);
        // More frames than the kernel keeps for a terminal: the next write waits.
        for _ in 0..60 {
            terminal.send("\u{c}");
            std::thread::sleep(Duration::from_millis(5));
        }
        terminal.signal("TERM");
        ended_in_time(&mut terminal, 143);
        terminal.deaf.store(false, Ordering::SeqCst);
    });
}

#[test]
fn tmux_is_killed() {
    if Command::new("tmux").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no tmux here");
        return;
    }
    let count = runs(2);
    let right = several(count, |number| {
        let work = Work::new(number);
        let socket = work.dir.path().join("tmux");
        let tmux = |arguments: &[&str]| {
            let status = Command::new("tmux")
                .arg("-S")
                .arg(&socket)
                .args(arguments)
                .stderr(Stdio::null())
                .status();
            assert!(status.unwrap().success());
        };
        let command = format!("'{}' '{}'", env!("CARGO_BIN_EXE_qpt-tui"), work.file().display());
        let arguments =
            ["-S", socket.to_str().unwrap(), "-f", "/dev/null", "new-session", &command];
        let mut terminal = Terminal::at_home(&work.home(), "tmux", &arguments, (80, 25));
        work.make(&mut terminal);
        let editor = editor_of(&work);
        tmux(if number % 2 == 0 { &["kill-session"] } else { &["kill-server"] });
        gone(&editor);
        work.restore();
    });
    told("tmux killed", count, right);
}

#[test]
fn an_ssh_connection_ends() {
    let sshd = "/usr/sbin/sshd";
    if !std::path::Path::new(sshd).exists() || !rustix::process::getuid().is_root() {
        eprintln!("skipped: there is no sshd here, or not root");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for key in ["host", "user"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", &at(key)])
            .status();
        assert!(made.unwrap().success());
    }
    std::fs::copy(at("user.pub"), at("known")).unwrap();
    std::fs::create_dir_all("/run/sshd").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin yes\nMaxStartups 100\n",
        at("host"),
        at("known")
    );
    std::fs::write(at("sshd_config"), settings).unwrap();
    let log = std::fs::File::create(at("log")).unwrap();
    let mut daemon = Command::new(sshd)
        .args(["-D", "-e", "-f", &at("sshd_config")])
        .stderr(log)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline, "sshd does not answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    let count = runs(2);
    let right = several(count, |number| {
        let work = Work::new(number);
        let command = format!(
            "HOME='{}' TERM=xterm-256color '{}' '{}'",
            work.home().display(),
            env!("CARGO_BIN_EXE_qpt-tui"),
            work.file().display()
        );
        let port = port.to_string();
        let key = at("user");
        let options = [
            "-F",
            "none",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ];
        let mut arguments = options.to_vec();
        arguments.extend(["-tt", "-i", &key, "-p", &port, "root@127.0.0.1", &command]);
        let mut terminal = Terminal::at_home(&work.home(), "ssh", &arguments, (80, 24));
        work.make(&mut terminal);
        let editor = editor_of(&work);
        terminal.signal("KILL");
        gone(&editor);
        work.restore();
    });
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    told("ssh ended", count, right);
}
