//! The colours: one table for terminals with 256 colours and more, one for those that have the user's sixteen only.
//!
//! With 256 colours and more the colours are our own: indices from 22 on, whose colours no palette changes (base16-shell puts its
//! own on 16 to 21), and as true colours the same ones. Where the background was asked for, each is moved towards white or
//! black until it has 4.5:1 on it and on the row under the cursor ([`Rgb::legible`]).
//!
//! With sixteen colours only those are used that reach 4.5:1 in every common palette (tests/contrast.rs has them): on a dark
//! background green, cyan and bright cyan. Red (2.7 on VGA, 3.0 on VTE), yellow (4.0 on VGA), blue, magenta, bright black
//! (1.0 on Solarized, whose bright colours are greys) and bright red (3.3 on Solarized) do not, so what blocks is bold and
//! reversed there, and what warns is bold. On a light background none does: there all is the terminal's own text, which is its
//! user's choice (4.1 in Solarized light). DIM is never used for text: VTE and xterm take two thirds of each channel (vte.cc,
//! "magic formula taken from xterm"), which leaves 2.4:1 of Solarized's text, and the Linux console shows dark grey, 2.8:1.

use ratatui::style::{Color, Modifier, Style};

use super::colour::Rgb;
use super::{Background, Level};
use crate::rules::Verdict;

/// What text has to reach (WCAG 2.2, 1.4.3, level AA).
const LEGIBLE: f64 = 4.5;

/// The styles of the screen, chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tones {
    /// Plain text, where it is not the terminal's own.
    pub(super) text: Option<Color>,
    pub(super) verdicts: [Style; 5],
    pub(super) badges: [Style; 5],
    pub(super) dim: Style,
    pub(super) key: Style,
    pub(super) command: Style,
    pub(super) added: Style,
    pub(super) removed: Style,
    pub(super) error: Style,
    pub(super) bar: Style,
    pub(super) selected: Style,
    pub(super) resting: Style,
    pub(super) found: Style,
}

/// The place of a verdict in the tables.
pub(super) fn place(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Blocks => 0,
        Verdict::Warns => 1,
        Verdict::Unknown => 2,
        Verdict::Note => 3,
        Verdict::Allows => 4,
    }
}

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED);
const LOUD: Style = BOLD.add_modifier(Modifier::REVERSED);
/// Text as it is elsewhere, in a bar that is reversed.
const HOLE: Style = Style::new().remove_modifier(Modifier::REVERSED);
const LOUD_HOLE: Style = HOLE.add_modifier(Modifier::BOLD);
const MARKED: Style = BOLD.add_modifier(Modifier::UNDERLINED);

/// No colour at all.
const MONO: Tones = Tones {
    text: None,
    verdicts: [BOLD, PLAIN, PLAIN, PLAIN, PLAIN],
    badges: [LOUD_HOLE, HOLE, HOLE, PLAIN, PLAIN],
    dim: PLAIN,
    key: BOLD,
    command: PLAIN,
    added: PLAIN,
    removed: PLAIN,
    error: BOLD,
    bar: REVERSED,
    selected: REVERSED,
    resting: BOLD,
    found: MARKED,
};

/// Green where bold does not make it bright, which is grey in Solarized (2.8).
const GREEN: Style = PLAIN.fg(Color::Green).remove_modifier(Modifier::BOLD);

/// Sixteen colours on a dark background.
const SIXTEEN_DARK: Tones = Tones {
    verdicts: [LOUD, BOLD, PLAIN, PLAIN.fg(Color::Cyan), GREEN],
    key: BOLD.fg(Color::Cyan),
    command: PLAIN.fg(Color::Cyan),
    added: GREEN,
    ..MONO
};

/// Sixteen colours on a light background: black, when bold, is grey in xterm (4.0).
const SIXTEEN_LIGHT: Tones = Tones { verdicts: [LOUD, BOLD, PLAIN, PLAIN, PLAIN], ..MONO };

/// The Linux console: its bright colours reach 5:1 on black, in the kernel's palette (vt.c) and in Ubuntu's (console-setup).
const CONSOLE: Tones = Tones {
    verdicts: [
        BOLD.fg(Color::LightRed),
        PLAIN.fg(Color::LightYellow),
        PLAIN.fg(Color::LightMagenta),
        PLAIN.fg(Color::LightCyan),
        PLAIN.fg(Color::LightGreen),
    ],
    key: BOLD.fg(Color::LightCyan),
    command: PLAIN.fg(Color::LightCyan),
    added: PLAIN.fg(Color::LightGreen),
    removed: PLAIN.fg(Color::LightRed),
    error: BOLD.fg(Color::LightRed),
    ..MONO
};

/// Indices of colours, for one kind of background. Verdicts stand in the order of [`place`].
struct Hues {
    /// The background that is assumed where only its kind is known.
    ground: u8,
    /// Under the cursor, with and without the keys.
    selected: u8,
    resting: u8,
    /// The same where the background is known: hundredths of white or black in it.
    raised: [u8; 2],
    text: u8,
    dim: u8,
    key: u8,
    verdicts: [u8; 5],
}

const DARK: Hues = Hues {
    ground: 235,
    selected: 237,
    resting: 236,
    raised: [14, 8],
    text: 253,
    dim: 248,
    key: 80,
    verdicts: [210, 221, 177, 117, 114],
};

const LIGHT: Hues = Hues {
    ground: 255,
    selected: 254,
    resting: 254,
    raised: [10, 6],
    text: 235,
    dim: 241,
    key: 24,
    verdicts: [124, 94, 90, 25, 22],
};

