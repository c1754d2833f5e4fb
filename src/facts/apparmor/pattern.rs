//! Patterns of paths as AppArmor has them (apparmor.d(5), "Globbing"), matched in steps that grow with pattern × path only.
//!
//! All alternatives are followed at once, as an automaton does: neither `**a**a**a` nor `{a,b}{a,b}{a,b}` makes it try one
//! after the other.

use std::borrow::Cow;

/// Whether a pattern matches a path: `*` and `?` stop at a slash, `**` does not. One that AppArmor refuses matches nothing.
pub fn matches(pattern: &str, path: &str) -> bool {
    // Most patterns differ from most paths before anything special stands in them.
    let plain = pattern.find(SPECIAL).unwrap_or(pattern.len());
    if !pattern[..plain].contains("//") && !path.starts_with(&pattern[..plain]) {
        return false;
    }
    let pattern = folded(pattern);
    Automaton::of(pattern.as_bytes())
        .is_ok_and(|automaton| automaton.accepts(path.as_bytes(), &mut 0))
}

/// Why AppArmor refuses a pattern (`convert_aaregex_to_pcre`, parser_regex.c).
pub(super) fn fault(pattern: &str) -> Option<Fault> {
    Automaton::of(folded(pattern).as_bytes()).err()
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// AppArmor refuses it.
    Refused(&'static str),
    /// What it means is not known here.
    Unclear(&'static str),
}

const SPECIAL: [char; 6] = ['*', '?', '[', '{', '\\', ']'];

/// Slashes that meet are one, but for two at the very beginning (`filter_slashes`, parser_regex.c).
fn folded(pattern: &str) -> Cow<'_, str> {
    let (start, rest) = match pattern.strip_prefix("//") {
        Some(rest) if !rest.starts_with('/') => pattern.split_at(2),
        _ => ("", pattern),
    };
    if !rest.contains("//") {
        return Cow::Borrowed(pattern);
    }
    let mut folded = start.to_owned();
    for letter in rest.chars() {
        if letter != '/' || !folded.ends_with('/') {
            folded.push(letter);
        }
    }
    Cow::Owned(folded)
}

/// A part of a pattern; the next one follows unless it says otherwise.
#[derive(Debug)]
enum Part {
    /// This byte.
    Byte(u8),
    /// `?`: any byte but a slash.
    Any,
    /// `[…]`: a byte of these.
    Class(Box<[bool; 256]>),
    /// `*` or, with `slashes`, `**`: any number of bytes.
    Many { slashes: bool },
    /// `{`: goes on at any of these.
    Fork(Vec<usize>),
    /// The end of an alternative: goes on behind the `}`.
    Jump(usize),
}

struct Automaton {
    parts: Vec<Part>,
}

/// Where the automaton may stand before a byte of the path: before a part.
#[derive(Clone)]
struct Places {
    there: Vec<bool>,
    list: Vec<usize>,
}

impl Places {
    fn none(parts: usize) -> Places {
        Places { there: vec![false; parts + 1], list: Vec::new() }
    }

    fn clear(&mut self) {
        for at in self.list.drain(..) {
            self.there[at] = false;
        }
    }

    fn add(&mut self, at: usize) {
        if !std::mem::replace(&mut self.there[at], true) {
            self.list.push(at);
        }
    }
}

/// Braces in braces, at most (`MAX_ALT_DEPTH`).
const DEPTH: usize = 49;

impl Automaton {
    fn of(pattern: &[u8]) -> Result<Automaton, Fault> {
        let mut parts: Vec<Part> = Vec::new();
        // The forks that are open, each with the jumps that end its alternatives so far.
        let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
        // What was written last is a slash, and no brace closed behind it.
        let mut is_behind_slash = false;
        let mut at = 0;
        while at < pattern.len() {
            let rest = &pattern[at..];
            let was_behind_slash = std::mem::replace(&mut is_behind_slash, rest[0] == b'/');
            let (part, length) = match rest {
                [b'*', behind @ ..] => {
                    let stars = 1 + behind.iter().take_while(|&&byte| byte == b'*').count();
                    let is_name = matches!(rest.get(stars), None | Some(b'/'));
                    // As a name of its own it has at least one letter.
                    if was_behind_slash && is_name {
                        parts.push(Part::Any);
                    }
                    let slashes = behind.first() == Some(&b'*');
                    (Part::Many { slashes }, 1 + usize::from(slashes))
                }
                [b'?', ..] => (Part::Any, 1),
                [b'\\', literal, ..] => (Part::Byte(*literal), 2),
                [b'\\'] => return Err(Fault::Refused("a backslash at its end")),
                [b'[', behind @ ..] => {
                    let (set, length) = class(behind)?;
                    (Part::Class(set), 1 + length)
                }
                [b']', ..] => return Err(Fault::Refused("a ']' without its '['")),
                [b'{', ..] => {
                    open.push((parts.len(), Vec::new()));
                    if open.len() > DEPTH {
                        return Err(Fault::Refused("too many braces in braces"));
                    }
                    (Part::Fork(vec![parts.len() + 1]), 1)
                }
                [b',', ..] if !open.is_empty() => {
                    let next = parts.len() + 1;
                    let Some((fork, jumps)) = open.last_mut() else { continue };
                    jumps.push(parts.len());
                    if let Some(Part::Fork(ways)) = parts.get_mut(*fork) {
                        ways.push(next);
                    }
                    (Part::Jump(next), 1)
                }
                [b'}', ..] => {
                    let Some((_, jumps)) = open.pop() else {
                        return Err(Fault::Refused("a '}' without its '{'"));
                    };
                    if jumps.is_empty() {
                        return Err(Fault::Refused("braces with one alternative only"));
                    }
                    for jump in jumps {
                        parts[jump] = Part::Jump(parts.len());
                    }
                    at += 1;
                    continue;
                }
                [byte, ..] => (Part::Byte(*byte), 1),
                [] => break,
            };
            parts.push(part);
            at += length;
        }
        match open.is_empty() {
            true => Ok(Automaton { parts }),
            false => Err(Fault::Refused("a '{' without its '}'")),
        }
    }

    /// Whether it gets from the start to the end of a path; `work` counts the places that it looked at.
    fn accepts(&self, path: &[u8], work: &mut usize) -> bool {
        let mut now = Places::none(self.parts.len());
        let mut next = Places::none(self.parts.len());
        now.add(0);
        self.spread(&mut now, work);
        for &byte in path {
            next.clear();
            for &at in &now.list {
                match self.parts.get(at) {
                    Some(Part::Byte(wanted)) if *wanted == byte => next.add(at + 1),
                    Some(Part::Any) if byte != b'/' => next.add(at + 1),
                    Some(Part::Class(set)) if set[usize::from(byte)] => next.add(at + 1),
                    Some(Part::Many { slashes }) if *slashes || byte != b'/' => next.add(at),
                    _ => {}
                }
            }
            std::mem::swap(&mut now, &mut next);
            if now.list.is_empty() {
                return false;
            }
            self.spread(&mut now, work);
        }
        now.there[self.parts.len()]
    }

    /// Adds the places that are reached without a byte of the path.
    fn spread(&self, places: &mut Places, work: &mut usize) {
        let mut seen = 0;
        while let Some(&at) = places.list.get(seen) {
            seen += 1;
            match self.parts.get(at) {
                Some(Part::Many { .. }) => places.add(at + 1),
                Some(Part::Fork(ways)) => {
                    for &way in ways {
                        places.add(way);
                    }
                }
                Some(Part::Jump(to)) => places.add(*to),
                Some(Part::Byte(_) | Part::Any | Part::Class(_)) | None => {}
            }
        }
        *work += seen;
    }
}

/// The bytes of a class, from behind its `[`, and how long it is with its `]`.
fn class(text: &[u8]) -> Result<(Box<[bool; 256]>, usize), Fault> {
    let is_negated = text.first() == Some(&b'^');
    let mut at = usize::from(is_negated);
    // Whether each byte is meant as it stands: a `-` behind a backslash makes no range.
    let mut bytes: Vec<(u8, bool)> = Vec::new();
    loop {
        match text.get(at..).unwrap_or_default() {
            [] => return Err(Fault::Refused("a '[' without its ']'")),
            [b']', ..] => break,
            [b'\\', byte, ..] => {
                bytes.push((*byte, true));
                at += 2;
            }
            [b'*' | b'?' | b'[', ..] => {
                return Err(Fault::Unclear("a '*', '?' or '[' in brackets"));
            }
            [byte, ..] => {
                bytes.push((*byte, false));
                at += 1;
            }
        }
    }
    if bytes.is_empty() {
        return Err(Fault::Refused("brackets with nothing in them"));
    }
    let mut set = Box::new([is_negated; 256]);
    let mut rest = &bytes[..];
    loop {
        rest = match rest {
            [] => break,
            [(from, _), (b'-', false), (to, _), rest @ ..] => {
                for byte in *from..=*to {
                    set[usize::from(byte)] = !is_negated;
                }
                rest
            }
            [(b'-', false), ..] | [_, (b'-', false)] => {
                return Err(Fault::Unclear("a '-' at an end of brackets"));
            }
            [(byte, _), rest @ ..] => {
                set[usize::from(*byte)] = !is_negated;
                rest
            }
        };
    }
    Ok((set, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_apparmor_has_them() {
        for (pattern, path, expected) in [
            ("/srv/*", "/srv/a", true),
            ("/srv/*", "/srv/a/b", false),
            ("/srv/**", "/srv/a/b", true),
            ("/srv/**/b", "/srv/a/a/b", true),
            ("/{dev,run}/shm", "/run/shm", true),
            ("/dev/{,u}random", "/dev/urandom", true),
            ("/dev/{,u}random", "/dev/random", true),
            ("/{a,{b,c}d,e}/f", "/cd/f", true),
            ("/{a,{b,c}d,e}/f", "/c/f", false),
            ("/{a*,**b}c", "/x/bc", true),
            ("/a/[0-9]*", "/a/1x", true),
            ("/a/[^a]", "/a/a", false),
            ("/a[^a]b", "/a/b", true),
            ("/a/[{,]x", "/a/,x", true),
            ("/a?c", "/a/c", false),
            ("/a?c", "/abc", true),
            ("/d/", "/d", false),
            // A star that is a whole name has a letter.
            ("/srv/**", "/srv/", false),
            ("/srv/*", "/srv/", false),
            ("/srv/*/", "/srv//", false),
            ("/srv/*b", "/srv/b", true),
            ("{/srv/,/home/}**", "/srv/", true),
            // Slashes that meet are one.
            ("/a//b", "/a/b", true),
            ("{/home/,/root/}/x", "/root/x", false),
            // A backslash takes the meaning away.
            ("/a\\*", "/ab", false),
            ("/\\{a,b\\}", "/{a,b}", true),
            ("/a{b", "/a{b", false),
            ("/é*", "/éa", true),
            ("", "", true),
            ("/a", "", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        for pattern in ["/{a,b", "/a}b", "/a[b", "/a]b", "/{a}", "/a\\", "/a[]b"] {
            assert!(matches!(fault(pattern), Some(Fault::Refused(_))), "{pattern}");
        }
        for pattern in ["/a[*]", "/a[-b]", "/a[b-]"] {
            assert!(matches!(fault(pattern), Some(Fault::Unclear(_))), "{pattern}");
        }
    }

    /// As the manual page says it, one alternative after the other.
    fn slowly(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => path.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=path.len()).any(|skip| slowly(rest, &path[skip..])),
            [b'*', rest @ ..] => {
                let stop = path.iter().position(|&byte| byte == b'/').unwrap_or(path.len());
                (0..=stop).any(|skip| slowly(rest, &path[skip..]))
            }
            [b'{', rest @ ..] => {
                let end = rest.iter().position(|&byte| byte == b'}').unwrap();
                rest[..end].split(|&byte| byte == b',').any(|one| {
                    let whole = String::from_utf8([one, &rest[end + 1..]].concat()).unwrap();
                    slowly(whole.as_bytes(), path)
                })
            }
            [b'?', rest @ ..] => {
                path.first().is_some_and(|&byte| byte != b'/') && slowly(rest, &path[1..])
            }
            [literal, rest @ ..] => path.first() == Some(literal) && slowly(rest, &path[1..]),
        }
    }

    /// A star that is a whole name has a letter.
    fn lettered(pattern: &str) -> String {
        let parts: Vec<String> = pattern
            .split('/')
            .enumerate()
            .map(|(at, name)| {
                let is_stars = !name.is_empty() && name.bytes().all(|byte| byte == b'*');
                if is_stars && at > 0 { format!("?{name}") } else { name.to_owned() }
            })
            .collect();
        parts.join("/")
    }

    proptest::proptest! {
        #[test]
        fn following_all_at_once_finds_what_one_after_the_other_finds(
            pattern in "(a|b|/c|\\*|\\*\\*|\\?|\\{a,b\\}|\\{,\\*a,c\\}){0,7}",
            path in "(a|b|/c|c){0,8}",
        ) {
            let found = matches(&pattern, &path);
            proptest::prop_assert_eq!(found, slowly(lettered(&pattern).as_bytes(), path.as_bytes()));
        }
    }

    #[test]
    fn the_work_grows_with_pattern_times_path() {
        let path = format!("/{}", "a".repeat(4095));
        for pattern in [
            format!("/{}z", "**a".repeat(200)),
            format!("/{}z", "{a,b,**}".repeat(200)),
            format!("/{}z", "{a,{a,{a*,b}}}*".repeat(50)),
            format!("{}a{}", "{".repeat(49), ",}".repeat(49)),
            "/".repeat(2000),
        ] {
            let mut work = 0;
            Automaton::of(pattern.as_bytes()).unwrap().accepts(path.as_bytes(), &mut work);
            assert!(work <= 2 * (pattern.len() + 1) * (path.len() + 1), "{pattern} {work}");
        }
    }
}
