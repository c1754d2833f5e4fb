//! What the command line names: something that is opened at once, or a choice.

use std::path::{Path, PathBuf};

use super::app::{App, Status};
use super::choose::{Missing, as_file};
use super::{keymap, terminal};
use crate::cli::Cli;
use crate::console;
use crate::error::Error;
use crate::session;
use crate::store::{self, Listed, Shelf, Source, journal};

const DEMO: &str = include_str!("../../assets/demo/domain.xml");
/// A domain that libvirt defines as it is; its name is put in.
const NEW: &str = include_str!("../../assets/new.xml");
/// The connection in which QEMU runs as the user.
const SESSION: &str = "qemu:///session";

/// What was read, and where it goes when it is saved; the demo goes nowhere.
pub(super) struct Opened {
    pub(super) app: App,
    pub(super) source: Option<Source>,
}

/// What the program begins with.
pub(super) enum Start {
    Edit(Box<Opened>),
    Choose(Scope),
}

/// What is chosen from.
#[derive(Default)]
pub(super) struct Scope {
    /// The directory whose files are listed.
    pub(super) directory: Option<PathBuf>,
    /// Whose domains are listed.
    pub(super) connections: Connections,
    /// What is typed already.
    pub(super) filter: String,
    /// What was named and is not there, and what is said of that where it is not made.
    pub(super) missing: Option<(Missing, Error)>,
    /// Nothing is to be saved.
    pub(super) readonly: bool,
}

/// Connections to libvirt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Connections {
    #[default]
    None,
    /// The one that virsh takes by itself, and the user's own.
    Default,
    Only(String),
}

impl Connections {
    /// Their domains, one connection after the other; the user's own is left out where it does not answer.
    pub(super) fn list(&self, mut each: impl FnMut(Result<Shelf, Error>)) {
        let named = match self {
            Connections::None => return,
            Connections::Default => default_uri(),
            Connections::Only(uri) => Some(uri.clone()),
        };
        let listed = store::list(named.as_deref());
        let is_sessions = named.as_deref() == Some(SESSION)
            || listed.as_ref().is_ok_and(|shelf| shelf.uri == SESSION);
        // What virsh takes by itself for a user is the user's own.
        let is_own = is_sessions || named.is_none() && listed.is_err();
        each(listed);
        let is_alone = matches!(self, Connections::Only(_)) || is_own || is_root();
        if !is_alone && let Ok(shelf) = store::list(Some(SESSION)) {
            each(Ok(shelf));
        }
    }
}

