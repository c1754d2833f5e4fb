//! From the words of a profile to its file rules, as apparmor_parser takes them (parser_yacc.y).

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a grammar names what it takes, and says no to all other words"
)]

mod conditions;
mod rules;

use std::collections::BTreeSet;

use super::lexer::{Item, Lexer, Token};
use super::variables::{Assignment, Variables};
use super::words::is_passed_over;
use super::{Found, Profile};

/// Bytes that are read.
const MOST: usize = 16 << 20;
/// Files in files, and blocks in blocks.
const DEPTH: usize = 100;

/// Words that rules about something else than files begin with.
const OTHERS: [&str; 17] = [
    "network",
    "unix",
    "mount",
    "remount",
    "umount",
    "unmount",
    "pivot_root",
    "dbus",
    "signal",
    "ptrace",
    "change_profile",
    "userns",
    "mqueue",
    "io_uring",
    "abi",
    "set",
    "rlimit",
];

/// Why the reading ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// AppArmor refuses the profile: where, and why.
    Broken(String),
    /// What it says can't be known here.
    Unknown(String),
}

/// What stands before a rule, or before a block of them.
#[derive(Debug, Clone, Default)]
struct Prefix {
    priority: i32,
    audit: bool,
    mode: Option<&'static str>,
    owner: Option<&'static str>,
}

impl Prefix {
    /// A rule's own prefix inside a block's.
    fn inside(&self, block: &Prefix) -> Prefix {
        Prefix {
            priority: if block.priority == 0 { self.priority } else { block.priority },
            audit: self.audit || block.audit,
            mode: self.mode.or(block.mode),
            owner: block.owner.or(self.owner),
        }
    }

    fn is_empty(&self) -> bool {
        self.priority == 0 && !self.audit && self.mode.is_none() && self.owner.is_none()
    }
}

