//! The language of AppArmor's file rules (apparmor.d(5)).

/// A rule for exactly one path; `None` where no rule can name it.
pub fn file_rule(path: &str, permissions: &str) -> Option<String> {
    Some(format!("{} {permissions},", literal(path, "")?))
}

/// A rule for everything below a directory, whose path ends in a slash.
pub fn below_rule(directory: &str, permissions: &str) -> Option<String> {
    Some(format!("{} {permissions},", literal(directory, "**")?))
}

/// A pattern that fits a path and nothing else, with a pattern behind it.
fn literal(path: &str, behind: &str) -> Option<String> {
    use std::fmt::Write as _;
    if path.contains('\0') || !path.starts_with('/') {
        return None;
    }
    let mut pattern = String::with_capacity(path.len() + 2);
    for letter in path.chars() {
        match letter {
            '\\' | '"' | '*' | '?' | '[' | ']' | '{' | '}' | '^' => {
                pattern.push('\\');
                pattern.push(letter);
            }
            '\t' => pattern.push_str("\\t"),
            '\n' => pattern.push_str("\\n"),
            '\r' => pattern.push_str("\\r"),
            // Writing to a String cannot fail.
            letter if letter.is_ascii_control() => {
                let _ = write!(pattern, "\\{:03o}", u32::from(letter));
            }
            letter => pattern.push(letter),
        }
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:%=~".contains(c);
    let is_plain = path.chars().all(is_plain);
    Some(if is_plain { format!("{pattern}{behind}") } else { format!("\"{pattern}{behind}\"") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::apparmor::{Found, Profile};

    #[test]
    fn a_rule_is_read_back_to_the_one_path() {
        for path in [
            "/srv/a",
            "/srv/a b",
            "/srv/a\"b",
            "/srv/a*b",
            "/srv/**",
            "/srv/a?[b]",
            "/srv/{a,b}",
            "/srv/a\\b",
            "/srv/a,b",
            "/srv/a,\n/etc/** rw",
            "/srv/\ta",
            "/srv/#a",
            "/srv/é",
            "/srv/@{HOME}",
            "/srv/a -> b",
            "/srv/\u{1b}[31m",
            "/srv/a rw,",
            "/srv/a\\",
            "/srv/^a",
        ] {
            let rule = file_rule(path, "rw").unwrap();
            assert!(!rule.contains(['\n', '\t', '\u{1b}']), "{rule:?}");
            let text = format!("profile x {{\n  {rule}\n}}\n");
            let look = |_: &str| Found::Text(text.clone());
            let profile = Profile::parse("x", &look).unwrap();
            assert_eq!(profile.broken, None, "{rule}");
            assert_eq!(profile.rules.len(), 1, "{rule}: {:?}", profile.rules);
            let granted = |path: &str| {
                profile
                    .permissions(path, true)
                    .0
                    .into_iter()
                    .filter(|letter| *letter != 'a')
                    .collect::<String>()
            };
            assert_eq!(granted(path), "rw", "{rule}: {:?}", profile.rules);
            for other in ["/etc/passwd", "/srv/axb", "/srv/", "/srv/a/b"] {
                assert_eq!(granted(other), "", "{rule} {other}");
            }
        }
        assert_eq!(file_rule("/a\0b", "r"), None);
        assert_eq!(below_rule("/srv/d e/", "rw").unwrap(), "\"/srv/d e/**\" rw,");
    }
}
