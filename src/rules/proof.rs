//! Whether an edit helps: what it repairs is gone, and nothing else is broken by it.

use super::{Finding, Verdict};

/// Rules that repeat what libvirt or QEMU said.
const ASKED: [&str; 2] = ["qemu-refuses", "libvirt-refuses"];

/// Whether what was to be `repaired` is gone.
pub fn turns(before: &[Finding], after: &[Finding], repaired: &Finding) -> bool {
    count(after, repaired) < count(before, repaired)
}

/// Whether `after`, the findings about an edited document, is better than `before` by what was to be `repaired`.
pub fn improves(before: &[Finding], after: &[Finding], repaired: &Finding) -> bool {
    if !turns(before, after, repaired) {
        return false;
    }
    let blocks = |findings: &[Finding]| {
        findings.iter().filter(|found| found.verdict == Verdict::Blocks).count()
    };
    let new = after.iter().filter(|found| {
        found.verdict == Verdict::Blocks && count(before, found) < count(after, found)
    });
    let mut broken = new.filter(|found| !comes_next(found, before));
    broken.next().is_none() && blocks(after) <= blocks(before)
}

/// How often a finding is among others.
fn count(findings: &[Finding], wanted: &Finding) -> usize {
    let words = |found: &Finding| (found.rule, found.verdict, found.message.clone());
    let wanted = words(wanted);
    findings.iter().filter(|found| words(found) == wanted).count()
}

/// Whether a finding is what libvirt or QEMU says once they got past what they refused before.
fn comes_next(finding: &Finding, before: &[Finding]) -> bool {
    let was_refused = before.iter().any(|earlier| ASKED.contains(&earlier.rule));
    ASKED.contains(&finding.rule) && finding.entry.is_none() && was_refused
}
