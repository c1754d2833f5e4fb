//! Colours repeat what a sign or a word says already; without colour nothing is lost.

use ratatui::style::{Color, Modifier, Style};

use crate::rules::Verdict;

/// The styles of the screen.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    colour: bool,
}

impl Theme {
    /// The theme; `colour` is off under NO_COLOR.
    pub fn new(colour: bool) -> Theme {
        Theme { colour }
    }

    fn fg(self, colour: Color) -> Style {
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

    /// What matters less.
    pub fn dim(self) -> Style {
        if self.colour { Style::new().fg(Color::DarkGray) } else { Style::new() }
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
