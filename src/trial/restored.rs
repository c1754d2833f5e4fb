//! What libvirt leaves out of a command line that it only prints: `domxml-to-native` makes every network card anew, without its
//! address and its alias, and gives SPICE another port than a start does (`qemuConnectDomainXMLToNative`,
//! `qemuProcessGraphicsAllocatePorts`; libvirt 9.0 to 12.8).

use super::command::with;
use crate::domain::{Chipset, Document};
use crate::qemu::{Pairs, catalog};
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
    let is = |word: &Word, key: &str, id: &str| word.pairs.get(key) == Some(id);
    if let Some(mut device) =
        Word::find(argv, "device", |word| is(word, "id", &card) && is(word, "netdev", &backend))
    {
        if let Some((bus, address, is_shared)) = place
            && device.pairs.get("addr").is_some()
        {
            device.set(argv, "bus", &bus);
            device.set(argv, "addr", &address);
            if is_shared {
                device.set(argv, "multifunction", "on");
            }
        }
        let Some(alias) = alias else { return };
        device.set(argv, "id", alias);
        device.set(argv, "netdev", &format!("host{alias}"));
        if let Some(mut netdev) = Word::find(argv, "netdev", |word| is(word, "id", &backend)) {
            netdev.set(argv, "id", &format!("host{alias}"));
        }
    }
}

fn at_its_port(argv: &mut [String]) {
    let Some(mut spice) = Word::find(argv, "spice", |_| true) else { return };
    for key in ["port", "tls-port"] {
        let printed = spice.pairs.get(key).unwrap_or_default();
        if let Some((_, real)) = SPICE.iter().find(|(ours, _)| *ours == printed) {
            spice.set(argv, key, real);
        }
    }
}

/// The value of an option, with its pairs.
struct Word {
    at: usize,
    implied: Option<&'static str>,
    pairs: Pairs,
}

impl Word {
    /// The first value of an option that is as is wanted: libvirt's own stand before those of the passthrough.
    fn find(argv: &[String], option: &str, is_wanted: impl Fn(&Word) -> bool) -> Option<Word> {
        let implied = catalog::option(option).and_then(|row| row.implied);
        let values = argv
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0].strip_prefix('-') == Some(option));
        let mut words = values.map(|(at, pair)| Word {
            at: at + 1,
            implied,
            pairs: Pairs::read(&pair[1], implied),
        });
        words.find(is_wanted)
    }

    fn set(&mut self, argv: &mut [String], key: &str, value: &str) {
        let word = &mut argv[self.at];
        *word = with(word, &self.pairs, self.implied, (key, value));
        self.pairs = Pairs::read(word, self.implied);
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
