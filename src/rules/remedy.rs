//! What can be done about a finding, and who does it.

use super::Reach;
use crate::domain::Document;
use crate::facts::answers::digest;
use crate::words::quote;
use crate::xml::EditSet;

/// How far a remedy reaches: libvirt's three strategies, and the best one before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Write it another way; nothing is given up.
    Rewrite,
    /// Let this VM reach this resource.
    Grant,
    /// Switch the protection off for this VM.
    DisableVm,
    /// Switch the protection off, or open it, for every VM of the host.
    DisableHost,
}

impl Scope {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Rewrite => "rewrite",
            Scope::Grant => "grant",
            Scope::DisableVm => "disable-vm",
            Scope::DisableHost => "disable-host",
        }
    }

    /// The name on the screen.
    pub fn title(self) -> &'static str {
        match self {
            Scope::Rewrite => "rewrite",
            Scope::Grant => "grant",
            Scope::DisableVm => "disable",
            Scope::DisableHost => "host-wide",
        }
    }
}

/// Who acts, and what is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The editor changes the document; it can be undone.
    EditXml(EditSet),
    /// The operator runs a command, quoted for a shell.
    RunCommand(String),
    /// The operator sets an option in a file and restarts libvirt's daemon.
    SetOption {
        /// The file.
        file: String,
        /// The line.
        line: String,
    },
    /// There is nothing to do on this road.
    Nothing,
}

/// One way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// How far it reaches.
    pub scope: Scope,
    /// What it does, and what is given up.
    pub title: String,
    /// The step.
    pub step: Step,
    /// A command that the operator runs after it: the step alone is half of the way.
    pub then: Option<String>,
    /// It writes what was probably meant: nobody makes it unasked.
    pub is_guess: bool,
    /// Whom it lets in. Filled in by `judge`, which knows who QEMU runs as.
    pub lets_in: Option<Reach>,
}

impl Remedy {
    /// A command for the operator, from words that are quoted here.
    pub fn command(scope: Scope, title: impl Into<String>, words: &[&str]) -> Remedy {
        Remedy {
            scope,
            title: title.into(),
            step: Step::RunCommand(quote(words)),
            then: None,
            is_guess: false,
            lets_in: None,
        }
    }

    /// A line of `qemu.conf`.
    pub fn setting(title: impl Into<String>, file: &str, line: impl Into<String>) -> Remedy {
        Remedy {
            scope: Scope::DisableHost,
            title: title.into(),
            step: Step::SetOption { file: file.to_owned(), line: line.into() },
            then: None,
            is_guess: false,
            lets_in: None,
        }
    }

    /// An edit of the document.
    pub fn edit(scope: Scope, title: impl Into<String>, edits: EditSet) -> Remedy {
        Remedy {
            scope,
            title: title.into(),
            step: Step::EditXml(edits),
            then: None,
            is_guess: false,
            lets_in: None,
        }
    }

    /// An edit that writes what was probably meant.
    pub fn guess(title: impl Into<String>, edits: EditSet) -> Remedy {
        Remedy { is_guess: true, ..Remedy::edit(Scope::Rewrite, title, edits) }
    }

    /// That there is no way on this road.
    pub fn none(scope: Scope, why: impl Into<String>) -> Remedy {
        Remedy {
            scope,
            title: why.into(),
            step: Step::Nothing,
            then: None,
            is_guess: false,
            lets_in: None,
        }
    }

    /// Whether it is something that can be done; that there is no way on a road is said with 'there is none'.
    pub fn is_a_step(&self) -> bool {
        self.step != Step::Nothing || !self.title.starts_with("there is none")
    }

    /// How far it reaches, and whom it lets in: `grant, every VM`.
    pub fn heading(&self) -> String {
        match self.lets_in {
            Some(reach) => format!("{}, {}", self.scope.title(), reach.words()),
            None => self.scope.title().to_owned(),
        }
    }

    /// What tells what it does from what others do; nothing where it does nothing, or can't be done to this document.
    pub fn key(&self, document: &Document) -> Option<String> {
        let step = match &self.step {
            Step::EditXml(edits) => digest(&edits.apply(document.source())),
            Step::RunCommand(line) => line.clone(),
            Step::SetOption { file, line } => format!("{file}\n{line}"),
            Step::Nothing => return None,
        };
        Some(match &self.then {
            Some(then) => format!("{step}\n{then}"),
            None => step,
        })
    }

    /// Whether it is an edit that gives nothing up and needs nobody else: such may be made unasked.
    pub fn repairs(&self) -> bool {
        self.scope == Scope::Rewrite
            && matches!(self.step, Step::EditXml(_))
            && self.then.is_none()
            && !self.is_guess
    }

    /// Adds the command that completes it.
    #[must_use]
    pub fn then(mut self, words: &[&str]) -> Remedy {
        self.then = Some(quote(words));
        self
    }
}
