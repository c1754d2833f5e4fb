//! The last line: which keys do something now, each in its place, beside what just happened.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::text::{cut, width};
use crate::tui::action::Action;
use crate::tui::app::{App, Filter, Question};
use crate::tui::keymap::Mode;
use crate::tui::rows::Row;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// Below this width there is little room.
const NARROW: usize = 50;
/// Columns between two keys.
const GAP: usize = 2;
/// From this width on a message never takes the place of a key that is always there.
const BESIDE: usize = 120;

/// A key on the line.
struct Piece {
    /// The column where it begins.
    at: usize,
    key: String,
    label: String,
    action: Action,
    /// It does something now.
    live: bool,
}

impl Piece {
    fn width(&self) -> usize {
        width(&self.key) + 1 + width(&self.label)
    }
}

/// Keys that are always there, at the left and at the right of a mode; they are dimmed where they can do nothing.
const ALWAYS: [(Mode, &[Action], &[Action]); 2] = [
    (
        Mode::List,
        &[Action::Edit, Action::Remedies],
        &[Action::NextFinding, Action::Search, Action::Palette, Action::Help, Action::Quit],
    ),
    (
        Mode::Side,
        &[Action::OtherPane, Action::Down],
        &[Action::Palette, Action::Help, Action::Quit],
    ),
];

fn left(mode: Mode) -> &'static [Action] {
    ALWAYS.iter().find(|(of, ..)| *of == mode).map_or(&[], |(_, left, _)| left)
}

fn right(mode: Mode) -> &'static [Action] {
    ALWAYS.iter().find(|(of, ..)| *of == mode).map_or(&[], |(.., right)| right)
}

/// What the moment asks for, the most urgent first: what others wrote, what is off, found, marked, changed, filtered.
fn moment(app: &App) -> Vec<(Action, Option<&'static str>)> {
    let mut all = Vec::new();
    let row = app.lists.rows.get(app.lists.selected);
    let is_off = matches!(row, Some(Row::Disabled(_)));
    if app.file.theirs.is_some() {
        all.push((Action::Others, None));
    }
    if is_off {
        all.push((Action::Toggle, Some("on")));
    }
    if app.search_words().is_some() {
        all.push((Action::NextMatch, Some("next")));
    }
    if !app.lists.marked.is_empty() {
        all.push((Action::Cancel, Some("unmark")));
    }
    if app.is_modified() {
        all.push((Action::Save, None));
        all.push((Action::Undo, None));
    }
    if app.lists.filter != Filter::All || !app.lists.wanted.is_empty() {
        all.push((Action::Cancel, Some("show all")));
    }
    let is_empty = !app.lists.rows.iter().any(Row::is_selectable);
    if is_empty {
        all.push((Action::Import, None));
    }
    if !is_off {
        all.push((Action::AddAfter, None));
        all.push((Action::Toggle, Some("off")));
    }
    all
}

/// A key of a mode; nothing where the user took it away.
fn piece(app: &App, action: Action, label: Option<&str>) -> Option<Piece> {
    let mut rows = app.keymap.of_mode(app.mode);
    let (row, keys) = rows.find(|(row, _)| row.action == action)?;
    let key = keys[0].name();
    let label = label.unwrap_or(&row.label).to_owned();
    // The keys of the tabs stand for each other; their label begins with the last of them.
    let (key, label) = match (action, label.split_once(' ')) {
        (Action::Tab(_), Some((range, word))) => (range.to_owned(), word.to_owned()),
        _ => (key, label),
    };
    let live = app.is_answer(action) && app.available(action).is_ok();
    Some(Piece { at: 0, key, label, action, live })
}

