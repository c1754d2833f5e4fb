//! How a session ends, for who began it and for the shell outside.

use signal_hook::consts::SIGHUP;

use super::Message;
use crate::error::Error;
use crate::tui::terminal::Session;
use crate::tui::theme::Theme;

/// How a session ended for who began it.
pub(super) enum Left {
    /// The user left; the terminal is as it was during the session, and this is what is known of its colours.
    Back(Box<(Session<Message>, Theme)>),
    /// The program ends with this status; the terminal was given back.
    Ended(u8),
}

/// The exit status of who was ended by a signal.
pub(super) fn ended_by(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(129)
}

/// What comes of a terminal that can't be written to.
pub(super) fn terminal_failed(error: &std::io::Error) -> Result<u8, Error> {
    if rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::IO) {
        // What a terminal that is gone answers.
        return Ok(ended_by(SIGHUP));
    }
    Err(Error::user(format!("the terminal failed: {error}")))
}
