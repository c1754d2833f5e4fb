//! A text as people copy it, line by line: without colours, entities, other alphabets' quotes, dates before the sentence.

/// The lines of a text, cleaned, with those that are empty; lines of a command that goes on behind a backslash are left out,
/// and one that begins with a colon belongs to the line before it.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut in_command = false;
    // Test harnesses write line ends as entities.
    let text = text.replace("&#10;", "\n").replace("\r\n", "\n");
    for line in text.split(['\n', '\r']) {
        let line = plain(line);
        let line = line.trim();
        let rest = line.trim_start_matches(['>', ' ']);
        if let Some(record) = lines.last_mut().filter(|before| is_of_record(before, rest)) {
            record.push(' ');
            record.push_str(rest);
            continue;
        }
        if let Some(before) = lines.last_mut().filter(|_| rest.starts_with(": ")) {
            before.push_str(rest);
            continue;
        }
        // A date before a sentence ends with a colon of its own.
        let says = sentence(line).is_some_and(|said| said.contains(": "));
        let goes_on = line.ends_with('\\') && !says;
        let ends_it = std::mem::replace(&mut in_command, goes_on);
        let is_command = goes_on || ends_it && !says;
        if !is_command {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// Whether a line goes on with a record of the kernel's that was broken between its keys.
fn is_of_record(before: &str, rest: &str) -> bool {
    const KEYS: [&str; 20] = [
        "apparmor",
        "operation",
        "profile",
        "name",
        "pid",
        "comm",
        "requested_mask",
        "denied_mask",
        "fsuid",
        "ouid",
        "dev",
        "ino",
        "path",
        "scontext",
        "tcontext",
        "tclass",
        "permissive",
        "exe",
        "sig",
        "syscall",
    ];
    let key = rest.split('=').next().unwrap_or_default();
    let is_key = rest.len() > key.len() && KEYS.contains(&key) || rest.starts_with("avc:");
    is_key && before.contains("audit(")
}

/// A line without what terminals, web pages and mails put into it.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut letters),
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2039}' | '\u{203a}'
            | '\u{b4}' => out.push('\''),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ab}' | '\u{bb}' => {
                out.push('"');
            }
            '\u{a0}' | '\u{202f}' | '\t' => out.push(' '),
            '\u{200b}' | '\u{feff}' | '\u{ad}' => {}
            '\\' if letters.peek() == Some(&'"') => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    const ENTITIES: [(&str, &str); 7] = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    if out.contains('&') {
        for (entity, letter) in ENTITIES {
            out = out.replace(entity, letter);
        }
    }
    out
}

/// Passes over an escape sequence of a terminal (ECMA-48): a control sequence to its last letter, a string to its end.
fn skip_sequence(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match letters.next() {
        Some('[') => {
            letters.find(|c| ('@'..='~').contains(c));
        }
        Some(']') => {
            letters.find(|c| matches!(c, '\u{7}' | '\u{1b}' | '\\'));
        }
        _ => {}
    }
}

/// A sentence without what stands before it in logs, mails and traces; nothing where nothing is left.
pub(super) fn sentence(text: &str) -> Option<&str> {
    let mut rest = text.trim();
    loop {
        let shorter = without_mark(rest).trim_start();
        let shorter = without_date(shorter).trim_start();
        let shorter = without_program(shorter).trim_start();
        let shorter = without_word(shorter).trim_start();
        if shorter.len() == rest.len() {
            break;
        }
        rest = shorter;
    }
    // What a trace closes its sentence with.
    let rest = rest.trim_end_matches(['`', ')', '\'', '"', '|', '│']).trim_end();
    let is_trace =
        ["Traceback (most", "File \"", "raise ", "```"].iter().any(|start| rest.starts_with(start));
    (rest.chars().any(char::is_alphabetic) && !is_trace).then(|| balanced(text, rest))
}

/// What was cut at the end, where the sentence itself opens it.
fn balanced<'a>(text: &'a str, rest: &'a str) -> &'a str {
    let start = rest.as_ptr() as usize - text.as_ptr() as usize;
    let Some(next) = text[start + rest.len()..].chars().next() else { return rest };
    let open = match next {
        ')' => rest.matches('(').count() > rest.matches(')').count(),
        '\'' => rest.matches(['\'', '`']).count() % 2 == 1 && !rest.contains("n't "),
        '"' => rest.matches('"').count() % 2 == 1,
        _ => false,
    };
    if open { &text[start..start + rest.len() + next.len_utf8()] } else { rest }
}

