//! The loop: what arrives becomes a change of [`App`], what the editor asks for is done, and every frame is drawn once.
//!
//! The order of a round matters: first the journal gets what would be lost, then the screen is drawn. Whatever takes time
//! (the host, libvirt, judging, saving, a directory) is done by another thread, which sends its answer.

mod background;
mod choosing;
mod effects;
mod ended;
mod looking;
mod mouse;
mod outside;
mod saving;
mod setup;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

pub(super) use choosing::choose;
use crossterm::event::{Event, KeyCode, KeyEventKind};
use ended::{Left, ended_by, terminal_failed};
use ratatui::layout::{Position, Rect};
pub(super) use setup::Setup;
use signal_hook::consts::SIGHUP;

use super::action::Effect;
use super::app::{App, Ending, Judgement};
use super::pane::{Answer, Pane};
use super::terminal::{Session, Wake};
use super::theme::{Rgb, Theme};
use super::view;
use crate::cli::HostOptions;
use crate::console;
use crate::domain::{Document, EntryId};
use crate::error::Error;
use crate::facts::HostFacts;
use crate::facts::answers::Answers;
use crate::probe::judges::Judges;
use crate::rules::{Finding, Route};
use crate::store::journal::{Busy, Journal, Kept, News, Opened, Typed};
use crate::store::{self, Source, Theirs, Way};
use crate::trial::Trial;

