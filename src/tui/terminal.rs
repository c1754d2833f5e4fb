//! The terminal: taking it over, giving it back whatever happens, and waiting for it without waking when nothing happens.
//!
//! crossterm's reading can block inside `read(2)` on half an escape sequence and spins on a terminal that died, so a thread
//! does nothing but read, and the main thread waits in one `poll` on the terminal's hang-up and on a pipe that the reading
//! thread, the probing threads and signals write to. crossterm is built with `use-dev-tty`: its other way of reading is told
//! of input once only, and leaves a key that arrives with a resize until the next one.

mod asking;
mod reader;

use std::collections::VecDeque;
use std::io::{self, BufWriter, Stdout, Write as _};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use crate::error::Error;
use asking::Ear;
pub(super) use reader::Messages;
use reader::Reader;

/// The terminal is ours at the moment; whoever gives it back first does all of it.
static OURS: AtomicBool = AtomicBool::new(false);

/// The mouse is ours as well while the terminal is.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// The screen, drawn through one buffer so that a frame is one write.
pub(super) type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        cursor::Hide
    )?;
    if MOUSE.load(Ordering::SeqCst) { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) }
}

/// Asks the terminal for its background; the answer comes as a message, or never.
fn ask_background() -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(asking::QUESTION)?;
    out.flush()?;
    asking::asked();
    Ok(())
}

/// What is written to give the terminal back.
fn farewell() -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    if MOUSE.load(Ordering::SeqCst) {
        let _ = queue!(bytes, DisableMouseCapture);
    }
    let _ = queue!(
        bytes,
        EndSynchronizedUpdate,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    bytes
}

/// Gives the terminal back as it was; doing it twice does nothing more. A terminal that is gone is nobody to tell.
pub(super) fn leave() {
    if OURS.swap(false, Ordering::SeqCst) {
        // Else the shell would have the answer at its prompt.
        asking::await_answer();
        let mut out = io::stdout();
        let _ = out.write_all(&farewell()).and_then(|()| out.flush());
        let _ = disable_raw_mode();
    }
}

/// The same for a terminal that may not read: nothing waits, and nothing that another thread holds is needed.
fn leave_without_waiting() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = disable_raw_mode();
    let stdout = io::stdout();
    // What the terminal did not take yet is dropped, so that there is room for the farewell; CAN ends half a sequence.
    let _ = rustix::termios::tcflush(&stdout, rustix::termios::QueueSelector::OFlush);
    let Ok(name) = rustix::termios::ttyname(&stdout, Vec::new()) else { return };
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let Ok(terminal) = rustix::fs::open(name.as_c_str(), flags, rustix::fs::Mode::empty()) else {
        return;
    };
    let mut bytes = vec![0x18];
    bytes.extend(farewell());
    let _ = rustix::io::write(&terminal, &bytes);
}

/// What woke the program.
#[derive(Debug)]
pub(super) enum Wake<M> {
    /// Something arrived; take it with [`Session::next`].
    Message(M),
    /// A signal asks to end; its number.
    End(i32),
    /// The terminal is gone.
    Gone,
    /// The size changed, or we were continued.
    Redraw,
    /// A signal asks to stop for now.
    Suspend,
    /// Nothing happened for as long as was to be waited.
    Nothing,
}

/// The terminal while it is ours.
pub(super) struct Session<M> {
    /// The screen. It is never dropped: its own farewell would panic on a terminal that is gone, and [`leave`] says it all.
    pub(super) screen: ManuallyDrop<Screen>,
    receiver: mpsc::Receiver<(u64, M)>,
    sender: Sender<M>,
    pipe: OwnedFd,
    signals: Signals,
    reader: Reader,
    last_deed: LastDeed,
    /// Messages that were given back.
    returned: VecDeque<M>,
}

/// What is done before the process is ended by force.
type LastDeed = Arc<Mutex<Option<Box<dyn Fn() + Send>>>>;

