//! Rules: those about files are kept, others are passed over.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a grammar names what it takes, and says no to all other words"
)]

use super::{OTHERS, Prefix, Reader, Stop, said};
use crate::facts::apparmor::FileRule;
use crate::facts::apparmor::lexer::Token;
use crate::facts::apparmor::pattern::{self, Fault};
use crate::facts::apparmor::variables::Trouble;
use crate::facts::apparmor::words::letters;

/// Bytes of patterns that are kept.
const MOST: usize = 16 << 20;

impl Reader<'_> {
    pub(super) fn rule(&mut self, token: Token, prefix: &Prefix, own: &Prefix) -> Result<(), Stop> {
        let is_plain = own.is_empty();
        match token {
            Token::End => self.broken("a '}' is missing at the end"),
            Token::Sign("{") => self.block(prefix),
            Token::Path(_) | Token::Set(_) | Token::Mode(_) => self.file_rule(token, prefix),
            Token::Sign("^") if is_plain => self.child(),
            Token::Name(word) => match word.as_str() {
                "file" => match self.next()? {
                    Token::Sign(",") => self.everything(prefix),
                    token => self.file_tail(token, prefix),
                },
                "safe" | "unsafe" => self.file_tail(Token::Name(word), prefix),
                "all" => {
                    self.comma()?;
                    self.everything(prefix)
                }
                "link" => self.link(prefix),
                "if" if is_plain => self.condition(prefix),
                "profile" | "hat" if is_plain => self.child(),
                _ if own.owner.is_some() => {
                    self.broken(format!("'owner' before '{word}', which is no rule about files"))
                }
                "capability" => self.capabilities(),
                "network" | "set" | "rlimit" if own.priority != 0 => {
                    self.broken(format!("'priority=' before '{word}', which takes none"))
                }
                word if OTHERS.contains(&word) => self.other_rule(word),
                other => self.broken(format!("'{other}' begins no rule")),
            },
            other => self.broken(format!("{} begins no rule", said(&other))),
        }
    }

    pub(super) fn comma(&mut self) -> Result<(), Stop> {
        match self.next()? {
            Token::Sign(",") => Ok(()),
            other => {
                self.broken(format!("{} stands where a rule's comma is expected", said(&other)))
            }
        }
    }

    fn child(&mut self) -> Result<(), Stop> {
        let counts = std::mem::replace(&mut self.counts, false);
        let read = self.profile_block("");
        self.counts = counts;
        read
    }

    fn capabilities(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                Token::Name(_) | Token::Mode(_) => {}
                Token::Sign(",") => return Ok(()),
                other => return self.broken(format!("{} is no capability", said(&other))),
            }
        }
    }

    fn file_tail(&mut self, token: Token, prefix: &Prefix) -> Result<(), Stop> {
        let is_marked = matches!(&token, Token::Name(word) if word == "safe" || word == "unsafe");
        let token = if is_marked { self.next()? } else { token };
        self.file_rule(token, prefix)
    }

    /// `PATH MODE [-> TARGET],` or `MODE PATH [-> TARGET],`.
    fn file_rule(&mut self, token: Token, prefix: &Prefix) -> Result<(), Stop> {
        let (path, mode) = match token {
            Token::Path(path) => (path, self.mode()?),
            Token::Set(name) => (format!("@{{{name}}}"), self.mode()?),
            Token::Mode(mode) => {
                let mut token = self.next()?;
                let is_subset =
                    token == Token::Sign("<=") || token == Token::Name("subset".to_owned());
                if is_subset {
                    token = self.next()?;
                }
                (self.path(token)?, mode)
            }
            other => {
                return self.broken(format!("{} stands where a path is expected", said(&other)));
            }
        };
        match self.next()? {
            Token::Sign(",") => {}
            Token::Sign("->") => {
                self.next()?;
                self.comma()?;
            }
            other => {
                return self
                    .broken(format!("{} stands where a rule's comma is expected", said(&other)));
            }
        }
        let letters = letters(&mode, prefix.mode == Some("deny"))
            .or_else(|what| self.broken(format!("{mode}: {what}")))?;
        if self.is_denied_around && letters.contains('x') {
            return self.broken("'x' in a block that denies: alone it is refused by the rule, and with its kind by the block");
        }
        self.grant(&path, &letters, prefix)
    }

    fn mode(&mut self) -> Result<String, Stop> {
        match self.next()? {
            Token::Mode(mode) => Ok(mode),
            other => self.broken(format!(
                "{} stands where permissions are expected; a path with a blank is written in quotes",
                said(&other)
            )),
        }
    }

    fn path(&mut self, token: Token) -> Result<String, Stop> {
        match token {
            Token::Path(path) => Ok(path),
            Token::Set(name) => Ok(format!("@{{{name}}}")),
            other => self.broken(format!("{} stands where a path is expected", said(&other))),
        }
    }

    fn link(&mut self, prefix: &Prefix) -> Result<(), Stop> {
        let mut token = self.next()?;
        if token == Token::Sign("<=") || token == Token::Name("subset".to_owned()) {
            token = self.next()?;
        }
        let path = self.path(token)?;
        if self.next()? != Token::Sign("->") {
            return self.broken("a link is written link /NEW -> /OLD,");
        }
        let target = self.next()?;
        self.path(target)?;
        self.comma()?;
        self.grant(&path, "l", prefix)
    }

    fn everything(&mut self, prefix: &Prefix) -> Result<(), Stop> {
        if prefix.mode == Some("deny") {
            return self.broken("'deny' before all kinds of access, of which 'x' has a kind");
        }
        self.grant("/{**,}", "rwaklmx", prefix)
    }

    /// Keeps a rule, with its variables replaced, and under the names that aliases give it.
    fn grant(&mut self, path: &str, permissions: &str, prefix: &Prefix) -> Result<(), Stop> {
        if !self.is_taken {
            return Ok(());
        }
        let pattern = match self.variables.expanded(path) {
            Ok(pattern) => pattern,
            Err(Trouble::NoValue(name)) => {
                return self.broken(format!("@{{{name}}} in {path} has no value"));
            }
            Err(Trouble::TooMuch) => {
                let why = format!(
                    "the variables in {path} lead to each other, or to more than can be looked at"
                );
                return Err(Stop::Unknown(why));
            }
        };
        if !pattern.starts_with(['/', '{', '&', ':', '@']) {
            return self.broken(format!("{pattern} does not begin with a slash"));
        }
        let is_unclear = match pattern::fault(&pattern) {
            Some(Fault::Refused(what)) => return self.broken(format!("{pattern} has {what}")),
            Some(Fault::Unclear(what)) => {
                Some(format!("{}: {pattern} has {what}", self.lexer.place()))
            }
            None => None,
        };
        if !self.counts {
            return Ok(());
        }
        if is_unclear.is_some() {
            self.profile.unclear = self.profile.unclear.take().or(is_unclear);
            return Ok(());
        }
        let origin = self.lexer.origin().to_owned();
        let rule = |pattern: String| FileRule {
            pattern,
            permissions: permissions.to_owned(),
            owner: prefix.owner == Some("owner"),
            other: prefix.owner == Some("other"),
            deny: prefix.mode == Some("deny"),
            audit: prefix.audit,
            priority: prefix.priority,
            origin: origin.clone(),
        };
        let renamed = self.aliases.iter().filter_map(|(from, to)| {
            let rest = pattern.strip_prefix(from.as_str())?;
            Some(rule(format!("{to}{rest}")))
        });
        let rules: Vec<FileRule> = renamed.chain([rule(pattern.clone())]).collect();
        self.written += rules.iter().map(|rule| rule.pattern.len()).sum::<usize>();
        if self.written > MOST {
            return Err(Stop::Unknown("its rules are too long with their variables".to_owned()));
        }
        self.profile.rules.extend(rules);
        Ok(())
    }
}
