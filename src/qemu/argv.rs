//! From arguments to options: which argument is an option, which is its value.

use super::catalog::{self, OptionRow};
use super::keyval::Pairs;
use crate::domain::EntryId;

/// One option with its value, or one argument that is neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QemuOption {
    /// Index of the argument that names the option.
    pub entry: usize,
    /// Index of the argument that is the value, when the option takes one and it is there.
    pub value: Option<usize>,
    /// The option's row, when QEMU has such an option.
    pub row: Option<OptionRow>,
    /// The value taken apart, its first part under the row's implied key; none where there is no value. What is no list of
    /// pairs (a path, a processor) is read as if it were one: the row's reader says what it is.
    pub pairs: Pairs,
}

impl QemuOption {
    /// The last argument that belongs to the option.
    pub fn last(&self) -> usize {
        self.value.unwrap_or(self.entry)
    }

    /// The name without dashes; empty where no QEMU has such an option.
    pub fn name(&self) -> &'static str {
        self.row.map_or("", |row| row.name)
    }

    /// Its type, driver or back end: what stands under the implied key; empty where nothing does.
    pub fn kind(&self) -> &str {
        let implied = self.row.and_then(|row| row.implied);
        implied.and_then(|key| self.pairs.get(key)).unwrap_or_default()
    }

    /// Where something about the value belongs: the value's argument, or the option's own.
    pub fn place(&self) -> EntryId {
        EntryId::arg(self.last())
    }

    /// Its arguments.
    pub fn entries(&self) -> impl Iterator<Item = EntryId> + use<> {
        (self.entry..=self.last()).map(EntryId::arg)
    }

    /// Whether it is known, has its value, and that is spelled as QEMU reads it.
    pub fn is_read(&self) -> bool {
        self.row.is_some() && self.value.is_some() && self.pairs.error.is_none()
    }
}

/// The name in an argument such as `-drive` or `--drive` (QEMU's `lookup_opt`: one or two dashes).
pub fn option_name(argument: &str) -> Option<&str> {
    let name = argument.strip_prefix('-')?;
    Some(name.strip_prefix('-').unwrap_or(name))
}

/// Groups arguments as QEMU does: an option that takes a value takes the next argument, whatever it looks like.
pub fn group(argv: &[&str]) -> Vec<QemuOption> {
    let mut options = Vec::new();
    let mut at = 0;
    while at < argv.len() {
        let row = option_name(argv[at]).and_then(catalog::option);
        let takes_value = row.is_some_and(|row| row.takes_value) && at + 1 < argv.len();
        let value = takes_value.then_some(at + 1);
        let implied = row.and_then(|row| row.implied);
        let pairs = value.map(|value| Pairs::read(argv[value], implied)).unwrap_or_default();
        options.push(QemuOption { entry: at, value, row, pairs });
        at = value.unwrap_or(at) + 1;
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_takes_the_next_argument_whatever_it_is() {
        let pairs =
            |argv: &[&str]| group(argv).into_iter().map(|o| (o.entry, o.value)).collect::<Vec<_>>();
        assert_eq!(
            pairs(&["-drive", "-S", "--device", "x", "-S", "stray", "-drive"]),
            [(0, Some(1)), (2, Some(3)), (4, None), (5, None), (6, None)]
        );
        assert_eq!(
            pairs(&["", "-", "-device x", "-foo", "y"]),
            [(0, None), (1, None), (2, None), (3, None), (4, None)]
        );
    }
}
