//! The passthrough as libvirt prints it, character for character (`qemuDomainDefNamespaceFormatXML`).
//!
//! All arguments, then all variables, then capabilities (`add` before `del`), override and deprecation, at the end of the
//! domain, with single quotes and two-space indent; the namespace on the root with the prefix `qemu`.

use super::document::Document;
use super::entry::{Entry, EntryId, EntryKind, List};
use super::extras::{self, Extra};
use super::namespace::{BLOCKS, QEMU_NAMESPACE, is_ours};
use super::style::{self, Style};
use super::verbs::VerbError;
use crate::xml::{Attribute, Edit, EditSet, Element, Tree, escape::as_libvirt};

/// One line of the canonical block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The entry that the line shows, if it shows one.
    pub entry: Option<EntryId>,
    /// The line, indent included, without a line end.
    pub text: String,
}

/// The canonical block; no line at all when libvirt would store nothing.
pub fn lines(document: &Document) -> Vec<Line> {
    let mut out = Lines(Vec::new());
    let (args, envs) = (document.list(List::Args), document.list(List::Envs));
    if !args.is_empty() || !envs.is_empty() {
        out.add("  <qemu:commandline>");
        for entry in args.iter().chain(envs) {
            out.0.push(Line { entry: Some(entry.id), text: format!("    {}", element(entry)) });
        }
        out.add("  </qemu:commandline>");
    }
    capabilities(document, &mut out);
    overrides(document, &mut out);
    for entry in document.list(List::Extras) {
        if let EntryKind::Extra(extra @ Extra::Deprecation { .. }) = &entry.kind {
            out.entry(entry, 1, &extras::line(extra, Some("qemu")));
        }
    }
    out.0
}

