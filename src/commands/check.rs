//! `qpt-tui check`: load, probe, judge, report; and `--fix`, `--diff`.

use std::path::Path;

use crate::cli::{Check, FailOn, Format};
use crate::console::{complain, print};
use crate::domain::Document;
use crate::error::Error;
use crate::facts::HostFacts;
use crate::probe;
use crate::probe::judges::Judges;
use crate::qemu::CommandLine;
use crate::report::{Checked, json, markdown, sarif, text};
use crate::rules::{self, Finding, Route, Step, Verdict};
use crate::session::{self, command_line, facts, parse};
use crate::store;
use crate::xml::Lines;

/// A file of `check`.
struct Checking {
    path: String,
    /// Where it came from, when it is a file.
    file: Option<store::FileSource>,
    document: Document,
    line: CommandLine,
    findings: Vec<Finding>,
    route: Option<Route>,
}

impl Checking {
    fn open(path: &Path) -> Result<Checking, Error> {
        let file = if path == Path::new("-") { None } else { Some(store::load(path)?) };
        let shown = path.display().to_string();
        let text = match &file {
            Some(file) => file.text.clone(),
            None => store::read_input(store::Bound::DOMAIN)?,
        };
        let document = parse(&shown, &text)?;
        let line = command_line(&document);
        Ok(Checking { path: shown, file, document, line, findings: Vec::new(), route: None })
    }

    fn judge(&mut self, host: &HostFacts) {
        self.findings = rules::judge(&self.document, &self.line, host);
    }

    /// Makes the edits that repair what blocks or warns, one after the other; what was repaired, in words. Each edit is
    /// proved before it is made: libvirt and QEMU are asked about it where they may be, and all rules look at it.
    fn repair(&mut self, host: &mut HostFacts, judges: Option<&Judges>) -> Vec<String> {
        /// More repairs than this in one document mean that two of them undo each other.
        const MOST: usize = 500;
        let mut done = Vec::new();
        let mut seen = vec![self.document.source().to_owned()];
        while done.len() < MOST {
            let Some((next, what)) = self.next_repair(host, judges, &mut seen) else { break };
            self.document = next.document;
            self.line = next.line;
            self.findings = next.findings;
            done.push(what);
        }
        done
    }

    /// The first edit that is proved: what it repairs is gone, and nothing else is broken by it. `seen` are the texts that
    /// were tried already.
    fn next_repair(
        &self,
        host: &mut HostFacts,
        judges: Option<&Judges>,
        seen: &mut Vec<String>,
    ) -> Option<(Judged, String)> {
        for finding in self.findings.iter().filter(|finding| finding.verdict <= Verdict::Warns) {
            let Some(remedy) = finding.remedies.iter().find(|remedy| remedy.repairs()) else {
                continue;
            };
            let Step::EditXml(edits) = &remedy.step else { continue };
            let Ok(document) = self.document.apply(edits) else { continue };
            if seen.iter().any(|old| old == document.source()) {
                continue;
            }
            seen.push(document.source().to_owned());
            if let Some(judges) = judges {
                session::ask(host, &[&document], judges);
            }
            let line = command_line(&document);
            let next = Judged { findings: rules::judge(&document, &line, host), line, document };
            if rules::improves(&self.findings, &next.findings, finding) {
                return Some((
                    next,
                    format!("{} [{}]: {}", finding.message, finding.rule, remedy.title),
                ));
            }
        }
        None
    }

    fn report<'a>(&'a self, host: &'a HostFacts) -> Checked<'a> {
        Checked {
            path: &self.path,
            document: &self.document,
            line: &self.line,
            findings: &self.findings,
            host,
            route: self.route.as_ref(),
            lines: Lines::of(self.document.source()),
        }
    }
}

/// A document after an edit, judged.
struct Judged {
    document: Document,
    line: CommandLine,
    findings: Vec<Finding>,
}

/// `qpt-tui check`: prints the report and gives the exit status.
///
/// # Errors
/// When a file can't be read or saved; the others are reported first.
pub(super) fn check(options: &Check) -> Result<u8, Error> {
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
                fail(
                    Error::user("--fix saves the file, and standard input is none")
                        .hint("look with: --diff"),
                );
            }
            Ok(file) => files.push(file),
            Err(error) => fail(error),
        }
    }
    let borrowed: Vec<_> = files.iter().map(|file| (&file.document, &file.line)).collect();
    let mut host = facts(&options.host, &borrowed)?;
    let judges = Judges::default();
    if options.host.asks() {
        let documents: Vec<&Document> = files.iter().map(|file| &file.document).collect();
        session::ask(&mut host, &documents, &judges);
    }
    for file in &mut files {
        file.judge(&host);
        if options.fix || options.diff {
            let before = file.document.source().to_owned();
            let asked = options.host.asks().then_some(&judges);
            let done = file.repair(&mut host, asked);
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
        if options.host.asks() {
            session::prove(&file.document, &mut file.findings, &host, &judges);
        }
        if options.plan {
            let asked = options.host.asks().then_some(&judges);
            file.route = Some(session::plan(&file.document, &host, None, asked));
        }
        if options.validate {
            let said = probe::schema::validate(file.document.source());
            file.findings.extend(rules::schema_findings(&file.document, &said));
        }
    }
    if !options.diff {
        let checked: Vec<Checked<'_>> = files.iter().map(|file| file.report(&host)).collect();
        print(&match options.format {
            Format::Text => {
                checked.iter().map(|checked| text::write(checked, options.all)).collect()
            }
            Format::Json => json::write(&checked, &host, options.all),
            Format::Sarif => sarif::write(&checked),
            Format::Markdown => {
                let written =
                    |checked: &Checked<'_>| markdown::write(checked, &text::counts(checked), None);
                checked.iter().map(written).collect::<Vec<String>>().join("\n")
            }
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
            Err(Error::user(format!("{shown}: it can't be replaced, nothing was saved: {why}"))
                .hint(hint))
        }
        store::Saved::Written(_, Some(remark)) => {
            complain(&format!("{shown}: saved; but {remark}"));
            Ok(())
        }
        store::Saved::Written(_, None) | store::Saved::Unchanged => Ok(()),
    }
}
