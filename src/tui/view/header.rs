//! The first line: what is edited, and in one sentence what will happen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::text::{cut, cut_front, width};
use crate::tui::app::App;
use crate::tui::theme::Theme;
use crate::visible::visible;

/// Below this width there is little room.
const NARROW: usize = 60;

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let columns = usize::from(area.width);
    let (domain, from) = name(app);
    // Where there is little room the state is a sign, and comes first.
    let is_narrow = columns < NARROW;
    let state = state(app);
    let sign_of_state = if is_narrow { short_state(&state) } else { "" };
    let state = if is_narrow { String::new() } else { state };
    let domain = format!("{sign_of_state}{domain}");
    let outlook = app.outlook();
    let beside = app.judging.tally.beside(outlook.verdict);
    let counts: String = beside
        .iter()
        .filter(|_| app.judging.host.is_some() && app.is_judged())
        .map(|(verdict, count)| format!(" {} {count}", verdict.sign().0))
        .collect();
    // The sentence is what the screen is for; the name is cut before it is.
    let sign = outlook.verdict.map(|verdict| format!("{} ", verdict.sign().0)).unwrap_or_default();
    let short = &*outlook.short;
    let before = |end: char| short.split(end).next().unwrap_or(short);
    let sentences = [&*outlook.long, short, before(','), before(':')];
    let mut sentences = sentences.into_iter().map(|sentence| format!(" {sign}{sentence} "));
    let left = width(&domain) + width(&from) + width(&state) + 3;
    let needs = |sentence: &str| left.min(columns / 3) + width(sentence);
    let last = format!(" {sign}{} ", before(':'));
    let sentence = sentences.find(|sentence| needs(sentence) <= columns).unwrap_or(last);
    let has_room = needs(&sentence) + width(&counts) <= columns;
    let counts = if has_room { counts } else { String::new() };
    let taken = width(&sentence) + width(&counts);
    let room = columns.saturating_sub(taken);
    // Of a path the end tells more.
    let fixed = width(&domain) + width(&state) + 2;
    let from = cut_front(&from, room.saturating_sub(fixed).max(8));
    let left = cut(&format!(" {domain}{from} {state}"), room);
    let gap = " ".repeat(room.saturating_sub(width(&left)));
    let style = outlook.verdict.map_or(theme.bar(), |verdict| theme.badge(verdict));
    let spans = vec![
        Span::styled(left, theme.bar()),
        Span::styled(gap, theme.bar()),
        Span::styled(cut(&sentence, columns), style),
        Span::styled(counts, theme.bar()),
    ];
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The domain and where it comes from.
fn name(app: &App) -> (String, String) {
    let domain = visible(&app.document.facts().name).into_owned();
    let from = visible(&app.file.title).into_owned();
    let domain =
        if domain.is_empty() || domain == from { String::new() } else { format!("{domain} · ") };
    (domain, from)
}

/// What is unsaved, or can't be saved, in few signs.
fn short_state(state: &str) -> &'static str {
    match state {
        state if state.contains("by others") => "[!] ",
        state if state.contains("modified") => "[+] ",
        state if state.contains("saving") => "[…] ",
        state if state.contains("read-only") => "[ro] ",
        state if state.contains("only") => "[f] ",
        _ => "",
    }
}

/// What is unsaved, and what of the rows is shown.
fn state(app: &App) -> String {
    let cannot = app.file.readonly.or(app.file.protected).or(app.file.look_only).is_some();
    let state = match (app.is_modified(), cannot) {
        _ if app.file.saving => "[saving…] ",
        (true, _) if app.file.unkept => "[modified, not kept] ",
        (true, false) if app.file.theirs.is_some() => "[modified, by others too] ",
        (false, _) if app.file.theirs.is_some() => "[changed by others] ",
        (true, false) => "[modified] ",
        (true, true) => "[modified, cannot be saved] ",
        (false, true) => "[read-only] ",
        (false, false) => "",
    };
    let only = match (app.lists.filter.words(), app.lists.wanted.is_empty()) {
        (None, true) => String::new(),
        (Some(words), true) => format!("[{words}] "),
        (_, false) => format!("[only {}] ", visible(&app.lists.wanted)),
    };
    format!("{state}{only}")
}
