use super::*;

fn ids(text: &str) -> Vec<&'static str> {
    why(text, None).iter().map(|answer| answer.rule.id).collect()
}

#[test]
fn words_lead_to_rules() {
    assert_eq!(
        ids("Could not open '/dev/qpt': No such file or directory"),
        ["namespace-hidden", "path-missing"]
    );
    assert_eq!(ids("internal error: qemu unexpectedly closed the monitor")[0], "seccomp-spawn");
    assert!(ids("all is well").is_empty());
    let behind = |sentence: &str| {
        ids(&format!(
            "internal error: qemu unexpectedly closed the monitor: 2026-11-28T09:18:34Z qemu-system-x86_64: {sentence}"
        ))
    };
    assert_eq!(behind("-object x: a fault that nobody wrote down"), ["qemu-refuses"]);
    assert_eq!(behind("warning: host doesn't support it")[0], "seccomp-spawn");
}
