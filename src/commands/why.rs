//! `qpt-tui why`: from a message back to the entry and the rule, and what of it is so now.

use std::path::{Path, PathBuf};

use crate::cli::{Format, HostOptions, Why};
use crate::console::print;
use crate::domain::Document;
use crate::error::Error;
use crate::probe::judges::Judges;
use crate::probe::logs::{self, Logs};
use crate::probe::start::Libvirt;
use crate::report::why::{Found, Subject};
use crate::report::{self, Checked};
use crate::rules::{self, Judged, Now};
use crate::session;
use crate::store;
use crate::xml::Lines;

/// Where the message comes from.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    /// The command line.
    Words(String),
    /// Standard input.
    Input,
    /// A log.
    File(PathBuf),
    /// What this host wrote down about the domain.
    Logs,
}

/// Prints which rules foresee an error; `-` is standard input. The exit status.
///
/// # Errors
/// When standard input can't be read.
pub(super) fn explain(text: String) -> Result<u8, Error> {
    let text = if text == "-" { store::read_newest(None)? } else { text };
    without_document(&text, Format::Text)
}

/// Says what stands behind a message, and gives the exit status.
///
/// # Errors
/// What could not be read, or how it is used.
pub(super) fn why(options: &Why) -> Result<u8, Error> {
    if matches!(options.format, Format::Sarif | Format::Markdown) {
        return Err(Error::user("why has no such report, expected text or json"));
    }
    let words: Vec<&Path> = options.words.iter().map(Path::new).collect();
    let (file, rest) = match words.split_first() {
        Some((first, rest)) if options.domain.is_none() && is_document(first)? => {
            (Some(*first), rest)
        }
        _ => (None, words.as_slice()),
    };
    let has_document = file.is_some() || options.domain.is_some();
    let source = source(rest, has_document)?;
    if !has_document {
        let text = read(&source)?;
        return without_document(&text, options.format);
    }
    let connect = options.connect.as_deref();
    let session = options.host.session || connect.is_some_and(|uri| uri.ends_with("/session"));
    let host = HostOptions { session, ..options.host.clone() };
    let (path, document) = match (&options.domain, file) {
        (Some(domain), _) => {
            let uri = connect.unwrap_or_else(|| Libvirt::of(session).uri());
            (domain.clone(), session::parse(domain, &store::open(uri, domain)?.text)?)
        }
        (None, Some(file)) => (file.display().to_string(), session::open(file)?),
        (None, None) => return Err(Error::user("expected a file, or --domain NAME")),
    };
    let facts = document.facts();
    let logs = match &source {
        Source::Logs => logs::of_vm(&facts.name, facts.uuid.as_deref(), session),
        Source::Words(_) | Source::Input | Source::File(_) => {
            Logs { text: read(&source)?, ..Logs::default() }
        }
    };
    with_document(
        &Asked { path: &path, document: &document, logs: &logs, host: &host },
        options.format,
    )
}

/// Whether a word names a domain's file: one that is there and begins as XML does.
fn is_document(word: &Path) -> Result<bool, Error> {
    if word.is_file() {
        let mut start = store::read_start(word)?;
        start.retain(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
        return Ok(start.first() == Some(&b'<'));
    }
    let is_name = word.extension().is_some_and(|extension| extension == "xml")
        && !word.to_string_lossy().contains(' ');
    if is_name {
        return Err(Error::user(format!("{}: there is no such file", word.display())));
    }
    Ok(false)
}

/// Where the words behind the document say that the message is.
fn source(words: &[&Path], has_document: bool) -> Result<Source, Error> {
    match words {
        [] if has_document => Ok(Source::Logs),
        [] => Err(Error::user("expected a message, '-', or --domain NAME")
            .hint("qpt-tui why 'what virsh start printed', or a log: qpt-tui why /var/log/libvirt/qemu/NAME.log")),
        [one] if *one == Path::new("-") => Ok(Source::Input),
        [one] if one.is_file() => Ok(Source::File(one.to_path_buf())),
        words => {
            let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
            Ok(Source::Words(words.join(" ")))
        }
    }
}

fn read(source: &Source) -> Result<String, Error> {
    match source {
        Source::Words(words) => Ok(words.clone()),
        Source::Input => store::read_newest(None),
        Source::File(path) => store::read_newest(Some(path)),
        Source::Logs => Ok(String::new()),
    }
}

/// The rules that say such words, and what to check.
fn without_document(text: &str, format: Format) -> Result<u8, Error> {
    let answers = rules::why(text, None);
    match format {
        Format::Json => print(&report::why::json(&Found { answers: &answers, subject: None })),
        Format::Text | Format::Sarif | Format::Markdown if answers.is_empty() => {
            return unknown();
        }
        Format::Text | Format::Sarif | Format::Markdown => print(&report::why::write(&answers)),
    }
    Ok(u8::from(answers.is_empty()))
}

/// No rule knows it: status 1, and what else can be given.
fn unknown() -> Result<u8, Error> {
    crate::console::complain(
        &Error::user("no rule knows these words")
            .hint("give the last lines of /var/log/libvirt/qemu/NAME.log, or what virsh start printed")
            .to_string(),
    );
    Ok(1)
}

/// A document with what was said about it.
struct Asked<'a> {
    path: &'a str,
    document: &'a Document,
    logs: &'a Logs,
    host: &'a HostOptions,
}

/// The entry, the layer, the rule, what of it is so now, and the plan.
fn with_document(asked: &Asked<'_>, format: Format) -> Result<u8, Error> {
    let document = asked.document;
    let line = session::command_line(document);
    let mut host = session::facts(asked.host, &[(document, &line)])?;
    let judges = Judges::default();
    let judges = asked.host.asks().then_some(&judges);
    if let Some(judges) = judges {
        session::ask(&mut host, &[document], judges);
    }
    let mut findings = rules::judge(document, &line, &host);
    if let Some(judges) = judges {
        session::prove(document, &mut findings, &host, judges);
    }
    let judged = Judged { document, line: &line, findings: &findings, host: Some(&host) };
    let answers = rules::why(&asked.logs.text, Some(&judged));
    let still = answers.first().filter(|answer| matches!(answer.now, Now::Still(_)));
    let route = still.map(|answer| {
        let only = answer.entry.map(|entry| [entry]);
        session::plan(document, &host, only.as_ref().map(<[_; 1]>::as_slice), judges)
    });
    let checked = Checked {
        path: asked.path,
        document,
        line: &line,
        findings: &findings,
        host: &host,
        route: route.as_ref(),
        lines: Lines::of(document.source()),
    };
    let subject = Subject { checked: &checked, read: &asked.logs.read, unread: &asked.logs.unread };
    let found = Found { answers: &answers, subject: Some(&subject) };
    print(&match format {
        Format::Json => report::why::json(&found),
        Format::Text | Format::Sarif | Format::Markdown => report::why::text(&answers, &subject),
    });
    if answers.is_empty() && format != Format::Json {
        return unknown();
    }
    Ok(u8::from(answers.is_empty()))
}