/// What arrives while the editor runs.
pub(super) enum Message {
    Terminal(Event),
    /// The terminal said which background it has.
    Background(Rgb),
    Probed(u64, Box<HostFacts>),
    Judged(u64, Result<Vec<Finding>, String>),
    /// libvirt and QEMU have answered about a text.
    Heard(String, Box<Answers>),
    /// Edits that were proved and do not do what they promise.
    Proved(Vec<String>),
    Answered(Pane, String, Answer),
    /// The way to a start, for a text.
    Planned(String, Box<Route>),
    /// The way of some entries, for a text.
    Way(String, Vec<EntryId>, Box<Route>),
    /// What came of a real start, and where its bundle is or why it is not.
    Tried(Result<Box<Trial>, String>, Option<Result<String, String>>),
    Listed(String, Vec<String>),
    Saved {
        asked: String,
        ending: Ending,
        next: Option<Source>,
        elsewhere: bool,
    },
    Touched,
    /// A text was written to a path, or not.
    Wrote(String, Result<(), String>),
    Others(Result<Option<Theirs>, Error>),
    Journal(News),
    Outside(std::io::Result<std::process::ExitStatus>),
    /// For the choice of what is opened.
    Choosing(choosing::News),
    /// A thread ended by a panic; what it was for.
    Broke(&'static str),
}

/// What keeps the edits.
enum Keeping {
    /// A journal.
    Journal(Journal),
    /// Another session has it.
    Elsewhere(Box<Busy>),
    /// Nothing: a demo, or the state directory can't be used.
    Nothing,
}

/// A state of the editor that the journal was told of.
struct Told {
    document: Arc<Document>,
    typed: Option<Typed>,
    modified: bool,
}

impl Told {
    /// The state now; nothing where there is nothing to keep.
    fn of(app: &App) -> Option<Told> {
        let told = || Told {
            document: Arc::clone(&app.document),
            typed: app.typed(),
            modified: app.is_modified(),
        };
        app.is_to_be_kept().then(told)
    }
}

impl PartialEq for Told {
    fn eq(&self, other: &Told) -> bool {
        Arc::ptr_eq(&self.document, &other.document)
            && self.typed == other.typed
            && self.modified == other.modified
    }
}

/// The editor with everything outside that it needs.
pub(super) struct Editor {
    session: Session<Message>,
    app: App,
    theme: Theme,
    source: Option<Source>,
    keeping: Keeping,
    /// What the journal was told last.
    told: Option<Told>,
    options: HostOptions,
    /// The facts come from a file; the host is not asked.
    recorded: bool,
    /// The number of the last look at the host; answers to earlier ones are dropped.
    probe: u64,
    /// The type whose properties were asked for last, so that one without any is not asked about again and again.
    learned: Option<String>,
    /// libvirt and QEMU.
    judges: Arc<Judges>,
    /// Where the thread that judges gets its work.
    judge: std::sync::mpsc::Sender<Judgement>,
    /// The state that was given to it last.
    judging: u64,
    /// How a file is saved.
    way: Way,
    /// Whether somebody else wrote is being looked at.
    looking_at_others: bool,
    /// Where and when the last click was.
    clicked: mouse::Clicked,
    /// What is waited for, and since when.
    awaited: Option<(&'static str, Instant)>,
    /// Ends the search for a way.
    going: Arc<AtomicBool>,
}

impl From<Opened> for Keeping {
    fn from(opened: Opened) -> Keeping {
        match opened {
            Opened::Ready(journal) => Keeping::Journal(journal),
            Opened::Busy(busy) => Keeping::Elsewhere(Box::new(busy)),
            Opened::Unkept(_) => Keeping::Nothing,
        }
    }
}

/// Why the loop ended.
enum End {
    Quit,
    QuitPrinting,
    /// By a signal, or with the terminal: the number of the signal.
    Signal(i32),
}

/// How the loop ended, by itself or by a panic.
type Lived = std::thread::Result<std::io::Result<End>>;

/// How long the last write of the journal may take when the session ends.
const LAST_WRITE: Duration = Duration::from_millis(600);
/// How long a save that is under way may take then.
const LAST_SAVE: Duration = Duration::from_millis(500);
/// How long each may take when the process is ended by force.
const LAST_MOMENT: Duration = Duration::from_millis(250);
/// Answers that come within this time are drawn in the same frame as what asked for them.
const SAME_FRAME: Duration = Duration::from_millis(8);

/// How long nothing happens before the next keys are told.
const REST: Duration = Duration::from_secs(2);

/// How often what is waited for is told for how long.
const SECOND: Duration = Duration::from_secs(1);

/// More bytes than a terminal takes for its clipboard; sending them holds up the keys.
const MOST_COPIED: usize = 1 << 20;

/// Offers what earlier sessions left in a journal.
fn offer(app: &mut App, journal: &Journal) {
    let (kept, damaged) = journal.left_over();
    let (known, wanted): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(|one| app.has(one));
    for one in known {
        if app.file.of_libvirt.is_some() && *one.draft.text == *app.file.saved && !one.running {
            app.go_on_with(&one);
            journal.adopt(&one.name);
        } else {
            // A save that was cut off after the file was replaced, or one that libvirt took; or a document whose file was
            // taken away and has become another one since.
            if *one.draft.text != *app.file.saved && one.draft.opened == one.draft.text {
                // What can't be kept as a backup is gone from the disk anyway, as the user left it.
                let _ = journal.backup(&one.draft.text);
            }
            journal.discard(&one.name);
        }
    }
    app.offer(wanted);
    if let Some(path) = damaged.first() {
        app.failed(format!(
            "edits of an earlier session are damaged; kept aside: {}",
            path.display()
        ));
    }
}

impl Editor {
    /// Takes over the terminal's messages, and starts what runs beside the loop.
    fn start(
        session: Session<Message>,
        app: App,
        source: Option<Source>,
        keeping: Keeping,
        (options, theme): (HostOptions, Theme),
    ) -> Editor {
        let recorded = app.judging.host.is_some();
        let judge = background::judge(session.sender());
        let mut editor = Editor {
            session,
            app,
            theme,
            source,
            keeping: Keeping::Nothing,
            told: None,
            options,
            recorded,
            probe: 0,
            learned: None,
            judges: Arc::default(),
            judge,
            judging: 0,
            way: Way::Replace,
            looking_at_others: false,
            clicked: mouse::Clicked::default(),
            awaited: None,
            going: Arc::default(),
        };
        editor.keep_in(keeping);
        editor.watch();
        editor.tidy();
        editor
    }

    /// Runs until the end; gives the exit status.
    ///
    /// At the end the journal comes first, then the terminal, then words for who still listens; nothing of it panics.
    pub(super) fn run(mut self) -> Result<u8, Error> {
        let end = self.live();
        self.leave(end)
    }

