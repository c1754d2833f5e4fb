//! The mounts of the host.

use serde::{Deserialize, Serialize};

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is mounted.
    pub point: String,
    /// The type of its file system.
    pub fstype: String,
    /// Its options: `ro`, `nodev`, `noexec` …
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

    /// Whether an option is set, on the mount or on its file system.
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|found| found == option)
    }
}

/// One line of mountinfo (proc(5)).
pub(crate) fn line(line: &str) -> Option<Mount> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let fields: Vec<&str> = mount.split(' ').collect();
    let mut tail = filesystem.split(' ');
    let fstype = tail.next()?.to_owned();
    let superblock = tail.nth(1).unwrap_or_default();
    let options =
        fields.get(5)?.split(',').chain(superblock.split(',').filter(|option| *option == "ro"));
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
        let cgroup =
            line("31 24 0:27 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices").unwrap();
        assert_eq!(cgroup.fstype, "cgroup:rw,devices");
    }
}
