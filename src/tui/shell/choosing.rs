//! The loop of the chooser: as that of the editor, which it starts, and to which it comes back.

use std::path::PathBuf;

use crossterm::event::{Event, KeyEventKind};
use ratatui::layout::{Position, Rect};
use signal_hook::consts::SIGHUP;

use super::ended::{Left, ended_by, terminal_failed};
use super::looking::{self, Host};
use super::mouse::Clicked;
use super::{Message, Setup};
use crate::error::Error;
use crate::tui::choose::{Came, Chooser, Item, Lane, Wish};
use crate::tui::opening::{Connections, Opened, Scope};
use crate::tui::terminal::{self, Session, Wake};
use crate::tui::theme::Theme;
use crate::tui::view::choose as view;

/// News for the chooser.
pub(in crate::tui) enum News {
    /// For its state.
    Came(Came),
    /// Something was opened, or not.
    Opened(Item, Result<Box<Opened>, Error>),
    /// A thread that judges has done what it was given.
    Rested(Lane),
}

/// So many things are judged at a time: the next ones are those that are on the screen then.
const BATCH: usize = 8;

/// What came of a choice.
enum Chosen {
    Edit(Box<Opened>),
    /// The program ends with this status.
    Ended(u8),
    /// It ends since what was named is not there.
    Refused,
}

/// The chooser with what it needs outside.
struct Choosing {
    chooser: Chooser,
    directory: Option<PathBuf>,
    connections: Connections,
    readonly: bool,
    host: Host,
    /// Which kinds of things are being judged.
    busy: Vec<Lane>,
    clicked: Clicked,
    /// Colours and signs, as far as the terminal has answered.
    theme: Theme,
}

/// Has somebody choose, and opens that, until they leave; gives the exit status.
///
/// # Errors
/// When there is no terminal, or it fails; when what was named is not there and is not made.
pub(in crate::tui) fn choose(setup: &Setup, scope: Scope) -> Result<u8, Error> {
    let mut session = setup.session()?;
    let (mut choosing, refusal) = Choosing::of(setup, scope);
    // What was named is all that was wanted: the end of it is the end.
    let is_named = refusal.is_some();
    loop {
        let opened = match choosing.rounds(&mut session) {
            Ok(Chosen::Edit(opened)) => opened,
            Ok(Chosen::Ended(status)) => {
                terminal::leave();
                return Ok(status);
            }
            Ok(Chosen::Refused) => {
                terminal::leave();
                return refusal.map_or(Ok(2), Err);
            }
            Err(error) => {
                terminal::leave();
                return terminal_failed(&error);
            }
        };
        hand_over(&mut session);
        let editor = setup.editor(session, *opened, choosing.theme);
        let editor = editor.inspect_err(|_| terminal::leave())?;
        if is_named {
            return editor.run();
        }
        match editor.run_for_now()? {
            Left::Ended(status) => return Ok(status),
            Left::Back(back) => (session, choosing.theme) = *back,
        }
        hand_over(&mut session);
    }
}

fn hand_over(session: &mut Session<Message>) {
    session.hand_over(|message| matches!(message, Message::Terminal(_) | Message::Background(_)));
}

impl Choosing {
    /// The chooser for a scope; and what is said where a file that was named is not made.
    fn of(setup: &Setup, scope: Scope) -> (Choosing, Option<Error>) {
        let place = match (&scope.connections, &scope.directory) {
            (Connections::Only(uri), _) => uri.clone(),
            (Connections::None, Some(directory)) => directory.display().to_string(),
            (Connections::None | Connections::Default, _) => String::new(),
        };
        let mut chooser = Chooser::new(place, setup.config.keymap.clone());
        chooser.narrow(scope.filter);
        let refusal = scope.missing.map(|(missing, refusal)| {
            chooser.ask(missing);
            refusal
        });
        let choosing = Choosing {
            chooser,
            directory: scope.directory,
            connections: scope.connections,
            readonly: scope.readonly,
            host: Host::of(setup),
            busy: Vec::new(),
            clicked: Clicked::default(),
            theme: setup.config.theme,
        };
        (choosing, refusal)
    }

    /// Has all lists made anew.
    fn look(&mut self, session: &mut Session<Message>) {
        hand_over(session);
        self.busy.clear();
        let mut lists = 0;
        if let Some(directory) = &self.directory {
            lists += 1;
            looking::list_files(&session.sender(), directory.clone());
        }
        if self.connections != Connections::None {
            lists += 1;
            looking::list_domains(&session.sender(), self.connections.clone());
        }
        self.chooser.look(lists);
    }

