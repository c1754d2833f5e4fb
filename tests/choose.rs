//! Choosing what to open: keys and news in, frames and wishes out; and the real program in a pseudo-terminal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pty;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use pty::{Terminal, VM};
use qpt_tui::store::{Found, Listed, Runs, Shelf};
use qpt_tui::tui::choose::{Came, Chooser, Item, Lane, Missing, Outlook, Wish, as_file};
use qpt_tui::tui::keymap::Keymap;
use qpt_tui::tui::theme::Theme;
use qpt_tui::tui::view::choose as view;
use ratatui::Terminal as Screen;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;

fn listed(name: &str, runs: Runs, transient: bool) -> Listed {
    let uuid = format!("{name:0>8}-0000-4000-8000-000000000000");
    Listed { name: name.to_owned(), uuid, runs, transient }
}

fn shelf() -> Shelf {
    let domains = vec![
        listed("win11", Runs::No, false),
        listed("router", Runs::Yes, false),
        listed("build-4711", Runs::Yes, true),
        listed("old", Runs::Paused, false),
    ];
    Shelf { uri: "qemu:///system".to_owned(), domains }
}

fn files(names: &[&str]) -> Came {
    let domains: Vec<OsString> = names.iter().map(OsString::from).collect();
    let (files, looked) = (names.len(), names.len());
    Came::Files(PathBuf::from("."), Ok(Found { domains, files, looked }))
}

/// A chooser that has not heard of anything yet.
fn fresh(lists: usize) -> Chooser {
    let mut chooser = Chooser::new(String::new(), Keymap::default());
    chooser.page = 10;
    chooser.look(lists);
    chooser
}

/// Domains and files, some of them judged.
fn chooser() -> Chooser {
    let mut chooser = fresh(2);
    chooser.came(files(&["gaming.xml", "win11.xml", "new\u{1b}[31m.xml"]));
    chooser.came(Came::Done);
    chooser.came(Came::Domains(Ok(shelf())));
    chooser.came(Came::Done);
    let domain = |name: &str| {
        let found = shelf().domains.into_iter().find(|one| one.name == name).unwrap();
        Item::Domain { uri: "qemu:///system".to_owned(), listed: found }
    };
    let blocked = "/home/me has mode 0700, owner me: QEMU's user may not enter it, and so can't reach /home/me/vm/data.qcow2".to_owned();
    for (item, outlook, name) in [
        (domain("win11"), Outlook::Fails(blocked), "win11"),
        (domain("router"), Outlook::Starts, "router"),
        (domain("build-4711"), Outlook::Nothing, "build-4711"),
        (Item::File("gaming.xml".into()), Outlook::Warns("the port is taken".to_owned()), "gaming"),
        (
            Item::File("win11.xml".into()),
            Outlook::Unknown("/srv can't be looked at".to_owned()),
            "win11",
        ),
    ] {
        chooser.came(Came::Judged(item, outlook, name.to_owned()));
    }
    chooser
}

/// Types keys as they are written in the manual: characters, and names in `<>`; what is wished for then.
fn keys(chooser: &mut Chooser, keys: &str) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
        let (event, length) = match rest.find('>').filter(|_| c == '<' && rest.len() > 1) {
            Some(end) => {
                let event = match &rest[1..end] {
                    "Enter" => plain(KeyCode::Enter),
                    "Esc" => plain(KeyCode::Esc),
                    "Down" => plain(KeyCode::Down),
                    "End" => plain(KeyCode::End),
                    "BS" => plain(KeyCode::Backspace),
                    "C-c" => KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
                    "C-r" => KeyEvent::new(KeyCode::Char('r'), KeyModifiers::CONTROL),
                    other => panic!("no key {other}"),
                };
                (event, end + 1)
            }
            None => (plain(KeyCode::Char(c)), c.len_utf8()),
        };
        rest = &rest[length..];
        wishes.extend(chooser.key(event));
    }
    wishes
}

