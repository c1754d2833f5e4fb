//! Giving up what a thread does not need, where the kernel has landlock(7): then it writes below a few directories and
//! nowhere else, makes no device, sends none an ioctl, starts no program, connects to no TCP port and no abstract socket,
//! and signals no other process. It still reads whatever this user may read.
//!
//! A restriction is of one thread and of all that comes of it, so the process is divided: a thread that was started before
//! does what needs more (`outside`), which is programs and what `/proc` shows of other processes. Bubblewrap can mount
//! nothing below a restriction, virsh may need polkit's setuid helper, and NSS may ask over the network.
//!
//! The editor's main thread stays as it is: it has the terminal, starts $EDITOR and saves where the user says. There is no
//! filter of system calls (seccomp): what a terminal, threads and programs need is nearly all that such a list would refuse.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{OnceLock, mpsc};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
    RulesetStatus, Scope,
};

use crate::folder::{Folder, temporary};

/// What is asked of the kernel; an older one gives what it has of it.
const WANTED: ABI = ABI::V7;

/// What a thread may go on writing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes {
    below: Vec<PathBuf>,
}

impl Writes {
    /// Nothing at all.
    pub(crate) fn nothing() -> Writes {
        Writes::default()
    }

    /// What a look at the host writes: the cache, and questions to SELinux, which are written into files.
    pub(crate) fn looking() -> Writes {
        const QUESTIONS: [&str; 3] =
            ["/sys/fs/selinux/access", "/sys/fs/selinux/create", "/sys/fs/selinux/context"];
        let cache = Folder::cache().ok().map(|folder| folder.path(""));
        Writes { below: cache.into_iter().chain(QUESTIONS.map(PathBuf::from)).collect() }
    }

    /// What asking libvirt and QEMU writes: as [`Writes::looking`], and the directories in which QEMU is asked.
    pub(crate) fn asking() -> Writes {
        Writes::looking().below(&temporary())
    }

    /// What is kept of edits and of texts from before saves as well.
    pub(crate) fn keeping(self) -> Writes {
        match Folder::state() {
            Ok(folder) => self.below(&folder.path("")),
            Err(_) => self,
        }
    }

    /// The directory of a file as well, links followed; a file that is not there yet has one all the same.
    pub(crate) fn beside(self, file: &Path) -> Writes {
        let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
        match real.parent() {
            Some(directory) if directory.as_os_str().is_empty() => self.below(Path::new(".")),
            Some(directory) => self.below(directory),
            None => self,
        }
    }

    /// A directory and all that is in it as well; one that is not there is left out.
    pub(crate) fn below(mut self, directory: &Path) -> Writes {
        self.below.push(directory.to_owned());
        self
    }
}

/// Work for the thread that gave nothing up.
type Work = Box<dyn FnOnce() + Send>;

/// The thread that gave nothing up, where others have.
static OUTSIDE: OnceLock<mpsc::Sender<Work>> = OnceLock::new();

/// Starts the thread that [`outside`] needs. Threads that give something up come after it.
pub(crate) fn divide() {
    OUTSIDE.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Work>();
        std::thread::spawn(move || {
            for work in receiver {
                std::thread::spawn(work);
            }
        });
        sender
    });
}

/// Does what the calling thread may have given up the power to do.
pub(crate) fn outside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Some(threads) = OUTSIDE.get() else { return work() };
    let (sender, receiver) = mpsc::channel();
    let job = move || {
        // Who waits is there: the thread below.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    };
    threads.send(Box::new(job)).expect("the thread ends with the process");
    match receiver.recv().expect("a panic is an answer as well") {
        Ok(done) => done,
        Err(panic) => resume_unwind(panic),
    }
}

/// As [`outside`], in a thread that starts programs and may do nothing else: they inherit that.
pub(crate) fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    outside(move || {
        // Threads of a library's user are not ours to restrict.
        if OUTSIDE.get().is_some() {
            let kvm = Writes::nothing().below(Path::new("/dev/kvm"));
            drop(restrict(&kvm.below(Path::new("/dev/null")), Starts::Programs));
        }
        work()
    })
}

