//! What a message may mean, for people and for scripts.

use super::text::line;
use crate::rules::Answer;

/// Without a document: the rules, grouped by what the words mean.
pub fn write(answers: &[Answer]) -> String {
    let mut out = String::new();
    let mut last = "";
    for answer in answers {
        if answer.what != last {
            line(&mut out, answer.what);
            last = answer.what;
        }
        let rule = answer.rule;
        line(
            &mut out,
            &format!("    {:<11} {}: qpt-tui explain {}", rule.layer.word(), rule.summary, rule.id),
        );
    }
    out
}
