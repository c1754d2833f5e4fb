//! The chooser: a title, the rows in columns, what is missing among them, and why the selected one is judged as it is.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::text::{cut, width, wrap};
use crate::tui::action::Action;
use crate::tui::app::Status;
use crate::tui::choose::{Chooser, Item, Missing, Outlook, Row};
use crate::tui::keymap::{Key, Mode};
use crate::tui::theme::Theme;
use crate::visible::visible;

/// From this width on verdicts have all their words, and rows tell where they come from.
const WIDE: u16 = 60;
/// Below this width a verdict is a sign.
const MIDDLE: u16 = 36;
/// From this height on the reason of the selected row has a line of its own above it.
const HIGH: u16 = 12;
/// Lines for the reason.
const REASON: u16 = 2;
/// Columns of the keys in the help.
const KEYS: usize = 16;

/// The parts of the screen.
struct Areas {
    header: Rect,
    /// The words over the columns.
    head: Rect,
    rows: Rect,
    notes: Rect,
    reason: Rect,
    footer: Rect,
}

fn areas(chooser: &Chooser, screen: Rect) -> Areas {
    let notes = notes(chooser, screen.width).len();
    let most = usize::from(screen.height / 3);
    let notes = u16::try_from(notes.min(most)).unwrap_or(0);
    let reason = if screen.height >= HIGH { REASON + 1 } else { 0 };
    let [header, head, rows, notes, reason, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(notes),
        Constraint::Length(reason),
        Constraint::Length(1),
    ])
    .areas(screen);
    Areas { header, head, rows, notes, reason, footer }
}

/// The first row that is shown, of so many on so many lines.
pub fn first(selected: usize, lines: usize, rows: usize) -> usize {
    (selected + 1).saturating_sub(lines.max(1)).min(rows.saturating_sub(lines))
}

/// How many rows fit on a screen.
pub fn page(chooser: &Chooser, screen: Rect) -> usize {
    usize::from(areas(chooser, screen).rows.height).max(1)
}

/// The row, among those that are shown, at a column and a line of the screen.
pub fn row_at(chooser: &Chooser, screen: Rect, place: (u16, u16)) -> Option<usize> {
    let rows = areas(chooser, screen).rows;
    if !rows.contains(place.into()) {
        return None;
    }
    let count = chooser.shown().len();
    let at = first(chooser.selected, usize::from(rows.height), count);
    let at = at + usize::from(place.1 - rows.y);
    (at < count).then_some(at)
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, chooser: &Chooser, theme: Theme) {
    let screen = frame.area();
    if screen.width < 20 || screen.height < 6 {
        frame.render_widget(Paragraph::new("terminal too small: 20×6 at least"), screen);
        return;
    }
    let areas = areas(chooser, screen);
    header(frame, areas.header, chooser, theme);
    if chooser.mode() == Mode::Help {
        let body = Rect { height: screen.height - 2, y: areas.head.y, ..screen };
        help(frame, body, chooser, theme);
    } else {
        let columns = Columns::of(screen.width);
        let judged = if columns.wide { "by the rules" } else { "by rules" };
        let head = columns.line([judged, "name", "state", "from"]);
        frame.render_widget(Line::styled(head.concat(), theme.dim()), areas.head);
        list(frame, areas.rows, chooser, theme);
        let dim = |text| Line::styled(text, theme.dim());
        let notes: Vec<Line<'_>> = notes(chooser, screen.width).into_iter().map(dim).collect();
        frame.render_widget(Paragraph::new(notes), areas.notes);
        reason(frame, areas.reason, chooser, theme);
    }
    if let Some(missing) = &chooser.asked {
        let body = Rect { height: screen.height - 2, y: areas.head.y, ..screen };
        question(frame, body, missing, theme);
    }
    footer(frame, areas.footer, chooser, theme);
    theme.finish(frame.buffer_mut());
}

