//! What libvirt and QEMU said themselves. They outrank what the other rules conclude about their own layers.

use super::why::known;
use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::domain::{EntryId, List};
use crate::facts::answers::{Answers, QemuSaid, Refusal};
use crate::facts::{Ending, FileKind, Known};
use crate::qemu::QemuOption;

pub(super) static LIBVIRT_REFUSES: Rule = Rule {
    id: "libvirt-refuses",
    layer: Layer::Libvirt,
    summary: "libvirt was asked, and refuses the domain",
    explain: include_str!("../../assets/rules/libvirt-refuses.md"),
    check: |case| {
        let Some(Answers { libvirt: Known::Yes(Err(sentence)), .. }) = case.answers else {
            return Vec::new();
        };
        // What is broken has its own finding, with the place.
        if case.document.broken().iter().any(|broken| broken.refused.is_some()) {
            return Vec::new();
        }
        let finding =
            Finding::general(Verdict::Blocks, format!("libvirt refuses the domain: {sentence}"));
        vec![explained(finding, sentence)]
    },
};

pub(super) static QEMU_REFUSES: Rule = Rule {
    id: "qemu-refuses",
    layer: Layer::Qemu,
    summary: "the installed QEMU was asked, and refuses an argument",
    explain: include_str!("../../assets/rules/qemu-refuses.md"),
    check: |case| {
        let Some(Answers { qemu: Known::Yes(said), .. }) = case.answers else { return Vec::new() };
        said.refusals.iter().map(|refusal| refused(said, refusal)).collect()
    },
};

fn refused(said: &QemuSaid, refusal: &Refusal) -> Finding {
    let sentence = without_option(&refusal.sentence);
    let who = &said.who;
    let finding = match refusal.argument {
        Some(argument) => Finding::at(
            EntryId::arg(argument),
            Verdict::Blocks,
            format!("{who} refuses it: {sentence}"),
        ),
        None if refusal.option.is_empty() => {
            Finding::general(Verdict::Blocks, format!("{who} refuses the command line: {sentence}"))
        }
        None => {
            let message = format!(
                "{who} refuses {} of libvirt's own command line: {sentence}",
                refusal.option
            );
            Finding::general(Verdict::Blocks, message)
        }
    };
    explained(
        finding.because(format!(
            "asked with libvirt's own command line, it says '{}'",
            refusal.sentence
        )),
        &refusal.sentence,
    )
}

/// The sentence without the option that QEMU puts in front.
fn without_option(sentence: &str) -> &str {
    if !sentence.starts_with('-') {
        return sentence;
    }
    sentence.split_once(": ").map_or(sentence, |(_, rest)| rest)
}

/// Adds what the sentence means, where that is known.
fn explained(finding: Finding, sentence: &str) -> Finding {
    match known(sentence, None).into_iter().next() {
        Some(answer) => finding.because(answer.what),
        None => finding,
    }
}

pub(super) static NOT_ASKED: Rule = Rule {
    id: "qemu-not-asked",
    layer: Layer::Qemu,
    summary: "QEMU was to be asked about the arguments, and could not be",
    explain: include_str!("../../assets/rules/qemu-not-asked.md"),
    check: |case| {
        let Some(answers) = case.answers else { return Vec::new() };
        let mut findings = Vec::new();
        match &answers.qemu {
            Known::Unknown(why) if !matches!(answers.libvirt, Known::Yes(Err(_))) => {
                findings.push(Finding::general(
                    Verdict::Unknown,
                    format!("whether QEMU takes the command line was not asked: {why}"),
                ));
            }
            Known::Yes(QemuSaid { cut_short: Some(why), refusals, .. }) if refusals.is_empty() => {
                findings.push(Finding::general(
                    Verdict::Unknown,
                    format!("QEMU could not be asked about the whole command line: {why}"),
                ));
            }
            Known::Unknown(_) | Known::Yes(_) => {}
        }
        if let Known::Yes(said) = &answers.qemu {
            let note = |(argument, why): &(usize, String)| {
                let entry = EntryId::arg(*argument);
                let option = case.line.option_at(entry).map_or("", QemuOption::name);
                // What stands in such a file is more options, which nobody has looked at.
                if option == "readconfig" {
                    let message = "whether QEMU takes what the file says is not known";
                    return Finding::at(entry, Verdict::Unknown, message).because(why.as_str());
                }
                let message =
                    "QEMU was not asked about all of this; the other rules have looked at it";
                Finding::at(entry, Verdict::Note, message).because(why.as_str())
            };
            findings.extend(said.unasked.iter().map(note));
            findings.extend(code(case));
        }
        findings
    },
};

