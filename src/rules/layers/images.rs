//! What the headers of images say, against what the arguments say of them.

use std::collections::BTreeSet;

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::image::{self, Image};
use crate::qemu::{Resource, Use};
use crate::rules::command_line::modules;
use crate::rules::command_line::names::{Standing, standing};

pub(crate) static IMAGE_FORMAT: Rule = Rule {
    id: "image-format",
    layer: Layer::Host,
    summary: "an image has another format than it is said to have",
    explain: include_str!("../../../assets/rules/image-format.md"),
    check: image_format,
};

fn image_format(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for declared in &case.line.formats {
        let said = declared.driver.as_str();
        match standing(case, "blockdev", said) {
            Standing::Has => {}
            Standing::Lacks(who) => {
                let finding = Finding::at(
                    declared.entry,
                    Verdict::Blocks,
                    format!("{who} has no block driver '{said}'"),
                );
                findings.push(finding.because(format!("QEMU says \"Unknown driver '{said}'\"")));
                continue;
            }
            Standing::Unknown(why) => {
                let message = format!("whether QEMU has a block driver '{said}' is not known");
                findings.push(Finding::at(declared.entry, Verdict::Unknown, message).because(why));
                continue;
            }
        }
        let Some(path) = &declared.path else { continue };
        let Some(found) = case.host.images.get(path).map(|image| image.format.as_str()) else {
            continue;
        };
        let finding = if image::TOLD_APART.contains(&said) && found != said {
            Finding::at(
                declared.entry,
                Verdict::Blocks,
                format!("{path} is said to be {said}, and is {found}"),
            )
            .because(format!("QEMU says 'Image is not in {said} format' or the like"))
        } else if said == "raw" && found != "raw" && found != "luks" && !found.is_empty() {
            Finding::at(
                declared.entry,
                Verdict::Warns,
                format!(
                    "{path} is said to be raw, and has the header of {found}: the guest sees that header"
                ),
            )
        } else {
            continue;
        };
        findings.push(
            finding.because(format!("the first bytes of {path} are those of {found}")).remedy(
                Remedy::none(
                    Scope::Rewrite,
                    format!("say what it is: {found} ('qemu-img info' shows it)"),
                ),
            ),
        );
    }
    findings
}

pub(crate) static IMAGE_CHAIN: Rule = Rule {
    id: "image-chain",
    layer: Layer::Host,
    summary: "an image's backing file is not what its header says, or is the image itself",
    explain: include_str!("../../../assets/rules/image-chain.md"),
    check: |case| {
        let mut findings = Vec::new();
        for usage in &case.line.uses {
            let Resource::Path { path, chain: true, .. } = &usage.resource else { continue };
            let Some(image) = case.host.images.get(path) else { continue };
            let Some(name) = &image.backing else { continue };
            let Some(backing) = image::beside(path, name) else {
                findings.extend(served(case, usage, path, name));
                continue;
            };
            let sentence = if leads_back(case, path) {
                format!("{path} is its own backing file, by way of {backing}")
            } else if let Some((said, found)) = other_format(case, image, &backing) {
                format!("the header of {path} says that {backing} is {said}, and it is {found}")
            } else {
                continue;
            };
            let is_said =
                |found: &Finding| found.entry == Some(usage.entry) && found.message == sentence;
            // A ring brings its images along again.
            if findings.iter().any(is_said) {
                continue;
            }
            findings.push(
                Finding::of(usage, Verdict::Blocks, sentence)
                    .because("QEMU says 'Could not open backing file: …'")
                    .remedy(Remedy::none(
                        Scope::Rewrite,
                        format!("set what it is based on: qemu-img rebase -u -b BACKING -F FORMAT {path}"),
                    )),
            );
        }
        findings
    },
};

/// What is said of a backing file that is no file: another program brings it, by a protocol.
fn served(case: &Case<'_>, usage: &Use, path: &str, name: &str) -> Option<Finding> {
    let shown = format!("the header of {path} names the backing file {name}");
    if let Some((modules, advice)) = modules::lacking_for(case, name) {
        let message = format!("{shown}, for which QEMU's module {modules} is not installed");
        return Some(
            Finding::of(usage, Verdict::Blocks, message)
                .because("QEMU says 'Could not open backing file: Unknown protocol'")
                .remedy(Remedy::none(Scope::DisableHost, advice)),
        );
    }
    if name.starts_with("null-co:") || name.starts_with("null-aio:") {
        let is_plain = ["null-co://", "null-aio://"].contains(&name);
        return (!is_plain).then(|| {
            Finding::of(usage, Verdict::Blocks, format!("{shown}, which says too much"))
                .because("QEMU says \"The only allowed filename for this driver is 'null-co://'\"")
        });
    }
    let is_remote = name.contains("://") || name.starts_with("nbd:") || name.starts_with("rbd:");
    is_remote.then(|| {
        Finding::of(
            usage,
            Verdict::Unknown,
            format!("{shown}, and whether that answers is not known"),
        )
        .because(
            "QEMU connects before the VM starts, and says 'Could not open backing file' otherwise",
        )
    })
}

