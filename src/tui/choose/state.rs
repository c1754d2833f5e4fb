//! The one place where the chooser's state changes.

use std::path::{Path, PathBuf};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::row::arrange;
use super::{Came, Chooser, Item, Lane, Missing, Row, Wish};
use crate::store::{Found, Shelf};
use crate::tui::action::Action;
use crate::tui::app::{Status, type_at_end};
use crate::tui::keymap::{Keymap, Mode};
use crate::tui::view::choose as view;

/// Rows for one turn of the wheel.
const TURN: isize = 3;

impl Chooser {
    /// A chooser that knows of nothing yet; what is looked through, in the title, and its keys.
    pub fn new(place: String, keymap: Keymap) -> Chooser {
        Chooser { place, keymap, ..Chooser::default() }
    }

    /// What the keys mean.
    pub fn mode(&self) -> Mode {
        self.mode.unwrap_or(Mode::Choose)
    }

    /// The rows that the filter leaves.
    pub fn shown(&self) -> Vec<&Row> {
        let filter = self.filter.to_lowercase();
        let words: Vec<&str> = filter.split_whitespace().collect();
        self.rows.iter().filter(|row| row.has(&words)).collect()
    }

    /// The row under the cursor.
    pub fn row(&self) -> Option<&Row> {
        self.shown().get(self.selected).copied()
    }

    /// Looks at everything anew: `lists` of them will come. Until then the rows stay, without their verdicts.
    pub fn look(&mut self, lists: usize) {
        self.waiting = lists;
        self.notes.clear();
        self.opening = None;
        for row in &mut self.rows {
            row.outlook = None;
            row.asked = false;
            row.old = true;
        }
    }

    /// News from outside.
    pub fn came(&mut self, came: Came) {
        match came {
            Came::Files(directory, Ok(found)) => self.files(&directory, found),
            Came::Domains(Ok(shelf)) => self.domains(shelf),
            Came::Files(_, Err(why)) | Came::Domains(Err(why)) => self.notes.push(why),
            Came::Done => self.done(),
            Came::Judged(item, outlook, domain) => {
                if let Some(row) = self.rows.iter_mut().find(|row| row.item.is(&item)) {
                    row.outlook = Some(outlook);
                    row.domain = domain;
                }
            }
        }
    }

    fn files(&mut self, directory: &Path, found: Found) {
        if found.looked < found.files {
            self.notes.push(format!(
                "{} XML files are here, the first {} were looked at; name the others: qpt-tui FILE",
                found.files, found.looked
            ));
        }
        let items = found.domains.into_iter().map(|name| {
            let here = directory == Path::new(".");
            Item::File(if here { PathBuf::from(name) } else { directory.join(name) })
        });
        self.take(&|item| matches!(item, Item::File(_)), items.collect());
    }

    fn domains(&mut self, shelf: Shelf) {
        let Shelf { uri, domains } = shelf;
        let items = domains.into_iter().map(|listed| Item::Domain { uri: uri.clone(), listed });
        let items = items.collect();
        self.take(&|item| matches!(item, Item::Domain { uri: its, .. } if *its == uri), items);
    }

    /// Puts items in the place of those of their kind; what was selected stays so.
    fn take(&mut self, is_of_kind: &dyn Fn(&Item) -> bool, items: Vec<Item>) {
        self.rearranged(|rows| {
            rows.retain(|row| !is_of_kind(&row.item));
            rows.extend(items.into_iter().map(Row::new));
            arrange(rows);
        });
    }

    /// A list is whole; with the last one it is known what there is not.
    fn done(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting > 0 {
            return;
        }
        self.rearranged(|rows| {
            rows.retain(|row| !row.old);
            if rows.is_empty() {
                rows.push(Row::new(Item::Demo));
            }
        });
    }

    /// Changes the rows, or which of them are shown, and keeps the cursor where it was.
    fn rearranged(&mut self, change: impl FnOnce(&mut Vec<Row>)) {
        let before = self.row().map(|row| row.item.clone());
        // At the top nobody has chosen yet: what comes first is first.
        let before = before.filter(|_| self.selected > 0);
        change(&mut self.rows);
        let shown = self.shown();
        let again = before.and_then(|item| shown.iter().position(|row| row.item.is(&item)));
        let last = shown.len().saturating_sub(1);
        self.selected = again.unwrap_or(self.selected).min(last);
    }

    /// Some of what is not judged yet, of one kind: what is on the screen first.
    pub fn unjudged(&mut self, lane: Lane, most: usize) -> Vec<Item> {
        let waits = |row: &&Row| {
            !row.asked && !row.old && row.outlook.is_none() && row.item.lane() == Some(lane)
        };
        let first = view::first(self.selected, self.page, self.shown().len());
        let shown = self.shown();
        let on_screen = shown.iter().copied().skip(first).take(self.page);
        let mut items: Vec<Item> =
            on_screen.filter(waits).take(most).map(|row| row.item.clone()).collect();
        if items.is_empty() {
            let rest = self.rows.iter().filter(waits).take(most);
            items = rest.map(|row| row.item.clone()).collect();
        }
        for row in &mut self.rows {
            row.asked |= items.contains(&row.item);
        }
        items
    }

    /// Whether something is still to come.
    pub fn is_looking(&self) -> bool {
        let waits = |row: &Row| row.outlook.is_none() && row.item.lane().is_some();
        self.waiting > 0 || self.rows.iter().any(waits)
    }

    /// Asks about a file that is not there.
    pub fn ask(&mut self, missing: Missing) {
        self.asked = Some(missing);
        self.mode = Some(Mode::Confirm);
    }

    /// What was to be opened can't be.
    pub fn failed(&mut self, sentence: String) {
        self.opening = None;
        self.status = Status::failed(sentence);
    }

