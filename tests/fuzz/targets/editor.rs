//! The editor takes any keys, pastes, clicks and news from outside, at any size of the screen: the document stays one, undo
//! leads back to where it began, and the screen shows nothing that hides.

use std::sync::LazyLock;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use qpt_tui::domain::Document;
use qpt_tui::rules::{self, Finding};
use qpt_tui::session;
use qpt_tui::store::Theirs;
use qpt_tui::tui::action::Effect;
use qpt_tui::tui::app::{App, Ending};
use qpt_tui::tui::theme::Theme;
use qpt_tui::tui::view;
use qpt_tui::visible::visible;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Rect;

use super::Choices;

/// What is typed: letters are keys, bytes of [`special`] the others.
pub const WORDS: &[&str] = &[
    "dd",
    "uuu",
    "\x12\x12",
    "a-msg\ttimestamp=on\r",
    "eA\tb\r",
    "o\x0eoverride a.b\tstring x\r",
    "\r\x15x\r",
    "\x14\t\tx\r",
    "p-device x -S\r",
    "vjjX",
    "yP",
    "JJK",
    "x\r",
    "/drive\rnN",
    ":save\r",
    ":e!\r",
    ":wq\r:q!\r",
    ":12\r:/srv\r",
    "?/sav\r\x1b\x1b",
    "F/srv\r",
    "Sother.xml\r",
    "\x13",
    "=m",
    "qyn",
    "!fc4z3\t",
    "\x1b\x1b",
    "1234567",
    "?jjq",
];

const DOCUMENTS: [&str; 4] = [
    "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>a</name><q:commandline><q:arg value='-device'/>\
     <q:arg value='x'/><q:arg value='-S'/><q:env name='A' value='1'/></q:commandline></domain>",
    "<domain><devices/></domain>",
    include_str!("../../fixtures/domains/overrides.xml"),
    include_str!("../../fixtures/domains/lost.xml"),
];

/// The first byte chooses the document, and whether the host has answered; each of the rest is something that happens.
pub fn run(data: &[u8]) {
    let mut choices = Choices(data);
    let first = choices.byte();
    let at = usize::from(first) % DOCUMENTS.len();
    let document = DOCUMENTS[at];
    let mut editor = Editor::of(document);
    if first & 0x10 != 0 {
        editor.app.probed(super::values::host().clone());
        let revision = editor.app.judging.revision;
        editor.app.judged(revision, findings(at).clone());
    }
    // A session is as long as somebody has patience: what it takes is bounded by this, not by the text.
    for _ in 0..60 {
        if choices.is_over() {
            break;
        }
        editor.happens(&mut choices);
        editor.is_sound();
    }
    // Drawing takes as long as many keys.
    if data.len().is_multiple_of(4) {
        editor.drawn(&mut choices);
    }
    editor.goes_back(document);
}

/// What is found in a document on the demo's host: judging takes longer than all the keys of a session.
fn findings(at: usize) -> &'static Vec<Finding> {
    static FOUND: LazyLock<Vec<Vec<Finding>>> = LazyLock::new(|| {
        let found = |text: &&str| {
            let document = session::parse("vm.xml", text).expect("the documents here are domains");
            rules::judge(&document, &session::command_line(&document), super::values::host())
        };
        DOCUMENTS.iter().map(found).collect()
    });
    &FOUND[at]
}

struct Editor {
    app: App,
    screen: (u16, u16),
    /// Somebody else's text was taken: undo leads to another beginning.
    moved: bool,
    /// How often it was drawn.
    draws: usize,
}

impl Editor {
    fn of(text: &str) -> Editor {
        let document = session::parse("vm.xml", text).expect("the documents here are domains");
        Editor {
            app: App::new("vm.xml".to_owned(), document),
            screen: (80, 24),
            moved: false,
            draws: 0,
        }
    }

    /// One thing happens: most bytes are a key.
    fn happens(&mut self, choices: &mut Choices<'_>) {
        let byte = choices.byte();
        let effect = match special(byte) {
            Some(event) => self.app.key(event),
            None => self.news(byte, choices),
        };
        if let Some(effect) = effect {
            self.done(effect, choices);
        }
    }

    /// What comes from elsewhere than the keyboard.
    fn news(&mut self, byte: u8, choices: &mut Choices<'_>) -> Option<Effect> {
        match byte % 8 {
            0 => self.app.paste(&choices.text()),
            1 => return self.mouse(choices),
            2 if self.draws < 2 => self.drawn(choices),
            2 => {}
            3 => {
                self.app.probed(super::values::host().clone());
                self.app.settle();
            }
            4 => {
                let source = self.app.document.source().to_owned();
                let theirs = match choices.below(4) {
                    0 => Some(Theirs::Text(source.replace("value='", "value='9"))),
                    1 => Some(Theirs::Text(choices.text())),
                    2 => Some(Theirs::Gone),
                    _ => None,
                };
                self.moved |= theirs.is_some();
                self.app.others_wrote(theirs);
            }
            5 => self.app.came_back(&choices.text()),
            6 => self.app.listed("/srv/".to_owned(), vec!["a".to_owned(), "b c/".to_owned()]),
            _ => {
                let key = [
                    KeyCode::F(2),
                    KeyCode::Insert,
                    KeyCode::Null,
                    KeyCode::Char('é'),
                    KeyCode::Char('\u{202e}'),
                ];
                return self
                    .app
                    .key(KeyEvent::new(key[choices.below(key.len())], KeyModifiers::ALT));
            }
        }
        None
    }

