//! What stands over the panes: the form, the remedies, a question.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::difference;
use super::text::{cut, width, wrap};
use crate::domain::merge::Merge;
use crate::store::Theirs;
use crate::store::journal::Typed;
use crate::tui::app::{App, Question};
use crate::tui::form::{Form, Target};
use crate::tui::theme::Theme;
use crate::visible::visible;

/// A box in the middle of `area`.
pub(super) fn open(
    frame: &mut Frame<'_>,
    area: Rect,
    height: u16,
    title: &str,
    theme: Theme,
) -> Rect {
    let outer = outer(area, height);
    let block = Block::new()
        .borders(Borders::ALL)
        .title(format!(" {} ", cut(title, usize::from(outer.width.saturating_sub(6)))))
        .title_style(theme.title());
    frame.render_widget(Clear, outer);
    frame.render_widget(block, outer);
    inner(outer)
}

/// Where a box of a height stands.
pub(super) fn outer(area: Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    let columns = area.width.min(110);
    let (x, y) = (area.x + (area.width - columns) / 2, area.y + (area.height - height) / 2);
    Rect { x, y, width: columns, height }
}

/// What is inside the frame of a box.
pub(super) fn inner(outer: Rect) -> Rect {
    Block::new().borders(Borders::ALL).inner(outer)
}

/// Lines of a form, with its frame.
const FORM: u16 = 8;

/// Where the form stands.
pub(super) fn form_box(app: &App, area: Rect) -> Rect {
    let is_apart = app.form.as_ref().is_some_and(|form| form.parts.is_some());
    outer(area, if is_apart { area.height } else { FORM })
}

pub(super) fn form(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let Some(form) = &app.form else { return };
    let title = match &form.target {
        Target::Replace(..) => "Edit",
        Target::Insert(..) => "Add",
        Target::Repair(..) => "Repair",
    };
    if form.parts.is_some() {
        return parts(frame, area, form, theme);
    }
    let inner = open(frame, area, FORM, title, theme);
    let [first, second, _, remark] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
    ])
    .areas(inner);
    for (index, row) in [first, second].into_iter().enumerate() {
        let [label, field] =
            Layout::horizontal([Constraint::Length(8), Constraint::Fill(1)]).areas(row);
        let focused = form.focus == index;
        let style = if focused { theme.key() } else { theme.dim() };
        frame.render_widget(
            Paragraph::new(format!("{:<7}", form.labels()[index])).style(style),
            label,
        );
        if focused {
            let mut area = form.fields[index].clone();
            area.set_style(Style::new().add_modifier(Modifier::UNDERLINED));
            frame.render_widget(&area, field);
        } else {
            frame.render_widget(
                Paragraph::new(cut(&visible(&form.text(index)), usize::from(field.width))),
                field,
            );
        }
    }
    let (text, style) = match (&form.error, &app.status) {
        (Some(error), _) => (error.clone(), theme.error()),
        (None, Some(status)) if status.failed => (status.text.clone(), theme.error()),
        (None, Some(status)) => (status.text.clone(), theme.title()),
        (None, None) => (suggestions(app).unwrap_or_else(|| form.remark()), theme.dim()),
    };
    let lines: Vec<Line<'_>> = wrap(&visible(&text), usize::from(remark.width), "")
        .into_iter()
        .map(|line| Line::styled(line, style))
        .collect();
    frame.render_widget(Paragraph::new(lines), remark);
}

/// A value taken apart: a row for each key.
fn parts(frame: &mut Frame<'_>, area: Rect, form: &Form, theme: Theme) {
    let Some(parts) = &form.parts else { return };
    let title = format!("{} {}", visible(&form.text(0)), visible(&parts.text()));
    let inner = open(frame, area, area.height, &title, theme);
    let height = usize::from(inner.height);
    let first = (parts.at + 1).saturating_sub(height);
    let names = parts.rows.iter().map(|row| width(&row.key)).max().unwrap_or(0).clamp(8, 24);
    for (line, (index, row)) in parts.rows.iter().enumerate().skip(first).take(height).enumerate() {
        let place = Rect { y: inner.y + u16::try_from(line).unwrap_or(0), height: 1, ..inner };
        let columns = [
            Constraint::Length(u16::try_from(names + 1).unwrap_or(24)),
            Constraint::Percentage(45),
            Constraint::Fill(1),
        ];
        let [key, value, what] = Layout::horizontal(columns).areas(place);
        let chosen = index == parts.at;
        let style = if chosen { theme.key() } else { theme.dim() };
        frame.render_widget(Paragraph::new(cut(&visible(&row.key), names)).style(style), key);
        if chosen {
            let mut typed = row.value.clone();
            typed.set_style(Style::new().add_modifier(Modifier::UNDERLINED));
            frame.render_widget(&typed, value);
        } else {
            let text = row.value.lines().join(" ");
            frame.render_widget(
                Paragraph::new(cut(&visible(&text), usize::from(value.width))),
                value,
            );
        }
        frame.render_widget(
            Paragraph::new(cut(&format!(" {}", visible(&row.what)), usize::from(what.width)))
                .style(theme.dim()),
            what,
        );
    }
}

/// What can come next, the one that completing takes first.
fn suggestions(app: &App) -> Option<String> {
    let candidates = app.candidates();
    if candidates.is_empty() {
        let next = app.form.as_ref()?.next_taken()?;
        return Some(format!("Ctrl-n: {} instead", next.name));
    }
    let first = candidates.first()?;
    let what = if first.what.is_empty() { String::new() } else { format!(" ({})", first.what) };
    let others: Vec<&str> =
        candidates.iter().skip(1).take(40).map(|candidate| candidate.name.as_str()).collect();
    Some(format!("Ctrl-n: {}{what}   {}", first.name, others.join(" ")))
}

