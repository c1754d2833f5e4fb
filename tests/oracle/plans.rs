//! Plans that are carried out step by step, as they are printed; the domain must then start.
//!
//! Runs on a machine that `tests/oracle/run` prepared (it sets `QPT_ORACLE`); says so elsewhere.

use std::collections::BTreeMap;

use qpt_tui::domain::Document;
use qpt_tui::probe::judges::Judges;
use qpt_tui::rules::{self, Remedy, Route, Step, Verdict};
use qpt_tui::session;

use crate::starts::{
    CONF, Machine, append, document, findings, last, of, options, ready, scenarios, sh,
};

/// The way for a document as it is found on this machine.
fn plan(document: &Document) -> Route {
    let line = session::command_line(document);
    let mut host = session::facts(&options(), &[(document, &line)]).unwrap();
    let judges = Judges::default();
    session::ask(&mut host, &[document], &judges);
    session::plan(document, &host, None, Some(&judges))
}

/// Carries out steps: the document and the settings that come of it, and the AppArmor files that were changed.
fn carry_out(
    machine: &mut Machine,
    remedies: &[&Remedy],
    conf: &str,
    document: &Document,
) -> (Document, Vec<String>) {
    let (mut document, mut conf, mut files) = (document.clone(), conf.to_owned(), Vec::new());
    for remedy in remedies {
        match &remedy.step {
            Step::EditXml(edits) => document = document.apply(edits).unwrap(),
            Step::RunCommand(command) => {
                let (done, error) = sh(command);
                assert!(done, "{command}: {error}");
            }
            Step::SetOption { file, line } if file == CONF => {
                let key = |line: &str| line.split('=').next().unwrap_or("").trim().to_owned();
                let keys: Vec<String> = line.lines().map(key).collect();
                let kept = conf.lines().filter(|old| !keys.contains(&key(old)));
                conf = kept.chain(line.lines()).collect::<Vec<_>>().join("\n");
            }
            Step::SetOption { file, line } => {
                append(file, line);
                files.push(file.clone());
            }
            Step::Nothing => {}
        }
        if let Some(command) = &remedy.then {
            let (done, error) = sh(command);
            assert!(done, "{command}: {error}");
        }
    }
    machine.configure(&conf);
    (document, files)
}

#[test]
fn what_is_planned_leads_to_a_start() {
    if !ready() {
        return;
    }
    let mut machine = Machine::new();
    let mut scenarios = scenarios();
    scenarios.sort_by(|a, b| a.conf.cmp(&b.conf));
    let (mut wrong, mut lengths) = (Vec::new(), BTreeMap::<usize, u32>::new());
    let (mut blocked, mut without, mut unknown) = (0, Vec::new(), Vec::new());
    for scenario in &scenarios {
        machine.configure(&scenario.conf);
        if !machine.is_alive() {
            continue;
        }
        let document = document(&scenario.elements, &scenario.args);
        let route = plan(&document);
        if route.stages.is_empty() && route.left.is_empty() {
            continue;
        }
        blocked += 1;
        // What somebody else has to bring can't be brought here.
        let brought = route.stages.iter().any(|stage| stage.remedy.step == Step::Nothing);
        if !route.left.is_empty() || brought {
            let rules: Vec<&str> = route.left.iter().map(|finding| finding.rule).collect();
            without.push(format!("{} ({})", scenario.name, rules.join(", ")));
            continue;
        }
        let remedies: Vec<&Remedy> = route.stages.iter().map(|stage| &stage.remedy).collect();
        let (next, files) = carry_out(&mut machine, &remedies, &scenario.conf, &document);
        let [_, after] = findings(&next);
        if !of(Verdict::Unknown, &after).is_empty() {
            unknown.push(scenario.name.clone());
        }
        // In a container libvirt may not raise the limit that the domain asks for.
        let error =
            machine.start(&next).filter(|error| !error.contains("cannot limit locked memory"));
        let steps: Vec<&str> =
            route.stages.iter().map(|stage| stage.remedy.title.as_str()).collect();
        match error {
            None => *lengths.entry(steps.len()).or_default() += 1,
            Some(_) if unknown.contains(&scenario.name) => {}
            Some(error) => {
                wrong.push(format!("{}: {steps:?}: {}", scenario.name, last(&error)));
            }
        }
        for file in files {
            std::fs::rename(format!("{file}.before"), file).unwrap();
        }
        machine.configure(&scenario.conf);
        machine.files();
    }
    eprintln!("{blocked} blocked; by number of steps started: {lengths:?}");
    let right: u32 = lengths.values().sum();
    eprintln!("in all {right} of {}", right as usize + wrong.len());
    eprintln!("no whole plan for {}: {}", without.len(), without.join(" "));
    eprintln!("not known to the end for {}: {}", unknown.len(), unknown.join(" "));
    assert!(wrong.is_empty(), "{} do not start:\n{}", wrong.len(), wrong.join("\n"));
}

/// The first remedy with a step, carried out as it is printed: the domain starts, or fails as is said then.
#[test]
fn the_first_remedy_leads_on() {
    if !ready() {
        return;
    }
    let mut machine = Machine::new();
    let mut scenarios = scenarios();
    scenarios.sort_by(|a, b| a.conf.cmp(&b.conf));
    let (mut started, mut said, mut none, mut wrong) = (0, 0, Vec::new(), Vec::new());
    for scenario in &scenarios {
        machine.configure(&scenario.conf);
        let document = document(&scenario.elements, &scenario.args);
        let line = session::command_line(&document);
        let mut host = session::facts(&options(), &[(&document, &line)]).unwrap();
        let judges = Judges::default();
        session::ask(&mut host, &[&document], &judges);
        let mut found = rules::judge(&document, &line, &host);
        session::prove(&document, &mut found, &host, &judges);
        found.retain(|finding| finding.verdict == Verdict::Blocks);
        if found.is_empty() || !machine.is_alive() {
            continue;
        }
        let mut remedies = found.iter().flat_map(|finding| &finding.remedies);
        let Some(first) = remedies.find(|remedy| remedy.step != Step::Nothing) else {
            none.push(scenario.name.as_str());
            continue;
        };
        let (next, files) = carry_out(&mut machine, &[first], &scenario.conf, &document);
        let [_, after] = findings(&next);
        let (blocks, unknown) = (of(Verdict::Blocks, &after), of(Verdict::Unknown, &after));
        let error = machine.start(&next);
        match (&error, blocks.is_empty()) {
            (None, true) => started += 1,
            (Some(_), false) => said += 1,
            (Some(error), true) if error.contains("cannot limit locked memory") => {}
            _ if !unknown.is_empty() => {}
            _ => wrong.push(format!(
                "{}: {}: {blocks:?} was said, {:?}",
                scenario.name,
                first.title,
                error.as_deref().map(last)
            )),
        }
        for file in files {
            std::fs::rename(format!("{file}.before"), file).unwrap();
        }
        machine.configure(&scenario.conf);
        machine.files();
    }
    eprintln!("{started} start after the first remedy, {said} fail as is said then");
    eprintln!("in all {} of {}", started + said, started + said + wrong.len());
    eprintln!("no remedy with a step for {}: {}", none.len(), none.join(" "));
    assert!(wrong.is_empty(), "{} otherwise:\n{}", wrong.len(), wrong.join("\n"));
}
