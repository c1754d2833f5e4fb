//! Comparing what the passthrough needs with what the host says, and concluding.
//!
//! A rule is a name, a sentence, a page and a function from a [`Case`] to findings. It never prints, probes or edits; the
//! same facts give the same findings. To add one: a page under `assets/rules/`, a `static` in the file of its layer, a line
//! in [`RULES`].

mod asked;
mod case;
mod command_line;
mod document;
mod finding;
mod judge;
mod layer;
mod layers;
mod native;
mod order;
mod own;
mod proof;
mod registry;
mod remedy;
mod route;
mod rule;
mod why;

pub use case::Case;
pub use command_line::WAITS;
pub use document::schema_findings;
pub use finding::{Finding, Verdict};
pub use judge::judge;
pub use layer::{LAYERS, Layer};
pub use native::{Element, elements};
pub use proof::{improves, turns};
pub use registry::{RULES, rule};
pub use remedy::{Remedy, Scope, Step};
pub use route::{Actor, Judge, Reach, Route, Stage, carry_out, route};
pub use rule::Rule;
pub use why::{Answer, Judged, Now, why};

#[cfg(test)]
mod tests;
