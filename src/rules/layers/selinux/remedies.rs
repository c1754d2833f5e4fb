//! What can be done where SELinux refuses: another label, another boolean, less of SELinux.

use super::opening::{Opening, range};
use super::policy::{boolean, denied, permissions};
use crate::facts::selinux::class_of;
use crate::facts::{FileKind, Step};
use crate::libvirt::Confinement;
use crate::qemu::Access;
use crate::rules::{Case, Finding, Remedy, Scope};
use crate::words::AND;

/// The remedies of a finding about one step.
pub(super) fn remedies(
    opening: Opening<'_>,
    finding: Finding,
    step: &Step,
    missing: &[&'static str],
) -> Finding {
    exemptions(opening, granted(opening, finding, step, missing), step)
}

/// What lets the file through and leaves SELinux as it is.
fn granted(
    opening: Opening<'_>,
    finding: Finding,
    step: &Step,
    missing: &[&'static str],
) -> Finding {
    let Opening { case, access, process, .. } = opening;
    let path = step.path.as_str();
    let class = class_of(&step.kind);
    let boolean =
        step.label.as_deref().and_then(|label| boolean(case, process.label, label, class, missing));
    let reading = !access.writes() && !access.creates() && access != Access::ReadWriteOrRead;
    if let Some(boolean) = boolean {
        return finding.remedy(Remedy::command(
            Scope::DisableHost,
            "let every VM use files of this kind (they cannot be labelled one by one)",
            &["setsebool", "-P", boolean, "on"],
        ));
    }
    if reading {
        return labelled(
            finding,
            "label it for reading by every VM",
            &["chcon", "-t", "virt_content_t", path],
            &["-t", "virt_content_t", path],
        );
    }
    let finding = labelled(
        finding,
        "label it for writing by every VM",
        &["chcon", "system_u:object_r:svirt_image_t:s0", path],
        &["-t", "svirt_image_t", "-r", "s0", path],
    );
    if process.dynamic {
        let base = process.base();
        let label = format!(
            "<seclabel type='static' model='selinux' relabel='yes'><label>{base}:c392,c662</label></seclabel>"
        );
        let Ok(edits) = case.document.set_seclabel("selinux", &label) else { return finding };
        let title =
            "for this VM alone: fix its categories (here c392,c662), then label the file with them";
        return finding.remedy(Remedy::edit(Scope::Grant, title, edits).then(&[
            "chcon",
            "system_u:object_r:svirt_image_t:s0:c392,c662",
            path,
        ]));
    }
    if is_the_daemon(case) {
        return finding;
    }
    let exclusive = format!("system_u:object_r:svirt_image_t:{}", range(process.label));
    finding.remedy(Remedy::command(
        Scope::Grant,
        "label it for this VM alone",
        &["chcon", &exclusive, path],
    ))
}

/// A label given now, and the same kept by the policy's list of files; `rule` is what `semanage fcontext -a` takes.
fn labelled(finding: Finding, title: &str, now: &[&str], rule: &[&str]) -> Finding {
    let path = rule.last().copied().unwrap_or_default();
    let kept = [&["semanage", "fcontext", "-a"], rule, &[AND, "restorecon", "-v", path]].concat();
    finding.remedy(Remedy::command(Scope::Grant, title, now)).remedy(Remedy::command(
        Scope::Grant,
        format!("{title}, so that it outlives a relabelling"),
        &kept,
    ))
}

/// What takes this VM, or all of them, out of SELinux's hands; and why not, where it does not.
fn exemptions(opening: Opening<'_>, finding: Finding, step: &Step) -> Finding {
    let Opening { case, access, .. } = opening;
    // What the daemon's own label is denied no label of the VM can lift.
    if is_the_daemon(case) {
        return finding
            .remedy(Remedy::none(Scope::DisableVm, "there is none: QEMU already runs as libvirt's daemon does"))
            .remedy(Remedy::none(
                Scope::DisableHost,
                "there is none in libvirt; 'setenforce 0' would switch SELinux off for all of the host",
            ));
    }
    if daemon_denied(case, step, access) {
        let why = "there is none: an unconfined VM runs as libvirt's daemon, which SELinux denies this too";
        return finding
            .remedy(Remedy::none(Scope::DisableVm, why))
            .remedy(Remedy::none(Scope::DisableHost, why));
    }
    let off = "<seclabel type='none' model='selinux'/>";
    let finding = match case.document.set_seclabel("selinux", off) {
        Ok(edits) => finding.remedy(Remedy::edit(
            Scope::DisableVm,
            "run this VM as little confined as libvirt's daemon (which may still be denied)",
            edits,
        )),
        Err(error) => finding.remedy(Remedy::none(Scope::DisableVm, error.to_string())),
    };
    if case.document.facts().seclabel("selinux", true).is_some() {
        let why = "there is none: the domain says itself how SELinux is to confine it";
        return finding.remedy(Remedy::none(Scope::DisableHost, why));
    }
    finding.remedy(Remedy::setting(
        "confine only VMs that ask for it",
        &case.host.conf.path,
        "security_default_confined = 0",
    ))
}

/// Whether QEMU runs with the label of libvirt's daemon already.
fn is_the_daemon(case: &Case<'_>) -> bool {
    matches!(case.start.selinux, Confinement::Daemon(_))
}

/// Whether the daemon's own label, with which an unconfined VM runs, is known to be denied what is asked of a step.
fn daemon_denied(case: &Case<'_>, step: &Step, access: Access) -> bool {
    let selinux = &case.host.selinux;
    let (Some(daemon), Some(label)) = (&selinux.daemon, &step.label) else { return false };
    let makes_something = step.kind == FileKind::Directory && access != Access::Directory;
    let wanted: Vec<&'static str> =
        if makes_something { vec!["add_name", "write"] } else { permissions(access, &step.kind) };
    denied(case, daemon, label, class_of(&step.kind), &wanted)
        .is_ok_and(|missing| !missing.is_empty())
}
