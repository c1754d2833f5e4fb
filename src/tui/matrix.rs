//! The map of layers: each thing on the host that the passthrough names, against the layers that decide about it.

use std::collections::HashMap;

use crate::domain::EntryId;
use crate::qemu::CommandLine;
use crate::rules::{Finding, LAYERS, Layer, Verdict};

/// The columns, with their heads.
pub fn columns() -> impl Iterator<Item = (Layer, &'static str)> {
    LAYERS.iter().filter_map(|row| Some((row.layer, row.column?)))
}

/// A resource and what each layer says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The entry that names it.
    pub entry: EntryId,
    /// Its name.
    pub name: String,
    /// A verdict for each column; nothing where the layer has no say.
    pub cells: Vec<Option<Verdict>>,
}

/// Every resource once for each entry that names it, in the order of the entries.
pub fn lines(line: &CommandLine, findings: &[Finding]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut at: HashMap<(EntryId, String), usize> = HashMap::new();
    let mut place = |entry: EntryId, name: &str, lines: &mut Vec<Line>| {
        *at.entry((entry, name.to_owned())).or_insert_with(|| {
            lines.push(Line { entry, name: name.to_owned(), cells: vec![None; columns().count()] });
            lines.len() - 1
        })
    };
    for usage in &line.uses {
        place(usage.entry, usage.resource.name(), &mut lines);
    }
    for finding in findings {
        let (Some(entry), Some(resource)) = (finding.entry, &finding.resource) else { continue };
        let Some(column) = columns().position(|(layer, _)| layer == finding.layer) else {
            continue;
        };
        let row = place(entry, resource.name(), &mut lines);
        let cell = &mut lines[row].cells[column];
        *cell = Some(cell.map_or(finding.verdict, |worst| worst.min(finding.verdict)));
    }
    lines.sort_by_key(|line| line.entry);
    lines
}
