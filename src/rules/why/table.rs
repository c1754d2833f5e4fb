//! The words that libvirt, QEMU and the kernel have for what a rule foresees.

use std::sync::LazyLock;

use crate::message::{Kind, Record};
use crate::qemu::{Range, Version};
use crate::rules::{Rule, rule};

const TABLE: &str = include_str!("../../../assets/errors.tsv");

/// A row of the table.
pub(super) struct Row {
    /// Who says it; nothing for libvirt and QEMU.
    speaker: Option<&'static str>,
    /// The words: each of them, in one of its spellings.
    words: Vec<Vec<Word>>,
    /// Whose versions say it: the program and the range.
    versions: Option<(&'static str, Range)>,
    /// The rules that foresee it; none where no rule is about it.
    pub(super) rules: Vec<&'static Rule>,
    /// What it means, in one sentence.
    pub(super) what: &'static str,
}

/// A word of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Says(&'static str),
    SaysNot(&'static str),
    Begins(&'static str),
    Path(&'static str),
    PathNot(&'static str),
    /// The value of the option is this.
    Value(&'static str),
    WithValue,
    NoPath,
    LooksLikeFile,
}

/// What a record offers to the words.
pub(super) struct Said<'a> {
    pub(super) record: &'a Record,
    text: String,
    paths: Vec<String>,
}

impl<'a> Said<'a> {
    pub(super) fn of(record: &'a Record) -> Said<'a> {
        Said { record, text: record.words(), paths: record.paths() }
    }

    /// The value of the option that a sentence of QEMU's is about.
    fn value(&self) -> Option<&str> {
        let Kind::Qemu(refusal) = &self.record.kind else { return None };
        Some(&refusal.option.as_ref()?.1)
    }
}

/// The versions of libvirt and QEMU that a text tells of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Speakers {
    pub(super) libvirt: Option<Version>,
    pub(super) qemu: Option<Version>,
}

impl Speakers {
    /// What a log of libvirt's has at its head: `starting up libvirt version: 9.0.0, …, qemu version: 7.2.22…`.
    pub(super) fn of(text: &str) -> Speakers {
        let behind = |words: &str| {
            let rest = &text[text.rfind(words)? + words.len()..];
            Version::read(rest.split([',', ' ', '\n', 'D', '(']).find(|word| !word.is_empty())?)
        };
        Speakers { libvirt: behind("libvirt version: "), qemu: behind("qemu version: ") }
    }
}

impl Row {
    /// Whether the row is about a record.
    pub(super) fn fits(&self, said: &Said<'_>, speakers: Speakers) -> bool {
        let is_by = match (self.speaker, said.record.speaker()) {
            (None, speaker) => matches!(speaker, None | Some("qemu")),
            (Some("libvirt"), speaker) => speaker.is_none(),
            (Some("qemu"), speaker) => matches!(speaker, None | Some("qemu")),
            (wanted, speaker) => wanted == speaker,
        };
        is_by
            && !said.record.is_of_a_stranger()
            && self.words.iter().all(|spellings| spellings.iter().any(|word| word.is_in(said)))
            && self.is_of(speakers)
    }

    /// Whether these versions say it; one that is not known may.
    fn is_of(&self, speakers: Speakers) -> bool {
        let Some((program, range)) = self.versions else { return true };
        let version = if program == "qemu" { speakers.qemu } else { speakers.libvirt };
        version.is_none_or(|version| range.contains(version))
    }
}

impl Word {
    fn read(text: &'static str) -> Word {
        match text {
            "with-value" => return Word::WithValue,
            "no-path" => return Word::NoPath,
            "looks-like-a-file" => return Word::LooksLikeFile,
            _ => {}
        }
        if let Some(start) = text.strip_prefix("!path=") {
            return Word::PathNot(start);
        }
        if let Some(start) = text.strip_prefix("path=") {
            return Word::Path(start);
        }
        if let Some(value) = text.strip_prefix("value=") {
            return Word::Value(value);
        }
        match (text.strip_prefix('!'), text.strip_prefix('^')) {
            (Some(words), _) => Word::SaysNot(words),
            (None, Some(words)) => Word::Begins(words),
            (None, None) => Word::Says(text),
        }
    }

    fn is_in(self, said: &Said<'_>) -> bool {
        let begins = |start: &str| said.paths.iter().any(|path| path.starts_with(start));
        match self {
            Word::Says(words) => said.text.contains(words),
            Word::SaysNot(words) => !said.text.contains(words),
            Word::Begins(words) => said.text.starts_with(words),
            Word::Path(start) => begins(start),
            Word::PathNot(start) => !begins(start),
            Word::Value(value) => said.value() == Some(value),
            Word::WithValue => said.value().is_some_and(|value| !value.is_empty()),
            Word::NoPath => said.paths.is_empty(),
            Word::LooksLikeFile => said
                .record
                .names()
                .iter()
                .any(|name| name.contains(['.', '/']) && !name.ends_with('.')),
        }
    }
}

fn row(line: &'static str) -> Option<Row> {
    let mut fields = line.split('\t');
    let (speaker, words) = (fields.next()?, fields.next()?);
    let (ids, versions, what) = (fields.next()?, fields.next()?, fields.next()?);
    let spellings = |one: &'static str| one.split(" | ").map(Word::read).collect();
    let words = words.split(" & ").filter(|one| !one.is_empty()).map(spellings).collect();
    let versions = versions.split_once(' ').and_then(|(program, range)| {
        let (since, until) = range.split_once('-')?;
        Some((program, Range { since: Version::read(since), until: Version::read(until) }))
    });
    Some(Row {
        speaker: (speaker != "-").then_some(speaker),
        words,
        versions,
        rules: ids.split(',').filter_map(rule).collect(),
        what,
    })
}

static ROWS: LazyLock<Vec<Row>> =
    LazyLock::new(|| TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row).collect());

/// The rows, the surest first.
pub(super) fn rows() -> &'static [Row] {
    &ROWS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_read_and_names_rules_that_are_there() {
        const SPEAKERS: [&str; 7] =
            ["-", "libvirt", "qemu", "selinux", "apparmor", "seccomp", "ended"];
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 5, "{line}");
            assert!(SPEAKERS.contains(&fields[0]), "{line}");
            let is_none = fields[2] == "-";
            assert!(is_none || fields[2].split(',').all(|id| rule(id).is_some()), "{line}");
            let read = row(line).unwrap();
            assert_eq!(read.versions.is_some(), fields[3] != "-", "{line}");
            assert_eq!(read.rules.is_empty(), is_none, "{line}");
        }
    }
}
