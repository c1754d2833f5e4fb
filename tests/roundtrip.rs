//! Opening and saving changes nothing; every edit changes only its span.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use proptest::prelude::*;
use qpt_tui::domain::{Document, EntryId, EntryKind, List, canonical};
use support::{corpus, fixtures};

#[test]
fn an_unedited_document_is_what_it_was() {
    for (name, text) in fixtures() {
        let document =
            Document::parse(text.as_str()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(document.source(), text, "{name}");
    }
}

#[test]
fn the_corpus_opens_or_says_where_it_is_broken() {
    let Some(documents) = corpus() else { return };
    let mut refused = Vec::new();
    for (name, text) in &documents {
        let strict = roxmltree::Document::parse_with_options(
            text,
            roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() },
        );
        match Document::parse(text.as_str()) {
            Ok(document) => assert_eq!(document.source(), text, "{name}"),
            Err(error) => {
                assert!(strict.is_err(), "{name}: a strict parser reads it, ours says {error:?}");
                refused.push(name);
            }
        }
    }
    assert!(documents.len() > 100 && refused.len() < 10, "{refused:?}");
}

#[test]
fn adding_and_taking_away_again_restores_every_byte() {
    let all = fixtures().into_iter().chain(corpus().unwrap_or_default());
    for (name, text) in all {
        let Ok(document) = Document::parse(text.as_str()) else { continue };
        for list in [List::Args, List::Envs] {
            let count = document.list(list).len();
            for at in [0, count / 2, count] {
                let kind = if list == List::Args {
                    EntryKind::arg("-new='\"&<>")
                } else {
                    EntryKind::env("NEW", Some("'\"&<>"))
                };
                let edits = document.insert(list, at, std::slice::from_ref(&kind)).unwrap();
                let next =
                    document.apply(&edits).unwrap_or_else(|error| panic!("{name}: {error:?}"));
                assert_eq!(next.list(list).len(), count + 1, "{name} {list:?} {at}");
                assert_eq!(next.list(list)[at].kind, kind, "{name} {list:?} {at}");
                if count > 0 {
                    let back = next.apply(&next.remove(&[EntryId { list, index: at }])).unwrap();
                    assert_eq!(back.source(), text, "{name} {list:?} {at}");
                }
            }
        }
    }
}

#[test]
fn the_canonical_form_says_the_same_and_is_stable() {
    for (name, text) in fixtures().into_iter().chain(corpus().unwrap_or_default()) {
        let Ok(document) = Document::parse(text.as_str()) else { continue };
        let canonical_text = canonical::document(&document).unwrap();
        let again = Document::parse(canonical_text.as_str()).unwrap();
        let kinds = |document: &Document| {
            document.entries().map(|entry| entry.kind.clone()).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&document), kinds(&again), "{name}");
        assert_eq!(canonical::document(&again).unwrap(), canonical_text, "{name}");
        assert_eq!(canonical::block(&document), canonical::block(&again), "{name}");
    }
}

/// Text that XML can hold, with what needs escaping more often than chance has it.
fn value() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just('\''),
            Just('"'),
            Just('&'),
            Just('<'),
            Just('>'),
            Just('\n'),
            Just('\t'),
            Just(','),
            any::<char>()
        ],
        0..12,
    )
    .prop_map(|chars| chars.into_iter().filter(|c| qpt_tui::xml::escape::is_xml_char(*c)).collect())
}

proptest! {
    #[test]
    fn every_value_survives_writing_and_reading(value in value(), fixture in 0_usize..9) {
        let (_, text) = &fixtures()[fixture];
        let document = Document::parse(text.as_str()).unwrap();
        let kind = EntryKind::arg(value);
        let next = document.apply(&document.insert(List::Args, 0, std::slice::from_ref(&kind)).unwrap()).unwrap();
        prop_assert_eq!(&next.list(List::Args)[0].kind, &kind);
        // A second, strict parser agrees that the document is well-formed.
        let body = next.source().trim_start_matches('\u{feff}');
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let before = roxmltree::Document::parse_with_options(text.trim_start_matches('\u{feff}'), options).is_ok();
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        prop_assert_eq!(roxmltree::Document::parse_with_options(body, options).is_ok(), before);
    }

    #[test]
    fn only_the_span_of_an_edit_changes(value in value(), fixture in 0_usize..9) {
        let (_, text) = &fixtures()[fixture];
        let document = Document::parse(text.as_str()).unwrap();
        let Some(entry) = document.list(List::Args).last() else { return Ok(()) };
        let edits = document.replace(entry.id, &EntryKind::arg(value)).unwrap();
        let next = edits.apply(text);
        if let [edit] = edits.edits() {
            prop_assert_eq!(&next[..edit.span.start], &text[..edit.span.start]);
            prop_assert_eq!(&next[edit.span.start + edit.text.len()..], &text[edit.span.end..]);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "[<>a-z/='\"&;!\\[\\]\\- \n:é]{0,60}") {
        let _ = Document::parse(format!("<domain>{text}</domain>"));
        let _ = Document::parse(text);
    }
}
