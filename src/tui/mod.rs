//! The editor: the shell around [`app::App`], which is the one to touch the terminal, files, the host and the clock.

pub mod action;
pub mod app;
pub mod completion;
pub mod config;
pub mod form;
pub mod import;
pub mod keymap;
pub mod matrix;
pub mod pane;
pub mod rows;
mod terminal;
pub mod theme;
pub mod view;

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{Event, KeyEventKind};
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::layout::{Position, Rect};
use signal_hook::consts::SIGHUP;

use crate::check;
use crate::cli::{Cli, HostOptions};
use crate::error::Error;
use crate::host::{self, HostFacts};
use crate::store::{self, Saved, Source};
use action::Effect;
use app::App;
use config::Config;
use pane::{Answer, Pane};
use terminal::{Session, Wake};
use theme::Theme;

const DEMO: &str = include_str!("../../assets/demo/domain.xml");
const DEMO_HOST: &str = include_str!("../../assets/demo/host.json");

/// What arrives while the editor runs.
enum Message {
    Terminal(Event),
    Probed(u64, Box<HostFacts>),
    Answered(Pane, String, Answer),
    Listed(String, Vec<String>),
}

/// Opens the editor; gives the exit status.
///
/// # Errors
/// When the document can't be read, or there is no terminal. The terminal is as it was.
pub fn run(cli: &Cli) -> Result<u8, Error> {
    // A wrong configuration is said before the screen is taken.
    let config = configuration()?;
    let (mut app, source) = open(cli)?;
    app.keymap = config.keymap;
    let demo = source.is_none();
    if let Some(path) = cli.host.facts.as_ref().filter(|_| !demo) {
        // Recorded facts need no look at this host: a wrong file is said before the screen is taken.
        let options = HostOptions { facts: Some(path.clone()), ..cli.host.clone() };
        app.probed(check::facts(&options, &[])?);
    } else if demo {
        let mut facts: HostFacts =
            serde_json::from_str(DEMO_HOST).map_err(|error| Error::user(format!("the demo's host: {error}")))?;
        facts.source = "an imaginary host".to_owned();
        app.probed(facts);
    }
    let recorded = app.host.is_some();
    let session = Session::start(Message::Terminal, config.mouse)?;
    Editor { session, app, source, options: cli.host.clone(), recorded, probe: 0, learned: None }.run(config.theme)
}

/// The user's configuration, or the defaults where there is none.
fn configuration() -> Result<Config, Error> {
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let path = directories::ProjectDirs::from("", "", "qpt-tui").map(|dirs| dirs.config_dir().join("config.toml"));
    let text = path.as_ref().map(std::fs::read_to_string);
    match (path, text) {
        (Some(path), Some(Ok(text))) => Config::read(&path, &text, colour),
        (Some(path), Some(Err(error))) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::user(format!("{}: {error}", path.display())))
        }
        _ => Config::read(std::path::Path::new("config.toml"), "", colour),
    }
}

fn open(cli: &Cli) -> Result<(App, Option<Source>), Error> {
    if cli.demo {
        let mut app = App::new("demo".to_owned(), check::parse("demo", DEMO)?);
        app.readonly = Some("this is the demo; there is no file to save");
        app.mode = keymap::Mode::Tour;
        return Ok((app, None));
    }
    let source = match (&cli.connect, &cli.domain, &cli.file) {
        (Some(uri), Some(domain), _) => Source::Libvirt(store::open(uri, domain)?),
        (_, _, Some(path)) => Source::File(store::load(path)?),
        _ => {
            return Err(
                Error::user("no file was given").hint("open one: qpt-tui vm.xml, or look at the demo: qpt-tui --demo")
            );
        }
    };
    let document = check::parse(&source.title(), source.text())?;
    let mut app = App::new(source.title(), document);
    if cli.readonly {
        app.readonly = Some("it was opened with --readonly");
    } else if let Source::File(file) = &source
        && rustix::fs::access(&file.path, rustix::fs::Access::WRITE_OK).is_err()
    {
        app.readonly = Some("you may not write this file");
    }
    Ok((app, Some(source)))
}

struct Editor {
    session: Session<Message>,
    app: App,
    source: Option<Source>,
    options: HostOptions,
    /// The facts come from a file; the host is not asked.
    recorded: bool,
    /// The number of the last look at the host; answers to earlier ones are dropped.
    probe: u64,
    /// The type whose properties were asked for last, so that one without any is not asked about again and again.
    learned: Option<String>,
}

