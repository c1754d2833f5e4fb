//! Categories: what keeps the VMs of one type apart.

use super::opening::{Opening, label_of, process, range};
use super::remedies::remedies;
use crate::facts::Known;
use crate::facts::selinux::shipped::is_constrained;
use crate::facts::selinux::{Mode, class_of, type_of};
use crate::rules::{Finding, Layer, Rule, Verdict};

pub(crate) static SELINUX_CATEGORIES: Rule = Rule {
    id: "selinux-categories",
    layer: Layer::Selinux,
    summary: "the file carries categories that the VM lacks",
    explain: include_str!("../../../../assets/rules/selinux-categories.md"),
    check: |case| {
        let Some(process) = process(case) else { return Vec::new() };
        if !is_constrained(type_of(process.label).unwrap_or_default()) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for (usage, path, access, walk) in case.walks() {
            let Some(step) = walk.target() else { continue };
            let Some(label) = label_of(case, path, step, process.label) else { continue };
            if case.host.selinux.allowed(process.label, &label, class_of(&step.kind)).is_some()
                || dominates(range(process.label), range(&label))
            {
                continue; // the kernel's answer counted them already
            }
            let permissive = case.host.selinux.mode == Known::Yes(Mode::Permissive);
            let finding = Finding::of(
                usage,
                if permissive { Verdict::Note } else { Verdict::Blocks },
                format!("{} belongs to another VM's SELinux categories", step.path),
            )
            .because(format!("{} has the label {label}", step.path))
            .because(if process.dynamic {
                "QEMU runs with categories drawn at each start".to_owned()
            } else {
                format!("QEMU runs as {}", process.label)
            })
            .because("QEMU says 'Permission denied'; the AVC does not mention the categories");
            let opening = Opening { case, usage, access, process };
            findings.push(remedies(opening, finding, step, &[]));
        }
        findings
    },
};

/// Whether a process's range holds every category of a file.
fn dominates(process: &str, file: &str) -> bool {
    let high = process.rsplit_once('-').map_or(process, |(_, high)| high);
    let held = categories(high);
    categories(file).iter().all(|category| held.contains(category))
}

fn categories(range: &str) -> Vec<u32> {
    let Some((_, list)) = range.split_once(':') else { return Vec::new() };
    let number = |text: &str| text.trim_start_matches('c').parse::<u32>().ok();
    list.split(',')
        .flat_map(|part| match part.split_once('.') {
            Some((low, high)) => {
                (number(low).unwrap_or(1)..=number(high).unwrap_or(0)).collect::<Vec<_>>()
            }
            None => number(part).into_iter().collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_of_the_file_must_be_the_processs() {
        for (process, file, expected) in [
            ("s0:c1,c2", "s0", true),
            ("s0:c1,c2", "s0:c1", true),
            ("s0:c1,c2", "s0:c1,c2", true),
            ("s0:c1,c2", "s0:c1,c3", false),
            ("s0", "s0:c1,c2", false),
            ("s0-s0:c0.c1023", "s0:c1,c900", true),
        ] {
            assert_eq!(dominates(process, file), expected, "{process} {file}");
        }
    }
}