/// How long the main thread has to end by itself after SIGTERM or SIGHUP.
const ORDERLY: Duration = Duration::from_millis(1_250);

/// How long signals that arrived together may take to be seen.
const SIGNALS_ARRIVE: Duration = Duration::from_millis(20);

/// Starts the thread that ends the process when it does not end by itself: it may be blocked in writing to a terminal that
/// does not read, or busy.
fn guard() -> io::Result<LastDeed> {
    let asked = Arc::new(AtomicUsize::new(0));
    let (pipe, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    for signal in [SIGTERM, SIGHUP] {
        signal_hook::flag::register_usize(
            signal,
            Arc::clone(&asked),
            usize::try_from(signal).unwrap_or(1),
        )?;
        signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
    }
    let last_deed = LastDeed::default();
    let deed = Arc::clone(&last_deed);
    std::thread::spawn(move || {
        // The pipe stays open as long as the process.
        let _held = write;
        let mut byte = [0_u8; 1];
        while asked.load(Ordering::SeqCst) == 0 {
            match rustix::io::read(&pipe, &mut byte) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
        std::thread::sleep(ORDERLY);
        if let Some(deed) = &*deed.lock().unwrap_or_else(PoisonError::into_inner) {
            deed();
        }
        leave_without_waiting();
        let signal = i32::try_from(asked.load(Ordering::SeqCst)).unwrap_or(SIGTERM);
        signal_hook::low_level::exit(128 + signal);
    });
    Ok(last_deed)
}

/// Sends a message and wakes the main thread.
pub(super) struct Sender<M> {
    channel: mpsc::Sender<(u64, M)>,
    wake: Arc<OwnedFd>,
    /// What it is about: [`ALWAYS`], or one of what has the screen in turn.
    turn: u64,
    /// What has the screen now.
    now: Arc<AtomicU64>,
}

/// The turn of what the terminal itself says: it is for whoever has the screen.
const ALWAYS: u64 = 0;

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Sender<M> {
        Sender {
            channel: self.channel.clone(),
            wake: Arc::clone(&self.wake),
            turn: self.turn,
            now: Arc::clone(&self.now),
        }
    }
}

impl<M> Sender<M> {
    /// Whether somebody still waits for what is sent.
    pub(super) fn is_awaited(&self) -> bool {
        self.turn == ALWAYS || self.turn == self.now.load(Ordering::SeqCst)
    }

    /// Sends; `false` when nobody listens any more.
    pub(super) fn send(&self, message: M) -> bool {
        if !self.is_awaited() {
            return false;
        }
        let sent = self.channel.send((self.turn, message)).is_ok();
        // A full pipe wakes as well.
        let _ = rustix::io::write(&*self.wake, b"x");
        sent
    }
}

struct Signals {
    end: Arc<AtomicUsize>,
    redraw: Arc<AtomicBool>,
    suspend: Arc<AtomicBool>,
}

impl Signals {
    fn register(wake: &OwnedFd) -> io::Result<Signals> {
        let signals =
            Signals { end: Arc::default(), redraw: Arc::default(), suspend: Arc::default() };
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
            signal_hook::flag::register_usize(
                signal,
                Arc::clone(&signals.end),
                usize::try_from(signal).unwrap_or(1),
            )?;
        }
        for signal in [SIGWINCH, SIGCONT] {
            signal_hook::flag::register(signal, Arc::clone(&signals.redraw))?;
        }
        signal_hook::flag::register(SIGTSTP, Arc::clone(&signals.suspend))?;
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP] {
            signal_hook::low_level::pipe::register(signal, wake.try_clone()?)?;
        }
        Ok(signals)
    }
}

