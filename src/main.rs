//! Parse, run, map the outcome to an exit status.

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use qpt_tui::cli::{self, Cli};
use qpt_tui::{commands, console, power};

fn main() -> ExitCode {
    let cli = Cli::try_parse_from(cli::arguments(std::env::args_os())).unwrap_or_else(|answer| {
        let is_verbose = std::env::args_os().any(|word| word == "-v");
        if answer.kind() == ErrorKind::DisplayVersion && is_verbose {
            console::print(&format!("{answer}{}\n", power::held()));
            std::process::exit(0);
        }
        answer.exit()
    });
    match commands::run(cli) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            console::complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}
