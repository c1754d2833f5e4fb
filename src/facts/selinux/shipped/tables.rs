//! The tables of assets/selinux, read when SELinux is first asked about.

use std::collections::HashMap;
use std::sync::LazyLock;

const POLICIES: &str = include_str!("../../../../assets/selinux/policies.tsv");
const TYPES: &str = include_str!("../../../../assets/selinux/types.tsv");
const ALLOWED: &str = include_str!("../../../../assets/selinux/allowed.tsv");
const MADE: &str = include_str!("../../../../assets/selinux/made.tsv");

/// Policies, each a bit: the place of its line in policies.tsv.
pub(super) type Set = u16;

/// A policy that a distribution ships.
#[derive(Debug)]
pub struct Policy {
    /// Its name in the tables.
    pub name: &'static str,
    /// Whose it is: `debian`, or `fedora` with all that come from it.
    pub family: &'static str,
    /// The release: Debian's `VERSION_ID`, else what is behind `platform:` in os-release.
    pub release: &'static str,
    /// Our domains that it lets do everything, and logs.
    pub permissive: Vec<&'static str>,
    /// Our domains that it binds to their categories (`mcs_constrained_type`).
    pub constrained: Vec<&'static str>,
}

/// One line of allowed.tsv, without its domains and its class.
pub(super) struct Row {
    pub(super) letters: &'static str,
    /// The booleans that it needs, if it does.
    pub(super) when: Option<&'static str>,
    pub(super) policies: Set,
    types: Vec<&'static str>,
}

impl Row {
    /// Whether it is about a type; `*` is about what no other row names.
    pub(super) fn names(&self, kind: &str) -> bool {
        self.types.binary_search(&kind).is_ok()
    }
}

/// What a new file becomes in a directory.
struct Made {
    domain: &'static str,
    class: &'static str,
    directory: &'static str,
    policies: Set,
    kind: &'static str,
}

/// All of them.
pub(super) struct Tables {
    pub(super) policies: Vec<Policy>,
    /// Types of files, and types of processes: the policies that have them.
    types: [HashMap<&'static str, Set>; 2],
    /// By domain, then by class.
    rows: HashMap<&'static str, HashMap<&'static str, Vec<Row>>>,
    made: Vec<Made>,
}

pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

/// The classes that are about a process.
const OF_PROCESSES: [&str; 3] = ["unix_stream_socket", "process", "capability"];

fn lines(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn list(field: &'static str) -> Vec<&'static str> {
    field.split(',').filter(|word| *word != "-").collect()
}

impl Tables {
    fn read() -> Tables {
        let policies: Vec<Policy> = lines(POLICIES)
            .map(|line| Policy {
                name: line[0],
                family: line[1],
                release: line[2],
                permissive: list(line[3]),
                constrained: list(line[4]),
            })
            .collect();
        let mut tables =
            Tables { policies, types: Default::default(), rows: HashMap::new(), made: Vec::new() };
        for line in lines(TYPES) {
            let set = tables.set(line[1]);
            for kind in line[2].split(' ') {
                *tables.types[usize::from(line[0] == "processes")].entry(kind).or_default() |= set;
            }
        }
        for line in lines(ALLOWED) {
            let policies = tables.set(line[4]);
            for domain in line[0].split(',') {
                let classes = tables.rows.entry(domain).or_default();
                classes.entry(line[1]).or_default().push(Row {
                    letters: line[2].trim_start_matches('-'),
                    when: Some(line[3]).filter(|when| *when != "-"),
                    policies,
                    types: line[5].split(' ').collect(),
                });
            }
        }
        for line in lines(MADE) {
            let policies = tables.set(line[2]);
            for directory in line[4].split(' ') {
                let (domain, class, kind) = (line[0], line[1], line[3]);
                tables.made.push(Made { domain, class, directory, policies, kind });
            }
        }
        tables
    }

    /// The policies of a field: their names, families, or `*`.
    fn set(&self, field: &str) -> Set {
        let fits = |policy: &Policy| {
            field.split(',').any(|word| ["*", policy.name, policy.family].contains(&word))
        };
        self.pick(fits)
    }

    /// The policies that something is true of.
    pub(super) fn pick(&self, fits: impl Fn(&Policy) -> bool) -> Set {
        let bits = self.policies.iter().enumerate().filter(|(_, policy)| fits(policy));
        bits.fold(0, |set, (at, _)| set | 1 << at)
    }

    /// The policies of a set.
    pub(super) fn each(&self, set: Set) -> impl Iterator<Item = (Set, &Policy)> {
        let bits = self.policies.iter().enumerate().map(|(at, policy)| (1 << at, policy));
        bits.filter(move |(bit, _)| set & bit != 0)
    }

    /// The policies that have a type of file, or of process where the class is about one.
    pub(super) fn having(&self, kind: &str, class: &str) -> Set {
        self.types[usize::from(OF_PROCESSES.contains(&class))]
            .get(kind)
            .copied()
            .unwrap_or_default()
    }

    /// The types that all of some policies have, of processes or of files.
    pub(super) fn types(&self, policies: Set, class: &str) -> Vec<&'static str> {
        let types = &self.types[usize::from(OF_PROCESSES.contains(&class))];
        let all = types.iter().filter(|(_, set)| **set & policies == policies);
        all.map(|(kind, _)| *kind).collect()
    }

    /// The domains that rows are about.
    pub(super) fn domains(&self) -> impl Iterator<Item = &'static str> {
        self.rows.keys().copied()
    }

    /// What is said about a domain and a class.
    pub(super) fn rows(&self, domain: &str, class: &str) -> &[Row] {
        let rows = self.rows.get(domain).and_then(|classes| classes.get(class));
        rows.map_or(&[], Vec::as_slice)
    }

    /// Whether the tables say what a domain may do.
    pub(super) fn knows(&self, domain: &str) -> bool {
        self.rows.contains_key(domain)
    }

    /// What a new file becomes in a directory, where it does not take its type.
    pub(super) fn made(
        &self,
        domain: &str,
        class: &str,
        directory: &str,
        policy: Set,
    ) -> Option<&'static str> {
        let about =
            |made: &&Made| (made.domain, made.class, made.directory) == (domain, class, directory);
        let found = self.made.iter().filter(about).find(|made| made.policies & policy != 0);
        found.map(|made| made.kind)
    }

    /// The booleans that rows name.
    pub(super) fn booleans(&self) -> impl Iterator<Item = &'static str> {
        let rows = self.rows.values().flat_map(HashMap::values).flatten();
        rows.filter_map(|row| row.when)
            .flat_map(|when| when.split([' ', '!', '(', ')', '&', '|']))
            .filter(|word| !word.is_empty())
    }
}
