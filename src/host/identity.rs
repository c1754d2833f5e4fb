//! Who QEMU runs as: user, group, supplementary groups, as NSS gives them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::facts::Known;
use super::process::ask;
use super::qemu_conf::QemuConf;

/// The credentials of a QEMU process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The user's name, or its number.
    pub user: String,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Supplementary groups (`virGetGroupList`).
    pub groups: Vec<u32>,
}

impl Identity {
    /// As evidence: `QEMU runs as libvirt-qemu (64055:106)`.
    pub fn sentence(&self) -> String {
        format!("QEMU runs as {} ({}:{})", self.user, self.uid, self.gid)
    }

    /// Whether the process belongs to a group.
    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}

const PATIENCE: Duration = Duration::from_secs(2);

/// The credentials behind a DAC label `USER:GROUP`; the empty label is libvirt's own choice.
pub(super) fn resolve(label: &str, conf: &QemuConf) -> Known<Identity> {
    let (user, group) = match label.split_once(':') {
        Some((user, group)) => (user.to_owned(), Some(group.to_owned())),
        None if !label.is_empty() => {
            return Known::Unknown(format!("the label '{label}' has no ':', expected USER:GROUP"));
        }
        None => match default_user(conf) {
            Ok(found) => found,
            Err(why) => return Known::Unknown(why),
        },
    };
    match credentials(&user, group.as_deref()) {
        Ok(identity) => Known::Yes(identity),
        Err(why) => Known::Unknown(why),
    }
}

/// The credentials of the user who runs this program, for the session instance.
pub(super) fn own() -> Known<Identity> {
    let uid = rustix::process::getuid().as_raw();
    let gid = rustix::process::getgid().as_raw();
    match credentials(&format!("+{uid}"), Some(&format!("+{gid}"))) {
        Ok(identity) => Known::Yes(identity),
        Err(why) => Known::Unknown(why),
    }
}

/// The user and group of `qemu.conf`, or what the distribution built in (libvirt's meson.build; Debian's and Ubuntu's rules).
fn default_user(conf: &QemuConf) -> Result<(String, Option<String>), String> {
    let group = conf.text("group").filter(|group| !group.is_empty()).map(str::to_owned);
    if let Some(user) = conf.text("user").filter(|user| !user.is_empty()) {
        // A user alone keeps the built-in group.
        let group = group.or_else(|| built_in().and_then(|(_, group)| group.map(str::to_owned)));
        return Ok((user.to_owned(), group));
    }
    match built_in() {
        Some((user, built_in)) => Ok((user.to_owned(), group.or(built_in.map(str::to_owned)))),
        None => Err("neither a user 'libvirt-qemu' nor 'qemu' exists here; say --user USER".to_owned()),
    }
}

fn built_in() -> Option<(&'static str, Option<&'static str>)> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let id = release.lines().find_map(|line| line.strip_prefix("ID=")).unwrap_or_default().trim_matches('"').to_owned();
    let first: [(&str, Option<&str>); 3] = match id.as_str() {
        "ubuntu" => [("libvirt-qemu", Some("kvm")), ("qemu", Some("qemu")), ("root", Some("root"))],
        "arch" => [("libvirt-qemu", Some("libvirt-qemu")), ("nobody", Some("nobody")), ("qemu", Some("qemu"))],
        "fedora" | "rhel" | "centos" | "rocky" | "almalinux" | "gentoo" => {
            [("qemu", Some("qemu")), ("libvirt-qemu", None), ("root", Some("root"))]
        }
        id if id.contains("suse") => [("qemu", Some("qemu")), ("libvirt-qemu", None), ("root", Some("root"))],
        _ => [("libvirt-qemu", Some("libvirt-qemu")), ("qemu", Some("qemu")), ("libvirt-qemu", None)],
    };
    first.into_iter().find(|(user, _)| passwd(user).is_ok())
}

/// A user's name, number and group: from the files when they know it, from NSS otherwise.
fn passwd(user: &str) -> Result<(String, u32, u32), String> {
    let parse = |line: &str| {
        let fields: Vec<&str> = line.trim_end().split(':').collect();
        Some(((*fields.first()?).to_owned(), fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    let fits = |line: &&str| {
        let mut fields = line.split(':');
        fields.next() == Some(user) || fields.nth(1) == Some(user)
    };
    let local = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    if let Some(found) = local.lines().find(fits).and_then(parse) {
        return Ok(found);
    }
    let answer = ask("getent", &["passwd", "--", user], PATIENCE)
        .map_err(|_| format!("there is no user '{user}' on this host"))?;
    answer.lines().next().and_then(parse).ok_or_else(|| format!("there is no user '{user}' on this host"))
}

fn group_number(group: &str) -> Result<u32, String> {
    let parse = |line: &str| line.split(':').nth(2)?.trim_end().parse().ok();
    let local = std::fs::read_to_string("/etc/group").unwrap_or_default();
    if let Some(gid) = local.lines().find(|line| line.split(':').next() == Some(group)).and_then(parse) {
        return Ok(gid);
    }
    let unknown = || format!("there is no group '{group}' on this host");
    ask("getent", &["group", "--", group], PATIENCE)
        .ok()
        .and_then(|answer| parse(answer.lines().next()?))
        .ok_or_else(unknown)
}

/// `virGetUserID` and `virGetGroupID`: a name first, then a number; `+N` is a number for certain.
fn credentials(user: &str, group: Option<&str>) -> Result<Identity, String> {
    let number = |text: &str| text.strip_prefix('+').map(|digits| digits.parse::<u32>().ok());
    let (name, uid, own_gid) = match number(user) {
        Some(Some(uid)) => match passwd(&uid.to_string()) {
            Ok((name, uid, gid)) => (name, uid, Some(gid)),
            Err(_) => (uid.to_string(), uid, None),
        },
        Some(None) => return Err(format!("'{user}' is not a number of a user")),
        None => match passwd(user) {
            Ok((name, uid, gid)) => (name, uid, Some(gid)),
            Err(why) => (user.to_owned(), user.parse().map_err(|_| why)?, None),
        },
    };
    let gid = match group {
        None => own_gid.ok_or_else(|| format!("the user '{user}' has no group"))?,
        Some(group) => match number(group) {
            Some(Some(gid)) => gid,
            Some(None) => return Err(format!("'{group}' is not a number of a group")),
            None => group_number(group).or_else(|why| group.parse().map_err(|_| why))?,
        },
    };
    let groups = supplementary(&name, own_gid);
    Ok(Identity { user: name, uid, gid, groups })
}

fn supplementary(user: &str, own: Option<u32>) -> Vec<u32> {
    if let Ok(answer) = ask("id", &["-G", "--", user], PATIENCE) {
        return answer.split_whitespace().filter_map(|gid| gid.parse().ok()).collect();
    }
    let local = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let member = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let gid = fields.next()?.parse().ok()?;
        fields.next()?.split(',').any(|name| name == user).then_some(gid)
    };
    local.lines().filter_map(member).chain(own).collect()
}

/// The names in a file like `/etc/passwd` or `/etc/group`, by number.
pub(super) fn names(file: &str) -> std::collections::BTreeMap<u32, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.trim_end().parse().ok()?, name))
    };
    text.lines().filter_map(entry).collect()
}
