//! From the facts of a record to the entries of a document, and to what was found at them.

use std::collections::BTreeSet;

use super::{Bearing, Judged, Now};
use crate::domain::{Document, Entry, EntryId, EntryKind, List};
use crate::message::{Kind, Record};
use crate::qemu::{QemuOption, Resource};
use crate::rules::{Finding, Verdict};

/// A record beside a document.
pub(super) struct Joined<'a> {
    pub(super) judged: &'a Judged<'a>,
    /// The entries that it is about, the surest first: by the option that QEMU names, by paths, by ids.
    pub(super) entries: Vec<EntryId>,
    /// The paths that it names.
    paths: Vec<String>,
    /// What it says, without the option before it.
    sentence: &'a str,
    /// It names an option or a path, of the document or not.
    is_about_something: bool,
    /// It is about another VM.
    pub(super) is_of_another: bool,
}

impl<'a> Joined<'a> {
    pub(super) fn of(judged: &'a Judged<'a>, record: &'a Record) -> Joined<'a> {
        let sentence = match &record.kind {
            Kind::Qemu(refusal) => refusal.sentence.as_str(),
            Kind::Words | Kind::Ended | Kind::Selinux(_) | Kind::AppArmor(_) | Kind::Seccomp(_) => {
                record.said.as_str()
            }
        };
        let paths = record.paths();
        let names_option = matches!(&record.kind, Kind::Qemu(refusal) if refusal.option.is_some());
        let mut joined = Joined {
            judged,
            entries: Vec::new(),
            is_about_something: names_option || !paths.is_empty(),
            is_of_another: is_of_another(record, judged.document),
            paths,
            sentence,
        };
        if joined.is_of_another {
            return joined;
        }
        joined.by_option(record);
        let by_path: Vec<EntryId> = joined.by_paths();
        joined.add(by_path);
        if joined.entries.is_empty() && !record.is_of_kernel() {
            let by_name = joined.by_names(&record.names());
            joined.add(by_name);
        }
        joined
    }

    fn add(&mut self, entries: impl IntoIterator<Item = EntryId>) {
        for entry in entries {
            if !self.entries.contains(&entry) {
                self.entries.push(entry);
            }
        }
    }

    /// The option that QEMU names is printed as it was given.
    fn by_option(&mut self, record: &Record) {
        let Kind::Qemu(_) = &record.kind else { return };
        let Judged { document, line, .. } = *self.judged;
        let begins = |text: &str| {
            let rest = record.said.strip_prefix(text);
            rest.is_some_and(|rest| rest.starts_with(": "))
        };
        let mut found = Vec::new();
        for option in &line.options {
            let name = document.arg(option.entry);
            let whole = option.value.map(|value| format!("{name} {}", document.arg(value)));
            if whole.as_deref().is_some_and(begins) || begins(name) && name.len() > 1 {
                found.push(option.place());
            }
        }
        self.add(found);
    }

    /// What touches a path that the record names: by the path itself, by where its links lead, by a directory on the way; by the
    /// last part where a record has no more.
    fn by_paths(&self) -> Vec<EntryId> {
        let mut exact = Vec::new();
        let mut near = Vec::new();
        for usage in &self.judged.line.uses {
            let Some((path, _)) = usage.resource.path() else { continue };
            let walk = self.judged.host.and_then(|host| host.walk(path).ok());
            for named in &self.paths {
                let named = named.trim_end_matches('/');
                let is_last = !named.contains('/') && path.rsplit('/').next() == Some(named);
                let is_it = path.trim_end_matches('/') == named || is_last;
                let is_on_the_way = walk.is_some_and(|walk| {
                    let is_step = |step: &str| {
                        step.trim_end_matches('/') == named
                            || !named.contains('/') && step.rsplit('/').next() == Some(named)
                    };
                    is_step(walk.resolved()) || walk.steps.iter().any(|step| is_step(&step.path))
                });
                if is_it {
                    exact.push(usage.entry);
                } else if is_on_the_way {
                    near.push(usage.entry);
                }
            }
        }
        exact.extend(near);
        exact
    }

    /// The entries that hold a name the record quotes, as a whole word.
    fn by_names(&self, names: &[&str]) -> Vec<EntryId> {
        let in_use =
            self.sentence.split_once("in use by ").and_then(|(_, behind)| behind.split(',').next());
        let names: BTreeSet<&str> = match in_use {
            Some(driver) => BTreeSet::from([driver]),
            None => names.iter().copied().filter(|name| name.len() > 1).collect(),
        };
        let holds = |entry: &&Entry| {
            let EntryKind::Arg { value } = &entry.kind else { return false };
            names.iter().any(|name| is_word(value, name))
        };
        let mut found: Vec<EntryId> = Vec::new();
        for entry in self.judged.document.list(List::Args).iter().filter(holds) {
            let place = self.judged.line.option_at(entry.id).map_or(entry.id, QemuOption::place);
            found.push(place);
        }
        found
    }

    /// Whether a finding is about one of the entries: they are named by their value, or by the option.
    pub(super) fn is_about(&self, finding: &Finding) -> bool {
        let Some(entry) = finding.entry else { return false };
        let same = |own: &EntryId| {
            let option = |id: EntryId| {
                (id.list == List::Args).then(|| self.judged.line.option_of(id.index)).flatten()
            };
            *own == entry
                || own.list == entry.list
                    && option(*own).is_some_and(|at| option(entry) == Some(at))
        };
        self.entries.iter().any(same)
    }

    /// Whether what a finding rests on holds the very sentence.
    pub(super) fn is_said_by(&self, finding: &Finding) -> bool {
        let sentence = self.sentence.trim();
        let is_sentence = sentence.len() > 12;
        is_sentence && finding.evidence.iter().any(|evidence| evidence.contains(sentence))
    }

    /// Whether a finding is about a path that the record names.
    fn names(&self, finding: &Finding) -> bool {
        let Some(name) = finding.resource.as_ref().map(Resource::name) else {
            return false;
        };
        self.paths.iter().any(|path| {
            path == name || !path.contains('/') && name.rsplit('/').next() == Some(path)
        })
    }

    /// Whether a finding that is about no entry speaks of what the record names.
    fn tells_of(&self, finding: &Finding) -> bool {
        let says = |path: &String| {
            finding.message.contains(path.as_str())
                || finding.evidence.iter().any(|evidence| evidence.contains(path.as_str()))
        };
        self.paths.is_empty() || self.paths.iter().any(says)
    }

    /// What of a rule is so now, and how far that bears the record out.
    pub(super) fn bears_out(&self, rule: &str) -> (Now, Bearing) {
        let mut best = (Now::Gone, Bearing::Nothing);
        if self.is_of_another {
            return best;
        }
        for (finding, at) in self.judged.findings.iter().zip(0..) {
            if finding.rule != rule {
                continue;
            }
            let is_named = self.is_about(finding) || self.names(finding);
            // What the words name is nothing that the document names: other things are none of it.
            let is_general = finding.entry.is_none() && self.tells_of(finding);
            let names_nothing = self.entries.is_empty() && !self.is_about_something;
            let found = match finding.verdict {
                Verdict::Blocks | Verdict::Warns if self.is_said_by(finding) => {
                    (Now::Still(at), Bearing::Verbatim)
                }
                Verdict::Blocks | Verdict::Warns if is_named && finding.first => {
                    (Now::Still(at), Bearing::First)
                }
                Verdict::Blocks | Verdict::Warns if is_named => (Now::Still(at), Bearing::Named),
                Verdict::Blocks | Verdict::Warns if names_nothing || is_general => {
                    (Now::Still(at), Bearing::Found)
                }
                Verdict::Unknown if is_named || names_nothing => {
                    (Now::Unknown(at), Bearing::Unknown)
                }
                Verdict::Blocks
                | Verdict::Warns
                | Verdict::Unknown
                | Verdict::Note
                | Verdict::Allows => continue,
            };
            if found.1 < best.1 {
                best = found;
            }
        }
        best
    }
}

/// Whether the kernel speaks of another VM: its profile bears another UUID.
fn is_of_another(record: &Record, document: &Document) -> bool {
    let Kind::AppArmor(denied) = &record.kind else { return false };
    let uuid = document.facts().uuid.as_deref();
    uuid.is_some_and(|uuid| denied.is_of_vm() && !denied.profile.contains(uuid))
}

/// Whether a text holds a word that does not go on at either side.
fn is_word(text: &str, word: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(goes_on) && !text[at + word.len()..].starts_with(goes_on)
    })
}
