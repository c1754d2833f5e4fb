//! What is on the screen can be read on it: the contrast of every cell with a text, in the palettes that people have, with every
//! number of colours, by WCAG 2.2 (1.4.3: 4.5:1 for text; 1.4.11: 3:1 for lines that divide).
//!
//! A terminal here is a palette and what it does with attributes: reverse swaps the colours, bold may make the first eight
//! bright (xterm and the console do, VTE and others can), dim takes two thirds of each channel (vte.cc; xterm's faint), on the
//! console it is dark grey.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, HashSet};

use qpt_tui::rules::Verdict;
use qpt_tui::tui::theme::{Background, Choice, Level, Rgb, Theme};
use qpt_tui::tui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};
use support::session::session;

const TEXT: f64 = 4.5;
const LINE: f64 = 3.0;

/// A terminal as somebody has it.
struct Screen {
    name: &'static str,
    text: u32,
    ground: u32,
    palette: [u32; 16],
}

/// GNOME Terminal's "GNOME" palette (terminal-profile-editor.cc), which VTE's own default resembles.
const GNOME: [u32; 16] = [
    0x171421, 0xc01c28, 0x26a269, 0xa2734c, 0x12488b, 0xa347ba, 0x2aa1b3, 0xd0cfcc, 0x5e5c64,
    0xf66151, 0x33d17a, 0xe9ad0c, 0x2a7bde, 0xc061cb, 0x33c7de, 0xffffff,
];
/// xterm's XTerm-col.ad and charproc.c, with X11's names as numbers.
const XTERM: [u32; 16] = [
    0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f,
    0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];
/// The Linux console: default_red, default_grn, default_blu of drivers/tty/vt/vt.c, in the order of ANSI.
const VGA: [u32; 16] = [
    0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa, 0x555555,
    0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
];
/// The console on Ubuntu (console-setup, vtrgb).
const UBUNTU_VT: [u32; 16] = [
    0x010101, 0xde382b, 0x39b54a, 0xffc706, 0x006fb8, 0x762671, 0x2cb5e9, 0xcccccc, 0x808080,
    0xff0000, 0x00ff00, 0xffff00, 0x0000ff, 0xff00ff, 0x00ffff, 0xffffff,
];
/// Solarized (ethanschoonover.com/solarized): its bright colours are the tones of text and background.
const SOLARIZED: [u32; 16] = [
    0x073642, 0xdc322f, 0x859900, 0xb58900, 0x268bd2, 0xd33682, 0x2aa198, 0xeee8d5, 0x002b36,
    0xcb4b16, 0x586e75, 0x657b83, 0x839496, 0x6c71c4, 0x93a1a1, 0xfdf6e3,
];
/// Windows Terminal's "Campbell" (src/cascadia/TerminalSettingsModel/defaults.json).
const CAMPBELL: [u32; 16] = [
    0x0c0c0c, 0xc50f1f, 0x13a10e, 0xc19c00, 0x0037da, 0x881798, 0x3a96dd, 0xcccccc, 0x767676,
    0xe74856, 0x16c60c, 0xf9f1a5, 0x3b78ff, 0xb4009e, 0x61d6d6, 0xf2f2f2,
];

const fn screen(name: &'static str, text: u32, ground: u32, palette: [u32; 16]) -> Screen {
    Screen { name, text, ground, palette }
}

const SCREENS: [Screen; 8] = [
    screen("VTE dark", 0xd0cfcc, 0x171421, GNOME),
    screen("VTE light", 0x171421, 0xffffff, GNOME),
    screen("xterm", 0x000000, 0xffffff, XTERM),
    screen("xterm -rv", 0xffffff, 0x000000, XTERM),
    screen("VGA", 0xaaaaaa, 0x000000, VGA),
    screen("Solarized dark", 0x839496, 0x002b36, SOLARIZED),
    screen("Solarized light", 0x657b83, 0xfdf6e3, SOLARIZED),
    screen("Windows Terminal", 0xcccccc, 0x0c0c0c, CAMPBELL),
];

const CONSOLES: [Screen; 2] = [
    screen("console", 0xaaaaaa, 0x000000, VGA),
    screen("console on Ubuntu", 0xcccccc, 0x010101, UBUNTU_VT),
];