/// Variables of the document by which QEMU loads other code than the distribution's; it is asked without them.
fn code(case: &Case<'_>) -> Vec<Finding> {
    const VARIABLES: [&str; 4] = ["LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "QEMU_MODULE_DIR"];
    let distribution = ["/usr/lib/", "/usr/lib64/", "/lib/", "/lib64/"];
    let is_others = |path: &str| {
        let path = path.trim_end_matches('/');
        let is_own = distribution.iter().any(|own| format!("{path}/").starts_with(own));
        !is_own && case.host.walk(path).is_ok_and(|walk| walk.target().is_some())
    };
    let mut findings = Vec::new();
    for (index, (name, value)) in case.document.environment().iter().enumerate() {
        let mut places = value.unwrap_or_default().split(':').filter(|path| path.starts_with('/'));
        if VARIABLES.contains(name) && places.any(is_others) {
            let message = format!("whether QEMU starts with what {name} brings is not known");
            findings.push(
                Finding::at(EntryId::env(index), Verdict::Unknown, message)
                    .because("QEMU was asked without the variable: code of others is not run"),
            );
        }
    }
    findings
}

pub(super) static EMULATOR: Rule = Rule {
    id: "emulator",
    layer: Layer::Host,
    summary: "the domain's emulator is not there, or is no program",
    explain: include_str!("../../assets/rules/emulator.md"),
    check: |case| {
        let Some(path) = &case.document.facts().emulator else { return Vec::new() };
        let Ok(walk) = case.host.walk(path) else { return Vec::new() };
        let target = walk.target();
        let message = match (&walk.ending, target) {
            (Ending::OfAProcess(_) | Ending::Private(_) | Ending::Unserved(_), _)
            | (Ending::Present, None) => return Vec::new(),
            (Ending::Missing(_) | Ending::NotADirectory(_) | Ending::Loop, _) => {
                format!("the domain's emulator {path} is not there")
            }
            (Ending::Present, Some(step)) if step.kind != FileKind::File => {
                format!("the domain's emulator {path} is no program")
            }
            (Ending::Present, Some(step)) if step.mode & 0o111 == 0 => {
                format!(
                    "the domain's emulator {path} may be run by nobody (mode {:04o})",
                    step.mode
                )
            }
            (Ending::Present, Some(step)) => {
                let mount = case.host.mount_of(&step.path).filter(|mount| mount.has("noexec"));
                let Some(mount) = mount else { return Vec::new() };
                let point = &mount.point;
                format!(
                    "the domain's emulator {path} lies on {point}, where nothing may be run (noexec)"
                )
            }
        };
        let finding = Finding::general(Verdict::Blocks, message)
            .because(format!("libvirt says 'Cannot check QEMU binary {path}'"));
        let remedy = match case.host.emulator.yes() {
            Some(installed) => {
                format!("name the one that is installed: <emulator>{}</emulator>", installed.path)
            }
            None => "install QEMU, and name it in <emulator>".to_owned(),
        };
        vec![finding.remedy(Remedy::none(Scope::Rewrite, remedy))]
    },
};

/// Rules whose layer is QEMU's or libvirt's, and which look at something that a command line alone does not show.
const BEYOND: [&str; 4] =
    ["qemu-refuses", "qemu-not-asked", "secret-in-plain-sight", "socket-waits"];

/// Settles what the rules foresaw by what was said: what QEMU takes is not blocked, and what it refuses for a reason that a
/// rule knows is one finding.
pub(super) fn settle(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(answers) = case.answers else { return };
    if let Known::Yes(said) = &answers.qemu {
        let accepts = |finding: &Finding| {
            let entry = finding.entry.filter(|entry| entry.list == List::Args);
            let argument = entry.and_then(|entry| case.line.option_at(entry)).map(QemuOption::last);
            argument.is_some_and(|argument| said.accepts(argument))
        };
        // What libvirt's own part is refused for may come of an argument: a slot that it took, an id.
        let meant: Vec<&str> = said
            .refusals
            .iter()
            .filter(|refusal| refusal.argument.is_none())
            .flat_map(|refusal| known(&refusal.sentence, None))
            .map(|answer| answer.rule.id)
            .collect();
        let is_foreseen = |finding: &Finding| {
            // libvirt's monitor and key are left out where QEMU is asked.
            let is_libvirts_id =
                finding.rule == "duplicate-id" && finding.message.contains("libvirt's own");
            finding.layer == Layer::Qemu
                && matches!(finding.verdict, Verdict::Blocks | Verdict::Unknown)
                && !BEYOND.contains(&finding.rule)
                && !is_libvirts_id
                && !meant.contains(&finding.rule)
        };
        findings.retain(|finding| !(is_foreseen(finding) && accepts(finding)));
    }
    join(case, findings);
}

/// Puts what was said into the finding that foresaw it, where there is one.
fn join(case: &Case<'_>, findings: &mut Vec<Finding>) {
    // One rule speaks about an option's name, another about its value.
    let place = |finding: &Finding| {
        let entry = finding.entry?;
        Some(case.line.option_at(entry).map_or(entry, QemuOption::place))
    };
    let mut at = 0;
    while at < findings.len() {
        let said = &findings[at];
        if !["qemu-refuses", "libvirt-refuses"].contains(&said.rule) {
            at += 1;
            continue;
        }
        let meant: Vec<&str> =
            known(&said.message, None).into_iter().map(|answer| answer.rule.id).collect();
        let (entry, layer) = (place(said), said.layer);
        let foreseen = findings.iter().enumerate().find(|(other, finding)| {
            let same_place =
                place(finding) == entry && (entry.is_some() || meant.contains(&finding.rule));
            let same_layer = finding.layer == layer || meant.contains(&finding.rule);
            *other != at
                && finding.verdict == Verdict::Blocks
                && same_place
                && same_layer
                && finding.rule != "qemu-refuses"
        });
        match foreseen.map(|(other, _)| other) {
            Some(other) => {
                let message = findings[at].message.clone();
                findings[other].evidence.push(message);
                findings.remove(at);
            }
            None => at += 1,
        }
    }
}
