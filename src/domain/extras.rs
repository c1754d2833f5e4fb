//! The rest of the namespace as a list: capabilities, override and deprecation, one entry for each thing they say.

use std::convert::Infallible;

use crate::xml::escape::{Unwritable, as_libvirt, attribute};

/// Where a name of `<qemu:capabilities>` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `<qemu:add>`: libvirt is to believe that QEMU has it.
    Add,
    /// `<qemu:del>`: libvirt is to do without it.
    Delete,
}

/// One thing said in `<qemu:capabilities>`, `<qemu:override>` or `<qemu:deprecation>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extra {
    /// A capability that libvirt is to assume or to do without.
    Capability {
        /// Which of the two.
        change: Change,
        /// Its name, as libvirt's source has it.
        name: String,
    },
    /// A property of a device that libvirt makes.
    Property {
        /// The device's alias.
        alias: String,
        /// The property.
        name: String,
        /// `string`, `signed`, `unsigned`, `bool` or `remove`.
        kind: String,
        /// Its value; `remove` has none.
        value: Option<String>,
    },
    /// What QEMU does about deprecated interfaces.
    Deprecation {
        /// `none`, `omit`, `reject` or `crash`.
        behavior: String,
    },
}

/// The types of a property (`qemuDomainDefNamespaceParseDeviceOverride…`).
pub const PROPERTY_TYPES: [&str; 5] = ["string", "signed", "unsigned", "bool", "remove"];
/// What `<qemu:deprecation>` may say (`qemuDeprecationBehavior`).
pub const BEHAVIORS: [&str; 4] = ["none", "omit", "reject", "crash"];

impl Extra {
    /// The two halves in which it is shown and typed.
    pub fn halves(&self) -> (String, String) {
        match self {
            Extra::Capability { change: Change::Add, name } => {
                ("capability add".to_owned(), name.clone())
            }
            Extra::Capability { change: Change::Delete, name } => {
                ("capability del".to_owned(), name.clone())
            }
            Extra::Property { alias, name, kind, value } => {
                let value = value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
                (format!("override {alias}.{name}"), format!("{kind}{value}"))
            }
            Extra::Deprecation { behavior } => ("deprecation".to_owned(), behavior.clone()),
        }
    }

    /// The reverse of [`Extra::halves`].
    ///
    /// # Errors
    /// What was expected, in one sentence.
    pub fn read(first: &str, second: &str) -> Result<Extra, String> {
        let (word, rest) = first.trim().split_once(' ').unwrap_or((first.trim(), ""));
        // A text is taken as it is, blanks at its end included.
        let text = second.trim_start().strip_prefix("string ");
        let second = second.trim();
        let extra = match (word, rest.trim()) {
            ("capability", "add") => {
                Extra::Capability { change: Change::Add, name: second.to_owned() }
            }
            ("capability", "del") => {
                Extra::Capability { change: Change::Delete, name: second.to_owned() }
            }
            ("deprecation", "") => Extra::Deprecation { behavior: second.to_owned() },
            ("override", rest) => {
                // Aliases of controllers hold a point (`pci.1`), names of properties do not.
                let (alias, name) = rest.rsplit_once('.').ok_or_else(|| {
                    format!("'{rest}' names no property, expected ALIAS.PROPERTY")
                })?;
                let (kind, value) = match (text, second.split_once(' ')) {
                    (Some(text), _) => ("string", Some(text)),
                    (None, Some((kind, value))) => (kind, Some(value)),
                    (None, None) if second == "string" => (second, Some("")),
                    (None, None) => (second, None),
                };
                let value = value.map(str::to_owned);
                Extra::Property {
                    alias: alias.to_owned(),
                    name: name.to_owned(),
                    kind: kind.to_owned(),
                    value,
                }
            }
            _ => {
                return Err(format!(
                    "'{first}' is none of these, expected 'capability add', 'capability del', 'override ALIAS.PROPERTY' or 'deprecation'"
                ));
            }
        };
        extra.check()?;
        Ok(extra)
    }

    /// Whether libvirt would take it.
    ///
    /// # Errors
    /// What is wrong with it and what was expected, in one sentence.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Extra::Capability { name, .. } if name.is_empty() => {
                Err("the capability has no name".to_owned())
            }
            Extra::Capability { .. } => Ok(()),
            Extra::Deprecation { behavior } if BEHAVIORS.contains(&behavior.as_str()) => Ok(()),
            Extra::Deprecation { behavior } => Err(format!(
                "the behavior '{behavior}' is unknown, expected none, omit, reject or crash"
            )),
            Extra::Property { alias, name, .. } if alias.is_empty() || name.is_empty() => {
                Err("the override lacks its alias or its property, expected ALIAS.PROPERTY"
                    .to_owned())
            }
            Extra::Property { name, .. } if name == "id" => {
                Err("the property 'id' cannot be overridden".to_owned())
            }
            Extra::Property { kind, value, .. } => fits(kind, value.as_deref()),
        }
    }
}

/// Whether a value is one of a property's type.
pub(super) fn fits(kind: &str, value: Option<&str>) -> Result<(), String> {
    let right = match (kind, value) {
        ("remove", None) | ("string", Some(_)) => true,
        ("remove", Some(_)) => {
            return Err("a property of type 'remove' has a value, expected none".to_owned());
        }
        ("signed", Some(value)) => value.trim_start().parse::<i64>().is_ok(),
        ("unsigned", Some(value)) => value.trim_start().parse::<u64>().is_ok(),
        ("bool", Some(value)) => ["true", "false"].contains(&value),
        ("string" | "signed" | "unsigned" | "bool", None) => {
            return Err(format!("a property of type '{kind}' has no value, expected one"));
        }
        (other, _) => {
            return Err(format!(
                "the property type '{other}' is unknown, expected string, signed, unsigned, bool or remove"
            ));
        }
    };
    match value {
        Some(value) if !right => Err(format!("'{value}' is not a value of type {kind}")),
        _ => Ok(()),
    }
}

/// The element, as libvirt prints it with a prefix.
pub(super) fn line(extra: &Extra, prefix: Option<&str>) -> String {
    element::<Infallible>(extra, prefix, |text| Ok(as_libvirt(text)))
        .unwrap_or_else(|never| match never {})
}

/// The element as an edit writes it: what is read is what was meant, line ends in a value included.
///
/// # Errors
/// For a character that XML has no way to hold.
pub(super) fn written(
    extra: &Extra,
    prefix: Option<&str>,
    ascii: bool,
) -> Result<String, Unwritable> {
    element(extra, prefix, |text| attribute(text, '\'', ascii))
}

fn element<E>(
    extra: &Extra,
    prefix: Option<&str>,
    write: impl Fn(&str) -> Result<String, E>,
) -> Result<String, E> {
    let name = |local: &str| match prefix {
        Some(prefix) if !prefix.is_empty() => format!("{prefix}:{local}"),
        _ => local.to_owned(),
    };
    Ok(match extra {
        Extra::Capability { change, name: capability } => {
            let local = if *change == Change::Add { "add" } else { "del" };
            format!("<{} capability='{}'/>", name(local), write(capability)?)
        }
        Extra::Property { name: property, kind, value, .. } => {
            let value = match value {
                Some(value) => format!(" value='{}'", write(value)?),
                None => String::new(),
            };
            format!(
                "<{} name='{}' type='{}'{value}/>",
                name("property"),
                write(property)?,
                write(kind)?
            )
        }
        Extra::Deprecation { behavior } => {
            format!("<{} behavior='{}'/>", name("deprecation"), write(behavior)?)
        }
    })
}
