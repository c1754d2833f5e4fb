//! Elements that say the same as some options, as `assets/libvirt/elements.tsv` has them: a row is a recipe.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::plan::{Options, PREPARED, Plan, found, quoted, rule};
use crate::domain::Chipset;
use crate::qemu::{Pairs, QemuOption, Version, number, pci_address, size};
use crate::rules::{Case, Finding, Layer, Rule};
use crate::xml::Tree;

rule!(INPUT, "native-input", "libvirt has <input> for this", input);
rule!(RNG, "native-rng", "libvirt has <rng> for this", rng);
rule!(ELEMENT, "native-element", "libvirt has an element for this", element);

const TABLE: &str = include_str!("../../../assets/libvirt/elements.tsv");

/// What may be said of every device without the element having to say it: libvirt gives names and places itself.
const OF_DEVICES: [&str; 3] = ["id", "bus", "addr"];

/// A row: the options that are replaced, and what stands for them.
struct Recipe {
    /// The rule that speaks of it.
    rule: &'static str,
    /// The first libvirt that has the element.
    since: Version,
    /// Where it belongs, below the domain; empty for the domain itself.
    parent: &'static str,
    /// What must hold besides the options, comma separated.
    when: &'static str,
    /// The options, joined by ` + `.
    options: &'static str,
    /// The name of the first of them.
    begins_with: &'static str,
    /// The element, `\n` between its lines.
    template: &'static str,
    /// `prepared`, `named`, `qemu`, or `-` for no layer.
    satisfies: &'static str,
}

/// What was kept of the options, by name.
type Kept<'a> = Vec<(&'static str, Cow<'a, str>)>;

/// Every row, read once.
fn recipes() -> &'static [Recipe] {
    static RECIPES: OnceLock<Vec<Recipe>> = OnceLock::new();
    let rows = || TABLE.lines().filter(|line| !line.starts_with('#'));
    RECIPES.get_or_init(|| rows().filter_map(Recipe::read).collect())
}

/// Keyboards, mice, tablets, and event devices of the host.
pub(super) fn input(options: &Options<'_>) -> Vec<Plan> {
    plans(options, "native-input")
}

/// Sources of random numbers.
pub(super) fn rng(options: &Options<'_>) -> Vec<Plan> {
    plans(options, "native-rng")
}

/// Everything else that the table has.
pub(super) fn element(options: &Options<'_>) -> Vec<Plan> {
    plans(options, "native-element")
}

fn plans(options: &Options<'_>, rule: &str) -> Vec<Plan> {
    let mut names: Vec<&str> = options.case.line.options.iter().map(QemuOption::name).collect();
    names.sort_unstable();
    names.dedup();
    let may_hold = |recipe: &&Recipe| recipe.rule == rule && names.contains(&recipe.begins_with);
    recipes().iter().filter(may_hold).flat_map(|recipe| recipe.plans(options)).collect()
}

impl Recipe {
    fn read(line: &'static str) -> Option<Recipe> {
        let mut fields = line.split('\t');
        let rule = fields.next()?;
        let since = Version::read(fields.next()?)?;
        let parent = fields.next().filter(|parent| *parent != "-").unwrap_or_default();
        let (when, options, template) = (fields.next()?, fields.next()?, fields.next()?);
        let begins_with = options.split(' ').next()?;
        let satisfies = fields.next()?;
        Some(Recipe { rule, since, parent, when, options, begins_with, template, satisfies })
    }

    fn plans(&self, options: &Options<'_>) -> Vec<Plan> {
        let mut wanted = self.options.split(" + ");
        let first = wanted.next().unwrap_or_default();
        let rest: Vec<&'static str> = wanted.collect();
        let starts = places(options, first, &Kept::new());
        if starts.is_empty() || !self.holds(options) {
            return Vec::new();
        }
        starts.into_iter().filter_map(|start| self.plan(options, start, &rest)).collect()
    }

