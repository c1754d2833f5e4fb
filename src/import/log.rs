//! A log of libvirt (/var/log/libvirt/qemu/NAME.log): the newest command line in it, as the shell text that it is.

/// What every start begins with (`qemuLogOperation`), and older releases without a version.
const BEGINS: &str = ": starting up";

/// The command line of the last start, where the text is such a log.
pub(super) fn command(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let header = lines.iter().rposition(|line| is_header(line))?;
    let mut command = String::new();
    for line in &lines[header + 1..] {
        // The header itself may have been wrapped by what it was pasted through.
        if command.is_empty() && !begins_command(line) {
            continue;
        }
        if is_dated(line) {
            break;
        }
        command.push_str(line);
        command.push('\n');
        if !line.trim_end().ends_with('\\') {
            break;
        }
    }
    (!command.is_empty()).then_some(command)
}

fn is_header(line: &str) -> bool {
    line.contains(BEGINS) && (is_dated(line) || line.contains("libvirt version"))
}

/// `2026-11-28 17:10:57.123+0000: …`
fn is_dated(line: &str) -> bool {
    let digits = line.trim_start().bytes().take(4).filter(u8::is_ascii_digit).count();
    digits == 4 && line.trim_start().as_bytes().get(4) == Some(&b'-')
}

/// The first line of a command: a variable, or the program.
fn begins_command(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    word.starts_with('/')
        || word.split_once('=').is_some_and(|(name, _)| super::shell::is_name(name))
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn the_newest_start_counts() {
        let log = "2026-01-01 10:00:00.000+0000: starting up libvirt version: 9.0.0\nLC_ALL=C \\\n/usr/bin/qemu-system-x86_64 \\\n-S\n2026-01-01 10:00:01.000+0000: shutting down, reason=destroyed\n2026-01-02 10:00:00.000+0000: starting up libvirt version: 9.0.0,\nkernel: 6.1\nLC_ALL=C \\\n/usr/bin/qemu-system-x86_64 \\\n-msg timestamp=on\nchar device redirected to /dev/pts/1 (label charserial0)\n";
        assert_eq!(
            command(log).unwrap(),
            "LC_ALL=C \\\n/usr/bin/qemu-system-x86_64 \\\n-msg timestamp=on\n"
        );
        assert_eq!(command("qemu-system-x86_64 -S"), None);
    }
}
