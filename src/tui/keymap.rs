//! Every key, once: dispatch, footer, help and palette read this table.

mod key;

use std::borrow::Cow;
use std::sync::LazyLock;

use crossterm::event::{KeyCode, KeyEvent};

use super::action::Action;
use super::pane::PANES;
use key::{ch, ctrl, key};

pub use key::Key;

/// What the keys mean at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Walking the lists.
    List,
    /// Reading the side pane.
    Side,
    /// Typing an entry.
    Form,
    /// Pasting what is to be imported.
    Import,
    /// Pasting a message, to be led to its row.
    Why,
    /// Choosing what of it is added.
    Review,
    /// Saying what is open in it.
    Answer,
    /// Typing what to search for.
    Search,
    /// Choosing a remedy.
    Remedies,
    /// Typing what is to be shown only.
    Filter,
    /// Choosing an action by its words.
    Palette,
    /// Typing the path to save to.
    SaveAs,
    /// Answering a question.
    Confirm,
    /// Reading the help.
    Help,
    /// Typing what of the help is to be shown.
    HelpSearch,
    /// Reading the first words of the demo.
    Tour,
    /// Choosing the domain to open.
    Choose,
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Binding {
    /// When it holds.
    pub mode: Mode,
    /// What it is about, for the help.
    pub topic: Topic,
    /// The keys; the first one is shown in the footer. Without one it is for the palette alone.
    pub keys: Cow<'static, [Key]>,
    /// What they mean.
    pub action: Action,
    /// A word for the footer; empty keeps it out of there.
    pub label: Cow<'static, str>,
    /// A sentence for the help.
    pub help: Cow<'static, str>,
}

/// What an action of the lists is about: the groups of the help, in the order in which a newcomer needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Going from row to row.
    Walk,
    /// Changing entries.
    Edit,
    /// Several entries, and those of elsewhere.
    Carry,
    /// What stops it, and what to do.
    Find,
    /// Files, and the end.
    Save,
    /// What is shown, and how.
    Look,
    /// Of a mode that has no groups.
    Own,
}

impl Topic {
    /// The groups of the lists, with their titles.
    pub const ALL: [(Topic, &str); 6] = [
        (Topic::Walk, "Walk"),
        (Topic::Edit, "Edit"),
        (Topic::Find, "Find out what stops it"),
        (Topic::Save, "Save and leave"),
        (Topic::Carry, "Copy, bring in"),
        (Topic::Look, "Look"),
    ];
}

macro_rules! topic {
    () => {
        Topic::Own
    };
    ($topic:ident) => {
        Topic::$topic
    };
}

macro_rules! bindings {
    ($($mode:ident$(/$topic:ident)? [$($key:expr),*] $action:expr, $label:literal, $help:literal;)+) => {
        &[$(Binding {
            mode: Mode::$mode,
            topic: topic!($($topic)?),
            keys: Cow::Borrowed(&[$($key),*]),
            action: $action,
            label: Cow::Borrowed($label),
            help: Cow::Borrowed($help),
        }),+]
    };
}

/// The table, and the keys of the tabs behind those that they come after.
pub static BINDINGS: LazyLock<Vec<Binding>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for row in ROWS {
        all.push(row.clone());
        match (row.mode, row.action) {
            (Mode::List, Action::PreviousMatch) => all.extend(tabs(Mode::List)),
            (Mode::Side, Action::Last) => all.extend(tabs(Mode::Side)),
            _ => {}
        }
    }
    all
});

/// The keys of the tabs: the number of each. The first of them stands for all in the footer of the side pane.
fn tabs(mode: Mode) -> impl Iterator<Item = Binding> {
    PANES.iter().zip(1_u8..).map(move |(row, number)| {
        let named = mode == Mode::Side && number == 1;
        Binding {
            mode,
            topic: if mode == Mode::List { Topic::Look } else { Topic::Own },
            keys: Cow::Owned(vec![ch(char::from(b'0' + number))]),
            action: Action::Tab(row.pane),
            label: if named { format!("1-{} tabs", PANES.len()).into() } else { "".into() },
            help: format!("Side pane: {}", row.help).into(),
        }
    })
}

