//! What stands in the passthrough and is no entry, and passthrough without a domain.

use crate::domain::{Broken, List};
use crate::rules::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};

pub(crate) static BROKEN_ENTRY: Rule = Rule {
    id: "broken-entry",
    layer: Layer::Libvirt,
    summary: "something in the passthrough is no entry: libvirt refuses the document, or drops it",
    explain: include_str!("../../../assets/rules/broken-entry.md"),
    check: |case| case.document.broken().iter().map(|broken| finding(case, broken)).collect(),
};

fn finding(case: &Case<'_>, broken: &Broken) -> Finding {
    let verdict = if broken.refused.is_some() { Verdict::Blocks } else { Verdict::Warns };
    let finding =
        Finding { span: Some(broken.span.clone()), ..Finding::general(verdict, broken.message()) };
    let finding = match broken.refused {
        Some(words) => finding.because(format!("virsh define and virsh edit refuse the document: {words}")),
        None => finding.because("virsh define accepts the document and forgets it; virsh define --validate and virsh edit refuse it"),
    };
    // With nothing in it nothing is lost.
    let is_empty = broken.halves.0.is_empty() && broken.halves.1.is_empty();
    if is_empty && broken.refused.is_some() && broken.list != List::Extras {
        let edits = case.document.drop_broken(broken);
        return finding.remedy(Remedy::edit(
            Scope::Rewrite,
            format!("delete the empty {}", broken.name),
            edits,
        ));
    }
    finding.remedy(Remedy::none(
        Scope::Rewrite,
        "give it what is expected (in the editor: Enter on its row), or delete it",
    ))
}

pub(crate) static FRAGMENT: Rule = Rule {
    id: "fragment",
    layer: Layer::Libvirt,
    summary: "the passthrough stands alone, without a domain",
    explain: include_str!("../../../assets/rules/fragment.md"),
    check: |case| {
        if !case.document.is_fragment() {
            return Vec::new();
        }
        let message = "this is a block without its domain: it is judged as in a bare one, for x86_64 and the machine pc";
        vec![
            Finding::general(Verdict::Note, message)
                .because("what the domain's own elements grant, its user, its labels and its devices are not known here"),
        ]
    },
};
