//! What a document is read into: elements and attributes, each with the place where it stands.

use super::edit::Span;
use super::names::{is_name, split};

/// An attribute, as written and as meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The name as written, with its prefix.
    pub name: String,
    /// The value, with references resolved and blanks normalised.
    pub value: String,
    /// Where the name stands.
    pub name_span: Span,
    /// Where the raw value stands, without its quotes.
    pub value_span: Span,
    /// The quote around the value.
    pub quote: char,
}

impl Attribute {
    /// The name without its prefix.
    pub fn local_name(&self) -> &str {
        split(&self.name).1
    }

    /// The prefix that it binds to a namespace, if an element can have it: one that begins with a digit or holds a second colon
    /// is none (`xmlParseQName`).
    pub fn bound_prefix(&self) -> Option<&str> {
        let prefix = self.name.strip_prefix("xmlns:")?;
        (is_name(prefix) && !prefix.contains(':')).then_some(prefix)
    }
}

/// An element: where it stands, what it is called, what its attributes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The name as written, with its prefix.
    pub name: String,
    /// The namespace, when one is in force for the name.
    pub namespace: Option<String>,
    /// The prefix stands in the name but was declared nowhere; libvirt then does not see the element.
    pub undeclared_prefix: bool,
    /// Index of the parent in [`Tree::elements`]; `None` for the root.
    pub parent: Option<usize>,
    /// Indices of the children, in order.
    pub children: Vec<usize>,
    /// Attributes in the order of the text, namespace declarations among them.
    pub attributes: Vec<Attribute>,
    /// The start tag, `<` to `>`.
    pub open: Span,
    /// The end tag; `None` for `<a/>`.
    pub close: Option<Span>,
    /// Character data directly inside, CDATA included, references resolved.
    pub text: String,
}

impl Element {
    /// The name without its prefix.
    pub fn local_name(&self) -> &str {
        split(&self.name).1
    }

    /// The prefix of the name, if it has one.
    pub fn prefix(&self) -> Option<&str> {
        split(&self.name).0
    }

    /// The whole element, start tag to end tag.
    pub fn span(&self) -> Span {
        self.open.start..self.close.as_ref().unwrap_or(&self.open).end
    }

    /// The value of the attribute called exactly `name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// The first attribute whose local name is `local`, whatever its prefix, as `xmlGetProp` finds it.
    pub fn property(&self, local: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| {
            attribute.local_name() == local
                && attribute.name != "xmlns"
                && !attribute.name.starts_with("xmlns:")
        })
    }

    /// Where another attribute can be inserted, its leading blank included.
    pub fn after_attributes(&self) -> usize {
        self.attributes
            .last()
            .map_or(self.open.start + 1 + self.name.len(), |last| last.value_span.end + 1)
    }

    /// The namespace that this element's own attributes bind `prefix` to (`None`: the default one).
    pub fn binding(&self, prefix: Option<&str>) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| match prefix {
            None => attribute.name == "xmlns",
            Some(prefix) => attribute.name.strip_prefix("xmlns:") == Some(prefix),
        })
    }
}

/// All elements of a document in the order of their start tags; the root is the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The elements; never empty.
    pub elements: Vec<Element>,
    /// Comments, `<!--` to `-->`.
    pub comments: Vec<Span>,
    /// The XML declaration names an encoding other than UTF-8 or ASCII.
    pub foreign_encoding: Option<String>,
}

impl Tree {
    /// The document's root element.
    pub fn root(&self) -> &Element {
        &self.elements[0]
    }

    /// The direct children of an element, with their index.
    pub fn children(&self, parent: usize) -> impl Iterator<Item = (usize, &Element)> {
        self.elements[parent].children.iter().map(|&index| (index, &self.elements[index]))
    }

    /// The first child called `local` that is in no namespace.
    pub fn child(&self, parent: usize, local: &str) -> Option<(usize, &Element)> {
        self.children(parent)
            .find(|(_, element)| element.name == local && element.namespace.is_none())
    }
}
