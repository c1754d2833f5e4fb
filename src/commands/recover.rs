//! `qpt-tui recover`: what is kept of edits that were not saved, and of texts from before saves, without a screen.

use std::ffi::OsStr;
use std::path::Path;

use crate::cli::Recover;
use crate::console::{complain, print};
use crate::domain::Document;
use crate::domain::merge::{Merge, merge};
use crate::error::Error;
use crate::power::{self, Writes};
use crate::report::text::diff;
use crate::store::journal::{self, Copy, CopyKind, Typed};
use crate::store::{self, Origin, Saved, SavedAs, Source, Way};
use crate::visible::visible;

/// Lists, shows, compares, restores or discards copies.
///
/// # Errors
/// One sentence: there is no such copy, or it can't be given back.
pub(super) fn recover(options: &Recover) -> Result<(), Error> {
    let journal::Copies { copies, unusable } = journal::copies().map_err(Error::user)?;
    for why in &unusable {
        complain(&format!("not looked into: {}", visible(why)));
    }
    let Some(wanted) = &options.copy else {
        power::give_up(&Writes::nothing());
        print(&list(&copies, unusable.is_empty()));
        return Ok(());
    };
    let copy = find(&copies, wanted)?;
    power::give_up(&written(options, copy));
    if options.discard {
        return discard(copy);
    }
    let Some(text) = copy.text() else {
        return Err(Error::user(format!("{} is damaged", copy.id))
            .hint(format!("look at {}", copy.path.display())));
    };
    if options.diff {
        let present = present(copy)?;
        print(&diff(&copy.title(), present.as_ref().map_or("", Source::text), text));
    } else if let Some(path) = &options.output {
        write_to(path, text)?;
    } else if options.restore {
        return restore(copy, text);
    } else {
        print(text);
    }
    say_typed(copy);
    Ok(())
}

/// What is written: what is kept, and where a copy is given back.
fn written(options: &Recover, copy: &Copy) -> Writes {
    let kept = Writes::nothing().keeping();
    match (&options.output, &copy.of) {
        (Some(new), _) => kept.beside(new),
        (None, Some(Origin::File(path))) if options.restore => kept.beside(&path.path()),
        (None, _) => kept,
    }
}

fn list(copies: &[Copy], complete: bool) -> String {
    if copies.is_empty() {
        let nothing = "nothing is kept: no edits that were not saved, no texts from before saves\n";
        return if complete { nothing.to_owned() } else { String::new() };
    }
    let mut lines = String::new();
    for copy in copies {
        let what = match &copy.kind {
            CopyKind::Edits(_, Some(holder)) => format!("edits, being made by {}", holder.who()),
            CopyKind::Edits(draft, None) if draft.typed.is_some() => {
                "edits that were not saved, one half typed".to_owned()
            }
            CopyKind::Edits(draft, None) if draft.handed => {
                "edits saved for virsh, which may have them".to_owned()
            }
            CopyKind::Edits(_, None) => "edits that were not saved".to_owned(),
            CopyKind::Backup(_) => "the text before a save".to_owned(),
            CopyKind::Damaged => "damaged".to_owned(),
        };
        let line = format!("{:<12} {:>10} ago  {}: {what}", copy.id, copy.age, copy.title());
        lines.push_str(&visible(&line));
        lines.push('\n');
    }
    lines
}

/// The copy of a name; for the path of a file its newest edits.
fn find<'a>(copies: &'a [Copy], wanted: &OsStr) -> Result<&'a Copy, Error> {
    if let Some(copy) = copies.iter().find(|copy| wanted == copy.id.as_str()) {
        return Ok(copy);
    }
    let found: Vec<&Copy> = copies.iter().filter(|copy| copy.is_of(Path::new(wanted))).collect();
    if let Some(edits) = found.iter().find(|copy| matches!(copy.kind, CopyKind::Edits(..))) {
        return Ok(edits);
    }
    let wanted = wanted.display();
    let Some(first) = found.first() else {
        return Err(Error::user(format!("nothing of the name {wanted} is kept"))
            .hint("take the path or the name at the left of the list: qpt-tui recover"));
    };
    Err(Error::user(format!("{wanted} has no edits that were not saved"))
        .hint(format!("texts from before saves are kept: {} is the newest", first.id)))
}

fn running(copy: &Copy) -> Result<(), Error> {
    match &copy.kind {
        CopyKind::Edits(_, Some(holder)) => {
            Err(Error::user(format!("{} is being edited by {}", copy.title(), holder.who()))
                .hint("end that session first, or take over by opening it"))
        }
        CopyKind::Edits(_, None) | CopyKind::Backup(_) | CopyKind::Damaged => Ok(()),
    }
}

