//! What was found, with an index: a row's findings are looked up and not looked for, whatever the size of the document.

use std::collections::HashMap;
use std::ops::Deref;

use crate::domain::{EntryId, List};
use crate::rules::Finding;

/// Findings in their order, each found by its entry.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    all: Vec<Finding>,
    by_entry: HashMap<EntryId, Vec<usize>>,
    /// Those that belong to no entry.
    general: Vec<usize>,
}

impl Findings {
    /// With their index.
    pub fn of(all: Vec<Finding>) -> Findings {
        let mut by_entry: HashMap<EntryId, Vec<usize>> = HashMap::new();
        let mut general = Vec::new();
        for (at, finding) in all.iter().enumerate() {
            match finding.entry {
                Some(entry) => by_entry.entry(entry).or_default().push(at),
                None => general.push(at),
            }
        }
        Findings { all, by_entry, general }
    }

    /// Those of some entries of a list, in their order.
    pub fn of_entries(
        &self,
        list: List,
        range: std::ops::Range<usize>,
    ) -> impl Iterator<Item = &Finding> {
        let at = range.flat_map(move |index| {
            self.by_entry.get(&EntryId { list, index }).map_or(&[][..], Vec::as_slice)
        });
        at.map(|at| &self.all[*at])
    }

    /// Those that belong to no entry.
    pub fn general(&self) -> impl Iterator<Item = &Finding> {
        self.general.iter().map(|at| &self.all[*at])
    }

    /// The findings themselves.
    pub fn into_all(self) -> Vec<Finding> {
        self.all
    }
}

impl Deref for Findings {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        &self.all
    }
}
