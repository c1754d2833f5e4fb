//! Huge pages: memory that the kernel keeps apart, of which a start takes all it needs at once.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict};
use crate::facts::kernel::HugePages;
use crate::qemu::{QemuOption, size};

pub(crate) static HUGE_PAGES: Rule = Rule {
    id: "huge-pages",
    layer: Layer::Host,
    summary: "the guest's memory is to lie in huge pages, and too few are free",
    explain: include_str!("../../../assets/rules/huge-pages.md"),
    check: huge_pages,
};

fn huge_pages(case: &Case<'_>) -> Vec<Finding> {
    let Some(pages) = case.host.kernel.huge_pages.yes() else { return Vec::new() };
    let mut findings = Vec::new();
    // What one takes the next one lacks.
    let mut taken: Vec<(u64, u64)> = Vec::new();
    for option in case.line.options("object") {
        let pairs = &option.pairs;
        // Without a reservation nothing is taken before the guest uses it.
        if pairs.on("reserve") == Some(false) {
            continue;
        }
        let wanted = pairs.get("size").and_then(|text| size(text, 0));
        let (Some(wanted), Some(page)) = (wanted, page(case, option, pages)) else { continue };
        let needed = wanted.div_ceil(page);
        let free = pages.iter().find(|kind| kind.size == page).map_or(0, |kind| kind.free);
        let before: u64 = taken.iter().filter(|(of, _)| *of == page).map(|(_, count)| count).sum();
        taken.push((page, needed));
        if before + needed <= free {
            continue;
        }
        let kilobytes = page >> 10;
        let path = format!("/sys/kernel/mm/hugepages/hugepages-{kilobytes}kB/nr_hugepages");
        findings.push(
            Finding::at(
                option.place(),
                Verdict::Blocks,
                format!("{needed} huge pages of {kilobytes} KiB are needed, and {free} are free"),
            )
            .because(format!(
                "{} says so; QEMU says 'unable to map backing store for guest RAM: Cannot allocate memory'",
                path.replace("nr_hugepages", "free_hugepages")
            ))
            .remedy(Remedy::none(
                Scope::DisableHost,
                format!("set more aside, soon after the host's start: echo NUMBER > {path} (for good: vm.nr_hugepages in /etc/sysctl.d)"),
            )),
        );
    }
    findings
}

/// The size of the pages that a memory object takes, in bytes; nothing for ordinary ones.
fn page(case: &Case<'_>, option: &QemuOption, pages: &[HugePages]) -> Option<u64> {
    let pairs = &option.pairs;
    let by_default = || pages.iter().find(|kind| kind.is_default).map(|kind| kind.size);
    match option.kind() {
        "memory-backend-memfd" if pairs.on("hugetlb") == Some(true) => {
            let named = pairs.get("hugetlbsize").and_then(|text| size(text, 0));
            named.filter(|size| *size > 0).or_else(by_default)
        }
        "memory-backend-file" => {
            let path = pairs.get("mem-path")?;
            let real = case.host.walk(path).ok()?.resolved();
            let mount = case.host.mount_of(real).filter(|mount| mount.fstype == "hugetlbfs")?;
            mount.value("pagesize").and_then(|text| size(text, 0)).or_else(by_default)
        }
        _ => None,
    }
}
