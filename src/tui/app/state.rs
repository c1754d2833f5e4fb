//! The editor's state in groups: each is what one part of the screen, or one thing outside, needs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::found::Findings;
use super::outlook::Tally;
use super::ways::Found;
use super::{Filter, Question};
use crate::domain::{Document, EntryKind, History};
use crate::facts::HostFacts;
use crate::import::{Better, Choice, Import};
use crate::rules::Answer;
use crate::store::Theirs;
use crate::tui::columns::Widths;
use crate::tui::completion::Listing;
use crate::tui::keymap::Mode;
use crate::tui::pane::{Asked, Pane};
use crate::tui::rows::{Row, Section};
use crate::tui::view::geometry::Spot;

/// What is edited: where it comes from, and what is known of that.
#[derive(Default)]
pub struct Edited {
    /// The file, as it is shown.
    pub title: String,
    /// Nothing can be saved: the demo, or a file that can't be written.
    pub readonly: Option<&'static str>,
    /// The file could not be written when it was opened; a save looks again.
    pub protected: Option<&'static str>,
    /// Nothing can be saved anywhere: it was asked for.
    pub look_only: Option<&'static str>,
    /// The text that the file holds.
    pub saved: String,
    /// The text that libvirt holds, where virsh reads the file only when the session ends.
    pub of_libvirt: Option<String>,
    /// libvirt defines what is saved, and keeps no comments: what is switched off is gone then.
    pub forgets_comments: bool,
    /// So many switched-off entries may be forgotten; the user was asked.
    pub forgetting: usize,
    /// It is being saved.
    pub saving: bool,
    /// Edits are not in the journal: it can't be used, or not now.
    pub unkept: bool,
    /// What somebody else wrote meanwhile.
    pub theirs: Option<Theirs>,
    /// Leave once the text is saved.
    pub leaving: bool,
}

/// What the host said, and what was found.
#[derive(Default)]
pub struct Judging {
    /// What the host said; nothing while it is being asked the first time.
    pub host: Option<Arc<HostFacts>>,
    /// The host is being asked.
    pub probing: bool,
    /// libvirt and QEMU are being asked.
    pub asking: bool,
    /// The document that they were asked about last.
    pub asked_about: Option<Arc<Document>>,
    /// Remedies that do not do what they promise, by [`crate::rules::Remedy::key`].
    pub withheld: HashSet<String>,
    /// What was asked for tabs, and what came back.
    pub asked: HashMap<Pane, Asked>,
    /// What was found, the worst first for each entry.
    pub findings: Findings,
    /// Counts the states of the document and of the host.
    pub revision: u64,
    /// The state that the findings are about.
    pub judged: u64,
    /// QEMU was asked about what was judged.
    pub qemu_asked: bool,
    /// What was found, counted.
    pub tally: Tally,
    /// The way of the selected row, as far as it was looked for.
    pub way: Found,
    /// For how many seconds what is waited for has been on its way; the shell tells it.
    pub waited: u64,
    /// libvirt starts the domain for real.
    pub trying: bool,
    /// Whether the host is looked at as root; nothing where another host's facts are used.
    pub as_root: Option<bool>,
}

/// The lists, and what of them is shown.
#[derive(Default)]
pub struct Lists {
    /// The rows.
    pub rows: Vec<Row>,
    /// The selected row.
    pub selected: usize,
    /// The row at the top of the screen, as it was drawn last.
    pub top: usize,
    /// Sections whose rows are not shown.
    pub folded: BTreeSet<Section>,
    /// How wide the columns are.
    pub widths: Widths,
    /// Rows that the next action is about.
    pub marked: BTreeSet<usize>,
    /// Which rows are shown.
    pub filter: Filter,
    /// Only rows that hold this text, or about which a layer or a verdict of this name speaks.
    pub wanted: String,
    /// Rows that fit on the screen, for paging; the shell tells it.
    pub page: usize,
    /// What is searched for.
    pub search: Search,
}

