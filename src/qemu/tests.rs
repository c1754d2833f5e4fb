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
                Resource::Path { path, access, .. } => {
                    format!("{}{optional} {path}", access.word())
                }
                Resource::Program { command, moment: Moment::Start } => format!("start {command}"),
                Resource::Program { command, moment: Moment::Later } => format!("later {command}"),
                Resource::Network { address, listen: true, .. } => format!("listens {address}"),
                Resource::Network { address, listen: false, .. } => format!("network {address}"),
                other @ (Resource::Privilege { .. }
                | Resource::Descriptor { .. }
                | Resource::Tap { .. }
                | Resource::Pci { .. }
                | Resource::Usb { .. }
                | Resource::Session { .. }) => format!("{} {}", other.kind(), other.name()),
            }
        })
        .collect()
}

#[test]
fn the_options_people_use_name_these_resources() {
    for (argv, expected) in [
        (&["-drive", "file=/a,,b.img,if=none,id=d"][..], &["read-write-or-read /a,b.img"][..]),
        (&["-drive", "file=/a"], &["read-write /a"]),
        (
            &["-drive", "file=/a,if=none,id=d", "-device", "virtio-blk-pci,drive=d"],
            &["read-write /a"],
        ),
        (
            &["-drive", "file=/a,if=none,id=d", "-device", "ide-cd,drive=d"],
            &["read-write-or-read /a"],
        ),
        (&["-drive", "file=/a,readonly=on"], &["read /a"]),
        (&["-snapshot", "-drive", "file=/a"], &["create /var/tmp/vl.XXXXXX", "read /a"]),
        (&["-drive", "file.driver=file,file.filename=/a,if=none"], &["read-write-or-read /a"]),
        (&["-drive", "file=nbd:unix:/s:exportname=x"], &["connect /s"]),
        (&["-drive", "file=fat:rw:32:/d,format=raw"], &["directory /d"]),
        (&["-drive", "file=nbd+unix:///x?socket=/s"], &["connect /s"]),
        (&["-drive", "file=fat:rw:/d"], &["directory /d"]),
        (&["-drive", "file=nvme://0000:01:00.0/1"], &["pci 0000:01:00.0/1"]),
        (&["-drive", "file=ssh://h/x"], &["network ssh://h/x"]),
        (&["-drive", r#"file=json:{"driver":"file",,"filename":"/j"}"#], &["read-write /j"]),
        (
            &["-blockdev", r#"{"driver":"file","filename":"/a","node-name":"n"}"#],
            &["read-write /a"],
        ),
        (
            &[
                "-blockdev",
                r#"{"driver":"qcow2","read-only":true,"file":{"driver":"file","filename":"/a"}}"#,
            ],
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
        (
            &["-object", "memory-backend-file,id=m,mem-path=/m,size=1M,readonly=on"],
            &["memory-read /m"],
        ),
        (&["-object", "secret,id=s,file=/k", "-object", "secret,id=t,data=x"], &["read /k"]),
        (&["-object", "filter-dump,id=f,netdev=n,file=/p"], &["create /p"]),
        (
            &["-netdev", "tap,id=n,ifname=t,script=no,downscript=no"],
            &["read-write /dev/net/tun", "interface t"],
        ),
        (
            &["-netdev", "tap,id=n"],
            &[
                "read-write /dev/net/tun",
                "interface tap%d",
                "start /etc/qemu-ifup",
                "later /etc/qemu-ifdown",
            ],
        ),
        (&["-netdev", "tap,id=n,fd=3"], &["descriptor 3"]),
        (
            &["-netdev", "tap,id=n,script=no,downscript=no,vhost=on"],
            &["read-write /dev/net/tun", "interface tap%d", "read-write /dev/vhost-net"],
        ),
        (
            &["-netdev", "bridge,id=n,br=b"],
            &["start /usr/lib/qemu/qemu-bridge-helper", "read-write /dev/net/tun"],
        ),
        (&["-netdev", "user,id=n,smb=/d"], &["directory /d", "start /usr/sbin/smbd"]),
        (&["-netdev", "user,id=n,hostfwd=tcp::2222-:22"], &["listens tcp::2222"]),
        (&["-netdev", "user,id=n,guestfwd=tcp:10.0.2.100:1234-cmd:/bin/cat"], &["later /bin/cat"]),
        (&["-nic", "tap,script=no,downscript=no"], &["read-write /dev/net/tun", "interface tap%d"]),
        (
            &["-device", "vfio-pci,host=01:00.0,romfile=/r.rom"],
            &["read /r.rom", "pci 01:00.0", "read-write /dev/vfio/vfio"],
        ),
        (&["-device", "e1000,romfile="], &[]),
        (&["-device", "vhost-vsock-pci,guest-cid=3"], &["read-write /dev/vhost-vsock"]),
        (&["-device", "usb-host,vendorid=0x46d,productid=0xc539"], &["usb 0x46d"]),
        (&["-device", "loader,file=/f,addr=0"], &["read /f"]),
        (&["-fsdev", "local,id=f,path=/d,security_model=none"], &["directory? /d"]),
        (
            &["-fsdev", "local,id=f,path=/d", "-device", "virtio-9p-pci,fsdev=f,mount_tag=t"],
            &["directory /d"],
        ),
        (&["-device", "usb-host,hostbus=1,hostaddr=12"], &["read-write /dev/bus/usb/001/012"]),
        (&["-virtfs", "local,path=/d,mount_tag=t,security_model=none"], &["directory /d"]),
        (&["-fw_cfg", "name=opt/x,file=/f"], &["read /f"]),
        (&["-fw_cfg", "opt/x,string=/f"], &[]),
        (&["-acpitable", "file=/a:/b"], &["read /a", "read /b"]),
        (
            &["-smbios", "file=/s", "-smbios", "type=11,path=/t", "-smbios", "type=2"],
            &["read /s", "read /t"],
        ),
        (
            &["-kernel", "/k", "-initrd", "/i", "-dtb", "/d", "-bios", "/b"],
            &["read /k", "read /i", "read /d", "read /b"],
        ),
        (&["-pflash", "/p", "-D", "/l"], &["read-write /p", "create /l"]),
        (&["-tpmdev", "passthrough,id=t"], &["read-write /dev/tpm0"]),
        (&["-incoming", "exec:cat /x"], &["start cat /x"]),
        (
            &["-incoming", "unix:/s", "-incoming", "file:/m,offset=1", "-incoming", "defer"],
            &["listen /s", "read /m"],
        ),
        (&["-runas", "nobody"], &["privilege run as nobody"]),
        (&["-vnc", "unix:/s"], &["listen /s"]),
        (
            &["-display", "egl-headless,rendernode=/dev/dri/renderD128"],
            &["read-write /dev/dri/renderD128"],
        ),
        (&["-readconfig", "/c", "-L", "/l", "-L", "pc-bios"], &["read /c", "directory? /l"]),
        (&["-set", "device.hostdev0.romfile=/r,1.rom"], &["read /r,1.rom"]),
        (&["-global", "vfio-pci.romfile=/r.rom"], &["read /r.rom"]),
        (&["-global", "x.y=/z", "-cpu", "host", "-m", "1G", "-sandbox", "off"], &[]),
    ] {
        assert_eq!(uses(argv), expected, "{argv:?}");
    }
}

/// The rows of libvirt-facts' table of options that name host resources, beyond those above: one case each, so that a row
/// that is lost is noticed.
#[test]
fn every_option_that_names_a_host_resource_is_known() {
    for (argv, expected) in [
        (&["-fda", "/f"][..], &["read-write /f"][..]),
        (&["-mtdblock", "/f", "-sd", "/g"], &["read-write /f", "read-write /g"]),
        (
            &["-blockdev", "host_cdrom,filename=/dev/sr0,node-name=n,read-only=on"],
            &["read /dev/sr0"],
        ),
        (&["-blockdev", "vvfat,dir=/d,node-name=n"], &["directory /d"]),
        (&["-blockdev", "blkdebug,config=/c,node-name=n,image=x"], &["read /c"]),
        (&["-blockdev", "nvme,device=0000:01:00.0,namespace=1,node-name=n"], &["pci 0000:01:00.0"]),
        (
            &["-blockdev", "nbd,server.type=inet,server.host=h,server.port=1,node-name=n"],
            &["network h"],
        ),
        (&["-blockdev", "ssh,server.host=h,server.port=22,path=/x,node-name=n"], &["network h"]),
        (&["-blockdev", "rbd,pool=p,image=i,conf=/etc/ceph/c,node-name=n"], &["read /etc/ceph/c"]),
        (&["-blockdev", "https,url=https://h/x,node-name=n"], &["network https://h/x"]),
        (&["-blockdev", "virtio-blk-vhost-user,path=/s,node-name=n"], &["connect /s"]),
        (
            &[
                "-blockdev",
                r#"{"driver":"qcow2","file":{"driver":"file","filename":"/a"},"data-file":{"driver":"file","filename":"/d"}}"#,
            ],
            &["read-write /d", "read-write /a"],
        ),
        (
            &[
                "-blockdev",
                r#"{"driver":"qcow2","file":{"driver":"file","filename":"/a"},"backing":{"driver":"qcow2","file":{"driver":"file","filename":"/b"}}}"#,
            ],
            &["read /b", "read-write /a"],
        ),
        (&["-drive", "file=file:/a"], &["read-write /a"]),
        (&["-drive", "file=host_device:/dev/sdb"], &["read-write /dev/sdb"]),
        (&["-drive", "file=rbd:pool/img:conf=/etc/c"], &["read /etc/c"]),
        (&["-drive", "file=blkdebug:/c:/a"], &["read /c", "read-write /a"]),
        (&["-drive", "file=gluster+unix:///v/i?socket=/s"], &["connect /s"]),
        (&["-drive", "file=iscsi://h/x/1"], &["network iscsi://h/x/1"]),
        (&["-chardev", "pipe,id=c,path=/p"], &["pipe /p"]),
        (&["-chardev", "serial,id=c,path=/dev/ttyS0"], &["read-write /dev/ttyS0"]),
        (&["-chardev", "tty,id=c,path=/dev/ttyS0"], &["read-write /dev/ttyS0"]),
        (&["-chardev", "parallel,id=c,path=/dev/parport0"], &["read-write /dev/parport0"]),
        (&["-chardev", "socket,id=c,host=h,port=1"], &["network 1"]),
        (&["-chardev", "udp,id=c,port=1"], &["network 1"]),
        (
            &["-parallel", "file:/p", "-qmp", "unix:/q,server=on,wait=off", "-debugcon", "file:/d"],
            &["create /p", "listen /q", "create /d"],
        ),
        (&["-netdev", "user,id=n,tftp=/t"], &["directory? /t"]),
        (&["-netdev", "stream,id=n,server=on,addr.type=unix,addr.path=/s"], &["listen? /s"]),
        (&["-netdev", "stream,id=n,addr.type=unix,addr.path=/s"], &["connect? /s"]),
        (
            &[
                "-netdev",
                "dgram,id=n,local.type=unix,local.path=/l,remote.type=unix,remote.path=/r",
            ],
            &["listen /l", "connect? /r"],
        ),
        (&["-netdev", "socket,id=n,listen=:1"], &["listens :1"]),
        (&["-netdev", "vde,id=n,sock=/v"], &["directory /v"]),
        (&["-netdev", "netmap,id=n,ifname=x"], &["read-write /dev/netmap"]),
        (
            &["-netdev", "vhost-vdpa,id=n,vhostdev=/dev/vhost-vdpa-0"],
            &["read-write /dev/vhost-vdpa-0"],
        ),
        (
            &["-device", "vfio-pci,sysfsdev=/sys/bus/mdev/devices/x"],
            &["pci /sys/bus/mdev/devices/x", "read-write /dev/vfio/vfio"],
        ),
        (
            &["-device", "usb-host,hostdevice=/dev/bus/usb/001/002"],
            &["read-write /dev/bus/usb/001/002"],
        ),
        (
            &["-device", "virtio-input-host-pci,evdev=/dev/input/event0"],
            &["read-write /dev/input/event0"],
        ),
        (&["-device", "vhost-scsi-pci,wwpn=x"], &["read-write /dev/vhost-scsi"]),
        (
            &["-device", "vhost-vdpa-device-pci,vhostdev=/dev/vhost-vdpa-0"],
            &["read-write /dev/vhost-vdpa-0"],
        ),
        (&["-device", "guest-loader,addr=0,kernel=/k,initrd=/i"], &["read /k", "read /i"]),
        (&["-device", "ccid-card-emulated,db=/d"], &["directory /d"]),
        (
            &["-device", "usb-mtp,rootdir=/d", "-device", "usb-kbd,pcap=/p"],
            &["directory /d", "create /p"],
        ),
        (&["-device", "u2f-passthru,hidraw=/dev/hidraw0"], &["read-write /dev/hidraw0"]),
        (&["-device", "canokey,file=/c"], &["read-write /c"]),
        (&["-device", "cxl-type3,cdat=/c"], &["read /c"]),
        (&["-device", "ipmi-bmc-sim,frudatafile=/f,sdrfile=/s"], &["read? /f", "read? /s"]),
        (&["-device", "virtio-gpu-rutabaga,wayland-socket-path=/w"], &["connect /w"]),
        (&["-device", "virtio-gpu-pci,blob=on"], &["read-write /dev/udmabuf"]),
        (&["-device", "uefi-vars-x64,jsonfile=/j"], &["create /j"]),
        (&["-object", "memory-backend-epc,id=m,size=1M"], &["read-write /dev/sgx_vepc"]),
        (&["-mem-path", "/m"], &["memory /m"]),
        (&["-object", "tls-creds-x509,id=t,dir=/d"], &["read /d/ca-cert.pem"]),
        (&["-object", "authz-list-file,id=a,filename=/f"], &["read /f"]),
        (&["-object", "pr-manager-helper,id=p,path=/s"], &["connect /s"]),
        (&["-object", "dbus-vmstate,id=d,addr=unix:path=/s,guid=x"], &["connect /s"]),
        (&["-object", "iommufd,id=i"], &["read-write? /dev/iommu"]),
        (
            &["-object", "sev-guest,id=s,dh-cert-file=/c,session-file=/s"],
            &["read-write? /dev/sev", "read /c", "read /s"],
        ),
        (&["-object", "qtest,id=q,chardev=c,log=/l"], &["create /l"]),
        (
            &["-tpmdev", "passthrough,id=t,path=/dev/tpm1,cancel-path=/sys/c"],
            &["read-write /dev/tpm1", "create /sys/c"],
        ),
        (
            &["-display", "dbus,rendernode=/dev/dri/renderD128"],
            &["read-write /dev/dri/renderD128", "session DBUS_SESSION_BUS_ADDRESS"],
        ),
        (&["-display", "gtk"], &["session DISPLAY,WAYLAND_DISPLAY"]),
        (&["-display", "dbus", "-display", "dbus,p2p=on"], &["session DBUS_SESSION_BUS_ADDRESS"]),
        (&["-display", "curses"], &["session "]),
        (&["-vnc", "127.0.0.1:1"], &["listens 127.0.0.1:1"]),
        (
            &["-spice", "unix=on,addr=/s,x509-dir=/x,x509-key-file=/k"],
            &["listen /s", "directory /x", "read /k"],
        ),
        (
            &["-audiodev", "wav,id=a", "-audiodev", "pa,id=b,server=/p"],
            &["create? /qemu.wav", "connect /p"],
        ),
        (&["-audiodev", "pa,id=b,server=h.example"], &["network h.example"]),
        (&["-audiodev", "pa,id=b"], &["session XDG_RUNTIME_DIR"]),
        (
            &["-audiodev", "pipewire,id=b"],
            &["connect /run/pipewire/pipewire-0", "read /usr/share/pipewire/client.conf"],
        ),
        (&["-shim", "/s", "-option-rom", "/o"], &["read /s", "read? /o"]),
        (&["-boot", "menu=on,splash=/s"], &["read? /s"]),
        (&["-icount", "shift=0,rr=replay,rrfile=/r"], &["read /r"]),
        (&["-trace", "file=/t,events=/e"], &["create /t", "read /e"]),
        (&["-plugin", "/p.so,arg=1"], &["library /p.so"]),
        (&["-plugin", "file=/p.so"], &["library /p.so"]),
        (&["-pidfile", "/p"], &["create /p"]),
        (&["-incoming", "tcp:0:4444"], &["listens 0:4444"]),
        (&["-incoming", "fd:3", "-add-fd", "fd=9,set=1"], &["descriptor 3", "descriptor 9"]),
        (
            &["-run-with", "chroot=/c,user=nobody"],
            &["privilege run as nobody", "directory /c", "privilege make /c its root directory"],
        ),
        (&["-daemonize"], &["start QEMU itself, in the background"]),
        (&["-accel", "kvm,device=/dev/kvm2"], &["read-write /dev/kvm2"]),
        (&["-machine", "virt,dumpdtb=/d"], &["create /d"]),
        (&["-netdev", "l2tpv3,id=n,src=a,dst=b,txsession=1"], &["network b"]),
        (&["-object", "input-barrier,id=b,name=x,server=h"], &["network h"]),
        (&["-object", "x-remote-object,id=r,fd=4"], &["descriptor 4"]),
        (&["-perfmap", "-jitdump"], &["create? /tmp/perf-PID.map", "create? /jit-PID.dump"]),
        (&["-object", "igvm-cfg,id=g,file=/i"], &["read /i"]),
    ] {
        assert_eq!(uses(argv), expected, "{argv:?}");
    }
}

/// Arguments as people publish them, checked by eye: what each makes QEMU touch.
#[test]
fn published_arguments_are_read_as_a_person_reads_them() {
    for (argv, expected) in [
        (
            &["-audiodev", "pa,id=snd0,server=unix:/run/user/1000/pulse/native"][..],
            &["connect /run/user/1000/pulse/native"][..],
        ),
        (
            &["-audiodev", "{'driver':'pa','id':'a','server':'/run/user/1000/pulse/native'}"],
            &["connect /run/user/1000/pulse/native"],
        ),
        (
            &["-audiodev", "pa,id=hda,server=/run/user/1000/pulse/native,timer-period=1000"],
            &["connect /run/user/1000/pulse/native"],
        ),
        (&["-audiodev", "jack,id=a"], &[]),
        (
            &[
                "-object",
                "input-linux,id=kbd1,evdev=/dev/input/by-path/platform-i8042-serio-0-event-kbd,grab_all=on,repeat=on",
            ],
            &["read-write /dev/input/by-path/platform-i8042-serio-0-event-kbd"],
        ),
        (
            &[
                "-object",
                "input-linux,id=mouse1,evdev=/dev/input/by-id/usb-Logitech_USB_Receiver-event-mouse",
            ],
            &["read-write /dev/input/by-id/usb-Logitech_USB_Receiver-event-mouse"],
        ),
        (
            &["-object", "input-linux,evdev=/dev/input/event8,id=k,grab_all=yes"],
            &["read-write /dev/input/event8"],
        ),
        (
            &[
                "-object",
                "memory-backend-file,id=looking-glass,mem-path=/dev/kvmfr0,size=32M,share=yes",
            ],
            &["memory /dev/kvmfr0"],
        ),
        (
            &[
                "-object",
                "{'qom-type':'memory-backend-file','id':'looking-glass','mem-path':'/dev/kvmfr0','size':67108864,'share':true}",
            ],
            &["memory /dev/kvmfr0"],
        ),
        (
            &[
                "-object",
                "memory-backend-file,id=shm,share,mem-path=/dev/shm/looking-glass,size=64M",
            ],
            &["memory /dev/shm/looking-glass"],
        ),
        (&["-device", "{'driver':'ivshmem-plain','id':'shmem0','memdev':'looking-glass'}"], &[]),
        (
            &[
                "-device",
                "ivshmem-doorbell,chardev=ivshmem,vectors=1",
                "-chardev",
                "socket,path=/tmp/ivshmem_socket,id=ivshmem",
            ],
            &["connect /tmp/ivshmem_socket"],
        ),
        (
            &["-chardev", "socket,id=introspector,path=/tmp/introspector,reconnect=10"],
            &["connect? /tmp/introspector"],
        ),
        (
            &[
                "-chardev",
                "stdio,id=seabios",
                "-device",
                "isa-debugcon,iobase=0x402,chardev=seabios",
            ],
            &[],
        ),
        (&["-acpitable", "file=/usr/share/qemu/SSDT1.dat"], &["read /usr/share/qemu/SSDT1.dat"]),
        (
            &["-acpitable", "file=/var/lib/libvirt/images/acpitable.bin"],
            &["read /var/lib/libvirt/images/acpitable.bin"],
        ),
        (
            &["-acpitable", "file=/usr/share/seabios/SLIC.bin,id=slic"],
            &["read /usr/share/seabios/SLIC.bin"],
        ),
        (
            &["-fw_cfg", "name=opt/com.coreos/config,file=/var/lib/ignition.json"],
            &["read /var/lib/ignition.json"],
        ),
        (
            &["-fw_cfg", "name=etc/igd-opregion,file=/home/me/opregion.bin"],
            &["read /home/me/opregion.bin"],
        ),
        (&["-fw_cfg", "opt/ovmf/X-PciMmio64Mb,string=65536"], &[]),
        (&["-smbios", "type=2,manufacturer=x,product=/y"], &[]),
        (&["-readconfig", "/home/me/macintosh.cfg"], &["read /home/me/macintosh.cfg"]),
        (
            &["-set", "device.hostdev0.romfile=/home/me/vbios_gvtg_uefi.rom"],
            &["read /home/me/vbios_gvtg_uefi.rom"],
        ),
        (&["-set", "device.hostdev0.x-vga=on"], &[]),
        (
            &["-device", "vfio-pci,sysfsdev=/sys/class/mdev_bus/0000:00:02.0/fc44,rombar=0"],
            &["pci /sys/class/mdev_bus/0000:00:02.0/fc44", "read-write /dev/vfio/vfio"],
        ),
        (
            &["-drive", "file=/home/me/Downloads/win10.iso,index=0,media=cdrom"],
            &["read /home/me/Downloads/win10.iso"],
        ),
        (
            &[
                "-drive",
                "if=none,id=nvme0,file=/dev/mapper/vg-windows,format=raw",
                "-device",
                "nvme,drive=nvme0,serial=foo",
            ],
            &["read-write /dev/mapper/vg-windows"],
        ),
        (
            &["-netdev", "type=tap,id=n,ifname=tap0,script=no,downscript=no,vhost=on"],
            &["read-write /dev/net/tun", "interface tap0", "read-write /dev/vhost-net"],
        ),
        (
            &[
                "-netdev",
                "user,id=net0",
                "-device",
                "virtio-net-pci,netdev=net0,mac=00:16:3e:00:13:39",
            ],
            &[],
        ),
        (&["-device", "isa-applesmc,osk=ourhardwork/by(c)these,words"], &[]),
        (&["-cpu", "Penryn,kvm=on,vendor=GenuineIntel", "-usb", "-vga", "none", "-nographic"], &[]),
        (&["none"], &["read-write /none"]),
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
            ("PULSE_SERVER", Some("unix:/run/user/1000/pulse/native")),
            ("LD_PRELOAD", Some("/l.so")),
            ("QEMU_AUDIO_DRV", Some("pa")),
            ("TMPDIR", None),
        ],
    );
    assert_eq!(
        show(&line),
        [
            "connect? /run/user/1000/pipewire-0",
            "connect? /run/user/1000/pulse/native",
            "library? /l.so"
        ]
    );
}

#[test]
fn odd_arguments_are_noted() {
    let notes = |argv: &[&str]| {
        CommandLine::read(argv, &[]).notes.into_iter().map(|note| note.kind).collect::<Vec<_>>()
    };
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
    assert_eq!(
        (0..4).map(|arg| line.option_of(arg)).collect::<Vec<_>>(),
        [Some(0), Some(1), Some(1), Some(2)]
    );
    assert_eq!(line.option_of(4), None);
}

#[test]
fn a_size_has_its_unit_or_the_options() {
    assert_eq!(size("64", 20), Some(64 << 20));
    assert_eq!(size("65536k", 20), Some(64 << 20));
    assert_eq!(size("1G", 0), Some(1 << 30));
    assert_eq!(size("512", 0), Some(512));
    assert_eq!(size("1.5G", 20), None);
    assert_eq!(size("99999999999999T", 20), None);
}
