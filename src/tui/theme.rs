//! Colours repeat what a sign or a word says already; without colour nothing is lost.

use ratatui::style::{Color, Modifier, Style};

use crate::rules::Verdict;

/// What the terminal's background is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// Dark.
    Dark,
    /// Light: no yellow and no cyan, which can't be read there.
    Light,
    /// No colours at all.
    Mono,
}

/// The styles of the screen.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    colour: bool,
    light: bool,
    ascii: bool,
}

impl Theme {
    /// The theme; `colour` is off under NO_COLOR.
    pub fn new(colour: bool) -> Theme {
        Theme { colour, light: false, ascii: false }
    }

    /// The theme for a background.
    #[must_use]
    pub fn on(self, background: Background) -> Theme {
        Theme { light: background == Background::Light, ..self }
    }

    /// The theme with plain ASCII in the place of borders and signs.
    #[must_use]
    pub fn ascii(self, ascii: bool) -> Theme {
        Theme { ascii, ..self }
    }

    /// A sign of the screen as it is drawn.
    pub fn sign(self, sign: &str) -> Option<&'static str> {
        const PLAIN: [(&str, &str); 22] = [
            ("✗", "x"),
            ("✓", "v"),
            ("·", "."),
            ("…", "~"),
            ("–", "-"),
            ("─", "-"),
            ("│", "|"),
            ("┌", "+"),
            ("┐", "+"),
            ("└", "+"),
            ("┘", "+"),
            ("▌", "|"),
            ("▐", "#"),
            ("▏", "_"),
            ("▸", ">"),
            ("→", ">"),
            ("↓", "v"),
            ("↑", "^"),
            ("←", "<"),
            ("⋮", ":"),
            ("×", "x"),
            ("⏎", "$"),
        ];
        PLAIN.iter().find(|(found, _)| self.ascii && *found == sign).map(|(_, plain)| *plain)
    }

    fn fg(self, colour: Color) -> Style {
        let on_light = [(Color::Yellow, Color::Magenta), (Color::Cyan, Color::Blue)];
        let darker = on_light.iter().find(|(bright, _)| self.light && *bright == colour);
        let colour = darker.map_or(colour, |(_, darker)| *darker);
        if self.colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// A verdict's sign and word.
    pub fn verdict(self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Blocks => self.fg(Color::Red).add_modifier(Modifier::BOLD),
            Verdict::Warns => self.fg(Color::Yellow),
            Verdict::Unknown => self.fg(Color::Magenta),
            Verdict::Note => self.fg(Color::Cyan),
            Verdict::Allows => self.fg(Color::Green),
        }
    }

    /// The row under the cursor.
    pub fn selected(self, focused: bool) -> Style {
        if focused {
            Style::new().add_modifier(Modifier::REVERSED)
        } else {
            Style::new().add_modifier(Modifier::UNDERLINED)
        }
    }

    /// Titles.
    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is looked for, where it stands.
    pub fn found(self) -> Style {
        self.fg(Color::Yellow).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// What matters less.
    pub fn dim(self) -> Style {
        if self.colour { Style::new().fg(Color::DarkGray) } else { Style::new() }
    }

    /// What libvirt does not see.
    pub fn lost(self) -> Style {
        self.fg(Color::Red)
    }

    /// The one sentence of the header.
    pub fn badge(self, verdict: Verdict) -> Style {
        self.verdict(verdict)
    }

    /// The header and the footer.
    pub fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Keys in the footer and the help.
    pub fn key(self) -> Style {
        self.fg(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// An error in the footer or a form.
    pub fn error(self) -> Style {
        self.fg(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// Lines that saving adds.
    pub fn added(self) -> Style {
        self.fg(Color::Green)
    }

    /// Lines that saving takes away.
    pub fn removed(self) -> Style {
        self.fg(Color::Red)
    }

    /// What the user is meant to type or run.
    pub fn command(self) -> Style {
        self.fg(Color::Cyan)
    }
}
