//! The namespace of the passthrough.

use crate::xml::Element;

/// The namespace of the passthrough elements; libvirt compares it byte by byte.
pub const QEMU_NAMESPACE: &str = "http://libvirt.org/schemas/domain/qemu/1.0";

/// What libvirt looks for in it, directly under the domain.
pub(super) const BLOCKS: [&str; 4] = ["commandline", "capabilities", "override", "deprecation"];

/// Whether libvirt sees an element as one of the namespace.
pub(super) fn is_ours(element: &Element, local: &str) -> bool {
    element.local_name() == local && element.namespace.as_deref() == Some(QEMU_NAMESPACE)
}
