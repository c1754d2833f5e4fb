//! The way to a VM that starts, step by step.

use serde_json::{Value, json};

use super::remedy_text;
use super::text::line;
use crate::rules::{Actor, Route, Stage, Step};

/// The steps in their order, who does each and whom it lets in, and what is left.
pub fn write(path: &str, route: &Route) -> String {
    let mut out = String::new();
    line(&mut out, &format!("{path}: {}", head(route)));
    for (stage, number) in route.stages.iter().zip(1..) {
        let title = &stage.remedy.title;
        line(&mut out, &format!("{number:>3}. {}: {title}", actor(stage)));
        if let Some(text) = remedy_text(&stage.document, &stage.remedy) {
            // New text of the document keeps its lines.
            for part in text.lines() {
                line(&mut out, &format!("       {part}"));
            }
        }
        line(&mut out, &format!("       · {} [{}]", stage.finding.message, stage.finding.rule));
    }
    for finding in &route.left {
        let words = format!("  left, as far as is known: {} [{}]", finding.message, finding.rule);
        line(&mut out, &words);
        for remedy in finding.remedies.iter().filter(|remedy| remedy.is_a_step()) {
            let how = match remedy.step {
                Step::Nothing => "by hand".to_owned(),
                Step::EditXml(_) | Step::RunCommand(_) | Step::SetOption { .. } => remedy.heading(),
            };
            line(&mut out, &format!("       → {how}: {}", remedy.title));
        }
    }
    if !route.partial {
        for finding in &route.unknown {
            line(&mut out, &format!("  not known: {} [{}]", finding.message, finding.rule));
        }
    }
    out
}

/// How much there is to do, and what comes of it.
pub fn head(route: &Route) -> String {
    let steps = match route.stages.len() {
        0 => "there is nothing to do".to_owned(),
        1 => "one step".to_owned(),
        many => format!("{many} steps, in this order"),
    };
    let what = if route.partial { "this entry" } else { "the start" };
    match (route.stages.is_empty(), route.left.len()) {
        (true, 0) => format!("{steps}: nothing that is known blocks {what}"),
        (false, 0) => format!("{steps}; then nothing that is known blocks {what}"),
        (true, left) => format!("no step is known for what blocks ({left})"),
        (false, left) => format!("{steps}; then {left} of what blocks is left"),
    }
}

/// Who does a step, and whom it lets in.
pub fn actor(stage: &Stage) -> String {
    let who = Actor::of(&stage.remedy).words();
    match stage.remedy.lets_in {
        Some(reach) => format!("{who} (lets in {})", reach.words()),
        None => who.to_owned(),
    }
}

/// The way for scripts.
pub(super) fn value(route: &Route) -> Value {
    let stage = |stage: &Stage| {
        let remedy = super::json::remedy_value(&stage.document, &stage.remedy);
        json!({ "who": Actor::of(&stage.remedy).word(), "rule": stage.finding.rule, "settles": stage.finding.message, "remedy": remedy })
    };
    let left = route.left.iter().map(|f| json!({ "rule": f.rule, "message": f.message }));
    let unknown = route.unknown.iter().map(|f| json!({ "rule": f.rule, "message": f.message }));
    json!({
        "unknown": unknown.collect::<Vec<_>>(),
        "steps": route.stages.iter().map(stage).collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
    })
}
