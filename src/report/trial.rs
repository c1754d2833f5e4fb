//! A real start beside what was foretold, for people.

use super::text::line;
use crate::trial::{Agreement, Foretold, Happened, Trial};

/// What was left out, foretold, and happened.
pub fn write(trial: &Trial, domain: &str) -> String {
    let mut out = String::new();
    line(&mut out, &format!("{domain}: tried for real, paused, and ended at once"));
    for what in &trial.left_out {
        row(&mut out, "left out", what);
    }
    match &trial.foretold {
        Foretold::Starts => row(&mut out, "foretold", "it starts"),
        Foretold::Fails(reasons) => {
            for why in reasons {
                row(&mut out, "foretold", &format!("it fails: {why}"));
            }
        }
        Foretold::Unknown(reasons) => {
            for why in reasons {
                row(&mut out, "foretold", &format!("unknown: {why}"));
            }
        }
    }
    match &trial.happened {
        Happened::Starts => row(&mut out, "happened", "it starts"),
        Happened::Fails(sentence) => {
            row(&mut out, "happened", &format!("it fails: {}", of_qemu(sentence)));
        }
    }
    let told =
        |words: &str| matches!(&trial.happened, Happened::Fails(said) if said.contains(words));
    for words in trial.log.iter().map(|line| of_qemu(line)).filter(|words| !told(words)) {
        row(&mut out, "its log", words);
    }
    let verdict = match trial.agreement() {
        Agreement::Agrees => "as foretold",
        Agreement::Differs => "OTHERWISE than foretold",
        Agreement::NothingForetold => "nothing certain was foretold",
    };
    row(&mut out, "so", verdict);
    if !trial.left_out.is_empty() {
        row(&mut out, "unproved", "what was left out");
    }
    for sentence in &trial.unproved {
        row(&mut out, "", &format!("of it is said that it fails: {sentence}"));
    }
    out
}

/// Where a bundle is, and what it is for.
pub fn bundle(path: &str, agreement: Agreement) -> String {
    let mut out = String::new();
    row(&mut out, "bundle", path);
    if agreement == Agreement::Differs {
        let what = "it has the document, what this host said and what happened: look for passwords in it, then attach it to an issue";
        row(&mut out, "", what);
    }
    out
}

/// The last words in libvirt's sentence or in a log that are QEMU's own, without the time and its name; the whole where none are.
fn of_qemu(text: &str) -> &str {
    let last = text.rsplit("; ").find(|part| !part.contains(": warning: ")).unwrap_or(text);
    let speaker = last.rmatch_indices("qemu-system-").next();
    let own = speaker.and_then(|(at, _)| last[at..].split_once(": ")).map(|(_, words)| words);
    own.unwrap_or(last)
}

fn row(out: &mut String, title: &str, text: &str) {
    line(out, &format!("  {title:<10}{text}"));
}

#[cfg(test)]
mod tests {
    use super::of_qemu;

    #[test]
    fn qemus_own_words_are_found_in_libvirts() {
        let said = "internal error: qemu unexpectedly closed the monitor: 2026-11-28T04:33:47.868931Z qemu-system-x86_64: warning: no pni; 2026-11-28T04:33:47.880032Z qemu-system-x86_64: -device nosuch: 'nosuch' is not a valid device model name";
        assert_eq!(of_qemu(said), "-device nosuch: 'nosuch' is not a valid device model name");
        assert_eq!(of_qemu("operation failed: pool is full"), "operation failed: pool is full");
    }
}
