//! What is done to a document: each verb plans an edit set from what was read, and changes nothing itself.
//!
//! Each file adds the verbs of one family to [`super::Document`], which knows none of them.

mod broken;
mod disabled;
mod element;
mod entries;
mod extras;
mod overrides;
mod repair;
mod seclabel;

use crate::xml;

/// Why nothing can be put beside a block that stands alone.
const ALONE: &str = "there is no domain around the block, expected the document that it belongs to";

/// Why a verb can't be planned, in one sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerbError(pub String);

impl std::fmt::Display for VerbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<xml::escape::Unwritable> for VerbError {
    fn from(error: xml::escape::Unwritable) -> VerbError {
        VerbError(error.to_string())
    }
}

impl From<xml::edit::Overlap> for VerbError {
    fn from(_: xml::edit::Overlap) -> VerbError {
        VerbError("two changes touch the same text".to_owned())
    }
}
