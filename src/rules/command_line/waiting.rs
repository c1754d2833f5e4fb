//! Starts that go on only when somebody connects.

use super::{Case, Finding, Layer, Remedy, Rule, Scope, Verdict, noted};
use crate::domain::EntryKind;
use crate::qemu::{Note, NoteKind};

/// The rule about starts that hang until somebody connects.
pub const WAITS: &str = "socket-waits";

pub(crate) static SOCKET_WAITS: Rule = Rule {
    id: WAITS,
    layer: Layer::Qemu,
    summary: "QEMU waits for a client before it starts",
    explain: include_str!("../../../assets/rules/socket-waits.md"),
    check: |case| noted(case, |note| waiting(case, note)),
};

fn waiting(case: &Case<'_>, note: &Note) -> Option<Finding> {
    let said = |verdict, message: &str| Finding::at(note.entry, verdict, message.to_owned());
    let finding = match note.kind {
        NoteKind::Waits => said(
            Verdict::Blocks,
            "the start hangs until a client connects to this socket, expected wait=off",
        )
        .because("a listening socket waits for its first client unless wait=off says otherwise; virsh start hangs meanwhile")
        .remedy(without_waiting(case, note)),
        NoteKind::WaitsForBackend => said(
            Verdict::Unknown,
            "the start waits until the vhost-user program connects to this socket, and whether it does is not known",
        )
        .because("QEMU talks to it before the VM starts; 'wait=off' changes nothing; virsh start hangs meanwhile")
        .remedy(Remedy::none(
            Scope::Rewrite,
            "have the program running that connects by itself (a switch whose port is a vhost-user client), or let it listen: leave server=on out",
        )),
        NoteKind::NobodyYet => said(
            Verdict::Blocks,
            "the vhost-user device is made before its program can connect to this socket",
        )
        .because("with wait=off QEMU takes no client until it runs; it says 'vhost_backend_init failed: Protocol error'")
        .remedy(Remedy::none(
            Scope::Rewrite,
            "let the program listen (leave server=on out and start it before the VM), or leave wait=off out",
        )),
        NoteKind::Joined { .. }
        | NoteKind::UnknownOption
        | NoteKind::Dangling
        | NoteKind::Stray
        | NoteKind::Syntax(_)
        | NoteKind::Exits => return None,
    };
    Some(finding)
}

fn without_waiting(case: &Case<'_>, note: &Note) -> Remedy {
    let value = format!("{},wait=off", case.document.arg(note.entry.index));
    match case.document.replace(note.entry, &EntryKind::arg(value)) {
        Ok(edits) => Remedy::edit(Scope::Rewrite, "do not wait: add wait=off", edits),
        Err(error) => Remedy::none(Scope::Rewrite, error.to_string()),
    }
}
