//! Versions of QEMU and libvirt, and from which to which of them something is there.

use std::fmt;

/// The version of a program, as far as names depend on it: `7.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// A version.
    pub const fn new(major: u32, minor: u32) -> Version {
        Version { major, minor }
    }

    /// Reads `7.2` or `7.2.22`; what follows the second number does not count.
    pub fn read(text: &str) -> Option<Version> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        Some(Version { major: numbers.next()??, minor: numbers.next()?? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// From which version on something is there, and in which it is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// The first version that has it; nothing for ever since.
    pub since: Option<Version>,
    /// The first version without it; nothing where it is still there.
    pub until: Option<Version>,
}

impl Range {
    /// Reads the two columns of a table; `-` is an open end.
    pub fn read(since: &str, until: &str) -> Range {
        Range { since: Version::read(since), until: Version::read(until) }
    }

    /// Whether a version has it.
    pub fn contains(self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version)
            && self.until.is_none_or(|until| version < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        let read = |text| Version::read(text).unwrap();
        assert!(read("10.0") > read("9.2.4") && read("7.2.22") == read("7.2"));
        assert_eq!((Version::read("-"), Version::read("7")), (None, None));
        assert_eq!(read("11.1.3").to_string(), "11.1");
    }

    #[test]
    fn a_range_ends_before_the_version_that_lacks_it() {
        let range = Range::read("8.1", "10.0");
        let has = [(8, 0), (8, 1), (9, 2), (10, 0)]
            .map(|(major, minor)| range.contains(Version::new(major, minor)));
        assert_eq!(has, [false, true, true, false]);
        assert!(Range::read("-", "-").contains(Version::new(99, 0)));
    }
}
