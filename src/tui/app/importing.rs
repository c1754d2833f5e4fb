//! Taking over what was pasted: it is read, shown in groups, and added as the user chooses.

use std::collections::HashMap;

use crossterm::event::KeyEvent;

use super::selection::type_at_end;
use super::{App, Mode};
use crate::domain::{EntryId, EntryKind, List};
use crate::facts::Known;
use crate::import::{self, Beside, Choice, Fate, Import, Item, Told};
use crate::xml::EditSet;

/// What becomes of things that were pasted, as they stand under each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// They are added.
    Added,
    /// Something in them has to be said first.
    Asked,
    /// An element says it better, or the domain does already.
    Better,
    /// The domain has them.
    There,
    /// libvirt gives them by itself.
    Own,
    /// They are neither options nor variables.
    NotUnderstood,
}

impl Group {
    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Group::Added => "Added",
            Group::Asked => "To be answered first",
            Group::Better => "Better as an element",
            Group::There => "Already there",
            Group::Own => "libvirt's own",
            Group::NotUnderstood => "Not understood",
        }
    }
}

/// A line of what is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportRow {
    /// The title of a group, with the number of its things.
    Title(Group, usize),
    /// A thing, by its place.
    Thing(usize),
}

/// How each thing is taken: as the user said of the same thing before, or as it is added unless they say otherwise.
fn choices(
    before: Option<&Result<Import, String>>,
    chosen: &[Choice],
    found: &Import,
) -> Vec<Choice> {
    let unasked = |fate: &Fate| if fate.is_on() { Choice::Entry } else { Choice::Off };
    let mut said: HashMap<String, Choice> = HashMap::new();
    if let Some(Ok(before)) = before {
        for (item, choice) in before.items.iter().zip(chosen) {
            if *choice != unasked(&item.fate) {
                said.insert(item.shown(), *choice);
            }
        }
    }
    let choice = |item: &Item| said.get(&item.shown()).copied();
    found.items.iter().map(|item| choice(item).unwrap_or_else(|| unasked(&item.fate))).collect()
}

impl App {
    /// Reads what was pasted. Choices stay where the things are the same.
    pub(super) fn read_import(&mut self) {
        let kinds = |list: List, range: std::ops::Range<usize>| -> Vec<EntryKind> {
            self.document.list(list)[range].iter().map(|entry| entry.kind.clone()).collect()
        };
        let options = self
            .line
            .options
            .iter()
            .map(|option| kinds(List::Args, option.entry..option.last() + 1));
        let variables =
            (0..self.document.list(List::Envs).len()).map(|at| kinds(List::Envs, at..at + 1));
        let there: Vec<Vec<EntryKind>> = options.chain(variables).collect();
        let host = self.judging.host.clone();
        let answers = host.as_ref().and_then(|host| host.answers_to(self.document.source()));
        let libvirt = match answers.map(|answers| &answers.libvirt) {
            Some(Known::Yes(Ok(argv))) => Some(argv.as_slice()),
            Some(Known::Yes(Err(_)) | Known::Unknown(_)) | None => None,
        };
        let over = &mut self.over.importing;
        let beside = Beside { there: &there, libvirt, answers: &over.answers };
        let read = import::read(&self.over.pasted, &beside);
        over.better = match (&read, &host) {
            (Ok(found), Some(host)) => import::better(&self.document, found, host),
            (Ok(_) | Err(_), _) => Vec::new(),
        };
        if let Ok(found) = &read {
            over.choices = choices(over.read.as_ref(), &over.choices, found);
        }
        over.read = Some(read);
    }

    /// What was read, where it could be.
    pub fn imported(&self) -> Option<&Import> {
        self.over.importing.read.as_ref()?.as_ref().ok()
    }

    /// The element that could stand for a thing.
    pub fn element_for(&self, item: usize) -> Option<&str> {
        let found = self.over.importing.better.iter().find(|better| better.items.contains(&item));
        found.map(|better| better.name.as_str())
    }

