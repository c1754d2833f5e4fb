//! The way back: from what libvirt, QEMU and the kernel said to the rule that foresees it, the entry that it is about, and
//! what of it is so now.

mod checks;
mod join;
mod table;

use std::cmp::Ordering;
use std::collections::HashSet;

use super::{Finding, Rule, Verdict, rule};
use crate::domain::{Document, EntryId};
use crate::facts::HostFacts;
use crate::message::{self, Kind, Record};
use crate::qemu::CommandLine;
use join::Joined;
use table::{Row, Said, Speakers};

/// A document with what was found in it: what a message may be about.
#[derive(Clone, Copy)]
pub struct Judged<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its passthrough as QEMU reads it.
    pub line: &'a CommandLine,
    /// What was found.
    pub findings: &'a [Finding],
    /// What the host said.
    pub host: Option<&'a HostFacts>,
}

/// What of a rule is so now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// No document was given.
    NotLooked,
    /// A finding of the document's, by its place among them, says so.
    Still(usize),
    /// The host would not say; the finding that says why.
    Unknown(usize),
    /// The rule has nothing to say about the document on this host.
    Gone,
}

impl Now {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Now::NotLooked => "not-looked",
            Now::Still(_) => "still",
            Now::Unknown(_) => "unknown",
            Now::Gone => "gone",
        }
    }

    /// The finding that it rests on.
    pub fn finding(self) -> Option<usize> {
        match self {
            Now::Still(at) | Now::Unknown(at) => Some(at),
            Now::NotLooked | Now::Gone => None,
        }
    }
}

/// What a message may mean.
#[derive(Clone)]
pub struct Answer {
    /// The rule that foresees it.
    pub rule: &'static Rule,
    /// What the words mean, in one sentence.
    pub what: &'static str,
    /// The words.
    pub said: String,
    /// The thing of the host that the words name: a path, where there is one.
    pub about: Option<String>,
    /// The entry of the document that the words are about.
    pub entry: Option<EntryId>,
    /// What of it is so now.
    pub now: Now,
}

/// An answer with what it is sorted by: how much its record counts, how well the document bears it out, its place.
struct Ranked {
    group: Group,
    bearing: Bearing,
    place: (usize, usize, usize),
    answer: Answer,
}

/// How much a record counts beside the others; the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// The kernel denied just what libvirt or QEMU complain about, or nobody else says anything.
    Denial,
    /// A sentence.
    Sentence,
    /// The kernel denied something else.
    Beside,
    /// What fails nothing.
    Remark,
    /// Only that QEMU ended.
    End,
}

/// How a document bears an answer out; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bearing {
    /// QEMU or libvirt said the very same when they were asked.
    Verbatim,
    /// What is named is refused now, by this layer before the others.
    First,
    /// What is named is refused now.
    Named,
    /// The rule finds it now; the words name nothing.
    Found,
    /// The host would not say.
    Unknown,
    /// Nothing.
    Nothing,
}

/// What a text may mean, the surest first; each rule once. A sentence of QEMU's that nobody wrote down leads to QEMU itself.
pub fn why(text: &str, judged: Option<&Judged<'_>>) -> Vec<Answer> {
    let ranked = ranked(text, judged, true);
    ranked.into_iter().map(|ranked| ranked.answer).collect()
}

/// What a text may mean, where its words are known.
pub(super) fn known(text: &str, judged: Option<&Judged<'_>>) -> Vec<Answer> {
    let ranked = ranked(text, judged, false);
    ranked.into_iter().map(|ranked| ranked.answer).collect()
}

fn ranked(text: &str, judged: Option<&Judged<'_>>, asks: bool) -> Vec<Ranked> {
    let records = message::read(text);
    let speakers = Speakers::of(text);
    let known = rows_of(&records, speakers);
    let mut ranked: Vec<Ranked> = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let said = Said::of(record);
        let joined = judged.map(|judged| Joined::of(judged, record));
        let group = group(&records, record, &known);
        for (row, order) in known.iter().filter(|(of, _)| *of == at).map(|(_, row)| row).zip(0..) {
            for (rule, turn) in row.rules.iter().copied().zip(0..) {
                let (answer, bearing) = answer(rule, row.what, &said, joined.as_ref());
                ranked.push(Ranked { group, bearing, place: (at, order, turn), answer });
            }
        }
        if let Some(joined) = joined.as_ref().filter(|_| !record.is_of_a_stranger()) {
            beside(&said, joined, group, at, &mut ranked);
        }
    }
    // What no rule is about ended QEMU: nothing else did.
    let is_settled = known.iter().any(|(_, row)| row.rules.is_empty());
    if is_settled {
        ranked.retain(|ranked| ranked.group != Group::End);
    }
    let is_unknown = |ranked: &Ranked| matches!(ranked.group, Group::End | Group::Remark);
    if asks && !is_settled && ranked.iter().all(is_unknown) {
        ranked.extend(by_qemu_itself(&records, judged));
    }
    ranked.sort_by(Ranked::compare);
    let mut seen = HashSet::new();
    ranked.retain(|ranked| seen.insert(ranked.answer.rule.id));
    if ranked.iter().any(|ranked| ranked.group < Group::Remark) {
        ranked.retain(|ranked| ranked.group < Group::Remark);
    }
    ranked
}

