//! Keys in, frames and documents out: the editor without a terminal.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use crossterm::event::KeyModifiers;
use qpt_tui::domain::{Document, EntryId, List};
use qpt_tui::rules::Verdict;
use qpt_tui::store::Origin;
use qpt_tui::store::journal::{Draft, Kept, Typed};
use qpt_tui::tui::action::{Action, Effect};
use qpt_tui::tui::app::Ending;
use qpt_tui::tui::pane::{Answer, Pane};
use qpt_tui::tui::theme::Theme;
use qpt_tui::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use support::session::{DEMO, SMALL, Session, judged, session, waiting};

#[test]
fn the_main_view() {
    insta::assert_snapshot!("main_80x24", session().frame(80, 24));
    insta::assert_snapshot!("main_40x15", session().frame(40, 15));
    insta::assert_snapshot!("main_120x40", session().frame(120, 40));
    insta::assert_snapshot!("xml_80x24", session().keys("jj3").frame(80, 24));
    insta::assert_snapshot!("waiting_80x24", waiting(SMALL).frame(80, 24));
}

#[test]
fn a_pasted_message_leads_to_its_row() {
    let mut asking = session().keys("W");
    let message = "error: internal error: qemu unexpectedly closed the monitor: 2026-11-28T09:18:34.553195Z qemu-system-x86_64: -drive file=/home/me/vm/data.qcow2,format=qcow2,if=none,id=data: Could not open '/home/me/vm/data.qcow2': Permission denied";
    asking.app.paste(&format!("{message}\r"));
    insta::assert_snapshot!("why_80x24", asking.frame(80, 24));
    insta::assert_snapshot!("why_40x15", asking.frame(40, 15));
    let there = asking.keys("<Enter>");
    assert_eq!(there.app.selection(), Some((List::Args, 6..8)));
    assert!(there.frame(80, 24).contains("closed-directory"));
    let mut unknown = session().keys("W");
    unknown.app.paste("all is well");
    assert!(unknown.frame(80, 24).contains("no rule knows these words"));
    // What is pasted is a message here, and what is typed too: it changes nothing.
    assert!(!unknown.keys("dq<C-u><Esc>").app.is_modified());
}

#[test]
fn every_size_is_drawn_without_a_panic() {
    for (width, height) in
        [(1, 1), (19, 5), (20, 6), (29, 7), (40, 15), (79, 11), (100, 12), (200, 60)]
    {
        for keys in ["", "?", "<Enter>", "a", "x", "WDuplicate ID", "<Tab>", "2", "3", "/x", "dq"] {
            session().keys(keys).frame(width, height);
        }
    }
}

#[test]
fn an_option_is_edited_with_its_value() {
    let session = session().keys("<Enter>");
    insta::assert_snapshot!("form_80x24", session.frame(80, 24));
    let edited = waiting(SMALL).keys("<Enter><C-u>usb-kbd<Enter>");
    assert_eq!(edited.args()[..2], ["-device", "usb-kbd"]);
    let emptied = waiting(SMALL).keys("<Enter><C-u><Enter>");
    assert_eq!(emptied.args(), ["-device", "-S", "-rtc", "base=utc"]);
}

#[test]
fn adding_takes_an_option_and_its_value() {
    let added = waiting(SMALL).keys("ja-msg<Tab>timestamp=on<Enter>");
    assert_eq!(added.args(), ["-device", "x", "-S", "-msg", "timestamp=on", "-rtc", "base=utc"]);
    let before = waiting(SMALL).keys("A-snapshot<Enter>");
    assert_eq!(before.args()[..2], ["-snapshot", "-device"]);
    let variable = waiting(SMALL).keys("eLD_PRELOAD<Tab>/l.so<Enter>");
    assert_eq!(
        variable.app.document.environment(),
        [("A", Some("1")), ("LD_PRELOAD", Some("/l.so"))]
    );
    let empty = waiting("<domain></domain>").keys("a-S<Enter>");
    assert_eq!(empty.args(), ["-S"]);
}

#[test]
fn a_bad_name_keeps_the_form_open_and_says_why() {
    let session = waiting(SMALL).keys("e1X<Enter>");
    assert!(session.frame(80, 24).contains("begins with '1', expected a letter or underscore"));
    assert_eq!(session.app.document.source(), SMALL);
}

