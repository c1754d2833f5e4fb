//! Images that somebody else has: another process, or the same domain under another name or through another image.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::walk::FileId;
use crate::qemu::{Access, Resource, Use, is_format};

pub(crate) static IMAGE_IN_USE: Rule = Rule {
    id: "image-in-use",
    layer: Layer::Host,
    summary: "an image is locked by another process, or is opened twice under two names",
    explain: include_str!("../../../assets/rules/image-in-use.md"),
    check: image_in_use,
};

pub(crate) static IMAGE_TWICE: Rule = Rule {
    id: "image-twice",
    layer: Layer::Qemu,
    summary: "two devices write to one image",
    explain: include_str!("../../../assets/rules/image-twice.md"),
    check: |case| twice(&opened(case), true),
};

/// What of a domain opens an image.
struct Opened<'a> {
    path: &'a str,
    /// The use, where it is the passthrough's.
    usage: Option<&'a Use>,
    /// The element, where it is the domain's own.
    element: &'static str,
    file: File<'a>,
    writes: bool,
    /// It lets others write (`share-rw=on`, `<shareable/>`).
    shares: bool,
}

/// What tells one image from another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum File<'a> {
    Known(FileId),
    /// Where a path leads.
    Named(&'a str),
}

fn image_in_use(case: &Case<'_>) -> Vec<Finding> {
    let opened = opened(case);
    let mut findings = elsewhere(case, &opened);
    findings.extend(twice(&opened, false));
    findings
}

/// The images that are opened with a lock on what is written to them.
fn opened<'a>(case: &Case<'a>) -> Vec<Opened<'a>> {
    let file = |path: &'a str| {
        let walk = case.host.walk(path).ok();
        let known = walk.and_then(|walk| walk.target()?.file).map(File::Known);
        known.unwrap_or(File::Named(walk.map_or(path, |walk| walk.resolved())))
    };
    let native = case.document.facts().native.iter().filter(|native| native.element == "disk");
    let native = native.map(|native| Opened {
        path: &native.path,
        usage: None,
        element: native.element,
        file: file(&native.path),
        writes: !native.readonly,
        shares: !native.readonly && !native.exclusive,
    });
    let own = case.line.uses.iter().filter_map(|usage| {
        let Resource::Path { path, access, locks: true, .. } = &usage.resource else { return None };
        let writes = *access == Access::ReadWrite;
        let is_meant = writes || *access == Access::Read && keeps_writers_out(case, usage);
        if !is_meant || case.document.arg(usage.entry.index).contains("locking=off") {
            return None;
        }
        let shares = shares(case, usage);
        Some(Opened { path, usage: Some(usage), element: "", file: file(path), writes, shares })
    });
    native.chain(own).collect()
}

/// The device that an option's drive is given to.
fn devices<'a>(case: &Case<'a>, usage: &Use) -> impl Iterator<Item = &'a crate::qemu::QemuOption> {
    let pairs = case.line.option_at(usage.entry).map(|option| &option.pairs);
    let id = pairs.and_then(|pairs| pairs.get("id").or(pairs.get("node-name")));
    let line = case.line;
    line.options("device").filter(move |device| id.is_some() && device.pairs.get("drive") == id)
}

/// Whether a device lets others write, and no format's driver lies between, which never does.
fn shares(case: &Case<'_>, usage: &Use) -> bool {
    let mut devices = devices(case, usage);
    !is_formatted(case, usage) && devices.any(|device| device.pairs.on("share-rw") == Some(true))
}

/// Whether a format's driver reads the image, or one that lies on it.
fn is_formatted(case: &Case<'_>, usage: &Use) -> bool {
    let option = case.line.option_at(usage.entry);
    let format =
        option.and_then(|option| option.pairs.get("format").or(option.pairs.get("driver")));
    usage.at.is_empty() || format.is_some_and(is_format)
}

