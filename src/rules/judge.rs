//! From a document and a host to findings, in steps with names.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::order::order;
use super::{Case, Finding, Layer, RULES, Verdict, asked, layer, native, own, route};
use crate::domain::{Document, EntryId};
use crate::facts::{HostFacts, firmware, image, pci, pipes};
use crate::libvirt::Start;
use crate::qemu::{Access, CommandLine, Resource, Use};

/// All findings about a document on a host: arguments in order, then environment, then what belongs to no entry; the worst
/// first for each.
pub fn judge(document: &Document, line: &CommandLine, host: &HostFacts) -> Vec<Finding> {
    let mut whole = line.clone();
    pipes::settle(&mut whole.uses, host);
    firmware::settle(&mut whole, document.facts(), host);
    whole.uses.extend(chained(line, host));
    whole.uses.extend(pci::nodes(line, host));
    let answers = host.answers_to(document.source());
    let case = &Case { document, line: &whole, host, start: &Start::of(document, host), answers };
    let mut findings: Vec<Finding> = Vec::new();
    for rule in RULES {
        let found = (rule.check)(case);
        findings.extend(found.into_iter().map(|finding| Finding {
            rule: rule.id,
            layer: rule.layer,
            ..finding
        }));
    }
    asked::settle(case, &mut findings);
    allowances(case, &mut findings);
    first_bite(case, &mut findings);
    native::offer(case, &mut findings);
    own::withdraw(case, &mut findings);
    for remedy in findings.iter_mut().flat_map(|finding| &mut finding.remedies) {
        remedy.lets_in = route::reach(case, remedy);
    }
    let place = |finding: &Finding| {
        finding.entry.map_or((2, 0), |entry| (entry.list as usize, entry.index))
    };
    // Who asks for the host itself is named first.
    let waits = |finding: &Finding| finding.rule != own::HOST_OWNED.id;
    // QEMU takes the things that an argument names in the order of the uses.
    let mut turns: HashMap<(EntryId, &str), usize> = HashMap::new();
    for (at, usage) in case.line.uses.iter().enumerate() {
        turns.entry((usage.entry, usage.resource.name())).or_insert(at);
    }
    findings.sort_by_cached_key(|finding| {
        let of = finding.entry.zip(finding.resource.as_ref().map(Resource::name));
        let turn = of.and_then(|key| turns.get(&key).copied());
        let met = (turn, finding.met, finding.layer);
        (waits(finding), place(finding), finding.verdict, met)
    });
    findings
}

/// A file that an image is put together of.
const PART: &str = "a part of the image";

/// The uses that images bring along by their headers: a backing file is read, a data file opened as the image is, and so is a
/// file that an image is put together of.
fn chained(line: &CommandLine, host: &HostFacts) -> Vec<Use> {
    let mut found: Vec<Use> = Vec::new();
    let images = line
        .uses
        .iter()
        .filter(|usage| matches!(usage.resource, Resource::Path { chain: true, .. }));
    for usage in images {
        let mut todo = vec![usage.clone()];
        let mut seen = BTreeSet::new();
        while let Some(of) = todo.pop() {
            let Resource::Path { path, access, locks, .. } = &of.resource else { continue };
            let Some(image) = host.images.get(path) else { continue };
            let seen_before = !seen.insert(path.clone());
            if seen_before || seen.len() > image::MAX_CHAIN {
                continue;
            }
            let backing = image.backing.as_ref().and_then(|name| image::beside(path, name));
            let data = image.data.as_deref().map(image::data_file);
            let extents = image.extents.iter().filter_map(|name| image::beside(path, name));
            let extents = extents.map(|extent| (extent, *access, PART));
            let backing = backing.map(|backing| (backing, Access::Read, "a backing file"));
            let data = data.map(|data| (data, *access, "a data file"));
            for (next, access, what) in backing.into_iter().chain(data).chain(extents) {
                // A part is what it is, whatever its first bytes are.
                let chain = what != PART;
                let resource = Resource::Path { path: next, access, locks: *locks, chain };
                let next = Use { resource, what, at: 0..0, ..usage.clone() };
                found.push(next.clone());
                todo.push(next);
            }
        }
    }
    found
}

/// Of several layers that block the same use, only the one that is met first shows in QEMU's words ([`order`]).
fn first_bite(case: &Case<'_>, findings: &mut [Finding]) {
    let mut first: HashMap<(EntryId, String), (u8, Layer)> = HashMap::new();
    let of = |finding: &Finding| {
        if finding.verdict != Verdict::Blocks {
            return None;
        }
        Some((finding.entry?, finding.resource.as_ref()?.name().to_owned()))
    };
    for finding in &*findings {
        if let Some(key) = of(finding) {
            let met = (order(case, finding), finding.layer);
            let earliest = first.entry(key).or_insert(met);
            *earliest = met.min(*earliest);
        }
    }
    for finding in findings {
        finding.met = order(case, finding);
        let Some((_, layer)) = of(finding).and_then(|key| first.get(&key).copied()) else {
            continue;
        };
        finding.first = layer == finding.layer;
        if !finding.first {
            let message =
                format!("{} refuses it before: this shows once that is settled", layer.title());
            finding.evidence.push(message);
        }
    }
}

/// What a layer looked at and let through is said as well: silence could also mean that nobody looked.
fn allowances(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let key = |layer: Layer, entry: Option<EntryId>, resource: &Resource| {
        (layer, entry, resource.name().to_owned())
    };
    let mut spoken: HashSet<(Layer, Option<EntryId>, String)> = findings
        .iter()
        .filter_map(|finding| Some(key(finding.layer, finding.entry, finding.resource.as_ref()?)))
        .collect();
    for usage in &case.line.uses {
        for layer in layer::layers_of(case, usage) {
            if spoken.insert(key(layer, Some(usage.entry), &usage.resource)) {
                let message = format!("{} lets {} through", layer.title(), usage.resource.name());
                findings.push(Finding {
                    layer,
                    rule: "allowed",
                    ..Finding::of(usage, Verdict::Allows, message)
                });
            }
        }
    }
}
