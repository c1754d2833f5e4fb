//! From what is written to what is meant: entities, character references, normalised blanks.

use std::collections::BTreeMap;

use super::{XmlError, escape::is_xml_char};

/// Internal general entities of the document, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Entities(BTreeMap<String, String>);

/// Expanding stops here, so that a document of nested entities can't eat the machine ("billion laughs").
const MAX_EXPANDED: usize = 1 << 20;
const MAX_DEPTH: usize = 20;

/// Where a text is that is being expanded.
#[derive(Clone, Copy)]
struct Place {
    /// Where it begins in the source; of an entity's text, where the entity is used.
    offset: usize,
    in_attribute: bool,
    /// How many entities it stands inside.
    depth: usize,
}

impl Entities {
    /// Reads the entity declarations of a document type declaration's internal subset.
    ///
    /// Only `<!ENTITY name "text">` counts; other declarations are passed over. `doctype` is the text between `<!DOCTYPE` and `>`.
    pub(super) fn read(doctype: &str, offset: usize) -> Result<Entities, XmlError> {
        let mut found = BTreeMap::new();
        let mut rest = doctype;
        while let Some(at) = rest.find("<!ENTITY") {
            let declaration = &rest[at + "<!ENTITY".len()..];
            let here = offset + (declaration.as_ptr() as usize - doctype.as_ptr() as usize);
            let body = declaration.trim_start();
            let name_end = body.find(|c: char| c.is_whitespace()).unwrap_or(body.len());
            let (name, value) = body.split_at(name_end);
            let value = value.trim_start();
            let quote = value.chars().next();
            match quote {
                Some(quote @ ('"' | '\'')) if name != "%" => {
                    let text = &value[1..];
                    let end = text.find(quote).ok_or_else(|| {
                        XmlError::at(
                            here,
                            "the entity's text has no end, expected its closing quote",
                        )
                    })?;
                    // The first declaration of a name is the one that counts (XML 1.0, 4.2).
                    found.entry(name.to_owned()).or_insert(resolve_characters(&text[..end]));
                    rest = &text[end + 1..];
                }
                _ => rest = body,
            }
        }
        Ok(Entities(found))
    }

    /// What an attribute value written as `raw` means; `offset` is where `raw` begins in the source.
    pub(super) fn attribute(&self, raw: &str, offset: usize) -> Result<String, XmlError> {
        if !raw.contains(['&', '<', '\t', '\n', '\r']) {
            return Ok(raw.to_owned());
        }
        let mut cooked = String::with_capacity(raw.len());
        self.expand(raw, Place { offset, in_attribute: true, depth: 0 }, &mut cooked)?;
        Ok(cooked)
    }

    /// What character data written as `raw` means.
    pub(super) fn text(&self, raw: &str, offset: usize) -> Result<String, XmlError> {
        let mut cooked = String::with_capacity(raw.len());
        self.expand(raw, Place { offset, in_attribute: false, depth: 0 }, &mut cooked)?;
        Ok(cooked)
    }

    fn expand(&self, raw: &str, place: Place, out: &mut String) -> Result<(), XmlError> {
        let Place { offset, in_attribute, depth } = place;
        if depth > MAX_DEPTH || out.len() > MAX_EXPANDED {
            return Err(XmlError::at(
                offset,
                "the document's entities expand without end, expected plain text",
            ));
        }
        let mut rest = raw;
        while let Some(at) = rest.find(['&', '<', '\t', '\n', '\r']) {
            out.push_str(&rest[..at]);
            let here = if depth == 0 { offset + raw.len() - rest.len() + at } else { offset };
            rest = &rest[at..];
            match rest.as_bytes()[0] {
                b'<' if in_attribute => {
                    return Err(XmlError::at(
                        here,
                        "'<' stands in an attribute value, expected '&lt;'",
                    ));
                }
                b'&' => rest = self.reference(rest, Place { offset: here, ..place }, out)?,
                b'\r' => {
                    // A line end is one character however it is written (XML 1.0, 2.11).
                    rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
                    out.push(if in_attribute { ' ' } else { '\n' });
                }
                other => {
                    out.push(if in_attribute { ' ' } else { char::from(other) });
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        Ok(())
    }

    /// What a reference at the start of `rest` stands for, and the text behind it.
    fn reference<'a>(
        &self,
        rest: &'a str,
        place: Place,
        out: &mut String,
    ) -> Result<&'a str, XmlError> {
        let here = place.offset;
        let end = rest
            .find(';')
            .filter(|&end| end > 1 && !rest[1..end].contains(['&', '<', ' ', '\n', '\t']));
        let Some(end) = end else {
            return Err(XmlError::at(here, "'&' does not begin a reference, expected '&amp;'"));
        };
        let name = &rest[1..end];
        match name {
            "amp" => out.push('&'),
            "lt" => out.push('<'),
            "gt" => out.push('>'),
            "quot" => out.push('"'),
            "apos" => out.push('\''),
            _ if name.starts_with('#') => {
                out.push(character(&name[1..]).ok_or_else(|| {
                    XmlError::at(
                        here,
                        format!("'&{name};' is not a character that XML 1.0 can hold"),
                    )
                })?);
            }
            _ => match self.0.get(name) {
                Some(text) => self.expand(text, Place { depth: place.depth + 1, ..place }, out)?,
                None => {
                    return Err(XmlError::at(
                        here,
                        format!(
                            "the entity '&{name};' is not declared, expected '&amp;' for an ampersand"
                        ),
                    ));
                }
            },
        }
        Ok(&rest[end + 1..])
    }
}

/// An entity's text as it is kept: character references count when it is declared, the others when it is used (XML 1.0, 4.4).
fn resolve_characters(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("&#") {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').unwrap_or(rest.len() - 1);
        match rest.get(2..end).and_then(character) {
            Some(c) => kept.push(c),
            None => kept.push_str(&rest[..=end]),
        }
        rest = &rest[end + 1..];
    }
    kept.push_str(rest);
    kept
}

fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix('x') {
        Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u32::from_str_radix(hex, 16).ok()?
        }
        None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok()?,
        _ => return None,
    };
    char::from_u32(code).filter(|&c| is_xml_char(c))
}
