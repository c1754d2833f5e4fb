//! Finding, editing and printing passthrough, on small documents of every style.

use super::*;
use crate::xml::EditSet;

const PLAIN: &str = "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>a</name>
  <qemu:commandline>
    <qemu:arg value='-device'/>
    <qemu:arg value=\"x,y=1\"/> <!-- why -->
    <qemu:env name='A' value='1'/>
  </qemu:commandline>
</domain>
";

fn parse(source: &str) -> Document {
    Document::parse(source).unwrap()
}

fn texts(document: &Document, list: List) -> Vec<String> {
    document.list(list).iter().map(|entry| entry.kind.text()).collect()
}

fn after(document: &Document, edits: Result<EditSet, VerbError>) -> Document {
    document.apply(&edits.unwrap()).unwrap()
}

#[test]
fn passthrough_is_found_whatever_the_prefix() {
    const URI: &str = QEMU_NAMESPACE;
    for source in [
        format!(
            "<domain xmlns:q='{URI}'><q:commandline><q:arg value='-a'/><q:env name='E'/></q:commandline></domain>"
        ),
        format!(
            "<domain><commandline xmlns='{URI}'><arg value='-a'/><env name='E'/></commandline></domain>"
        ),
        format!(
            "<domain xmlns:qemu='urn:x'><n:commandline xmlns:n='{URI}'><m:arg xmlns:m='{URI}' value='-a'/><n:env name='E'/></n:commandline></domain>"
        ),
        format!(
            "<domain xmlns:q='{URI}'><q:commandline><q:arg q:value='-a' value='no'/></q:commandline><q:commandline><q:env name='E'/></q:commandline></domain>"
        ),
    ] {
        let document = parse(&source);
        assert_eq!(texts(&document, List::Args), ["-a"], "{source}");
        assert_eq!(texts(&document, List::Envs), ["E"], "{source}");
        assert!(document.lost().is_empty(), "{source}");
    }
}

#[test]
fn what_libvirt_drops_is_said() {
    let lost = |source: &str| {
        let document = parse(source);
        let [lost] = document.lost() else { panic!("{source}: {:?}", document.lost()) };
        (lost.reason.clone(), lost.entries.len())
    };
    let ns = format!("xmlns:qemu='{QEMU_NAMESPACE}'");
    assert_eq!(
        lost("<domain><qemu:commandline><qemu:arg value='-a'/></qemu:commandline></domain>"),
        (LostReason::UndeclaredPrefix("qemu".into()), 1)
    );
    assert_eq!(
        lost(
            "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0/'><qemu:commandline/></domain>"
        ),
        (LostReason::OtherNamespace("http://libvirt.org/schemas/domain/qemu/1.0/".into()), 0)
    );
    assert_eq!(
        lost(&format!(
            "<domain {ns}><devices><qemu:commandline><qemu:arg value='-a'/></qemu:commandline></devices></domain>"
        )),
        (LostReason::Inside("devices".into()), 1)
    );
    assert_eq!(
        lost(&format!("<domain {ns}><qemu:arg value='-a'/></domain>")),
        (LostReason::OutsideBlock, 1)
    );
    assert_eq!(
        lost(&format!(
            "<domain {ns}><qemu:commandline><arg value='-a'/></qemu:commandline></domain>"
        )),
        (LostReason::NoNamespace, 1)
    );
    assert_eq!(
        lost("<domain><commandline><arg value='-a'/></commandline></domain>"),
        (LostReason::NoNamespace, 1)
    );
}

fn broken(inner: &str) -> Document {
    parse(&format!("<domain xmlns:q='{QEMU_NAMESPACE}'>\n  <name>a</name>\n  {inner}\n</domain>"))
}

fn in_block(inner: &str) -> Document {
    broken(&format!("<q:commandline>\n    {inner}\n    <q:arg value='-S'/>\n  </q:commandline>"))
}

