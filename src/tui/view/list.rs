//! The lists: who stops a row in its gutter, then its parts in columns.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Scrollbar, ScrollbarOrientation, ScrollbarState};

use super::text::{cut, cut_front, fits, marked, width, wrap};
use super::window::{self, Slot};
use crate::rules::{Finding, Layer, Verdict};
use crate::tui::app::App;
use crate::tui::columns::{self, Cells};
use crate::tui::keymap::Mode;
use crate::tui::rows::Row;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// Below this width names are short, and ids have no column.
const NARROW: usize = 50;
/// Columns of the gutter: mark, sign, who, how many behind it, blanks.
const GUTTER: usize = 14;
const NARROW_GUTTER: usize = 9;
/// More bytes of a value are not shown in the lists.
const MOST: usize = 8 << 10;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme, is_wide: bool) {
    let window = window::of(app, area, is_wide);
    let inner = Rect { width: area.width.saturating_sub(u16::from(window.is_cut)), ..area };
    let lister = Lister { app, theme, columns: usize::from(inner.width), wide: is_wide };
    let mut lines = Vec::with_capacity(window.slots.len());
    let mut last: Option<(usize, Vec<Line<'_>>)> = None;
    for slot in &window.slots {
        let line = match *slot {
            Slot::Row { row, line } => {
                if last.as_ref().is_none_or(|(at, _)| *at != row) {
                    last = Some((row, lister.lines(row)));
                }
                last.as_ref().and_then(|(_, lines)| lines.get(line).cloned()).unwrap_or_default()
            }
            Slot::Sticky(row) => lister.title(row),
            Slot::Below(row) => lister.below(row),
        };
        lines.push(line);
    }
    frame.render_widget(Paragraph::new(lines), inner);
    if window.is_cut {
        let rows = app.lists.rows.len();
        let mut state = ScrollbarState::new(rows).position(app.lists.selected);
        let bar = Scrollbar::new(ScrollbarOrientation::VerticalRight)
            .symbols(ratatui::symbols::scrollbar::VERTICAL)
            .begin_symbol(None)
            .end_symbol(None)
            .track_symbol(Some("│"))
            .thumb_symbol("▐")
            .track_style(theme.dim());
        frame.render_stateful_widget(bar, area, &mut state);
    }
}

/// How many lines a row takes where values are shown whole.
pub(super) fn height(app: &App, row: usize, columns: usize) -> usize {
    let lister = Lister { app, theme: Theme::new(false), columns, wide: true };
    lister.lines(row).len()
}

/// What lines are made with.
struct Lister<'a> {
    app: &'a App,
    theme: Theme,
    columns: usize,
    /// Values are shown whole, on lines of their own.
    wide: bool,
}

