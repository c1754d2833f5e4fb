//! The thread that does nothing but read the terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, poll};

use super::Sender;
use super::asking::{self, Ear, Heard};
use crate::tui::theme::Rgb;

/// What is made of what the terminal sends.
pub(in crate::tui) struct Messages<M> {
    pub(in crate::tui) event: fn(Event) -> M,
    pub(in crate::tui) background: fn(Rgb) -> M,
}

impl<M> Messages<M> {
    fn of(&self, heard: Heard) -> M {
        match heard {
            Heard::Event(event) => (self.event)(event),
            Heard::Background(colour) => {
                asking::answered();
                (self.background)(colour)
            }
        }
    }
}

/// The thread that reads the terminal; it can be told to leave it to another program for a while.
pub(super) struct Reader {
    control: OwnedFd,
    paused: mpsc::Receiver<()>,
    resume: mpsc::Sender<()>,
}

/// crossterm looks at what it has read already only while it has some time left: enough that being put aside by the kernel
/// between two statements leaves no key behind, and less than [`Reader::pause`] waits.
const ALREADY_READ: Duration = Duration::from_millis(100);

impl Reader {
    pub(super) fn start<M: Send + 'static>(
        sender: Sender<M>,
        messages: Messages<M>,
        mut ear: Ear,
    ) -> io::Result<Reader> {
        let (told, control) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (pausing, paused) = mpsc::channel();
        let (resume, resuming) = mpsc::channel();
        std::thread::spawn(move || {
            loop {
                let stdin = io::stdin();
                let mut watched =
                    [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&told, PollFlags::IN)];
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
                if !hand_on(&sender, &messages, &mut ear) {
                    // Nobody reads an answer any more.
                    return asking::answered();
                }
            }
        });
        Ok(Reader { control, paused, resume })
    }

    /// The terminal is left to another program until [`Reader::go_on`].
    pub(super) fn pause(&self) {
        let _ = rustix::io::write(&self.control, b"p");
        // Half an escape sequence keeps the thread inside a read; the next key ends that.
        let _ = self.paused.recv_timeout(Duration::from_millis(300));
    }

    pub(super) fn go_on(&self) {
        let _ = self.resume.send(());
    }
}

/// Hands on what arrived together, some of which waits inside crossterm; `false` when it is over.
fn hand_on<M>(sender: &Sender<M>, messages: &Messages<M>, ear: &mut Ear) -> bool {
    let send = |heard: Vec<Heard>| heard.into_iter().all(|one| sender.send(messages.of(one)));
    loop {
        let Ok(event) = crossterm::event::read() else { return false };
        if !send(ear.hear(event, Instant::now())) {
            return false;
        }
        if !crossterm::event::poll(ALREADY_READ).unwrap_or(false) {
            return send(ear.silence());
        }
    }
}
