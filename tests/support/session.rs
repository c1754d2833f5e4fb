//! Keys in, frames and documents out: an editor without a terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use qpt_tui::facts::HostFacts;
use qpt_tui::session::parse;
use qpt_tui::tui::action::Effect;
use qpt_tui::tui::app::App;
use qpt_tui::tui::theme::Theme;
use qpt_tui::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

pub(crate) const DEMO: &str = include_str!("../../assets/demo/domain.xml");
pub(crate) const HOST: &str = include_str!("../../assets/demo/host.json");

pub(crate) struct Session {
    pub(crate) app: App,
    pub(crate) effects: Vec<Effect>,
}

/// The demo, its host looked at.
pub(crate) fn session() -> Session {
    judged(DEMO)
}

/// A document on the demo's host.
pub(crate) fn judged(text: &str) -> Session {
    let mut session = waiting(text);
    session.app.probed(serde_json::from_str::<HostFacts>(HOST).unwrap());
    session.app.settle();
    session
}

/// A document whose host has not answered yet.
pub(crate) fn waiting(text: &str) -> Session {
    Session {
        app: App::new("vm.xml".to_owned(), parse("vm.xml", text).unwrap()),
        effects: Vec::new(),
    }
}

impl Session {
    /// Types keys as they are written in the manual: characters, and names in `<>`.
    pub(crate) fn keys(mut self, keys: &str) -> Session {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let (event, length) = match rest.find('>').filter(|_| c == '<' && rest.len() > 1) {
                Some(end) => (named(&rest[1..end]), end + 1),
                None => (KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE), c.len_utf8()),
            };
            rest = &rest[length..];
            self.effects.extend(self.app.key(event));
            self.app.settle();
        }
        self
    }

    pub(crate) fn frame(&self, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| view::draw(frame, &self.app, Theme::new(true))).unwrap();
        format!("{}", terminal.backend())
    }

    pub(crate) fn args(&self) -> Vec<String> {
        self.app.document.argv().into_iter().map(str::to_owned).collect()
    }
}

pub(crate) fn named(name: &str) -> KeyEvent {
    let (name, modifiers) = match name.strip_prefix("C-") {
        Some(rest) => (rest, KeyModifiers::CONTROL),
        None => (name, KeyModifiers::NONE),
    };
    let code = match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BS" => KeyCode::Backspace,
        "Down" => KeyCode::Down,
        "Home" => KeyCode::Home,
        "PgDn" => KeyCode::PageDown,
        other => KeyCode::Char(other.chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}

pub(crate) const SMALL: &str = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>a</name><q:commandline><q:arg value='-device'/><q:arg value='x'/><q:arg value='-S'/><q:arg value='-rtc'/><q:arg value='base=utc'/><q:env name='A' value='1'/></q:commandline></domain>";
