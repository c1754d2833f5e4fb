//! A path as the kernel walks it: every directory, every link, and what stands at the end.

use serde::{Deserialize, Serialize};

/// What stands at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, with its text.
    Link(String),
    /// A character device.
    Char(u32, u32),
    /// A block device.
    Block(u32, u32),
    /// A FIFO.
    Fifo,
    /// A socket.
    Socket,
}

/// A POSIX access control list: the entries beside owner, group and other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// Named users: number and permission bits.
    pub users: Vec<(u32, u8)>,
    /// Named groups.
    pub groups: Vec<(u32, u8)>,
    /// The owning group's entry; the mode's group bits are the mask then.
    pub owning_group: u8,
    /// What named users and all groups get at most.
    pub mask: u8,
}

/// Which file it is, by whatever name: the numbers of its file system (`s_dev`) and its inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId {
    /// The major number of the file system's device.
    pub major: u32,
    /// The minor number.
    pub minor: u32,
    /// The inode.
    pub inode: u64,
}

impl FileId {
    /// Reads it as the kernel prints it: `fe:00:813509`, the device in hexadecimal digits.
    pub fn read(text: &str) -> Option<FileId> {
        let mut parts = text.split(':');
        let mut device = || u32::from_str_radix(parts.next()?, 16).ok();
        let (major, minor) = (device()?, device()?);
        Some(FileId { major, minor, inode: parts.next()?.parse().ok()? })
    }
}

/// One step of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The path of the step.
    pub path: String,
    /// What stands there.
    pub kind: FileKind,
    /// The permission bits with set-id and sticky bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The access control list, where there is one.
    pub acl: Option<Acl>,
    /// The SELinux label, where there is one.
    pub label: Option<String>,
    /// The size of a regular file in bytes.
    #[serde(default)]
    pub size: u64,
    /// Nobody may change it, root neither (`chattr +i`).
    #[serde(default)]
    pub immutable: bool,
    /// It may be appended to only (`chattr +a`).
    #[serde(default)]
    pub append_only: bool,
    /// Which file it is, of a regular one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileId>,
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The last step is what the path names.
    Present,
    /// The last step is a directory and nothing of this path is in it.
    Missing(String),
    /// A step that should be a directory is something else.
    NotADirectory(String),
    /// Links that never end.
    Loop,
    /// The path goes on inside of a FUSE mount that only its owner may look into.
    Private(String),
    /// The path goes on inside of a FUSE mount whose server has ended.
    Unserved(String),
    /// The path, from `/proc` on, is of a process: for QEMU there is another one than for whoever looks, or none any more.
    OfAProcess(String),
}

/// The steps from the root to what a path names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// Every step in the order the kernel takes them.
    pub steps: Vec<Step>,
    /// How it ended.
    pub ending: Ending,
}

impl Walk {
    /// What the path names, when it is there.
    pub fn target(&self) -> Option<&Step> {
        if self.ending == Ending::Present { self.steps.last() } else { None }
    }

    /// The path with every link resolved; of a missing one as far as it goes, with the missing rest.
    pub fn resolved(&self) -> &str {
        match &self.ending {
            Ending::Missing(path)
            | Ending::NotADirectory(path)
            | Ending::Private(path)
            | Ending::Unserved(path)
            | Ending::OfAProcess(path) => path,
            Ending::Present | Ending::Loop => {
                self.steps.last().map_or("/", |step| step.path.as_str())
            }
        }
    }

    /// The directory that the target is in, or would be made in.
    pub fn parent(&self) -> Option<&Step> {
        let steps = match &self.ending {
            Ending::OfAProcess(_) | Ending::Private(_) | Ending::Unserved(_) => return None,
            Ending::Present => &self.steps[..self.steps.len() - 1],
            Ending::Missing(_) | Ending::NotADirectory(_) | Ending::Loop => &self.steps[..],
        };
        let parent = self
            .resolved()
            .rsplit_once('/')
            .map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        steps.iter().rev().find(|step| step.kind == FileKind::Directory && step.path == parent)
    }

    /// Whether only the last part of the path is missing, so that a file could be made.
    pub fn creatable(&self) -> bool {
        matches!(self.ending, Ending::Missing(_)) && self.parent().is_some()
    }
}
