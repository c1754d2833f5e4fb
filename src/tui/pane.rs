//! What the side pane can show, and what has to be asked outside for it.

/// A tab of the side pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Pane {
    /// Who lets the selection through, who stops it, and what to do.
    #[default]
    Why,
    /// Host resources against layers.
    Layers,
    /// The passthrough as libvirt prints it.
    Xml,
    /// What saving changes.
    Diff,
    /// The command line that libvirt builds around the passthrough.
    Command,
    /// The page of the selection's first rule.
    Rule,
    /// What libvirt's schema says.
    Schema,
}

/// What is said about a tab, once; its key is the number of its place.
pub struct PaneRow {
    /// The tab.
    pub pane: Pane,
    /// Its word.
    pub title: &'static str,
    /// What it shows, for the help.
    pub help: &'static str,
    /// Whether libvirt has to be asked for it.
    asks: bool,
}

/// All tabs, in the order of [`Pane`].
pub static PANES: [PaneRow; 7] = [
    PaneRow {
        pane: Pane::Why,
        title: "Why",
        help: "who lets the selection through, who stops it, and what to do",
        asks: false,
    },
    PaneRow {
        pane: Pane::Layers,
        title: "Layers",
        help: "the map of layers; moving in it selects the entry",
        asks: false,
    },
    PaneRow { pane: Pane::Xml, title: "XML", help: "the XML as libvirt prints it", asks: false },
    PaneRow { pane: Pane::Diff, title: "Diff", help: "what saving changes", asks: false },
    PaneRow {
        pane: Pane::Command,
        title: "Command",
        help: "the command line around the passthrough",
        asks: true,
    },
    PaneRow { pane: Pane::Rule, title: "Rule", help: "the page of the rule", asks: false },
    PaneRow { pane: Pane::Schema, title: "Schema", help: "what libvirt's schema says", asks: true },
];

impl Pane {
    /// What is said about it.
    pub fn row(self) -> &'static PaneRow {
        // A tab without a place here does not compile, one in the wrong place fails a test.
        let at = match self {
            Pane::Why => 0,
            Pane::Layers => 1,
            Pane::Xml => 2,
            Pane::Diff => 3,
            Pane::Command => 4,
            Pane::Rule => 5,
            Pane::Schema => 6,
        };
        &PANES[at]
    }

    /// All tabs, in their order.
    pub fn all() -> impl Iterator<Item = Pane> {
        PANES.iter().map(|row| row.pane)
    }

    /// The word on the tab.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// The tab after this one, or before.
    #[must_use]
    pub fn beside(self, forward: bool) -> Pane {
        let at = PANES.iter().position(|row| row.pane == self).unwrap_or(0);
        PANES[(at + if forward { 1 } else { PANES.len() - 1 }) % PANES.len()].pane
    }

    /// Whether libvirt has to be asked for what the tab shows.
    pub fn asks(self) -> bool {
        self.row().asks
    }
}

/// What was asked for a tab about one state of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The text that it was asked about.
    pub source: String,
    /// The answer, or why there is none; nothing while it is on its way.
    pub answer: Option<Answer>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The arguments that QEMU would get, or why libvirt did not say.
    Command(Result<Vec<String>, String>),
    /// Findings of the schema: the line, and the sentence; or why it was not checked.
    Schema(Result<Vec<(usize, String)>, String>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tab_has_its_row_at_its_place() {
        for row in &PANES {
            assert!(std::ptr::eq(row.pane.row(), row), "{}", row.title);
        }
        assert!(PANES.len() <= 9, "a tab's key is one digit");
    }
}
