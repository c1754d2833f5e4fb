//! What a QEMU said that it can do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What a QEMU can do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emulator {
    /// The program.
    pub path: String,
    /// Its version, as `7.2.22`.
    pub version: String,
    /// Its devices with the names of their properties; none stands for a device that was not asked about.
    pub devices: BTreeMap<String, Vec<Property>>,
    /// Its machine types, aliases among them.
    #[serde(default)]
    pub machines: Vec<String>,
    /// Its objects for `-object`, likewise.
    pub objects: BTreeMap<String, Vec<Property>>,
    /// The keys of options whose keys are all known (`query-command-line-options`), by QEMU's name of the group.
    #[serde(default)]
    pub keys: BTreeMap<String, Vec<String>>,
    /// Its processor models, for `-cpu`.
    #[serde(default)]
    pub processors: Vec<String>,
    /// The names that it has of its own: `option`, and the types of `audiodev`, `blockdev`, `chardev` and `netdev`. A kind that
    /// is not there was not asked about.
    #[serde(default)]
    pub names: BTreeMap<String, BTreeSet<String>>,
    /// Modules that it was built with: parts that may be packaged apart, such as `audio-pa` or `block-curl`.
    #[serde(default)]
    pub modules: Vec<String>,
    /// The modules among them that are not installed.
    #[serde(default)]
    pub lacking: Vec<String>,
    /// The directories of its own files, firmware among them, in the order in which it looks into them (`-L help`).
    #[serde(default)]
    pub data: Vec<String>,
    /// Types whose properties it does not tell: it spins, or ends.
    #[serde(default)]
    pub unanswerable: Vec<String>,
}

/// A property of a device or an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Its type, as QEMU calls it: `bool`, `uint32`, `str`, `link<…>`.
    #[serde(default)]
    pub kind: String,
    /// Its default, where QEMU tells one.
    #[serde(default)]
    pub default: Option<String>,
}

impl Emulator {
    /// The same with the properties of the named types only.
    #[must_use]
    pub fn about(mut self, types: &[String]) -> Emulator {
        for (name, properties) in self.devices.iter_mut().chain(self.objects.iter_mut()) {
            if !types.contains(name) {
                properties.clear();
            }
        }
        self
    }
}
