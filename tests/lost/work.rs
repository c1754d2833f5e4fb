//! A document, keys that change it, and what must come of them.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use qpt_tui::session::parse;
use qpt_tui::tui::app::App;

use crate::pty::Terminal;

pub(crate) const VM: &str =
    "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>vm</name>
  <qemu:commandline>
    <qemu:arg value='-rtc'/>
    <qemu:arg value='base=utc'/>
    <qemu:arg value='-msg'/>
    <qemu:arg value='timestamp=on'/>
    <qemu:env name='A' value='1'/>
  </qemu:commandline>
</domain>
";

/// Keys that change the document, each with what the screen shows then; the last one leaves a form open.
const CHANGES: [&str; 6] = ["D", "jD", "a-name\tone\r", "eB\t2\r", "d", "DK"];

/// A home and a file of one try.
pub(crate) struct Work {
    pub(crate) dir: tempfile::TempDir,
    /// The keys that are typed.
    pub(crate) keys: Vec<&'static str>,
    /// What is typed in a form and left there.
    pub(crate) typed: Option<&'static str>,
}

impl Work {
    /// The work of a number: other numbers do other things.
    pub(crate) fn new(number: usize) -> Work {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        std::fs::write(dir.path().join("vm.xml"), VM).unwrap();
        let keys: Vec<&str> = (0..1 + number % 3)
            .map(|step| CHANGES[(number / 3 + step * 5) % CHANGES.len()])
            .collect();
        let mut work = Work { dir, keys, typed: None };
        if work.wanted() == VM {
            // Some changes take each other back.
            work.keys.push("D");
        }
        work.typed = (number % 2 == 1).then_some("a-smbios\ttype=0");
        work
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("vm.xml")
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    pub(crate) fn open(&self) -> Terminal {
        let file = self.file();
        let program = env!("CARGO_BIN_EXE_qpt-tui");
        Terminal::at_home(&self.home(), program, &[file.to_str().unwrap()], (80, 24))
    }

    /// Types the work, and waits until the screen shows all of it.
    pub(crate) fn make(&self, terminal: &mut Terminal) {
        terminal.shows("Arguments ");
        for keys in &self.keys {
            terminal.send(keys);
        }
        if let Some(typed) = self.typed {
            terminal.send(typed);
            terminal.shows("type=0");
        }
        terminal.shows("[modified]");
        terminal.settle();
    }

    /// The text that the keys make of the document, the form accepted at the end.
    pub(crate) fn wanted(&self) -> String {
        let mut app = App::new("vm.xml".to_owned(), parse("vm.xml", VM).unwrap());
        for c in self.keys.iter().chain(self.typed.iter()).flat_map(|keys| keys.chars()) {
            app.key(event(c));
        }
        if self.typed.is_some() {
            app.key(event('\r'));
        }
        app.document.source().to_owned()
    }

    /// Opens it again: the edits are offered, restored, saved, and nothing is left over.
    pub(crate) fn restore(&self) {
        let mut terminal = self.open();
        terminal.shows("Restore them?");
        terminal.send("y");
        if self.typed.is_some() {
            terminal.shows("type=0");
            terminal.send("\r");
        }
        terminal.until("the lists", |screen| !screen.contents().contains("Restore them?"));
        terminal.shows("[modified]");
        terminal.send("\u{13}");
        terminal.shows("saved; for libvirt");
        terminal.send("q");
        assert!(terminal.end().success());
        assert_eq!(self.text(), self.wanted());
        assert_eq!(self.left_over(), Vec::<PathBuf>::new());
        let mut terminal = self.open();
        terminal.shows("Arguments ");
        terminal.settle();
        assert!(!terminal.text().contains("Restore them?"), "offered again");
        terminal.send("q");
        assert!(terminal.end().success());
    }

    /// What no session needs any more: journals, locks, what was not finished.
    pub(crate) fn left_over(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        collect(self.dir.path(), &mut found);
        found.retain(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            ["journal-", "lock", ".unfinished-", ".qpt-tui-", "scratch-"]
                .iter()
                .any(|start| name.starts_with(start))
        });
        found
    }
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

fn event(c: char) -> KeyEvent {
    let code = match c {
        '\r' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        other => KeyCode::Char(other),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}