#[test]
fn what_libvirt_refuses_is_no_entry_and_says_why() {
    for (inner, list, what) in [
        ("<q:arg>-a</q:arg>", List::Args, "expected <q:arg value"),
        ("<q:arg/>", List::Args, "has no value"),
        ("<q:env value='1'/>", List::Envs, "has no name"),
        ("<q:env name='' value='1'/>", List::Envs, "empty name"),
        ("<q:env name='1A'/>", List::Envs, "begins with '1'"),
        ("<q:env name='A-B'/>", List::Envs, "holds '-'"),
    ] {
        let document = in_block(inner);
        let [found] = document.broken() else { panic!("{inner}: {:?}", document.broken()) };
        assert!(found.refused.is_some() && found.list == list, "{found:?}");
        assert!(found.what.contains(what), "{}", found.what);
        assert_eq!(document.argv(), ["-S"], "{inner}");
        assert!(document.environment().is_empty());
        assert_eq!(&document.source()[found.span.clone()], inner);
    }
    let within = |inner: &str| {
        format!(
            "<q:override><q:device alias='net0'><q:frontend>{inner}</q:frontend></q:device></q:override>"
        )
    };
    for (inner, what) in [
        (within("<q:property name='a' value='1'/>"), "has no type"),
        (within("<q:property type='bool' value='true'/>"), "has no name"),
        (within("<q:property name='id' type='string' value='x'/>"), "cannot be overridden"),
        (
            within("<q:property name='a' type='unsigned' value='x'/>"),
            "is not a value of type unsigned",
        ),
        (within("<q:property name='a' type='remove' value='x'/>"), "expected none"),
        ("<q:override><q:device/></q:override>".to_owned(), "names no device"),
        ("<q:capabilities><q:add/></q:capabilities>".to_owned(), "names no capability"),
    ] {
        let document = broken(&inner);
        let [found] = document.broken() else { panic!("{inner}: {:?}", document.broken()) };
        assert!(found.refused.is_some() && found.list == List::Extras, "{found:?}");
        assert!(found.what.contains(what), "{}", found.what);
        assert!(document.list(List::Extras).is_empty(), "{inner}");
    }
    assert!(Document::parse("<network/>").unwrap_err().message.contains("got <network>"));
}

#[test]
fn what_libvirt_drops_is_no_entry_either() {
    for (inner, name) in [
        ("some text", "the text 'some text'"),
        ("<q:foo value='-S'/>", "<q:foo>"),
        ("<foo/>", "<foo>"),
    ] {
        let document = in_block(inner);
        let [found] = document.broken() else { panic!("{inner}: {:?}", document.broken()) };
        assert_eq!((found.name.as_str(), found.refused), (name, None));
    }
    for inner in [
        "<q:override><q:device alias='a'><q:property name='b' type='bool' value='true'/></q:device></q:override>",
        "<q:device alias='a'/>",
        "<q:capabilities><q:foo/></q:capabilities>",
        "<q:override>text</q:override>",
    ] {
        assert_eq!(broken(inner).broken().len(), 1, "{inner}");
    }
    // Comments and processing instructions say nothing.
    assert!(in_block("<!-- a --><?b c?>").broken().is_empty());
}

#[test]
fn what_is_broken_is_repaired_or_deleted_and_no_other_byte_changes() {
    let repaired = |document: &Document, kinds: &[EntryKind]| {
        let edits = document.repair(&document.broken()[0], kinds).unwrap();
        document.apply(&edits).unwrap()
    };
    let document = in_block("<q:arg>-device x</q:arg>  <!-- kept -->");
    let next = repaired(&document, &[EntryKind::arg("-device"), EntryKind::arg("x")]);
    assert!(next.broken().is_empty());
    assert_eq!(next.argv(), ["-device", "x", "-S"]);
    let expected = "<q:arg value='-device'/>\n    <q:arg value='x'/>  <!-- kept -->";
    assert_eq!(
        next.source(),
        document.source().replace("<q:arg>-device x</q:arg>  <!-- kept -->", expected)
    );

    let document = in_block("<q:env name='A-B' value='1'/>");
    let next = repaired(&document, &[EntryKind::env("A_B", Some("1"))]);
    assert_eq!(next.environment(), [("A_B", Some("1"))]);
    assert_eq!(next.source(), document.source().replace("A-B", "A_B"));
    assert!(document.repair(&document.broken()[0], &[EntryKind::env("A-B", None)]).is_err());

    let property = "<q:override><q:device alias='net0'><q:frontend><q:property name='a' type='unsigned' value='x'/></q:frontend></q:device></q:override>";
    let document = broken(property);
    let extra = crate::domain::extras::Extra::read("override net0.a", "unsigned 1").unwrap();
    let next = repaired(&document, &[EntryKind::Extra(extra)]);
    assert_eq!(next.source(), document.source().replace("value='x'", "value='1'"));
    let document = broken(&property.replace(" alias='net0'", "").replace("'x'", "'1'"));
    assert_eq!(document.broken()[0].halves, ("override .a".to_owned(), "unsigned 1".to_owned()));
    let extra = crate::domain::extras::Extra::read("override net0.a", "unsigned 1").unwrap();
    assert!(repaired(&document, &[EntryKind::Extra(extra)]).broken().is_empty());

    for inner in ["<q:arg/>", "stray", "<q:foo/>"] {
        let document = in_block(inner);
        let next = document.apply(&document.drop_broken(&document.broken()[0])).unwrap();
        assert_eq!(
            next.source(),
            document.source().replace(&format!("    {inner}\n"), ""),
            "{inner}"
        );
    }
    let document = in_block("<q:arg/>");
    assert!(canonical::plan(&document).unwrap_err().0.contains("<q:arg>, which is no entry"));
}

