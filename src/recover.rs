//! `qpt-tui recover`: what is kept of edits that were not saved, and of texts from before saves, without a screen.

use std::path::{Path, PathBuf};

use crate::check::{complain, print};
use crate::cli::Recover;
use crate::domain::merge::{Merge, merge};
use crate::error::Error;
use crate::report::text::diff;
use crate::store::journal::{self, Copy, CopyKind, Typed};
use crate::store::{self, Origin, Saved, SavedAs, Source, Way};
use crate::visible::visible;

/// Lists, shows, compares, restores or discards copies.
///
/// # Errors
/// One sentence: there is no such copy, or it can't be given back.
pub fn recover(options: &Recover) -> Result<(), Error> {
    let copies = journal::copies().map_err(Error::user)?;
    let Some(wanted) = &options.copy else {
        print(&list(&copies));
        return Ok(());
    };
    let copy = find(&copies, wanted)?;
    if options.discard {
        return discard(copy);
    }
    let Some(text) = copy.text() else {
        return Err(Error::user(format!("{} is damaged", copy.id)).hint(format!("look at {}", copy.path.display())));
    };
    if options.diff {
        let present = present(&copy.of)?;
        print(&diff(&copy.of.title(), present.as_ref().map_or("", Source::text), text));
    } else if let Some(path) = &options.output {
        write_to(path, text)?;
    } else if options.restore {
        restore(copy, text)?;
    } else {
        print(text);
    }
    Ok(())
}

fn list(copies: &[Copy]) -> String {
    if copies.is_empty() {
        return "nothing is kept: no edits that were not saved, no texts from before saves\n".to_owned();
    }
    let mut lines = String::new();
    for copy in copies {
        let what = match &copy.kind {
            CopyKind::Edits(_, Some(holder)) => format!("edits, being made by process {}", holder.process),
            CopyKind::Edits(draft, None) if draft.typed.is_some() => {
                "edits that were not saved, one half typed".to_owned()
            }
            CopyKind::Edits(_, None) => "edits that were not saved".to_owned(),
            CopyKind::Backup(_) => "the text before a save".to_owned(),
            CopyKind::Damaged => "damaged".to_owned(),
        };
        let line = format!("{:<12} {:>10} ago  {}: {what}", copy.id, copy.age, copy.of.title());
        lines.push_str(&visible(&line));
        lines.push('\n');
    }
    lines
}

/// The copy of a name; for the path of a file its newest edits.
fn find<'a>(copies: &'a [Copy], wanted: &str) -> Result<&'a Copy, Error> {
    if let Some(copy) = copies.iter().find(|copy| copy.id == wanted) {
        return Ok(copy);
    }
    let real = real_path(Path::new(wanted));
    let of_file = |copy: &&Copy| matches!(&copy.of, Origin::File(path) if path.path() == real);
    let found: Vec<&Copy> = copies.iter().filter(of_file).collect();
    if let Some(edits) = found.iter().find(|copy| matches!(copy.kind, CopyKind::Edits(..))) {
        return Ok(edits);
    }
    let Some(first) = found.first() else {
        return Err(Error::user(format!("nothing of the name {wanted} is kept"))
            .hint("take the path or the name at the left of the list: qpt-tui recover"));
    };
    Err(Error::user(format!("{wanted} has no edits that were not saved"))
        .hint(format!("texts from before saves are kept: {} is the newest", first.id)))
}

