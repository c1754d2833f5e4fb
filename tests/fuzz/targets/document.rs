//! A document is read, printed as libvirt does, and edited: every byte outside an edit stays, and what comes is read again.

use qpt_tui::domain::extras::{Change, Extra};
use qpt_tui::domain::merge::{Merge, merge};
use qpt_tui::domain::{Document, EntryId, EntryKind, List, canonical};
use qpt_tui::session;
use qpt_tui::xml::EditSet;

use super::{Choices, divided};

/// What documents are made of.
pub const WORDS: &[&str] = &[
    "<domain>",
    "</domain>",
    "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
    " xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'",
    " xmlns='http://libvirt.org/schemas/domain/qemu/1.0'",
    "<qemu:commandline>",
    "</qemu:commandline>",
    "<qemu:arg value='-S'/>",
    "<qemu:env name='A' value='1'/>",
    "<qemu:env name='A'/>",
    "<qemu:capabilities><qemu:add capability='x'/></qemu:capabilities>",
    "<qemu:override><qemu:device alias='a'><qemu:frontend><qemu:property name='x' type='string' value='y'/>",
    "</qemu:frontend></qemu:device></qemu:override>",
    "<qemu:deprecation behavior='omit'/>",
    "<!-- qpt-tui off: <qemu:arg value='a'/> -->",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml version='1.0' encoding='UTF-8'?>",
    "<!DOCTYPE domain [<!ENTITY e 'x'>]>",
    "&e;",
    "&#10;",
    "&#x9;",
    "&amp;",
    "<devices>",
    "</devices>",
    "<seclabel type='dynamic' model='dac'/>",
    "\r\n",
    "\u{feff}",
];

/// The text is a document; the bytes behind the NUL choose edits.
pub fn run(data: &[u8]) {
    let Some((text, mut choices)) = divided(data) else { return };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            assert!(text.is_char_boundary(error.offset), "{error:?} is no place in the text");
            assert!(session::parse("vm.xml", text).is_err());
            return;
        }
    };
    assert_eq!(document.source(), text);
    let again = Document::parse(text).expect("it was read before");
    assert_eq!(entries(&document), entries(&again));
    assert_eq!(session::command_line(&document), session::command_line(&again));
    for entry in document.entries() {
        assert!(text.get(entry.span.clone()).is_some_and(|text| text.starts_with('<')));
        assert!(document.value_span(entry.id).is_none_or(|span| text.get(span).is_some()));
    }
    typed(&document);
    canonical_is_stable(&document);
    let mut now = document.clone();
    let mut changes = Vec::new();
    while !choices.is_over() && changes.len() < 6 {
        let next = edited(&now, &mut choices);
        changes.push(next.source().to_owned());
        now = next;
    }
    merged(text, &changes);
}

/// What a document says, without the places.
fn entries(document: &Document) -> Vec<EntryKind> {
    document.entries().map(|entry| entry.kind.clone()).collect()
}

/// What stands in a form is read as what it was made of.
fn typed(document: &Document) {
    for entry in document.list(List::Extras) {
        let EntryKind::Extra(extra) = &entry.kind else { continue };
        let (first, second) = extra.halves();
        let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let is_typed = match extra {
            Extra::Property { alias, name, .. } => {
                is_plain(&alias.replace('.', "")) && is_plain(name)
            }
            Extra::Capability { name, .. } => is_plain(name),
            Extra::Deprecation { .. } => true,
        };
        if is_typed && extra.check().is_ok() {
            assert_eq!(Extra::read(&first, &second).as_ref(), Ok(extra));
        }
    }
}

fn of_list(document: &Document, list: List) -> Vec<EntryKind> {
    document.list(list).iter().map(|entry| entry.kind.clone()).collect()
}

fn is_well_formed(text: &str) -> bool {
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options).is_ok()
}

