//! Shared directories.

use super::plan::{Options, Plan, found, only, quoted, rule};
use crate::qemu::Version;
use crate::rules::{Case, Finding, Layer, Rule};

rule!(FILESYSTEM, "native-filesystem", "libvirt has <filesystem> for this", filesystem);

/// `-fsdev local` with `-device virtio-9p-pci`, `-virtfs local`, and `-device vhost-user-fs-pci` over the socket of a virtiofsd.
pub(super) fn filesystem(options: &Options<'_>) -> Vec<Plan> {
    let with_device = options.named("fsdev").filter_map(|(at, pairs)| {
        let id = pairs.get("id")?;
        let (device, user) = options.with("device", "fsdev", id)?;
        let ours = user.get("driver").is_some_and(|driver| driver.starts_with("virtio-9p"))
            && only(user, &["driver", "id", "fsdev", "mount_tag", "bus", "addr"]);
        let shared = options.named_elsewhere(id, 2);
        (ours && !shared).then(|| plan(vec![at, device], pairs, user.get("mount_tag")?)).flatten()
    });
    let served = options.named("chardev").filter_map(|(at, pairs)| virtiofs(options, at, pairs));
    let short = options
        .named("virtfs")
        .filter_map(|(at, pairs)| plan(vec![at], pairs, pairs.get("mount_tag")?));
    with_device.chain(served).chain(short).collect()
}

fn virtiofs(options: &Options<'_>, at: usize, pairs: &crate::qemu::Pairs) -> Option<Plan> {
    let ours = pairs.get("backend") == Some("socket") && only(pairs, &["backend", "id", "path"]);
    if !ours {
        return None;
    }
    let (id, socket) = (pairs.get("id")?, pairs.get("path")?);
    let (device, user) = options.with("device", "chardev", id)?;
    let known = user.get("driver") == Some("vhost-user-fs-pci")
        && only(user, &["driver", "id", "chardev", "tag", "queue-size", "bus", "addr"]);
    if !known || options.named_elsewhere(id, 2) {
        return None;
    }
    let tree = options.case.document.tree();
    // virtiofs works only over shared memory, which libvirt insists on.
    let shared = tree.child(0, "memoryBacking").is_some();
    let backing =
        || vec!["<source type='memfd'/>".to_owned(), "<access mode='shared'/>".to_owned()];
    Some(Plan {
        options: vec![at, device],
        parent: "devices",
        lines: vec![
            "<filesystem type='mount'>".to_owned(),
            "  <driver type='virtiofs'/>".to_owned(),
            format!("  <source socket='{}'/>", quoted(socket)),
            format!("  <target dir='{}'/>", quoted(user.get("tag")?)),
            "</filesystem>".to_owned(),
        ],
        also: (!shared).then(|| ("memoryBacking", backing())),
        element: "<filesystem> with <driver type='virtiofs'/>".to_owned(),
        since: Version::new(6, 3),
        satisfies: &[Layer::Qemu],
    })
}

fn plan(used: Vec<usize>, pairs: &crate::qemu::Pairs, tag: &str) -> Option<Plan> {
    const KEYS: [&str; 7] =
        ["fsdriver", "id", "path", "security_model", "mount_tag", "readonly", "multidevs"];
    let local = pairs.get("fsdriver") == Some("local") && only(pairs, &KEYS);
    let path = pairs.get("path").filter(|path| local && path.starts_with('/'))?;
    let mode = match pairs.get("security_model")? {
        "passthrough" => "passthrough",
        "mapped" | "mapped-xattr" => "mapped",
        "none" => "squash",
        _ => return None,
    };
    let devices = pairs
        .get("multidevs")
        .map_or(String::new(), |word| format!(" multidevs='{}'", quoted(word)));
    let mut lines = vec![
        format!("<filesystem type='mount' accessmode='{mode}'{devices}>"),
        format!("  <source dir='{}'/>", quoted(path)),
        format!("  <target dir='{}'/>", quoted(tag)),
    ];
    if pairs.on("readonly") == Some(true) {
        lines.push("  <readonly/>".to_owned());
    }
    lines.push("</filesystem>".to_owned());
    Some(Plan {
        options: used,
        parent: "devices",
        lines,
        also: None,
        element: "<filesystem>".to_owned(),
        since: if devices.is_empty() { Version::new(0, 9) } else { Version::new(6, 3) },
        satisfies: &[Layer::AppArmor, Layer::Qemu],
    })
}
