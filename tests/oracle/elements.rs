//! Every row of `assets/libvirt/elements.tsv` is offered for the options that it names, and libvirt takes the element from the
//! release on that the row says, not before.

use std::path::Path;
use std::process::Command;

use qpt_tui::cli::HostOptions;
use qpt_tui::domain::{Document, QEMU_NAMESPACE};
use qpt_tui::facts::{HostFacts, Known};
use qpt_tui::qemu::{CommandLine, Version};
use qpt_tui::rules::{Step, judge};
use qpt_tui::session;

use crate::documents::{lines_of, oracle, virsh};

const TABLE: &str = include_str!("../../assets/libvirt/elements.tsv");

/// What each name may stand for, where any text would not do.
const SAMPLES: &[(&str, &str)] = &[
    ("address", "127.0.0.1"),
    ("append", "on"),
    ("block", "2M"),
    ("bits", "48"),
    ("bridge", "virbr0"),
    ("bus", "1"),
    ("caching", "on"),
    ("cbit", "47"),
    ("chassis", "7"),
    ("cid", "3"),
    ("clip", "on"),
    ("count", "2"),
    ("display", "7"),
    ("dev", "x-dev"),
    ("eim", "on"),
    ("firmware", "/srv/firmware"),
    ("grab", "on"),
    ("initrd", "/srv/initrd"),
    ("iotlb", "on"),
    ("mac", "52:54:00:00:00:01"),
    ("mouse", "on"),
    ("ms", "3000"),
    ("n", "2"),
    ("node", "0"),
    ("nr", "18"),
    ("name", "org.qemu.guest_agent.0"),
    ("path", "/srv/a"),
    ("pci", "0000:01:00.0"),
    ("policy", "0x30000"),
    ("port", "1026"),
    ("pt", "on"),
    ("remap", "on"),
    ("repeat", "on"),
    ("requested", "32M"),
    ("reserve", "2M"),
    ("server", "unix:/run/pulse"),
    ("size", "64M"),
    ("slots", "on"),
    ("toggle", "scrolllock"),
    ("usbbus", "1"),
    ("usbdevice", "4"),
    ("vars", "/srv/vars.fd"),
    ("xt", "on"),
];

/// What libvirt says where this machine lacks what the element is about.
const LACKING: &[&str] = &[
    "does not support TPM backend type external", // without swtpm
    "launch security is not supported",
    "VFIO PCI device assignment is not supported",
    "Could not open TPM device",
    "argument key 'path' must not have null value", // without the node of <disk type='vhostvdpa'>
    "cannot open directory '/dev/dri'",
    "hugetlbfs filesystem is not mounted",
];

/// One row, as far as the test needs it.
#[derive(Clone, Copy)]
struct Row {
    line: usize,
    rule: &'static str,
    since: Version,
    when: &'static str,
    options: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().enumerate().filter(|(_, line)| !line.starts_with('#')).map(|(at, line)| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [rule, since, _, when, options, _, _] = fields[..] else { panic!("{line}") };
        Row { line: at + 1, rule, since: Version::read(since).unwrap(), when, options }
    })
}

/// A value that fits what is wanted; `nth` picks among several.
fn sample(wanted: &str, nth: usize) -> String {
    let Some((before, named)) = wanted.split_once('@') else {
        let choices: Vec<&str> = wanted.split('|').collect();
        return choices[nth % choices.len()].to_owned();
    };
    let (name, rest) = named.split_once(':').unwrap_or((named, ""));
    let of_name = || {
        let known = SAMPLES.iter().find(|(known, _)| *known == name);
        let text = known.map_or_else(|| format!("x-{name}"), |(_, text)| (*text).to_owned());
        // A prefix that the row names is part of the sample already.
        text.strip_prefix('/').filter(|_| before.ends_with('/')).map_or(text.clone(), str::to_owned)
    };
    let own = match rest {
        "" => of_name(),
        further if further.starts_with('@') => format!("{}:{}", of_name(), sample(further, nth)),
        choices => {
            let choices: Vec<&str> = choices.split('|').collect();
            choices[nth % choices.len()].split('>').next().unwrap_or_default().to_owned()
        }
    };
    format!("{before}{own}")
}

