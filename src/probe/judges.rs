//! Asking the judges: libvirt for the command line that it makes of a document, and QEMU what it says to that.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::native;
use super::sandbox::{Ended, Sandbox};
use crate::domain::Document;
use crate::facts::answers::{Answers, QemuSaid, Refusal};
use crate::facts::{HostFacts, Known};
use crate::trial::{Around, Command, StandIn, askable, restored, sentence, stand_ins};

/// How long QEMU may be asked about one document.
const PATIENCE: Duration = Duration::from_secs(5);
/// bubblewrap takes 9,000 arguments, its own among them.
const MOST_ARGUMENTS: usize = 8_000;
/// How often QEMU is asked about one document: each refusal is left out, to see what comes behind it.
const MOST: usize = 24;

/// The judges, with what they said before.
#[derive(Default)]
pub struct Judges {
    said: Mutex<HashMap<Question, Known<QemuSaid>>>,
    scratch: native::Scratch,
}

/// A program, the command line that it is asked about, and what stands in for the files.
type Question = (String, Vec<String>, Vec<StandIn>);

impl Judges {
    /// The command line that libvirt makes of a document.
    ///
    /// # Errors
    /// As [`native::command`].
    pub fn command(
        &self,
        document: &Document,
        session: bool,
    ) -> Result<Vec<String>, native::Failure> {
        self.printed(document, document.source(), session)
    }

    /// What libvirt prints of `text`, a document or an askable copy of it, as a start has it.
    fn printed(
        &self,
        document: &Document,
        text: &str,
        session: bool,
    ) -> Result<Vec<String>, native::Failure> {
        native::command(text, session, &self.scratch).map(|argv| restored(document, argv))
    }

    /// What libvirt and QEMU say to a document on this host.
    pub fn ask(&self, document: &Document, host: &HostFacts) -> Answers {
        if document.is_fragment() {
            let why = "there is no domain around the block".to_owned();
            return Answers { libvirt: Known::Unknown(why.clone()), qemu: Known::Unknown(why) };
        }
        // libvirt runs the emulator to learn what it can do; one that anybody may have put there is not run.
        if let Some(Err(why)) = document.facts().emulator.as_deref().map(super::trusted) {
            return Answers { libvirt: Known::Unknown(why.clone()), qemu: Known::Unknown(why) };
        }
        let session = !host.is_system();
        let libvirt = match self.printed(document, &askable(document), session) {
            Ok(command) => Known::Yes(Ok(command)),
            Err(native::Failure::Refused(sentence)) => Known::Yes(Err(sentence)),
            Err(native::Failure::NotAsked(why)) => Known::Unknown(why),
        };
        let qemu = match &libvirt {
            Known::Yes(Ok(command)) => self.qemu(document, command, host),
            Known::Yes(Err(_)) => {
                Known::Unknown("libvirt refuses the domain before QEMU is run".to_owned())
            }
            Known::Unknown(why) => Known::Unknown(why.clone()),
        };
        Answers { libvirt, qemu }
    }

    /// What QEMU says to libvirt's command line; the same one is asked about once.
    fn qemu(&self, document: &Document, command: &[String], host: &HostFacts) -> Known<QemuSaid> {
        let Some((program, argv)) = command.split_first() else {
            return Known::Unknown("libvirt's command line is empty".to_owned());
        };
        if let Err(why) = super::trusted(program) {
            return Known::Unknown(why);
        }
        if argv.len() > MOST_ARGUMENTS {
            return Known::Unknown(format!("it has more than {MOST_ARGUMENTS} words"));
        }
        let own = document.argv();
        // What is asked about is the command line with the files that stand there now.
        let stand_ins = stand_ins(argv, &own, host);
        let key = (program.clone(), settled(argv), stand_ins.clone());
        let known = |said: &Mutex<HashMap<_, _>>| {
            said.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
        };
        if let Some(said) = known(&self.said) {
            return said;
        }
        let asked = Sandbox::new().and_then(|sandbox| {
            sandbox.furnish(&stand_ins)?;
            let command = Command::of(argv, &own, Around::of(argv, host, sandbox.kvm));
            Asking {
                sandbox,
                program,
                command,
                said: QemuSaid { who: who(program, host), ..QemuSaid::default() },
                gap: false,
            }
            .ask()
        });
        let said = asked.map_or_else(Known::Unknown, Known::Yes);
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(key, said.clone());
        said
    }
}