/// Whether there is a terminal that can show a screen.
///
/// # Errors
/// Why not, in one sentence.
pub(super) fn is_there() -> Result<(), Error> {
    let hint = "for scripts there is: qpt-tui check FILE";
    if !rustix::termios::isatty(io::stdin()) || !rustix::termios::isatty(io::stdout()) {
        return Err(Error::user("the editor needs a terminal for input and output").hint(hint));
    }
    if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        return Err(Error::user("this terminal (TERM=dumb) cannot show the editor").hint(hint));
    }
    Ok(())
}

impl<M: Send + 'static> Session<M> {
    /// Takes the terminal over and starts reading it; `mouse` takes the mouse too, `ask` asks for the background.
    ///
    /// # Errors
    /// When there is no terminal, or it can't do what an editor needs.
    pub(super) fn start(
        messages: Messages<M>,
        mouse: bool,
        ask: bool,
    ) -> Result<Session<M>, Error> {
        is_there()?;
        let failed =
            |error: io::Error| Error::user(format!("the terminal could not be set up: {error}"));
        let flags = rustix::pipe::PipeFlags::NONBLOCK | rustix::pipe::PipeFlags::CLOEXEC;
        let (pipe, write) = rustix::pipe::pipe_with(flags).map_err(|error| failed(error.into()))?;
        let signals = Signals::register(&write).map_err(failed)?;
        let (channel, receiver) = mpsc::channel();
        let now = Arc::new(AtomicU64::new(ALWAYS + 1));
        let sender = Sender { channel, wake: Arc::new(write), turn: ALWAYS + 1, now };
        // NO_COLOR is the theme's business: crossterm's own answer to it breaks reverse video.
        crossterm::style::force_color_output(true);
        restore_on_panic();
        MOUSE.store(mouse, Ordering::SeqCst);
        enter().map_err(|error| {
            leave();
            failed(error)
        })?;
        let backend = CrosstermBackend::new(BufWriter::with_capacity(64 << 10, io::stdout()));
        let screen = Terminal::new(backend).map_err(|error| {
            leave();
            failed(error)
        })?;
        if ask {
            ask_background().map_err(|error| {
                leave();
                failed(error)
            })?;
        }
        let ear = Ear::new(ask.then(Instant::now));
        let always = Sender { turn: ALWAYS, ..sender.clone() };
        let reader = Reader::start(always, messages, ear).map_err(failed)?;
        let last_deed = guard().map_err(failed)?;
        Ok(Session {
            screen: ManuallyDrop::new(screen),
            receiver,
            sender,
            pipe,
            signals,
            reader,
            last_deed,
            returned: VecDeque::new(),
        })
    }

    /// What is done before the process is ended by force; it must not take longer than half a second.
    pub(super) fn before_force(&self, deed: impl Fn() + Send + 'static) {
        *self.last_deed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(deed));
    }

    /// Where other threads send their messages.
    pub(super) fn sender(&self) -> Sender<M> {
        self.sender.clone()
    }

    /// A message that is there already.
    pub(super) fn next(&mut self) -> Option<M> {
        if let Some(message) = self.returned.pop_front() {
            return Some(message);
        }
        loop {
            let (turn, message) = self.receiver.try_recv().ok()?;
            if turn == ALWAYS || turn == self.sender.turn {
                return Some(message);
            }
        }
    }

    /// Another one has the screen from now on: what was asked before is not answered any more, but for the terminal's own
    /// messages, of which `is_own` knows those that were given back.
    pub(super) fn hand_over(&mut self, is_own: impl Fn(&M) -> bool) {
        self.sender.turn += 1;
        self.sender.now.store(self.sender.turn, Ordering::SeqCst);
        self.returned.retain(is_own);
        *self.last_deed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Gives a message back, to be had again.
    pub(super) fn put_back(&mut self, message: M) {
        self.returned.push_back(message);
    }

    /// A message, where one comes soon: what was given to another thread a moment ago is often ready for the same frame.
    pub(super) fn soon(&self, patience: Duration) -> Option<M> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (turn, message) = self.receiver.recv_timeout(left).ok()?;
            if turn == ALWAYS || turn == self.sender.turn {
                return Some(message);
            }
        }
    }

    /// Forgets a signal that was meant for a program in the foreground.
    pub(super) fn forgive(&self) {
        self.signals.end.store(0, Ordering::SeqCst);
    }

    /// Waits until something happens, or for a while.
    pub(super) fn wait(&mut self, patience: Option<Duration>) -> Wake<M> {
        let patience = patience.and_then(|time| Timespec::try_from(time).ok());
        loop {
            let end = self.signals.end.load(Ordering::SeqCst);
            if end != 0 {
                return Wake::End(i32::try_from(end).unwrap_or(SIGTERM));
            }
            if self.signals.suspend.swap(false, Ordering::SeqCst) {
                return Wake::Suspend;
            }
            if self.signals.redraw.swap(false, Ordering::SeqCst) {
                return Wake::Redraw;
            }
            if let Some(message) = self.next() {
                return Wake::Message(message);
            }
            let stdin = io::stdin();
            let mut watched =
                [PollFd::new(&stdin, PollFlags::empty()), PollFd::new(&self.pipe, PollFlags::IN)];
            match poll(&mut watched, patience.as_ref()) {
                Ok(0) => return Wake::Nothing,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return Wake::Gone,
            }
            if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return Wake::Gone;
            }
            // The pipe only wakes; what it says stands in the flags and the channel.
            let mut bytes = [0_u8; 256];
            while rustix::io::read(self.pipe.as_fd(), &mut bytes).is_ok_and(|length| length > 0) {}
        }
    }

    /// Draws a frame, which a terminal that can shows in one piece (synchronized output).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn paint(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        queue!(self.screen.backend_mut(), BeginSynchronizedUpdate)?;
        self.screen.draw(draw)?;
        execute!(self.screen.backend_mut(), EndSynchronizedUpdate)
    }

    /// Paints everything anew, without asking the terminal anything.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn repaint(&mut self) -> io::Result<()> {
        let (width, height) = crossterm::terminal::size()?;
        self.screen.resize(Rect::new(0, 0, width, height))
    }

    /// Gives the terminal back and stops, as Ctrl-Z does; goes on when the shell continues us in the foreground. The number of
    /// the signal that asked to end meanwhile: then the terminal is the shell's still.
    ///
    /// # Errors
    /// When the terminal can't be taken over again.
    pub(super) fn suspend(&mut self) -> io::Result<Option<i32>> {
        leave();
        loop {
            rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::STOP,
            )?;
            // Another thread may be the one that learns of the signal that came first.
            std::thread::sleep(SIGNALS_ARRIVE);
            let end = self.signals.end.load(Ordering::SeqCst);
            if end != 0 {
                return Ok(Some(i32::try_from(end).unwrap_or(SIGTERM)));
            }
            // In the background (`bg`) the terminal is not ours to take.
            let group = rustix::termios::tcgetpgrp(io::stdin());
            if group.map_or(true, |group| group == rustix::process::getpgrp()) {
                break;
            }
        }
        enter()?;
        self.repaint()?;
        Ok(None)
    }

    /// Leaves the terminal to another program.
    pub(super) fn lend(&self) {
        asking::await_answer();
        self.reader.pause();
        leave();
    }

    /// Takes the terminal back.
    ///
    /// # Errors
    /// When the terminal can't be taken over again.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        enter()?;
        self.reader.go_on();
        self.repaint()
    }

    /// Sends text to the terminal's clipboard (OSC 52).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let out = self.screen.backend_mut();
        crossterm::queue!(out, crossterm::clipboard::CopyToClipboard::to_clipboard_from(text))?;
        out.flush()
    }
}

fn restore_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        let main = std::thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            // Another thread's end is told by a message; the editor goes on.
            if std::thread::current().id() == main {
                leave();
                before(panic);
            }
        }));
    });
}
