//! The commands without a screen: load, probe, judge, report.

use std::path::Path;

use crate::cli::{Check, FailOn, Format, HostOptions};
use crate::domain::Document;
use crate::error::Error;
use crate::host::{self, HostFacts, Instance, Request};
use crate::qemu::CommandLine;
use crate::report::{Checked, json, sarif, text};
use crate::rules::{self, Case, Finding, Verdict};
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

/// `qpt-tui check`: prints the report and gives the exit status.
///
/// # Errors
/// When a file can't be read; the others are reported first.
pub fn check(options: &Check) -> Result<u8, Error> {
    let mut documents = Vec::new();
    let mut failed = None;
    for path in &options.files {
        match open(path) {
            Ok(document) => {
                let line = command_line(&document);
                documents.push((path.display().to_string(), document, line));
            }
            Err(error) => {
                if let Some(earlier) = failed.replace(error) {
                    eprintln!("qpt-tui: {earlier}");
                }
            }
        }
    }
    let borrowed: Vec<_> = documents.iter().map(|(_, document, line)| (document, line)).collect();
    let host = facts(&options.host, &borrowed)?;
    let findings: Vec<Vec<Finding>> =
        documents.iter().map(|(_, document, line)| rules::judge(&Case { document, line, host: &host })).collect();
    let checked: Vec<Checked<'_>> = documents
        .iter()
        .zip(&findings)
        .map(|((path, document, line), findings)| Checked {
            path,
            document,
            line,
            findings,
            host: &host,
            lines: Lines::of(document.source()),
        })
        .collect();
    let report = match options.format {
        Format::Text => checked.iter().map(|checked| text::write(checked, options.all)).collect(),
        Format::Json => json::write(&checked, &host, options.all),
        Format::Sarif => sarif::write(&checked),
    };
    print(&report);
    if let Some(error) = failed {
        return Err(error);
    }
    let worst = findings.iter().flatten().map(|finding| finding.verdict).min();
    let fails = match options.fail_on {
        FailOn::Blocks => worst == Some(Verdict::Blocks),
        FailOn::Warns => matches!(worst, Some(Verdict::Blocks | Verdict::Warns)),
        FailOn::Never => false,
    };
    Ok(u8::from(fails))
}

/// Prints a text; a reader that went away (`| head`) is no error.
pub fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe has read what they wanted.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
