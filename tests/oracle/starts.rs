//! Domains that are started for real, each compared with what was said about it before.
//!
//! Runs on a machine that `tests/oracle/run` prepared (it sets `QPT_ORACLE`); says so elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use qpt_tui::cli::HostOptions;
use qpt_tui::domain::{Document, EntryKind};
use qpt_tui::probe::judges::Judges;
use qpt_tui::rules::{Finding, Step, Verdict, judge};
use qpt_tui::session;
use qpt_tui::xml::escape;

use crate::support::here;

const FILES: &str = "/srv/qpt-oracle";
const UUID: &str = "5f0a0f0c-6f6e-4f2a-9a55-0d2f0a6f7e11";
pub(crate) const CONF: &str = "/etc/libvirt/qemu.conf";

/// A start of `cases.tsv`.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) conf: String,
    pub(crate) elements: String,
    pub(crate) args: Vec<String>,
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    let tables = match std::env::var("QPT_ORACLE_CASES") {
        Ok(tables) if !tables.is_empty() => tables,
        _ => here("tests/oracle/cases.tsv").display().to_string(),
    };
    let given = |field: &str| if field == "-" { String::new() } else { field.to_owned() };
    let wanted = std::env::var("QPT_ORACLE_ONLY").unwrap_or_default();
    let text: String =
        tables.split(':').map(|table| std::fs::read_to_string(table).unwrap()).collect();
    let line = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        Scenario {
            name: fields[0].to_owned(),
            conf: given(fields[1]).replace("; ", "\n").replace("\\n", "\n"),
            elements: given(fields[2]),
            args: shlex::split(fields[3]).unwrap(),
        }
    };
    text.lines()
        .filter(|l| !l.starts_with('#') && l.starts_with(wanted.as_str()))
        .map(line)
        .collect()
}

/// What domains are called: control groups bear their names, and other suites may run beside this one.
fn name() -> String {
    std::env::var("QPT_ORACLE_NAME").unwrap_or_else(|_| "qpt-oracle".to_owned())
}

/// A small domain with the elements where the schema has them.
pub(crate) fn document(elements: &str, args: &[String]) -> Document {
    let name = name();
    let (machine, elements) = if elements == "q35" { ("q35", "") } else { ("pc", elements) };
    let args: String = args
        .iter()
        .map(|arg| format!("<qemu:arg value='{}'/>", escape::attribute(arg, '\'', false).unwrap()))
        .collect();
    let (labels, devices) =
        if elements.starts_with("<seclabel") { (elements, "") } else { ("", elements) };
    // How memory is made stands beside the devices.
    let (memory, devices) = match devices.split_once("</memoryBacking>") {
        Some((memory, devices)) => (format!("{memory}</memoryBacking>"), devices),
        None => (String::new(), devices),
    };
    let text = format!(
        "<domain type='qemu' xmlns:qemu='{}'><name>{name}</name><uuid>{UUID}</uuid><memory unit='KiB'>65536</memory>{memory}<os><type arch='x86_64' machine='{machine}'>hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{devices}</devices>{labels}<qemu:commandline>{args}</qemu:commandline></domain>",
        qpt_tui::domain::QEMU_NAMESPACE
    );
    Document::parse(text).unwrap()
}

pub(crate) fn sh(script: &str) -> (bool, String) {
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), error)
}

/// So many domains were started.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// The machine with its files, its settings and its daemon.
pub(crate) struct Machine {
    /// There is one daemon: who has it has it alone.
    _alone: MutexGuard<'static, ()>,
    conf: Option<String>,
    alive: bool,
    started: u32,
    ending: Vec<std::process::Child>,
    _ears: Vec<UnixListener>,
}

