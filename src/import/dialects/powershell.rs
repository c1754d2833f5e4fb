//! Scripts of PowerShell: a backquote continues a line, a backslash is a letter, `@(…)` is a list.

use std::collections::BTreeSet;

use super::{joined, named};

/// Whether a text is a script of PowerShell that starts QEMU.
pub(in crate::import) fn is_one(text: &str) -> bool {
    let is_its = |line: &str| {
        let line = line.trim();
        line.ends_with(" `") || line.starts_with("& ") || assignment(line).is_some()
    };
    text.contains("qemu-system-") && text.lines().any(is_its)
}

/// `$name = …`, `$env:NAME = …`: before the name, the name, the sign, the value.
fn assignment(line: &str) -> Option<(&'static str, &str, &'static str, &str)> {
    let rest = line.trim_start().strip_prefix('$')?;
    let (before, rest) = match rest.strip_prefix("env:") {
        Some(rest) => ("export ", rest),
        None => ("", rest),
    };
    let (name, rest) = named(rest)?;
    let rest = rest.trim_start();
    match (rest.strip_prefix("+="), rest.strip_prefix('=')) {
        (Some(value), _) => Some((before, name, "+=", value.trim())),
        (None, Some(value)) if !value.starts_with('=') => Some((before, name, "=", value.trim())),
        _ => None,
    }
}

/// The script as the shell of POSIX, with arrays, would have it.
pub(in crate::import) fn script(text: &str) -> String {
    let lines = joined(text, '`');
    let is_list =
        |value: &str| value.starts_with("@(") || value.contains("\",") || value.contains("',");
    let lists: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| assignment(line))
        .filter(|(.., value)| is_list(value))
        .map(|(_, name, ..)| name)
        .collect();
    let mut writer = Writer { lists, written: String::new(), quote: None, depth: 0 };
    for line in &lines {
        let inside = writer.depth > 0 || writer.quote.is_some();
        match assignment(line).filter(|_| !inside) {
            Some((before, name, sign, value)) => {
                let is_bare = is_list(value) && !value.starts_with("@(");
                writer.written.push_str(&format!("{before}{name}{sign}"));
                if is_bare {
                    writer.line(&format!("@({value})"));
                } else {
                    writer.line(value);
                }
            }
            None => {
                let line = block(line.trim());
                let line = line.strip_prefix("& ").unwrap_or(line);
                writer.line(&without_start(line));
            }
        }
        writer.written.push('\n');
    }
    writer.written
}

/// What only the host could tell is taken to hold: `if (…) {` is a group, and what stands behind `else` is passed over.
fn block(line: &str) -> &str {
    let is_begin = ["if ", "if(", "foreach", "while", "try"].iter().any(|w| line.starts_with(w));
    match line {
        _ if !line.ends_with('{') => line,
        _ if line.starts_with("} else") => "}; false && {",
        _ if is_begin => "{",
        _ => line,
    }
}

/// `Start-Process -FilePath qemu -ArgumentList …` is the command with its arguments.
fn without_start(line: &str) -> String {
    if !line.contains("Start-Process") {
        return line.to_owned();
    }
    const WORDS: [&str; 6] =
        ["Start-Process", "-FilePath", "-ArgumentList", "-NoNewWindow", "-Wait", "-PassThru"];
    WORDS.iter().fold(line.to_owned(), |line, word| line.replace(word, ""))
}

struct Writer<'a> {
    lists: BTreeSet<&'a str>,
    written: String,
    quote: Option<char>,
    /// How many brackets of lists are open.
    depth: usize,
}

impl Writer<'_> {
    fn line(&mut self, line: &str) {
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            let behind = &rest[letter.len_utf8()..];
            if ['$', '@'].contains(&letter)
                && self.quote != Some('\'')
                && let Some(after) = self.variable(letter, behind)
            {
                rest = after;
                continue;
            }
            rest = behind;
            match (self.quote, letter) {
                (None, '#') if self.written.ends_with([' ', '\n']) => return,
                (None, '@') if behind.starts_with('(') => continue,
                (None, '(') => self.depth += 1,
                (None, ')') => self.depth = self.depth.saturating_sub(1),
                (None, ',') if self.depth > 0 => {
                    self.written.push(' ');
                    continue;
                }
                (None, '"' | '\'') => self.quote = Some(letter),
                (Some(open), _) if open == letter => self.quote = None,
                (None | Some('"'), '\\') => self.written.push('\\'),
                (Some('"'), '`') => {
                    self.written.push('\\');
                    continue;
                }
                _ => {}
            }
            self.written.push(letter);
        }
    }

    /// What `$name`, `@name`, `$env:NAME`, `$($name)` are; what follows.
    fn variable<'t>(&mut self, sign: char, behind: &'t str) -> Option<&'t str> {
        if sign == '$'
            && let Some(rest) = behind.strip_prefix("env:")
        {
            let (name, after) = named(rest)?;
            self.written.push_str(&format!("${{{name}}}"));
            return Some(after);
        }
        if sign == '$'
            && let Some(rest) = behind.strip_prefix("($")
        {
            let (name, after) = named(rest)?;
            let after = after.strip_prefix(')')?;
            self.written.push_str(&format!("${{{name}}}"));
            return Some(after);
        }
        let (name, after) = named(behind)?;
        if !self.lists.contains(name) {
            return None;
        }
        self.written.push_str(&match self.quote {
            Some(_) => format!("${{{name}[*]}}"),
            None => format!("\"${{{name}[@]}}\""),
        });
        Some(after)
    }
}