    /// The same for who has the terminal again when the user leaves.
    fn run_for_now(mut self) -> Result<Left, Error> {
        let end = self.live();
        if !matches!(end, Ok(Ok(End::Quit))) {
            return self.leave(end).map(Left::Ended);
        }
        // What could not be removed is removed by a later start.
        let _ = self.close_journal(true);
        Ok(Left::Back(Box::new((self.session, self.theme))))
    }

    fn live(&mut self) -> Lived {
        if !self.recorded {
            self.look();
        }
        let end = std::panic::catch_unwind(AssertUnwindSafe(|| self.rounds()));
        // A panic has been told already; what is kept is kept without it.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| self.await_save()));
        end
    }

    fn leave(mut self, end: Lived) -> Result<u8, Error> {
        let clean = matches!(end, Ok(Ok(End::Quit | End::QuitPrinting)));
        let kept = self.close_journal(clean);
        super::terminal::leave();
        if !clean && self.app.draft().is_some() {
            match kept {
                Ok(()) => {
                    console::complain(
                        "your changes are kept; open it again to restore them, or: qpt-tui recover",
                    );
                }
                Err(why) => console::complain(&format!("your changes could not be kept: {why}")),
            }
        }
        match end {
            Ok(Ok(End::Quit)) => Ok(0),
            Ok(Ok(End::QuitPrinting)) => {
                console::print(self.app.document.source());
                Ok(0)
            }
            Ok(Ok(End::Signal(signal))) => Ok(ended_by(signal)),
            Ok(Err(error)) => terminal_failed(&error),
            Err(_) => Ok(101),
        }
    }

    fn rounds(&mut self) -> std::io::Result<End> {
        loop {
            self.keep();
            self.start_work();
            let is_settled = !self.await_quick_answers();
            self.ask_judges();
            if is_settled {
                self.draw()?;
            }
            // One wake after the last key, and none after that; each second while something is waited for.
            let rest = self.app.wants_rest().then_some(REST);
            let patience = if self.count_seconds() { Some(SECOND) } else { rest };
            let mut wake = self.session.wait(patience);
            // A burst of keys makes one frame.
            loop {
                let effect = match wake {
                    Wake::End(signal) => return Ok(End::Signal(signal)),
                    Wake::Gone => return Ok(End::Signal(SIGHUP)),
                    Wake::Redraw => {
                        self.session.repaint()?;
                        None
                    }
                    Wake::Suspend => Some(Effect::Suspend),
                    Wake::Nothing => {
                        if self.awaited.is_none() {
                            self.app.rest();
                        }
                        None
                    }
                    Wake::Message(message) => self.message(message),
                };
                if let Some(effect) = effect
                    && let Some(end) = self.carry_out(effect)?
                {
                    return Ok(end);
                }
                match self.session.next() {
                    Some(message) => wake = Wake::Message(message),
                    None => break,
                }
            }
        }
    }

    /// Tells for how long something has been waited for; `false` where nothing is.
    fn count_seconds(&mut self) -> bool {
        let what = self.app.waiting_for();
        if self.awaited.map(|(what, _)| what) != what {
            self.awaited = what.map(|what| (what, Instant::now()));
        }
        let since = self.awaited.map(|(_, since)| since.elapsed().as_secs());
        self.app.judging.waited = since.unwrap_or(0);
        since.is_some()
    }

    /// Hands what would be lost to the journal.
    fn keep(&mut self) {
        let Keeping::Journal(journal) = &self.keeping else { return };
        let now = Told::of(&self.app);
        if now == self.told {
            return;
        }
        match self.app.draft() {
            Some(draft) => journal.keep(draft),
            None => journal.forget(),
        }
        self.told = now;
    }

    /// Uses a journal, or does without.
    fn keep_in(&mut self, keeping: Keeping) {
        if let Keeping::Journal(journal) = &keeping {
            let sender = self.session.sender();
            journal.run(move |news| {
                sender.send(Message::Journal(news));
            });
            let twin = journal.clone();
            self.session.before_force(move || {
                drop(twin.flush(LAST_MOMENT));
                store::await_writing(LAST_MOMENT);
            });
        }
        self.keeping = keeping;
        self.told = None;
    }

