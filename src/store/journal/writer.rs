//! The thread that writes a journal, and tries again what it could not write.

use std::sync::PoisonError;
use std::time::Duration;

use super::{Draft, Journal, News, Order, Page, VERSION, describe, locked, sha256};
use crate::store::folder::said;
use crate::store::lock::{Asked, Lock, Stands};

/// What could not be written is tried again after this time.
const AGAIN: Duration = Duration::from_secs(2);

/// The thread that writes.
pub(super) struct Writer(pub(super) Journal);

impl Writer {
    pub(super) fn work(&self, tell: &dyn Fn(News)) {
        loop {
            let (order, number) = self.next_order();
            if !self.is_ours() {
                return self.retire(tell);
            }
            let written = match &order {
                Order::Keep(draft) => self.write(draft),
                Order::Forget => {
                    self.0.folder.remove(&self.0.name);
                    Ok(())
                }
            };
            let folder = self.0.folder.path("");
            let failed = written.err().map(|error| format!("{}: {}", said(&error), folder.display()));
            let before = self.report(order, number, failed.clone());
            if before != failed {
                tell(failed.map_or(News::Works, News::Failed));
            }
        }
    }

    /// Waits for something to do; what failed is tried again after a while, and at once for who waits for it.
    fn next_order(&self) -> (Order, u64) {
        let (desk, bell) = &*self.0.desk;
        let mut desk = locked(desk);
        if desk.failed.is_some() {
            desk = bell.wait_timeout(desk, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
        loop {
            if let Some(order) = desk.order.take() {
                return (order, desk.given);
            }
            desk = bell.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether nobody took over; a lock whose file somebody removed is made anew.
    fn is_ours(&self) -> bool {
        let mut lock = locked(&self.0.lock);
        let Some(own) = lock.as_ref() else { return false };
        match own.stands(&self.0.folder) {
            Stands::Ours => true,
            Stands::TakenOver => false,
            Stands::Gone => {
                let Ok(Asked::Ours(new)) = Lock::ask(&self.0.folder) else { return false };
                *lock = Some(new);
                true
            }
        }
    }

    /// Another session took over: nothing more is written.
    fn retire(&self, tell: &dyn Fn(News)) {
        let successor = Lock::successor(&self.0.folder);
        let (desk, bell) = &*self.0.desk;
        let mut desk = locked(desk);
        desk.ended = true;
        let why = match successor {
            0 => format!("somebody removed {}", self.0.folder.path("").display()),
            process => format!("process {process} took over"),
        };
        desk.failed = Some(why.clone());
        bell.notify_all();
        drop(desk);
        // Closing gives the lock back itself, after it flushed: nobody took over then.
        if locked(&self.0.lock).is_some() {
            tell(if successor == 0 { News::Failed(why) } else { News::TakenOver(successor) });
        }
    }

    /// Writes down how an order ended; how the one before did.
    fn report(&self, order: Order, number: u64, failed: Option<String>) -> Option<String> {
        let (desk, bell) = &*self.0.desk;
        let mut desk = locked(desk);
        if failed.is_some() {
            // A newer order takes its place.
            desk.order.get_or_insert(order);
        } else {
            desk.done = number;
        }
        let before = std::mem::replace(&mut desk.failed, failed);
        bell.notify_all();
        before
    }

    fn write(&self, draft: &Draft) -> std::io::Result<()> {
        let page = Page {
            version: VERSION,
            of: self.0.origin.clone(),
            process: std::process::id(),
            opened_sha256: sha256(&draft.opened),
            opened: draft.opened.to_string(),
            text_sha256: sha256(&draft.text),
            text: draft.text.to_string(),
            typed: draft.typed.clone(),
        };
        describe(&self.0.folder, &self.0.origin)?;
        self.0.folder.put(&self.0.name, &serde_json::to_vec(&page)?)
    }
}