/// The arguments of an example: with or without what may be left out.
fn example(options: &str, with_optional: bool, nth: usize) -> Vec<String> {
    let mut args = Vec::new();
    for option in options.split(" + ") {
        let (name, keys) = option.split_once(' ').unwrap_or((option, ""));
        args.push(format!("-{name}"));
        if let Some(raw) = keys.strip_prefix('=') {
            args.push(sample(raw, nth));
            continue;
        }
        let pairs: Vec<String> = keys
            .split(' ')
            .filter_map(|key| {
                let (key, value) = key.split_once('=')?;
                let optional = key.strip_suffix('?');
                if optional.is_some() && !with_optional {
                    return None;
                }
                Some(format!("{}={}", optional.unwrap_or(key), sample(value, nth)))
            })
            .collect();
        if !pairs.is_empty() {
            args.push(pairs.join(","));
        }
    }
    args
}

/// A domain of which what the row wants holds, with these arguments.
fn domain(when: &str, args: &[String]) -> String {
    let has = |condition: &str| when.split(',').any(|one| one == condition);
    let machine = if has("machine=pc") { "pc" } else { "q35" };
    let ioapic =
        if has("features/ioapic@driver=qemu") { "    <ioapic driver='qemu'/>\n" } else { "" };
    let graphics =
        if has("devices/graphics@type=spice") { "    <graphics type='spice'/>\n" } else { "" };
    let graphics =
        if has("devices/graphics@type=dbus") { "    <graphics type='dbus'/>\n" } else { graphics };
    let kernel = if has("os/kernel") { "    <kernel>/srv/k</kernel>\n" } else { "" };
    let clock = if has("clock") { "  <clock offset='utc'/>\n" } else { "" };
    let memory = if has("memoryBacking") {
        "  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>\n"
    } else {
        ""
    };
    let cpu = if has("cpu/numa") {
        "  <cpu mode='custom' match='exact'>\n    <model>qemu64</model>\n    <numa>\n      <cell id='0' cpus='0' memory='65536' unit='KiB'/>\n    </numa>\n  </cpu>\n"
    } else if has("!cpu") {
        ""
    } else {
        "  <cpu mode='custom' match='exact'>\n    <model>qemu64</model>\n  </cpu>\n"
    };
    let most = if has("maxMemory") {
        "  <maxMemory slots='2' unit='KiB'>8388608</maxMemory>\n"
    } else {
        ""
    };
    let root = if has("devices/controller@model=pcie-root") {
        "    <controller type='pci' index='0' model='pcie-root'/>\n"
    } else {
        ""
    };
    let kind = if has("type=kvm") { "kvm" } else { "qemu" };
    let args = lines_of(args);
    format!(
        "<domain type='{kind}' xmlns:qemu='{QEMU_NAMESPACE}'>\n  <name>edits</name>\n{most}  <memory unit='KiB'>65536</memory>\n{memory}  <os>\n    <type arch='x86_64' machine='{machine}'>hvm</type>\n{kernel}  </os>\n  <features>\n    <acpi/>\n    <apic/>\n{ioapic}  </features>\n{cpu}{clock}  <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n    <memballoon model='none'/>\n{root}{graphics}  </devices>\n  <qemu:commandline>\n{args}  </qemu:commandline>\n</domain>\n"
    )
}

/// The document after the row's edit, under a libvirt that has it; what is wrong where it is not offered.
fn edited(row: &Row, document: &Document, host: &HostFacts) -> Result<String, String> {
    let found = judge(document, &session::command_line(document), host);
    let said = found.iter().filter(|finding| finding.rule == row.rule);
    let edits = said.flat_map(|finding| &finding.remedies).find_map(|remedy| match &remedy.step {
        Step::EditXml(edits) => Some(edits.clone()),
        Step::RunCommand(_) | Step::SetOption { .. } | Step::Nothing => None,
    });
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
    let edits = edits.ok_or_else(|| format!("{} offers nothing: {rules:?}", row.rule))?;
    let next = document.apply(&edits).unwrap();
    if next.argv().is_empty() {
        Ok(next.source().to_owned())
    } else {
        Err(format!("left behind: {:?}", next.argv()))
    }
}

