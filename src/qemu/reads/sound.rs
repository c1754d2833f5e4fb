//! Sound: the server that a back end looks for.

use super::{Place, Reader, Spot};
use crate::qemu::keyval::Pairs;
use crate::qemu::resource::{Access, Resource};

/// Where the sockets of a session are, by the variables of the document: libvirt hands none of them on by itself
/// (`virCommandAddEnvPassCommon`).
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// `XDG_RUNTIME_DIR`
    runtime: Option<String>,
    /// `PIPEWIRE_RUNTIME_DIR`
    pipewire: Option<String>,
    /// `PULSE_SERVER` is set.
    names_pulse: bool,
}

impl Sessions {
    pub(super) fn of(environment: &[(&str, Option<&str>)]) -> Sessions {
        let value = |wanted: &str| {
            let found = environment.iter().rev().find(|(name, _)| *name == wanted)?.1;
            found.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        Sessions {
            runtime: value("XDG_RUNTIME_DIR"),
            pipewire: value("PIPEWIRE_RUNTIME_DIR"),
            names_pulse: value("PULSE_SERVER").is_some(),
        }
    }
}

impl Reader<'_> {
    /// What `-audiodev` looks for where it names no server: PulseAudio's in `XDG_RUNTIME_DIR`, where the server's number has to
    /// be (`qpa_audio_init`, audio/paaudio.c), PipeWire's also in its own directory and in that of the system
    /// (`get_runtime_dir`, module-protocol-native/local-socket.c). Without it QEMU does not start.
    pub(super) fn sound(&mut self, place: Place<'_>, pairs: &Pairs) {
        let at = || Spot::of(place.entry, 0..place.text.len(), "the sound server");
        match pairs.get("driver") {
            Some("pa") if pairs.get("server").is_none() => {
                let Some(runtime) = self.sessions.runtime.clone() else {
                    let session = Resource::Session { variables: "XDG_RUNTIME_DIR" };
                    return self.add(at(), session);
                };
                self.path(at(), &format!("{runtime}/pulse/pid"), Access::Read);
                if !self.sessions.names_pulse {
                    self.path(at(), &format!("{runtime}/pulse/native"), Access::Connect);
                }
            }
            Some("pipewire") => {
                let named = self.sessions.pipewire.as_ref().or(self.sessions.runtime.as_ref());
                let directory = named.map_or("/run/pipewire", String::as_str);
                self.path(at(), &format!("{directory}/pipewire-0"), Access::Connect);
            }
            _ => {}
        }
    }

    /// A sound server: `unix:/path`, a path, or a host.
    pub(super) fn server(&mut self, spot: Spot, value: &str, suffix: &str) {
        let path = value.strip_prefix("unix:").unwrap_or(value);
        if path.starts_with('/') {
            let path = format!("{}{suffix}", path.trim_end_matches('/'));
            self.path(spot, &path, Access::Connect);
        } else {
            let spot = Spot { what: "a network address", optional: false, ..spot };
            self.network(spot, value, false, None);
        }
    }
}
