//! What a rule concludes.

use super::layer::Layer;
use super::remedy::Remedy;
use crate::domain::EntryId;
use crate::qemu::{Resource, Use};
use crate::xml::Span;

/// What a layer does to an entry; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The start fails, or the entry has no effect.
    Blocks,
    /// The start succeeds, something does not work.
    Warns,
    /// The host would not say.
    Unknown,
    /// Worth knowing.
    Note,
    /// The layer looked and lets it through.
    Allows,
}

impl Verdict {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Blocks => "blocks",
            Verdict::Warns => "warns",
            Verdict::Unknown => "unknown",
            Verdict::Note => "note",
            Verdict::Allows => "allows",
        }
    }

    /// A sign and a word for people; colour only repeats them.
    pub fn sign(self) -> (&'static str, &'static str) {
        match self {
            Verdict::Blocks => ("✗", "blocked"),
            Verdict::Warns => ("!", "warning"),
            Verdict::Unknown => ("?", "unknown"),
            Verdict::Note => ("·", "note"),
            Verdict::Allows => ("✓", "fine"),
        }
    }
}

/// One conclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// The layer that decides.
    pub layer: Layer,
    /// The entry it is about.
    pub entry: Option<EntryId>,
    /// Where in the document, when there is no entry.
    pub span: Option<Span>,
    /// What the layer does.
    pub verdict: Verdict,
    /// The host resource it is about.
    pub resource: Option<Resource>,
    /// One sentence.
    pub message: String,
    /// What was observed.
    pub evidence: Vec<String>,
    /// It blocks, and no layer before it blocks the same use: what QEMU says is about this one.
    pub first: bool,
    /// Where it is met among the layers that the same thing has to pass; less is earlier.
    pub met: u8,
    /// What can be done, the best first.
    pub remedies: Vec<Remedy>,
}

impl Finding {
    /// A finding about a use; for one that QEMU starts without, what blocks is a warning.
    pub fn of(usage: &Use, verdict: Verdict, message: impl Into<String>) -> Finding {
        let verdict =
            if usage.optional && verdict == Verdict::Blocks { Verdict::Warns } else { verdict };
        Finding {
            entry: Some(usage.entry),
            resource: Some(usage.resource.clone()),
            ..Finding::general(verdict, message)
        }
    }

    /// A finding about an entry as such.
    pub fn at(entry: EntryId, verdict: Verdict, message: impl Into<String>) -> Finding {
        Finding { entry: Some(entry), ..Finding::general(verdict, message) }
    }

    /// A finding about the domain or the host.
    pub fn general(verdict: Verdict, message: impl Into<String>) -> Finding {
        // The rule and its layer are filled in by `judge`, which knows whose finding it is.
        Finding {
            rule: "",
            layer: Layer::Libvirt,
            entry: None,
            span: None,
            verdict,
            resource: None,
            message: message.into(),
            evidence: Vec::new(),
            first: verdict == Verdict::Blocks,
            met: 0,
            remedies: Vec::new(),
        }
    }

    /// Whether it is about something that stands in the lists and is no entry.
    pub fn is_of_broken(&self) -> bool {
        self.rule == super::document::broken::BROKEN_ENTRY.id
    }

    /// Whether it is about passthrough that libvirt does not see.
    pub fn is_of_lost(&self) -> bool {
        self.rule == super::document::LOST_BLOCK.id
    }

    /// Whether it bears on the start: what libvirt drops without a word fails nothing.
    pub fn is_about_the_start(&self) -> bool {
        !self.is_of_lost()
    }

    /// Adds what was observed.
    #[must_use]
    pub fn because(mut self, evidence: impl Into<String>) -> Finding {
        self.evidence.push(evidence.into());
        self
    }

    /// Adds a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Finding {
        self.remedies.push(remedy);
        self
    }
}
