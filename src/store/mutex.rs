//! Locks that a panic does not take away.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock is taken also where a thread panicked with it: what it holds is plain values.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
