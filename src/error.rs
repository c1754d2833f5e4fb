//! Errors for people: one sentence that names the place, and what to try.

use std::fmt;

/// Why the program can't go on; it exits with status 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    hint: Option<String>,
}

impl Error {
    /// One sentence, lower case first, without a full stop.
    pub fn user(message: impl Into<String>) -> Error {
        Error { message: message.into(), hint: None }
    }

    /// Adds what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::visible::visible(&self.message))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {}", crate::visible::visible(hint)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
