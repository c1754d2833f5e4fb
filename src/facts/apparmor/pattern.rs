//! Patterns of paths as AppArmor has them (apparmor.d(5), "Globbing"), matched in steps that grow with pattern × path only.
//!
//! All alternatives are followed at once, as an automaton does: neither `**a**a**a` nor `{a,b}{a,b}{a,b}` makes it try one
//! after the other.

/// Whether a pattern matches a path: `*` and `?` stop at a slash, `**` does not.
pub fn matches(pattern: &str, path: &str) -> bool {
    // Most patterns differ from most paths before anything special stands in them.
    let plain = pattern.find(SPECIAL).unwrap_or(pattern.len());
    if !pattern[..plain].contains("//") && !path.starts_with(&pattern[..plain]) {
        return false;
    }
    Automaton::of(pattern.as_bytes()).accepts(path.as_bytes(), &mut 0)
}

const SPECIAL: [char; 5] = ['*', '?', '[', '{', '\\'];

/// A part of a pattern; the next one follows unless it says otherwise.
#[derive(Debug)]
enum Part<'a> {
    /// This byte.
    Byte(u8),
    /// `?`: any byte but a slash.
    Any,
    /// `[…]`: a byte of these, or with `^` none of them; never a slash.
    Class(&'a [u8]),
    /// `*` or, with `slashes`, `**`: any number of bytes.
    Many { slashes: bool },
    /// `{`: goes on at any of these.
    Fork(Vec<usize>),
    /// The end of an alternative: goes on behind the `}`.
    Jump(usize),
    /// Nothing matches here.
    Never,
}

struct Automaton<'a> {
    parts: Vec<Part<'a>>,
}

/// Where the automaton may stand before a byte of the path: before a part, and whether the slash before it is a slash of the
/// pattern. AppArmor folds two such slashes into one, whichever braces they come from.
#[derive(Clone)]
struct Places {
    /// For each part twice: not behind a slash, behind one.
    there: Vec<bool>,
    list: Vec<(usize, bool)>,
}

impl Places {
    fn none(parts: usize) -> Places {
        Places { there: vec![false; 2 * (parts + 1)], list: Vec::new() }
    }

    fn clear(&mut self) {
        for (at, slash) in self.list.drain(..) {
            self.there[2 * at + usize::from(slash)] = false;
        }
    }

    fn add(&mut self, at: usize, slash: bool) {
        let there = &mut self.there[2 * at + usize::from(slash)];
        if !std::mem::replace(there, true) {
            self.list.push((at, slash));
        }
    }
}

