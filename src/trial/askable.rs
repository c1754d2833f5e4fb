//! A copy of a document that libvirt can make a command line of without looking for the host's devices.

use crate::domain::Document;

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
    let mut text = source.to_owned();
    for (at, insertion) in insertions.into_iter().rev() {
        text.insert_str(at, &insertion);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

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