#[test]
fn leaving_a_form_with_text_in_it_asks() {
    let session = waiting(SMALL).keys("axyz<Esc>");
    assert!(session.frame(80, 24).contains("Drop what you typed?"));
    let kept = session.keys("n<Enter>");
    assert_eq!(kept.args()[2], "xyz");
    assert_eq!(waiting(SMALL).keys("axyz<Esc>y").app.document.source(), SMALL);
    assert_eq!(waiting(SMALL).keys("a<Esc>j").app.lists.selected, 2);
}

#[test]
fn moving_takes_the_value_along() {
    let moved = waiting(SMALL).keys("J");
    assert_eq!(moved.args(), ["-S", "-device", "x", "-rtc", "base=utc"]);
    let further = moved.keys("J");
    assert_eq!(further.args(), ["-S", "-rtc", "base=utc", "-device", "x"]);
    assert!(further.keys("J").frame(80, 24).contains("no entry that is on stands below"));
    let back = waiting(SMALL).keys("jjKK");
    assert_eq!(back.args(), ["-rtc", "base=utc", "-device", "x", "-S"]);
}

#[test]
fn deleting_keeps_the_cursor_row() {
    let session = waiting(SMALL).keys("d");
    assert_eq!(session.args(), ["-S", "-rtc", "base=utc"]);
    assert!(session.keys("d").args() == ["-rtc", "base=utc"]);
    let all = waiting(SMALL).keys("dddd");
    assert_eq!(all.app.document.entries().count(), 0);
    insta::assert_snapshot!("empty_80x24", all.frame(80, 24));
}

#[test]
fn undo_and_redo_have_no_end() {
    let session = waiting(SMALL).keys("dddd");
    let undone = session.keys("uuuu");
    assert_eq!(undone.app.document.source(), SMALL);
    let redone = undone.keys("<C-r><C-r>");
    assert_eq!(redone.args(), ["-rtc", "base=utc"]);
    assert!(waiting(SMALL).keys("u").frame(80, 24).contains("there is nothing to undo"));
}

#[test]
fn remedies_are_shown_and_used() {
    let session = session().keys("GkG");
    insta::assert_snapshot!("remedies_80x24", session.keys("ggjjjjjjx").frame(80, 24));
    let split = self::session();
    let at = split
        .app
        .lists
        .rows
        .iter()
        .position(|row| split.app.row_text(row).starts_with("-global "))
        .unwrap();
    let mut split = split;
    split.app.lists.selected = at;
    let split = split.keys("x<Enter>");
    assert!(split.args().windows(2).any(|pair| pair == ["-global", "ICH9-LPC.disable_s3=1"]));
    assert!(split.frame(80, 24).contains("u takes it back"));
}

/// Answers the question for the way as the shell does.
fn found_way(mut session: Session, only: Option<&[EntryId]>) -> Session {
    let (document, host) =
        (session.app.document.clone(), session.app.judging.host.clone().unwrap());
    let route = qpt_tui::session::plan(&document, &host, only, None);
    session.app.planned(document.source(), &route);
    session
}

#[test]
fn the_way_to_a_start_is_shown_and_its_edits_are_one_step() {
    let walked = session().keys("!s");
    let Some(Effect::Plan(Some(entries))) = walked.effects.last().cloned() else {
        panic!("of a blocked row: {:?}", walked.effects)
    };
    let shown = found_way(walked, Some(&entries));
    insta::assert_snapshot!("way_80x24", shown.frame(80, 24));
    // From a row to the whole document.
    let whole = shown.keys("v");
    assert_eq!(whole.effects.last(), Some(&Effect::Plan(None)));
    let whole = found_way(whole, None);
    insta::assert_snapshot!("way_whole_80x24", whole.frame(80, 24));
    let blocked = |session: &Session| {
        let findings = session.app.judging.findings.iter();
        findings.filter(|finding| finding.verdict == Verdict::Blocks).count()
    };
    let before = blocked(&whole);
    let copied = found_way(session().keys("s"), None).keys("c");
    assert!(
        matches!(copied.effects.last(), Some(Effect::Copy(text)) if text.contains("# in /etc/libvirt/qemu.conf:")),
        "{:?}",
        copied.effects
    );
    let edited = whole.keys("y");
    assert!(blocked(&edited) < before);
    assert_eq!(edited.keys("u").app.document.source(), DEMO);
}

