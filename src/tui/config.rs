//! The user's configuration: `config.toml` in the configuration directory (`~/.config/qpt-tui`).
//!
//! ```toml
//! mouse = true        # false leaves the mouse to the terminal, for selecting text
//! theme = "dark"      # "light" for a light background, "mono" for no colours (as NO_COLOR)
//! ascii = false       # true draws borders and signs with plain ASCII
//! ask = true          # false asks neither libvirt nor QEMU, as --static does
//!
//! [keys.list]         # also: side form import remedies search palette confirm help
//! "Ctrl-w" = "save"   # a key as the help shows it, and an action: qpt-tui keys lists them
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::keymap::{Key, Keymap, Mode};
use super::theme::{Background, Theme};
use crate::error::Error;

/// What the file may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    mouse: bool,
    theme: Background,
    ascii: bool,
    ask: bool,
    keys: BTreeMap<String, BTreeMap<toml::Spanned<String>, toml::Spanned<String>>>,
}

impl Default for File {
    fn default() -> File {
        File {
            mouse: true,
            theme: Background::Dark,
            ascii: false,
            ask: true,
            keys: BTreeMap::new(),
        }
    }
}

/// The configuration in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// The mouse is read.
    pub mouse: bool,
    /// libvirt and QEMU are asked about the document.
    pub ask: bool,
    /// Colours and signs.
    pub theme: Theme,
    /// The keys.
    pub keymap: Keymap,
}

/// Bytes of the longest configuration; one that binds every key there is has a hundredth.
const MOST: usize = 1 << 20;

impl Config {
    /// Reads a configuration's text; an empty one is all defaults. `colour` is off under NO_COLOR, whatever the text says.
    ///
    /// # Errors
    /// `FILE:LINE:COLUMN:` and what was expected.
    pub fn read(path: &Path, text: &str, colour: bool) -> Result<Config, Error> {
        let refuse = |offset: usize, message: &str| {
            let place = crate::xml::position(text, offset.min(text.len()));
            Error::user(format!("{}:{}:{}: {message}", path.display(), place.line, place.column))
                .hint(
                    "the keys and actions: qpt-tui keys; without this file there are the defaults",
                )
        };
        if text.len() > MOST {
            return Err(refuse(0, &format!("longer than {MOST} bytes, expected a few lines")));
        }
        let file: File = toml::from_str(text)
            .map_err(|error| refuse(error.span().map_or(0, |span| span.start), error.message()))?;
        let mut keymap = Keymap::default();
        for (word, keys) in &file.keys {
            let Some((mode, ..)) = Mode::ALL.into_iter().find(|(_, known, _)| known == word) else {
                let at = text.find(word.as_str()).unwrap_or(0);
                let known: Vec<&str> = Mode::ALL.iter().map(|(_, word, _)| *word).collect();
                return Err(refuse(
                    at,
                    &format!("there is no mode '{word}', expected one of: {}", known.join(" ")),
                ));
            };
            for (key, action) in keys {
                let pressed =
                    Key::read(key.get_ref()).map_err(|what| refuse(key.span().start, &what))?;
                keymap
                    .bind(mode, pressed, action.get_ref())
                    .map_err(|what| refuse(action.span().start, &what))?;
            }
        }
        let theme =
            Theme::new(colour && file.theme != Background::Mono).on(file.theme).ascii(file.ascii);
        Ok(Config { mouse: file.mouse, ask: file.ask, theme, keymap })
    }
}

/// Every mode with its keys and the names of their actions, for people who write a configuration.
pub fn keys() -> String {
    let keymap = Keymap::default();
    let mut text = String::new();
    for (mode, word, _) in Mode::ALL {
        text.push_str(&format!("[keys.{word}]\n"));
        for (binding, keys) in keymap.all_of_mode(mode) {
            let action = super::keymap::name(binding.action);
            for key in keys {
                let pair = format!("{:?} = {action:?}", key.word());
                text.push_str(&format!("{pair:<32} # {}\n", binding.help));
            }
            if keys.is_empty() {
                let pair = format!("# it has no key: {action:?}");
                text.push_str(&format!("{pair:<32} # {}\n", binding.help));
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn read(text: &str) -> Result<Config, String> {
        Config::read(Path::new("config.toml"), text, true).map_err(|error| error.to_string())
    }

    #[test]
    fn a_configuration_changes_keys_and_colours() {
        let config =
            read("mouse = false\ntheme = \"light\"\n[keys.list]\n\"Ctrl-w\" = \"save\"\n").unwrap();
        assert!(!config.mouse);
        let event = KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(
            config.keymap.action(Mode::List, &event),
            Some(crate::tui::action::Action::Save)
        );
        assert!(read("").unwrap().mouse);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, place, what) in [
            ("mouse = 1", "config.toml:1:9", "expected a boolean"),
            ("mouse = true\nmuose = 1", "config.toml:2:1", "unknown field `muose`"),
            ("theme = \"red\"", "config.toml:1:9", "unknown variant `red`"),
            ("[keys.lists]\n", "config.toml:1:7", "there is no mode 'lists'"),
            ("[keys.list]\nStrg = \"save\"", "config.toml:2:1", "'Strg' is no key"),
            ("[keys.list]\nw = \"sav\"", "config.toml:2:5", "there is no action 'sav'"),
            ("mouse =", "config.toml:1:8", ""),
            (&"#".repeat(MOST + 1), "config.toml:1:1", "longer than 1048576 bytes"),
            (&format!("mouse = {}", "[".repeat(100_000)), "config.toml:1:", ""),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(what), "{error}");
        }
    }

    #[test]
    fn the_list_of_keys_is_a_configuration() {
        read(&keys()).unwrap();
    }
}