impl Ranked {
    fn compare(&self, other: &Ranked) -> Ordering {
        let key = |ranked: &Ranked| (ranked.group, ranked.bearing, ranked.place);
        key(self).cmp(&key(other))
    }
}

/// Each record's rows, the surest first; below one without rules no other counts.
fn rows_of(records: &[Record], speakers: Speakers) -> Vec<(usize, &'static Row)> {
    let mut known = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let said = Said::of(record);
        for row in table::rows().iter().filter(|row| row.fits(&said, speakers)) {
            known.push((at, row));
            if row.rules.is_empty() {
                break;
            }
        }
    }
    known
}

/// How much a record counts.
fn group(records: &[Record], record: &Record, known: &[(usize, &'static Row)]) -> Group {
    if record.kind == Kind::Ended {
        return Group::End;
    }
    if record.is_remark() {
        return Group::Remark;
    }
    if !record.is_of_kernel() {
        return Group::Sentence;
    }
    let is_sentence =
        |other: &Record| !other.is_of_kernel() && !other.is_remark() && other.kind != Kind::Ended;
    let mut complaints = (0..records.len())
        .filter(|at| is_sentence(&records[*at]) && known.iter().any(|(of, _)| of == at))
        .map(|at| &records[at])
        .peekable();
    let is_alone = complaints.peek().is_none();
    if is_alone || complaints.any(|complaint| is_same(record, complaint)) {
        Group::Denial
    } else {
        Group::Beside
    }
}

/// Whether the kernel denied what a sentence complains about: the same path, or the same last part of it, of which some records
/// have no more.
fn is_same(denial: &Record, complaint: &Record) -> bool {
    let denied = denial.paths();
    let mut named = complaint.paths();
    if let Kind::Qemu(refusal) = &complaint.kind {
        named.extend(refusal.option.iter().map(|(_, value)| value.clone()));
    }
    denied.iter().any(|path| {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
        !last.is_empty()
            && named.iter().any(|name| name.contains(last) || path.starts_with(name.as_str()))
    })
}

/// What a rule has to say about a record, and how the document bears it out.
fn answer(
    rule: &'static Rule,
    what: &'static str,
    said: &Said<'_>,
    joined: Option<&Joined<'_>>,
) -> (Answer, Bearing) {
    let about = said.record.paths().into_iter().next();
    let text = said.record.said.clone();
    let Some(joined) = joined else {
        let answer = Answer { rule, what, said: text, about, entry: None, now: Now::NotLooked };
        return (answer, Bearing::Nothing);
    };
    const OF_ANOTHER: &str = "the kernel speaks of another VM: the profile bears another UUID";
    let what = if joined.is_of_another { OF_ANOTHER } else { what };
    let (now, bearing) = joined.bears_out(rule.id);
    let of_finding = now.finding().and_then(|at| joined.judged.findings[at].entry);
    let entry = of_finding.or_else(|| joined.entries.first().copied());
    (Answer { rule, what, said: text, about, entry, now }, bearing)
}

/// What else refuses the entry that a record is about: rules that have no words of their own for it.
fn beside(said: &Said<'_>, joined: &Joined<'_>, group: Group, at: usize, ranked: &mut Vec<Ranked>) {
    const SAME: &str = "this is what the installed QEMU, or libvirt, says when it is asked";
    const BLOCKED: &str = "this entry is refused now";
    for (finding, index) in joined.judged.findings.iter().zip(0..) {
        if finding.verdict != Verdict::Blocks {
            continue;
        }
        let Some(rule) = rule(finding.rule) else { continue };
        let is_same = joined.is_said_by(finding);
        if !is_same && !joined.is_about(finding) {
            continue;
        }
        let bearing = if is_same { Bearing::Verbatim } else { Bearing::Found };
        let answer = Answer {
            rule,
            what: if is_same { SAME } else { BLOCKED },
            said: said.record.said.clone(),
            about: said.record.paths().into_iter().next(),
            entry: finding.entry.or_else(|| joined.entries.first().copied()),
            now: Now::Still(index),
        };
        ranked.push(Ranked { group, bearing, place: (at, usize::MAX, index), answer });
    }
}

/// A sentence of QEMU's that nobody wrote down: QEMU can be asked.
fn by_qemu_itself(records: &[Record], judged: Option<&Judged<'_>>) -> Option<Ranked> {
    const WHAT: &str =
        "QEMU refuses it by itself; 'qpt-tui check' asks the installed QEMU and names the entry";
    let is_refusal =
        |record: &&Record| matches!(&record.kind, Kind::Qemu(refusal) if !refusal.is_remark());
    let record = records.iter().find(is_refusal)?;
    let rule = rule("qemu-refuses")?;
    let answer = Answer {
        rule,
        what: WHAT,
        said: record.said.clone(),
        about: record.paths().into_iter().next(),
        entry: judged.and_then(|judged| Joined::of(judged, record).entries.first().copied()),
        now: if judged.is_some() { Now::Gone } else { Now::NotLooked },
    };
    Some(Ranked { group: Group::Sentence, bearing: Bearing::Nothing, place: (0, 0, 0), answer })
}

#[cfg(test)]
mod tests;
