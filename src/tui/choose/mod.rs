//! Choosing what to open: the domains that libvirt keeps and the files that hold one, each with its verdict as it comes.
//!
//! As [`super::app`]: keys and news come in, the state changes here alone, and what needs the world outside goes out as a
//! [`Wish`]. The shell lists, judges and opens (`tui::shell`), [`super::view::choose`] draws.

mod outlook;
mod row;
mod state;

use std::path::PathBuf;

pub use outlook::Outlook;
pub use row::{Item, Lane, Row};
pub use state::as_file;

use super::app::Status;
use super::keymap::{Keymap, Mode};
use crate::store::{Found, Shelf};

/// What is chosen from, and what is known of it.
#[derive(Default)]
pub struct Chooser {
    /// What is looked through, in the title; empty for what is here and what libvirt has.
    pub place: String,
    /// All rows, in their order.
    pub rows: Vec<Row>,
    /// What is missing among them, and why: a connection that did not answer, files that were not looked at.
    pub notes: Vec<String>,
    /// The selected one of the rows that are shown.
    pub selected: usize,
    /// Rows that fit on the screen; the shell tells it.
    pub page: usize,
    /// What is typed: only rows that have it are shown.
    pub filter: String,
    /// Each letter is for the filter, also one that means something else where there is none.
    pub filtering: bool,
    /// Lists that have not come yet.
    pub waiting: usize,
    /// What is being opened.
    pub opening: Option<Item>,
    /// A file that is not there, and whether it is to be made.
    pub asked: Option<Missing>,
    /// What the keys mean: [`Mode::Choose`], [`Mode::Confirm`] or [`Mode::Help`].
    mode: Option<Mode>,
    /// How far the help is scrolled.
    pub help_scroll: usize,
    /// The keys.
    pub keymap: Keymap,
    /// A sentence about the last action.
    pub status: Option<Status>,
}

/// A file that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The file.
    pub path: PathBuf,
    /// What was looked for and not found, in sentences.
    pub text: String,
    /// It was named on the command line: without it there is nothing to do.
    pub leaves: bool,
}

/// What comes from outside.
#[derive(Debug)]
pub enum Came {
    /// The files of the directory; each with its path.
    Files(PathBuf, Result<Found, String>),
    /// The domains of a connection.
    Domains(Result<Shelf, String>),
    /// A list is whole.
    Done,
    /// What becomes of a start; and the name of the domain in a file.
    Judged(Item, Outlook, String),
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Open it.
    Open(Item),
    /// Open a new document, which becomes this file when it is saved.
    Make(PathBuf),
    /// Look again.
    Look,
    /// Paint everything anew.
    Repaint,
    /// Stop until the shell continues us.
    Suspend,
    /// Leave.
    Leave,
    /// Leave: what was named on the command line is not there.
    Refuse,
}
