//! Starts that were recorded on hosts with SELinux and with AppArmor, replayed as facts: the verdict must be what happened, and the
//! layer that is named first the one that failed it.
//!
//! `tests/fixtures/make-recorded` makes the table of the records; where they are at hand, it must still make the same. What the
//! records do not tell is not compared, and counted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::process::Command;

use qpt_tui::domain::Document;
use qpt_tui::facts::apparmor::{AppArmor, Connecting, FileRule, Profile};
use qpt_tui::facts::identity::Identity;
use qpt_tui::facts::qemu_conf::QemuConf;
use qpt_tui::facts::selinux::Mode;
use qpt_tui::facts::{Ending, FileKind, HostFacts, Known, Step, Walk};
use qpt_tui::rules::{Layer, Verdict, judge};
use qpt_tui::session::command_line;
use qpt_tui::xml::escape;
use support::here;

/// What Debian 12's profile of a VM lets QEMU open, as far as the cases ask.
const PROFILE: [(&str, &str); 7] = [
    ("/usr/share/qemu/**", "r"),
    ("/usr/share/OVMF/**", "rk"),
    ("/proc/cpuinfo", "r"),
    ("/etc/passwd", "r"),
    ("/dev/urandom", "r"),
    ("/dev/null", "rw"),
    ("/dev/net/tun", "rw"),
];

/// A path of the table, whose blanks are written as in mountinfo.
fn name(text: &str) -> String {
    text.replace("\\040", " ")
}

fn rule(pattern: &str, permissions: &str) -> FileRule {
    let deny = pattern.starts_with("deny ");
    let owner = pattern.starts_with("owner ");
    let pattern = name(pattern.trim_start_matches("deny ").trim_start_matches("owner "));
    let origin = "profile".into();
    FileRule {
        pattern,
        permissions: permissions.into(),
        owner,
        deny,
        origin,
        ..FileRule::default()
    }
}

fn step(path: &str, field: &str) -> Step {
    let mut fields = field.split(',');
    let mut next = || fields.next().unwrap();
    let (kind, mode, uid) = (next(), next(), next());
    // The label is the rest: its categories have a comma between them.
    let label = field.splitn(4, ',').nth(3).unwrap();
    // An owner without a group has group 0.
    let (uid, gid) = uid.split_once(':').unwrap_or((uid, "0"));
    let number = |at: usize| kind.split('-').nth(at).unwrap().parse().unwrap();
    Step {
        path: path.to_owned(),
        kind: match kind.split('-').next().unwrap() {
            "directory" => FileKind::Directory,
            "socket" => FileKind::Socket,
            "fifo" => FileKind::Fifo,
            "link" => FileKind::Link(String::new()),
            "block" => FileKind::Block(number(1), number(2)),
            "char" => FileKind::Char(number(1), number(2)),
            _ => FileKind::File,
        },
        mode: u32::from_str_radix(mode, 8).unwrap(),
        uid: uid.parse().unwrap(),
        gid: gid.parse().unwrap(),
        acl: None,
        label: (label != "-").then(|| format!("system_u:object_r:{label}")),
        size: 1 << 20,
        immutable: false,
        append_only: false,
        file: None,
    }
}

/// The walk to one path, of the steps that the table has.
fn walk(path: &str, steps: &BTreeMap<String, String>) -> Walk {
    let root = Step {
        label: Some("system_u:object_r:root_t:s0".into()),
        ..step("/", "directory,755,0,-")
    };
    let mut found = vec![root];
    let ends = path.match_indices('/').skip(1).map(|(at, _)| at).chain([path.len()]);
    for end in ends {
        match steps.get(&path[..end]).map(String::as_str) {
            Some("missing") | None => {
                return Walk { steps: found, ending: Ending::Missing(path.to_owned()) };
            }
            Some(field) => found.push(step(&path[..end], field)),
        }
    }
    Walk { steps: found, ending: Ending::Present }
}

fn host(fields: &[&str]) -> HostFacts {
    let text = std::fs::read_to_string(here("tests/fixtures/recorded-host.json")).unwrap();
    let mut host: HostFacts = serde_json::from_str(&text).unwrap();
    let (mac, booleans, conf, rules) = (fields[1], fields[2], fields[5], fields[8]);
    host.conf = QemuConf::parse(
        "/etc/libvirt/qemu.conf",
        &format!("# recorded\n{}\n", conf.replace("; ", "\n").trim_start_matches('-')),
    );
    host.selinux.mode = Known::Yes(match mac {
        "selinux" => Mode::Enforcing,
        "permissive" => Mode::Permissive,
        _ => Mode::Off,
    });
    for boolean in ["virt_use_execmem", "virt_use_nfs", "virt_use_samba", "virt_use_fusefs"] {
        host.selinux.booleans.insert(boolean.into(), booleans.split(' ').any(|on| on == boolean));
    }
    let added =
        rules.split(';').filter(|rule| *rule != "-").map(|text| text.rsplit_once(' ').unwrap());
    let rules = PROFILE
        .into_iter()
        .chain(added)
        .map(|(pattern, permissions)| rule(pattern, permissions))
        .collect();
    let profile = Profile {
        path: "TEMPLATE.qemu".into(),
        rules,
        complain: mac == "complain",
        ..Profile::default()
    };
    host.apparmor = AppArmor {
        active: Known::Yes(["apparmor", "complain"].contains(&mac)),
        profiles: BTreeMap::from([(String::new(), Known::Yes(profile))]),
        connecting: Known::Yes(Connecting::Free),
    };
    let steps: BTreeMap<String, String> = fields[9]
        .split(' ')
        .filter_map(|field| field.split_once('='))
        .map(|(path, field)| (name(path), field.to_owned()))
        .collect();
    for path in steps.keys() {
        host.paths.insert(path.clone(), Known::Yes(walk(path, &steps)));
    }
    let conf_user = host.conf.text("user").unwrap_or("libvirt-qemu").to_owned();
    let root = Identity { user: "root".into(), uid: 0, gid: 0, groups: vec![0] };
    if conf_user == "root" {
        host.identities.insert(String::new(), Known::Yes(root.clone()));
    }
    let nobody = Identity { user: "nobody".into(), uid: 65534, gid: 65534, groups: vec![65534] };
    host.identities.insert("root:root".into(), Known::Yes(root));
    host.identities.insert("nobody:nogroup".into(), Known::Yes(nobody));
    host
}

