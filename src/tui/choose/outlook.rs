//! What becomes of a start, in a few words: by the rules alone, since libvirt and QEMU are asked once a domain is opened.

use crate::domain::Document;
use crate::rules::{Finding, Verdict};

/// What becomes of a domain's next start, as far as the rules can say; each with its first sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// It fails.
    Fails(String),
    /// It succeeds without some of the passthrough, which libvirt drops without a word.
    Drops(String),
    /// It succeeds, and something does not work.
    Warns(String),
    /// Nobody can say; why.
    Unknown(String),
    /// Nothing stops it.
    Starts,
    /// There is no passthrough, and nothing else is known to stop it.
    Nothing,
}

/// What a domain that runs may hold itself: its next start finds it free.
const HELD_BY_ITSELF: [&str; 2] = ["image-in-use", "port-taken"];

impl Outlook {
    /// What some findings come to. `runs` where the domain runs at the moment.
    pub fn of(document: &Document, findings: &[Finding], runs: bool) -> Outlook {
        let counts = |finding: &&Finding| !(runs && HELD_BY_ITSELF.contains(&finding.rule));
        let first = |wanted: &dyn Fn(&Finding) -> bool| {
            let found = findings.iter().filter(counts).find(|finding| wanted(finding));
            found.map(|finding| finding.message.clone())
        };
        let of = |verdict: Verdict| {
            move |finding: &Finding| finding.verdict == verdict && finding.is_about_the_start()
        };
        if let Some(why) = first(&of(Verdict::Blocks)) {
            return Outlook::Fails(why);
        }
        if Outlook::is_plain(document) {
            return Outlook::Nothing;
        }
        // What is left of these is what libvirt drops without a word.
        if let Some(why) = first(&|finding| finding.verdict == Verdict::Blocks) {
            return Outlook::Drops(why);
        }
        if let Some(why) = first(&of(Verdict::Unknown)) {
            return Outlook::Unknown(why);
        }
        first(&of(Verdict::Warns)).map_or(Outlook::Starts, Outlook::Warns)
    }

    /// Whether a document has no passthrough, neither such as libvirt drops nor such as is broken.
    pub fn is_plain(document: &Document) -> bool {
        document.entries().next().is_none()
            && document.lost().is_empty()
            && document.broken().is_empty()
    }

    /// The sign, the words, and a word for where there is little room.
    pub fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Outlook::Fails(_) => ("✗", "will not start", "fails"),
            Outlook::Drops(_) => ("✗", "passthrough dropped", "dropped"),
            Outlook::Warns(_) => ("!", "starts with warnings", "warnings"),
            Outlook::Unknown(_) => ("?", "cannot tell", "unknown"),
            Outlook::Starts => ("✓", "nothing stops it", "starts"),
            Outlook::Nothing => ("–", "no passthrough", "none"),
        }
    }

    /// The verdict that has its colour.
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Outlook::Fails(_) | Outlook::Drops(_) => Some(Verdict::Blocks),
            Outlook::Warns(_) => Some(Verdict::Warns),
            Outlook::Unknown(_) => Some(Verdict::Unknown),
            Outlook::Starts => Some(Verdict::Allows),
            Outlook::Nothing => None,
        }
    }

    /// The sentence behind the words.
    pub fn why(&self) -> &str {
        match self {
            Outlook::Fails(why)
            | Outlook::Drops(why)
            | Outlook::Warns(why)
            | Outlook::Unknown(why) => why,
            Outlook::Starts => {
                "by the rules nothing stops it; libvirt and QEMU are asked once it is open"
            }
            Outlook::Nothing => {
                "it has no QEMU passthrough, and by the rules nothing else stops it"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(block: &str) -> Document {
        Document::parse(format!(
            "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>{block}</domain>"
        ))
        .unwrap()
    }

    fn finding(rule: &'static str, verdict: Verdict) -> Finding {
        Finding { rule, ..Finding::general(verdict, format!("{rule} speaks")) }
    }

    fn said(findings: &[Finding], runs: bool) -> (&'static str, String) {
        let some = document("<q:commandline><q:arg value='-S'/></q:commandline>");
        let outlook = Outlook::of(&some, findings, runs);
        (outlook.words().1, outlook.why().to_owned())
    }

    #[test]
    fn the_worst_finding_about_the_start_gives_the_words() {
        let warns = finding("a", Verdict::Warns);
        let unknown = finding("b", Verdict::Unknown);
        let blocks = finding("path-missing", Verdict::Blocks);
        let note = finding("d", Verdict::Note);
        assert_eq!(said(std::slice::from_ref(&note), false).0, "nothing stops it");
        assert_eq!(said(&[note.clone(), warns.clone()], false).0, "starts with warnings");
        assert_eq!(said(&[warns.clone(), unknown.clone()], false).0, "cannot tell");
        let all = [warns, unknown, blocks, note];
        assert_eq!(said(&all, true), ("will not start", "path-missing speaks".to_owned()));
        // What libvirt drops without a word fails nothing.
        let lost = finding(crate::rules::rule("lost-block").unwrap().id, Verdict::Blocks);
        assert_eq!(said(&[lost], false).0, "passthrough dropped");
    }

    #[test]
    fn what_a_domain_that_runs_holds_itself_does_not_stop_it() {
        for rule in HELD_BY_ITSELF {
            assert!(crate::rules::rule(rule).is_some(), "{rule}");
            let held = [finding(rule, Verdict::Blocks)];
            assert_eq!(said(&held, false).0, "will not start");
            assert_eq!(said(&held, true).0, "nothing stops it");
        }
    }

    #[test]
    fn without_passthrough_only_what_fails_is_told() {
        let of = |verdict| {
            Outlook::of(&document(""), &[finding("path-missing", verdict)], false).words().1
        };
        assert_eq!((of(Verdict::Warns), of(Verdict::Blocks)), ("no passthrough", "will not start"));
    }
}