    fn group(&self, item: usize) -> Option<Group> {
        Some(match &self.imported()?.items.get(item)?.fate {
            Fate::Added if self.element_for(item).is_some() => Group::Better,
            Fate::Added => Group::Added,
            Fate::Asked(_) => Group::Asked,
            Fate::Elsewhere(_) => Group::Better,
            Fate::There => Group::There,
            Fate::Own => Group::Own,
            Fate::NotUnderstood(_) => Group::NotUnderstood,
        })
    }

    /// The lines of what is imported, group by group.
    pub fn import_rows(&self) -> Vec<ImportRow> {
        let count = self.imported().map_or(0, |import| import.items.len());
        let mut things: Vec<(Group, usize)> =
            (0..count).filter_map(|item| Some((self.group(item)?, item))).collect();
        things.sort();
        let mut rows = Vec::new();
        for (at, (group, item)) in things.iter().enumerate() {
            if at == 0 || things[at - 1].0 != *group {
                let of_group = things.iter().filter(|(other, _)| other == group).count();
                rows.push(ImportRow::Title(*group, of_group));
            }
            rows.push(ImportRow::Thing(*item));
        }
        rows
    }

    /// The place of the thing that the cursor is on.
    pub fn chosen_thing(&self) -> Option<usize> {
        let things = self.things();
        things.get(self.over.importing.at.min(things.len().saturating_sub(1))).copied()
    }

    fn things(&self) -> Vec<usize> {
        let thing = |row: ImportRow| match row {
            ImportRow::Thing(item) => Some(item),
            ImportRow::Title(..) => None,
        };
        self.import_rows().into_iter().filter_map(thing).collect()
    }

    pub(super) fn step_import(&mut self, by: isize) {
        let last = self.things().len().saturating_sub(1);
        let at = self.over.importing.at.min(last);
        self.over.importing.at = at.saturating_add_signed(by).min(last);
    }

    pub(super) fn import_key(&mut self, event: KeyEvent) {
        type_at_end(&mut self.over.pasted, event);
        self.read_import();
    }

    pub(super) fn clear_import(&mut self) {
        self.over.pasted.clear();
        self.over.importing = super::Importing::default();
    }

    /// Shows what was pasted: its lines, or why it can't be read.
    pub(super) fn show_import(&mut self) {
        self.read_import();
        let has_things = self.imported().is_some_and(|import| !import.items.is_empty());
        self.mode = if has_things { Mode::Review } else { Mode::Import };
    }

    /// What the host says may make other things of the text.
    pub(super) fn read_import_again(&mut self) {
        if matches!(self.mode, Mode::Import | Mode::Review | Mode::Answer) {
            self.read_import();
        }
    }

    /// Goes to the lines, where something was read.
    pub(super) fn review(&mut self) {
        self.read_import();
        match &self.over.importing.read {
            Some(Ok(import)) if !import.items.is_empty() => self.mode = Mode::Review,
            Some(Err(error)) => self.fail(error.clone()),
            Some(Ok(_)) | None => {
                self.mode = Mode::List;
                self.say("there is nothing new in what was pasted");
            }
        }
    }