#[test]
fn a_block_that_stands_alone_is_read_and_edited_with_any_prefix() {
    for source in [
        "<qemu:commandline>\n  <qemu:arg value='-S'/>\n</qemu:commandline>\n".to_owned(),
        format!("<commandline xmlns='{QEMU_NAMESPACE}'>\n  <arg value='-S'/>\n</commandline>\n"),
        format!(
            "<q:commandline xmlns:q='{QEMU_NAMESPACE}'>\n  <q:arg value='-S'/>\n</q:commandline>\n"
        ),
        "<commandline>\n  <arg value='-S'/>\n</commandline>".to_owned(),
    ] {
        let document = parse(&source);
        assert!(document.is_fragment() && document.lost().is_empty());
        assert_eq!(document.argv(), ["-S"], "{source}");
        let edits = document.insert(List::Envs, 0, &[EntryKind::env("A", None)]).unwrap();
        let next = document.apply(&edits).unwrap();
        assert_eq!(next.environment(), [("A", None)], "{}", next.source());
        let off = next.disable(List::Args, 0..1).unwrap();
        let off = next.apply(&off).unwrap();
        assert_eq!((off.argv().len(), off.disabled().len()), (0, 1), "{}", off.source());
        let on = off.apply(&off.enable(&off.disabled()[0]).unwrap()).unwrap();
        assert_eq!(on.source(), next.source());
        assert!(document.add_element(&["devices"], &["<a/>".to_owned()]).is_err());
        assert!(canonical::plan(&document).is_err());
    }
    assert!(!parse("<domain/>").is_fragment());
    assert!(Document::parse("<commandline xmlns='urn:x'/>").is_err());
}

#[test]
fn adding_follows_the_neighbours_style() {
    let document = parse(PLAIN);
    let next = after(&document, document.insert(List::Args, 2, &[EntryKind::arg("a\"b'c")]));
    assert_eq!(
        next.source(),
        PLAIN.replace("<!-- why -->", "<!-- why -->\n    <qemu:arg value=\"a&quot;b'c\"/>")
    );
    let next = after(
        &document,
        document.insert(List::Args, 0, &[EntryKind::arg("-S"), EntryKind::arg("-T")]),
    );
    assert_eq!(texts(&next, List::Args), ["-S", "-T", "-device", "x,y=1"]);
    assert!(next.source().contains(
        "\n    <qemu:arg value='-S'/>\n    <qemu:arg value='-T'/>\n    <qemu:arg value='-device'/>"
    ));
}

#[test]
fn a_local_prefix_is_not_used_where_it_means_nothing() {
    let source = format!(
        "<domain><commandline xmlns='{QEMU_NAMESPACE}'><m:arg xmlns:m='{QEMU_NAMESPACE}' value='-a'/></commandline></domain>"
    );
    let document = parse(&source);
    let next = after(&document, document.insert(List::Args, 1, &[EntryKind::arg("-b")]));
    assert_eq!(texts(&next, List::Args), ["-a", "-b"]);
    assert!(next.lost().is_empty());
}

#[test]
fn a_document_without_a_block_gets_libvirts_own() {
    let document = parse("<domain type='kvm'>\r\n  <name>a</name>\r\n</domain>");
    let next = after(&document, document.insert(List::Envs, 0, &[EntryKind::env("A", None)]));
    assert_eq!(
        next.source(),
        "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\r\n  <name>a</name>\r\n  <qemu:commandline>\r\n    <qemu:env name='A'/>\r\n  </qemu:commandline>\r\n</domain>"
    );
    for source in [
        "<domain/>",
        "<domain></domain>",
        "<domain xmlns:qemu='urn:other'><metadata><qemu:x/></metadata></domain>",
    ] {
        let document = parse(source);
        let next = after(&document, document.insert(List::Args, 0, &[EntryKind::arg("-S")]));
        assert_eq!(texts(&next, List::Args), ["-S"], "{}", next.source());
    }
}