/// The keys of the line, each at its place, where `taken` columns at the left are for something else.
fn pieces(app: &App, columns: usize, taken: usize) -> Vec<Piece> {
    if !matches!(app.mode, Mode::List | Mode::Side) {
        return in_a_row(app, columns, taken);
    }
    let is_folded = app.mode == Mode::List && app.is_on_folded();
    let label = |action: Action| (is_folded && action == Action::Edit).then_some("unfold");
    let of = |actions: &[Action]| -> Vec<Piece> {
        actions.iter().filter_map(|action| piece(app, *action, label(*action))).collect()
    };
    let (mut left, mut right) = (of(left(app.mode)), of(right(app.mode)));
    if taken > 0 {
        left.clear();
    }
    let length = |all: &[Piece]| all.iter().map(|piece| piece.width() + GAP).sum::<usize>();
    let is_too_long = |left: &[Piece], right: &[Piece]| {
        length(left) + length(right) > columns.saturating_sub(taken) + GAP
    };
    // What a newcomer tries anyway goes first; the way out and the way to all keys stay longest.
    for action in [Action::Edit, Action::NextFinding, Action::Down] {
        if is_too_long(&left, &right) {
            left.retain(|piece| piece.action != action);
            right.retain(|piece| piece.action != action);
        }
    }
    while is_too_long(&left, &right) && !(left.is_empty() && right.is_empty()) {
        if left.pop().is_none() {
            right.remove(0);
        }
    }
    // Where there is little room, what is changed and not saved goes before finding.
    let save = piece(app, Action::Save, None).filter(|_| app.mode == Mode::List);
    if let Some(save) = save.filter(|_| columns < NARROW && app.is_modified() && taken == 0)
        && length(&left) + length(&right) + save.width() > columns
    {
        right.retain(|piece| piece.action != Action::Search);
    }
    let end = (columns + GAP).saturating_sub(length(&right));
    place(&mut right, end);
    if taken > 0 {
        return right;
    }
    let free = end.saturating_sub(length(&left));
    let is_there = |action: Action| {
        self::left(app.mode).contains(&action) || self::right(app.mode).contains(&action)
    };
    left.extend(middle(app, free, is_there));
    place(&mut left, 0);
    left.extend(right);
    left
}

/// Puts keys beside each other from a column on.
fn place(pieces: &mut [Piece], from: usize) {
    let mut at = from;
    for piece in pieces {
        piece.at = at;
        at += piece.width() + GAP;
    }
}

/// What stands between the keys that are always there: what fits the moment, then others in the order of the table.
fn middle(app: &App, columns: usize, is_there: impl Fn(Action) -> bool) -> Vec<Piece> {
    let mut free = columns;
    let mut pieces: Vec<Piece> = Vec::new();
    let rest = app.keymap.of_mode(app.mode).filter(|(row, _)| !row.label.is_empty());
    // Saving is told where there is something to save.
    let rest = rest.filter(|(row, _)| row.action != Action::Save || app.is_modified());
    let rest = rest.map(|(row, _)| (row.action, None));
    let first = if app.mode == Mode::List { moment(app) } else { Vec::new() };
    for (action, label) in first.into_iter().chain(rest) {
        if is_there(action) || pieces.iter().any(|piece| piece.action == action) {
            continue;
        }
        let piece = piece(app, action, label).filter(|piece| piece.live);
        if let Some(piece) = piece.filter(|piece| piece.width() + GAP <= free) {
            free -= piece.width() + GAP;
            pieces.push(piece);
        }
    }
    pieces
}

/// The keys of a mode that has few, in the order of the table; those that can be used now.
fn in_a_row(app: &App, columns: usize, taken: usize) -> Vec<Piece> {
    let answers = app.questions.asked.as_ref().map(Question::answers).unwrap_or_default();
    // A question has its own words for its answers.
    let own = |action: Action| {
        answers.iter().find(|(answer, _)| *answer == action).map(|(_, word)| *word)
    };
    let rows = app.keymap.of_mode(app.mode).filter(|(row, _)| !row.label.is_empty());
    let all: Vec<Piece> = rows
        .filter_map(|(row, _)| piece(app, row.action, own(row.action)))
        .filter(|piece| piece.live)
        .collect();
    // Leaving is always shown; the others as far as there is room.
    let always = |action| matches!(action, Action::Cancel | Action::No);
    let reserved: usize =
        all.iter().filter(|piece| always(piece.action)).map(|piece| piece.width() + GAP).sum();
    let mut free = columns.saturating_sub(taken + reserved);
    let mut at = taken;
    let mut shown = Vec::new();
    for mut piece in all {
        let need = piece.width() + GAP;
        if !always(piece.action) {
            if need > free {
                continue;
            }
            free -= need;
        }
        piece.at = at;
        at += need;
        shown.push(piece);
    }
    shown
}

/// The answers to a question for which the line has no room, each with its key.
pub(super) fn left_out(app: &App, columns: usize) -> Vec<String> {
    let told: Vec<Action> = in_a_row(app, columns, 0).iter().map(|piece| piece.action).collect();
    let all = in_a_row(app, usize::MAX / 2, 0).into_iter();
    let untold = all.filter(|piece| !told.contains(&piece.action));
    untold.map(|piece| format!("{} {}", piece.key, piece.label)).collect()
}

