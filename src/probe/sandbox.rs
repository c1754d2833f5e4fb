//! Running a QEMU where it can touch nothing: no network, no file of the host but the distribution's own, no privilege, a
//! bounded time and memory.
//!
//! Bubblewrap makes the namespaces, or, for root, the programs of util-linux do. As root the program becomes nobody inside; as
//! a user it stays in a user namespace.

mod stand_ins;
mod watched;

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use stand_ins::{LOCAL, OWN, SHARED, make_directory, put};
pub(super) use watched::Ended;
use watched::{MOST_WORDS, Watched};

use crate::power;
use crate::process::nameless;
use crate::trial::StandIn;

/// What this host is called by every program: as far as names go without a network.
const NAMES_OF_HOSTS: [(&str, &str); 2] = [
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"),
    ("etc/nsswitch.conf", "hosts: files\n"),
];

/// How long one QEMU may take.
const PATIENCE: Duration = Duration::from_secs(4);
/// A place for QEMUs to run in.
pub(super) struct Sandbox {
    directory: tempfile::TempDir,
    way: Way,
    /// How long one QEMU may take.
    patience: Duration,
    /// KVM may be used in it.
    pub(super) kvm: bool,
}

impl Sandbox {
    /// Makes a place.
    ///
    /// # Errors
    /// Why there can be none, in one sentence.
    pub(super) fn new() -> Result<Sandbox, String> {
        let way = Way::of_this_host()?;
        let failed = |error: std::io::Error| {
            format!("no directory can be made for a QEMU that is asked: {error}")
        };
        let directory = directory().map_err(failed)?;
        let root = directory.path().join("root");
        make_directory(&root).map_err(failed)?;
        make_directory(&root.with_file_name(SHARED)).map_err(failed)?;
        for name in ["usr", "dev", "proc", "tmp", "etc", "run"] {
            make_directory(&root.join(name)).map_err(failed)?;
        }
        for name in ["bin", "sbin", "lib", "lib64", "lib32"] {
            // As on the host: links into /usr, or directories of their own.
            match std::fs::read_link(Path::new("/").join(name)) {
                Ok(target) => {
                    std::os::unix::fs::symlink(target, root.join(name)).map_err(failed)?;
                }
                Err(_) if Path::new("/").join(name).is_dir() => {
                    make_directory(&root.join(name)).map_err(failed)?;
                }
                Err(_) => {}
            }
        }
        Ok(Sandbox { directory, way, patience: PATIENCE, kvm: can_use_kvm() })
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    /// What is seen in /usr/local, once something is to be seen there: it is the administrator's own, and not replaced otherwise.
    fn local(&self) -> PathBuf {
        self.root().with_file_name(OWN)
    }

    /// Puts stand-ins in.
    ///
    /// # Errors
    /// When there is no room, in one sentence.
    pub(super) fn furnish(&self, stand_ins: &[StandIn]) -> Result<(), String> {
        for stand_in in stand_ins {
            put(&self.root(), stand_in)
                .map_err(|error| format!("{}: no stand-in can be made: {error}", stand_in.path))?;
        }
        for (name, text) in NAMES_OF_HOSTS {
            // One that the document names is there already.
            if let Ok(mut file) = std::fs::File::create_new(self.root().join(name)) {
                let _ = file.write_all(text.as_bytes());
            }
        }
        Ok(())
    }

    /// Runs a program until it answers or ends. `arguments` get a monitor of ours, and no guest is started.
    pub(super) fn run(&self, program: &str, arguments: &[String]) -> Result<Ended, String> {
        let socket = self.root().join(MONITOR.trim_start_matches('/'));
        let _ = std::fs::remove_file(&socket);
        let mut words = nameless("")?;
        let copy = words.try_clone().map_err(|error| error.to_string())?;
        let mut command = self.wrapped(program);
        command.args(arguments);
        command.args([
            "-S",
            "-chardev",
            &format!("socket,id=qpt-judge,path={MONITOR},server=on,wait=off"),
        ]);
        command.args(["-mon", "chardev=qpt-judge,mode=control"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(copy);
        let (printed, patience) =
            (words.try_clone().map_err(|error| error.to_string())?, self.patience);
        // It mounts, which nobody may who gave anything up.
        let ended = power::outside(move || {
            let child = command
                .spawn()
                .map_err(|error| format!("QEMU could not be kept apart: {error}"))?;
            let words = &printed;
            let mut watched = Watched { child, words, stream: None, heard: String::new() };
            let ended = watched.until(&socket, patience);
            // All that runs in it ends with bubblewrap.
            let _ = watched.child.kill();
            let _ = watched.child.wait();
            Ok::<Ended, String>(ended)
        })?;
        match ended {
            Ended::Refused(_) => {
                let mut text = Vec::new();
                let mut start = words.try_clone().map_err(|error| error.to_string())?;
                std::io::Seek::rewind(&mut start).map_err(|error| error.to_string())?;
                let _ = (&mut words).take(MOST_WORDS).read_to_end(&mut text);
                Ok(Ended::Refused(String::from_utf8_lossy(&text).into_owned()))
            }
            Ended::Accepted | Ended::Stopped(_) => Ok(ended),
        }
    }

    /// All that keeps the program apart, up to its own arguments.
    fn wrapped(&self, program: &str) -> Command {
        let mut command = match self.way {
            Way::Bubblewrap => self.bubblewrap(),
            Way::Unshare => self.unshare(),
        };
        if rustix::process::geteuid().is_root() {
            command.args(AS_NOBODY);
        }
        command.args(["prlimit", "--core=0", "--nofile=1024", "--cpu=8", "--", program]);
        command
    }

    fn bubblewrap(&self) -> Command {
        let mut command = Command::new(BUBBLEWRAP);
        command.arg("--bind").arg(self.root()).arg("/");
        for directory in programs() {
            command.args(["--ro-bind", directory, directory]);
        }
        command.args(["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]);
        command.args(["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]);
        command.args(["--ro-bind-try", "/etc/services", "/etc/services"]);
        if self.local().exists() {
            command.arg("--bind").arg(self.local()).arg(LOCAL);
        }
        command
            .args(["--dev", "/dev", "--bind"])
            .arg(self.root().with_file_name(SHARED))
            .args(["/dev/shm", "--proc", "/proc"]);
        if self.kvm {
            command.args(["--dev-bind", "/dev/kvm", "/dev/kvm"]);
        }
        command.args(["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]);
        command.args([
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--new-session",
            "--chdir",
            "/",
        ]);
        command.args(["--clearenv", "--setenv", "LC_ALL", "C", "--setenv", "HOME", "/tmp"]);
        command.args(["--setenv", "PATH", PATH]);
        if rustix::process::geteuid().is_root() {
            command.args(["--cap-drop", "ALL"]);
            for capability in ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"] {
                command.args(["--cap-add", capability]);
            }
        } else {
            command.args(["--unshare-user"]);
        }
        command
    }

    /// The same by the programs of util-linux, for root.
    fn unshare(&self) -> Command {
        let mut command = Command::new("/usr/bin/setpriv");
        // It ends with us.
        command.args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--pid",
            "--net",
            "--ipc",
            "--uts",
        ]);
        command.args([
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
            "/bin/sh",
            "-euc",
            SCRIPT,
            "sandbox",
        ]);
        command
            .arg(self.root())
            .arg(if self.kvm { "kvm" } else { "null" })
            .arg(programs().join(" "));
        command
    }
}

/// How the namespaces are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Bubblewrap,
    /// unshare(1), mount(8) and chroot(1), which only root may use like this.
    Unshare,
}

impl Way {
    fn of_this_host() -> Result<Way, String> {
        if Path::new(BUBBLEWRAP).exists() {
            return Ok(Way::Bubblewrap);
        }
        let all = ["/usr/bin/setpriv", "/usr/bin/unshare", "/usr/bin/prlimit", "/usr/sbin/chroot"];
        let has_all = all.iter().all(|program| Path::new(program).exists());
        if has_all && rustix::process::geteuid().is_root() {
            return Ok(Way::Unshare);
        }
        Err(format!(
            "{BUBBLEWRAP} is not there to keep QEMU apart; it is in the package bubblewrap"
        ))
    }
}

/// Makes the root directory of the sandbox what bubblewrap makes of it, and goes in: the root, `kvm` or `null`, the directories
/// of the distribution's programs, and then the program.
const SCRIPT: &str = "
root=$1 kvm=$2 programs=$3
shift 3
mount --bind \"$root\" \"$root\"
for directory in $programs; do
    mount --rbind \"$directory\" \"$root$directory\"
    mount -o remount,bind,ro \"$root$directory\"
done
mkdir -p \"$root/etc\"
[ ! -e /etc/ld.so.cache ] || cp /etc/ld.so.cache \"$root/etc/\"
[ ! -d /etc/alternatives ] || cp -a /etc/alternatives \"$root/etc/\"
[ ! -e /etc/services ] || cp /etc/services \"$root/etc/\"
[ ! -d \"${root%/*}/local\" ] || mount --bind \"${root%/*}/local\" \"$root/usr/local\"
mount -t tmpfs -o mode=755 none \"$root/dev\"
for node in null zero full random urandom $kvm; do
    [ -e \"$root/dev/$node\" ] || : > \"$root/dev/$node\"
    mount --bind \"/dev/$node\" \"$root/dev/$node\"
done
mkdir -m 1777 \"$root/dev/shm\"
mount --bind \"${root%/*}/shm\" \"$root/dev/shm\"
mount -t proc none \"$root/proc\"
ip link set lo up 2> /dev/null || :
cd \"$root\"
# The shell stays the first process: with it all others end, and it ends with who started it.
env -i LC_ALL=C HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . \"$@\" || exit $?
exit 0
";

/// Where programs are looked for.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// Root gives everything up inside: nobody, the user and the group that own nothing, runs QEMU.
const AS_NOBODY: [&str; 9] = [
    "setpriv",
    "--reuid",
    "65534",
    "--regid",
    "65534",
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set=-all",
    "--inh-caps=-all",
];

/// The directories that hold the distribution's programs, where they are no links into /usr.
fn programs() -> Vec<&'static str> {
    let is_own = |directory: &&str| {
        let path = Path::new(directory);
        path.is_dir() && !path.is_symlink()
    };
    ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin"].into_iter().filter(is_own).collect()
}

/// The program that makes the namespaces.
const BUBBLEWRAP: &str = "/usr/bin/bwrap";
/// Our monitor inside.
const MONITOR: &str = "/qpt-judge";

/// The beginning of the names of our directories; the process follows.
const PREFIX: &str = "qpt-tui-sandbox-";

/// A new directory for us alone, which goes when it is dropped; where we are killed before, a later start removes it.
pub(super) fn directory() -> std::io::Result<tempfile::TempDir> {
    sweep();
    // Nobody else may come to what everybody may write inside.
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(crate::folder::temporary())
}

/// Removes the directories that killed processes of ours left: they hold stand-ins, or what libvirt wrote of QEMU.
fn sweep() {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(crate::folder::temporary()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        let Some(process) = process.and_then(|number| number.parse::<u32>().ok()) else { continue };
        let is_ours = entry.metadata().is_ok_and(|found| {
            found.is_dir() && found.uid() == rustix::process::geteuid().as_raw()
        });
        if is_ours && !Path::new(&format!("/proc/{process}")).exists() {
            // Somebody else may be quicker.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a program of nobody's, or of ours, may open /dev/kvm.
fn can_use_kvm() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    if rustix::process::geteuid().is_root() {
        return std::fs::metadata("/dev/kvm").is_ok_and(|found| found.mode() & 0o006 == 0o006);
    }
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    rustix::fs::access("/dev/kvm", access).is_ok()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::facts::header::Header;
    use crate::trial::StandInKind;

    /// A sandbox of each way that this host has.
    fn sandboxes() -> Vec<Sandbox> {
        let mut found: Vec<Sandbox> = sandbox().into_iter().collect();
        if rustix::process::geteuid().is_root()
            && let Some(mut other) = sandbox()
        {
            other.way = Way::Unshare;
            found.push(other);
        }
        found
    }

    fn sandbox() -> Option<Sandbox> {
        let able = Command::new(BUBBLEWRAP)
            .args(["--unshare-pid", "--ro-bind", "/", "/", "true"])
            .status();
        if able.is_ok_and(|status| status.success()) {
            let sandbox = Sandbox::new().unwrap();
            return Some(Sandbox { patience: Duration::from_secs(2), ..sandbox });
        }
        eprintln!("skipped: bubblewrap is not there, or may make no namespaces");
        None
    }

    /// What a shell says in the sandbox; its other arguments are those of a QEMU.
    fn shell(sandbox: &Sandbox, script: &str) -> Ended {
        sandbox.run("/bin/sh", &["-c".to_owned(), script.to_owned()]).unwrap()
    }

    #[test]
    fn nothing_of_the_host_is_there() {
        for sandbox in sandboxes() {
            nothing_is_there(&sandbox);
        }
    }

    fn nothing_is_there(sandbox: &Sandbox) {
        let own = tempfile::tempdir().unwrap();
        let secret = own.path().join("secret");
        std::fs::write(&secret, "precious").unwrap();
        let script = format!(
            "exec >&2; cat {0} /etc/shadow /proc/1/environ; echo x > /usr/qpt; echo x > {0}; id -u; ls /sys /root /home; cat /proc/net/dev | grep -c :",
            secret.display()
        );
        let Ended::Refused(said) = shell(sandbox, &script) else { panic!("it ends by itself") };
        assert!(!said.contains("precious") && !said.contains("root:"), "{said}");
        assert!(said.contains("/etc/shadow: No such file or directory"), "{said}");
        assert!(said.contains("Read-only file system"), "{said}");
        // The loopback interface is the only one.
        assert!(said.trim_end().ends_with('1'), "{said}");
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), "precious");
        if rustix::process::geteuid().is_root() {
            assert!(said.lines().any(|line| line == "65534"), "{said}");
        }
    }

    #[test]
    fn what_does_not_end_is_ended() {
        for sandbox in sandboxes() {
            all_is_ended(sandbox);
        }
    }

    fn all_is_ended(mut sandbox: Sandbox) {
        let stopped = |sandbox: &Sandbox, script: &str| match shell(sandbox, script) {
            Ended::Stopped(why) => why,
            ended @ (Ended::Accepted | Ended::Refused(_)) => panic!("{script}: {ended:?}"),
        };
        let little = std::mem::replace(&mut sandbox.patience, Duration::from_secs(60));
        assert!(stopped(&sandbox, "exec yes >&2").contains("prints without an end"));
        let hog = "dd if=/dev/zero of=/dev/null bs=2000M count=9";
        assert!(stopped(&sandbox, hog).contains("takes more than"));
        sandbox.patience = little;
        let sleeps = format!("sleep 60.{0} & sleep 60.{0}", std::process::id());
        assert!(stopped(&sandbox, &sleeps).contains("did not answer"));
        // All of it is gone with its namespace.
        let marker = format!("sleep 60.{}", std::process::id());
        let left = || Command::new("pgrep").args(["-f", &marker]).output().unwrap().stdout;
        let deadline = Instant::now() + Duration::from_secs(5);
        while !left().is_empty() {
            assert!(Instant::now() < deadline, "{}", String::from_utf8_lossy(&left()));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn stand_ins_are_what_they_say() {
        for sandbox in sandboxes() {
            stand_ins_are_right(&sandbox);
        }
    }

    fn stand_ins_are_right(sandbox: &Sandbox) {
        let file = |path: &str, size, qcow2| StandIn {
            path: path.to_owned(),
            kind: StandInKind::File { size, qcow2, header: Header::default() },
        };
        let parent = StandIn { path: "/srv/new/file".to_owned(), kind: StandInKind::Parent };
        let up = file("/srv/../etc/up", 1, false);
        sandbox
            .furnish(&[file("/srv/a b.img", 12345, false), file("/srv/q", 1, true), parent, up])
            .unwrap();
        let script = "exec >&2; stat -c '%s %a' '/srv/a b.img'; head -c 3 /srv/q; echo; echo x > /srv/new/file && ls /srv/new; ls /etc/up";
        let Ended::Refused(said) = shell(sandbox, script) else { panic!("it ends by itself") };
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..3], ["12345 666", "QFI", "file"], "{said}");
        assert!(lines[3].contains("No such file"), "{said}");
    }
}