/// A path with links followed, also where the file itself is gone.
fn real_path(path: &Path) -> PathBuf {
    if let Ok(real) = std::fs::canonicalize(path) {
        return real;
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    match (std::fs::canonicalize(parent), path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// The hint for a file that can't be opened and of which something is kept.
pub fn hint_for(path: &Path) -> Option<String> {
    let real = real_path(path);
    let copies = journal::copies().ok()?;
    let copy = copies.iter().find(|copy| matches!(&copy.of, Origin::File(of) if of.path() == real))?;
    Some(format!("a copy of it is kept: qpt-tui recover {} --output FILE", copy.id))
}

fn running(copy: &Copy) -> Result<(), Error> {
    match &copy.kind {
        CopyKind::Edits(_, Some(holder)) => {
            Err(Error::user(format!("{} is being edited by process {}", copy.of.title(), holder.process))
                .hint("end that session first, or take over by opening it"))
        }
        CopyKind::Edits(_, None) | CopyKind::Backup(_) | CopyKind::Damaged => Ok(()),
    }
}

fn discard(copy: &Copy) -> Result<(), Error> {
    running(copy)?;
    journal::remove_copy(copy).map_err(|error| Error::user(format!("{}: {error}", copy.path.display())))
}

/// What is there now; nothing for a file that is gone.
fn present(of: &Origin) -> Result<Option<Source>, Error> {
    match of {
        Origin::File(path) => {
            let path = path.path();
            if path.symlink_metadata().is_err() {
                return Ok(None);
            }
            Ok(Some(Source::File(store::load(&path)?)))
        }
        Origin::Domain { connection, domain } => Ok(Some(Source::Libvirt(store::open(connection, domain)?))),
        Origin::VirshEdit { domain } => Err(Error::user("virsh has taken its temporary file away")
            .hint(format!("write it to a file, then define that: --output {domain}.xml"))),
    }
}

fn write_to(path: &Path, text: &str) -> Result<(), Error> {
    let keep = |_: &str| Err("nothing is replaced".to_owned());
    match store::save_as(path, text, None, false, &keep)? {
        SavedAs::Written(_) => Ok(()),
        SavedAs::Exists => Err(Error::user(format!("{} is there already", path.display())).hint("name a new file")),
    }
}

/// Gives a copy back to where it belongs.
fn restore(copy: &Copy, text: &str) -> Result<(), Error> {
    running(copy)?;
    let elsewhere = format!("write it elsewhere: qpt-tui recover {} --output FILE", copy.id);
    let Some(source) = present(&copy.of)? else {
        let Origin::File(path) = &copy.of else { return Ok(()) };
        write_to(&path.path(), text)?;
        return done(copy);
    };
    let text = match &copy.kind {
        CopyKind::Edits(draft, _) if *draft.opened != *source.text() && *draft.text != *source.text() => {
            match merge(&draft.opened, text, source.text()) {
                Merge::Clean(merged) => merged,
                Merge::Clashes(..) => {
                    let title = copy.of.title();
                    return Err(
                        Error::user(format!("{title} was changed meanwhile, in the same places")).hint(elsewhere)
                    );
                }
            }
        }
        CopyKind::Edits(..) | CopyKind::Backup(_) | CopyKind::Damaged => text.to_owned(),
    };
    let keep = |old: &str| journal::backup(&copy.of, old);
    let mut way = Way::Replace;
    loop {
        match source.save(&text, way, &keep)? {
            Saved::Unchanged | Saved::Written(_, None) => return done(copy),
            Saved::Written(_, Some(remark)) => {
                complain(&format!("restored; but {remark}"));
                return done(copy);
            }
            Saved::Irreplaceable(_) if way == Way::Replace => way = Way::InPlace,
            Saved::Irreplaceable(why) => {
                return Err(Error::user(format!("it can't be replaced: {why}")).hint(elsewhere));
            }
            Saved::ChangedByOthers(_) => {
                return Err(Error::user(format!("{} is being changed just now", copy.of.title())).hint("try again"));
            }
        }
    }
}

fn done(copy: &Copy) -> Result<(), Error> {
    complain(&format!("restored: {}; the text before is kept, see: qpt-tui recover", visible(&copy.of.title())));
    let CopyKind::Edits(draft, _) = &copy.kind else { return Ok(()) };
    let left = match &draft.typed {
        Some(Typed::Form { fields, .. }) => {
            Some(format!("what was typed in a form was not taken over: {} {}", fields[0], fields[1]))
        }
        Some(Typed::Import(text)) => Some(format!("what was to be imported was not taken over: {text}")),
        None => None,
    };
    if let Some(left) = left {
        complain(&visible(&left));
    }
    journal::remove_copy(copy).map_err(|error| Error::user(format!("{}: {error}", copy.path.display())))
}
