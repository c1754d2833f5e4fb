//! What people paste: a shell command line, a libvirt log, XML from a forum. Read into entries, with a word about the rest.

use std::collections::HashSet;

use crate::domain::EntryKind;
use crate::libvirt::own;
use crate::qemu::{argv, catalog};
use crate::xml;

/// What becomes of one thing that was pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is added.
    Added,
    /// The domain says it already.
    There,
    /// A domain says it elsewhere.
    Elsewhere(&'static str),
}

/// An option with its value, or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The entries that it is.
    pub entries: Vec<EntryKind>,
    /// What becomes of it.
    pub fate: Fate,
}

/// Reads pasted text; `there` are the entries of the domain, an option with its value in one piece.
///
/// # Errors
/// What stands in the way and what was expected, in one sentence.
pub fn read(text: &str, there: &[Vec<EntryKind>]) -> Result<Vec<Item>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let (entries, whole) =
        if text.starts_with('<') { (from_xml(text)?, false) } else { from_shell(text)? };
    let mut seen: HashSet<String> = there.iter().map(|entries| key(entries)).collect();
    let item = |entries: Vec<EntryKind>| {
        let fate = if !seen.insert(key(&entries)) {
            Fate::There
        } else if whole && let Some(place) = elsewhere(&entries) {
            Fate::Elsewhere(place)
        } else {
            Fate::Added
        };
        Item { entries, fate }
    };
    Ok(grouped(entries).into_iter().map(item).collect())
}

/// Entries as one text that tells them apart from others.
fn key(entries: &[EntryKind]) -> String {
    entries.iter().map(|entry| format!("{:?} {}\0", entry.list(), entry.text())).collect()
}

fn elsewhere(entries: &[EntryKind]) -> Option<&'static str> {
    let EntryKind::Arg { value } = entries.first()? else { return None };
    catalog::left_to_libvirt(argv::option_name(value)?)
}

