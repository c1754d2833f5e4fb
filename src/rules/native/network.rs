//! User networking with its forwarded ports.

use super::plan::{Options, Plan, found, only, quoted, rule};
use crate::qemu::Version;
use crate::rules::{Case, Finding, Layer, Rule};

rule!(INTERFACE, "native-interface", "libvirt has <interface> for this", interface);

/// `-netdev user` with its network card.
pub(super) fn interface(options: &Options<'_>) -> Vec<Plan> {
    let backend = |(at, pairs): (usize, &crate::qemu::Pairs)| {
        let ours = pairs.get("type") == Some("user") && only(pairs, &["type", "id", "hostfwd"]);
        if !ours {
            return None;
        }
        let id = pairs.get("id")?;
        let (card, user) = options.with("device", "netdev", id)?;
        let model = match user.get("driver")? {
            "virtio-net-pci" | "virtio-net" => "virtio",
            model @ ("e1000" | "e1000e" | "rtl8139") => model,
            _ => return None,
        };
        if !only(user, &["driver", "id", "netdev", "mac", "bus", "addr"])
            || options.named_elsewhere(id, 2)
        {
            return None;
        }
        let forwards: Vec<Vec<String>> = pairs
            .pairs
            .iter()
            .filter(|pair| pair.key == "hostfwd")
            .map(|pair| forward(&pair.value))
            .collect::<Option<_>>()?;
        let mut lines = vec!["<interface type='user'>".to_owned()];
        if !forwards.is_empty() {
            lines.push("  <backend type='passt'/>".to_owned());
        }
        if let Some(mac) = user.get("mac") {
            lines.push(format!("  <mac address='{}'/>", quoted(mac)));
        }
        lines.push(format!("  <model type='{model}'/>"));
        let passt = !forwards.is_empty();
        lines.extend(forwards.into_iter().flatten());
        lines.push("</interface>".to_owned());
        Some(Plan {
            options: vec![at, card],
            parent: "devices",
            lines,
            also: None,
            element: if passt {
                "<interface type='user'> with passt"
            } else {
                "<interface type='user'>"
            }
            .to_owned(),
            since: if passt { Version::new(9, 1) } else { Version::new(0, 9) },
            satisfies: &[Layer::Qemu],
        })
    };
    options.named("netdev").filter_map(backend).collect()
}

/// `tcp:ADDRESS:PORT-GUEST:PORT` as a `<portForward>`.
fn forward(rule: &str) -> Option<Vec<String>> {
    let (host, guest) = rule.split_once('-')?;
    let mut parts = host.split(':');
    let (proto, address, port) = (parts.next()?, parts.next()?, parts.next()?);
    let proto = if proto.is_empty() { "tcp" } else { proto };
    let (target, to) = guest.split_once(':')?;
    let numbers = port.parse::<u16>().is_ok() && to.parse::<u16>().is_ok();
    if !["tcp", "udp"].contains(&proto) || parts.next().is_some() || !target.is_empty() || !numbers
    {
        return None;
    }
    let address =
        if address.is_empty() { String::new() } else { format!(" address='{}'", quoted(address)) };
    Some(vec![
        format!("  <portForward proto='{proto}'{address}>"),
        format!("    <range start='{port}' to='{to}'/>"),
        "  </portForward>".to_owned(),
    ])
}
