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
use crate::report::{Checked, json, sarif, text};
use crate::rules::{self, Finding, Step, Verdict};
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
        self.findings = rules::judge(&self.document, &self.line, host);
    }

    /// Makes the edits that repair what blocks or warns, one after the other; what was repaired, in words.
    fn repair(&mut self, host: &HostFacts) -> Vec<String> {
        /// More repairs than this in one document mean that two of them undo each other.
        const MOST: usize = 500;
        let mut done = Vec::new();
        let mut seen = vec![self.document.source().to_owned()];
        while done.len() < MOST {
            let next =
                self.findings.iter().filter(|finding| finding.verdict <= Verdict::Warns).find_map(
                    |finding| {
                        let remedy = finding.remedies.iter().find(|remedy| remedy.repairs())?;
                        let Step::EditXml(edits) = &remedy.step else { return None };
                        let next = self
                            .document
                            .apply(edits)
                            .ok()
                            .filter(|next| !seen.iter().any(|old| old == next.source()))?;
                        Some((
                            next,
                            format!("{} [{}]: {}", finding.message, finding.rule, remedy.title),
                        ))
                    },
                );
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
