//! Keeping and saving in adversity: what stands in the way is said, and nothing is lost, followed or waited for.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pty;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use pty::Terminal;

const VM: &str = "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>vm</name>
  <memory>1</memory>
  <qemu:commandline>
    <qemu:arg value='-rtc'/>
    <qemu:arg value='base=utc'/>
    <qemu:arg value='-snapshot'/>
  </qemu:commandline>
</domain>
";

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("home/.local/state")).unwrap();
        std::fs::create_dir(dir.path().join("vms")).unwrap();
        std::fs::write(dir.path().join("vms/vm.xml"), VM).unwrap();
        Place { dir }
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn state(&self) -> PathBuf {
        self.home().join(".local/state/qpt-tui")
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("vms/vm.xml")
    }

    fn open(&self) -> Terminal {
        let mut terminal = self.opened(&self.file());
        terminal.shows("-rtc base=utc");
        terminal
    }

    fn opened(&self, file: &Path) -> Terminal {
        let program = env!("CARGO_BIN_EXE_qpt-tui");
        Terminal::at_home(&self.home(), program, &[file.to_str().unwrap()], (80, 24))
    }

    /// The program on the file, each such system call so many milliseconds late; none without strace.
    fn delayed(&self, call: &str, milliseconds: u32) -> Option<Terminal> {
        let able = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
        if !able.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no strace here");
            return None;
        }
        let run = format!(
            "exec strace -f -o /dev/null -e trace={call} -e inject={call}:delay_enter={milliseconds}000 '{}' '{}'",
            program(),
            self.file().display()
        );
        Some(Terminal::at_home(&self.home(), "/bin/sh", &["-c", &run], (80, 24)))
    }

    fn recover(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qpt-tui"));
        command
            .arg("recover")
            .args(arguments)
            .env("HOME", self.home())
            .env_remove("XDG_STATE_HOME");
        let output = command.output().unwrap();
        let said =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), said)
    }

    /// Ends a session that deleted the first option, as a crash does.
    fn crash(&self) {
        let mut terminal = self.open();
        terminal.send("d");
        terminal.shows("[modified]");
        terminal.settle();
        terminal.signal("KILL");
        terminal.child.wait().unwrap();
    }

    /// The folder of the file's journal.
    fn folder(&self) -> PathBuf {
        let mut found =
            std::fs::read_dir(self.state()).unwrap().flatten().map(|entry| entry.path());
        found.find(|path| path.to_string_lossy().contains("vm.xml")).unwrap()
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The document without its first option.
fn edited() -> String {
    VM.replace("    <qemu:arg value='-rtc'/>\n    <qemu:arg value='base=utc'/>\n", "")
}

/// Answers the offer of kept edits: they stay where they are.
fn start_from_the_file(terminal: &mut Terminal) {
    terminal.shows("Restore them?");
    terminal.send("n");
    terminal.until("the lists", |screen| !screen.contents().contains("Restore them?"));
}

fn leave(terminal: &mut Terminal, keys: &str) {
    terminal.send(keys);
    assert!(terminal.end().success());
}

#[test]
fn a_state_directory_that_can_not_be_used_is_said_and_the_editor_opens() {
    type Spoil = fn(&Place);
    let spoilt: [(&str, Spoil); 5] = [
        ("a link or a file stands in the place of", |place| {
            symlink("/tmp", place.state()).unwrap();
        }),
        ("a link or a file stands in the place of", |place| {
            std::fs::write(place.state(), "").unwrap();
        }),
        ("others may write", |place| {
            std::fs::create_dir(place.state()).unwrap();
            std::fs::set_permissions(place.state(), std::fs::Permissions::from_mode(0o777))
                .unwrap();
        }),
        ("a link or a file stands in the place of", |place| {
            let made = Command::new("mkfifo").arg(place.state()).status();
            assert!(made.unwrap().success());
        }),
        ("the user 12345 owns", |place| {
            std::os::unix::fs::chown(place.home().join(".local/state"), Some(12345), None).unwrap();
        }),
    ];
    for (said, spoil) in spoilt {
        if said.contains("owns") && !rustix::process::getuid().is_root() {
            eprintln!("skipped: only root gives directories away");
            continue;
        }
        let place = Place::new();
        spoil(&place);
        let mut terminal = place.open();
        terminal.shows(&format!("edits are not kept: {said}"));
        terminal.send("d");
        terminal.shows("[modified, not kept]");
        terminal.send("\u{13}");
        terminal.shows("saved");
        leave(&mut terminal, "q");
        assert_eq!(text(&place.file()), edited());
    }
}

#[test]
fn a_link_or_a_pipe_in_the_place_of_a_journal_is_neither_followed_nor_waited_for() {
    let place = Place::new();
    place.crash();
    let victim = place.dir.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    let folder = place.folder();
    for name in ["lock", "of.json"] {
        std::fs::remove_file(folder.join(name)).unwrap();
        symlink(&victim, folder.join(name)).unwrap();
    }
    let mut terminal = place.open();
    terminal.shows("Restore them?");
    terminal.send("n");
    leave(&mut terminal, "dqy");
    assert_eq!(text(&victim), "precious");
    assert!(place.recover(&[]).1.contains("vm.xml: edits that were not saved"));
    let pipe = Command::new("mkfifo").arg(folder.join("journal-1-1.json")).status();
    assert!(pipe.unwrap().success());
    let mut terminal = place.open();
    terminal.shows("Restore them?");
    terminal.send("n");
    leave(&mut terminal, "q");
    assert_eq!(text(&victim), "precious");
}

#[test]
fn a_damaged_journal_is_kept_aside_and_the_file_opens() {
    let place = Place::new();
    place.crash();
    let folder = place.folder();
    let journal = std::fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
    let journal =
        journal.into_iter().find(|path| path.to_string_lossy().contains("journal-")).unwrap();
    let whole = text(&journal);
    std::fs::write(&journal, &whole[..whole.len() - 10]).unwrap();
    let mut terminal = place.open();
    terminal.shows("are damaged; kept aside");
    leave(&mut terminal, "q");
    let aside = journal.with_file_name(
        journal.file_name().unwrap().to_str().unwrap().replace("journal", "damaged"),
    );
    assert_eq!(text(&aside), whole[..whole.len() - 10]);
    assert!(place.recover(&[]).1.contains("damaged"));
    // A letter of the text changed: the digest tells.
    std::fs::write(&journal, whole.replace("snapshot", "snapshoT")).unwrap();
    let mut terminal = place.open();
    terminal.shows("are damaged; kept aside");
    leave(&mut terminal, "q");
}

#[test]
fn starting_from_the_file_keeps_the_copy_until_the_next_save() {
    let place = Place::new();
    place.crash();
    let mut terminal = place.open();
    start_from_the_file(&mut terminal);
    leave(&mut terminal, "q");
    let mut terminal = place.open();
    start_from_the_file(&mut terminal);
    terminal.send("jD\u{13}");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    let mut terminal = place.open();
    terminal.settle();
    assert!(!terminal.text().contains("Restore them?"));
    leave(&mut terminal, "q");
}

#[test]
fn discarded_edits_are_gone_and_undo_leads_back_from_restored_ones() {
    let place = Place::new();
    place.crash();
    let mut terminal = place.open();
    terminal.shows("Restore them?");
    terminal.send("v");
    terminal.shows("-     <qemu:arg value='-rtc'/>");
    terminal.send("y");
    terminal.shows("[modified]");
    terminal.send("u");
    terminal.until("nothing modified", |screen| !screen.contents().contains("[modified]"));
    leave(&mut terminal, "q");
    place.crash();
    let mut terminal = place.open();
    terminal.shows("Restore them?");
    terminal.send("D");
    terminal.shows("discarded");
    leave(&mut terminal, "q");
    assert!(!place.state().join("x").exists());
    assert_eq!(std::fs::read_dir(place.state()).unwrap().count(), 0);
}

#[test]
fn edits_are_merged_with_what_became_of_the_file() {
    let place = Place::new();
    place.crash();
    std::fs::write(place.file(), VM.replace("<memory>1<", "<memory>2<")).unwrap();
    let mut terminal = place.open();
    terminal.shows("keeps both changes");
    terminal.send("y");
    terminal.shows("[modified]");
    terminal.send("\u{13}");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    assert_eq!(text(&place.file()), edited().replace("<memory>1<", "<memory>2<"));
}

#[test]
fn another_session_is_told_and_can_be_taken_over() {
    let place = Place::new();
    let mut first = place.open();
    first.send("d");
    first.shows("[modified]");
    first.settle();
    let mut second = place.opened(&place.file());
    second.shows("being edited by process");
    second.send("l");
    second.until("the lists", |screen| !screen.contents().contains("being edited"));
    second.send("jd\u{13}");
    second.shows("another session edits it");
    leave(&mut second, "qy");
    let mut third = place.opened(&place.file());
    third.shows("being edited by process");
    third.send("t");
    third.shows("Restore them?");
    third.send("y");
    third.shows("[modified]");
    // The first one is told at once, and can't save.
    first.shows("took over");
    first.send("\u{13}");
    first.shows("another session took it over");
    third.send("\u{13}");
    third.shows("saved");
    assert_eq!(text(&place.file()), edited());
    leave(&mut third, "q");
    leave(&mut first, "qy");
    // The lock goes with the process.
    std::fs::write(place.file(), VM).unwrap();
    place.crash();
    let mut last = place.open();
    last.shows("Restore them?");
    leave(&mut last, "nq");
}

#[test]
fn what_somebody_else_wrote_is_merged_taken_or_kept_out() {
    for (key, saved) in [
        ("m", edited().replace("<memory>1<", "<memory>2<")),
        ("o", edited()),
        ("t\u{13}", VM.replace("<memory>1<", "<memory>2<")),
    ] {
        let place = Place::new();
        let mut terminal = place.open();
        terminal.send("d");
        terminal.shows("[modified]");
        std::fs::write(place.file(), VM.replace("<memory>1<", "<memory>2<")).unwrap();
        // It is told before saving.
        terminal.shows("by others too");
        terminal.send("\u{13}");
        terminal.shows("what somebody else changed");
        terminal.shows("+   <memory>2</memory>");
        terminal.send(key);
        terminal.until("the lists", |screen| !screen.contents().contains("by others"));
        terminal.settle();
        leave(&mut terminal, "q");
        assert_eq!(text(&place.file()), saved, "{key}");
    }
}

#[test]
fn both_changed_the_same_place_and_stand_beside_each_other() {
    let place = Place::new();
    let mut terminal = place.open();
    terminal.send("\r,clock=host\r");
    terminal.shows("[modified]");
    std::fs::write(place.file(), VM.replace("base=utc", "base=localtime")).unwrap();
    terminal.shows("by others too");
    terminal.send("=");
    terminal.shows("│ mine");
    let lines = terminal.text();
    let both =
        |line: &&str| line.contains("base=localtime") && line.contains("base=utc,clock=host");
    assert!(lines.lines().any(|line| both(&line)), "{lines}");
    terminal.send("n");
    terminal.until("the lists", |screen| !screen.contents().contains("│ mine"));
    leave(&mut terminal, "qy");
}

#[test]
fn a_file_nobody_edits_here_is_read_again() {
    let place = Place::new();
    let mut terminal = place.open();
    std::fs::write(place.file(), VM.replace("base=utc", "base=localtime")).unwrap();
    terminal.shows("read again");
    terminal.shows("-rtc base=localtime");
    terminal.send("u");
    terminal.shows("-rtc base=utc");
    leave(&mut terminal, "qy");
}

#[test]
fn hard_links_stay_together_after_a_question() {
    let place = Place::new();
    let other = place.dir.path().join("other.xml");
    std::fs::hard_link(place.file(), &other).unwrap();
    let mut terminal = place.open();
    terminal.send("d\u{13}");
    terminal.shows("2 names");
    terminal.send("y");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    assert_eq!((text(&place.file()), text(&other)), (edited(), edited()));
    // The old text was kept first.
    let list = place.recover(&[]).1;
    let id = list
        .lines()
        .find(|line| line.contains("before a save"))
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(place.recover(&[&id]), (Some(0), VM.to_owned()));
}

#[test]
fn a_file_that_is_mounted_is_written_in_place() {
    let place = Place::new();
    let script = format!(
        "touch '{1}/vms/on.xml' && mount --bind '{0}' '{1}/vms/on.xml' && exec '{2}' '{1}/vms/on.xml'",
        place.file().display(),
        place.dir.path().display(),
        env!("CARGO_BIN_EXE_qpt-tui")
    );
    let able =
        Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success());
    if !able {
        eprintln!("skipped: no mount namespaces here, or not root");
        return;
    }
    let mut terminal =
        Terminal::at_home(&place.home(), "unshare", &["-m", "sh", "-c", &script], (80, 24));
    terminal.shows("-rtc base=utc");
    terminal.send("d\u{13}");
    terminal.shows("something is mounted on it");
    terminal.send("y");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    assert_eq!(text(&place.file()), edited());
}