impl Lister<'_> {
    /// The lines of a row.
    fn lines(&self, index: usize) -> Vec<Line<'static>> {
        let (app, theme) = (self.app, self.theme);
        let Some(row) = app.lists.rows.get(index) else { return Vec::new() };
        if row.title().is_some() {
            return vec![self.lit(index, self.title(index))];
        }
        if let Row::Hint(hint) = row {
            return vec![Line::styled(format!("   {hint}"), theme.dim())];
        }
        let is_selected = index == app.lists.selected;
        let room = self.columns.saturating_sub(self.gutter_width());
        let mut spans = self.gutter(index, row);
        let cells = columns::cells(&app.document, &app.line, row);
        let raw = self.raw(row);
        match &cells {
            Some(cells) if self.wide || !is_selected => spans.extend(self.cells(cells, room)),
            Some(cells) => {
                // The row as it is written: the option, then its value.
                let option = cut(&visible(cells.option), room);
                let value = raw.get(option.len()..).filter(|_| raw.starts_with(&option));
                let column = app.lists.widths[0];
                spans.extend(self.text(&format!("{option:<column$}"), theme.title()));
                let left = room.saturating_sub(width(&option).max(column));
                spans.extend(self.text(&cut(value.unwrap_or_default(), left), Style::new()));
            }
            None => spans.extend(self.text(&cut(&raw, room), self.style_of(row))),
        }
        let mut lines = vec![Line::from(spans)];
        let is_whole = match &cells {
            Some(cells) => cells.kind.is_empty() && fits(&raw, room) || cells.rest.is_empty(),
            None => fits(&raw, room),
        };
        if self.wide && !is_whole {
            lines.extend(self.whole(row, &raw, room));
        }
        lines.into_iter().map(|line| self.lit(index, line)).collect()
    }

    /// The row on one line, as it is written; an empty one is said to be empty.
    fn raw(&self, row: &Row) -> String {
        let document = &self.app.document;
        let mut text = if let Row::Option(range) = row {
            let words = range.clone().map(|at| head(document.arg(at), MOST));
            words.collect::<Vec<_>>().join(" ")
        } else {
            self.app.row_text(row)
        };
        text.truncate(head(&text, MOST).len());
        if text.is_empty() { "(empty)".to_owned() } else { visible(&text).into_owned() }
    }

    /// The value whole, below the row.
    fn whole(&self, row: &Row, raw: &str, room: usize) -> Vec<Line<'static>> {
        let value = if let Row::Option(range) = row {
            raw.get(visible(self.app.document.arg(range.start)).len() + 1..)
        } else {
            Some(raw)
        };
        let indent = " ".repeat(self.gutter_width());
        let lines = wrap(value.unwrap_or(raw), room.max(8), "");
        let line = |text: String| {
            let mut spans = vec![Span::raw(indent.clone())];
            spans.extend(self.text(&text, self.theme.dim()));
            Line::from(spans)
        };
        lines.into_iter().map(line).collect()
    }

    /// The title of a section, with the place of the cursor in it.
    fn title(&self, index: usize) -> Line<'static> {
        let app = self.app;
        let Some(Row::Title { section, rows, folded }) = app.lists.rows.get(index) else {
            return Line::default();
        };
        let mark = if *folded { "▸ " } else { "" };
        let sign = app.worst_of(*section).filter(|_| *folded);
        let sign = sign.map(|verdict| format!("{} ", verdict.sign().0)).unwrap_or_default();
        let title = cut(&format!("{mark}{sign}{}", section.title()), self.columns);
        let own = app.lists.rows[index + 1..].iter();
        let own = own.take_while(|row| row.title().is_none());
        let own = own.filter(|row| row.is_selectable()).count();
        let inside = index + 1..=index + own;
        let place = if *folded {
            format!("{rows} folded")
        } else if inside.contains(&app.lists.selected) {
            let of = if own < *rows { format!("{own} ({rows} in all)") } else { own.to_string() };
            format!("{} of {of}", app.lists.selected - index)
        } else {
            rows.to_string()
        };
        let gap = self.columns.saturating_sub(width(&title) + width(&place) + 1);
        Line::from(vec![
            Span::styled(title, self.theme.title()),
            Span::raw(" ".repeat(gap.max(1))),
            Span::styled(place, self.theme.dim()),
        ])
    }

    /// What is below the last line that is shown.
    fn below(&self, row: usize) -> Line<'static> {
        let titles = self.app.lists.rows[row..].iter().filter_map(Row::title);
        let titles = titles.map(|(section, rows)| {
            let sign = self.app.worst_of(section).map(|verdict| format!("{} ", verdict.sign().0));
            format!("{}{} {rows}", sign.unwrap_or_default(), section.title())
        });
        let titles = titles.collect::<Vec<_>>().join(" · ");
        // The key leads to the next section, which may stand above.
        let between = &self.app.lists.rows[self.app.lists.selected.min(row)..row];
        let is_next = !between.iter().skip(1).any(|row| row.title().is_some());
        let action = crate::tui::action::Action::NextSection;
        let key = self.app.keymap.key_of(Mode::List, action).filter(|_| is_next);
        Line::from(vec![
            Span::styled(cut(&format!("{titles} ↓ "), self.columns), self.theme.title()),
            Span::styled(
                key.map(|key| format!(" {key} goes there")).unwrap_or_default(),
                self.theme.dim(),
            ),
        ])
    }

    fn gutter_width(&self) -> usize {
        if self.columns < NARROW { NARROW_GUTTER } else { GUTTER }
    }

    /// The mark, the sign, and who it is.
    fn gutter(&self, index: usize, row: &Row) -> Vec<Span<'static>> {
        let (app, theme) = (self.app, self.theme);
        let mark = if app.lists.marked.contains(&index) { "▸" } else { " " };
        let (sign, who, style) = match app.verdict_of(row) {
            Some(verdict) => (verdict.sign().0, self.who(row, verdict), theme.verdict(verdict)),
            None if matches!(row, Row::Disabled(_)) => ("–", "off".to_owned(), theme.dim()),
            None => ("…", String::new(), theme.dim()),
        };
        let columns = self.gutter_width();
        let text = cut(&format!("{mark}{sign} {who}"), columns - 1);
        let gap = " ".repeat(columns - width(&text));
        vec![Span::styled(text, style), Span::raw(gap)]
    }

    /// The layer that is met first of those that say the worst, and how many say the same behind it.
    fn who(&self, row: &Row, verdict: Verdict) -> String {
        if verdict == Verdict::Allows {
            return String::new();
        }
        let said = self.app.findings_of(row).filter(|finding| finding.verdict == verdict);
        let said: Vec<&Finding> = said.collect();
        let first = said.iter().find(|finding| finding.first).or(said.first());
        let layer = match first {
            Some(finding) => finding.layer,
            // What libvirt drops or refuses needs no rule to be seen.
            None => Layer::Libvirt,
        };
        let mut others: Vec<Layer> = said.iter().map(|finding| finding.layer).collect();
        others.sort_unstable();
        others.dedup();
        let more = others.len().saturating_sub(1);
        let narrow = self.columns < NARROW;
        let short = &layer.short()[..layer.short().len().min(4)];
        let name = if narrow { layer.row().column.unwrap_or(short) } else { layer.short() };
        match more {
            0 => name.to_owned(),
            more if narrow => format!("{name}+{more}"),
            more => format!("{name} +{more}"),
        }
    }

    /// The parts of an option, each in its column.
    fn cells(&self, cells: &Cells<'_>, room: usize) -> Vec<Span<'static>> {
        let theme = self.theme;
        let [option, kind, id] = self.app.lists.widths;
        // What the option is about needs the room most.
        let shared = room.saturating_sub(option + 3);
        let (kind, id) = (kind.min(shared / 3), id.min(shared / 5));
        let mut spans = Vec::new();
        let mut left = room;
        let mut put = |text: &str, columns: usize, style: Style, left: &mut usize| {
            let text = cut(&visible(text), columns.min(*left));
            let gap = (columns.min(*left)).saturating_sub(width(&text)) + 1;
            spans.extend(self.text(&text, style));
            spans.push(Span::raw(" ".repeat(gap)));
            *left = left.saturating_sub(columns + 1);
        };
        let is_alone = cells.kind.is_empty() && cells.id.is_empty() && cells.rest.is_empty();
        let option = if is_alone { room } else { option };
        put(cells.option, option, theme.title(), &mut left);
        let is_plain = cells.kind.is_empty() && cells.id.is_empty();
        if !is_plain && self.columns >= NARROW {
            put(cells.kind, kind, Style::new(), &mut left);
            put(cells.id, id, Style::new(), &mut left);
        } else if !is_plain {
            let words = if cells.kind.is_empty() { cells.id } else { cells.kind };
            put(words, width(words).min(kind), Style::new(), &mut left);
        }
        let rest = visible(&cells.rest);
        let rest = if rest.starts_with('/') { cut_front(&rest, left) } else { cut(&rest, left) };
        spans.extend(self.text(&rest, Style::new()));
        spans
    }

    /// A text, with what is searched for marked in it.
    fn text(&self, text: &str, style: Style) -> Vec<Span<'static>> {
        marked(text, self.app.search_words().unwrap_or_default(), style, self.theme.found())
    }

    fn style_of(&self, row: &Row) -> Style {
        match row {
            Row::Disabled(_) => self.theme.dim(),
            Row::Lost(..) => self.theme.lost(),
            Row::Option(_)
            | Row::Variable(_)
            | Row::Extra(_)
            | Row::Broken(_)
            | Row::General(_)
            | Row::Title { .. }
            | Row::Hint(_) => Style::new(),
        }
    }

    /// The line with the cursor's bar where the cursor is on its row.
    fn lit(&self, index: usize, mut line: Line<'static>) -> Line<'static> {
        if index != self.app.lists.selected {
            return line;
        }
        let used = line.width();
        line.push_span(Span::raw(" ".repeat(self.columns.saturating_sub(used))));
        line.patch_style(self.theme.selected(self.app.mode != Mode::Side))
    }
}

/// The beginning of a text, at most so many bytes of it.
fn head(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}