pub(super) struct Reader<'a> {
    look: &'a dyn Fn(&str) -> Found,
    lexer: Lexer,
    variables: Variables,
    aliases: Vec<(String, String)>,
    /// Files that were included, for the preamble and for the profile that is being read: each counts once.
    seen: Vec<BTreeSet<String>>,
    profile: Profile,
    /// A word that was taken too early.
    ahead: Option<Token>,
    /// Rules that are read are QEMU's own.
    counts: bool,
    /// They are behind no condition that does not hold: only then AppArmor looks at their patterns.
    is_taken: bool,
    /// Bytes of all patterns, variables replaced.
    written: usize,
    /// Bytes of all texts.
    taken: usize,
    /// Blocks that are open.
    blocks: usize,
    /// The block around a rule denies, and the rule does not say so itself.
    is_denied_around: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &str, text: String, look: &'a dyn Fn(&str) -> Found) -> Reader<'a> {
        let mut lexer = Lexer::default();
        lexer.push(path, text);
        Reader {
            look,
            lexer,
            variables: Variables::default(),
            aliases: Vec::new(),
            seen: vec![BTreeSet::from([path.to_owned()])],
            profile: Profile { path: path.to_owned(), ..Profile::default() },
            ahead: None,
            counts: false,
            is_taken: true,
            written: 0,
            taken: 0,
            blocks: 0,
            is_denied_around: false,
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// Why what it says can't be known.
    pub(super) fn read(mut self) -> Result<Profile, String> {
        match self.preamble() {
            Ok(()) => {}
            Err(Stop::Broken(what)) => self.profile.broken = Some(what),
            Err(Stop::Unknown(why)) => return Err(why),
        }
        Ok(self.profile)
    }

    fn broken<T>(&self, what: impl std::fmt::Display) -> Result<T, Stop> {
        Err(Stop::Broken(format!("{}: {what}", self.lexer.place())))
    }

    fn next(&mut self) -> Result<Token, Stop> {
        if let Some(token) = self.ahead.take() {
            return Ok(token);
        }
        loop {
            match self.lexer.next() {
                Item::Token(Token::Odd(what)) => {
                    return self.broken(format!("{what} is not expected here"));
                }
                Item::Token(token) => return Ok(token),
                Item::Include { name, may_lack } => self.include(&name, may_lack)?,
            }
        }
    }

    fn include(&mut self, word: &str, may_lack: bool) -> Result<(), Stop> {
        let name = word.trim_matches(['<', '>', '"']).trim();
        let is_searched = word.starts_with('<');
        let path = match name.strip_prefix('/') {
            Some(_) => name.to_owned(),
            None => format!("/etc/apparmor.d/{name}"),
        };
        // libvirt writes the .files of a domain anew at each start.
        if path.ends_with(".files") || !self.seen.iter().all(|seen| !seen.contains(&path)) {
            return Ok(());
        }
        if self.lexer.depth() > DEPTH {
            return Err(Stop::Unknown("its files include each other without end".to_owned()));
        }
        match (self.look)(&path) {
            Found::Text(text) => self.push(&path, text)?,
            Found::Names(names) => {
                // The last is read last.
                for name in names.iter().rev().filter(|name| !is_passed_over(name)) {
                    let path = format!("{}/{name}", path.trim_end_matches('/'));
                    if self.seen.iter().any(|seen| seen.contains(&path)) {
                        continue;
                    }
                    match (self.look)(&path) {
                        Found::Text(text) => self.push(&path, text)?,
                        Found::Names(_) | Found::Missing => {}
                        Found::Unreadable(why) => return Err(Stop::Unknown(why)),
                    }
                }
            }
            Found::Missing if may_lack => {}
            Found::Missing => {
                let where_ = if is_searched { " in /etc/apparmor.d" } else { "" };
                return self.broken(format!("{name} is to be included and is not there{where_}"));
            }
            Found::Unreadable(why) => return Err(Stop::Unknown(why)),
        }
        Ok(())
    }

    fn push(&mut self, path: &str, text: String) -> Result<(), Stop> {
        self.taken += text.len();
        if self.taken > MOST {
            return Err(Stop::Unknown(format!(
                "it has more than {MOST} bytes with what it includes"
            )));
        }
        if let Some(seen) = self.seen.last_mut() {
            seen.insert(path.to_owned());
        }
        self.lexer.push(path, text);
        Ok(())
    }

    /// Variables, and the profiles.
    fn preamble(&mut self) -> Result<(), Stop> {
        let mut profiles = 0;
        loop {
            match self.next()? {
                Token::End => return Ok(()),
                Token::Set(name) => {
                    let how = self.assignment()?;
                    let values = self.lexer.values().or_else(|what| self.broken(what))?;
                    if values.is_empty() {
                        return self.broken(format!("@{{{name}}} is given no value"));
                    }
                    self.variables.assign(&name, how, values).or_else(|what| self.broken(what))?;
                }
                Token::Truth(name) => {
                    let how = self.assignment()?;
                    let values = self.lexer.values().or_else(|what| self.broken(what))?;
                    let value = match values.join(" ").to_ascii_lowercase().as_str() {
                        "true" => true,
                        "false" => false,
                        other => {
                            return Err(Stop::Unknown(format!(
                                "what ${name} is by '{other}' is not known"
                            )));
                        }
                    };
                    self.variables.decide(&name, how, value).or_else(|what| self.broken(what))?;
                }
                Token::Name(word) if word == "alias" || word == "rewrite" => {
                    let (Token::Path(from), Token::Sign("->"), Token::Path(to), Token::Sign(",")) =
                        (self.next()?, self.next()?, self.next()?, self.next()?)
                    else {
                        return self.broken("an alias is written alias /FROM -> /TO,");
                    };
                    self.aliases.push((from, to));
                }
                Token::Name(word) if word == "abi" => self.pass_over(true).map(drop)?,
                Token::Name(word) if word == "profile" || word == "hat" => {
                    profiles += 1;
                    self.counts = profiles == 1;
                    self.profile_block("")?;
                }
                Token::Path(name) => {
                    profiles += 1;
                    self.counts = profiles == 1;
                    self.profile_block(&name)?;
                }
                other => {
                    return self.broken(format!(
                        "{} begins neither a profile nor a variable",
                        said(&other)
                    ));
                }
            }
        }
    }

    fn assignment(&mut self) -> Result<Assignment, Stop> {
        Ok(match self.next()? {
            Token::Sign("=") => Assignment::New,
            Token::Sign("+=") => Assignment::Added,
            Token::Sign("?=") => Assignment::Default,
            Token::Sign(":=") => Assignment::Instead,
            other => {
                return self
                    .broken(format!("{} stands where a variable's '=' is expected", said(&other)));
            }
        })
    }

    fn pass_over(&mut self, has_words: bool) -> Result<bool, Stop> {
        self.lexer.skip_rule(has_words).or_else(|what| self.broken(what))
    }

    /// A rule about something else than files.
    fn other_rule(&mut self, word: &str) -> Result<(), Stop> {
        const RETURN: &str = "a carriage return behind a rule's comma";
        let has_words = !["set", "rlimit"].contains(&word);
        let has_return = self.pass_over(has_words)?;
        match word {
            "mount" | "remount" | "umount" | "unmount" if has_return => self.broken(RETURN),
            _ if has_return => {
                self.doubt(RETURN);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Keeps in mind that something is read in another way by another version.
    fn doubt(&mut self, what: &str) {
        if self.profile.unclear.is_none() {
            self.profile.unclear = Some(format!("{}: {what}", self.lexer.place()));
        }
    }

    /// A profile behind its keyword.
    fn profile_block(&mut self, name: &str) -> Result<(), Stop> {
        let header = format!("{name} {}", self.lexer.header());
        if self.next()? != Token::Sign("{") {
            return self.broken(format!("the profile {} has no '{{'", header.trim()));
        }
        if self.counts {
            let flags =
                header.rsplit_once('(').map_or("", |(_, flags)| flags.trim_end_matches(')'));
            let is_set = |flag: &str| flags.split([',', ' ', '\t']).any(|one| one == flag);
            self.profile.complain = is_set("complain");
            self.profile.unconfined = is_set("unconfined");
        }
        self.seen.push(BTreeSet::new());
        let read = self.block(&Prefix::default());
        self.seen.pop();
        read
    }

    /// The rules up to a block's end.
    fn block(&mut self, around: &Prefix) -> Result<(), Stop> {
        self.blocks += 1;
        if self.blocks > DEPTH {
            return Err(Stop::Unknown(format!("it has more than {DEPTH} blocks in blocks")));
        }
        loop {
            let own = self.prefix()?;
            let token = self.next()?;
            let is_end = token == Token::Sign("}");
            if is_end && own.is_empty() {
                self.blocks -= 1;
                return Ok(());
            }
            // 5.0.2 forgets it, others do not.
            let is_against = own.mode == Some("allow") && around.mode == Some("deny");
            if own.mode == Some("deny") && !around.is_empty() || is_against {
                self.doubt(
                    "'allow' or 'deny' before a rule in a block that has a prefix of its own",
                );
            }
            self.is_denied_around = own.mode.is_none() && around.mode == Some("deny");
            self.rule(token, &own.inside(around), &own)?;
            if let Some(what) = self.lexer.doubt.take() {
                self.doubt(what);
            }
        }
    }

    /// What may stand before a rule, in this order.
    fn prefix(&mut self) -> Result<Prefix, Stop> {
        let mut prefix = Prefix::default();
        let mut reached = 0;
        loop {
            let token = self.next()?;
            let Token::Name(word) = &token else {
                self.ahead = Some(token);
                return Ok(prefix);
            };
            let place = match word.as_str() {
                "priority" => 1,
                "audit" => 2,
                "allow" | "deny" | "prompt" => 3,
                "owner" | "user" | "other" => 4,
                _ => {
                    self.ahead = Some(token);
                    return Ok(prefix);
                }
            };
            if place <= reached {
                return self.broken(format!(
                    "'{word}' stands too late before a rule: priority, audit, allow or deny, owner"
                ));
            }
            reached = place;
            match word.as_str() {
                "priority" => prefix.priority = self.number()?,
                "audit" => prefix.audit = true,
                "allow" => prefix.mode = Some("allow"),
                "deny" => prefix.mode = Some("deny"),
                "prompt" => return Err(Stop::Unknown("'prompt' asks somebody else".to_owned())),
                "other" => prefix.owner = Some("other"),
                _ => prefix.owner = Some("owner"),
            }
        }
    }

    /// `= NUMBER`
    fn number(&mut self) -> Result<i32, Stop> {
        let number = match self.next()? {
            Token::Sign("=") => self.lexer.number(),
            _ => None,
        };
        match number {
            Some(number) if (-1000..=1000).contains(&number) => Ok(number),
            _ => self.broken("priority= is a number from -1000 to 1000"),
        }
    }
}

/// A word for people.
fn said(token: &Token) -> String {
    match token {
        Token::Name(word) | Token::Path(word) | Token::Mode(word) | Token::Odd(word) => {
            format!("'{word}'")
        }
        Token::Set(name) => format!("'@{{{name}}}'"),
        Token::Truth(name) => format!("'${name}'"),
        Token::Sign(sign) => format!("'{sign}'"),
        Token::End => "the end".to_owned(),
    }
}