/// What this host says about all of the documents, but that its libvirt has every element.
fn of_newest_libvirt(tried: &[(Row, Vec<String>, Document)]) -> HostFacts {
    let options =
        HostOptions { qemu_conf: None, facts: None, session: false, user: None, only_static: true };
    let lines: Vec<CommandLine> =
        tried.iter().map(|(.., document)| session::command_line(document)).collect();
    let documents: Vec<(&Document, &CommandLine)> =
        tried.iter().map(|(.., document)| document).zip(&lines).collect();
    let mut host = session::facts(&options, &documents).unwrap();
    host.libvirt = Known::Yes("99.0.0".to_owned());
    host
}

fn installed() -> Option<Version> {
    let output = Command::new("virsh").arg("--version").output().ok()?;
    Version::read(String::from_utf8_lossy(&output.stdout).trim())
}

/// What libvirt says to many documents, in the order of theirs: its complaint, or the arguments that QEMU would get.
fn natives(root: &Path, texts: &[String]) -> Vec<Result<String, String>> {
    let mut script = String::new();
    for (at, text) in texts.iter().enumerate() {
        let file = root.join(format!("{at}.xml"));
        std::fs::write(&file, text).unwrap();
        let file = file.display();
        script += &format!(
            "echo =={at}==; echo --err =={at}==; define --validate {file}; undefine edits --nvram; domxml-to-native qemu-argv {file};"
        );
    }
    let (out, error) = virsh(root, &script);
    let error = error.replace("error: ==", "==");
    let part = |text: &str, at: usize| {
        let start = text.find(&format!("=={at}==")).unwrap_or(text.len());
        let end = text.find(&format!("=={}==", at + 1)).unwrap_or(text.len());
        text[start.min(end)..end].to_owned()
    };
    (0..texts.len())
        .map(|at| match part(&error, at) {
            complaint if complaint.contains("error:") => Err(complaint),
            _ => Ok(part(&out, at)),
        })
        .collect()
}

/// The examples of a row: all that may be left out, nothing of it, and each of several choices.
fn examples(row: &Row) -> Vec<Vec<String>> {
    let variants = [(true, 0), (false, 0), (true, 1), (true, 2), (true, 3), (true, 4)];
    let mut examples: Vec<Vec<String>> = Vec::new();
    for (with_optional, nth) in variants {
        let args = example(row.options, with_optional, nth);
        if !examples.contains(&args) {
            examples.push(args);
        }
    }
    examples
}

#[test]
fn libvirt_takes_the_element_of_every_row_from_its_release_on() {
    let Some(dir) = oracle() else { return };
    let Some(version) = installed() else { return };
    let (mut wrong, mut asked) = (Vec::new(), Vec::new());
    let tried: Vec<(Row, Vec<String>, Document)> = rows()
        .flat_map(|row| examples(&row).into_iter().map(move |args| (row, args)))
        .map(|(row, args)| (row, args.clone(), Document::parse(domain(row.when, &args)).unwrap()))
        .collect();
    let host = of_newest_libvirt(&tried);
    for (row, args, document) in tried {
        match edited(&row, &document, &host) {
            Ok(text) => asked.push((row.line, row.since <= version, args, text)),
            Err(error) => wrong.push(format!("{}: {args:?}: {error}", row.line)),
        }
    }
    let texts: Vec<String> = asked.iter().map(|(.., text)| text.clone()).collect();
    let (mut taken, mut lacking, mut newer) = (0, 0, 0);
    for ((line, has_it, args, _), said) in asked.iter().zip(natives(dir.path(), &texts)) {
        // What stands behind a network card is not shown: all of them are printed as taps.
        let named = args.iter().any(|arg| arg.contains("/srv/a"))
            && args.iter().all(|arg| arg != "-netdev");
        match (said, has_it) {
            (Ok(_), false) => wrong.push(format!("{line}: libvirt {version} has it already")),
            (Err(_), false) => newer += 1,
            (Ok(argv), true) if named && !argv.contains("/srv/a") => {
                wrong.push(format!("{line}: {args:?}: no /srv/a in what QEMU gets: {argv}"));
            }
            (Ok(_), true) => taken += 1,
            (Err(error), true) if LACKING.iter().any(|words| error.contains(words)) => lacking += 1,
            (Err(error), true) => wrong.push(format!("{line}: {args:?}: {error}")),
        }
    }
    println!(
        "libvirt {version} takes {taken} elements; {lacking} need what this machine lacks, {newer} a newer one"
    );
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
