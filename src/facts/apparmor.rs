//! AppArmor as the host described it: whether libvirt's driver finds it, and the file rules of profiles.

mod lexer;
pub mod pattern;
mod reader;
mod variables;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Known;
use crate::domain::DomainFacts;
use pattern::matches;

/// One file rule of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRule {
    /// The pattern, variables replaced.
    pub pattern: String,
    /// Its permissions: `r w a k l m x`; `w` has `a` with it.
    pub permissions: String,
    /// Only for files that QEMU's user owns.
    #[serde(default)]
    pub owner: bool,
    /// Only for files that somebody else owns.
    #[serde(default)]
    pub other: bool,
    /// It is written to the log when it denies.
    #[serde(default)]
    pub audit: bool,
    /// Rules of a higher one come first.
    #[serde(default)]
    pub priority: i32,
    /// It denies.
    #[serde(default)]
    pub deny: bool,
    /// The file that the rule stands in.
    pub origin: String,
}

/// A profile as far as files are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The file it begins in.
    pub path: String,
    /// Its rules.
    pub rules: Vec<FileRule>,
    /// It only logs.
    #[serde(default)]
    pub complain: bool,
    /// It lets everything through.
    #[serde(default)]
    pub unconfined: bool,
    /// Where and why AppArmor refuses it: no VM that is to have it starts then.
    #[serde(default)]
    pub broken: Option<String>,
    /// Something in it that is not understood here.
    #[serde(default)]
    pub unclear: Option<String>,
}

/// The state of AppArmor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppArmor {
    /// libvirt's driver finds it: it is enabled and the daemon has a profile.
    pub active: Known<bool>,
    /// Profiles by the domain's UUID; the empty one is the template for domains that have none yet.
    pub profiles: BTreeMap<String, Known<Profile>>,
    /// Whether its kernel can look at who connects to a socket with a path.
    #[serde(default)]
    pub connecting: Known<Connecting>,
}

/// What a kernel's AppArmor does where a program connects to a socket with a path (`apparmor/features`, security/apparmor/net.c).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connecting {
    /// Nothing.
    Free,
    /// The profile decides: Ubuntu's kernels (`network/af_unix`).
    Mediated,
    /// The profile decides if it was compiled for that: Linux from 6.17 on (`network_v9/af_unix`).
    IfCompiled,
}

/// The directory of libvirt's profiles.
pub const PROFILES: &str = "/etc/apparmor.d/libvirt";

impl AppArmor {
    /// The profile that the domain has, or will be given.
    pub fn profile(&self, domain: &DomainFacts) -> Result<&Profile, &str> {
        let own =
            domain.uuid.as_ref().and_then(|uuid| self.profiles.get(&uuid.to_ascii_lowercase()));
        match own.or_else(|| self.profiles.get("")) {
            Some(profile) => profile.as_result(),
            None => Err("the profile was not looked at"),
        }
    }
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file with this text.
    Text(String),
    /// A directory with these names, in the order in which they are read.
    Names(Vec<String>),
    /// Nothing.
    Missing,
    /// Something that can't be read, and why.
    Unreadable(String),
}

impl Profile {
    /// The permissions that a path gets, and the rules that give or deny them.
    ///
    /// Of the rules that name a permission those of the highest priority count, and of these the denying ones
    /// (`pri_update_perm`, libapparmor_re/hfa.cc).
    pub fn permissions(&self, path: &str, owned: bool) -> (BTreeSet<char>, Vec<&FileRule>) {
        let is_meant = |rule: &&FileRule| if owned { !rule.other } else { !rule.owner };
        let hits: Vec<&FileRule> = self
            .rules
            .iter()
            .filter(is_meant)
            .filter(|rule| matches(&rule.pattern, path))
            .collect();
        let granted = "rwaklmx".chars().filter(|letter| {
            let deciding = hits.iter().filter(|rule| rule.permissions.contains(*letter));
            let last = deciding.max_by_key(|rule| (rule.priority, rule.deny));
            last.is_some_and(|rule| !rule.deny)
        });
        (granted.collect(), hits)
    }

    /// Reads a profile and what it includes; `look` says what stands at a path.
    ///
    /// # Errors
    /// Why it is not known, in one sentence.
    pub fn parse(path: &str, look: &dyn Fn(&str) -> Found) -> Result<Profile, String> {
        let text = match look(path) {
            Found::Text(text) => text,
            Found::Names(_) | Found::Missing => return Err(format!("{path} is not there")),
            Found::Unreadable(why) => return Err(why),
        };
        let read = reader::Reader::new(path, text, look).read();
        read.map_err(|why| format!("{path}: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_with_what_it_includes() {
        let look = |path: &str| {
            let text = match path {
                "/etc/apparmor.d/tunables/global" => {
                    "@{HOMEDIRS}=/home/\n@{HOME}=@{HOMEDIRS}/*/ /root/\n"
                }
                "/etc/apparmor.d/libvirt/TEMPLATE.qemu" => {
                    "#include <tunables/global>\nprofile LIBVIRT_TEMPLATE flags=(attach_disconnected) {\n  #include <abstractions/libvirt-qemu>\n}\n"
                }
                "/etc/apparmor.d/abstractions/libvirt-qemu" => {
                    "  # comment\n  /dev/kvm rw,\n  /usr/share/OVMF/** rk, # why\n  owner @{HOME}/x rw,\n  deny /etc/secret r,\n  capability setuid,\n  \"/with blank/**\" r,\n  /etc/* r,\n  include if exists <local/abstractions/libvirt-qemu>\n  profile child {\n    /child rw,\n  }\n"
                }
                "/etc/apparmor.d/local/abstractions/libvirt-qemu" => {
                    "/srv/** rwk, /two/{a,b} r, deny \"/two/c, d\" w,"
                }
                _ => return Found::Missing,
            };
            Found::Text(text.to_owned())
        };
        let profile = Profile::parse("/etc/apparmor.d/libvirt/TEMPLATE.qemu", &look).unwrap();
        assert_eq!((&profile.broken, &profile.unclear), (&None, &None));
        let granted =
            |path: &str, owned| profile.permissions(path, owned).0.into_iter().collect::<String>();
        assert_eq!(granted("/dev/kvm", false), "arw");
        assert_eq!(granted("/srv/a/b", false), "akrw");
        assert_eq!(granted("/home/me/x", true), "arw");
        assert_eq!(granted("/home/me/x", false), "");
        assert_eq!(granted("/etc/secret", false), "");
        assert_eq!(granted("/with blank/a", false), "r");
        assert_eq!(granted("/child", false), "");
        assert_eq!(
            (granted("/two/b", false), granted("/srv/x", false)),
            ("r".into(), "akrw".into())
        );
    }
}
