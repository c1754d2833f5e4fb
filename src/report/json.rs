//! The contract for scripts: version 1. Field names stay; fields may be added.

use serde_json::{Map, Value, json};

use super::Checked;
use crate::domain::Document;
use crate::facts::selinux::Mode;
use crate::facts::{HostFacts, Known};
use crate::libvirt::identity::dac_label;
use crate::rules::{Finding, Reach, Remedy, Step, Verdict};
use crate::visible::escaped;

/// The report of all files.
pub fn write(checked: &[Checked<'_>], host: &HostFacts, all: bool) -> String {
    let files: Vec<Value> = checked.iter().map(|checked| file(checked, all)).collect();
    let report = json!({ "version": 1, "host": host_value(host), "files": files });
    format!("{}\n", escaped(&format!("{report:#}")))
}

pub(super) fn host_value(host: &HostFacts) -> Value {
    let mac = match (&host.selinux.mode, &host.apparmor.active) {
        (Known::Yes(Mode::Enforcing), _) => "selinux",
        (Known::Yes(Mode::Permissive), _) => "selinux-permissive",
        (_, Known::Yes(true)) => "apparmor",
        (Known::Unknown(_), _) | (_, Known::Unknown(_)) => "unknown",
        (Known::Yes(Mode::Off), Known::Yes(false)) => "none",
    };
    let mut value = json!({
        "source": host.source,
        "instance": if host.is_system() { "system" } else { "session" },
        "mac": mac,
        "libvirt": host.libvirt.yes(),
        "qemu": host.qemu.yes(),
    });
    identity(&mut value, host, "");
    value
}

fn identity(value: &mut Value, host: &HostFacts, label: &str) {
    if let Some(Known::Yes(identity)) = host.identities.get(label) {
        value["qemu_user"] = json!(identity.user);
        value["uid"] = json!(identity.uid);
        value["gid"] = json!(identity.gid);
    }
}

fn file(checked: &Checked<'_>, all: bool) -> Value {
    let findings =
        checked.findings.iter().filter(|finding| all || finding.verdict != Verdict::Allows);
    let facts = checked.document.facts();
    let mut value = json!({
        "path": checked.path,
        "domain": facts.name,
        "findings": findings.map(|finding| finding_value(checked, finding)).collect::<Vec<_>>(),
    });
    if let Some(route) = checked.route {
        value["plan"] = super::route::value(route);
    }
    let label = dac_label(facts);
    if !label.is_empty() {
        identity(&mut value, checked.host, &label);
    }
    value
}

pub(super) fn finding_value(checked: &Checked<'_>, finding: &Finding) -> Value {
    let place = checked.place(finding);
    let mut value = Map::new();
    value.insert("rule".to_owned(), json!(finding.rule));
    value.insert("layer".to_owned(), json!(finding.layer.word()));
    value.insert("verdict".to_owned(), json!(finding.verdict.word()));
    let entry = finding.entry.map(|id| json!({ "kind": id.list.word(), "index": id.index }));
    value.insert("entry".to_owned(), json!(entry));
    value.insert("line".to_owned(), json!(place.line));
    value.insert("column".to_owned(), json!(place.column));
    let resource = finding.resource.as_ref().map(|resource| match resource.path() {
        Some((path, access)) => {
            json!({ "kind": resource.kind(), "path": path, "access": access.word() })
        }
        None => json!({ "kind": resource.kind(), "name": resource.name() }),
    });
    value.insert("resource".to_owned(), json!(resource));
    value.insert("message".to_owned(), json!(finding.message));
    value.insert("evidence".to_owned(), json!(finding.evidence));
    value.insert("first".to_owned(), json!(finding.first));
    let remedies: Vec<Value> =
        finding.remedies.iter().map(|remedy| remedy_value(checked.document, remedy)).collect();
    value.insert("remedies".to_owned(), json!(remedies));
    Value::Object(value)
}

/// A step is null where a remedy says that there is no way.
pub(super) fn remedy_value(document: &Document, remedy: &Remedy) -> Value {
    let step = match &remedy.step {
        Step::RunCommand(command) => json!({ "kind": "command", "command": command }),
        Step::SetOption { file, line } => json!({ "kind": "setting", "file": file, "line": line }),
        Step::EditXml(edits) => {
            let edits: Vec<Value> = edits
                .edits()
                .iter()
                .map(|edit| json!({ "offset": edit.span.start, "delete": document.source()[edit.span.clone()], "insert": edit.text }))
                .collect();
            json!({ "kind": "edit", "edits": edits, "then": remedy.then })
        }
        Step::Nothing => Value::Null,
    };
    let lets_in = remedy.lets_in.map(Reach::word);
    json!({ "scope": remedy.scope.word(), "lets_in": lets_in, "title": remedy.title, "step": step })
}
