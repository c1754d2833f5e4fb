//! The real program in a pseudo-terminal: what it shows, and how it gives the terminal back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pty;

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use pty::{PATIENCE, Terminal};

const VM: &str = "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>vm</name>
  <qemu:commandline>
    <qemu:arg value='-rtc'/>
    <qemu:arg value='base=utc'/>
    <qemu:arg value='-hda'/>
    <qemu:arg value='/nonexistent/a.img'/>
  </qemu:commandline>
</domain>
";

fn vm() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vm.xml");
    std::fs::write(&path, VM).unwrap();
    let shown = path.to_str().unwrap().to_owned();
    (dir, shown)
}

#[test]
fn edit_save_quit() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("-rtc base=utc");
    terminal.shows("will not start");
    terminal.send("k\r");
    terminal.shows("Edit");
    terminal.send(",clock=host\r");
    terminal.shows("[modified]");
    terminal.send("\u{13}");
    terminal.shows("virsh define");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        VM.replace("base=utc", "base=utc,clock=host")
    );
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
    terminal.is_restored();
}

#[test]
fn the_first_frame_comes_before_the_host_answers() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("-rtc base=utc");
    terminal.shows("will not start");
    let raw = String::from_utf8_lossy(&terminal.raw).into_owned();
    assert!(raw.contains("looking at the host"), "{raw:?}");
    assert!(
        !raw.contains("\u{1b}[6n") && !raw.contains("\u{1b}[c"),
        "nothing is asked of the terminal that somebody waits for"
    );
    assert_eq!(raw.matches("\u{1b}]11;?\u{7}").count(), 1, "its background is asked for once");
    terminal.send("q");
    assert!(terminal.end().success());
}

#[test]
fn a_pasted_line_end_is_no_enter() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("-rtc");
    terminal.send("a\u{1b}[200~-append\n\u{1b}[201~\t\u{1b}[200~d\nd\n\u{1b}[201~");
    terminal.shows("d d");
    terminal.send("\r");
    terminal.shows("-append d d");
    terminal.send("qy");
    assert!(terminal.end().success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), VM);
}

#[test]
fn the_screen_follows_the_window() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("will not start");
    terminal.resize(40, 15);
    terminal.until("a small screen", |screen| {
        screen.contents().lines().count() <= 15 && screen.contents().contains("2 of 2")
    });
    terminal.resize(120, 40);
    terminal.until("a large screen", |screen| {
        screen.contents().contains("✗ will not start") && screen.contents().contains("Environment")
    });
    terminal.resize(10, 3);
    terminal.shows("terminal");
    terminal.resize(80, 24);
    terminal.shows("-rtc base=utc");
    terminal.send("q");
    assert!(terminal.end().success());
    terminal.is_restored();
}

#[test]
fn signals_end_it_with_the_terminal_restored_and_the_work_kept() {
    for (name, number) in [("TERM", 15), ("HUP", 1), ("INT", 2), ("QUIT", 3)] {
        let (_dir, path) = vm();
        let mut terminal = Terminal::start(&[&path], 80, 24);
        terminal.shows("-rtc");
        terminal.send("d");
        terminal.shows("[modified]");
        terminal.signal(name);
        assert_eq!(terminal.end().code(), Some(128 + number), "{name}");
        terminal.is_restored();
        assert!(terminal.text().contains("your changes are kept"), "{name}: {}", terminal.text());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), VM);
    }
}

#[test]
fn half_an_escape_sequence_does_not_hold_it_up() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("-rtc");
    terminal.send("\u{1b}[");
    std::thread::sleep(Duration::from_millis(50));
    terminal.signal("TERM");
    assert_eq!(terminal.end().code(), Some(143));
    terminal.is_restored();
}

#[test]
fn suspending_gives_the_terminal_back_and_returns() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("-rtc");
    terminal.send("\u{1a}");
    terminal.until("the normal screen", |screen| !screen.alternate_screen());
    let stopped = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", terminal.child.id())).unwrap();
        stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
    };
    let deadline = Instant::now() + PATIENCE;
    while !stopped() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    terminal.is_restored();
    terminal.signal("CONT");
    terminal.until("the editor again", |screen| {
        screen.alternate_screen() && screen.contents().contains("-rtc base=utc")
    });
    terminal.send("q");
    assert!(terminal.end().success());
    terminal.is_restored();
}