#[test]
fn a_refused_save_leads_elsewhere() {
    let place = Place::new();
    let mut terminal = place.open();
    terminal.send("d");
    terminal.shows("[modified]");
    // A directory stands in the place of the file.
    std::fs::remove_file(place.file()).unwrap();
    std::fs::create_dir(place.file()).unwrap();
    terminal.send("\u{13}");
    terminal.shows("Something else is in its place");
    terminal.send("S");
    terminal.shows("save to:");
    let other = place.dir.path().join("vms/new.xml");
    terminal.send(&format!("{}\r", other.display()));
    terminal.shows("saved");
    leave(&mut terminal, "q");
    assert_eq!(text(&other), edited());
}

#[test]
fn what_is_left_unsaved_can_be_printed() {
    let place = Place::new();
    let mut terminal = place.open();
    terminal.send("dq");
    terminal.shows("print it");
    leave(&mut terminal, "p");
    assert!(terminal.text().contains("<qemu:arg value='-snapshot'/>"), "{}", terminal.text());
    assert_eq!(text(&place.file()), VM);
}

#[test]
fn copies_are_listed_compared_and_given_back_without_a_screen() {
    let place = Place::new();
    assert!(place.recover(&[]).1.contains("nothing is kept"));
    place.crash();
    let list = place.recover(&[]).1;
    assert!(list.contains("edits that were not saved"), "{list}");
    let id = list.split(' ').next().unwrap().to_owned();
    assert_eq!(place.recover(&[&id]), (Some(0), edited()));
    assert_eq!(place.recover(&[place.file().to_str().unwrap()]), (Some(0), edited()));
    assert!(place.recover(&[&id, "--diff"]).1.contains("-    <qemu:arg value='-rtc'/>"));
    // The same place changed meanwhile: refused, and nothing is lost.
    std::fs::write(place.file(), VM.replace("base=utc", "base=localtime")).unwrap();
    let (status, said) = place.recover(&[&id, "--restore"]);
    assert!(
        status == Some(2) && said.contains("in the same places") && said.contains("--output"),
        "{said}"
    );
    let out = place.dir.path().join("out.xml");
    assert_eq!(place.recover(&[&id, "--output", out.to_str().unwrap()]).0, Some(0));
    assert_eq!(text(&out), edited());
    // Another place: merged.
    std::fs::write(place.file(), VM.replace("<memory>1<", "<memory>2<")).unwrap();
    assert_eq!(place.recover(&[&id, "--restore"]).0, Some(0));
    assert_eq!(text(&place.file()), edited().replace("<memory>1<", "<memory>2<"));
    let (status, said) = place.recover(&["nosuch"]);
    assert!(status == Some(2) && said.contains("nothing of the name nosuch is kept"), "{said}");
}