/// A command line without what libvirt draws anew each time: UUIDs and MAC addresses that the document does not give.
fn settled(argv: &[String]) -> Vec<String> {
    let mut settled = Vec::with_capacity(argv.len());
    let mut follows_uuid = false;
    for word in argv {
        settled.push(if follows_uuid { String::new() } else { without_address(word) });
        follows_uuid = word == "-uuid";
    }
    settled
}

fn without_address(word: &str) -> String {
    match word.split_once("\"mac\":\"") {
        Some((before, after)) => format!("{before}{}", after.get(17..).unwrap_or_default()),
        None => word.to_owned(),
    }
}

fn who(program: &str, host: &HostFacts) -> String {
    match host.emulator_of(Some(program)) {
        Ok(emulator) => format!("QEMU {}", emulator.version),
        Err(_) => program.to_owned(),
    }
}

/// One document's questions to QEMU.
struct Asking<'a> {
    sandbox: Sandbox,
    program: &'a str,
    command: Command,
    said: QemuSaid,
    /// Something that libvirt passes had to be left out: what QEMU says to the rest of it may come of that.
    gap: bool,
}

impl Asking<'_> {
    /// Asks, leaves out what is refused, and asks again, until QEMU has no objection any more.
    fn ask(mut self) -> Result<QemuSaid, String> {
        let deadline = Instant::now() + PATIENCE;
        for _ in 0..MOST {
            let words = match self.sandbox.run(self.program, &self.command.arguments())? {
                Ended::Accepted => {
                    self.read_as_written(deadline)?;
                    return Ok(self.finished());
                }
                Ended::Refused(words) => words,
                Ended::Stopped(why) => {
                    self.said.cut_short = Some(why);
                    return Ok(self.finished());
                }
            };
            let whole = sentence(&words, self.program).unwrap_or_else(|| crate::trial::Sentence {
                whole: "QEMU ended without a word".to_owned(),
                is_about_outside: false,
                is_about_machine: false,
            });
            let Some(at) = self.culprit(&whole.whole, deadline)? else {
                self.unplaced(&whole);
                return Ok(self.finished());
            };
            self.settle(at, &whole);
            if Instant::now() > deadline {
                self.said.cut_short = Some("there was no time to ask about all of it".to_owned());
                return Ok(self.finished());
            }
        }
        self.said.cut_short = Some(format!("QEMU refuses more than {MOST} options"));
        Ok(self.finished())
    }

    /// What only a stand-in was asked about is given to QEMU as it is written, each alone: there it fails for want of the host,
    /// unless it can't even be read.
    fn read_as_written(&mut self, deadline: Instant) -> Result<(), String> {
        for at in 0..self.command.parts.len() {
            let Some(trial) = self.command.as_written(at) else { continue };
            if Instant::now() > deadline {
                return Ok(());
            }
            let Ended::Refused(words) = self.sandbox.run(self.program, &trial.arguments())? else {
                continue;
            };
            let Some(said) = sentence(&words, self.program) else { continue };
            if said.is_about_reading() {
                let part = &self.command.parts[at];
                let (argument, option) = (part.argument, part.name.clone());
                self.said.refusals.push(Refusal { argument, option, sentence: said.whole });
            }
        }
        Ok(())
    }

    /// A refusal that no option can be found for.
    fn unplaced(&mut self, sentence: &crate::trial::Sentence) {
        if self.is_inconclusive(sentence) {
            self.said.cut_short = Some(format!("where QEMU is asked it says: {}", sentence.whole));
        } else {
            let (option, sentence) = (String::new(), sentence.whole.clone());
            self.said.refusals.push(Refusal { argument: None, option, sentence });
            self.said.cut_short = Some("QEMU went no further".to_owned());
        }
    }

    /// Whether a sentence says something about the sandbox, and not about the command line.
    fn is_inconclusive(&self, sentence: &crate::trial::Sentence) -> bool {
        sentence.is_about_outside || self.is_about_kvm(sentence) || self.gap
    }

    /// KVM is not there where QEMU is asked.
    fn is_about_kvm(&self, sentence: &crate::trial::Sentence) -> bool {
        self.command.is_without_kvm() && sentence.whole.to_ascii_lowercase().contains("kvm")
    }

    /// The option that a refusal is about: as QEMU names it, or found by leaving options out.
    fn culprit(&self, words: &str, deadline: Instant) -> Result<Option<usize>, String> {
        if let Some(at) = self.command.named(words) {
            return Ok(Some(at));
        }
        // The smallest beginning of the passthrough that is refused with these words ends in the culprit.
        let candidates: Vec<usize> = (0..self.command.parts.len())
            .filter(|at| {
                self.command.parts[*at].argument.is_some() && !self.command.parts[*at].left_out
            })
            .collect();
        let refused_with = |count: usize| -> Result<bool, String> {
            let mut trial = self.command.clone();
            for at in &candidates[count..] {
                trial.parts[*at].left_out = true;
            }
            Ok(match self.sandbox.run(self.program, &trial.arguments())? {
                Ended::Refused(said) => {
                    sentence(&said, self.program).is_some_and(|said| said.whole == words)
                        || said.is_empty()
                }
                Ended::Accepted | Ended::Stopped(_) => false,
            })
        };
        if candidates.is_empty() || refused_with(0)? {
            return Ok(None);
        }
        let (mut good, mut bad) = (0, candidates.len());
        while bad - good > 1 && Instant::now() < deadline {
            let middle = good + (bad - good) / 2;
            if refused_with(middle)? { bad = middle } else { good = middle }
        }
        Ok(Some(candidates[bad - 1]))
    }

    /// Writes a refusal down and leaves its option out.
    fn settle(&mut self, at: usize, sentence: &crate::trial::Sentence) {
        let part = &self.command.parts[at];
        let touches_outside =
            part.unasked.is_some() || part.is_of_the_network() || !self.outside(at).is_empty();
        let is_libvirts = part.argument.is_none();
        // Memory is asked of the same kernel, and less of it.
        let is_about_memory =
            !is_libvirts && sentence.whole.starts_with("cannot set up guest memory");
        let is_about_host =
            sentence.is_about_outside && !is_about_memory && (touches_outside || is_libvirts);
        let names_rom = ["romfile", "BIOS", "rom '", "keymap file"]
            .iter()
            .any(|word| sentence.whole.contains(word));
        let is_about_rom = names_rom && self.command.lacks("L");
        // What a file defines that is not read is not there.
        let absence = ["not found", "can't find", "cannot find"];
        let is_about_absence = self.command.lacks("readconfig")
            && absence.iter().any(|words| sentence.whole.contains(words));
        if is_about_host
            || is_about_absence
            || sentence.is_about_machine
            || is_about_rom
            || self.is_about_kvm(sentence)
            || self.gap && is_libvirts
        {
            let why = format!("where it was asked it says: {}", sentence.whole);
            self.gap |= is_libvirts;
            return self.command.leave_out(at, &why);
        }
        // What QEMU says to the rest of libvirt's own may come of this.
        self.gap |= is_libvirts;
        let (argument, option) = (part.argument, part.name.clone());
        self.said.refusals.push(Refusal { argument, option, sentence: sentence.whole.clone() });
        self.command.refuse(at);
    }

    /// The resources of the host that a part names.
    fn outside(&self, at: usize) -> Vec<crate::qemu::Use> {
        let part = &self.command.parts[at];
        let words: Vec<&str> =
            std::iter::once(part.name.as_str()).chain(part.value.as_deref()).collect();
        crate::qemu::CommandLine::read(&words, &[]).uses
    }

    fn finished(mut self) -> QemuSaid {
        let refused: Vec<Option<usize>> =
            self.said.refusals.iter().map(|refusal| refusal.argument).collect();
        for part in &self.command.parts {
            if let (Some(argument), Some(why)) = (part.argument, &part.unasked)
                && !refused.contains(&Some(argument))
            {
                self.said.unasked.push((argument, why.clone()));
            }
        }
        self.said
    }
}
