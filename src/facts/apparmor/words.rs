//! How AppArmor spells a word: escapes, permissions, names of files that it passes over.

/// A word as it stands in a profile, quotes and all, as AppArmor goes on with it: escapes are resolved, but those that take the
/// meaning of a sign of patterns away stay (`processid`, parser_misc.c).
pub(super) fn resolved(word: &str) -> String {
    let inside = word.strip_prefix('"').map(|rest| rest.strip_suffix('"').unwrap_or(rest));
    let mut rest = inside.unwrap_or(word);
    let mut text = Vec::new();
    while let Some(letter) = rest.chars().next() {
        let behind = &rest[letter.len_utf8()..];
        match (letter, escape(behind)) {
            ('\\', Some((byte, length))) => {
                match byte {
                    0 => text.extend(&rest.as_bytes()[..=length]),
                    _ if b"*?[]{}^,\\".contains(&byte) => text.extend([b'\\', byte]),
                    _ => text.push(byte),
                }
                rest = &behind[length..];
            }
            _ => {
                text.extend(letter.to_string().as_bytes());
                rest = behind;
            }
        }
    }
    String::from_utf8(text)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What stands behind a backslash, and how many bytes of it belong to the escape (`strn_escseq`, lib.c).
fn escape(behind: &str) -> Option<(u8, usize)> {
    let first = *behind.as_bytes().first()?;
    let number = |start: usize, radix: u32, most: usize| {
        let digits = behind.as_bytes()[start..]
            .iter()
            .take(most)
            .take_while(|byte| char::from(**byte).is_digit(radix))
            .count();
        // No more digits are taken than a byte holds.
        (1..=digits).rev().find_map(|count| {
            let number = u8::from_str_radix(&behind[start..start + count], radix).ok()?;
            Some((number, start + count))
        })
    };
    match first {
        b'0'..=b'7' => number(0, 8, 3),
        b'd' => number(1, 10, 3),
        b'x' => number(1, 16, 2),
        b'\\' | b'"' => Some((first, 1)),
        b'a' => Some((7, 1)),
        b'e' => Some((27, 1)),
        b'f' => Some((12, 1)),
        b'n' => Some((b'\n', 1)),
        b'r' => Some((b'\r', 1)),
        b't' => Some((b'\t', 1)),
        _ => None,
    }
}

/// Whether a word can stand for permissions (`MODES`, parser_lex.l).
pub(super) fn is_mode(word: &str) -> bool {
    let mut rest = word.as_bytes();
    while let Some(length) = mode_length(rest) {
        rest = &rest[length..];
    }
    rest.is_empty() && !word.is_empty()
}

fn mode_length(rest: &[u8]) -> Option<usize> {
    let lower = |at: usize| rest.get(at).map(u8::to_ascii_lowercase);
    match (lower(0)?, lower(1), lower(2)) {
        (b'p' | b'c', Some(b'i' | b'u'), Some(b'x')) => Some(3),
        (b'p' | b'c' | b'i' | b'u', Some(b'x'), _) => Some(2),
        (b'r' | b'w' | b'a' | b'l' | b'm' | b'k' | b'x', ..) => Some(1),
        _ => None,
    }
}

/// What permissions come to, as the letters `r w a k l m x`.
///
/// # Errors
/// Why AppArmor refuses them (`parse_sub_perms`, `check_x_qualifier`, parser_misc.c).
pub(super) fn letters(mode: &str, deny: bool) -> Result<String, String> {
    let mut letters = String::new();
    let mut add = |letter: char| {
        if !letters.contains(letter) {
            letters.push(letter);
        }
    };
    let (mut write, mut append, mut qualifier) = (false, false, None);
    let mut rest = mode.as_bytes();
    while let Some(length) = mode_length(rest) {
        let part = rest[..length].to_ascii_lowercase();
        rest = &rest[length..];
        match part[0] {
            b'w' if append => return Err("'a' and 'w' exclude each other".to_owned()),
            b'a' if write => return Err("'a' and 'w' exclude each other".to_owned()),
            b'w' => write = true,
            b'a' => append = true,
            _ => {}
        }
        if part.ends_with(b"x") {
            let this = &part[..part.len() - 1];
            let is_other = !this.is_empty()
                && qualifier.as_deref().is_some_and(|before: &[u8]| before != this);
            if is_other {
                return Err("two kinds of 'x' exclude each other".to_owned());
            }
            if !this.is_empty() {
                qualifier = Some(this.to_vec());
            }
            add('x');
            continue;
        }
        add(char::from(part[0]));
    }
    if write {
        add('a');
    }
    match (letters.contains('x'), qualifier.is_some(), deny) {
        (true, false, false) => Err("'x' needs one of i, p, c, u before it".to_owned()),
        (true, true, true) => Err("with 'deny', 'x' stands alone".to_owned()),
        // Running something in the same profile maps it.
        (true, true, false) if qualifier.as_deref() == Some(b"i") && !letters.contains('m') => {
            Ok(letters + "m")
        }
        _ => Ok(letters),
    }
}

/// Whether a file in a directory that is included is passed over (`_aa_is_blacklisted`, libapparmor).
pub(super) fn is_passed_over(name: &str) -> bool {
    const ENDS: [&str; 12] = [
        ".dpkg-new",
        ".dpkg-old",
        ".dpkg-dist",
        ".dpkg-bak",
        ".dpkg-remove",
        ".pacsave",
        ".pacnew",
        ".rpmnew",
        ".rpmsave",
        ".orig",
        ".rej",
        "~",
    ];
    name.is_empty()
        || name.starts_with('.')
        || name == "README"
        || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_resolved() {
        for (word, expected) in [
            ("/a", "/a"),
            ("\"/a b\"", "/a b"),
            ("/a\\040b", "/a b"),
            ("/a\\x41b", "/aAb"),
            ("/a\\d065b", "/aAb"),
            ("/a\\ b", "/a\\ b"),
            ("/a\\*b", "/a\\*b"),
            ("/a\\052b", "/a\\*b"),
            ("\"/a\\\"b\"", "/a\"b"),
            ("/a\\\\b", "/a\\\\b"),
            ("/a\\tb", "/a\tb"),
            ("/é\\", "/é\\"),
        ] {
            assert_eq!(resolved(word), expected, "{word}");
        }
    }

    #[test]
    fn permissions_are_letters() {
        for (mode, deny, expected) in [
            ("rw", false, Some("rwa")),
            ("RWk", false, Some("rwka")),
            ("rix", false, Some("rxm")),
            ("rPUx", false, Some("rx")),
            ("x", false, None),
            ("x", true, Some("x")),
            ("ix", true, None),
            ("wa", false, None),
            ("ixpx", false, None),
        ] {
            assert_eq!(letters(mode, deny).ok().as_deref(), expected, "{mode}");
        }
        assert!(
            is_mode("mrwkl") && is_mode("Cx") && !is_mode("p") && !is_mode("file") && !is_mode("")
        );
    }
}