/// Whether what is only read is read by somebody whom a writer would disturb: a format's driver (`bdrv_default_perms_for_storage`),
/// an image above it, a device (`blkconf_apply_backend_options`). A raw drive that no device has is nobody's.
fn keeps_writers_out(case: &Case<'_>, usage: &Use) -> bool {
    let Some(option) = case.line.option_at(usage.entry) else { return false };
    let is_placed = match option.name() {
        "drive" => option.pairs.get("if") != Some("none"),
        "blockdev" => false,
        _ => true,
    };
    is_formatted(case, usage) || is_placed || devices(case, usage).next().is_some()
}

/// Images that other processes have.
fn elsewhere(case: &Case<'_>, opened: &[Opened<'_>]) -> Vec<Finding> {
    let Some(locks) = case.host.image_locks.yes() else { return Vec::new() };
    let own = format!("guest={}", case.document.facts().name);
    let mut findings = Vec::new();
    for image in opened {
        let disturbs = |lock: &&crate::facts::locks::ImageLock| {
            let is_met = lock.writes && !image.shares || lock.alone && image.writes;
            // What this very VM has, it gives back before it starts again.
            image.file == File::Known(lock.file) && is_met && lock.process != own
        };
        let Some(lock) = locks.iter().find(disturbs) else { continue };
        let who = match lock.process.strip_prefix("guest=") {
            Some(guest) => format!("the running VM {guest}"),
            None if lock.process.is_empty() => "a process".to_owned(),
            None => lock.process.clone(),
        };
        let path = image.path;
        let finding = if lock.process.is_empty() {
            let message = format!(
                "{path} is in use by a process, and whether that is this VM itself is not known"
            );
            said(image, Verdict::Unknown, message).because("only root is shown whose a lock is")
        } else {
            let does = if lock.writes { "writes to it" } else { "lets nobody write to it" };
            said(image, Verdict::Blocks, format!("{path} is in use: {who} {does}"))
        };
        findings.push(
            finding
                .because("/proc/locks shows the lock; QEMU says 'Failed to get \"write\" lock', 'Is another process using the image'")
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "end the other process, or give this VM an image of its own: qemu-img create -f qcow2 -b BASE -F FORMAT NEW",
                )),
        );
    }
    findings
}

/// Images that the domain itself opens twice: by one name, or by several (a hard link, a symbolic one, as what another image
/// lies on).
fn twice(opened: &[Opened<'_>], by_one_name: bool) -> Vec<Finding> {
    let entry = |image: &Opened<'_>| image.usage.map(|usage| usage.entry);
    let mut findings: Vec<Finding> = Vec::new();
    for (at, image) in opened.iter().enumerate() {
        let mut before = opened[..at].iter();
        let met = before.find(|other| {
            let disturbs = other.writes && !image.shares || image.writes && !other.shares;
            let is_other = image.usage.is_some() && entry(image) != entry(other);
            // QEMU itself sees only what stands in one command line under one name.
            let is_plain = |one: &Opened<'_>| one.usage.is_none_or(|usage| !usage.at.is_empty());
            let one_name = image.path == other.path && is_plain(image) && is_plain(other);
            image.file == other.file && is_other && disturbs && one_name == by_one_name
        });
        let Some(other) = met else { continue };
        let who = match other.usage {
            Some(usage) => format!("argument {}", usage.entry.index + 1),
            None => format!("the domain's own <{}>", other.element),
        };
        let does = if other.writes { "writes to" } else { "reads, and lets nobody write to," };
        let as_what =
            if image.path == other.path { String::new() } else { format!(", as {}", other.path) };
        findings.push(
            said(image, Verdict::Blocks, format!("{who} {does} {} as well{as_what}", image.path))
                .because("QEMU locks an image that a device writes to; it says 'Failed to get \"write\" lock'")
                .remedy(Remedy::none(
                    Scope::Rewrite,
                    "let one of the two go; where the guest's file system is made for it: <shareable/> and share-rw=on",
                )),
        );
    }
    findings
}

fn said(image: &Opened<'_>, verdict: Verdict, message: String) -> Finding {
    match image.usage {
        Some(usage) => Finding::of(usage, verdict, message),
        None => Finding::general(verdict, message),
    }
}