static ROWS: &[Binding] = bindings! {
    List/Edit [key(KeyCode::Enter)] Action::Edit, "edit", "Edit the selected entry";
    List/Edit [ch('a')] Action::AddAfter, "add", "Add an argument after the selected one";
    List/Find [ch('x')] Action::Remedies, "fix", "Show what can be done about the selected entry";
    List/Edit [ch('d'), key(KeyCode::Delete)] Action::Delete, "delete", "Delete the selected entry, an option with its value";
    List/Save [ctrl('s')] Action::Save, "save", "Save the document";
    List/Edit [ch('u')] Action::Undo, "undo", "Take the last change back";
    List/Find [ch('s')] Action::Plan, "plan", "Show what to do, in which order, until nothing blocks the selected entry, or the document";
    List/Edit [ch(' ')] Action::Toggle, "off/on", "Switch the selected entry off, or on again; it stays in the file as a comment";
    List/Edit [ch('J')] Action::MoveDown, "move", "Move the selected entry down, an option with its value";
    List/Edit [ch('e')] Action::AddEnv, "add env", "Add an environment variable";
    List/Edit [ch('o')] Action::AddExtra, "", "Add an override, a capability or a deprecation behavior";
    List/Carry [ch('p')] Action::Import, "import", "Paste a shell command, a script, XML, a libvirt log or a configuration; shows what it becomes first";
    List/Find [ch('W')] Action::Why, "", "Paste a message of libvirt, QEMU or the kernel: which row it is about, and whether it is still so";
    List/Edit [ch('E')] Action::Outside, "", "Edit the selected value in $VISUAL or $EDITOR";
    List/Edit [ch('A')] Action::AddBefore, "", "Add an argument before the selected one";
    List/Edit [ch('K')] Action::MoveUp, "", "Move the selected entry up";
    List/Edit [ctrl('r')] Action::Redo, "", "Make the change again that was taken back";
    List/Save [ch('S')] Action::SaveAs, "", "Save to another path, and go on there";
    List/Save [ch('=')] Action::Others, "theirs", "Show what somebody else wrote meanwhile, and merge";
    List/Save [ch('q'), ctrl('c')] Action::Quit, "quit", "Leave; asks when something is not saved";
    List/Save [] Action::SaveAndQuit, "", "Save, and leave once it is saved";
    List/Save [] Action::QuitAnyway, "", "Leave without saving: the changes are dropped";
    List/Save [] Action::Reload, "", "Drop the changes, and read again what is on the disk or in libvirt";
    List/Walk [ch(':')] Action::Palette, "more", "Find an action by its words, and do it";
    List/Walk [ch('?'), key(KeyCode::F(1))] Action::Help, "help", "Show all keys";
    List/Walk [key(KeyCode::Tab)] Action::OtherPane, "pane", "Go to the side pane, to scroll it";
    List/Walk [key(KeyCode::Up), ch('k')] Action::Up, "", "Select the row above";
    List/Walk [key(KeyCode::Down), ch('j')] Action::Down, "", "Select the row below";
    List/Walk [key(KeyCode::PageUp)] Action::PageUp, "", "Go up by a screen";
    List/Walk [key(KeyCode::PageDown)] Action::PageDown, "", "Go down by a screen";
    List/Walk [key(KeyCode::Home), ch('g')] Action::First, "", "Select the first row";
    List/Walk [key(KeyCode::End), ch('G')] Action::Last, "", "Select the last row";
    List/Walk [ch(']')] Action::NextSection, "", "Go to the next section: the arguments, the environment";
    List/Walk [ch('[')] Action::PreviousSection, "", "Go to the section before";
    List/Look [ch('-')] Action::Fold, "", "Fold the section away, or unfold it";
    List/Walk [ch('!')] Action::NextFinding, "next", "Select the next row that is blocked, warned about or unknown";
    List/Walk [ch('/')] Action::Search, "find", "Search the entries, then what is said about them";
    List/Walk [ch('n')] Action::NextMatch, "", "Go to the next match";
    List/Walk [ch('N')] Action::PreviousMatch, "", "Go to the previous match";
    List/Look [key(KeyCode::Right), ch('l')] Action::NextTab, "", "Side pane: the next tab";
    List/Look [key(KeyCode::Left), ch('h')] Action::PreviousTab, "", "Side pane: the tab before";
    List/Carry [ch('v')] Action::Mark, "", "Mark the row and go on; delete, cut, copy, off/on are then about all marked rows";
    List/Carry [ch('y')] Action::Copy, "", "Copy as XML, to the terminal's clipboard as well";
    List/Carry [ch('Y')] Action::CopyShell, "", "Copy as words for a shell";
    List/Carry [ch('X')] Action::Cut, "", "Cut: copy and delete";
    List/Carry [ch('P')] Action::Put, "", "Put in what was copied or cut, after the selected row";
    List/Carry [ch('D')] Action::Duplicate, "", "Duplicate";
    List/Look [ch('f')] Action::Filter, "", "Show only what is wrong, only what is blocked, all";
    List/Look [ch('F')] Action::FilterBy, "", "Show only entries with a text, a layer (dac) or a verdict (blocked)";
    List/Look [ch('z')] Action::Zoom, "", "Give this pane the whole screen, or share it again";
    List/Edit [ch('c')] Action::Canonicalise, "", "Write the passthrough as libvirt does (can be undone)";
    List/Look [ch('i')] Action::Details, "", "Show all that was observed about the selected row, or the short form again";
    List/Find [ch('r')] Action::Probe, "", "Look at the host again";
    List/Find [ch('w')] Action::Report, "", "Write up what was found, what was observed and what to do, as Markdown for a ticket: to the clipboard or a file";
    List/Find [ch('t')] Action::TryOut, "", "Have libvirt start it for real, paused, and end it at once; asks first";
    List/Look [] Action::Settings, "", "Show what the configuration can change: keys, colours, signs, the mouse";
    List/Walk [key(KeyCode::Esc)] Action::Cancel, "", "One step back: marks, a kept search, a filter, a pane that has the whole screen";
    List/Look [ctrl('l')] Action::Repaint, "", "Paint the screen again";
    List/Save [ctrl('z')] Action::Suspend, "", "Stop for now; 'fg' in the shell comes back";
    Side [key(KeyCode::Tab), key(KeyCode::BackTab)] Action::OtherPane, "back", "Go back to the lists";
    Side [key(KeyCode::Esc)] Action::Cancel, "", "One step back: share the screen again, go back to the lists";
    Side [ch(':')] Action::Palette, "more", "Find an action by its words, and do it";
    Side [ch('/')] Action::Search, "", "Search the entries, then what is said about them";
    Side [ch('!')] Action::NextFinding, "", "Select the next row that is blocked, warned about or unknown";
    Side [key(KeyCode::Down), ch('j')] Action::Down, "scroll", "Scroll down";
    Side [key(KeyCode::Up), ch('k')] Action::Up, "", "Scroll up";
    Side [key(KeyCode::PageDown), ch(' ')] Action::PageDown, "", "Scroll down by a screen";
    Side [key(KeyCode::PageUp)] Action::PageUp, "", "Scroll up by a screen";
    Side [key(KeyCode::Home), ch('g')] Action::First, "", "Go to the top";
    Side [key(KeyCode::End), ch('G')] Action::Last, "", "Go to the end";
    Side [key(KeyCode::Right), ch('l')] Action::NextTab, "", "The next tab";
    Side [key(KeyCode::Left), ch('h')] Action::PreviousTab, "", "The tab before";
    Side [ch('z')] Action::Zoom, "zoom", "Give this pane the whole screen, or share it again";
    Side [ch('x')] Action::Remedies, "fix", "Show what can be done about the selected entry";
    Side [ch('i')] Action::Details, "", "Show all that was observed about the selected row, or the short form again";
    Side [ch('s')] Action::Plan, "plan", "Show what to do, in which order, until nothing blocks the selected entry, or the document";
    Side [ctrl('s')] Action::Save, "save", "Save the document";
    Side [ch('q'), ctrl('c')] Action::Quit, "quit", "Leave";
    Side [ch('?'), key(KeyCode::F(1))] Action::Help, "help", "Show all keys";
    Side [ctrl('l')] Action::Repaint, "", "Paint the screen again";
    Side [ctrl('z')] Action::Suspend, "", "Stop for now";
    Form [key(KeyCode::Enter)] Action::Accept, "accept", "Take the entry over";
    Form [key(KeyCode::Tab), key(KeyCode::Down)] Action::NextField, "other field", "Go to the other field, or to the next key";
    Form [key(KeyCode::BackTab), key(KeyCode::Up)] Action::PreviousField, "", "Go back";
    Form [ctrl('t')] Action::TakeApart, "keys", "Edit the value key by key, with types and defaults, or as text again";
    Form [ctrl('o')] Action::Outside, "", "Change the text of the field in $VISUAL or $EDITOR";
    Form [ctrl('n'), ctrl(' ')] Action::Complete, "complete", "Take the first suggestion: an option, a device or object, a property";
    Form [key(KeyCode::F(1))] Action::Help, "", "Show all keys";
    Form [ctrl('s')] Action::Save, "", "Take the entry over, and save the document";
    Form [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "cancel", "Leave the entry as it was";
    Import [key(KeyCode::Enter)] Action::Accept, "choose", "Go through what it becomes, line by line";
    Import [ctrl('u')] Action::Clear, "clear", "Begin anew";
    Import [key(KeyCode::PageDown), key(KeyCode::Down)] Action::Down, "scroll", "See the rest of what it becomes";
    Import [key(KeyCode::PageUp), key(KeyCode::Up)] Action::Up, "", "Scroll back";
    Import [key(KeyCode::F(1))] Action::Help, "", "Show all keys";
    Import [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "cancel", "Add nothing";
    Why [key(KeyCode::Enter)] Action::Accept, "go there", "Go to the row of the chosen answer";
    Why [ctrl('u')] Action::Clear, "clear", "Begin anew";
    Why [key(KeyCode::Down)] Action::Down, "choose", "The next answer";
    Why [key(KeyCode::Up)] Action::Up, "", "The answer before";
    Why [key(KeyCode::F(1))] Action::Help, "", "Show all keys";
    Why [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "back", "Stay where you were";
    Review [key(KeyCode::Enter)] Action::Accept, "add", "Add what is marked with + or x";
    Review [ch(' ')] Action::Toggle, "off/on", "Leave the line out, or take it in";
    Review [ch('x')] Action::AsElement, "element", "Take it as the element that says the same, or as arguments again";
    Review [ch('a')] Action::Answer, "answer", "Say what is open in it: a variable, what a command would print";
    Review [ch('i'), ch('e')] Action::Import, "text", "Change what was pasted";
    Review [key(KeyCode::Down), ch('j')] Action::Down, "", "The next line";
    Review [key(KeyCode::Up), ch('k')] Action::Up, "", "The line before";
    Review [key(KeyCode::PageDown)] Action::PageDown, "", "Go down by a screen";
    Review [key(KeyCode::PageUp)] Action::PageUp, "", "Go up by a screen";
    Review [key(KeyCode::Home), ch('g')] Action::First, "", "The first line";
    Review [key(KeyCode::End), ch('G')] Action::Last, "", "The last line";
    Review [ch('?'), key(KeyCode::F(1))] Action::Help, "", "Show all keys";
    Review [key(KeyCode::Esc), ch('q'), ctrl('c')] Action::Cancel, "cancel", "Add nothing";
    Answer [key(KeyCode::Enter)] Action::Accept, "take", "Take the answer, wherever the same is open";
    Answer [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "back", "Leave it open";
    Search [key(KeyCode::Enter)] Action::Accept, "find", "Keep the match";
    Search [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "cancel", "Go back to where the search began";
    Remedies [key(KeyCode::Enter)] Action::UseRemedy, "use", "Edit the document, or copy the command or the setting";
    Remedies [ch('o')] Action::WriteOut, "to a file", "Write all that is for the host to a file, in its order";
    Remedies [ch('Y'), ch('y')] Action::CopyAll, "copy all", "Copy all that is for the host, in its order";
    Remedies [ch('i')] Action::Details, "details", "Show all that was observed, or the short form again";
    Remedies [ch('r')] Action::Probe, "look again", "Look at the host again";
    Remedies [key(KeyCode::Down), ch('j')] Action::Down, "choose", "The next remedy";
    Remedies [key(KeyCode::Up), ch('k')] Action::Up, "", "The previous remedy";
    Remedies [ch('?'), key(KeyCode::F(1))] Action::Help, "", "Show all keys";
    Remedies [key(KeyCode::Esc), ch('q'), ch('x'), ctrl('c')] Action::Cancel, "back", "Close the list";
    Filter [key(KeyCode::Enter)] Action::Accept, "keep", "Keep the filter; F and Esc take it away";
    Filter [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "show all", "Show all entries again";
    Palette [key(KeyCode::Enter)] Action::Accept, "do it", "Do what is chosen";
    Palette [key(KeyCode::Tab)] Action::Complete, "complete", "Write the word of what is chosen";
    Palette [key(KeyCode::Down), ctrl('n')] Action::Down, "choose", "The next action";
    Palette [key(KeyCode::Up), ctrl('p')] Action::Up, "", "The action before";
    Palette [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "back", "Do nothing";
    SaveAs [key(KeyCode::Enter)] Action::Accept, "save", "Save to this path";
    SaveAs [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "cancel", "Do not save";
    Confirm [ch('y')] Action::Yes, "yes", "Yes";
    Confirm [ch('l')] Action::LookOnly, "look only", "Look only; another session edits it";
    Confirm [ch('m')] Action::Merge, "merge", "Make one of both texts";
    Confirm [ch('o')] Action::Overwrite, "mine", "Keep yours in the place of what somebody else wrote";
    Confirm [ch('t')] Action::Take, "take", "Take theirs; or take the session of another process over";
    Confirm [ch('s'), ctrl('s')] Action::Save, "save", "Save first, or try to save again";
    Confirm [ch('S')] Action::SaveAs, "save elsewhere", "Save to another path";
    Confirm [ch('p')] Action::Print, "print", "Leave, and print the document to standard output";
    Confirm [ch('v')] Action::Details, "difference", "Show the difference";
    Confirm [ch('c')] Action::Copy, "copy", "Copy the commands and settings";
    Confirm [ch('a')] Action::CopyAll, "copy all", "Copy the report of all rows";
    Confirm [ch('f')] Action::WriteOut, "to a file", "Write the report of all rows to a file";
    Confirm [ch('D')] Action::Discard, "discard", "Throw the kept edits away";
    Confirm [ch('q')] Action::Quit, "leave", "Leave, where somebody else edits it";
    Confirm [ch('n'), key(KeyCode::Esc), ctrl('c')] Action::No, "no", "No, go on editing";
    Confirm [key(KeyCode::Down), ch('j')] Action::Down, "", "Scroll down";
    Confirm [key(KeyCode::Up), ch('k')] Action::Up, "", "Scroll up";
    Confirm [key(KeyCode::PageDown), ch(' ')] Action::PageDown, "", "Scroll down by a screen";
    Confirm [key(KeyCode::PageUp)] Action::PageUp, "", "Scroll up by a screen";
    Choose [key(KeyCode::Enter)] Action::Accept, "open", "Open the domain or the file; double click does it too";
    Choose [ch('/')] Action::Search, "filter", "Show only what has these words; typing does it too, '/' lets you begin with q";
    Choose [ch('?'), key(KeyCode::F(1))] Action::Help, "help", "Show all keys";
    Choose [key(KeyCode::Esc)] Action::Cancel, "leave", "Show all again, or leave";
    Choose [ch('q'), ctrl('c')] Action::Quit, "quit", "Leave; a q among other letters is one of them";
    Choose [ctrl('r')] Action::Probe, "look again", "Look again";
    Choose [key(KeyCode::Up), ctrl('p')] Action::Up, "", "The row above";
    Choose [key(KeyCode::Down), ctrl('n')] Action::Down, "", "The row below";
    Choose [key(KeyCode::PageUp)] Action::PageUp, "", "Go up by a screen";
    Choose [key(KeyCode::PageDown)] Action::PageDown, "", "Go down by a screen";
    Choose [key(KeyCode::Home)] Action::First, "", "The first row";
    Choose [key(KeyCode::End)] Action::Last, "", "The last row";
    Choose [ctrl('u')] Action::Clear, "", "Show all again";
    Choose [ctrl('l')] Action::Repaint, "", "Paint the screen again";
    Choose [ctrl('z')] Action::Suspend, "", "Stop for now; 'fg' in the shell comes back";
    Tour [key(KeyCode::Enter), key(KeyCode::Esc), ch('q'), ch(' '), ctrl('c')] Action::Cancel, "go on", "Close the tour";
    Help [key(KeyCode::Esc), ch('q'), ch('?'), key(KeyCode::F(1)), ctrl('c')] Action::Cancel, "back", "One step back: show all of the help again, close it";
    Help [ch('/')] Action::Search, "find", "Show only what holds a text";
    Help [ch(':')] Action::Palette, "do", "Find an action by its words, and do it";
    Help [key(KeyCode::Down), ch('j')] Action::Down, "scroll", "Scroll down";
    Help [key(KeyCode::Up), ch('k')] Action::Up, "", "Scroll up";
    Help [key(KeyCode::PageDown), ch(' ')] Action::PageDown, "", "Scroll down by a screen";
    Help [key(KeyCode::PageUp)] Action::PageUp, "", "Scroll up by a screen";
    Help [key(KeyCode::Home), ch('g')] Action::First, "", "Go to the top";
    Help [key(KeyCode::End), ch('G')] Action::Last, "", "Go to the end";
    HelpSearch [key(KeyCode::Enter)] Action::Accept, "keep", "Keep showing only that";
    HelpSearch [key(KeyCode::Down)] Action::Down, "scroll", "Scroll down";
    HelpSearch [key(KeyCode::Up)] Action::Up, "", "Scroll up";
    HelpSearch [key(KeyCode::Esc), ctrl('c')] Action::Cancel, "show all", "Show all of the help again";
};

impl Mode {
    /// All modes, with their words in the configuration and their titles in the help.
    pub const ALL: [(Mode, &str, &str); 17] = [
        (Mode::List, "list", "In the lists"),
        (Mode::Side, "side", "In the side pane"),
        (Mode::Form, "form", "In a form"),
        (Mode::Import, "import", "While pasting"),
        (Mode::Review, "review", "Among what was pasted"),
        (Mode::Answer, "answer", "Answering what is open"),
        (Mode::Why, "why", "While asking about a message"),
        (Mode::Remedies, "remedies", "Among the remedies"),
        (Mode::Search, "search", "While searching"),
        (Mode::Filter, "filter", "While filtering"),
        (Mode::Palette, "palette", "Among the actions"),
        (Mode::SaveAs, "save-as", "While typing a path to save to"),
        (Mode::Confirm, "confirm", "Asked a question"),
        (Mode::Help, "help", "In this help"),
        (Mode::HelpSearch, "help-search", "While searching this help"),
        (Mode::Tour, "tour", "In the tour of the demo"),
        (Mode::Choose, "choose", "Choosing a domain"),
    ];
}

/// The keys in force: the table, with what the user's configuration changes.
#[derive(Debug, Clone)]
pub struct Keymap(Vec<(&'static Binding, Vec<Key>)>);

impl Default for Keymap {
    fn default() -> Keymap {
        Keymap(BINDINGS.iter().map(|binding| (binding, binding.keys.to_vec())).collect())
    }
}

impl Keymap {
    /// Gives a key another meaning in a mode; it comes first among the keys of that action.
    ///
    /// # Errors
    /// When the mode has no such action.
    pub fn bind(&mut self, mode: Mode, key: Key, action: &str) -> Result<(), String> {
        let known = |binding: &Binding| binding.mode == mode && name(binding.action) == action;
        if !self.0.iter().any(|(binding, _)| known(binding)) {
            let mut names: Vec<String> = BINDINGS
                .iter()
                .filter(|binding| binding.mode == mode)
                .map(|binding| name(binding.action))
                .collect();
            names.dedup();
            return Err(format!(
                "there is no action '{action}' here, expected one of: {}",
                names.join(" ")
            ));
        }
        for (binding, keys) in self.0.iter_mut().filter(|(binding, _)| binding.mode == mode) {
            keys.retain(|other| *other != key);
            if known(binding) {
                keys.insert(0, key);
            }
        }
        Ok(())
    }

    /// What a key means in a mode.
    pub fn action(&self, mode: Mode, event: &KeyEvent) -> Option<Action> {
        let pressed = Key::of(event);
        let found =
            self.0.iter().find(|(binding, keys)| binding.mode == mode && keys.contains(&pressed));
        found.map(|(binding, _)| binding.action)
    }

    /// The first key of an action in a mode, as it stands on the keyboard.
    pub fn key_of(&self, mode: Mode, action: Action) -> Option<String> {
        let mut rows = self.of_mode(mode);
        rows.find(|(binding, _)| binding.action == action).map(|(_, keys)| keys[0].name())
    }

    /// The rows of a mode that have a key, each with its keys.
    pub fn of_mode(&self, mode: Mode) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        self.all_of_mode(mode).filter(|(_, keys)| !keys.is_empty())
    }

    /// The rows of a mode, each with its keys; some have none.
    pub fn all_of_mode(&self, mode: Mode) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        let rows = self.0.iter().filter(move |(binding, _)| binding.mode == mode);
        rows.map(|(binding, keys)| (*binding, keys.as_slice()))
    }
}

/// An action's word in the configuration: `add-after`, `tab-layers`.
pub fn name(action: Action) -> String {
    let mut name = String::new();
    for c in format!("{action:?}").chars().filter(|c| *c != ')') {
        match c {
            '(' => {}
            c if c.is_ascii_uppercase() => {
                if !name.is_empty() {
                    name.push('-');
                }
                name.push(c.to_ascii_lowercase());
            }
            c => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    #[test]
    fn no_key_has_two_meanings_in_one_mode() {
        let mut seen = std::collections::HashSet::new();
        for binding in BINDINGS.iter() {
            for key in binding.keys.iter() {
                assert!(seen.insert((binding.mode, *key)), "{:?} {}", binding.mode, key.name());
            }
        }
    }

    #[test]
    fn a_form_takes_every_character() {
        for binding in BINDINGS.iter().filter(|binding| {
            matches!(
                binding.mode,
                Mode::Form
                    | Mode::Search
                    | Mode::Import
                    | Mode::Why
                    | Mode::Answer
                    | Mode::Palette
                    | Mode::Filter
                    | Mode::SaveAs
                    | Mode::HelpSearch
            )
        }) {
            for key in binding.keys.iter() {
                assert!(
                    !matches!(key.code, KeyCode::Char(_)) || key.modifiers == KeyModifiers::CONTROL,
                    "{}",
                    key.name()
                );
            }
        }
    }

    #[test]
    fn shift_is_in_the_character() {
        let event = KeyEvent::new(KeyCode::Char('J'), KeyModifiers::SHIFT);
        assert_eq!(Keymap::default().action(Mode::List, &event), Some(Action::MoveDown));
        let line_feed = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL);
        assert_eq!(Keymap::default().action(Mode::List, &line_feed), None);
    }

    #[test]
    fn a_key_can_mean_something_else() {
        let mut keymap = Keymap::default();
        keymap.bind(Mode::List, Key::read("Ctrl-w").unwrap(), "save").unwrap();
        keymap.bind(Mode::List, Key::read("d").unwrap(), "undo").unwrap();
        let press = |keymap: &Keymap, c, modifiers| {
            keymap.action(Mode::List, &KeyEvent::new(KeyCode::Char(c), modifiers))
        };
        assert_eq!(press(&keymap, 'w', KeyModifiers::CONTROL), Some(Action::Save));
        assert_eq!(press(&keymap, 'd', KeyModifiers::NONE), Some(Action::Undo));
        assert_eq!(press(&keymap, 's', KeyModifiers::CONTROL), Some(Action::Save));
        let error = keymap.bind(Mode::Help, Key::read("F2").unwrap(), "save").unwrap_err();
        assert!(error.contains("there is no action 'save' here"), "{error}");
        assert!(Key::read("Strg-s").is_err());
        for binding in BINDINGS.iter() {
            for key in binding.keys.iter().filter(|key| key.name().is_ascii()) {
                assert_eq!(Key::read(&key.name()).as_ref(), Ok(key), "{}", key.name());
            }
        }
    }
}
