//! Where a domain comes from and goes to.

mod file;
mod recovery;

pub use file::{FileSource, Saved, load, read_input, save};
pub use recovery::rescue;
