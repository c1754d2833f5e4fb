//! What of an option stands in which column of the lists: its name, its type, its id, and the thing that it is about.

use std::borrow::Cow;

use super::rows::Row;
use crate::domain::Document;
use crate::qemu::CommandLine;

/// An option, taken apart for its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells<'a> {
    /// The option, as written.
    pub option: &'a str,
    /// Its type: a driver, a back end, a format.
    pub kind: &'a str,
    /// Its id.
    pub id: &'a str,
    /// The path that it names, or what else it says.
    pub rest: Cow<'a, str>,
}

/// The widths of the columns that stand under each other: option, type, id.
pub type Widths = [usize; 3];

/// No column takes more than this.
const WIDEST: Widths = [12, 21, 15];

/// More rows are not looked at for their widths.
const MOST: usize = 2_000;

/// Keys under which an option that has no type of its own says what kind of thing it is.
const KINDS: [&str; 2] = ["format", "if"];

/// The cells of an option's row; nothing for other rows.
pub fn cells<'a>(document: &'a Document, line: &'a CommandLine, row: &Row) -> Option<Cells<'a>> {
    let Row::Option(range) = row else { return None };
    let option = line.options.get(line.option_of(range.start)?)?;
    let name = document.arg(option.entry);
    let plain = |rest: &'a str| Cells { option: name, kind: "", id: "", rest: Cow::Borrowed(rest) };
    let Some(value) = option.value else { return Some(plain("")) };
    if !option.is_read() {
        return Some(plain(document.arg(value)));
    }
    let pairs = &option.pairs.pairs;
    let implied = option.row.and_then(|row| row.implied);
    let kind = pairs.iter().find(|pair| Some(pair.key.as_str()) == implied);
    let kind = kind.or_else(|| pairs.iter().find(|pair| KINDS.contains(&pair.key.as_str())));
    let id = pairs.iter().find(|pair| ["id", "node-name"].contains(&pair.key.as_str()));
    let others = || pairs.iter().filter(|pair| Some(*pair) != kind && Some(*pair) != id);
    if pairs.is_empty() || kind.is_none() && id.is_none() {
        return Some(plain(document.arg(value)));
    }
    let rest = match others().find(|pair| pair.value.starts_with('/')) {
        Some(path) => Cow::Borrowed(path.value.as_str()),
        None => {
            let words: Vec<String> = others().map(|p| format!("{}={}", p.key, p.value)).collect();
            Cow::Owned(words.join(","))
        }
    };
    let text = |pair: Option<&'a crate::qemu::Pair>| pair.map_or("", |pair| pair.value.as_str());
    Some(Cells { option: name, kind: text(kind), id: text(id), rest })
}

/// The widths that the rows need, so that columns stand under each other wherever the list is scrolled to.
pub fn widths(document: &Document, line: &CommandLine, rows: &[Row]) -> Widths {
    let mut widths = [0; 3];
    for cells in rows.iter().take(MOST).filter_map(|row| cells(document, line, row)) {
        for (at, text) in [cells.option, cells.kind, cells.id].into_iter().enumerate() {
            widths[at] = widths[at].max(text.chars().count()).min(WIDEST[at]);
        }
    }
    widths
}
