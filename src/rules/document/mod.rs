//! What libvirt's own reading of the document does to the passthrough.

pub(super) mod broken;
pub(super) mod variables;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::extras::Extra;
use crate::domain::{Document, EntryId, EntryKind, List, QEMU_NAMESPACE, aliases};
use crate::facts::Known;
use crate::qemu::Version;

pub(super) static LOST_BLOCK: Rule = Rule {
    id: "lost-block",
    layer: Layer::Libvirt,
    summary: "libvirt drops passthrough without a word",
    explain: include_str!("../../../assets/rules/lost-block.md"),
    check: lost_block,
};

fn lost_block(case: &Case<'_>) -> Vec<Finding> {
    // Each way back is looked at as a whole document.
    const MOST: usize = 100;
    let found = case.document.lost().iter().enumerate().map(|(at, lost)| {
        let finding = Finding { span: Some(lost.span.clone()), ..Finding::general(Verdict::Blocks, lost.message()) };
        let finding = finding.because(
            "virsh define accepts the document and forgets the block; virsh edit refuses it as 'extra content'",
        );
        if at >= MOST {
            let why = format!("bring the {MOST} before it back first");
            return finding.remedy(Remedy::none(Scope::Rewrite, why));
        }
        finding.remedy(match case.document.recover(lost) {
            Ok((title, edits)) => Remedy::edit(Scope::Rewrite, title, edits),
            Err(error) => Remedy::none(Scope::Rewrite, error.to_string()),
        })
    });
    found.collect()
}

/// The beginnings of variables that QEMU reads only where nothing else says how the guest is heard.
const OF_AUDIO: [&str; 6] =
    ["QEMU_AUDIO_", "QEMU_PA_", "QEMU_ALSA_", "QEMU_OSS_", "QEMU_WAV_", "QEMU_SDL_"];

pub(super) static AUDIO_VARIABLE: Rule = Rule {
    id: "audio-variable",
    layer: Layer::Libvirt,
    summary: "a variable is to choose the sound, which libvirt chooses itself",
    explain: include_str!("../../../assets/rules/audio-variable.md"),
    check: |case| {
        // libvirt passes -audiodev from 7.2 on, and QEMU reads the variables only without one.
        if case.host.libvirt_at_least(Version::new(7, 2)) != Some(true) {
            return Vec::new();
        }
        let environment = case.document.environment();
        let named = environment
            .iter()
            .enumerate()
            .filter(|(_, (name, _))| OF_AUDIO.iter().any(|beginning| name.starts_with(beginning)));
        named
            .map(|(index, (name, _))| {
                let message = format!("{name} does nothing: libvirt passes an -audiodev of its own");
                Finding::at(EntryId::env(index), Verdict::Warns, message)
                    .because("QEMU reads such variables only where no -audiodev is there, and from 8.2 on not at all")
                    .remedy(Remedy::none(
                        Scope::Rewrite,
                        "take it out, and say it in the domain: <sound model='ich9'/> and <audio id='1' type='pulseaudio'/>",
                    ))
            })
            .collect()
    },
};

pub(super) static TWO_BLOCKS: Rule = Rule {
    id: "two-blocks",
    layer: Layer::Libvirt,
    summary: "the passthrough stands in two blocks, which --validate refuses",
    explain: include_str!("../../../assets/rules/two-blocks.md"),
    check: |case| {
        let tree = case.document.tree();
        let blocks = tree.children(0).filter(|(_, e)| {
            e.local_name() == "commandline" && e.namespace.as_deref() == Some(QEMU_NAMESPACE)
        });
        let Some((_, second)) = blocks.into_iter().nth(1) else { return Vec::new() };
        let finding = Finding::general(Verdict::Warns, "there are two <qemu:commandline>, expected one").because(
            "virsh define reads both and keeps one; virsh define --validate and virsh edit refuse the document",
        );
        let finding = Finding { span: Some(second.span()), ..finding };
        vec![match case.document.merge_blocks() {
            Ok(edits) => finding.remedy(Remedy::edit(
                Scope::Rewrite,
                "put all entries into the first",
                edits,
            )),
            Err(error) => finding.remedy(Remedy::none(Scope::Rewrite, error.to_string())),
        }]
    },
};

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
        EntryKind::Extra(extra) => holds(&extra.halves().1),
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

