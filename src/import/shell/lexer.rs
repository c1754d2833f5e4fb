//! From a shell text to tokens (POSIX sh and bash): continued lines, comments, operators, arrays, heredocs. Nothing is expanded.

use super::words::{Part, Token, Word, is_name, literal};

/// A heredoc that begins with the next line.
struct Awaited {
    end: String,
    quoted: bool,
    stripped: bool,
}

pub(super) struct Lexer {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    tokens: Vec<Token>,
    awaited: Vec<Awaited>,
}

/// Operators, the longest first.
const OPERATORS: [&str; 9] = ["&&", "||", ";;", "|&", ";", "|", "&", "(", ")"];
/// What leads somewhere else, the longest first.
const REDIRECTIONS: [&str; 9] = ["&>>", "&>", ">>", ">&", "<&", ">|", "<>", ">", "<"];

/// The tokens of a text.
///
/// # Errors
/// Where a quote or a bracket is left open.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut lexer = Lexer::of(text);
    while lexer.at < lexer.text.len() {
        lexer.next()?;
    }
    Ok(lexer.tokens)
}

/// The words of a text in which only quotes and backslashes have a meaning (Text::ParseWords, shlex); remarks are none.
///
/// # Errors
/// Where a quote is left open.
pub(in crate::import) fn quoted_words(text: &str) -> Result<Vec<String>, String> {
    let mut lexer = Lexer::of(text);
    let (mut words, mut word, mut is_open) = (Vec::new(), Word::default(), false);
    while let Some(letter) = lexer.peek(0) {
        match letter {
            letter if letter.is_whitespace() => {
                if std::mem::take(&mut is_open) {
                    words.push(literal(&std::mem::take(&mut word)));
                }
                lexer.at += 1;
                continue;
            }
            '\'' => lexer.single(&mut word)?,
            '"' => lexer.double(&mut word, false)?,
            '\\' => lexer.escaped(&mut word),
            '{' if !is_open && lexer.peek(1) == Some('"') => lexer.json(&mut word),
            letter => {
                word.push(letter, true);
                lexer.at += 1;
            }
        }
        is_open = true;
    }
    if is_open {
        words.push(literal(&word));
    }
    Ok(words)
}

/// The parts of what a heredoc or a value in double quotes holds.
pub(super) fn inside_quotes(text: &str) -> Word {
    let mut lexer = Lexer::of(text);
    let mut word = Word::default();
    while let Some(letter) = lexer.peek(0) {
        match letter {
            '$' | '`' => {
                if lexer.expansion(&mut word, true).is_err() {
                    word.push(letter, true);
                    lexer.at += 1;
                }
            }
            letter => {
                word.push(letter, true);
                lexer.at += 1;
            }
        }
    }
    word
}

