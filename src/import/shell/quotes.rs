//! What stands in quotes and brackets inside a word.

use super::lexer::Lexer;
use super::words::{Part, Word};

fn open() -> String {
    "a quote or a backslash is left open in what was pasted".to_owned()
}

impl Lexer {
    pub(super) fn single(&mut self, word: &mut Word) -> Result<(), String> {
        self.at += 1;
        word.0.push(Part::Text(String::new(), true));
        loop {
            let letter = self.peek(0).ok_or_else(open)?;
            self.at += 1;
            if letter == '\'' {
                return Ok(());
            }
            word.push(letter, true);
        }
    }

    pub(super) fn double(&mut self, word: &mut Word, expands: bool) -> Result<(), String> {
        self.at += 1;
        word.0.push(Part::Text(String::new(), true));
        loop {
            let letter = self.peek(0).ok_or_else(open)?;
            match letter {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' if self.follows("\\\n") => self.at += 2,
                '\\' => {
                    self.at += 1;
                    let next = self.peek(0).ok_or_else(open)?;
                    if !['$', '`', '"', '\\'].contains(&next) {
                        word.push('\\', true);
                    }
                    word.push(next, true);
                    self.at += 1;
                }
                '$' | '`' if expands => self.expansion(word, true)?,
                letter => {
                    word.push(letter, true);
                    self.at += 1;
                }
            }
        }
    }

    /// A backslash with the letter behind it; at the end of the text it continues into nothing.
    pub(super) fn escaped(&mut self, word: &mut Word) {
        self.at += 1;
        if let Some(letter) = self.peek(0) {
            word.push(letter, true);
            self.at += 1;
        }
    }

    /// An object as it stands, quotes and all: no shell would hand it over, and `ps` shows it so.
    pub(super) fn json(&mut self, word: &mut Word) {
        let (mut depth, mut quoted) = (0_usize, false);
        while let Some(letter) = self.peek(0) {
            if letter == '\n' {
                return;
            }
            word.push(letter, true);
            self.at += 1;
            match letter {
                '"' => quoted = !quoted,
                '{' if !quoted => depth += 1,
                '}' if !quoted => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// What begins with `$` or a backquote.
    pub(super) fn expansion(&mut self, word: &mut Word, quoted: bool) -> Result<(), String> {
        let start = self.at;
        if self.follows("`") {
            self.at += 1;
            while self.peek(0).ok_or_else(open)? != '`' {
                self.at += 1;
            }
            self.at += 1;
            word.0.push(Part::Unknown(self.since(start)));
            return Ok(());
        }
        self.at += 1;
        match self.peek(0) {
            Some('{') => {
                let written = self.balanced('{', '}')?;
                let inner = written[1..written.len() - 1].to_owned();
                word.0.push(Part::Parameter(inner, format!("${written}"), quoted));
            }
            Some('(') => {
                let written = self.balanced('(', ')')?;
                let sum = written.strip_prefix("((").and_then(|inner| inner.strip_suffix("))"));
                word.0.push(match sum {
                    Some(sum) => Part::Arithmetic(sum.to_owned(), format!("${written}")),
                    None => Part::Unknown(format!("${written}")),
                });
            }
            Some('\'') if !quoted => {
                self.single(word)?;
                if let Some(Part::Text(text, _)) = word.0.last_mut() {
                    *text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\");
                }
            }
            Some('"') if !quoted => {}
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                    self.at += 1;
                }
                let written = self.since(start);
                word.0.push(Part::Parameter(written[1..].to_owned(), written, quoted));
            }
            Some(c) if c.is_ascii_digit() || ['@', '*', '#', '?', '$', '!'].contains(&c) => {
                self.at += 1;
                word.0.push(Part::Parameter(c.to_string(), self.since(start), quoted));
            }
            _ => word.push('$', true),
        }
        Ok(())
    }

    pub(super) fn since(&self, start: usize) -> String {
        self.text[start..self.at].iter().collect()
    }

    /// From an opening bracket to the one that closes it, both included; brackets in quotes do not count.
    pub(super) fn balanced(&mut self, opens: char, closes: char) -> Result<String, String> {
        let start = self.at;
        let (mut depth, mut quote) = (0_usize, None);
        while let Some(letter) = self.peek(0) {
            self.at += 1;
            match (quote, letter) {
                (_, '\\') if quote != Some('\'') => self.at += 1,
                (Some(open), _) if letter == open => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(letter),
                (None, _) if letter == opens => depth += 1,
                (None, _) if letter == closes => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(self.since(start));
                    }
                }
                (None, _) => {}
            }
        }
        Err("a bracket is left open in what was pasted".to_owned())
    }
}
