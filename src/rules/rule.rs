//! A rule: a name, a sentence, a page, and a function.

use super::{Case, Finding, Layer};

/// A rule.
pub struct Rule {
    /// The one name, in code, assets, reports and `explain`.
    pub id: &'static str,
    /// The layer it speaks for.
    pub layer: Layer,
    /// One sentence: what it finds.
    pub summary: &'static str,
    /// The page: what it looks at, why it blocks, what to do, references.
    pub explain: &'static str,
    /// The function.
    pub check: fn(&Case<'_>) -> Vec<Finding>,
}
