//! Texts of guides and configurations become exactly the options that their writers meant.
//!
//! Each file of `tests/fixtures/import` has beside it what is expected, a line for each thing: `+` is added, `?` is asked about, `~` a
//! domain says elsewhere, `=` is there already, `-` was not understood. What is libvirt's own is in no line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pty;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pty::Terminal;
use qpt_tui::domain::{Document, EntryKind};
use qpt_tui::import::{Beside, Fate, Item, read};

fn texts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_none_or(|ending| ending != "expected"));
    paths.sort();
    paths
}

fn line(item: &Item) -> Option<String> {
    let sign = match &item.fate {
        Fate::Added => '+',
        Fate::There => '=',
        Fate::Elsewhere(_) => '~',
        Fate::Asked(_) => '?',
        Fate::NotUnderstood(_) => '-',
        Fate::Own => return None,
    };
    Some(format!("{sign} {}\n", item.shown()))
}

fn shown(text: &str) -> String {
    let answers = BTreeMap::new();
    let beside = Beside { there: &[], libvirt: None, answers: &answers };
    match read(text, &beside) {
        Ok(import) => import.items.iter().filter_map(line).collect(),
        Err(why) => format!("refused: {why}\n"),
    }
}

/// The texts of a folder that are read otherwise than expected, with the difference.
fn wrong(folder: &str) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let texts = texts(folder);
    for path in &texts {
        let text = std::fs::read_to_string(path).unwrap();
        let expected = std::fs::read_to_string(format!("{}.expected", path.display())).unwrap();
        // Terminals send CR for each line end of a paste, files may have both.
        for sent in [text.clone(), text.replace('\n', "\r"), text.replace('\n', "\r\n")] {
            let found = shown(&sent);
            if found != expected {
                wrong.push(format!("{}\nexpected:\n{expected}found:\n{found}", path.display()));
                break;
            }
        }
    }
    (texts.len(), wrong)
}

#[test]
fn texts_of_guides_become_what_their_writers_meant() {
    let (count, wrong) = wrong("import");
    assert!(count >= 25, "{count} texts");
    assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

const VM: &str = "<domain type='kvm'>\n  <name>vm</name>\n  <devices>\n  </devices>\n</domain>\n";

/// The entries of the domain once a text was pasted, taken and saved, as a terminal sends it.
fn pasted(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vm.xml");
    std::fs::write(&path, VM).unwrap();
    let mut terminal = Terminal::start(&[path.to_str().unwrap(), "--static"], 80, 24);
    terminal.shows("none; a adds one");
    terminal.send(&format!("\u{1b}[200~{}\u{1b}[201~", text.replace('\n', "\r")));
    terminal.shows("adds");
    terminal.send("\r");
    terminal.shows("u takes them back");
    terminal.send("\u{13}");
    terminal.shows("virsh define");
    terminal.send("q");
    assert!(terminal.end().success());
    let document = Document::parse(std::fs::read_to_string(&path).unwrap()).unwrap();
    document.entries().map(|entry| entry.kind.text()).collect()
}

#[test]
fn pasted_through_a_terminal_they_become_the_same() {
    for path in texts("import") {
        let text = std::fs::read_to_string(&path).unwrap();
        let answers = BTreeMap::new();
        let import = read(&text, &Beside { there: &[], libvirt: None, answers: &answers }).unwrap();
        let on = import.items.iter().filter(|item| item.fate.is_on());
        let expected: Vec<String> =
            on.flat_map(|item| item.entries.iter().map(EntryKind::text)).collect();
        assert_eq!(pasted(&text), expected, "{}", path.display());
    }
}

#[test]
fn texts_of_other_guides_become_what_their_writers_meant() {
    let (count, wrong) = wrong("import-more");
    assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn texts_of_guides_nobody_had_read_become_what_their_writers_meant() {
    let (count, wrong) = wrong("import-guides");
    assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
