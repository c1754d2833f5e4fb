//! Host devices, sound, shared memory.

use super::plan::{Options, PREPARED, Plan, found, only, quoted, rule};
use crate::qemu::{Version, number, pci_address, size};
use crate::rules::{Case, Finding, Layer, Rule};

rule!(HOSTDEV, "native-hostdev", "libvirt has <hostdev> for this", hostdev);

/// `-device vfio-pci` of a PCI device or of a mediated one, `-device usb-host`.
pub(super) fn hostdev(options: &Options<'_>) -> Vec<Plan> {
    let device = |(at, pairs): (usize, &crate::qemu::Pairs)| {
        let mut lines = match pairs.get("driver")? {
            "vfio-pci"
                if only(
                    pairs,
                    &["driver", "id", "host", "bus", "addr", "multifunction", "romfile", "rombar"],
                ) =>
            {
                let (domain, bus, slot, function) = pci_address(pairs.get("host")?)?;
                vec![
                    "<hostdev mode='subsystem' type='pci' managed='yes'>".to_owned(),
                    "  <source>".to_owned(),
                    format!(
                        "    <address domain='{domain:#06x}' bus='{bus:#04x}' slot='{slot:#04x}' function='{function:#x}'/>"
                    ),
                    "  </source>".to_owned(),
                ]
            }
            "vfio-pci" if only(pairs, &["driver", "id", "sysfsdev", "bus", "addr"]) => {
                let uuid = pairs.get("sysfsdev")?.trim_end_matches('/').rsplit('/').next()?;
                let hyphens = uuid.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>();
                if uuid.len() != 36 || hyphens != [8, 13, 18, 23] {
                    return None;
                }
                vec![
                    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>".to_owned(),
                    "  <source>".to_owned(),
                    format!("    <address uuid='{}'/>", quoted(uuid)),
                    "  </source>".to_owned(),
                ]
            }
            "usb-host"
                if only(pairs, &["driver", "id", "vendorid", "productid", "bus", "port"]) =>
            {
                let number = |key: &str| u16::try_from(number(pairs.get(key)?)?).ok();
                vec![
                    "<hostdev mode='subsystem' type='usb' managed='yes'>".to_owned(),
                    "  <source>".to_owned(),
                    format!("    <vendor id='{:#06x}'/>", number("vendorid")?),
                    format!("    <product id='{:#06x}'/>", number("productid")?),
                    "  </source>".to_owned(),
                ]
            }
            _ => return None,
        };
        let mdev = pairs.get("sysfsdev").is_some();
        match (
            pairs.get("romfile"),
            pairs.on("rombar").or(pairs.get("rombar").map(|bar| bar != "0")),
        ) {
            (Some(""), _) => lines.push("  <rom enabled='no'/>".to_owned()),
            (Some(file), _) => lines.push(format!("  <rom file='{}'/>", quoted(file))),
            (None, Some(bar)) => {
                lines.push(format!("  <rom bar='{}'/>", if bar { "on" } else { "off" }));
            }
            (None, None) => {}
        }
        lines.push("</hostdev>".to_owned());
        Some(Plan {
            options: vec![at],
            parent: "devices",
            lines,
            also: None,
            element: "<hostdev>".to_owned(),
            since: if mdev { Version::new(3, 2) } else { Version::new(0, 9) },
            satisfies: PREPARED,
        })
    };
    options.named("device").filter_map(device).collect()
}

rule!(SOUND, "native-sound", "libvirt has <sound> and <audio> for this", sound);

/// `-audiodev` with one HDA codec, and its controller.
pub(super) fn sound(options: &Options<'_>) -> Vec<Plan> {
    let backend = |(at, pairs): (usize, &crate::qemu::Pairs)| {
        let id = pairs.get("id")?;
        let (kind, extra) = match pairs.get("driver")? {
            "pa" if only(pairs, &["driver", "id", "server"]) => (
                "pulseaudio",
                pairs
                    .get("server")
                    .map_or(String::new(), |server| format!(" serverName='{}'", quoted(server))),
            ),
            kind @ ("alsa" | "none" | "oss" | "spice" | "sdl")
                if only(pairs, &["driver", "id"]) =>
            {
                (kind, String::new())
            }
            _ => return None,
        };
        let (codec, user) = options.with("device", "audiodev", id)?;
        let codec_kind = user.get("driver")?.strip_prefix("hda-")?;
        if !["duplex", "micro", "output"].contains(&codec_kind)
            || !only(user, &["driver", "id", "audiodev", "bus", "cad"])
        {
            return None;
        }
        let mut controllers =
            options.named("device").filter_map(|(at, pairs)| match pairs.get("driver")? {
                "ich9-intel-hda" => Some((at, "ich9")),
                "intel-hda" => Some((at, "ich6")),
                _ => None,
            });
        let codecs = options
            .named("device")
            .filter(|(_, p)| p.get("driver").is_some_and(|d| d.starts_with("hda-")));
        let (controller, model) = controllers.next()?;
        let is_the_only_one = controllers.next().is_none();
        let facts = options.case.document.facts();
        if !is_the_only_one || codecs.count() != 1 || facts.sound || options.named_elsewhere(id, 2)
        {
            return None; // which codec belongs to which controller is not for us to guess
        }
        Some(Plan {
            options: vec![at, controller, codec],
            parent: "devices",
            lines: vec![
                format!("<sound model='{model}'>"),
                format!("  <codec type='{codec_kind}'/>"),
                "  <audio id='1'/>".into(),
                "</sound>".into(),
                format!("<audio id='1' type='{kind}'{extra}/>"),
            ],
            also: None,
            element: "<sound> with <audio>".to_owned(),
            since: Version::new(7, 2),
            satisfies: &[Layer::Qemu],
        })
    };
    options.named("audiodev").filter_map(backend).collect()
}

rule!(SHMEM, "native-shmem", "libvirt has <shmem> for this", shmem);

/// `-device ivshmem-plain` over a file in /dev/shm.
pub(super) fn shmem(options: &Options<'_>) -> Vec<Plan> {
    let memory = |(at, pairs): (usize, &crate::qemu::Pairs)| {
        let ours = pairs.get("qom-type") == Some("memory-backend-file");
        let known = only(pairs, &["qom-type", "id", "mem-path", "size", "share"])
            && pairs.on("share") == Some(true);
        if !ours || !known {
            return None;
        }
        let id = pairs.get("id")?;
        let name =
            pairs.get("mem-path")?.strip_prefix("/dev/shm/").filter(|name| !name.contains('/'))?;
        let bytes = size(pairs.get("size")?, 0).filter(|bytes| *bytes > 0)?;
        let (device, user) = options.with("device", "memdev", id)?;
        let driver = user.get("driver") == Some("ivshmem-plain");
        // libvirt wants whole megabytes, a power of two.
        if !driver
            || !only(user, &["driver", "id", "memdev", "bus", "addr", "master"])
            || options.named_elsewhere(id, 2)
            || bytes % (1 << 20) != 0
            || !bytes.is_power_of_two()
        {
            return None;
        }
        Some(Plan {
            options: vec![at, device],
            parent: "devices",
            lines: vec![
                format!("<shmem name='{}'>", quoted(name)),
                "  <model type='ivshmem-plain'/>".into(),
                format!("  <size unit='M'>{}</size>", bytes >> 20),
                "</shmem>".into(),
            ],
            also: None,
            element: "<shmem>".to_owned(),
            since: Version::new(1, 3),
            satisfies: PREPARED,
        })
    };
    options.named("object").filter_map(memory).collect()
}
