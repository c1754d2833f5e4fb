//! Scripts of other shells than that of POSIX: each is written anew as the text that the shell of POSIX would read.

pub(super) mod batch;
pub(super) mod fish;
pub(super) mod powershell;

/// The lines of a text, those that a sign at their end continues in one.
fn joined(text: &str, sign: char) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let trimmed = line.trim_end();
        let (kept, next) = match trimmed.strip_suffix(sign) {
            Some(kept) => (kept, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.push(' ');
                last.push_str(kept.trim_start());
            }
            None => lines.push(kept.to_owned()),
        }
        goes_on = next;
    }
    lines
}

/// A name at the beginning of a text, and what follows it.
fn named(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    super::shell::is_name(name).then_some((name, rest))
}
