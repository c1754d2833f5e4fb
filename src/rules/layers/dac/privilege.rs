//! What only root may do: another user, another root directory, a new tap, a low port, much locked memory.

use super::{Case, Finding, Layer, READ, Remedy, Rule, Scope, Verdict, disable, permits};
use crate::domain::EntryId;
use crate::facts::identity::Identity;
use crate::facts::{Known, Walk, bridge};
use crate::qemu::{PCI_DEVICES, Resource, Use};
use crate::rules::layers::seccomp;
use crate::words::AND;

/// A program runs as its owner (`S_ISUID`).
const SET_USER: u32 = 0o4000;

pub(crate) static PRIVILEGE: Rule = Rule {
    id: "dac-privilege",
    layer: Layer::Dac,
    summary: "only root may change the user or the root directory",
    explain: include_str!("../../../../assets/rules/dac-privilege.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        if who.uid == 0 {
            return Vec::new();
        }
        let changes = case
            .line
            .uses
            .iter()
            .filter(|usage| matches!(usage.resource, Resource::Privilege { .. }));
        changes
            .map(|usage| {
                let message = format!("{} may not {}", who.user, usage.resource.name());
                Finding::of(usage, Verdict::Blocks, message)
                    .because(who.sentence())
                    .because("QEMU says 'Failed to setgid' or 'chroot failed'")
                    .remedy(Remedy::none(
                        Scope::Rewrite,
                        "leave the option out, and say in a <seclabel model='dac'> who QEMU is to run as",
                    ))
            })
            .collect()
    },
};

pub(crate) static TAP: Rule = Rule {
    id: "dac-tap",
    layer: Layer::Dac,
    summary: "only root may make a tap interface, or take one of another user",
    explain: include_str!("../../../../assets/rules/dac-tap.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        let judged = |usage: &Use| {
            let Resource::Tap { name } = &usage.resource else { return None };
            if who.uid == 0 { None } else { tap(case, who, usage, name) }
        };
        let mut findings: Vec<Finding> = case.line.uses.iter().filter_map(judged).collect();
        // Where the filter lets no program run, that is said by its own rule.
        if !seccomp::denies(case, "spawn") {
            findings.extend(case.line.uses.iter().filter_map(|usage| helper(case, who, usage)));
        }
        findings
    },
};

/// What a bridge helper needs (`main` of qemu-bridge-helper.c): a list that lets the bridge be used, and that QEMU's user may read,
/// since the helper becomes that user first; the bridge; and the capability to make a tap, of its own or of root's.
fn helper(case: &Case<'_>, who: &Identity, usage: &Use) -> Option<Finding> {
    let bridge = case.line.bridge(usage)?;
    let walk = case.host.walk(usage.resource.program()?).ok()?;
    let program = walk.target()?;
    let bridges = &case.host.bridges;
    let native = Remedy::none(
        Scope::Rewrite,
        "use <interface type='bridge'>: libvirt makes the tap and hands it to QEMU",
    );
    let list = match &bridges.rules {
        Known::Yes(rules) => bridge::allows(rules, bridge),
        Known::Unknown(why) => {
            let message =
                format!("whether {} lets {bridge} be used is not known: {why}", bridge::LIST);
            return Some(Finding::of(usage, Verdict::Unknown, message).remedy(native));
        }
    };
    let is_roots = program.uid == 0 && program.mode & SET_USER != 0;
    let mount = case.host.mount_of(&program.path);
    let is_capable = is_roots || bridges.capable.contains(&program.path) || who.uid == 0;
    let without = mount.is_some_and(|mount| mount.has("nosuid")) && who.uid != 0;
    let list_walk = case.host.walk(bridge::LIST).ok().and_then(Walk::target);
    let message = if list_walk.is_some_and(|step| !permits(case, who, step, READ)) {
        format!("{} may not read {}, which the bridge helper goes by", who.user, bridge::LIST)
    } else if !list {
        format!("{} does not let the bridge {bridge} be used", bridge::LIST)
    } else if !bridges.there.contains(bridge) {
        format!("there is no bridge {bridge} on this host")
    } else if !is_capable || without {
        format!(
            "{} may not make a tap interface: it is neither setuid root nor has it cap_net_admin",
            program.path
        )
    } else {
        return None;
    };
    let finding = Finding::of(usage, Verdict::Blocks, message)
        .because("QEMU says 'bridge helper failed', and the helper why, in the domain's log")
        .because(case.host.describe(program))
        .remedy(native);
    Some(finding)
}

