//! Options that libvirt passes as well, and whose values QEMU merges: numbers that don't fit together any more.

use super::{Case, Finding, Remedy, Scope, Verdict};
use crate::domain::{Chipset, EntryId, Processors};
use crate::qemu::{Pairs, QemuOption, size};

/// What `option-conflict` says about `-m`, `-smp` and `-machine`.
pub(super) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let judged = |option: &QemuOption| {
        let (value, pairs) = (option.value?, &option.pairs);
        let finding = match option.name() {
            "m" => memory(case, value, pairs),
            "smp" => processors(case, value, pairs),
            "machine" | "M" => machine(case, value, pairs),
            _ => None,
        }?;
        let ids: Vec<EntryId> = option.entries().collect();
        Some(finding.remedy(Remedy::edit(
            Scope::Rewrite,
            "delete the option",
            case.document.remove(&ids),
        )))
    };
    case.line.options.iter().filter_map(judged).collect()
}

/// libvirt gives the memory a backend of its own size, which `-m` must keep.
fn memory(case: &Case<'_>, value: usize, pairs: &Pairs) -> Option<Finding> {
    let asked = size(pairs.get("size")?, 20)?;
    let facts = case.document.facts();
    let given = if facts.divided_memory { None } else { facts.memory };
    let (verdict, message) = match given {
        Some(memory) if memory == asked => return None,
        Some(memory) => (
            Verdict::Blocks,
            format!("-m asks for {asked} bytes of memory, and <memory> has given {memory}"),
        ),
        None => {
            (Verdict::Warns, "-m must ask for just as much memory as libvirt has given".to_owned())
        }
    };
    let finding = Finding::at(EntryId::arg(value), verdict, message);
    Some(
        finding.because(
            "QEMU says 'Machine memory size does not match the size of the memory backend'",
        ),
    )
}

/// `-smp` keeps every number of libvirt's that it does not name itself (`machine_parse_smp_config`).
fn processors(case: &Case<'_>, value: usize, pairs: &Pairs) -> Option<Finding> {
    let number = |key: &str| pairs.get(key).and_then(|text| text.parse::<u32>().ok());
    let Processors { max, current, sockets, dies, cores, threads } =
        case.document.facts().processors?;
    let cpus = number("cpus").unwrap_or(current);
    let all = number("maxcpus").unwrap_or(if current < max { max } else { cpus });
    let of = |key: &str, own: u32| u64::from(number(key).unwrap_or(own));
    let parts = [
        of("sockets", sockets),
        of("dies", dies),
        of("clusters", 1),
        of("cores", cores),
        of("threads", threads),
    ];
    // Five numbers of 32 bits can be more than one of 64.
    let product = parts.into_iter().fold(1, u64::saturating_mul);
    let words = if product != u64::from(all) {
        format!("sockets × dies × cores × threads are {product}, and the processors {all}")
    } else if cpus > all {
        format!("{cpus} processors are more than the {all} there can be")
    } else {
        return None;
    };
    Some(
        Finding::at(EntryId::arg(value), Verdict::Blocks, format!("-smp beside libvirt's own does not add up: {words}"))
            .because(format!("libvirt passes {max} with sockets={sockets},cores={cores},threads={threads}; QEMU merges the two and says 'Invalid CPU topology'"))
            .remedy(Remedy::none(Scope::Rewrite, "say it in <vcpu> and <cpu><topology>")),
    )
}

fn machine(case: &Case<'_>, value: usize, pairs: &Pairs) -> Option<Finding> {
    let asked = Chipset::of(pairs.get("type")?)?;
    let own = case.document.facts().chipset()?;
    let name = |chipset| if chipset == Chipset::Q35 { "q35" } else { "pc" };
    (asked != own).then(|| {
        Finding::at(
            EntryId::arg(value),
            Verdict::Blocks,
            format!(
                "-machine makes the machine a {}, and libvirt's devices are laid out for {}",
                name(asked),
                name(own)
            ),
        )
        .because("QEMU says \"Bus 'pci.0' not found\", or \"Bus 'pcie.0' not found\"")
        .remedy(Remedy::none(
            Scope::Rewrite,
            "name it in <os><type machine='…'>: virsh define then lays the devices out anew",
        ))
    })
}
