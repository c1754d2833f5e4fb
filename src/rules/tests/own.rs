//! What asks for the host itself is named, and nothing is offered that would give it.

use super::*;

/// What asks for the host; the README counts them.
const REQUESTS: &str = include_str!("../../../assets/host/requests.tsv");

/// A host on which something of root's stands at a path, for nobody else.
fn with_thing(kind: &str, path: &str) -> Host {
    let closed = |host: Host| match path.rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() => host.with(path, parent, |s| s.mode = 0o700),
        _ => host,
    };
    match kind {
        "file" => closed(host().file(path, 0o600)),
        "dir" if path == "/" => with(host(), |host| {
            let steps = vec![step("/", FileKind::Directory, 0o755, 0)];
            host.paths.insert("/".into(), Known::Yes(Walk { steps, ending: Ending::Present }));
        }),
        "dir" => host().at(path, FileKind::Directory, 0o700, 0),
        "absent" => host().absent(path, 0o755),
        "socket" => host().at(path, FileKind::Socket, 0o600, 0),
        "char" => host().node(path, 10, 200, 0o600),
        "disk" => with(host().at(path, FileKind::Block(8, 0), 0o660, 0), |host| {
            host.disks_in_use.insert(path.into(), "the disk of the file system on /".into());
        }),
        other => panic!("{other}"),
    }
}

/// Whether a remedy does anything that opens the thing or what holds it.
fn opens(remedy: &Remedy, path: &str) -> bool {
    let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
    let text = match &remedy.step {
        Step::Nothing => return false,
        Step::EditXml(_) if remedy.scope != Scope::Rewrite => return true,
        Step::EditXml(edits) => {
            let native = |text: &str| text.contains('<') && !text.contains(":arg ");
            let texts = edits.edits().iter().map(|edit| edit.text.as_str());
            return texts.into_iter().any(|text| text.contains(path) && native(text));
        }
        Step::RunCommand(line) | Step::SetOption { line, .. } => line,
    };
    // Passing a directory gives nothing of it away.
    text.contains(path) || text.ends_with(&format!(" {parent}")) && !text.contains(":x ")
}

#[test]
fn requests_for_the_host_are_named_and_nothing_is_offered() {
    let hosts = |base: Host| {
        let named = |host: Host| host.selinux(Mode::Enforcing);
        let labelled = with(named(base.clone()), |host| {
            for walk in host.paths.values_mut() {
                let Known::Yes(walk) = walk else { continue };
                for step in &mut walk.steps {
                    step.label = Some("system_u:object_r:etc_t:s0".into());
                }
            }
        });
        [base.clone(), base.clone().apparmor(&[]), labelled, base.conf("namespaces = []")]
    };
    let (mut requests, mut wrong) = (0, Vec::new());
    for line in REQUESTS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [kind, path, arguments] = fields[..] else { panic!("{line}") };
        requests += 1;
        let argv = shlex::split(&arguments.replace("{}", path)).unwrap();
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        for host in hosts(with_thing(kind, path)) {
            let findings = judged(&host, &domain("", &argv));
            if findings.first().map(|finding| finding.rule) != Some("host-owned") {
                wrong.push(format!("{path}: not named first: {:?}", findings.first()));
            }
            if findings.first().is_none_or(|finding| finding.remedies.is_empty()) {
                wrong.push(format!("{path}: nothing says what remains to be done"));
            }
            for finding in findings.iter().filter(|finding| finding.entry.is_some()) {
                for remedy in finding.remedies.iter().filter(|remedy| opens(remedy, path)) {
                    wrong.push(format!("{path}: [{}] {:?}", finding.rule, remedy.step));
                }
            }
        }
    }
    assert!(
        requests >= 40 && wrong.is_empty(),
        "{} of {requests}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_the_vms_own_is_offered_as_before() {
    let offered = |host: &Host, argv: &[&str]| {
        let findings = judged(host, &domain("", argv));
        assert!(findings.iter().all(|finding| finding.rule != "host-owned"), "{argv:?}");
        let remedies = findings.iter().flat_map(|finding| &finding.remedies);
        remedies.filter(|remedy| matches!(remedy.step, Step::RunCommand(_))).count()
    };
    for path in ["/srv/a.img", "/home/me/vm/a.img", "/var/lib/libvirt/images/a.img", "/mnt/a.img"] {
        let argv = ["-drive", &format!("file={path},format=raw,if=none,id=d")];
        assert!(offered(&host().file(path, 0o600), &argv) > 0, "{path}");
    }
    // A package's firmware is read by everybody; for writing the VM gets a copy, and nobody calls that an attack.
    let code = ["-drive", "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE.fd"];
    assert_eq!(offered(&host().file("/usr/share/OVMF/OVMF_CODE.fd", 0o644), &code), 0);
    let vars = ["-drive", "if=pflash,format=raw,file=/usr/share/OVMF/OVMF_VARS.fd"];
    let host = host().file("/usr/share/OVMF/OVMF_VARS.fd", 0o644);
    assert_eq!(offered(&host, &vars), 0);
    let said = judged(&host, &domain("", &vars));
    let copy = said.iter().flat_map(|f| &f.remedies).any(|r| r.title.contains("a file of its own"));
    assert!(copy, "{said:#?}");
}

