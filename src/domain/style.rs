//! How the writer of a document writes: prefix, quotes, indent, line ends. New elements follow.

use super::entry::EntryKind;
use super::namespace::QEMU_NAMESPACE;
use super::verbs::VerbError;
use crate::xml::{Element, Span, Tree, escape};

/// How a new element is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Style {
    /// The prefix with its colon, or nothing.
    pub prefix: String,
    /// The quote around values.
    pub quote: char,
    /// What ends the tag: `/>` or ` />`.
    pub tail: &'static str,
    /// Characters past ASCII are to be written as references.
    pub ascii: bool,
}

impl Style {
    /// libvirt's own style.
    pub(super) fn canonical(ascii: bool) -> Style {
        Style { prefix: "qemu:".to_owned(), quote: '\'', tail: "/>", ascii }
    }

    /// The style of `model`, an element of the block `block`.
    pub(super) fn of(tree: &Tree, source: &str, model: &Element, block: usize) -> Style {
        let block_element = &tree.elements[block];
        let prefix = if in_scope(tree, block, model.prefix()) {
            model.prefix()
        } else {
            block_element.prefix()
        };
        let quote = model.attributes.last().map_or('\'', |attribute| attribute.quote);
        Style {
            prefix: prefix.map(|prefix| format!("{prefix}:")).unwrap_or_default(),
            quote,
            tail: if source[model.open.clone()].ends_with(" />") { " />" } else { "/>" },
            ascii: tree.foreign_encoding.is_some(),
        }
    }

    /// The element for an entry.
    pub(super) fn element(&self, kind: &EntryKind) -> Result<String, VerbError> {
        let Style { prefix, quote, tail, .. } = self;
        Ok(match kind {
            EntryKind::Arg { value } => {
                format!("<{prefix}arg value={quote}{}{quote}{tail}", self.value(value)?)
            }
            EntryKind::Env { name, value: None } => {
                format!("<{prefix}env name={quote}{name}{quote}{tail}")
            }
            EntryKind::Env { name, value: Some(value) } => {
                format!(
                    "<{prefix}env name={quote}{name}{quote} value={quote}{}{quote}{tail}",
                    self.value(value)?
                )
            }
            EntryKind::Extra(_) => {
                return Err(VerbError("this has no place among the arguments".to_owned()));
            }
        })
    }

    fn value(&self, value: &str) -> Result<String, VerbError> {
        escape::attribute(value, self.quote, self.ascii)
            .map_err(|error| VerbError(error.to_string()))
    }
}

/// Whether `prefix` means the passthrough namespace for children of `element`.
pub(super) fn in_scope(tree: &Tree, element: usize, prefix: Option<&str>) -> bool {
    let mut at = Some(element);
    while let Some(index) = at {
        let element = &tree.elements[index];
        if let Some(binding) = element.binding(prefix) {
            return binding.value == QEMU_NAMESPACE;
        }
        at = element.parent;
    }
    // A block that stands alone means the passthrough by its own prefix, declared or not.
    let root = tree.root();
    root.namespace.as_deref() == Some(QEMU_NAMESPACE) && root.prefix() == prefix
}

/// The line end that the document uses.
pub(super) fn line_end(source: &str) -> &'static str {
    match source.find('\n') {
        Some(at) if source[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The blanks before `offset` back to the line end, the line end included; `None` when something else stands there.
pub(super) fn own_line(source: &str, offset: usize) -> Option<&str> {
    let before = &source[..offset];
    let indent = before.len() - before.trim_end_matches([' ', '\t']).len();
    let line_start = offset - indent;
    let line_end = if before[..line_start].ends_with("\r\n") {
        2
    } else if before[..line_start].ends_with('\n') {
        1
    } else {
        return None;
    };
    Some(&source[line_start - line_end..offset])
}

/// The element's span with its whole line, when nothing else stands on it.
pub(super) fn with_line(source: &str, span: &Span) -> Span {
    let Some(blanks) = own_line(source, span.start) else { return span.clone() };
    let rest = &source[span.end..];
    let after = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    if !(rest[after..].is_empty()
        || rest[after..].starts_with('\n')
        || rest[after..].starts_with("\r\n"))
    {
        return span.clone();
    }
    // The line end before goes with the line, the one after stays.
    span.start - blanks.len()..span.end + after
}

/// The blanks between the line's start and `offset`, or as many as there are right before it.
pub(super) fn indent(source: &str, offset: usize) -> &str {
    let before = &source[..offset];
    &before[before.trim_end_matches([' ', '\t']).len()..]
}

/// One more level of the indent in use.
pub(super) fn deeper(indent: &str) -> String {
    if indent.contains('\t') { format!("{indent}\t") } else { format!("{indent}  ") }
}
