//! What is put before the user: edits of earlier sessions, what others wrote, how a save ended.

use crate::domain::merge::{Clash, Merge, merge};
use crate::store::journal::{Kept, Typed};
use crate::store::{Saved, Source, Theirs};

/// Edits of an earlier session, as they are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The edits.
    pub kept: Kept,
    /// With what the file became since; `None` where it is as it was then.
    pub merge: Option<Merge>,
    /// The difference is shown.
    pub shown: bool,
}

impl Offer {
    pub(super) fn of(kept: Kept, present: &str) -> Offer {
        let changed = *kept.draft.opened != *present;
        let merge = changed.then(|| merge(&kept.draft.opened, &kept.draft.text, present));
        Offer { kept, merge, shown: false }
    }

    /// The text that restoring gives.
    pub fn text(&self) -> &str {
        match &self.merge {
            Some(Merge::Clean(text)) => text,
            Some(Merge::Clashes(..)) | None => &self.kept.draft.text,
        }
    }

    pub(super) fn sentence(&self) -> String {
        let (process, age) = (self.kept.process, &self.kept.age);
        let mut text = if self.kept.draft.handed {
            format!(
                "Edits that were saved for virsh are not in libvirt: process {process}, {age} ago."
            )
        } else if self.kept.running {
            format!(
                "Process {process}, whose session you took over, has edits that were not saved, made {age} ago."
            )
        } else {
            format!(
                "An earlier session ended before its edits were saved: process {process}, {age} ago."
            )
        };
        match &self.merge {
            None => {}
            Some(Merge::Clean(_)) => {
                text.push_str(" The text was changed elsewhere since; restoring keeps both changes.");
            }
            Some(Merge::Clashes(..)) => text.push_str(
                " The text was changed elsewhere since, in the same places: restoring gives the edits back, and before \
                 they are saved you are asked what becomes of those changes.",
            ),
        }
        match &self.kept.draft.typed {
            Some(Typed::Form { .. }) => {
                text.push_str(" What was being typed in a form comes back too.");
            }
            Some(Typed::Import(_)) => text.push_str(" What was being imported comes back too."),
            None => {}
        }
        text.push_str(" Restore them?");
        text
    }
}

/// What somebody else wrote, beside what stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What they made of it.
    pub theirs: Theirs,
    /// Both in one; nothing where theirs is no domain.
    pub merge: Option<Merge>,
    /// It was found when saving.
    pub at_save: bool,
}

impl Conflict {
    pub(super) fn sentence(&self) -> String {
        let what = match &self.theirs {
            Theirs::Gone => return "It was taken away by somebody else. Write it anew?".to_owned(),
            Theirs::Unreadable(why) => {
                return format!(
                    "Something else is in its place: {why}. Save elsewhere, or go on editing."
                );
            }
            Theirs::Text(_) => "It was changed by somebody else since it was opened.",
        };
        let how = match &self.merge {
            Some(Merge::Clean(_)) => "The two changes stand apart and can be merged.",
            Some(Merge::Clashes(..)) => {
                "Both changed the same places, which stand beside each other below; keeping yours there keeps what they changed elsewhere."
            }
            None => "What is there now is no domain that can be read.",
        };
        format!("{what} {how}")
    }

    /// The places that both changed.
    pub fn clashes(&self) -> &[Clash] {
        match &self.merge {
            Some(Merge::Clashes(clashes, _)) => clashes,
            Some(Merge::Clean(_)) | None => &[],
        }
    }
}

/// How saving ended, for the editor.
#[derive(Debug)]
pub enum Ending {
    /// The text as it stands there now, and a sentence.
    Saved(String, String),
    /// Somebody else changed it.
    Changed(Theirs),
    /// It can't be replaced; why.
    Irreplaceable(String),
    /// There is something at the other path already.
    Exists(String),
    /// It failed; how, and what to do.
    Failed(String),
}

impl Ending {
    /// What the editor is told of a save; the source to go on from, where it was written.
    pub fn of(
        saved: Result<Saved<Source>, crate::error::Error>,
        text: String,
        of_virsh: bool,
    ) -> (Ending, Option<Source>) {
        match saved {
            Ok(Saved::Unchanged) => {
                (Ending::Saved(text, "nothing changed, nothing was written".to_owned()), None)
            }
            Ok(Saved::Written(next, remark)) => {
                let mut sentence = match &next {
                    Source::File(_) if of_virsh => {
                        "saved; virsh defines it when you leave".to_owned()
                    }
                    Source::File(file) => {
                        let path = crate::words::quote(&[&file.path.to_string_lossy()]);
                        format!("saved; for libvirt: virsh define --validate {path}")
                    }
                    Source::Libvirt(domain) => {
                        format!("defined; it counts from the next start of {}", domain.domain)
                    }
                };
                if let Some(remark) = remark {
                    sentence = format!("{sentence}; but {remark}");
                }
                (Ending::Saved(next.text().to_owned(), sentence), Some(next))
            }
            Ok(Saved::ChangedByOthers(theirs)) => (Ending::Changed(theirs), None),
            Ok(Saved::Irreplaceable(why)) => (Ending::Irreplaceable(why), None),
            Err(error) => (Ending::Failed(error.to_string().replace("\n  ", "; ")), None),
        }
    }
}