    fn mouse(&mut self, choices: &mut Choices<'_>) -> Option<Effect> {
        let left = MouseButton::Left;
        let kinds = [
            MouseEventKind::Down(left),
            MouseEventKind::Drag(left),
            MouseEventKind::Up(left),
            MouseEventKind::ScrollDown,
            MouseEventKind::ScrollUp,
        ];
        let kind = kinds[choices.below(kinds.len())];
        let (column, row): (u16, u16) = (choices.byte().into(), choices.byte().into());
        let (width, height) = self.screen;
        let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        let screen = Rect::new(0, 0, width, height);
        let effect = self.app.mouse(event, screen);
        // Many clicks are double ones.
        if effect.is_none() && kind == kinds[0] && column % 2 == 0 {
            return self.app.double_click(event, screen);
        }
        effect
    }

    /// The shell does what the editor asked for.
    fn done(&mut self, effect: Effect, choices: &mut Choices<'_>) {
        match effect {
            Effect::Save | Effect::SaveInPlace | Effect::SaveAs { .. } => {
                self.app.saving_began();
                let text = self.app.document.source().to_owned();
                let ending = match choices.below(5) {
                    0 => Ending::Saved(text.clone(), "saved".to_owned()),
                    1 => Ending::Irreplaceable("it is mounted".to_owned()),
                    2 => Ending::Exists("other.xml".to_owned()),
                    3 => Ending::Failed("the disk is full".to_owned()),
                    _ => {
                        self.moved = true;
                        Ending::Changed(Theirs::Text(text.replace("value='", "value='8")))
                    }
                };
                self.app.saving_ended(&text, ending);
            }
            Effect::Know { .. } => self.moved = true,
            Effect::Plan(only) => {
                let Some(host) = self.app.judging.host.clone() else { return };
                let document = self.app.document.clone();
                let route = session::plan(&document, &host, only.as_deref(), None);
                self.app.planned(document.source(), &route);
            }
            Effect::Copy(text) => assert!(text.len() < 1 << 20),
            Effect::StopPlan => {}
            Effect::WriteOut { text, .. } => assert!(!text.is_empty()),
            Effect::TakeOver
            | Effect::KeepBeside
            | Effect::Discard(_)
            | Effect::Restored { .. }
            | Effect::Probe
            | Effect::LookAtOthers
            | Effect::TryOut
            | Effect::Outside(_)
            | Effect::Repaint
            | Effect::Suspend
            | Effect::Quit
            | Effect::QuitPrinting => {}
        }
    }

    fn drawn(&mut self, choices: &mut Choices<'_>) {
        const WIDTHS: [u16; 8] = [80, 40, 1, 20, 29, 79, 120, 7];
        const HEIGHTS: [u16; 8] = [24, 15, 1, 6, 7, 11, 12, 3];
        self.screen = (WIDTHS[choices.below(8)], HEIGHTS[choices.below(8)]);
        self.draws += 1;
        let (width, height) = self.screen;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("it is in memory");
        terminal
            .draw(|frame| view::draw(frame, &self.app, Theme::new(true)))
            .expect("it is in memory");
        for cell in terminal.backend().buffer().content() {
            let symbol = cell.symbol();
            let is_shown = match symbol.as_bytes() {
                [letter] => !letter.is_ascii_control(),
                _ => visible(symbol) == symbol,
            };
            assert!(is_shown, "{symbol:?} is on the screen");
        }
    }

    /// What holds after each event.
    fn is_sound(&self) {
        let lists = &self.app.lists;
        assert!(
            lists.selected < lists.rows.len().max(1),
            "row {} of {}",
            lists.selected,
            lists.rows.len()
        );
        let is_changed = self.app.document.source() != self.app.file.saved;
        assert!(!is_changed || self.app.draft().is_some(), "the journal has what the screen shows");
    }

    /// Everything can be taken back, and put in again.
    fn goes_back(&mut self, opened: &str) {
        let last = self.app.document.source().to_owned();
        assert!(Document::parse(last.as_str()).is_ok(), "what is edited is a document:\n{last}");
        let history = &mut self.app.edits.history;
        let (mut text, mut steps) = (last.clone(), 0);
        while let Some(earlier) = history.undo(&text, None) {
            text = earlier.source;
            steps += 1;
        }
        if !self.moved {
            assert_eq!(text, opened, "undo leads back to what was opened");
        }
        for _ in 0..steps {
            text = history.redo(&text, None).expect("it was taken back").source;
        }
        assert_eq!(text, last, "redo leads to where it was");
    }
}

/// The key of a byte: letters are themselves, below them the keys with Ctrl, above them what has a name.
fn special(byte: u8) -> Option<KeyEvent> {
    let plain = |code| Some(KeyEvent::new(code, KeyModifiers::NONE));
    match byte {
        b'\r' | b'\n' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x08 | 0x7f => plain(KeyCode::Backspace),
        0x1b => plain(KeyCode::Esc),
        1..=26 => {
            Some(KeyEvent::new(KeyCode::Char(char::from(byte + 0x60)), KeyModifiers::CONTROL))
        }
        b' '..=b'~' => plain(KeyCode::Char(char::from(byte))),
        0x80 => plain(KeyCode::Up),
        0x81 => plain(KeyCode::Down),
        0x82 => plain(KeyCode::Left),
        0x83 => plain(KeyCode::Right),
        0x84 => plain(KeyCode::PageUp),
        0x85 => plain(KeyCode::PageDown),
        0x86 => plain(KeyCode::Home),
        0x87 => plain(KeyCode::End),
        0x88 => plain(KeyCode::BackTab),
        0x89 => plain(KeyCode::Delete),
        _ => None,
    }
}