/// What the C library says, in its other languages.
const ERRORS: &str = include_str!("../../assets/errno.tsv");

/// A sentence with what the C library says of errors as it is in English: libvirt says it in the user's language.
pub(super) fn in_english(sentence: &str) -> String {
    if sentence.is_ascii()
        && ERRORS
            .lines()
            .any(|line| line.split('\t').next().is_some_and(|error| sentence.contains(error)))
    {
        return sentence.to_owned();
    }
    let rows = ERRORS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'));
    let mut found: Vec<(&str, &str)> =
        rows.filter(|(_, other)| sentence.contains(*other)).collect();
    // The longest is the one that is meant: shorter ones may stand in it.
    found.sort_by_key(|(_, other)| std::cmp::Reverse(other.len()));
    found
        .first()
        .map_or_else(|| sentence.to_owned(), |(error, other)| sentence.replace(other, error))
}

/// Without the marks of quoting.
fn without_mark(text: &str) -> &str {
    text.trim_start_matches(['>', '`', '|', '│', '*', '•', '·']).trim_start_matches(['"', '\''])
}

/// Without a date or a time since the start of the machine.
fn without_date(text: &str) -> &str {
    let inner = text.strip_prefix('[').and_then(|inner| inner.split_once(']'));
    if let Some((time, rest)) = inner {
        let is_time =
            time.contains(|c: char| c.is_ascii_digit()) && !time.contains(['\'', '/', '=']);
        return if is_time { rest } else { text };
    }
    // `2026-11-24T00:14:14.430484Z`, `2026-11-24 00:14:14.430+0000:`, `12345:` (a thread).
    let first = text.split(' ').next().unwrap_or_default();
    let is_number =
        |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | ',' | '+' | '/' | 'T' | 'Z');
    let is_date = first.starts_with(|c: char| c.is_ascii_digit())
        && first.len() > 3
        && first.chars().all(is_number);
    if is_date {
        return &text[first.len()..];
    }
    // `Nov 24 00:14:14 host libvirtd[15]:`
    let mut words = text.splitn(4, ' ').filter(|word| !word.is_empty());
    let (month, day, time) = (words.next(), words.next(), words.next());
    const MONTHS: &str = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";
    let is_syslog = month.is_some_and(|month| month.len() == 3 && MONTHS.contains(month))
        && day.is_some_and(|day| day.bytes().all(|b| b.is_ascii_digit()))
        && time.is_some_and(|time| time.matches(':').count() == 2);
    let rest =
        time.filter(|_| is_syslog).and_then(|time| Some(&text[text.find(time)? + time.len()..]));
    // The name of the host follows.
    rest.and_then(|rest| Some(rest.trim_start().split_once(' ')?.1)).unwrap_or(text)
}

/// Without the name of a program or of libvirt's function: `libvirtd[15]:`, `error : qemuProcessReportLogError:1976 :`.
fn without_program(text: &str) -> &str {
    let Some((first, rest)) = text.split_once(": ") else { return text };
    let is_program =
        first.ends_with(']') && first.contains('[') && !first.contains([' ', '\'', '=']);
    let is_function = first.trim_end().rsplit_once(':').is_some_and(|(name, line)| {
        !line.is_empty()
            && line.bytes().all(|b| b.is_ascii_digit())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    let is_process = first == "kernel" || first == "audit";
    if is_program || is_function || is_process { rest } else { text }
}

/// Without libvirt's and its callers' words that say only that something failed.
fn without_word(text: &str) -> &str {
    const WORDS: [&str; 14] = [
        "error: ",
        "error : ",
        "ERROR ",
        "Error: ",
        "internal error: ",
        "internal error ",
        "libvirtError: ",
        "libvirt.libvirtError: ",
        "libvir: error : ",
        "Error starting domain: ",
        "Unable to complete install: ",
        "error creating libvirt domain: ",
        "Fehler: ",
        "Interner Fehler: ",
    ];
    WORDS.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text)
}
