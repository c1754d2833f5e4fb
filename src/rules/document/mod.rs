//! What libvirt's own reading of the document does to the passthrough.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{EntryKind, LostReason, QEMU_NAMESPACE};
use crate::xml::{Edit, EditSet};

pub(super) static LOST_BLOCK: Rule = Rule {
    id: "lost-block",
    layer: Layer::Libvirt,
    summary: "libvirt drops passthrough without a word",
    explain: include_str!("../../../assets/rules/lost-block.md"),
    check: lost_block,
};

fn lost_block(case: &Case<'_>) -> Vec<Finding> {
    let root = case.document.tree().root();
    let found = case.document.lost().iter().map(|lost| {
        let mut finding =
            Finding { span: Some(lost.span.clone()), ..Finding::general(Verdict::Blocks, lost.message()) };
        finding = finding.because(
            "virsh define accepts the document and forgets the block; virsh edit refuses it as 'extra content'",
        );
        if let LostReason::UndeclaredPrefix(prefix) = &lost.reason {
            let mut edits = EditSet::new();
            if edits.push(Edit::insert(root.after_attributes(), format!(" xmlns:{prefix}='{QEMU_NAMESPACE}'"))).is_ok()
            {
                finding = finding.remedy(Remedy::edit(
                    Scope::Rewrite,
                    format!("declare the prefix '{prefix}' on <domain>"),
                    edits,
                ));
            }
        }
        finding
    });
    found.collect()
}

pub(super) static BLANK_IN_VALUE: Rule = Rule {
    id: "blank-in-value",
    layer: Layer::Libvirt,
    summary: "a line end or tab in a value does not survive libvirt",
    explain: include_str!("../../../assets/rules/blank-in-value.md"),
    check: blank_in_value,
};

fn blank_in_value(case: &Case<'_>) -> Vec<Finding> {
    let holds = |text: &str| text.contains(['\n', '\t', '\r']);
    let odd = case.document.entries().filter(|entry| match &entry.kind {
        EntryKind::Arg { value } => holds(value),
        EntryKind::Env { value, .. } => value.as_deref().is_some_and(holds),
    });
    odd.map(|entry| {
        Finding::at(
            entry.id,
            Verdict::Warns,
            "the value holds a line end or a tab, which becomes a blank when libvirt reads its own copy again",
        )
        .because("libvirt writes these characters as they are (virBufferEscapeString), and XML turns them into blanks")
    })
    .collect()
}
