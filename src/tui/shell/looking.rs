//! What other threads do for the chooser: listing, judging, opening. Each stops once nobody waits for it any more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::choosing::News;
use super::{Message, Setup, background};
use crate::cli::HostOptions;
use crate::domain::Document;
use crate::facts::HostFacts;
use crate::power::Writes;
use crate::probe;
use crate::qemu::CommandLine;
use crate::rules;
use crate::session;
use crate::store;
use crate::tui::choose::{Came, Item, Lane, Outlook};
use crate::tui::opening::{self, Connections, Opened, is_here, is_session};
use crate::tui::terminal::Sender;

/// Where verdicts come from, for a thread.
#[derive(Clone)]
pub(super) struct Host {
    options: HostOptions,
    recorded: Option<Arc<HostFacts>>,
}

impl Host {
    pub(super) fn of(setup: &Setup) -> Host {
        Host { options: setup.host.clone(), recorded: setup.facts.clone().map(Arc::new) }
    }
}

/// Whose QEMU would start it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    /// As the command line says.
    Asked,
    /// The user's own.
    Session,
    /// That of another host, or no QEMU.
    Elsewhere,
}

impl Whose {
    fn of(item: &Item) -> Whose {
        match item {
            Item::Domain { uri, .. } if is_session(uri) => Whose::Session,
            Item::Domain { uri, .. } if !is_here(uri) => Whose::Elsewhere,
            Item::Domain { .. } | Item::File(_) | Item::Demo => Whose::Asked,
        }
    }
}

fn tell(sender: &Sender<Message>, came: Came) -> bool {
    sender.send(Message::Choosing(News::Came(came)))
}

/// Lists the files of a directory.
pub(super) fn list_files(sender: &Sender<Message>, directory: PathBuf) {
    let teller = sender.clone();
    let work = move || {
        let found = store::domains_in(&directory).map_err(|error| error.to_string());
        tell(&teller, Came::Files(directory, found));
        Some(Message::Choosing(News::Came(Came::Done)))
    };
    background::run_bound(sender, "listing the files", Writes::nothing, work);
}

/// Lists the domains of connections.
pub(super) fn list_domains(sender: &Sender<Message>, connections: Connections) {
    let teller = sender.clone();
    let work = move || {
        connections.list(|shelf| {
            tell(&teller, Came::Domains(shelf.map_err(|error| error.to_string())));
        });
        Some(Message::Choosing(News::Came(Came::Done)))
    };
    background::run_bound(sender, "listing the domains", Writes::nothing, work);
}

/// Opens something.
pub(super) fn open(sender: &Sender<Message>, item: Item, readonly: bool) {
    let work = move || {
        let opened = match &item {
            Item::Domain { uri, listed } => opening::domain(uri, listed.handle(), readonly),
            Item::File(path) => opening::file(path, readonly),
            Item::Demo => opening::demo(),
        };
        Some(Message::Choosing(News::Opened(item, opened.map(Box::new))))
    };
    background::run_bound(sender, "opening", Writes::nothing, work);
}

/// Opens a new domain.
pub(super) fn make(path: &Path) -> Result<Opened, String> {
    opening::made(path).map_err(|error| error.to_string())
}

/// Judges some things, by the rules alone.
pub(super) fn judge(sender: &Sender<Message>, host: Host, lane: Lane, items: Vec<Item>) {
    let teller = sender.clone();
    let work = move || {
        let mut read: BTreeMap<Whose, Vec<Read>> = BTreeMap::new();
        for item in items {
            if !teller.is_awaited() {
                return None;
            }
            if let Some(one) = Read::of(item, &teller) {
                read.entry(Whose::of(&one.item)).or_default().push(one);
            }
        }
        for (whose, some) in read {
            if !judge_some(&teller, &host, whose, some) {
                return None;
            }
        }
        Some(Message::Choosing(News::Rested(lane)))
    };
    background::run_bound(sender, "judging", Writes::looking, work);
}

/// A document that was read.
struct Read {
    item: Item,
    document: Document,
    line: CommandLine,
}

impl Read {
    /// Reads a thing; where it can't be read that is told.
    fn of(item: Item, teller: &Sender<Message>) -> Option<Read> {
        let read = match &item {
            Item::File(path) => store::load(path)
                .and_then(|file| session::parse(&file.path.display().to_string(), &file.text))
                .map_err(|error| error.to_string()),
            Item::Domain { uri, listed } => store::peek(uri, listed.handle()).and_then(|text| {
                session::parse(&listed.name, &text).map_err(|error| error.to_string())
            }),
            Item::Demo => return None,
        };
        match read {
            Ok(document) => {
                let line = session::command_line(&document);
                Some(Read { item, document, line })
            }
            Err(why) => {
                tell(teller, Came::Judged(item, Outlook::Unknown(why), String::new()));
                None
            }
        }
    }
}

/// Looks at the host for some documents at once, and judges each; whether somebody still waits for more.
fn judge_some(teller: &Sender<Message>, host: &Host, whose: Whose, some: Vec<Read>) -> bool {
    let pairs: Vec<_> = some.iter().map(|one| (&one.document, &one.line)).collect();
    let facts = match (whose, &host.recorded) {
        (Whose::Elsewhere, _) => None,
        (Whose::Asked | Whose::Session, Some(facts)) => Some(Arc::clone(facts)),
        (Whose::Asked | Whose::Session, None) => {
            let session = host.options.session || whose == Whose::Session;
            let options = HostOptions { session, ..host.options.clone() };
            Some(Arc::new(probe::probe(&session::request(&options, &pairs))))
        }
    };
    for Read { item, document, line } in some {
        let outlook = match &facts {
            Some(facts) => {
                let findings = rules::judge(&document, &line, facts);
                Outlook::of(&document, &findings, item.is_running())
            }
            None if Outlook::is_plain(&document) => Outlook::Nothing,
            None => Outlook::Unknown("its QEMU would not run on this host".to_owned()),
        };
        let domain = document.facts().name.clone();
        if !tell(teller, Came::Judged(item, outlook, domain)) {
            return false;
        }
    }
    true
}
