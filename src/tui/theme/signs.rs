//! The signs of the screen, and what stands for them where a font or a locale lacks them.

/// Each sign with its plain form.
const PLAIN: [(&str, &str); 39] = [
    ("✗", "x"),
    ("✓", "v"),
    ("·", "."),
    ("…", "~"),
    ("–", "-"),
    ("—", "-"),
    ("─", "-"),
    ("━", "="),
    ("│", "|"),
    ("┃", "|"),
    ("║", "|"),
    ("█", "#"),
    ("▐", "#"),
    ("░", ":"),
    ("┌", "+"),
    ("┐", "+"),
    ("└", "+"),
    ("┘", "+"),
    ("├", "+"),
    ("┤", "+"),
    ("┬", "+"),
    ("┴", "+"),
    ("┼", "+"),
    ("▌", "|"),
    ("▏", "_"),
    ("▸", ">"),
    ("▲", "^"),
    ("▼", "v"),
    ("•", "*"),
    ("→", ">"),
    ("↓", "v"),
    ("↑", "^"),
    ("←", "<"),
    ("⋮", ":"),
    ("×", "x"),
    ("⏎", "$"),
    ("⟨", "<"),
    ("⟩", ">"),
    ("≥", ">"),
];

/// The plain form of a sign; nothing for what has none.
pub(super) fn plain(sign: &str) -> Option<&'static str> {
    // Nearly everything on a screen is ASCII.
    if sign.is_ascii() {
        return None;
    }
    PLAIN.iter().find(|(found, _)| *found == sign).map(|(_, plain)| *plain)
}
