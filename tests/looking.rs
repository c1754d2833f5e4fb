//! Looking never touches: names that are flipped under the look open nothing else, and root makes nothing where others lead.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{CWD, FileType, Mode};

/// How many files a document names.
const FILES: usize = 300;

/// A document that names `FILES` files in a directory.
fn document(directory: &Path) -> String {
    let drive = |number| {
        let path = directory.join(format!("i{number}"));
        let option = format!("file={},if=none,id=d{number}", path.display());
        format!("<qemu:arg value='-drive'/><qemu:arg value='{option}'/>\n")
    };
    let arguments: String = (0..FILES).map(drive).collect();
    format!(
        "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>raced</name>
<memory unit='MiB'>64</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>
<qemu:commandline>
{arguments}</qemu:commandline></domain>
"
    )
}

/// How many times something else than a regular file was opened, while the name of its directory was flipped all the time.
fn opened(runs: usize) -> usize {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for name in ["files", "others"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    for number in 0..FILES {
        std::fs::write(at("files").join(format!("i{number}")), "plain").unwrap();
        let other = at("others").join(format!("i{number}"));
        let mode = Mode::from_raw_mode(0o600);
        // A device that gives zeros, where this user may make one.
        let zero = rustix::fs::makedev(1, 5);
        let is_made = number % 2 == 0
            && rustix::fs::mknodat(CWD, &other, FileType::CharacterDevice, mode, zero).is_ok();
        if !is_made {
            rustix::fs::mknodat(CWD, &other, FileType::Fifo, mode, 0).unwrap();
        }
    }
    let xml = at("vm.xml");
    std::fs::write(&xml, document(&at("cur"))).unwrap();
    let ear = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&ear, at("others"), WatchFlags::OPEN).unwrap();

    let is_over = Arc::new(AtomicBool::new(false));
    let (over, current, next) = (Arc::clone(&is_over), at("cur"), at("next"));
    let flipping = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            for name in ["files", "others"] {
                std::os::unix::fs::symlink(name, &next).unwrap();
                std::fs::rename(&next, &current).unwrap();
            }
        }
    });
    for _ in 0..runs {
        let said = Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
            .args(["check", "--static"])
            .arg(&xml)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("domain 'raced', 600 entries"), "{said}");
    }
    is_over.store(true, Ordering::Relaxed);
    flipping.join().unwrap();

    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(ear, &mut buffer);
    let mut opened = 0;
    while let Ok(event) = events.next() {
        // The directory itself is opened by nobody here but the test.
        opened += usize::from(event.file_name().is_some());
    }
    opened
}

#[test]
fn a_directory_that_is_flipped_under_the_look_opens_no_pipe_and_no_device() {
    assert_eq!(opened(20), 0);
}

#[test]
fn a_pipe_in_the_place_of_the_users_qemu_conf_is_waited_for_by_nobody() {
    let place = tempfile::tempdir().unwrap();
    let libvirt = place.path().join("libvirt");
    std::fs::create_dir(&libvirt).unwrap();
    let conf = libvirt.join("qemu.conf");
    rustix::fs::mknodat(CWD, &conf, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let xml = place.path().join("vm.xml");
    std::fs::write(&xml, document(place.path())).unwrap();
    let check = || {
        let said = Command::new("timeout")
            .args(["20", env!("CARGO_BIN_EXE_qpt-tui"), "check", "--static", "--session"])
            .arg(&xml)
            .env("XDG_CONFIG_HOME", place.path())
            .output()
            .unwrap();
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    let said = check();
    assert!(said.contains("qemu.conf cannot be read (it is no regular file)"), "{said}");
    // A link to a file is that file.
    std::fs::remove_file(&conf).unwrap();
    std::fs::write(place.path().join("kept.conf"), "").unwrap();
    std::os::unix::fs::symlink("../kept.conf", &conf).unwrap();
    let said = check();
    assert!(said.contains("domain 'raced'") && !said.contains("cannot be read"), "{said}");
}

#[test]
fn root_makes_nothing_in_a_strangers_directories() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root gives directories away");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let home = place.path().join("home");
    for name in ["home", "home/.cache", "home/.local", "home/.local/state", "home/tmp"] {
        std::fs::create_dir(place.path().join(name)).unwrap();
        std::os::unix::fs::chown(place.path().join(name), Some(12345), None).unwrap();
    }
    let before = names_below(&home);
    let xml = place.path().join("vm.xml");
    std::fs::write(&xml, document(place.path())).unwrap();
    for (own, cache) in [(home.as_path(), ".cache"), (Path::new("/root"), "new/.cache")] {
        let said = Command::new(env!("CARGO_BIN_EXE_qpt-tui"))
            .arg("check")
            .arg(&xml)
            .env("HOME", own)
            .env("XDG_CACHE_HOME", home.join(cache))
            .env("XDG_STATE_HOME", home.join("new/state"))
            .env("TMPDIR", home.join("tmp"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("domain 'raced'"), "{said}");
        assert_eq!(names_below(&home), before);
    }
    // What is removed again was made all the same: whoever owns the directory is told so by its time.
    let changed = std::fs::metadata(home.join("tmp")).unwrap().modified().unwrap();
    assert!(changed <= std::fs::metadata(&xml).unwrap().modified().unwrap());
}

fn names_below(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        if entry.path().is_dir() {
            names.extend(names_below(&entry.path()));
        }
        names.push(entry.path());
    }
    names.sort();
    names
}

#[test]
#[ignore = "takes minutes; cargo test --test looking -- --ignored"]
fn a_thousand_looks_open_no_pipe_and_no_device() {
    assert_eq!(opened(1000), 0);
}
