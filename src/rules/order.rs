//! In which order the layers are met: it depends on what QEMU does.
//!
//! Opening what is there (`path_openat`, fs/namei.c): the path in its namespace, owner and mode, the device group, SELinux, and
//! AppArmor when the file is opened. Connecting (`unix_find_bsd`) is the same. Making a file or a socket (`may_o_create`,
//! `unix_bind_bsd`): once all directories on the way may be searched, AppArmor's hook for paths comes before the modes of the
//! directory. Running a program and changing the user: seccomp ends QEMU at the system call, before anything is looked at.

use super::layers::dac::CANNOT_CREATE;
use super::{Case, Finding, Layer};
use crate::facts::FileKind;
use crate::qemu::{Access, Resource};

/// Where a finding's layer is met; less is earlier.
pub(super) fn order(case: &Case<'_>, finding: &Finding) -> u8 {
    let usual = |layer: Layer| layer as u8 * 10;
    let Some(resource) = &finding.resource else { return usual(finding.layer) };
    let is_call = matches!(resource, Resource::Program { .. } | Resource::Privilege { .. });
    if is_call && finding.layer == Layer::Seccomp {
        return usual(Layer::Qemu) + 1;
    }
    if !makes(case, resource) {
        return usual(finding.layer);
    }
    if finding.layer == Layer::AppArmor {
        usual(Layer::Dac) + 1
    } else if finding.rule == CANNOT_CREATE.id {
        usual(Layer::Dac) + 2
    } else {
        usual(finding.layer)
    }
}

/// Whether something new is made there, and not what is there opened.
fn makes(case: &Case<'_>, resource: &Resource) -> bool {
    let Some((path, access)) = resource.path() else { return false };
    let Ok(walk) = case.host.walk(path) else { return false };
    match (access, walk.target()) {
        (Access::Listen, _) => true,
        (Access::Memory, Some(target)) => target.kind == FileKind::Directory,
        (access, None) => access.creates(),
        (_, Some(_)) => false,
    }
}