#[test]
fn a_real_start_is_asked_about_first() {
    let asked = session().keys("t");
    insta::assert_snapshot!("trial_80x24", asked.frame(80, 24));
    let declined = asked.keys("n");
    assert!(declined.effects.is_empty() && declined.keys("ty").effects == [Effect::TryOut]);
    let mut failed = session();
    failed.app.tried(&Err("nothing was started: virsh could not be run".to_owned()), None);
    assert!(failed.frame(80, 24).contains("nothing was started: virsh could not be run"));
}

#[test]
fn the_diff_shows_what_saving_changes() {
    insta::assert_snapshot!("diff_80x24", waiting(DEMO).keys("jd4").frame(80, 24));
    assert!(waiting(SMALL).keys("4").frame(80, 24).contains("saving would change nothing"));
}

#[test]
fn what_is_pasted_is_shown_before_it_is_taken() {
    let mut import = session();
    import.app.paste("QEMU_X=1 qemu-system-x86_64 -m 4G \\\n -object 'input-linux,id=m,evdev=/dev/input/by-id/a b' \\\n -netdev bridge,id=n0,br=virbr0");
    insta::assert_snapshot!("import_80x24", import.frame(80, 24));
    let before = import.args().len();
    let taken = import.keys("<Enter>");
    assert!(taken.frame(80, 24).contains("added 3 of"));
    assert_eq!(taken.args().len(), before + 4);
    assert!(taken.args().contains(&"input-linux,id=m,evdev=/dev/input/by-id/a b".to_owned()));
    assert!(taken.app.document.environment().contains(&("QEMU_X", Some("1"))));
    // One step takes all of it back.
    assert_eq!(taken.keys("u").args().len(), before);

    let typed = waiting(SMALL).keys("p-S -rtc base=utc<Enter><Enter>");
    assert!(typed.frame(80, 24).contains("nothing new"), "{}", typed.frame(80, 24));
    let wrong = waiting(SMALL).keys("phello<Enter>");
    assert!(wrong.frame(80, 24).contains("is no option of QEMU"));
    assert_eq!(wrong.keys("<Esc>").args().len(), 5);
    let small = waiting(SMALL).keys("p<Esc>");
    assert_eq!(small.frame(20, 6).lines().count(), 6);
}

#[test]
fn what_is_no_entry_has_a_row_and_is_repaired_there() {
    let source = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>a</name>\n  <q:commandline>\n    <q:arg value='-S'/>\n    <q:arg/>\n    loose\n    <q:env name='A-B' value='1'/>\n  </q:commandline>\n</domain>\n";
    let mut opened = waiting(source);
    opened.app.settle();
    insta::assert_snapshot!("broken_80x24", opened.frame(80, 24));
    let given = opened.keys("j<Enter>-snapshot<Enter>");
    assert_eq!(given.args(), ["-S", "-snapshot"]);
    let renamed = given.keys("jj<Enter><Tab>");
    assert!(renamed.frame(80, 24).contains("Repair"), "{}", renamed.frame(80, 24));
    let named = renamed.keys("<BS><BS>_B<Enter>");
    assert_eq!(named.app.document.environment(), [("A_B", Some("1"))]);
    let gone = named.keys("kd");
    assert!(gone.app.document.broken().is_empty(), "{}", gone.app.document.source());
    assert_eq!(
        gone.app.document.source(),
        source
            .replace("<q:arg/>\n    loose\n", "<q:arg value='-snapshot'/>\n")
            .replace("A-B", "A_B")
    );
}

#[test]
fn several_rows_are_marked_cut_put_and_switched_off() {
    let cut = waiting(SMALL).keys("vvX");
    assert_eq!(cut.args(), ["-rtc", "base=utc"]);
    let back = cut.keys("P");
    assert_eq!(back.args(), ["-rtc", "base=utc", "-device", "x", "-S"]);
    assert_eq!(back.keys("uu").args().len(), 5);
    let shell = waiting(SMALL).keys("vvY");
    assert_eq!(shell.effects, [Effect::Copy("-device x -S".to_owned())]);
    let all = waiting(SMALL).keys("vvvv ");
    assert!(
        all.args().is_empty() && all.app.document.disabled().len() == 4,
        "{}",
        all.app.document.source()
    );
    assert_eq!(all.keys("u").args().len(), 5);
    assert_eq!(waiting(SMALL).keys("D").args()[..4], ["-device", "x", "-device", "x"]);
    assert!(waiting(SMALL).keys("P").frame(80, 24).contains("copy or cut something first"));
    assert!(waiting(SMALL).keys("v").frame(80, 24).contains("▸"));
}

