//! What QEMU said before it ended.

/// A refusal as QEMU prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// All of it behind the program's name: the option that it is about, where it names one, and the sentence.
    pub whole: String,
    /// It speaks of the world outside, which is not there where QEMU is asked.
    pub is_about_outside: bool,
    /// It speaks of the machine, whatever option it is about.
    pub is_about_machine: bool,
}

/// Words about the contents of a file, of which only a stand-in was there, about nodes of which there are others, and about
/// addresses that only the host has.
const ELSEWHERE: [&str; 4] = [
    "does not have the requested snapshot",
    "Could not set up host forwarding rule",
    "Cannot load specified image",
    "driver requires '/dev/",
];

/// Words about the machine itself, which is not shown to a QEMU that is only asked.
const MACHINE: [&str; 1] = ["The nodes select no CPUs"];

/// Words about the text of an option itself, which QEMU reads before it opens anything for it (include/qapi/qmp/qerror.h,
/// `object_property_find_err`).
const READING: [&str; 7] = [
    "Invalid parameter",
    "Parameter '",
    "Property '",
    "Unexpected parameter",
    "Duplicate parameter",
    " property must be ",
    "unknown migration protocol",
];

/// Sentences about the world outside, of QEMU and of libvirt.
const OUTSIDE: &str = include_str!("../../assets/outside.tsv");

/// The words by which sentences of `who`, `qemu` or `libvirt`, speak of the world outside.
pub fn of_outside(who: &str) -> impl Iterator<Item = &'static str> {
    OUTSIDE.lines().filter_map(move |line| line.strip_prefix(who)?.strip_prefix('\t'))
}

impl Sentence {
    /// Whether QEMU says that it can't read an option.
    pub fn is_about_reading(&self) -> bool {
        READING.iter().any(|words| self.whole.contains(words))
    }
}

/// The first refusal in what QEMU printed on standard error; nothing where it only warned.
pub fn sentence(complaints: &str, program: &str) -> Option<Sentence> {
    let own = program.rsplit('/').next().unwrap_or(program);
    let lines = complaints.lines().filter_map(|line| {
        // `qemu-system-x86_64: -device x: …`; a path of the program is its last part (`error_vreport`).
        let (speaker, rest) = line.split_once(": ")?;
        (speaker == own).then_some(rest)
    });
    let whole = lines.into_iter().find(|rest| !is_remark(rest)).map(str::to_owned);
    let whole = whole.or_else(|| {
        let last = complaints.lines().rev().find(|line| !line.trim().is_empty())?;
        (!last.contains("warning:")).then(|| last.to_owned())
    })?;
    let is_about_outside = of_outside("qemu").any(|ending| whole.trim_end().ends_with(ending))
        || ELSEWHERE.iter().any(|words| whole.contains(words));
    let is_about_machine = MACHINE.iter().any(|words| whole.contains(words));
    Some(Sentence { whole, is_about_outside, is_about_machine })
}

/// Whether a line says something without ending QEMU.
fn is_remark(rest: &str) -> bool {
    let words = rest.rsplit(": ").next().unwrap_or(rest);
    rest.contains("warning: ") || rest.starts_with("info: ") || words.starts_with("info: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_is_found() {
        let text = "qemu-system-x86_64: warning: host doesn't support x\nqemu-system-x86_64: -device x: 'x' is not a valid device model name\n";
        let said = sentence(text, "/usr/bin/qemu-system-x86_64").unwrap();
        assert_eq!(said.whole, "-device x: 'x' is not a valid device model name");
        assert!(!said.is_about_outside);
        assert!(
            sentence(
                "qemu-system-x86_64: -drive file=/a: Could not open '/a': No such file or directory",
                "qemu-system-x86_64"
            )
            .unwrap()
            .is_about_outside
        );
        assert_eq!(
            sentence("qemu-system-x86_64: warning: only that\n", "qemu-system-x86_64"),
            None
        );
        assert_eq!(sentence("", "qemu"), None);
    }
}