/// What is typed in the line itself, with its prompt.
fn prompt(app: &App) -> Option<String> {
    let (word, typed) = match app.mode {
        Mode::Search => ("search", &app.lists.search.words),
        Mode::Palette => ("action", &app.over.palette.words),
        Mode::Filter => ("only", &app.lists.wanted),
        Mode::SaveAs if app.over.writing.is_some() => ("write to", &app.over.elsewhere),
        Mode::SaveAs => ("save to", &app.over.elsewhere),
        Mode::HelpSearch => ("in the help", &app.over.help_words),
        Mode::List
        | Mode::Side
        | Mode::Form
        | Mode::Import
        | Mode::Why
        | Mode::Review
        | Mode::Answer
        | Mode::Remedies
        | Mode::Confirm
        | Mode::Help
        | Mode::Tour
        | Mode::Choose => return None,
    };
    Some(format!("{word}: {}▏  ", visible(typed)))
}

/// What the line says at its left, and whether that is bad news; and the columns that it takes.
fn told(app: &App, columns: usize) -> (String, bool, String, usize) {
    let prompt = prompt(app).unwrap_or_default();
    let mut taken = width(&prompt);
    let is_line = matches!(app.mode, Mode::List | Mode::Side) || !prompt.is_empty();
    let (mut text, mut failed) = (String::new(), false);
    if let Some(status) = app.status.as_ref().filter(|_| is_line) {
        let always: usize = right(app.mode)
            .iter()
            .filter_map(|action| piece(app, *action, None))
            .map(|piece| piece.width() + GAP)
            .sum();
        let most = if columns >= BESIDE { columns - always } else { columns };
        text = cut(&visible(&status.text), most.saturating_sub(taken));
        failed = status.failed;
        taken += width(&text) + GAP;
    }
    (prompt, failed, text, taken)
}

/// What stands at a column of the line.
pub(super) fn at(app: &App, columns: u16, column: u16) -> Option<Action> {
    let (columns, column) = (usize::from(columns), usize::from(column));
    let (.., taken) = told(app, columns);
    let all = pieces(app, columns, taken);
    let found = all.iter().find(|piece| (piece.at..piece.at + piece.width()).contains(&column));
    found.filter(|piece| piece.live).map(|piece| piece.action)
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let columns = usize::from(area.width);
    let (prompt, failed, text, taken) = told(app, columns);
    let style = if failed { theme.error() } else { theme.title() };
    let mut used = width(&prompt) + width(&text);
    let mut spans = vec![Span::raw(prompt), Span::styled(text, style)];
    for piece in pieces(app, columns, taken) {
        let end = piece.at + piece.width();
        spans.push(Span::raw(" ".repeat(piece.at.saturating_sub(used))));
        let (key, label) = if piece.live {
            (theme.key(), ratatui::style::Style::new())
        } else {
            (theme.dim(), theme.dim())
        };
        spans.push(Span::styled(piece.key, key));
        spans.push(Span::styled(format!(" {}", piece.label), label));
        used = end;
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// What is told above the line: a message where the line is for the keys of a box; after a pause what the next keys do.
pub(super) fn above(frame: &mut Frame<'_>, body: Rect, app: &App, theme: Theme) {
    let columns = usize::from(body.width);
    let is_told_elsewhere =
        matches!(app.mode, Mode::List | Mode::Side | Mode::Form) || prompt(app).is_some();
    let line = match &app.status {
        Some(status) if !is_told_elsewhere => {
            let style = if status.failed { theme.error() } else { theme.title() };
            Line::styled(cut(&visible(&status.text), columns), style)
        }
        _ => hints(app, theme, columns),
    };
    if line.width() > 0 {
        let area = Rect { y: body.bottom().saturating_sub(1), height: 1, ..body };
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(line), area);
    }
}

fn hints(app: &App, theme: Theme, columns: usize) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    for (action, what) in app.hints() {
        let Some(key) = app.keymap.key_of(Mode::List, action) else { continue };
        let need = width(&key) + 1 + width(&what) + GAP + 1;
        if used + need > columns + GAP + 1 {
            continue;
        }
        if used > 0 {
            spans.push(Span::styled(" · ", theme.dim()));
        }
        used += need;
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::raw(format!(" {what}")));
    }
    Line::from(spans)
}