/// Arguments grouped into options with their values.
fn grouped(entries: Vec<EntryKind>) -> Vec<Vec<EntryKind>> {
    let (args, others): (Vec<EntryKind>, Vec<EntryKind>) =
        entries.into_iter().partition(|entry| matches!(entry, EntryKind::Arg { .. }));
    let texts: Vec<String> = args.iter().map(EntryKind::text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let options = argv::group(&texts);
    let mut groups: Vec<Vec<EntryKind>> =
        options.iter().map(|option| args[option.entry..=option.last()].to_vec()).collect();
    groups.extend(others.into_iter().map(|entry| vec![entry]));
    groups
}

/// `<qemu:arg>` and `<qemu:env>` elements, whatever stands around them and whatever their prefix is called.
fn from_xml(text: &str) -> Result<Vec<EntryKind>, String> {
    // The declaration of a whole document would stand inside.
    let text = text
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
        .map_or(text, |(_, rest)| rest);
    let wrapped = format!("<pasted>{text}</pasted>");
    let tree = xml::scan(&wrapped).map_err(|error| {
        let before = &wrapped[..error.offset.min(wrapped.len())];
        format!("line {} of what was pasted: {}", before.matches('\n').count() + 1, error.message)
    })?;
    let mut entries = Vec::new();
    for element in &tree.elements {
        let value = |name: &str| element.property(name).map(|found| found.value.clone());
        match element.local_name() {
            "arg" => entries.extend(value("value").map(EntryKind::arg)),
            "env" => {
                entries.extend(
                    value("name").map(|name| EntryKind::env(name, value("value").as_deref())),
                );
            }
            _ => {}
        }
    }
    if entries.is_empty() {
        return Err("no <qemu:arg> and no <qemu:env> is among the XML that was pasted".to_owned());
    }
    entries.iter().try_for_each(EntryKind::check)?;
    Ok(entries)
}

/// Words as a shell reads them: continued lines, quotes, comments; variables before the program, the program left out.
/// The flag tells that it was a whole command line.
fn from_shell(text: &str) -> Result<(Vec<EntryKind>, bool), String> {
    let split = |command: &String| {
        shlex::split(command)
            .ok_or_else(|| "a quote or a backslash is left open in what was pasted".to_owned())
    };
    let commands = commands(&text.replace("\r\n", "\n"));
    let mut words = split(&commands[0])?;
    // Behind an option a name like a program's is its value.
    let first = words.iter().find(|word| variable(word).is_none());
    let is_bare = first.is_some_and(|first| first.starts_with('-'));
    let has_program = |words: &[String]| !is_bare && words.iter().any(|word| is_program(word));
    let mut before = words.clone();
    for command in &commands[1..] {
        if has_program(&before) {
            break;
        }
        before.extend(split(command)?);
    }
    if has_program(&before) {
        words = before;
    }
    let program = words.iter().position(|word| !is_bare && is_program(word));
    let arguments = program.map_or(0, |at| at + 1);
    let mut entries = Vec::new();
    for word in &words[..program.unwrap_or(0)] {
        entries.extend(variable(word));
    }
    let mut rest = words[arguments..].iter().peekable();
    // Without a program, variables stand before the first option.
    while program.is_none() {
        match rest.peek().and_then(|word| variable(word)) {
            Some(entry) => {
                entries.push(entry);
                rest.next();
            }
            None => break,
        }
    }
    let args: Vec<EntryKind> = rest.map(EntryKind::arg).collect();
    if args.first().is_some_and(|first| !first.text().starts_with('-')) {
        return Err(format!(
            "'{}' is no option of QEMU, expected a command line such as 'qemu-system-x86_64 -device …', or XML",
            args[0].text()
        ));
    }
    entries.extend(args);
    // What libvirt's log shows beside is libvirt's own environment.
    if program.is_some() {
        entries.retain(|entry| match entry {
            EntryKind::Env { name, .. } => !own::has_variable(name),
            EntryKind::Arg { .. } | EntryKind::Extra(_) => true,
        });
    }
    Ok((entries, program.is_some()))
}

/// The commands of a text, continued lines as one: what the shell would do with the output of one is no argument of it. Between
/// quotes and behind a backslash nothing ends one.
fn commands(text: &str) -> Vec<String> {
    const ENDS: [&str; 7] = ["|", "&&", ";", "&", ">", "2>&1", "||"];
    let is_blank = |c: char| [' ', '\t', '\n'].contains(&c);
    let (mut quote, mut escaped, mut remark) = (None, false, false);
    let mut is_start = true;
    let mut commands = Vec::new();
    let mut line = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        let starts = std::mem::replace(&mut is_start, false);
        match (quote, letter) {
            _ if remark => {
                remark = letter != '\n';
                is_start = !remark;
            }
            (None, '\n') if escaped => {
                escaped = false;
                is_start = true;
                line.pop();
                line.push(' ');
                continue;
            }
            _ if escaped => escaped = false,
            (Some('"') | None, '\\') => escaped = true,
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '#') if starts => remark = true,
            (None, letter) if is_blank(letter) => is_start = true,
            (None, _) if starts => {
                let word = text[at..].split(is_blank).next().unwrap_or_default();
                if ENDS.contains(&word) {
                    commands.push(std::mem::take(&mut line));
                    continue;
                }
            }
            (None, _) => {}
        }
        line.push(letter);
    }
    commands.push(line);
    commands
}

fn is_program(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    !word.starts_with('-')
        && !word.contains('=')
        && (name.starts_with("qemu-system-") || ["qemu-kvm", "kvm", "qemu"].contains(&name))
}

