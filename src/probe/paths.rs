//! Walking a path as the kernel does: every directory, every link, and what stands at the end.

use std::rc::Rc;

use rustix::io::Errno;

use super::held::{self, Held, Identity, Seen};
use super::mounts::Devices;
use crate::facts::{Ending, FileKind, Known, Step, Walk};

/// The kernel gives up after this many links (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// The kernel takes no path of this many bytes.
const PATH_MAX: usize = 4096;

/// More names than this are not offered.
const MAX_NAMES: usize = 2000;

/// The names in a directory, sorted; those of directories end in a slash. Nothing is opened but the directory.
pub fn names_in(directory: &str) -> Vec<String> {
    let name = |entry: std::fs::DirEntry| {
        let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().into_string().ok()?;
        Some(if directory { name + "/" } else { name })
    };
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(name).take(MAX_NAMES).collect();
    names.sort();
    names
}

/// Walks one path.
pub(super) fn walk(path: &str) -> Known<Walk> {
    reach(path, &Devices::read(), &mut Seen::default(), 0).0
}

/// What is reached at the end of a path, held, beside the walk to it.
type Reached = (Known<Walk>, Option<Rc<Held>>);

/// Walks one path, step by step from what is held of the step before, so that each step is taken from what was looked at.
pub(super) fn reach(path: &str, devices: &Devices, seen: &mut Seen, owner: u32) -> Reached {
    match steps(path, devices, seen, owner) {
        Ok((walk, end)) => (Known::Yes(walk), end),
        Err(why) => (Known::Unknown(why), None),
    }
}

/// The walk to the end of a path, and what is there; or why nobody can say.
fn steps(
    path: &str,
    devices: &Devices,
    seen: &mut Seen,
    owner: u32,
) -> Result<(Walk, Option<Rc<Held>>), String> {
    if path.contains('\0') {
        return Err("the path holds a NUL byte".to_owned());
    }
    if !held::is_nameable() {
        return Err("/proc is not there, without which a file cannot be held fast".to_owned());
    }
    let failed = |path: &str, error: Errno| match error {
        Errno::ACCESS if rustix::process::geteuid().is_root() => {
            format!("its file system lets not even root look at {path}")
        }
        Errno::ACCESS => format!("you may not look at {path}; run as root to see it"),
        error => format!("{path} cannot be looked at: {error}"),
    };
    let mut walk = Walk { steps: Vec::new(), ending: Ending::Present };
    let root = |seen: &mut Seen| seen.root().map_err(|error| failed("/", error));
    let mut directory = root(seen)?;
    walk.steps.push(directory.step("/", seen).map_err(|error| failed("/", error))?);
    let mut todo: Vec<String> = parts(path);
    let mut at = String::new();
    // The directories above, the root first: a link may lead up again, and only to where we came from.
    let mut above: Vec<Identity> = Vec::new();
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            let Some(parent) = above.pop() else { continue };
            let upper = seen.below(&directory, "..").map_err(|error| failed(&at, error))?;
            if upper.identity() != parent {
                return Err(format!("{at} was moved while it was looked at"));
            }
            at.truncate(at.rfind('/').unwrap_or(0));
            directory = upper;
            continue;
        }
        let here = format!("{at}/{part}");
        if at == "/proc" && is_a_process(&part) {
            let rest: String = todo.iter().rev().flat_map(|part| ["/", part]).collect();
            let whole = here + &rest;
            let Some(step) = of_qemu(&whole, owner) else {
                walk.ending = Ending::OfAProcess(whole);
                return Ok((walk, None));
            };
            let kind = step.kind.clone();
            walk.steps.push(step);
            let FileKind::Link(target) = kind else { return Ok((walk, None)) };
            todo = parts(&target);
            at.clear();
            above.clear();
            directory = root(seen)?;
            continue;
        }
        if devices.is_automount(&directory, &here) {
            let at = if at.is_empty() { "/" } else { &at };
            return Err(format!(
                "below {at} a file system is mounted as soon as somebody looks, so nobody did"
            ));
        }
        let found = if here.len() >= PATH_MAX {
            Err(Errno::NAMETOOLONG)
        } else {
            seen.below(&directory, &part)
        };
        let found = found.and_then(|found| Ok((found.step(&here, seen)?, found)));
        let hidden = found.as_ref().err().and_then(|error| unseen(devices, &here, &todo, *error));
        if let Some((step, ending)) = hidden {
            walk.steps.push(step);
            walk.ending = ending;
            return Ok((walk, None));
        }
        let (step, found) = match found {
            Ok(found) => found,
            Err(Errno::NOENT) => {
                todo.reverse();
                let rest: String = todo.iter().flat_map(|part| ["/", part]).collect();
                walk.ending = Ending::Missing(here + &rest);
                return Ok((walk, None));
            }
            Err(Errno::NOTDIR) => {
                walk.ending = Ending::NotADirectory(at);
                return Ok((walk, None));
            }
            Err(error) => return Err(failed(&here, error)),
        };
        let kind = step.kind.clone();
        walk.steps.push(step);
        match kind {
            FileKind::Link(target) => {
                links += 1;
                if links > MAX_LINKS {
                    walk.ending = Ending::Loop;
                    return Ok((walk, None));
                }
                if target.starts_with('/') {
                    at.clear();
                    above.clear();
                    directory = root(seen)?;
                }
                todo.extend(parts(&target));
            }
            FileKind::Directory => {
                at = here;
                above.push(directory.identity());
                directory = found;
            }
            FileKind::File
            | FileKind::Char(..)
            | FileKind::Block(..)
            | FileKind::Fifo
            | FileKind::Socket => {
                if !todo.is_empty() || path.ends_with('/') {
                    walk.ending = Ending::NotADirectory(here);
                    return Ok((walk, None));
                }
                return Ok((walk, Some(found)));
            }
        }
    }
    // After '..' the last step is another one.
    let at = if at.is_empty() { "/" } else { &at };
    if walk.steps.last().is_some_and(|step| step.path != at) {
        walk.steps.push(directory.step(at, seen).map_err(|error| failed(at, error))?);
    }
    Ok((walk, Some(directory)))
}

