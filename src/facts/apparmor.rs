//! AppArmor as the host described it: whether libvirt's driver finds it, and the file rules of profiles.

pub mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Known;
use crate::domain::DomainFacts;
use pattern::matches;

/// One file rule of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRule {
    /// The pattern, variables replaced.
    pub pattern: String,
    /// Its permissions: `r w a k l m` and the `x` modes.
    pub permissions: String,
    /// Only for files that QEMU's user owns.
    #[serde(default)]
    pub owner: bool,
    /// It denies.
    #[serde(default)]
    pub deny: bool,
    /// The file that the rule stands in.
    pub origin: String,
}

/// A profile as far as files are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The file it begins in.
    pub path: String,
    /// Its rules.
    pub rules: Vec<FileRule>,
    /// It only logs.
    #[serde(default)]
    pub complain: bool,
    /// A rule of the site's own files that lacks its comma, with its file: no profile of a VM can be loaded then.
    #[serde(default)]
    pub broken: Option<String>,
}

/// The state of AppArmor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppArmor {
    /// libvirt's driver finds it: it is enabled and the daemon has a profile.
    pub active: Known<bool>,
    /// Profiles by the domain's UUID; the empty one is the template for domains that have none yet.
    pub profiles: BTreeMap<String, Known<Profile>>,
}

/// The directory of libvirt's profiles.
pub const PROFILES: &str = "/etc/apparmor.d/libvirt";

impl AppArmor {
    /// The profile that the domain has, or will be given.
    pub fn profile(&self, domain: &DomainFacts) -> Result<&Profile, &str> {
        let own =
            domain.uuid.as_ref().and_then(|uuid| self.profiles.get(&uuid.to_ascii_lowercase()));
        match own.or_else(|| self.profiles.get("")) {
            Some(profile) => profile.as_result(),
            None => Err("the profile was not looked at"),
        }
    }
}

impl Profile {
    /// The permissions that a path gets, and the rules that give or deny them.
    pub fn permissions(&self, path: &str, owned: bool) -> (BTreeSet<char>, Vec<&FileRule>) {
        let hits: Vec<&FileRule> = self
            .rules
            .iter()
            .filter(|rule| (owned || !rule.owner) && matches(&rule.pattern, path))
            .collect();
        let mut granted: BTreeSet<char> = hits
            .iter()
            .filter(|rule| !rule.deny)
            .flat_map(|rule| rule.permissions.chars())
            .collect();
        for denied in hits.iter().filter(|rule| rule.deny).flat_map(|rule| rule.permissions.chars())
        {
            granted.remove(&denied);
        }
        (granted, hits)
    }

    /// Reads a profile and what it includes; `read` gives the text of a file, `list` the files of a directory.
    ///
    /// # Errors
    /// Why it is not known, in one sentence.
    pub fn parse(
        path: &str,
        read: &dyn Fn(&str) -> Option<String>,
        list: &dyn Fn(&str) -> Vec<String>,
    ) -> Result<Profile, String> {
        let Some(text) = read(path) else {
            return Err(format!("{path} cannot be read; run as root to see it"));
        };
        let mut parser = Parser {
            read,
            list,
            variables: BTreeMap::new(),
            seen: BTreeSet::new(),
            profile: Profile { path: path.to_owned(), ..Profile::default() },
            depth: 0,
            written: 0,
        };
        if let Some(tunables) = read("/etc/apparmor.d/tunables/global") {
            parser.text("/etc/apparmor.d/tunables/global", &tunables);
        }
        parser.text(path, &text);
        if parser.written > MOST {
            return Err(format!("the rules of {path} are too long with their variables"));
        }
        Ok(parser.profile)
    }
}

struct Parser<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    list: &'a dyn Fn(&str) -> Vec<String>,
    variables: BTreeMap<String, Vec<String>>,
    seen: BTreeSet<String>,
    profile: Profile,
    /// Braces that are open; rules of child profiles (deeper than one) are not QEMU's own.
    depth: usize,
    /// Bytes of all patterns, variables replaced.
    written: usize,
}

/// Bytes of patterns that are kept. A rule can name a variable ten times over, and a variable can be as long as its file.
const MOST: usize = 16 << 20;

