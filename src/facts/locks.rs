//! Locks on images, as QEMU's `file` driver takes them (`raw_apply_lock_bytes`, block/file-posix.c).

use serde::{Deserialize, Serialize};

use super::walk::FileId;

/// What a process that has an image open does with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageLock {
    /// The image.
    pub file: FileId,
    /// It writes.
    pub writes: bool,
    /// It lets nobody else write.
    pub alone: bool,
    /// The process's name, and of a QEMU the domain it runs (`guest=NAME`); empty where that can't be seen.
    pub process: String,
}

/// The byte that is locked by whoever writes (`RAW_LOCK_PERM_BASE` with `BLK_PERM_WRITE`).
const WRITES: u64 = 101;
/// The byte that is locked by whoever lets nobody else write (`RAW_LOCK_SHARED_BASE`).
const ALONE: u64 = 201;

/// The locks of a text like `/proc/locks`, or the `lock:` lines of `/proc/PID/fdinfo/N` (proc(5)): `1: OFDLCK ADVISORY READ -1
/// fe:00:813509 100 101`. Processes are not named in it: a lock of a descriptor belongs to none.
pub fn read(text: &str) -> Vec<ImageLock> {
    let mut found: Vec<ImageLock> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.trim_start_matches("lock:").split_whitespace().collect();
        let [_, "OFDLCK" | "POSIX", _, _, _, file, first, last] = words[..] else { continue };
        let Some(file) = FileId::read(file) else { continue };
        let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else { continue };
        let covers = |byte: u64| first <= byte && byte <= last;
        let (writes, alone) = (covers(WRITES), covers(ALONE));
        if !writes && !alone {
            continue;
        }
        match found.iter_mut().find(|lock| lock.file == file) {
            Some(lock) => {
                lock.writes |= writes;
                lock.alone |= alone;
            }
            None => found.push(ImageLock { file, writes, alone, process: String::new() }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a QEMU 7.2 with one image for writing and one for reading.
    #[test]
    fn what_a_qemu_locks_is_read() {
        let text = "1: POSIX  ADVISORY  WRITE 3295 fe:00:813509 0 0\n\
                    2: FLOCK  ADVISORY  WRITE 3203 fe:00:10010644 0 EOF\n\
                    3: -> FLOCK  ADVISORY  WRITE 3542 fe:00:10010644 0 EOF\n\
                    4: OFDLCK ADVISORY  READ -1 fe:00:10051957 201 201\n\
                    5: OFDLCK ADVISORY  READ -1 fe:00:10051957 100 101\n\
                    lock:\t6: OFDLCK ADVISORY  READ -1 fe:00:10051961 201 201\n\
                    7: OFDLCK ADVISORY  READ -1 fe:00:10051961 100 100\n";
        let found: Vec<(u64, bool, bool)> =
            read(text).iter().map(|lock| (lock.file.inode, lock.writes, lock.alone)).collect();
        assert_eq!(found, [(10_051_957, true, true), (10_051_961, false, true)]);
    }
}