/// The side pane.
#[derive(Default)]
pub struct Side {
    /// Its tab.
    pub pane: Pane,
    /// The chosen line of the map of layers, among those of the selected row.
    pub cell: usize,
    /// How far it is scrolled.
    pub scroll: usize,
    /// How much of the screen the lists get, in percent, once the divider was moved.
    pub split: Option<u16>,
    /// The pane with the keys has the whole screen.
    pub zoomed: bool,
    /// Everything that was observed is shown.
    pub details: bool,
    /// The divider follows the mouse.
    pub dragging: bool,
    /// What the last click was on, and when what it meant.
    pub clicked: Option<(Mode, Spot)>,
    /// A key was pressed, or the mouse did something.
    pub touched: bool,
    /// Nobody did anything for a while: the next keys are told.
    pub resting: bool,
}

/// What stands over the panes for a while, and what is typed there.
#[derive(Default)]
pub struct Over {
    /// The path to save to, as it is typed.
    pub elsewhere: String,
    /// What is to be written there in the place of the document.
    pub writing: Option<String>,
    /// What is to be imported, as it was pasted or typed.
    pub pasted: String,
    /// The message that is asked about.
    pub message: Message,
    /// What was read in it, and what is to become of that.
    pub importing: Importing,
    /// The palette of actions.
    pub palette: Palette,
    /// The selected remedy.
    pub remedy: usize,
    /// How far the help is scrolled.
    pub help_scroll: usize,
    /// Where the help was opened.
    pub help_from: Option<Mode>,
    /// Only what of the help holds this is shown.
    pub help_words: String,
    /// The text of the form is with the user's own editor.
    pub outside: bool,
    /// The directory that was listed last, for completion.
    pub listing: Option<Listing>,
}

/// What is imported, and what is to become of it.
#[derive(Default)]
pub struct Importing {
    /// What was read in the text; nothing before it was.
    pub read: Option<Result<Import, String>>,
    /// Elements that could stand for some of the things.
    pub better: Vec<Better>,
    /// How each thing is taken.
    pub choices: Vec<Choice>,
    /// Which of the things the cursor is on, as they stand under each other.
    pub at: usize,
    /// What the user said about what is open.
    pub answers: BTreeMap<String, String>,
    /// What is being answered, and the answer as it is typed.
    pub answering: Option<(String, String)>,
}

/// What is asked.
#[derive(Default)]
pub struct Questions {
    /// The question being asked.
    pub asked: Option<Question>,
    /// Questions that wait until the lists have the keys.
    pub waiting: VecDeque<Question>,
}

/// What can be taken back, and put in again.
#[derive(Default)]
pub struct Edits {
    /// The states of the document before and after this one.
    pub history: History,
    /// Entries that were copied or cut.
    pub clipboard: Vec<EntryKind>,
}

/// A search in the lists.
#[derive(Default)]
pub struct Search {
    /// What is searched for.
    pub words: String,
    /// The row where it began.
    pub from: usize,
}

/// A message, and what it may mean.
#[derive(Default)]
pub struct Message {
    /// The message, as it was pasted or typed.
    pub text: String,
    /// What it may mean, the surest first.
    pub answers: Vec<Answer>,
    /// Which of them is chosen.
    pub chosen: usize,
}

/// The palette: actions, found by their words.
#[derive(Default)]
pub struct Palette {
    /// What is looked for.
    pub words: String,
    /// Which of the found ones is chosen.
    pub chosen: usize,
}

/// A sentence about the last action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// It says that something failed.
    pub failed: bool,
    /// The sentence.
    pub text: String,
}

impl Status {
    /// Something was done.
    pub fn done(text: impl Into<String>) -> Option<Status> {
        Some(Status { failed: false, text: text.into() })
    }

    /// Something was not.
    pub fn failed(text: impl Into<String>) -> Option<Status> {
        Some(Status { failed: true, text: text.into() })
    }
}
