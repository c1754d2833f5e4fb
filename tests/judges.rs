//! libvirt and QEMU asked about documents, where they are installed: what is said, where, and that it depends on nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether everything that asking needs is here.
fn able() -> bool {
    let there = |program: &str| Path::new(program).exists();
    let all = ["/usr/bin/bwrap", "/usr/bin/virsh", "/usr/bin/qemu-system-x86_64"];
    let able = all.iter().all(|program| there(program)) && rustix::process::getuid().is_root();
    if !able {
        eprintln!("skipped: bubblewrap, virsh, QEMU and root are needed to ask libvirt and QEMU");
    }
    able
}

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    /// A document with these arguments.
    fn document(&self, name: &str, emulator: &str, machine: &str, args: &[&str]) -> PathBuf {
        let args: String = args.iter().map(|arg| format!("<qemu:arg value='{arg}'/>\n")).collect();
        let text = format!(
            "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>{name}</name>
<memory unit='MiB'>64</memory><os><type arch='x86_64' machine='{machine}'>hvm</type></os>
<devices><emulator>{emulator}</emulator></devices>
<qemu:commandline>
{args}</qemu:commandline></domain>
"
        );
        let path = self.dir.path().join(format!("{name}.xml"));
        std::fs::write(&path, text).unwrap();
        path
    }

    fn plain(&self, args: &[&str]) -> PathBuf {
        self.document("plain", QEMU, "q35", args)
    }

    fn check(arguments: &[&str], files: &[&PathBuf]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qpt-tui"));
        let output = command.arg("check").args(arguments).args(files).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }
}

const QEMU: &str = "/usr/bin/qemu-system-x86_64";

#[test]
fn qemu_says_what_it_refuses_and_where() {
    if !able() {
        return;
    }
    let place = Place::new();
    // None of these is in a table of ours.
    for (args, line, words) in [
        (&["-S", "-boot", "order=z"][..], 7, "Invalid boot device"),
        (&["-vnc", "5900"], 6, "no vnc port specified"),
        (&["-S", "-smbios", "type=300"], 7, "out of range"),
        (&["-cpu", "qemu64,+nope"], 6, "not found"),
        (
            &[
                "-chardev",
                "socket,id=a,host=localhost,port=45671,server=on,wait=off",
                "-chardev",
                "socket,id=b,host=127.0.0.1,port=45671,server=on,wait=off",
            ],
            8,
            "Address already in use",
        ),
        (
            &[
                "-chardev",
                "socket,id=a,path=/run/none,reconnect=1",
                "-device",
                "vhost-user-fs-pci,chardev=a,tag=t,queue-size=1000,addr=0x1d",
            ],
            8,
            "must be a power of 2",
        ),
    ] {
        let file = place.plain(args);
        let said = Place::check(&[], &[&file]);
        let found = said.lines().find(|line| line.contains("[qemu-refuses]"));
        let found = found.unwrap_or_else(|| panic!("{args:?}: {said}"));
        assert!(
            found.contains(words) && found.contains(&format!("plain.xml:{line}:")),
            "{args:?}: {found}"
        );
        let quiet = Place::check(&["--static"], &[&file]);
        assert!(!quiet.contains("qemu-refuses"), "{quiet}");
    }
}

#[test]
fn several_refusals_are_all_found() {
    if !able() {
        return;
    }
    let place = Place::new();
    let file = place.plain(&[
        "-boot",
        "order=z",
        "-S",
        "-vnc",
        "5900",
        "-device",
        "virtio-rng-pci,addr=0x1e",
        "-rtc",
        "base=nope",
    ]);
    let said = Place::check(&[], &[&file]);
    for words in ["Invalid boot device", "no vnc port", "nope"] {
        assert!(said.contains(words), "{said}");
    }
    assert!(said.contains("3 blocked"), "{said}");
}

#[test]
fn what_qemu_takes_is_not_blamed() {
    if !able() {
        return;
    }
    let place = Place::new();
    // An alias of a controller brings its bus, which a table did not know.
    let file =
        place.plain(&["-device", "virtio-serial,addr=0x1d", "-device", "virtserialport,name=a"]);
    assert!(Place::check(&["--static"], &[&file]).contains("bus-missing"));
    assert!(Place::check(&[], &[&file]).contains("0 blocked, 0 warnings, 0 unknown"));
    // A client of a server of the same command line; started for real.
    let server = "socket,id=a,host=127.0.0.1,port=45673,server=on,wait=off";
    let file =
        place.plain(&["-chardev", server, "-chardev", "socket,id=b,host=127.0.0.1,port=45673"]);
    let said = Place::check(&[], &[&file]);
    assert!(said.contains("0 blocked, 0 warnings, 0 unknown"), "{said}");
}

