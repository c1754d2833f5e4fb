//! What people paste, read into entries: command lines, scripts, logs, XML, configurations of other programs.
//!
//! Nothing of a text is run. What only running it could tell stays as it is written, and is asked about.
//! [`read`] gives every thing that was found with what becomes of it, [`better`] the elements that could stand for some, [`taken`] the
//! document with what was chosen.

mod config;
mod dialects;
mod elements;
mod ini;
mod keyed;
mod kinds;
mod lists;
mod log;
mod make;
mod markup;
mod own;
mod shell;

use std::collections::{BTreeMap, HashSet};

pub use elements::{Better, Choice, better, taken};
pub use own::Told;

use crate::domain::EntryKind;
use crate::libvirt;
use crate::qemu::{argv, catalog};

/// What becomes of one thing that was pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is added.
    Added,
    /// The domain says it already.
    There,
    /// A domain says it elsewhere.
    Elsewhere(&'static str),
    /// libvirt gives it to QEMU by itself.
    Own,
    /// Something in it has to be said first: what is open, as it is written.
    Asked(Vec<String>),
    /// It is no option and no variable; why.
    NotUnderstood(String),
}

impl Fate {
    /// Whether it is added unless the user says otherwise.
    pub fn is_on(&self) -> bool {
        match self {
            Fate::Added => true,
            Fate::There
            | Fate::Elsewhere(_)
            | Fate::Own
            | Fate::Asked(_)
            | Fate::NotUnderstood(_) => false,
        }
    }
}

/// An option with its value, a variable, or what was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The entries that it is; none where it is not understood.
    pub entries: Vec<EntryKind>,
    /// What stands in the text where there are no entries.
    pub text: String,
    /// What becomes of it.
    pub fate: Fate,
}

impl Item {
    /// It on one line.
    pub fn shown(&self) -> String {
        if self.entries.is_empty() {
            return self.text.clone();
        }
        self.entries.iter().map(EntryKind::text).collect::<Vec<_>>().join(" ")
    }
}

/// What was found in a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// The things, in order.
    pub items: Vec<Item>,
    /// What kind of text it is.
    pub kind: &'static str,
    /// How libvirt's own options were told, where it is libvirt's command line.
    pub told: Option<Told>,
}

/// What a text is read beside.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// The entries of the domain, an option with its value in one piece.
    pub there: &'a [Vec<EntryKind>],
    /// The command line that libvirt makes of the domain, where it was asked.
    pub libvirt: Option<&'a [String]>,
    /// What the user said about what the text leaves open.
    pub answers: &'a BTreeMap<String, String>,
}

/// A text in which something may be open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Value {
    text: String,
    /// What is open, as it is written.
    open: Vec<String>,
}

impl Value {
    fn of(text: &str) -> Value {
        Value { text: text.to_owned(), open: Vec::new() }
    }

    /// A piece of a text: what of it is open.
    fn with(text: String, open: &[String]) -> Value {
        let open = open.iter().filter(|open| text.contains(*open)).cloned().collect();
        Value { text, open }
    }

    fn append(&mut self, other: &Value) {
        self.text.push_str(&other.text);
        self.open.extend(other.open.iter().cloned());
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value { text, open: Vec::new() }
    }
}

/// What a reader found in a text of its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Found {
    args: Vec<Value>,
    envs: Vec<(String, Value)>,
    /// Variables without a value.
    bare: Vec<String>,
    /// It is a whole command line: what a domain says elsewhere is in it as well.
    whole: bool,
    /// It is what a configuration adds to a command line.
    keyed: bool,
    /// What the text says that is no option, and where a domain says it.
    elsewhere: Vec<(String, &'static str)>,
    /// What was not understood, and why.
    others: Vec<(String, String)>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.args.is_empty() && self.envs.is_empty() && self.bare.is_empty()
    }

    /// Marks what a text around it leaves open.
    fn ask(&mut self, open: &[String]) {
        for value in self.args.iter_mut().chain(self.envs.iter_mut().map(|(_, value)| value)) {
            let more = open.iter().filter(|open| value.text.contains(*open)).cloned();
            value.open.extend(more.collect::<Vec<_>>());
        }
    }

    /// Puts in what was answered about what is open.
    fn answer(&mut self, answers: &BTreeMap<String, String>) {
        for value in self.args.iter_mut().chain(self.envs.iter_mut().map(|(_, value)| value)) {
            for open in std::mem::take(&mut value.open) {
                match answers.get(&open) {
                    Some(answer) => value.text = value.text.replace(&open, answer),
                    None => value.open.push(open),
                }
            }
        }
    }

    fn merge(&mut self, other: Found) {
        self.args.extend(other.args);
        self.envs.extend(other.envs);
        self.bare.extend(other.bare);
        self.elsewhere.extend(other.elsewhere);
        self.others.extend(other.others);
        self.whole |= other.whole;
        self.keyed |= other.keyed;
    }
}

/// Reads pasted text; nothing where it is empty.
///
/// # Errors
/// What stands in the way and what was expected, in one sentence.
pub fn read(text: &str, beside: &Beside<'_>) -> Result<Import, String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim().trim_start_matches('\u{feff}');
    if text.is_empty() {
        return Ok(Import::default());
    }
    let (mut found, kind) = straightened(text, beside.answers)?;
    let before = found.args.len();
    found.answer(beside.answers);
    strays(&mut found);
    if found.is_empty() && before > 0 {
        let (first, _) = &found.others[0];
        return Err(format!(
            "'{first}' is no option of QEMU, expected a command line such as 'qemu-system-x86_64 -device …', or XML"
        ));
    }
    let (mut items, told) = items(&found, beside);
    for (text, element) in found.elsewhere {
        items.push(Item { entries: Vec::new(), text, fate: Fate::Elsewhere(element) });
    }
    for (text, why) in found.others {
        items.push(Item { entries: Vec::new(), text, fate: Fate::NotUnderstood(why) });
    }
    Ok(Import { items, kind, told })
}