/// The connection that virsh takes by itself, where that is known without asking it: `LIBVIRT_DEFAULT_URI`, and to root the
/// system's (libvirt.org/uri.html).
fn default_uri() -> Option<String> {
    let named = std::env::var("LIBVIRT_DEFAULT_URI").ok().filter(|uri| !uri.is_empty());
    named.or_else(|| is_root().then(|| "qemu:///system".to_owned()))
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether a connection's QEMU runs as the user.
pub(super) fn is_session(uri: &str) -> bool {
    uri.starts_with(SESSION)
}

/// Whether a connection's QEMU would run on this host: the host's name in it is empty.
pub(super) fn is_here(uri: &str) -> bool {
    uri.starts_with("qemu:///") || uri.starts_with("qemu+unix:///")
}

/// What the command line asks for.
///
/// # Errors
/// One sentence: what was named can't be read, or there is no terminal to choose at.
pub(super) fn start(cli: &Cli) -> Result<Start, Error> {
    let readonly = cli.readonly;
    let edit = |opened| Ok(Start::Edit(Box::new(opened)));
    if cli.demo {
        return edit(demo()?);
    }
    let scope = Scope { readonly, ..Scope::default() };
    match (&cli.connect, &cli.domain, &cli.file) {
        (uri, Some(name), _) => {
            let uri = match uri.clone().or_else(default_uri) {
                Some(uri) => uri,
                None => store::list(None)?.uri,
            };
            edit(asked_for(&uri, name, readonly)?)
        }
        (Some(uri), None, _) => {
            let hint = "name one: --domain NAME";
            can_choose(Error::user("no domain was given").hint(hint))?;
            Ok(Start::Choose(Scope { connections: Connections::Only(uri.clone()), ..scope }))
        }
        (None, None, Some(path)) if path.is_dir() => {
            can_choose(unreadable(path))?;
            Ok(Start::Choose(Scope { directory: Some(path.clone()), ..scope }))
        }
        (None, None, Some(path)) if is_nowhere(path) => named(path, scope),
        (None, None, Some(path)) => edit(file(path, readonly)?),
        (None, None, None) => {
            let hint = "open one: qpt-tui vm.xml, or look at the demo: qpt-tui --demo";
            can_choose(Error::user("no file was given").hint(hint))?;
            let directory = Some(PathBuf::from("."));
            Ok(Start::Choose(Scope { directory, connections: Connections::Default, ..scope }))
        }
    }
}

/// Whether somebody can choose at this terminal; without one there is what is said of the command line.
fn can_choose(without: Error) -> Result<(), Error> {
    terminal::is_there().map_err(|_| without)
}

fn is_nowhere(path: &Path) -> bool {
    let found = path.symlink_metadata();
    found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Why a file can't be opened, with what is kept of it.
fn unreadable(path: &Path) -> Error {
    let Err(error) = store::load(path) else {
        return Error::user(format!("{}: it was not there a moment ago", path.display()));
    };
    match journal::hint_for(path) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// A name of which there is no file: `win11` may be `win11.xml`, or a domain; else the file can be made.
fn named(path: &Path, scope: Scope) -> Result<Start, Error> {
    let refused = unreadable(path);
    can_choose(refused.clone())?;
    let readonly = scope.readonly;
    let name = path.to_str().unwrap_or_default();
    let target = as_file(name);
    let mut text = format!("There is no file '{}'", target.display());
    if target != path {
        let (domains, complaint) = domains_called(name);
        match (domains.as_slice(), target.exists()) {
            ([], true) => return Ok(Start::Edit(Box::new(file(&target, readonly)?))),
            ([], false) => {}
            ([(uri, listed)], false) => {
                return Ok(Start::Edit(Box::new(asked_for(uri, listed.handle(), readonly)?)));
            }
            (_, _) => {
                let (directory, filter) = (Some(PathBuf::from(".")), name.to_owned());
                let connections = Connections::Default;
                return Ok(Start::Choose(Scope { directory, connections, filter, ..scope }));
            }
        }
        text.push_str(&match complaint {
            None => format!(", and no domain '{name}'"),
            Some(why) => {
                let why = why.to_string().replace("\n  ", "; ");
                format!(", and libvirt could not be asked for a domain '{name}' ({why})")
            }
        });
    }
    // Where nothing can be made there is nothing to ask.
    if readonly || store::new(&target, String::new()).is_err() {
        return Err(refused);
    }
    text.push('.');
    if let Some(hint) = journal::hint_for(&target) {
        text.push_str(&format!(" But {hint}."));
    }
    let missing = Missing { path: target, text, leaves: true };
    Ok(Start::Choose(Scope { missing: Some((missing, refused)), ..scope }))
}

/// The domains of a name or UUID, each with its connection; and why a connection could not be asked.
fn domains_called(name: &str) -> (Vec<(String, Listed)>, Option<Error>) {
    console::remark("asking libvirt: virsh list --all");
    let (mut found, mut complaint) = (Vec::new(), None);
    Connections::Default.list(|shelf| match shelf {
        Ok(Shelf { uri, domains }) => {
            let wanted = domains.into_iter().filter(|one| one.name == name || one.uuid == name);
            found.extend(wanted.map(|one| (uri.clone(), one)));
        }
        Err(error) => complaint = Some(error),
    });
    (found, complaint)
}

/// A domain that was asked for before the screen is ours.
fn asked_for(uri: &str, name: &str, readonly: bool) -> Result<Opened, Error> {
    // It may take its time.
    console::remark(&format!("asking libvirt: virsh -c {uri} dumpxml {name}"));
    domain(uri, name, readonly)
}

/// The sample domain.
pub(super) fn demo() -> Result<Opened, Error> {
    let mut app = App::new("demo".to_owned(), session::parse("demo", DEMO)?);
    app.file.readonly = Some("this is the demo; there is no file to save, S makes one");
    app.mode = keymap::Mode::Tour;
    Ok(Opened { app, source: None })
}

/// A domain that libvirt keeps, by its name, id or UUID.
pub(super) fn domain(uri: &str, name: &str, readonly: bool) -> Result<Opened, Error> {
    let source = Source::Libvirt(store::open(uri, name)?);
    let document = session::parse(&source.title(), source.text())?;
    Ok(opened(source, document, readonly))
}

/// A domain's file.
pub(super) fn file(path: &Path, readonly: bool) -> Result<Opened, Error> {
    let hinted = |error: Error| match journal::hint_for(path) {
        Some(hint) => error.hint(hint),
        None => error,
    };
    let source = Source::File(store::load(path).map_err(hinted)?);
    // It may be half of a text that was being written.
    let document = session::parse(&source.title(), source.text()).map_err(hinted)?;
    Ok(opened(source, document, readonly))
}

/// A new domain, which becomes a file when it is saved.
pub(super) fn made(path: &Path) -> Result<Opened, Error> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let text = NEW.replace("@NAME@", &crate::xml::escape::as_libvirt(&name));
    let source = Source::File(store::new(path, text)?);
    let document = session::parse(&source.title(), source.text())?;
    let mut opened = opened(source, document, false);
    // What is not there may be made, as the directory allows it.
    opened.app.file.protected = None;
    opened.app.status = Status::done("a new domain; nothing is written before you save it: Ctrl-s");
    Ok(opened)
}

fn opened(source: Source, document: crate::domain::Document, readonly: bool) -> Opened {
    let of_virsh = source.origin(&document.facts().name).is_of_virsh();
    // virsh's own file has a name that tells nobody anything.
    let title = match &source {
        Source::File(_) if of_virsh => "virsh edit".to_owned(),
        Source::Libvirt(domain) => domain.uri.clone(),
        Source::File(_) => source.title(),
    };
    let mut app = App::new(title, document);
    app.judging.as_root = Some(is_root());
    if of_virsh {
        app.file.of_libvirt = Some(app.file.saved.clone());
    }
    app.file.forgets_comments = of_virsh || matches!(source, Source::Libvirt(_));
    if readonly {
        app.file.look_only = Some("it was opened with --readonly");
    } else if let Source::File(file) = &source {
        app.file.protected = store::protection(&file.real);
    }
    Opened { app, source: Some(source) }
}
