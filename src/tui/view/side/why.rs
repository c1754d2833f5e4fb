//! Why the selected row is let through or stopped: the layers in the order in which they are met, then what to do.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::text::{cut, width, wrap};
use super::text::Text;
use crate::report::remedy_text;
use crate::rules::{Finding, LAYERS, Layer, Step, Verdict};
use crate::tui::action::Action;
use crate::tui::app::{App, Way};
use crate::tui::keymap::Mode;
use crate::tui::rows::Row;
use crate::tui::theme::Theme;
use crate::tui::view::difference;
use crate::visible::visible;

/// Columns of a layer's sign and name.
const NAME: usize = 13;
/// Columns of a way's number and verb.
const VERB: usize = 11;
/// More lines of the row's own text are not repeated.
const REPEATED: usize = 3;

/// What the pane shows.
#[derive(Default)]
pub(super) struct Shown {
    /// Its lines.
    pub(super) lines: Vec<Line<'static>>,
    /// Those that are to be in sight.
    pub(super) follow: Option<Range<usize>>,
    /// The lines of each thing that can be done.
    pub(super) ways: Vec<Range<usize>>,
}

/// The lines of the pane: what was observed is cut to a line each where the whole would not fit.
pub(super) fn lines(app: &App, theme: Theme, columns: usize, height: usize) -> Shown {
    let mut text = Text { lines: Vec::new(), columns };
    let row = app.lists.rows.get(app.lists.selected).filter(|row| row.is_selectable());
    if let Some(row) = row.filter(|row| !row.is_folded()) {
        repeat(&mut text, app, row, theme);
    }
    let instead = nothing(app, row);
    let (Some(row), None) = (row, instead) else {
        let (words, is_welcome) = instead.unwrap_or_default();
        let style = if is_welcome { Style::new() } else { theme.dim() };
        text.add(words, "", "", style);
        return Shown { lines: text.lines, ..Shown::default() };
    };
    // What stands below is made once, whatever room the layers get.
    let mut below = Text { lines: Vec::new(), columns };
    if app.side.details {
        details(&mut below, app, row, theme);
    }
    let (chosen, ways) = ways(&mut below, app, theme);
    identity(&mut below, app, theme);
    let way = |whole: bool| {
        let mut way = Text { lines: Vec::new(), columns };
        layers(&mut way, app, row, (theme, whole));
        way.lines
    };
    let mut way_there = way(true);
    let used = text.lines.len() + below.lines.len();
    if !app.side.details && used + way_there.len() > height {
        way_there = way(false);
    }
    text.lines.extend(way_there);
    let from = text.lines.len();
    let moved = |lines: Range<usize>| lines.start + from..lines.end + from;
    text.lines.extend(below.lines);
    Shown {
        lines: text.lines,
        follow: chosen.map(moved),
        ways: ways.into_iter().map(moved).collect(),
    }
}

/// Why there is nothing to say about the selection, and whether that is what one came for.
fn nothing(app: &App, row: Option<&Row>) -> Option<(&'static str, bool)> {
    let Some(row) = row else {
        let words = "This domain has no passthrough. 'a' adds an argument, 'e' a variable of QEMU's environment; a command line, a script or XML of a guide is pasted right here, and shown before it is taken.";
        return Some((words, true));
    };
    let words = if row.is_folded() {
        "Folded: Enter shows its rows again."
    } else if matches!(row, Row::Disabled(_)) {
        "This is switched off: neither libvirt nor QEMU sees it. Space switches it on again."
    } else if app.judging.host.is_none() {
        "The host is being looked at …"
    } else if !app.is_judged() {
        "It is being judged …"
    } else {
        return None;
    };
    Some((words, false))
}

/// Who QEMU runs as, and what this was said by.
fn identity(text: &mut Text, app: &App, theme: Theme) {
    let Some(host) = &app.judging.host else { return };
    let label = crate::libvirt::identity::dac_label(app.document.facts());
    if let Some(crate::facts::Known::Yes(identity)) = host.identities.get(&label) {
        text.blank();
        text.add(&format!("{}; {}", identity.sentence(), source(host)), "", "", theme.dim());
    }
}

/// The row's own text, as far as the list may have cut it.
fn repeat(text: &mut Text, app: &App, row: &Row, theme: Theme) {
    if matches!(row, Row::General(_)) {
        return;
    }
    let before = text.lines.len();
    text.add(&app.row_text(row), "", "  ", theme.title());
    if text.lines.len() > before + REPEATED && !app.side.details {
        text.lines.truncate(before + REPEATED);
        if let Some(last) = text.lines.last_mut() {
            last.push_span(Span::styled(" …", theme.dim()));
        }
    }
}