#[test]
fn an_empty_block_is_filled() {
    for block in [
        "<qemu:commandline/>",
        "<qemu:commandline />",
        "<qemu:commandline></qemu:commandline>",
        "<qemu:commandline>\n    <!-- none -->\n  </qemu:commandline>",
    ] {
        let document =
            parse(&format!("<domain xmlns:qemu='{QEMU_NAMESPACE}'>\n  {block}\n</domain>\n"));
        let next = after(&document, document.insert(List::Args, 0, &[EntryKind::arg("-S")]));
        let text = next.source().replace(" />", "/>");
        assert!(
            text.contains("\n    <qemu:arg value='-S'/>\n  </qemu:commandline>\n</domain>\n"),
            "{text}"
        );
    }
}

#[test]
fn editing_touches_only_what_changes() {
    let document = parse(PLAIN);
    let next = after(&document, document.replace(EntryId::arg(1), &EntryKind::arg("z<\n")));
    assert_eq!(next.source(), PLAIN.replace("x,y=1", "z&lt;&#10;"));
    let next = after(&document, document.replace(EntryId::env(0), &EntryKind::env("B", None)));
    assert_eq!(next.source(), PLAIN.replace("name='A' value='1'", "name='B'"));
    let back = after(&next, next.replace(EntryId::env(0), &EntryKind::env("A", Some("1"))));
    assert_eq!(back.source(), PLAIN);
    assert!(document.replace(EntryId::arg(0), &EntryKind::arg("\u{1}")).is_err());
    assert!(document.replace(EntryId::env(0), &EntryKind::env("1", None)).is_err());
}

#[test]
fn deleting_takes_the_line_along() {
    let document = parse(PLAIN);
    let next = document.apply(&document.remove(&[EntryId::arg(0)])).unwrap();
    assert_eq!(next.source(), PLAIN.replace("    <qemu:arg value='-device'/>\n", ""));
    let next = document
        .apply(&document.remove(&[EntryId::arg(0), EntryId::arg(1), EntryId::env(0)]))
        .unwrap();
    assert!(next.entries().next().is_none() && next.source().contains("<!-- why -->"));
}

#[test]
fn moving_keeps_blanks_and_comments_in_place() {
    let document = parse(PLAIN);
    let next = after(&document, document.reorder(List::Args, &[1, 0]));
    assert_eq!(
        next.source(),
        PLAIN.replace("'-device'", "X").replace("\"x,y=1\"", "'-device'").replace('X', "\"x,y=1\"")
    );
    assert!(document.reorder(List::Args, &[0, 0]).is_err());
}

#[test]
fn moving_between_blocks_of_other_prefixes_keeps_the_meaning() {
    let ns = QEMU_NAMESPACE;
    let source = format!(
        "<domain><a:commandline xmlns:a='{ns}'><a:arg value='1'/></a:commandline><b:commandline xmlns:b='{ns}'><b:arg value=\"'2'\" /></b:commandline></domain>"
    );
    let document = parse(&source);
    let next = after(&document, document.reorder(List::Args, &[1, 0]));
    assert_eq!(texts(&next, List::Args), ["'2'", "1"]);
}

#[test]
fn canonical_is_what_libvirt_prints() {
    let source = format!(
        "<domain type='kvm' xmlns:n='{QEMU_NAMESPACE}'>\n  <n:deprecation behavior='omit'/>\n  <n:commandline>\n    <n:env name=\"E\" value=\"&lt;'\"/>\n    <n:arg value=\"&quot;\"/>\n  </n:commandline>\n  <name>a</name>\n  <n:capabilities><n:del capability='d'/><n:add capability='a'/></n:capabilities>\n</domain>\n"
    );
    assert_eq!(
        canonical::document(&parse(&source)).unwrap(),
        format!(
            "<domain type='kvm' xmlns:qemu='{QEMU_NAMESPACE}'>\n  <name>a</name>\n  <qemu:commandline>\n    <qemu:arg value='&quot;'/>\n    <qemu:env name='E' value='&lt;&apos;'/>\n  </qemu:commandline>\n  <qemu:capabilities>\n    <qemu:add capability='a'/>\n    <qemu:del capability='d'/>\n  </qemu:capabilities>\n  <qemu:deprecation behavior='omit'/>\n</domain>\n"
        )
    );
    let canonical = canonical::document(&parse(&source)).unwrap();
    assert_eq!(canonical::document(&parse(&canonical)).unwrap(), canonical);
    assert_eq!(canonical::document(&parse("<domain> </domain>")).unwrap(), "<domain> </domain>");
}

