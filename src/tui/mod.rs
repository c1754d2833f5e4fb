//! The editor: the shell around [`app::App`], which is the one to touch the terminal, files, the host and the clock.

pub mod action;
pub mod app;
pub mod columns;
pub mod completion;
pub mod config;
pub mod form;
pub mod keymap;
pub mod matrix;
pub mod pane;
pub mod rows;
mod shell;
mod terminal;
pub mod theme;
pub mod view;

use crate::cli::{Cli, HostOptions};
use crate::console;
use crate::error::Error;
use crate::facts::HostFacts;
use crate::power;
use crate::session;
use crate::store::{self, Source, journal};
use app::App;
use config::Config;
use shell::{Editor, Keeping};
use theme::Surroundings;

const DEMO: &str = include_str!("../../assets/demo/domain.xml");
const DEMO_HOST: &str = include_str!("../../assets/demo/host.json");

/// Opens the editor; gives the exit status.
///
/// # Errors
/// When the document can't be read, or there is no terminal. The terminal is as it was.
pub fn run(cli: &Cli) -> Result<u8, Error> {
    power::divide();
    // A wrong configuration is said before the screen is taken.
    let config = configuration()?;
    let (mut app, source) = open(cli)?;
    app.keymap = config.keymap.clone();
    let demo = source.is_none();
    if demo {
        let mut facts: HostFacts = serde_json::from_str(DEMO_HOST)
            .map_err(|error| Error::user(format!("the demo's host: {error}")))?;
        facts.source = "an imaginary host".to_owned();
        app.probed(facts);
    } else if let Some(path) = &cli.host.facts {
        // Recorded facts need no look at this host: a wrong file is said before the screen is taken.
        let options = HostOptions { facts: Some(path.clone()), ..cli.host.clone() };
        app.probed(session::facts(&options, &[])?);
    }
    let keeping = match &source {
        Some(source) if app.file.look_only.is_none() => keep(&mut app, source),
        _ => Keeping::Nothing,
    };
    let mut host = cli.host.clone();
    host.only_static |= !config.ask;
    Editor::start(app, source, keeping, host, &config)?.run()
}

/// Opens the journal of what is edited, and offers what earlier sessions left there.
fn keep(app: &mut App, source: &Source) -> Keeping {
    let origin = source.origin(&app.document.facts().name);
    let opened = journal::open(&origin);
    match &opened {
        journal::Opened::Ready(journal) => shell::offer(app, journal),
        journal::Opened::Busy(busy) => app.elsewhere(busy.holder.clone()),
        journal::Opened::Unkept(why) => app.unkept(why),
    }
    if let Source::File(file) = source
        && let Some(hint) = journal::hint_before_link(&file.path)
    {
        app.failed(hint);
    }
    opened.into()
}

/// The user's configuration, or the defaults where there is none.
fn configuration() -> Result<Config, Error> {
    let around = Surroundings::read(|name| {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    });
    let path = directories::ProjectDirs::from("", "", "qpt-tui")
        .map(|dirs| dirs.config_dir().join("config.toml"));
    // It may be a link into a directory of settings that is kept elsewhere.
    let read = |path: &std::path::PathBuf| {
        let bytes = store::read_regular(&std::fs::canonicalize(path)?)?;
        String::from_utf8(bytes).map_err(std::io::Error::other)
    };
    let text = path.as_ref().map(read);
    match (path, text) {
        (Some(path), Some(Ok(text))) => Config::read(&path, &text, &around),
        (Some(path), Some(Err(error))) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::user(format!("{}: {error}", path.display())))
        }
        _ => Config::read(std::path::Path::new("config.toml"), "", &around),
    }
}

fn open(cli: &Cli) -> Result<(App, Option<Source>), Error> {
    if cli.demo {
        let mut app = App::new("demo".to_owned(), session::parse("demo", DEMO)?);
        app.file.readonly = Some("this is the demo; there is no file to save, S makes one");
        app.mode = keymap::Mode::Tour;
        return Ok((app, None));
    }
    let source = match (&cli.connect, &cli.domain, &cli.file) {
        (Some(uri), Some(domain), _) => {
            // It may take its time, and the screen is not ours yet.
            console::remark(&format!("asking libvirt: virsh -c {uri} dumpxml {domain}"));
            Source::Libvirt(store::open(uri, domain)?)
        }
        (_, _, Some(path)) => {
            Source::File(store::load(path).map_err(|error| match journal::hint_for(path) {
                Some(hint) => error.hint(hint),
                None => error,
            })?)
        }
        _ => {
            return Err(Error::user("no file was given")
                .hint("open one: qpt-tui vm.xml, or look at the demo: qpt-tui --demo"));
        }
    };
    let document = session::parse(&source.title(), source.text()).map_err(|error| {
        // It may be half of a text that was being written.
        let hint = cli.file.as_deref().and_then(journal::hint_for);
        hint.map_or(error.clone(), |hint| error.hint(hint))
    })?;
    let of_virsh = source.origin(&document.facts().name).is_of_virsh();
    // virsh's own file has a name that tells nobody anything.
    let title = match &source {
        Source::File(_) if of_virsh => "virsh edit".to_owned(),
        Source::Libvirt(domain) => domain.uri.clone(),
        Source::File(_) => source.title(),
    };
    let mut app = App::new(title, document);
    app.judging.as_root = Some(rustix::process::geteuid().is_root());
    app.file.forgets_comments = of_virsh || matches!(source, Source::Libvirt(_));
    if of_virsh {
        app.file.of_libvirt = Some(app.file.saved.clone());
    }
    if cli.readonly {
        app.file.look_only = Some("it was opened with --readonly");
    } else if let Source::File(file) = &source {
        app.file.protected = store::protection(&file.real);
    }
    Ok((app, Some(source)))
}
