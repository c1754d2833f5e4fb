//! The shell's language (POSIX sh).

/// Stands between the words of two commands, the second of which runs where the first succeeded. A path or a name can't be
/// this word, as no argument holds a NUL byte; `&&` is a word like any other.
pub const AND: &str = "\0&&";

/// Words as one command, or as two with [`AND`] between them.
pub fn quote(words: &[&str]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| match *word {
            AND => "&&".to_owned(),
            // A NUL byte can't be in any argument; such a path was refused before.
            word => shlex::try_quote(word)
                .map_or_else(|_| String::from("''"), std::borrow::Cow::into_owned),
        })
        .collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_we_join_commands() {
        assert_eq!(quote(&["ip", "tuntap", "dev", "&&", "-S"]), "ip tuntap dev '&&' -S");
        assert_eq!(quote(&["touch", "/a b", AND, "chcon", "/a b"]), "touch '/a b' && chcon '/a b'");
    }
}