    /// The plan that begins with one option, where each further one is there exactly once.
    fn plan<'a>(
        &self,
        options: &Options<'a>,
        (first, mut kept): (usize, Kept<'a>),
        rest: &[&'static str],
    ) -> Option<Plan> {
        let mut used = vec![first];
        for wanted in rest {
            let mut found = places(options, wanted, &kept);
            found.retain(|(at, _)| !used.contains(at));
            let (at, more) = found.pop().filter(|_| found.is_empty())?;
            used.push(at);
            kept.extend(more);
        }
        let ids = used.iter().filter_map(|&at| id(options.option(at)));
        let mut ids = ids.map(|id| (id, options.times_named(id)));
        let ours = |id: &str| used.iter().filter(|&&at| names(options.option(at), id)).count();
        if ids.any(|(id, times)| times > ours(id)) {
            return None;
        }
        let lines = written(options, self.template, &kept)?;
        Some(Plan {
            options: used,
            parent: self.parent,
            lines: lines.split("\\n").map(str::to_owned).collect(),
            also: None,
            element: self.called(),
            since: self.since,
            satisfies: match self.satisfies {
                "prepared" => PREPARED,
                "named" => &[Layer::AppArmor, Layer::Qemu],
                "qemu" => &[Layer::Qemu],
                _ => &[],
            },
        })
    }

    /// What the element is called in a sentence: its first tag, without what differs from domain to domain.
    fn called(&self) -> String {
        let end = self.template.find('>').map_or(self.template.len(), |end| end + 1);
        let tag = &self.template[..end];
        let tag = if tag.contains(['{', '[']) {
            format!("{}>", tag.split(' ').next().unwrap_or(tag))
        } else {
            tag.replace("/>", ">")
        };
        match self.parent {
            "" | "devices" => tag,
            parent => format!("<{parent}>{tag}"),
        }
    }

    /// Whether the document and the command line are such that the element can be added.
    fn holds(&self, options: &Options<'_>) -> bool {
        let document = options.case.document;
        let holds = |condition: &str| match (condition, condition.strip_prefix('!')) {
            ("-", _) => true,
            ("machine=q35", _) => document.facts().chipset() == Some(Chipset::Q35),
            ("type=kvm", _) => document.facts().kind.as_deref() == Some("kvm"),
            ("machine=pc", _) => document.facts().chipset() == Some(Chipset::I440fx),
            (_, Some(absent)) => match absent.strip_prefix('-') {
                Some(option) => !options.has(option),
                None => !is_there(document.tree(), absent),
            },
            (present, None) => is_there(document.tree(), present),
        };
        self.when.split(',').all(holds)
    }
}

/// Whether the document has an element: `devices/tpm`, `devices/controller@type=nvme`.
fn is_there(tree: &Tree, path: &str) -> bool {
    let (path, attribute) = path.split_once('@').unwrap_or((path, ""));
    let (key, value) = attribute.split_once('=').unwrap_or_default();
    let mut at = vec![0];
    for name in path.split('/') {
        let below = at.iter().flat_map(|&at| tree.children(at));
        at = below
            .filter(|(_, child)| child.name == name && child.namespace.is_none())
            .map(|(index, _)| index)
            .collect();
    }
    at.iter().any(|&at| key.is_empty() || tree.elements[at].attribute(key) == Some(value))
}

/// The options that look as is wanted, each with what is kept of it.
fn places<'a>(
    options: &Options<'a>,
    wanted: &'static str,
    kept: &Kept<'a>,
) -> Vec<(usize, Kept<'a>)> {
    let (name, keys) = wanted.split_once(' ').unwrap_or((wanted, ""));
    let all = options.case.line.options.iter().enumerate();
    let named = all.filter(|(_, option)| option.name() == name);
    named.filter_map(|(at, option)| Some((at, fits(options, option, keys, kept)?))).collect()
}

/// What is kept of an option that looks as is wanted; nothing where it says more, less, or something else.
fn fits<'a>(
    options: &Options<'a>,
    option: &'a QemuOption,
    keys: &'static str,
    kept: &Kept<'a>,
) -> Option<Kept<'a>> {
    let mut new = Kept::new();
    if let Some(raw) = keys.strip_prefix('=') {
        keep(raw, options.case.document.arg(option.value?), kept, &mut new)?;
        return Some(new);
    }
    if keys.is_empty() {
        return option.value.is_none().then_some(new);
    }
    let pairs: &Pairs = option.is_read().then_some(&option.pairs)?;
    let mut known = Vec::new();
    for key in keys.split(' ') {
        let (key, value) = key.split_once('=').unwrap_or((key, ""));
        let (key, optional) = key.strip_suffix('?').map_or((key, false), |key| (key, true));
        known.push(key);
        match pairs.get(key) {
            Some(_) if value.is_empty() => {}
            Some(text) => keep(value, text, kept, &mut new)?,
            None if optional => {}
            None => return None,
        }
    }
    let of_devices: &[&str] = if option.name() == "device" { &OF_DEVICES } else { &[] };
    let mut said: Vec<&str> = pairs.pairs.iter().map(|pair| pair.key.as_str()).collect();
    let count = said.len();
    said.sort_unstable();
    said.dedup();
    let all_known = said.iter().all(|key| known.contains(key) || of_devices.contains(key));
    (all_known && said.len() == count).then_some(new)
}

