//! The terminal: taking it over, giving it back whatever happens, and waiting for it without waking when nothing happens.
//!
//! crossterm's reading can block inside `read(2)` on half an escape sequence and spins on a terminal that died, so a thread
//! does nothing but read, and the main thread waits in one `poll` on the terminal's hang-up and on a pipe that the reading
//! thread, the probing threads and signals write to.

use std::io::{self, BufWriter, Stdout, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use crate::error::Error;

/// The terminal is ours at the moment; whoever gives it back first does all of it.
static OURS: AtomicBool = AtomicBool::new(false);

/// The mouse is ours as well while the terminal is.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// The screen, drawn through one buffer so that a frame is one write.
pub(super) type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    OURS.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if MOUSE.load(Ordering::SeqCst) { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) }
}

/// Gives the terminal back as it was; doing it twice does nothing more.
pub(super) fn leave() {
    if OURS.swap(false, Ordering::SeqCst) {
        // A terminal that is gone can't be restored; there is nobody to tell.
        if MOUSE.load(Ordering::SeqCst) {
            let _ = execute!(io::stdout(), DisableMouseCapture);
        }
        let _ =
            execute!(io::stdout(), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
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
}

/// The terminal while it is ours.
pub(super) struct Session<M> {
    /// The screen.
    pub(super) screen: Screen,
    receiver: mpsc::Receiver<M>,
    sender: Sender<M>,
    pipe: OwnedFd,
    signals: Signals,
    reader: Reader,
}

/// The thread that reads the terminal; it can be told to leave it to another program for a while.
struct Reader {
    control: OwnedFd,
    paused: mpsc::Receiver<()>,
    resume: mpsc::Sender<()>,
}

impl Reader {
    fn start<M: Send + 'static>(sender: Sender<M>, message: fn(Event) -> M) -> io::Result<Reader> {
        let (told, control) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (pausing, paused) = mpsc::channel();
        let (resume, resuming) = mpsc::channel();
        std::thread::spawn(move || {
            loop {
                let stdin = io::stdin();
                let mut watched = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&told, PollFlags::IN)];
                match poll(&mut watched, None) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(_) => return,
                }
                let (input, control) = (watched[0].revents(), watched[1].revents());
                if !control.is_empty() {
                    let mut byte = [0_u8; 1];
                    let told = rustix::io::read(&told, &mut byte).is_ok_and(|length| length > 0);
                    if !told || pausing.send(()).is_err() || resuming.recv().is_err() {
                        return;
                    }
                    continue;
                }
                if input.is_empty() {
                    continue;
                }
                // What arrived together is handed on together: some of it waits inside crossterm.
                loop {
                    let Ok(event) = crossterm::event::read() else { return };
                    if !sender.send(message(event)) {
                        return;
                    }
                    if !crossterm::event::poll(std::time::Duration::ZERO).unwrap_or(false) {
                        break;
                    }
                }
            }
        });
        Ok(Reader { control, paused, resume })
    }

    /// The terminal is left to another program until [`Reader::go_on`].
    fn pause(&self) {
        let _ = rustix::io::write(&self.control, b"p");
        // Half an escape sequence keeps the thread inside a read; the next key ends that.
        let _ = self.paused.recv_timeout(std::time::Duration::from_millis(300));
    }

    fn go_on(&self) {
        let _ = self.resume.send(());
    }
}

/// Sends a message and wakes the main thread.
pub(super) struct Sender<M> {
    channel: mpsc::Sender<M>,
    wake: Arc<OwnedFd>,
}

impl<M> Clone for Sender<M> {
    fn clone(&self) -> Sender<M> {
        Sender { channel: self.channel.clone(), wake: Arc::clone(&self.wake) }
    }
}

impl<M> Sender<M> {
    /// Sends; `false` when nobody listens any more.
    pub(super) fn send(&self, message: M) -> bool {
        let sent = self.channel.send(message).is_ok();
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
        let signals = Signals { end: Arc::default(), redraw: Arc::default(), suspend: Arc::default() };
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
            signal_hook::flag::register_usize(signal, Arc::clone(&signals.end), usize::try_from(signal).unwrap_or(1))?;
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

impl<M: Send + 'static> Session<M> {
    /// Takes the terminal over and starts reading it; `message` makes a message of an event, `mouse` takes the mouse too.
    ///
    /// # Errors
    /// When there is no terminal, or it can't do what an editor needs.
    pub(super) fn start(message: fn(Event) -> M, mouse: bool) -> Result<Session<M>, Error> {
        let hint = "for scripts there is: qpt-tui check FILE";
        if !rustix::termios::isatty(io::stdin()) || !rustix::termios::isatty(io::stdout()) {
            return Err(Error::user("the editor needs a terminal for input and output").hint(hint));
        }
        if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
            return Err(Error::user("this terminal (TERM=dumb) cannot show the editor").hint(hint));
        }
        let failed = |error: io::Error| Error::user(format!("the terminal could not be set up: {error}"));
        let flags = rustix::pipe::PipeFlags::NONBLOCK | rustix::pipe::PipeFlags::CLOEXEC;
        let (pipe, write) = rustix::pipe::pipe_with(flags).map_err(|error| failed(error.into()))?;
        let signals = Signals::register(&write).map_err(failed)?;
        let (channel, receiver) = mpsc::channel();
        let sender = Sender { channel, wake: Arc::new(write) };
        // NO_COLOR is the theme's business: crossterm's own answer to it breaks reverse video.
        crossterm::style::force_color_output(true);
        restore_on_panic();
        MOUSE.store(mouse, Ordering::SeqCst);
        enter().map_err(|error| {
            leave();
            failed(error)
        })?;
        let screen = Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(64 << 10, io::stdout()))).map_err(
            |error| {
                leave();
                failed(error)
            },
        )?;
        let reader = Reader::start(sender.clone(), message).map_err(failed)?;
        Ok(Session { screen, receiver, sender, pipe, signals, reader })
    }

    /// Where other threads send their messages.
    pub(super) fn sender(&self) -> Sender<M> {
        self.sender.clone()
    }

    /// A message that is there already.
    pub(super) fn next(&self) -> Option<M> {
        self.receiver.try_recv().ok()
    }

    /// Waits until something happens.
    pub(super) fn wait(&self) -> Wake<M> {
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
            let mut watched = [PollFd::new(&stdin, PollFlags::empty()), PollFd::new(&self.pipe, PollFlags::IN)];
            match poll(&mut watched, None) {
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

    /// Paints everything anew, without asking the terminal anything.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn repaint(&mut self) -> io::Result<()> {
        let (width, height) = crossterm::terminal::size()?;
        self.screen.resize(Rect::new(0, 0, width, height))
    }

    /// Gives the terminal back and stops, as Ctrl-Z does; goes on when the shell continues us.
    ///
    /// # Errors
    /// When the terminal can't be taken over again.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        leave();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        enter()?;
        self.repaint()
    }

    /// Gives the terminal to another program while `run` takes, and takes it back.
    ///
    /// # Errors
    /// When the terminal can't be taken over again.
    pub(super) fn outside<T>(&mut self, run: impl FnOnce() -> T) -> io::Result<T> {
        self.reader.pause();
        leave();
        let result = run();
        enter()?;
        self.reader.go_on();
        self.repaint()?;
        Ok(result)
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

impl<M> Drop for Session<M> {
    fn drop(&mut self) {
        leave();
    }
}

fn restore_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            before(panic);
        }));
    });
}
