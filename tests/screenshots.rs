//! The pictures of the README, from the real program. Run by `screenshots/make`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pty;

use std::fmt::Write as _;

use pty::Terminal;
use pty::picture::{DARK, LIGHT, Palette, moving, still};

/// A picture: its name, the size of the screen, the keys that lead to it, and a text that is there then.
struct Shot(&'static str, (u16, u16), &'static str, &'static str);

const IMPORT: &str = "\r\u{1b}[200~QEMU_AUDIO_DRV=pa qemu-system-x86_64 -m 8G -object input-linux,id=kbd,evdev=/dev/input/by-id/usb-keyboard,grab_all=on,repeat=on -device ivshmem-plain,memdev=lg\u{1b}[201~";

const SHOTS: [Shot; 16] = [
    Shot("demo", (80, 24), "\r", "What to do"),
    Shot("wide", (120, 40), "\rjj", "What to do"),
    Shot("three", (200, 50), "\rjj", "What to do"),
    Shot("layers", (120, 30), "\r2", "no say"),
    Shot("remedies", (80, 24), "\rjjx", "Enter does it"),
    Shot("details", (120, 40), "\rjjji", "why:"),
    Shot("plan", (80, 24), "\rjjs", "n back"),
    Shot("diff", (80, 24), "\rjd4", "[modified"),
    Shot("form", (80, 24), "\ra-netdev\t", "Esc cancel"),
    Shot("keys", (120, 40), "\rjj\r\u{14}", "Esc cancel"),
    Shot("import", (80, 24), IMPORT, "Enter add"),
    Shot("palette", (80, 24), "\r:rem", "Enter do it"),
    Shot("help", (80, 24), "\r?", "What the screen shows"),
    Shot("report", (80, 24), "\rjjw", "copy this row"),
    Shot("tour", (80, 24), "", "Enter go on"),
    Shot("small", (40, 15), "\r", "quit"),
];

/// The kinds of backgrounds: the end of the file's name, the theme, the terminal's colours.
const GROUNDS: [(&str, &str, &Palette); 2] = [("", "dark", &DARK), ("-light", "light", &LIGHT)];

#[test]
#[ignore = "writes the pictures; run by screenshots/make"]
fn take() {
    for (ending, theme, palette) in GROUNDS {
        let home = home(theme);
        for Shot(name, size, keys, there) in SHOTS {
            let mut terminal = start(&home, &["--demo"], size);
            terminal.shows("Enter go on");
            // The demo is judged before anything is asked of it.
            if let Some(rest) = keys.strip_prefix('\r') {
                terminal.send("\r");
                terminal.settle();
                terminal.send(rest);
            }
            terminal.shows(there);
            terminal.settle();
            write(&format!("{name}{ending}.svg"), &still(terminal.screen.screen(), palette));
            terminal.signal("TERM");
            terminal.end();
        }
    }
    for (ending, theme, palette) in GROUNDS {
        let directory = domains();
        let mut terminal = start(&home(theme), &[&directory], (80, 24));
        terminal.shows("no passthrough");
        terminal.shows("will not start");
        terminal.settle();
        write(&format!("choose{ending}.svg"), &still(terminal.screen.screen(), palette));
        terminal.signal("TERM");
        terminal.end();
    }
    // A document of one's own: edited, with the effect in sight.
    if let Ok(file) = std::env::var("QPT_TUI_SHOT") {
        let mut terminal = start(&home("dark"), &[&file], (80, 24));
        terminal.shows("will");
        terminal.send("a-global\tICH9-LPC.disable_s3=1\r");
        terminal.shows("[modified");
        terminal.settle();
        write("editing.svg", &still(terminal.screen.screen(), &DARK));
        terminal.signal("TERM");
        terminal.end();
    }
}

/// A step of the film: what is typed, and for how many seconds its effect is looked at.
struct Step(&'static str, f32);

/// A keyboard that QEMU may not open: why, what to do, done; what it changes; another row's plan; words for a ticket.
const FILM: [Step; 22] = [
    Step("\r", 3.0),
    Step("j", 0.5),
    Step("j", 3.0),
    Step("x", 3.0),
    Step("\r", 2.5),
    Step("4", 3.0),
    Step("1", 0.6),
    Step("!", 2.5),
    Step("s", 3.5),
    Step("n", 0.6),
    Step("]", 2.0),
    Step("g", 0.6),
    Step(":", 0.6),
    Step("t", 0.2),
    Step("i", 0.2),
    Step("c", 0.2),
    Step("k", 0.2),
    Step("e", 0.2),
    Step("t", 1.5),
    Step("\r", 3.5),
    Step("n", 0.6),
    Step("u", 2.0),
];

#[test]
#[ignore = "writes the film; run by screenshots/make"]
fn film() {
    let mut terminal = start(&home("dark"), &["--demo"], (80, 24));
    terminal.shows("Enter go on");
    terminal.settle();
    let mut screens = vec![(terminal.screen.screen().clone(), 2.5)];
    let mut cast =
        "{\"version\": 2, \"width\": 80, \"height\": 24, \"title\": \"qpt-tui --demo\"}\n"
            .to_owned();
    let mut at = 0.0_f32;
    let mut told = 0;
    let mut tell = |terminal: &Terminal, at: f32, cast: &mut String| {
        let text = String::from_utf8_lossy(&terminal.raw[told..]).into_owned();
        told = terminal.raw.len();
        let _ = writeln!(cast, "[{at:.2}, \"o\", {}]", serde_json::to_string(&text).unwrap());
    };
    tell(&terminal, at, &mut cast);
    at += 2.5;
    for Step(keys, seconds) in FILM {
        terminal.send(keys);
        terminal.settle();
        tell(&terminal, at, &mut cast);
        at += seconds;
        screens.push((terminal.screen.screen().clone(), seconds));
    }
    write("film.cast", &cast);
    write("film.svg", &moving(&screens, &DARK));
    terminal.signal("TERM");
    terminal.end();
}

/// A directory with some domains.
fn domains() -> String {
    let directory = std::env::temp_dir().join("qpt-tui-domains");
    std::fs::create_dir_all(&directory).unwrap();
    let domain = |name: &str, arguments: &str| {
        format!(
            "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>{name}</name>\n  <memory unit='GiB'>4</memory>\n  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n  <qemu:commandline>{arguments}</qemu:commandline>\n</domain>\n"
        )
    };
    let arg = |text: &str| format!("<qemu:arg value='{text}'/>");
    let rng = arg("-device") + &arg("virtio-rng-pci,addr=0x1e");
    let acpi = arg("-acpitable") + &arg("file=/root/slic.bin");
    let lost = domain("macos", &rng)
        .replace(" xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'", "");
    for (file, text) in [
        ("win11.xml", domain("win11", &acpi)),
        ("gaming.xml", domain("gaming", &rng)),
        ("macos.xml", lost),
        ("web.xml", domain("web", "").replace("  <qemu:commandline></qemu:commandline>\n", "")),
    ] {
        std::fs::write(directory.join(file), text).unwrap();
    }
    directory.to_str().unwrap().to_owned()
}

/// A home with a configuration of its own.
fn home(theme: &str) -> std::path::PathBuf {
    let home = std::env::temp_dir().join(format!("qpt-tui-pictures-{theme}"));
    let config = home.join(".config/qpt-tui");
    std::fs::create_dir_all(&config).unwrap();
    let text = format!("theme = \"{theme}\"\n");
    std::fs::write(config.join("config.toml"), text).unwrap();
    home
}

fn start(home: &std::path::Path, arguments: &[&str], size: (u16, u16)) -> Terminal {
    Terminal::at_home(home, env!("CARGO_BIN_EXE_qpt-tui"), arguments, size)
}

fn write(name: &str, text: &str) {
    let path = format!("{}/screenshots/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(path, text).unwrap();
}
