//! What libvirt leaves out of a command line that it only prints: `domxml-to-native` makes every network card anew, without its
//! address and its alias, and gives SPICE another port than a start does (`qemuConnectDomainXMLToNative`,
//! `qemuProcessGraphicsAllocatePorts`; libvirt 9.0 to 12.8).

use crate::domain::{Chipset, Document};
use crate::xml::{Element, Tree};

/// The ports that a start gives to the only display of a domain, where nobody else has them, and those that are printed.
const SPICE: [(&str, &str); 2] = [("5901", "5900"), ("5902", "5901")];

/// The command line with the cards where the document has them, under the names that it gives them, and SPICE at its port.
pub fn restored(document: &Document, mut argv: Vec<String>) -> Vec<String> {
    let tree = document.tree();
    let devices = tree.child(0, "devices").map(|(index, _)| index);
    let all: Vec<(usize, &Element)> =
        devices.into_iter().flat_map(|devices| tree.children(devices)).collect();
    let cards = all.iter().filter(|(_, element)| element.name == "interface");
    for (number, (index, _)) in cards.enumerate() {
        // libvirt takes names that begin like this only (`virDomainDeviceInfoParseXML`).
        let alias = tree.child(*index, "alias").and_then(|(_, alias)| alias.attribute("name"));
        let alias = alias.filter(|name| name.starts_with("ua-"));
        let place = place(document, tree, *index);
        restore(&mut argv, number, alias, place);
    }
    let displays: Vec<&Element> =
        all.iter().filter(|(_, e)| e.name == "graphics").map(|(_, e)| *e).collect();
    if let [display] = displays[..]
        && display.attribute("type") == Some("spice")
        && display.attribute("port").is_none_or(|port| port == "-1")
    {
        at_its_port(&mut argv);
    }
    argv
}

/// The bus and the address of a card, as QEMU has them; nothing where the document leaves them to libvirt.
fn place(document: &Document, tree: &Tree, card: usize) -> Option<(String, String, bool)> {
    let (_, address) = tree.child(card, "address")?;
    if address.attribute("type") != Some("pci") {
        return None;
    }
    let number = |key: &str| {
        let text = address.attribute(key).unwrap_or("0");
        match text.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.parse::<u32>().ok(),
        }
    };
    let (bus, slot, function) = (number("bus")?, number("slot")?, number("function")?);
    let bus = match (bus, document.facts().chipset()) {
        (0, Some(Chipset::Q35)) => "pcie.0".to_owned(),
        (bus, _) => format!("pci.{bus}"),
    };
    let function = if function == 0 { String::new() } else { format!(".0x{function:x}") };
    let is_shared = address.attribute("multifunction") == Some("on");
    Some((bus, format!("0x{slot:x}{function}"), is_shared))
}

/// Puts one card right: its `-netdev` and its `-device` name it by its number.
fn restore(
    argv: &mut [String],
    number: usize,
    alias: Option<&str>,
    place: Option<(String, String, bool)>,
) {
    let (backend, card) = (format!("hostnet{number}"), format!("net{number}"));
    // The words of the cards stand before those of the passthrough.
    let is_at = |word: &String, key: &str, id: &str| value(word, key) == Some(id);
    let netdev = argv.iter().position(|word| is_at(word, "id", &backend));
    let device =
        argv.iter().position(|word| is_at(word, "id", &card) && is_at(word, "netdev", &backend));
    let Some(device) = device else { return };
    if let Some((bus, address, is_shared)) = place
        && value(&argv[device], "addr").is_some()
    {
        let mut word = with(&argv[device], "bus", &bus);
        word = with(&word, "addr", &address);
        argv[device] = if is_shared { shared(&word) } else { word };
    }
    if let Some(alias) = alias {
        let named = with(&argv[device], "id", alias);
        argv[device] = with(&named, "netdev", &format!("host{alias}"));
        if let Some(netdev) = netdev {
            argv[netdev] = with(&argv[netdev], "id", &format!("host{alias}"));
        }
    }
}

