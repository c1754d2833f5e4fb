//! The shipped SELinux tables against the compiled policies that they are of, every row and both ways.
//!
//! `tests/selinux/policies DIR` compiles them; with `QPT_SELINUX_POLICIES=DIR` each that is there is asked, through libsepol
//! (`tests/selinux/answers`), about every domain, class and type of the tables; without it nothing is compared, and that is
//! said. `tests/selinux/compare` does both for the policies that can be had from Debian's mirror.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qpt_tui::facts::selinux::shipped::{self, Policy, Question, Shipped};
use support::here;

const CLASSES: [&str; 10] = [
    "file",
    "dir",
    "lnk_file",
    "chr_file",
    "blk_file",
    "sock_file",
    "fifo_file",
    "unix_stream_socket",
    "process",
    "capability",
];
const LETTERS: &str = "rwacmxeusnto";

/// The compiled policies that are here, with what the tables call them.
fn compiled() -> Vec<(&'static Policy, PathBuf)> {
    let Some(folder) = std::env::var_os("QPT_SELINUX_POLICIES") else {
        eprintln!(
            "NO SELINUX POLICY WAS COMPARED: QPT_SELINUX_POLICIES does not say where they are (tests/selinux/policies)"
        );
        return Vec::new();
    };
    let path = |policy: &Policy| Path::new(&folder).join(policy.name).join("policy");
    let all = shipped::policies().iter().map(|policy| (policy, path(policy)));
    let found: Vec<_> = all.filter(|(_, path)| path.exists()).collect();
    assert!(!found.is_empty(), "there is no compiled policy in {}", folder.display());
    found
}

/// What libsepol answers to lines of questions, with booleans set.
fn ask(policy: &Path, booleans: &BTreeMap<String, bool>, questions: &[String]) -> Vec<String> {
    let settings = booleans.iter().map(|(name, on)| format!("{name}={}", u8::from(*on)));
    let mut child = Command::new(here("tests/selinux/answers"))
        .arg(policy)
        .args(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = questions.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    let answers: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(output.status.success(), "{answers:?}");
    writer.join().unwrap();
    assert_eq!(answers.len(), questions.len());
    answers
}

fn booleans(on: impl Fn(&str) -> bool) -> BTreeMap<String, bool> {
    shipped::booleans().into_iter().map(|name| (name.to_owned(), on(name))).collect()
}

/// Everything that can be asked about a policy: source, target, class.
fn questions(policy: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut all = Vec::new();
    let processes: BTreeSet<_> = shipped::types(policy, "process").into_iter().collect();
    let domains: Vec<_> =
        shipped::domains().into_iter().filter(|domain| processes.contains(domain)).collect();
    for class in CLASSES {
        for source in &domains {
            match class {
                "capability" => all.push((*source, *source, class)),
                "process" => all.extend(domains.iter().map(|target| (*source, *target, class))),
                _ => {
                    let types = shipped::types(policy, class).into_iter();
                    all.extend(types.map(|target| (*source, target, class)));
                }
            }
        }
    }
    all
}

/// What libsepol's permissions are in letters: those that are all there.
fn in_letters(class: &str, answer: &str) -> BTreeSet<&'static str> {
    let given: BTreeSet<&str> = answer.split(' ').collect();
    let mut found = BTreeSet::new();
    for letter in LETTERS.chars() {
        let needed: Vec<&'static str> = shipped::permissions(class, &letter.to_string()).collect();
        if !needed.is_empty() && needed.iter().all(|permission| given.contains(permission)) {
            found.extend(needed);
        }
    }
    found
}

