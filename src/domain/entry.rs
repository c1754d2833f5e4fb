//! One argument or environment variable of the passthrough block.

use super::extras::Extra;
use crate::xml::Span;

/// Which of the two ordered lists an entry belongs to. libvirt keeps the order inside each, not between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// `<qemu:arg>`: the arguments, in the order QEMU reads them.
    Args,
    /// `<qemu:env>`: the environment variables.
    Envs,
    /// What `<qemu:capabilities>`, `<qemu:override>` and `<qemu:deprecation>` say.
    Extras,
}

impl List {
    /// The word for its entries in reports.
    pub fn word(self) -> &'static str {
        match self {
            List::Args => "arg",
            List::Envs => "env",
            List::Extras => "extra",
        }
    }
}

/// An entry's list and its place there, counted from 0; valid until the next edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The list.
    pub list: List,
    /// The place in the list, from 0.
    pub index: usize,
}

impl EntryId {
    /// The argument at `index`.
    pub fn arg(index: usize) -> EntryId {
        EntryId { list: List::Args, index }
    }

    /// The environment variable at `index`.
    pub fn env(index: usize) -> EntryId {
        EntryId { list: List::Envs, index }
    }
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// One element of QEMU's argv, as it is.
    Arg {
        /// The argument; it may be empty.
        value: String,
    },
    /// One environment variable.
    Env {
        /// Its name.
        name: String,
        /// Its value; without one libvirt sets the variable to the empty string.
        value: Option<String>,
    },
    /// Something of the rest of the namespace.
    Extra(Extra),
}

impl EntryKind {
    /// An argument.
    pub fn arg(value: impl Into<String>) -> EntryKind {
        EntryKind::Arg { value: value.into() }
    }

    /// An environment variable.
    pub fn env(name: impl Into<String>, value: Option<&str>) -> EntryKind {
        EntryKind::Env { name: name.into(), value: value.map(str::to_owned) }
    }

    /// The list that the entry belongs to.
    pub fn list(&self) -> List {
        match self {
            EntryKind::Arg { .. } => List::Args,
            EntryKind::Env { .. } => List::Envs,
            EntryKind::Extra(_) => List::Extras,
        }
    }

    /// The entry on one line: the argument itself, or `NAME=value`.
    pub fn text(&self) -> String {
        match self {
            EntryKind::Arg { value } => value.clone(),
            EntryKind::Env { name, value: Some(value) } => format!("{name}={value}"),
            EntryKind::Env { name, value: None } => name.clone(),
            EntryKind::Extra(extra) => {
                let (first, second) = extra.halves();
                format!("{first} {second}")
            }
        }
    }

    /// Whether libvirt would take the entry (`qemuDomainDefNamespaceParseCommandlineEnv`).
    ///
    /// # Errors
    /// What is wrong with it and what was expected, in one sentence.
    pub fn check(&self) -> Result<(), String> {
        let name = match self {
            EntryKind::Arg { .. } => return Ok(()),
            EntryKind::Env { name, .. } => name,
            EntryKind::Extra(extra) => return extra.check(),
        };
        match name.chars().next() {
            None => {
                return Err(
                    "the environment variable has an empty name, expected a letter or underscore first".to_owned()
                );
            }
            Some(first) if !(first.is_ascii_alphabetic() || first == '_') => {
                return Err(format!(
                    "the environment name '{name}' begins with '{first}', expected a letter or underscore"
                ));
            }
            Some(_) => {}
        }
        match name.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_')) {
            Some(bad) => Err(format!(
                "the environment name '{name}' holds '{bad}', expected letters, digits and underscores"
            )),
            None => Ok(()),
        }
    }
}

/// An entry as it stands in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its list and place.
    pub id: EntryId,
    /// What it says.
    pub kind: EntryKind,
    /// The whole element.
    pub span: Span,
    /// Its element in the document's tree.
    pub(super) element: usize,
}
