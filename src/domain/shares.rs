//! Directories that a domain shares with its guest, and who serves them.

use super::DomainFacts;
use crate::xml::Tree;

impl DomainFacts {
    /// A `<filesystem>`: its directory, and the virtiofsd that it names or leaves to libvirt; one that runs already, behind a
    /// socket, needs neither.
    pub(super) fn share(&mut self, tree: &Tree, index: usize) {
        let attribute = |child: &str, name: &str| {
            let (_, element) = tree.child(index, child)?;
            element.attribute(name).map(str::to_owned)
        };
        self.bring("filesystem", &attribute("source", "dir").unwrap_or_default(), false, false);
        let is_virtiofs = attribute("driver", "type").as_deref() == Some("virtiofs");
        if !is_virtiofs || attribute("source", "socket").is_some() {
            return;
        }
        match attribute("binary", "path") {
            Some(program) => self.bring("virtiofsd", &program, true, false),
            None => self.virtiofs = true,
        }
    }
}
