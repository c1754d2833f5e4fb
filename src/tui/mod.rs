//! The editor: the shell around [`app::App`], which is the one to touch the terminal, files, the host and the clock.

pub mod action;
pub mod app;
pub mod choose;
pub mod columns;
pub mod completion;
pub mod config;
pub mod form;
pub mod keymap;
pub mod matrix;
mod opening;
pub mod pane;
pub mod rows;
mod shell;
mod terminal;
pub mod theme;
pub mod view;

use crate::cli::Cli;
use crate::error::Error;
use crate::power;
use crate::store;
use config::Config;
use opening::Start;
use shell::Setup;
use theme::Surroundings;

/// Opens the editor, or has somebody choose what it opens; gives the exit status.
///
/// # Errors
/// When the document can't be read, or there is no terminal. The terminal is as it was.
pub fn run(cli: &Cli) -> Result<u8, Error> {
    power::divide();
    // A wrong configuration is said before the screen is taken.
    let config = configuration()?;
    let start = opening::start(cli)?;
    let setup = Setup::of(cli, config)?;
    match start {
        Start::Choose(scope) => shell::choose(&setup, scope),
        Start::Edit(opened) => setup.editor(setup.session()?, *opened, setup.config.theme)?.run(),
    }
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
