//! The way back: from the words of libvirt and QEMU to the rules that foresee them.

use super::{Rule, rule};

const TABLE: &str = include_str!("../../assets/errors.tsv");

/// What an error may mean.
#[derive(Clone)]
pub struct Meaning {
    /// One sentence.
    pub what: &'static str,
    /// The rules that foresee it; none for what no rule looks at.
    pub rules: Vec<&'static Rule>,
}

/// Every row of the table whose words are all in the text.
fn rows(text: &str) -> impl Iterator<Item = (&'static str, Meaning)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(move |line| {
        let mut fields = line.split('\t');
        let (words, ids, what) = (fields.next()?, fields.next()?, fields.next()?);
        let said = words.split(" & ").all(|word| text.contains(word));
        said.then(|| (words, Meaning { what, rules: ids.split(',').filter_map(rule).collect() }))
    })
}

/// What libvirt says about any QEMU that ended; QEMU's own words follow, where it had any.
const ENDED: [&str; 2] =
    ["unexpectedly closed the monitor", "process exited while connecting to monitor"];

/// What an error may mean, the surest first: rows with more words come before those with fewer, and words that are said by
/// libvirt about any QEMU that ended count only when nothing else is known.
pub fn meanings(text: &str) -> Vec<Meaning> {
    let mut found: Vec<(&str, Meaning)> = rows(text).collect();
    let is_known = found.iter().any(|(words, _)| !ENDED.contains(words));
    let said = said_by_qemu(text);
    if is_known || said {
        found.retain(|(words, _)| !ENDED.contains(words));
    }
    if said && !is_known {
        let what = "QEMU refuses it by itself, in the sentence behind 'monitor:'; 'qpt-tui check' asks the installed QEMU and names the entry";
        return vec![Meaning { what, rules: rule("qemu-refuses").into_iter().collect() }];
    }
    found.sort_by_key(|(words, _)| std::cmp::Reverse(words.matches(" & ").count()));
    found.into_iter().map(|(_, meaning)| meaning).collect()
}

/// Whether a sentence of QEMU's stands behind libvirt's own: more than a time and warnings.
fn said_by_qemu(text: &str) -> bool {
    let behind = ENDED.iter().find_map(|words| Some(text.split_once(words)?.1));
    let lines = behind.unwrap_or_default().trim_start_matches(':').lines();
    let sentences = lines.filter_map(|line| {
        // `2026-11-28T09:18:34.553195Z qemu-system-x86_64: -device x: …`
        let (_, sentence) = line.split_once("qemu-system-")?.1.split_once(": ")?;
        Some(sentence)
    });
    sentences.into_iter().any(|sentence| !sentence.starts_with("warning:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_to_rules() {
        let ids = |text: &str| {
            meanings(text)
                .iter()
                .flat_map(|meaning| meaning.rules.iter().map(|rule| rule.id))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids("Could not open '/dev/qpt': No such file or directory"),
            ["namespace-hidden", "path-missing"]
        );
        assert_eq!(ids("internal error: qemu unexpectedly closed the monitor")[0], "seccomp-spawn");
        assert_eq!(
            ids(
                "process exited while connecting to monitor: -device x: 'x' is not a valid device model name"
            ),
            ["unknown-device"]
        );
        let behind = |sentence: &str| {
            ids(&format!(
                "internal error: qemu unexpectedly closed the monitor: 2026-11-28T09:18:34Z qemu-system-x86_64: {sentence}"
            ))
        };
        assert_eq!(behind("-object x: a fault that nobody wrote down"), ["qemu-refuses"]);
        assert_eq!(behind("warning: host doesn't support it")[0], "seccomp-spawn");
        assert!(ids("all is well").is_empty());
    }

    #[test]
    fn the_table_names_rules_that_are_there() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields.len(), 3, "{line}");
            assert!(
                fields[1] == "-" || fields[1].split(',').all(|id| rule(id).is_some()),
                "{line}"
            );
        }
    }
}