/// Gives up what the calling thread does not need, and all that will come of it; nothing where the kernel has no landlock.
pub(crate) fn give_up(writes: &Writes) {
    // It is no worse off than on a kernel that can't do this.
    drop(restrict(writes, Starts::Nothing));
}

/// Whether a restricted thread starts programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Starts {
    Nothing,
    Programs,
}

fn restrict(writes: &Writes, starts: Starts) -> Result<RestrictionStatus, RulesetError> {
    let all = match starts {
        Starts::Nothing => AccessFs::from_write(WANTED) | AccessFs::Execute,
        Starts::Programs => AccessFs::from_write(WANTED),
    };
    let mut rules = Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?;
    for path in &writes.below {
        // What is not there now is nothing that will be written.
        let Ok(held) = PathFd::new(path) else { continue };
        rules = rules.add_rule(PathBeneath::new(held, writing(path)))?;
    }
    rules.restrict_self()
}

/// What is left at a path that may be written: below a directory no devices are made, and only a file can be one.
fn writing(path: &Path) -> BitFlags<AccessFs> {
    if path.is_dir() {
        let devices = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev;
        return AccessFs::from_write(WANTED) & !devices;
    }
    AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev
}

/// What holds on this kernel, in one line.
pub fn held() -> String {
    // A thread of its own finds out.
    let found = std::thread::spawn(|| restrict(&Writes::nothing(), Starts::Nothing)).join();
    let Ok(Ok(status)) = found else {
        return "least power: this kernel's landlock refuses, nothing is given up".to_owned();
    };
    let privileges = if status.no_new_privs {
        "; no new privileges"
    } else {
        "; new privileges are not refused"
    };
    match (&status.landlock, &status.ruleset) {
        (LandlockStatus::NotImplemented, _) => {
            format!("least power: this kernel has no landlock{privileges}")
        }
        (LandlockStatus::NotEnabled, _) => {
            format!(
                "least power: landlock is not enabled (lsm= on the kernel's command line){privileges}"
            )
        }
        (LandlockStatus::Available { effective_abi, kernel_abi }, ruleset) => {
            let abi = kernel_abi.unwrap_or(*effective_abi as i32);
            let has = |since: ABI| *effective_abi >= since;
            let mut given_up = vec!["writing elsewhere", "programs"];
            given_up.extend(has(ABI::V4).then_some("TCP"));
            given_up.extend(has(ABI::V5).then_some("ioctls of devices"));
            given_up.extend(has(ABI::V6).then_some("abstract sockets and signals"));
            let whole = match ruleset {
                RulesetStatus::FullyEnforced => "",
                RulesetStatus::PartiallyEnforced | RulesetStatus::NotEnforced => " (not all of it)",
            };
            let given_up = given_up.join(", ");
            format!("least power: landlock {abi}{whole} takes away: {given_up}{privileges}")
        }
    }
}