#[test]
fn libvirt_says_what_it_refuses() {
    if !able() {
        return;
    }
    let place = Place::new();
    let file = place.document("old", QEMU, "pc-q35-1.0", &["-S"]);
    let said = Place::check(&[], &[&file]);
    assert!(
        said.contains("does not support machine type") || said.contains("[unknown-machine]"),
        "{said}"
    );
    assert!(said.contains("1 blocked"), "{said}");
}

#[test]
fn a_verdict_does_not_depend_on_the_other_files() {
    if !able() {
        return;
    }
    let place = Place::new();
    let strange = place.document("strange", "/opt/none/qemu", "q35", &["-device", "nope"]);
    let wrong = place.document("wrong", QEMU, "q35", &["-device", "nope"]);
    let fine = place.document("fine", QEMU, "q35", &["-device", "virtio-rng-pci,addr=0x1e"]);
    let of = |said: &str, name: &str| -> Vec<String> {
        said.lines()
            .filter(|line| line.contains(&format!("/{name}.xml")))
            .map(str::to_owned)
            .collect()
    };
    let files = [&strange, &wrong, &fine];
    let alone: Vec<Vec<String>> = ["strange", "wrong", "fine"]
        .into_iter()
        .zip(files)
        .map(|(name, file)| of(&Place::check(&[], &[file]), name))
        .collect();
    assert!(
        alone[0]
            .iter()
            .any(|line| line.contains("the domain's emulator /opt/none/qemu is not there")),
        "{alone:?}"
    );
    assert!(alone[1].iter().any(|line| line.contains("has no device 'nope'")), "{alone:?}");
    assert!(alone[2].iter().any(|line| line.contains("0 blocked")), "{alone:?}");
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let said = Place::check(&[], &order.map(|at| files[at]));
        for (at, name) in ["strange", "wrong", "fine"].into_iter().enumerate() {
            assert_eq!(of(&said, name), alone[at], "{order:?}");
        }
    }
}

#[test]
fn an_edit_that_does_not_help_is_not_made() {
    if !able() {
        return;
    }
    let place = Place::new();
    // There is no such bus on this machine, as JSON neither.
    let file = place.plain(&["-device", "virtio-rng-pci,bus=pci.0,addr=0x10"]);
    let before = std::fs::read_to_string(&file).unwrap();
    let said = Place::check(&["--fix"], &[&file]);
    assert!(said.contains("1 blocked"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    // What helps is made.
    let file = place.plain(&["-device virtio-rng-pci,addr=0x1e"]);
    let said = Place::check(&["--fix"], &[&file]);
    assert!(said.contains("0 blocked"), "{said}");
}

/// How often each of some files is opened while a document is checked.
fn opened(paths: &[PathBuf], arguments: &[&str], document: &PathBuf) -> (Vec<usize>, String) {
    use rustix::fs::inotify;
    let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
    let watch = inotify::init(flags).unwrap();
    let watches: Vec<i32> = paths
        .iter()
        .map(|path| inotify::add_watch(&watch, path, inotify::WatchFlags::OPEN).unwrap())
        .collect();
    let said = Place::check(arguments, &[document]);
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(&watch, &mut buffer);
    let mut counts = vec![0; paths.len()];
    // It ends with EAGAIN.
    while let Ok(event) = events.next() {
        if let Some(at) = watches.iter().position(|watch| *watch == event.wd()) {
            counts[at] += 1;
        }
    }
    (counts, said)
}

#[test]
fn asking_opens_nothing_that_a_document_names() {
    if !able() {
        return;
    }
    let place = Place::new();
    let at = |name: &str| place.dir.path().join(name);
    for name in ["secret", "table", "image", "kernel", "rom", "script", "log"] {
        std::fs::write(at(name), vec![0; 1 << 16]).unwrap();
    }
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), fifo, 0o666.into(), 0).unwrap();
    let ear = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    ear.set_nonblocking(true).unwrap();
    let named = |text: &str| text.replace('@', &place.dir.path().display().to_string());
    let arguments: Vec<String> = [
        "-object",
        "secret,id=s,file=@/secret",
        "-acpitable",
        "file=@/table",
        "-drive",
        "file=@/image,format=raw,if=none,id=d",
        "-kernel",
        "@/kernel",
        "-device",
        "virtio-net-pci,addr=0x1c,romfile=@/rom",
        "-netdev",
        "tap,id=n,script=@/script",
        "-D",
        "@/log",
        "-chardev",
        "pipe,id=p,path=@/fifo",
        "-chardev",
        "socket,id=c,path=@/socket",
        "-blockdev",
        "driver=file,filename=/etc/shadow,node-name=x",
        "-fw_cfg",
        "name=opt/x,file=/etc/passwd",
    ]
    .iter()
    .map(|text| named(text))
    .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let document = place.plain(&arguments);
    let mut paths: Vec<PathBuf> =
        ["secret", "table", "image", "kernel", "rom", "script", "log", "fifo"].map(at).to_vec();
    paths.push("/etc/shadow".into());
    // What our own look at the host opens (headers of images) is opened without asking, too.
    let (by_us, _) = opened(&paths, &["--static"], &document);
    let (asked, said) = opened(&paths, &[], &document);
    assert_eq!(asked, by_us, "{paths:?}\n{said}");
    // The watch does see what is opened.
    assert!(by_us[2] > 0 && by_us[..2] == [0, 0], "{by_us:?}");
    assert!(ear.accept().is_err(), "somebody connected");
    // And QEMU was asked.
    assert!(said.contains("QEMU was not asked about all of this"), "{said}");
}

