//! What common arguments make QEMU touch. One line per case: the arguments, then each use as `kind access name`.

use super::*;
use crate::qemu::resource::Moment;

fn uses(argv: &[&str]) -> Vec<String> {
    show(&CommandLine::read(argv, &[]))
}

fn show(line: &CommandLine) -> Vec<String> {
    line.uses
        .iter()
        .map(|usage| {
            let optional = if usage.optional { "?" } else { "" };
            match &usage.resource {
                Resource::Path { path, access, .. } => format!("{}{optional} {path}", access.word()),
                Resource::Program { command, moment: Moment::Start } => format!("start {command}"),
                Resource::Program { command, moment: Moment::Later } => format!("later {command}"),
                Resource::Network { address, listen: true } => format!("listens {address}"),
                Resource::Network { address, listen: false } => format!("network {address}"),
                other => format!("{} {}", other.kind(), other.name()),
            }
        })
        .collect()
}

#[test]
fn the_options_people_use_name_these_resources() {
    for (argv, expected) in [
        (&["-drive", "file=/a,,b.img,if=none,id=d"][..], &["read-write-or-read /a,b.img"][..]),
        (&["-drive", "file=/a"], &["read-write /a"]),
        (&["-drive", "file=/a,if=none,id=d", "-device", "virtio-blk-pci,drive=d"], &["read-write /a"]),
        (&["-drive", "file=/a,if=none,id=d", "-device", "ide-cd,drive=d"], &["read-write-or-read /a"]),
        (&["-drive", "file=/a,readonly=on"], &["read /a"]),
        (&["-snapshot", "-drive", "file=/a"], &["read /a"]),
        (&["-drive", "file.driver=file,file.filename=/a,if=none"], &["read-write-or-read /a"]),
        (&["-drive", "file=nbd:unix:/s:exportname=x"], &["connect /s"]),
        (&["-drive", "file=nbd+unix:///x?socket=/s"], &["connect /s"]),
        (&["-drive", "file=fat:rw:/d"], &["directory /d"]),
        (&["-drive", "file=nvme://0000:01:00.0/1"], &["pci 0000:01:00.0/1"]),
        (&["-drive", "file=ssh://h/x"], &["network ssh://h/x"]),
        (&["-drive", r#"file=json:{"driver":"file",,"filename":"/j"}"#], &["read-write /j"]),
        (&["-blockdev", r#"{"driver":"file","filename":"/a","node-name":"n"}"#], &["read-write /a"]),
        (
            &["-blockdev", r#"{"driver":"qcow2","read-only":true,"file":{"driver":"file","filename":"/a"}}"#],
            &["read /a"],
        ),
        (
            &["-blockdev", "driver=host_device,filename=/dev/sdb,node-name=n,auto-read-only=on"],
            &["read-write-or-read /dev/sdb"],
        ),
        (&["-blockdev", "nbd,server.type=unix,server.path=/s,node-name=n"], &["connect /s"]),
        (&["-hda", "/a,b"], &["read-write /a,b"]),
        (&["-cdrom", "/a"], &["read /a"]),
        (&["rel.img"], &["read-write /rel.img"]),
        (&["-chardev", "socket,id=c,path=/s,server=on,wait=off"], &["listen /s"]),
        (&["-chardev", "socket,id=c,path=/s,server,nowait"], &["listen /s"]),
        (&["-chardev", "socket,id=c,path=/s,logfile=/l"], &["create /l", "connect /s"]),
        (&["-chardev", "file,id=c,path=/o,input-path=/i"], &["create /o", "read /i"]),
        (&["-chardev", "socket,id=c,fd=7"], &["descriptor 7"]),
        (&["-chardev", "socket,id=c,path=/s,abstract=on"], &[]),
        (&["-serial", "file:/o"], &["create /o"]),
        (&["-serial", "mon:unix:/s,server,nowait"], &["listen /s"]),
        (&["-monitor", "tcp::4444,server=on"], &["listens :4444"]),
        (&["-gdb", "unix:/s"], &["connect /s"]),
        (&["-serial", "/dev/ttyS0"], &["read-write /dev/ttyS0"]),
        (&["-serial", "pty", "-monitor", "none", "-qmp", "stdio"], &[]),
        (&["-object", "rng-random,id=r"], &["read /dev/urandom"]),
        (&["-object", "input-linux,id=k,evdev=/dev/input/e"], &["read-write /dev/input/e"]),
        (
            &[
                "-object",
                r#"{"qom-type":"memory-backend-file","id":"m","mem-path":"/dev/kvmfr0","size":1,"share":true}"#,
            ],
            &["memory /dev/kvmfr0"],
        ),
        (&["-object", "memory-backend-file,id=m,mem-path=/m,size=1M,readonly=on"], &["memory-read /m"]),
        (&["-object", "secret,id=s,file=/k", "-object", "secret,id=t,data=x"], &["read /k"]),
        (&["-object", "filter-dump,id=f,netdev=n,file=/p"], &["create /p"]),
        (&["-netdev", "tap,id=n,ifname=t,script=no,downscript=no"], &["read-write /dev/net/tun"]),
        (&["-netdev", "tap,id=n"], &["read-write /dev/net/tun", "start /etc/qemu-ifup", "later /etc/qemu-ifdown"]),
        (&["-netdev", "tap,id=n,fd=3"], &["descriptor 3"]),
        (
            &["-netdev", "tap,id=n,script=no,downscript=no,vhost=on"],
            &["read-write /dev/net/tun", "read-write? /dev/vhost-net"],
        ),
        (&["-netdev", "bridge,id=n,br=b"], &["start /usr/lib/qemu/qemu-bridge-helper"]),
        (&["-netdev", "user,id=n,smb=/d"], &["directory /d", "start /usr/sbin/smbd"]),
        (&["-netdev", "user,id=n,hostfwd=tcp::2222-:22"], &["listens tcp::2222"]),
        (&["-netdev", "user,id=n,guestfwd=tcp:10.0.2.100:1234-cmd:/bin/cat"], &["later /bin/cat"]),
        (&["-nic", "tap,script=no,downscript=no"], &["read-write /dev/net/tun"]),
        (&["-device", "vfio-pci,host=01:00.0,romfile=/r.rom"], &["read /r.rom", "pci 01:00.0"]),
        (&["-device", "e1000,romfile="], &[]),
        (&["-device", "vhost-vsock-pci,guest-cid=3"], &["read-write /dev/vhost-vsock"]),
        (&["-device", "usb-host,vendorid=0x46d,productid=0xc539"], &["usb 0x46d"]),
        (&["-device", "loader,file=/f,addr=0"], &["read /f"]),
        (&["-fsdev", "local,id=f,path=/d,security_model=none"], &["directory? /d"]),
        (&["-fsdev", "local,id=f,path=/d", "-device", "virtio-9p-pci,fsdev=f,mount_tag=t"], &["directory /d"]),
        (&["-device", "usb-host,hostbus=1,hostaddr=12"], &["read-write /dev/bus/usb/001/012"]),
        (&["-virtfs", "local,path=/d,mount_tag=t,security_model=none"], &["directory /d"]),
        (&["-fw_cfg", "name=opt/x,file=/f"], &["read /f"]),
        (&["-fw_cfg", "opt/x,string=/f"], &[]),
        (&["-acpitable", "file=/a:/b"], &["read /a", "read /b"]),
        (&["-smbios", "file=/s", "-smbios", "type=11,path=/t", "-smbios", "type=2"], &["read /s", "read /t"]),
        (
            &["-kernel", "/k", "-initrd", "/i", "-dtb", "/d", "-bios", "/b"],
            &["read /k", "read /i", "read /d", "read /b"],
        ),
        (&["-pflash", "/p", "-D", "/l"], &["read-write /p", "create /l"]),
        (&["-tpmdev", "passthrough,id=t"], &["read-write /dev/tpm0"]),
        (&["-incoming", "exec:cat /x"], &["start cat /x"]),
        (&["-incoming", "unix:/s", "-incoming", "file:/m,offset=1", "-incoming", "defer"], &["listen /s", "read /m"]),
        (&["-runas", "nobody"], &["privilege run as nobody"]),
        (&["-vnc", "unix:/s"], &["listen /s"]),
        (&["-display", "egl-headless,rendernode=/dev/dri/renderD128"], &["read-write /dev/dri/renderD128"]),
        (&["-readconfig", "/c", "-L", "/l", "-L", "pc-bios"], &["read /c", "directory? /l"]),
        (&["-global", "x.y=/z", "-cpu", "host", "-m", "1G", "-sandbox", "off"], &[]),
    ] {
        assert_eq!(uses(argv), expected, "{argv:?}");
    }
}

#[test]
fn environment_names_sockets_and_libraries() {
    let line = CommandLine::read(
        &[],
        &[
            ("PIPEWIRE_RUNTIME_DIR", Some("/run/user/1000")),
            ("QEMU_PA_SERVER", Some("unix:/run/user/1000/pulse/native")),
            ("LD_PRELOAD", Some("/l.so")),
            ("QEMU_AUDIO_DRV", Some("pa")),
            ("PULSE_SERVER", None),
        ],
    );
    assert_eq!(
        show(&line),
        ["connect? /run/user/1000/pipewire-0", "connect? /run/user/1000/pulse/native", "library? /l.so"]
    );
}

#[test]
fn odd_arguments_are_noted() {
    let notes =
        |argv: &[&str]| CommandLine::read(argv, &[]).notes.into_iter().map(|note| note.kind).collect::<Vec<_>>();
    assert_eq!(
        notes(&["-drive file=/x,if=none"]),
        [NoteKind::Joined { option: "-drive".into(), value: "file=/x,if=none".into() }]
    );
    assert_eq!(notes(&["-drive"]), [NoteKind::Dangling]);
    assert_eq!(notes(&["-nosuch"]), [NoteKind::UnknownOption]);
    assert_eq!(notes(&[""]), [NoteKind::Stray]);
    assert_eq!(notes(&["-object", "{x"]).len(), 1);
    assert_eq!(notes(&["-device", "usb-kbd", "-S"]), []);
    assert_eq!(notes(&["-device", "help"]), [NoteKind::Exits]);
    assert_eq!(notes(&["-version"]), [NoteKind::Exits]);
    assert_eq!(notes(&["-chardev", "socket,id=c,path=/s,server=on"]), [NoteKind::Waits]);
    assert_eq!(notes(&["-serial", "unix:/s,server"]), [NoteKind::Waits]);
    assert_eq!(notes(&["-serial", "unix:/s,server,nowait", "-chardev", "socket,id=c,path=/s"]), []);
}

#[test]
fn every_argument_belongs_to_one_option() {
    let line = CommandLine::read(&["-S", "-device", "x", "y"], &[]);
    assert_eq!((0..4).map(|arg| line.option_of(arg)).collect::<Vec<_>>(), [Some(0), Some(1), Some(1), Some(2)]);
    assert_eq!(line.option_of(4), None);
}