fn variable(word: &str) -> Option<EntryKind> {
    let (name, value) = word.split_once('=')?;
    let entry = EntryKind::env(name, Some(value));
    entry.check().ok().map(|()| entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, there: &[Vec<EntryKind>]) -> Vec<String> {
        let items = read(text, there).unwrap();
        let one = |item: &Item| {
            let words: Vec<String> = item.entries.iter().map(EntryKind::text).collect();
            let sign = match item.fate {
                Fate::Added => "+",
                Fate::There => "=",
                Fate::Elsewhere(_) => "~",
            };
            format!("{sign} {}", words.join(" "))
        };
        items.iter().map(one).collect()
    }

    #[test]
    fn a_shell_command_is_read_with_its_variables_quotes_and_comments() {
        let text = "# looking glass\nPULSE_LATENCY_MSEC=30 sudo qemu-system-x86_64 -m 4G \\\n  -device ivshmem-plain,memdev=m \\\n  -object 'memory-backend-file,id=m,mem-path=/dev/shm/a b' -S 2>&1 | tee log";
        assert_eq!(
            shown(text, &[]),
            [
                "~ -m 4G",
                "+ -device ivshmem-plain,memdev=m",
                "+ -object memory-backend-file,id=m,mem-path=/dev/shm/a b",
                "~ -S",
                "+ PULSE_LATENCY_MSEC=30",
            ]
        );
    }

    #[test]
    fn a_line_of_options_is_taken_as_it_is() {
        assert_eq!(shown("-S -device x", &[]), ["+ -S", "+ -device x"]);
        assert_eq!(shown("A=1 -device x", &[]), ["+ -device x", "+ A=1"]);
        assert!(read("hello world", &[]).unwrap_err().contains("'hello' is no option of QEMU"));
        assert!(read("-device 'x", &[]).unwrap_err().contains("left open"));
        assert_eq!(read("  \n", &[]), Ok(Vec::new()));
    }

    #[test]
    fn what_is_quoted_ends_no_command_and_a_value_is_no_program() {
        assert_eq!(shown("-name '&&' -S && reboot", &[]), ["+ -name &&", "+ -S"]);
        assert_eq!(shown("-name a\\ \\; # it's > x\n-S", &[]), ["+ -name a ;", "+ -S"]);
        assert_eq!(shown("-name 'a\\\\\nb' \\\n -S", &[]), ["+ -name a\\\\\nb", "+ -S"]);
        assert_eq!(shown("-name \"a\\\\\nb\"", &[]), ["+ -name a\\\nb"]);
        assert_eq!(shown("-S -name qemu -device x", &[]), ["+ -S", "+ -name qemu", "+ -device x"]);
        assert_eq!(shown("cd /x && A=1 qemu-kvm -name a | tee 'b", &[]), ["~ -name a", "+ A=1"]);
        assert_eq!(shown("sudo -u root qemu-system-i386 -name kvm", &[]), ["~ -name kvm"]);
    }

    #[test]
    fn what_the_domain_says_already_is_not_added_again() {
        let there = vec![
            vec![EntryKind::arg("-device"), EntryKind::arg("x")],
            vec![EntryKind::env("A", Some("1"))],
        ];
        assert_eq!(
            shown("A=1 -device x -device y -device y", &there),
            ["= -device x", "+ -device y", "= -device y", "= A=1"]
        );
    }

    #[test]
    fn a_log_of_libvirt_is_read_without_libvirts_own() {
        let text = "LC_ALL=C \\\nPATH=/bin \\\nHOME=/var/lib/libvirt/qemu/domain-1-a \\\n/usr/bin/qemu-system-x86_64 \\\n-name guest=a \\\n-S \\\n-device '{\"driver\":\"x\"}' \\\n-msg timestamp=on";
        assert_eq!(
            shown(text, &[]),
            ["~ -name guest=a", "~ -S", "+ -device {\"driver\":\"x\"}", "~ -msg timestamp=on"]
        );
    }

    #[test]
    fn xml_from_a_forum_needs_no_namespace() {
        let text = "<qemu:commandline>\n <qemu:arg value='-device'/>\n <qemu:arg value=\"x\"/><qemu:env name='A' value='&lt;'/></qemu:commandline>";
        assert_eq!(shown(text, &[]), ["+ -device x", "+ A=<"]);
        assert!(read("<a>\n<b", &[]).unwrap_err().starts_with("line 2 of what was pasted"));
        assert!(read("<a/>", &[]).unwrap_err().contains("no <qemu:arg>"));
    }
}
