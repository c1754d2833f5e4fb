//! SARIF 2.1.0, for code review.

use serde_json::{Value, json};

use super::Checked;
use crate::rules::{RULES, Verdict};
use crate::visible::escaped;

/// The report of all files.
pub fn write(checked: &[Checked<'_>]) -> String {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| json!({ "id": rule.id, "shortDescription": { "text": rule.summary }, "help": { "text": rule.explain, "markdown": rule.explain } }))
        .collect();
    let mut results = Vec::new();
    for checked in checked {
        for finding in checked.findings.iter().filter(|finding| finding.verdict != Verdict::Allows)
        {
            let place = checked.place(finding);
            let level = match finding.verdict {
                Verdict::Blocks => "error",
                Verdict::Warns | Verdict::Unknown => "warning",
                Verdict::Note | Verdict::Allows => "note",
            };
            let text = std::iter::once(&finding.message)
                .chain(&finding.evidence)
                .cloned()
                .collect::<Vec<_>>()
                .join("; ");
            results.push(json!({
                "ruleId": finding.rule,
                "level": level,
                "message": { "text": text },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": checked.path },
                    "region": { "startLine": place.line, "startColumn": place.column }
                } }],
            }));
        }
    }
    let tool = json!({ "driver": { "name": "qpt-tui", "version": env!("CARGO_PKG_VERSION"), "rules": rules } });
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": tool, "columnKind": "unicodeCodePoints", "results": results }],
    });
    format!("{}\n", escaped(&format!("{report:#}")))
}