/// Checks a document with this cache directory; what is said, or that it took too long.
fn with_cache(cache: &Path, document: &Path) -> String {
    let mut command = Command::new("timeout");
    command.args(["20", env!("CARGO_BIN_EXE_qpt-tui"), "check", "--fail-on", "never"]);
    let output = command.arg(document).env("XDG_CACHE_HOME", cache).output().unwrap();
    assert!(
        output.status.success(),
        "{:?} {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_cache_leads_nowhere_and_is_waited_for_by_nobody() {
    if !able() {
        return;
    }
    let place = Place::new();
    let document = place.plain(&["-device", "nosuch"]);
    let cache = place.dir.path().join("cache");
    let ours = cache.join("qpt-tui");
    let precious = place.dir.path().join("precious");
    std::fs::create_dir_all(&cache).unwrap();
    assert!(with_cache(&cache, &document).contains("has no device 'nosuch'"));
    let kept = std::fs::read_dir(&ours).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<PathBuf> = kept.filter(|path| path.extension().is_some()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");

    // A link in its place is not written through, a pipe not waited for; what is asked is asked again.
    std::fs::write(&precious, "precious").unwrap();
    std::fs::remove_file(&kept[0]).unwrap();
    std::os::unix::fs::symlink(&precious, &kept[0]).unwrap();
    assert!(with_cache(&cache, &document).contains("has no device 'nosuch'"));
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
    std::fs::remove_file(&kept[0]).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &kept[0], fifo, 0o666.into(), 0).unwrap();
    assert!(with_cache(&cache, &document).contains("has no device 'nosuch'"));

    // A lie in it, in a directory that others may write, is not believed.
    let lie = std::fs::read_to_string(&kept[0]).unwrap_or_default().replace("7.2", "6.6");
    std::fs::remove_file(&kept[0]).ok();
    std::fs::write(&kept[0], lie).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&ours, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(!with_cache(&cache, &document).contains("6.6"));
    // So is nothing in somebody else's.
    std::fs::set_permissions(&ours, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(&ours, Some(65534), None).unwrap();
    let said = with_cache(&cache, &document);
    assert!(!said.contains("6.6") && said.contains("has no device 'nosuch'"), "{said}");
    // libvirt is asked all the same, and writes into a directory that goes with the program.
    assert!(said.contains("refuses it"), "{said}");
    let temporary = place.dir.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_qpt-tui"));
    command.args(["check", "--fail-on", "never"]).arg(&document).env("XDG_CACHE_HOME", &cache);
    assert!(command.env("TMPDIR", &temporary).output().unwrap().status.success());
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

/// A file of options is shown to QEMU as it is; what it names has been looked at by nobody.
#[test]
fn a_file_of_options_is_read() {
    if !able() {
        return;
    }
    let place = Place::new();
    let file = place.dir.path().join("options");
    let document = place.plain(&["-readconfig", file.to_str().unwrap()]);
    for (text, expected) in [
        ("# nothing\n", "0 blocked, 0 warnings, 0 unknown"),
        (
            "[device \"x\"]\n  driver = \"qemu-xhci\"\n  addr = \"0x1d\"\n",
            "0 blocked, 0 warnings, 0 unknown",
        ),
        ("[device \"x\"]\n  driver = \"none-such\"\n", "1 blocked, 0 warnings, 0 unknown"),
        (
            "[chardev \"x\"]\n  backend = \"file\"\n  path = \"/tmp/x\"\n",
            "0 blocked, 0 warnings, 1 unknown",
        ),
    ] {
        std::fs::write(&file, text).unwrap();
        let said = Place::check(&[], &[&document]);
        assert!(said.contains(expected), "{text}: {said}");
    }
}