    /// Has what is on the screen judged, then the rest.
    fn judge(&mut self, session: &Session<Message>) {
        for lane in [Lane::Files, Lane::Domains] {
            if self.busy.contains(&lane) {
                continue;
            }
            let items = self.chooser.unjudged(lane, BATCH);
            if !items.is_empty() {
                self.busy.push(lane);
                looking::judge(&session.sender(), self.host.clone(), lane, items);
            }
        }
    }

    fn rounds(&mut self, session: &mut Session<Message>) -> std::io::Result<Chosen> {
        self.look(session);
        loop {
            self.draw(session)?;
            self.judge(session);
            let mut wake = session.wait(None);
            // A burst of keys makes one frame.
            loop {
                if let Some(chosen) = self.wake(wake, session)? {
                    return Ok(chosen);
                }
                match session.next() {
                    Some(message) => wake = Wake::Message(message),
                    None => break,
                }
            }
        }
    }

    fn draw(&mut self, session: &mut Session<Message>) -> std::io::Result<()> {
        let screen = Rect::from((Position::ORIGIN, session.screen.size()?));
        self.chooser.page = view::page(&self.chooser, screen);
        let (chooser, theme) = (&self.chooser, self.theme);
        session.paint(|frame| view::draw(frame, chooser, theme))
    }

    fn wake(
        &mut self,
        wake: Wake<Message>,
        session: &mut Session<Message>,
    ) -> std::io::Result<Option<Chosen>> {
        let wish = match wake {
            Wake::End(signal) => return Ok(Some(Chosen::Ended(ended_by(signal)))),
            Wake::Gone => return Ok(Some(Chosen::Ended(ended_by(SIGHUP)))),
            Wake::Redraw => Some(Wish::Repaint),
            Wake::Suspend => Some(Wish::Suspend),
            Wake::Nothing => None,
            Wake::Message(Message::Terminal(event)) => self.event(event, session)?,
            Wake::Message(Message::Choosing(News::Opened(item, opened))) => {
                return Ok(self.opened(&item, opened));
            }
            Wake::Message(message) => {
                self.news(message);
                None
            }
        };
        wish.map_or(Ok(None), |wish| self.carry_out(wish, session))
    }

    fn event(&mut self, event: Event, session: &Session<Message>) -> std::io::Result<Option<Wish>> {
        match event {
            Event::Key(event) if event.kind != KeyEventKind::Release => {
                return Ok(self.chooser.key(event));
            }
            Event::Paste(text) => self.chooser.paste(&text),
            Event::Mouse(event) => {
                let screen = Rect::from((Position::ORIGIN, session.screen.size()?));
                let again = self.clicked.again(&event);
                return Ok(self.chooser.mouse(event, screen, again));
            }
            Event::Key(_) | Event::FocusGained | Event::FocusLost | Event::Resize(..) => {}
        }
        Ok(None)
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the others are for the editor")]
    fn news(&mut self, message: Message) {
        match message {
            Message::Choosing(News::Came(came)) => self.chooser.came(came),
            Message::Choosing(News::Rested(lane)) => self.busy.retain(|other| *other != lane),
            Message::Background(colour) => self.theme = self.theme.answered(colour),
            Message::Broke(what) => {
                self.chooser.failed(format!("{what} failed; this is a fault of qpt-tui"));
            }
            _ => {}
        }
    }

    /// Something was opened; what nobody waits for any more is dropped.
    fn opened(&mut self, item: &Item, opened: Result<Box<Opened>, Error>) -> Option<Chosen> {
        if self.chooser.opening.as_ref() != Some(item) {
            return None;
        }
        match opened {
            Ok(opened) => Some(Chosen::Edit(opened)),
            Err(error) => {
                self.chooser.failed(error.to_string().replace("\n  ", "; "));
                None
            }
        }
    }

    fn carry_out(
        &mut self,
        wish: Wish,
        session: &mut Session<Message>,
    ) -> std::io::Result<Option<Chosen>> {
        match wish {
            Wish::Open(item) => looking::open(&session.sender(), item, self.readonly),
            Wish::Make(path) if self.readonly => {
                let shown = path.display();
                self.chooser.failed(format!("{shown} is not made: --readonly saves nothing"));
            }
            Wish::Make(path) => match looking::make(&path) {
                Ok(opened) => return Ok(Some(Chosen::Edit(Box::new(opened)))),
                Err(why) => self.chooser.failed(why.replace("\n  ", "; ")),
            },
            Wish::Look => self.look(session),
            Wish::Repaint => session.repaint()?,
            Wish::Suspend => {
                return Ok(session.suspend()?.map(|signal| Chosen::Ended(ended_by(signal))));
            }
            Wish::Leave => return Ok(Some(Chosen::Ended(0))),
            Wish::Refuse => return Ok(Some(Chosen::Refused)),
        }
        Ok(None)
    }
}
