//! Which word of a command is QEMU, and which commands only carry its options.

use crate::import::Value;
use crate::qemu::{argv, catalog};

/// Commands that start another one.
const PREFIXES: [&str; 34] = [
    "sudo",
    "doas",
    "pkexec",
    "env",
    "exec",
    "nohup",
    "nice",
    "ionice",
    "taskset",
    "chrt",
    "numactl",
    "setsid",
    "systemd-run",
    "systemd-inhibit",
    "timeout",
    "stdbuf",
    "time",
    "command",
    "gdb",
    "strace",
    "unshare",
    "firejail",
    "dbus-run-session",
    "prime-run",
    "gamemoderun",
    "xvfb-run",
    "screen",
    "tmux",
    "cgexec",
    "setpriv",
    "runuser",
    "chroot",
    "nsenter",
    "flatpak-spawn",
];

/// Commands that set variables.
pub(super) fn declares(word: &str) -> bool {
    ["export", "local", "declare", "typeset", "readonly"].contains(&word)
}

/// Whether a word is the name of a QEMU.
pub(in crate::import) fn is_program(word: &str) -> bool {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let is_word = |rest: &str| rest.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    let is_named = name.strip_prefix("qemu-system-").is_some_and(is_word)
        || ["qemu-kvm", "kvm", "qemu", "kvm-spice"].contains(&name);
    is_named && !word.starts_with("/dev/") && !word.starts_with('-') && !word.contains('=')
}

/// Whether a word looks like an option.
pub(in crate::import) fn is_option(word: &str) -> bool {
    word.starts_with('-') && word != "-"
}

/// Whether a QEMU has an option of a word's name.
pub(in crate::import) fn is_known_option(word: &str) -> bool {
    argv::option_name(word).is_some_and(|name| catalog::option(name).is_some())
}

/// The word of a command that is QEMU: its first, or one behind what only starts another program.
pub(super) fn place(fields: &[Value]) -> Option<usize> {
    let is_variable = |word: &Value| word.text.contains('=') && !word.text.starts_with('-');
    let first = fields.iter().position(|word| !is_variable(word))?;
    let name = fields[first].text.rsplit('/').next().unwrap_or_default();
    let named = fields.iter().position(|word| is_program(&word.text));
    // `sudo usermod -aG kvm me` starts nothing.
    let is_short = |at: usize| !fields[at].text.contains("qemu-system-");
    let leads = |at: usize| fields.get(at + 1).is_some_and(|word| is_known_option(&word.text));
    let is_behind = |at: &usize| {
        *at == first && (!is_short(*at) || fields.len() == 1 || leads(*at))
            || PREFIXES.contains(&name) && (!is_short(*at) || leads(*at))
            || is_listed(&fields[..*at], fields.get(at + 1))
    };
    if let Some(at) = named.filter(is_behind) {
        // `apt install qemu-kvm`, `command -v qemu-system-x86_64` start nothing.
        let only_looks =
            fields[..at].iter().any(|word| ["-v", "-V", "install"].contains(&word.text.as_str()));
        return (!only_looks).then_some(at);
    }
    // A program that only a variable names, before what only QEMU has.
    let start = if PREFIXES.contains(&name) { first + 1 } else { first };
    let open = fields.get(start)?;
    let is_named_elsewhere = !open.open.is_empty() && open.text.starts_with('$');
    let next = fields.get(start + 1)?;
    (is_named_elsewhere && is_known_option(&next.text)).then_some(start)
}

/// A line of `ps`: the program has its path, an option follows, and before it no option of QEMU stands.
fn is_listed(before: &[Value], next: Option<&Value>) -> bool {
    next.is_some_and(|word| is_known_option(&word.text))
        && !before.iter().any(|word| is_known_option(&word.text))
        && before.iter().any(|word| word.text.chars().all(|c| c.is_ascii_digit()))
}

/// Whether QEMU is only asked about itself.
pub(super) fn only_asks(arguments: &[Value]) -> bool {
    let asks = ["-version", "--version", "-h", "-help", "--help"];
    let first = arguments.first().map(|word| word.text.as_str());
    let is_list = arguments.iter().any(|word| word.text == "help" || word.text == "?");
    first.is_some_and(|first| asks.contains(&first)) || is_list && arguments.len() <= 2
}

/// What another shell is given to read: `eval …`, `bash -c '…'`.
pub(super) fn script_of(fields: &[Value]) -> Option<Value> {
    let name = |word: &Value| word.text.rsplit('/').next().unwrap_or_default().to_owned();
    if fields[0].text == "eval" {
        let mut all = Value::default();
        for field in &fields[1..] {
            all.append(field);
            all.text.push(' ');
        }
        return Some(all);
    }
    let shells = ["sh", "bash", "dash", "zsh", "su", "ssh", "script"];
    if !fields.iter().take(8).any(|word| shells.contains(&name(word).as_str())) {
        return None;
    }
    let starts =
        |word: &&Value| word.text.contains(' ') && word.text.split_whitespace().any(is_program);
    fields.iter().find(starts).cloned()
}

/// The words of a command that carry options of QEMU in one text.
pub(super) fn texts_of(fields: &[Value]) -> Vec<Value> {
    const CARRIERS: [&str; 9] = [
        "--qemu-commandline",
        "raw.qemu",
        "raw.qemu.conf",
        "--args",
        "-args",
        "ARGUMENTS",
        "--extra_args",
        "--extra-args",
        "--qemu-args",
    ];
    let mut found = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let (key, value) = match field.text.split_once('=') {
            Some((key, value)) if CARRIERS.contains(&key) => (key, Some(value.to_owned())),
            _ => (field.text.as_str(), None),
        };
        if CARRIERS.contains(&key) {
            let next =
                || fields[at + 1..].iter().find(|word| word.text != "--" && word.text != "-");
            let (text, open) = match (&value, next()) {
                (Some(text), _) => (text.clone(), field.open.clone()),
                (None, Some(next)) => (next.text.clone(), next.open.clone()),
                (None, None) => continue,
            };
            // What a command says about itself is no text of its own.
            if key == "-args" && is_option(&text) && !text.contains(' ') && at + 2 < fields.len() {
                continue;
            }
            let key = if key == "raw.qemu.conf" { "raw.qemu.conf" } else { "carried" };
            found.push(Value { text: format!("{key}\u{1}{text}"), open });
        }
    }
    // `echo 'args: …' >> FILE`
    let says = ["echo", "printf"].contains(&fields[0].text.as_str());
    found.extend(fields[1..].iter().filter(|word| says && word.text.contains('-')).cloned());
    found
}