impl Parser<'_> {
    fn text(&mut self, origin: &str, text: &str) {
        if !self.seen.insert(origin.to_owned()) {
            return;
        }
        let mut rule = String::new();
        for line in text.lines() {
            let line = line.trim();
            let include =
                line.strip_prefix('#').filter(|rest| rest.starts_with("include")).unwrap_or(line);
            if let Some(rest) = include.strip_prefix("include")
                && rest.starts_with([' ', '\t', '"', '<'])
            {
                self.include(rest);
                continue;
            }
            let line = uncommented(line);
            if line.is_empty() {
                continue;
            }
            if line.starts_with("@{")
                && line.contains('=')
                && rule.is_empty()
                && !line.ends_with(',')
            {
                self.variable(line);
                continue;
            }
            rule.push(' ');
            rule.push_str(line);
            if line.ends_with('{') {
                if self.depth == 0 {
                    self.profile.complain |= rule.contains("complain");
                }
                self.depth += 1;
                rule.clear();
            } else if line == "}" {
                self.unfinished(origin, &rule[..rule.len() - 1]);
                self.depth = self.depth.saturating_sub(1);
                rule.clear();
            } else if line.ends_with(',') {
                if self.depth <= 1 {
                    for one in apart(&rule) {
                        self.rule(origin, one.trim());
                    }
                }
                rule.clear();
            }
        }
        self.unfinished(origin, &rule);
    }

    /// A rule that ends without its comma; only what people edit is suspected.
    fn unfinished(&mut self, origin: &str, rule: &str) {
        let edited = ["/local/", "libvirt-qemu.d/", "/libvirt/libvirt-"]
            .iter()
            .any(|part| origin.contains(part));
        if edited && !rule.trim().is_empty() && self.profile.broken.is_none() {
            self.profile.broken = Some(format!("{origin}: '{}'", rule.trim()));
        }
    }

    fn include(&mut self, rest: &str) {
        let rest = rest.trim().trim_start_matches("if exists").trim();
        let name = rest.trim_matches(['<', '>', '"']);
        let path =
            if name.starts_with('/') { name.to_owned() } else { format!("/etc/apparmor.d/{name}") };
        // libvirt writes the .files of a domain anew at each start.
        if path.ends_with(".files") {
            return;
        }
        if let Some(text) = (self.read)(&path) {
            self.text(&path, &text);
        } else {
            for file in (self.list)(&path) {
                if let Some(text) = (self.read)(&file) {
                    self.text(&file, &text);
                }
            }
        }
    }

    fn variable(&mut self, line: &str) {
        let Some((name, values)) = line.split_once('=') else { return };
        let name = name.trim().trim_end_matches('+').trim();
        let Some(name) = name.strip_prefix("@{").and_then(|name| name.strip_suffix('}')) else {
            return;
        };
        let values = values.split_whitespace().map(|value| value.trim_matches('"').to_owned());
        let known = self.variables.entry(name.to_owned()).or_default();
        if !line.contains("+=") {
            known.clear();
        }
        known.extend(values);
    }

    /// Replaces variables by alternations.
    fn expand(&self, pattern: &str, depth: usize) -> String {
        let (Some(start), true) = (pattern.find("@{"), depth < 10) else {
            return pattern.to_owned();
        };
        let Some(end) = pattern[start..].find('}').map(|at| start + at) else {
            return pattern.to_owned();
        };
        let values = self.variables.get(&pattern[start + 2..end]);
        let inside = match values.map(Vec::as_slice) {
            Some([one]) => one.clone(),
            Some(many) if !many.is_empty() => format!("{{{}}}", many.join(",")),
            _ => "\u{0}".to_owned(),
        };
        // `@{HOME}/x` with `/home/*/` as a value would double the slash; AppArmor folds it.
        let joined = format!("{}{inside}{}", &pattern[..start], &pattern[end + 1..]);
        self.expand(&joined.replace("//", "/"), depth + 1)
    }

    fn rule(&mut self, origin: &str, rule: &str) {
        let (mut deny, mut owner) = (false, false);
        let mut rest = rule;
        loop {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            match word {
                "deny" => deny = true,
                "owner" => owner = true,
                "audit" | "allow" | "file" => {}
                _ => break,
            }
            rest = after.trim_start();
        }
        let grant = |pattern: &str, permissions: &str| FileRule {
            pattern: pattern.to_owned(),
            permissions: permissions.to_owned(),
            owner,
            deny,
            origin: origin.to_owned(),
        };
        let unquoted;
        let (path, permissions) = if rest.starts_with('"') {
            let Some((path, behind)) = unquote(rest) else { return };
            unquoted = path;
            (unquoted.as_str(), without_target(behind))
        } else if rest.starts_with(['/', '@', '{']) {
            let rest = without_target(rest);
            let Some((path, permissions)) = rest.rsplit_once(char::is_whitespace) else { return };
            (path.trim(), permissions)
        } else {
            let rest = without_target(rest);
            let Some((permissions, path)) = rest.split_once(char::is_whitespace) else {
                if rest.is_empty() && rule.ends_with("file") {
                    self.profile.rules.push(grant("/**", "rwklmx"));
                }
                return;
            };
            (path.trim().trim_matches('"'), permissions)
        };
        let is_path = path.starts_with(['/', '@', '{']);
        let are_permissions =
            !permissions.is_empty() && permissions.chars().all(|c| "rwaklmixuUpPcC".contains(c));
        if is_path && are_permissions {
            if self.written > MOST {
                return;
            }
            let pattern = self.expand(path, 0);
            self.written += pattern.len();
            self.profile.rules.push(grant(&pattern, permissions));
        }
    }
}

