//! The user's configuration: `config.toml` in the configuration directory (`~/.config/qpt-tui`).
//!
//! ```toml
//! mouse = true        # false leaves the mouse to the terminal, for selecting text
//! theme = "auto"      # what goes with the terminal's background; see below
//! ascii = false       # true draws borders and signs with plain ASCII; without it the locale and TERM decide
//! ask = true          # false asks neither libvirt nor QEMU, as --static does
//!
//! [keys.list]         # also: side form import remedies search palette confirm help choose
//! "Ctrl-w" = "save"   # a key as the help shows it, and an action: qpt-tui keys lists them
//! ```
//!
//! The themes: `auto` asks the terminal for its background (OSC 11), reads COLORFGBG where it does not answer, and takes it for
//! dark else; `dark` and `light` say it; `mono` has no colours, as NO_COLOR; `colour-blind` has blue and orange in the place of
//! green and red, on the background that `auto` finds, or with `-dark` or `-light` behind it on the one that is said.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::keymap::{Key, Keymap, Mode};
use super::theme::{Choice, Surroundings, Theme};
use crate::error::Error;

/// What the file may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    mouse: bool,
    theme: Choice,
    ascii: Option<bool>,
    ask: bool,
    keys: BTreeMap<String, BTreeMap<toml::Spanned<String>, toml::Spanned<String>>>,
}

impl Default for File {
    fn default() -> File {
        File { mouse: true, theme: Choice::Auto, ascii: None, ask: true, keys: BTreeMap::new() }
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
    /// The terminal is asked for its background.
    pub ask_background: bool,
    /// The keys.
    pub keymap: Keymap,
}

/// Bytes of the longest configuration; one that binds every key there is has a hundredth.
const MOST: usize = 1 << 20;

impl Config {
    /// Reads a configuration's text; an empty one is all defaults. Under NO_COLOR there are no colours, whatever the text
    /// says.
    ///
    /// # Errors
    /// `FILE:LINE:COLUMN:` and what was expected.
    pub fn read(path: &Path, text: &str, around: &Surroundings) -> Result<Config, Error> {
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
        let theme = Theme::of(around.level(), file.theme, around.background())
            .ascii(file.ascii.unwrap_or_else(|| around.is_ascii()));
        let ask_background = theme.depends_on_background() && around.can_be_asked();
        Ok(Config { mouse: file.mouse, ask: file.ask, theme, ask_background, keymap })
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
        let around = Surroundings {
            term: "xterm-256color".to_owned(),
            locale: "C.UTF-8".to_owned(),
            ..Surroundings::default()
        };
        read_in(text, &around)
    }

    fn read_in(text: &str, around: &Surroundings) -> Result<Config, String> {
        Config::read(Path::new("config.toml"), text, around).map_err(|error| error.to_string())
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
    fn the_configuration_has_the_last_word_on_colours_and_signs() {
        let console = Surroundings { term: "linux".to_owned(), ..Surroundings::default() };
        let xterm = Surroundings {
            term: "xterm-256color".to_owned(),
            locale: "C.UTF-8".to_owned(),
            ..Surroundings::default()
        };
        let quiet = Surroundings { no_color: true, ..xterm.clone() };
        for (text, around, asked, ascii) in [
            ("", &xterm, true, false),
            ("theme = \"auto\"", &xterm, true, false),
            ("theme = \"dark\"", &xterm, false, false),
            ("theme = \"light\"", &xterm, false, false),
            ("theme = \"mono\"", &xterm, false, false),
            ("theme = \"colour-blind\"", &xterm, true, false),
            ("theme = \"color-blind-light\"", &xterm, false, false),
            ("ascii = true", &xterm, true, true),
            ("", &console, false, true),
            ("ascii = false", &console, false, false),
            ("theme = \"auto\"", &quiet, false, false),
        ] {
            let config = read_in(text, around).unwrap();
            assert_eq!(config.ask_background, asked, "{text}");
            assert_eq!(config.theme.sign("✗").is_some(), ascii, "{text}");
        }
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
