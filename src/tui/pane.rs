//! What the side pane can show, and what has to be asked outside for it.

/// A tab of the side pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// What each layer says about the selection.
    Security,
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

impl Pane {
    /// All tabs, in their order.
    pub const ALL: [Pane; 7] =
        [Pane::Security, Pane::Layers, Pane::Xml, Pane::Diff, Pane::Command, Pane::Rule, Pane::Schema];

    /// The word on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Pane::Security => "Security",
            Pane::Layers => "Layers",
            Pane::Xml => "XML",
            Pane::Diff => "Diff",
            Pane::Command => "Command",
            Pane::Rule => "Rule",
            Pane::Schema => "Schema",
        }
    }

    /// The tab after this one, or before.
    #[must_use]
    pub fn beside(self, forward: bool) -> Pane {
        let at = Pane::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        Pane::ALL[(at + if forward { 1 } else { Pane::ALL.len() - 1 }) % Pane::ALL.len()]
    }

    /// Whether libvirt has to be asked for what the tab shows.
    pub fn asks(self) -> bool {
        matches!(self, Pane::Command | Pane::Schema)
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
