//! Finding an action by its words: those that people know from elsewhere, those of its help, its key.
//!
//! Exact words come first, then keys, then beginnings, then letters in their order. Some words take a text: `w PATH`,
//! `find TEXT`, `filter TEXT`, `/TEXT`, and a number is a row.

use std::borrow::Cow;
use std::sync::LazyLock;

use crossterm::event::KeyEvent;

use super::selection::type_at_end;
use super::{Action, App, Effect, Mode, Palette, Search};
use crate::tui::keymap::{Binding, Key, name};

/// An action with the words that people know for it.
struct Known {
    /// Its name in the configuration.
    action: &'static str,
    /// The words; the first is the one to write.
    words: Vec<&'static str>,
}

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let lines = include_str!("../../../assets/words.tsv").lines();
    let rows = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    rows.map(|(action, words)| Known { action, words: words.split(' ').collect() }).collect()
});

/// The words that people know for an action, the one to write first.
pub fn words_of(action: Action) -> &'static [&'static str] {
    let name = name(action);
    KNOWN.iter().find(|known| known.action == name).map_or(&[], |known| &known.words)
}

/// An action that was found, as the palette offers it.
#[derive(Debug, Clone)]
pub struct Offered<'a> {
    /// The action.
    pub action: Action,
    /// Its keys; some actions have none.
    pub keys: &'a [Key],
    /// What it does.
    pub help: Cow<'static, str>,
    /// A text that was typed for it.
    pub given: Option<String>,
}

/// How well a text fits what was typed; more is better.
type Score = i32;

/// The words are the same.
const SAME: Score = 4000;
/// It is the name of the key.
const KEY: Score = 3000;
/// A known word begins with it.
const BEGINS: Score = 2000;
/// All of it begins words of the help.
const IN_HELP: Score = 1500;
/// All of it stands somewhere.
const SOMEWHERE: Score = 1000;

/// How well an action fits what was typed; nothing where it does not.
fn score(binding: &Binding, keys: &[Key], exact: &str) -> Option<Score> {
    let words = words_of(binding.action);
    let typed = &*exact.to_lowercase();
    if words.contains(&typed) {
        return Some(SAME);
    }
    if keys.iter().any(|key| key.name() == exact) {
        return Some(KEY + 1);
    }
    if keys.iter().any(|key| key.name().to_lowercase() == typed) {
        return Some(KEY);
    }
    let longer = |word: &&str| word.starts_with(typed).then(|| word.len() - typed.len());
    if let Some(rest) = words.iter().filter_map(longer).min() {
        return Some(BEGINS - Score::try_from(rest).unwrap_or(0));
    }
    let help = format!("{} {} {}", binding.label, binding.help, words.join(" ")).to_lowercase();
    let parts = || typed.split_whitespace();
    let starts: Vec<&str> = help.split(|c: char| !c.is_alphanumeric()).collect();
    if parts().all(|part| starts.iter().any(|word| word.starts_with(part))) {
        return Some(IN_HELP);
    }
    if parts().all(|part| help.contains(part)) {
        return Some(SOMEWHERE);
    }
    let letters: String = typed.split_whitespace().collect();
    words.iter().filter_map(|word| subsequence(word, &letters)).max()
}

/// How well letters stand in a word in their order: those that begin a part of it and those side by side count more, gaps
/// less. The first letter begins the word, and most of the word is there: otherwise nearly everything would fit.
fn subsequence(word: &str, letters: &str) -> Option<Score> {
    if letters.chars().count() < 2 || 2 * letters.len() < word.len() {
        return None;
    }
    let mut score = 0;
    let mut before: Option<char> = None;
    let mut wanted = letters.chars().peekable();
    let mut is_beside = true;
    for c in word.chars() {
        if wanted.peek() == Some(&c) {
            let begins = before.is_none_or(|before| !before.is_alphanumeric());
            score += if begins { 8 } else { 2 } + if is_beside { 5 } else { 0 };
            wanted.next();
            is_beside = true;
        } else if before.is_none() {
            return None;
        } else {
            score -= 1;
            is_beside = false;
        }
        before = Some(c);
    }
    wanted.peek().is_none().then_some(score)
}

impl App {
    /// The actions that fit what was typed, the best first; all in the order of the table where nothing is typed.
    pub fn found_actions(&self) -> Vec<Offered<'_>> {
        let typed = self.over.palette.words.trim();
        let given = self.with_text(typed);
        let rows = self
            .keymap
            .all_of_mode(Mode::List)
            .filter(|(binding, _)| binding.action != Action::Palette);
        let mut found: Vec<(Score, Offered<'_>)> = rows
            .filter_map(|(binding, keys)| {
                let score = if typed.is_empty() { 0 } else { score(binding, keys, typed)? };
                let help = binding.help.clone();
                Some((score, Offered { action: binding.action, keys, help, given: None }))
            })
            .collect();
        found.sort_by_key(|(score, _)| -score);
        given.into_iter().chain(found.into_iter().map(|(_, offered)| offered)).collect()
    }