/// Makes an edit, and looks at every byte outside of it.
fn applied(document: &Document, edits: &EditSet) -> Document {
    let (before, mut done) = (document.source(), 0);
    let next = document.apply(edits).unwrap_or_else(|error| {
        panic!("{error:?} after {edits:?} gave\n{}", edits.apply(before));
    });
    let mut rest = next.source();
    for edit in edits.edits() {
        assert!(edit.span.start >= done, "{edits:?} overlap");
        let kept = &before[done..edit.span.start];
        rest = rest.strip_prefix(kept).expect("bytes before an edit stay");
        rest = rest.strip_prefix(edit.text.as_str()).expect("the text of an edit comes");
        done = edit.span.end;
    }
    assert_eq!(rest, &before[done..], "bytes behind the edits stay");
    // What is switched off stands in a comment, where no reader looks.
    if document.disabled().is_empty() && is_well_formed(before) {
        assert!(is_well_formed(next.source()), "another reader refuses\n{}", next.source());
    }
    next
}

/// A value as it comes back from where libvirt prints it: it writes blanks as they are, and a reader makes blanks of them.
fn as_printed(kind: &EntryKind) -> String {
    format!("{kind:?}").replace("\\t", " ").replace("\\n", " ").replace("\\r", " ")
}

fn canonical_is_stable(document: &Document) {
    let Ok(plan) = canonical::plan(document) else { return };
    let printed = applied(document, &plan);
    let kinds = |document: &Document| entries(document).iter().map(as_printed).collect::<Vec<_>>();
    let sorted = |document: &Document| {
        let mut kinds = kinds(document);
        kinds.sort_unstable();
        kinds
    };
    assert_eq!(sorted(document), sorted(&printed), "the canonical form says something else");
    assert_eq!(document.argv().len(), printed.argv().len());
    let again = canonical::plan(&printed).expect("what was printed can be printed");
    let twice = applied(&printed, &again);
    // libvirt prints a tab as it is, and reads it as a blank: from then on it is one.
    let again = canonical::plan(&twice).expect("what was printed can be printed");
    let third = applied(&twice, &again);
    assert_eq!(third.source(), twice.source(), "the canonical form is not stable");
}

fn kind(list: List, choices: &mut Choices<'_>) -> EntryKind {
    match list {
        List::Args => EntryKind::arg(choices.text()),
        List::Envs => {
            let name = ["A", "B_1", "", "1x"][choices.below(4)];
            let value = choices.text();
            EntryKind::env(name, (!value.is_empty()).then_some(value.as_str()))
        }
        List::Extras => EntryKind::Extra(match choices.below(3) {
            0 => Extra::Capability { change: Change::Add, name: choices.text() },
            1 => Extra::Property {
                alias: choices.text(),
                name: choices.text(),
                kind: "string".to_owned(),
                value: Some(choices.text()),
            },
            _ => Extra::Deprecation { behavior: "omit".to_owned() },
        }),
    }
}

