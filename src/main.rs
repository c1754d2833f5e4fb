//! Parse, run, map the outcome to an exit status.

use std::process::ExitCode;

use clap::Parser as _;
use qpt_tui::cli::Cli;
use qpt_tui::{commands, console};

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            console::complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}