/// The canonical block as one text with `\n` line ends.
pub fn block(document: &Document) -> String {
    let mut text = String::new();
    for line in lines(document) {
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

/// Plans the whole document with its passthrough in canonical form; every other byte stays.
///
/// # Errors
/// When the root binds the prefix `qemu` to another namespace that other elements use, or lost elements use it undeclared.
pub fn plan(document: &Document) -> Result<EditSet, VerbError> {
    let (source, tree) = (document.source(), document.tree());
    if document.is_fragment() {
        let why = "there is no domain around the block, expected the document that it belongs to";
        return Err(VerbError(why.to_owned()));
    }
    if let Some(broken) = document.broken().first() {
        let why = "which is no entry, expected it repaired or deleted first";
        return Err(VerbError(format!("there is {}, {why}", broken.name)));
    }
    let mut edits = EditSet::new();
    let lines = lines(document);
    let present: Vec<&Element> = tree
        .children(0)
        .filter(|(_, child)| BLOCKS.iter().any(|name| is_ours(child, name)))
        .map(|(_, child)| child)
        .collect();
    if is_canonical(source, tree, &lines, &present) {
        return Ok(edits);
    }
    if tree
        .elements
        .iter()
        .any(|element| element.undeclared_prefix && element.prefix() == Some("qemu"))
    {
        let why = "the prefix 'qemu' is used and declared nowhere: declaring it would bring lost elements to life, expected them repaired or deleted first";
        return Err(VerbError(why.to_owned()));
    }
    for child in &present {
        edits.push(Edit::delete(style::with_line(source, &child.span())))?;
    }
    if lines.is_empty() {
        return Ok(edits);
    }
    declare_on_root(tree, &present, &mut edits)?;
    append_to_root(
        source,
        tree,
        &lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
        &mut edits,
    )?;
    Ok(edits)
}

/// The whole document with its passthrough in canonical form.
///
/// # Errors
/// As [`plan`].
pub fn document(document: &Document) -> Result<String, VerbError> {
    Ok(plan(document)?.apply(document.source()))
}

/// Whether the text already is what would be written, so that nothing has to change.
fn is_canonical(source: &str, tree: &Tree, lines: &[Line], present: &[&Element]) -> bool {
    let (Some(first), Some(last), Some(close)) =
        (present.first(), present.last(), &tree.root().close)
    else {
        return lines.is_empty() && present.is_empty();
    };
    let start = first.open.start - style::indent(source, first.open.start).len();
    let line_end = style::line_end(source);
    let wanted = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(line_end);
    source[start..last.span().end] == wanted
        && source[last.span().end..close.start].trim().is_empty()
        && tree.root().binding(Some("qemu")).is_some_and(|binding| binding.value == QEMU_NAMESPACE)
}

/// Plans a canonical block for a document that has none.
pub(super) fn push_new_block(
    source: &str,
    tree: &Tree,
    kinds: &[EntryKind],
    edits: &mut EditSet,
) -> Result<(), VerbError> {
    let root = tree.root();
    let mut ours = root.attributes.iter().filter(|attribute| attribute.value == QEMU_NAMESPACE);
    let bound = ours.find_map(Attribute::bound_prefix);
    let mut style = Style::canonical(tree.foreign_encoding.is_some());
    let mut declaration = String::new();
    if let Some(prefix) = bound {
        style.prefix = format!("{prefix}:");
    } else if root.binding(Some("qemu")).is_none()
        && !tree.elements.iter().any(|e| e.prefix() == Some("qemu"))
    {
        declare_on_root(tree, &[], edits)?;
    } else {
        // The root means something else by `qemu`, or lost elements use it undeclared and would come to life unasked:
        // the block declares it for itself, as libvirt's own tests do.
        declaration = format!(" xmlns:qemu='{QEMU_NAMESPACE}'");
    }
    let name = format!("{}commandline", style.prefix);
    let mut lines = vec![format!("  <{name}{declaration}>")];
    for kind in kinds {
        lines.push(format!("    {}", style.element(kind)?));
    }
    lines.push(format!("  </{name}>"));
    append_to_root(source, tree, &lines.iter().map(String::as_str).collect::<Vec<_>>(), edits)
}

fn declare_on_root(
    tree: &Tree,
    removed: &[&Element],
    edits: &mut EditSet,
) -> Result<(), VerbError> {
    let root = tree.root();
    let used = |prefix: &str| {
        tree.elements.iter().any(|element| {
            let gone = removed.iter().any(|gone| {
                gone.open.start <= element.open.start && element.open.start < gone.span().end
            });
            let attributes = element
                .attributes
                .iter()
                .any(|a| a.name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(':')));
            !gone && (element.prefix() == Some(prefix) || attributes)
        })
    };
    match root.binding(Some("qemu")) {
        Some(binding) if binding.value == QEMU_NAMESPACE => return Ok(()),
        Some(_) if used("qemu") => {
            return Err(VerbError(
                "the root binds the prefix 'qemu' to another namespace that other elements use"
                    .to_owned(),
            ));
        }
        Some(binding) => {
            edits.push(Edit::replace(binding.value_span.clone(), QEMU_NAMESPACE))?;
            return Ok(());
        }
        None => {}
    }
    let other = root.attributes.iter().find(|a| {
        a.value == QEMU_NAMESPACE && a.bound_prefix().is_some_and(|prefix| !used(prefix))
    });
    match other {
        Some(binding) if !removed.is_empty() => {
            edits.push(Edit::replace(binding.name_span.clone(), "xmlns:qemu"))?;
        }
        _ => {
            edits.push(Edit::insert(
                root.after_attributes(),
                format!(" xmlns:qemu='{QEMU_NAMESPACE}'"),
            ))?;
        }
    }
    Ok(())
}

/// Puts lines before the root's end tag, each on a line of its own.
fn append_to_root(
    source: &str,
    tree: &Tree,
    lines: &[&str],
    edits: &mut EditSet,
) -> Result<(), VerbError> {
    let line_end = style::line_end(source);
    let text: String = lines.iter().flat_map(|line| [line_end, line]).collect();
    let root = tree.root();
    match &root.close {
        Some(close) => match style::own_line(source, close.start) {
            Some(blanks) => edits.push(Edit::insert(close.start - blanks.len(), text))?,
            None => edits.push(Edit::insert(close.start, format!("{text}{line_end}")))?,
        },
        None => {
            let tag = &source[root.open.clone()];
            let end = root.open.end;
            edits.push(Edit::replace(
                end - (tag.len() - tag.trim_end_matches("/>").len())..end,
                format!(">{text}{line_end}</{}>", root.name),
            ))?;
        }
    }
    Ok(())
}

struct Lines(Vec<Line>);

impl Lines {
    fn add(&mut self, text: impl Into<String>) {
        self.0.push(Line { entry: None, text: text.into() });
    }

    /// A line that shows an entry, so many levels deep.
    fn entry(&mut self, entry: &Entry, depth: usize, text: &str) {
        self.0.push(Line { entry: Some(entry.id), text: format!("{}{text}", "  ".repeat(depth)) });
    }
}

/// An entry as libvirt prints it, without indent.
pub fn element(entry: &Entry) -> String {
    match &entry.kind {
        EntryKind::Arg { value } => format!("<qemu:arg value='{}'/>", as_libvirt(value)),
        EntryKind::Env { name, value: None } => format!("<qemu:env name='{}'/>", as_libvirt(name)),
        EntryKind::Env { name, value: Some(value) } => {
            format!("<qemu:env name='{}' value='{}'/>", as_libvirt(name), as_libvirt(value))
        }
        EntryKind::Extra(extra) => extras::line(extra, Some("qemu")),
    }
}

fn capabilities(document: &Document, out: &mut Lines) {
    let all: Vec<&Entry> = document
        .list(List::Extras)
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Extra(Extra::Capability { .. })))
        .collect();
    if !all.is_empty() {
        out.add("  <qemu:capabilities>");
        for entry in all {
            out.entry(entry, 2, &element(entry));
        }
        out.add("  </qemu:capabilities>");
    }
}

fn overrides(document: &Document, out: &mut Lines) {
    let tree = document.tree();
    let ours = |parent: usize, name: &'static str| {
        tree.children(parent).filter(move |(_, element)| is_ours(element, name))
    };
    let devices: Vec<(usize, &Element)> =
        ours(0, "override").flat_map(|(index, _)| ours(index, "device")).collect();
    if devices.is_empty() {
        return;
    }
    out.add("  <qemu:override>");
    for (index, device) in devices {
        let alias = device.property("alias").map_or("", |a| a.value.as_str());
        let alias = as_libvirt(alias);
        let inside: Vec<usize> = ours(index, "frontend")
            .flat_map(|(at, _)| ours(at, "property"))
            .map(|(at, _)| at)
            .collect();
        let properties: Vec<&Entry> = document
            .list(List::Extras)
            .iter()
            .filter(|entry| inside.contains(&entry.element))
            .collect();
        if properties.is_empty() {
            out.add(format!("    <qemu:device alias='{alias}'/>"));
            continue;
        }
        out.add(format!("    <qemu:device alias='{alias}'>"));
        out.add("      <qemu:frontend>");
        for entry in properties {
            out.entry(entry, 4, &element(entry));
        }
        out.add("      </qemu:frontend>");
        out.add("    </qemu:device>");
    }
    out.add("  </qemu:override>");
}