#[test]
fn a_terminal_that_died_ends_it_at_once() {
    let (dir, path) = vm();
    let mark = dir.path().join("pid");
    let script = format!(
        "trap '' HUP; '{}' '{path}' & echo $! > '{}'; wait",
        env!("CARGO_BIN_EXE_qpt-tui"),
        mark.display()
    );
    // A background job may not read the terminal, so the leader waits and the editor stays in its group.
    let script = script.replace(" & echo $! >", "; true >");
    let mut terminal = Terminal::run("/bin/sh", &["-c", &script], 80, 24);
    terminal.shows("-rtc");
    let leader = terminal.child.id();
    let children =
        std::fs::read_to_string(format!("/proc/{leader}/task/{leader}/children")).unwrap();
    let editor: u32 = children.split_whitespace().next().unwrap().parse().unwrap();
    let Terminal { pty, mut child, output, .. } = terminal;
    // The reading thread holds the pty as well: it ends when its receiver is gone and something arrives.
    drop(output);
    (&*pty).write_all(b"j").unwrap();
    let deadline = Instant::now() + PATIENCE;
    while std::sync::Arc::strong_count(&pty) > 1 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(pty);
    while Path::new(&format!("/proc/{editor}/exe")).exists() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        !Path::new(&format!("/proc/{editor}/exe")).exists(),
        "the editor outlived its terminal"
    );
    let _ = child.wait();
}

#[test]
fn without_a_terminal_there_is_one_sentence() {
    let (_dir, path) = vm();
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_qpt-tui")).arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).starts_with("qpt-tui: the editor needs a terminal")
    );
    assert!(output.status.signal().is_none());
}

#[test]
fn a_double_click_edits_and_two_single_ones_do_not() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("1 of 2 is stopped");
    let row = terminal.text().lines().position(|line| line.contains("-rtc base=utc")).unwrap() + 1;
    let click = format!("\u{1b}[<0;20;{row}M\u{1b}[<0;20;{row}m");
    terminal.send(&click);
    std::thread::sleep(Duration::from_millis(600));
    terminal.send(&click);
    terminal.settle();
    assert!(!terminal.text().contains("Edit ─"), "{}", terminal.text());
    std::thread::sleep(Duration::from_millis(600));
    terminal.send(&click);
    terminal.send(&click);
    terminal.shows("Edit ─");
    terminal.send("\u{1b}");
    terminal.until("the lists", |screen| !screen.contents().contains("Edit ─"));
    terminal.send(":q!\r");
    assert!(terminal.end().success());
}

#[test]
fn idle_means_idle() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("will not start");
    // After a pause the next keys are told, once.
    terminal.shows("Enter edits it");
    let switches = || {
        let mut count = 0_u64;
        for task in
            std::fs::read_dir(format!("/proc/{}/task", terminal.child.id())).unwrap().flatten()
        {
            let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            count += status
                .lines()
                .filter_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
                .filter_map(|n| n.trim().parse::<u64>().ok())
                .sum::<u64>();
        }
        count
    };
    std::thread::sleep(Duration::from_millis(300));
    let before = switches();
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(switches(), before, "something woke the program");
    terminal.send("j");
    terminal.until("no hints", |screen| !screen.contents().contains("Enter edits it"));
    terminal.send("q");
    assert!(terminal.end().success());
}

#[test]
fn what_somebody_else_wrote_is_not_overwritten_unasked() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("-rtc");
    terminal.send("d");
    terminal.shows("[modified]");
    std::fs::write(&path, "<domain/>").unwrap();
    terminal.send("\u{13}");
    terminal.shows("take theirs");
    terminal.send("n");
    terminal.until("the lists again", |screen| !screen.contents().contains("take theirs"));
    terminal.send("\u{13}");
    terminal.shows("take theirs");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "<domain/>");
    terminal.send("o");
    terminal.shows("saved");
    terminal.send("q");
    assert!(terminal.end().success());
    assert!(std::fs::read_to_string(&path).unwrap().contains("/nonexistent/a.img"));
}

#[test]
fn the_mouse_is_taken_and_given_back() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("will not start");
    assert_ne!(terminal.screen.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    // Clicks (SGR) on the second option, and on the word of the fourth tab.
    let click = |terminal: &Terminal, word: &str| {
        let text = terminal.text();
        let (row, line) = text.lines().enumerate().find(|(_, line)| line.contains(word)).unwrap();
        let column = line[..line.find(word).unwrap()].chars().count() + 2;
        terminal.send(&format!("\u{1b}[<0;{column};{0}M\u{1b}[<0;{column};{0}m", row + 1));
    };
    click(&terminal, "-hda");
    terminal.shows("/nonexistent/a.img is not there");
    terminal.send("d");
    terminal.shows("[modified]");
    click(&terminal, "Diff");
    terminal.shows("-     <qemu:arg value='-hda'/>");
    terminal.send("qy");
    assert!(terminal.end().success());
    assert_eq!(terminal.screen.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    terminal.is_restored();
}

#[test]
fn a_paste_at_the_lists_is_shown_before_it_is_taken() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("-rtc");
    terminal.send(
        "\u{1b}[200~qemu-system-x86_64 -m 4G \\\n -device 'virtio-rng-pci,addr=0x1e'\u{1b}[201~",
    );
    terminal.shows("[+] -device virtio-rng-pci,addr=0x1e");
    terminal.shows("said by <memory>");
    terminal.send("\r");
    terminal.shows("u takes them back");
    terminal.send("\u{13}");
    terminal.shows("virsh define");
    terminal.send("q");
    assert!(terminal.end().success());
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("<qemu:arg value='virtio-rng-pci,addr=0x1e'/>")
    );
}