/// Compares the answers to some questions; what the tables say is handed back.
fn compare(
    (policy, path): (&Policy, &Path),
    booleans: &BTreeMap<String, bool>,
    questions: &[(&'static str, &'static str, &'static str)],
    wrong: &mut Vec<String>,
) -> Vec<BTreeSet<&'static str>> {
    let lines: Vec<String> = questions
        .iter()
        .map(|(source, target, class)| format!("{source} {target} {class}"))
        .collect();
    let answers = ask(path, booleans, &lines);
    let shipped = Shipped::named(policy.name, booleans).unwrap();
    let mut said = Vec::new();
    for ((question, line), answer) in questions.iter().zip(&lines).zip(&answers) {
        let (source, target, class) = *question;
        let table = shipped.allowed(Question { source, target, class }).unwrap();
        let on: Vec<_> = booleans.iter().filter(|(_, on)| **on).map(|(name, _)| name).collect();
        if answer == "unknown" || in_letters(class, answer) != table {
            let on = if on.len() > 3 { vec![] } else { on };
            wrong.push(format!("{} {line}: {table:?}, really {answer}; {on:?}", policy.name));
        }
        said.push(table);
    }
    said
}

#[test]
fn the_tables_say_what_the_policies_say() {
    let mut wrong = Vec::new();
    for (policy, path) in compiled() {
        let all = questions(policy.name);
        let off = compare((policy, &path), &booleans(|_| false), &all, &mut wrong);
        let on = compare((policy, &path), &booleans(|_| true), &all, &mut wrong);
        // Where booleans make a difference, each alone does what the table says.
        let pairs = off.iter().zip(&on).zip(&all);
        let open: Vec<_> =
            pairs.filter(|((off, on), _)| off != on).map(|(_, question)| *question).collect();
        for name in shipped::booleans() {
            compare((policy, &path), &booleans(|other| other == name), &open, &mut wrong);
        }
        eprintln!("{}: {} questions, {} with booleans", policy.name, all.len(), open.len());
    }
    let count = wrong.len();
    wrong.truncate(60);
    assert!(wrong.is_empty(), "{count} differ:\n{}", wrong.join("\n"));
}

#[test]
fn the_tables_have_every_type_that_matters() {
    for (policy, path) in compiled() {
        let words = ask(&path, &BTreeMap::new(), &["strings".to_owned()]).remove(0);
        let real: BTreeSet<&str> = words.split(' ').collect();
        let of = |class| shipped::types(policy.name, class).into_iter();
        let table: BTreeSet<&str> = of("file").chain(of("process")).collect();
        let made_up: Vec<_> = table.difference(&real).collect();
        assert!(made_up.is_empty(), "{}: {made_up:?}", policy.name);
        // Of the others (ports, packets) nothing is allowed that is asked about files.
        let others: Vec<&&str> = real.difference(&table).collect();
        let lines: Vec<String> = others
            .iter()
            .flat_map(|kind| {
                CLASSES[..7].iter().map(move |class| format!("svirt_t {kind} {class}"))
            })
            .collect();
        let answers = ask(&path, &booleans(|_| true), &lines);
        for (line, answer) in lines.iter().zip(&answers) {
            let class = line.rsplit(' ').next().unwrap();
            assert!(in_letters(class, answer).is_empty(), "{}: {line}: {answer}", policy.name);
        }
    }
}

#[test]
fn categories_bind_whom_the_tables_say() {
    for (policy, path) in compiled() {
        let processes = shipped::types(policy.name, "process");
        let nothing = BTreeMap::new();
        let shipped = Shipped::named(policy.name, &nothing).unwrap();
        for source in shipped::domains().into_iter().filter(|domain| processes.contains(domain)) {
            let readable = |target: &&str| {
                let question = Question { source, target, class: "file" };
                shipped.denied(question, &["read"]).is_ok_and(|missing| missing.is_empty())
            };
            let target = shipped::types(policy.name, "file").into_iter().find(readable).unwrap();
            let answer = &ask(&path, &nothing, &[format!("{source} {target}:c9 file")])[0];
            let bound = !answer.contains("read");
            assert_eq!(policy.constrained.contains(&source), bound, "{} {source}", policy.name);
        }
    }
}
