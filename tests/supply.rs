//! What the program is made of is what `.deny.toml` lets in: licences, sources, one version of each crate. Nothing outside is
//! asked; `cargo deny check` looks at more, where it is installed (`.ci/run`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

struct Package {
    name: String,
    version: String,
    license: String,
    source: Option<String>,
}

/// What is built here, tests included, as cargo sees it.
fn packages() -> Vec<Package> {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            &platform,
        ])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let built: BTreeSet<&str> = nodes.iter().map(|node| node["id"].as_str().unwrap()).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = metadata["packages"].as_array().unwrap().iter();
    all.filter(|package| built.contains(package["id"].as_str().unwrap()))
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            license: text(&package["license"]),
            source: package["source"].as_str().map(str::to_owned),
        })
        .collect()
}

fn list() -> toml::Table {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/.deny.toml"))
        .unwrap()
        .parse()
        .unwrap()
}

/// Texts of a list, or of the `key` in each of its tables.
fn texts(value: &toml::Value, key: &str) -> Vec<String> {
    let text =
        |item: &toml::Value| item.as_str().or_else(|| item.get(key)?.as_str()).unwrap().to_owned();
    value.as_array().unwrap().iter().map(text).collect()
}

/// Whether an expression (SPDX, and the older `A/B`) holds with some licences; those that it takes are written down.
fn holds(expression: &str, allowed: &[String], taken: &mut BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    // AND and OR are mixed in one way only: `(A OR B) AND C`.
    expression.split(" AND ").all(|all| {
        let mut one = all.split(" OR ").map(str::trim);
        let found = one.find(|license| allowed.iter().any(|allowed| allowed == license));
        taken.extend(found.map(str::to_owned));
        found.is_some()
    })
}

#[test]
fn every_licence_is_one_that_was_looked_at() {
    let list = list();
    let allowed = texts(&list["licenses"]["allow"], "");
    let exceptions: BTreeMap<String, Vec<String>> = list["licenses"]["exceptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|exception| {
            (exception["crate"].as_str().unwrap().to_owned(), texts(&exception["allow"], ""))
        })
        .collect();
    let (mut taken, mut used) = (BTreeSet::new(), BTreeSet::new());
    for package in packages() {
        if holds(&package.license, &allowed, &mut taken) {
            continue;
        }
        let exception = exceptions.get(&package.name);
        let is_excepted =
            exception.is_some_and(|allowed| holds(&package.license, allowed, &mut BTreeSet::new()));
        assert!(
            is_excepted,
            "{} {} is under '{}', which .deny.toml does not allow",
            package.name, package.version, package.license
        );
        used.insert(package.name);
    }
    assert_eq!(
        taken,
        allowed.into_iter().collect(),
        ".deny.toml allows a licence that nothing has"
    );
    assert_eq!(
        used,
        exceptions.into_keys().collect(),
        ".deny.toml makes an exception that nothing needs"
    );
}

#[test]
fn everything_comes_from_the_registry() {
    let registries = texts(&list()["sources"]["allow-registry"], "");
    for package in packages() {
        // Our own has no source.
        let Some(source) = package.source else {
            assert_eq!(package.name, env!("CARGO_PKG_NAME"));
            continue;
        };
        let registry = source.strip_prefix("registry+").unwrap_or(&source).to_owned();
        assert!(registries.contains(&registry), "{} comes from {source}", package.name);
    }
}

#[test]
fn no_crate_is_there_twice_without_a_reason() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages() {
        versions.entry(package.name).or_default().push(package.version);
    }
    let mut older = BTreeSet::new();
    for (name, versions) in &mut versions {
        let number = |version: &String| {
            version.split(['.', '+']).map_while(|part| part.parse::<u64>().ok()).collect::<Vec<_>>()
        };
        versions.sort_by_key(number);
        versions.pop();
        older.extend(versions.iter().map(|version| format!("{name}@{version}")));
    }
    let skipped: BTreeSet<String> = texts(&list()["bans"]["skip"], "crate").into_iter().collect();
    assert_eq!(
        older, skipped,
        "left: what is there twice; right: what .deny.toml has a reason for"
    );
}