/// Why the loop ended.
enum End {
    Quit,
    /// By a signal, or with the terminal: the number of the signal.
    Signal(i32),
}

impl Editor {
    fn run(mut self, theme: Theme) -> Result<u8, Error> {
        if !self.recorded {
            self.look();
        }
        let end = self.steps(theme);
        drop(self.session);
        match end {
            Ok(End::Quit) => Ok(0),
            Ok(End::Signal(signal)) => {
                rescue(&self.app, self.source.as_ref());
                Ok(u8::try_from(128 + signal).unwrap_or(129))
            }
            Err(error) => {
                rescue(&self.app, self.source.as_ref());
                Err(Error::user(format!("the terminal failed: {error}")))
            }
        }
    }

    fn steps(&mut self, theme: Theme) -> std::io::Result<End> {
        loop {
            self.draw(theme)?;
            let mut wake = self.session.wait();
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
            if !self.recorded && self.app.needs_probe(self.learned.as_ref()) {
                self.look();
            }
            if let Some(pane) = self.app.wants_answer() {
                self.ask(pane);
            }
            if let Some(directory) = self.app.wants_listing() {
                self.list(directory);
            }
        }
    }

    /// Lists a directory in the background: a file system that hangs must not stop a key.
    fn list(&mut self, directory: String) {
        // Asked for once; the names come when they come.
        self.app.listed(directory.clone(), Vec::new());
        let sender = self.session.sender();
        std::thread::spawn(move || {
            let names = host::names_in(&directory);
            sender.send(Message::Listed(directory, names));
        });
    }

    /// Asks libvirt's programs for what a tab shows, in the background.
    fn ask(&mut self, pane: Pane) {
        let source = self.app.document.source().to_owned();
        self.app.asking(pane);
        let sender = self.session.sender();
        let session = self.options.session;
        let imaginary = self.recorded;
        std::thread::spawn(move || {
            let elsewhere = || "the facts are those of another host".to_owned();
            let answer = match pane {
                Pane::Schema => {
                    Answer::Schema(host::schema::validate(&source).as_result().cloned().map_err(str::to_owned))
                }
                _ if imaginary => Answer::Command(Err(elsewhere())),
                _ => Answer::Command(host::native::command(&source, session)),
            };
            sender.send(Message::Answered(pane, source, answer));
        });
    }

    fn draw(&mut self, theme: Theme) -> std::io::Result<()> {
        let size = self.session.screen.size()?;
        self.app.page = view::geometry::page(&self.app, Rect::from((Position::ORIGIN, size)));
        crossterm::queue!(self.session.screen.backend_mut(), BeginSynchronizedUpdate)?;
        let app = &self.app;
        self.session.screen.draw(|frame| view::draw(frame, app, theme))?;
        crossterm::execute!(self.session.screen.backend_mut(), EndSynchronizedUpdate)
    }

    fn message(&mut self, message: Message) -> Option<Effect> {
        match message {
            Message::Terminal(Event::Key(event)) if event.kind != KeyEventKind::Release => self.app.key(event),
            Message::Terminal(Event::Paste(text)) => {
                self.app.paste(&text);
                None
            }
            Message::Terminal(Event::Mouse(event)) => {
                if let Ok(size) = self.session.screen.size() {
                    self.app.mouse(event, Rect::from((Position::ORIGIN, size)));
                }
                None
            }
            Message::Terminal(_) => None,
            Message::Probed(number, facts) => {
                if number == self.probe {
                    self.app.probed(*facts);
                }
                None
            }
            Message::Answered(pane, source, answer) => {
                self.app.answered(pane, source, answer);
                None
            }
            Message::Listed(directory, names) => {
                self.app.listed(directory, names);
                None
            }
        }
    }

