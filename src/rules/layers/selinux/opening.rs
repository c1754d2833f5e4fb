//! What SELinux is asked about: an access, by a process with a label, to something with a label.

use crate::facts::Step;
use crate::libvirt::Confinement;
use crate::qemu::{Access, Use};
use crate::rules::Case;

/// The label that QEMU runs with.
#[derive(Clone, Copy)]
pub(super) struct Process<'a> {
    pub(super) label: &'a str,
    /// libvirt draws its categories at each start.
    pub(super) dynamic: bool,
}

impl<'a> Process<'a> {
    /// The label without its categories.
    pub(super) fn base(self) -> &'a str {
        self.label.rsplit_once(':').map_or(self.label, |(base, _)| base)
    }

    /// The label as far as it is known before the start.
    pub(super) fn shown(self) -> &'a str {
        if self.dynamic { self.base() } else { self.label }
    }
}

/// The process that SELinux confines, where it does.
pub(super) fn process<'a>(case: &'a Case<'_>) -> Option<Process<'a>> {
    match &case.start.selinux {
        Confinement::None => None,
        Confinement::Label { label, dynamic } => Some(Process { label, dynamic: *dynamic }),
        Confinement::Daemon(label) => Some(Process { label, dynamic: false }),
    }
}

/// What SELinux is asked: an access to something that a use names, by QEMU's process.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) usage: &'a Use,
    pub(super) access: Access,
    pub(super) process: Process<'a>,
}

/// The label of a step as QEMU will find it: libvirt labels what native elements name.
pub(super) fn label_of(case: &Case<'_>, path: &str, step: &Step, process: &str) -> Option<String> {
    let native = case
        .document
        .facts()
        .brings(path)
        .filter(|native| native.relabelled && case.start.selinux_driver);
    match native {
        Some(native) if native.readonly => Some("system_u:object_r:virt_content_t:s0".to_owned()),
        Some(_) => Some(format!("system_u:object_r:svirt_image_t:{}", range(process))),
        None => step.label.clone(),
    }
}

/// The sensitivity and categories of a label.
pub(super) fn range(label: &str) -> &str {
    label.splitn(4, ':').nth(3).unwrap_or("s0")
}
