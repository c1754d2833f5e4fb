//! A terminal's screen as a picture (SVG), and several of them as one that moves.

use std::fmt::Write as _;

use qpt_tui::tui::theme::Rgb;

/// Width and height of a character.
const CELL: (f32, f32) = (8.4, 18.0);
/// What is left free around the screen.
const EDGE: f32 = 12.0;

/// The colours of a terminal: background, text, the sixteen.
pub(crate) struct Palette {
    pub(crate) back: &'static str,
    pub(crate) front: &'static str,
    named: [&'static str; 16],
}

/// Gruvbox, as its author published it (github.com/morhetz/gruvbox).
pub(crate) static DARK: Palette = Palette {
    back: "#1d2021",
    front: "#ebdbb2",
    named: [
        "#1d2021", "#fb4934", "#b8bb26", "#fabd2f", "#83a598", "#d3869b", "#8ec07c", "#d5c4a1",
        "#928374", "#fb4934", "#b8bb26", "#fabd2f", "#83a598", "#d3869b", "#8ec07c", "#fbf1c7",
    ],
};
pub(crate) static LIGHT: Palette = Palette {
    back: "#fbf1c7",
    front: "#3c3836",
    named: [
        "#fbf1c7", "#cc241d", "#98971a", "#d79921", "#458588", "#b16286", "#689d6a", "#7c6f64",
        "#928374", "#9d0006", "#79740e", "#b57614", "#076678", "#8f3f71", "#427b58", "#3c3836",
    ],
};

impl Palette {
    fn colour(&self, colour: vt100::Color, default: &str) -> String {
        match colour {
            vt100::Color::Idx(index) => match self.named.get(usize::from(index)) {
                Some(named) => (*named).to_owned(),
                None => hex(Rgb::of_index(index)),
            },
            vt100::Color::Rgb(red, green, blue) => hex(Rgb(red, green, blue)),
            vt100::Color::Default => default.to_owned(),
        }
    }
}

fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// How one character looks.
#[derive(Clone, PartialEq)]
struct Look {
    front: String,
    back: String,
    is_bold: bool,
    is_underlined: bool,
}

fn look(palette: &Palette, cell: &vt100::Cell) -> Look {
    let mut front = palette.colour(cell.fgcolor(), palette.front);
    let mut back = palette.colour(cell.bgcolor(), palette.back);
    if cell.inverse() {
        std::mem::swap(&mut front, &mut back);
    }
    Look { front, back, is_bold: cell.bold(), is_underlined: cell.underline() }
}

/// One screen.
pub(crate) fn still(screen: &vt100::Screen, palette: &Palette) -> String {
    let size = size(screen);
    let mut out = head(size, palette);
    out.push_str(&body(screen, palette));
    out + "</svg>\n"
}

/// Screens after each other, each for so many seconds, again and again.
pub(crate) fn moving(screens: &[(vt100::Screen, f32)], palette: &Palette) -> String {
    let mut out = head(size(&screens[0].0), palette);
    let whole: f32 = screens.iter().map(|(_, seconds)| seconds).sum();
    let mut from = 0.0_f32;
    for (index, (screen, seconds)) in screens.iter().enumerate() {
        let (start, end) = (from / whole, (from + seconds) / whole);
        from += seconds;
        let (values, times) = match (index == 0, index + 1 == screens.len()) {
            (true, _) => ("visible;hidden".to_owned(), format!("0;{end:.5}")),
            (_, true) => ("hidden;visible".to_owned(), format!("0;{start:.5}")),
            _ => ("hidden;visible;hidden".to_owned(), format!("0;{start:.5};{end:.5}")),
        };
        // Where nothing moves the first one is shown.
        let still = if index == 0 { "visible" } else { "hidden" };
        let _ = writeln!(
            out,
            "<g visibility='{still}'><animate attributeName='visibility' values='{values}' keyTimes='{times}' dur='{whole:.2}s' calcMode='discrete' repeatCount='indefinite'/>"
        );
        out.push_str(&body(screen, palette));
        out.push_str("</g>\n");
    }
    out + "</svg>\n"
}

/// The size of a screen's picture.
fn size(screen: &vt100::Screen) -> (f32, f32) {
    let (rows, columns) = screen.size();
    let (rows, columns) = (f32::from(rows.get()), f32::from(columns.get()));
    (columns * CELL.0 + 2.0 * EDGE, rows * CELL.1 + 2.0 * EDGE)
}

fn head((width, height): (f32, f32), palette: &Palette) -> String {
    let back = palette.back;
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0}' height='{height:.0}' viewBox='0 0 {width:.0} {height:.0}' font-family='JetBrains Mono NL, JetBrains Mono, DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace' font-size='14' font-variant-ligatures='none'>\n<rect width='100%' height='100%' rx='8' fill='{back}'/>\n"
    )
}