/// Reads a text; one in which a page made dashes and quotes beautiful is read again with those of a keyboard.
fn straightened(
    text: &str,
    answers: &BTreeMap<String, String>,
) -> Result<(Found, &'static str), String> {
    const DASHES: [char; 3] = ['\u{2013}', '\u{2014}', '\u{2212}'];
    let read = kinds::read(text, answers);
    let is_odd = |found: &Found| found.args.iter().any(|word| word.text.starts_with(DASHES));
    if !read.as_ref().map_or_else(|_| text.contains(DASHES), |(found, _)| is_odd(found)) {
        return read;
    }
    let plain: String = text
        .chars()
        .map(|letter| match letter {
            '\u{201c}' | '\u{201d}' | '\u{201e}' => '"',
            '\u{2018}' | '\u{2019}' => '\'',
            '\u{a0}' => ' ',
            letter if DASHES.contains(&letter) => '-',
            letter => letter,
        })
        .collect();
    kinds::read(&plain, answers).or(read)
}

/// What stands before the first option is no argument; an image alone may be the disk.
fn strays(found: &mut Found) {
    let first =
        found.args.iter().position(|word| shell::is_option(&word.text) || !word.open.is_empty());
    let count = first.unwrap_or(found.args.len());
    if found.whole && first.is_some() {
        return;
    }
    for stray in found.args.drain(..count) {
        let why = "it stands before the first option".to_owned();
        found.others.push((stray.text, why));
    }
    found.envs.retain(|(name, value)| {
        let is_one = shell::is_name(name);
        if !is_one {
            found
                .others
                .push((format!("{name}={}", value.text), "no variable has such a name".to_owned()));
        }
        is_one
    });
}

/// The options and variables, each with what becomes of it.
fn items(found: &Found, beside: &Beside<'_>) -> (Vec<Item>, Option<Told>) {
    let words: Vec<&str> = found.args.iter().map(|word| word.text.as_str()).collect();
    let of_libvirt = found.whole && own::is_libvirts(&words);
    let divided = of_libvirt.then(|| own::divide(&words, beside.libvirt));
    let (begin, tail) = divided.map_or((0, 0), |(begin, tail, _)| (begin, tail));
    let end = words.len() - tail;
    let mut seen: HashSet<String> = beside.there.iter().map(|entries| key(entries)).collect();
    let mut items = Vec::new();
    for option in argv::group(&words) {
        let range = option.entry..option.last() + 1;
        let is_own = range.start < begin || range.start >= end;
        let entries: Vec<EntryKind> =
            words[range.clone()].iter().map(|word| EntryKind::arg(*word)).collect();
        let mut open: Vec<String> = Vec::new();
        for name in found.args[range].iter().flat_map(|word| &word.open) {
            if !open.contains(name) {
                open.push(name.clone());
            }
        }
        let is_own = of_libvirt && is_own;
        let fate = if is_own && !seen.contains(&key(&entries)) {
            seen.insert(key(&entries));
            Fate::Own
        } else {
            fate_of(&entries, open, &mut seen, found.whole && !of_libvirt)
        };
        items.push(Item { entries, text: String::new(), fate });
    }
    let named = found.envs.iter().map(|(name, value)| (name, Some(value)));
    for (name, value) in named.chain(found.bare.iter().map(|name| (name, None))) {
        let entries = vec![EntryKind::env(name, value.map(|value| value.text.as_str()))];
        let open = value.map(|value| value.open.clone()).unwrap_or_default();
        let once = value.is_some_and(|value| libvirt::own::gave_once(name, &value.text));
        let is_own = found.whole && (libvirt::own::has_variable(name) || of_libvirt && once);
        let fate = if is_own && !seen.contains(&key(&entries)) {
            seen.insert(key(&entries));
            Fate::Own
        } else {
            fate_of(&entries, open, &mut seen, false)
        };
        items.push(Item { entries, text: String::new(), fate });
    }
    (items, divided.map(|(.., told)| told))
}

fn fate_of(
    entries: &[EntryKind],
    open: Vec<String>,
    seen: &mut HashSet<String>,
    whole: bool,
) -> Fate {
    if !seen.insert(key(entries)) {
        return Fate::There;
    }
    if whole && let Some(place) = elsewhere(entries) {
        return Fate::Elsewhere(place);
    }
    let is_odd =
        matches!(entries.first(), Some(EntryKind::Arg { value }) if !value.starts_with('-'));
    if !open.is_empty() {
        return Fate::Asked(open);
    }
    if is_odd && whole {
        return Fate::NotUnderstood("it belongs to no option".to_owned());
    }
    Fate::Added
}

/// Entries as one text that tells them apart from others.
fn key(entries: &[EntryKind]) -> String {
    entries.iter().map(|entry| format!("{:?} {}\0", entry.list(), entry.text())).collect()
}

fn elsewhere(entries: &[EntryKind]) -> Option<&'static str> {
    let EntryKind::Arg { value } = entries.first()? else { return None };
    catalog::left_to_libvirt(argv::option_name(value)?)
}

#[cfg(test)]
mod tests;
