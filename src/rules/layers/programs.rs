//! Programs that QEMU runs by itself, where no filter forbids it: helpers, scripts, servers.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict, seccomp};
use crate::facts::{Ending, FileKind, Walk};
use crate::qemu::resource::Moment;
use crate::qemu::{Resource, Use};

/// The programs that QEMU runs at its start, with the walk to each.
pub(super) fn started<'a>(case: &Case<'a>) -> Vec<(&'a Use, &'a str, &'a Walk)> {
    // Where the filter lets no program run, that is said by its own rule.
    if seccomp::denies(case, "spawn") {
        return Vec::new();
    }
    let host = case.host;
    let of = |usage: &'a Use| {
        let Resource::Program { moment: Moment::Start, .. } = &usage.resource else { return None };
        let program = usage.resource.program()?;
        Some((usage, program, host.walk(program).ok()?))
    };
    case.line.uses.iter().filter_map(of).collect()
}

pub(crate) static PROGRAM: Rule = Rule {
    id: "program-missing",
    layer: Layer::Host,
    summary: "a program that QEMU runs is not there, or is none",
    explain: include_str!("../../../assets/rules/program-missing.md"),
    check: |case| {
        let programs = started(case).into_iter();
        programs.filter_map(|(usage, program, walk)| missing(case, usage, program, walk)).collect()
    },
};

fn missing(case: &Case<'_>, usage: &Use, program: &str, walk: &Walk) -> Option<Finding> {
    let message = match (&walk.ending, walk.target()) {
        (Ending::Missing(_) | Ending::NotADirectory(_) | Ending::Loop, _) => {
            format!("{program} ({}) is not there", usage.what)
        }
        (_, Some(step)) if step.kind != FileKind::File || step.mode & 0o111 == 0 => {
            format!("{program} ({}) is no program that may be run", usage.what)
        }
        (_, Some(step)) => {
            let mount = case.host.mount_of(&step.path).filter(|mount| mount.has("noexec"))?;
            format!(
                "{program} ({}) lies on {}, where nothing may be run (noexec)",
                usage.what, mount.point
            )
        }
        (_, None) => return None,
    };
    let finding = Finding::of(usage, Verdict::Blocks, message)
        .because("QEMU says that the helper or the script failed, or that it could not find it")
        .remedy(Remedy::none(Scope::Rewrite, "install it, or name one that is there"));
    Some(finding)
}
