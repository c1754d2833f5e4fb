//! What libvirt calls its own devices and their backends.

use crate::xml::Tree;

const TABLE: &str = include_str!("../../assets/libvirt/aliases.tsv");

/// A kind of device.
struct Kind {
    /// The element, where the document has one for each device.
    element: &'static str,
    /// What the alias begins with.
    alias: &'static str,
    /// Libvirt adds none by itself.
    counted: bool,
    /// The group of the backend, and what its id begins with.
    backend: Option<(&'static str, &'static str)>,
}

fn kinds() -> impl Iterator<Item = Kind> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut fields = line.split('\t');
        let (element, alias) = (fields.next()?, fields.next()?);
        let counted = fields.next()? == "1";
        let (group, id) = (fields.next()?, fields.next()?);
        let backend = if group == "-" { None } else { Some((group, id)) };
        Some(Kind { element, alias, counted, backend })
    })
}

/// Whether devices whose alias begins so are counted from 0 in the order of the document. Of the others libvirt adds some by
/// itself: inputs, a video card where there are graphics, a watchdog.
pub fn are_counted(alias: &str) -> bool {
    kinds().any(|kind| kind.counted && kind.alias == alias)
}

/// Whether aliases of a kind of device begin so.
pub fn is_kind(alias: &str) -> bool {
    kinds().any(|kind| kind.alias == alias)
}

/// The group and the id of each device and backend that libvirt makes, counted from 0 in the order of the document.
pub(super) fn aliases(tree: &Tree, devices: usize) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for kind in kinds() {
        let elements = tree.children(devices).filter(|(_, found)| found.name == kind.element);
        for (number, (index, _)) in elements.enumerate() {
            // An element with an alias of its own has another id.
            if tree.child(index, "alias").is_some() {
                continue;
            }
            found.push(("device", format!("{}{number}", kind.alias)));
            if let Some((group, id)) = kind.backend {
                found.push((group, format!("{id}{number}")));
            }
        }
    }
    let balloon = tree.child(devices, "memballoon").map(|(_, balloon)| balloon.attribute("model"));
    if balloon != Some(Some("none")) {
        found.push(("device", "balloon0".to_owned()));
    }
    found
}
