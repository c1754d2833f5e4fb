//! A key: as it arrives, as it is written in the configuration, as it is shown.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub(super) code: KeyCode,
    pub(super) modifiers: KeyModifiers,
}

pub(super) const fn ch(c: char) -> Key {
    Key { code: KeyCode::Char(c), modifiers: KeyModifiers::NONE }
}

pub(super) const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), modifiers: KeyModifiers::CONTROL }
}

pub(super) const fn key(code: KeyCode) -> Key {
    Key { code, modifiers: KeyModifiers::NONE }
}

impl Key {
    /// The key of an event. Shift is left out for characters, where the character already tells it.
    pub fn of(event: &KeyEvent) -> Key {
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        if matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Key { code: event.code, modifiers }
    }

    /// Reads a key as the help shows it: `Ctrl-s`, `Enter`, `F2`, `j`.
    ///
    /// # Errors
    /// What was expected, in one sentence.
    pub fn read(text: &str) -> Result<Key, String> {
        let (modifiers, word) = match text.strip_prefix("Ctrl-") {
            Some(rest) => (KeyModifiers::CONTROL, rest),
            None => (KeyModifiers::NONE, text),
        };
        let mut letters = word.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => match word {
                "Space" => KeyCode::Char(' '),
                "Enter" => KeyCode::Enter,
                "Esc" => KeyCode::Esc,
                "Tab" => KeyCode::Tab,
                "Shift-Tab" => KeyCode::BackTab,
                "Backspace" => KeyCode::Backspace,
                "Del" => KeyCode::Delete,
                "Insert" => KeyCode::Insert,
                "Home" => KeyCode::Home,
                "End" => KeyCode::End,
                "PgUp" => KeyCode::PageUp,
                "PgDn" => KeyCode::PageDown,
                "Up" => KeyCode::Up,
                "Down" => KeyCode::Down,
                "Left" => KeyCode::Left,
                "Right" => KeyCode::Right,
                _ => match word.strip_prefix('F').and_then(|number| number.parse().ok()) {
                    Some(number @ 1..=12) => KeyCode::F(number),
                    _ => {
                        return Err(format!(
                            "'{text}' is no key, expected one such as j, Ctrl-s, Enter, PgDn or F2"
                        ));
                    }
                },
            },
        };
        Ok(Key { code, modifiers })
    }

    /// The key's word in the configuration; arrows are words there.
    pub fn word(&self) -> String {
        let arrows = [("↑", "Up"), ("↓", "Down"), ("←", "Left"), ("→", "Right")];
        arrows.iter().fold(self.name(), |name, (sign, word)| name.replace(sign, word))
    }

    /// The key as it stands on the keyboard: `Ctrl-s`, `Enter`, `j`.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "a terminal has more keys than have a name here"
    )]
    pub fn name(&self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::Delete => "Del".to_owned(),
            other => format!("{other}"),
        };
        if self.modifiers.contains(KeyModifiers::CONTROL) { format!("Ctrl-{name}") } else { name }
    }
}
