//! What of a machine's logs is about one VM, and about its last start.

use super::START;

/// A VM, and when it was started last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfVm {
    /// Its UUID: AppArmor's profile bears it.
    pub uuid: Option<String>,
    /// When it was started last, and when it ended, in seconds since 1970; nothing where its log does not say.
    pub started: Option<(u64, Option<u64>)>,
}

/// Before a start libvirt prepares for it; the kernel's clock may lag behind.
const BEFORE: u64 = 3;
/// What the kernel says comes a moment later.
const AFTER: u64 = 5;

impl OfVm {
    /// A VM by its UUID and its log.
    pub fn of(uuid: Option<&str>, log: &str) -> OfVm {
        let started = log.lines().rev().find(|line| line.contains(START)).and_then(time);
        let behind = log.rfind(START).map_or("", |at| &log[at..]);
        let ended =
            behind.lines().filter(|line| line.contains("shutting down, reason")).find_map(time);
        OfVm { uuid: uuid.map(str::to_owned), started: started.map(|started| (started, ended)) }
    }

    /// The lines of the kernel's that are about the VM: AppArmor's by its profile, the others by QEMU's name and their time.
    pub fn lines(&self, text: &str) -> String {
        let mut out = String::new();
        for line in text.lines().filter(|line| self.is_about(line)) {
            out.push_str(line);
            out.push('\n');
        }
        out
    }

    fn is_about(&self, line: &str) -> bool {
        if line.contains("apparmor=\"") {
            let profile = line.split("profile=\"").nth(1).and_then(|rest| rest.split('"').next());
            let is_its = self
                .uuid
                .as_ref()
                .is_some_and(|uuid| profile.is_some_and(|profile| profile.contains(uuid.as_str())));
            return is_its && self.is_then(line);
        }
        let is_denial = line.contains("avc:")
            || line.contains("type=1326")
            || line.contains("type=SECCOMP")
            || line.contains("type=PATH");
        let is_of_qemu =
            line.contains("qemu") || line.contains("svirt") || line.contains("type=PATH");
        is_denial && is_of_qemu && self.is_then(line)
    }

    /// Whether an event is of the last start; one without a time may be.
    fn is_then(&self, line: &str) -> bool {
        let at = line
            .split_once("audit(")
            .and_then(|(_, rest)| rest.split(['.', ':']).next()?.parse::<u64>().ok());
        match (at, self.started) {
            (Some(at), Some((started, ended))) => {
                at + BEFORE >= started && ended.is_none_or(|ended| at <= ended + AFTER)
            }
            (None, _) | (_, None) => true,
        }
    }
}

/// The time at the beginning of a line of libvirt's, which is UTC: `2026-11-28 09:18:34.553+0000`.
fn time(line: &str) -> Option<u64> {
    let number = |text: Option<&str>| text?.parse::<u64>().ok();
    let (date, rest) = line.split_once(' ')?;
    let (mut date, mut clock) = (date.split('-'), rest.get(..8)?.split(':'));
    let (year, month, day) = (number(date.next())?, number(date.next())?, number(date.next())?);
    let (hour, minute, second) =
        (number(clock.next())?, number(clock.next())?, number(clock.next())?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March here, so that the odd day is a year's last (Howard Hinnant, days_from_civil).
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_vm_or_another_start_is_left_out() {
        let log = "2026-11-28 09:00:00.000+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.22\n\
                   2026-11-28 09:18:34.553+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.22\n\
                   2026-11-28 09:18:35.100+0000: shutting down, reason=failed\n";
        let vm = OfVm::of(Some("e1ee5c06"), log);
        assert_eq!(vm.started, Some((1_795_857_514, Some(1_795_857_515))));
        let line = |at: u64, profile: &str| {
            format!(
                "audit: type=1400 audit({at}.000:1): apparmor=\"DENIED\" profile=\"libvirt-{profile}\" name=\"/a\"\n"
            )
        };
        let own = line(1_795_857_514, "e1ee5c06");
        let text =
            format!("{}{own}{}", line(1_795_856_400, "e1ee5c06"), line(1_795_857_514, "another"));
        assert_eq!(vm.lines(&text), own);
        let seccomp =
            "type=SECCOMP msg=audit(1795857515.1:2): comm=\"qemu-system-x86\" sig=31 syscall=56\n";
        assert_eq!(
            vm.lines(&format!(
                "{seccomp}type=SECCOMP msg=audit(1795857515.1:2): comm=\"chrome\" sig=31\n"
            )),
            seccomp
        );
    }
}
