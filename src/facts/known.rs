//! An answer of the host, or why there is none.

use serde::{Deserialize, Serialize};

/// An answer, or why there is none; the reason is shown to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Known<T> {
    /// The host said so.
    Yes(T),
    /// The host would not say.
    Unknown(String),
}

impl<T> Default for Known<T> {
    fn default() -> Known<T> {
        Known::Unknown("it was not recorded".to_owned())
    }
}

impl<T> Known<T> {
    /// The answer, if there is one.
    pub fn yes(&self) -> Option<&T> {
        match self {
            Known::Yes(value) => Some(value),
            Known::Unknown(_) => None,
        }
    }

    /// The answer, or the reason that there is none.
    ///
    /// # Errors
    /// The reason.
    pub fn as_result(&self) -> Result<&T, &str> {
        match self {
            Known::Yes(value) => Ok(value),
            Known::Unknown(why) => Err(why),
        }
    }
}

/// Reads an answer, or the plain value that recordings had before a fact could be unknown.
pub(crate) fn plain_or_known<'de, D, T>(deserializer: D) -> Result<Known<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Known(Known<T>),
        Plain(T),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Known(known) => known,
        Either::Plain(value) => Known::Yes(value),
    })
}