#[test]
fn the_lists_are_filtered_and_panes_zoomed() {
    let all = session().app.lists.rows.iter().filter(|row| row.is_selectable()).count();
    let shown =
        |session: &Session| session.app.lists.rows.iter().filter(|row| row.is_selectable()).count();
    let wrong = session().keys("f");
    assert!(shown(&wrong) < all && wrong.frame(80, 24).contains("only entries that are blocked"));
    assert_eq!(shown(&wrong.keys("ff")), all);
    let dac = session().keys("Fdac<Enter>");
    assert!(shown(&dac) < all && shown(&dac) > 0);
    assert!(dac.frame(80, 24).contains("[only dac]"));
    assert_eq!(shown(&dac.keys("F<Esc>")), all);
    assert_eq!(shown(&session().keys("Fbridge")), 1);
    insta::assert_snapshot!("zoomed_80x24", session().keys("<Tab>z").frame(80, 24));
}

#[test]
fn actions_are_found_by_their_words() {
    let found = session().keys(":undo");
    insta::assert_snapshot!("palette_80x24", session().keys(":copy").frame(80, 24));
    assert!(found.frame(80, 24).contains("there is nothing to undo"));
    let done = waiting(SMALL).keys(":delete sel<Enter>");
    assert_eq!(done.args().len(), 3);
}

#[test]
fn paths_of_the_host_are_suggested() {
    let mut typing = waiting(SMALL).keys("a-drive<Tab>if=none,file=/srv/im");
    assert_eq!(typing.app.wants_listing(), Some("/srv/".to_owned()));
    typing.app.listed("/srv/".into(), vec!["images/".into(), "iso".into(), ".hidden".into()]);
    assert_eq!(typing.app.wants_listing(), None);
    assert!(typing.frame(80, 24).contains("Ctrl-n: images/"));
    let next = typing.keys("<C-n>");
    assert_eq!(next.app.wants_listing(), Some("/srv/images/".to_owned()));
    assert_eq!(next.keys("<Enter>").args()[3], "if=none,file=/srv/images/");
    assert_eq!(waiting(SMALL).keys("a-drive<Tab>if=/srv/").app.wants_listing(), None);
    // What is referred to is known by its id.
    let object = "a-object<Tab>memory-backend-ram,id=lg,size=1M<Enter>";
    let refers = waiting(SMALL).keys(object).keys("a-device<Tab>ivshmem-plain,memdev=<C-n><Enter>");
    assert!(refers.args().contains(&"ivshmem-plain,memdev=lg".to_owned()), "{:?}", refers.args());
    // Where nothing is typed yet, a path begins at the root.
    let begun = waiting(SMALL).keys("a-drive<Tab>if=none,file=<C-n>");
    assert_eq!(begun.app.wants_listing(), Some("/".to_owned()));
    // The same where the value is taken apart.
    let mut apart = waiting(SMALL).keys("a-drive<Tab>if=none,file=/srv/<C-t><Tab>");
    assert_eq!(apart.app.wants_listing(), Some("/srv/".to_owned()));
    apart.app.listed("/srv/".into(), vec!["a,b.img".into(), "c.img".into()]);
    let taken = apart.keys("<C-n><Enter>");
    assert!(taken.args().contains(&"if=none,file=/srv/a,,b.img".to_owned()), "{:?}", taken.args());
    assert_eq!(
        waiting(SMALL).keys("a-cdrom<Tab>/srv/").app.wants_listing(),
        Some("/srv/".to_owned())
    );
}

#[test]
fn a_value_is_edited_key_by_key() {
    let apart = session().keys("jj<Enter><C-t>");
    insta::assert_snapshot!("keys_80x24", apart.frame(80, 24));
    let edited = apart.keys("<Down><Down>2<Enter>");
    assert!(
        edited.args().iter().any(|arg| arg.contains("/dev/input/by-id/usb-keyboard2")),
        "{:?}",
        edited.args()
    );
    let json = session().keys("<Enter><C-t>");
    assert!(json.frame(80, 24).contains("the value is JSON"));
}