/// Each thing that the row names, with the layers on the way to it.
fn layers(text: &mut Text, app: &App, row: &Row, (theme, whole): (Theme, bool)) {
    let findings: Vec<&Finding> = app.findings_of(row).collect();
    if findings.is_empty() {
        let words = "names nothing on the host that a layer would stop";
        text.add(words, " ✓ ", "   ", theme.verdict(Verdict::Allows));
        return;
    }
    let mut things: Vec<Option<&str>> = Vec::new();
    for finding in &findings {
        let thing = finding.resource.as_ref().map(crate::qemu::Resource::name);
        if !things.contains(&thing) {
            things.push(thing);
        }
    }
    for thing in &things {
        let mut own: Vec<&Finding> = findings
            .iter()
            .filter(|f| f.resource.as_ref().map(crate::qemu::Resource::name) == *thing)
            .copied()
            .collect();
        own.sort_by_key(|finding| (finding.met, finding.layer));
        if things.iter().flatten().count() > 1
            && let Some(name) = thing
        {
            text.add(name, "", "  ", theme.title());
        }
        way_to(text, app, (theme, whole), &own, thing.is_some());
    }
}

/// The layers in the order in which they are met, a line each; where it is stopped there is room for the reason.
fn way_to(
    text: &mut Text,
    app: &App,
    (theme, whole): (Theme, bool),
    own: &[&Finding],
    is_thing: bool,
) {
    let stops = |finding: &&Finding| finding.verdict == Verdict::Blocks && finding.first;
    let at = own.iter().position(stops).filter(|_| is_thing);
    let mut willing: Vec<&str> = Vec::new();
    for (index, finding) in own.iter().enumerate() {
        // Behind the one that stops it, who would let it through is told in few words.
        if finding.verdict == Verdict::Allows && at.is_some_and(|stop| index > stop) {
            willing.push(label(finding.layer));
            continue;
        }
        let place = match at {
            Some(stop) if stop == index => Place::Here,
            Some(stop) if index > stop => Place::Behind,
            Some(_) | None => Place::Before,
        };
        one(text, app, (theme, whole), finding, place);
    }
    let silent = LAYERS.iter().filter(|row| row.column.is_some());
    let silent = silent.filter(|row| !own.iter().any(|finding| finding.layer == row.layer));
    let silent: Vec<&str> = silent.map(|row| label(row.layer)).collect();
    let mut words = Vec::new();
    if !willing.is_empty() {
        words.push(format!("{} would let it through", willing.join(", ")));
    }
    if is_thing && !silent.is_empty() {
        let have = if silent.len() == 1 { "has" } else { "have" };
        words.push(format!("{} {have} no say", silent.join(", ")));
    }
    if !words.is_empty() {
        text.add(&words.join("; "), " – ", "   ", theme.dim());
    }
}

/// Where a layer is met: before, at or behind the one that stops it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Here,
    Behind,
}

fn one(text: &mut Text, app: &App, (theme, whole): (Theme, bool), finding: &Finding, place: Place) {
    let (sign, _) = finding.verdict.sign();
    let mark = if place == Place::Here { "▸" } else { " " };
    let head = format!("{mark}{sign} {:<width$}", label(finding.layer), width = NAME - 3);
    let what = match finding.verdict {
        Verdict::Allows => "lets it through",
        Verdict::Blocks | Verdict::Warns | Verdict::Unknown | Verdict::Note => &finding.message,
    };
    let room = text.columns.saturating_sub(NAME).max(16);
    let is_short = place == Place::Behind && !whole;
    let mut lines =
        if is_short { vec![cut(&visible(what), room)] } else { wrap(&visible(what), room, "") };
    // What was observed, beside it where there is room, else below.
    if let Some(seen) = finding.evidence.first().filter(|_| !app.side.details) {
        let seen = format!("[{}]", visible(seen));
        let last = lines.last().map_or(0, |line| width(line));
        if last + 2 + width(&seen) <= room {
            if let Some(line) = lines.last_mut() {
                line.push_str(&format!("  {seen}"));
            }
        } else if whole {
            lines.extend(wrap(&seen, room, " "));
        } else if !is_short {
            lines.push(cut(&seen, room));
        }
    }
    for (at, line) in lines.into_iter().enumerate() {
        let left = if at == 0 { head.clone() } else { " ".repeat(NAME) };
        let style = theme.verdict(finding.verdict);
        text.lines.push(Line::from(vec![Span::styled(left, style), Span::raw(line)]));
    }
}

/// A layer's name in its column: that of the gutter, but for one that is too short to be understood.
fn label(layer: Layer) -> &'static str {
    if layer == Layer::Namespaces { "namespace" } else { layer.short() }
}

/// What to do, numbered; the lines of the chosen one, and those of each.
fn ways(text: &mut Text, app: &App, theme: Theme) -> (Option<Range<usize>>, Vec<Range<usize>>) {
    let ways = app.ways();
    let mut places = Vec::new();
    if ways.is_empty() {
        return (None, places);
    }
    let choosing = app.mode == Mode::Remedies;
    text.blank();
    heading(text, app, theme, &ways, choosing);
    let top = text.lines.len().saturating_sub(1);
    let mut planned = ways.first().is_some_and(|way| way.is_planned);
    for (at, way) in ways.iter().enumerate() {
        if planned && !way.is_planned {
            text.add("or, layer by layer", "", "", theme.dim());
        }
        planned = way.is_planned;
        let from = text.lines.len();
        way_out(text, app, theme, at + 1, way, choosing && at == app.over.remedy);
        places.push(from..text.lines.len());
    }
    let chosen = places.get(app.over.remedy).filter(|_| choosing).cloned();
    // With the first one its title is in sight.
    let chosen = chosen.map(|lines| if app.over.remedy == 0 { top..lines.end } else { lines });
    (chosen, places)
}

