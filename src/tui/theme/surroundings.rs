//! What the environment says of the terminal: how many colours, which background, which signs, and whether it can be asked.

use super::{Background, Level};

/// The variables of the environment that are about the terminal, as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// TERM.
    pub term: String,
    /// COLORTERM.
    pub colorterm: String,
    /// COLORFGBG, as rxvt and Konsole set it.
    pub colorfgbg: String,
    /// NO_COLOR is there and not empty (<https://no-color.org>).
    pub no_color: bool,
    /// We run in tmux, which understands every colour and turns it into one of its terminal's.
    pub tmux: bool,
    /// The locale for characters.
    pub locale: String,
}

/// Terminals with 256 colours whose names don't say so.
const INDEXED: [&str; 8] =
    ["alacritty", "contour", "foot", "ghostty", "iterm", "kitty", "rio", "wezterm"];

/// Beginnings of the names of terminals that are not asked anything: the console has no answer, DEC's terminals know no such
/// question, and Eterm takes it for a colour (terminal-colorsaurus, quirks).
const UNASKED: [&str; 5] = ["linux", "dumb", "vt", "Eterm", "eterm"];

impl Surroundings {
    /// Takes the variables from where `get` finds them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Surroundings {
        let word = |name: &str| get(name).unwrap_or_default();
        // setlocale(3): the first of these that is set and not empty.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(word);
        Surroundings {
            term: word("TERM"),
            colorterm: word("COLORTERM"),
            colorfgbg: word("COLORFGBG"),
            no_color: !word("NO_COLOR").is_empty(),
            tmux: !word("TMUX").is_empty(),
            locale: locale.into_iter().find(|value| !value.is_empty()).unwrap_or_default(),
        }
    }

    /// The colours that the terminal has.
    pub fn level(&self) -> Level {
        let term = self.term.as_str();
        // vt100 to vt520 have none; "38;5;1" would make text blink there.
        let is_plain = ["", "dumb", "unknown"].contains(&term)
            || term.starts_with("vt")
            || ["-m", "-mono"].iter().any(|end| term.ends_with(end));
        if self.no_color || is_plain {
            return Level::None;
        }
        // GNU screen 4 takes the numbers of a true colour for attributes; COLORTERM is that of the terminal around it.
        let in_screen = term.starts_with("screen") && !self.tmux;
        if ["truecolor", "24bit"].contains(&self.colorterm.as_str()) && !in_screen {
            return Level::True;
        }
        if term.ends_with("-direct") {
            return Level::True;
        }
        let is_indexed =
            term.contains("256color") || INDEXED.iter().any(|name| term.contains(name));
        if is_indexed || self.tmux {
            return Level::Indexed;
        }
        if self.is_console() { Level::Console } else { Level::Sixteen }
    }

    /// The background as COLORFGBG has it: the last of its numbers; vim takes 0 to 6 and 8 for dark as well.
    pub fn background(&self) -> Option<Background> {
        let last = self.colorfgbg.rsplit(';').next().unwrap_or_default();
        match last.parse::<u8>() {
            Ok(0..=6 | 8) => Some(Background::Dark),
            Ok(7 | 9..=15) => Some(Background::Light),
            Ok(_) | Err(_) => None,
        }
    }

    /// Signs have to be ASCII: the locale's characters are not UTF-8, or it is the console, whose fonts lack them (Debian's
    /// Lat15 and Uni2 of Fixed, Terminus and VGA have no ✓ and no ✗).
    pub fn is_ascii(&self) -> bool {
        let charset = self.locale.split('@').next().unwrap_or_default();
        // macOS sends LC_CTYPE=UTF-8 along.
        let charset = charset.split_once('.').map_or(charset, |(_, charset)| charset);
        let is_utf8 = charset.eq_ignore_ascii_case("UTF-8") || charset.eq_ignore_ascii_case("utf8");
        !is_utf8 || self.is_console()
    }

    /// The terminal can be asked for its background.
    pub fn can_be_asked(&self) -> bool {
        !self.term.is_empty() && !UNASKED.iter().any(|name| self.term.starts_with(name))
    }

    fn is_console(&self) -> bool {
        self.term == "linux" || self.term.starts_with("linux-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &str) -> Surroundings {
        let get = |name: &str| {
            let found = variables.split(' ').filter_map(|one| one.split_once('='));
            found.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
        };
        Surroundings::read(get)
    }

    #[test]
    fn the_colours_are_those_of_the_terminal() {
        for (variables, level) in [
            ("TERM=xterm-256color", Level::Indexed),
            ("TERM=xterm-256color COLORTERM=truecolor", Level::True),
            ("TERM=xterm COLORTERM=24bit", Level::True),
            ("TERM=xterm COLORTERM=yes", Level::Sixteen),
            ("TERM=xterm", Level::Sixteen),
            ("TERM=xterm-kitty", Level::Indexed),
            ("TERM=xterm-direct", Level::True),
            ("TERM=linux", Level::Console),
            ("TERM=linux-16color COLORTERM=truecolor", Level::True),
            ("TERM=screen", Level::Sixteen),
            ("TERM=screen-256color COLORTERM=truecolor", Level::Indexed),
            ("TERM=screen COLORTERM=truecolor TMUX=/tmp/t,1,0", Level::True),
            ("TERM=screen TMUX=/tmp/t,1,0", Level::Indexed),
            ("TERM=vt220", Level::None),
            ("TERM=dumb COLORTERM=truecolor", Level::None),
            ("TERM=xterm-256color NO_COLOR=1", Level::None),
            ("TERM=xterm-256color NO_COLOR=", Level::Indexed),
            ("", Level::None),
        ] {
            assert_eq!(read(variables).level(), level, "{variables}");
        }
    }

    #[test]
    fn colorfgbg_is_read_as_vim_reads_it() {
        for (value, background) in [
            ("15;0", Some(Background::Dark)),
            ("0;15", Some(Background::Light)),
            ("0;default;15", Some(Background::Light)),
            ("7;8", Some(Background::Dark)),
            ("12;7", Some(Background::Light)),
            ("default;default", None),
            ("0;200", None),
            ("", None),
        ] {
            let variables = format!("TERM=rxvt COLORFGBG={value}");
            assert_eq!(read(&variables).background(), background, "{value}");
        }
    }

    #[test]
    fn signs_are_plain_where_they_can_not_be_shown() {
        for (variables, ascii) in [
            ("TERM=xterm LANG=en_US.UTF-8", false),
            ("TERM=xterm LANG=C.utf8", false),
            ("TERM=xterm LANG=de_DE.UTF-8@euro", false),
            ("TERM=xterm LANG=en_US.ISO-8859-1", true),
            ("TERM=xterm LANG=de_DE@euro", true),
            ("TERM=xterm LC_CTYPE=UTF-8", false),
            ("TERM=xterm LANG=C", true),
            ("TERM=xterm LANG=POSIX", true),
            ("TERM=xterm", true),
            ("TERM=xterm LANG=C LC_CTYPE=C.UTF-8", false),
            ("TERM=xterm LC_ALL=C LC_CTYPE=C.UTF-8 LANG=C.UTF-8", true),
            ("TERM=linux LANG=en_US.UTF-8", true),
        ] {
            assert_eq!(read(variables).is_ascii(), ascii, "{variables}");
        }
    }

    #[test]
    fn who_has_no_answer_is_not_asked() {
        for (term, asked) in [
            ("xterm", true),
            ("tmux-256color", true),
            ("linux", false),
            ("vt220", false),
            ("eterm-color", false),
            ("", false),
        ] {
            assert_eq!(read(&format!("TERM={term}")).can_be_asked(), asked, "{term}");
        }
    }
}
