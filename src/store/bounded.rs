//! Reading texts from outside: as far as a bound, in UTF-8, or refused in one sentence.

use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};
use std::path::Path;

use crate::error::Error;
use crate::folder::said;
use crate::words::quote;
use crate::xml::scan::MAX_BYTES;

/// How long a text may be, and why no longer.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    bytes: usize,
    why: &'static str,
}

impl Bound {
    /// Of a domain.
    pub const DOMAIN: Bound = Bound { bytes: MAX_BYTES, why: "which is all that virsh reads" };
    /// Of recorded facts: those about a thousand arguments are a hundredth of it.
    pub const FACTS: Bound = Bound { bytes: 64 << 20, why: "facts of a host are far shorter" };
}

/// Reads standard input, for `-`.
///
/// # Errors
/// One sentence: not readable, too long, not UTF-8.
pub fn read_input(bound: Bound) -> Result<String, Error> {
    read(&mut std::io::stdin().lock(), None, bound)
}

/// Reads a file of any kind, as it is named on the command line.
///
/// # Errors
/// As [`read_input`], with the path.
pub fn read_file(path: &Path, bound: Bound) -> Result<String, Error> {
    let mut file = File::open(path)
        .map_err(|error| Error::user(format!("{}: {}", path.display(), explain(&error))))?;
    read(&mut file, Some(path), bound)
}

/// As much of the end of a log is read.
const NEWEST: usize = 1 << 20;
/// Standard input is read no further: what goes on for ever is no log.
const MOST: usize = 1 << 30;

/// The newest part of a log: of a file, or of standard input. What is not UTF-8 in it is replaced.
///
/// # Errors
/// One sentence: not readable.
pub fn read_newest(path: Option<&Path>) -> Result<String, Error> {
    let shown = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let failed = |error: std::io::Error| Error::user(format!("{shown}: {}", explain(&error)));
    let bytes = match path {
        Some(path) => {
            let mut file = File::open(path).map_err(failed)?;
            let length = file.metadata().map_err(failed)?.len();
            let newest = u64::try_from(NEWEST).unwrap_or(u64::MAX);
            file.seek(SeekFrom::Start(length.saturating_sub(newest))).map_err(failed)?;
            last(&mut file).map_err(failed)?
        }
        None => last(&mut std::io::stdin().lock()).map_err(failed)?,
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The first bytes of a file.
///
/// # Errors
/// One sentence: not readable.
pub fn read_start(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut bytes));
    read.map_err(|error| Error::user(format!("{}: {}", path.display(), explain(&error))))?;
    Ok(bytes)
}

/// The end of what can be read.
fn last(source: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut part = vec![0; 1 << 16];
    let mut read = 0;
    while read < MOST {
        let length = source.read(&mut part)?;
        if length == 0 {
            break;
        }
        read += length;
        kept.extend_from_slice(&part[..length]);
        if kept.len() > 2 * NEWEST {
            kept.drain(..kept.len() - NEWEST);
        }
    }
    kept.drain(..kept.len().saturating_sub(NEWEST));
    Ok(kept)
}

/// Reads what is open; `path` is its name, none for standard input.
pub(super) fn read(
    source: &mut dyn Read,
    path: Option<&Path>,
    bound: Bound,
) -> Result<String, Error> {
    let shown = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let Bound { bytes: most, why } = bound;
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    source
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| Error::user(format!("{shown}: {}", explain(&error))))?;
    if bytes.len() > most {
        return Err(Error::user(format!("{shown}: longer than {most} bytes, {why}")));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let convert = format!("convert it: iconv -f UTF-16 -t UTF-8{}", argument(path));
        return Err(
            Error::user(format!("{shown}:1:1: the text is UTF-16, expected UTF-8")).hint(convert)
        );
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let start = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
        let place = crate::xml::position(&start, at);
        Error::user(format!(
            "{shown}:{}:{}: the text is not UTF-8, expected UTF-8",
            place.line, place.column
        ))
    })
}

/// A path as another word of a shell command, which takes it for no option; nothing where it can't be written as text.
fn argument(path: Option<&Path>) -> String {
    let Some(name) = path.and_then(Path::to_str) else { return String::new() };
    let name = if name.starts_with('-') { format!("./{name}") } else { name.to_owned() };
    format!(" {}", quote(&[&name]))
}

/// An error of reading.
#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "the list of the standard library's errors grows"
)]
pub(super) fn explain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "you may not read it".to_owned(),
        std::io::ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
        _ => said(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused_at_its_bound() {
        let small = Bound { bytes: 100, why: "and so on" };
        let refused =
            |bound| read(&mut std::io::repeat(b'x'), None, bound).unwrap_err().to_string();
        assert_eq!(refused(small), "standard input: longer than 100 bytes, and so on");
        for bound in [Bound::DOMAIN, Bound::FACTS] {
            assert!(refused(bound).contains(bound.why));
        }
        assert_eq!(read(&mut &[b'x'; 100][..], None, small).map(|text| text.len()), Ok(100));
    }

    #[test]
    fn of_a_long_log_the_end_is_kept() {
        let mut text = vec![b'a'; 5 * NEWEST];
        text.extend_from_slice(b"the end");
        let kept = last(&mut text.as_slice()).unwrap();
        assert_eq!((kept.len(), kept.ends_with(b"the end")), (NEWEST, true));
    }

    #[test]
    fn the_command_that_converts_names_the_file_and_nothing_else() {
        let hint = |path: Option<&str>| {
            let path = path.map(Path::new);
            let error = read(&mut &b"\xff\xfe<\0"[..], path, Bound::DOMAIN).unwrap_err();
            error.to_string().split_once("convert it: ").unwrap().1.to_owned()
        };
        for name in ["a;touch CAN;.xml", "$(id).xml", "it's.xml", "a b.xml", "vm.xml"] {
            let words = shlex::split(&hint(Some(name))).unwrap();
            assert_eq!(words, ["iconv", "-f", "UTF-16", "-t", "UTF-8", name]);
        }
        assert_eq!(hint(Some("-o.xml")), "iconv -f UTF-16 -t UTF-8 ./-o.xml");
        assert_eq!(hint(None), "iconv -f UTF-16 -t UTF-8");
    }
}