#[test]
fn five_texts_from_before_saves_are_kept() {
    let place = Place::new();
    let mut terminal = place.open();
    for _ in 0..7 {
        terminal.send("D\u{13}");
        terminal.until("the save", |screen| {
            let text = screen.contents();
            !text.contains("[modified") && !text.contains("[saving")
        });
        terminal.settle();
    }
    leave(&mut terminal, "q");
    let list = place.recover(&[]).1;
    assert_eq!(list.lines().filter(|line| line.contains("before a save")).count(), 5, "{list}");
}

#[test]
fn the_acl_of_a_directory_widens_nothing() {
    let place = Place::new();
    let directory = place.dir.path().join("vms");
    let set = Command::new("setfacl").args(["-d", "-m", "u:65534:rw"]).arg(&directory).status();
    if !set.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no ACLs here");
        return;
    }
    std::fs::set_permissions(place.file(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let mut terminal = place.open();
    terminal.send("d\u{13}");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    let acl = Command::new("getfacl").args(["-cnp"]).arg(place.file()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&acl.stdout).trim(), "user::rw-\ngroup::r--\nother::---");
    assert_eq!(std::fs::metadata(place.file()).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn keys_go_on_while_virsh_hangs() {
    let place = Place::new();
    let bin = place.dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let virsh = format!(
        "#!/bin/sh\ncase \"$*\" in *define*) exec sleep 60;; *dumpxml*) exec cat '{}';; *) exit 1;; esac\n",
        place.file().display()
    );
    std::fs::write(bin.join("virsh"), virsh).unwrap();
    std::fs::set_permissions(bin.join("virsh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!(
        "PATH='{}':$PATH exec '{}' --connect qemu:///system --domain vm",
        bin.display(),
        env!("CARGO_BIN_EXE_qpt-tui")
    );
    let mut terminal = Terminal::at_home(&place.home(), "/bin/sh", &["-c", &script], (80, 24));
    terminal.shows("-rtc base=utc");
    terminal.send("d\u{13}");
    terminal.shows("[saving…]");
    terminal.send("?");
    terminal.shows("In the lists");
    terminal.send("\u{1b}");
    terminal.until("the lists", |screen| !screen.contents().contains("In the lists"));
    let start = std::time::Instant::now();
    terminal.signal("TERM");
    assert_eq!(terminal.end().code(), Some(143));
    assert!(start.elapsed().as_secs() < 2);
    assert!(terminal.text().contains("your changes are kept"), "{}", terminal.text());
    let mut terminal = Terminal::at_home(&place.home(), "/bin/sh", &["-c", &script], (80, 24));
    terminal.shows("Restore them?");
    leave(&mut terminal, "Dq");
}

#[test]
fn a_conflict_is_remembered_however_often_the_session_ends() {
    let place = Place::new();
    let mut terminal = place.open();
    terminal.send("\r,clock=host\r");
    terminal.shows("[modified]");
    terminal.settle();
    terminal.signal("KILL");
    terminal.child.wait().unwrap();
    let theirs = VM.replace("base=utc", "base=localtime").replace("<memory>1<", "<memory>2<");
    std::fs::write(place.file(), &theirs).unwrap();
    for _ in 0..2 {
        let mut terminal = place.opened(&place.file());
        terminal.shows("in the same places");
        terminal.send("y");
        terminal.shows("by others too");
        terminal.settle();
        terminal.signal("KILL");
        terminal.child.wait().unwrap();
        let (status, said) = place.recover(&[place.file().to_str().unwrap(), "--restore"]);
        assert!(status == Some(2) && said.contains("in the same places"), "{said}");
    }
    let mut terminal = place.opened(&place.file());
    terminal.shows("in the same places");
    terminal.send("y");
    terminal.shows("by others too");
    // Nothing of theirs is undone unasked, and what they changed elsewhere stays.
    terminal.send("\u{13}");
    terminal.shows("mine, where both changed");
    terminal.send("o");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    assert_eq!(text(&place.file()), theirs.replace("base=localtime", "base=utc,clock=host"));
}

#[test]
fn a_second_restore_takes_nothing_back() {
    let place = Place::new();
    place.crash();
    let path = place.file();
    let arguments = [path.to_str().unwrap(), "--restore"];
    let (status, said) = place.recover(&arguments);
    assert!(status == Some(0) && said.contains("restored: "), "{said}");
    let (status, said) = place.recover(&arguments);
    assert!(status == Some(2) && said.contains("has no edits that were not saved"), "{said}");
    assert_eq!(text(&path), edited());
    // A file that is gone is said to be kept.
    place_again(&place);
    std::fs::remove_file(&path).unwrap();
    let mut terminal = place.opened(&path);
    terminal.shows("Make a new domain document?");
    assert!(terminal.text().contains("a copy of it is kept"), "{}", terminal.text());
    terminal.send("n");
    assert_eq!(terminal.end().code(), Some(2));
    assert!(terminal.text().contains("a copy of it is kept"), "{}", terminal.text());
}

/// Edits of the file as it is, not saved.
fn place_again(place: &Place) {
    std::fs::write(place.file(), VM).unwrap();
    place.crash();
}

#[test]
fn copies_older_than_thirty_days_are_removed() {
    let age = |path: &Path, days: u64| {
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
    };
    for (days, offered) in [(29, true), (31, false)] {
        let place = Place::new();
        place.crash();
        let folder = place.folder();
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            age(&entry.path(), days);
        }
        let mut terminal = place.open();
        terminal.settle();
        assert_eq!(terminal.text().contains("Restore them?"), offered, "{days} days");
        leave(&mut terminal, if offered { "nq" } else { "q" });
        assert_eq!(folder.exists(), offered);
    }
    // Those of other files go as well.
    let place = Place::new();
    place.crash();
    let folder = place.folder();
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        age(&entry.path(), 31);
    }
    let other = place.dir.path().join("vms/other.xml");
    std::fs::write(&other, VM).unwrap();
    let mut terminal = place.opened(&other);
    terminal.shows("-rtc base=utc");
    terminal.settle();
    leave(&mut terminal, "q");
    assert!(!folder.exists());
}

#[test]
fn what_is_written_over_elsewhere_is_kept_as_that_files_text() {
    let place = Place::new();
    let other = place.dir.path().join("vms/other.xml");
    let old = VM.replace("<name>vm<", "<name>other<");
    std::fs::write(&other, &old).unwrap();
    let mut terminal = place.open();
    terminal.send(&format!("dS{}\r", other.display()));
    terminal.shows("is there already");
    terminal.send("y");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    let list = place.recover(&[]).1;
    let line = list.lines().find(|line| line.contains("before a save")).unwrap();
    assert!(line.contains("other.xml"), "{list}");
    assert_eq!(place.recover(&[line.split(' ').next().unwrap()]), (Some(0), old));
    assert_eq!(text(&place.file()), VM);
}

#[test]
fn a_save_that_writes_nothing_removes_no_copy() {
    let place = Place::new();
    place.crash();
    let mut terminal = place.open();
    start_from_the_file(&mut terminal);
    terminal.send("\u{13}");
    terminal.shows("nothing changed");
    leave(&mut terminal, "q");
    let mut terminal = place.open();
    terminal.shows("Restore them?");
    leave(&mut terminal, "Dq");
}

#[test]
fn a_session_that_was_taken_over_loses_nothing() {
    let place = Place::new();
    let mut first = place.open();
    first.send("d");
    first.shows("[modified]");
    first.settle();
    let mut second = place.opened(&place.file());
    second.shows("being edited by process");
    second.send("t");
    second.shows("Restore them?");
    second.send("y");
    second.shows("[modified]");
    first.shows("took over");
    // What is changed from here on is kept too.
    first.send("d");
    first.settle();
    second.send("\u{13}");
    second.shows("saved");
    leave(&mut second, "q");
    first.signal("TERM");
    assert_eq!(first.end().code(), Some(143));
    assert!(first.text().contains("your changes are kept"), "{}", first.text());
    let mut last = place.opened(&place.file());
    last.shows("Restore them?");
    last.send("y");
    last.shows("[modified]");
    last.send("\u{13}");
    last.shows("saved");
    leave(&mut last, "q");
    assert!(!text(&place.file()).contains("qemu:arg"), "{}", text(&place.file()));
}

#[test]
fn edits_of_a_session_that_only_looks_are_kept_too() {
    let place = Place::new();
    let mut first = place.open();
    let mut second = place.opened(&place.file());
    second.shows("being edited by process");
    second.send("l");
    second.until("the lists", |screen| !screen.contents().contains("being edited"));
    second.send("d");
    second.shows("[modified");
    second.settle();
    second.signal("KILL");
    second.child.wait().unwrap();
    leave(&mut first, "q");
    let mut third = place.opened(&place.file());
    third.shows("Restore them?");
    leave(&mut third, "Dq");
    assert_eq!(std::fs::read_dir(place.state()).unwrap().count(), 0);
}

/// What virsh edit does: a temporary file, which is read when the editor has ended.
struct VirshEdit {
    place: Place,
    temporary: PathBuf,
}

impl VirshEdit {
    fn new() -> VirshEdit {
        let place = Place::new();
        let temporary = place.dir.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        VirshEdit { place, temporary }
    }

    /// The editor on a temporary file that holds a text.
    fn edit(&self, number: u32, text: Option<&str>) -> (Terminal, PathBuf) {
        let file = self.temporary.join(format!("virshABC12{number}.xml"));
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let script = format!(
            "TMPDIR='{}' exec '{}' '{}'",
            self.temporary.display(),
            program(),
            file.display()
        );
        (Terminal::at_home(&self.place.home(), "/bin/sh", &["-c", &script], (80, 24)), file)
    }
}

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_qpt-tui")
}

