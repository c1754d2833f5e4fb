//! What people do by habit: words after `:`, `/` in a list and in the help, `Esc`, clicks on what is shown.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use qpt_tui::domain::Document;
use qpt_tui::store::{Holder, Theirs};
use qpt_tui::tui::action::Effect;
use qpt_tui::tui::app::{Ending, Filter};
use qpt_tui::tui::keymap::Mode;
use qpt_tui::tui::pane::Pane;
use ratatui::layout::Rect;
use support::session::{DEMO, SMALL, Session, session, waiting};

const SCREEN: Rect = Rect { x: 0, y: 0, width: 80, height: 24 };

fn last_line(session: &Session, width: u16, height: u16) -> String {
    session.frame(width, height).lines().last().unwrap().to_owned()
}

fn selected(session: &Session) -> String {
    session.app.row_text(&session.app.lists.rows[session.app.lists.selected])
}

fn at(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
    MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
}

const LEFT: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

impl Session {
    fn click(mut self, column: u16, row: u16) -> Session {
        self.effects.extend(self.app.mouse(at(LEFT, column, row), SCREEN));
        self.app.settle();
        self
    }

    fn double_click(self, column: u16, row: u16) -> Session {
        let mut session = self.click(column, row);
        session.effects.extend(session.app.double_click(at(LEFT, column, row), SCREEN));
        session.app.settle();
        session
    }