/// Blue and orange in the place of green and red, after the palette of Okabe and Ito (jfly.uni-koeln.de/color): who sees no
/// red or no green tells them apart, and each from yellow and from grey by brightness.
const COLOUR_BLIND_DARK: Hues = Hues { key: 117, verdicts: [208, 229, 159, 248, 75], ..DARK };
const COLOUR_BLIND_LIGHT: Hues = Hues { key: 24, verdicts: [52, 94, 53, 240, 26], ..LIGHT };

/// A badge's ground and the text on it: they bring their own ground along, so they are the same everywhere.
const BADGES: [(u8, u8); 5] = [(160, 231), (220, 232), (91, 231), (25, 231), (28, 231)];
const COLOUR_BLIND_BADGES: [(u8, u8); 5] =
    [(208, 232), (229, 232), (53, 231), (240, 231), (26, 231)];
/// What a search found.
const FOUND: (u8, u8) = (220, 232);

/// What is known of the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Nothing: it is taken for dark, and plain text stays the terminal's own.
    Assumed,
    /// Its kind.
    Said(Background),
    /// Its colour.
    Asked(Rgb),
}

/// The styles for a terminal with so many colours, on a background, for eyes that tell red from green or do not.
pub(super) fn tones(level: Level, ground: Ground, is_colour_blind: bool) -> Tones {
    let is_dark = match ground {
        Ground::Assumed => true,
        Ground::Said(background) => background == Background::Dark,
        Ground::Asked(colour) => colour.is_dark(),
    };
    match (level, is_dark) {
        (Level::None, _) => MONO,
        (Level::Console, true) => CONSOLE,
        (Level::Sixteen, true) => SIXTEEN_DARK,
        (Level::Console | Level::Sixteen, false) => SIXTEEN_LIGHT,
        (Level::Indexed | Level::True, _) => {
            own(level == Level::True, ground, hues(is_dark, is_colour_blind))
        }
    }
}

fn hues(is_dark: bool, is_colour_blind: bool) -> (&'static Hues, &'static [(u8, u8); 5]) {
    match (is_dark, is_colour_blind) {
        (true, false) => (&DARK, &BADGES),
        (false, false) => (&LIGHT, &BADGES),
        (true, true) => (&COLOUR_BLIND_DARK, &COLOUR_BLIND_BADGES),
        (false, true) => (&COLOUR_BLIND_LIGHT, &COLOUR_BLIND_BADGES),
    }
}

/// The contrast of black or white from which on the row under the cursor may come nearer to its text; else it goes away from it.
const ROOMY: f64 = 7.0;

/// A background of the row under the cursor.
#[derive(Clone, Copy)]
enum Raised {
    Index(u8),
    Exactly(Rgb),
}

impl Raised {
    fn colour(self) -> Rgb {
        match self {
            Raised::Index(index) => Rgb::of_index(index),
            Raised::Exactly(colour) => colour,
        }
    }
}

/// The backgrounds of the row under the cursor, with and without the keys, and all that text stands on.
fn grounds(has_all: bool, ground: Ground, hues: &Hues) -> ([Raised; 2], [Rgb; 3]) {
    let Ground::Asked(colour) = ground else {
        let raised = [hues.selected, hues.resting].map(Raised::Index);
        return (raised, [Rgb::of_index(hues.ground), raised[0].colour(), raised[1].colour()]);
    };
    let text = colour.opposite();
    let is_roomy = text.contrast(colour.mixed(text, hues.raised[0])) >= ROOMY;
    let pole = if is_roomy { text } else { text.opposite() };
    let raised = hues.raised.map(|share| {
        let raised = colour.mixed(pole, share);
        if has_all { Raised::Exactly(raised) } else { Raised::Index(raised.nearest(&[], 0.0)) }
    });
    (raised, [colour, raised[0].colour(), raised[1].colour()])
}

/// The styles in our own colours, of 256 or of all.
fn own(has_all: bool, ground: Ground, (hues, badges): (&Hues, &[(u8, u8); 5])) -> Tones {
    let index = Rgb::of_index;
    let ([selected, resting], grounds) = grounds(has_all, ground, hues);
    let exact = |hue: u8| if has_all { index(hue).into() } else { Color::Indexed(hue) };
    let row = |raised: Raised| match raised {
        Raised::Exactly(colour) => colour.into(),
        Raised::Index(hue) => exact(hue),
    };
    let is_asked = matches!(ground, Ground::Asked(_));
    let shade = |hue: u8| match (has_all, is_asked) {
        (true, true) => index(hue).legible(&grounds, LEGIBLE).into(),
        (false, true) => {
            // What is bright enough first, so that it stays of its hue.
            let bright = index(hue).legible(&grounds, LEGIBLE);
            Color::Indexed(bright.nearest(&grounds, LEGIBLE))
        }
        (true, false) => index(hue).into(),
        (false, false) => Color::Indexed(hue),
    };
    let fg = |hue: u8| PLAIN.fg(shade(hue));
    let on = |(ground, text): (u8, u8)| HOLE.fg(exact(text)).bg(exact(ground));
    let bold = |style: Style| style.add_modifier(Modifier::BOLD);
    let [blocks, warns, unknown, note, allows] = hues.verdicts.map(fg);
    Tones {
        text: (ground != Ground::Assumed).then(|| shade(hues.text)),
        verdicts: [bold(blocks), warns, unknown, note, allows],
        badges: badges.map(|badge| bold(on(badge))),
        dim: fg(hues.dim),
        key: bold(fg(hues.key)),
        command: fg(hues.key),
        added: allows,
        removed: blocks,
        error: bold(blocks),
        bar: REVERSED,
        selected: fg(hues.text).bg(row(selected)),
        resting: fg(hues.text).bg(row(resting)),
        found: on(FOUND),
    }
}
