//! Whether an edit helps: what it repairs is gone, and nothing else is broken by it.

use std::collections::HashMap;

use super::{Finding, Verdict};

/// Rules that repeat what libvirt or QEMU said.
const ASKED: [&str; 2] = ["qemu-refuses", "libvirt-refuses"];

/// Whether what was to be `repaired` is gone.
pub fn turns(before: &[Finding], after: &[Finding], repaired: &Finding) -> bool {
    let count = |findings: &[Finding]| {
        findings.iter().filter(|found| words(found) == words(repaired)).count()
    };
    count(after) < count(before)
}

/// Whether `after`, the findings about an edited document, is better than `before` by what was to be `repaired`.
pub fn improves(before: &[Finding], after: &[Finding], repaired: &Finding) -> bool {
    if !turns(before, after, repaired) {
        return false;
    }
    let blocks = |findings: &[Finding]| {
        findings.iter().filter(|found| found.verdict == Verdict::Blocks).count()
    };
    let (were, are) = (counts(before), counts(after));
    // What stood in the way with another number stands there still: the slot that QEMU takes next, the line of a file.
    let (were_alike, are_alike) = (alike(before), alike(after));
    let mut new = after.iter().filter(|found| {
        let (words, masked) = (words(found), masked(found));
        found.verdict == Verdict::Blocks
            && were.get(&words) < are.get(&words)
            && were_alike.get(&masked) < are_alike.get(&masked)
    });
    let was_refused = before.iter().any(|earlier| ASKED.contains(&earlier.rule));
    let breaks =
        |found: &Finding| !(was_refused && comes_next(found) || was_missing(found, before));
    !new.any(breaks) && blocks(after) <= blocks(before)
}

/// What two findings have alike that say the same.
type Words<'a> = (&'a str, Verdict, &'a str);

fn words(found: &Finding) -> Words<'_> {
    (found.rule, found.verdict, &found.message)
}

/// What is alike in two findings that differ in numbers only.
fn masked(found: &Finding) -> (&str, Verdict, String) {
    let is_number = |word: &&str| {
        let digits = word.trim_start_matches("0x");
        !digits.is_empty()
            && digits.chars().all(|c| c.is_ascii_hexdigit())
            && word.starts_with(|c: char| c.is_ascii_digit())
    };
    let words = found.message.split(' ').map(|word| {
        let plain = word.trim_end_matches([',', '.', ';', ':']);
        if is_number(&plain) { "#" } else { word }
    });
    (found.rule, found.verdict, words.collect::<Vec<_>>().join(" "))
}

/// How often there are findings that are alike but for numbers.
fn alike(findings: &[Finding]) -> HashMap<(&str, Verdict, String), usize> {
    let mut counts = HashMap::new();
    for found in findings {
        *counts.entry(masked(found)).or_default() += 1;
    }
    counts
}

/// How often each finding is among others.
fn counts(findings: &[Finding]) -> HashMap<Words<'_>, usize> {
    let mut counts = HashMap::new();
    for found in findings {
        *counts.entry(words(found)).or_default() += 1;
    }
    counts
}

/// Whether an element lacks what the argument lacked in whose place it stands.
fn was_missing(found: &Finding, before: &[Finding]) -> bool {
    let lacked = |earlier: &Finding| {
        let path = earlier.resource.as_ref().and_then(|resource| resource.path());
        earlier.rule == "path-missing"
            && earlier.verdict == Verdict::Blocks
            && path.is_some_and(|(path, _)| found.message.contains(path))
    };
    found.rule == "native-missing" && before.iter().any(lacked)
}

/// Whether a finding is what libvirt or QEMU say where they got past what they refused before.
fn comes_next(finding: &Finding) -> bool {
    ASKED.contains(&finding.rule) && finding.entry.is_none()
}
