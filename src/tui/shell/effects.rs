//! What the editor asks for, done.

use std::sync::atomic::Ordering;

use super::{Editor, End, MOST_COPIED};
use crate::store::{Theirs, Way};
use crate::tui::action::Effect;

impl Editor {
    /// Does it; the end where it is one.
    pub(super) fn carry_out(&mut self, effect: Effect) -> std::io::Result<Option<End>> {
        match effect {
            Effect::Quit => return Ok(Some(End::Quit)),
            Effect::QuitPrinting => return Ok(Some(End::QuitPrinting)),
            Effect::Probe if self.recorded => {
                self.app.judging.probing = false;
                self.app.failed("the facts are recorded ones; this host is not asked".to_owned());
            }
            Effect::Probe => self.look(),
            Effect::LookAtOthers => self.look_at_others(),
            Effect::Plan(entries) => self.plan(entries),
            Effect::StopPlan => self.going.store(false, Ordering::SeqCst),
            Effect::TryOut if self.recorded => {
                self.app.failed("the facts are recorded ones; nothing is started".to_owned());
            }
            Effect::TryOut => self.try_out(),
            Effect::Copy(text) => {
                if text.len() <= MOST_COPIED {
                    self.session.copy(&text)?;
                } else {
                    self.app.failed(
                        "too long for the terminal's clipboard; P puts it in here".to_owned(),
                    );
                }
                copy_locally(text);
            }
            Effect::WriteOut { path, text } => self.write_out(path, text),
            Effect::Outside(text) => return self.outside(&text),
            Effect::Repaint => self.session.repaint()?,
            Effect::Suspend => return Ok(self.session.suspend()?.map(End::Signal)),
            Effect::Save => self.save(self.way),
            Effect::SaveInPlace => {
                self.way = Way::InPlace;
                self.save(self.way);
            }
            Effect::SaveAs { path, over } => self.save_as(&path, over),
            Effect::Know { theirs, save } => {
                if let Some(source) = &mut self.source {
                    source.know(&theirs);
                }
                if save {
                    self.save(self.way);
                }
            }
            Effect::TakeOver => self.take_over(),
            Effect::KeepBeside => self.keep_beside(),
            Effect::Discard(name) => self.discard(&name),
            Effect::Restored { name, base } => {
                if let (Some(base), Some(source)) = (base, &mut self.source) {
                    source.know(&Theirs::Text(base));
                }
                self.discard(&name);
            }
        }
        Ok(None)
    }
}

/// Puts text into the desktop's clipboard as well, where we are on one: not every terminal takes OSC 52.
fn copy_locally(text: String) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let program: &[&str] = match (set("SSH_CONNECTION"), set("WAYLAND_DISPLAY"), set("DISPLAY")) {
        (false, true, _) => &["wl-copy"],
        (false, false, true) => &["xclip", "-selection", "clipboard"],
        _ => return,
    };
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // It may wait for somebody to paste; a program that is not there is no loss.
    std::thread::spawn(move || {
        let Ok(mut child) = command.spawn() else { return };
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(text.as_bytes());
        }
        let _ = child.wait();
    });
}
