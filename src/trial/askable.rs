//! A copy of a document that libvirt can make a command line of without looking for the host's devices.

use std::ops::Range;

use crate::domain::{Document, QEMU_NAMESPACE};
use crate::xml::{Element, Tree};

/// The text with what `domxml-to-native` needs and a start finds by itself: the driver of a PCI device
/// (`qemuHostdevPreparePCIDevices` chooses vfio), and the place of a USB device that is named by vendor and product.
pub fn askable(document: &Document) -> String {
    let tree = document.tree();
    let source = document.source();
    let mut insertions: Vec<(usize, String)> = Vec::new();
    let devices = tree.child(0, "devices").map(|(index, _)| index);
    let hostdevs = devices.into_iter().flat_map(|devices| tree.children(devices));
    for (index, device) in hostdevs.filter(|(_, device)| device.name == "hostdev") {
        let kind = device.attribute("type").unwrap_or_default();
        if kind == "pci" && tree.child(index, "driver").is_none() && device.close.is_some() {
            insertions.push((device.open.end, "<driver name='vfio'/>".to_owned()));
        }
        if kind == "usb"
            && let Some((place, of)) = tree.child(index, "source")
            && tree.child(place, "address").is_none()
            && of.close.is_some()
        {
            // Each has a place of its own.
            let number = insertions.len() + 1;
            insertions.push((of.open.end, format!("<address bus='1' device='{number}'/>")));
        }
    }
    let mut changes: Vec<(Range<usize>, String)> =
        insertions.into_iter().map(|(at, text)| (at..at, text)).collect();
    changes.extend(renamed(tree));
    changes.sort_by_key(|(place, _)| place.start);
    let mut text = source.to_owned();
    for (place, change) in changes.into_iter().rev() {
        text.replace_range(place, &change);
    }
    text
}

/// Aliases in overrides, where a network card has a name of its own: libvirt prints it under its number ([`super::restored`]),
/// and what names that number means no card.
fn renamed(tree: &Tree) -> Vec<(Range<usize>, String)> {
    let devices = tree.child(0, "devices").map(|(index, _)| index);
    let below = |index| tree.children(index);
    let cards = devices.into_iter().flat_map(below).filter(|(_, e)| e.name == "interface");
    let named = cards.enumerate().filter_map(|(number, (index, _))| {
        let (_, alias) = tree.child(index, "alias")?;
        let name = alias.attribute("name").filter(|name| name.starts_with("ua-"))?;
        Some((name, format!("net{number}")))
    });
    let named: Vec<(&str, String)> = named.collect();
    let ours = |element: &Element, name: &str| {
        element.local_name() == name && element.namespace.as_deref() == Some(QEMU_NAMESPACE)
    };
    let blocks = below(0).filter(|(_, element)| ours(element, "override"));
    let overridden = blocks.flat_map(|(block, _)| below(block)).filter(|(_, e)| ours(e, "device"));
    let changes = overridden.filter_map(|(_, device)| {
        let alias = device.property("alias")?;
        let printed =
            named.iter().find(|(name, _)| *name == alias.value).map(|(_, card)| card.clone());
        let is_hidden = named.iter().any(|(_, card)| *card == alias.value);
        let name = printed.or_else(|| is_hidden.then(|| "ua-none".to_owned()))?;
        Some((alias.value_span.clone(), name))
    });
    changes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_with_a_name_of_its_own_is_meant_by_it() {
        let text = "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><devices><interface><alias name='ua-lan'/></interface></devices>\
            <q:override><q:device alias='ua-lan'/><q:device alias='net0'/><q:device alias='net1'/></q:override></domain>";
        let askable = askable(&Document::parse(text).unwrap());
        assert!(
            askable.contains(
                "<q:device alias='net0'/><q:device alias='ua-none'/><q:device alias='net1'/>"
            ),
            "{askable}"
        );
    }

    #[test]
    fn a_start_finds_the_driver_and_the_place() {
        let text = "<domain><devices><hostdev type='pci'><source/></hostdev><hostdev type='usb'><source><vendor id='1'/></source></hostdev></devices></domain>";
        let askable = askable(&Document::parse(text).unwrap());
        assert!(
            askable.contains("<hostdev type='pci'><driver name='vfio'/><source/>"),
            "{askable}"
        );
        assert!(
            askable.contains("<source><address bus='1' device='2'/><vendor id='1'/>"),
            "{askable}"
        );
    }
}
