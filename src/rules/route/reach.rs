//! Whom a remedy lets in.

use crate::facts::Known;
use crate::rules::{Case, Remedy, Scope, Step};

/// Who can do more than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The domain that is judged.
    ThisVm,
    /// Every VM of the host: they share QEMU's user, libvirt's settings and the types of labels.
    EveryVm,
    /// Every user of the host.
    Everybody,
}

impl Reach {
    /// The words for people.
    pub fn words(self) -> &'static str {
        match self {
            Reach::ThisVm => "this VM",
            Reach::EveryVm => "every VM",
            Reach::Everybody => "everybody",
        }
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Reach::ThisVm => "this-vm",
            Reach::EveryVm => "every-vm",
            Reach::Everybody => "everybody",
        }
    }
}

/// Whom carrying out a remedy lets in; nobody where it says that there is no way, or gives nothing away.
pub(crate) fn reach(case: &Case<'_>, remedy: &Remedy) -> Option<Reach> {
    match &remedy.step {
        Step::Nothing => None,
        Step::EditXml(_) if remedy.scope == Scope::Rewrite => None,
        Step::EditXml(_) => Some(Reach::ThisVm),
        // A profile bears its domain's UUID.
        Step::SetOption { file, .. } if file.contains("/libvirt/libvirt-") => Some(Reach::ThisVm),
        Step::SetOption { .. } => Some(Reach::EveryVm),
        Step::RunCommand(line) => {
            let words = shlex::split(line).unwrap_or_default();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            of_command(case, &words)
        }
    }
}

fn of_command(case: &Case<'_>, words: &[&str]) -> Option<Reach> {
    match words {
        ["setfacl" | "chmod" | "chown", ..] => Some(of_user(case)),
        ["ip", "tuntap", ..] => Some(of_user(case)),
        // A label with categories is one VM's.
        ["chcon", label, _] if label.contains(":c") => Some(Reach::ThisVm),
        ["chcon" | "semanage" | "setsebool" | "touch", ..] => Some(Reach::EveryVm),
        ["mount" | "sysctl" | "chattr", ..] => Some(Reach::Everybody),
        _ => None,
    }
}

/// QEMU's user is shared by all domains that do not name one of their own.
fn of_user(case: &Case<'_>) -> Reach {
    let shared = case.host.identities.get("").and_then(Known::yes);
    let own = case.identity().ok();
    let is_own = shared.zip(own).is_some_and(|(shared, own)| shared.uid != own.uid);
    if is_own { Reach::ThisVm } else { Reach::EveryVm }
}