fn frame(chooser: &Chooser, width: u16, height: u16) -> String {
    let mut screen = Screen::new(TestBackend::new(width, height)).unwrap();
    screen.draw(|frame| view::draw(frame, chooser, Theme::new(true))).unwrap();
    format!("{}", screen.backend())
}

fn name(chooser: &Chooser) -> String {
    chooser.row().map(|row| row.item.name()).unwrap_or_default()
}

#[test]
fn the_list() {
    for (width, height) in [(80, 24), (40, 15), (120, 40)] {
        let size = format!("{width}x{height}");
        let mut all = chooser();
        insta::assert_snapshot!(format!("list_{size}"), frame(&all, width, height));
        keys(&mut all, "win");
        insta::assert_snapshot!(format!("filter_{size}"), frame(&all, width, height));
        keys(&mut all, "dows");
        insta::assert_snapshot!(format!("nothing_{size}"), frame(&all, width, height));
        keys(&mut all, "<Enter>");
        insta::assert_snapshot!(format!("missing_{size}"), frame(&all, width, height));
        let mut help = chooser();
        keys(&mut help, "?");
        insta::assert_snapshot!(format!("help_{size}"), frame(&help, width, height));
        insta::assert_snapshot!(format!("waiting_{size}"), frame(&fresh(2), width, height));
        let mut empty = fresh(2);
        empty.came(Came::Domains(Err(
            "qemu:///system: libvirt does not run\n  start it: systemctl start libvirtd".to_owned(),
        )));
        empty.came(files(&[]));
        empty.came(Came::Done);
        empty.came(Came::Done);
        insta::assert_snapshot!(format!("demo_{size}"), frame(&empty, width, height));
    }
}

#[test]
fn every_size_is_drawn_without_a_panic() {
    for (width, height) in [(1, 1), (19, 5), (20, 6), (29, 7), (40, 15), (79, 11), (200, 60)] {
        for typed in ["", "?", "win", "nosuch", "nosuch<Enter>", "<End>"] {
            let mut chooser = chooser();
            chooser.notes.push("a note ".repeat(40));
            keys(&mut chooser, typed);
            frame(&chooser, width, height);
        }
    }
}

#[test]
fn those_that_run_come_first_then_domains_then_files() {
    let chooser = chooser();
    let names: Vec<String> = chooser.rows.iter().map(|row| row.item.name()).collect();
    assert_eq!(
        names,
        ["build-4711", "old", "router", "win11", "gaming.xml", "new\u{1b}[31m.xml", "win11.xml"]
    );
    // Nothing of a name reaches the terminal as a command.
    assert!(frame(&chooser, 80, 24).contains("new␛[31m.xml"));
}

#[test]
fn typing_filters_and_esc_leads_back() {
    let mut chooser = chooser();
    keys(&mut chooser, "win");
    assert_eq!(chooser.shown().len(), 2);
    // Every word has to be there; a state is one.
    keys(&mut chooser, " defined");
    assert_eq!((chooser.shown().len(), name(&chooser)), (1, "win11".to_owned()));
    assert_eq!(keys(&mut chooser, "<Esc>"), []);
    assert_eq!((chooser.shown().len(), name(&chooser)), (7, "win11".to_owned()));
    assert_eq!(keys(&mut chooser, "<Esc>"), [Wish::Leave]);
    // q leaves where nothing is typed, and is a letter otherwise.
    assert_eq!(keys(&mut chooser, "q"), [Wish::Leave]);
    assert_eq!(keys(&mut chooser, "aq"), []);
    assert_eq!(chooser.filter, "aq");
    assert_eq!(keys(&mut chooser, "<BS><BS>/q"), []);
    assert_eq!(chooser.filter, "q");
    assert_eq!(keys(&mut chooser, "<C-c>"), [Wish::Leave]);
    // Names of all kinds: in capitals, of the connection, by the UUID.
    for (typed, count) in [("WIN11", 2), ("qemu:///system", 4), ("000win11", 1), ("0000", 0)] {
        chooser.narrow(typed.to_owned());
        assert_eq!(chooser.shown().len(), count, "{typed}");
    }
}

