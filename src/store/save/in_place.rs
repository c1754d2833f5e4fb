//! Writing into a file as it is.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, TryLockError};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::store::mutex::locked;

/// Writing in place broke off.
pub(super) struct Broken {
    pub(super) error: io::Error,
    /// The old text is in the file again, or still.
    pub(super) restored: bool,
}

/// Held while a file is written into: then it holds neither text for a moment.
static IN_PLACE: Mutex<()> = Mutex::new(());

/// Waits until no file is being written into, or the patience ends.
pub(super) fn await_end(patience: Duration) {
    let deadline = Instant::now() + patience;
    while matches!(IN_PLACE.try_lock(), Err(TryLockError::WouldBlock)) && Instant::now() < deadline
    {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Writes into the file as it is; room is made first, and where writing breaks off the old text is put back.
pub(super) fn write_in_place(real: &Path, text: &str, old: &str) -> Result<(), Broken> {
    let untouched = |error: io::Error| Broken { error, restored: true };
    let flags =
        OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = File::from(
        rustix::fs::open(real, flags, Mode::empty()).map_err(|error| untouched(error.into()))?,
    );
    if !file.metadata().map_err(untouched)?.is_file() {
        return Err(untouched(io::Error::other("it is no regular file")));
    }
    let _writing = locked(&IN_PLACE);
    // Its name may lead elsewhere than a moment ago.
    let limit = u64::try_from(old.len()).unwrap_or(u64::MAX).saturating_add(1);
    let mut there = Vec::new();
    (&mut file).take(limit).read_to_end(&mut there).map_err(untouched)?;
    if there != old.as_bytes() {
        return Err(untouched(io::Error::other("it is being changed just now")));
    }
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    // A file system that knows no such call still has the writing below.
    let room = rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, length.max(1));
    if let Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) = room {
        return Err(untouched(error.into()));
    }
    let written = file
        .write_all_at(text.as_bytes(), 0)
        .and_then(|()| file.set_len(length))
        .and_then(|()| file.sync_all());
    let Err(error) = written else { return Ok(()) };
    let back = file.write_all_at(old.as_bytes(), 0);
    let back = back.and_then(|()| file.set_len(u64::try_from(old.len()).unwrap_or(u64::MAX)));
    let back = back.and_then(|()| file.sync_all());
    let mut now = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut now));
    Err(Broken { error, restored: back.is_ok() && read.is_ok() && now == old.as_bytes() })
}