/// Other backgrounds that terminals answer with, up to the middle between black and white.
const GROUNDS: [u32; 12] = [
    0x1e1e1e, 0x282828, 0x282a36, 0x2e3440, 0x300a24, 0x3b4252, 0x555753, 0x808080, 0xb0b0b0,
    0xe5e5e5, 0xeee8d5, 0xfaf4ed,
];

fn rgb(colour: u32) -> Rgb {
    let [_, red, green, blue] = colour.to_be_bytes();
    Rgb(red, green, blue)
}

fn linear(channel: u8) -> f64 {
    let share = f64::from(channel) / 255.0;
    if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
}

/// Contrast ratio of WCAG 2.2; on its own here, so that what is tested does not measure itself.
fn contrast(one: Rgb, two: Rgb) -> f64 {
    let luminance = |colour: Rgb| {
        0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
    };
    let (one, two) = (luminance(one), luminance(two));
    (one.max(two) + 0.05) / (one.min(two) + 0.05)
}

impl Screen {
    fn is_dark(&self) -> bool {
        contrast(rgb(self.ground), Rgb(255, 255, 255)) > contrast(rgb(self.ground), Rgb(0, 0, 0))
    }

    fn colour(&self, colour: Color, own: u32, brightens: bool) -> Rgb {
        let named = |index: usize| {
            rgb(self.palette[if brightens && index < 8 { index + 8 } else { index }])
        };
        match colour {
            Color::Reset => rgb(own),
            Color::Black => named(0),
            Color::Red => named(1),
            Color::Green => named(2),
            Color::Yellow => named(3),
            Color::Blue => named(4),
            Color::Magenta => named(5),
            Color::Cyan => named(6),
            Color::Gray => named(7),
            Color::DarkGray => named(8),
            Color::LightRed => named(9),
            Color::LightGreen => named(10),
            Color::LightYellow => named(11),
            Color::LightBlue => named(12),
            Color::LightMagenta => named(13),
            Color::LightCyan => named(14),
            Color::White => named(15),
            Color::Indexed(index) if index < 16 => named(usize::from(index)),
            Color::Indexed(index) => cube(index),
            Color::Rgb(red, green, blue) => Rgb(red, green, blue),
        }
    }

    /// The contrast of what a style shows, the worse where terminals differ.
    fn shows(&self, style: &Cell) -> f64 {
        let bold = style.modifier.contains(Modifier::BOLD);
        let brightens: &[bool] = if bold { &[false, true] } else { &[false] };
        let worst = brightens.iter().map(|brightens| {
            let mut text = self.colour(style.fg, self.text, *brightens);
            let mut ground = self.colour(style.bg, self.ground, false);
            if style.modifier.contains(Modifier::DIM) {
                let two_thirds = |channel: u8| u8::try_from(u16::from(channel) * 2 / 3).unwrap();
                text = Rgb(two_thirds(text.0), two_thirds(text.1), two_thirds(text.2));
            }
            if style.modifier.contains(Modifier::REVERSED) {
                std::mem::swap(&mut text, &mut ground);
            }
            contrast(text, ground)
        });
        worst.fold(f64::INFINITY, f64::min)
    }
}

/// xterm's 256colres.pl.
fn cube(index: u8) -> Rgb {
    if index >= 232 {
        let level = 8 + 10 * (index - 232);
        return Rgb(level, level, level);
    }
    let step = |place: u8| match (index - 16) / place % 6 {
        0 => 0,
        step => 55 + 40 * step,
    };
    Rgb(step(36), step(6), step(1))
}

/// The states of the editor that are looked at: a name, and the keys that lead there.
const STATES: [(&str, &str); 17] = [
    ("main", ""),
    ("option", "jj"),
    ("side", "<Tab>"),
    ("layers", "2<Tab>"),
    ("xml", "3"),
    ("diff", "Jd4"),
    ("command", "5"),
    ("rule", "6"),
    ("schema", "7"),
    ("off", "j j  "),
    ("help", "?"),
    ("form", "<Enter>"),
    ("remedies", "x"),
    ("search", "/x"),
    ("palette", ":a"),
    ("import", "P-device virtio-rng-pci -snapshot -m 4G<Enter>"),
    ("question", "dq"),
];

