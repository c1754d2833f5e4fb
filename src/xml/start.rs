//! The first element of a text that was read as far as some bytes: enough to tell a domain from everything else.

/// The name of the first element, as it is written; nothing where it is not among these bytes, or they begin no XML.
///
/// What may stand before it (XML 1.0, production 22): a byte order mark, the declaration, comments, instructions, a document
/// type with its entities.
pub fn root_name(bytes: &[u8]) -> Option<&str> {
    let mut rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    loop {
        rest = rest.trim_ascii_start().strip_prefix(b"<")?;
        rest = match rest {
            [b'?', ..] => behind(rest, b"?>")?,
            [b'!', b'-', b'-', ..] => behind(rest, b"-->")?,
            [b'!', ..] => {
                let end = behind(rest, b">")?;
                let head = &rest[..rest.len() - end.len()];
                // Entities stand in brackets, and have ends of their own.
                let is_long = head.contains(&b'[');
                if is_long { behind(behind(rest, b"]")?, b">")? } else { end }
            }
            _ => break,
        };
    }
    let length = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))?;
    std::str::from_utf8(&rest[..length]).ok().filter(|name| !name.is_empty())
}

/// What stands behind the first such mark.
fn behind<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(mark.len()).position(|found| found == mark)?;
    Some(&text[at + mark.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_element_is_named() {
        for (text, name) in [
            ("<domain type='kvm'>", Some("domain")),
            (
                "\u{feff}<?xml version='1.0'?>\n<!--\nWARNING: <domain/>\n-->\n<domain>",
                Some("domain"),
            ),
            ("<!DOCTYPE domain>\n<domain/>", Some("domain")),
            ("<!DOCTYPE domain [\n<!ENTITY a 'b'>\n] >\n<domain/>", Some("domain")),
            ("<domainsnapshot>", Some("domainsnapshot")),
            ("<network><domain name='x'/>", Some("network")),
            ("<qemu:commandline\n>", Some("qemu:commandline")),
            // What is cut off tells nothing.
            ("<doma", None),
            ("<!-- <domain>", None),
            ("text <domain>", None),
            ("<>", None),
            ("", None),
        ] {
            assert_eq!(root_name(text.as_bytes()), name, "{text}");
        }
        assert_eq!(root_name(b"<\xff\xff>"), None);
    }
}