    /// Why an action means nothing for the chosen thing.
    #[allow(clippy::wildcard_enum_match_arm, reason = "what stands in no arm can always be done")]
    pub(super) fn available_to_import(&self, action: super::Action) -> Result<(), &'static str> {
        let item = self.chosen_thing().and_then(|at| Some((at, self.imported()?.items.get(at)?)));
        let Some((at, item)) = item else { return Ok(()) };
        let is_element = self.element_for(at).is_some();
        let is_asked = matches!(item.fate, Fate::Asked(_));
        match action {
            super::Action::Toggle if item.entries.is_empty() => {
                Err("there is nothing to add in it")
            }
            super::Action::AsElement if !is_element => match item.fate {
                Fate::Elsewhere(_) => Err("the domain has its own element for it: edit it there"),
                Fate::Added | Fate::There | Fate::Own | Fate::Asked(_) | Fate::NotUnderstood(_) => {
                    Err("no element is known here that says the same")
                }
            },
            super::Action::Answer if !is_asked => Err("nothing is open in it"),
            _ => Ok(()),
        }
    }

    /// Takes the chosen thing in, or leaves it out.
    pub(super) fn toggle_import(&mut self) {
        let Some(item) = self.chosen_thing() else { return };
        let off = self.over.importing.choices.get(item) == Some(&Choice::Off);
        let together = self.together(item);
        let as_element =
            together.iter().any(|at| self.over.importing.choices[*at] == Choice::Element);
        // An element takes or leaves all that it stands for.
        for at in if as_element { together } else { vec![item] } {
            self.over.importing.choices[at] = if off { Choice::Entry } else { Choice::Off };
        }
    }

    /// Takes the chosen thing as an element, or as arguments again.
    pub(super) fn toggle_element(&mut self) {
        let Some(item) = self.chosen_thing() else { return };
        let as_element = self.over.importing.choices.get(item) == Some(&Choice::Element);
        for at in self.together(item) {
            self.over.importing.choices[at] =
                if as_element { Choice::Entry } else { Choice::Element };
        }
    }

    /// The things that one element says together with this one.
    fn together(&self, item: usize) -> Vec<usize> {
        let better = self.over.importing.better.iter().find(|one| one.items.contains(&item));
        better.map(|one| one.items.clone()).unwrap_or_default()
    }

    /// Asks what something open in the chosen thing is.
    pub(super) fn ask_open(&mut self) {
        let item = self.chosen_thing().and_then(|at| self.imported()?.items.get(at));
        if let Some(Fate::Asked(open)) = item.map(|item| &item.fate)
            && let Some(first) = open.first()
        {
            self.over.importing.answering = Some((first.clone(), String::new()));
            self.mode = Mode::Answer;
        }
    }

    pub(super) fn answer_key(&mut self, event: KeyEvent) {
        if let Some((_, typed)) = &mut self.over.importing.answering {
            type_at_end(typed, event);
        }
    }

    /// The answer counts wherever the same is open.
    pub(super) fn take_answer(&mut self) {
        self.mode = Mode::Review;
        let Some((open, typed)) = self.over.importing.answering.take() else { return };
        let thing = self.chosen_thing();
        self.over.importing.answers.insert(open, typed);
        self.read_import();
        // It stands in another group now; the cursor goes with it.
        let place = thing.and_then(|thing| self.things().iter().position(|at| *at == thing));
        self.over.importing.at = place.unwrap_or(self.over.importing.at);
        self.ask_open();
    }

    /// Adds what is on: arguments after the last one, variables after the last one, elements in their places.
    pub(super) fn take_import(&mut self) {
        let Some(import) = self.imported() else { return };
        let over = &self.over.importing;
        let host = self.judging.host.as_deref();
        let next = import::taken(&self.document, import, &over.choices, (&over.better, host));
        let on = import.items.iter().zip(&over.choices);
        let on = on.filter(|(_, choice)| **choice != Choice::Off);
        let count = on.count();
        let asked = import.items.iter().zip(&over.choices);
        let asked = asked
            .filter(|(item, choice)| matches!(item.fate, Fate::Asked(_)) && **choice == Choice::Off)
            .count();
        let first = EntryId::arg(self.document.list(List::Args).len());
        let all = import.items.len();
        match next {
            Ok(_) if count == 0 => {
                self.mode = Mode::List;
                self.say("there is nothing new in what was pasted");
            }
            Ok(next) => {
                self.mode = Mode::List;
                let edits = EditSet::between(self.document.source(), next.source());
                self.edit(&edits, Some(first));
                if self.status.is_none() {
                    let left =
                        if asked > 0 { format!(", {asked} left open") } else { String::new() };
                    self.say(&format!("added {count} of {all}{left}; u takes them back"));
                }
            }
            Err(error) => self.fail(error),
        }
    }

    pub(super) fn open_import(&mut self) {
        if self.mode != Mode::Review {
            self.clear_import();
        }
        self.side.scroll = 0;
        self.mode = Mode::Import;
    }

    /// How libvirt's own options were told from others, in a few words.
    pub fn told(&self) -> &'static str {
        match self.imported().and_then(|import| import.told) {
            Some(Told::Asked) => "libvirt makes them of this domain",
            Some(Told::Names) => {
                "by the names that libvirt gives: it has not said what it makes of this domain"
            }
            None => "libvirt gives them to every QEMU",
        }
    }
}