/// What it is for, how many rows there are, and what is being done.
fn header(frame: &mut Frame<'_>, area: Rect, chooser: &Chooser, theme: Theme) {
    let busy = match &chooser.opening {
        Some(item) => format!(" opening {}… ", visible(&item.name())),
        None if chooser.is_looking() => " looking… ".to_owned(),
        None => String::new(),
    };
    let place = if chooser.place.is_empty() { "" } else { " · " };
    let what = if area.width >= WIDE { "choose a domain" } else { "choose" };
    let left = format!(" {what}{place}{} · {}", visible(&chooser.place), counts(chooser));
    let busy = cut(&busy, usize::from(area.width) / 2);
    let left = cut(&left, usize::from(area.width).saturating_sub(width(&busy)));
    let gap = usize::from(area.width).saturating_sub(width(&left) + width(&busy));
    let line = format!("{left}{}{busy}", " ".repeat(gap));
    frame.render_widget(Paragraph::new(line).style(theme.bar()), area);
}

/// How many domains and files there are, or how many of all are shown.
fn counts(chooser: &Chooser) -> String {
    if !chooser.filter.is_empty() {
        return format!("{} of {}", chooser.shown().len(), chooser.rows.len());
    }
    let count =
        |wanted: fn(&Item) -> bool| chooser.rows.iter().filter(|row| wanted(&row.item)).count();
    let several = |count: usize, word: &str| {
        let end = if count == 1 { "" } else { "s" };
        format!("{count} {word}{end}")
    };
    let domains = count(|item| matches!(item, Item::Domain { .. }));
    let files = count(|item| matches!(item, Item::File(_)));
    // Of a place that has one kind only the other one is not counted.
    match (domains, files, chooser.place.is_empty()) {
        (0, _, true) if chooser.is_looking() && files > 0 => several(files, "file"),
        (0, 0, _) if chooser.waiting > 0 => "none yet".to_owned(),
        (0, 0, _) => "there are none".to_owned(),
        (0, _, false) => several(files, "file"),
        (_, 0, false) => several(domains, "domain"),
        (_, _, _) => format!("{}, {}", several(domains, "domain"), several(files, "file")),
    }
}

/// The columns of the list.
struct Columns {
    /// Verdict, name, state; where it comes from, on a wide screen.
    widths: [usize; 4],
    wide: bool,
}

impl Columns {
    fn of(width: u16) -> Columns {
        let all = usize::from(width);
        let wide = width >= WIDE;
        // The name is what one chooses by: it is the last to go.
        let (verdict, state) = match width {
            WIDE.. => (25, 11),
            MIDDLE.. => (12, 10),
            _ => (3, 0),
        };
        let from = match width {
            100.. => all / 3,
            WIDE.. => 18,
            _ => 0,
        };
        let name = all.saturating_sub(verdict + state + from);
        Columns { widths: [verdict, name, state, from], wide }
    }

    /// A line of them, each cut to its column with a blank behind it.
    fn line(&self, texts: [&str; 4]) -> Vec<String> {
        let columns = texts.into_iter().zip(self.widths);
        let mut line: Vec<String> = columns
            .map(|(text, room)| {
                let text = cut(text, room.saturating_sub(1));
                let gap = room.saturating_sub(width(&text));
                format!("{text}{}", " ".repeat(gap))
            })
            .collect();
        line[0].insert(0, ' ');
        line[0].pop();
        line
    }
}