impl Machine {
    pub(crate) fn new() -> Machine {
        static ALONE: Mutex<()> = Mutex::new(());
        let mut machine = Machine {
            _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner),
            conf: None,
            alive: false,
            started: 0,
            ending: Vec::new(),
            _ears: Vec::new(),
        };
        machine.files();
        machine
    }

    /// Makes all files anew.
    pub(crate) fn files(&mut self) {
        self.settle();
        self._ears.clear();
        // Left over where a case filled it.
        let mounts = "ro nodev over noexec fuse-private fuse-open";
        sh(&format!("cd {FILES} && umount -l {mounts} 2> /dev/null"));
        let made = sh(&format!("sh {}", here("tests/oracle/files").display()));
        assert!(made.0, "{}", made.1);
        let open = |name: &str| {
            let path = format!("{FILES}/{name}");
            let ear = UnixListener::bind(&path).unwrap();
            assert!(sh(&format!("chmod 777 {path}")).0);
            ear
        };
        self._ears.push(open("listening.sock"));
        drop(open("deaf.sock"));
    }

    /// Gives the daemon these settings.
    pub(crate) fn configure(&mut self, conf: &str) {
        if self.conf.as_deref() == Some(conf) {
            return;
        }
        self.settle();
        std::fs::write(CONF, format!("# written by tests/oracle\n{conf}\n")).unwrap();
        // A daemon that can't read its settings is not there to ask.
        self.alive = sh(&std::env::var("QPT_ORACLE_RESTART").unwrap()).0;
        self.conf = Some(conf.to_owned());
    }

    /// Whether there is a daemon to ask.
    pub(crate) fn is_alive(&self) -> bool {
        self.alive
    }

    /// Waits until the domains that are ending have ended.
    fn settle(&mut self) {
        self.ending.drain(..).for_each(|mut ending| drop(ending.wait()));
    }

    /// Starts a domain; `None` when it runs, else what libvirt said.
    ///
    /// libvirt takes its time to take a domain down, so each start has a domain of its own; in a guest there is one, whose
    /// AppArmor profile bears its UUID.
    pub(crate) fn start(&mut self, document: &Document) -> Option<String> {
        if !self.alive {
            return Some("the daemon does not start".to_owned());
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("domain.xml");
        let name = if std::env::var_os("QPT_ORACLE_HERE").is_some() {
            name()
        } else {
            self.started = STARTED.fetch_add(1, Ordering::Relaxed) + 1;
            format!("{}{:04}", name(), self.started)
        };
        let uuid = format!("5f0a0f0c-6f6e-4f2a-9a55-0d2f0a6f{:04}", self.started);
        let text = document
            .source()
            .replace(&format!("<name>{}<", self::name()), &format!("<name>{name}<"));
        let text = if self.started > 0 { text.replace(UUID, &uuid) } else { text };
        std::fs::write(&file, text).unwrap();
        let patience = std::env::var("QPT_ORACLE_PATIENCE").unwrap_or_else(|_| "20".to_owned());
        let (started, error) =
            sh(&format!("timeout {patience} virsh -q -c qemu:///system create {}", file.display()));
        let destroy = format!("virsh -q -c qemu:///system destroy {name}");
        if !started {
            // There is nothing to take down.
        } else if self.started > 0 {
            self.ending.push(
                Command::new("sh")
                    .args(["-c", &format!("{destroy} 2> /dev/null")])
                    .spawn()
                    .unwrap(),
            );
        } else {
            sh(&destroy);
        }
        (!started).then_some(error)
    }
}

/// As 'qpt-tui check --static' has them.
pub(crate) fn options() -> HostOptions {
    HostOptions { only_static: true, ..HostOptions::default() }
}

/// What the rules say by themselves, and what is said once libvirt and QEMU were asked.
pub(crate) fn findings(document: &Document) -> [Vec<Finding>; 2] {
    let line = session::command_line(document);
    let mut host = session::facts(&options(), &[(document, &line)]).unwrap();
    let by_rules = judge(document, &line, &host);
    session::ask(&mut host, &[document], &Judges::default());
    [by_rules, judge(document, &line, &host)]
}

/// Whether the table is about what is said once libvirt and QEMU were asked, and not about the rules alone.
fn is_asked() -> bool {
    let table = std::env::var("QPT_ORACLE_CASES").unwrap_or_default();
    std::fs::read_to_string(table).is_ok_and(|text| text.starts_with("# asked"))
}

pub(crate) fn of(verdict: Verdict, findings: &[Finding]) -> Vec<&'static str> {
    let found: BTreeSet<&str> =
        findings.iter().filter(|finding| finding.verdict == verdict).map(|f| f.rule).collect();
    found.into_iter().collect()
}

pub(crate) fn ready() -> bool {
    let ready = std::env::var_os("QPT_ORACLE").is_some();
    if !ready {
        eprintln!(
            "skipped: no domain was started; run tests/oracle/run as root where libvirt and QEMU are installed"
        );
    }
    ready
}

