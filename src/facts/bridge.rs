//! What QEMU's bridge helper goes by (qemu-bridge-helper.c).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Known;

/// The list of bridges that it lets users have.
pub const LIST: &str = "/etc/qemu/bridge.conf";

/// What the helper of a host goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridges {
    /// The lines of [`LIST`] and of what it includes.
    pub rules: Known<Vec<String>>,
    /// The bridges that are named and there.
    pub there: BTreeSet<String>,
    /// The programs that have capabilities of their own (`security.capability`).
    pub capable: BTreeSet<String>,
}

/// Whether rules let a bridge be used: one that allows it and none that denies it.
pub fn allows(rules: &[String], bridge: &str) -> bool {
    let has = |verb: &str| {
        rules.iter().any(|rule| {
            let mut words = rule.split_whitespace();
            words.next() == Some(verb)
                && words.next().is_some_and(|name| ["all", bridge].contains(&name))
        })
    };
    has("allow") && !has("deny")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rule_allows_and_none_denies() {
        let rules = |text: &str| text.split(';').map(str::to_owned).collect::<Vec<_>>();
        for (text, expected) in [
            ("", false),
            ("# allow all", false),
            ("allow br0", true),
            ("allow br1", false),
            ("allow all", true),
            ("allow all;deny br0", false),
            ("deny all;allow br0", false),
            ("deny br1;\tallow  br0", true),
        ] {
            assert_eq!(allows(&rules(text), "br0"), expected, "{text}");
        }
    }
}
