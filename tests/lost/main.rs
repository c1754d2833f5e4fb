//! Nothing lost: sessions ended in every way there is, with edits that were not saved; every one is offered again.
//!
//! `cargo test` does each a few times. `tests/lost/run` does it by the hundred and prints the table of the README.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ends;
mod faults;
#[path = "../pty/mod.rs"]
mod pty;
mod saves;
mod work;

/// How often each way to end is tried: `QPT_LOST_RUNS`, or a few.
fn runs(few: usize) -> usize {
    std::env::var("QPT_LOST_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(few)
}

/// Does something for every number below `count`, several at a time; gives how many came out right.
fn several(count: usize, one: impl Fn(usize) + Sync) -> usize {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let right = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if number >= count {
                        return;
                    }
                    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(number)))
                        .is_ok()
                    {
                        right.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                }
            });
        }
    });
    right.into_inner()
}
