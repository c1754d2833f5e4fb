//! The layers between a document and a running VM: a row each, in the order in which they are met.
//!
//! The order is that of opening what is there; what is made, run or asked of the kernel meets them in another one
//! (`rules/order.rs`). Of several that refuse one thing, the words of the one that is met first are what QEMU says.

use super::{Case, layers};
use crate::facts::FileKind;
use crate::libvirt::cgroups::Group;
use crate::qemu::{Resource, Use};

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// libvirt's own reading of the document and of `qemu.conf`.
    Libvirt,
    /// QEMU's reading of its command line.
    Qemu,
    /// What is there on the host, and what is not.
    Host,
    /// The private mount namespace with its own `/dev`.
    Namespaces,
    /// Owners, modes and access control lists.
    Dac,
    /// Control groups: which device numbers may be opened.
    Cgroups,
    /// SELinux.
    Selinux,
    /// AppArmor.
    AppArmor,
    /// QEMU's own filter of system calls.
    Seccomp,
}

/// What is said about a layer, once.
pub struct LayerRow {
    /// The layer.
    pub layer: Layer,
    /// The word in reports.
    pub word: &'static str,
    /// The name on the screen.
    pub title: &'static str,
    /// The name where there is little room: in the gutter of the lists.
    pub short: &'static str,
    /// The head of its column in the map; nothing for one that is not about things of the host.
    pub column: Option<&'static str>,
    /// Whether it has a say about a use, as far as the host's answers reach.
    guards: fn(&Case<'_>, &Use) -> bool,
}

/// All layers, in the order of [`Layer`].
pub static LAYERS: [LayerRow; 9] = [
    LayerRow {
        layer: Layer::Libvirt,
        word: "libvirt",
        title: "libvirt",
        short: "libvirt",
        column: None,
        guards: nothing,
    },
    LayerRow {
        layer: Layer::Qemu,
        word: "qemu",
        title: "QEMU",
        short: "QEMU",
        column: None,
        guards: nothing,
    },
    LayerRow {
        layer: Layer::Host,
        word: "host",
        title: "the host",
        short: "host",
        column: Some("host"),
        guards: walked,
    },
    LayerRow {
        layer: Layer::Namespaces,
        word: "namespaces",
        title: "the mount namespace",
        short: "ns",
        column: Some("ns"),
        guards: |case, usage| {
            let below_dev = |path: &str| {
                case.host
                    .walk(path)
                    .is_ok_and(|walk| layers::namespaces::below_dev(case, walk).is_some())
            };
            reached(case, usage) && case.start.private_dev && path_of(usage).is_some_and(below_dev)
        },
    },
    LayerRow {
        layer: Layer::Dac,
        word: "dac",
        title: "DAC",
        short: "DAC",
        column: Some("DAC"),
        guards: |case, usage| reached(case, usage) && case.identity().is_ok(),
    },
    LayerRow {
        layer: Layer::Cgroups,
        word: "cgroups",
        title: "cgroups",
        short: "cgroups",
        column: Some("cgrp"),
        guards: |case, usage| is_device(case, usage) && case.start.group != Group::Open,
    },
    LayerRow {
        layer: Layer::Selinux,
        word: "selinux",
        title: "SELinux",
        short: "SELinux",
        column: Some("SEL"),
        guards: |case, usage| reached(case, usage) && case.host.selinux.is_there(),
    },
    LayerRow {
        layer: Layer::AppArmor,
        word: "apparmor",
        title: "AppArmor",
        short: "AppArmor",
        column: Some("AppA"),
        guards: |case, usage| reached(case, usage) && case.start.apparmor,
    },
    LayerRow {
        layer: Layer::Seccomp,
        word: "seccomp",
        title: "seccomp",
        short: "seccomp",
        column: Some("secc"),
        guards: |case, usage| {
            let filtered = matches!(
                &usage.resource,
                Resource::Program { .. } | Resource::Privilege { user: true, .. }
            );
            filtered && layers::seccomp::enforced(case)
        },
    },
];

impl Layer {
    /// What is said about it.
    pub fn row(self) -> &'static LayerRow {
        // A layer without a place here does not compile, one in the wrong place fails a test.
        let at = match self {
            Layer::Libvirt => 0,
            Layer::Qemu => 1,
            Layer::Host => 2,
            Layer::Namespaces => 3,
            Layer::Dac => 4,
            Layer::Cgroups => 5,
            Layer::Selinux => 6,
            Layer::AppArmor => 7,
            Layer::Seccomp => 8,
        };
        &LAYERS[at]
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The name on the screen.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The name where there is little room.
    pub fn short(self) -> &'static str {
        self.row().short
    }
}

/// The layers that have a say about a use.
pub(super) fn layers_of(case: &Case<'_>, usage: &Use) -> Vec<Layer> {
    LAYERS.iter().filter(|row| (row.guards)(case, usage)).map(|row| row.layer).collect()
}

fn nothing(_: &Case<'_>, _: &Use) -> bool {
    false
}

fn path_of(usage: &Use) -> Option<&str> {
    match &usage.resource {
        Resource::Path { path, .. } => Some(path),
        Resource::Program { .. }
        | Resource::Privilege { .. }
        | Resource::Descriptor { .. }
        | Resource::Network { .. }
        | Resource::Pci { .. }
        | Resource::Usb { .. }
        | Resource::Session { .. }
        | Resource::Tap { .. } => None,
    }
}

/// Whether the host was asked about the path.
fn walked(case: &Case<'_>, usage: &Use) -> bool {
    path_of(usage).is_some_and(|path| case.host.walk(path).is_ok())
}

/// Whether something is at the path, or may be made there: what is not there nobody else has to let through.
fn reached(case: &Case<'_>, usage: &Use) -> bool {
    let there = |path: &str| {
        case.host.walk(path).is_ok_and(|walk| walk.target().is_some() || walk.creatable())
    };
    path_of(usage).is_some_and(there)
}

fn is_device(case: &Case<'_>, usage: &Use) -> bool {
    let device = |path: &str| {
        let target = case.host.walk(path).ok().and_then(|walk| walk.target());
        target.is_some_and(|step| matches!(step.kind, FileKind::Char(..) | FileKind::Block(..)))
    };
    path_of(usage).is_some_and(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layer_has_its_row_at_its_place() {
        for (at, row) in LAYERS.iter().enumerate() {
            assert!(std::ptr::eq(row.layer.row(), row), "{}", row.word);
            assert!(
                at == 0 || LAYERS[at - 1].layer < row.layer,
                "{} is met after the row above",
                row.word
            );
            assert!(
                row.column.is_none_or(|head| head.len() <= 4),
                "{}: heads have four letters at the most",
                row.word
            );
            assert!(row.short.len() <= 8, "{}: the gutter has eight columns", row.word);
        }
    }

    #[test]
    fn the_readme_says_what_each_layer_means() {
        let readme = include_str!("../../README.md");
        for row in LAYERS.iter().filter(|row| row.layer != Layer::Qemu && row.layer != Layer::Host)
        {
            let named =
                [row.word, row.title].iter().any(|name| readme.contains(&format!("\n| {name} |")));
            assert!(named, "the README's table of layers lacks {}", row.word);
        }
    }
}
