//! What QEMU finds wrong with the contents of files, seen in their bytes.

use serde::{Deserialize, Serialize};

use super::{certificate, elf};
use crate::qemu::{CommandLine, QemuOption, Use};

/// What a file is to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contents {
    /// A kernel (`-kernel`).
    Kernel,
    /// A structure of SMBIOS (`-smbios file=`).
    Smbios,
    /// A string of SMBIOS (`-smbios type=11,path=`).
    Text,
    /// What QEMU is shown as it is: rules for faults (`blkdebug`), options of a file (`-readconfig`).
    Rules,
    /// A plugin (`-plugin`).
    Plugin,
    /// A certificate or a key of TLS, between lines that say so.
    Armoured,
    /// A certificate that is to be an authority's, or must not be one; nothing where QEMU is told not to look.
    Certificate(Option<bool>),
    /// Keys of TLS, each behind its user; the user that one is looked for, where one is.
    Keys(Option<String>),
    /// A secret in Base64.
    Base64,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In words that go behind the file's name.
    pub what: String,
    /// What QEMU says.
    pub says: String,
}

impl Contents {
    /// As many bytes as have to be seen to tell; of a longer file nothing is told but what its start says.
    pub(crate) fn seen(&self) -> u64 {
        match self {
            // As many as QEMU reads at once (`x86_load_linux`).
            Contents::Kernel => 8 << 10,
            Contents::Plugin => 16 << 20,
            Contents::Smbios
            | Contents::Text
            | Contents::Rules
            | Contents::Armoured
            | Contents::Certificate(_)
            | Contents::Keys(_)
            | Contents::Base64 => 64 << 10,
        }
    }

    /// What is wrong with a file that begins with these bytes; they are all of it where it is `whole`.
    ///
    /// Sources: `x86_load_linux` (hw/i386/x86.c), `save_opt_one` (hw/smbios/smbios.c), `plugin_load` (plugins/loader.c),
    /// `lookup_key` (crypto/tlscredspsk.c), `qbase64_decode` (util/base64.c) of QEMU 7.2; each was started.
    pub(crate) fn fault(&self, bytes: &[u8], whole: bool) -> Option<Fault> {
        let (what, says) = match self {
            Contents::Kernel if whole && bytes.is_empty() => {
                ("is empty", "could not load kernel".to_owned())
            }
            Contents::Kernel => {
                (elf::no_kernel(bytes)?, "Error while loading elf kernel".to_owned())
            }
            Contents::Text if bytes.contains(&0) => {
                ("has a byte of zero", "NUL in OEM strings value".to_owned())
            }
            Contents::Plugin => no_plugin(bytes, whole)?,
            Contents::Armoured | Contents::Certificate(_)
                if whole && !contains(bytes, b"-----BEGIN ") =>
            {
                ("has no line -----BEGIN", "Unable to import …".to_owned())
            }
            Contents::Certificate(Some(authority)) => not_as_needed(bytes, *authority)?,
            Contents::Keys(Some(user)) if whole && !has_user(bytes, user) => {
                ("has no line for that user", format!("Username {user} not found in PSK file"))
            }
            Contents::Base64 if bytes.iter().any(|byte| !is_base64(*byte)) => {
                ("is not in Base64", "Base64 data contains invalid characters".to_owned())
            }
            Contents::Smbios
            | Contents::Text
            | Contents::Rules
            | Contents::Armoured
            | Contents::Certificate(_)
            | Contents::Keys(_)
            | Contents::Base64 => return None,
        };
        Some(Fault { what: what.to_owned(), says })
    }
}

/// Whether a certificate says of itself what it must not (`qcrypto_tls_creds_check_cert_basic_constraints`).
fn not_as_needed(bytes: &[u8], authority: bool) -> Option<(&'static str, String)> {
    if certificate::is_authority(bytes)? == authority {
        return None;
    }
    Some(if authority {
        ("is no authority's certificate", "basic constraints do not show a CA".to_owned())
    } else {
        (
            "is an authority's certificate, and no server's or client's",
            "basic constraints show a CA, but we need one for a server".to_owned(),
        )
    })
}

/// Why the dynamic linker or QEMU takes no plugin of a file.
fn no_plugin(bytes: &[u8], whole: bool) -> Option<(&'static str, String)> {
    if !bytes.starts_with(elf::MAGIC) {
        return Some(("is no library", "invalid ELF header".to_owned()));
    }
    let symbols = ["qemu_plugin_install", "qemu_plugin_version"];
    let lacks = symbols.iter().find(|symbol| !contains(bytes, symbol.as_bytes()));
    let lacks = lacks.filter(|_| whole)?;
    Some(("is no plugin", format!("undefined symbol: {lacks}")))
}

