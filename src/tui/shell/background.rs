//! What other threads do for the editor; each sends its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::{Editor, Message, SAME_FRAME};
use crate::domain::EntryId;
use crate::error::Error;
use crate::facts::answers::digest;
use crate::power::{self, Writes};
use crate::probe;
use crate::rules::{self, Route};
use crate::session;
use crate::store::{self, Source, Theirs};
use crate::trial::Agreement;
use crate::tui::app::Judgement;
use crate::tui::pane::{Answer, Pane};
use crate::tui::terminal::Sender;

/// How long the cursor stays on a row before its way is looked for: who walks by wants none.
const SOON: Duration = Duration::from_millis(150);

/// How long the host may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does something in a thread of its own; a panic there is told, and does not end the editor.
pub(super) fn run(
    sender: &Sender<Message>,
    what: &'static str,
    work: impl FnOnce() -> Option<Message> + Send + 'static,
) {
    let sender = sender.clone();
    std::thread::spawn(move || {
        let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or(Some(Message::Broke(what)));
        if let Some(message) = done {
            sender.send(message);
        }
    });
}

/// The same in a thread that goes on writing only what is said ([`power`]).
pub(super) fn run_bound(
    sender: &Sender<Message>,
    what: &'static str,
    writes: impl FnOnce() -> Writes + Send + 'static,
    work: impl FnOnce() -> Option<Message> + Send + 'static,
) {
    run(sender, what, move || {
        power::give_up(&writes());
        work()
    });
}

/// Starts the thread that judges. Of what waits for it only the newest counts.
pub(super) fn judge(sender: Sender<Message>) -> mpsc::Sender<Judgement> {
    let (work, waiting) = mpsc::channel::<Judgement>();
    std::thread::spawn(move || {
        power::give_up(&Writes::nothing());
        while let Ok(mut judgement) = waiting.recv() {
            while let Ok(newer) = waiting.try_recv() {
                judgement = newer;
            }
            let findings = catch_unwind(AssertUnwindSafe(|| judgement.findings()));
            let findings =
                findings.map_err(|_| "judging failed; this is a fault of qpt-tui".to_owned());
            if !sender.send(Message::Judged(judgement.revision, findings)) {
                return;
            }
        }
    });
    work
}

impl Editor {
    /// Starts what the state of the editor asks for.
    pub(super) fn start_work(&mut self) {
        if !self.recorded && self.app.needs_probe(self.learned.as_ref()) {
            self.look();
        }
        if let Some(judgement) = self.app.unjudged()
            && judgement.revision != self.judging
        {
            self.judging = judgement.revision;
            // The thread ends with the process.
            let _ = self.judge.send(judgement);
        }
        if let Some(pane) = self.app.wants_answer() {
            self.ask(pane);
        }
        if let Some(entries) = self.app.wants_way() {
            self.app.looking_for_way_of(entries.clone());
            self.route(Some(entries.clone()), SOON, move |text, route| {
                Message::Way(text, entries, Box::new(route))
            });
        }
        if let Some(directory) = self.app.wants_listing() {
            self.list(directory);
        }
    }

    /// Asks libvirt and QEMU about the document, once the rules have spoken.
    pub(super) fn ask_judges(&mut self) {
        if !self.options.asks() || self.recorded {
            return;
        }
        let Some((document, host)) = self.app.wants_judges() else { return };
        self.app.asking_judges(Arc::clone(&document));
        let judges = Arc::clone(&self.judges);
        let sender = self.session.sender();
        let work = move || {
            let answers = judges.ask(&document, &host);
            let mut host = (*host).clone();
            host.answers.insert(digest(document.source()), answers.clone());
            if !sender.send(Message::Heard(document.source().to_owned(), Box::new(answers))) {
                return None;
            }
            // What is offered is proved before anybody asks for it.
            let line = session::command_line(&document);
            let mut findings = rules::judge(&document, &line, &host);
            Some(Message::Proved(session::prove(&document, &mut findings, &host, &judges)))
        };
        run_bound(&self.session.sender(), "asking QEMU", Writes::asking, work);
    }

    /// Waits a moment for what is nearly always quick, so that a key makes one frame and not two. `true` where saving has
    /// ended, which is told before anything is drawn.
    pub(super) fn await_quick_answers(&mut self) -> bool {
        let deadline = Instant::now() + SAME_FRAME;
        while !self.app.is_judged() || self.app.file.saving {
            match self.session.soon(deadline.saturating_duration_since(Instant::now())) {
                Some(Message::Judged(revision, Ok(findings))) => {
                    self.app.judged(revision, findings);
                }
                Some(message) => {
                    let saved = matches!(message, Message::Saved { .. });
                    self.session.put_back(message);
                    return saved;
                }
                None => return false,
            }
        }
        false
    }

    /// Waits for a save that is under way when the session ends: it breaks off in no half.
    pub(super) fn await_save(&mut self) {
        let deadline = Instant::now() + super::LAST_SAVE;
        while self.app.file.saving {
            match self.session.soon(deadline.saturating_duration_since(Instant::now())) {
                Some(Message::Saved { asked, ending, next, elsewhere }) => {
                    drop(self.saved(&asked, ending, next, elsewhere));
                }
                Some(_) => {}
                None => break,
            }
        }
        if self.app.file.saving {
            store::await_writing(super::LAST_SAVE);
        }
    }