/// One edit of the chosen kind; the same document where it can't be planned.
fn edited(document: &Document, choices: &mut Choices<'_>) -> Document {
    let list = [List::Args, List::Envs, List::Extras][choices.below(3)];
    let count = document.list(list).len();
    let at = choices.below(count + 1);
    let before = of_list(document, list);
    match choices.below(12) {
        0 | 1 => {
            let kind = kind(list, choices);
            let Ok(edits) = document.insert(list, at, std::slice::from_ref(&kind)) else {
                return document.clone();
            };
            let next = applied(document, &edits);
            if list == List::Extras {
                assert!(
                    of_list(&next, list).contains(&kind),
                    "{kind:?} is not there:\n{}",
                    next.source()
                );
                return next;
            }
            let mut wanted = before;
            wanted.insert(at, kind);
            assert_eq!(of_list(&next, list), wanted);
            if count > 0 {
                let back = applied(&next, &next.remove(&[EntryId { list, index: at }]));
                assert_eq!(
                    back.source(),
                    document.source(),
                    "taking away again restores every byte"
                );
            }
            next
        }
        2 | 3 if at < count => {
            let kind = kind(list, choices);
            let Ok(edits) = document.replace(EntryId { list, index: at }, &kind) else {
                return document.clone();
            };
            let next = applied(document, &edits);
            let mut wanted = before;
            if list == List::Extras {
                assert!(of_list(&next, list).contains(&kind), "{kind:?} is not there");
            } else {
                wanted[at] = kind;
                assert_eq!(of_list(&next, list), wanted);
            }
            next
        }
        4 => {
            let gone: Vec<EntryId> = document
                .entries()
                .map(|entry| entry.id)
                .filter(|_| choices.below(2) == 1)
                .collect();
            let next = applied(document, &document.remove(&gone));
            let kept = document.entries().filter(|entry| !gone.contains(&entry.id));
            assert_eq!(entries(&next), kept.map(|entry| entry.kind.clone()).collect::<Vec<_>>());
            next
        }
        5 => {
            let mut order: Vec<usize> = (0..count).collect();
            for place in (1..count).rev() {
                order.swap(place, choices.below(place + 1));
            }
            let Ok(edits) = document.reorder(list, &order) else { return document.clone() };
            let next = applied(document, &edits);
            let wanted: Vec<EntryKind> = order.iter().map(|from| before[*from].clone()).collect();
            assert_eq!(of_list(&next, list), wanted);
            next
        }
        6 => {
            let end = (at + 1 + choices.below(2)).min(count);
            let Ok(edits) = document.disable(list, at..end) else { return document.clone() };
            let next = applied(document, &edits);
            assert_eq!(next.list(list).len(), count - (end - at));
            // The same may have been off elsewhere before.
            let mut offs = next.disabled().iter().filter(|off| off.entries == before[at..end]);
            let is_back = offs.any(|off| {
                next.enable(off).is_ok_and(|edits| of_list(&applied(&next, &edits), list) == before)
            });
            assert!(is_back, "what was switched off can be switched on:\n{}", next.source());
            next
        }
        7 => {
            let Some(off) = document.disabled().first() else { return document.clone() };
            let edits = match choices.below(2) {
                0 => document.drop_disabled(off),
                _ => match document.enable(off) {
                    Ok(edits) => edits,
                    Err(_) => return document.clone(),
                },
            };
            let next = applied(document, &edits);
            assert_eq!(next.disabled().len() + 1, document.disabled().len());
            next
        }
        8 => {
            let (alias, name) = (choices.text(), choices.text());
            let Ok(edits) = document.override_property(&alias, &name, "string", Some("x")) else {
                return document.clone();
            };
            applied(document, &edits)
        }
        9 => {
            let Some(lost) = document.lost().first() else { return document.clone() };
            let Ok((_, edits)) = document.recover(lost) else { return document.clone() };
            applied(document, &edits)
        }
        10 => {
            let Ok(edits) = document.merge_blocks() else { return document.clone() };
            let next = applied(document, &edits);
            assert_eq!(entries(document), entries(&next), "merging blocks says something else");
            next
        }
        _ => {
            let lines = ["<shmem name='x'>".to_owned(), "</shmem>".to_owned()];
            let element = "<seclabel type='none' model='dac'/>";
            let edits = match choices.below(3) {
                0 => document.add_element(&["devices"], &lines),
                1 => document.add_element(&[], &lines),
                _ => document.set_seclabel("dac", element),
            };
            let Ok(edits) = edits else { return document.clone() };
            let next = applied(document, &edits);
            assert_eq!(entries(document), entries(&next));
            next
        }
    }
}

/// Two people changed one text.
fn merged(base: &str, changes: &[String]) {
    let (Some(mine), Some(theirs)) = (changes.first(), changes.last()) else { return };
    assert_eq!(merge(base, mine, base), Merge::Clean(mine.clone()));
    assert_eq!(merge(base, base, theirs), Merge::Clean(theirs.clone()));
    let text = match merge(base, mine, theirs) {
        Merge::Clean(text) => text,
        Merge::Clashes(clashes, text) => {
            assert!(!clashes.is_empty());
            text
        }
    };
    assert!(Document::parse(text.as_str()).is_ok(), "a merge gives a document");
}