fn list(frame: &mut Frame<'_>, area: Rect, chooser: &Chooser, theme: Theme) {
    let shown = chooser.shown();
    if shown.is_empty() {
        let text = nothing(chooser);
        let lines = wrap(&text, usize::from(area.width.saturating_sub(2)), "");
        let lines = lines.into_iter().map(|line| Line::styled(format!(" {line}"), theme.dim()));
        return frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
    }
    let height = usize::from(area.height);
    let first = first(chooser.selected, height, shown.len());
    let columns = Columns::of(area.width);
    let rows = shown.iter().enumerate().skip(first).take(height);
    let lines: Vec<Line<'_>> = rows
        .map(|(at, row)| {
            let line = line(row, &columns, theme);
            if at == chooser.selected { line.patch_style(theme.selected(true)) } else { line }
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

/// What is said where no row is shown.
fn nothing(chooser: &Chooser) -> String {
    if chooser.rows.is_empty() {
        return "looking for domains…".to_owned();
    }
    let sought = visible(&chooser.filter);
    let made = if chooser.can_be_made() { "; Enter makes a domain of that name" } else { "" };
    format!("nothing matches '{sought}'{made}")
}

fn line(row: &Row, columns: &Columns, theme: Theme) -> Line<'static> {
    let (verdict, style) = match &row.outlook {
        Some(outlook) => {
            let (sign, words, word) = outlook.words();
            let words = if columns.wide { words } else { word };
            (format!("{sign} {words}"), colour(outlook, theme))
        }
        None if row.item.lane().is_none() => (String::new(), theme.dim()),
        None => ("…".to_owned(), theme.dim()),
    };
    let (name, from) = (row.item.name(), row.from());
    let texts = [&*verdict, &visible(&name), row.item.state(), &visible(&from)];
    let styles = [style, theme.title(), Style::new(), theme.dim()];
    let parts = columns.line(texts).into_iter().zip(styles);
    Line::from(parts.map(|(text, style)| Span::styled(text, style)).collect::<Vec<_>>())
}

fn colour(outlook: &Outlook, theme: Theme) -> Style {
    outlook.verdict().map_or(theme.dim(), |verdict| theme.verdict(verdict))
}

/// What is missing among the rows, in lines.
fn notes(chooser: &Chooser, columns: u16) -> Vec<String> {
    let room = usize::from(columns.saturating_sub(2));
    let mut lines = Vec::new();
    for note in &chooser.notes {
        let note = note.replace("\n  ", "; ");
        lines.extend(wrap(&visible(&note), room, "  ").into_iter().map(|line| format!(" {line}")));
    }
    lines
}

/// Why the selected row is judged as it is.
fn reason(frame: &mut Frame<'_>, area: Rect, chooser: &Chooser, theme: Theme) {
    let Some(row) = chooser.row().filter(|_| area.height > 0) else { return };
    let text = match (&row.outlook, &row.item) {
        (Some(outlook), _) => outlook.why(),
        (None, Item::Demo) => "every layer has something to say about it; nothing is saved",
        (None, Item::Domain { .. } | Item::File(_)) => "it is being looked at",
    };
    let columns = usize::from(area.width);
    let mut lines = vec![Line::styled("─".repeat(columns), theme.dim())];
    let mut wrapped = wrap(&visible(text), columns.saturating_sub(2), "");
    let most = usize::from(REASON);
    if wrapped.len() > most {
        let rest = wrapped.split_off(most - 1).join(" ");
        wrapped.push(cut(&rest, columns.saturating_sub(2)));
    }
    lines.extend(wrapped.into_iter().map(|line| Line::raw(format!(" {line}"))));
    frame.render_widget(Paragraph::new(lines), area);
}

/// A file that is not there.
fn question(frame: &mut Frame<'_>, area: Rect, missing: &Missing, theme: Theme) {
    let columns = area.width.min(78);
    let text = format!(
        "{} Make a new domain document? Nothing is written before you save.",
        visible(&missing.text)
    );
    let lines = wrap(&text, usize::from(columns.saturating_sub(4)), "");
    let height = u16::try_from(lines.len() + 2).unwrap_or(area.height).min(area.height);
    let (x, y) = (area.x + (area.width - columns) / 2, area.y + (area.height - height) / 2);
    let outer = Rect { x, y, width: columns, height };
    let block = Block::new().borders(Borders::ALL).title(" Not there ").title_style(theme.title());
    let inner = block.inner(outer);
    frame.render_widget(Clear, outer);
    frame.render_widget(block, outer);
    let lines: Vec<Line<'_>> =
        lines.into_iter().map(|line| Line::raw(format!(" {line}"))).collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// What just happened, or what is typed and which keys do something now.
fn footer(frame: &mut Frame<'_>, area: Rect, chooser: &Chooser, theme: Theme) {
    let columns = usize::from(area.width);
    if let Some(Status { failed, text }) = &chooser.status {
        let style = if *failed { theme.error() } else { theme.title() };
        let text = cut(&visible(text), columns);
        return frame.render_widget(Paragraph::new(text).style(style), area);
    }
    let mode = chooser.mode();
    let filters = mode == Mode::Choose && (chooser.filtering || !chooser.filter.is_empty());
    let mut spans = Vec::new();
    if filters {
        spans.push(Span::raw(format!("only: {}▏  ", visible(&chooser.filter))));
    }
    let leaves = chooser.asked.as_ref().is_some_and(|missing| missing.leaves);
    let label =
        |action: Action, label: &'static str| match (mode, action) {
            (Mode::Confirm, Action::Yes) => "make it",
            (Mode::Confirm, Action::No) if leaves => "leave",
            (Mode::Confirm, Action::No) => "back",
            (Mode::Confirm, _) => "",
            (Mode::Choose, Action::Cancel) if filters => "show all",
            (Mode::Choose, Action::Cancel) => "",
            (Mode::Choose, Action::Quit | Action::Search) if filters => "",
            (Mode::Choose, Action::Accept) if chooser.shown().is_empty() => {
                if chooser.can_be_made() { "make it" } else { "" }
            }
            // There are no actions to be searched here.
            (Mode::Help, Action::Palette) => "",
            _ => label,
        };
    let rows = chooser.keymap.of_mode(mode);
    let rows = rows.map(|(row, keys)| (keys[0].name(), label(row.action, &row.label), row.action));
    let rows: Vec<_> = rows.filter(|(_, word, _)| !word.is_empty()).collect();
    // The way out is always shown; the others as far as there is room.
    let is_out = |action| matches!(action, Action::Quit | Action::Cancel | Action::No);
    let length = |key: &str, word: &str| width(key) + width(word) + 3;
    let used: usize = spans.iter().map(Span::width).sum();
    let out = rows.iter().filter(|row| is_out(row.2));
    let out: usize = out.map(|(key, word, _)| length(key, word)).sum();
    let mut free = columns.saturating_sub(used + out);
    for (key, word, action) in rows {
        let need = length(&key, word);
        if !is_out(action) {
            if need > free {
                continue;
            }
            free -= need;
        }
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::raw(format!(" {word}  ")));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The keys of the chooser, and what its signs mean.
fn help(frame: &mut Frame<'_>, area: Rect, chooser: &Chooser, theme: Theme) {
    let columns = usize::from(area.width);
    let mut lines = vec![Line::styled("Choosing a domain", theme.title())];
    let mut pair = |left: String, style: Style, right: &str| {
        let wrapped = wrap(right, columns.saturating_sub(KEYS), "");
        for (at, part) in wrapped.into_iter().enumerate() {
            let left = if at == 0 { cut(&left, KEYS - 1) } else { String::new() };
            let gap = " ".repeat(KEYS - width(&left));
            lines.push(Line::from(vec![
                Span::styled(left, style),
                Span::raw(format!("{gap}{part}")),
            ]));
        }
    };
    for (row, keys) in chooser.keymap.of_mode(Mode::Choose) {
        let keys: Vec<String> = keys.iter().map(Key::name).collect();
        pair(format!(" {}", keys.join(" ")), theme.key(), &row.help);
    }
    pair(String::new(), Style::new(), "");
    for (outlook, sense) in [
        (Outlook::Fails(String::new()), "the VM will not start"),
        (Outlook::Drops(String::new()), "it starts without what libvirt drops"),
        (Outlook::Warns(String::new()), "it starts, something does not work"),
        (Outlook::Unknown(String::new()), "nobody can tell here; the reason is given"),
        (
            Outlook::Starts,
            "by the rules nothing stops it; libvirt and QEMU are asked once it is open",
        ),
        (Outlook::Nothing, "there is no QEMU passthrough in it"),
    ] {
        let (sign, _, word) = outlook.words();
        pair(format!(" {sign} {word}"), colour(&outlook, theme), sense);
    }
    let height = usize::from(area.height);
    let first = chooser.help_scroll.min(lines.len().saturating_sub(height));
    let lines: Vec<Line<'_>> = lines.into_iter().skip(first).take(height).collect();
    frame.render_widget(Paragraph::new(lines), area);
}