#[test]
fn enter_opens_what_is_selected_and_esc_waits_no_longer() {
    let mut chooser = chooser();
    let wishes = keys(&mut chooser, "gaming<Enter>");
    assert_eq!(wishes, [Wish::Open(Item::File("gaming.xml".into()))]);
    assert!(frame(&chooser, 80, 24).contains("opening gaming.xml…"));
    assert_eq!(keys(&mut chooser, "<Enter><Esc>"), []);
    assert_eq!(chooser.opening, None);
    chooser.failed("gaming.xml: there is no such file".to_owned());
    assert!(frame(&chooser, 80, 24).contains("gaming.xml: there is no such file"));
}

#[test]
fn the_mouse_selects_and_a_double_click_opens() {
    let mut chooser = chooser();
    let screen = Rect::new(0, 0, 80, 24);
    let event = |kind, row| MouseEvent { kind, column: 30, row, modifiers: KeyModifiers::NONE };
    let click = |row| event(MouseEventKind::Down(MouseButton::Left), row);
    assert_eq!(chooser.mouse(click(5), screen, false), None);
    assert_eq!(name(&chooser), "win11");
    let opened = chooser.mouse(click(5), screen, true).unwrap();
    assert!(matches!(opened, Wish::Open(Item::Domain { listed, .. }) if listed.name == "win11"));
    chooser.opening = None;
    // The second click of two on other rows selects.
    assert_eq!(chooser.mouse(click(4), screen, true), None);
    assert_eq!(name(&chooser), "router");
    assert_eq!(chooser.mouse(click(20), screen, true), None);
    chooser.mouse(event(MouseEventKind::ScrollDown, 5), screen, false);
    assert_eq!(name(&chooser), "new\u{1b}[31m.xml");
}

#[test]
fn what_is_on_the_screen_is_judged_first_and_once() {
    let mut chooser = fresh(1);
    chooser.page = 4;
    let names: Vec<String> = (0..30).map(|number| format!("{number:02}.xml")).collect();
    chooser.came(files(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    chooser.came(Came::Done);
    keys(&mut chooser, "<End>");
    let mut next = || {
        let items = chooser.unjudged(Lane::Files, 3);
        items.iter().map(Item::name).collect::<Vec<_>>()
    };
    assert_eq!(next(), ["26.xml", "27.xml", "28.xml"]);
    assert_eq!(next(), ["29.xml"]);
    assert_eq!(next(), ["00.xml", "01.xml", "02.xml"]);
    assert!(chooser.unjudged(Lane::Domains, 3).is_empty());
}

#[test]
fn a_second_look_keeps_the_cursor_and_drops_what_is_gone() {
    let mut chooser = chooser();
    keys(&mut chooser, "<Down><Down><Down>");
    assert_eq!(name(&chooser), "win11");
    assert_eq!(keys(&mut chooser, "<C-r>"), [Wish::Look]);
    chooser.look(2);
    assert!(chooser.is_looking() && chooser.rows.iter().all(|row| row.outlook.is_none()));
    assert!(chooser.unjudged(Lane::Files, 9).is_empty(), "what may be gone is not judged");
    let mut fewer = shelf();
    fewer.domains.retain(|one| one.name != "build-4711");
    chooser.came(Came::Domains(Ok(fewer)));
    chooser.came(Came::Done);
    assert_eq!(name(&chooser), "win11");
    chooser.came(Came::Files(".".into(), Err("./: you may not read it".to_owned())));
    chooser.came(Came::Done);
    let names: Vec<String> = chooser.rows.iter().map(|row| row.item.name()).collect();
    assert_eq!(names, ["old", "router", "win11"]);
    assert!(frame(&chooser, 80, 24).contains("you may not read it"));
}

#[test]
fn a_name_that_nothing_has_can_be_made() {
    let mut here = chooser();
    assert_eq!(keys(&mut here, "nosuch<Enter>n"), []);
    let made = [Wish::Make(PathBuf::from("nosuch.xml"))];
    assert_eq!(keys(&mut here, "<Enter>y"), made);
    assert_eq!(as_file("a/b"), Path::new("a/b"));
    // What was named on the command line is all that there was to do.
    let mut named = fresh(0);
    let text = "There is no file 'x.xml'.".to_owned();
    named.ask(Missing { path: "x.xml".into(), text, leaves: true });
    assert!(frame(&named, 80, 24).contains("y make it  n leave"));
    assert_eq!(keys(&mut named, "jxn"), [Wish::Refuse]);
}

#[test]
fn files_that_were_not_looked_at_are_told_of() {
    let mut chooser = fresh(1);
    let found = Found { domains: vec!["a.xml".into()], files: 5_000, looked: 1_000 };
    chooser.came(Came::Files("vms".into(), Ok(found)));
    chooser.came(Came::Done);
    assert!(frame(&chooser, 120, 40).contains("5000 XML files are here, the first 1000 were"));
    assert_eq!(chooser.row().unwrap().item, Item::File("vms/a.xml".into()));
}

// The program.

/// A directory with files, and a virsh that knows one domain.
struct Place {
    dir: tempfile::TempDir,
}

const VIRSH: &str = r#"case "$*" in
  *list*) printf 'qemu:///system\n=all=5f0a0f0c-6f6e-4f2a-9a55-0d2f0a6f7e22 router\n=running=5f0a0f0c-6f6e-4f2a-9a55-0d2f0a6f7e22\n=paused==transient==end=' ;;
  *dumpxml*) cat "$(dirname "$0")/router" ;;
  *) exit 1 ;;
