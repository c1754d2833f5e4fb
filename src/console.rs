//! Words for standard output and standard error.

use std::io::Write as _;

/// Says something on standard error; one that is gone is no reason to panic.
pub fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "qpt-tui: {sentence}");
}

/// Prints a text; a reader that went away (`| head`) is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe has read what they wanted.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Says what is being waited for, where somebody looks.
pub fn remark(sentence: &str) {
    if rustix::termios::isatty(std::io::stderr()) {
        complain(&format!("{sentence} …"));
    }
}
