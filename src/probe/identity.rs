//! Looking users and groups up, as NSS gives them.

use std::time::Duration;

use crate::facts::Known;
use crate::facts::identity::Identity;
use crate::facts::qemu_conf::QemuConf;
use crate::libvirt::identity::default_user;
use crate::process::ask;

const PATIENCE: Duration = Duration::from_secs(2);

/// The credentials behind a DAC label `USER:GROUP`; the empty label is libvirt's own choice.
pub(super) fn resolve(label: &str, conf: &QemuConf) -> Known<Identity> {
    let (user, group) = match label.split_once(':') {
        Some((user, group)) => (user.to_owned(), Some(group.to_owned())),
        None if !label.is_empty() => {
            return Known::Unknown(format!("the label '{label}' has no ':', expected USER:GROUP"));
        }
        None => match default_user(conf, &distribution(), &|user| passwd(user).is_ok()) {
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

/// The `ID` of os-release; empty where there is none.
pub(super) fn distribution() -> String {
    os_release("ID").unwrap_or_default()
}

/// A field of os-release(5), without its quotes.
pub(super) fn os_release(field: &str) -> Option<String> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value = release.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\'']).to_owned())
}

/// A user's name, number and group: from the files when they know it, from NSS otherwise.
fn passwd(user: &str) -> Result<(String, u32, u32), String> {
    let parse = |line: &str| {
        let fields: Vec<&str> = line.trim_end().split(':').collect();
        Some((
            (*fields.first()?).to_owned(),
            fields.get(2)?.parse().ok()?,
            fields.get(3)?.parse().ok()?,
        ))
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
    answer
        .lines()
        .next()
        .and_then(parse)
        .ok_or_else(|| format!("there is no user '{user}' on this host"))
}

fn group_number(group: &str) -> Result<u32, String> {
    let parse = |line: &str| line.split(':').nth(2)?.trim_end().parse().ok();
    let local = std::fs::read_to_string("/etc/group").unwrap_or_default();
    if let Some(gid) =
        local.lines().find(|line| line.split(':').next() == Some(group)).and_then(parse)
    {
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