    /// Clicks on a text of the screen.
    fn click_on(self, text: &str) -> Session {
        let frame = self.frame(80, 24);
        let (row, column) = frame
            .lines()
            .enumerate()
            .find_map(|(row, line)| {
                let line = line.trim_matches('"');
                Some((row, line[..line.find(text)?].chars().count()))
            })
            .unwrap_or_else(|| panic!("'{text}' is not in\n{frame}"));
        self.click(u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
    }
}

#[test]
fn words_of_other_programs_do_what_they_do_there() {
    let text = |session: &Session| session.app.document.source().to_owned();
    for (word, effect) in [("q", Effect::Quit), ("exit", Effect::Quit), ("bye", Effect::Quit)] {
        assert_eq!(waiting(SMALL).keys(&format!(":{word}<Enter>")).effects, [effect], "{word}");
    }
    for word in ["w", "write", "save", "w!", "define"] {
        let saved = waiting(SMALL).keys(&format!("d:{word}<Enter>"));
        assert_eq!(saved.effects, [Effect::Save], "{word}");
    }
    for word in ["d", "del", "rm", "remove", "delete", "dd"] {
        assert_eq!(waiting(SMALL).keys(&format!(":{word}<Enter>")).args().len(), 3, "{word}");
    }
    for word in ["disable", "off", "comment"] {
        let off = waiting(SMALL).keys(&format!(":{word}<Enter>"));
        assert_eq!(off.app.document.disabled().len(), 1, "{word}");
        assert_eq!(off.keys(":enable<Enter>").args(), waiting(SMALL).args());
    }
    for word in ["u", "undo"] {
        assert_eq!(text(&waiting(SMALL).keys(&format!("d:{word}<Enter>"))), SMALL, "{word}");
    }
    for (word, mode) in [
        ("help", Mode::Help),
        ("h", Mode::Help),
        ("find", Mode::Search),
        ("import", Mode::Import),
        ("saveas", Mode::SaveAs),
        ("start", Mode::Confirm),
        ("add", Mode::Form),
        ("e", Mode::Form),
    ] {
        assert_eq!(waiting(SMALL).keys(&format!(":{word}<Enter>")).app.mode, mode, "{word}");
    }
    for (word, pane) in [("diff", Pane::Diff), ("dumpxml", Pane::Xml), ("dac", Pane::Layers)] {
        let shown = session().keys(&format!(":{word}<Enter>"));
        assert_eq!(shown.app.side.pane, pane, "{word}");
    }
    let fixing = session().keys(":repair<Enter>");
    assert_eq!(fixing.app.mode, Mode::Remedies);
    for word in ["theme", "colours", "set"] {
        let frame = waiting(SMALL).keys(&format!(":{word}<Enter>")).frame(80, 24);
        assert!(frame.contains("config.toml") && frame.contains("mouse"), "{word}: {frame}");
    }
}

#[test]
fn leaving_with_a_word_saves_or_drops() {
    for word in ["wq", "x", "xit", "x!"] {
        let mut leaving = waiting(SMALL).keys(&format!("d:{word}<Enter>"));
        assert_eq!(leaving.effects, [Effect::Save], "{word}");
        let text = leaving.app.document.source().to_owned();
        let ending = Ending::Saved(text.clone(), "saved".to_owned());
        assert_eq!(leaving.app.saving_ended(&text, ending), Some(Effect::Quit), "{word}");
        // Nothing is written where nothing changed.
        let clean = waiting(SMALL).keys(&format!(":{word}<Enter>"));
        assert_eq!(clean.effects, [Effect::Quit], "{word}");
    }
    let mut refused = waiting(SMALL);
    refused.app.file.readonly = Some("this is the demo");
    let refused = refused.keys("d:wq<Enter>");
    assert!(refused.effects.is_empty() && refused.frame(80, 24).contains("this is the demo"));
    // A save that fails leaves nobody outside with lost edits.
    let mut failed = waiting(SMALL).keys("d:x<Enter>");
    let text = failed.app.document.source().to_owned();
    assert_eq!(failed.app.saving_ended(&text, Ending::Failed("no space".to_owned())), None);
    assert!(!failed.app.file.leaving);
    assert_eq!(waiting(SMALL).keys("d:q!<Enter>").effects, [Effect::Quit]);
    assert!(waiting(SMALL).keys("d:q<Enter>").effects.is_empty());
}

#[test]
fn what_is_on_the_disk_is_read_again() {
    let back = waiting(SMALL).keys("dd:e!<Enter>");
    assert_eq!(back.app.document.source(), SMALL);
    assert_eq!(back.effects, [Effect::LookAtOthers]);
    assert_eq!(back.keys("u").args(), ["-rtc", "base=utc"]);
    let theirs = SMALL.replace("base=utc", "base=localtime");
    let mut changed = waiting(SMALL).keys("d");
    changed.app.others_wrote(Some(Theirs::Text(theirs.clone())));
    let taken = changed.keys(":e!<Enter>");
    assert_eq!(taken.app.document.source(), theirs);
    assert!(!taken.app.is_modified());
    let mut gone = waiting(SMALL).keys("d");
    gone.app.others_wrote(Some(Theirs::Gone));
    let gone = gone.keys(":e!<Enter>");
    assert_eq!(gone.args().len(), 3);
    assert!(gone.frame(80, 24).contains("it is gone"));
}

#[test]
fn words_take_a_text() {
    let path = "/tmp/a b.xml".to_owned();
    let saved = waiting(SMALL).keys(":w /tmp/a b.xml<Enter>");
    assert_eq!(saved.effects, [Effect::SaveAs { path, over: false }]);
    let named = waiting(SMALL).keys(":saveas copy<Enter>");
    assert_eq!(named.effects, [Effect::SaveAs { path: "copy".to_owned(), over: false }]);
    // What is no path is no file to be made.
    assert!(!waiting(SMALL).keys(":write the").frame(80, 24).contains("Save to"));
    assert_eq!(selected(&waiting(SMALL).keys(":3<Enter>")), "-rtc base=utc");
    assert_eq!(selected(&waiting(SMALL).keys(":99<Enter>")), "A=1");
    assert_eq!(selected(&waiting(SMALL).keys(":/rtc<Enter>")), "-rtc base=utc");
    assert_eq!(selected(&waiting(SMALL).keys(":grep rtc<Enter>")), "-rtc base=utc");
    assert_eq!(waiting(SMALL).keys(":filter rtc<Enter>").app.lists.wanted, "rtc");
    let mut looking = waiting(SMALL);
    looking.app.file.look_only = Some("it was opened with --readonly");
    assert!(looking.keys(":w /tmp/x<Enter>").effects.is_empty());
}

#[test]
fn the_palette_finds_beginnings_and_letters_and_says_when_nothing_fits() {
    insta::assert_snapshot!("palette_words_80x24", session().keys(":sav").frame(80, 24));
    insta::assert_snapshot!("palette_40x15", session().keys(":re").frame(40, 15));
    let first = |typed: &str| session().keys(typed).app.found_actions()[0].help.to_string();
    assert!(first(":dmpxml").contains("XML as libvirt prints"), "{}", first(":dmpxml"));
    assert!(first(":cnfig").contains("configuration can change"));
    let nothing = waiting(SMALL).keys(":sort<Enter>");
    assert_eq!(nothing.app.mode, Mode::Palette);
    assert!(nothing.frame(80, 24).contains("nothing fits 'sort'; Esc goes back, ? lists all keys"));
    assert_eq!(nothing.keys("<Esc>").app.mode, Mode::List);
    let completed = session().keys(":exi<Tab>");
    assert!(last_line(&completed, 80, 24).contains("action: exit▏"));
    // What can't be done now says why, before and after.
    assert!(waiting(SMALL).keys(":undo").frame(80, 24).contains("there is nothing to undo"));
    assert!(last_line(&waiting(SMALL).keys(":undo<Enter>"), 80, 24).contains("nothing to undo"));
    // A key finds its action too; the same letter as a word comes first.
    assert!(first(":J").contains("entry down"), "{}", first(":J"));
    // From the side pane it leads back there.
    assert_eq!(session().keys("<Tab>:<Esc>").app.mode, Mode::Side);
    assert_eq!(session().keys("<Tab>:diff<Enter>").app.mode, Mode::Side);
}

#[test]
fn a_search_says_what_it_found() {
    let typing = session().keys("/blockdev");
    assert_eq!(typing.app.search_words(), Some("blockdev"));
    assert!(last_line(&typing, 80, 24).contains("search: blockdev▏  match 1 of 1"));
    let several = session().keys("/object<Enter>");
    assert!(last_line(&several, 80, 24).contains("match 1 of 2"), "{}", several.frame(80, 24));
    assert!(last_line(&several.keys("n"), 80, 24).contains("match 2 of 2"));
    for keys in ["/nothere", "/nothere<Enter>"] {
        let missed = session().keys(keys);
        let line = last_line(&missed, 80, 24);
        assert!(line.contains("'nothere' is in no entry"), "{line}");
        assert_eq!(missed.app.lists.selected, session().app.lists.selected);
    }
    assert_eq!(session().keys("/nothere<Enter>").app.search_words(), None);
    // What is said about an entry is found where no entry holds it.
    let said = session().keys("/0700<Enter>");
    let frame = said.frame(80, 24);
    assert!(frame.contains("in no entry; match 1 of"), "{frame}");
    assert!(selected(&said).contains("/home/me"), "{frame}");
    let mut pasted = session().keys("/");
    pasted.app.paste("blockdev\n");
    assert_eq!(pasted.app.search_words(), Some("blockdev"));
}

#[test]
fn the_help_is_searched_and_nothing_is_done() {
    let before = waiting(SMALL).keys("dddd");
    let found = before.keys("?/undo");
    insta::assert_snapshot!("help_search_80x24", found.frame(80, 24));
    let kept = found.keys("<Enter>");
    assert_eq!((kept.app.mode, kept.args().len()), (Mode::Help, 0));
    let all = kept.keys("<Esc>");
    assert!(all.app.mode == Mode::Help && all.frame(80, 24).contains("1–21 of"));
    assert_eq!(all.keys("<Esc>").app.mode, Mode::List);
    // Words that people know from elsewhere find the keys.
    let known = waiting(SMALL).keys("?/redo").frame(80, 24);
    assert!(known.contains("Ctrl-r") && known.contains("taken back (redo)"), "{known}");
    let nothing = waiting(SMALL).keys("?/qqq").frame(80, 24);
    assert!(nothing.contains("nothing holds 'qqq'"), "{nothing}");
    insta::assert_snapshot!("help_40x15", waiting(SMALL).keys("?").frame(40, 15));
}

#[test]
fn the_help_begins_where_it_was_opened_and_leads_back_there() {
    let f1 = crossterm::event::KeyEvent::new(crossterm::event::KeyCode::F(1), KeyModifiers::NONE);
    for (keys, mode, title) in [
        ("a-S", Mode::Form, "In a form"),
        ("p-S", Mode::Import, "While pasting"),
        ("<Tab>", Mode::Side, "In the side pane"),
        ("W", Mode::Why, "While asking about a message"),
    ] {
        let mut opened = session().keys(keys);
        opened.app.key(f1);
        assert_eq!(opened.app.mode, Mode::Help, "{keys}");
        let frame = opened.frame(80, 24);
        assert!(frame.lines().nth(2).unwrap().contains(title), "{frame}");
        // What is typed is kept meanwhile.
        if mode != Mode::Side && mode != Mode::Why {
            assert!(opened.app.typed().is_some(), "{keys}");
        }
        assert_eq!(opened.keys("<Esc>").app.mode, mode, "{keys}");
    }
    assert_eq!(session().keys("x?<Esc>").app.mode, Mode::Remedies);
    assert_eq!(session().keys("x?<Esc><Esc>").app.mode, Mode::List);
}

/// Each mode with keys that lead to it, and where `Esc` leads from there.
const BACK: [(&str, Mode, Mode); 17] = [
    ("", Mode::List, Mode::List),
    ("<Tab>", Mode::Side, Mode::List),
    ("<Enter>", Mode::Form, Mode::List),
    ("axyz", Mode::Form, Mode::Confirm),
    ("axyz<Esc>", Mode::Confirm, Mode::Form),
    ("p", Mode::Import, Mode::List),
    ("p-S", Mode::Import, Mode::Confirm),
    ("p-device virtio-rng-pci<Enter>", Mode::Review, Mode::Confirm),
    ("pqemu-kvm -cdrom $ISO<Enter>a", Mode::Answer, Mode::Review),
    ("W", Mode::Why, Mode::List),
    ("/x", Mode::Search, Mode::List),
    ("x", Mode::Remedies, Mode::List),
    ("Fdac", Mode::Filter, Mode::List),
    (":undo", Mode::Palette, Mode::List),
    ("S/tmp/x", Mode::SaveAs, Mode::List),
    ("?", Mode::Help, Mode::List),
    ("?/x", Mode::HelpSearch, Mode::Help),
];

#[test]
fn esc_goes_one_step_back_from_every_mode_and_never_leaves() {
    for (mode, ..) in Mode::ALL {
        // The list of domains is no editor: there Esc leaves (tests/choose.rs).
        let is_apart = matches!(mode, Mode::Tour | Mode::Choose);
        let is_there = is_apart || BACK.iter().any(|(_, from, _)| *from == mode);
        assert!(is_there, "{mode:?} has no row");
    }
    for (keys, from, to) in BACK {
        let session = session().keys(keys);
        assert_eq!(session.app.mode, from, "{keys}");
        let back = session.keys("<Esc>");
        assert_eq!(back.app.mode, to, "{keys}");
        assert!(back.effects.is_empty(), "{keys}: {:?}", back.effects);
        let out = back.keys("<Esc><Esc><Esc><Esc><Esc>");
        assert!(!out.effects.contains(&Effect::Quit), "{keys}");
    }
    let mut tour = session();
    tour.app.mode = Mode::Tour;
    assert_eq!(tour.keys("<Esc>").app.mode, Mode::List);
}

#[test]
fn esc_takes_back_how_the_lists_are_shown() {
    assert!(last_line(&session().keys("<Esc>"), 80, 24).contains("q leaves"));
    assert!(session().keys("vv<Esc>").app.lists.marked.is_empty());
    assert_eq!(session().keys("/blockdev<Enter><Esc>").app.search_words(), None);
    assert_eq!(session().keys("f<Esc>").app.lists.filter, Filter::All);
    assert!(session().keys("Fdac<Enter><Esc>").app.lists.wanted.is_empty());
    assert!(!session().keys("z<Esc>").app.side.zoomed);
    let zoomed = session().keys("<Tab>z<Esc>");
    assert!(!zoomed.app.side.zoomed && zoomed.app.mode == Mode::Side);
    // One thing after the other.
    let one = session().keys("f/blockdev<Enter>v<Esc>");
    assert!(one.app.search_words().is_some() && one.app.lists.filter == Filter::Wrong);
    let two = one.keys("<Esc>");
    assert!(two.app.search_words().is_none() && two.app.lists.filter == Filter::Wrong);
    assert_eq!(two.keys("<Esc>").app.lists.filter, Filter::All);
    // Where another session edits it, it means to look only.
    let mut elsewhere = session();
    elsewhere.app.elsewhere(Holder { process: 7, since: "1 minute".to_owned() });
    assert_eq!(elsewhere.keys("<Esc>").effects, [Effect::KeepBeside]);
}

#[test]
fn keys_that_are_always_there_stay_in_their_places() {
    let places = |session: &Session, width: u16| -> Vec<Option<usize>> {
        let line = last_line(session, width, 24);
        ["! next", "/ find", ": more", "? help", "q quit"].map(|key| line.find(key)).to_vec()
    };
    for width in [60, 80, 120, 200] {
        let wanted = places(&session(), width);
        assert!(wanted.iter().all(Option::is_some), "{}", last_line(&session(), width, 24));
        for keys in ["j", "jj", "G", "d", "j j", "vv", "dk"] {
            // A message leaves with the next key.
            let moved = session().keys(keys).keys("<Tab><Tab>");
            assert_eq!(places(&moved, width), wanted, "{keys} {width}");
        }
    }
    let line = |keys: &str| last_line(&session().keys(keys), 80, 24);
    assert!(line("").contains("x fix") && line("").contains("Enter edit"));
    assert!(line("d<Tab><Tab>").contains("Ctrl-s save  u undo"), "{}", line("d<Tab><Tab>"));
    assert!(line(" <Tab><Tab>").contains("Space on"), "{}", line(" <Tab><Tab>"));
    assert!(line("<Tab>").contains("1-7 tabs"), "{}", line("<Tab>"));
    assert!(last_line(&session(), 40, 15).contains("x fix     / find  : more  ? help  q quit"));
}

#[test]
fn a_message_stands_beside_the_keys_and_leaves_with_the_next_one() {
    let told = session().keys("f");
    let line = last_line(&told, 120, 40);
    assert!(line.contains("only entries that are") && line.contains("q quit"), "{line}");
    // Not with a key that only types, and not into another mode.
    let form = waiting(SMALL).keys("a-zzz<C-n>");
    assert!(form.frame(80, 24).contains("there is no suggestion here"));
    assert!(last_line(&form, 80, 24).contains("Enter accept"), "{}", form.frame(80, 24));
    assert!(!form.keys("y").frame(80, 24).contains("there is no suggestion here"));
    let mut pasted = waiting("<domain></domain>").keys("d");
    assert!(last_line(&pasted, 80, 24).contains("select an entry first"));
    pasted.app.paste("-S -rtc base=utc");
    assert!(last_line(&pasted, 80, 24).contains("Esc cancel"), "{}", pasted.frame(80, 24));
    let asked = session().keys("d<Esc>q");
    assert!(last_line(&asked, 80, 24).contains("y leave"), "{}", asked.frame(80, 24));
}

#[test]
fn a_click_does_what_is_shown() {
    // Keys of the last line, in the lists and in a question.
    assert_eq!(session().click_on("? help").app.mode, Mode::Help);
    assert_eq!(session().click_on("x fix").app.mode, Mode::Remedies);
    assert_eq!(session().click_on("q quit").effects, [Effect::Quit]);
    assert_eq!(session().keys("dq").click_on("y leave").effects, [Effect::Quit]);
    assert_eq!(session().keys("a").click_on("Esc cancel").app.mode, Mode::List);
    // A key that can do nothing now does nothing.
    let off = session().keys(" <Tab><Tab>").click_on("Enter edit");
    assert_eq!(off.app.mode, Mode::List);
    // Rows, remedies, actions: once selects, twice does.
    let frame = session().frame(80, 24);
    let row = frame.lines().position(|line| line.contains("input-linux")).unwrap();
    let row = u16::try_from(row).unwrap();
    let there = session().click(20, row);
    assert!(selected(&there).contains("input-linux"), "{}", selected(&there));
    let edited = session().double_click(20, row);
    assert_eq!(edited.app.mode, Mode::Form);
    let is_second = |row: u16| session().keys("x").click(5, row).app.over.remedy == 1;
    assert!((11..23).any(is_second));
    assert_eq!(session().keys("x").click(5, 3).app.mode, Mode::List);
    let palette = session().keys(":").click(20, 5);
    assert_eq!((palette.app.mode, palette.app.over.palette.chosen), (Mode::Palette, 3));
    let done = session().keys(":help").double_click(20, 2);
    assert_eq!(done.app.mode, Mode::Help);
    let mut asking = session().keys("W");
    asking.app.paste("Could not open '/home/me/vm/data.qcow2': Permission denied");
    assert!(asking.app.over.message.answers.len() > 1);
    let second = |row: u16| {
        let mut asking = session().keys("W");
        asking.app.paste("Could not open '/home/me/vm/data.qcow2': Permission denied");
        asking.click(5, row).app.over.message.chosen == 1
    };
    assert!((2..22).any(second));
    let lines = "pqemu-kvm -device virtio-rng-pci -device virtio-balloon-pci -snapshot<Enter>";
    let chosen: Vec<usize> =
        (2..22).map(|row| session().keys(lines).click(5, row).app.over.importing.at).collect();
    assert!(chosen.contains(&0) && chosen.contains(&1), "{chosen:?}");
    let row = 2 + u16::try_from(chosen.iter().position(|at| *at == 1).unwrap()).unwrap();
    let left_out = session().keys(lines).double_click(5, row);
    assert_ne!(
        left_out.app.over.importing.choices,
        session().keys(lines).app.over.importing.choices
    );
    // Beside a box it goes back, where nothing is lost.
    assert_eq!(session().keys("a").click(5, 2).app.mode, Mode::List);
    assert_eq!(session().keys("axyz").click(5, 2).app.mode, Mode::Form);
    assert_eq!(session().keys("dq").click(5, 2).app.mode, Mode::Confirm);
    // That click and another one on the same place are no double click.
    assert_eq!(session().keys("a").double_click(20, 6).app.mode, Mode::List);
    // The wheel goes through what is in front.
    let mut help = session().keys("?");
    help.app.mouse(at(MouseEventKind::ScrollDown, 5, 5), SCREEN);
    assert!(help.app.over.help_scroll > 0);
}

#[test]
fn where_three_panes_stand_the_tabs_of_the_last_are_clicked() {
    let screen = Rect { x: 0, y: 0, width: 200, height: 50 };
    let mut wide = session();
    let frame = wide.frame(200, 50);
    let place = |text: &str| {
        frame.lines().enumerate().find_map(|(row, line)| {
            let line = line.trim_matches('"');
            let column = line[..line.find(text)?].chars().count();
            Some((u16::try_from(column).unwrap() + 2, u16::try_from(row).unwrap()))
        })
    };
    let (column, row) = place(" 4 Diff").unwrap_or_else(|| panic!("{frame}"));
    wide.app.mouse(at(LEFT, column, row), screen);
    assert_eq!(wide.app.side.pane, Pane::Diff, "{frame}");
}

#[test]
fn after_a_pause_the_next_keys_are_told() {
    let mut fresh = session();
    assert!(fresh.app.wants_rest() && !fresh.frame(80, 24).contains("shows"));
    fresh.app.rest();
    insta::assert_snapshot!("rest_80x24", fresh.frame(80, 24));
    // Once, until somebody does something.
    assert!(!fresh.app.wants_rest());
    let moved = fresh.keys("j");
    assert!(!moved.app.wants_rest() && moved.app.hints().is_empty());
    let mut off = moved.keys(" ");
    assert!(off.app.wants_rest());
    off.app.rest();
    assert!(off.frame(80, 24).contains("Space switches it on again"), "{}", off.frame(80, 24));
    assert!(!session().keys("a").app.wants_rest());
}

#[test]
fn leaving_after_a_question_about_what_libvirt_forgets() {
    let mut off = waiting(SMALL).keys(" ");
    off.app.file.forgets_comments = true;
    let asked = off.keys(":wq<Enter>");
    assert!(asked.effects.is_empty() && asked.app.mode == Mode::Confirm);
    let mut saved = asked.keys("y");
    assert_eq!(saved.effects, [Effect::Save]);
    let text = saved.app.document.source().to_owned();
    let ending = Ending::Saved(text.clone(), "saved".to_owned());
    assert_eq!(saved.app.saving_ended(&text, ending), Some(Effect::Quit));
    let mut back = waiting(SMALL).keys(" ");
    back.app.file.forgets_comments = true;
    let back = back.keys(":wq<Enter>n");
    assert!(!back.app.file.leaving);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

    /// Whatever is typed and clicked: no panic, a document that can be read, and undo leads back to the first one.
    #[test]
    fn no_clicks_break_the_editor(
        deeds in proptest::collection::vec((0_usize..DEEDS.len() + 12, 0_u16..80, 0_u16..24), 1..60),
    ) {
        let mut session = session();
        for (deed, column, row) in deeds {
            session = match deed.checked_sub(DEEDS.len()) {
                None => session.keys(DEEDS[deed]),
                Some(0..=4) => session.click(column, row),
                Some(5..=7) => session.double_click(column, row),
                Some(8) => session.click(column, 23),
                Some(turn) => {
                    let up = turn.is_multiple_of(2);
                    let kind = if up { MouseEventKind::ScrollUp } else { MouseEventKind::ScrollDown };
                    session.app.mouse(at(kind, column, row), SCREEN);
                    session
                }
            };
            session.app.rest();
            session.frame(80, 24);
            proptest::prop_assert!(Document::parse(session.app.document.source()).is_ok());
        }
        let mut session = session.keys("<Esc>y<Esc>y<Esc>y<Esc>");
        for _ in 0..80 {
            session = session.keys("u");
        }
        proptest::prop_assert_eq!(session.app.document.source(), DEMO);
    }
}

/// Keys that lead where a click can do something.
const DEEDS: [&str; 22] = [
    "a", "x", "d", ":", "?", "/", "p-S", "q", "v", " ", "t", "F", "z", "<Tab>", "<Enter>", "<Esc>",
    "y", "n", "-device", "sav", "e!", "wq",
];
