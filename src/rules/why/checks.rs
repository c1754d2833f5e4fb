//! What shows on a host whether a rule is behind a message: commands that look, and change nothing.

use super::Answer;
use crate::words::quote;

const TABLE: &str = include_str!("../../../assets/checks.tsv");

impl Answer {
    /// The commands that show whether it is so; those about a path where one is known.
    pub fn checks(&self) -> Vec<String> {
        let rows = || TABLE.lines().filter_map(|line| line.split_once('\t'));
        let of = |name: &str| rows().find(|(row, _)| *row == name).map(|(_, commands)| commands);
        let commands = of(self.rule.id).or_else(|| of(self.rule.layer.word()));
        let path = self.about.as_deref().filter(|path| path.starts_with('/'));
        let filled = |command: &str| match (command.contains("{path}"), path) {
            (true, Some(path)) => Some(command.replace("{path}", &quote(&[path]))),
            (true, None) => None,
            (false, _) => Some(command.to_owned()),
        };
        commands.unwrap_or_default().split("; ").filter_map(filled).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{LAYERS, RULES};

    #[test]
    fn each_row_is_about_a_rule_or_a_layer() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let (name, commands) = line.split_once('\t').unwrap();
            let is_layer = LAYERS.iter().any(|layer| layer.word == name);
            assert!(is_layer || RULES.iter().any(|rule| rule.id == name), "{name}");
            assert!(!commands.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_path_is_quoted_and_none_is_made_up() {
        let checks = |text: &str| super::super::why(text, None)[0].checks();
        assert_eq!(
            checks("Could not open '/srv/a b': No such file or directory"),
            ["namei -l '/srv/a b'"]
        );
        assert!(checks("qemu-kvm: -fw_cfg x: No such file or directory").is_empty());
    }
}