#[test]
fn the_mouse_selects_scrolls_and_moves_the_divider() {
    use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
    use ratatui::layout::Rect;
    let screen = Rect::new(0, 0, 80, 24);
    let mut session = session();
    let at = |session: &mut Session, kind, column, row| {
        session.app.mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }, screen);
    };
    let left = MouseEventKind::Down(MouseButton::Left);
    at(&mut session, left, 20, 4);
    assert!(
        session
            .app
            .row_text(&session.app.lists.rows[session.app.lists.selected])
            .contains("input-linux")
    );
    // The word of the second tab.
    at(&mut session, left, 12, 10);
    assert_eq!(session.app.side.pane, Pane::Layers);
    at(&mut session, left, 5, 13);
    assert_eq!(session.app.matrix_line(), Some(1));
    at(&mut session, MouseEventKind::ScrollDown, 5, 5);
    assert!(session.app.lists.selected > 5);
    at(&mut session, left, 79, 10);
    at(&mut session, MouseEventKind::Drag(MouseButton::Left), 79, 6);
    at(&mut session, MouseEventKind::Up(MouseButton::Left), 79, 6);
    assert!(
        session.frame(80, 24).lines().nth(6).unwrap().contains("1 Why"),
        "{}",
        session.frame(80, 24)
    );
}

#[test]
fn signs_can_be_plain_ascii() {
    let session = session().keys("2");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| view::draw(frame, &session.app, Theme::new(false).ascii(true))).unwrap();
    let frame = format!("{}", terminal.backend());
    assert!(frame.is_ascii(), "{frame}");
}

#[test]
fn the_map_of_layers_moves_the_selection() {
    let map = session().keys("2");
    insta::assert_snapshot!("layers_80x24", map.frame(80, 24));
    insta::assert_snapshot!("layers_120x40", map.frame(120, 40));
    insta::assert_snapshot!("layers_40x15", map.frame(40, 15));
    let first = session().keys("2<Tab>");
    let before = first.app.lists.selected;
    let moved = first.keys("jjj");
    assert_ne!(moved.app.lists.selected, before);
    assert!(moved.app.matrix_line().is_some());
    // Back in the lists the entry is selected, with its evidence.
    assert!(moved.keys("<Tab>1i").frame(120, 40).contains("why: qpt-tui explain"));
}

#[test]
fn the_command_line_is_libvirts_or_said_to_be_a_sketch() {
    let mut asked = waiting(SMALL).keys("5");
    assert_eq!(asked.app.wants_answer(), Some(Pane::Command));
    asked.app.asking(Pane::Command);
    assert_eq!(asked.app.wants_answer(), None);
    assert!(asked.frame(80, 24).contains("is being asked"));
    let source = asked.app.document.source().to_owned();
    let argv = [
        "/usr/bin/qemu-system-x86_64",
        "-name",
        "guest=a",
        "-device",
        "x",
        "-S",
        "-rtc",
        "base=utc",
        "-msg",
        "y",
    ];
    let argv = argv.map(str::to_owned).to_vec();
    asked.app.answered(Pane::Command, source.clone(), Answer::Command(Ok(argv)));
    insta::assert_snapshot!("command_80x24", asked.frame(80, 24));
    asked.app.answered(
        Pane::Command,
        source,
        Answer::Command(Err("virsh could not be run".into())),
    );
    let sketch = asked.frame(80, 24);
    assert!(
        sketch.contains("A sketch")
            && sketch.contains("▌ -device x")
            && sketch.contains("on,obsolete=deny"),
        "{sketch}"
    );
    // Another text is asked about anew.
    assert_eq!(asked.keys("d").app.wants_answer(), Some(Pane::Command));
}

#[test]
fn the_schemas_words_and_the_rules_page_are_shown() {
    let mut asked = waiting(SMALL).keys("7");
    asked.app.asking(Pane::Schema);
    let source = asked.app.document.source().to_owned();
    asked.app.answered(Pane::Schema, source.clone(), Answer::Schema(Ok(Vec::new())));
    assert!(asked.frame(80, 24).contains("fits libvirt's schema"));
    asked.app.answered(
        Pane::Schema,
        source,
        Answer::Schema(Ok(vec![(1, "Extra element commandline".into())])),
    );
    assert!(asked.frame(80, 24).contains("line 1: libvirt's schema: Extra element commandline"));
    let page = session().keys("!6").frame(80, 24);
    assert!(page.contains("Looks at"), "{page}");
}

