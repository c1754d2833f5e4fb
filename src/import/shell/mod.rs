//! Shell texts: command lines, scripts, what other commands carry.

mod condition;
mod expand;
mod lexer;
mod program;
mod quotes;
mod run;
mod syntax;
mod words;

use std::collections::BTreeMap;

pub(super) use lexer::quoted_words;
pub(super) use program::{is_known_option, is_option, is_program};
pub(super) use words::is_name;

use super::{Found, Value};
use run::{Command, Script};

/// What a script or a command line starts QEMU with.
///
/// # Errors
/// What was expected, in one sentence.
pub(super) fn read(text: &str, answers: &BTreeMap<String, String>) -> Result<Found, String> {
    let text = without_prompts(text);
    let mut script = Script::read(&text, answers)?;
    let longest = script
        .commands
        .iter()
        .enumerate()
        .max_by_key(|(at, command)| (command.arguments.len(), std::cmp::Reverse(*at)))
        .map(|(at, _)| at);
    if let Some(at) = longest {
        let chosen = script.commands.swap_remove(at);
        return Ok(found(chosen, &script.commands));
    }
    if let Some(found) = carried(&script.texts, answers)? {
        return Ok(found);
    }
    if let Some(command) = of_variables(&script) {
        return Ok(found(command, &[]));
    }
    let first = text.split_whitespace().next().unwrap_or_default();
    Err(format!(
        "'{first}' is no option of QEMU, expected a command line such as 'qemu-system-x86_64 -device …', a script that has one, a \
         configuration of a program that starts QEMU, or XML"
    ))
}

fn found(command: Command, others: &[Command]) -> Found {
    let mut found = Found {
        args: command.arguments,
        envs: command.environment,
        whole: command.whole,
        ..Found::default()
    };
    for other in others {
        if other.arguments == found.args {
            continue;
        }
        let words: Vec<&str> = other.arguments.iter().map(|word| word.text.as_str()).collect();
        found.others.push((
            words.join(" "),
            "another command of the text starts QEMU with this".to_owned(),
        ));
    }
    found
}

/// Options that other commands carry in one text, or give to a file.
fn carried(texts: &[Value], answers: &BTreeMap<String, String>) -> Result<Option<Found>, String> {
    let mut all = Found::default();
    for text in texts {
        match text.text.split_once('\u{1}') {
            Some(("raw.qemu.conf", inner)) => all.merge(super::ini::read(inner)),
            Some((_, inner)) => all.merge(super::keyed::carried(inner, &text.open)?),
            None => {
                if let Some(mut found) = super::kinds::inner(&text.text, answers) {
                    found.ask(&text.open);
                    all.merge(found);
                }
            }
        }
    }
    Ok((!all.is_empty()).then_some(all))
}

/// Where no command starts QEMU: variables that hold options, or variables alone.
fn of_variables(script: &Script<'_>) -> Option<Command> {
    let mut command = Command::default();
    let mut names: Vec<&String> = Vec::new();
    for name in &script.set {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let values = |name: &String| script.variables.values.get(name).cloned().unwrap_or_default();
    for name in &names {
        let values = values(name);
        if !values.first().is_some_and(|first| program::is_option(&first.text)) {
            continue;
        }
        let is_list = values.len() > 1 || !values[0].text.contains(char::is_whitespace);
        if is_list {
            command.arguments.extend(values);
        } else if let Ok(words) = quoted_words(&values[0].text) {
            let open = &values[0].open;
            command.arguments.extend(words.into_iter().map(|word| Value::with(word, open)));
        }
    }
    if command.arguments.is_empty() && !script.other {
        for name in names {
            let value = values(name).into_iter().next()?;
            command.environment.push((name.clone(), value));
        }
    }
    let is_empty = command.arguments.is_empty() && command.environment.is_empty();
    (!is_empty).then_some(command)
}

/// A text without what a terminal or a page shows around commands: fences of Markdown, prompts.
fn without_prompts(text: &str) -> String {
    let fenced = text.lines().filter(|line| line.trim_start().starts_with("```")).count() >= 2;
    let mut inside = !fenced;
    let mut lines = Vec::new();
    let has_prompts = text.lines().any(|line| unprompted(line).is_some());
    for line in text.lines() {
        if fenced && line.trim_start().starts_with("```") {
            inside = !inside;
            continue;
        }
        if !inside {
            continue;
        }
        let continued = lines.last().is_some_and(|last: &&str| last.ends_with('\\'));
        match unprompted(line) {
            Some(rest) if has_prompts => lines.push(rest),
            _ if continued && has_prompts => lines.push(line.strip_prefix("> ").unwrap_or(line)),
            _ => lines.push(line),
        }
    }
    lines.join("\n")
}

/// What stands behind a prompt, where it is a command that starts QEMU.
fn unprompted(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    let rest = trimmed
        .strip_prefix("$ ")
        .or_else(|| trimmed.strip_prefix("# "))
        .or_else(|| {
            trimmed.split_once("$ ").filter(|(before, _)| is_prompt(before)).map(|(_, rest)| rest)
        })
        .or_else(|| {
            trimmed.split_once("# ").filter(|(before, _)| is_prompt(before)).map(|(_, rest)| rest)
        })?;
    let commands = ["sudo", "virt-xml", "virt-install", "incus", "lxc", "qm", "export"];
    let first = rest.split_whitespace().find(|word| !word.contains('='))?;
    let is_command = is_program(first) || commands.contains(&first);
    // A remark is no prompt of root unless a command follows.
    (is_command || trimmed.starts_with("$ ")).then_some(rest)
}

/// `user@host:~`
fn is_prompt(text: &str) -> bool {
    text.contains('@') && !text.contains(char::is_whitespace)
        || text.starts_with('[') && text.ends_with(']') && text.contains('@')
}

/// Whether a command of a text starts QEMU, or carries options of it.
pub(super) fn starts_qemu(text: &str) -> bool {
    let none = BTreeMap::new();
    let Ok(script) = Script::read(&without_prompts(text), &none) else { return false };
    let is_one = |command: &Command| {
        let first = command.arguments.first();
        command.whole || first.is_some_and(|word| is_known_option(&word.text))
    };
    script.commands.iter().any(is_one)
        || script.texts.iter().any(|text| text.text.contains('\u{1}'))
}

/// Whether a text gives something to read that holds options of QEMU.
pub(super) fn writes_options(text: &str) -> bool {
    let none = BTreeMap::new();
    let Ok(script) = Script::read(text, &none) else { return false };
    script.commands.is_empty() && carried(&script.texts, &none).is_ok_and(|found| found.is_some())
}
