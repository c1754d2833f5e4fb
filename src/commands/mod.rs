//! The commands: each in its file, the short ones here.

mod check;
mod recover;
mod try_out;
mod why;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli::{Cli, Command, HostOptions};
use crate::console::print;
use crate::domain;
use crate::error::Error;
use crate::power::{self, Writes};
use crate::probe::judges::Judges;
use crate::rules;
use crate::session;
use crate::tui;
use crate::visible::escaped;

/// Does what the command line asks for; gives the exit status.
///
/// # Errors
/// One sentence; the exit status is 2 then.
pub fn run(cli: Cli) -> Result<u8> {
    if let Some(command) = &cli.command {
        bind(command);
    }
    match cli.command {
        Some(Command::Check(options)) => return Ok(check::check(&options)?),
        Some(Command::Canonical { file }) => canonical(&file)?,
        Some(Command::Explain { rule: Some(id), .. }) => explain_rule(&id)?,
        Some(Command::Explain { error: Some(text), .. }) => return Ok(why::explain(text)?),
        Some(Command::Why(options)) => return Ok(why::why(&options)?),
        Some(Command::Explain { rule: None, error: None }) => print(&all_rules()),
        Some(Command::Facts { files, host }) => facts(&files, &host)?,
        Some(Command::Recover(options)) => recover::recover(&options)?,
        Some(Command::Try(options)) => return Ok(try_out::try_out(&options)?),
        Some(Command::Keys) => print(&tui::config::keys()),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "qpt-tui", &mut text);
            print(&String::from_utf8_lossy(&text));
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            print(&String::from_utf8_lossy(&page));
        }
        None => return Ok(tui::run(&cli)?),
    }
    Ok(0)
}

/// Gives up what a command does not need, before it reads anything.
fn bind(command: &Command) {
    let writes = match command {
        Command::Check(options) => {
            power::divide();
            let writes = written(&options.host);
            if options.fix {
                options.files.iter().fold(writes.keeping(), |writes, file| writes.beside(file))
            } else {
                writes
            }
        }
        Command::Facts { host, .. } => {
            power::divide();
            written(host)
        }
        Command::Why(options) => {
            power::divide();
            written(&options.host)
        }
        Command::Try(options) => {
            power::divide();
            let bundle = options.bundle.as_deref().unwrap_or(Path::new("bundle"));
            Writes::asking().beside(bundle)
        }
        // Where it writes is known once its copy was found.
        Command::Recover(_) => return power::divide(),
        Command::Canonical { .. }
        | Command::Explain { .. }
        | Command::Keys
        | Command::Completions { .. }
        | Command::Man => Writes::nothing(),
    };
    power::give_up(&writes);
}

/// What judging writes.
fn written(host: &HostOptions) -> Writes {
    match (host.asks(), &host.facts) {
        (true, _) => Writes::asking(),
        (false, None) => Writes::looking(),
        (false, Some(_)) => Writes::nothing(),
    }
}

/// Prints a document with its passthrough as libvirt writes it.
fn canonical(file: &Path) -> Result<()> {
    let document = session::open(file)?;
    let text = domain::canonical::document(&document);
    print(&text.map_err(|error| Error::user(format!("{}: {error}", file.display())))?);
    Ok(())
}

/// Prints the page of a rule.
fn explain_rule(id: &str) -> Result<()> {
    let rule = rules::rule(id);
    let rule = rule.ok_or_else(|| {
        Error::user(format!("there is no rule '{id}'")).hint("list them: qpt-tui explain")
    })?;
    print(rule.explain);
    Ok(())
}

/// A line for each rule.
fn all_rules() -> String {
    let line = |rule: &&rules::Rule| {
        format!("{:<22} {:<11} {}\n", rule.id, rule.layer.word(), rule.summary)
    };
    rules::RULES.iter().map(line).collect()
}

/// Prints what the host says about some documents.
fn facts(files: &[PathBuf], host: &HostOptions) -> Result<()> {
    let documents = files.iter().map(|file| session::open(file)).collect::<Result<Vec<_>, _>>()?;
    let lines: Vec<_> = documents.iter().map(session::command_line).collect();
    let mut facts = session::facts(host, &documents.iter().zip(&lines).collect::<Vec<_>>())?;
    if host.asks() {
        session::ask(&mut facts, &documents.iter().collect::<Vec<_>>(), &Judges::default());
    }
    print(&format!("{}\n", escaped(&serde_json::to_string_pretty(&facts)?)));
    Ok(())
}
