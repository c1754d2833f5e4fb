//! The invariants of `src/lib.rs`, held by reading the source.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        // What stands in a file's own tests, and in comments, is free.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        (name, code)
    };
    found
        .into_iter()
        .map(read)
        .filter(|(name, _)| !name.ends_with("tests.rs") && !name.contains("/tests/"))
        .collect()
}

/// The first folder of a path, or the file's own name.
fn module(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}

#[test]
fn modules_use_only_what_stands_below_them() {
    const MAY: &[(&str, &[&str])] = &[
        ("xml", &[]),
        ("visible", &[]),
        ("message", &[]),
        ("error", &["visible"]),
        ("cli", &[]),
        ("console", &[]),
        ("process", &["power"]),
        ("domain", &["xml"]),
        ("qemu", &["domain"]),
        ("facts", &["domain", "qemu"]),
        ("libvirt", &["domain", "qemu", "facts"]),
        ("import", &["xml", "domain", "qemu", "facts", "libvirt", "rules"]),
        ("trial", &["xml", "domain", "qemu", "facts"]),
        ("folder", &[]),
        ("power", &["folder"]),
        (
            "probe",
            &[
                "domain", "qemu", "facts", "libvirt", "trial", "process", "power", "folder",
                "message",
            ],
        ),
        ("words", &["facts"]),
        ("rules", &["xml", "domain", "qemu", "facts", "libvirt", "words", "message"]),
        ("report", &["xml", "domain", "qemu", "facts", "libvirt", "trial", "rules", "visible"]),
        ("store", &["xml", "error", "process", "words", "folder"]),
        (
            "session",
            &["xml", "domain", "qemu", "facts", "probe", "trial", "rules", "store", "cli", "error"],
        ),
        (
            "tui",
            &[
                "xml", "domain", "qemu", "facts", "libvirt", "probe", "trial", "rules", "report",
                "store", "cli", "error", "session", "console", "visible", "words", "power",
                "import",
            ],
        ),
        (
            "commands",
            &[
                "xml", "domain", "qemu", "facts", "libvirt", "probe", "trial", "rules", "report",
                "store", "cli", "error", "session", "console", "tui", "visible", "power", "import",
            ],
        ),
    ];
    for (name, code) in sources() {
        let Some((_, may)) = MAY.iter().find(|(found, _)| *found == module(&name)) else {
            continue;
        };
        for (at, _) in code.match_indices("crate::") {
            let used: String = code[at + 7..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            assert!(
                used == module(&name) || may.contains(&used.as_str()),
                "src/{name} uses crate::{used}"
            );
        }
    }
}

#[test]
fn the_core_touches_nothing_outside() {
    const PURE: [&str; 19] = [
        "message/",
        "xml/",
        "domain/",
        "qemu/",
        "facts/",
        "libvirt/",
        "import/",
        "trial/",
        "rules/",
        "words/",
        "report/",
        "tui/app",
        "tui/choose",
        "tui/completion.rs",
        "tui/keymap.rs",
        "tui/matrix.rs",
        "tui/pane.rs",
        "tui/rows.rs",
        "tui/view/",
    ];
    const OUTSIDE: [&str; 8] = [
        "std::fs",
        "std::process",
        "std::env",
        "std::time",
        "std::thread",
        "rustix::",
        "println!",
        "TcpListener",
    ];
    for (name, code) in sources() {
        if PURE.iter().any(|pure| name.starts_with(pure)) {
            for outside in OUTSIDE {
                assert!(!code.contains(outside), "src/{name} uses {outside}");
            }
        }
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    for (name, code) in sources() {
        assert!(name == "xml/scan.rs" || !code.contains("quick_xml"), "src/{name} uses quick-xml");
        for library in ["ratatui", "crossterm", "tui_textarea"] {
            let uses = code.contains(&format!("{library}::"));
            assert!(name.starts_with("tui/") || !uses, "src/{name} uses {library}");
        }
    }
}

#[test]
fn rules_and_pages_match() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/rules");
    for entry in std::fs::read_dir(pages).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let id = name.strip_suffix(".md").unwrap();
        assert!(qpt_tui::rules::rule(id).is_some(), "the page {name} has no rule");
    }
}

#[test]
fn files_keep_to_a_size_that_can_be_read() {
    for (name, code) in sources() {
        let lines = code.lines().count();
        assert!(lines <= 500, "src/{name} has {lines} lines: time to divide it");
    }
}