#[test]
fn saving_and_leaving_are_the_shells_business() {
    assert_eq!(waiting(SMALL).keys("<C-s>").effects, [Effect::Save]);
    assert_eq!(waiting(SMALL).keys("q").effects, [Effect::Quit]);
    let asked = waiting(SMALL).keys("dq");
    assert!(
        asked.effects.is_empty() && asked.frame(80, 24).contains("not saved. Leave without them?")
    );
    assert_eq!(waiting(SMALL).keys("dqy").effects, [Effect::Quit]);
    assert_eq!(waiting(SMALL).keys("dqnq").effects, []);
    assert_eq!(waiting(SMALL).keys("dqp").effects, [Effect::QuitPrinting]);
    let mut saving = waiting(SMALL).keys("dqs");
    assert_eq!(saving.effects, [Effect::Save]);
    let text = saving.app.document.source().to_owned();
    let done = Ending::Saved(text.clone(), "saved".to_owned());
    assert_eq!(saving.app.saving_ended(&text, done), Some(Effect::Quit));
    let elsewhere = waiting(SMALL).keys("dS/tmp/x.xml<Enter>");
    assert_eq!(elsewhere.effects, [Effect::SaveAs { path: "/tmp/x.xml".to_owned(), over: false }]);
}

#[test]
fn searching_goes_to_the_match_and_back() {
    let session = waiting(SMALL).keys("/rtc<Enter>");
    assert_eq!(
        session.app.row_text(&session.app.lists.rows[session.app.lists.selected]),
        "-rtc base=utc"
    );
    let back = waiting(SMALL).keys("/rtc<Esc>");
    assert_eq!(back.app.row_text(&back.app.lists.rows[back.app.lists.selected]), "-device x");
    assert!(waiting(SMALL).keys("/zzz").frame(80, 24).contains("is in no entry"));
}

#[test]
fn help_lists_every_key() {
    insta::assert_snapshot!("help_80x24", waiting(SMALL).keys("?").frame(80, 24));
    let all = waiting(SMALL).keys("?").frame(80, 400);
    for binding in qpt_tui::tui::keymap::BINDINGS.iter() {
        assert!(all.contains(&binding.help[..binding.help.len().min(20)]), "{}", binding.help);
    }
}

#[test]
fn canonicalising_can_be_undone() {
    let (_, text) =
        support::fixtures().into_iter().find(|(name, _)| name == "two-blocks.xml").unwrap();
    let session = waiting(&text).keys("c");
    assert!(
        session
            .app
            .document
            .source()
            .contains("  <qemu:commandline>\n    <qemu:arg value='-msg'/>")
    );
    assert_eq!(session.keys("u").app.document.source(), text);
}

#[test]
fn hostile_text_is_made_visible() {
    let text = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>\u{202e}x</name><q:commandline><q:arg value='-append'/><q:arg value='a&#10;b\u{200b}c漢'/></q:commandline></domain>";
    let frame = waiting(text).frame(80, 24);
    assert!(frame.contains("a⏎b⟨U+200B⟩c漢") && frame.contains("⟨U+202E⟩x"), "{frame}");
}

#[test]
fn pasting_never_runs_as_keys() {
    let mut session = waiting(SMALL);
    session.app.paste("dddd");
    assert_eq!(session.app.document.source(), SMALL);
    let mut session = session.keys("<Esc>ya");
    session.app.paste("-append\r\n");
    let mut session = session.keys("<Tab>");
    session.app.paste("one\ntwo\n");
    assert_eq!(session.keys("<Enter>").args()[2..4], ["-append", "one two"]);
}

