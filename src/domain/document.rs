//! The document: its source text and what was read in it. The verbs that plan edits stand in [`super::verbs`].

use super::broken::{self, Broken};
use super::disabled::{self, Disabled};
use super::entry::{Entry, EntryId, EntryKind, List};
use super::extras::Extra;
use super::facts::DomainFacts;
use super::lost::{self, Lost};
use super::namespace::QEMU_NAMESPACE;
use super::passthrough::Passthrough;
use crate::xml::{self, EditSet, Span, Tree, XmlError};

/// A domain document. Verbs plan an [`EditSet`]; [`Document::apply`] gives the next document.
#[derive(Debug, Clone)]
pub struct Document {
    source: String,
    tree: Tree,
    passthrough: Passthrough,
    disabled: Vec<Disabled>,
    lost: Vec<Lost>,
    broken: Vec<Broken>,
    facts: DomainFacts,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The place where it is not well-formed, or not a domain and no block of passthrough either. What libvirt's own reading
    /// refuses in the passthrough (`qemuDomainDefNamespaceParse`) is read all the same: see [`Document::broken`].
    pub fn parse(source: impl Into<String>) -> Result<Document, XmlError> {
        let source = source.into();
        let mut tree = xml::scan(&source)?;
        let is_fragment = fragment(&mut tree);
        let root = tree.root();
        if !is_fragment && root.local_name() != "domain" {
            let at = root.open.start;
            return Err(XmlError {
                offset: at,
                message: format!(
                    "not a libvirt domain, expected <domain> at the top, got <{}>",
                    root.name
                ),
            });
        }
        if let Some(uri) = root.namespace.as_ref().filter(|_| !is_fragment) {
            let message = format!(
                "<{}> is in the namespace '{uri}', libvirt expects <domain> in none",
                root.name
            );
            return Err(XmlError { offset: root.open.start, message });
        }
        let passthrough = Passthrough::read(&tree);
        let broken = broken::find(&source, &tree, &passthrough.blocks);
        let disabled = disabled::read(&source, &tree, &passthrough.blocks);
        let lost = lost::find(&tree);
        let facts = DomainFacts::read(&tree);
        Ok(Document { source, tree, passthrough, disabled, lost, broken, facts })
    }

    /// The text, byte for byte.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The elements of the text.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The entries of one list, in order.
    pub fn list(&self, list: List) -> &[Entry] {
        match list {
            List::Args => &self.passthrough.args,
            List::Envs => &self.passthrough.envs,
            List::Extras => &self.passthrough.extras,
        }
    }

    /// All entries: arguments, then environment, then the rest of the namespace.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.passthrough.args.iter().chain(&self.passthrough.envs).chain(&self.passthrough.extras)
    }

    /// The entry of an id, while the id is valid.
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.list(id.list).get(id.index)
    }

    /// The arguments as QEMU will get them.
    pub fn argv(&self) -> Vec<&str> {
        self.passthrough
            .args
            .iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::Arg { value } => Some(value.as_str()),
                EntryKind::Env { .. } | EntryKind::Extra(_) => None,
            })
            .collect()
    }

    /// One argument; nothing past the last.
    pub fn arg(&self, index: usize) -> &str {
        match self.passthrough.args.get(index).map(|entry| &entry.kind) {
            Some(EntryKind::Arg { value }) => value,
            Some(EntryKind::Env { .. } | EntryKind::Extra(_)) | None => "",
        }
    }

    /// The environment variables: name and value.
    pub fn environment(&self) -> Vec<(&str, Option<&str>)> {
        self.passthrough
            .envs
            .iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::Env { name, value } => Some((name.as_str(), value.as_deref())),
                EntryKind::Arg { .. } | EntryKind::Extra(_) => None,
            })
            .collect()
    }

    /// The properties of devices that overrides set to a text: the entry, the property, its value.
    pub fn overrides(&self) -> Vec<(EntryId, &str, &str)> {
        let mut found = Vec::new();
        for entry in self.list(List::Extras) {
            if let EntryKind::Extra(Extra::Property { name, value: Some(value), .. }) = &entry.kind
            {
                found.push((entry.id, name.as_str(), value.as_str()));
            }
        }
        found
    }

    /// Indices of the `commandline` elements that libvirt reads.
    pub(super) fn blocks(&self) -> &[usize] {
        &self.passthrough.blocks
    }

    /// What is switched off, in the order of the text.
    pub fn disabled(&self) -> &[Disabled] {
        &self.disabled
    }

    /// Passthrough that libvirt will not see.
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// What stands in the passthrough and is no entry, in the order of the text.
    pub fn broken(&self) -> &[Broken] {
        &self.broken
    }

    /// Whether it is a block of passthrough without a domain around it.
    pub fn is_fragment(&self) -> bool {
        self.passthrough.blocks.first() == Some(&0)
    }

    /// What else the document says that matters here.
    pub fn facts(&self) -> &DomainFacts {
        &self.facts
    }

    /// Where the value of an entry stands, between its quotes; the name for a variable without a value.
    pub fn value_span(&self, id: EntryId) -> Option<Span> {
        let element = &self.tree.elements[self.entry(id)?.element];
        let names = ["value", "name", "capability", "behavior"];
        let attribute = names.iter().find_map(|name| element.property(name))?;
        Some(attribute.value_span.clone())
    }

    /// The next document.
    ///
    /// # Errors
    /// When the edited text can't be read any more; this document is as it was.
    pub fn apply(&self, edits: &EditSet) -> Result<Document, XmlError> {
        Document::parse(edits.apply(&self.source))
    }
}

/// Whether the root is a block of passthrough that stands alone. People copy it without the domain, and so without the declaration
/// of its prefix: what has the block's own prefix is in the namespace then.
fn fragment(tree: &mut Tree) -> bool {
    let root = tree.root();
    let is_block = root.local_name() == "commandline";
    let is_ours = root.namespace.as_deref().is_none_or(|uri| uri == QEMU_NAMESPACE);
    if !is_block || !is_ours {
        return false;
    }
    let prefix = root.prefix().map(str::to_owned);
    for element in &mut tree.elements {
        let same = element.prefix() == prefix.as_deref();
        if same && element.namespace.is_none() {
            element.namespace = Some(QEMU_NAMESPACE.to_owned());
            element.undeclared_prefix = false;
        }
    }
    true
}
