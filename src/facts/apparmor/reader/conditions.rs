//! Rules behind a condition.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a grammar names what it takes, and says no to all other words"
)]

use super::{Prefix, Reader, Stop, said};
use crate::facts::apparmor::lexer::Token;

impl Reader<'_> {
    /// `if CONDITION { … } else { … }`
    pub(super) fn condition(&mut self, prefix: &Prefix) -> Result<(), Stop> {
        let place = self.lexer.place();
        let mut words = Vec::new();
        loop {
            match self.next()? {
                Token::Sign("{") => break,
                Token::End | Token::Sign("}" | ",") => return self.broken("an 'if' has no '{'"),
                token => words.push(token),
            }
        }
        let holds = self.holds(&words);
        if holds.is_none() && self.counts {
            let words: Vec<String> = words.iter().map(said).collect();
            self.profile.unclear.get_or_insert_with(|| format!("{place}: if {}", words.join(" ")));
        }
        self.branch(prefix, holds == Some(true))?;
        let token = self.next()?;
        if token != Token::Name("else".to_owned()) {
            self.ahead = Some(token);
            return Ok(());
        }
        match self.next()? {
            Token::Sign("{") => self.branch(prefix, holds == Some(false)),
            Token::Name(word) if word == "if" => {
                let goes_on = self.is_taken && holds == Some(false);
                let before = std::mem::replace(&mut self.is_taken, goes_on);
                let read = self.condition(prefix);
                self.is_taken = before;
                read
            }
            other => self.broken(format!("{} stands behind 'else'", said(&other))),
        }
    }

    fn branch(&mut self, prefix: &Prefix, is_taken: bool) -> Result<(), Stop> {
        let before = self.is_taken;
        self.is_taken &= is_taken;
        let read = self.block(prefix);
        self.is_taken = before;
        read
    }

    /// Whether a condition holds; nothing where that is not known here.
    fn holds(&self, words: &[Token]) -> Option<bool> {
        let is_name =
            |token: &Token, name: &str| matches!(token, Token::Name(word) if word == name);
        // `or` binds least.
        if let Some(at) = words.iter().position(|word| is_name(word, "or")) {
            return Some(self.holds(&words[..at])? | self.holds(&words[at + 1..])?);
        }
        if let Some(at) = words.iter().position(|word| is_name(word, "and")) {
            return Some(self.holds(&words[..at])? & self.holds(&words[at + 1..])?);
        }
        match words {
            [not, rest @ ..] if is_name(not, "not") => Some(!self.holds(rest)?),
            [Token::Truth(name)] => self.variables.truth(name),
            [defined, Token::Set(name) | Token::Truth(name)] if is_name(defined, "defined") => {
                Some(self.variables.is_defined(name))
            }
            [Token::Name(word)] if word.eq_ignore_ascii_case("true") => Some(true),
            [Token::Name(word)] if word.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
}