esac"#;

impl Place {
    fn new(virsh: &str) -> Place {
        let place = Place { dir: tempfile::tempdir().unwrap() };
        for name in ["vms", "bin", "home"] {
            std::fs::create_dir(place.at(name)).unwrap();
        }
        std::fs::write(place.at("bin/virsh"), format!("#!/bin/sh\n{virsh}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(place.at("bin/virsh"), mode).unwrap();
        std::fs::write(place.at("bin/router"), VM.replace(">vm<", ">router<")).unwrap();
        std::fs::write(place.at("vms/vm.xml"), VM).unwrap();
        std::fs::write(place.at("vms/net.xml"), "<network/>").unwrap();
        place
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self, arguments: &str) -> Terminal {
        let script = format!(
            "cd '{}' && PATH='{}':$PATH LIBVIRT_DEFAULT_URI=qemu:///system exec '{}' {arguments}",
            self.at("vms").display(),
            self.at("bin").display(),
            env!("CARGO_BIN_EXE_qpt-tui")
        );
        Terminal::at_home(&self.at("home"), "/bin/sh", &["-c", &script], (80, 24))
    }
}

#[test]
fn alone_it_lists_what_there_is_and_comes_back() {
    let place = Place::new(VIRSH);
    let mut terminal = place.start("");
    terminal.shows("1 domain, 1 file");
    terminal.until("both verdicts", |screen| {
        screen.contents().matches("✗ will not start").count() == 2
    });
    assert!(terminal.text().contains("running") && !terminal.text().contains("net.xml"));
    terminal.send("vm\r");
    terminal.shows("-hda /nonexistent/a.img");
    terminal.send("d\u{13}");
    terminal.shows("virsh define");
    terminal.send("q");
    // Fresh verdicts, and what was typed is still there.
    terminal.shows("choose a domain · 1 of 2");
    terminal.shows("no passthrough");
    terminal.send("\u{1b}");
    terminal.shows("1 domain, 1 file");
    // The same again: nobody else edits it, and nothing is offered.
    terminal.send("vm.xml\r");
    terminal.shows("none; a adds one");
    terminal.send("q");
    terminal.shows("choose a domain");
    terminal.send("\u{1b}");
    terminal.shows("1 domain, 1 file");
    terminal.send("router\r");
    terminal.shows("router · qemu:///system");
    terminal.shows("-hda /nonexistent/a.img");
    terminal.send("q");
    terminal.shows("choose a domain");
    terminal.send("\u{1b}");
    terminal.shows("1 domain, 1 file");
    terminal.send("\u{1b}");
    assert_eq!(terminal.end().code(), Some(0));
    terminal.is_restored();
}

#[test]
fn a_libvirt_that_does_not_answer_holds_nobody_up() {
    let place = Place::new("sleep 60");
    let mut terminal = place.start("");
    terminal.shows("✗ will not start");
    terminal.send("\r");
    terminal.shows("-hda /nonexistent/a.img");
    terminal.send("q");
    terminal.shows("virsh did not answer within 4 s");
    let start = std::time::Instant::now();
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
    assert!(start.elapsed().as_secs() < 3);
}

#[test]
fn a_directory_has_its_files_and_a_connection_its_domains() {
    let place = Place::new(VIRSH);
    let mut terminal = place.start("../vms");
    terminal.shows("choose a domain · ../vms · 1 file");
    terminal.send("\r");
    terminal.shows("vm · ../vms/vm.xml");
    terminal.send("qq");
    assert_eq!(terminal.end().code(), Some(0));
    let mut terminal = place.start("--connect qemu:///system");
    terminal.shows("choose a domain · qemu:///system · 1 domain");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
    let mut terminal = place.start("--domain router");
    terminal.shows("router · qemu:///system");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_name_is_a_file_or_a_domain() {
    let place = Place::new(VIRSH);
    let mut terminal = place.start("vm");
    terminal.shows("vm · vm.xml");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0), "what was named directly is left at once");
    for name in ["router", "5f0a0f0c-6f6e-4f2a-9a55-0d2f0a6f7e22"] {
        let mut terminal = place.start(name);
        terminal.shows("router · qemu:///system");
        terminal.send("q");
        assert_eq!(terminal.end().code(), Some(0));
    }
    // Both: the choice is the user's.
    std::fs::write(place.at("vms/router.xml"), VM).unwrap();
    let mut terminal = place.start("router");
    terminal.shows("choose a domain · 2 of 3");
    terminal.send("\u{1b}");
    terminal.shows("1 domain, 2 files");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn what_is_not_there_is_offered_to_be_made() {
    let place = Place::new(VIRSH);
    let mut terminal = place.start("new");
    terminal.shows("There is no file 'new.xml', and no domain 'new'.");
    terminal.send("n");
    assert_eq!(terminal.end().code(), Some(2));
    terminal.is_restored();
    assert!(terminal.text().contains("qpt-tui: new: there is no such file"), "{}", terminal.text());
    let mut terminal = place.start("new.xml");
    terminal.shows("There is no file 'new.xml'. Make");
    terminal.send("y");
    terminal.shows("nothing is written before you save it");
    // Nothing was done: nothing is asked, and nothing is written.
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
    assert!(!place.at("vms/new.xml").exists());
    let mut terminal = place.start("new.xml");
    terminal.shows("Make a new domain");
    terminal.send("y");
    terminal.shows("new · new.xml");
    terminal.send("a-rtc\tbase=utc\r\u{13}");
    terminal.shows("saved; for libvirt");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
    let made = std::fs::read_to_string(place.at("vms/new.xml")).unwrap();
    assert!(made.contains("<name>new</name>") && made.contains("base=utc"), "{made}");
    // Where it can't be made nothing is asked.
    let mut terminal = place.start("none/new.xml");
    assert_eq!(terminal.end().code(), Some(2));
    assert!(terminal.text().contains("none/new.xml: there is no such file"));
    let mut terminal = place.start("--readonly other.xml");
    assert_eq!(terminal.end().code(), Some(2));
}

#[test]
fn what_was_typed_into_a_new_domain_is_kept() {
    let place = Place::new(VIRSH);
    let mut terminal = place.start("new.xml");
    terminal.shows("Make a new domain");
    terminal.send("y");
    terminal.shows("new · new.xml");
    terminal.send("a-rtc\tbase=utc\r");
    terminal.shows("[modified]");
    terminal.settle();
    terminal.signal("KILL");
    terminal.child.wait().unwrap();
    let mut terminal = place.start("new.xml");
    terminal.shows("a copy of it is kept");
    terminal.send("y");
    terminal.shows("Restore them?");
    terminal.send("y");
    terminal.shows("-rtc base=utc");
    terminal.send("qy");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn without_a_terminal_nothing_is_chosen() {
    let place = Place::new(VIRSH);
    for (arguments, said) in [
        (&[][..], "qpt-tui: no file was given"),
        (&["."], "qpt-tui: .: this is a directory"),
        (&["--connect", "qemu:///system"], "qpt-tui: no domain was given"),
        (&["win11"], "qpt-tui: win11: there is no such file"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
            .args(arguments)
            .current_dir(place.at("vms"))
            .env("HOME", place.at("home"))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn signals_end_the_choice_with_the_terminal_restored() {
    let place = Place::new(VIRSH);
    for (name, number) in [("TERM", 15), ("HUP", 1), ("INT", 2)] {
        let mut terminal = place.start("");
        terminal.shows("choose a domain");
        terminal.signal(name);
        assert_eq!(terminal.end().code(), Some(128 + number), "{name}");
        terminal.is_restored();
    }
}

#[test]
fn ten_thousand_files_hold_up_no_frame() {
    let place = Place::new("exit 1");
    for number in 0..10_000 {
        std::fs::write(place.at(&format!("vms/{number:05}.xml")), "<domain/>").unwrap();
    }
    let mut terminal = place.start("");
    terminal.shows("choose a domain");
    terminal.shows("10002 XML files are here, the first 1000 were looked at");
    terminal.send("\u{1b}");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn the_domains_of_a_real_libvirt_are_listed() {
    let uri = "test:///default";
    let there = Command::new("virsh").args(["-q", "-c", uri, "list"]).output();
    if !there.is_ok_and(|said| said.status.success()) {
        eprintln!("skipped: no virsh with {uri} here");
        return;
    }
    let place = Place::new(VIRSH);
    std::fs::remove_file(place.at("bin/virsh")).unwrap();
    let mut terminal = place.start(&format!("--connect {uri}"));
    terminal.shows("choose a domain · test:///default · 1 domain");
    terminal.shows("– no passthrough");
    terminal.shows("running");
    terminal.send("\r");
    terminal.shows("test · test:///default");
    terminal.send("q");
    terminal.shows("choose a domain");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_new_domain_is_one_that_libvirt_defines() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: root is needed for a libvirt of one's own");
        return;
    }
    let place = Place::new(VIRSH);
    std::fs::remove_file(place.at("bin/virsh")).unwrap();
    let uri = format!("qemu:///embed?root={}", place.at("libvirt").display());
    let there = Command::new("virsh").args(["-q", "-c", &uri, "list"]).output();
    if !there.is_ok_and(|said| said.status.success()) {
        eprintln!("skipped: no virsh with QEMU here");
        return;
    }
    let mut terminal = place.start("'a & b.xml'");
    terminal.shows("Make a new domain");
    terminal.send("y");
    terminal.shows("a & b · a & b.xml");
    terminal.send("\u{13}");
    terminal.shows("saved; for libvirt");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
    // Where there is no KVM, libvirt takes none of its domains.
    let text = std::fs::read_to_string(place.at("vms/a & b.xml")).unwrap();
    std::fs::write(place.at("vms/a & b.xml"), text.replace("'kvm'", "'qemu'")).unwrap();
    let define = Command::new("virsh")
        .args(["-q", "-c", &uri, "define", "--validate"])
        .arg(place.at("vms/a & b.xml"))
        .output()
        .unwrap();
    assert!(define.status.success(), "{}", String::from_utf8_lossy(&define.stderr));
    let mut terminal = place.start(&format!("--connect '{uri}'"));
    terminal.shows("· 1 domain");
    terminal.shows("a & b");
    terminal.shows("defined");
    terminal.send("q");
    assert_eq!(terminal.end().code(), Some(0));
}
