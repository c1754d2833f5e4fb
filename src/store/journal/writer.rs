//! The thread that writes a journal, and tries again what it could not write.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::backups::describe;
use super::page::{Draft, Page, VERSION, sha256};
use super::{Journal, News, Order};
use crate::folder::said;
use crate::store::mutex::locked;

/// What could not be written is tried again after this time.
const AGAIN: Duration = Duration::from_secs(2);

/// How soon an edit is on the disk.
const PROMISED: Duration = Duration::from_secs(1);

/// The thread that writes.
pub(super) struct Writer(pub(super) Journal);

impl Writer {
    pub(super) fn work(&self, tell: &dyn Fn(News)) {
        loop {
            let (order, number) = self.next_order();
            let written = match &order {
                Order::Keep(draft) => self.write(draft),
                Order::Forget => self.0.folder.take_away(&self.0.name),
            };
            let folder = self.0.folder.path("");
            let failed =
                written.err().map(|error| format!("{}: {}", said(&error), folder.display()));
            // Nothing to keep is no sign that keeping works again.
            let forgot = matches!(order, Order::Forget) && failed.is_none();
            let before = self.report(order, number, failed.clone());
            if before != failed && !forgot {
                tell(failed.map_or(News::Works, News::Failed));
            }
        }
    }

    /// Says when a write takes longer than what is promised: a disk may hang without an error.
    pub(super) fn watch(&self, tell: &dyn Fn(News)) {
        let (desk, bell) = &*self.0.desk;
        let mut desk = locked(desk);
        loop {
            while desk.done == desk.given {
                desk = bell.wait(desk).unwrap_or_else(PoisonError::into_inner);
            }
            let (wanted, deadline) = (desk.given, Instant::now() + PROMISED);
            while desk.done < wanted && Instant::now() < deadline {
                let left = deadline.saturating_duration_since(Instant::now());
                desk = bell.wait_timeout(desk, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            if desk.done < wanted && desk.failed.is_none() {
                let why = "the disk has not answered for a second".to_owned();
                desk.failed = Some(why.clone());
                tell(News::Failed(why));
            }
            while desk.done < wanted {
                desk = bell.wait(desk).unwrap_or_else(PoisonError::into_inner);
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
            handed: draft.handed,
        };
        // The journal says itself what it is about; it comes first.
        self.0.folder.put(&self.0.name, &serde_json::to_vec(&page)?)?;
        describe(&self.0.folder, &self.0.origin)
    }
}
