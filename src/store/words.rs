//! Times in words.

use std::time::Duration;

/// A length of time as people say it: `40 seconds`, `3 hours`.
pub(super) fn duration(length: Duration) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let seconds = length.as_secs();
    let (unit, word) =
        UNITS.into_iter().find(|(unit, _)| seconds >= *unit).unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_one_unit() {
        let said = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(
            [said(0), said(1), said(119), said(7_300)],
            ["0 seconds", "1 second", "1 minute", "2 hours"]
        );
    }
}