/// One test, since there is one daemon.
#[test]
fn what_is_said_is_what_happens() {
    if !ready() {
        return;
    }
    let mut machine = Machine::new();
    machine.configure("");
    let plain = document("", &["-msg".to_owned(), "guest-name=on".to_owned()]);
    if let Some(error) = machine.start(&plain) {
        panic!("libvirt can't start any domain here: {error}");
    }
    let mut scenarios = scenarios();
    scenarios.sort_by(|a, b| a.conf.cmp(&b.conf));
    let (mut table, mut wrong, mut layers) =
        (String::new(), Vec::new(), BTreeMap::<String, (u32, u32)>::new());
    let mut tried = BTreeSet::new();
    let mut remedies = String::new();
    let asked = is_asked();
    for scenario in &scenarios {
        machine.configure(&scenario.conf);
        let document = document(&scenario.elements, &scenario.args);
        let [mut by_rules, mut found] = findings(&document);
        if of(Verdict::Blocks, &found).contains(&"port-taken") {
            // By a domain before this one, maybe, which is still ending.
            machine.settle();
            [by_rules, found] = findings(&document);
        }
        let error = machine.start(&document);
        let agrees_with = |found: &[Finding]| {
            let (blocks, unknown) = (of(Verdict::Blocks, found), of(Verdict::Unknown, found));
            error.is_some() != blocks.is_empty() && (unknown.is_empty() || !blocks.is_empty())
        };
        let (blocks, unknown) = (of(Verdict::Blocks, &found), of(Verdict::Unknown, &found));
        let agrees = agrees_with(&found) && (asked || agrees_with(&by_rules));
        let layer = scenario.name.split('-').next().unwrap().to_owned();
        let count = layers.entry(layer).or_default();
        count.0 += u32::from(agrees);
        count.1 += 1;
        let real =
            error.as_deref().map_or("starts".to_owned(), |error| format!("fails: {}", last(error)));
        let row = format!(
            "{:<9} {:<34} {:<36} {real}{}",
            if agrees { "ok" } else { "DISAGREES" },
            scenario.name,
            if blocks.is_empty() { format!("starts {unknown:?}") } else { blocks.join(",") },
            if agrees {
                String::new()
            } else {
                format!(
                    "; by rules {:?}; {}",
                    of(Verdict::Blocks, &by_rules),
                    scenario.args.join(" ")
                )
            },
        );
        writeln!(table, "{row}").unwrap();
        if !agrees {
            wrong.push(row);
            continue;
        }
        let wanted = !asked && std::env::var_os("QPT_ORACLE_NO_REMEDIES").is_none();
        if error.is_some() && machine.alive && wanted {
            try_remedies(
                &mut machine,
                scenario,
                &document,
                &found,
                &mut tried,
                &mut remedies,
                &mut wrong,
            );
        }
    }
    if !asked && std::env::var_os("QPT_ORACLE_ONLY").is_none() {
        machine.configure("");
        wrong.extend(trials());
    }
    eprintln!("{table}\n{remedies}");
    let (mut right, mut all) = (0, 0);
    for (layer, (agree, cases)) in &layers {
        eprintln!("{layer:<12} {agree} of {cases} agree");
        right += agree;
        all += cases;
    }
    eprintln!("in all {right} of {all}");
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}

pub(crate) fn last(error: &str) -> &str {
    let line = error.trim().lines().last().unwrap_or_default();
    line.rsplit("qemu-system-x86_64: ").next().unwrap_or(line)
}

