//! What the editor and the commands share: a document is read, the host is asked about it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cli::HostOptions;
use crate::domain::{Document, EntryId};
use crate::error::Error;
use crate::facts::answers::{Answers, digest};
use crate::facts::{self, HostFacts, Instance};
use crate::probe::judges::Judges;
use crate::probe::start::{self, Libvirt};
use crate::probe::{self, Request};
use crate::qemu::CommandLine;
use crate::rules::{self, Finding, Remedy, Route, Step, Verdict};
use crate::store::{self, Bound};
use crate::trial::{self, Foretold, Spared, Trial};
use crate::xml::{XmlError, position};

/// Reads a document from a file, or from standard input for `-`.
///
/// # Errors
/// One sentence with the place.
pub fn open(path: &Path) -> Result<Document, Error> {
    let text = if path == Path::new("-") {
        store::read_input(Bound::DOMAIN)?
    } else {
        store::load(path)?.text
    };
    parse(&path.display().to_string(), &text)
}

/// Reads a document from a text; `path` is what errors name.
///
/// # Errors
/// `PATH:LINE:COLUMN: what was wrong, what was expected`.
pub fn parse(path: &str, text: &str) -> Result<Document, Error> {
    Document::parse(text).map_err(|error| placed(path, text, &error))
}

fn placed(path: &str, text: &str, error: &XmlError) -> Error {
    let place = position(text, error.offset);
    Error::user(format!("{path}:{}:{}: {}", place.line, place.column, error.message))
}

/// A document's passthrough as QEMU reads it.
pub fn command_line(document: &Document) -> CommandLine {
    CommandLine::read(&document.argv(), &document.environment()).overridden(&document.overrides())
}

/// What the host says about some documents: from a probe, or from a file of recorded facts.
///
/// # Errors
/// When the file of facts can't be read.
pub fn facts(
    options: &HostOptions,
    documents: &[(&Document, &CommandLine)],
) -> Result<HostFacts, Error> {
    if let Some(path) = &options.facts {
        let shown = path.display();
        let text = store::read_file(path, Bound::FACTS)?;
        let mut facts: HostFacts = serde_json::from_str(&text).map_err(|error| {
            Error::user(format!(
                "{shown}:{}:{}: these are no facts: {error}",
                error.line(),
                error.column()
            ))
            .hint("record them with: qpt-tui facts FILE… > host.json")
        })?;
        if facts.version != facts::FACTS_VERSION {
            return Err(Error::user(format!(
                "{shown}: the facts have version {}, expected {}",
                facts.version,
                facts::FACTS_VERSION
            )));
        }
        facts.source = shown.to_string();
        return Ok(facts);
    }
    if let Some(path) = &options.qemu_conf
        && !path.is_file()
    {
        return Err(Error::user(format!("{}: there is no such qemu.conf", path.display())));
    }
    Ok(probe::probe(&request(options, documents)))
}

