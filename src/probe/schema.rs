//! libvirt's schema of domains, where `virt-xml-validate` is installed.

use std::process::Command;
use std::time::Duration;

use crate::facts::Known;
use crate::process::{nameless, path_of, run};

/// What the schema says against a document: lines, and sentences in the words of xmllint.
pub fn validate(source: &str) -> Known<Vec<(usize, String)>> {
    let asked = nameless(source).and_then(|document| {
        // The validator wants a regular file with a path.
        let path = path_of(&document);
        let mut command = Command::new("virt-xml-validate");
        command.args([&path, "domain"]);
        let said = run(command, None, Duration::from_secs(20))?;
        Ok(said.all().replace(&format!("{path}:"), "line:"))
    });
    let said = match asked {
        Ok(said) => said,
        Err(why) => {
            return Known::Unknown(format!("{why}; it is in libvirt-clients, and needs xmllint"));
        }
    };
    // line:12: element qemu:arg: Relax-NG validity error : …
    let complaint = |line: &str| {
        let (_, rest) = line.split_once("line:")?;
        let (number, rest) = rest.split_once(": ")?;
        let what = rest.split_once("validity error : ").map_or(rest, |(_, what)| what);
        Some((number.parse().ok()?, what.to_owned()))
    };
    let found: Vec<_> = said.lines().filter_map(complaint).collect();
    if found.is_empty() && !said.contains("validates") {
        return Known::Unknown(format!("virt-xml-validate said: {}", said.trim()));
    }
    Known::Yes(found)
}