#[test]
fn what_virsh_did_not_take_is_offered_by_the_next_virsh_edit() {
    let work = VirshEdit::new();
    // Saved, left, and libvirt says no.
    let (mut terminal, file) = work.edit(1, Some(VM));
    terminal.shows("-rtc base=utc");
    terminal.send("d\u{13}");
    terminal.shows("virsh defines it when you leave");
    leave(&mut terminal, "q");
    assert_eq!(text(&file), edited());
    // virsh asks whether to try again: the same file, nothing to ask, and still kept.
    let (mut terminal, _) = work.edit(1, None);
    terminal.shows("-snapshot");
    terminal.settle();
    assert!(!terminal.text().contains("Restore them?"), "{}", terminal.text());
    terminal.signal("KILL");
    terminal.child.wait().unwrap();
    // Given up: the next virsh edit has libvirt's text.
    let (mut terminal, file) = work.edit(2, Some(VM));
    terminal.shows("that were saved for virsh are not in libvirt");
    terminal.send("y");
    terminal.shows("[modified]");
    terminal.send("\u{13}");
    terminal.shows("virsh defines it when you leave");
    // More edits after the save, and a kill.
    terminal.send("d");
    terminal.shows("[modified]");
    terminal.settle();
    terminal.signal("KILL");
    terminal.child.wait().unwrap();
    assert_eq!(text(&file), edited());
    let (mut terminal, file) = work.edit(3, Some(VM));
    terminal.shows("Restore them?");
    terminal.send("y");
    terminal.shows("[modified]");
    terminal.send("\u{13}");
    terminal.shows("virsh defines it when you leave");
    leave(&mut terminal, "q");
    let saved = text(&file);
    assert!(!saved.contains("qemu:arg"), "{saved}");
    // libvirt took it, and wrote it in its own way.
    let (mut terminal, _) =
        work.edit(4, Some(&saved.replace("<memory>1<", "<memory unit='KiB'>1<")));
    terminal.shows("none; a adds one");
    terminal.settle();
    assert!(!terminal.text().contains("Restore them?"), "{}", terminal.text());
    leave(&mut terminal, "q");
    assert!(!work.place.recover(&[]).1.contains("edits"), "{}", work.place.recover(&[]).1);
}