/// The rule that speaks for libvirt's schema; it is asked only when the user wants it.
pub(super) static SCHEMA: Rule = Rule {
    id: "schema",
    layer: Layer::Libvirt,
    summary: "libvirt's schema does not know something (check --validate)",
    explain: include_str!("../../../assets/rules/schema.md"),
    check: |_| Vec::new(),
};

/// Findings for what the schema said.
pub fn schema_findings(document: &Document, said: &Known<Vec<(usize, String)>>) -> Vec<Finding> {
    let of_rule = |finding: Finding| Finding { rule: SCHEMA.id, layer: SCHEMA.layer, ..finding };
    let said = match said {
        Known::Yes(said) => said,
        Known::Unknown(why) => {
            let message = format!("whether the document fits libvirt's schema is not known: {why}");
            return vec![of_rule(Finding::general(Verdict::Unknown, message))];
        }
    };
    let mut starts = vec![0];
    starts.extend(document.source().match_indices('\n').map(|(at, _)| at + 1));
    let finding = |(line, what): &(usize, String)| {
        let at = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let finding = Finding::general(Verdict::Warns, format!("libvirt's schema: {what}"))
            .because("virsh define --validate and virsh edit refuse the document");
        let finding = match meaning_of(document, what) {
            Some(meaning) => finding.because(meaning),
            None => finding,
        };
        of_rule(Finding { span: Some(at..at), ..finding })
    };
    said.iter().map(finding).collect()
}

/// What the schema's words mean when they are about the passthrough.
fn meaning_of(document: &Document, what: &str) -> Option<&'static str> {
    let lost = !document.lost().is_empty();
    if what.contains("extra content: qemu:") || what.contains("extra content: commandline") {
        return Some(if lost {
            "libvirt does not see the passthrough, because its namespace is not declared or is another"
        } else {
            "something inside the passthrough does not fit: an attribute, a text, or an unknown element"
        });
    }
    if what.contains("Extra element devices") && lost {
        return Some("the passthrough stands inside <devices>, expected directly under <domain>");
    }
    what.contains("Extra element commandline").then_some("there are two blocks, expected one")
}

pub(super) static OVERRIDE_ALIAS: Rule = Rule {
    id: "override-alias",
    layer: Layer::Libvirt,
    summary: "an override names a device that the domain does not have",
    explain: include_str!("../../../assets/rules/override-alias.md"),
    check: override_alias,
};

fn override_alias(case: &Case<'_>) -> Vec<Finding> {
    let facts = case.document.facts();
    let there: Vec<&str> = facts
        .aliases
        .iter()
        .filter(|(group, _)| *group == "device")
        .map(|(_, alias)| alias.as_str())
        .chain(facts.own_aliases.iter().map(String::as_str))
        .collect();
    let mut findings = Vec::new();
    for entry in case.document.list(List::Extras) {
        let EntryKind::Extra(Extra::Property { alias, .. }) = &entry.kind else { continue };
        let kind = alias.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_numbered = kind.len() < alias.len();
        let judged = alias.starts_with("ua-") || (is_numbered && aliases::are_counted(kind));
        if judged && !there.contains(&alias.as_str()) {
            findings.push(
                Finding::at(entry.id, Verdict::Warns, format!("no device of the domain has the alias '{alias}'"))
                    .because("libvirt takes an override of an unknown alias without a word, and does nothing with it")
                    .because(format!("devices with an alias: {}", there.join(" ")))
                    .remedy(Remedy::edit(Scope::Rewrite, "delete the override", case.document.remove(&[entry.id]))),
            );
        }
    }
    findings
}