/// Carries out each kind of remedy once, judges again, and starts the domain when nothing is left that blocks.
fn try_remedies(
    machine: &mut Machine,
    scenario: &Scenario,
    document: &Document,
    found: &[Finding],
    tried: &mut BTreeSet<(&'static str, usize)>,
    report: &mut String,
    wrong: &mut Vec<String>,
) {
    for finding in found.iter().filter(|finding| finding.verdict == Verdict::Blocks) {
        for (index, remedy) in finding.remedies.iter().enumerate() {
            if remedy.step == Step::Nothing || !tried.insert((finding.rule, index)) {
                continue;
            }
            let mut next = document.clone();
            let what = match &remedy.step {
                Step::EditXml(edits) => {
                    next = document.apply(edits).unwrap();
                    "edit".to_owned()
                }
                Step::RunCommand(command) => {
                    let ran = sh(command);
                    if ran.0 { command.clone() } else { format!("{command}: {}", ran.1) }
                }
                Step::SetOption { file, line } if file == CONF => {
                    let key =
                        |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
                    let keys: Vec<String> = line.lines().map(key).collect();
                    let kept = scenario.conf.lines().filter(|old| !keys.contains(&key(old)));
                    let conf: Vec<&str> = kept.chain(line.lines()).collect();
                    machine.configure(&conf.join("\n"));
                    line.replace('\n', "; ")
                }
                Step::SetOption { file, line } => {
                    append(file, line);
                    format!("{file}: {line}")
                }
                Step::Nothing => continue,
            };
            if let Some(command) = &remedy.then {
                let ran = sh(command);
                assert!(ran.0, "{command}: {}", ran.1);
            }
            let [_, after] = findings(&next);
            let turned = !after.iter().any(|f| {
                f.verdict == Verdict::Blocks
                    && f.rule == finding.rule
                    && f.resource == finding.resource
            });
            let left = of(Verdict::Blocks, &after);
            // In a container libvirt may not raise the limit that the domain asks for.
            let ours = |error: &String| !error.contains("cannot limit locked memory");
            let known = of(Verdict::Unknown, &after).is_empty();
            let error =
                if left.is_empty() && known { machine.start(&next).filter(ours) } else { None };
            let row = format!(
                "{:<9} {:<34} {:<24} {what}{}{}",
                if turned && error.is_none() { "ok" } else { "NO REMEDY" },
                scenario.name,
                finding.rule,
                if left.is_empty() { String::new() } else { format!("; then {left:?}") },
                error.as_deref().map_or(String::new(), |error| format!("; fails: {}", last(error))),
            );
            writeln!(report, "{row}").unwrap();
            if !turned || error.is_some() {
                wrong.push(row);
            }
            if let Step::SetOption { file, .. } = &remedy.step
                && file != CONF
            {
                std::fs::rename(format!("{file}.before"), file).unwrap();
            }
            machine.configure(&scenario.conf);
            machine.files();
        }
    }
}

/// `qpt-tui try` on domains that start, fail, and would take a device from the host; what it says otherwise than expected.
fn trials() -> Vec<String> {
    let expected = [
        ("-device virtio-rng-pci,addr=0x1e", 0, "happened  it starts", "as foretold"),
        ("-device nosuch", 1, "happened  it fails: -device nosuch: ", "as foretold"),
        ("-device vfio-pci,host=0000:7f:1f.7", 0, "left out  -device vfio-pci", "unproved"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("domain.xml");
    let mut wrong = Vec::new();
    for (arguments, status, happened, so) in expected {
        let document = document("q35", &shlex::split(arguments).unwrap());
        std::fs::write(&file, document.source()).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_qpt-tui"));
        let output = program.args(["try", "--hooks"]).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(status) || !said.contains(happened) || !said.contains(so) {
            wrong.push(format!("try {arguments}: {:?}\n{said}{complained}", output.status));
        }
        // A trial leaves nothing that runs.
        let list = "virsh -q -c qemu:///system list --name";
        let (_, running) = sh(&format!("{list} | grep {}$ >&2", name()));
        if !running.is_empty() {
            wrong.push(format!("try {arguments}: it still runs"));
        }
    }
    wrong
}

/// Adds rules to an AppArmor file, inside its braces where it has some.
pub(crate) fn append(file: &str, line: &str) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    std::fs::write(format!("{file}.before"), &text).unwrap();
    let at = text.rfind('}').unwrap_or(text.len());
    std::fs::write(file, format!("{}{line}\n{}", &text[..at], &text[at..])).unwrap();
}

#[test]
fn the_cases_are_enough() {
    if std::env::var_os("QPT_ORACLE_ONLY").or(std::env::var_os("QPT_ORACLE_CASES")).is_some() {
        return; // a part of them is wanted
    }
    let scenarios = scenarios();
    let mut layers = BTreeMap::<&str, u32>::new();
    for scenario in &scenarios {
        *layers.entry(scenario.name.split('-').next().unwrap()).or_default() += 1;
        assert!(
            document(&scenario.elements, &scenario.args)
                .entries()
                .any(|e| matches!(e.kind, EntryKind::Arg { .. }))
        );
    }
    for layer in ["libvirt", "qemu", "host", "namespaces", "dac", "cgroups", "seccomp"] {
        assert!(layers.get(layer).is_some_and(|count| *count >= 8), "{layer}: {layers:?}");
    }
}
