//! Variables of profiles, and what a pattern is with their values.

use std::collections::BTreeMap;

/// Bytes that a pattern may grow to: a variable can be named ten times over, and be as long as its file.
const MOST: usize = 64 << 10;
/// Variables in the values of variables, at most.
const DEPTH: usize = 20;

/// Sets and truths by their names.
#[derive(Debug, Default)]
pub(super) struct Variables {
    sets: BTreeMap<String, Vec<String>>,
    truths: BTreeMap<String, bool>,
}

/// Why a pattern can't be had with its variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// This one has no value.
    NoValue(String),
    /// They lead to each other, or it grows without measure.
    TooMuch,
}

/// How a variable is given its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assignment {
    /// `=`
    New,
    /// `+=`
    Added,
    /// `?=`
    Default,
    /// `:=`
    Instead,
}

impl Variables {
    /// Gives a set its values.
    ///
    /// # Errors
    /// When it has some already, or is to get more and has none.
    pub(super) fn assign(
        &mut self,
        name: &str,
        how: Assignment,
        values: Vec<String>,
    ) -> Result<(), String> {
        let is_there = self.sets.contains_key(name);
        match how {
            Assignment::New if is_there => return Err(format!("@{{{name}}} has values already")),
            Assignment::Added if !is_there => {
                return Err(format!("@{{{name}}} is to get more values and has none"));
            }
            Assignment::Default if is_there => return Ok(()),
            Assignment::New | Assignment::Default | Assignment::Instead => {
                self.sets.insert(name.to_owned(), Vec::new());
            }
            Assignment::Added => {}
        }
        let all = self.sets.entry(name.to_owned()).or_default();
        for value in values {
            if !all.contains(&value) {
                all.push(value);
            }
        }
        Ok(())
    }

    /// Gives a truth its value.
    ///
    /// # Errors
    /// When it has one already, or can't have more.
    pub(super) fn decide(
        &mut self,
        name: &str,
        how: Assignment,
        value: bool,
    ) -> Result<(), String> {
        match how {
            Assignment::Added => return Err(format!("${name} can't get more values")),
            Assignment::New if self.truths.contains_key(name) => {
                return Err(format!("${name} has a value already"));
            }
            Assignment::Default if self.truths.contains_key(name) => return Ok(()),
            Assignment::New | Assignment::Default | Assignment::Instead => {}
        }
        self.truths.insert(name.to_owned(), value);
        Ok(())
    }

    /// Whether a name is one of a set or a truth.
    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.sets.contains_key(name) || self.truths.contains_key(name)
    }

    /// A truth.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        self.truths.get(name).copied()
    }

    /// A pattern with values in the places of variables: alternatives in braces where there are several
    /// (`variable::expand_by_alternation`, variable.cc).
    ///
    /// # Errors
    /// When a variable has no values, or the pattern grows without measure.
    pub(super) fn expanded(&self, pattern: &str) -> Result<String, Trouble> {
        self.expand(pattern, 0)
    }

    fn expand(&self, pattern: &str, depth: usize) -> Result<String, Trouble> {
        if depth > DEPTH || pattern.len() > MOST {
            return Err(Trouble::TooMuch);
        }
        let Some((start, end)) = named(pattern) else { return Ok(pattern.to_owned()) };
        let (prefix, name, suffix) =
            (&pattern[..start], &pattern[start + 2..end], &pattern[end + 1..]);
        let Some(values) = self.sets.get(name) else {
            return Err(Trouble::NoValue(name.to_owned()));
        };
        // Slashes that meet are one, but for those that a path begins with.
        let follows = prefix.ends_with('/') && prefix.contains(|c| c != '/');
        let is_followed = suffix.starts_with('/');
        let mut alternatives = Vec::new();
        for value in values {
            let value = self.expand(value, depth + 1)?;
            let value = if follows { value.trim_start_matches('/') } else { &value };
            let value = if is_followed { value.trim_end_matches('/') } else { value };
            alternatives.push(value.to_owned());
        }
        let inside = match &alternatives[..] {
            [one] => one.clone(),
            several => format!("{{{}}}", several.join(",")),
        };
        let behind = self.expand(&format!("{inside}{suffix}"), depth + 1)?;
        Ok(format!("{prefix}{behind}"))
    }
}

/// Where the first variable stands: its `@`, and its `}`; a backslash takes its meaning away.
fn named(pattern: &str) -> Option<(usize, usize)> {
    let bytes = pattern.as_bytes();
    let mut start = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, start) {
            (b'\\', _) => at += 1,
            (b'@', _) if bytes.get(at + 1) == Some(&b'{') => {
                start = Some(at);
                at += 1;
            }
            (b'}', Some(start)) => return Some((start, at)),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_become_alternatives() {
        let mut variables = Variables::default();
        let mut set = |name: &str, values: &[&str]| {
            let values = values.iter().map(|value| (*value).to_owned()).collect();
            variables.assign(name, Assignment::New, values).unwrap();
        };
        set("HOMEDIRS", &["/home/", "/srv/home/"]);
        set("HOME", &["@{HOMEDIRS}/*/", "/root/"]);
        set("one", &["a"]);
        set("self", &["@{self}"]);
        for (pattern, expected) in [
            ("/x/@{one}/y", "/x/a/y"),
            ("@{HOME}/.x", "{{/home,/srv/home}/*,/root}/.x"),
            ("/x/@{HOMEDIRS}", "/x/{home/,srv/home/}"),
            ("/a\\@{one}", "/a\\@{one}"),
            ("/a/**", "/a/**"),
        ] {
            assert_eq!(variables.expanded(pattern).unwrap(), expected);
        }
        assert_eq!(variables.expanded("/@{two}"), Err(Trouble::NoValue("two".to_owned())));
        assert_eq!(variables.expanded("@{self}"), Err(Trouble::TooMuch));
    }
}