#[test]
fn what_is_saved_for_virsh_and_ended_by_a_signal_is_kept() {
    let work = VirshEdit::new();
    let (mut terminal, _) = work.edit(1, Some(VM));
    terminal.shows("-rtc base=utc");
    terminal.send("d\u{13}");
    terminal.shows("virsh defines it when you leave");
    terminal.signal("TERM");
    assert_eq!(terminal.end().code(), Some(143));
    let (mut terminal, _) = work.edit(2, Some(VM));
    terminal.shows("Restore them?");
    leave(&mut terminal, "Dq");
}

/// A connection whose virsh answers as a script says.
fn connected(place: &Place, script: &str) -> Terminal {
    let bin = place.dir.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("virsh"), format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(bin.join("virsh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = format!(
        "PATH='{}':$PATH exec '{}' --connect qemu:///system --domain vm",
        bin.display(),
        program()
    );
    Terminal::at_home(&place.home(), "/bin/sh", &["-c", &run], (80, 24))
}

#[test]
fn what_is_begun_during_a_slow_save_stays() {
    let place = Place::new();
    let libvirt = place.dir.path().join("libvirt.xml");
    std::fs::write(&libvirt, VM).unwrap();
    // libvirt takes its time, and puts an argument of its own in front.
    let script = format!(
        "case \"$*\" in *define*) sleep 1; for last; do :; done; \
         sed \"s|<qemu:commandline>|&<qemu:arg value='-S'/>|\" \"$last\" > '{0}';; *dumpxml*) exec cat '{0}';; esac",
        libvirt.display()
    );
    let mut terminal = connected(&place, &script);
    terminal.shows("-rtc base=utc");
    terminal.send("jdq");
    terminal.shows("save first");
    terminal.send("s");
    terminal.shows("[saving…]");
    // The form is about an entry that stands elsewhere afterwards.
    terminal.send("\r,clock=host");
    terminal.shows("clock=host");
    terminal.until("the save", |screen| !screen.contents().contains("[saving…]"));
    terminal.settle();
    assert!(terminal.text().contains("clock=host"), "{}", terminal.text());
    terminal.send("\r");
    terminal.shows("-rtc base=utc,clock=host");
    terminal.shows("-S");
    terminal.send("\u{13}");
    terminal.shows("[saving…]");
    terminal.until("the save", |screen| !screen.contents().contains("[saving…]"));
    leave(&mut terminal, "q");
    assert!(text(&libvirt).contains("base=utc,clock=host"), "{}", text(&libvirt));
}

#[test]
fn a_file_that_was_taken_away_is_written_anew_also_without_edits() {
    let place = Place::new();
    std::fs::set_permissions(place.file(), std::fs::Permissions::from_mode(0o640)).unwrap();
    let mut terminal = place.open();
    std::fs::remove_file(place.file()).unwrap();
    terminal.shows("by others too");
    terminal.send("q");
    terminal.shows("Leave without them?");
    terminal.send("s");
    terminal.shows("Write it anew?");
    terminal.send("o");
    assert!(terminal.end().success());
    assert_eq!(text(&place.file()), VM);
    assert_eq!(std::fs::metadata(place.file()).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn what_stands_in_the_place_of_a_file_is_not_written_over() {
    let place = Place::new();
    let mut terminal = place.open();
    terminal.send("d");
    terminal.shows("[modified]");
    std::fs::remove_file(place.file()).unwrap();
    std::fs::create_dir(place.file()).unwrap();
    terminal.send("\u{13}");
    terminal.shows("Something else is in its place");
    terminal.send("o");
    terminal.settle();
    assert!(!terminal.text().contains("write over"), "{}", terminal.text());
    terminal.send("n");
    leave(&mut terminal, "qy");
}

#[test]
fn a_half_written_file_leads_to_its_copies() {
    let place = Place::new();
    place.crash();
    std::fs::write(place.file(), &VM[..VM.len() / 2]).unwrap();
    let mut terminal = place.opened(&place.file());
    assert_eq!(terminal.end().code(), Some(2));
    assert!(terminal.text().contains("qpt-tui recover"), "{}", terminal.text());
    let (status, said) = place.recover(&[place.file().to_str().unwrap(), "--restore"]);
    assert!(status == Some(0) && said.contains("restored"), "{said}");
    assert_eq!(text(&place.file()), edited());
}

#[test]
fn an_editor_that_wrote_and_failed_loses_nothing() {
    let place = Place::new();
    let editor = place.dir.path().join("editor");
    std::fs::write(&editor, "#!/bin/sh\nprintf 'base=local\\377time\\n' > \"$1\"\nexit 3\n")
        .unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run =
        format!("EDITOR='{}' exec '{}' '{}'", editor.display(), program(), place.file().display());
    let mut terminal = Terminal::at_home(&place.home(), "/bin/sh", &["-c", &run], (80, 24));
    terminal.shows("-rtc base=utc");
    terminal.send("E");
    terminal.shows("what it wrote is in the form");
    terminal.shows("base=local");
    terminal.send("\u{1b}");
    terminal.shows("Drop what you typed?");
    leave(&mut terminal, "yq");
}

#[test]
fn a_pipe_that_an_editor_leaves_holds_nobody_up() {
    let place = Place::new();
    let editor = place.dir.path().join("editor");
    std::fs::write(&editor, "#!/bin/sh\nrm \"$1\"\nmkfifo \"$1\"\n").unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run =
        format!("EDITOR='{}' exec '{}' '{}'", editor.display(), program(), place.file().display());
    let mut terminal = Terminal::at_home(&place.home(), "/bin/sh", &["-c", &run], (80, 24));
    terminal.shows("-rtc base=utc");
    terminal.send("E");
    terminal.shows("no regular file");
    terminal.send("\u{1b}");
    terminal.until("the lists", |screen| !screen.contents().contains("Edit"));
    leave(&mut terminal, "q");
}

#[test]
fn damage_in_the_state_directory_hides_no_copy() {
    let place = Place::new();
    place.crash();
    let folder = place.folder();
    std::fs::write(folder.join("of.json"), "").unwrap();
    std::fs::remove_file(folder.join("lock")).unwrap();
    std::fs::create_dir(folder.join("lock")).unwrap();
    let (_, said) = place.recover(&[]);
    assert!(said.contains("vm.xml: edits that were not saved"), "{said}");
    let mut terminal = place.open();
    terminal.shows("Restore them?");
    leave(&mut terminal, "nq");
    // A folder that others may write is named, and not called empty.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (_, said) = place.recover(&[]);
    assert!(said.contains("others may write") && !said.contains("nothing is kept"), "{said}");
}

#[test]
fn edits_of_a_file_that_became_a_link_are_named() {
    let place = Place::new();
    place.crash();
    let moved = place.dir.path().join("moved.xml");
    std::fs::rename(place.file(), &moved).unwrap();
    symlink(&moved, place.file()).unwrap();
    let mut terminal = place.open();
    terminal.shows("before this link");
    leave(&mut terminal, "q");
    assert_eq!(place.recover(&[place.file().to_str().unwrap()]), (Some(0), edited()));
}

#[test]
fn what_was_half_typed_stays_kept_when_the_text_is_restored() {
    let place = Place::new();
    let mut terminal = place.open();
    terminal.send("da-smbios\ttype=0");
    terminal.shows("type=0");
    terminal.settle();
    terminal.signal("KILL");
    terminal.child.wait().unwrap();
    let path = place.file();
    for arguments in [vec![path.to_str().unwrap()], vec![path.to_str().unwrap(), "--diff"]] {
        assert!(
            place.recover(&arguments).1.contains("half typed, and not in the text: -smbios type=0")
        );
    }
    let (status, said) = place.recover(&[path.to_str().unwrap(), "--restore"]);
    assert!(status == Some(0) && said.contains("-smbios type=0"), "{said}");
    assert_eq!(text(&path), edited());
    let mut terminal = place.opened(&path);
    terminal.shows("Restore them?");
    terminal.send("v");
    terminal.shows("half typed");
    terminal.send("y");
    terminal.shows("type=0");
    terminal.send("\r\u{13}");
    terminal.shows("saved");
    leave(&mut terminal, "q");
}

#[test]
fn a_stopped_session_ends_with_its_edits_kept() {
    let place = Place::new();
    // A shell with job control, as ssh gives one.
    let run = format!(
        "set -m; '{}' '{}'; echo \"stopped by $?\"; kill %1; sleep 1; jobs; wait; exec sleep 60",
        program(),
        place.file().display()
    );
    let mut terminal = Terminal::at_home(&place.home(), "bash", &["-c", &run], (80, 24));
    terminal.shows("-rtc base=utc");
    terminal.send("d");
    terminal.shows("[modified]");
    terminal.send("\u{1a}");
    terminal.shows("stopped by 147");
    terminal.shows("Exit 143");
    assert!(terminal.text().contains("your changes are kept"), "{}", terminal.text());
    let mut terminal = place.open();
    terminal.shows("Restore them?");
    leave(&mut terminal, "Dq");
}

#[test]
fn a_write_in_place_is_ended_before_the_session_is() {
    let place = Place::new();
    let other = place.dir.path().join("other.xml");
    std::fs::hard_link(place.file(), &other).unwrap();
    // Writing takes half a second from its start to its end.
    let Some(mut terminal) = place.delayed("ftruncate", 400) else { return };
    terminal.shows("-rtc base=utc");
    terminal.send("d\u{13}");
    terminal.shows("2 names");
    terminal.send("y");
    terminal.shows("[saving…]");
    let program =
        std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", terminal.child.id()))
            .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    Command::new("kill").args(["-TERM", program.trim()]).status().unwrap();
    terminal.end();
    assert_eq!((text(&place.file()), text(&other)), (edited(), edited()));
}

#[test]
fn what_the_users_editor_wrote_outlives_a_kill() {
    let place = Place::new();
    let editor = place.dir.path().join("editor");
    std::fs::write(&editor, "#!/bin/sh\necho base=localtime > \"$1\"\nexec sleep 20\n").unwrap();
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run =
        format!("EDITOR='{}' exec '{}' '{}'", editor.display(), program(), place.file().display());
    let mut terminal = Terminal::at_home(&place.home(), "/bin/sh", &["-c", &run], (80, 24));
    terminal.shows("-rtc base=utc");
    terminal.send("E");
    terminal.settle();
    terminal.settle();
    terminal.signal("KILL");
    terminal.child.wait().unwrap();
    let mut terminal = place.opened(&place.file());
    terminal.shows("Restore them?");
    terminal.send("y");
    terminal.shows("base=localtime");
    terminal.send("\r");
    terminal.shows("-rtc base=localtime");
    leave(&mut terminal, "qy");
}

#[test]
fn who_writes_during_a_slow_save_is_not_written_over() {
    let place = Place::new();
    let Some(mut terminal) = place.delayed("fsync", 300) else { return };
    terminal.shows("-rtc base=utc");
    terminal.send("d\u{13}");
    terminal.shows("[saving…]");
    std::thread::sleep(std::time::Duration::from_millis(150));
    let theirs = VM.replace("<memory>1<", "<memory>2<");
    std::fs::write(place.file(), &theirs).unwrap();
    terminal.shows("changed by somebody else");
    assert_eq!(text(&place.file()), theirs);
    terminal.send("m");
    terminal.shows("saved");
    leave(&mut terminal, "q");
    assert_eq!(text(&place.file()), edited().replace("<memory>1<", "<memory>2<"));
}

#[test]
fn what_libvirt_does_not_take_is_said_and_stays() {
    let place = Place::new();
    let libvirt = place.dir.path().join("libvirt.xml");
    std::fs::write(&libvirt, VM).unwrap();
    // A driver that knows no passthrough, as test:///default.
    let script = format!("case \"$*\" in *dumpxml*) exec cat '{0}';; esac", libvirt.display());
    let mut terminal = connected(&place, &script);
    terminal.shows("-rtc base=utc");
    terminal.send("d\u{13}");
    terminal.shows("libvirt has not taken all of it");
    terminal.shows("[modified]");
    terminal.send("q");
    terminal.shows("Leave without them?");
    leave(&mut terminal, "y");
}

#[test]
fn a_disk_that_does_not_answer_is_said() {
    let place = Place::new();
    let Some(mut terminal) = place.delayed("fsync", 1800) else { return };
    terminal.shows("-rtc base=utc");
    terminal.send("d");
    terminal.shows("not kept");
    terminal.shows("edits are kept again");
    leave(&mut terminal, "qy");
}
