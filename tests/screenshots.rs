//! The pictures of the README, from the real program. Run by `screenshots/make`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pty;

use std::fmt::Write as _;

use pty::Terminal;
use qpt_tui::tui::theme::Rgb;

const CELL: (f32, f32) = (8.4, 18.0);

/// A picture: its name and size, the keys that lead to it, and a text of its last line.
struct Shot(&'static str, (u16, u16), &'static str, &'static str);

const SHOTS: [Shot; 8] = [
    Shot("demo", (80, 24), "\r", "Tab pane"),
    Shot("layers", (120, 30), "\r2", "no say"),
    Shot("remedies", (80, 24), "\rjjjx", "Esc back"),
    Shot("diff", (80, 24), "\rjjjd4", "u undo"),
    Shot("form", (80, 24), "\ra-netdev\t", "Esc cancel"),
    Shot(
        "import",
        (80, 24),
        "\r\u{1b}[200~QEMU_AUDIO_DRV=pa qemu-system-x86_64 -m 8G -object input-linux,id=kbd,evdev=/dev/input/by-id/usb-keyboard,grab_all=on,repeat=on -device ivshmem-plain,memdev=lg\u{1b}[201~",
        "Enter add",
    ),
    Shot("tour", (80, 24), "", "Enter go on"),
    Shot("small", (40, 15), "\r", "Tab pane"),
];

#[test]
#[ignore = "writes the pictures; run by screenshots/make"]
fn take() {
    for Shot(name, (columns, rows), keys, last) in SHOTS {
        let mut terminal = Terminal::start(&["--demo"], columns, rows);
        terminal.shows("Enter go on");
        terminal.send(keys);
        terminal.shows(last);
        terminal.settle();
        write(name, &terminal);
        terminal.signal("TERM");
        terminal.end();
    }
    // A document of one's own: edited, with the effect in sight.
    if let Ok(file) = std::env::var("QPT_TUI_SHOT") {
        let mut terminal = Terminal::start(&[&file], 80, 24);
        terminal.shows("blocked");
        terminal.send("a-global\tICH9-LPC.disable_s3=1\r");
        terminal.shows("[modified]");
        terminal.send("k");
        terminal.shows("why:");
        terminal.settle();
        write("editing", &terminal);
        terminal.signal("TERM");
        terminal.end();
    }
}

fn write(name: &str, terminal: &Terminal) {
    let path = format!("{}/screenshots/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(path, svg(terminal.screen.screen())).unwrap();
}

/// The screen as a picture: a rectangle where the background differs, a text for each cell, so that no font joins two signs.
fn svg(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) = (f32::from(columns) * CELL.0 + 24.0, f32::from(rows) * CELL.1 + 24.0);
    let mut out = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' font-family='JetBrains Mono, DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace' font-size='14'>\n<rect width='100%' height='100%' rx='8' fill='#1d2021'/>\n"
    );
    for row in 0..rows {
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column) else { continue };
            let (mut front, mut back) =
                (colour(cell.fgcolor(), "#d5c4a1"), colour(cell.bgcolor(), "#1d2021"));
            if cell.inverse() {
                std::mem::swap(&mut front, &mut back);
            }
            let (x, y) = (12.0 + f32::from(column) * CELL.0, 12.0 + f32::from(row) * CELL.1);
            if back != "#1d2021" {
                let _ = writeln!(
                    out,
                    "<rect x='{x:.1}' y='{y:.1}' width='{:.1}' height='{:.1}' fill='{back}'/>",
                    CELL.0 + 0.2,
                    CELL.1 + 0.2
                );
            }
            let text = cell.contents();
            if text.trim().is_empty() {
                continue;
            }
            let (middle, half) = (y + CELL.1 / 2.0, x + CELL.0 / 2.0);
            let line = |x1: f32, y1: f32, x2: f32, y2: f32| {
                format!("<path d='M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}' stroke='{front}'/>")
            };
            let (right, bottom) = (x + CELL.0, y + CELL.1);
            let drawn = match text {
                "─" => line(x, middle, right, middle),
                "│" => line(half, y, half, bottom),
                "┌" => line(half, middle, right, middle) + &line(half, middle, half, bottom),
                "┐" => line(x, middle, half, middle) + &line(half, middle, half, bottom),
                "└" => line(half, middle, right, middle) + &line(half, y, half, middle),
                "┘" => line(x, middle, half, middle) + &line(half, y, half, middle),
                _ => {
                    let text = qpt_tui::xml::escape::as_libvirt(text);
                    let weight = if cell.bold() { " font-weight='bold'" } else { "" };
                    format!(
                        "<text x='{x:.1}' y='{:.1}' fill='{front}'{weight}>{text}</text>",
                        y + 13.5
                    )
                }
            };
            out.push_str(&drawn);
            out.push('\n');
        }
    }
    out + "</svg>\n"
}

fn colour(colour: vt100::Color, default: &str) -> String {
    const NAMED: [&str; 16] = [
        "#1d2021", "#fb4934", "#b8bb26", "#fabd2f", "#83a598", "#d3869b", "#8ec07c", "#d5c4a1",
        "#928374", "#fb4934", "#b8bb26", "#fabd2f", "#83a598", "#d3869b", "#8ec07c", "#fbf1c7",
    ];
    match colour {
        vt100::Color::Idx(index) => match NAMED.get(usize::from(index)) {
            Some(named) => (*named).to_owned(),
            None => {
                let Rgb(red, green, blue) = Rgb::of_index(index);
                format!("#{red:02x}{green:02x}{blue:02x}")
            }
        },
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        vt100::Color::Default => default.to_owned(),
    }
}
