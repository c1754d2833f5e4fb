//! What a shell text consists of.

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Letters as they are; quoted ones are never divided.
    Text(String, bool),
    /// `$NAME` or what stands in `${…}`; how it is written; quoted.
    Parameter(String, String, bool),
    /// `$((…))`: what is computed, how it is written.
    Arithmetic(String, String),
    /// What only running something, or a person, can tell: `$(…)`, backquotes, `<your-disk>`.
    Unknown(String),
}

/// A word of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) Vec<Part>);

/// What a text consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word(Word),
    /// `NAME=(…)`, or with `+=`.
    Array(String, bool, Vec<Word>),
    /// `[[ … ]]`: what stands between.
    Test(String),
    /// An operator that ends a command, `()` behind the name of a function, a parenthesis.
    Op(&'static str),
    /// The end of a line.
    Line,
    /// What a command is given to read.
    Heredoc(Word),
}

impl Word {
    /// The text of a word that consists of unquoted letters alone: a key word, a name.
    pub(super) fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Text(text, false)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn push(&mut self, letter: char, quoted: bool) {
        match self.0.last_mut() {
            Some(Part::Text(text, last)) if *last == quoted => text.push(letter),
            _ => self.0.push(Part::Text(letter.to_string(), quoted)),
        }
    }
}

/// A word as it is written, quotes aside.
pub(super) fn literal(word: &Word) -> String {
    let part = |part: &Part| match part {
        Part::Text(text, _) => text.clone(),
        Part::Parameter(_, written, _) | Part::Arithmetic(_, written) | Part::Unknown(written) => {
            written.clone()
        }
    };
    word.0.iter().map(part).collect()
}

/// Whether a text can be the name of a variable.
pub(in crate::import) fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