/// Every style in every place it is meant for, whatever the views use of it today.
fn swatches(theme: Theme) -> Buffer {
    const VERDICTS: [Verdict; 5] =
        [Verdict::Blocks, Verdict::Warns, Verdict::Unknown, Verdict::Note, Verdict::Allows];
    let mut styles: Vec<(String, Style)> = [
        ("plain", Style::new()),
        ("title", theme.title()),
        ("dim", theme.dim()),
        ("key", theme.key()),
        ("error", theme.error()),
        ("added", theme.added()),
        ("removed", theme.removed()),
        ("command", theme.command()),
        ("title of a command", theme.title().patch(theme.command())),
        ("found", theme.found()),
    ]
    .map(|(name, style)| (name.to_owned(), style))
    .into();
    for verdict in VERDICTS {
        styles.push((format!("verdict {verdict:?}"), theme.verdict(verdict)));
        styles.push((format!("badge {verdict:?}"), theme.badge(verdict)));
    }
    let grounds = [Style::new(), theme.selected(true), theme.selected(false), theme.bar()];
    let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 40, 80));
    let mut line = 0;
    for (name, style) in styles {
        for (place, ground) in grounds.into_iter().enumerate() {
            // A bar holds plain text and badges.
            if place == 3 && !["plain", "title"].contains(&&*name) && !name.starts_with("badge") {
                continue;
            }
            let style = ground.patch(style);
            buffer.set_string(0, line, format!("{name} in place {place}"), style);
            line += 1;
        }
    }
    theme.finish(&mut buffer);
    buffer
}

/// What a cell has to reach: lines that divide less than text. Where all is the terminal's own, so is the contrast.
fn wanted(screen: &Screen, cell: &Cell) -> f64 {
    if cell.symbol().chars().all(|c| ('\u{2500}'..='\u{259f}').contains(&c)) {
        return LINE;
    }
    let is_own = cell.fg == Color::Reset && cell.bg == Color::Reset;
    if is_own { TEXT.min(contrast(rgb(screen.text), rgb(screen.ground))) } else { TEXT }
}

/// What can't be read of a frame: each style, with its contrast and a line it is in.
fn illegible(screen: &Screen, frame: &Buffer) -> BTreeMap<String, String> {
    let mut seen = HashSet::new();
    let mut found = BTreeMap::new();
    for row in frame.content.chunks(usize::from(frame.area.width)) {
        for cell in row.iter().filter(|cell| !cell.symbol().trim().is_empty()) {
            let wanted = wanted(screen, cell);
            let Cell { fg, bg, modifier, .. } = cell;
            if !seen.insert((*fg, *bg, *modifier, wanted == LINE)) {
                continue;
            }
            let shown = screen.shows(cell);
            if shown < wanted {
                let text: String = row.iter().map(Cell::symbol).collect();
                let style = format!("{fg:?} on {bg:?} {modifier:?}");
                found.insert(style, format!("{shown:.2} in: {}", text.trim()));
            }
        }
    }
    found
}

/// The themes that a terminal can come to have, with how.
fn themes(screen: &Screen, levels: &[Level]) -> Vec<(String, Theme)> {
    let (said, dark) = match screen.is_dark() {
        true => (Background::Dark, true),
        false => (Background::Light, false),
    };
    let mut themes = Vec::new();
    for level in levels {
        for choice in [Choice::Auto, Choice::ColourBlind] {
            if choice == Choice::ColourBlind && ![Level::Indexed, Level::True].contains(level) {
                // The user's sixteen colours are the same for all eyes.
                continue;
            }
            let name = |how: &str| format!("{} {level:?} {choice:?} {how}", screen.name);
            let assumed = Theme::of(*level, choice, None);
            themes.push((name("asked"), assumed.answered(rgb(screen.ground))));
            themes.push((name("said"), Theme::of(*level, choice, Some(said))));
            if dark {
                themes.push((name("assumed"), assumed));
            }
        }
    }
    themes
}