/// Holds a value against what is wanted of it (`a|b`, `@name`, `@name:a>b|c`, `text@name`), and keeps what has a name.
fn keep<'a>(
    wanted: &'static str,
    text: &'a str,
    kept: &Kept<'a>,
    new: &mut Kept<'a>,
) -> Option<()> {
    let Some((before, named)) = wanted.split_once('@') else {
        return wanted.split('|').any(|one| one == text).then_some(());
    };
    let text = text.strip_prefix(before)?;
    let (name, choices) = match named.split_once(':') {
        // Something behind a name that is kept up to there: '@address:@port'.
        Some((name, further)) if further.starts_with('@') => {
            let (text, rest) = text.rsplit_once(':')?;
            keep(further, rest, kept, new)?;
            return value(name, text.into(), kept, new);
        }
        Some((name, choices)) => (name, Some(choices)),
        None => (named, None),
    };
    let Some(choices) = choices else { return value(name, text.into(), kept, new) };
    let mut choices = choices.split('|').map(|one| one.split_once('>').unwrap_or((one, one)));
    let (_, called) = choices.find(|(one, _)| *one == text)?;
    value(name, called.into(), kept, new)
}

/// Keeps a value under its name, if that has no other one.
fn value<'a>(
    name: &'static str,
    text: Cow<'a, str>,
    kept: &Kept<'a>,
    new: &mut Kept<'a>,
) -> Option<()> {
    let known = kept.iter().chain(new.iter()).find(|(known, _)| *known == name);
    if text.is_empty() || known.is_some_and(|(_, known)| *known != text) {
        return None;
    }
    new.push((name, text));
    Some(())
}

/// The id that an option gives.
fn id(option: &QemuOption) -> Option<&str> {
    option.pairs.get("id").or(option.pairs.get("node-name"))
}

/// Whether a value of an option is this id.
fn names(option: &QemuOption, id: &str) -> bool {
    option.pairs.pairs.iter().any(|pair| pair.value == id)
}

/// The element with what was kept; nothing where a form can't be made of a value.
fn written(options: &Options<'_>, template: &str, kept: &Kept<'_>) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '[']) {
        text.push_str(&rest[..at]);
        let (close, is_optional) =
            if rest[at..].starts_with('[') { (']', true) } else { ('}', false) };
        let end = at + rest[at..].find(close)?;
        let inside = &rest[at + 1..end];
        if is_optional {
            let lacks = inside.split('{').skip(1).any(|part| {
                let name = part.split([':', '}']).next().unwrap_or_default();
                !kept.iter().any(|(known, _)| *known == name)
            });
            if !lacks {
                text.push_str(&written(options, inside, kept)?);
            }
        } else {
            text.push_str(&form(options, inside, kept)?);
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    Some(text)
}

/// One `{name:form}`.
fn form(options: &Options<'_>, said: &str, kept: &Kept<'_>) -> Option<String> {
    let (name, form) = said.split_once(':').unwrap_or((said, ""));
    if name == "free" {
        return free_target(options.case.document.tree(), form);
    }
    let text = &*kept.iter().find(|(known, _)| *known == name)?.1;
    let choice = |on: &str, off: &str| match text {
        "on" | "yes" | "true" => Some(on.to_owned()),
        "off" | "no" | "false" => Some(off.to_owned()),
        _ => None,
    };
    match form {
        "" => Some(quoted(text)),
        "on" => choice("on", "off"),
        "yes" => choice("yes", "no"),
        "all" => choice(" grab='all'", ""),
        // vdagent's mouse=on is what libvirt calls the client's.
        "mouse" => choice("client", "server"),
        "hex" => number(text).map(|number| format!("{number:#x}")),
        "kib" => size(text, 0).filter(|bytes| bytes % 1024 == 0).map(|b| (b >> 10).to_string()),
        // A display counts from port 5900 (RFC 6143, section 8).
        "vnc" => text.parse::<u16>().ok()?.checked_add(5900).map(|port| port.to_string()),
        "base" => text.rsplit('/').next().filter(|base| !base.is_empty()).map(quoted),
        "pci" => pci_address(text).map(|(domain, bus, slot, function)| {
            format!("domain='{domain:#06x}' bus='{bus:#04x}' slot='{slot:#04x}' function='{function:#x}'")
        }),
        _ => None,
    }
}

/// The first name of a disk with a prefix (`vd`) that no disk of the domain has.
fn free_target(tree: &Tree, prefix: &str) -> Option<String> {
    let (devices, _) = tree.child(0, "devices")?;
    let disks = tree.children(devices).filter(|(_, child)| child.name == "disk");
    let targets = disks.filter_map(|(disk, _)| tree.child(disk, "target")?.1.attribute("dev"));
    let taken: Vec<&str> = targets.collect();
    let mut names = ('a'..='z').map(|letter| format!("{prefix}{letter}"));
    names.find(|name| !taken.contains(&name.as_str()))
}
