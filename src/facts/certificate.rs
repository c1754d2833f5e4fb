//! Certificates of X.509 between their lines (RFC 7468), as far as QEMU looks at one: whether it is an authority's.

/// The extension `basicConstraints` (RFC 5280, 4.2.1.9): its number, behind what says that it is one.
const CONSTRAINTS: &[u8] = b"\x06\x03\x55\x1d\x13";
/// What an extension has before its value where it has to be understood.
const CRITICAL: &[u8] = b"\x01\x01\xff";
/// A yes of an authority.
const YES: &[u8] = b"\x01\x01\xff";

/// Whether the first certificate of a file says that it is an authority's; nothing where it says neither, or is none.
pub(super) fn is_authority(text: &[u8]) -> Option<bool> {
    let bytes = decoded(text)?;
    let at = bytes.windows(CONSTRAINTS.len()).position(|window| window == CONSTRAINTS)?;
    let value = &bytes[at + CONSTRAINTS.len()..];
    let value = value.strip_prefix(CRITICAL).unwrap_or(value);
    // A string of bytes, in it a sequence.
    let &[4, _, 0x30, length, ref fields @ ..] = value else { return None };
    Some(length > 0 && fields.starts_with(YES))
}

/// The bytes between the first two lines of a certificate.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END")?;
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for sign in body.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        held = held << 6 | digit(sign)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// The number of a sign of Base64.
fn digit(sign: u8) -> Option<u32> {
    Some(u32::from(match sign {
        b'A'..=b'Z' => sign - b'A',
        b'a'..=b'z' => sign - b'a' + 26,
        b'0'..=b'9' => sign - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(body: &str) -> Vec<u8> {
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n").into_bytes()
    }

    #[test]
    fn an_authority_says_so() {
        // 06 03 55 1d 13, 01 01 ff, 04 05 30 03 01 01 ff; the same without a yes; nothing of the kind.
        assert_eq!(is_authority(&file("BgNVHRMBAf8EBTADAQH/")), Some(true));
        assert_eq!(is_authority(&file("BgNVHRMB\nAf8EAjAA")), Some(false));
        assert_eq!(is_authority(&file("AAAA")), None);
        assert_eq!(is_authority(&file("B!")), None);
        assert_eq!(is_authority(b"bogus"), None);
        assert_eq!(decoded(&file("aGk=")).unwrap(), b"hi");
    }
}