/// Whether a restriction can be had here; tests say so where it can't.
#[cfg(test)]
pub(crate) fn is_there() -> bool {
    let found = held().starts_with("least power: landlock ");
    if !found {
        eprintln!("skipped: {}", held());
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

    use std::os::linux::net::SocketAddrExt as _;

    use super::*;

    /// What a thread does that gave up all but some writing.
    fn bound<T: Send + 'static>(writes: Writes, work: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::spawn(move || {
            give_up(&writes);
            work()
        })
        .join()
        .unwrap()
    }

    fn is_refused<T>(done: std::io::Result<T>) -> bool {
        done.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    }

    #[test]
    fn a_bound_thread_writes_below_its_directory_only() {
        if !is_there() {
            return;
        }
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(other.path().join("there"), "precious").unwrap();
        let (inside, elsewhere) = (own.path().to_owned(), other.path().to_owned());
        bound(Writes::nothing().below(own.path()), move || {
            std::fs::write(inside.join("new"), "x").unwrap();
            std::fs::rename(inside.join("new"), inside.join("newer")).unwrap();
            std::fs::remove_file(inside.join("newer")).unwrap();
            let there = elsewhere.join("there");
            assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");
            assert!(is_refused(File::options().write(true).open(&there)));
            assert!(is_refused(File::options().append(true).open(&there)));
            assert!(is_refused(File::create(elsewhere.join("new"))));
            assert!(is_refused(std::fs::create_dir(elsewhere.join("new"))));
            assert!(is_refused(std::os::unix::fs::symlink("x", elsewhere.join("new"))));
            assert!(is_refused(std::fs::rename(&there, elsewhere.join("gone"))));
            assert!(is_refused(std::fs::remove_file(&there)));
            // What comes of it is bound as well.
            let more = std::thread::spawn(move || File::create(elsewhere.join("new")));
            assert!(is_refused(more.join().unwrap()));
        });
        assert_eq!(std::fs::read_to_string(other.path().join("there")).unwrap(), "precious");
        // The thread that asked for it is free.
        std::fs::write(other.path().join("there"), "changed").unwrap();
    }

    #[test]
    fn a_bound_thread_reaches_no_device_no_program_and_nobody() {
        if !is_there() {
            return;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        let name = format!("qpt-tui-{}", std::process::id());
        let ear = SocketAddr::from_abstract_name(&name).unwrap();
        let _abstract = UnixListener::bind_addr(&ear).unwrap();
        let mut sleeping = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = rustix::process::Pid::from_child(&sleeping);
        let refused = bound(Writes::nothing(), move || {
            [
                ("device", is_refused(File::options().write(true).open("/dev/null"))),
                (
                    "ioctl",
                    rustix::termios::tcgetattr(File::open("/dev/null").unwrap())
                        .is_err_and(|error| error == rustix::io::Errno::ACCESS),
                ),
                ("program", is_refused(std::process::Command::new("true").status())),
                ("connect", is_refused(TcpStream::connect(address))),
                ("bind", is_refused(TcpListener::bind("127.0.0.1:0"))),
                ("abstract", is_refused(UnixStream::connect_addr(&ear))),
                (
                    "signal",
                    rustix::process::kill_process(process, rustix::process::Signal::TERM).is_err(),
                ),
            ]
        });
        sleeping.kill().unwrap();
        sleeping.wait().unwrap();
        let said = held();
        for (what, is_refused) in refused {
            let is_had = match what {
                "connect" | "bind" => said.contains("TCP"),
                "ioctl" => said.contains("ioctls"),
                "abstract" | "signal" => said.contains("signals"),
                _ => true,
            };
            assert!(is_refused || !is_had, "{what}: {said}");
        }
        assert!(TcpStream::connect(address).is_ok());
    }

    #[test]
    fn what_needs_more_is_done_outside() {
        if !is_there() {
            return;
        }
        divide();
        let directory = tempfile::tempdir().unwrap();
        let new = directory.path().join("new");
        let program = || std::process::Command::new("true").status();
        bound(Writes::nothing(), move || {
            assert!(is_refused(File::create(&new)));
            let made = new.clone();
            outside(move || File::create(made)).unwrap();
            assert!(is_refused(program()));
            assert!(outside(program).unwrap().success());
            let broke = catch_unwind(|| outside(|| assert!(!is_there(), "told")));
            assert!(broke.is_err());
            // Programs that are kept apart write nothing either.
            let write = move || {
                let mut shell = std::process::Command::new("/bin/sh");
                shell.args(["-c", "echo x >> \"$1\"", "sh"]).arg(&new);
                shell.stderr(std::process::Stdio::null()).status()
            };
            assert!(outside(write.clone()).unwrap().success());
            assert!(!apart(write).unwrap().success());
        });
    }
}
