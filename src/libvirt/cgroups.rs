//! The control group that libvirt makes for a VM, and whether it filters devices.
//!
//! As libvirt 9.0 does it (`virCgroupNewMachine`, `virCgroupDetectControllers`); measured on hosts with both versions and with
//! version 2 alone: tests/oracle/cgroups.tsv.

use std::collections::BTreeSet;

use crate::facts::cgroup::Cgroups;
use crate::facts::{HostFacts, Known};

/// What becomes of a VM's control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    /// It filters devices.
    Filters,
    /// It filters none, or there is no group.
    Open,
    /// libvirt can't make it and says so: no VM starts.
    Fails(String),
    /// Nobody can say, and why.
    Unknown(String),
}

/// What libvirt calls the controllers of version 2 that it knows, and what they are called in `qemu.conf`.
const UNIFIED: [(&str, &str); 7] = [
    ("cpu", "cpu"),
    ("cpuset", "cpuset"),
    ("memory", "memory"),
    ("freezer", "freezer"),
    ("io", "blkio"),
    ("net_cls", "net_cls"),
    ("perf_event", "perf_event"),
];

/// What version 2 has without a controller of that name.
const IMPLIED: [&str; 2] = ["cpuacct", "devices"];

const SYSTEMD: &str = "name=systemd";

/// Lists that may leave a VM without a filter, the one that takes least away first.
pub const LISTS: [&[&str]; 3] =
    [&[], &["cpu", "memory", "blkio", "cpuset", "cpuacct"], &["cpuacct"]];

/// The group on a host with the controllers that its `qemu.conf` asks for.
pub fn group(host: &HostFacts) -> Group {
    if !host.is_system() {
        return Group::Open;
    }
    group_of(&host.cgroups, host.conf.list("cgroup_controllers").as_deref())
}

/// The group where `qemu.conf` asks for these controllers, or for none in particular.
pub fn group_of(cgroups: &Cgroups, wanted: Option<&[&str]>) -> Group {
    match &cgroups.devices {
        Known::Yes(false) => return Group::Open,
        Known::Unknown(why) => return Group::Unknown(why.clone()),
        Known::Yes(true) => {}
    }
    let Some(wanted) = wanted else { return Group::Filters };
    let mut ways = possible(cgroups).into_iter().map(|way| way.group(wanted));
    let first = ways.next().unwrap_or(Group::Filters);
    if ways.all(|other| other == first) {
        return first;
    }
    Group::Unknown("which controllers version 2 of control groups has, or whether systemd-machined makes the groups, was not recorded".to_owned())
}

/// One way in which a host may be.
struct Way {
    /// What version 2 has; `None` where it has nothing, and libvirt takes it for absent (`virCgroupV2Available`).
    unified: Option<BTreeSet<String>>,
    legacy: Vec<BTreeSet<String>>,
    machined: bool,
}

/// Every way in which a host may be that said this much.
fn possible(cgroups: &Cgroups) -> Vec<Way> {
    let machined = match cgroups.machined {
        Known::Yes(machined) => vec![machined],
        Known::Unknown(_) => vec![true, false],
    };
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let unified: Vec<Option<BTreeSet<String>>> = match &cgroups.unified {
        Known::Yes(Some(all)) if !all.is_empty() => vec![Some(all.iter().cloned().collect())],
        Known::Yes(_) => vec![None],
        Known::Unknown(_) if cgroups.version == Some(2) => {
            vec![names(&["hugetlb"]), names(&["cpu", "cpuset", "io", "memory"])]
        }
        Known::Unknown(_) => vec![None, names(&["hugetlb"])],
    };
    let known: Vec<&str> =
        UNIFIED.iter().map(|(_, name)| *name).chain(IMPLIED).chain([SYSTEMD]).collect();
    let mut legacy: Vec<BTreeSet<String>> = cgroups
        .legacy
        .iter()
        .map(|all| all.iter().filter(|name| known.contains(&name.as_str())).cloned().collect())
        .collect();
    // Older recordings have no hierarchies.
    if cgroups.legacy.is_empty() && cgroups.version == Some(1) {
        legacy = known.iter().map(|name| BTreeSet::from([(*name).to_owned()])).collect();
    }
    let ways = machined.into_iter().flat_map(|machined| {
        let of = |unified: &Option<BTreeSet<String>>| Way {
            unified: unified.clone(),
            legacy: legacy.clone(),
            machined,
        };
        unified.iter().map(of).collect::<Vec<Way>>()
    });
    ways.collect()
}

