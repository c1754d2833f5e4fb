//! Programs that QEMU's user must be able to run: QEMU itself, and what it runs.

use super::{
    Case, Finding, Layer, Remedy, Rule, SEARCH, Scope, Verdict, closed, permits, quote_acl,
};
use crate::facts::identity::Identity;
use crate::facts::{Step, Walk};
use crate::rules::layers::programs::started;

pub(crate) static PROGRAM: Rule = Rule {
    id: "dac-program",
    layer: Layer::Dac,
    summary: "QEMU's user may not run the emulator, or a program that QEMU runs",
    explain: include_str!("../../../../assets/rules/dac-program.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        let mut findings = Vec::new();
        let emulator = case.document.facts().emulator.as_deref();
        let walk = emulator.and_then(|path| case.host.walk(path).ok());
        if let Some(step) = walk.and_then(|walk| shut(case, who, walk)) {
            let message =
                format!("{} may not run the emulator: {} is in the way", who.user, step.path);
            let finding = Finding::general(Verdict::Blocks, message)
                .because("libvirt says 'cannot execute binary …: Permission denied'");
            findings.push(settle(case, who, step, finding));
        }
        for (usage, program, walk) in started(case) {
            let Some(step) = shut(case, who, walk) else { continue };
            let message =
                format!("{} may not run {program}: {} is in the way", who.user, step.path);
            let finding = Finding::of(usage, Verdict::Blocks, message)
                .because("QEMU says that the helper or the script failed");
            findings.push(settle(case, who, step, finding));
        }
        findings
    },
};

/// The first step of a way to a program that QEMU's user may not pass or run.
fn shut<'a>(case: &Case<'_>, who: &Identity, walk: &'a Walk) -> Option<&'a Step> {
    closed(case, who, walk)
        .or_else(|| walk.target().filter(|step| !permits(case, who, step, SEARCH)))
}

fn settle(case: &Case<'_>, who: &Identity, step: &Step, finding: Finding) -> Finding {
    let acl = quote_acl(who, "rx");
    finding.because(case.host.describe(step)).because(who.sentence()).remedy(Remedy::command(
        Scope::Grant,
        format!("let {} pass or run it", who.user),
        &["setfacl", "-m", &acl, &step.path],
    ))
}
