//! The shell's language (POSIX sh).

/// Words as one command. `&&` stays an operator.
pub fn quote(words: &[&str]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| match *word {
            "&&" => "&&".to_owned(),
            // A NUL byte can't be in any argument; such a path was refused before.
            word => shlex::try_quote(word)
                .map_or_else(|_| String::from("''"), std::borrow::Cow::into_owned),
        })
        .collect();
    quoted.join(" ")
}