    /// Asks the host.
    pub(super) fn look(&mut self) {
        self.probe += 1;
        self.app.judging.probing = true;
        let number = self.probe;
        let mut request = session::request(&self.options, &[(&self.app.document, &self.app.line)]);
        self.learned = self.app.unknown_type();
        if let Some(name) = &self.learned {
            request.learn(name);
        }
        request.patience = PATIENCE;
        let work = move || Some(Message::Probed(number, Box::new(probe::probe(&request))));
        run_bound(&self.session.sender(), "looking at the host", Writes::looking, work);
    }

    /// Lists a directory: a file system that hangs must not stop a key.
    fn list(&mut self, directory: String) {
        // Asked for once; the names come when they come.
        self.app.listed(directory.clone(), Vec::new());
        let work = move || {
            let names = probe::names_in(&directory);
            Some(Message::Listed(directory, names))
        };
        run_bound(&self.session.sender(), "listing a directory", Writes::nothing, work);
    }

    /// Asks libvirt's programs for what a tab shows.
    fn ask(&mut self, pane: Pane) {
        let document = Arc::clone(&self.app.document);
        self.app.asking(pane);
        let session = self.options.session;
        let imaginary = self.recorded;
        let judges = Arc::clone(&self.judges);
        let work = move || {
            let answer = if pane == Pane::Schema {
                let answered = probe::schema::validate(document.source());
                Answer::Schema(answered.as_result().cloned().map_err(str::to_owned))
            } else if imaginary {
                Answer::Command(Err("the facts are those of another host".to_owned()))
            } else {
                let answered = judges.command(&document, session);
                Answer::Command(answered.map_err(probe::native::Failure::sentence))
            };
            Some(Message::Answered(pane, document.source().to_owned(), answer))
        };
        run_bound(&self.session.sender(), "asking libvirt", Writes::asking, work);
    }

    /// Looks for the way to a VM that starts.
    pub(super) fn plan(&mut self, entries: Option<Vec<EntryId>>) {
        self.route(entries, Duration::ZERO, |text, route| Message::Planned(text, Box::new(route)));
    }

    /// Looks for the way of some entries, or of all, after a moment, and sends it; one that nobody wants any more is not sent.
    fn route(
        &mut self,
        entries: Option<Vec<EntryId>>,
        after: Duration,
        message: impl FnOnce(String, Route) -> Message + Send + 'static,
    ) {
        // One that is looked for still is of no use any more.
        self.going.store(false, Ordering::SeqCst);
        self.going = Arc::new(AtomicBool::new(true));
        let going = Arc::clone(&self.going);
        let Some(host) = self.app.judging.host.clone() else { return };
        let document = Arc::clone(&self.app.document);
        let judges = (self.options.asks() && !self.recorded).then(|| Arc::clone(&self.judges));
        let work = move || {
            std::thread::sleep(after);
            let going = || going.load(Ordering::SeqCst);
            let judges = judges.as_deref();
            let route = session::plan_while(&document, &host, entries.as_deref(), judges, &going);
            going().then(|| message(document.source().to_owned(), route))
        };
        run_bound(&self.session.sender(), "looking for the way", Writes::asking, work);
    }

    /// Has libvirt start the document as it stands.
    pub(super) fn try_out(&self) {
        let document = Arc::clone(&self.app.document);
        let options = self.options.clone();
        let work = move || {
            let tried =
                session::try_out(&document, &options, false).map_err(|error| error.to_string());
            let bundle = tried.as_ref().ok().and_then(|trial| {
                let differs = trial.agreement() == Agreement::Differs;
                differs
                    .then(|| session::write_bundle(trial, None).map_err(|error| error.to_string()))
            });
            Some(Message::Tried(tried.map(Box::new), bundle))
        };
        let writes = || Writes::asking().below(Path::new("."));
        run_bound(&self.session.sender(), "a real start", writes, work);
    }

    /// Has changes of the file told.
    pub(super) fn watch(&self) {
        let Some(path) = self.source.as_ref().and_then(Source::watched) else { return };
        let sender = self.session.sender();
        store::watch::watch(path, store::watch::Of::Content, move || sender.send(Message::Touched));
    }

    /// Removes what killed processes and old sessions left.
    pub(super) fn tidy(&self) {
        let directory = self
            .source
            .as_ref()
            .and_then(Source::watched)
            .and_then(|path| path.parent())
            .map(ToOwned::to_owned);
        let work = move || {
            if let Some(directory) = directory {
                store::sweep(&directory);
            }
            store::journal::sweep();
            None
        };
        run(&self.session.sender(), "tidying up", work);
    }

    /// Looks whether somebody else changed what is edited.
    pub(super) fn look_at_others(&mut self) {
        if self.looking_at_others || self.app.file.saving {
            return;
        }
        let Some(source) = self.source.clone() else { return };
        self.looking_at_others = true;
        let work = move || Some(Message::Others(source.theirs()));
        run_bound(&self.session.sender(), "looking at the file", Writes::nothing, work);
    }

    pub(super) fn others(&mut self, theirs: Result<Option<Theirs>, Error>) {
        self.looking_at_others = false;
        // What can't be asked now is asked again before a save.
        let Ok(theirs) = theirs else { return };
        // Our own save may have come in between.
        if self.app.file.saving {
            return;
        }
        if let (Some(Theirs::Text(text)), Some(source)) = (&theirs, &self.source)
            && text == source.text()
        {
            return;
        }
        if self.app.others_wrote(theirs.clone())
            && let (Some(source), Some(theirs)) = (&mut self.source, theirs)
        {
            source.know(&theirs);
        }
    }
}
