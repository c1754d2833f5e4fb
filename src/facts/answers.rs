//! What libvirt and QEMU themselves said to a document.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Known;

/// What the two judges said to one document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Answers {
    /// The command line that libvirt makes of it, or its refusal; unknown where libvirt was not asked.
    pub libvirt: Known<Result<Vec<String>, String>>,
    /// What QEMU said to that command line; unknown where it was not asked.
    pub qemu: Known<QemuSaid>,
}

/// What a QEMU said to a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QemuSaid {
    /// The program and its version, for people.
    pub who: String,
    /// What it refuses, in its own words.
    pub refusals: Vec<Refusal>,
    /// Arguments of the passthrough that it was not asked about, and why.
    pub unasked: Vec<(usize, String)>,
    /// Why it was not asked to the end: the rest of the arguments may be refused as well.
    pub cut_short: Option<String>,
}

/// Something that QEMU refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The argument of the passthrough that it is about, its value where it has one; nothing for what libvirt itself passes.
    pub argument: Option<usize>,
    /// The option as QEMU names it, where it is libvirt's.
    pub option: String,
    /// The sentence.
    pub sentence: String,
}

impl QemuSaid {
    /// Whether QEMU was asked about an argument and had no objection.
    pub fn accepts(&self, argument: usize) -> bool {
        let refused = self.refusals.iter().any(|refusal| refusal.argument == Some(argument));
        let unasked = self.unasked.iter().any(|(found, _)| *found == argument);
        self.cut_short.is_none() && !refused && !unasked
    }
}

/// The digest that tells a document's text from others, as `sha256sum` prints it.
pub fn digest(text: &str) -> String {
    use std::fmt::Write as _;
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}