/// The first words of the demo.
pub(super) fn tour(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let columns = usize::from(area.width.min(110).saturating_sub(2));
    let lines: Vec<String> = TOUR.lines().flat_map(|line| wrap(line, columns, "    ")).collect();
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = open(frame, area, height, "qpt-tui", theme);
    frame.render_widget(
        Paragraph::new(lines.into_iter().map(Line::from).collect::<Vec<_>>()),
        inner,
    );
}

const TOUR: &str = include_str!("../../../assets/demo/tour.md");

pub(super) fn question(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let Some(question) = &app.questions.asked else { return };
    let columns = usize::from(area.width.min(110).saturating_sub(2));
    let mut lines: Vec<Line<'_>> =
        wrap(&visible(&question.text()), columns, "").into_iter().map(Line::from).collect();
    if *question == Question::Looking && app.judging.waited > 0 {
        lines.push(Line::styled(format!("{} s", app.judging.waited), theme.dim()));
    }
    let answers = super::footer::left_out(app, usize::from(area.width)).join("  ");
    if !answers.is_empty() {
        let answers = wrap(&answers, columns, "").into_iter();
        lines.extend(answers.map(|line| Line::styled(line, theme.key())));
    }
    let body = compared(question, app, theme, columns);
    if !body.is_empty() {
        lines.push(Line::default());
        lines.extend(body);
    }
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = open(frame, area, height, question.title(), theme);
    let shown = usize::from(inner.height);
    let first = app.side.scroll.min(lines.len().saturating_sub(shown));
    scrolled(frame, inner, lines, first, theme);
}

/// Which of some things stands at a place of a part of a box, whose lines from `first` on are shown.
pub(super) fn thing_at(
    part: Rect,
    first: usize,
    places: &[std::ops::Range<usize>],
    (column, row): (u16, u16),
) -> Option<usize> {
    let line = first + usize::from(row.checked_sub(part.y)?);
    let is_inside = part.contains((column, row).into());
    places.iter().position(|place| is_inside && place.contains(&line))
}

/// Lines from `first` on, as many as there is room for, and on the frame below them whether there are more.
pub(super) fn scrolled(
    frame: &mut Frame<'_>,
    inner: Rect,
    lines: Vec<Line<'_>>,
    first: usize,
    theme: Theme,
) {
    let shown = usize::from(inner.height);
    let hidden = lines.len() > first + shown;
    frame.render_widget(
        Paragraph::new(lines.into_iter().skip(first).take(shown).collect::<Vec<_>>()),
        inner,
    );
    if hidden {
        let mark = Rect {
            x: inner.right().saturating_sub(10),
            y: inner.bottom(),
            width: 8.min(inner.width),
            height: 1,
        };
        frame.render_widget(Paragraph::new(" more ↓ ").style(theme.key()), mark);
    }
}

/// Lines of a report, each continued under its own text.
fn told(lines: &[String], columns: usize) -> Vec<Line<'static>> {
    let indent = |line: &str| " ".repeat(line.len() - line.trim_start().len());
    let all = lines.iter().flat_map(|line| wrap(line, columns, &indent(line)));
    all.map(Line::raw).collect()
}

/// The texts that a question is about.
fn compared(question: &Question, app: &App, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let head = |text: &'static str| Line::styled(text, theme.title());
    match question {
        Question::Restore(offer) if offer.shown => {
            let mut lines = vec![head("what restoring changes in the file's text")];
            lines.extend(difference::lines(&app.file.saved, offer.text(), theme, columns));
            if let Some(typed) = &offer.kept.draft.typed {
                let text = match typed {
                    Typed::Form { fields, .. } => format!("  {} {}", fields[0], fields[1]),
                    Typed::Import(text) => format!("  {text}"),
                };
                lines.push(head("half typed, and in no text yet"));
                lines.extend(wrap(&visible(&text), columns, "  ").into_iter().map(Line::raw));
            }
            if let Some(Merge::Clashes(clashes, _)) = &offer.merge {
                lines.extend(difference::beside(clashes, theme, columns));
            }
            lines
        }
        Question::Theirs(conflict) => {
            let Theirs::Text(theirs) = &conflict.theirs else { return Vec::new() };
            let mut lines = difference::beside(conflict.clashes(), theme, columns);
            lines.push(head("theirs: what somebody else changed"));
            lines.extend(difference::lines(&app.file.saved, theirs, theme, columns));
            lines.push(head("mine: what you changed"));
            lines.extend(difference::lines(&app.file.saved, app.document.source(), theme, columns));
            if let Some(Merge::Clean(merged)) = &conflict.merge {
                lines.push(head("the merge: what it changes in theirs"));
                lines.extend(difference::lines(theirs, merged, theme, columns));
            }
            lines
        }
        Question::Quit if app.file.theirs.is_some() => told(
            &["Somebody else changed it meanwhile; saving shows both first.".to_owned()],
            columns,
        ),
        Question::Plan(planned) => told(&planned.lines, columns),
        Question::Report(reported) => {
            told(&reported.row.lines().map(str::to_owned).collect::<Vec<_>>(), columns)
        }
        Question::Tried(lines) => told(lines.get(1..).unwrap_or_default(), columns),
        Question::Quit
        | Question::Looking
        | Question::TryOut
        | Question::Forgets(_)
        | Question::DropForm
        | Question::DropImport
        | Question::Restore(_)
        | Question::Elsewhere(_)
        | Question::InPlace(_)
        | Question::Exists(_)
        | Question::Trouble(_) => Vec::new(),
    }
}
