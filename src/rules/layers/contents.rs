//! What stands in a file that QEMU reads before it starts.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::qemu::Use;

pub(crate) static FILE_CONTENTS: Rule = Rule {
    id: "file-contents",
    layer: Layer::Host,
    summary: "a file is not what the argument takes it for: no kernel, no plugin, no certificate",
    explain: include_str!("../../../assets/rules/file-contents.md"),
    check: |case| case.line.uses.iter().filter_map(|usage| faulty(case, usage)).collect(),
};

fn faulty(case: &Case<'_>, usage: &Use) -> Option<Finding> {
    let (path, _) = usage.resource.path()?;
    let fault = case.host.faults.get(path)?;
    Some(
        Finding::of(usage, Verdict::Blocks, format!("{path} {}", fault.what))
            .because(format!("QEMU says '{}'", fault.says))
            .remedy(Remedy::none(Scope::Rewrite, "name another file, or make this one anew")),
    )
}
