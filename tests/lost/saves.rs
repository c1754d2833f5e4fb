//! Kills in the middle of a save.

use std::time::Duration;

use crate::work::{VM, Work};
use crate::{runs, several};

#[test]
fn a_kill_while_saving_leaves_the_old_text_or_the_new() {
    let count = std::env::var("QPT_LOST_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(runs(8));
    let (old, new) =
        (std::sync::atomic::AtomicUsize::new(0), std::sync::atomic::AtomicUsize::new(0));
    let right = several(count, |number| {
        let work = Work { typed: None, ..Work::new(number) };
        let mut terminal = work.open();
        work.make(&mut terminal);
        terminal.send("\u{13}");
        // From before the first system call of the save to after the last.
        std::thread::sleep(Duration::from_micros(u64::try_from(number * 7919 % 40_000).unwrap()));
        terminal.signal("KILL");
        terminal.child.wait().unwrap();
        drop(terminal);
        let text = work.text();
        if text == VM {
            old.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            work.restore();
        } else {
            assert_eq!(text, work.wanted(), "the file is neither old nor new");
            new.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut terminal = work.open();
            terminal.shows("Arguments ");
            terminal.settle();
            assert!(!terminal.text().contains("Restore them?"), "what is saved is offered");
            terminal.send("q");
            assert!(terminal.end().success());
            assert_eq!(work.left_over(), Vec::<std::path::PathBuf>::new());
        }
    });
    eprintln!(
        "| SIGKILL at an instant of saving ({} old, {} new text) | {count} | {} |",
        old.into_inner(),
        new.into_inner(),
        count - right
    );
    assert_eq!(right, count);
}
