//! The mounts of the host.

use serde::{Deserialize, Serialize};

use super::identity::Identity;

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is mounted.
    pub point: String,
    /// The type of its file system.
    pub fstype: String,
    /// Its options: `ro`, `nodev`, `noexec`, `idmapped` …; of FUSE and NFS those of the file system too.
    pub options: Vec<String>,
    /// Mounts below it reach other mount namespaces.
    pub shared: bool,
}

impl Mount {
    /// Whether a path lies below the mount point.
    pub fn holds(&self, path: &str) -> bool {
        self.point == "/"
            || path
                .strip_prefix(&self.point)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether a program of this machine serves it (FUSE).
    pub fn is_fuse(&self) -> bool {
        is_fuse(&self.fstype)
    }

    /// Whether another machine serves it (NFS).
    pub fn is_nfs(&self) -> bool {
        is_nfs(&self.fstype)
    }

    /// Whether FUSE lets a process look into it at all, root or not (`fuse_allow_current_process`, fs/fuse/dir.c).
    pub fn lets_in(&self, who: &Identity) -> bool {
        let is =
            |key: &str, id: u32| self.value(key).and_then(|text| text.parse().ok()) == Some(id);
        !self.is_fuse()
            || self.has("allow_other")
            || is("user_id", who.uid) && is("group_id", who.gid)
    }

    /// The value of an option.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.options.iter().find_map(|option| option.strip_prefix(key)?.strip_prefix('='))
    }

    /// Whether an option is set, on the mount or on its file system.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|found| found == option)
    }
}

fn is_fuse(fstype: &str) -> bool {
    ["fuse", "fuseblk"].contains(&fstype) || fstype.starts_with("fuse.")
}

fn is_nfs(fstype: &str) -> bool {
    ["nfs", "nfs4"].contains(&fstype)
}

/// One line of mountinfo (proc(5)).
pub(crate) fn line(line: &str) -> Option<Mount> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let fields: Vec<&str> = mount.split(' ').collect();
    let mut tail = filesystem.split(' ');
    let fstype = tail.next()?.to_owned();
    let superblock = tail.nth(1).unwrap_or_default();
    let is_served = is_fuse(&fstype) || is_nfs(&fstype);
    let of_all = superblock.split(',').filter(|option| is_served || *option == "ro");
    let options = fields.get(5)?.split(',').chain(of_all);
    Some(Mount {
        point: unescape(fields.get(4)?),
        fstype: if fstype == "cgroup" { format!("cgroup:{superblock}") } else { fstype },
        options: options.map(str::to_owned).collect(),
        shared: fields[6..].iter().any(|field| field.starts_with("shared:")),
    })
}

/// The numbers of the file system that one line of mountinfo is about.
pub(crate) fn device(line: &str) -> Option<(u32, u32)> {
    let (major, minor) = line.split(' ').nth(2)?.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Blanks and backslashes are written as octal numbers.
fn unescape(field: &str) -> String {
    let mut text = String::new();
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        match rest.get(at + 1..at + 4).and_then(|octal| u8::from_str_radix(octal, 8).ok()) {
            Some(byte) => {
                text.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            None => {
                text.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_read() {
        let mount = line(
            "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime shared:1 - ext3 /dev/root ro,errors=continue",
        )
        .unwrap();
        assert_eq!((mount.point.as_str(), mount.shared, mount.has("ro")), ("/mnt 2", true, true));
        assert!(mount.holds("/mnt 2/a") && !mount.holds("/mnt 22"));
        let sshfs =
            line("66 63 0:43 / /m rw,nosuid - fuse.sshfs me@h: rw,user_id=1000,group_id=1000")
                .unwrap();
        let who = |uid, gid| Identity { user: String::new(), uid, gid, groups: vec![] };
        assert!(sshfs.is_fuse() && sshfs.lets_in(&who(1000, 1000)));
        assert!(!sshfs.lets_in(&who(1000, 0)) && !sshfs.lets_in(&who(0, 0)));
        let open = line("66 63 0:43 / /m rw - fuse m rw,user_id=0,group_id=0,allow_other").unwrap();
        assert!(open.lets_in(&who(1, 1)) && !open.has("default_permissions"));
        let cgroup =
            line("31 24 0:27 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices").unwrap();
        assert_eq!(cgroup.fstype, "cgroup:rw,devices");
    }
}
