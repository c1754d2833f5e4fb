//! What can be asked of the editor, and what it asks of the shell around it.

use super::pane::Pane;
use crate::domain::EntryId;
use crate::store::Theirs;

/// Something the user wants; every key means one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Select the row above.
    Up,
    /// Select the row below.
    Down,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// Edit the selected entry.
    Edit,
    /// Add an argument after the selected one.
    AddAfter,
    /// Add an argument before the selected one.
    AddBefore,
    /// Add an environment variable.
    AddEnv,
    /// Add an override, a capability or a deprecation behavior.
    AddExtra,
    /// Paste a command line, XML or a log.
    Import,
    /// Paste a message, and see which row it is about.
    Why,
    /// Take a thing that is imported as an element, or as arguments again.
    AsElement,
    /// Say what is open in a thing that is imported.
    Answer,
    /// Delete the selected entry, an option with its value.
    Delete,
    /// Switch the selected entry off, or on again.
    Toggle,
    /// Move the selected entry one place down.
    MoveDown,
    /// Move the selected entry one place up.
    MoveUp,
    /// Take the last change back.
    Undo,
    /// Make the change again that was taken back.
    Redo,
    /// Start a search.
    Search,
    /// The next match.
    NextMatch,
    /// The previous match.
    PreviousMatch,
    /// The first row of the next section.
    NextSection,
    /// The first row of the section before.
    PreviousSection,
    /// Hide the rows of a section, or show them again.
    Fold,
    /// The next row with something wrong.
    NextFinding,
    /// The other pane.
    OtherPane,
    /// The next tab of the side pane.
    NextTab,
    /// The tab before.
    PreviousTab,
    /// A tab of the side pane.
    Tab(Pane),
    /// The remedies of the selected entry.
    Remedies,
    /// Apply or copy the selected remedy.
    UseRemedy,
    /// Copy the chosen entries as XML.
    Copy,
    /// Copy them as words for a shell.
    CopyShell,
    /// Copy them and delete them.
    Cut,
    /// Put in what was copied or cut.
    Put,
    /// Put the chosen entries in a second time.
    Duplicate,
    /// Mark the selected row, for the next action to be about several.
    Mark,
    /// Give the pane with the keys the whole screen.
    Zoom,
    /// Show only what is wrong.
    Filter,
    /// Show only what holds a text, or what a layer or a verdict is about.
    FilterBy,
    /// Write the passthrough as libvirt does.
    Canonicalise,
    /// Look at the host again.
    Probe,
    /// The steps to a VM that starts.
    Plan,
    /// Say what was found to somebody else.
    Report,
    /// Copy all of it.
    CopyAll,
    /// Write it to a file.
    WriteOut,
    /// Start the domain for real.
    TryOut,
    /// Save.
    Save,
    /// Leave.
    Quit,
    /// Save, then leave.
    SaveAndQuit,
    /// Leave without saving.
    QuitAnyway,
    /// Go back to what the file or libvirt has.
    Reload,
    /// What the configuration can change.
    Settings,
    /// Find an action by its words.
    Palette,
    /// All keys.
    Help,
    /// Paint the screen again.
    Repaint,
    /// Stop for now, as a job of the shell.
    Suspend,
    /// Take over what the form says.
    Accept,
    /// Leave the form, the question, the list.
    Cancel,
    /// Take the first suggestion.
    Complete,
    /// Empty the field.
    Clear,
    /// The other field of the form, or the next key.
    NextField,
    /// The other field of the form, or the key before.
    PreviousField,
    /// Change the text of the field in $VISUAL or $EDITOR.
    Outside,
    /// Edit the value by its keys, or as text again.
    TakeApart,
    /// Answer yes.
    Yes,
    /// Answer no.
    No,
    /// Save to another path.
    SaveAs,
    /// Show what somebody else wrote, and merge.
    Others,
    /// Leave, and print the document.
    Print,
    /// Show or hide the difference in question, or all that was observed.
    Details,
    /// Throw the kept edits away.
    Discard,
    /// Look, without being able to save.
    LookOnly,
    /// Take what somebody else has: their text, or the session.
    Take,
    /// Make one of both texts.
    Merge,
    /// Save over what somebody else wrote.
    Overwrite,
}

/// Something the shell has to do for the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write the text.
    Save,
    /// Write the text into the file as it is.
    SaveInPlace,
    /// Write the text to another path.
    SaveAs {
        /// The path, as it was typed.
        path: String,
        /// Over what is there.
        over: bool,
    },
    /// What somebody else wrote is known now; and perhaps save over it.
    Know {
        /// What they wrote.
        theirs: Theirs,
        /// Save then.
        save: bool,
    },
    /// Take the session of another process over.
    TakeOver,
    /// Keep edits beside those of another session.
    KeepBeside,
    /// Throw kept edits away.
    Discard(String),
    /// Kept edits are on the screen: their journal goes once this one has them.
    Restored {
        /// Its name.
        name: String,
        /// The text that they started from, where what is there now was changed in the same places.
        base: Option<String>,
    },
    /// Look at the host.
    Probe,
    /// Look whether somebody else changed what is edited.
    LookAtOthers,
    /// Look for the way to a VM that starts: of some entries, or of all.
    Plan(Option<Vec<EntryId>>),
    /// Stop looking for it.
    StopPlan,
    /// Have libvirt start the document as it stands, and end it.
    TryOut,
    /// Write a text that is no document to a new file.
    WriteOut {
        /// The path, as it was typed.
        path: String,
        /// The text.
        text: String,
    },
    /// Put text into the terminal's clipboard.
    Copy(String),
    /// Let the user's own editor change a text.
    Outside(String),
    /// Paint everything anew.
    Repaint,
    /// Stop until the shell continues us.
    Suspend,
    /// Leave.
    Quit,
    /// Leave, and print the document.
    QuitPrinting,
}
