//! `qpt-tui try`: a real start, beside what was foretold.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::{HostOptions, Try};
use crate::console::{complain, print};
use crate::domain::Document;
use crate::error::Error;
use crate::probe::start::{self, Libvirt};
use crate::report;
use crate::session;
use crate::store;
use crate::trial::{Agreement, Happened, Trial, spare};

/// Tries a domain out, and gives the exit status.
///
/// # Errors
/// When nothing was started, or the bundle could not be written.
pub(super) fn try_out(options: &Try) -> Result<u8, Error> {
    let document = document(options)?;
    if options.print {
        let running = Libvirt::of(options.session).running().map_err(Error::user)?;
        let spared = spare(&document, &running).map_err(|error| Error::user(error.message))?;
        for what in &spared.left_out {
            complain(&format!("left out: {what}"));
        }
        print(spared.document.source());
        return Ok(0);
    }
    if let Some(hooks) = start::hooks().filter(|_| !options.hooks && !options.session) {
        return Err(Error::user(format!(
            "nothing was started: libvirt runs {hooks} at each start, which may do anything to this host"
        ))
        .hint("look at it, then: qpt-tui try --hooks …"));
    }
    let host = HostOptions { session: options.session, ..HostOptions::default() };
    let trial = session::try_out(&document, &host)?;
    let agreement = trial.agreement();
    print(&report::trial::write(&trial, &document.facts().name));
    if agreement == Agreement::Differs || options.bundle.is_some() {
        let path = options.bundle.clone().unwrap_or_else(|| bundle_name(&document));
        write(&trial, &path)?;
        print(&report::trial::bundle(&path.display().to_string(), agreement));
    }
    let as_foretold = agreement != Agreement::Differs;
    Ok(u8::from(!(as_foretold && trial.happened == Happened::Starts)))
}

fn document(options: &Try) -> Result<Document, Error> {
    match (&options.domain, &options.file) {
        (Some(domain), _) => {
            let uri = Libvirt::of(options.session).uri();
            let source = store::open(uri, domain)?;
            session::parse(domain, &source.text)
        }
        (None, Some(file)) => session::open(file),
        (None, None) => Err(Error::user("expected a file, or --domain NAME")),
    }
}

/// A name in the working directory that tells which domain it is about, and when.
fn bundle_name(document: &Document) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = document.facts().name.chars().map(plain).collect();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    PathBuf::from(format!("qpt-try-{name}-{}.json", now.unwrap_or_default().as_secs()))
}

/// Writes a bundle to a new file that others may not read: a domain can hold passwords.
fn write(trial: &Trial, path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: std::io::Error| Error::user(format!("{}: {error}", path.display()));
    let text = serde_json::to_string_pretty(trial).map_err(|error| failed(error.into()))?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).map_err(failed)
}
