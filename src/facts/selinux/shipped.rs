//! The policies that distributions ship: what they allow, where the kernel's own could not be asked.
//!
//! The tables are made of the compiled policies by `tests/selinux/table` and compared with them by `tests/selinux.rs`. Where
//! the host's release is in them, its policy answers; otherwise those of its family, as far as they all say the same.

mod tables;

use std::collections::{BTreeMap, BTreeSet};

use super::Selinux;
pub use tables::Policy;
use tables::{Set, TABLES};

/// What stands in the way of an answer, as a sentence without its stop.
pub type Unknown = String;

/// The policies that may be a host's.
#[derive(Clone, Copy)]
pub struct Shipped<'a> {
    booleans: &'a BTreeMap<String, bool>,
    policies: Set,
}

/// Types in a question to the policy.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The process's.
    pub source: &'a str,
    /// That of what it asks about.
    pub target: &'a str,
    /// The object class of that.
    pub class: &'a str,
}

impl<'a> Shipped<'a> {
    /// Those of a host, by its os-release.
    pub fn of(selinux: &'a Selinux) -> Result<Shipped<'a>, Unknown> {
        match candidates(selinux) {
            0 => Err(format!(
                "no policy of this system ('{}') is in the shipped tables",
                selinux.distribution
            )),
            policies => Ok(Shipped { booleans: &selinux.booleans, policies }),
        }
    }

    /// One policy by its name in the tables.
    pub fn named(name: &str, booleans: &'a BTreeMap<String, bool>) -> Option<Shipped<'a>> {
        let policies = TABLES.pick(|policy| policy.name == name);
        (policies != 0).then_some(Shipped { booleans, policies })
    }

    /// Which of some permissions are denied.
    pub fn denied(
        self,
        question: Question<'_>,
        wanted: &[&'static str],
    ) -> Result<Vec<&'static str>, Unknown> {
        self.known(question)?;
        let mut found: Option<Vec<&'static str>> = None;
        for (bit, policy) in TABLES.each(self.policies) {
            let given = self.given(bit, question, wanted)?;
            let missing: Vec<&'static str> =
                wanted.iter().copied().filter(|wanted| !given.contains(wanted)).collect();
            if !missing.is_empty() && policy.permissive.contains(&question.source) {
                let (name, source) = (policy.name, question.source);
                return Err(format!(
                    "the policy of {name} only logs what {source} does without leave; newer ones need not"
                ));
            }
            match &found {
                None => found = Some(missing),
                Some(other) if other.is_empty() != missing.is_empty() => {
                    return Err("the policies of its releases differ in this".to_owned());
                }
                Some(_) => {}
            }
        }
        Ok(found.unwrap_or_default())
    }

    /// All that is allowed, where it is known.
    pub fn allowed(self, question: Question<'_>) -> Result<BTreeSet<&'static str>, Unknown> {
        self.known(question)?;
        let mut all = BTreeSet::new();
        for (bit, _) in TABLES.each(self.policies) {
            all.extend(self.given(bit, question, &[])?);
        }
        Ok(all)
    }

    /// Whether the policies have the types, and the tables say what the process may do.
    fn known(self, question: Question<'_>) -> Result<(), Unknown> {
        let Question { source, target, class } = question;
        let lacks = |kind, class| TABLES.having(kind, class) & self.policies != self.policies;
        if !TABLES.knows(source) || lacks(source, "process") {
            return Err(format!("the shipped tables do not say what {source} may do"));
        }
        if lacks(target, class) {
            return Err(format!("the shipped tables do not know the type {target}"));
        }
        Ok(())
    }

    /// What one policy gives; a boolean that is not known is an error where it decides about what is wanted.
    fn given(
        self,
        policy: Set,
        question: Question<'_>,
        wanted: &[&'static str],
    ) -> Result<BTreeSet<&'static str>, Unknown> {
        let class = question.class;
        let mut given: BTreeSet<_> = permissions(class, always(policy, question)).collect();
        let mut open = Vec::new();
        for (when, letters) in sometimes(policy, question) {
            match holds(when, self.booleans) {
                Some(true) => given.extend(permissions(class, letters)),
                Some(false) => {}
                None => open.push((when, letters)),
            }
        }
        for (when, letters) in open {
            let decides = |permission| wanted.contains(&permission) && !given.contains(permission);
            if permissions(class, letters).any(decides) {
                return Err(format!("whether the boolean {when} is on is not known"));
            }
        }
        Ok(given)
    }

    /// What a new file (or socket, by the class) becomes in a directory, where it does not take the directory's type.
    pub fn made(self, question: Question<'_>) -> Result<Option<&'static str>, Unknown> {
        self.known(Question { class: "dir", ..question })?;
        let Question { source, target, class } = question;
        let each = TABLES.each(self.policies);
        let found: BTreeSet<_> =
            each.map(|(bit, _)| TABLES.made(source, class, target, bit)).collect();
        match found.len() {
            0 | 1 => Ok(found.into_iter().next().flatten()),
            _ => Err("the policies of its releases differ in what a new file becomes".to_owned()),
        }
    }

    /// Whether the policies have a type of process; `None` for one that no policy of the tables has.
    pub fn has_process(self, kind: &str) -> Option<bool> {
        let having = TABLES.having(kind, "process");
        match having & self.policies {
            set if set == self.policies => Some(true),
            0 if having != 0 => Some(false),
            _ => None,
        }
    }

    /// The booleans any of which alone gives what is denied, those for VMs first.
    pub fn openers(self, question: Question<'_>, wanted: &[&str]) -> Vec<&'static str> {
        let mut found = BTreeSet::new();
        if wanted.is_empty() {
            return Vec::new();
        }
        for (bit, _) in TABLES.each(self.policies) {
            for (when, _) in sometimes(bit, question) {
                let on = |other: &str| other == when || self.booleans.get(other) == Some(&true);
                let rows = sometimes(bit, question).filter(|(other, _)| on(other));
                let letters = rows.flat_map(|(_, letters)| permissions(question.class, letters));
                let given: BTreeSet<_> =
                    letters.chain(permissions(question.class, always(bit, question))).collect();
                if is_name(when) && wanted.iter().all(|wanted| given.contains(wanted)) {
                    found.insert((!when.starts_with("virt_"), when));
                }
            }
        }
        found.into_iter().map(|(_, name)| name).collect()
    }
}

/// The policies that may be a host's: the one of its release, else those of its family.
fn candidates(selinux: &Selinux) -> Set {
    let like = selinux.system.iter().flat_map(|system| &system.like);
    let mut ids = std::iter::once(&selinux.distribution).chain(like);
    let Some(family) = ids.find_map(|id| family(id)) else { return 0 };
    // Another policy than the one that everybody has: 'mls', 'minimum'.
    let usual = if family == "debian" { "default" } else { "targeted" };
    let policy = selinux.system.as_ref().and_then(|system| system.policy.as_deref());
    if policy.is_some_and(|policy| policy != usual) {
        return 0;
    }
    let release = release(selinux);
    let exact = |policy: &Policy| Some(policy.release) == release.as_deref();
    match TABLES.pick(|policy| policy.family == family && exact(policy)) {
        0 => TABLES.pick(|policy| policy.family == family),
        found => found,
    }
}

/// Whose policy a distribution's comes from, by an ID or a word of ID_LIKE (os-release(5)).
fn family(id: &str) -> Option<&'static str> {
    match id {
        "debian" | "ubuntu" => Some("debian"),
        "fedora" | "rhel" | "centos" => Some("fedora"),
        // SUSE's is Fedora's with changes of its own.
        "suse" | "opensuse" => Some("fedora"),
        _ => None,
    }
}

/// The release as policies.tsv has it.
fn release(selinux: &Selinux) -> Option<String> {
    let system = selinux.system.as_ref()?;
    if let Some(platform) = &system.platform {
        return Some(platform.trim_start_matches("platform:").to_owned());
    }
    let version = system.version.as_deref();
    match selinux.distribution.as_str() {
        // Testing and unstable have no number.
        "debian" => Some(version.unwrap_or("sid").to_owned()),
        "fedora" => version.map(|version| format!("f{version}")),
        "rhel" | "centos" => {
            version.map(|version| format!("el{}", version.split('.').next().unwrap_or_default()))
        }
        _ => None,
    }
}

/// The types that a policy has, of processes or of files, whichever the class is about.
pub fn types(policy: &str, class: &str) -> Vec<&'static str> {
    TABLES.types(TABLES.pick(|other| other.name == policy), class)
}

/// The domains of which the tables say what they may do.
pub fn domains() -> BTreeSet<&'static str> {
    TABLES.domains().collect()
}

/// All policies of the tables.
pub fn policies() -> &'static [Policy] {
    &TABLES.policies
}

/// The booleans that decide about anything in the tables.
pub fn booleans() -> BTreeSet<&'static str> {
    TABLES.booleans().collect()
}