    /// A key was pressed.
    pub fn key(&mut self, event: KeyEvent) -> Option<Wish> {
        self.status = None;
        let action = self.keymap.action(self.mode(), &event);
        if self.mode() == Mode::Help {
            self.help_key(action);
            return None;
        }
        if self.mode() == Mode::Confirm {
            return self.answer(action);
        }
        // Among other letters a letter is one of them.
        let types = self.filtering || !self.filter.is_empty();
        let is_plain = matches!(event.code, KeyCode::Char(_))
            && event.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        let is_letter = types && is_plain && action != Some(Action::Help);
        match action.filter(|_| !is_letter) {
            Some(action) => self.update(action),
            None => {
                let mut filter = self.filter.clone();
                if type_at_end(&mut filter, event) {
                    self.narrow(filter);
                }
                None
            }
        }
    }

    /// Shows only what has some words.
    pub fn narrow(&mut self, filter: String) {
        self.filter = filter;
        self.selected = 0;
    }

    #[allow(clippy::wildcard_enum_match_arm, reason = "the table of keys gives it no others")]
    fn update(&mut self, action: Action) -> Option<Wish> {
        let page = isize::try_from(self.page).unwrap_or(10);
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-page),
            Action::PageDown => self.step(page),
            Action::First => self.step(isize::MIN / 2),
            Action::Last => self.step(isize::MAX / 2),
            Action::Accept => return self.open(),
            Action::Search => self.filtering = true,
            Action::Clear => self.clear(),
            Action::Probe => return Some(Wish::Look),
            Action::Help => {
                self.help_scroll = 0;
                self.mode = Some(Mode::Help);
            }
            Action::Repaint => return Some(Wish::Repaint),
            Action::Suspend => return Some(Wish::Suspend),
            Action::Cancel if self.opening.is_some() => self.opening = None,
            Action::Cancel if self.filtering || !self.filter.is_empty() => self.clear(),
            Action::Cancel | Action::Quit => return Some(Wish::Leave),
            _ => {}
        }
        None
    }

    fn clear(&mut self) {
        self.filtering = false;
        let kept = self.row().map(|row| row.item.clone());
        self.filter.clear();
        let at = kept.and_then(|item| self.rows.iter().position(|row| row.item.is(&item)));
        self.selected = at.unwrap_or(0);
    }

    fn step(&mut self, by: isize) {
        let last = self.shown().len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Opens the selected row; where nothing has the words, a file of that name can be made.
    fn open(&mut self) -> Option<Wish> {
        if self.opening.is_some() {
            return None;
        }
        if let Some(row) = self.row() {
            let item = row.item.clone();
            self.opening = Some(item.clone());
            return Some(Wish::Open(item));
        }
        if self.can_be_made() {
            let name = self.filter.trim();
            let path = as_file(name);
            let text = format!("There is no file '{}'.", path.display());
            self.ask(Missing { path, text, leaves: false });
        }
        None
    }

    /// Whether something of the name that is typed can be made: nothing has it, and all is known that there is.
    pub fn can_be_made(&self) -> bool {
        let is_none = self.shown().is_empty() && self.waiting == 0;
        is_none && !self.filter.trim().is_empty()
    }

    fn answer(&mut self, action: Option<Action>) -> Option<Wish> {
        let is_answer = matches!(action, Some(Action::Yes | Action::No | Action::Quit));
        let missing = self.asked.take_if(|_| is_answer)?;
        self.mode = None;
        match (action, missing.leaves) {
            (Some(Action::Yes), _) => Some(Wish::Make(missing.path)),
            (_, true) => Some(Wish::Refuse),
            (_, false) => None,
        }
    }

    fn help_key(&mut self, action: Option<Action>) {
        let by = match action {
            Some(Action::Down) => 1,
            Some(Action::Up) => -1,
            Some(Action::PageDown) => isize::try_from(self.page).unwrap_or(10),
            Some(Action::PageUp) => -isize::try_from(self.page).unwrap_or(10),
            Some(Action::Cancel) => {
                self.mode = None;
                return;
            }
            _ => return,
        };
        self.help_scroll = self.help_scroll.saturating_add_signed(by).min(1000);
    }

    /// The mouse did something on a screen of this size; `again` where it is the second click in a short time.
    pub fn mouse(&mut self, event: MouseEvent, screen: Rect, again: bool) -> Option<Wish> {
        if self.mode() != Mode::Choose {
            return None;
        }
        match event.kind {
            MouseEventKind::ScrollUp => self.step(-TURN),
            MouseEventKind::ScrollDown => self.step(TURN),
            MouseEventKind::Down(MouseButton::Left) => {
                let at = view::row_at(self, screen, (event.column, event.row))?;
                self.status = None;
                if again && at == self.selected {
                    return self.open();
                }
                self.selected = at;
            }
            MouseEventKind::Down(_)
            | MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => {}
        }
        None
    }

    /// Text was pasted: it is for the filter, as far as it is one line.
    pub fn paste(&mut self, text: &str) {
        if self.mode() == Mode::Choose {
            let line = text.lines().next().unwrap_or_default();
            let line: String = line.chars().take(MOST_PASTED).collect();
            self.narrow(format!("{}{line}", self.filter));
        }
    }
}

/// No name of a domain or of a file is longer.
const MOST_PASTED: usize = 255;

/// The file of a name as people type it: `win11` is `win11.xml`.
pub fn as_file(name: &str) -> PathBuf {
    let is_path = name.contains('/') || name.to_lowercase().ends_with(".xml");
    PathBuf::from(if is_path { name.to_owned() } else { format!("{name}.xml") })
}
