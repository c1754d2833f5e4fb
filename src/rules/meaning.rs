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

/// What an error may mean, the surest first: rows with more words come before those with fewer, and words that are said by
/// libvirt about any QEMU that ended count only when nothing else is known.
pub fn meanings(text: &str) -> Vec<Meaning> {
    const ENDED: [&str; 2] =
        ["unexpectedly closed the monitor", "process exited while connecting to monitor"];
    let mut found: Vec<(&str, Meaning)> = rows(text).collect();
    if found.iter().any(|(words, _)| !ENDED.contains(words)) {
        found.retain(|(words, _)| !ENDED.contains(words));
    }
    found.sort_by_key(|(words, _)| std::cmp::Reverse(words.matches(" & ").count()));
    found.into_iter().map(|(_, meaning)| meaning).collect()
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
