//! The one sentence that answers what will happen, and what it counts.

use super::App;
use crate::rules::Verdict;
use crate::tui::rows::Row;

/// The rows of a document, counted; what is hidden or folded counts as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that say something to QEMU, or are meant to.
    pub all: usize,
    /// Those without which the start fails.
    pub stopped: usize,
    /// Those that libvirt does not see: the VM starts without them.
    pub dropped: usize,
    /// Things of the domain or the host, and not of one row, that stop the start.
    pub domain: usize,
    /// Rows of which something will not work.
    pub warned: usize,
    /// Rows about which the host would not say.
    pub unknown: usize,
}

/// What will happen, for the head of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// How bad it is; nothing while it is not known yet.
    pub verdict: Option<Verdict>,
    /// The sentence.
    pub long: String,
    /// The same where there is little room.
    pub short: String,
}

impl Tally {
    /// Counts rows.
    pub(super) fn of(app: &App, rows: &[Row]) -> Tally {
        let mut tally = Tally::default();
        for row in rows {
            tally.count(app, row);
        }
        tally
    }

    fn count(&mut self, app: &App, row: &Row) {
        let verdict = match row {
            Row::General(index) => {
                let Some(finding) = app.judging.findings.get(*index) else { return };
                if finding.verdict == Verdict::Blocks {
                    let what = if finding.is_about_the_start() {
                        &mut self.domain
                    } else {
                        &mut self.dropped
                    };
                    *what += 1;
                    return;
                }
                Some(finding.verdict)
            }
            Row::Lost(..) => {
                self.all += 1;
                self.dropped += 1;
                return;
            }
            Row::Broken(_) | Row::Option(_) | Row::Variable(_) | Row::Extra(_) => {
                app.verdict_of(row)
            }
            Row::Title { .. } | Row::Disabled(_) | Row::Hint(_) => return,
        };
        if !matches!(row, Row::General(_)) {
            self.all += 1;
        }
        match verdict {
            Some(Verdict::Blocks) => self.stopped += 1,
            Some(Verdict::Warns) => self.warned += 1,
            Some(Verdict::Unknown) => self.unknown += 1,
            Some(Verdict::Note | Verdict::Allows) | None => {}
        }
    }

    /// What is worse than nothing, with its verdict, where it is not what the sentence is about already.
    pub fn beside(&self, said: Option<Verdict>) -> Vec<(Verdict, usize)> {
        let counted = [(Verdict::Warns, self.warned), (Verdict::Unknown, self.unknown)];
        let counted = counted.into_iter().filter(|(verdict, _)| Some(*verdict) != said);
        counted.filter(|(_, count)| *count > 0).collect()
    }
}

impl App {
    /// What will happen, as far as it is known.
    pub fn outlook(&self) -> Outlook {
        let said = |verdict, long: String, short: String| Outlook { verdict, long, short };
        let waited = self.waited();
        let plain = |text: &str| said(None, format!("{text}{waited}"), format!("{text}{waited}"));
        let Some(host) = &self.judging.host else { return plain("looking at the host…") };
        if !self.is_judged() {
            return plain("judging…");
        }
        if self.judging.trying {
            return plain("libvirt is starting it…");
        }
        let tally = self.judging.tally;
        let of = format!("{} of {}", tally.stopped, tally.all);
        if tally.stopped > 0 {
            let are = if tally.stopped == 1 { "is" } else { "are" };
            let also = |many: usize, what: &str| match many {
                0 => String::new(),
                many => format!(", {many} {what}"),
            };
            let of_domain = also(tally.dropped, "dropped") + &also(tally.domain, "of the domain");
            let long = format!("will not start: {of} {are} stopped{of_domain}");
            return said(Some(Verdict::Blocks), long, format!("will not start: {of}{of_domain}"));
        }
        if tally.domain > 0 {
            let long = "will not start: see 'Domain and host'".to_owned();
            return said(Some(Verdict::Blocks), long, "will not start".to_owned());
        }
        if tally.dropped > 0 {
            let of = format!("libvirt drops {} of {}", tally.dropped, tally.all.max(tally.dropped));
            return said(Some(Verdict::Blocks), format!("{of} without a word"), of);
        }
        if self.judging.probing {
            return plain("looking at the host again…");
        }
        if self.judging.asking {
            return plain("nothing stops it so far, asking QEMU…");
        }
        if tally.unknown > 0 {
            let is_hidden = self.judging.as_root == Some(false) && host.source == "live";
            let how = if is_hidden { ", run as root" } else { "" };
            let of = format!("cannot tell: {} unknown", tally.unknown);
            return said(Some(Verdict::Unknown), format!("{of}{how}"), of);
        }
        if tally.warned > 0 {
            let things =
                if tally.warned == 1 { "1 thing" } else { &format!("{} things", tally.warned) };
            let long = format!("starts, but {things} will not work");
            return said(
                Some(Verdict::Warns),
                long,
                format!("starts, {} will not work", tally.warned),
            );
        }
        if tally.all == 0 {
            return said(None, "no passthrough".to_owned(), "no passthrough".to_owned());
        }
        let asked = self.judging.qemu_asked;
        let long = if asked { "nothing stops it" } else { "no rule stops it; QEMU was not asked" };
        let short = if asked { long } else { "no rule stops it" };
        said(Some(Verdict::Allows), long.to_owned(), short.to_owned())
    }
}