fn check(screens: &[Screen], levels: &[Level]) {
    let states = STATES.map(|(name, keys)| (name, session().keys(keys).app));
    let mut wrong = Vec::new();
    let mut add = |name: &str, what: &str, screen: &Screen, frame: &Buffer| {
        for (style, text) in illegible(screen, frame) {
            wrong.push(format!("{name}, {what}: {style}: {text}"));
        }
    };
    for screen in screens {
        for (name, theme) in themes(screen, levels) {
            add(&name, "swatches", screen, &swatches(theme));
            for (what, app) in &states {
                let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
                terminal.draw(|frame| view::draw(frame, app, theme)).unwrap();
                add(&name, what, screen, terminal.backend().buffer());
            }
        }
    }
    let count = wrong.len();
    wrong.truncate(60);
    assert!(wrong.is_empty(), "{count} can't be read:\n{}", wrong.join("\n"));
}

#[test]
fn with_the_users_sixteen_colours_everything_can_be_read() {
    check(&SCREENS, &[Level::None, Level::Sixteen]);
}

#[test]
fn with_256_colours_everything_can_be_read() {
    check(&SCREENS, &[Level::Indexed]);
}

#[test]
fn with_all_colours_everything_can_be_read() {
    check(&SCREENS, &[Level::True]);
}

#[test]
fn on_the_console_everything_can_be_read() {
    check(&CONSOLES, &[Level::None, Level::Console]);
}