/// Asks libvirt and QEMU about documents, over the cores, and writes down what they said.
pub fn ask(host: &mut HostFacts, documents: &[&Document], judges: &Judges) {
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get).min(documents.len());
    let answers: Vec<(String, Answers)> = std::thread::scope(|scope| {
        let one = || {
            let mut said = Vec::new();
            while let Some(document) = documents.get(next.fetch_add(1, Ordering::Relaxed)) {
                said.push((digest(document.source()), judges.ask(document, host)));
            }
            said
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    host.answers.extend(answers);
}

/// Takes out of the remedies what does not do what it promises. An edit is applied to a copy, libvirt and QEMU are asked about
/// it, and all rules look at it: its finding has to be gone, and nothing else broken. What a command or a setting does is
/// foreseen on the facts: its finding has to be gone there. What is withheld, by [`Remedy::key`].
pub fn prove(
    document: &Document,
    findings: &mut [Finding],
    host: &HostFacts,
    judges: &Judges,
) -> Vec<String> {
    let before = findings.to_vec();
    let mut known: HashMap<String, Vec<Finding>> = HashMap::new();
    let mut withheld = Vec::new();
    for finding in findings {
        let repaired = finding.clone();
        finding.remedies.retain(|remedy| {
            let Some(key) = remedy.key(document) else { return true };
            let after = match known.entry(key.clone()) {
                Entry::Occupied(after) => after.into_mut(),
                Entry::Vacant(place) => match carried_out(document, remedy, host, judges) {
                    Some(after) => place.insert(after),
                    // What it does is not known here.
                    None => return true,
                },
            };
            let helps = match &remedy.step {
                Step::EditXml(_) => rules::improves(&before, after, &repaired),
                // Behind what it opens the next thing may be shut.
                Step::RunCommand(_) | Step::SetOption { .. } | Step::Nothing => {
                    rules::turns(&before, after, &repaired)
                }
            };
            if !helps {
                withheld.push(key);
            }
            helps
        });
    }
    withheld
}

/// What is found once a remedy was carried out on a copy; nothing where what it does to the host is not known.
fn carried_out(
    document: &Document,
    remedy: &Remedy,
    host: &HostFacts,
    judges: &Judges,
) -> Option<Vec<Finding>> {
    let mut host = host.clone();
    rules::carry_out(&mut host, remedy)?;
    match &remedy.step {
        Step::EditXml(edits) => {
            // One that can't be applied repairs nothing.
            let next = document.apply(edits).unwrap_or_else(|_| document.clone());
            Some(judged_anew(&next, &host, judges))
        }
        Step::RunCommand(_) | Step::SetOption { .. } => {
            Some(rules::judge(document, &command_line(document), &host))
        }
        Step::Nothing => None,
    }
}

/// The way to a VM that starts, for all that blocks or for some entries; libvirt and QEMU are asked about each document on
/// it, where they may be.
pub fn plan(
    document: &Document,
    host: &HostFacts,
    only: Option<&[EntryId]>,
    judges: Option<&Judges>,
) -> Route {
    plan_while(document, host, only, judges, &|| true)
}

/// The same as long as somebody waits for it; of one that was broken off nothing can be said.
pub fn plan_while(
    document: &Document,
    host: &HostFacts,
    only: Option<&[EntryId]>,
    judges: Option<&Judges>,
    going: &dyn Fn() -> bool,
) -> Route {
    let mut known: HashMap<String, Answers> = HashMap::new();
    let mut judge = |document: &Document, host: &HostFacts| {
        if !going() {
            return Vec::new();
        }
        let mut host = host.clone();
        if let Some(judges) = judges {
            let text = digest(document.source());
            let known = known.entry(text.clone());
            let answers = known.or_insert_with(|| judges.ask(document, &host)).clone();
            host.answers.insert(text, answers);
        }
        rules::judge(document, &command_line(document), &host)
    };
    rules::route(document, host, only, &mut judge)
}

/// What is found in a document once libvirt and QEMU were asked about it.
fn judged_anew(document: &Document, host: &HostFacts, judges: &Judges) -> Vec<Finding> {
    let mut host = host.clone();
    host.answers.insert(digest(document.source()), judges.ask(document, &host));
    rules::judge(document, &command_line(document), &host)
}

/// What some findings say about a start.
pub fn foretell(findings: &[Finding]) -> Foretold {
    let sentences = |wanted: Verdict| -> Vec<String> {
        findings
            .iter()
            .filter(|finding| finding.verdict == wanted && finding.is_about_the_start())
            .map(|finding| format!("{} [{}]", finding.message, finding.rule))
            .collect()
    };
    let (blocked, unknown) = (sentences(Verdict::Blocks), sentences(Verdict::Unknown));
    if !blocked.is_empty() {
        return Foretold::Fails(blocked);
    }
    if unknown.is_empty() { Foretold::Starts } else { Foretold::Unknown(unknown) }
}

/// Has libvirt start a document paused and end it at once, without what a host in use would miss; with `hooks` although libvirt
/// runs scripts of this host then.
///
/// # Errors
/// Why it was not tried, in one sentence.
pub fn try_out(document: &Document, options: &HostOptions, hooks: bool) -> Result<Trial, Error> {
    let libvirt = Libvirt::of(options.session);
    let failed = |why: String| Error::user(format!("nothing was started: {why}"));
    if let Some(hooks) = start::hooks().filter(|_| !hooks && !options.session) {
        let why = format!("libvirt runs {hooks} at each start, which may do anything to this host");
        return Err(failed(why).hint("look at it, then: qpt-tui try --hooks …"));
    }
    if document.is_fragment() {
        return Err(failed("there is no domain around the block".to_owned()));
    }
    let running = libvirt.running().map_err(failed)?;
    let name = &document.facts().name;
    if running.iter().any(|other| other.facts().name == *name) {
        let hint = "end it first, or try a copy with another <name> and without its <uuid>";
        return Err(failed(format!("{name} runs already")).hint(hint));
    }
    let whole = document;
    let spared = trial::spare(document, &running, &start::is_full);
    let Spared { document, left_out } = spared.map_err(|error| failed(error.message))?;
    if let (Some(needed), Some(free)) = (trial::memory_at_once(&document), start::free_memory())
        && needed > free
    {
        let mebibytes = |bytes: u64| bytes >> 20;
        return Err(failed(format!(
            "its memory is taken at once, {} MiB, and the host has {} MiB free",
            mebibytes(needed),
            mebibytes(free)
        )));
    }
    let (line, whole_line) = (command_line(&document), command_line(whole));
    let mut host = facts(options, &[(&document, &line), (whole, &whole_line)])?;
    ask(&mut host, &[&document], &Judges::default());
    let findings = rules::judge(&document, &line, &host);
    if let Some(waits) = findings.iter().find(|finding| finding.rule == rules::WAITS) {
        return Err(failed(waits.message.clone()));
    }
    let foretold = foretell(&findings);
    let unproved = blocked_beside(&rules::judge(whole, &whole_line, &host), &findings);
    let (happened, log) = libvirt.start(&document).map_err(failed)?;
    Ok(Trial {
        version: trial::TRIAL_VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        document: document.source().to_owned(),
        left_out,
        unproved,
        foretold,
        happened,
        log,
        facts: host,
    })
}

/// What blocks the whole document and not the part of it that is started.
fn blocked_beside(whole: &[Finding], part: &[Finding]) -> Vec<String> {
    let blocked = |findings: &[Finding]| -> Vec<String> {
        match foretell(findings) {
            Foretold::Fails(sentences) => sentences,
            Foretold::Starts | Foretold::Unknown(_) => Vec::new(),
        }
    };
    let of_part = blocked(part);
    let mut beside = blocked(whole);
    beside.retain(|sentence| !of_part.contains(sentence));
    beside
}

/// Writes a bundle to a new file that others may not read, since a domain can hold passwords: where it was asked for, or in
/// the working directory. Its path.
///
/// # Errors
/// When it can't be written, in one sentence.
pub fn write_bundle(trial: &Trial, path: Option<&Path>) -> Result<String, Error> {
    let path = path.map_or_else(|| bundle_name(trial), Path::to_owned);
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return Error::user(format!("{shown} is there already, no bundle is written over it"));
        }
        Error::user(format!("{shown}: {error}"))
    };
    let text = serde_json::to_string_pretty(trial).map_err(|error| failed(error.into()))?;
    store::create_private(&path, &text).map_err(failed)?;
    Ok(shown)
}

/// A name that tells which domain it is about, and when.
fn bundle_name(trial: &Trial) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let domain = Document::parse(trial.document.clone());
    let name = domain.map(|document| document.facts().name.clone()).unwrap_or_default();
    let name: String = name.chars().map(plain).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    PathBuf::from(format!("qpt-try-{name}-{}.json", now.as_secs()))
}

/// The look at the host that some documents need.
pub fn request(options: &HostOptions, documents: &[(&Document, &CommandLine)]) -> Request {
    let mut request =
        Request::new(if options.session { Instance::Session } else { Instance::System });
    request.conf = options.qemu_conf.as_ref().map(|path| path.to_string_lossy().into_owned());
    request.user.clone_from(&options.user);
    for (document, line) in documents {
        request.add(document.facts(), line);
    }
    request
}