fn heading(text: &mut Text, app: &App, theme: Theme, ways: &[Way], choosing: bool) {
    let steps = ways.iter().filter(|way| way.is_planned).count();
    let title = match (steps, app.way_is_whole()) {
        (0, _) => "What to do".to_owned(),
        (1, true) => "What to do: one step".to_owned(),
        (many, true) => format!("What to do: {many} steps, in this order"),
        (many, false) => format!("What to do: {many} of the steps; not all are known"),
    };
    let key = |mode, action| app.keymap.key_of(mode, action).unwrap_or_default();
    let hint = if choosing {
        let all = key(Mode::Remedies, Action::CopyAll);
        format!("Enter does or copies it  {all} copies all")
    } else {
        format!("{} chooses", key(Mode::List, Action::Remedies))
    };
    let gap = text.columns.saturating_sub(width(&title) + width(&hint));
    let mut spans = vec![Span::styled(title, theme.title())];
    if gap >= 2 {
        spans.push(Span::raw(" ".repeat(gap)));
        spans.push(Span::styled(hint, theme.dim()));
    }
    text.lines.push(Line::from(spans));
}

/// One thing that can be done: its number, what Enter does, what it is and whom it lets in.
fn way_out(text: &mut Text, app: &App, theme: Theme, number: usize, way: &Way, is_chosen: bool) {
    let from = text.lines.len();
    let columns = text.columns;
    let room = columns.saturating_sub(VERB).max(16);
    let reach = way.remedy.lets_in.map(|reach| format!(" ({})", reach.words())).unwrap_or_default();
    let of = if way.is_planned { String::new() } else { format!("{}: ", label(way.layer)) };
    let title = format!("{of}{}{reach}", way.remedy.title);
    let verb = format!("{number:>2} {:<width$}", way.verb(), width = VERB - 3);
    let lines = wrap(&visible(&title), room, "");
    let mut put = |at: usize, line: String, style: Style| {
        let left = if at == 0 { verb.clone() } else { " ".repeat(VERB) };
        text.lines
            .push(Line::from(vec![Span::styled(left, theme.key()), Span::styled(line, style)]));
    };
    let mut count = 0;
    for line in lines {
        put(count, line, Style::new());
        count += 1;
    }
    let is_edit = matches!(way.remedy.step, Step::EditXml(_));
    if let Some(step) = remedy_text(&way.document, &way.remedy).filter(|_| !is_edit) {
        for line in wrap(&visible(&step), room, "  ") {
            put(count, line, theme.command());
            count += 1;
        }
    }
    if !is_chosen {
        return;
    }
    for line in &mut text.lines[from..] {
        let used = line.width();
        line.push_span(Span::raw(" ".repeat(columns.saturating_sub(used))));
        *line = std::mem::take(line).patch_style(theme.selected(true));
    }
    // What it changes, before it is taken.
    if let Some(edited) = way.edited() {
        text.lines.extend(difference::close(app.document.source(), &edited, theme, columns));
    }
}

/// Everything that was observed, and where the story is told.
fn details(text: &mut Text, app: &App, row: &Row, theme: Theme) {
    for finding in app.findings_of(row).filter(|finding| finding.verdict != Verdict::Allows) {
        text.blank();
        let (sign, word) = finding.verdict.sign();
        let head = format!("{word} by {}: {}", finding.layer.title(), finding.message);
        text.add(&head, &format!("{sign} "), "  ", theme.verdict(finding.verdict));
        for evidence in &finding.evidence {
            text.add(evidence, "  · ", "    ", Style::new());
        }
        for remedy in finding.remedies.iter().filter(|remedy| !remedy.is_a_step()) {
            text.add(&remedy.title, &format!("  – {}: ", remedy.heading()), "    ", theme.dim());
        }
        text.add(&format!("qpt-tui explain {}", finding.rule), "  why: ", "    ", theme.dim());
    }
}

fn source(host: &crate::facts::HostFacts) -> String {
    let version = |name: &str, known: &crate::facts::Known<String>| {
        known.yes().map(|version| format!("{name} {version}"))
    };
    let found: Vec<String> = [version("libvirt", &host.libvirt), version("QEMU", &host.qemu)]
        .into_iter()
        .flatten()
        .collect();
    let found = if found.is_empty() {
        "libvirt and QEMU are not installed".to_owned()
    } else {
        found.join(", ")
    };
    if host.source == "live" {
        format!("this host has {found}")
    } else {
        format!("{}: {found}", host.source)
    }
}