fn has_user(bytes: &[u8], user: &str) -> bool {
    let wanted = format!("{user}:");
    bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(wanted.as_bytes()))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The files of a command line whose contents count, by path.
pub fn wanted(line: &CommandLine) -> impl Iterator<Item = (&str, Contents)> {
    line.uses.iter().filter_map(|usage| {
        let (path, _) = usage.resource.path()?;
        Some((path, of(line.option_at(usage.entry)?, usage, path)?))
    })
}

/// What a file is to be that an option uses.
fn of(option: &QemuOption, usage: &Use, path: &str) -> Option<Contents> {
    let pairs = &option.pairs;
    let is_at = |key: &str| pairs.pair(key).is_some_and(|pair| pair.value_span == usage.at);
    match (option.name(), option.kind()) {
        ("kernel", _) => Some(Contents::Kernel),
        ("smbios", _) if is_at("path") => Some(Contents::Text),
        ("smbios", _) => Some(Contents::Smbios),
        ("plugin", _) => Some(Contents::Plugin),
        ("object", "tls-creds-x509") if path.ends_with("-cert.pem") => {
            let is_looked_at = pairs.on("sanity-check") != Some(false);
            let authority = path.ends_with("/ca-cert.pem");
            Some(Contents::Certificate(is_looked_at.then_some(authority)))
        }
        ("object", "tls-creds-x509") => Some(Contents::Armoured),
        ("object", "tls-creds-psk") => {
            let user = pairs.get("username").unwrap_or("qemu");
            let is_client = pairs.get("endpoint") != Some("server");
            Some(Contents::Keys(is_client.then(|| user.to_owned())))
        }
        ("object", "secret")
            if pairs.get("format") == Some("base64") && pairs.get("keyid").is_none() =>
        {
            Some(Contents::Base64)
        }
        ("readconfig", _) => Some(Contents::Rules),
        _ if usage.what == "the fault injection rules" => Some(Contents::Rules),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(contents: &Contents, bytes: &[u8]) -> Option<String> {
        contents.fault(bytes, true).map(|fault| fault.says)
    }

    #[test]
    fn what_is_wrong_with_contents_is_seen() {
        let keys = |user: &str| Contents::Keys(Some(user.to_owned()));
        let plugin = b"\x7fELF..qemu_plugin_version\0qemu_plugin_install\0";
        for (contents, bytes, expected) in [
            (Contents::Kernel, &b""[..], Some("could not load kernel")),
            (Contents::Kernel, b"text", None),
            (Contents::Text, b"text", None),
            (Contents::Text, b"te\0t", Some("NUL in OEM strings value")),
            (Contents::Plugin, b"\0\0\0\0\0", Some("invalid ELF header")),
            (Contents::Plugin, &plugin[..30], Some("undefined symbol: qemu_plugin_install")),
            (Contents::Plugin, plugin, None),
            (Contents::Armoured, b"bogus\n", Some("Unable to import …")),
            (Contents::Armoured, b"text\n-----BEGIN CERTIFICATE-----\n", None),
            (Contents::Certificate(None), b"bogus\n", Some("Unable to import …")),
            (keys("me"), b"you:00\nme:11\n", None),
            (keys("m"), b"you:00\nme:11\n", Some("Username m not found in PSK file")),
            (Contents::Keys(None), b"", None),
            (Contents::Base64, b"c2VjcmV0\n", None),
            (Contents::Base64, b"a b", Some("Base64 data contains invalid characters")),
        ] {
            assert_eq!(fault(&contents, bytes).as_deref(), expected, "{contents:?}");
        }
        // Of a file whose end was not seen nothing is said to be missing.
        assert_eq!(Contents::Plugin.fault(b"\x7fELF", false), None);
        assert_eq!(keys("me").fault(b"", false), None);
    }

    #[test]
    fn files_are_named_by_their_options() {
        let words = [
            "-kernel",
            "/k",
            "-smbios",
            "file=/s",
            "-smbios",
            "type=11,path=/t",
            "-smbios",
            "type=1",
            "-initrd",
            "/i",
            "-object",
            "tls-creds-psk,id=t,dir=/d,endpoint=client",
            "-object",
            "secret,id=s,file=/b,format=base64",
            "-object",
            "secret,id=u,file=/raw",
            "-blockdev",
            "blkdebug,node-name=n,image=x,config=/c",
            "-readconfig",
            "/o",
        ];
        let line = CommandLine::read(&words, &[]);
        let found: Vec<_> = wanted(&line).collect();
        let expected = [
            ("/k", Contents::Kernel),
            ("/s", Contents::Smbios),
            ("/t", Contents::Text),
            ("/d/keys.psk", Contents::Keys(Some("qemu".into()))),
            ("/b", Contents::Base64),
            ("/c", Contents::Rules),
            ("/o", Contents::Rules),
        ];
        assert_eq!(found, expected);
    }
}