    fn carry_out(&mut self, effect: Effect) -> std::io::Result<Option<End>> {
        match effect {
            Effect::Quit => return Ok(Some(End::Quit)),
            Effect::Probe if self.recorded => {
                self.app.probing = false;
                self.app.failed("the facts are recorded ones; this host is not asked".to_owned());
            }
            Effect::Probe => self.look(),
            Effect::Copy(text) => {
                self.session.copy(&text)?;
                copy_locally(text);
            }
            Effect::Outside(text) => match self.session.outside(|| outside(&text))? {
                Ok(text) => self.app.came_back(&text),
                Err(error) => self.app.failed(error),
            },
            Effect::Repaint => self.session.repaint()?,
            Effect::Suspend => self.session.suspend()?,
            Effect::Save { force } => {
                if let Some(Effect::Quit) = self.save(force) {
                    return Ok(Some(End::Quit));
                }
            }
        }
        Ok(None)
    }

    fn save(&mut self, force: bool) -> Option<Effect> {
        let text = self.app.document.source().to_owned();
        let Some(source) = &self.source else {
            self.app.failed("there is no file to save".to_owned());
            return None;
        };
        match source.save(&text, force) {
            Ok(Saved::Unchanged) => self.app.saved(text, "nothing changed, nothing was written"),
            Ok(Saved::Written(next)) => {
                let sentence = match &next {
                    Source::File(file) => {
                        let path = crate::rules::quote(&[&file.path.to_string_lossy()]);
                        format!("saved; for libvirt: virsh define {path}")
                    }
                    Source::Libvirt(domain) => format!("defined; it counts from the next start of {}", domain.domain),
                };
                let now = next.text().to_owned();
                self.source = Some(next);
                self.app.saved(now, &sentence)
            }
            Ok(Saved::ChangedOnDisk) => {
                self.app.changed_on_disk();
                None
            }
            Err(error) => {
                self.app.failed(error.to_string());
                None
            }
        }
    }

    /// Asks the host in the background.
    fn look(&mut self) {
        self.probe += 1;
        self.app.probing = true;
        let number = self.probe;
        let mut request = check::request(&self.options, &[(&self.app.document, &self.app.line)]);
        self.learned = self.app.unknown_type();
        if let Some(name) = &self.learned {
            request.learn(name);
        }
        request.patience = Duration::from_secs(5);
        let sender = self.session.sender();
        std::thread::spawn(move || {
            sender.send(Message::Probed(number, Box::new(host::probe(&request))));
        });
    }
}

/// Puts text into the desktop's clipboard as well, where we are on one: not every terminal takes OSC 52.
fn copy_locally(text: String) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program: &[&str] = match (set("SSH_CONNECTION"), set("WAYLAND_DISPLAY"), set("DISPLAY")) {
        (false, true, _) => &["wl-copy"],
        (false, false, true) => &["xclip", "-selection", "clipboard"],
        _ => return,
    };
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // It may wait for somebody to paste; a program that is not there is no loss.
    std::thread::spawn(move || {
        let Ok(mut child) = command.spawn() else { return };
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(text.as_bytes());
        }
        let _ = child.wait();
    });
}

/// Lets $VISUAL or $EDITOR change a text in a file of its own, readable by nobody else.
fn outside(text: &str) -> Result<String, String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let named = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    // As virsh's editor we are EDITOR ourselves.
    let editor = named.filter(|editor| !editor.contains("qpt-tui")).unwrap_or_else(|| "vi".to_owned());
    let words = shlex::split(&editor).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| format!("EDITOR is '{editor}', expected a program"))?;
    let path = std::env::temp_dir().join(format!("qpt-tui-{}.txt", std::process::id()));
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    file.write_all(format!("{text}\n").as_bytes()).map_err(failed)?;
    drop(file);
    let ended = std::process::Command::new(&words[0]).args(&words[1..]).arg(&path).status();
    let read = std::fs::read_to_string(&path);
    // It was made a moment ago; if somebody took it away there is nothing to remove.
    let _ = std::fs::remove_file(&path);
    match ended {
        Ok(status) if status.success() => read.map_err(failed),
        Ok(status) => Err(format!("{editor} ended with {status}; nothing was taken over")),
        Err(error) => Err(format!("{editor} could not be run: {error}")),
    }
}

/// Puts unsaved work where it can be found, and says where.
fn rescue(app: &App, source: Option<&Source>) {
    if !app.is_modified() {
        return;
    }
    let path = source.map_or_else(|| PathBuf::from("demo.xml"), Source::file_name);
    match store::rescue(&path, app.document.source()) {
        Ok(kept) => eprintln!("qpt-tui: your changes are kept in {}", kept.display()),
        Err(error) => eprintln!("qpt-tui: your changes could not be kept: {error}"),
    }
}
