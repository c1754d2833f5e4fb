//! Lines that are offered, read by whom they are meant for: bash, AppArmor's parser, libvirt, an XML reader.
//!
//! Each names exactly the path that it is about, whatever that path holds. A reader that is not installed is said to be missing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use qpt_tui::words::{apparmor, qemu_conf, quote};
use qpt_tui::xml::escape;

/// Paths that try to be something else: more words, other rules, other settings, patterns, options.
fn hostile() -> Vec<String> {
    let mut paths: Vec<String> = [
        "/srv/plain.img",
        "/srv/a b",
        "/srv/a  b ",
        "/srv/'",
        "/srv/\"",
        "/srv/'\"",
        "/srv/a;touch x",
        "/srv/$(touch x)",
        "/srv/`touch x`",
        "/srv/$HOME",
        "/srv/~",
        "/srv/a&b",
        "/srv/a|b",
        "/srv/a>b",
        "/srv/*",
        "/srv/**",
        "/srv/a?",
        "/srv/[ab]",
        "/srv/{a,b}",
        "/srv/a,",
        "/srv/a rw,",
        "/srv/x\trw,,\n\tcapability\tsys_admin,,\n@{HOME}",
        "/srv/a\nuser = \"root\"",
        "/srv/a\" ]\nuser = \"root\"",
        "/srv/@{HOME}",
        "/srv/#a",
        "/srv/ #a",
        "/srv/a\\",
        "/srv/a\\b",
        "/srv/\\n",
        "/srv/^a",
        "/srv/a -> b",
        "/srv/-rf",
        "/srv/\u{1b}[31m",
        "/srv/\u{7f}",
        "/srv/é€😀",
        "/srv/\u{202e}gpj",
        "/srv/a\rb",
        "/srv/<&>'",
        "/srv/]]>",
        "/srv/%s%n",
        "/srv/!x",
    ]
    .map(str::to_owned)
    .to_vec();
    paths.push(format!("/srv/{}", "x/".repeat(2_000)));
    paths
}

fn there(program: &str) -> bool {
    let found = Path::new(program).exists();
    if !found {
        eprintln!("skipped: {program} is not installed, nothing was read by it");
    }
    found
}

#[test]
fn a_command_names_the_path_in_one_word() {
    if !there("/bin/bash") {
        return;
    }
    for path in hostile() {
        let line = quote(&["printf", "%s\\0", "-m", &path]);
        let output = Command::new("/bin/bash").args(["-c", &line]).output().unwrap();
        let words: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
        assert_eq!(words, [&b"-m"[..], path.as_bytes(), b""], "{line}");
    }
}

#[test]
fn an_apparmor_rule_is_one_rule_for_the_path() {
    if !there("/sbin/apparmor_parser") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("profile");
    for path in hostile() {
        let rules =
            [apparmor::file_rule(&path, "rwk"), apparmor::below_rule(&format!("{path}/"), "r")];
        for (rule, behind) in rules.into_iter().zip(["", "/**"]) {
            let rule = rule.unwrap();
            std::fs::write(&file, format!("profile x {{\n{rule}\n}}\n")).unwrap();
            let output = Command::new("/sbin/apparmor_parser")
                .args(["-Q", "-K", "-D", "rule-exprs"])
                .arg(&file)
                .output()
                .unwrap();
            assert!(output.status.success(), "{rule}: {}", String::from_utf8_lossy(&output.stderr));
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            // `aare: PATTERN   ->   EXPRESSION` for the profile's name and for each rule.
            assert_eq!(said.matches("aare: ").count(), 2, "{rule}: {said}");
            let pattern = said.split("aare: ").nth(2).unwrap().split("   ->   ").next().unwrap();
            let plain: String = {
                let mut letters = pattern.chars();
                let mut plain = String::new();
                while let Some(letter) = letters.next() {
                    plain.push(if letter == '\\' { letters.next().unwrap() } else { letter });
                }
                plain
            };
            // AppArmor takes two slashes for one.
            let wanted = format!("{path}{behind}");
            let mut one = wanted.replace("//", "/");
            while one.contains("//") {
                one = one.replace("//", "/");
            }
            assert_eq!(plain, one, "{rule}: {said}");
        }
    }
}

#[test]
fn a_setting_holds_the_path_and_nothing_else() {
    if !there("/usr/bin/virsh") || !rustix::process::getuid().is_root() {
        eprintln!("skipped: libvirt reads its settings for root alone");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let etc = dir.path().join("etc");
    std::fs::create_dir_all(&etc).unwrap();
    let uri = format!("qemu:///embed?root={}", dir.path().display());
    let mut written = 0;
    for path in hostile() {
        let Some(text) = qemu_conf::string(&path) else { continue };
        written += 1;
        // libvirt repeats the name of a user that it does not find.
        std::fs::write(etc.join("qemu.conf"), format!("user = {text}\n")).unwrap();
        let output = Command::new("virsh")
            .args(["-q", "-c", &uri, "uri"])
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("Failed to parse user '{path}'")), "{text}: {said}");
        let list = qemu_conf::list(["/dev/null", &path]).unwrap();
        std::fs::write(etc.join("qemu.conf"), format!("cgroup_device_acl = {list}\n")).unwrap();
        let output = Command::new("virsh").args(["-q", "-c", &uri, "uri"]).output().unwrap();
        assert!(output.status.success(), "{list}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(written >= 40, "{written}");
}

#[test]
fn an_attribute_is_read_back_as_it_was() {
    for path in hostile() {
        // What XML can't hold is refused.
        let Ok(text) = escape::attribute(&path, '\'', false) else {
            assert!(path.contains('\u{1b}'), "{path:?}");
            continue;
        };
        let document = format!("<domain><a path='{text}'/></domain>");
        let tree = qpt_tui::xml::scan(&document).unwrap();
        assert_eq!(tree.elements[1].attribute("path"), Some(path.as_str()), "{text}");
        if Path::new("/usr/bin/xmllint").exists() {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("a.xml");
            std::fs::write(&file, &document).unwrap();
            let output = Command::new("xmllint")
                .args(["--huge", "--xpath", "string(/domain/a/@path)"])
                .arg(&file)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{path}\n"), "{text}");
        }
    }
}
