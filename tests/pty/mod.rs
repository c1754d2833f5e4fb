//! The real program in a pseudo-terminal: send keys, read the screen.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod picture;

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::process::{Child, ExitStatus};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pty_process::blocking::{Command, Pty};

/// Long enough for a busy machine; nothing waits this long unless it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A domain that does not start.
pub(crate) const VM: &str =
    "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>vm</name>
  <qemu:commandline>
    <qemu:arg value='-hda'/>
    <qemu:arg value='/nonexistent/a.img'/>
  </qemu:commandline>
</domain>
";

/// The program with its terminal.
pub(crate) struct Terminal {
    pub(crate) pty: std::sync::Arc<Pty>,
    pub(crate) child: Child,
    pub(crate) output: mpsc::Receiver<Vec<u8>>,
    pub(crate) screen: vt100::Parser,
    pub(crate) raw: Vec<u8>,
    /// While set, nobody reads what the program writes.
    pub(crate) deaf: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

fn size(columns: u16, rows: u16) -> (NonZeroU16, NonZeroU16) {
    (NonZeroU16::new(rows).unwrap(), NonZeroU16::new(columns).unwrap())
}

impl Terminal {
    pub(crate) fn start(arguments: &[&str], columns: u16, rows: u16) -> Terminal {
        Terminal::run(env!("CARGO_BIN_EXE_qpt-tui"), arguments, columns, rows)
    }

    pub(crate) fn run(program: &str, arguments: &[&str], columns: u16, rows: u16) -> Terminal {
        let home = std::env::temp_dir().join(format!("qpt-tui-test-home-{}", std::process::id()));
        Terminal::at_home(&home, program, arguments, (columns, rows))
    }

    pub(crate) fn at_home(
        home: &std::path::Path,
        program: &str,
        arguments: &[&str],
        (columns, rows): (u16, u16),
    ) -> Terminal {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new(rows, columns)).unwrap();
        std::fs::create_dir_all(home.join(".config/qpt-tui")).unwrap();
        let config = home.join(".config/qpt-tui/config.toml");
        if !config.exists() {
            // libvirt and QEMU are asked where a test is about that.
            std::fs::write(config, "ask = false\n").unwrap();
        }
        let child = Command::new(program)
            .args(arguments)
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .env_remove("COLORTERM")
            .env_remove("COLORFGBG")
            .env("HOME", home)
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("TMUX")
            .env_remove("RUST_BACKTRACE")
            .env_remove("NO_COLOR")
            .spawn(pts)
            .unwrap();
        let pty = std::sync::Arc::new(pty);
        let (sender, output) = mpsc::channel();
        let reader = std::sync::Arc::clone(&pty);
        let deaf = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let ear = std::sync::Arc::clone(&deaf);
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 65536];
            // The end is an error on Linux: the other side is closed.
            while let Ok(length) = (&*reader).read(&mut buffer) {
                while ear.load(std::sync::atomic::Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let (rows, columns) = size(columns, rows);
        Terminal {
            pty,
            child,
            output,
            screen: vt100::Parser::new(rows, columns, 0),
            raw: Vec::new(),
            deaf,
        }
    }

    pub(crate) fn send(&self, keys: &str) {
        (&*self.pty).write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Reads until the screen is as wanted.
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(self.screen.screen()) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.raw.extend(bytes);
                }
                Err(_) => panic!("waited for {what}; the screen is\n{}", self.text()),
            }
        }
    }

    pub(crate) fn shows(&mut self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Reads until nothing more comes for a while.
    pub(crate) fn settle(&mut self) {
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(300)) {
            self.screen.process(&bytes);
            self.raw.extend(bytes);
        }
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let (nonzero_rows, nonzero_columns) = size(columns, rows);
        self.screen.screen_mut().set_size(nonzero_rows, nonzero_columns);
        self.pty.resize(pty_process::Size::new(rows, columns)).unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it did not end; the screen is\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        };
        self.settle();
        status
    }

    /// The terminal is as the shell had it.
    pub(crate) fn is_restored(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        let modes = rustix::termios::tcgetattr(&*self.pty).unwrap().local_modes;
        use rustix::termios::LocalModes;
        assert!(modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG));
    }
}
