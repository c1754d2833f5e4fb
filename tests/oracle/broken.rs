//! What is broken in a passthrough is refused or dropped by libvirt as is said, in the words that are given for it.

use qpt_tui::domain::{Document, QEMU_NAMESPACE};

use crate::documents::{defined, oracle};

/// What stands below the domain.
const CASES: [&str; 24] = [
    "<q:commandline><q:arg/></q:commandline>",
    "<q:commandline><q:arg>-S</q:arg></q:commandline>",
    "<q:commandline><q:env value='x'/></q:commandline>",
    "<q:commandline><q:env name='' value='x'/></q:commandline>",
    "<q:commandline><q:env name='1BAD' value='x'/></q:commandline>",
    "<q:commandline><q:env name='A-B' value='x'/></q:commandline>",
    "<q:commandline>text<q:arg value='-S'/></q:commandline>",
    "<q:commandline><q:foo value='-S'/></q:commandline>",
    "<q:commandline><foo/><q:arg value='-S'/></q:commandline>",
    "<q:override><q:device alias='a'><q:frontend><q:property name='b' value='1'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:frontend><q:property name='b' type='float' value='1'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:frontend><q:property name='b' type='unsigned' value='x'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:frontend><q:property name='b' type='bool' value='on'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:frontend><q:property name='b' type='string'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:frontend><q:property type='bool' value='true'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:frontend><q:property name='id' type='string' value='x'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:frontend><q:property name='b' type='remove' value='x'/></q:frontend></q:device></q:override>",
    "<q:override><q:device><q:frontend><q:property name='b' type='bool' value='true'/></q:frontend></q:device></q:override>",
    "<q:override><q:device alias='a'><q:property name='b' type='bool' value='true'/></q:device></q:override>",
    "<q:device alias='a'/>",
    "<q:capabilities><q:add/></q:capabilities>",
    "<q:capabilities><q:foo capability='x'/></q:capabilities>",
    "<q:foo/>",
    "<q:override>text</q:override>",
];

#[test]
fn what_is_broken_is_refused_or_dropped_as_is_said() {
    let Some(dir) = oracle() else { return };
    for case in CASES {
        let text = format!(
            "<domain type='qemu' xmlns:q='{QEMU_NAMESPACE}'>\n  <name>broken</name>\n  <memory>65536</memory>\n  <os><type arch='x86_64' machine='pc'>hvm</type></os>\n  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>\n  {case}\n</domain>\n"
        );
        let document = Document::parse(text.as_str()).unwrap();
        let [broken] = document.broken() else { panic!("{case}: {:?}", document.broken()) };
        match (defined(dir.path(), &text), broken.refused) {
            // libvirt quotes the value between these words.
            (Err(said), Some(words)) => {
                let pieces = words.split(" of ");
                assert!(pieces.clone().all(|piece| said.contains(piece)), "{case}: {said}");
            }
            (Ok(kept), None) => {
                for gone in ["foo", "text", "name='b'", "<qemu:device"] {
                    let stays = gone == "<qemu:device" && case.contains("<q:override>");
                    assert!(stays || !kept.contains(gone), "{case}: {kept}");
                }
            }
            (found, said) => panic!("{case}: {found:?}, and we say {said:?}"),
        }
    }
}
