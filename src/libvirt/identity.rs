//! Who libvirt runs QEMU as.

use crate::domain::{DomainFacts, SecLabelType};
use crate::facts::qemu_conf::QemuConf;

/// Distributions with the users that their libvirt may be built for.
const USERS: &str = include_str!("../../assets/libvirt/users.tsv");

/// The DAC label that decides who a domain's QEMU runs as: its own static one, or the empty label for libvirt's choice
/// (`type='none'` and `dynamic` keep the user of `qemu.conf`).
pub fn dac_label(domain: &DomainFacts) -> String {
    let label = domain.seclabels.iter().find(|label| label.model.as_deref() == Some("dac"));
    match label {
        Some(label) if label.kind == SecLabelType::Static => {
            label.label.clone().unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The users that a distribution's libvirt may be built for, the likeliest first, with their groups.
fn built_in(distribution: &str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let rows: Vec<Vec<&str>> = USERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
        .collect();
    let is_its =
        |row: &Vec<&str>| match row[0].strip_prefix('*').and_then(|part| part.strip_suffix('*')) {
            Some(part) => distribution.contains(part),
            None => row[0] == distribution,
        };
    let known = rows.iter().any(is_its);
    let its: Vec<Vec<&str>> = rows
        .iter()
        .filter(|row| if known { is_its(row) } else { row[0] == "-" })
        .cloned()
        .collect();
    its.into_iter().map(|row| (row[1], Some(row[2]).filter(|group| *group != "-")))
}

/// The user and group of `qemu.conf`, or what the distribution built in: the first of its users that `exists`.
///
/// # Errors
/// When none of them exists, in one sentence.
pub fn default_user(
    conf: &QemuConf,
    distribution: &str,
    exists: &dyn Fn(&str) -> bool,
) -> Result<(String, Option<String>), String> {
    let built_in = built_in(distribution).find(|(user, _)| exists(user));
    let group = conf.text("group").filter(|group| !group.is_empty());
    // A user alone keeps the built-in group.
    let group = group.or(built_in.and_then(|(_, group)| group)).map(str::to_owned);
    let named = conf.text("user").filter(|user| !user.is_empty());
    match named.or(built_in.map(|(user, _)| user)) {
        Some(user) => Ok((user.to_owned(), group)),
        None => {
            Err("neither a user 'libvirt-qemu' nor 'qemu' exists here; say --user USER".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_the_first_that_is_there() {
        let there = |users: &'static [&'static str]| move |user: &str| users.contains(&user);
        let user = |conf: &str, distribution: &str, users| {
            default_user(&QemuConf::parse("", conf), distribution, &there(users)).ok()
        };
        let found =
            |user: &str, group: Option<&str>| Some((user.to_owned(), group.map(str::to_owned)));
        assert_eq!(
            user("", "debian", &["libvirt-qemu", "qemu"]),
            found("libvirt-qemu", Some("libvirt-qemu"))
        );
        assert_eq!(user("", "ubuntu", &["libvirt-qemu"]), found("libvirt-qemu", Some("kvm")));
        assert_eq!(user("", "opensuse-leap", &["qemu"]), found("qemu", Some("qemu")));
        assert_eq!(user("user = \"me\"", "fedora", &["qemu"]), found("me", Some("qemu")));
        assert_eq!(user("group = \"g\"", "fedora", &["qemu"]), found("qemu", Some("g")));
        assert_eq!(user("", "debian", &[]), None);
    }
}
