//! What a family says: options, and the element that stands for them; and what it asks of the options.

use crate::domain::EntryId;
use crate::qemu::{Pairs, QemuOption, Version};
use crate::rules::{Case, Finding, Layer, Remedy, Scope, Verdict};
use crate::xml::EditSet;

/// Options and the native element that says the same.
pub(super) struct Plan {
    /// Places in [`crate::qemu::CommandLine::options`] that the element replaces; findings point at the first.
    pub(super) options: Vec<usize>,
    /// Where the element belongs, below the domain: `os/acpi`; empty for the domain itself.
    pub(super) parent: &'static str,
    /// The element, line by line.
    pub(super) lines: Vec<String>,
    /// A second element that belongs to it: where, and its lines.
    pub(super) also: Option<(&'static str, Vec<String>)>,
    /// What it is called in a sentence.
    pub(super) element: String,
    /// The libvirt that brought it.
    pub(super) since: Version,
    /// Layers that let the element's resource through by themselves.
    pub(super) satisfies: &'static [Layer],
}

/// Layers in which libvirt prepares what a device element names.
pub(super) const PREPARED: &[Layer] =
    &[Layer::Namespaces, Layer::Dac, Layer::Cgroups, Layer::Selinux, Layer::AppArmor, Layer::Qemu];

impl Plan {
    fn edits(&self, case: &Case<'_>) -> Option<EditSet> {
        let document = case.document;
        let entries: Vec<EntryId> =
            self.options.iter().flat_map(|&at| case.line.options[at].entries()).collect();
        let mut edits = document.remove(&entries);
        let elements = [(self.parent, &self.lines)]
            .into_iter()
            .chain(self.also.as_ref().map(|(parent, lines)| (*parent, lines)));
        for (parent, lines) in elements {
            let parents: Vec<&str> = parent.split('/').filter(|name| !name.is_empty()).collect();
            for edit in document.add_element(&parents, lines).ok()?.edits() {
                edits.push(edit.clone()).ok()?;
            }
        }
        Some(edits)
    }

    /// The remedy, where this libvirt has the element.
    pub(super) fn remedy(&self, case: &Case<'_>) -> Option<Remedy> {
        if case.host.libvirt_at_least(self.since) == Some(false) {
            return None;
        }
        let layers: Vec<&str> =
            self.satisfies.iter().filter(|l| **l != Layer::Qemu).map(|l| l.title()).collect();
        let why = if layers.is_empty() {
            "libvirt then knows of it".to_owned()
        } else {
            format!("libvirt then sees to {} itself", layers.join(", "))
        };
        // What is not there is missing in the element as well.
        let lacks = match self.missing(case) {
            Some(path) => format!("; {path} is not there for it either"),
            None => String::new(),
        };
        Some(Remedy::edit(
            Scope::Rewrite,
            format!("write it as {}: {why}{lacks}", self.element),
            self.edits(case)?,
        ))
    }

    /// A path that the options name and the host does not have; what QEMU would make is no such.
    fn missing<'a>(&self, case: &Case<'a>) -> Option<&'a str> {
        let entries = self.options.iter().flat_map(|&at| case.line.options[at].entries());
        let uses = entries.flat_map(|entry| case.line.uses_of(entry));
        let mut paths = uses.filter_map(|usage| usage.resource.path());
        let is_missing = |(path, access): &(&str, crate::qemu::Access)| {
            let walk = case.host.walk(path);
            !access.creates() && walk.is_ok_and(|walk| walk.target().is_none())
        };
        paths.find(is_missing).map(|(path, _)| path)
    }

    /// Whether an element can hold what the options say: libvirt prints a tab or a line end as it is and reads it as a blank, and
    /// XML has no way to write what JSON can.
    pub(super) fn can_be_written(&self, case: &Case<'_>) -> bool {
        let mut pairs = self.options.iter().flat_map(|&at| &case.line.options[at].pairs.pairs);
        pairs.all(|pair| !pair.value.contains(char::is_control))
    }

    fn entry(&self, case: &Case<'_>) -> EntryId {
        case.line.options[self.options[0]].place()
    }
}

/// The findings of one family.
pub(super) fn found(case: &Case<'_>, family: fn(&Options<'_>) -> Vec<Plan>) -> Vec<Finding> {
    let note = |plan: Plan| {
        let finding = Finding::at(
            plan.entry(case),
            Verdict::Note,
            format!("libvirt has an element for this: {}", plan.element),
        )
        .because(format!("since libvirt {}", plan.since));
        match plan.remedy(case) {
            Some(remedy) => finding.remedy(remedy),
            None => finding.because("the libvirt that is installed is older"),
        }
    };
    let plans = family(&Options::of(case)).into_iter();
    plans.filter(|plan| plan.can_be_written(case)).map(note).collect()
}

/// The options of a command line with their pairs, read once.
pub(super) struct Options<'a> {
    pub(super) case: &'a Case<'a>,
    list: Vec<(usize, &'static str, &'a Pairs)>,
}

impl<'a> Options<'a> {
    pub(super) fn of(case: &'a Case<'a>) -> Options<'a> {
        let read = case.line.options.iter().enumerate().filter(|(_, option)| option.is_read());
        Options {
            case,
            list: read.map(|(at, option)| (at, option.name(), &option.pairs)).collect(),
        }
    }

    /// Every option of a name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = (usize, &Pairs)> {
        self.list
            .iter()
            .filter(move |(_, found, _)| *found == name)
            .map(|(at, _, pairs)| (*at, *pairs))
    }

    /// The one option of a name whose `key` is `value`; nothing when several have it.
    pub(super) fn with(&self, name: &str, key: &str, value: &str) -> Option<(usize, &Pairs)> {
        let mut found = self.named(name).filter(|(_, pairs)| pairs.get(key) == Some(value));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Whether an id is named by more options than `times`.
    pub(super) fn named_elsewhere(&self, id: &str, times: usize) -> bool {
        self.times_named(id) > times
    }

    /// How many options have an id among their values, or set a property of what has it (`-set device.ID.key=…`).
    pub(super) fn times_named(&self, id: &str) -> usize {
        let names = |(_, option, pairs): &&(usize, &str, &Pairs)| {
            pairs.pairs.iter().any(|pair| {
                pair.value == id || *option == "set" && pair.key.split('.').nth(1) == Some(id)
            })
        };
        self.list.iter().filter(names).count()
    }

    /// An option by its place.
    pub(super) fn option(&self, at: usize) -> &'a QemuOption {
        &self.case.line.options[at]
    }

    /// Whether any option has a name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.case.line.options.iter().any(|option| option.name() == name)
    }
}

/// Whether all keys of an option are among those that the element can say.
pub(super) fn only(pairs: &Pairs, keys: &[&str]) -> bool {
    pairs.pairs.iter().all(|pair| keys.contains(&pair.key.as_str()))
}

/// A text inside single quotes.
pub(super) fn quoted(text: &str) -> String {
    crate::xml::escape::as_libvirt(text)
}

/// The rule of a family, which stands in the file of the family.
macro_rules! rule {
    ($name:ident, $id:literal, $summary:literal, $family:ident) => {
        pub(crate) static $name: Rule = Rule {
            id: $id,
            layer: Layer::Libvirt,
            summary: $summary,
            explain: include_str!(concat!("../../../assets/rules/", $id, ".md")),
            check: |case: &Case<'_>| -> Vec<Finding> { found(case, $family) },
        };
    };
}
pub(super) use rule;
