//! The help: what the screen shows, then the table of keys in its groups, those of where one came from first.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cut, marked, width, wrap};
use crate::rules::{LAYERS, Verdict};
use crate::tui::app::{App, words_of};
use crate::tui::keymap::{Binding, Key, Mode, Topic};
use crate::tui::theme::Theme;
use crate::visible::visible;

/// Columns for the keys.
const KEYS: usize = 16;

/// A row of the help: what stands at its left, with its style, and the sentence.
struct Row {
    left: String,
    style: Style,
    text: String,
    /// Words that find it as well.
    known: &'static [&'static str],
}

/// A group of rows with its title.
struct Group {
    title: String,
    rows: Vec<Row>,
}

/// What the signs mean.
const SENSES: [(Verdict, &str); 5] = [
    (Verdict::Blocks, "the VM does not start, or the entry has no effect"),
    (Verdict::Warns, "the VM starts, something does not work"),
    (Verdict::Unknown, "the host would not say; the reason is given"),
    (Verdict::Note, "worth knowing"),
    (Verdict::Allows, "every layer that was looked at lets it through"),
];

/// What the configuration can say (config.rs reads it).
const SETTINGS: [(&str, &str); 5] = [
    ("mouse", "false leaves the mouse to the terminal, for selecting text"),
    (
        "theme",
        "\"auto\", \"dark\", \"light\", \"mono\" or \"colour-blind\"; NO_COLOR works as well",
    ),
    ("ascii", "true draws borders and signs with plain ASCII"),
    ("ask", "false asks neither libvirt nor QEMU"),
    (
        "[keys.list]",
        "\"Ctrl-w\" = \"save\" and the like; 'qpt-tui keys' prints every key with its action",
    ),
];

fn screen(theme: Theme) -> Group {
    let row = |left: &str, style: Style, text: String| Row {
        left: left.to_owned(),
        style,
        text,
        known: &[],
    };
    let mut rows = vec![row(
        "the lists",
        theme.title(),
        "each option with its value on one row, the worst that is said about it at its left".into(),
    )];
    for (verdict, sense) in SENSES {
        let (sign, word) = verdict.sign();
        rows.push(row(&format!("{sign} {word}"), theme.verdict(verdict), sense.to_owned()));
    }
    let off = "switched off: a comment in the file, no part of the VM";
    rows.push(row("– off", theme.dim(), off.to_owned()));
    rows.push(row("▸", theme.title(), "marked; the next action is about all marked rows".into()));
    let by = "who stops it, and how many more do once that is settled";
    rows.push(row("✗ DAC +1", theme.verdict(Verdict::Blocks), by.to_owned()));
    let layers: Vec<String> = LAYERS
        .iter()
        .map(|layer| {
            let title = layer.title.trim_start_matches("the ");
            if layer.short == title {
                title.to_owned()
            } else {
                format!("{} ({title})", layer.short)
            }
        })
        .collect();
    let who = format!("who can stop it, in the order in which they are met: {}", layers.join(", "));
    rows.push(row("layers", theme.title(), who));
    rows.push(row("DAC", theme.title(), "owners, modes and access control lists of files".into()));
    rows.push(row(
        "side pane",
        theme.title(),
        "what is known about the selected row, a tab each".into(),
    ));
    rows.push(row(
        "first line",
        theme.title(),
        "the domain, the file, and whether it will start".into(),
    ));
    rows.push(row(
        "last line",
        theme.title(),
        "keys that do something now; a click does it too".into(),
    ));
    Group { title: "What the screen shows".to_owned(), rows }
}

fn keys_of(binding: &Binding, keys: &[Key], theme: Theme) -> Row {
    let known = if binding.mode == Mode::List { words_of(binding.action) } else { &[] };
    let names: Vec<String> = keys.iter().map(Key::name).collect();
    let word = || known.first().map(|word| format!(":{word}")).unwrap_or_default();
    let left = if keys.is_empty() { word() } else { names.join(" ") };
    Row { left, style: theme.key(), text: binding.help.clone().into_owned(), known }
}

/// The groups of a mode: one, or those of the lists.
fn groups_of(app: &App, mode: Mode, title: &str, theme: Theme) -> Vec<Group> {
    let rows = |topic: Option<Topic>| -> Vec<Row> {
        let rows = app.keymap.all_of_mode(mode);
        let rows =
            rows.filter(|(row, keys)| mode == Mode::List || !keys.is_empty() && row.mode == mode);
        rows.filter(|(row, _)| topic.is_none_or(|topic| row.topic == topic))
            .map(|(row, keys)| keys_of(row, keys, theme))
            .collect()
    };
    if mode != Mode::List {
        return vec![Group { title: title.to_owned(), rows: rows(None) }];
    }
    let group = |(topic, name): (Topic, &str)| Group {
        title: format!("{title}: {name}"),
        rows: rows(Some(topic)),
    };
    Topic::ALL.into_iter().map(group).collect()
}

