//! A value taken apart: one row for each key, with its type and default where QEMU tells them.

use crossterm::event::KeyEvent;
use tui_textarea::TextArea;

use super::{field, type_into};
use crate::facts::emulator::Emulator;
use crate::qemu::keyval::double_commas;
use crate::qemu::{Pairs, argv, catalog};

/// One key of a value.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub key: String,
    /// What it is set to, as it is being typed; empty leaves the key out.
    pub value: TextArea<'static>,
    /// Its type and default, as QEMU calls them; nothing where they are not known.
    pub what: String,
    /// The first part of the value, which is written without its key.
    implied: bool,
}

/// The rows of a value.
#[derive(Debug)]
pub struct Fields {
    /// Keys that are set, then keys that could be.
    pub rows: Vec<Field>,
    /// The chosen row.
    pub at: usize,
}

impl Fields {
    /// The chosen key with its value, as a list of pairs has them.
    pub fn chosen(&self) -> String {
        let Some(row) = self.rows.get(self.at) else { return String::new() };
        format!("{}={}", row.key, double_commas(&row.value.lines().join(" ")))
    }

    /// Whether the chosen key is on or off.
    pub fn is_switch(&self) -> bool {
        let what = self.rows.get(self.at).map(|row| row.what.split([',', ' ']).next());
        what.flatten().is_some_and(|kind| ["bool", "OnOffAuto", "on/off"].contains(&kind))
    }

    /// Puts the value of such a pair into the chosen row.
    pub fn put(&mut self, pair: &str) {
        if let Some(row) = self.rows.get_mut(self.at)
            && let Some((_, value)) = pair.split_once('=')
        {
            row.value = field(&value.replace(",,", ","));
        }
    }

    /// Takes a value apart.
    ///
    /// # Errors
    /// Why that can't be done, in one sentence.
    pub fn read(option: &str, value: &str, emulator: Option<&Emulator>) -> Result<Fields, String> {
        let row = argv::option_name(option).and_then(catalog::option);
        let row = row.filter(|row| ["keyval", "drive", "blockdev"].contains(&row.reader));
        let row = row.ok_or_else(|| format!("{option} has no value of key=value pairs"))?;
        let pairs = Pairs::read(value, row.implied);
        if pairs.json {
            return Err("the value is JSON, edit it as text".to_owned());
        }
        let kind = row.implied.and_then(|key| pairs.get(key)).unwrap_or_default();
        let known = emulator.and_then(|emulator| match row.name {
            "device" => emulator.devices.get(catalog::unalias(kind)),
            "object" => emulator.objects.get(kind),
            _ => None,
        });
        let keys =
            emulator.zip(catalog::closed_group(row.name)).and_then(|(e, group)| e.keys.get(group));
        let about = |key: &str| {
            let property =
                known.and_then(|known| known.iter().find(|property| property.name == key));
            property.map(super::super::completion::about).unwrap_or_default()
        };
        let mut rows: Vec<Field> = pairs
            .pairs
            .iter()
            .map(|pair| Field {
                key: pair.key.clone(),
                value: field(&pair.value),
                what: about(&pair.key),
                implied: pair.key_span.is_empty(),
            })
            .collect();
        // What QEMU calls experimental is for those who know its name.
        let possible = known
            .into_iter()
            .flatten()
            .map(|property| &property.name)
            .chain(keys.into_iter().flatten());
        let mut unset: Vec<&String> = possible
            .filter(|key| pairs.get(key).is_none() && !key.starts_with("x-") && !key.contains('['))
            .collect();
        unset.sort();
        // Without it QEMU refuses the whole option.
        let needed = catalog::needed_key(row.name).filter(|key| pairs.get(key).is_none());
        rows.extend(needed.map(|key| Field {
            key: key.to_owned(),
            value: field(""),
            what: "needed".to_owned(),
            implied: false,
        }));
        unset.retain(|key| Some(key.as_str()) != needed);
        rows.extend(unset.into_iter().map(|key| Field {
            key: key.clone(),
            value: field(""),
            what: about(key),
            implied: false,
        }));
        if rows.is_empty() {
            return Err("there is nothing to take apart yet: type the first key".to_owned());
        }
        Ok(Fields { rows, at: 0 })
    }

    /// The value that the rows make; a comma in one of them is doubled.
    pub fn text(&self) -> String {
        let part = |field: &Field| {
            let value = field.value.lines().join(" ");
            let doubled = value.replace(',', ",,");
            match (value.is_empty(), field.implied) {
                (true, _) => None,
                (false, true) => Some(doubled),
                (false, false) => Some(format!("{}={doubled}", field.key)),
            }
        };
        self.rows.iter().filter_map(part).collect::<Vec<_>>().join(",")
    }

    /// Goes to another row.
    pub fn step(&mut self, down: bool) {
        self.at =
            if down { (self.at + 1).min(self.rows.len() - 1) } else { self.at.saturating_sub(1) };
    }

    /// A key that the table gives no meaning: typing.
    pub fn key(&mut self, event: KeyEvent) {
        type_into(&mut self.rows[self.at].value, event);
    }

    /// Puts pasted text into the chosen row.
    pub fn paste(&mut self, text: &str) {
        self.rows[self.at].value.insert_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::emulator::Property;
    use std::collections::BTreeMap;

    fn emulator() -> Emulator {
        let property = |name: &str, kind: &str, default: Option<&str>| Property {
            name: name.into(),
            kind: kind.into(),
            default: default.map(str::to_owned),
        };
        let properties = vec![
            property("rng", "link<rng>", None),
            property("max-bytes", "uint64", Some("0")),
            property("x-a", "bool", None),
        ];
        Emulator {
            devices: BTreeMap::from([("virtio-rng-pci".into(), properties)]),
            ..Emulator::default()
        }
    }

    #[test]
    fn a_value_is_taken_apart_and_put_together() {
        let mut fields =
            Fields::read("-device", "virtio-rng-pci,rng=a,,b,addr=0x1e", Some(&emulator()))
                .unwrap();
        let keys: Vec<&str> = fields.rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(keys, ["driver", "rng", "addr", "max-bytes"]);
        assert_eq!(fields.rows[3].what, "uint64, default 0");
        assert_eq!(fields.text(), "virtio-rng-pci,rng=a,,b,addr=0x1e");
        fields.at = 3;
        fields.paste("1024");
        fields.rows[2].value = field("");
        assert_eq!(fields.text(), "virtio-rng-pci,rng=a,,b,max-bytes=1024");
    }

    #[test]
    fn what_has_no_keys_is_left_as_text() {
        assert!(Fields::read("-device", "{\"driver\":\"x\"}", None).unwrap_err().contains("JSON"));
        assert!(Fields::read("-append", "a=b", None).is_err());
        assert!(Fields::read("-device", "", None).is_err());
    }
}
