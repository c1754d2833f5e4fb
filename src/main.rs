//! Parse, run, map the outcome to an exit status.

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser as _};
use qpt_tui::cli::{Cli, Command};
use qpt_tui::error::Error;
use qpt_tui::{check, domain, recover, report, rules, store, tui};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            check::complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> Result<u8> {
    match cli.command {
        Some(Command::Check(options)) => return Ok(check::check(&options)?),
        Some(Command::Canonical { file }) => {
            let document = check::open(&file)?;
            let text = domain::canonical::document(&document)
                .map_err(|error| Error::user(format!("{}: {error}", file.display())))?;
            check::print(&text);
        }
        Some(Command::Explain { rule: Some(id), .. }) => match rules::rule(&id) {
            Some(rule) => check::print(rule.explain),
            None => {
                return Err(Error::user(format!("there is no rule '{id}'")).hint("list them: qpt-tui explain").into());
            }
        },
        Some(Command::Explain { error: Some(text), .. }) => {
            let text = if text == "-" { store::read_input()? } else { text };
            let meanings = rules::meanings(&text);
            if meanings.is_empty() {
                return Err(Error::user("no rule knows these words")
                    .hint("give the last lines of /var/log/libvirt/qemu/NAME.log, or what virsh start printed")
                    .into());
            }
            check::print(&report::text::meanings(&meanings));
        }
        Some(Command::Explain { rule: None, error: None }) => {
            let lines: String = rules::RULES
                .iter()
                .map(|rule| format!("{:<22} {:<11} {}\n", rule.id, rule.layer.word(), rule.summary))
                .collect();
            check::print(&lines);
        }
        Some(Command::Facts { files, host }) => {
            let documents = files.iter().map(|file| check::open(file)).collect::<Result<Vec<_>, _>>()?;
            let lines: Vec<_> = documents.iter().map(check::command_line).collect();
            let facts = check::facts(&host, &documents.iter().zip(&lines).collect::<Vec<_>>())?;
            check::print(&format!("{}\n", serde_json::to_string_pretty(&facts)?));
        }
        Some(Command::Recover(options)) => recover::recover(&options)?,
        Some(Command::Keys) => check::print(&tui::config::keys()),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "qpt-tui", &mut text);
            check::print(&String::from_utf8_lossy(&text));
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            check::print(&String::from_utf8_lossy(&page));
        }
        None => return Ok(tui::run(&cli)?),
    }
    Ok(0)
}
