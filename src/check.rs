//! The commands without a screen: load, probe, judge, report.

use std::path::Path;

use crate::cli::{Check, FailOn, Format, HostOptions};
use crate::domain::Document;
use crate::error::Error;
use crate::host::{self, HostFacts, Instance, Request};
use crate::qemu::CommandLine;
use crate::report::{Checked, json, sarif, text};
use crate::rules::{self, Case, Finding, Step, Verdict};
use crate::store;
use crate::xml::{Lines, XmlError, position};

/// Reads a document from a file, or from standard input for `-`.
///
/// # Errors
/// One sentence with the place.
pub fn open(path: &Path) -> Result<Document, Error> {
    let text = if path == Path::new("-") { store::read_input()? } else { store::load(path)?.text };
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
    CommandLine::read(&document.argv(), &document.environment())
}

/// What the host says about some documents: from a probe, or from a file of recorded facts.
///
/// # Errors
/// When the file of facts can't be read.
pub fn facts(options: &HostOptions, documents: &[(&Document, &CommandLine)]) -> Result<HostFacts, Error> {
    if let Some(path) = &options.facts {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| Error::user(format!("{shown}: {error}")))?;
        let mut facts: HostFacts = serde_json::from_str(&text).map_err(|error| {
            Error::user(format!("{shown}:{}:{}: these are no facts: {error}", error.line(), error.column()))
                .hint("record them with: qpt-tui facts FILE… > host.json")
        })?;
        if facts.version != host::facts::FACTS_VERSION {
            return Err(Error::user(format!(
                "{shown}: the facts have version {}, expected {}",
                facts.version,
                host::facts::FACTS_VERSION
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
    Ok(host::probe(&request(options, documents)))
}

/// The look at the host that some documents need.
pub fn request(options: &HostOptions, documents: &[(&Document, &CommandLine)]) -> Request {
    let mut request = Request::new(if options.session { Instance::Session } else { Instance::System });
    request.conf = options.qemu_conf.as_ref().map(|path| path.to_string_lossy().into_owned());
    request.user.clone_from(&options.user);
    for (document, line) in documents {
        request.add(document.facts(), line);
    }
    request
}

/// A file of `check`.
struct Checking {
    path: String,
    /// Where it came from, when it is a file.
    file: Option<store::FileSource>,
    document: Document,
    line: CommandLine,
    findings: Vec<Finding>,
}

impl Checking {
    fn open(path: &Path) -> Result<Checking, Error> {
        let file = if path == Path::new("-") { None } else { Some(store::load(path)?) };
        let shown = path.display().to_string();
        let text = match &file {
            Some(file) => file.text.clone(),
            None => store::read_input()?,
        };
        let document = parse(&shown, &text)?;
        let line = command_line(&document);
        Ok(Checking { path: shown, file, document, line, findings: Vec::new() })
    }

    fn judge(&mut self, host: &HostFacts) {
        self.findings = rules::judge(&Case { document: &self.document, line: &self.line, host });
    }

    /// Makes the edits that repair what blocks or warns, one after the other; what was repaired, in words.
    fn repair(&mut self, host: &HostFacts) -> Vec<String> {
        /// More repairs than this in one document mean that two of them undo each other.
        const MOST: usize = 500;
        let mut done = Vec::new();
        let mut seen = vec![self.document.source().to_owned()];
        while done.len() < MOST {
            let next = self.findings.iter().filter(|finding| finding.verdict <= Verdict::Warns).find_map(|finding| {
                let remedy = finding.remedies.iter().find(|remedy| remedy.repairs())?;
                let Step::EditXml(edits) = &remedy.step else { return None };
                let next =
                    self.document.apply(edits).ok().filter(|next| !seen.iter().any(|old| old == next.source()))?;
                Some((next, format!("{} [{}]: {}", finding.message, finding.rule, remedy.title)))
            });
            let Some((document, what)) = next else { break };
            seen.push(document.source().to_owned());
            self.line = command_line(&document);
            self.document = document;
            self.judge(host);
            done.push(what);
        }
        done
    }

    fn report<'a>(&'a self, host: &'a HostFacts) -> Checked<'a> {
        Checked {
            path: &self.path,
            document: &self.document,
            line: &self.line,
            findings: &self.findings,
            host,
            lines: Lines::of(self.document.source()),
        }
    }
}

/// `qpt-tui check`: prints the report and gives the exit status.
///
/// # Errors
/// When a file can't be read or saved; the others are reported first.
pub fn check(options: &Check) -> Result<u8, Error> {
    let mut files = Vec::new();
    let mut failed: Option<Error> = None;
    let mut fail = |error: Error| {
        if let Some(earlier) = failed.replace(error) {
            complain(&earlier.to_string());
        }
    };
    for path in &options.files {
        match Checking::open(path) {
            Ok(file) if options.fix && file.file.is_none() => {
                fail(Error::user("--fix saves the file, and standard input is none").hint("look with: --diff"));
            }
            Ok(file) => files.push(file),
            Err(error) => fail(error),
        }
    }
    let borrowed: Vec<_> = files.iter().map(|file| (&file.document, &file.line)).collect();
    let host = facts(&options.host, &borrowed)?;
    for file in &mut files {
        file.judge(&host);
        if options.fix || options.diff {
            let before = file.document.source().to_owned();
            let done = file.repair(&host);
            if options.diff {
                print(&text::diff(&file.path, &before, file.document.source()));
                continue;
            }
            for what in done {
                eprint!("{}", text::repaired(&file.path, &what));
            }
            if let Some(source) = &file.file
                && let Err(error) = save(source, file.document.source())
            {
                fail(error);
            }
        }
        if options.validate {
            let said = host::schema::validate(file.document.source());
            file.findings.extend(rules::schema_findings(&file.document, &said));
        }
    }
    if !options.diff {
        let checked: Vec<Checked<'_>> = files.iter().map(|file| file.report(&host)).collect();
        print(&match options.format {
            Format::Text => checked.iter().map(|checked| text::write(checked, options.all)).collect(),
            Format::Json => json::write(&checked, &host, options.all),
            Format::Sarif => sarif::write(&checked),
        });
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let worst = files.iter().flat_map(|file| &file.findings).map(|finding| finding.verdict).min();
    let fails = match options.fail_on {
        FailOn::Blocks => worst == Some(Verdict::Blocks),
        FailOn::Warns => matches!(worst, Some(Verdict::Blocks | Verdict::Warns)),
        FailOn::Never => false,
    };
    Ok(u8::from(fails))
}

fn save(source: &store::FileSource, text: &str) -> Result<(), Error> {
    let shown = source.path.display();
    let keep = |old: &str| store::journal::backup(&store::Origin::of_file(&source.real, ""), old);
    match store::save(source, text, store::Way::Replace, &keep)? {
        store::Saved::ChangedByOthers(_) => {
            Err(Error::user(format!("{shown}: it changed on disk meanwhile, nothing was saved")))
        }
        store::Saved::Irreplaceable(why) => {
            let hint = "the editor can write into the file as it is: qpt-tui FILE";
            Err(Error::user(format!("{shown}: it can't be replaced, nothing was saved: {why}")).hint(hint))
        }
        store::Saved::Written(_, Some(remark)) => {
            complain(&format!("{shown}: saved; but {remark}"));
            Ok(())
        }
        store::Saved::Written(_, None) | store::Saved::Unchanged => Ok(()),
    }
}

/// Says something on standard error; one that is gone is no reason to panic.
pub fn complain(sentence: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "qpt-tui: {sentence}");
}

/// Prints a text; a reader that went away (`| head`) is no error.
pub fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe has read what they wanted.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