#[test]
fn a_wrong_configuration_is_an_error_with_its_line() {
    let (dir, path) = vm();
    let config = dir.path().join("qpt-tui");
    std::fs::create_dir(&config).unwrap();
    std::fs::write(config.join("config.toml"), "mouse = false\n[keys.list]\nw = \"sav\"\n")
        .unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
        .arg(&path)
        .env("XDG_CONFIG_HOME", dir.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("config.toml:3:5: there is no action 'sav' here"), "{error}");
    // A link to it is the same.
    std::fs::rename(config.join("config.toml"), dir.path().join("kept.toml")).unwrap();
    std::os::unix::fs::symlink("../kept.toml", config.join("config.toml")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
        .arg(&path)
        .env("XDG_CONFIG_HOME", dir.path())
        .output()
        .unwrap();
    let linked = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(linked, error);
}

#[test]
fn a_pipe_in_the_place_of_the_configuration_is_waited_for_by_nobody() {
    let (_keep, path) = vm();
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("qpt-tui");
    std::fs::create_dir(&config).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    let name = config.join("config.toml");
    rustix::fs::mknodat(rustix::fs::CWD, &name, fifo, 0o666.into(), 0).unwrap();
    let output = std::process::Command::new("timeout")
        .args(["10", env!("CARGO_BIN_EXE_qpt-tui")])
        .arg(&path)
        .env("XDG_CONFIG_HOME", dir.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("config.toml: it is no regular file"), "{error}");
}

#[test]
fn a_readonly_editor_saves_nothing() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&["--readonly", &path], 80, 24);
    terminal.shows("[read-only]");
    terminal.send("d\u{13}");
    terminal.shows("it was opened with --readonly");
    terminal.send("qy");
    assert!(terminal.end().success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), VM);
}

#[test]
fn a_value_goes_through_the_users_editor() {
    let (dir, path) = vm();
    let editor = dir.path().join("editor");
    // It reads a line from the terminal, which must be its own meanwhile.
    std::fs::write(
        &editor,
        "#!/bin/sh\nprintf 'your word: '\nread word\nprintf '%s\\n' \"base=$word\" > \"$1\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let script =
        format!("EDITOR='{}' exec {} '{path}'", editor.display(), env!("CARGO_BIN_EXE_qpt-tui"));
    let mut terminal = Terminal::run("/bin/sh", &["-c", &script], 80, 24);
    terminal.shows("-rtc base=utc");
    terminal.send("E");
    terminal.shows("your word:");
    terminal.send("localtime\n");
    terminal.shows("base=localtime");
    terminal.send("\r");
    terminal.shows("-rtc base=localtime");
    terminal.send("\u{13}");
    terminal.shows("virsh define");
    terminal.send("q");
    assert!(terminal.end().success());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), VM.replace("utc", "localtime"));
    terminal.is_restored();
}

#[test]
fn the_first_key_after_a_resize_acts_at_once() {
    let (_dir, path) = vm();
    let mut terminal = Terminal::start(&[&path], 80, 24);
    terminal.shows("will not start");
    for round in 0..5_u16 {
        terminal.resize(82 + round, 24);
        terminal.settle();
        terminal.send(if round % 2 == 0 { "D" } else { "u" });
        let modified = round % 2 == 0;
        terminal.until("the key's effect", |screen| {
            screen.contents().contains("[modified]") == modified
        });
    }
    terminal.send("qy");
    assert!(terminal.end().success());
}

#[test]
fn line_ends_of_a_paste_are_what_terminals_send() {
    for end in ["\r", "\r\n", "\n"] {
        let (_dir, path) = vm();
        let mut terminal = Terminal::start(&[&path], 80, 24);
        terminal.shows("-rtc");
        terminal.send(&format!(
            "\u{1b}[200~# from a guide{end}qemu-system-x86_64 \\{end}  -device virtio-rng-pci \\{end}  -snapshot{end}\u{1b}[201~"
        ));
        terminal.shows("[+] -device virtio-rng-pci");
        terminal.shows("[+] -snapshot");
        terminal.send("\u{1b}");
        terminal.shows("Drop what you pasted?");
        terminal.send("y");
        terminal.until("the lists", |screen| !screen.contents().contains("[+] -snapshot"));
        terminal.send("q");
        assert!(terminal.end().success());
    }
}

