//! XML as people paste it: whole domains, fragments with or without their namespace, and what stands in templates, stylesheets and
//! strings of other languages.

use super::{Found, Value};
use crate::domain::EntryKind;
use crate::xml;

/// Whether a text holds elements of the passthrough.
pub(super) fn is_there(text: &str) -> bool {
    tags(text).next().is_some()
}

/// The tags of arguments and variables in a text, each from its `<` on.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('<').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let end = rest.find(|c: char| c.is_whitespace() || ['>', '/'].contains(&c))?;
        let name = &rest[..end];
        let local = name.rsplit(':').next().unwrap_or(name);
        let attributes = &rest[end..];
        let is_one = match local {
            "arg" => attributes.contains("value"),
            "env" => attributes.contains("name"),
            _ => false,
        };
        is_one.then_some(&text[at..])
    })
}

/// `<qemu:arg>` and `<qemu:env>` elements, whatever stands around them and whatever their prefix is called.
///
/// # Errors
/// Where the text is no XML, or holds none of them.
pub(super) fn read(text: &str) -> Result<Found, String> {
    // Strings of JSON and of other languages have a backslash before each quote.
    let unescaped = text.replace("\\\"", "\"").replace("\\n", "\n");
    let text = if text.contains("=\\\"") { &unescaped } else { text };
    match whole(text) {
        Ok(found) => Ok(found),
        // What stands in a template is no document; its tags are read one by one.
        Err(_) if !text.trim_start().starts_with('<') => one_by_one(text),
        Err(error) => one_by_one(text).ok().filter(|found| !found.is_empty()).ok_or(error),
    }
}

fn whole(text: &str) -> Result<Found, String> {
    // The declaration of a whole document would stand inside.
    let text = text
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
        .map_or(text, |(_, rest)| rest);
    // Nor would a document type stand inside.
    let text = text.trim_start();
    let text = match text.strip_prefix("<!DOCTYPE").and_then(|rest| rest.split_once('>')) {
        Some((_, rest)) => rest,
        None => text,
    };
    let wrapped = format!("<pasted>{text}</pasted>");
    let tree = xml::scan(&wrapped).map_err(|error| {
        let before = &wrapped[..error.offset.min(wrapped.len())];
        format!("line {} of what was pasted: {}", before.matches('\n').count() + 1, error.message)
    })?;
    let mut found = Found::default();
    for element in &tree.elements {
        take(&mut found, element, |name| element.property(name).map(|found| found.value.clone()));
    }
    if found.is_empty() {
        strings(&tree, &mut found);
    }
    some(found)
}

/// Lists of `<string>` that begin with an option, as property lists have them.
fn strings(tree: &xml::Tree, found: &mut Found) {
    for (at, element) in tree.elements.iter().enumerate().filter(|(_, e)| e.name == "array") {
        let all: Vec<&str> = tree.children(at).map(|(_, child)| child.text.trim()).collect();
        let is_list = all.first().is_some_and(|first| super::shell::is_known_option(first));
        if is_list && !element.children.is_empty() {
            found.args.extend(all.iter().map(|text| Value::of(text)));
        }
    }
}

fn some(found: Found) -> Result<Found, String> {
    if found.is_empty() && found.others.is_empty() {
        return Err("no <qemu:arg> and no <qemu:env> is among the XML that was pasted".to_owned());
    }
    Ok(found)
}

/// Takes what one element says.
fn take(found: &mut Found, element: &xml::Element, value: impl Fn(&str) -> Option<String>) {
    match element.local_name() {
        "arg" => found.args.extend(value("value").map(asked)),
        "env" => {
            let Some(name) = value("name") else { return };
            let kind = EntryKind::env(&name, value("value").as_deref());
            match (kind.check(), value("value")) {
                (Ok(()), Some(value)) => found.envs.push((name, asked(value))),
                (Ok(()), None) => found.bare.push(name),
                (Err(why), _) => found.others.push((kind.text(), why)),
            }
        }
        _ => {}
    }
}

/// A value in which a template leaves something open is asked about.
fn asked(text: String) -> Value {
    let open = super::keyed::interpolations(&text);
    Value { text, open }
}

fn one_by_one(text: &str) -> Result<Found, String> {
    let mut found = Found::default();
    let mut bare = String::with_capacity(text.len());
    for (at, piece) in text.split("<!--").enumerate() {
        bare.push_str(if at == 0 {
            piece
        } else {
            piece.split_once("-->").map_or("", |(_, rest)| rest)
        });
    }
    for rest in tags(&bare) {
        let Some(end) = rest.find('>') else { continue };
        let tag = rest[..end].trim_end_matches('/');
        let Ok(tree) = xml::scan(&format!("<pasted>{tag}/></pasted>")) else { continue };
        let Some(element) = tree.elements.get(1) else { continue };
        take(&mut found, element, |name| element.property(name).map(|found| found.value.clone()));
    }
    some(found)
}
