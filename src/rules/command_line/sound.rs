//! Sound that goes through a display.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::EntryId;
use crate::qemu::{QemuOption, Version};

pub(crate) static AUDIO_DISPLAY: Rule = Rule {
    id: "audio-display",
    layer: Layer::Qemu,
    summary: "sound goes through a display that is not there",
    explain: include_str!("../../../assets/rules/audio-display.md"),
    check: |case| {
        let options = ["audiodev", "audio"].into_iter().flat_map(|name| case.line.options(name));
        let named = options.map(|option| (Some(option.place()), option.kind()));
        let native = case.document.facts().sounds.iter().map(|kind| (None, kind.as_str()));
        named.chain(native).filter_map(|(entry, kind)| silent(case, entry, kind)).collect()
    },
};

/// What is said of a back end whose display nobody made.
fn silent(case: &Case<'_>, entry: Option<EntryId>, kind: &str) -> Option<Finding> {
    let displays = &case.document.facts().displays;
    // Of several -display the last one counts.
    let last = case.line.options("display").next_back().map(QemuOption::kind);
    let (is_there, words) = match kind {
        "dbus" => (last == Some("dbus"), "D-Bus display is not in use"),
        "spice" => (
            last == Some("spice-app") || case.line.options("spice").next().is_some(),
            "Cannot use spice audio without -spice",
        ),
        _ => return None,
    };
    if is_there || displays.contains(kind) {
        return None;
    }
    let verdict = verdict(kind, case.start.qemu)?;
    let message = format!("sound goes to the {kind} display, which is not there");
    let finding = match entry {
        Some(entry) => Finding::at(entry, verdict, message),
        None => Finding::general(verdict, message),
    };
    let remedy = format!("add <graphics type='{kind}'/>, or take another back end");
    Some(
        finding
            .because(format!("QEMU says \"{words}\""))
            .remedy(Remedy::none(Scope::Rewrite, remedy)),
    )
}

/// Without SPICE no QEMU starts (7.2, 10.0, 11.1); without D-Bus 7.2 and 10.0 do, 11.1 does not, those between were not asked.
fn verdict(kind: &str, qemu: Option<Version>) -> Option<Verdict> {
    if kind == "spice" {
        return Some(Verdict::Blocks);
    }
    let Some(version) = qemu else { return Some(Verdict::Unknown) };
    if version < Version::new(10, 1) {
        return None;
    }
    Some(if version < Version::new(11, 1) { Verdict::Unknown } else { Verdict::Blocks })
}
