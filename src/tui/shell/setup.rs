//! What every session of one run has in common: the configuration, and where verdicts come from.

use super::{Editor, Keeping, Message, offer};
use crate::cli::{Cli, HostOptions};
use crate::error::Error;
use crate::facts::HostFacts;
use crate::session;
use crate::store::{Source, journal};
use crate::tui::app::App;
use crate::tui::config::Config;
use crate::tui::opening::{Opened, is_session};
use crate::tui::terminal::{Messages, Session};
use crate::tui::theme::Theme;

const DEMO_HOST: &str = include_str!("../../../assets/demo/host.json");

/// What every session of one run has in common.
pub(in crate::tui) struct Setup {
    /// The configuration.
    pub(in crate::tui) config: Config,
    /// Where verdicts come from.
    pub(super) host: HostOptions,
    /// The facts of a file, in the place of this host's.
    pub(super) facts: Option<HostFacts>,
}

impl Setup {
    /// What the command line says of it; recorded facts are read, so that a wrong file is said before the screen is taken.
    ///
    /// # Errors
    /// When the facts can't be read.
    pub(in crate::tui) fn of(cli: &Cli, config: Config) -> Result<Setup, Error> {
        let mut host = cli.host.clone();
        let facts = match (&host.facts, cli.demo) {
            (Some(_), false) => Some(session::facts(&host, &[])?),
            _ => None,
        };
        host.only_static |= !config.ask;
        Ok(Setup { config, host, facts })
    }

    /// Takes the terminal.
    ///
    /// # Errors
    /// When there is none.
    pub(in crate::tui) fn session(&self) -> Result<Session<Message>, Error> {
        let messages = Messages { event: Message::Terminal, background: Message::Background };
        Session::start(messages, self.config.mouse, self.config.ask_background)
    }

    /// An editor for what was opened; the theme as far as the terminal has answered.
    ///
    /// # Errors
    /// When the demo's host can't be read.
    pub(in crate::tui) fn editor(
        &self,
        session: Session<Message>,
        opened: Opened,
        theme: Theme,
    ) -> Result<Editor, Error> {
        let Opened { mut app, source } = opened;
        app.keymap = self.config.keymap.clone();
        let facts = match &source {
            None => Some(demo_host()?),
            Some(_) => self.facts.clone(),
        };
        if let Some(facts) = facts {
            app.probed(facts);
        }
        let keeping = match &source {
            Some(source) if app.file.look_only.is_none() => keep(&mut app, source),
            _ => Keeping::Nothing,
        };
        let host = self.host_of(source.as_ref());
        Ok(Editor::start(session, app, source, keeping, (host, theme)))
    }

    /// Where the verdicts about something come from: in the user's own connection QEMU runs as the user.
    fn host_of(&self, source: Option<&Source>) -> HostOptions {
        let own = matches!(source, Some(Source::Libvirt(domain)) if is_session(&domain.uri));
        HostOptions { session: self.host.session || own, ..self.host.clone() }
    }
}

fn demo_host() -> Result<HostFacts, Error> {
    let mut facts: HostFacts = serde_json::from_str(DEMO_HOST)
        .map_err(|error| Error::user(format!("the demo's host: {error}")))?;
    facts.source = "an imaginary host".to_owned();
    Ok(facts)
}

/// Opens the journal of what is edited, and offers what earlier sessions left there.
fn keep(app: &mut App, source: &Source) -> Keeping {
    let origin = source.origin(&app.document.facts().name);
    let opened = journal::open(&origin);
    match &opened {
        journal::Opened::Ready(journal) => offer(app, journal),
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
