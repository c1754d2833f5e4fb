//! A sentence of QEMU's: the option that it is about, where it names one, and what it says.

use super::{Kind, Record, clean};

/// What QEMU says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The option that it is about, with its dash, and its value as QEMU was given it.
    pub option: Option<(String, String)>,
    /// What it says of that.
    pub sentence: String,
}

impl Refusal {
    /// The words for the table: of an option that stands alone its name is one of them.
    pub(super) fn words(&self) -> String {
        match &self.option {
            Some((name, value)) if value.is_empty() => format!("{name}: {}", self.sentence),
            Some((name, value)) => format!("{name} {value}: {}", self.sentence),
            None => self.sentence.clone(),
        }
    }

    /// It ends nothing.
    pub fn is_remark(&self) -> bool {
        const REMARKS: [&str; 8] = [
            "warning: ",
            "info: ",
            "---disabling",
            "is deprecated",
            "char device redirected to",
            "terminating on signal",
            "shutting down, reason",
            "Domain id=",
        ];
        let said = &self.sentence;
        // A value that a comma cut in two (`file=/a,b.img`) is not where the next sentence looks for it.
        let is_cut = said.contains("short-form boolean option '") && said.contains(['.', '/']);
        if is_cut {
            return false;
        }
        let words = said.rsplit(": ").next().unwrap_or(said);
        REMARKS.iter().any(|remark| said.contains(remark)) || words.starts_with("info: ")
    }
}

/// A line at each place where QEMU names itself: what stands before the first, and what QEMU says at each.
pub(super) fn split(line: &str) -> (&str, Vec<&str>) {
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    while let Some((start, end)) = speaker(&line[from..]) {
        places.push((from + start, from + end));
        from += end;
    }
    let Some(&(first, _)) = places.first() else {
        // `-device x: 'x' is not a valid device model name`, without who says it.
        let said = clean::sentence(line).unwrap_or_default();
        let is_option = said.contains(": ")
            && said.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
        return if is_option { ("", vec![said]) } else { (line, Vec::new()) };
    };
    let ends = places.iter().skip(1).map(|(start, _)| *start).chain([line.len()]);
    let said = places.iter().zip(ends).map(|((_, from), to)| line[*from..to].trim()).collect();
    (&line[..first], said)
}

/// Where QEMU's name stands, and where what it says begins: `qemu-system-x86_64: `, `qemu-kvm: `, `kvm: `, and with a file of
/// `-readconfig` and its line behind it.
fn speaker(text: &str) -> Option<(usize, usize)> {
    const NAMES: [&str; 3] = ["qemu-system-", "qemu-kvm", "kvm"];
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let mut from = 0;
    while let Some(at) = text[from..].find(['q', 'k']).map(|at| from + at) {
        from = at + 1;
        let begins =
            at == 0 || !is_name(text.as_bytes()[at - 1]) && text.as_bytes()[at - 1] != b'\'';
        if !begins
            || is_object(&text[..at])
            || !NAMES.iter().any(|name| text[at..].starts_with(name))
        {
            continue;
        }
        let length = text[at..].bytes().take_while(|b| is_name(*b)).count();
        let end = at + length;
        if text[end..].starts_with(": ") {
            return Some((at, end + 2));
        }
        let place = text[end..].strip_prefix(":/").and_then(|rest| rest.split_once(": "));
        if let Some((place, _)) = place.filter(|(place, _)| !place.contains(' ')) {
            return Some((at, end + 2 + place.len() + 2));
        }
    }
    None
}

/// Whether a sentence leads to the name: the path of a program (`Failed to probe capabilities for /usr/bin/kvm: …`), or an
/// accelerator (`failed to initialize kvm: …`).
fn is_object(before: &str) -> bool {
    let Some((lead, last)) = before.rsplit_once(' ') else { return false };
    if lead.ends_with("failed to initialize") {
        return true;
    }
    last.starts_with('/') && lead.ends_with(|c: char| c.is_ascii_lowercase())
}

/// What QEMU says, as a record.
pub(super) fn record(said: &str) -> Option<Record> {
    // A trace may close what it quotes; a date of the next line may stand there.
    let said = clean::sentence(said)?;
    Some(unnamed(said))
}

/// A sentence of QEMU's without its name before it.
pub(super) fn unnamed(said: &str) -> Record {
    let said = said.trim();
    let (option, sentence) = match option(said) {
        Some((name, value, sentence)) => (Some((name.to_owned(), value.to_owned())), sentence),
        None => (None, said),
    };
    let refusal = Refusal { option, sentence: sentence.trim().to_owned() };
    Record { said: said.to_owned(), kind: Kind::Qemu(refusal) }
}

/// The option before a sentence, its value and the rest (`error_vreport`, `loc_set_cmdline`): `-drive file=/a,if=none: Could …`.
/// A colon inside braces, or inside quotes there, ends no value.
fn option(said: &str) -> Option<(&str, &str, &str)> {
    let rest = said.strip_prefix('-').filter(|rest| rest.starts_with(char::is_alphabetic))?;
    let end = 1 + rest.find([' ', ':'])?;
    let (name, behind) = said.split_at(end);
    let Some(value) = behind.strip_prefix(' ') else {
        let sentence = behind.strip_prefix(": ")?;
        return Some((name, "", sentence));
    };
    let at = end_of_value(value).or_else(|| value.find(": "))?;
    Some((name, value[..at].trim_end(), &value[at + 2..]))
}

/// The first colon with a blank behind it that stands outside braces.
fn end_of_value(value: &str) -> Option<usize> {
    let (mut depth, mut in_quotes, mut escaped) = (0_usize, false, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' if depth > 0 => in_quotes = !in_quotes,
            b'{' | b'[' if !in_quotes => depth += 1,
            b'}' | b']' if !in_quotes => depth = depth.saturating_sub(1),
            b':' if depth == 0 && value[at..].starts_with(": ") => return Some(at),
            _ => {}
        }
    }
    None
}