impl Lexer {
    fn of(text: &str) -> Lexer {
        Lexer { text: text.chars().collect(), at: 0, tokens: Vec::new(), awaited: Vec::new() }
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    pub(super) fn follows(&self, word: &str) -> bool {
        word.chars().enumerate().all(|(ahead, letter)| self.peek(ahead) == Some(letter))
    }

    /// Takes one token, or blanks.
    fn next(&mut self) -> Result<(), String> {
        let Some(letter) = self.peek(0) else { return Ok(()) };
        match letter {
            '\n' => {
                self.at += 1;
                self.tokens.push(Token::Line);
                self.take_awaited();
            }
            '\\' if self.follows("\\\n") => self.at += 2,
            letter if letter.is_whitespace() => self.at += 1,
            '#' => self.skip_line(),
            '<' if self.follows("<<<") => {
                self.at += 3;
                self.blanks();
                let word = self.word()?;
                self.tokens.push(Token::Heredoc(word));
            }
            '<' if self.follows("<<") => self.await_heredoc()?,
            '<' if self.placeholder().is_some() => {
                let word = self.word()?;
                self.tokens.push(Token::Word(word));
            }
            '(' if self.follows("((") => {
                let start = self.at;
                let written = self.balanced('(', ')')?;
                if written.ends_with("))") {
                    self.tokens.push(Token::Word(Word(vec![Part::Unknown(written)])));
                } else {
                    // A group in a group.
                    self.at = start;
                    self.operator();
                }
            }
            _ => {
                if self.redirection()? || self.operator() {
                    return Ok(());
                }
                self.word_or_array()?;
            }
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|letter| letter != '\n') {
            self.at += 1;
        }
    }

    fn blanks(&mut self) {
        while self.peek(0).is_some_and(|letter| letter == ' ' || letter == '\t') {
            self.at += 1;
        }
    }

    /// Takes a redirection with its target, which is no argument of the command.
    fn redirection(&mut self) -> Result<bool, String> {
        let Some(found) = REDIRECTIONS.iter().find(|sign| self.follows(sign)) else {
            return Ok(false);
        };
        self.at += found.chars().count();
        self.blanks();
        if self.follows("(") {
            // `<(…)`, `>(…)`
            self.balanced('(', ')')?;
        } else {
            self.word()?;
        }
        Ok(true)
    }

    fn operator(&mut self) -> bool {
        let Some(found) = OPERATORS.iter().find(|sign| self.follows(sign)) else { return false };
        self.at += found.len();
        self.tokens.push(Token::Op(found));
        true
    }

    fn word_or_array(&mut self) -> Result<(), String> {
        if self.follows("[[") && self.peek(2).is_some_and(char::is_whitespace) {
            return self.test();
        }
        let word = self.word()?;
        let Some(text) = word.plain() else {
            self.tokens.push(Token::Word(word));
            return Ok(());
        };
        // The number of a file descriptor belongs to what comes behind it.
        if text.chars().all(|c| c.is_ascii_digit()) && matches!(self.peek(0), Some('<' | '>')) {
            return Ok(());
        }
        let name = text.strip_suffix("+=").or(text.strip_suffix('='));
        if let Some(name) = name.filter(|name| is_name(name) && self.follows("(")) {
            let (name, adds) = (name.to_owned(), text.ends_with("+="));
            let words = self.array()?;
            self.tokens.push(Token::Array(name, adds, words));
            return Ok(());
        }
        let is_function = is_name(&text.replace('-', "_")) && self.follows("()");
        self.tokens.push(Token::Word(word));
        if is_function {
            self.at += 2;
            self.tokens.push(Token::Op("()"));
        }
        Ok(())
    }

    /// The words of `( … )`.
    fn array(&mut self) -> Result<Vec<Word>, String> {
        self.at += 1;
        let mut words = Vec::new();
        loop {
            match self.peek(0) {
                None => return Err("a bracket is left open in what was pasted".to_owned()),
                Some(')') => {
                    self.at += 1;
                    return Ok(words);
                }
                Some('\\') if self.follows("\\\n") => self.at += 2,
                Some(letter) if letter.is_whitespace() => self.at += 1,
                Some('#') => self.skip_line(),
                Some(letter) => {
                    let before = self.at;
                    words.push(self.word()?);
                    if self.at == before {
                        self.at += 1;
                        words.push(Word(vec![Part::Text(letter.to_string(), true)]));
                    }
                }
            }
        }
    }

    fn test(&mut self) -> Result<(), String> {
        let start = self.at + 2;
        while self.at < self.text.len() {
            if self.follows("]]") {
                let inner = self.text[start..self.at].iter().collect();
                self.at += 2;
                self.tokens.push(Token::Test(inner));
                return Ok(());
            }
            self.at += 1;
        }
        Err("a bracket is left open in what was pasted".to_owned())
    }

    /// One word, up to what divides words.
    fn word(&mut self) -> Result<Word, String> {
        let mut word = Word::default();
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(letter) = self.peek(0) {
            match letter {
                '\'' => self.single(&mut word)?,
                '"' => self.double(&mut word, true)?,
                '\\' if self.follows("\\\n") => self.at += 2,
                '\\' => self.escaped(&mut word),
                '$' | '`' => self.expansion(&mut word, false)?,
                '{' if self.at == start && self.peek(1) == Some('"') => self.json(&mut word),
                // Inside a word they mean nothing to a shell but an error: (c)AppleComputerInc.
                '(' if self.at > start && self.peek(1) != Some(')') && !ends_with_equals(&word) => {
                    depth += 1;
                    word.push('(', true);
                    self.at += 1;
                }
                ')' if depth > 0 => {
                    depth -= 1;
                    word.push(')', true);
                    self.at += 1;
                }
                '<' => match self.placeholder() {
                    Some(written) => {
                        self.at += written.chars().count();
                        word.0.push(Part::Unknown(written));
                    }
                    None => break,
                },
                '|' | '&' | ';' | '(' | ')' | '>' => break,
                letter if letter.is_whitespace() => break,
                letter => {
                    word.push(letter, false);
                    self.at += 1;
                }
            }
        }
        Ok(word)
    }

    /// `<your-disk>`: what a guide leaves to its reader.
    fn placeholder(&self) -> Option<String> {
        let inner: String = self.text[self.at + 1..]
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || ['_', '-', '.', ':'].contains(c))
            .collect();
        let ends = self.peek(1 + inner.chars().count()) == Some('>');
        let is_one = ends && inner.starts_with(|c: char| c.is_ascii_alphabetic());
        is_one.then(|| format!("<{inner}>"))
    }

    fn await_heredoc(&mut self) -> Result<(), String> {
        self.at += 2;
        let stripped = self.follows("-");
        self.at += usize::from(stripped);
        self.blanks();
        let word = self.word()?;
        let quoted = word.plain().is_none();
        self.awaited.push(Awaited { end: literal(&word), quoted, stripped });
        Ok(())
    }

    /// The lines up to the word that ends each heredoc.
    fn take_awaited(&mut self) {
        for Awaited { end, quoted, stripped } in std::mem::take(&mut self.awaited) {
            let mut body = String::new();
            while self.at < self.text.len() {
                let start = self.at;
                self.skip_line();
                let line = self.since(start);
                self.at += 1;
                let line = if stripped { line.trim_start_matches('\t') } else { &line };
                if line.trim_end() == end {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            self.at = self.at.min(self.text.len());
            let word =
                if quoted { Word(vec![Part::Text(body, true)]) } else { inside_quotes(&body) };
            self.tokens.push(Token::Heredoc(word));
        }
    }
}

fn ends_with_equals(word: &Word) -> bool {
    word.plain()
        .is_some_and(|text| text.strip_suffix("+=").or(text.strip_suffix('=')).is_some_and(is_name))
}