/// Whether any policy binds a domain to its categories.
pub fn is_constrained(kind: &str) -> bool {
    TABLES.policies.iter().any(|policy| policy.constrained.contains(&kind))
}

/// The letters that a policy gives whatever the booleans are: those of the row with the type, else those of the one with `*`.
fn always(policy: Set, question: Question<'_>) -> &'static str {
    let of = |kind: &str| rows(policy, question).find(|row| row.when.is_none() && row.names(kind));
    of(question.target).or_else(|| of("*")).map_or("", |row| row.letters)
}

/// What rows with a condition add.
fn sometimes(
    policy: Set,
    question: Question<'_>,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    rows(policy, question)
        .filter(move |row| row.names(question.target))
        .filter_map(|row| row.when.map(|when| (when, row.letters)))
}

fn rows(policy: Set, question: Question<'_>) -> impl Iterator<Item = &'static tables::Row> {
    let Question { source, class, .. } = question;
    TABLES.rows(source, class).iter().filter(move |row| row.policies & policy != 0)
}

/// The permissions that letters stand for, as allowed.tsv says at its top.
pub fn permissions(class: &str, letters: &str) -> impl Iterator<Item = &'static str> {
    letters.chars().flat_map(move |letter| permission(class, letter)).copied()
}

fn permission(class: &str, letter: char) -> &'static [&'static str] {
    match (class, letter) {
        ("dir", 's') => &["search"],
        ("dir", 'n') => &["add_name", "write"],
        ("dir", 'u') => &["remove_name", "write"],
        ("dir" | "file" | "chr_file" | "blk_file" | "fifo_file", 'r') => &["open", "read"],
        ("lnk_file", 'r') => &["read"],
        ("file" | "chr_file" | "blk_file" | "fifo_file", 'w') => &["open", "write"],
        ("sock_file", 'w') => &["write"],
        ("file" | "chr_file" | "blk_file", 'm') => &["map", "open", "read"],
        ("file", 'a') => &["append", "open"],
        ("file", 'x') => &["execute"],
        ("file", 'e') => &["entrypoint"],
        ("file" | "sock_file" | "unix_stream_socket", 'c') => &["create"],
        ("file" | "sock_file", 'u') => &["unlink"],
        ("unix_stream_socket", 't') => &["connectto"],
        ("process", 't') => &["transition"],
        ("process", 'x') => &["execmem"],
        ("capability", 'o') => &["dac_override"],
        _ => &[],
    }
}

/// Whether a condition is one boolean that has to be on.
fn is_name(when: &str) -> bool {
    !when.contains([' ', '!', '&', '|'])
}

/// Whether a condition of booleans holds: `a && b || ! c`. One that the host's policy lacks, of which others are known, opens
/// nothing.
fn holds(when: &str, booleans: &BTreeMap<String, bool>) -> Option<bool> {
    let any = when.split(" || ").map(|part| {
        let all = part.split(" && ").map(|word| {
            let name = word.trim_start_matches(['!', ' ']);
            let on = match booleans.get(name) {
                Some(on) => *on,
                None if booleans.is_empty() => return None,
                None => false,
            };
            Some(on != word.starts_with('!'))
        });
        both(all, false)
    });
    both(any, true)
}

/// Several answers of which one like `decisive` decides; else all have to be known.
fn both(answers: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let answers: Vec<Option<bool>> = answers.collect();
    if answers.contains(&Some(decisive)) {
        return Some(decisive);
    }
    if answers.contains(&None) { None } else { Some(!decisive) }
}
