//! The editor.

/// Runs the editor.
pub fn run(_cli: &crate::cli::Cli) -> Result<u8, crate::error::Error> {
    Ok(0)
}