    fn close_journal(&mut self, clean: bool) -> Result<(), String> {
        if !clean {
            self.keep();
        }
        match &self.keeping {
            Keeping::Journal(journal) => match (clean, self.app.handed()) {
                (true, Some(handed)) => {
                    journal.keep(handed);
                    journal.close(false, LAST_WRITE)
                }
                (true, None) => journal.close(true, LAST_WRITE),
                (false, _) => {
                    // Who took over may have taken it.
                    let taken = !journal.is_there();
                    if taken && let Some(draft) = self.app.draft() {
                        journal.keep(draft);
                    }
                    journal.close(false, LAST_WRITE)
                }
            },
            Keeping::Elsewhere(_) => Err("another session edits it".to_owned()),
            Keeping::Nothing => Err("the state directory can't be used".to_owned()),
        }
    }

    fn draw(&mut self) -> std::io::Result<()> {
        let size = self.session.screen.size()?;
        let screen = Rect::from((Position::ORIGIN, size));
        self.app.lists.page = view::geometry::page(&self.app, screen);
        self.app.lists.top = view::geometry::top(&self.app, screen);
        self.app.over.help_scroll = view::geometry::help_scroll(&self.app, screen);
        let (app, theme) = (&self.app, self.theme);
        self.session.paint(|frame| view::draw(frame, app, theme))
    }

    fn message(&mut self, message: Message) -> Option<Effect> {
        match message {
            Message::Terminal(Event::Key(event)) if event.kind != KeyEventKind::Release => {
                panic_for_a_test(event.code);
                return self.app.key(event);
            }
            Message::Terminal(Event::Paste(text)) => self.app.paste(&text),
            Message::Terminal(Event::Mouse(event)) => return self.mouse(event),
            Message::Terminal(Event::FocusGained) | Message::Touched => self.look_at_others(),
            Message::Terminal(_) => {}
            Message::Background(colour) => self.theme = self.theme.answered(colour),
            Message::Probed(number, facts) if number == self.probe => self.app.probed(*facts),
            Message::Probed(..) => {}
            Message::Judged(revision, Ok(findings)) => self.app.judged(revision, findings),
            Message::Judged(_, Err(why)) => self.app.failed(why),
            Message::Heard(text, answers) => self.app.heard(&text, *answers),
            Message::Proved(withheld) => self.app.proved(withheld),
            Message::Answered(pane, source, answer) => self.app.answered(pane, source, answer),
            Message::Planned(source, route) => self.app.planned(&source, &route),
            Message::Way(text, of, route) => self.app.found_way(&text, &of, *route),
            Message::Tried(trial, bundle) => self.app.tried(&trial.map(|trial| *trial), bundle),
            Message::Wrote(path, written) => self.app.wrote(&path, written),
            Message::Listed(directory, names) => self.app.listed(directory, names),
            Message::Saved { asked, ending, next, elsewhere } => {
                return self.saved(&asked, ending, next, elsewhere);
            }
            Message::Others(theirs) => self.others(theirs),
            Message::Journal(News::TakenOver(process)) => self.app.taken_over(process),
            Message::Journal(News::Failed(why)) => self.app.unkept(&why),
            Message::Journal(News::Works) => self.app.kept_again(),
            // Its end is waited for where it was started; nothing is chosen here.
            Message::Outside(_) | Message::Choosing(_) => {}
            Message::Broke(what) => {
                self.app.failed(format!("{what} failed; this is a fault of qpt-tui"));
            }
        }
        None
    }
}

/// Panics where a test asks for it: what a fault of ours does to the edits can't be seen otherwise.
fn panic_for_a_test(key: KeyCode) {
    let asked = cfg!(debug_assertions)
        && key == KeyCode::F(12)
        && std::env::var_os("QPT_TUI_PANIC").is_some();
    assert!(!asked, "a test asked for this panic");
}
