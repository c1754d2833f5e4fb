//! A text through $VISUAL or $EDITOR, which has the terminal meanwhile; signals still end the session with the edits kept.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT};

use super::{Editor, End, Keeping, Message};
use crate::store;
use crate::tui::terminal::Wake;

/// How long the user's editor has to write its file and end, when we have to.
const LAST_WORDS: Duration = Duration::from_millis(300);

impl Editor {
    /// Lets the user's editor change a text, and puts what comes back into the form.
    pub(super) fn outside(&mut self, text: &str) -> std::io::Result<Option<End>> {
        // What is in the form is safe before anything else has the terminal.
        self.app.over.outside = true;
        self.keep();
        let end = self.lend_to_editor(text);
        self.app.over.outside = false;
        end
    }

    fn lend_to_editor(&mut self, text: &str) -> std::io::Result<Option<End>> {
        let prepared = editor().and_then(|words| Ok((words, self.file(text)?)));
        let (words, path) = match prepared {
            Ok(prepared) => prepared,
            Err(why) => {
                self.app.failed(why);
                return Ok(None);
            }
        };
        self.session.lend();
        let end = self.run_editor(&words, &path);
        let read = store::read_regular(&path);
        // It was made a moment ago; if somebody took it away there is nothing to remove.
        let _ = std::fs::remove_file(&path);
        let written = read
            .map(|bytes| Written::of(bytes, text))
            .map_err(|error| format!("what the editor left can't be read: {error}"));
        match end {
            Ok(Ended::Itself(status)) => self.came_back(&words[0], status, written),
            Err(error) => self.app.failed(format!("{} could not be run: {error}", words[0])),
            Ok(Ended::ByUs(signal)) => {
                // What it had written belongs to what is kept.
                if let Ok(written) = written
                    && written.changed
                {
                    self.app.came_back(&written.text);
                }
                return Ok(Some(End::Signal(signal)));
            }
        }
        self.session.take_back()?;
        Ok(None)
    }

    /// Takes over what the user's editor wrote: also where it failed then, since the form can be left without it.
    fn came_back(
        &mut self,
        editor: &str,
        status: std::process::ExitStatus,
        written: Result<Written, String>,
    ) {
        let written = match written {
            Ok(written) => written,
            Err(why) => return self.app.failed(why),
        };
        if status.success() || written.changed {
            self.app.came_back(&written.text);
        }
        if !status.success() {
            let what = if written.changed {
                "what it wrote is in the form"
            } else {
                "nothing was taken over"
            };
            self.app.failed(format!("{editor} ended with {status}; {what}"));
        } else if written.lossy {
            self.app.failed("what it wrote is not UTF-8; what can't be read is marked".to_owned());
        }
    }

    /// A file that holds the text, readable by nobody else.
    fn file(&self, text: &str) -> Result<PathBuf, String> {
        let made = match &self.keeping {
            Keeping::Journal(journal) => journal.scratch(),
            Keeping::Elsewhere(_) | Keeping::Nothing => store::journal::scratch_elsewhere(),
        };
        let failed = |error: std::io::Error| format!("no file can be made for the editor: {error}");
        let (path, mut file) = made.map_err(failed)?;
        file.write_all(format!("{text}\n").as_bytes()).map_err(failed)?;
        Ok(path)
    }

    fn run_editor(&mut self, words: &[String], path: &std::path::Path) -> std::io::Result<Ended> {
        let mut child = Command::new(&words[0]).args(&words[1..]).arg(path).spawn()?;
        let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let sender = self.session.sender();
        std::thread::spawn(move || sender.send(Message::Outside(child.wait())));
        let mut others = Vec::new();
        let ended = loop {
            match self.session.wait(None) {
                Wake::Message(Message::Outside(status)) => break Ended::Itself(status?),
                // Other answers are taken when the screen is ours again.
                Wake::Message(message) => others.push(message),
                // These are for the program in the foreground, which is not us.
                Wake::End(SIGINT | SIGQUIT) => self.session.forgive(),
                Wake::End(signal) => break self.end_editor(process, signal),
                Wake::Gone => break self.end_editor(process, SIGHUP),
                Wake::Redraw | Wake::Nothing => {}
                // It stops itself; so do we, for the shell to have the terminal.
                Wake::Suspend => kill_process(rustix::process::getpid(), Signal::STOP)?,
            }
        };
        for message in others {
            self.session.put_back(message);
        }
        Ok(ended)
    }

    fn end_editor(&self, process: Option<Pid>, signal: i32) -> Ended {
        if let Some(process) = process {
            // It may have ended meanwhile.
            let _ =
                kill_process(process, if signal == SIGHUP { Signal::HUP } else { Signal::TERM });
        }
        let deadline = std::time::Instant::now() + LAST_WORDS;
        while let Some(message) =
            self.session.soon(deadline.saturating_duration_since(std::time::Instant::now()))
        {
            if matches!(message, Message::Outside(_)) {
                break;
            }
        }
        Ended::ByUs(signal)
    }
}

/// What the user's editor left in its file.
struct Written {
    text: String,
    /// It is another text than before.
    changed: bool,
    /// Bytes that are no text were marked as such.
    lossy: bool,
}

impl Written {
    fn of(bytes: Vec<u8>, before: &str) -> Written {
        let (text, lossy) = match String::from_utf8(bytes) {
            Ok(text) => (text, false),
            Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
        };
        let changed = text.trim_end() != before.trim_end();
        Written { text, changed, lossy }
    }
}

enum Ended {
    Itself(std::process::ExitStatus),
    /// We have to end, by this signal.
    ByUs(i32),
}

/// The user's editor and its arguments.
fn editor() -> Result<Vec<String>, String> {
    let named = ["VISUAL", "EDITOR"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    // As virsh's editor we are EDITOR ourselves.
    let editor =
        named.filter(|editor| !editor.contains("qpt-tui")).unwrap_or_else(|| "vi".to_owned());
    let words = shlex::split(&editor).filter(|words| !words.is_empty());
    words.ok_or_else(|| format!("EDITOR is '{editor}', expected a program"))
}
