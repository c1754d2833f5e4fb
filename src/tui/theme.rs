//! Styles and signs. Colours repeat what a sign or a word says already; without colour nothing is lost.
//!
//! How many colours there are, and whether the signs can be shown, is what the environment says ([`Surroundings`]). The
//! background is what the configuration says, else what the terminal answers, which comes when it comes
//! (`tui::terminal`, [`Theme::answered`]), until then what COLORFGBG says, else dark. The colours are in `palette`.

mod colour;
mod palette;
mod signs;
mod surroundings;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::rules::Verdict;
pub use colour::Rgb;
use palette::{Ground, Tones};
pub use surroundings::Surroundings;

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// None, or none are wanted.
    None,
    /// Sixteen, of which only the user knows how they look.
    Sixteen,
    /// The sixteen of the Linux console, on black.
    Console,
    /// 256.
    Indexed,
    /// All.
    True,
}

/// A kind of background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// What the user wants to see, as the configuration says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// What goes with the terminal's background.
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// No colours at all.
    Mono,
    /// For eyes that don't tell red from green, on the terminal's background.
    #[serde(alias = "color-blind")]
    ColourBlind,
    /// The same on a dark background.
    #[serde(alias = "color-blind-dark")]
    ColourBlindDark,
    /// The same on a light background.
    #[serde(alias = "color-blind-light")]
    ColourBlindLight,
}

impl Choice {
    /// The background that is said with it.
    fn background(self) -> Option<Background> {
        match self {
            Choice::Dark | Choice::ColourBlindDark => Some(Background::Dark),
            Choice::Light | Choice::ColourBlindLight => Some(Background::Light),
            Choice::Auto | Choice::Mono | Choice::ColourBlind => None,
        }
    }

    fn is_colour_blind(self) -> bool {
        match self {
            Choice::ColourBlind | Choice::ColourBlindDark | Choice::ColourBlindLight => true,
            Choice::Auto | Choice::Dark | Choice::Light | Choice::Mono => false,
        }
    }
}

/// The styles of the screen.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    level: Level,
    choice: Choice,
    tones: Tones,
    ascii: bool,
}

impl Theme {
    /// A theme with 256 colours for a dark background, or without any.
    pub fn new(colour: bool) -> Theme {
        Theme::of(if colour { Level::Indexed } else { Level::None }, Choice::Dark, None)
    }

    /// The theme for a terminal with so many colours; `background` is what is known of it beside the user's choice.
    pub fn of(level: Level, choice: Choice, background: Option<Background>) -> Theme {
        let level = if choice == Choice::Mono { Level::None } else { level };
        let ground = match choice.background().or(background) {
            Some(background) => Ground::Said(background),
            None => Ground::Assumed,
        };
        let tones = palette::tones(level, ground, choice.is_colour_blind());
        Theme { level, choice, tones, ascii: false }
    }

    /// The terminal's background would change it.
    pub fn depends_on_background(self) -> bool {
        self.level != Level::None && self.choice.background().is_none()
    }

    /// The theme for the background that the terminal answered; what the user has said stays.
    #[must_use]
    pub fn answered(self, background: Rgb) -> Theme {
        if !self.depends_on_background() {
            return self;
        }
        let ground = Ground::Asked(background);
        let tones = palette::tones(self.level, ground, self.choice.is_colour_blind());
        Theme { tones, ..self }
    }

    /// The theme with plain ASCII in the place of borders and signs.
    #[must_use]
    pub fn ascii(self, ascii: bool) -> Theme {
        Theme { ascii, ..self }
    }

    /// A sign of the screen as it is drawn, where that is another one.
    pub fn sign(self, sign: &str) -> Option<&'static str> {
        if self.ascii { signs::plain(sign) } else { None }
    }

    /// The last touch of a frame: signs as they can be shown, and plain text in a colour that can be read.
    pub fn finish(self, frame: &mut Buffer) {
        for cell in &mut frame.content {
            if let Some(plain) = self.sign(cell.symbol()) {
                cell.set_symbol(plain);
            }
            if let Some(text) = self.tones.text
                && cell.fg == Color::Reset
            {
                cell.fg = text;
            }
        }
    }

    /// A verdict's sign and word.
    pub fn verdict(self, verdict: Verdict) -> Style {
        self.tones.verdicts[palette::place(verdict)]
    }

    /// The one sentence about a verdict, in a bar or elsewhere.
    pub fn badge(self, verdict: Verdict) -> Style {
        self.tones.badges[palette::place(verdict)]
    }

    /// The row under the cursor. It goes under the styles of what stands in it, which keep their colours.
    pub fn selected(self, focused: bool) -> Style {
        if focused { self.tones.selected } else { self.tones.resting }
    }

    /// What a search found.
    pub fn found(self) -> Style {
        self.tones.found
    }

    /// Titles.
    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What matters less: it is read nevertheless.
    pub fn dim(self) -> Style {
        self.tones.dim
    }

    /// The header and the footer.
    pub fn bar(self) -> Style {
        self.tones.bar
    }

    /// Keys in the footer and the help.
    pub fn key(self) -> Style {
        self.tones.key
    }

    /// An error in the footer or a form.
    pub fn error(self) -> Style {
        self.tones.error
    }

    /// Lines that saving adds.
    pub fn added(self) -> Style {
        self.tones.added
    }

    /// What libvirt does not see.
    pub fn lost(self) -> Style {
        self.tones.removed
    }

    /// Lines that saving takes away.
    pub fn removed(self) -> Style {
        self.tones.removed
    }

    /// What the user is meant to type or run.
    pub fn command(self) -> Style {
        self.tones.command
    }
}
