//! Being told when somebody else writes a file: by inotify on its directory, so that a file that is replaced is seen too.

use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

/// Changes that come in one burst are told once.
const BURST: Duration = Duration::from_millis(30);

/// What is to be told of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// That it has another content, or is another file.
    Content,
    /// That it is another file, or none.
    Presence,
}

/// Has a thread call `tell` after each change of the file, until `tell` says that nobody listens any more.
///
/// Where it can't be watched (too many watches, a file system without them) nothing is told: saving looks by itself.
pub fn watch(real: &Path, of: Of, tell: impl Fn() -> bool + Send + 'static) {
    let (Some(directory), Some(name)) = (real.parent(), real.file_name()) else { return };
    let Ok(descriptor) = inotify::init(CreateFlags::CLOEXEC) else { return };
    let presence =
        WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM | WatchFlags::DELETE | WatchFlags::ONLYDIR;
    let flags = match of {
        Of::Content => presence | WatchFlags::CLOSE_WRITE | WatchFlags::MODIFY,
        Of::Presence => presence | WatchFlags::CREATE,
    };
    if inotify::add_watch(&descriptor, directory, flags).is_err() {
        return;
    }
    let name: OsString = name.to_owned();
    std::thread::spawn(move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(descriptor, &mut buffer);
        loop {
            let Ok(event) = reader.next() else { return };
            let touched =
                event.file_name().is_some_and(|found| found.to_bytes() == name.as_bytes());
            if event.events().contains(ReadFlags::IGNORED) {
                return;
            }
            if !touched {
                continue;
            }
            std::thread::sleep(BURST);
            // What is already there belongs to the same burst.
            while !reader.is_buffer_empty() {
                let _ = reader.next();
            }
            if !tell() {
                return;
            }
        }
    });
}
