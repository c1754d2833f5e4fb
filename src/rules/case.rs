//! What a rule may look at.

use crate::domain::Document;
use crate::facts::answers::Answers;
use crate::facts::identity::Identity;
use crate::facts::{HostFacts, Walk};
use crate::libvirt::Start;
use crate::qemu::{Access, CommandLine, Use};

/// Everything a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its passthrough as QEMU reads it, with what images bring along.
    pub line: &'a CommandLine,
    /// What the host says.
    pub host: &'a HostFacts,
    /// What libvirt makes of the document on this host.
    pub start: &'a Start<'a>,
    /// What libvirt and QEMU themselves said to the document; nothing where they were not to be asked.
    pub answers: Option<&'a Answers>,
}

impl<'a> Case<'a> {
    /// Every use that is a path, with the walk to it.
    pub(super) fn walks(
        &self,
    ) -> impl Iterator<Item = (&'a Use, &'a str, Access, &'a Walk)> + use<'a> {
        let Case { line, host, .. } = *self;
        line.uses.iter().filter_map(move |usage| {
            let (path, access) = usage.resource.path()?;
            Some((usage, path, access, host.walk(path).ok()?))
        })
    }

    /// Who QEMU runs as.
    pub(super) fn identity(&self) -> Result<&'a Identity, &'a str> {
        self.start.identity
    }
}