#[test]
fn on_any_background_that_a_terminal_answers_everything_can_be_read() {
    let mut wrong = Vec::new();
    for ground in GROUNDS {
        let screen = screen("any", 0x808080, ground, GNOME);
        for level in [Level::Indexed, Level::True] {
            for choice in [Choice::Auto, Choice::ColourBlind] {
                let theme = Theme::of(level, choice, None).answered(rgb(ground));
                for (style, text) in illegible(&screen, &swatches(theme)) {
                    wrong.push(format!("{ground:06x} {level:?} {choice:?}: {style}: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_states_are_what_they_are_called() {
    for (name, keys, shown) in [
        ("form", "<Enter>", "Edit"),
        ("remedies", "x", "Enter use"),
        ("import", STATES[15].1, "virtio-rng-pci"),
        ("question", "dq", "Leave without them"),
        ("diff", "Jd4", "-     <qemu:arg"),
        ("layers", "2<Tab>", "blocked"),
    ] {
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
        let app = session().keys(keys).app;
        terminal.draw(|frame| view::draw(frame, &app, Theme::new(true))).unwrap();
        let frame = format!("{}", terminal.backend());
        assert!(frame.contains(shown), "{name}:\n{frame}");
    }
}

/// What is measured is what terminals show: numbers that were computed elsewhere.
#[test]
fn contrast_is_measured_right() {
    let cell = |fg: Color, modifier: Modifier| {
        let mut cell = Cell::new("x");
        cell.set_style(Style::new().fg(fg).add_modifier(modifier));
        cell
    };
    let none = Modifier::empty();
    for (screen, fg, modifier, expected) in [
        ("VTE dark", Color::Red, none, 2.97),
        ("VTE dark", Color::Red, Modifier::REVERSED, 2.97),
        ("VGA", Color::Red, none, 2.71),
        ("VGA", Color::LightRed, Modifier::BOLD, 6.70),
        // Bold may brighten: the worse of 4.70 and 2.79.
        ("Solarized dark", Color::Green, Modifier::BOLD, 2.79),
        ("Solarized dark", Color::DarkGray, none, 1.00),
        ("Solarized dark", Color::Reset, none, 4.75),
        ("Solarized dark", Color::Reset, Modifier::DIM, 2.39),
        ("Solarized light", Color::Reset, none, 4.13),
        ("xterm", Color::Indexed(231), none, 1.00),
    ] {
        let found = SCREENS.iter().find(|found| found.name == screen).unwrap();
        let shown = found.shows(&cell(fg, modifier));
        assert!((shown - expected).abs() < 0.02, "{screen} {fg:?} {modifier:?}: {shown:.2}");
    }
}

/// How eyes see a colour that lack the pigment for long (protanopia) or for middle wavelengths (deuteranopia): Machado, Oliveira,
/// Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1, on linear RGB.
const EYES: [(&str, [[f64; 3]; 3]); 3] = [
    ("trichromat", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanope",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranope",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
];

/// CIE L*a*b* (D65) of a colour as some eyes see it.
fn lab(colour: Rgb, eyes: &[[f64; 3]; 3]) -> [f64; 3] {
    let linear = [linear(colour.0), linear(colour.1), linear(colour.2)];
    let dot = |row: &[f64; 3], of: &[f64; 3]| row[0] * of[0] + row[1] * of[1] + row[2] * of[2];
    let seen = eyes.map(|row| dot(&row, &linear).clamp(0.0, 1.0));
    let f =
        |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
    let x = f(dot(&[0.412_456_4, 0.357_576_1, 0.180_437_5], &seen) / 0.950_47);
    let y = f(dot(&[0.212_672_9, 0.715_152_2, 0.072_175_0], &seen));
    let z = f(dot(&[0.019_333_9, 0.119_192_0, 0.950_304_1], &seen) / 1.088_83);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// How far two colours are apart for the eye: CIEDE2000 (Sharma, Wu, Dalal 2005).
fn difference(one: [f64; 3], two: [f64; 3]) -> f64 {
    let raised = |c: f64| (c.powi(7) / (c.powi(7) + 25_f64.powi(7))).sqrt();
    let mean = (one[1].hypot(one[2]) + two[1].hypot(two[2])) / 2.0;
    let stretch = 1.5 - 0.5 * raised(mean);
    let (a1, a2) = (one[1] * stretch, two[1] * stretch);
    let (c1, c2) = (a1.hypot(one[2]), a2.hypot(two[2]));
    let hue = |b: f64, a: f64| b.atan2(a).to_degrees().rem_euclid(360.0);
    let (h1, h2) = (hue(one[2], a1), hue(two[2], a2));
    let is_grey = c1 * c2 == 0.0;
    let turn = if is_grey { 0.0 } else { (h2 - h1 + 180.0).rem_euclid(360.0) - 180.0 };
    let (dl, dc) = (two[0] - one[0], c2 - c1);
    let dh = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
    let (l, c) = ((one[0] + two[0]) / 2.0, (c1 + c2) / 2.0);
    let h = if is_grey { h1 + h2 } else { (h1 + turn / 2.0).rem_euclid(360.0) };
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0)
        - 0.20 * cos(4.0 * h - 63.0);
    let sl = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
    let (sc, sh) = (1.0 + 0.045 * c, 1.0 + 0.015 * c * t);
    let bend = 60.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
    let rt = -bend.to_radians().sin() * 2.0 * raised(c);
    let (l, c, h) = (dl / sl, dc / sc, dh / sh);
    (l * l + c * c + h * h + rt * c * h).sqrt()
}

/// The smallest difference between two verdicts' colours, for each kind of eyes.
fn apart(theme: Theme, screen: &Screen) -> [f64; 3] {
    let verdicts =
        [Verdict::Blocks, Verdict::Warns, Verdict::Unknown, Verdict::Note, Verdict::Allows];
    let colours =
        verdicts.map(|verdict| screen.colour(theme.verdict(verdict).fg.unwrap(), 0, false));
    EYES.map(|(_, eyes)| {
        let seen = colours.map(|colour| lab(colour, &eyes));
        let mut least = f64::INFINITY;
        for (at, one) in seen.iter().enumerate() {
            for two in &seen[..at] {
                least = least.min(difference(*one, *two));
            }
        }
        least
    })
}

#[test]
fn eyes_without_red_or_green_tell_verdicts_apart() {
    // A difference of 2.3 is just noticeable; small text wants several times that.
    const APART: f64 = 12.0;
    for screen in &SCREENS {
        for (name, theme) in themes(screen, &[Level::Indexed, Level::True]) {
            if !name.contains("ColourBlind") {
                continue;
            }
            let found = apart(theme, screen);
            assert!(found.iter().all(|one| *one >= APART), "{name}: {found:.1?}");
        }
    }
    // With the usual colours they do not: what is fine and what blocks look alike.
    let usual = apart(Theme::of(Level::Indexed, Choice::Dark, None), &SCREENS[0]);
    assert!(usual[0] >= APART && usual[1] < APART && usual[2] < APART, "{usual:.1?}");
}

#[test]
fn a_difference_is_what_the_paper_computes() {
    // Pairs 1, 13 and 25 of the table of Sharma, Wu and Dalal.
    for (one, two, expected) in [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, -0.0010, 2.4900], [50.0, 0.0011, -2.4900], 4.7461),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
    ] {
        let found = difference(one, two);
        assert!((found - expected).abs() < 0.0001, "{one:?} {two:?}: {found:.4}");
    }
}