    /// What a word that takes a text means with the text that was typed after it.
    fn with_text(&self, typed: &str) -> Option<Offered<'_>> {
        let offer = |action: Action, help: String, text: &str| {
            Some(Offered { action, keys: &[], help: help.into(), given: Some(text.to_owned()) })
        };
        if let Ok(number) = typed.parse::<usize>() {
            return offer(Action::First, format!("Go to row {number}"), typed);
        }
        if let Some(text) = typed.strip_prefix('/').filter(|text| !text.is_empty()) {
            return offer(Action::Search, format!("Search for '{text}'"), text);
        }
        let (word, text) = typed.split_once(char::is_whitespace)?;
        let text = text.trim();
        let knows = |action: Action| words_of(action).contains(&word);
        // 'write the report' is no path; 'w report' is one, as in vim.
        let is_path = text.contains(['/', '.']) || matches!(word, "w" | "w!" | "sav" | "saveas");
        if is_path && (knows(Action::Save) || knows(Action::SaveAs)) {
            return offer(Action::SaveAs, format!("Save to {text}, and go on there"), text);
        }
        if knows(Action::Search) {
            return offer(Action::Search, format!("Search for '{text}'"), text);
        }
        if knows(Action::FilterBy) {
            return offer(Action::FilterBy, format!("Show only what holds '{text}'"), text);
        }
        None
    }

    pub(super) fn palette_key(&mut self, event: KeyEvent) {
        if type_at_end(&mut self.over.palette.words, event) {
            self.over.palette.chosen = 0;
        }
    }

    /// Writes the word of what is chosen.
    pub(super) fn complete_palette(&mut self) {
        let found = self.found_actions();
        let Some(offered) = found.get(self.over.palette.chosen).filter(|one| one.given.is_none())
        else {
            return;
        };
        let typed = self.over.palette.words.trim().to_lowercase();
        let words = words_of(offered.action);
        let begun = words.iter().find(|word| !typed.is_empty() && word.starts_with(&typed));
        if let Some(word) = begun.or(words.first()) {
            self.over.palette = Palette { words: (*word).to_owned(), chosen: 0 };
        }
    }

    /// Does what is chosen, as if its key had been pressed; nothing where nothing fits, which the palette says.
    pub(super) fn use_palette(&mut self) -> Option<Effect> {
        let found = self.found_actions();
        let offered = found.get(self.over.palette.chosen)?;
        let (action, given) = (offered.action, offered.given.clone());
        self.mode = self.before;
        match given {
            Some(text) => self.do_with(action, text),
            None => self.update(action),
        }
    }

    /// Does what was typed with a text.
    fn do_with(&mut self, action: Action, text: String) -> Option<Effect> {
        if let Err(why) = self.available(action) {
            self.fail(why.to_owned());
            return None;
        }
        if action == Action::SaveAs {
            self.over.elsewhere = text;
            return self.save_elsewhere();
        }
        self.mode = Mode::List;
        if action == Action::Search {
            self.lists.search = Search { words: text, from: self.lists.selected };
            self.end_search();
        } else if action == Action::FilterBy {
            self.want(text);
        } else if let Ok(number) = text.parse::<usize>() {
            let rows = self.lists.rows.iter().enumerate();
            let rows: Vec<usize> =
                rows.filter(|(_, row)| row.is_selectable()).map(|(at, _)| at).collect();
            match rows.get(number.saturating_sub(1)).or(rows.last()) {
                Some(row) => self.select(*row),
                None => self.say("there is no row"),
            }
        }
        None
    }

    pub(super) fn open_palette(&mut self) {
        self.over.palette = Palette::default();
        self.before = if self.mode == Mode::Side { Mode::Side } else { Mode::List };
        self.mode = Mode::Palette;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tui::keymap::BINDINGS;

    #[test]
    fn every_action_of_the_lists_has_words_and_every_word_one_action() {
        let mut seen = HashSet::new();
        for known in KNOWN.iter() {
            let is_there = |binding: &Binding| {
                binding.mode == Mode::List && name(binding.action) == known.action
            };
            assert!(BINDINGS.iter().any(is_there), "there is no action '{}'", known.action);
            for word in &known.words {
                assert!(seen.insert(*word), "'{word}' stands twice");
            }
        }
        for binding in BINDINGS.iter().filter(|binding| binding.mode == Mode::List) {
            let is_palette = binding.action == Action::Palette;
            let name = name(binding.action);
            assert!(is_palette || !words_of(binding.action).is_empty(), "{name}: assets/words.tsv");
        }
    }

    #[test]
    fn letters_in_their_order_fit_a_word() {
        assert!(subsequence("domxml-to-native", "dmxmlnat").is_some());
        assert!(subsequence("save-as", "sava") > subsequence("saveas", "sava"));
        assert!(subsequence("delete", "del") > subsequence("delete", "dlt"));
        for (word, letters) in
            [("delete", "elt"), ("delete", "dz"), ("delete", "d"), ("save-as-it-is", "svs")]
        {
            assert_eq!(subsequence(word, letters), None, "{word} {letters}");
        }
    }
}
