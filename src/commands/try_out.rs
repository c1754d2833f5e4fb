//! `qpt-tui try`: a real start, beside what was foretold.

use crate::cli::{HostOptions, Try};
use crate::console::{complain, print};
use crate::domain::Document;
use crate::error::Error;
use crate::probe::start::{self, Libvirt};
use crate::report;
use crate::session;
use crate::store;
use crate::trial::{Agreement, Happened, spare};

/// Tries a domain out, and gives the exit status.
///
/// # Errors
/// When nothing was started, or the bundle could not be written.
pub(super) fn try_out(options: &Try) -> Result<u8, Error> {
    let document = document(options)?;
    if options.print {
        let running = Libvirt::of(options.session).running().map_err(Error::user)?;
        let spared = spare(&document, &running, &start::is_full)
            .map_err(|error| Error::user(error.message))?;
        for what in &spared.left_out {
            complain(&format!("left out: {what}"));
        }
        print(spared.document.source());
        return Ok(0);
    }
    let host = HostOptions { session: options.session, ..HostOptions::default() };
    let trial = session::try_out(&document, &host, options.hooks)?;
    let agreement = trial.agreement();
    print(&report::trial::write(&trial, &document.facts().name));
    if agreement == Agreement::Differs || options.bundle.is_some() {
        let path = session::write_bundle(&trial, options.bundle.as_deref())?;
        print(&report::trial::bundle(&path, agreement));
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