#[test]
fn blanks_at_the_end_of_a_line_stay_where_they_are() {
    let source = PLAIN.replace("<qemu:arg value='-device'/>", "<qemu:arg value='-device'/> \t");
    let document = parse(&source);
    let added = document.insert(List::Args, 1, &[EntryKind::arg("-S")]).unwrap();
    let added = document.apply(&added).unwrap();
    assert!(added.source().contains("'/> \t\n    <qemu:arg value='-S'/>\n"), "{}", added.source());
    let back = added.apply(&added.remove(&[EntryId::arg(1)])).unwrap();
    assert_eq!(back.source(), source);
}

#[test]
fn blocks_are_merged_where_nothing_comes_to_life_or_goes() {
    let two = |inside: &str| {
        parse(&format!(
            "<domain xmlns:q='{QEMU_NAMESPACE}'><q:commandline><q:arg value='a'/></q:commandline>\
             <q:commandline>{inside}<q:env name='A' value='1'/></q:commandline></domain>"
        ))
    };
    let merged = two("<q:arg value='b'/>");
    let merged = merged.apply(&merged.merge_blocks().unwrap()).unwrap();
    assert_eq!((merged.argv(), merged.environment().len()), (vec!["a", "b"], 1));
    let mixed = parse(&format!(
        "<domain xmlns:q='{QEMU_NAMESPACE}'><q:commandline><q:arg value='a'/><q:env name='A' value='1'/>\
         <q:arg value='b'/></q:commandline><q:commandline><q:arg value='c'/></q:commandline></domain>"
    ));
    assert_eq!(mixed.apply(&mixed.merge_blocks().unwrap()).unwrap().argv(), ["a", "b", "c"]);
    for (inside, why) in [
        ("<p:arg value='b'/>", "<p:arg>, which libvirt does not see"),
        ("<!-- qpt-tui off: <q:arg value='b'/> -->", "switched off"),
    ] {
        let refused = two(inside).merge_blocks().unwrap_err().0;
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn what_comes_to_life_has_to_be_what_libvirt_takes() {
    let document =
        parse("<domain xmlns:q='urn:x'><q:commandline><q:arg/></q:commandline></domain>");
    let why = Document::recover(&document, &document.lost()[0]).unwrap_err().0;
    assert!(why.contains("libvirt would see it, and refuse it: <q:arg> has no value"), "{why}");
}

#[test]
fn undo_and_redo_walk_the_same_road() {
    let mut history = History::default();
    history.record("a", None);
    history.record("b", None);
    assert_eq!(history.undo("c", None).unwrap().source, "b");
    assert_eq!(history.undo("b", None).unwrap().source, "a");
    assert_eq!(history.redo("a", None).unwrap().source, "b");
    assert!(history.can_undo() && history.can_redo());
    history.record("b", None);
    assert!(!history.can_redo());
}

mod extras {
    use super::*;
    use crate::domain::extras::Extra;

    const TEXT: &str = "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>a</name>
  <qemu:capabilities>
    <qemu:add capability='one'/>
    <qemu:del capability='two'/>
  </qemu:capabilities>
  <qemu:override>
    <qemu:device alias='video0'>
      <qemu:frontend>
        <qemu:property name='x' type='unsigned' value='1'/>
        <qemu:property name='y' type='remove'/>
      </qemu:frontend>
    </qemu:device>
  </qemu:override>
  <qemu:deprecation behavior='omit'/>
</domain>
";

    fn listed(document: &Document) -> Vec<String> {
        document.list(List::Extras).iter().map(|entry| entry.kind.text()).collect()
    }

    fn extra(first: &str, second: &str) -> EntryKind {
        EntryKind::Extra(Extra::read(first, second).unwrap())
    }

    fn at(index: usize) -> EntryId {
        EntryId { list: List::Extras, index }
    }

    #[test]
    fn each_thing_is_an_entry_and_reads_back() {
        let document = Document::parse(TEXT).unwrap();
        let all = [
            "capability add one",
            "capability del two",
            "override video0.x unsigned 1",
            "override video0.y remove",
            "deprecation omit",
        ];
        assert_eq!(listed(&document), all);
        for entry in document.list(List::Extras) {
            let EntryKind::Extra(extra) = &entry.kind else { unreachable!() };
            let (first, second) = extra.halves();
            assert_eq!(Extra::read(&first, &second).as_ref(), Ok(extra));
        }
        for (alias, value) in [("pci.1", "a"), ("ua-x", " a b "), ("x", "")] {
            let extra = Extra::Property {
                alias: alias.to_owned(),
                name: "x".to_owned(),
                kind: "string".to_owned(),
                value: Some(value.to_owned()),
            };
            let (first, second) = extra.halves();
            assert_eq!(Extra::read(&first, &second), Ok(extra));
        }
        assert!(Extra::read("override video0", "bool true").is_err());
        assert!(
            Extra::read("override video0.x", "bool yes")
                .unwrap_err()
                .contains("'yes' is not a value of type bool")
        );
        assert!(Extra::read("deprecation", "maybe").is_err());
        assert!(Extra::read("what", "").unwrap_err().contains("expected 'capability add'"));
    }

    #[test]
    fn removing_the_last_of_a_block_removes_the_block() {
        let document = Document::parse(TEXT).unwrap();
        let one = document.apply(&document.remove(&[at(0)])).unwrap();
        assert_eq!(listed(&one).len(), 4);
        assert!(one.source().contains("<qemu:capabilities>\n    <qemu:del capability='two'/>\n"));
        let both = document.apply(&document.remove(&[at(0), at(1)])).unwrap();
        assert!(!both.source().contains("capabilities"), "{}", both.source());
        let property = document.apply(&document.remove(&[at(2)])).unwrap();
        assert!(property.source().contains("<qemu:frontend>\n        <qemu:property name='y'"));
        let none = document.apply(&document.remove(&(0..5).map(at).collect::<Vec<_>>())).unwrap();
        assert!(none.source().ends_with("<name>a</name>\n</domain>\n"), "{}", none.source());
    }

    #[test]
    fn new_and_changed_ones_go_where_libvirt_reads_them() {
        let document = Document::parse("<domain>\n  <name>a</name>\n</domain>\n").unwrap();
        for (first, second) in
            [("capability del", "x"), ("override video0.y", "string a b"), ("deprecation", "crash")]
        {
            let added = document
                .apply(&document.insert(List::Extras, 0, &[extra(first, second)]).unwrap())
                .unwrap();
            assert_eq!(listed(&added), [format!("{first} {second}")]);
            let again = added
                .apply(&added.insert(List::Extras, 0, &[extra("capability add", "z")]).unwrap())
                .unwrap();
            assert_eq!(listed(&again).len(), 2, "{}", again.source());
        }
        let document = Document::parse(TEXT).unwrap();
        for (index, first, second) in [
            (0, "capability del", "three"),
            (2, "override video0.x", "bool true"),
            (2, "override sound0.x", "signed -1"),
            (4, "deprecation", "reject"),
            (4, "capability add", "z"),
        ] {
            let next = document
                .apply(&document.replace(at(index), &extra(first, second)).unwrap())
                .unwrap();
            assert!(listed(&next).contains(&format!("{first} {second}")), "{}", next.source());
            assert_eq!(listed(&next).len(), 5, "{}", next.source());
        }
        assert!(document.reorder(List::Extras, &[1, 0, 2, 3, 4]).is_err());
    }

    #[test]
    fn what_is_written_is_read_line_ends_included() {
        let property = EntryKind::Extra(Extra::Property {
            alias: "a\tb".to_owned(),
            name: "x".to_owned(),
            kind: "string".to_owned(),
            value: Some("/srv/a\nb".to_owned()),
        });
        let document = Document::parse("<domain>\n  <name>a</name>\n</domain>\n").unwrap();
        let edits = document.insert(List::Extras, 0, std::slice::from_ref(&property)).unwrap();
        assert_eq!(document.apply(&edits).unwrap().list(List::Extras)[0].kind, property);
    }

    #[test]
    fn no_second_deprecation_comes_to_life() {
        let twice = "<q:deprecation behavior='omit'/><q:deprecation behavior='crash'/>";
        let text = format!("<domain xmlns:q='{QEMU_NAMESPACE}'><name>a</name>{twice}</domain>");
        let document = Document::parse(text).unwrap();
        assert_eq!(listed(&document), ["deprecation omit"]);
        let next = document.apply(&document.remove(&[at(0)])).unwrap();
        assert!(listed(&next).is_empty(), "{}", next.source());
    }

    #[test]
    fn an_element_keeps_the_namespaces_that_it_declares() {
        let of_its_own = "xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'";
        let document = Document::parse(format!(
            "<domain><name>a</name><q:deprecation {of_its_own} behavior='omit'/></domain>"
        ));
        let document = document.unwrap();
        let next = document.replace(at(0), &extra("deprecation", "reject")).unwrap();
        let next = document.apply(&next).unwrap();
        assert_eq!(listed(&next), ["deprecation reject"], "{}", next.source());
        let again = next.insert(List::Extras, 0, &[extra("deprecation", "crash")]).unwrap();
        assert_eq!(listed(&next.apply(&again).unwrap()), ["deprecation crash"]);
    }
}

mod disabled {
    use super::*;

    const TEXT: &str = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>
  <q:commandline>
    <q:arg value='-device'/>
    <q:arg value='a&gt;b'/>
    <q:arg value='--help'/>
    <q:env name='A' value='1'/>
  </q:commandline>
</domain>
";

    #[test]
    fn an_option_is_switched_off_and_on_again_in_its_place() {
        let document = Document::parse(TEXT).unwrap();
        let off = document.apply(&document.disable(List::Args, 0..2).unwrap()).unwrap();
        assert!(off.source().contains(
            "    <!-- qpt-tui off: <q:arg value='-device'/> <q:arg value='a&gt;b'/> -->\n"
        ));
        assert_eq!(off.argv(), ["--help"]);
        let found = off.disabled();
        assert_eq!(found[0].entries, [EntryKind::arg("-device"), EntryKind::arg("a>b")]);
        let on = off.apply(&off.enable(&found[0]).unwrap()).unwrap();
        assert_eq!(on.source(), TEXT);
        let gone = off.apply(&off.drop_disabled(&found[0])).unwrap();
        assert!(
            gone.disabled().is_empty()
                && gone.source().contains("commandline>\n    <q:arg value='--help'/>")
        );
    }

    #[test]
    fn what_comments_cannot_hold_is_refused() {
        let document = Document::parse(TEXT).unwrap();
        assert!(document.disable(List::Args, 2..3).unwrap_err().0.contains("cannot hold '--'"));
        let env = document.apply(&document.disable(List::Envs, 0..1).unwrap()).unwrap();
        assert_eq!(
            (env.disabled()[0].list(), env.disabled()[0].text()),
            (List::Envs, "A=1".to_owned())
        );
        // What the document's own entities say is known to the document alone.
        let entity = TEXT.replace("value='-device'", "value='&s;'");
        let entity = format!("<!DOCTYPE domain [<!ENTITY s '-S'>]>{entity}");
        let document = Document::parse(entity.as_str()).unwrap();
        let at = document.argv().iter().position(|value| *value == "-S").unwrap();
        assert!(document.disable(List::Args, at..at + 1).unwrap_err().0.contains("an entity"));
    }

    #[test]
    fn other_comments_are_left_alone() {
        let other = TEXT.replace(
            "    <q:env",
            "    <!-- qpt-tui off: words --><!-- <q:arg value='x'/> -->\n    <q:env",
        );
        let document = Document::parse(other.as_str()).unwrap();
        assert!(document.disabled().is_empty());
        let lost =
            TEXT.replace("    <q:env", "    <!-- qpt-tui off: <p:arg value='x'/> -->\n    <q:env");
        assert!(Document::parse(lost.as_str()).unwrap().disabled().is_empty());
        let outside =
            TEXT.replace("</domain>", "<!-- qpt-tui off: <q:arg value='x'/> --></domain>");
        assert!(Document::parse(outside.as_str()).unwrap().disabled().is_empty());
    }
}

#[test]
fn what_no_element_can_have_binds_no_prefix() {
    for name in ["a:qemu", "1qemu", "-a", ":"] {
        let document =
            parse(&format!("<domain xmlns:{name}='{QEMU_NAMESPACE}'><name>x</name></domain>"));
        let edits = document.insert(List::Args, 0, &[EntryKind::arg("-S")]).unwrap();
        assert_eq!(document.apply(&edits).unwrap().argv(), ["-S"], "{name}");
    }
}