#[test]
fn what_qemu_itself_has_open_is_its_own_and_nothing_in_proc_is_granted() {
    let said = |host: &Host, argv: &[&str]| -> Vec<(&'static str, Verdict)> {
        let findings = judged(host, &domain("", argv));
        for remedy in findings.iter().flat_map(|finding| &finding.remedies) {
            let command = matches!(&remedy.step, Step::RunCommand(line) if line.contains("/proc"));
            assert!(!command, "{argv:?}: {remedy:?}");
        }
        let of_entries = findings
            .iter()
            .filter(|finding| finding.entry.is_some() && finding.verdict != Verdict::Allows);
        of_entries.map(|finding| (finding.rule, finding.verdict)).collect()
    };
    let output = ["-chardev", "file,id=c,path=/dev/stdout"];
    let host = || {
        let pipe = host().at("/proc/self/fd/1", FileKind::Fifo, 0o600, 0);
        pipe.link("/dev/stdout", "/proc/self/fd/1")
    };
    let open = host().conf("namespaces = []");
    assert_eq!(said(&open, &output), [("dac-unwritable", Verdict::Blocks)]);
    assert_eq!(said(&open.root(), &output), []);
    let both = [("namespace-hidden", Verdict::Blocks), ("dac-unwritable", Verdict::Blocks)];
    assert_eq!(said(&host(), &output), both);
    // In a /dev of its own root makes a file of that name.
    assert_eq!(said(&host().root(), &output), [("namespace-hidden", Verdict::Warns)]);
    // What only the process itself has is known to nobody.
    let of_a_process = |path: &str| {
        with(host().absent("/proc/x", 0o555), |host| {
            let Some(Known::Yes(walk)) = host.paths.remove("/proc/x") else { unreachable!() };
            let walk = Walk { ending: Ending::OfAProcess(path.into()), ..walk };
            host.paths.insert(path.into(), Known::Yes(walk));
        })
    };
    for path in ["/proc/self/fd/7", "/proc/self/exe", "/proc/1/environ"] {
        let found = said(&of_a_process(path), &["-object", &rng(path)]);
        assert_eq!(found, [("path-unknown", Verdict::Unknown)], "{path}");
    }
    let kernel = said(&host().file("/proc/kmsg", 0o400), &["-object", &rng("/proc/kmsg")]);
    assert_eq!(kernel, [("dac-unreadable", Verdict::Blocks)]);
}

fn rng(path: &str) -> String {
    format!("rng-random,id=r,filename={path}")
}
