//! Input, host devices, random numbers, sound, shared memory.

use super::plan::{Options, PREPARED, Plan, found, only, quoted, rule};
use crate::qemu::{pci_address, size};
use crate::rules::{Case, Finding, Layer, Rule};

const DEVICES: &[&str] = &["devices"];

rule!(INPUT, "native-input", "libvirt has <input> for this", input);

/// `-object input-linux`, `-device virtio-input-host-pci`, and keyboards, mice and tablets on USB.
pub(super) fn input(options: &Options<'_>) -> Vec<Plan> {
    let evdev = options.named("object").filter_map(|(at, pairs)| {
        let ours = pairs.get("qom-type") == Some("input-linux");
        let known = only(pairs, &["qom-type", "id", "evdev", "grab_all", "repeat", "grab-toggle"]);
        if !ours || !known {
            return None;
        }
        let path = pairs.get("evdev")?;
        let mut source = format!("  <source dev='{}'", quoted(path));
        if pairs.on("grab_all") == Some(true) {
            source.push_str(" grab='all'");
        }
        if let Some(toggle) = pairs.get("grab-toggle") {
            source.push_str(&format!(" grabToggle='{}'", quoted(toggle)));
        }
        if let Some(repeat) = pairs.on("repeat") {
            source.push_str(if repeat { " repeat='on'" } else { " repeat='off'" });
        }
        Some(Plan {
            options: vec![at],
            parents: DEVICES,
            lines: vec!["<input type='evdev'>".into(), source + "/>", "</input>".into()],
            also: None,
            element: "<input type='evdev'>",
            since: (7, if pairs.get("grab-toggle").is_some() { 6 } else { 4 }),
            satisfies: PREPARED,
        })
    });
    let devices = options.named("device").filter_map(|(at, pairs)| {
        let plan = |lines: Vec<String>, element, since| Plan {
            options: vec![at],
            parents: DEVICES,
            lines,
            also: None,
            element,
            since,
            satisfies: PREPARED,
        };
        match pairs.get("driver")? {
            "virtio-input-host-pci" if only(pairs, &["driver", "id", "evdev", "bus", "addr"]) => {
                let source = format!("  <source evdev='{}'/>", quoted(pairs.get("evdev")?));
                let lines = vec![
                    "<input type='passthrough' bus='virtio'>".into(),
                    source,
                    "</input>".into(),
                ];
                Some(plan(lines, "<input type='passthrough'>", (1, 3)))
            }
            driver @ ("usb-kbd" | "usb-tablet" | "usb-mouse")
                if only(pairs, &["driver", "id", "bus", "port"]) =>
            {
                let kind = match driver {
                    "usb-kbd" => "keyboard",
                    "usb-tablet" => "tablet",
                    _ => "mouse",
                };
                Some(plan(
                    vec![format!("<input type='{kind}' bus='usb'/>")],
                    "<input bus='usb'>",
                    (1, 3),
                ))
            }
            _ => None,
        }
    });
    evdev.chain(devices).collect()
}

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
                let number = |key: &str| {
                    let text = pairs.get(key)?;
                    match text.strip_prefix("0x") {
                        Some(hex) => u16::from_str_radix(hex, 16).ok(),
                        None => text.parse::<u16>().ok(),
                    }
                };
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
            parents: DEVICES,
            lines,
            also: None,
            element: "<hostdev>",
            since: if mdev { (3, 2) } else { (0, 9) },
            satisfies: PREPARED,
        })
    };
    options.named("device").filter_map(device).collect()
}

rule!(RNG, "native-rng", "libvirt has <rng> for this", rng);

/// `-object rng-random` with `-device virtio-rng-pci`.
pub(super) fn rng(options: &Options<'_>) -> Vec<Plan> {
    let source = |(at, pairs): (usize, &crate::qemu::Pairs)| {
        let ours = pairs.get("qom-type") == Some("rng-random")
            && only(pairs, &["qom-type", "id", "filename"]);
        if !ours {
            return None;
        }
        let id = pairs.get("id")?;
        let path = pairs.get("filename").unwrap_or("/dev/urandom");
        let (device, user) = options.with("device", "rng", id)?;
        let driver = user.get("driver")?.starts_with("virtio-rng");
        if !driver
            || !only(user, &["driver", "id", "rng", "bus", "addr"])
            || options.named_elsewhere(id, 2)
        {
            return None;
        }
        let text = quoted(path);
        Some(Plan {
            options: vec![at, device],
            parents: DEVICES,
            lines: vec![
                "<rng model='virtio'>".into(),
                format!("  <backend model='random'>{text}</backend>"),
                "</rng>".into(),
            ],
            also: None,
            element: "<rng>",
            since: (1, 3),
            satisfies: PREPARED,
        })
    };
    options.named("object").filter_map(source).collect()
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
            parents: DEVICES,
            lines: vec![
                format!("<sound model='{model}'>"),
                format!("  <codec type='{codec_kind}'/>"),
                "  <audio id='1'/>".into(),
                "</sound>".into(),
                format!("<audio id='1' type='{kind}'{extra}/>"),
            ],
            also: None,
            element: "<sound> with <audio>",
            since: (7, 2),
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
            parents: DEVICES,
            lines: vec![
                format!("<shmem name='{}'>", quoted(name)),
                "  <model type='ivshmem-plain'/>".into(),
                format!("  <size unit='M'>{}</size>", bytes >> 20),
                "</shmem>".into(),
            ],
            also: None,
            element: "<shmem>",
            since: (1, 3),
            satisfies: PREPARED,
        })
    };
    options.named("object").filter_map(memory).collect()
}
