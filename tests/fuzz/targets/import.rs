//! What is pasted becomes entries that libvirt takes; said again it is there already, and as a shell line it is the same.

use std::collections::BTreeMap;

use qpt_tui::domain::{Document, EntryKind, List};
use qpt_tui::import::{Beside, Fate, Item};
use qpt_tui::words::quote;

/// What people paste.
pub const WORDS: &[&str] = &[
    "qemu-system-x86_64 ",
    "-device ",
    "-drive file=/srv/a,if=none ",
    " \\\n",
    "LC_ALL=C ",
    "A='b c' ",
    "\"$HOME\"",
    "# comment\n",
    " 2>&1 | tee log",
    " && ",
    "'&&'",
    "';'",
    "<qemu:commandline>",
    "<qemu:arg value='-S'/>",
    "<qemu:env name='A' value='1'/>",
    "</qemu:commandline>",
    "<?xml version='1.0'?>",
    "&#10;",
    "\r\n",
];

fn read(text: &str, there: &[Vec<EntryKind>]) -> Result<Vec<Item>, String> {
    let beside = Beside { there, libvirt: None, answers: &BTreeMap::new() };
    let import = qpt_tui::import::read(text, &beside)?;
    // What was not understood has no entries.
    Ok(import.items.into_iter().filter(|item| !item.entries.is_empty()).collect())
}

/// The text is what was pasted.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(items) = read(text, &[]) else { return };
    assert_eq!(read(text, &[]).as_ref(), Ok(&items));
    let there: Vec<Vec<EntryKind>> = items.iter().map(|item| item.entries.clone()).collect();
    let again = read(text, &there).expect("it was read before");
    assert!(again.iter().all(|item| item.fate == Fate::There), "{again:?} is there already");
    for entry in there.iter().flatten() {
        assert_eq!(entry.check(), Ok(()), "{entry:?}");
    }
    added(&items);
    as_shell(&items);
}

fn of(items: &[Item], list: List) -> Vec<EntryKind> {
    items
        .iter()
        .flat_map(|item| item.entries.clone())
        .filter(|entry| entry.list() == list)
        .collect()
}

/// What is added is in the document then.
fn added(items: &[Item]) {
    let (args, envs) = (of(items, List::Args), of(items, List::Envs));
    let mut document = Document::parse("<domain/>").expect("it is a domain");
    for (list, entries) in [(List::Args, &args), (List::Envs, &envs)] {
        // What XML can't hold is refused.
        let Ok(edits) = document.insert(list, 0, entries) else { return };
        document = document.apply(&edits).expect("what was added is read");
    }
    let found: Vec<EntryKind> = document.entries().map(|entry| entry.kind.clone()).collect();
    assert_eq!(found, [args, envs].concat());
}

/// As words for a shell, variables first, they are the same entries.
fn as_shell(items: &[Item]) {
    let (args, envs) = (of(items, List::Args), of(items, List::Envs));
    // Without a value a variable is a word like any other; the first argument has to be an option.
    let has_values = envs.iter().all(|entry| entry.text().contains('='));
    let is_option = |first: &EntryKind| first.text().starts_with('-') && first.text() != "-";
    let has_option = args.first().is_none_or(is_option);
    if !has_values || !has_option || args.is_empty() {
        return;
    }
    // No argument holds a NUL; what is pasted has one kind of line end.
    let is_argument = |entry: &EntryKind| !entry.text().contains(['\0', '\r']);
    if !envs.iter().chain(&args).all(is_argument) {
        return;
    }
    let words: Vec<String> = envs.iter().chain(&args).map(EntryKind::text).collect();
    let line = quote(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let read = read(&line, &[]).unwrap_or_else(|why| panic!("{line:?}: {why}"));
    assert_eq!(of(&read, List::Args), args, "{line:?}");
    assert_eq!(of(&read, List::Envs), envs, "{line:?}");
}