/// The colour of the first letter of a text on the screen.
fn colour(screen: &vt100::Screen, text: &str) -> vt100::Color {
    let rows = screen.rows(0, screen.size().1.into());
    let found = rows.enumerate().find_map(|(row, line)| {
        let at = line.find(text)?;
        Some((row, line[..at].chars().count()))
    });
    let (row, column) = found.unwrap();
    let (row, column) = (u16::try_from(row).unwrap(), u16::try_from(column).unwrap());
    screen.cell(row, column).unwrap().fgcolor()
}

#[test]
fn the_colours_follow_the_background_that_the_terminal_answers() {
    const WHITE: &str = "rgb:ffff/ffff/ffff";
    const BLACK: &str = "rgb:0000/0000/0000";
    // Letters are nearly black on white and nearly white on black; without an answer they are the terminal's own.
    for (answer, expected) in [(WHITE, 235), (BLACK, 253)] {
        for end in ["\u{7}", "\u{1b}\\"] {
            let (_dir, path) = vm();
            let mut terminal = Terminal::start(&[&path], 80, 24);
            terminal.shows("will not start");
            assert_eq!(colour(terminal.screen.screen(), "-rtc"), vt100::Color::Default);
            std::thread::sleep(Duration::from_millis(300));
            terminal.send(&format!("\u{1b}]11;{answer}{end}"));
            terminal.until("the colours for the background", |screen| {
                colour(screen, "-rtc") == vt100::Color::Idx(expected)
            });
            terminal.send("q");
            assert!(terminal.end().success());
        }
    }
}

#[test]
fn an_answer_is_never_typed_however_it_comes() {
    const ANSWER: &str = "\u{1b}]11;rgb:dddd/aaaa/dddd\u{7}";
    // Torn anywhere, between keys, and late: a 'd' in it would delete, a 'q' behind it leaves.
    for at in [1, 2, 4, 8, 9, 15, ANSWER.len() - 1] {
        let (_dir, path) = vm();
        let mut terminal = Terminal::start(&[&path], 80, 24);
        terminal.shows("will not start");
        terminal.send("D");
        terminal.shows("[modified]");
        terminal.send(&ANSWER[..at]);
        std::thread::sleep(Duration::from_millis(20));
        terminal.send(&format!("{}u", &ANSWER[at..]));
        terminal
            .until("the document as it was", |screen| !screen.contents().contains("[modified]"));
        terminal.settle();
        assert!(!terminal.text().contains("[modified]"), "torn at {at}: {}", terminal.text());
        terminal.send("q");
        assert!(terminal.end().success(), "torn at {at}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), VM);
    }
}

#[test]
fn an_answer_does_not_come_to_the_shells_prompt() {
    let (_dir, path) = vm();
    let script = format!("'{}' '{path}'; echo back; cat", env!("CARGO_BIN_EXE_qpt-tui"));
    let mut terminal = Terminal::run("/bin/sh", &["-c", &script], 80, 24);
    terminal.until("the question", vt100::Screen::alternate_screen);
    // It leaves at once, and the answer is under way as long as it is through ssh.
    terminal.send("q");
    std::thread::sleep(Duration::from_millis(150));
    terminal.send("\u{1b}]11;rgb:ffff/ffff/ffff\u{7}");
    terminal.shows("back");
    terminal.send("\u{4}");
    terminal.end();
    assert!(!terminal.text().contains("rgb:"), "{}", terminal.text());
}

#[test]
fn who_said_the_theme_is_not_asked_for_it() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join(".config/qpt-tui");
    std::fs::create_dir_all(&config).unwrap();
    for (theme, colours) in [("light", vt100::Color::Idx(235)), ("mono", vt100::Color::Default)] {
        std::fs::write(config.join("config.toml"), format!("ask = false\ntheme = \"{theme}\"\n"))
            .unwrap();
        let (_dir, path) = vm();
        let program = env!("CARGO_BIN_EXE_qpt-tui");
        let mut terminal = Terminal::at_home(home.path(), program, &[&path], (80, 24));
        terminal.shows("will not start");
        assert!(!String::from_utf8_lossy(&terminal.raw).contains("\u{1b}]11;?"), "{theme}");
        assert_eq!(colour(terminal.screen.screen(), "-rtc"), colours, "{theme}");
        terminal.send("q");
        assert!(terminal.end().success());
    }
}

#[test]
fn the_console_has_plain_signs_and_is_not_asked() {
    let (_dir, path) = vm();
    let script = format!("TERM=linux exec '{}' '{path}'", env!("CARGO_BIN_EXE_qpt-tui"));
    let mut terminal = Terminal::run("/bin/sh", &["-c", &script], 80, 24);
    terminal.shows("will not start");
    assert!(terminal.text().is_ascii(), "{}", terminal.text());
    assert!(!String::from_utf8_lossy(&terminal.raw).contains("\u{1b}]11;?"));
    terminal.send("q");
    assert!(terminal.end().success());
}