fn discard(copy: &Copy) -> Result<(), Error> {
    running(copy)?;
    journal::remove_copy(copy)
        .map_err(|error| Error::user(format!("{}: {error}", copy.path.display())))
}

/// What is there now; nothing for a file that is gone.
fn present(copy: &Copy) -> Result<Option<Source>, Error> {
    let elsewhere = format!("write it to a new file: qpt-tui recover {} --output FILE", copy.id);
    match &copy.of {
        Some(Origin::File(path)) => {
            let path = path.path();
            if path.symlink_metadata().is_err() {
                return Ok(None);
            }
            let present = store::load(&path).map_err(|error| {
                error.hint(format!("move what is there away, then try again; or {elsewhere}"))
            })?;
            Ok(Some(Source::File(present)))
        }
        Some(Origin::Domain { connection, domain }) => {
            Ok(Some(Source::Libvirt(store::open(connection, domain)?)))
        }
        Some(Origin::VirshEdit { domain }) => {
            Err(Error::user("virsh has taken its temporary file away")
                .hint(format!("run virsh edit {domain} again, which offers them; or {elsewhere}")))
        }
        None => Err(Error::user("what it is a copy of is not known any more").hint(elsewhere)),
    }
}

fn write_to(path: &Path, text: &str) -> Result<(), Error> {
    let keep = |_: &str| Err("nothing is replaced".to_owned());
    match store::save_as(path, text, None, false, &keep)? {
        SavedAs::Written(_) => Ok(()),
        SavedAs::Exists => {
            Err(Error::user(format!("{} is there already", path.display())).hint("name a new file"))
        }
    }
}

/// Gives a copy back to where it belongs.
fn restore(copy: &Copy, text: &str) -> Result<(), Error> {
    running(copy)?;
    let elsewhere = format!("write it elsewhere: qpt-tui recover {} --output FILE", copy.id);
    if let Err(error) = Document::parse(text) {
        return Err(
            Error::user(format!("{} is no domain: {}", copy.id, error.message)).hint(elsewhere)
        );
    }
    let (Some(source), Some(of)) = (present(copy)?, &copy.of) else {
        let Some(Origin::File(path)) = &copy.of else { return Ok(()) };
        write_to(&path.path(), text)?;
        return done(copy, "there was no file");
    };
    let text = match &copy.kind {
        // What can't be read has nothing to be merged: it is kept, and replaced.
        CopyKind::Edits(draft, _)
            if *draft.opened != *source.text()
                && *draft.text != *source.text()
                && Document::parse(source.text()).is_ok() =>
        {
            match merge(&draft.opened, text, source.text()) {
                Merge::Clean(merged) => merged,
                Merge::Clashes(..) => {
                    let title = copy.title();
                    return Err(Error::user(format!(
                        "{title} was changed meanwhile, in the same places"
                    ))
                    .hint(elsewhere));
                }
            }
        }
        CopyKind::Edits(..) | CopyKind::Backup(_) | CopyKind::Damaged => text.to_owned(),
    };
    let keep = |old: &str| journal::backup(of, old);
    let kept = "the text before is kept, see: qpt-tui recover";
    let mut way = Way::Replace;
    loop {
        match source.save(&text, way, &keep)? {
            Saved::Unchanged => return done(copy, "it was there already"),
            Saved::Written(_, None) => return done(copy, kept),
            Saved::Written(_, Some(remark)) => return done(copy, &format!("{kept}; but {remark}")),
            Saved::Irreplaceable(_) if way == Way::Replace => way = Way::InPlace,
            Saved::Irreplaceable(why) => {
                return Err(Error::user(format!("it can't be replaced: {why}")).hint(elsewhere));
            }
            Saved::ChangedByOthers(_) => {
                return Err(Error::user(format!("{} is being changed just now", copy.title()))
                    .hint("try again"));
            }
        }
    }
}

/// Says that it is restored; what was being typed stays kept for the editor.
fn done(copy: &Copy, remark: &str) -> Result<(), Error> {
    complain(&format!("restored: {}; {remark}", visible(&copy.title())));
    let CopyKind::Edits(draft, _) = &copy.kind else { return Ok(()) };
    if draft.typed.is_some() {
        say_typed(copy);
        return Ok(());
    }
    journal::remove_copy(copy)
        .map_err(|error| Error::user(format!("{}: {error}", copy.path.display())))
}

/// Says what was being typed, which is in no text.
fn say_typed(copy: &Copy) {
    let CopyKind::Edits(draft, _) = &copy.kind else { return };
    let typed = match &draft.typed {
        Some(Typed::Form { fields, .. }) => format!("{} {}", fields[0], fields[1]),
        Some(Typed::Import(text)) => text.clone(),
        None => return,
    };
    complain(&visible(&format!(
        "half typed, and not in the text: {typed}; opening the file in the editor gives it back"
    )));
}