/// A FUSE mount that shows nothing: not its owner's to us, or without a server; and how a walk through it ends.
fn unseen(devices: &Devices, here: &str, todo: &[String], error: Errno) -> Option<(Step, Ending)> {
    let (uid, gid) = devices.server(here)?;
    let rest: String = todo.iter().rev().flat_map(|part| ["/", part]).collect();
    let whole = format!("{here}{rest}");
    let ending = match error {
        Errno::ACCESS => Ending::Private(whole),
        Errno::NOTCONN | Errno::CONNABORTED => Ending::Unserved(whole),
        _ => return None,
    };
    let step = Step {
        path: here.to_owned(),
        kind: FileKind::Directory,
        mode: 0,
        uid,
        gid,
        acl: None,
        label: None,
        size: 0,
        immutable: false,
        append_only: false,
        file: None,
    };
    Some((step, ending))
}

/// Whether a name in `/proc` is that of a process, which is another one for QEMU than for us.
fn is_a_process(name: &str) -> bool {
    ["self", "thread-self"].contains(&name) || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// What libvirt gives to QEMU as its standard input and outputs: nothing to read, and a pipe to virtlogd, or the log itself,
/// that libvirt's daemon made for itself (`qemuProcessLaunch`, `stdio_handler`; started for real: tests/oracle/more.tsv).
fn of_qemu(path: &str, owner: u32) -> Option<Step> {
    let (process, number) = path.strip_prefix("/proc/")?.split_once("/fd/")?;
    if !["self", "thread-self"].contains(&process) {
        return None;
    }
    let (kind, mode) = match number {
        "0" => (FileKind::Link("/dev/null".to_owned()), 0o777),
        "1" | "2" => (FileKind::Fifo, 0o600),
        _ => return None,
    };
    Some(Step {
        path: path.to_owned(),
        kind,
        mode,
        uid: owner,
        gid: 0,
        acl: None,
        label: None,
        size: 0,
        immutable: false,
        append_only: false,
        file: None,
    })
}

/// The parts of a path, last first.
fn parts(path: &str) -> Vec<String> {
    path.split('/')
        .rev()
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn links_are_followed_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let root = root.to_str().unwrap();
        std::fs::write(format!("{root}/file"), "x").unwrap();
        std::os::unix::fs::symlink("./file", format!("{root}/link")).unwrap();
        std::os::unix::fs::symlink("loop", format!("{root}/loop")).unwrap();
        let walked = |path: &str| walk(&format!("{root}/{path}")).yes().cloned().unwrap();
        let link = walked("link");
        assert_eq!(link.resolved(), format!("{root}/file"));
        assert!(
            link.steps
                .iter()
                .any(|step| matches!(&step.kind, FileKind::Link(target) if target == "./file"))
        );
        assert_eq!(link.parent().unwrap().path, root);
        assert_eq!(walked("loop").ending, Ending::Loop);
        assert!(walked("none").creatable());
        assert!(!walked("none/deeper").creatable());
        assert_eq!(walked("none/deeper").resolved(), format!("{root}/none/deeper"));
        assert!(matches!(walked("file/x").ending, Ending::NotADirectory(_)));
        assert!(matches!(walked("file/").ending, Ending::NotADirectory(_)));
        assert_eq!(walked("link/../file").resolved().rsplit('/').next(), Some("file"));
    }

    /// A directory of a test, by its real name.
    pub(in crate::probe) fn place() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().to_str().unwrap().to_owned();
        (dir, root)
    }

    #[test]
    fn a_link_to_what_is_no_text_is_not_followed_elsewhere() {
        use std::os::unix::ffi::OsStrExt as _;
        let (_keep, root) = place();
        std::fs::write(format!("{root}/a\u{fffd}"), "x").unwrap();
        let target = std::ffi::OsStr::from_bytes(b"a\xff");
        std::os::unix::fs::symlink(target, format!("{root}/link")).unwrap();
        let Known::Unknown(why) = walk(&format!("{root}/link")) else { panic!("it was followed") };
        assert!(why.starts_with(&format!("{root}/link cannot be looked at: ")), "{why}");
    }

    #[test]
    fn two_dots_lead_to_where_the_walk_came_from() {
        let (_keep, root) = place();
        std::fs::create_dir_all(format!("{root}/a/b")).unwrap();
        std::os::unix::fs::symlink("b/../..", format!("{root}/a/up")).unwrap();
        let walked = |path: &str| walk(&format!("{root}/{path}")).yes().cloned().unwrap();
        for path in ["a/b/../..", "a/up", "a/up/", "a/up/a/.."] {
            let walk = walked(path);
            assert_eq!((walk.resolved(), &walk.ending), (&*root, &Ending::Present), "{path}");
        }
        assert_eq!(walk("/../..").yes().unwrap().resolved(), "/");
    }

    #[test]
    fn what_is_of_a_process_is_qemus_own() {
        let own = std::process::id();
        for directory in ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"] {
            let walked =
                |number: u8| walk(&format!("{directory}/{number}")).yes().cloned().unwrap();
            assert_eq!(walked(0).resolved(), "/dev/null");
            assert_eq!(walked(0).target().unwrap().kind, FileKind::Char(1, 3));
            let output = walked(1).target().cloned().unwrap();
            assert_eq!((output.uid, output.mode, output.kind), (0, 0o600, FileKind::Fifo));
            for number in 3..10 {
                assert!(matches!(walked(number).ending, Ending::OfAProcess(_)));
            }
        }
        for path in ["/proc/self/exe", "/proc/self", "/proc/1/fd/0", &format!("/proc/{own}/fd/1")] {
            let walk = walk(path).yes().cloned().unwrap();
            assert_eq!((&walk.ending, walk.target()), (&Ending::OfAProcess(path.to_owned()), None));
            // Nothing of ours is in it, not even a number.
            assert_eq!(walk.steps.last().unwrap().path, "/proc");
        }
        let link = walk("/dev/stdin").yes().cloned().unwrap();
        assert!(link.steps.iter().any(|step| step.path == "/dev/stdin"));
        assert_eq!(walk("/proc/version").yes().unwrap().ending, Ending::Present);
    }

    #[test]
    fn what_would_be_mounted_by_a_look_is_not_looked_for() {
        let (_keep, root) = place();
        std::fs::create_dir(format!("{root}/there")).unwrap();
        let path = format!("{root}/there");
        let device = std::fs::metadata(&root).unwrap().dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let line =
            |point: &str| format!("1 1 {major}:{minor} / {point} rw - autofs systemd-1 rw\n");
        let seen = |mounts: &str| reach(&path, &Devices::parse(mounts), &mut Seen::default(), 0).0;
        let Known::Unknown(why) = seen(&line("/")) else { panic!("it was looked for") };
        assert!(why.ends_with(" is mounted as soon as somebody looks, so nobody did"), "{why}");
        // What is mounted already is only passed.
        let ends = path.match_indices('/').skip(1).map(|(at, _)| at).chain([path.len()]);
        let all: String = ends.map(|end| line(&path[..end])).collect();
        assert!(seen(&all).yes().is_some());
        assert!(seen("").yes().is_some());
    }

    #[test]
    fn lists_and_labels_are_read_of_what_is_held() {
        let (_keep, root) = place();
        let (file, link) = (format!("{root}/file"), format!("{root}/link"));
        std::fs::write(&file, "x").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        let label = |path: &str, label: &str| {
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::lsetxattr(path, "security.selinux", label.as_bytes(), flags).is_ok()
        };
        if !label(&file, "a:b:of_file:s0\0") || !label(&link, "a:b:of_link:s0\0") {
            eprintln!(
                "skipped: labels can be given by root only, on a file system that keeps them"
            );
            return;
        }
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, bits, id) in [
            (1_u16, 6_u16, u32::MAX),
            (2, 6, 64055),
            (4, 4, u32::MAX),
            (0x10, 6, u32::MAX),
            (0x20, 0, u32::MAX),
        ] {
            list.extend([&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat());
        }
        let flags = rustix::fs::XattrFlags::empty();
        let listed = rustix::fs::setxattr(&file, "system.posix_acl_access", &list, flags).is_ok();
        let walk = walk(&link).yes().cloned().unwrap();
        let [.., link, file] = &walk.steps[..] else { panic!("{walk:?}") };
        assert_eq!(link.label.as_deref(), Some("a:b:of_link:s0"));
        assert_eq!(file.label.as_deref(), Some("a:b:of_file:s0"));
        assert!(!listed || file.acl.as_ref().unwrap().users == [(64055, 6)], "{file:?}");
    }
}