/// All of the help.
fn groups(app: &App, theme: Theme) -> Vec<Group> {
    let from = app.mode_below();
    let mut modes: Vec<(Mode, &str)> = Mode::ALL.map(|(mode, _, title)| (mode, title)).to_vec();
    modes.sort_by_key(|(mode, _)| *mode != from);
    let mut all = Vec::new();
    // Who asks in the middle of something wants its keys; who asks in the lists may be new here.
    let is_new = from == Mode::List;
    if is_new {
        all.push(screen(theme));
    }
    for (mode, title) in modes {
        all.extend(groups_of(app, mode, title, theme));
    }
    if !is_new {
        all.push(screen(theme));
    }
    let settings = SETTINGS.map(|(left, text)| Row {
        left: left.to_owned(),
        style: theme.key(),
        text: text.to_owned(),
        known: &[],
    });
    all.push(Group {
        title: "Settings: ~/.config/qpt-tui/config.toml".to_owned(),
        rows: settings.into(),
    });
    all
}

/// The lines of the help, as far as they hold what is looked for.
fn lines(app: &App, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let words = app.over.help_words.trim().to_lowercase();
    let holds = |text: &str| text.to_lowercase().contains(&words);
    let mut lines = Vec::new();
    for group in groups(app, theme) {
        let is_all = holds(&group.title);
        let found_in = |row: &Row| is_all || holds(&row.left) || holds(&row.text);
        let found_by_word = |mut row: Row| {
            if !found_in(&row) {
                let word = row.known.iter().find(|word| word.starts_with(&words))?;
                row.text = format!("{} ({word})", row.text);
            }
            Some(row)
        };
        let rows: Vec<Row> = group.rows.into_iter().filter_map(found_by_word).collect();
        if rows.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(marked(&group.title, &words, theme.title(), theme.found())));
        for row in rows {
            push(&mut lines, &row, &words, theme, columns);
        }
    }
    lines
}

fn push(lines: &mut Vec<Line<'static>>, row: &Row, words: &str, theme: Theme, columns: usize) {
    let keys = KEYS.min(columns / 3);
    let mut left = vec![Span::raw(" ")];
    left.extend(marked(&row.left, words, row.style, theme.found()));
    let taken = 1 + width(&row.left);
    // Keys that need more room have a line of their own.
    let is_long = taken >= keys;
    if is_long {
        lines.push(Line::from(std::mem::take(&mut left)));
    } else {
        left.push(Span::raw(" ".repeat(keys - taken)));
    }
    for part in wrap(&row.text, columns.saturating_sub(keys), "") {
        let mut spans = std::mem::take(&mut left);
        if spans.is_empty() {
            spans.push(Span::raw(" ".repeat(keys)));
        }
        spans.extend(marked(&part, words, Style::new(), theme.found()));
        lines.push(Line::from(spans));
    }
}

/// How far it is scrolled, at most to its end.
pub(super) fn scroll(app: &App, body: Rect) -> usize {
    let last = lines(app, Theme::new(false), usize::from(body.width)).len();
    let height = usize::from(body.height.saturating_sub(1));
    app.over.help_scroll.min(last.saturating_sub(height))
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let columns = usize::from(area.width);
    let lines = lines(app, theme, columns);
    let height = usize::from(area.height.saturating_sub(1));
    let first = app.over.help_scroll.min(lines.len().saturating_sub(height));
    let words = visible(app.over.help_words.trim()).into_owned();
    let (count, last) = (lines.len(), (first + height).min(lines.len()));
    let place =
        if count == 0 { String::new() } else { format!("{}–{last} of {count}", first + 1) };
    let title = match (words.is_empty(), count) {
        (true, _) => "Help".to_owned(),
        (false, 0) => format!("Help: nothing holds '{words}'"),
        (false, _) => format!("Help: what holds '{words}'"),
    };
    let title = cut(&title, columns.saturating_sub(width(&place) + 1));
    let gap = " ".repeat(columns.saturating_sub(width(&title) + width(&place)));
    let mut shown = vec![Line::from(vec![
        Span::styled(title, theme.title()),
        Span::raw(format!("{gap}{place}")),
    ])];
    shown.extend(lines.into_iter().skip(first).take(height));
    frame.render_widget(Paragraph::new(shown), area);
}