impl<'a> Automaton<'a> {
    fn of(pattern: &'a [u8]) -> Automaton<'a> {
        let closed = closed_braces(pattern);
        let mut parts = Vec::new();
        // The forks that are open, each with the jumps that end its alternatives so far.
        let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut at = 0;
        while at < pattern.len() {
            let rest = &pattern[at..];
            let (part, length) = match (rest, open.last_mut()) {
                ([b'*', b'*', ..], _) => (Part::Many { slashes: true }, 2),
                ([b'*', ..], _) => (Part::Many { slashes: false }, 1),
                ([b'?', ..], _) => (Part::Any, 1),
                ([b'\\', literal, ..], _) => (Part::Byte(*literal), 2),
                ([b'[', class @ ..], _) => match class.iter().position(|&byte| byte == b']') {
                    Some(end) => (Part::Class(&class[..end]), end + 2),
                    None => (Part::Never, 1),
                },
                ([b'{', ..], _) if closed[at] => {
                    open.push((parts.len(), Vec::new()));
                    (Part::Fork(vec![parts.len() + 1]), 1)
                }
                ([b',', ..], Some((fork, jumps))) => {
                    jumps.push(parts.len());
                    let next = parts.len() + 1;
                    if let Some(Part::Fork(ways)) = parts.get_mut(*fork) {
                        ways.push(next);
                    }
                    (Part::Jump(next), 1)
                }
                ([b'}', ..], Some(_)) if closed[at] => {
                    let (_, jumps) = open.pop().unwrap_or_default();
                    for jump in jumps {
                        parts[jump] = Part::Jump(parts.len());
                    }
                    at += 1;
                    continue;
                }
                (rest, _) => (Part::Byte(rest[0]), 1),
            };
            parts.push(part);
            at += length;
        }
        Automaton { parts }
    }

    /// Whether it gets from the start to the end of a path; `work` counts the places that it looked at.
    fn accepts(&self, path: &[u8], work: &mut usize) -> bool {
        let mut now = Places::none(self.parts.len());
        let mut next = Places::none(self.parts.len());
        now.add(0, false);
        self.spread(&mut now, work);
        for &byte in path {
            next.clear();
            for &(at, _) in &now.list {
                match self.parts.get(at) {
                    Some(Part::Byte(wanted)) if *wanted == byte => next.add(at + 1, byte == b'/'),
                    Some(Part::Any) if byte != b'/' => next.add(at + 1, false),
                    Some(Part::Class(set)) if class(set, byte) => next.add(at + 1, false),
                    Some(Part::Many { slashes }) if *slashes || byte != b'/' => next.add(at, false),
                    _ => {}
                }
            }
            std::mem::swap(&mut now, &mut next);
            if now.list.is_empty() {
                return false;
            }
            self.spread(&mut now, work);
        }
        now.list.iter().any(|&(at, _)| at == self.parts.len())
    }

    /// Adds the places that are reached without a byte of the path.
    fn spread(&self, places: &mut Places, work: &mut usize) {
        let mut seen = 0;
        while let Some(&(at, slash)) = places.list.get(seen) {
            seen += 1;
            match self.parts.get(at) {
                Some(Part::Many { .. }) => places.add(at + 1, false),
                Some(Part::Fork(ways)) => {
                    for &way in ways {
                        places.add(way, slash);
                    }
                }
                Some(Part::Jump(to)) => places.add(*to, slash),
                // The second of two slashes is the first.
                Some(Part::Byte(b'/')) if slash => places.add(at + 1, true),
                Some(Part::Byte(_) | Part::Any | Part::Class(_) | Part::Never) | None => {}
            }
        }
        *work += seen;
    }
}

/// Which bytes of a pattern are braces that open or close a pair; all others stand for themselves.
fn closed_braces(pattern: &[u8]) -> Vec<bool> {
    let mut closed = vec![false; pattern.len()];
    let mut open = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' => at += 1,
            b'[' => {
                let end = pattern[at..].iter().position(|&byte| byte == b']');
                at += end.unwrap_or_default();
            }
            b'{' => open.push(at),
            b'}' => {
                if let Some(start) = open.pop() {
                    closed[start] = true;
                    closed[at] = true;
                }
            }
            _ => {}
        }
        at += 1;
    }
    closed
}

fn class(set: &[u8], byte: u8) -> bool {
    let (negated, set) = set.strip_prefix(b"^").map_or((false, set), |set| (true, set));
    let mut at = 0;
    let mut found = false;
    while at < set.len() {
        if set.get(at + 1) == Some(&b'-') && at + 2 < set.len() {
            found |= (set[at]..=set[at + 2]).contains(&byte);
            at += 3;
        } else {
            found |= set[at] == byte;
            at += 1;
        }
    }
    found != negated && byte != b'/'
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
            ("/a/[{,]x", "/a/,x", true),
            ("/a?c", "/a/c", false),
            ("/a?c", "/abc", true),
            ("/d/", "/d", false),
            // Slashes that meet are one, wherever they come from.
            ("{/home/,/root/}/x", "/root/x", true),
            ("/a//b", "/a/b", true),
            ("/a{/,}/b", "/a/b", true),
            // A backslash takes the meaning away; a brace that is not closed has none.
            ("/a\\*", "/ab", false),
            ("/\\{a,b\\}", "/{a,b}", true),
            ("/{a,b", "/{a,b", true),
            ("/a}b", "/a}b", true),
            ("/a[b", "/a[b", false),
            ("/é*", "/éa", true),
            ("", "", true),
            ("/a", "", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
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

    proptest::proptest! {
        #[test]
        fn following_all_at_once_finds_what_one_after_the_other_finds(
            pattern in "(a|b|/c|\\*|\\*\\*|\\?|\\{a,b\\}|\\{,\\*a,c\\}){0,7}",
            path in "(a|b|/c|c){0,8}",
        ) {
            let found = matches(&pattern, &path);
            proptest::prop_assert_eq!(found, slowly(pattern.as_bytes(), path.as_bytes()));
        }
    }

    #[test]
    fn the_work_grows_with_pattern_times_path() {
        let path = format!("/{}", "a".repeat(4095));
        for pattern in [
            format!("/{}z", "**a".repeat(200)),
            format!("/{}z", "{a,b,**}".repeat(200)),
            format!("/{}z", "{a,{a,{a*,b}}}*".repeat(50)),
            format!("{}a{}", "{".repeat(500), "}".repeat(500)),
            "/".repeat(2000),
        ] {
            let mut work = 0;
            Automaton::of(pattern.as_bytes()).accepts(path.as_bytes(), &mut work);
            assert!(work <= 2 * (pattern.len() + 1) * (path.len() + 1), "{pattern} {work}");
        }
    }
}
