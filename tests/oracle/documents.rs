//! What libvirt prints after `virsh define` is what we said it would print.
//!
//! Runs where `virsh` and its QEMU driver are installed and we are root (`qemu:///embed` needs no daemon); says so elsewhere.

use std::path::Path;
use std::process::Command;

use qpt_tui::domain::{Document, EntryKind, List, canonical};
use qpt_tui::xml::escape;

use crate::support::{corpus, fixtures};

/// What `virsh` says to commands under an embedded libvirt below `root`: on its output, and on its standard error.
pub(crate) fn virsh(root: &Path, script: &str) -> (String, String) {
    let uri = format!("qemu:///embed?root={}", root.join("libvirt").display());
    let mut virsh = Command::new("virsh");
    let output = virsh.args(["-q", "-c", &uri, script]).env("LC_ALL", "C").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Arguments as the lines of a block.
pub(crate) fn lines_of(args: &[impl AsRef<str>]) -> String {
    let value = |arg: &str| escape::attribute(arg, '\'', false).unwrap();
    let line = |arg: &str| format!("    <qemu:arg value='{}'/>\n", value(arg));
    args.iter().map(|arg| line(arg.as_ref())).collect()
}

/// What libvirt printed for the passthrough, or its error.
pub(crate) fn defined(root: &Path, text: &str) -> Result<String, String> {
    let file = root.join("domain.xml");
    std::fs::write(&file, text).unwrap();
    let name = Document::parse(text).unwrap().facts().name.clone();
    let script = format!(
        "define '{}'; dumpxml --inactive '{name}'; undefine '{name}' --nvram",
        file.display()
    );
    let (out, error) = virsh(root, &script);
    if error.contains("Failed to define") || error.contains("failed to connect") {
        return Err(error);
    }
    let lines = out
        .lines()
        .skip_while(|line| !line.starts_with("  <qemu:"))
        .take_while(|line| *line != "</domain>");
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

pub(crate) fn oracle() -> Option<tempfile::TempDir> {
    let dir = tempfile::tempdir().unwrap();
    let plain = fixtures().into_iter().find(|(name, _)| name == "plain.xml").unwrap().1;
    let there = Command::new("virsh").arg("--version").output().is_ok()
        && rustix::process::getuid().is_root();
    if !there {
        eprintln!("skipped: no virsh here, or not root");
        return None;
    }
    // libvirt asks QEMU anew for every domain where its user may not open /dev/kvm: half a minute each.
    let kvm = std::fs::metadata("/dev/kvm")
        .map(|found| std::os::unix::fs::PermissionsExt::mode(&found.permissions()));
    if kvm.is_ok_and(|mode| mode & 0o006 != 0o006) && std::env::var_os("QPT_ORACLE").is_none() {
        eprintln!("skipped: /dev/kvm is not for everybody here; tests/oracle/run runs this");
        return None;
    }
    if let Err(error) = defined(dir.path(), &plain) {
        eprintln!("skipped: libvirt's QEMU driver does not work here: {error}");
        return None;
    }
    Some(dir)
}

#[test]
fn libvirt_prints_what_the_side_pane_shows() {
    let Some(dir) = oracle() else { return };
    let mut compared = 0;
    for (name, text) in
        fixtures().into_iter().chain(corpus().unwrap_or_default().into_iter().step_by(7))
    {
        let Ok(document) = Document::parse(text.as_str()) else { continue };
        let ours = canonical::block(&document);
        match defined(dir.path(), &text) {
            Ok(printed) => assert_eq!(printed, ours, "{name}"),
            // A document that this libvirt can't take for other reasons says nothing about the passthrough.
            Err(error) => {
                assert!(
                    !error.contains("qemu namespace") && !error.contains("command-line argument"),
                    "{name}: {error}"
                );
                continue;
            }
        }
        compared += 1;
    }
    assert!(compared >= 9, "only {compared} documents were compared");
}

#[test]
fn an_edited_document_defines_as_it_was_shown() {
    let Some(dir) = oracle() else { return };
    for (name, text) in fixtures() {
        let document = Document::parse(text.as_str()).unwrap();
        let kinds = [EntryKind::arg("-msg"), EntryKind::arg("a,,b='\"&<>é")];
        let next = document
            .apply(&document.insert(List::Args, document.list(List::Args).len(), &kinds).unwrap())
            .unwrap();
        let next =
            next.apply(&next.insert(List::Envs, 0, &[EntryKind::env("N", None)]).unwrap()).unwrap();
        let count = next.list(List::Args).len();
        let order: Vec<usize> = (0..count).rev().collect();
        let next = next.apply(&next.reorder(List::Args, &order).unwrap()).unwrap();
        assert_eq!(defined(dir.path(), next.source()).unwrap(), canonical::block(&next), "{name}");
        let Ok(whole) = canonical::document(&next) else {
            assert_eq!(name, "lost.xml");
            continue;
        };
        assert_eq!(defined(dir.path(), &whole).unwrap(), canonical::block(&next), "{name}");
    }
}

#[test]
fn what_libvirt_refuses_we_refuse_and_the_reverse() {
    let Some(dir) = oracle() else { return };
    let plain = fixtures().into_iter().find(|(name, _)| name == "plain.xml").unwrap().1;
    for inner in [
        "<qemu:arg/>",
        "<qemu:arg>x</qemu:arg>",
        "<qemu:arg value=''/>",
        "<qemu:env/>",
        "<qemu:env name=''/>",
        "<qemu:env name='1'/>",
        "<qemu:env name='A-B'/>",
        "<qemu:env name='_a9'/>",
        "<qemu:env name='é'/>",
        "<qemu:arg qemu:value='x'/>",
        "<qemu:nothing/>",
        "text",
    ] {
        let text = plain.replace("<qemu:arg value='-global'/>", inner);
        let document = Document::parse(text.as_str()).unwrap();
        let refused = document.broken().iter().any(|broken| broken.refused.is_some());
        // defined() reads the name through our parser; the plain document has the same one.
        let file = dir.path().join("refused.xml");
        std::fs::write(&file, &text).unwrap();
        let uri = format!("qemu:///embed?root={}", dir.path().join("libvirt").display());
        let script = format!("define '{}'; undefine plain", file.display());
        let output = Command::new("virsh")
            .args(["-q", "-c", &uri, &script])
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(error.contains("Failed to define"), refused, "{inner}: {error}");
    }
}