fn at_its_port(argv: &mut [String]) {
    let Some(at) = argv.iter().position(|word| word == "-spice") else { return };
    let Some(options) = argv.get_mut(at + 1) else { return };
    let parts = options.split(',').map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let real = SPICE.iter().find(|(printed, _)| *printed == value);
        match real.filter(|_| ["port", "tls-port"].contains(&key)) {
            Some((_, real)) => format!("{key}={real}"),
            None => part.to_owned(),
        }
    });
    *options = parts.collect::<Vec<_>>().join(",");
}

/// Where the text of a key's value stands, in JSON (`"key":"value"`) or between commas (`key=value`).
fn span(word: &str, key: &str) -> Option<std::ops::Range<usize>> {
    if word.starts_with('{') {
        let before = format!("\"{key}\":\"");
        let start = word.find(&before)? + before.len();
        return Some(start..start + word[start..].find('"')?);
    }
    let before = format!(",{key}=");
    let start = word.find(&before)? + before.len();
    Some(start..word[start..].find(',').map_or(word.len(), |end| start + end))
}

fn value<'a>(word: &'a str, key: &str) -> Option<&'a str> {
    word.get(span(word, key)?)
}

/// The word with another value of a key that it has.
fn with(word: &str, key: &str, value: &str) -> String {
    let mut word = word.to_owned();
    if let Some(span) = span(&word, key) {
        word.replace_range(span, value);
    }
    word
}

/// A device that leaves room for other functions of its slot.
fn shared(word: &str) -> String {
    match word.strip_suffix('}') {
        Some(open) => format!("{open},\"multifunction\":true}}"),
        None => format!("{word},multifunction=on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_where_the_document_has_them() {
        let text = "<domain><os><type machine='pc'>hvm</type></os><devices>\
            <interface type='user'><alias name='ua-lan'/><address type='pci' bus='0x00' slot='0x0a' function='0x1' multifunction='on'/></interface>\
            <interface type='user'/>\
            <interface type='user'><alias name='net7'/><address type='pci' bus='0x02' slot='0x01'/></interface>\
            <graphics type='spice' autoport='yes'/></devices></domain>";
        let document = Document::parse(text).unwrap();
        let printed = [
            "-netdev",
            r#"{"type":"user","id":"hostnet0"}"#,
            "-device",
            r#"{"driver":"virtio-net-pci","netdev":"hostnet0","id":"net0","mac":"52:54:00:aa:bb:01","bus":"pci.0","addr":"0x3"}"#,
            "-netdev",
            "user,id=hostnet1",
            "-device",
            "e1000,netdev=hostnet1,id=net1,bus=pci.0,addr=0x5",
            "-netdev",
            "user,id=hostnet2",
            "-device",
            "e1000,netdev=hostnet2,id=net2,bus=pci.0,addr=0x6",
            "-spice",
            "port=5901,tls-port=5902,addr=127.0.0.1",
        ];
        let restored = restored(&document, printed.map(str::to_owned).to_vec());
        assert_eq!(
            restored,
            [
                "-netdev",
                r#"{"type":"user","id":"hostua-lan"}"#,
                "-device",
                r#"{"driver":"virtio-net-pci","netdev":"hostua-lan","id":"ua-lan","mac":"52:54:00:aa:bb:01","bus":"pci.0","addr":"0xa.0x1","multifunction":true}"#,
                "-netdev",
                "user,id=hostnet1",
                "-device",
                "e1000,netdev=hostnet1,id=net1,bus=pci.0,addr=0x5",
                "-netdev",
                "user,id=hostnet2",
                "-device",
                "e1000,netdev=hostnet2,id=net2,bus=pci.2,addr=0x1",
                "-spice",
                "port=5900,tls-port=5901,addr=127.0.0.1",
            ]
        );
        let fixed = Document::parse(
            "<domain><devices><graphics type='spice' port='5901'/></devices></domain>",
        );
        let words = vec!["-spice".to_owned(), "port=5901".to_owned()];
        assert_eq!(super::restored(&fixed.unwrap(), words.clone()), words);
    }
}