#[test]
fn what_no_program_can_be_started_with_is_not_taken_and_holds_up_no_key() {
    let long = "-S ".repeat(700_000);
    let begun = std::time::Instant::now();
    let mut session = waiting(SMALL);
    session.app.paste(&long);
    assert!(session.frame(80, 24).contains("2100000 bytes were pasted"));
    let mut session = session.keys("j<Enter>");
    session.app.paste(&long);
    assert!(session.frame(80, 24).contains("2100000 bytes were pasted"));
    assert_eq!(session.app.document.source(), SMALL);
    // A value that stands in the document already is shown as far as anybody reads.
    let value = "x".repeat(5 << 20);
    let session = waiting(&SMALL.replace("base=utc", &value)).keys("jj<Enter>");
    let frame = session.frame(80, 24);
    assert!(frame.contains("5242884 bytes, more than an argument"), "{frame}");
    assert!(session.keys("3").frame(120, 40).contains("xxx"));
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn an_entry_is_switched_off_and_on_in_its_place() {
    let off = session().keys("j ");
    insta::assert_snapshot!("off_80x24", off.frame(80, 24));
    let count = session().args().len();
    assert_eq!(off.args().len(), count - 2);
    assert!(
        off.app.available(Action::Canonicalise).is_err()
            && off.app.available(Action::Edit).is_err()
    );
    let on = off.keys(" ");
    assert_eq!(on.args(), session().args());
    let gone = session().keys("j d");
    assert_eq!((gone.args().len(), gone.app.document.disabled().len()), (count - 2, 0));
}

#[test]
fn the_document_that_is_saved_is_the_one_that_is_shown() {
    let session = session().keys("jdJa-S<Enter>u");
    assert_eq!(
        Document::parse(session.app.document.source()).unwrap().argv(),
        session.app.document.argv()
    );
}

#[test]
fn the_form_suggests_what_can_come_next() {
    let session = waiting(SMALL).keys("a-netd");
    assert!(session.frame(80, 24).contains("Ctrl-n: -netdev (a network backend)"));
    assert!(session.keys("<C-n>").frame(80, 24).contains("takes a value"));
    assert!(
        waiting(SMALL).keys("a-zzz<C-n>").frame(80, 24).contains("there is no suggestion here")
    );
}

/// Each feature with the keys that lead to it.
const FEATURES: [(&str, &str); 26] = [
    ("lists", "jj"),
    ("marks", "vvj"),
    ("off", "j "),
    ("filter", "f"),
    ("form", "jj<Enter>"),
    ("form-keys", "jj<Enter><C-t>"),
    ("import", "p-m 4G -device virtio-rng-pci,addr=0x1e"),
    (
        "review",
        "pA=$B qemu-kvm -m 4G -rtc base=utc -device 'virtio-rng-pci' -cdrom $ISO -netdev bridge,id=n0,br=virbr0 -device e1000,netdev=n0<Enter>jj",
    ),
    ("remedies", "jjx"),
    ("search", "/blockdev"),
    ("palette", ":copy"),
    ("help", "?"),
    ("layers", "2<Tab>jj"),
    ("xml", "jj3"),
    ("diff", "jd4"),
    ("rule", "jj6"),
    ("details", "jji"),
    ("report", "jjw"),
    ("folded", "-"),
    ("environment", "]"),
    ("looking", "s"),
    ("question", "dq"),
    ("write-to", "jjxo"),
    ("filter-text", "Fdac<Enter>"),
    ("why", "WCould not open '/home/me/vm/data.qcow2': Permission denied"),
    ("command", "5"),
];

/// Documents in which libvirt drops or refuses something, or in which there is nothing.
const ODD: [(&str, &str); 3] = [
    (
        "lost",
        "<domain><name>a</name><qemu:commandline><qemu:arg value='-device'/><qemu:arg value='virtio-rng-pci'/><qemu:env name='A' value='1'/></qemu:commandline></domain>",
    ),
    (
        "misplaced",
        "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>a</name><devices><qemu:commandline><qemu:arg value='-S'/></qemu:commandline></devices><qemu:commandline><qemu:arg value='-snapshot'/></qemu:commandline></domain>",
    ),
    ("empty", "<domain><name>a</name></domain>"),
];

#[test]
fn what_is_handed_out_for_a_shell_holds_settings_as_remarks() {
    let choosing = session().keys("jjjjjjx");
    let text = choosing.app.handed_out();
    assert!(text.contains("# in /etc/libvirt/qemu.conf:\n#   seccomp_sandbox = 0\n"), "{text}");
    let copied = choosing.keys("Y");
    assert_eq!(copied.effects.last(), Some(&Effect::Copy(text)));
}

#[test]
fn undo_says_what_it_takes_back_and_goes_there() {
    let edited = waiting(SMALL).keys("jj<Enter><C-u>base=localtime<Enter>gd").keys("uu");
    assert_eq!(edited.app.document.source(), SMALL);
    let again = edited.keys("<C-r>");
    let last = again.frame(120, 24);
    assert!(last.contains("made again (+"), "{last}");
    assert_eq!(again.app.selection(), Some((List::Args, 3..5)), "{last}");
}

#[test]
fn what_is_lost_stands_where_it_was_meant() {
    for (name, text) in ODD {
        let session = judged(text);
        for (width, height) in [(40, 15), (80, 24), (120, 40), (200, 50)] {
            insta::assert_snapshot!(
                format!("odd_{name}_{width}x{height}"),
                session.frame(width, height)
            );
        }
        if name != "empty" {
            // What is lost is back, and under the cursor.
            let back = session.keys("x<Enter>");
            assert!(back.app.document.lost().is_empty(), "{name}");
            assert!(back.app.selection().is_some(), "{name}");
        }
    }
}

#[test]
fn every_feature_at_every_size() {
    for (name, keys) in FEATURES {
        let session = session().keys(keys);
        for (width, height) in [(40, 15), (80, 24), (120, 40), (200, 50)] {
            insta::assert_snapshot!(
                format!("feature_{name}_{width}x{height}"),
                session.frame(width, height)
            );
        }
        // At the smallest size something is still there, and nothing breaks below it.
        for (width, height) in [(20, 6), (19, 5), (1, 1)] {
            session.frame(width, height);
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    /// Whatever is typed, at whatever size: no panic, a document that can be read, and undo leads back to the first one.
    #[test]
    fn no_keys_break_the_editor(
        keys in proptest::collection::vec(proptest::sample::select(KEYS.to_vec()), 1..60),
        width in 1_u16..130,
        height in 1_u16..45,
    ) {
        let mut typing = session();
        let mut all = String::new();
        for key in keys {
            all.push_str(key);
            typing = typing.keys(key);
            typing.frame(width, height);
            proptest::prop_assert!(Document::parse(typing.app.document.source()).is_ok(), "{all}");
        }
        // From the search of a help over a zoomed side pane it is five steps back.
        typing = typing.keys("<Esc>y<Esc>y<Esc><Esc><Esc>");
        for _ in 0..80 {
            typing = typing.keys("u");
        }
        proptest::prop_assert_eq!(typing.app.document.source(), DEMO, "{}", all);
    }
}

/// Keys that the walk above takes: every action of the lists, words and numbers for forms.
const KEYS: [&str; 56] = [
    "w",
    "t",
    "a",
    "A",
    "e",
    "o",
    "d",
    "D",
    "J",
    "K",
    "j",
    "k",
    "g",
    "G",
    "v",
    "y",
    "Y",
    "X",
    "P",
    "p",
    "f",
    "F",
    "z",
    " ",
    "x",
    "u",
    "c",
    "!",
    "/",
    "n",
    "N",
    ":",
    "?",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "<Tab>",
    "<Enter>",
    "<Enter>",
    "<Esc>",
    "<C-r>",
    "<C-t>",
    "<C-n>",
    "<C-o>",
    "<BS>",
    "<PgDn>",
    "-device",
    "x,y=z",
    "-S",
    "<q:arg value='1'/>",
    "A=1",
    "漢",
];

#[test]
fn a_form_comes_back_to_its_entry_wherever_that_is_now() {
    let kept = |opened: &str, start: usize, end: usize| Kept {
        name: "journal-1-1.json".to_owned(),
        of: Origin::VirshEdit { domain: "a".to_owned() },
        process: 1,
        running: false,
        age: "1 second".to_owned(),
        draft: Draft {
            opened: opened.into(),
            text: opened.into(),
            typed: Some(Typed::Form {
                list: "args".to_owned(),
                start,
                end,
                fields: ["-rtc".to_owned(), "base=localtime".to_owned()],
                focus: 1,
                untouched: false,
            }),
            handed: false,
        },
    };
    let now = SMALL
        .replace("<q:arg value='-device'/>", "<q:arg value='-snapshot'/><q:arg value='-device'/>");
    let mut moved = waiting(&now);
    moved.app.offer(vec![kept(SMALL, 3, 5)]);
    let moved = moved.keys("y<Enter>");
    assert_eq!(moved.args(), ["-snapshot", "-device", "x", "-S", "-rtc", "base=localtime"]);
    // The entry is gone: what was typed is added, and replaces nothing.
    let mut gone = waiting(&now.replace("<q:arg value='-rtc'/><q:arg value='base=utc'/>", ""));
    gone.app.offer(vec![kept(SMALL, 3, 5)]);
    let gone = gone.keys("y<Enter>");
    assert_eq!(gone.args(), ["-snapshot", "-device", "x", "-rtc", "base=localtime", "-S"]);
}