/// The rules of a line, which each end with a comma; those inside quotes, braces and brackets, and behind a backslash, end none.
fn apart(line: &str) -> Vec<&str> {
    let (mut rules, mut start) = (Vec::new(), 0);
    let (mut quoted, mut nested, mut escaped) = (false, 0_u32, false);
    for (at, letter) in line.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match letter {
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' | '[' if !quoted => nested += 1,
            '}' | ']' if !quoted => nested = nested.saturating_sub(1),
            ',' if !quoted && nested == 0 => {
                rules.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    rules
}

/// A line without the remark at its end; a `#` between quotes begins none.
fn uncommented(line: &str) -> &str {
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    for (at, letter) in line.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '#' if !quoted && [' ', '\t', ','].contains(&before) => return line[..at].trim_end(),
            _ => {}
        }
        before = letter;
    }
    line
}

/// What stands before ` -> TARGET`.
fn without_target(rule: &str) -> &str {
    rule.split(" -> ").next().unwrap_or(rule).trim()
}

/// The text between the quotes that a rule begins with, and what stands behind them. Escapes of letters become the letters;
/// those of the pattern's own signs stay (`processquoted`, parser_misc.c).
fn unquote(rule: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut letters = rule.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((text, &rule[at + 1..])),
            '\\' => {
                let (at, escaped) = letters.next()?;
                match escaped {
                    '"' => text.push('"'),
                    't' => text.push('\t'),
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    '0'..='7' => {
                        let digits = rule.get(at..at + 3)?;
                        text.push(char::from(u8::from_str_radix(digits, 8).ok()?));
                        letters.nth(1)?;
                    }
                    other => text.extend(['\\', other]),
                }
            }
            other => text.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_with_what_it_includes() {
        let files = |path: &str| {
            Some(
                match path {
                    "/etc/apparmor.d/tunables/global" => "@{HOMEDIRS}=/home/\n@{HOME}=@{HOMEDIRS}/*/ /root/\n",
                    "/etc/apparmor.d/libvirt/TEMPLATE.qemu" => {
                        "#include <tunables/global>\nprofile LIBVIRT_TEMPLATE flags=(attach_disconnected) {\n  #include <abstractions/libvirt-qemu>\n}\n"
                    }
                    "/etc/apparmor.d/abstractions/libvirt-qemu" => {
                        "  # comment\n  /dev/kvm rw,\n  /usr/share/OVMF/** rk, # why\n  owner @{HOME}/x rw,\n  deny /etc/secret r,\n  capability setuid,\n  \"/with blank/**\" r,\n  /etc/* r,\n  include if exists <local/abstractions/libvirt-qemu>\n  profile child {\n    /child rw,\n  }\n"
                    }
                    "/etc/apparmor.d/local/abstractions/libvirt-qemu" => "/srv/** rwk, /two/{a,b} r, deny \"/two/c, d\" w,",
                    _ => return None,
                }
                .to_owned(),
            )
        };
        let profile =
            Profile::parse("/etc/apparmor.d/libvirt/TEMPLATE.qemu", &files, &|_| Vec::new())
                .unwrap();
        let granted =
            |path: &str, owned| profile.permissions(path, owned).0.into_iter().collect::<String>();
        assert_eq!(granted("/dev/kvm", false), "rw");
        assert_eq!(granted("/srv/a/b", false), "krw");
        assert_eq!(granted("/home/me/x", true), "rw");
        assert_eq!(granted("/home/me/x", false), "");
        assert_eq!(granted("/etc/secret", false), "");
        assert_eq!(granted("/with blank/a", false), "r");
        assert_eq!(granted("/child", false), "");
        assert_eq!(
            (granted("/two/b", false), granted("/srv/x", false)),
            ("r".into(), "krw".into())
        );
    }
}
