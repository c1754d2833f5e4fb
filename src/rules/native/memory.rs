//! The guest's memory: locked, or shared with other processes.

use super::plan::{Options, Plan, found, only, rule};
use crate::qemu::Version;
use crate::rules::{Case, Finding, Layer, Rule};

rule!(MEMORY, "native-memory", "libvirt has <memoryBacking> for this", memory);

/// `-overcommit mem-lock=on`, and `-numa node,memdev=` over one shared memory backend.
pub(super) fn memory(options: &Options<'_>) -> Vec<Plan> {
    let tree = options.case.document.tree();
    let backing = tree.child(0, "memoryBacking").map(|(index, _)| index);
    let said = |name: &str| backing.is_some_and(|backing| tree.child(backing, name).is_some());
    let locked = options.named("overcommit").filter_map(|(at, pairs)| {
        let asked = pairs.on("mem-lock") == Some(true) && only(pairs, &["mem-lock"]);
        (asked && !said("locked")).then(|| Plan {
            options: vec![at],
            parent: "memoryBacking",
            lines: vec!["<locked/>".to_owned()],
            also: None,
            element: "<memoryBacking><locked/>".to_owned(),
            since: Version::new(1, 1),
            satisfies: &[Layer::Dac],
        })
    });
    let shared = options.named("numa").filter_map(|(at, pairs)| {
        let is_the_only_one = options.named("numa").count() == 1;
        if !is_the_only_one || !only(pairs, &["type", "nodeid", "memdev", "cpus"]) {
            return None;
        }
        let id = pairs.get("memdev")?;
        let (object, backend) = options.with("object", "id", id)?;
        let kind = match backend.get("qom-type")? {
            "memory-backend-memfd" => "memfd",
            "memory-backend-file" => "file",
            _ => return None,
        };
        let known = only(backend, &["qom-type", "id", "size", "share", "mem-path"]);
        if !known
            || backend.on("share") != Some(true)
            || options.named_elsewhere(id, 2)
            || said("source")
            || said("access")
        {
            return None;
        }
        Some(Plan {
            options: vec![object, at],
            parent: "memoryBacking",
            lines: vec![format!("<source type='{kind}'/>"), "<access mode='shared'/>".to_owned()],
            also: None,
            element: "<memoryBacking> with <access mode='shared'/>".to_owned(),
            since: Version::new(5, 0),
            satisfies: &[Layer::Dac, Layer::Selinux, Layer::AppArmor, Layer::Qemu],
        })
    });
    locked.chain(shared).collect()
}