/// The characters of a screen: a piece of text for each run that looks alike, held to its columns.
fn body(screen: &vt100::Screen, palette: &Palette) -> String {
    let (rows, columns) = screen.size();
    let mut out = String::new();
    for row in 0..rows.get() {
        let mut runs: Vec<(u16, Look, String, u16)> = Vec::new();
        for column in 0..columns.get() {
            let Some(cell) = screen.cell(row, column) else { continue };
            if cell.is_wide_continuation() {
                if let Some(run) = runs.last_mut() {
                    run.3 += 1;
                }
                continue;
            }
            let look = look(palette, cell);
            let text = match cell.contents() {
                "" => " ",
                text => text,
            };
            match runs.last_mut() {
                Some((_, known, words, length)) if *known == look && !stands_alone(words, text) => {
                    words.push_str(text);
                    *length += 1;
                }
                _ => runs.push((column, look, text.to_owned(), 1)),
            }
        }
        for (column, look, text, length) in runs {
            run(&mut out, palette, (column, row), &look, &text, length);
        }
    }
    out
}

/// Whether a text begins a run of its own: lines are drawn, and fonts join signs that follow each other.
fn stands_alone(before: &str, text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_punctuation();
    text.starts_with(is_line_sign)
        || before.ends_with(is_line_sign)
        || before.ends_with(is_sign) && text.starts_with(is_sign)
}

fn is_line_sign(sign: char) -> bool {
    "─│┌┐└┘▐▌".contains(sign)
}

fn run(
    out: &mut String,
    palette: &Palette,
    (column, row): (u16, u16),
    look: &Look,
    text: &str,
    length: u16,
) {
    let (x, y) = (EDGE + f32::from(column) * CELL.0, EDGE + f32::from(row) * CELL.1);
    let wide = f32::from(length) * CELL.0;
    let Look { front, back, .. } = look;
    if back != palette.back {
        let (width, height) = (wide + 0.3, CELL.1 + 0.3);
        let _ = writeln!(
            out,
            "<rect x='{x:.1}' y='{y:.1}' width='{width:.1}' height='{height:.1}' fill='{back}'/>"
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let (middle, half) = (y + CELL.1 / 2.0, x + CELL.0 / 2.0);
    let (right, bottom) = (x + CELL.0, y + CELL.1);
    let line = |x1: f32, y1: f32, x2: f32, y2: f32| {
        format!("<path d='M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}' stroke='{front}'/>\n")
    };
    let block = |x: f32| {
        let (width, height) = (CELL.0 / 2.0, CELL.1 + 0.3);
        format!(
            "<rect x='{x:.1}' y='{y:.1}' width='{width:.1}' height='{height:.1}' fill='{front}'/>\n"
        )
    };
    let drawn = match text {
        "─" => line(x, middle, right, middle),
        "│" => line(half, y, half, bottom),
        "┌" => line(half, middle, right, middle) + &line(half, middle, half, bottom),
        "┐" => line(x, middle, half, middle) + &line(half, middle, half, bottom),
        "└" => line(half, middle, right, middle) + &line(half, y, half, middle),
        "┘" => line(x, middle, half, middle) + &line(half, y, half, middle),
        "▐" => block(half),
        "▌" => block(x),
        _ => {
            let escaped = qpt_tui::xml::escape::as_libvirt(text.trim_end());
            let shown = f32::from(u16::try_from(text.trim_end().chars().count()).unwrap()) * CELL.0;
            let weight = if look.is_bold { " font-weight='bold'" } else { "" };
            let under = if look.is_underlined { " text-decoration='underline'" } else { "" };
            let base = y + 13.5;
            format!(
                "<text x='{x:.1}' y='{base:.1}' textLength='{shown:.1}' lengthAdjust='spacingAndGlyphs' xml:space='preserve' fill='{front}'{weight}{under}>{escaped}</text>\n"
            )
        }
    };
    out.push_str(&drawn);
}