impl Way {
    fn group(&self, wanted: &[&str]) -> Group {
        let mut wanted: BTreeSet<&str> = wanted.iter().copied().collect();
        if self.machined {
            wanted.insert(SYSTEMD);
        }
        let unified = self.unified(&wanted);
        let is_legacy = |name: &str| {
            wanted.contains(name) && !unified.as_ref().is_some_and(|all| all.contains(name))
        };
        let mut legacy = BTreeSet::new();
        for together in &self.legacy {
            let (taken, left): (Vec<&str>, Vec<&str>) =
                together.iter().map(String::as_str).partition(|name| is_legacy(name));
            let unwanted = left.iter().find(|name| !wanted.contains(*name));
            if let (Some(taken), Some(unwanted)) = (taken.first(), unwanted) {
                return Group::Fails(format!(
                    "V1 controller '{unwanted}' is not wanted, but '{taken}' is co-mounted"
                ));
            }
            legacy.extend(taken);
        }
        let none_of_unified = unified.as_ref().is_none_or(BTreeSet::is_empty);
        if none_of_unified && legacy.is_empty() {
            // "At least one cgroup controller is required", which libvirt takes for a host without control groups.
            return Group::Open;
        }
        if unified.as_ref().is_some_and(BTreeSet::is_empty) {
            return Group::Fails("v2 controller '(null)' is not available".to_owned());
        }
        // The group that libvirt makes itself has everything again that its parent has in version 2.
        let has_all = unified.is_some() && !self.machined;
        let named =
            unified.is_some_and(|all| all.contains("devices")) || legacy.contains("devices");
        if has_all || named { Group::Filters } else { Group::Open }
    }

    /// What is wanted of version 2, where it is there.
    fn unified<'a>(&self, wanted: &BTreeSet<&'a str>) -> Option<BTreeSet<&'a str>> {
        let there = self.unified.as_ref()?;
        let has = |name: &&str| {
            let listed = UNIFIED.iter().find(|(_, called)| called == name);
            IMPLIED.contains(name) || listed.is_some_and(|(own, _)| there.contains(*own))
        };
        Some(wanted.iter().copied().filter(has).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(unified: Option<&str>, legacy: &str, machined: bool) -> Cgroups {
        let words = |text: &str, by: char| {
            text.split(by).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        Cgroups {
            version: Some(if legacy.contains("devices") { 1 } else { 2 }),
            devices: Known::Yes(true),
            unified: Known::Yes(unified.map(|text| words(text, ' '))),
            legacy: legacy
                .split(' ')
                .filter(|all| !all.is_empty())
                .map(|all| words(all, ','))
                .collect(),
            machined: Known::Yes(machined),
        }
    }

    fn of(host: &Cgroups, wanted: &str) -> &'static str {
        let wanted: Vec<&str> = wanted.split(' ').filter(|word| !word.is_empty()).collect();
        match group_of(host, Some(&wanted)) {
            Group::Filters => "filters",
            Group::Open => "open",
            Group::Fails(_) => "fails",
            Group::Unknown(_) => "unknown",
        }
    }

    const SINGLE: &str = "cpu cpuacct cpuset memory devices freezer blkio pids name=systemd";

    #[test]
    fn libvirt_s_own_group_has_the_filter_back_with_any_controller_of_version_2() {
        // Started so under libvirt 9.0.0, on both.
        for (wanted, both, alone) in [
            ("", "open", "open"),
            ("devices", "filters", "filters"),
            ("cpu memory", "fails", "open"),
            ("cpu", "fails", "open"),
            ("cpuset", "fails", "open"),
            ("blkio", "fails", "open"),
            ("freezer", "fails", "open"),
            ("cpuacct", "filters", "filters"),
            ("cpu cpuacct", "filters", "filters"),
            ("cpu memory blkio cpuset cpuacct", "filters", "filters"),
            ("cpu devices memory", "filters", "filters"),
        ] {
            assert_eq!(of(&host(Some("hugetlb"), SINGLE, false), wanted), both, "{wanted}");
            assert_eq!(of(&host(Some("hugetlb"), "", false), wanted), alone, "{wanted}");
        }
        let usual = host(Some("cpuset cpu io memory hugetlb pids"), "", false);
        assert_eq!(of(&usual, "cpu memory"), "filters");
        assert_eq!(of(&usual, ""), "open");
    }

    #[test]
    fn version_1_alone_does_without_what_is_left_out() {
        // A tree of systemd's alone, without controllers, is none for libvirt.
        let systemd =
            "cpu,cpuacct cpuset memory devices freezer blkio net_cls,net_prio name=systemd";
        for machined in [true, false] {
            let host = host(Some(""), systemd, machined);
            assert_eq!(of(&host, "cpu cpuacct memory blkio cpuset"), "open");
            assert_eq!(of(&host, "devices"), "filters");
            assert_eq!(of(&host, "cpu memory"), "fails");
            assert_eq!(of(&host, ""), "open");
        }
    }

    #[test]
    fn machined_s_group_has_what_was_asked_for() {
        let usual = host(Some("cpuset cpu io memory hugetlb pids"), "", true);
        assert_eq!(of(&usual, "cpu memory"), "open");
        assert_eq!(of(&usual, "cpu memory devices"), "filters");
        assert_eq!(of(&usual, ""), "open");
    }

    #[test]
    fn what_was_not_recorded_is_unknown_only_where_it_matters() {
        let version_2 =
            Cgroups { version: Some(2), devices: Known::Yes(true), ..Cgroups::default() };
        assert_eq!(group_of(&version_2, None), Group::Filters);
        assert_eq!(of(&version_2, ""), "open");
        assert_eq!(of(&version_2, "cpu memory"), "unknown");
    }
}