/// `tun_not_capable` (drivers/net/tun.c): a tap that is there is for its owner and its group, a new one for `CAP_NET_ADMIN`.
fn tap(case: &Case<'_>, who: &Identity, usage: &Use, name: &str) -> Option<Finding> {
    let new = name.contains('%');
    let message = match case.host.taps.get(name) {
        Some(tap)
            if tap.owner.is_none_or(|uid| uid == who.uid)
                && tap.group.is_none_or(|gid| who.in_group(gid)) =>
        {
            return None;
        }
        Some(_) => format!("the tap interface {name} belongs to another user than {}", who.user),
        None if new => format!("{} may not make a tap interface", who.user),
        None => format!("there is no tap interface {name}, and {} may not make one", who.user),
    };
    let name = if new { "tap0" } else { name };
    let add: &[&str] = &["ip", "tuntap", "add", "dev", name, "mode", "tap", "user", &who.user];
    let taken: &[&str] = &["ip", "tuntap", "del", "dev", name, "mode", "tap", AND];
    let finding = Finding::of(usage, Verdict::Blocks, message)
        .because(who.sentence())
        .because("QEMU says 'could not configure /dev/net/tun: Operation not permitted'")
        .remedy(Remedy::none(
            Scope::Rewrite,
            "use <interface type='bridge'> or <interface type='network'>: libvirt makes the tap and hands it to QEMU",
        ));
    let finding = if new {
        finding.remedy(Remedy::none(
            Scope::Grant,
            format!("make one for {} ('{}'), and name it: ifname=tap0", who.user, add.join(" ")),
        ))
    } else {
        let command =
            if case.host.taps.contains_key(name) { [taken, add].concat() } else { add.to_vec() };
        finding.remedy(Remedy::command(
            Scope::Grant,
            format!("make it for {}, until the next boot", who.user),
            &command,
        ))
    };
    Some(disable(case, finding))
}

pub(crate) static PORT: Rule = Rule {
    id: "dac-low-port",
    layer: Layer::Dac,
    summary: "only root may listen on a low port",
    explain: include_str!("../../../../assets/rules/dac-low-port.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        if who.uid == 0 {
            return Vec::new();
        }
        let setting = &case.host.kernel.first_port;
        // What is not known may be the kernel's own default.
        let first = *setting.yes().unwrap_or(&1024);
        let low = case.line.uses.iter().filter_map(|usage| {
            let Resource::Network { listen: true, endpoint: Some(endpoint), .. } = &usage.resource
            else {
                return None;
            };
            (endpoint.port < first).then_some((usage, endpoint.port))
        });
        low.map(|(usage, port)| {
            if let Known::Unknown(why) = setting {
                let message =
                    format!("whether {} may listen on port {port} is not known", who.user);
                let why = format!("net.ipv4.ip_unprivileged_port_start: {why}");
                return Finding::of(usage, Verdict::Unknown, message).because(why);
            }
            let finding = Finding::of(
                usage,
                Verdict::Blocks,
                format!("{} may not listen on port {port}", who.user),
            )
            .because(who.sentence())
            .because(format!(
                "net.ipv4.ip_unprivileged_port_start is {first}; QEMU says 'Permission denied'"
            ))
            .remedy(Remedy::none(Scope::Rewrite, format!("take a port from {first} on")));
            let finding = disable(case, finding);
            finding.remedy(Remedy::command(
                Scope::DisableHost,
                "open the port to every user of the host, until the next boot",
                &["sysctl", "-w", &format!("net.ipv4.ip_unprivileged_port_start={port}")],
            ))
        })
        .collect()
    },
};

pub(crate) static LOCKED_MEMORY: Rule = Rule {
    id: "locked-memory",
    layer: Layer::Dac,
    summary: "QEMU's user may not lock as much memory as the guest has",
    explain: include_str!("../../../../assets/rules/locked-memory.md"),
    check: |case| {
        let Ok(who) = case.identity() else { return Vec::new() };
        if who.uid == 0 || case.document.facts().raises_memlock {
            return Vec::new();
        }
        let locks = case
            .line
            .options("overcommit")
            .filter(|option| option.pairs.on("mem-lock") == Some(true));
        let locks = locks.map(|option| (option.place(), "locking memory failed"));
        // Every page that a device may write is pinned (`vfio_pin_pages_remote`, drivers/vfio/vfio_iommu_type1.c).
        let pins = case.line.uses.iter().filter(|usage| is_pci(usage)).map(|usage| {
            (
                usage.entry,
                "vfio … failed to setup container …: memory listener initialization failed",
            )
        });
        locks.chain(pins).filter_map(|(entry, said)| locked(case, entry, said)).collect()
    },
};

/// Whether a PCI device, and not a mediated one, gets at the guest's memory itself.
fn is_pci(usage: &Use) -> bool {
    usage.resource.sysfs().is_some_and(|directory| directory.starts_with(PCI_DEVICES))
}

/// libvirt raises the limit only for native elements (`qemuDomainGetMemLockLimitBytes`); QEMU has the daemon's otherwise. QEMU says
/// `said` where it does not suffice.
fn locked(case: &Case<'_>, entry: EntryId, said: &str) -> Option<Finding> {
    let is_device = case.line.uses.iter().any(|usage| usage.entry == entry && is_pci(usage));
    let native = Remedy::none(
        Scope::Rewrite,
        if is_device {
            "use <hostdev>, or <memtune><hard_limit>: libvirt then raises the limit"
        } else {
            "use <memoryBacking><locked/></memoryBacking> with <memtune><hard_limit>: libvirt then raises the limit"
        },
    );
    let memory = case.document.facts().memory?;
    match &case.host.kernel.memlock {
        Known::Yes(Some(limit)) if *limit < memory => Some(
            Finding::at(entry, Verdict::Blocks, "QEMU may not lock the guest's memory")
                .because(format!("libvirt's daemon may lock {limit} bytes (RLIMIT_MEMLOCK), and QEMU inherits that"))
                .because(format!("the guest has {memory} bytes; QEMU says '{said}'"))
                .remedy(native),
        ),
        Known::Yes(_) => None,
        Known::Unknown(why) => Some(
            Finding::at(
                entry,
                Verdict::Unknown,
                format!("whether QEMU may lock the guest's memory is not known: {why}"),
            )
            .remedy(native),
        ),
    }
}