/// The domain of a row: its arguments, its native disk, its labels.
fn document(fields: &[&str]) -> Document {
    let quoted = |arg: &String| escape::attribute(arg, '\'', false).unwrap();
    let args: String = shlex::split(fields[10])
        .unwrap()
        .iter()
        .map(|arg| format!("<qemu:arg value='{}'/>", quoted(arg)))
        .collect();
    let native = if fields[7] == "native" {
        "<disk type='file'><source file='/srv/qpt/a.img'/><target dev='hda' bus='ide'/><shareable/></disk>"
    } else {
        ""
    };
    let label = fields[6].trim_start_matches('-');
    Document::parse(format!(
        "<domain type='qemu' xmlns:qemu='{}'><name>t</name><uuid>11111111-1111-1111-1111-111111111111</uuid><os><type arch='x86_64' machine='pc'>hvm</type></os><devices>{native}</devices>{label}<qemu:commandline>{args}</qemu:commandline></domain>",
        qpt_tui::domain::QEMU_NAMESPACE
    ))
    .unwrap()
}

/// What is said about a row differently from its record.
fn differs(fields: &[&str]) -> Option<String> {
    let (name, happened, layer) = (fields[0], fields[3], fields[4]);
    let (mut host, document) = (host(fields), document(fields));
    let reading = command_line(&document);
    let named = reading.uses.iter().filter_map(|usage| usage.resource.path());
    for path in named.map(|(path, _)| path) {
        let nothing = || Known::Yes(walk(path, &BTreeMap::new()));
        host.paths.entry(path.to_owned()).or_insert_with(nothing);
    }
    let found = judge(&document, &reading, &host);
    let rules = |verdict| -> Vec<&str> {
        let said = found.iter().filter(|finding| finding.verdict == verdict);
        said.map(|finding| finding.rule).collect()
    };
    let (blocks, unknown) = (rules(Verdict::Blocks), rules(Verdict::Unknown));
    let said = match (blocks.is_empty(), unknown.is_empty()) {
        (false, _) => "fails",
        (true, true) => "starts",
        (true, false) => "unknown",
    };
    // Whose server listens the table does not say.
    if said != happened && !(said == "unknown" && fields[10].contains("-chardev socket")) {
        return Some(format!("{name} {happened}: {said} {blocks:?} {unknown:?}"));
    }
    // Where libvirt starts no VM at all, nothing else is met; what is about every start comes before any argument.
    let first = found
        .iter()
        .filter(|finding| finding.verdict == Verdict::Blocks && finding.first)
        .min_by_key(|finding| (finding.layer != Layer::Libvirt, finding.entry.is_some()))?;
    if layer.is_empty() || first.layer.word() == layer {
        return None;
    }
    let (said, rule) = (first.layer.word(), first.rule);
    Some(format!("{name} {layer}: first {said} by {rule}, of {blocks:?}"))
}

#[test]
fn the_verdict_is_what_happened() {
    let table = std::fs::read_to_string(here("tests/fixtures/recorded.tsv")).unwrap();
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<Vec<&str>> = rows.map(|line| line.split('\t').collect()).collect();
    let untold = |fields: &&Vec<&str>| fields[5] == "?" || fields[9].contains("=?");
    let (untold, told): (Vec<_>, Vec<_>) = rows.iter().partition(untold);
    let names = |rows: &[&Vec<&str>]| -> Vec<String> {
        rows.iter().map(|fields| fields[0].to_owned()).collect()
    };
    let without: Vec<_> = told.iter().copied().filter(|fields| fields[4].is_empty()).collect();
    let wrong: Vec<String> = told.iter().filter_map(|fields| differs(fields)).collect();
    eprintln!("{} of {} recorded starts agree", told.len() - wrong.len(), told.len());
    eprintln!("what stopped them is not recorded, only that they failed: {:?}", names(&without));
    eprintln!("not compared, the records do not tell what was there: {:?}", names(&untold));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(told.len() > 225 && without.len() < 5 && untold.len() < 6);
}

#[test]
fn the_table_is_what_the_records_say() {
    let records = here("../shared");
    if !records.join("mac.md").is_file() {
        eprintln!("skipped: no records of starts in {}", records.display());
        return;
    }
    let made = Command::new(here("tests/fixtures/make-recorded")).arg(&records).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let table = std::fs::read_to_string(here("tests/fixtures/recorded.tsv")).unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    let differ = table.lines().zip(made.lines()).find(|(committed, made)| committed != made);
    assert_eq!(differ, None, "tests/fixtures/make-recorded makes another line");
    assert_eq!(table.lines().count(), made.lines().count());
}
