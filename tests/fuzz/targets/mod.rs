//! What is fuzzed, written once for both who do it: libFuzzer (`tests/fuzz/run`), and `cargo test` (`main.rs` beside this folder).
//!
//! A target takes any bytes, does with them what the program does with a stranger's text, and asserts what must hold. To add
//! one: a file here, a line in [`TARGETS`], a file of three lines under `libfuzzer/src/` with its `[[bin]]`.

pub mod apparmor;
pub mod conf;
pub mod document;
pub mod editor;
pub mod explain;
pub mod facts;
pub mod import;
pub mod values;

/// One of the things that are fuzzed.
pub struct Target {
    /// Its name, which is that of its folders under `seeds/` and `found/` too.
    pub name: &'static str,
    /// What is done with the bytes.
    pub run: fn(&[u8]),
    /// Words that chance would be long in finding.
    pub words: &'static [&'static str],
}

/// All of them.
pub static TARGETS: [Target; 8] = [
    Target { name: "document", run: document::run, words: document::WORDS },
    Target { name: "editor", run: editor::run, words: editor::WORDS },
    Target { name: "values", run: values::run, words: values::WORDS },
    Target { name: "conf", run: conf::run, words: conf::WORDS },
    Target { name: "apparmor", run: apparmor::run, words: apparmor::WORDS },
    Target { name: "facts", run: facts::run, words: facts::WORDS },
    Target { name: "import", run: import::run, words: import::WORDS },
    Target { name: "explain", run: explain::run, words: explain::WORDS },
];

/// The text before the first NUL, and the bytes behind it: no text that the program reads holds one.
fn divided(data: &[u8]) -> Option<(&str, Choices<'_>)> {
    let end = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    let text = std::str::from_utf8(&data[..end]).ok()?;
    Some((text, Choices(data.get(end + 1..).unwrap_or_default())))
}

/// Bytes that decide; where they end, zeros.
#[derive(Clone)]
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// A short text, with what means something to one of the languages more often than chance has it.
    fn text(&mut self) -> String {
        const PIECES: [&str; 24] = [
            "a", "/srv/a", "=", ",", "\"", "'", "&", "<", ">", "\n", "\t", " ", "\\", "--", "]]>",
            "é", "\u{202e}", "{", "}", "*", "#", "-", "\r", "😀",
        ];
        let count = self.below(6);
        (0..count).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

/// A report shows nothing that a terminal would take for a command, or that hides what stands there.
fn assert_shown(report: &str) {
    for line in report.lines() {
        assert_eq!(
            qpt_tui::visible::visible(line),
            line,
            "a line of the report is not fit to be shown"
        );
    }
}
