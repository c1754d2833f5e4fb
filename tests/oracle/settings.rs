//! `qemu.conf` is read as libvirt reads it, down to the line of an error. Needs `virsh` and root, no daemon.

use std::path::Path;
use std::process::Command;

use qpt_tui::cli::HostOptions;
use qpt_tui::domain::Document;
use qpt_tui::facts::Known;
use qpt_tui::facts::qemu_conf::{QemuConf, settings};
use qpt_tui::rules::judge;
use qpt_tui::session;

use crate::documents::oracle;

#[test]
fn the_settings_are_read_as_libvirt_reads_them() {
    let Some(dir) = oracle() else { return };
    #[rustfmt::skip]
    let texts = [
        "", "\n", " \n", "# x", "# x\n\n", "\n# x", "a=1\n\n\n", "a=1;b=2", "a=1 b=2", ";a=1", "a=1;;b=2", "a=1; # c\nb=2",
        "a=1\n;", "a=1;\n;b=2", "1a=1", "_a=1", "a.b=1", "a-b=1", "a =", "a", "a=\"x", "a='x\n'", "a=\"\"\"x\ny\"\"\"",
        "a=\"\"\"x", "a=\"\"\"\"\"\"", "a=[", "a=[]", "a=[,]", "a=['x',]", "a=['x',,'y']", "a=['x' 'y']", "a=['x'\n,'y']",
        "a=['x' # c\n]", "a=[ # c\n 'x']", "a=[['x']]", "a=-1", "a=--1", "a=-", "a=0x10", "a=1.5", "a=99999999999999999999",
        "a=yes", "a=\"x\" y", "a=\"x\"#c", "a=1\r\nb=2\r\n", "a=1\rb=2", "\u{feff}a=1", "a=\"x\\\"y\"", "a\n=1", "a=\n1", "a=''", "a=\"x\ry\"", "a=\"\"\"x\ry\"\"\"",
    ];
    for text in texts {
        let error = refusal(dir.path(), text);
        let said = error
            .lines()
            .find_map(|line| line.split_once("qemu.conf:").map(|(_, rest)| rest.to_owned()));
        let ours = QemuConf::parse("", text)
            .error
            .map(|error| format!("{}: {}", error.line, error.message));
        assert_eq!(ours, said, "{text:?}");
    }
}

/// What libvirt says to these settings; empty where it takes them.
fn refusal(root: &Path, text: &str) -> String {
    let etc = root.join("libvirt/etc");
    std::fs::create_dir_all(&etc).unwrap();
    std::fs::write(etc.join("qemu.conf"), text).unwrap();
    let uri = format!("qemu:///embed?root={}", root.join("libvirt").display());
    let output =
        Command::new("virsh").args(["-q", "-c", &uri, "uri"]).env("LC_ALL", "C").output().unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_setting_wants_the_kind_of_value_that_libvirt_wants() {
    let Some(dir) = oracle() else { return };
    let domain = Document::parse("<domain type='kvm'><name>t</name></domain>").unwrap();
    let line = session::command_line(&domain);
    let file = dir.path().join("qemu.conf");
    let options = HostOptions {
        qemu_conf: Some(file.clone()),
        facts: None,
        session: false,
        user: None,
        only_static: true,
    };
    for (key, ..) in settings() {
        for value in ["[ 1 ]", "-1", "2", "[ \"x\" ]"] {
            let text = format!("{key} = {value}\n");
            let error = refusal(dir.path(), &text);
            let kind = error.contains("parameter");
            std::fs::write(&file, &text).unwrap();
            let host = session::facts(&options, &[(&domain, &line)]).unwrap();
            let found = judge(&domain, &line, &host);
            let ours =
                found.iter().any(|f| f.rule == "conf-value" && f.evidence[0].contains("expected"));
            assert_eq!(ours, kind, "{text}: {error}{found:?}");
        }
    }
}

#[test]
fn wrong_settings_keep_the_daemon_from_starting() {
    let Some(dir) = oracle() else { return };
    let domain = Document::parse("<domain type='kvm'><name>t</name></domain>").unwrap();
    let line = session::command_line(&domain);
    let options =
        HostOptions { qemu_conf: None, facts: None, session: false, user: None, only_static: true };
    let mut host = session::facts(&options, &[(&domain, &line)]).unwrap();
    host.daemon = Known::Yes("libvirtd".to_owned());
    let file = dir.path().join("libvirtd.conf");
    let table = include_str!("../../assets/libvirt/daemon_conf.tsv");
    let keys = table.lines().skip(1).filter_map(|line| line.split('\t').next());
    let (mut asked, mut taken) = (0, Vec::new());
    for text in keys.flat_map(|key| {
        ["[ 1 ]", "-1", "7", "\"x\"", "[ \"x\" ]", "x"].map(|value| format!("{key} = {value}\n"))
    }) {
        host.daemon_conf = QemuConf::parse("libvirtd.conf", &text);
        if !judge(&domain, &line, &host).iter().any(|found| found.rule == "daemon-conf") {
            // Such a daemon would start.
            continue;
        }
        std::fs::write(&file, &text).unwrap();
        let output =
            Command::new("timeout").args(["9", "libvirtd", "-f"]).arg(&file).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        asked += 1;
        if !error.contains("Can't load config file") {
            taken.push(format!("{text}{error}"));
        }
    }
    println!("libvirtd refuses {} of {asked}", asked - taken.len());
    assert!(taken.is_empty(), "{}", taken.join("\n"));
    assert!(asked > 150);
}
