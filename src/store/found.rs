//! The domains that the files of a directory hold: looked at as far as their first element, without a wait for anybody.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;

use super::bounded::explain;
use super::file::open_only_regular;
use crate::error::Error;
use crate::xml::root_name;

/// What a directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The names of files that hold a domain, in their order.
    pub domains: Vec<OsString>,
    /// How many XML files there are.
    pub files: usize,
    /// How many of them were looked at, the first in their order.
    pub looked: usize,
}

/// More entries of a directory are not read.
const MOST_NAMES: usize = 100_000;
/// More XML files are not looked into.
const MOST_FILES: usize = 1_000;
/// The first element of a domain stands here: before it there are a declaration, and libvirt's words that the file is its own.
const HEAD: u64 = 4 << 10;

/// The files of a directory whose name ends in `.xml` and that hold a domain. Pipes and devices are not opened.
///
/// # Errors
/// One sentence: the directory can't be read.
pub fn domains_in(directory: &Path) -> Result<Found, Error> {
    let shown = directory.display();
    let refuse = |error: &std::io::Error| Error::user(format!("{shown}: {}", explain(error)));
    let entries = std::fs::read_dir(directory).map_err(|error| refuse(&error))?;
    let open = std::fs::File::open(directory).map_err(|error| refuse(&error))?;
    let names = entries.flatten().take(MOST_NAMES).map(|entry| entry.file_name());
    let mut names: Vec<OsString> = names.filter(is_xml).collect();
    names.sort_unstable();
    let files = names.len();
    names.truncate(MOST_FILES);
    let looked = names.len();
    names.retain(|name| holds_domain(&open, Path::new(name)));
    Ok(Found { domains: names, files, looked })
}

fn is_xml(name: &OsString) -> bool {
    let ends = Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("xml"));
    // What an editor or a save leaves is hidden.
    ends && !name.as_encoded_bytes().starts_with(b".")
}

fn holds_domain(directory: &std::fs::File, name: &Path) -> bool {
    let mut head = Vec::new();
    let read =
        open_only_regular(directory, name).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && root_name(&head) == Some("domain")
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn domains_are_told_from_everything_else() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        put("b.xml", "<domain type='kvm'/>");
        put("A.XML", "<!-- of libvirt -->\n<domain/>");
        put("net.xml", "<network/>");
        put("a.txt", "<domain/>");
        put(".hidden.xml", "<domain/>");
        put("empty.xml", "");
        put("late.xml", &format!("{}<domain/>", " ".repeat(8 << 10)));
        std::fs::create_dir(dir.path().join("dir.xml")).unwrap();
        std::os::unix::fs::symlink("b.xml", dir.path().join("link.xml")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("zero.xml")).unwrap();
        // Whoever opens this one to read waits for a writer.
        mknodat(CWD, dir.path().join("pipe.xml"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let found = domains_in(dir.path()).unwrap();
        assert_eq!(found.domains, ["A.XML", "b.xml", "link.xml"]);
        assert_eq!((found.files, found.looked), (9, 9));
        assert!(domains_in(&dir.path().join("none")).is_err());
    }

    #[test]
    fn of_many_files_the_first_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..MOST_FILES + 10 {
            std::fs::write(dir.path().join(format!("{number:05}.xml")), "<domain/>").unwrap();
        }
        let found = domains_in(dir.path()).unwrap();
        assert_eq!((found.domains.len(), found.looked), (MOST_FILES, MOST_FILES));
        assert_eq!(found.files, MOST_FILES + 10);
    }
}
