//! Names that QEMU looks up among its own files.

use super::*;
use crate::facts::emulator::Emulator;

/// A path at which nothing is.
fn gone(path: String) -> Walk {
    Walk { steps: vec![step("/", FileKind::Directory, 0o755, 0)], ending: Ending::Missing(path) }
}

/// A host whose QEMU has its files in /usr/share/qemu and /usr/share/seabios, bios.bin in the second.
fn seabios() -> Host {
    let emulator = Emulator {
        path: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".into(),
        devices: BTreeMap::from([("e1000".into(), Vec::new())]),
        data: vec!["/usr/share/qemu".into(), "/usr/share/seabios".into()],
        ..Emulator::default()
    };
    let mut host = host().file("/usr/share/seabios/bios.bin", 0o644);
    for name in ["bios.bin", "usr.bin", "x.rom", "keymaps/xx"] {
        for directory in ["", "/usr/share/qemu", "/usr/share/seabios", "/srv/roms"] {
            let nothing = gone(format!("{directory}/{name}"));
            host.0.paths.entry(format!("{directory}/{name}")).or_insert(Known::Yes(nothing));
        }
    }
    host.0.paths.insert("/xx".into(), Known::Yes(gone("/xx".into())));
    let host = host.at("/srv/roms", FileKind::Directory, 0o755, 0);
    with(host, |host| host.emulator = Known::Yes(emulator.clone()))
}

#[test]
fn firmware_is_looked_up_as_qemu_does() {
    let host = seabios();
    assert_eq!(found(&host, &["-bios", "bios.bin"]), []);
    assert_eq!(found(&host, &["-bios", "usr.bin"]), blocks("firmware-missing"));
    assert_eq!(found(&host, &["-machine", "firmware=usr.bin"]), blocks("firmware-missing"));
    assert_eq!(found(&host, &["-bios", "usr.bin", "-bios", "bios.bin"]), []);
    assert_eq!(found(&host, &["-k", "xx", "-k", "de"]), []);
    // The directories of -L come first, wherever it stands.
    let shut = seabios().file("/srv/roms/bios.bin", 0o600);
    assert_eq!(found(&shut, &["-bios", "bios.bin"]), []);
    assert_eq!(found(&shut, &["-bios", "bios.bin", "-L", "/srv/roms"]), blocks("dac-unreadable"));
    // A name as it stands is tried first of all, from the root directory.
    let root = seabios().file("/usr.bin", 0o644);
    assert_eq!(found(&root, &["-bios", "usr.bin"]), []);
}

#[test]
fn what_is_in_none_of_the_directories_is_said_with_them() {
    let findings = judged(&seabios(), &domain("", &["-bios", "usr.bin"]));
    assert_eq!(findings[0].message, "the firmware, 'usr.bin', is not there");
    assert_eq!(
        findings[0].evidence[0],
        "QEMU looks at /usr.bin, /usr/share/qemu/usr.bin, /usr/share/seabios/usr.bin"
    );
}

#[test]
fn who_starts_from_flash_memory_looks_at_no_other_firmware() {
    let host = seabios().file("/srv/a.img", 0o666);
    let flash = ["-drive", "if=pflash,format=raw,file=/srv/a.img", "-bios", "usr.bin"];
    assert_eq!(found(&host, &flash), []);
    let loader = "<os firmware='efi'><type>hvm</type></os>";
    assert_eq!(found_in(&host, loader, &["-bios", "usr.bin"]), []);
    let closed = seabios().file("/srv/b.bin", 0o600);
    assert_eq!(found_in(&closed, loader, &["-bios", "/srv/b.bin"]), []);
    assert_eq!(found(&closed, &["-bios", "/srv/b.bin"]), blocks("dac-unreadable"));
}

#[test]
fn an_option_rom_is_missed_where_qemu_stops_for_it() {
    let host = seabios();
    let card = ["-device", "e1000,addr=0x1e,romfile=x.rom"];
    assert_eq!(found(&host, &card), blocks("firmware-missing"));
    assert_eq!(found(&host, &["-option-rom", "x.rom"]), [("firmware-missing", Verdict::Warns)]);
}

#[test]
fn a_keyboard_layout_is_read_for_vnc_alone() {
    let host = seabios();
    assert_eq!(found(&host, &["-k", "xx"]), []);
    assert_eq!(found(&host, &["-k", "xx", "-vnc", "none"]), blocks("firmware-missing"));
    let there = seabios().file("/usr/share/qemu/keymaps/xx", 0o644);
    assert_eq!(found(&there, &["-k", "xx", "-vnc", "none"]), []);
}

#[test]
fn where_qemu_has_its_files_may_not_be_known() {
    let host = with(seabios(), |host| {
        host.emulator = Known::Unknown("it was not asked".into());
    });
    assert_eq!(found(&host, &["-bios", "bios.bin"]), [("firmware-missing", Verdict::Unknown)]);
    assert_eq!(found(&host, &["-option-rom", "x.rom"]), []);
}
