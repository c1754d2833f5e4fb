//! The command line that libvirt itself builds of a document.

use std::time::Duration;

use crate::process::{ask, nameless, path_of};

/// What `virsh domxml-to-native qemu-argv` says, as arguments; the environment before the program is left out.
///
/// # Errors
/// Why libvirt did not answer, in one sentence.
pub fn command(source: &str, session: bool) -> Result<Vec<String>, String> {
    let document = nameless(source)?;
    let path = path_of(&document);
    let uri = if session { "qemu:///session" } else { "qemu:///system" };
    let words = ["-q", "-c", uri, "domxml-to-native", "qemu-argv", "--xml", &path];
    let asked = ask("virsh", &words, Duration::from_secs(10));
    let said = asked.map_err(|why| format!("{why}; 'virsh -c {uri} version' may tell why"))?;
    arguments(&said).ok_or_else(|| "virsh answered something else than a command line".to_owned())
}

/// The words of a command line, lines joined, from the program on.
fn arguments(text: &str) -> Option<Vec<String>> {
    let words = shlex::split(&text.replace("\\\n", " "))?;
    let program = words.iter().position(|word| word.starts_with('/') && !word.contains('='))?;
    Some(words[program..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn the_environment_is_left_out_and_lines_are_joined() {
        let text =
            "LC_ALL=C \\\nPATH=/bin \\\n/usr/bin/qemu-system-x86_64 \\\n-name 'a b' \\\n-S\n";
        assert_eq!(arguments(text).unwrap(), ["/usr/bin/qemu-system-x86_64", "-name", "a b", "-S"]);
        assert_eq!(arguments("error: no"), None);
    }
}
