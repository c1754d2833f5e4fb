//! A real start beside what was foretold, as it is written down.

use serde::{Deserialize, Serialize};

use crate::facts::HostFacts;

/// The format of a bundle.
pub const TRIAL_VERSION: u32 = 1;

/// What was said about a start before it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foretold {
    /// QEMU comes up.
    Starts,
    /// It does not, for these reasons.
    Fails(Vec<String>),
    /// These things were not known.
    Unknown(Vec<String>),
}

/// What the start then did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// libvirt had QEMU waiting for 'cont'.
    Starts,
    /// libvirt's words.
    Fails(String),
}

/// Everything about one trial: what is needed to repeat its judgement elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// [`TRIAL_VERSION`].
    pub version: u32,
    /// qpt-tui's version.
    pub program: String,
    /// The document that was started.
    pub document: String,
    /// What was taken out of it before, and why.
    pub left_out: Vec<String>,
    /// What was foretold of that.
    #[serde(default)]
    pub unproved: Vec<String>,
    /// What was foretold of the rest.
    pub foretold: Foretold,
    /// What happened.
    pub happened: Happened,
    /// What QEMU wrote into the domain's log meanwhile.
    pub log: Vec<String>,
    /// What the host said before the start; libvirt's and QEMU's answers are among it.
    pub facts: HostFacts,
}

/// How a start compares with what was foretold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// It did what was said.
    Agrees,
    /// It did not.
    Differs,
    /// Something was not known before.
    NothingForetold,
}

impl Trial {
    /// Compares.
    pub fn agreement(&self) -> Agreement {
        match (&self.foretold, &self.happened) {
            (Foretold::Unknown(_), _) => Agreement::NothingForetold,
            (Foretold::Starts, Happened::Starts) | (Foretold::Fails(_), Happened::Fails(_)) => {
                Agreement::Agrees
            }
            (Foretold::Starts, Happened::Fails(_)) | (Foretold::Fails(_), Happened::Starts) => {
                Agreement::Differs
            }
        }
    }
}