/// Whether following backing files leads to an image twice.
fn leads_back(case: &Case<'_>, path: &str) -> bool {
    let (mut at, mut seen) = (path.to_owned(), BTreeSet::new());
    while seen.insert(at.clone()) {
        let image = case.host.images.get(&at);
        let next = image.and_then(|image| image::beside(&at, image.backing.as_ref()?));
        let Some(next) = next else { return false };
        at = next;
    }
    true
}

/// The format that a header says its backing file has, and the other one that it has.
fn other_format<'a>(
    case: &'a Case<'_>,
    image: &'a Image,
    backing: &str,
) -> Option<(&'a str, &'a str)> {
    let said = image.backing_format.as_deref()?;
    let found = case.host.images.get(backing)?.format.as_str();
    (image::TOLD_APART.contains(&said) && said != found).then_some((said, found))
}

pub(crate) static IMAGE_KEY: Rule = Rule {
    id: "image-key",
    layer: Layer::Host,
    summary: "an image is encrypted and its option gives no secret, or the other way round",
    explain: include_str!("../../../assets/rules/image-key.md"),
    check: |case| {
        let encrypted = |usage: &&Use| {
            let Resource::Path { path, .. } = &usage.resource else { return false };
            case.host.images.get(path).is_some_and(|image| is_opened(case, usage, image))
        };
        let mut findings = Vec::new();
        for usage in case.line.uses.iter().filter(encrypted) {
            let Some(option) = case.line.option_at(usage.entry) else { continue };
            let name = usage.resource.name();
            let has_secret = option.pairs.pairs.iter().any(|pair| pair.key.ends_with("key-secret"));
            findings.push(if has_secret {
                let message = format!("whether the secret opens {name} is not known");
                Finding::of(usage, Verdict::Unknown, message)
                    .because("QEMU says 'Invalid password, cannot unlock any keyslot' otherwise")
            } else {
                Finding::of(usage, Verdict::Blocks, format!("{name} is encrypted, and no secret is given"))
                    .because("QEMU says 'Parameter 'encrypt.key-secret' is required for cipher'")
                    .remedy(Remedy::none(
                        Scope::Rewrite,
                        "give it: -object secret,id=ID,file=FILE, and encrypt.key-secret=ID (qcow2) or key-secret=ID (luks)",
                    ))
            });
        }
        findings.extend(case.line.uses.iter().filter_map(|usage| open_image(case, usage)));
        findings
    },
};

/// A qcow2 image that is not encrypted, under an option that says how it is.
fn open_image(case: &Case<'_>, usage: &Use) -> Option<Finding> {
    let Resource::Path { path, chain: true, .. } = &usage.resource else { return None };
    let image = case.host.images.get(path)?;
    let option = case.line.option_at(usage.entry)?;
    let said = option.pairs.get("encrypt.format")?;
    // The one that the option itself names, not one below it.
    let is_named = option.pairs.pairs.iter().any(|pair| pair.value_span == usage.at);
    if image.format != "qcow2" || image.encrypted || !is_named {
        return None;
    }
    let message = format!("{path} is not encrypted, and the option says {said}");
    Some(
        Finding::of(usage, Verdict::Blocks, message)
            .because(format!(
                "QEMU says 'No encryption in image header, but options specified format '{said}''"
            ))
            .remedy(Remedy::none(Scope::Rewrite, "leave the keys out that begin with encrypt.")),
    )
}

/// Whether an image is encrypted, and opened as what it is: a luks header under `format=raw` is only bytes.
fn is_opened(case: &Case<'_>, usage: &Use, image: &Image) -> bool {
    let declared = |driver: &str| {
        let of_entry = case.line.formats.iter().filter(|declared| declared.entry == usage.entry);
        of_entry.into_iter().any(|declared| declared.driver == driver)
    };
    let is_chained = matches!(usage.resource, Resource::Path { chain: true, .. });
    match image.format.as_str() {
        "luks" => declared("luks"),
        _ => image.encrypted && is_chained,
    }
}
