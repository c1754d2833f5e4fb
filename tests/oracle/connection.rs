//! A domain that libvirt keeps is read, changed and defined again, as `virsh edit` does it.

use std::process::Command;

use qpt_tui::domain::{Document, EntryKind, List};
use qpt_tui::error::Error;
use qpt_tui::store::{self, Saved, Source, Way};

use crate::documents::oracle;

const TEXT: &str = "<domain type='qemu'><name>kept</name><uuid>5f0a0f0c-6f6e-4f2a-9a55-0d2f0a6f7e22</uuid><memory unit='KiB'>65536</memory><os><type arch='x86_64' machine='pc'>hvm</type></os><devices><emulator>/usr/bin/qemu-system-x86_64</emulator><graphics type='vnc' passwd='secret'/></devices></domain>";

fn save(source: &Source, text: &str) -> Result<Saved<Source>, Error> {
    source.save(text, Way::Replace, &|_| Err("a test keeps no backup".to_owned()))
}

#[test]
fn a_domain_is_opened_and_defined_through_virsh() {
    let Some(dir) = oracle() else { return };
    let uri = format!("qemu:///embed?root={}", dir.path().join("libvirt").display());
    let file = dir.path().join("kept.xml");
    let define = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let done =
            Command::new("virsh").args(["-q", "-c", &uri, "define"]).arg(&file).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    define(TEXT);
    let source = Source::Libvirt(store::open(&uri, "kept").unwrap());
    assert!(source.text().contains("passwd='secret'"), "{}", source.text());
    assert!(matches!(save(&source, source.text()).unwrap(), Saved::Unchanged));

    let document = Document::parse(source.text()).unwrap();
    let kinds = [EntryKind::arg("-global"), EntryKind::arg("PIIX4_PM.disable_s3=1")];
    let next = document.apply(&document.insert(List::Args, 0, &kinds).unwrap()).unwrap();
    let Saved::Written(mut written, None) = save(&source, next.source()).unwrap() else {
        panic!("it was not written")
    };
    assert!(
        written.text().contains("<qemu:arg value='PIIX4_PM.disable_s3=1'/>")
            && written.text().contains("secret")
    );

    // Somebody else's change is not written over unasked.
    define(&TEXT.replace("65536", "131072"));
    let next = next.apply(&next.insert(List::Args, 0, &[EntryKind::arg("-S")]).unwrap()).unwrap();
    let Saved::ChangedByOthers(theirs) = save(&written, next.source()).unwrap() else {
        panic!("it was changed")
    };
    written.know(&theirs);
    let Saved::Written(written, None) = save(&written, next.source()).unwrap() else {
        panic!("it was not written")
    };

    let refused =
        save(&written, &next.source().replace("<memory", "<memori")).unwrap_err().to_string();
    assert!(refused.contains("the domain is as it was; virsh define: "), "{refused}");
    let gone = store::open(&uri, "nosuch").unwrap_err().to_string();
    assert!(gone.contains("nosuch") && gone.contains("virsh list --all"), "{gone}");
}
