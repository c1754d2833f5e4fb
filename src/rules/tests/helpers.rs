//! What elements bring along: programs that serve directories, mediated devices, sound that goes through displays.

use super::*;

const SHARED: &str = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>";

fn share(binary: &str) -> String {
    format!(
        "{SHARED}<devices><filesystem type='mount'><driver type='virtiofs'/>{binary}<source dir='/srv/d'/><target dir='t'/></filesystem></devices>"
    )
}

fn serving(programs: &[&str]) -> Host {
    let host = host().at("/srv/d", FileKind::Directory, 0o755, 0);
    let programs: Vec<String> = programs.iter().map(|name| (*name).to_owned()).collect();
    with(host, |host| host.virtiofsd = Known::Yes(programs.clone()))
}

/// The rules that block a domain of these elements alone.
fn blocked(host: &Host, elements: &str) -> Vec<&'static str> {
    let text = format!(
        "<domain type='kvm'><name>t</name><os><type arch='x86_64' machine='pc'>hvm</type></os>{elements}</domain>"
    );
    let findings = judged(host, &Document::parse(text).unwrap());
    let blocks = findings.iter().filter(|finding| finding.verdict == Verdict::Blocks);
    blocks.map(|finding| finding.rule).collect()
}

#[test]
fn a_shared_directory_wants_somebody_who_serves_it() {
    assert_eq!(blocked(&serving(&["/usr/libexec/virtiofsd"]), &share("")), [""; 0]);
    assert_eq!(blocked(&serving(&[]), &share("")), ["native-missing"]);
    // 9p is QEMU's own.
    let ninth = share("").replace("virtiofs", "path");
    assert_eq!(blocked(&serving(&[]), &ninth), [""; 0]);
    let named = share("<binary path='/srv/fsd'/>");
    assert_eq!(blocked(&serving(&[]).file("/srv/fsd", 0o755), &named), [""; 0]);
    assert_eq!(blocked(&serving(&[]).file("/srv/fsd", 0o644), &named), ["native-missing"]);
    assert_eq!(blocked(&serving(&[]).absent("/srv/fsd", 0o755), &named), ["native-missing"]);
    // One that runs already is behind its socket.
    let running = share("").replace("dir='/srv/d'", "socket='/run/fsd.sock'");
    assert_eq!(blocked(&serving(&[]), &running), [""; 0]);
}

#[test]
fn a_mediated_device_is_there_or_not() {
    let uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
    let path = format!("/sys/bus/mdev/devices/{uuid}");
    let element = format!(
        "<devices><hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='{uuid}'/></source></hostdev></devices>"
    );
    assert_eq!(blocked(&host().absent(&path, 0o755), &element), ["native-missing"]);
    assert_eq!(blocked(&host().at(&path, FileKind::Directory, 0o755, 0), &element), [""; 0]);
}

#[test]
fn sound_through_a_display_needs_it() {
    let qemu = |version: &str| {
        with(host(), |host| {
            host.qemu = Known::Yes(version.into());
        })
    };
    let dbus = ["-audiodev", "dbus,id=a"];
    assert_eq!(found(&qemu("10.0.13"), &dbus), []);
    assert_eq!(found(&qemu("10.2.0"), &dbus), [("audio-display", Verdict::Unknown)]);
    assert_eq!(found(&qemu("11.1.3"), &dbus), blocks("audio-display"));
    assert_eq!(found(&qemu("11.1.3"), &["-audiodev", "dbus,id=a", "-display", "dbus,p2p=on"]), []);
    let spice = ["-audiodev", "spice,id=a"];
    assert_eq!(found(&host(), &spice), blocks("audio-display"));
    assert_eq!(
        found(&host(), &["-audiodev", "spice,id=a", "-spice", "port=5990,disable-ticketing=on"]),
        []
    );
    assert_eq!(found(&host(), &["-audiodev", "none,id=a"]), []);
    let native = "<devices><audio id='1' type='dbus'/></devices>";
    assert_eq!(blocked(&qemu("11.1.3"), native), ["audio-display"]);
    let both = native.replace("</devices>", "<graphics type='dbus'/></devices>");
    assert_eq!(blocked(&qemu("11.1.3"), &both), [""; 0]);
}

#[test]
fn the_daemons_own_file_may_keep_it_from_starting() {
    let said = |daemon: &str, text: &str| {
        let path = format!("/etc/libvirt/{daemon}.conf");
        let host = with(host(), |host| {
            host.daemon = Known::Yes(daemon.into());
            host.daemon_conf = QemuConf::parse(&path, text);
        });
        found(&host, &["-msg", "guest-name=on"])
    };
    assert_eq!(said("libvirtd", "max_clients = 50\nnosuch = 1\n"), []);
    assert_eq!(said("libvirtd", "garbage\n"), blocks("daemon-conf"));
    assert_eq!(said("libvirtd", "max_clients = \"50\"\n"), blocks("daemon-conf"));
    assert_eq!(said("libvirtd", "listen_tls = 7\n"), blocks("daemon-conf"));
    assert_eq!(said("virtqemud", "log_filters = 1\n"), blocks("daemon-conf"));
    // virtproxyd listens on the network in its place.
    assert_eq!(said("virtqemud", "listen_tls = 7\n"), []);
}
