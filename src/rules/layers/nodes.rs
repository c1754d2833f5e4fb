//! What stands where an argument names a device node of one kind.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::FileKind;
use crate::qemu::{Access, Use, catalog};

pub(crate) static NODE_KIND: Rule = Rule {
    id: "node-kind",
    layer: Layer::Host,
    summary: "another thing stands where an argument names a device node",
    explain: include_str!("../../../assets/rules/node-kind.md"),
    check: |case| {
        let named = case.line.uses.iter().filter_map(|usage| other_node(case, usage));
        named.chain(waiting(case)).collect()
    },
};

fn other_node(case: &Case<'_>, usage: &Use) -> Option<Finding> {
    let (path, access) = usage.resource.path()?;
    let option = case.line.option_at(usage.entry)?;
    let named = |key: &str| option.pairs.pair(key).is_some_and(|pair| pair.value_span == usage.at);
    let row = catalog::nodes(option.name(), option.kind()).find(|row| named(row.key))?;
    let target = case.host.walk(path).ok()?.target()?;
    // What else is no file at all is said by another rule.
    let is_said = matches!(target.kind, FileKind::Directory | FileKind::Socket);
    if is_said
        || access == Access::Connect
        || row.kinds.split(',').any(|kind| fits(kind, &target.kind))
    {
        return None;
    }
    let message = format!("{path} is not what -{} {} needs there", option.name(), option.kind());
    Some(
        Finding::of(usage, Verdict::Blocks, message)
            .because(case.host.describe(target))
            .because(format!("QEMU says '{}'", row.words))
            .remedy(Remedy::none(Scope::Rewrite, "name the device's own node")),
    )
}

fn fits(wanted: &str, kind: &FileKind) -> bool {
    match kind {
        FileKind::Block(..) => wanted == "block",
        FileKind::Char(major, _) => {
            let number =
                |mark| wanted.strip_prefix("char")?.strip_prefix(mark)?.parse::<u32>().ok();
            match (number(':'), number('!')) {
                (Some(only), _) => *major == only,
                (_, Some(never)) => *major != never,
                (None, None) => wanted == "char",
            }
        }
        FileKind::File
        | FileKind::Directory
        | FileKind::Fifo
        | FileKind::Socket
        | FileKind::Link(_) => false,
    }
}

/// Pipes that are only written to: opening one waits for who reads it (fifo(7)).
fn waiting(case: &Case<'_>) -> Vec<Finding> {
    // QEMU's own output has libvirt at its other end.
    let is_its_own = |path: &str| path.starts_with("/proc/");
    let pipes = case.walks().filter(|(_, _, access, walk)| {
        *access == Access::Create
            && !is_its_own(walk.resolved())
            && walk.target().is_some_and(|target| target.kind == FileKind::Fifo)
    });
    pipes
        .map(|(usage, path, ..)| {
            let message = format!("the start waits until somebody reads the pipe {path}");
            Finding::of(usage, Verdict::Warns, message)
                .because("fifo(7): opening it for writing waits for the other end")
        })
        .collect()
}
